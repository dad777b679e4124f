//! An account: its users, its first API key, and the registry that has both.

use auth_core::{Clock, Error, Random, Result, Secret, TenantId};
use auth_ibsso::SessionLifetime;
use auth_lifecycle::{
    Actor, CommandRefusal, GroupPolicy, Kind, MemoryLifecycleStore, NewSecret, Registry,
    RegistryKeys, Role, ServiceId, Wanted,
};
use auth_static::{Argon2Cost, PasswordHash};
use std::sync::Arc;

/// What an account is made with.
pub(in crate::infobip) struct AccountSettings {
    pub(in crate::infobip) clock: Arc<dyn Clock>,
    pub(in crate::infobip) random: Arc<dyn Random>,
    pub(in crate::infobip) session: SessionLifetime,
}

/// One account, and the registry of its credentials.
///
/// Each user is a service of the account, which has one password and one session. The API keys belong to a service of
/// their own, since their limits are those of the account.
#[derive(Clone, Debug)]
pub(in crate::infobip) struct Account {
    pub(in crate::infobip) registry: Registry,
    pub(in crate::infobip) tenant: TenantId,
    pub(in crate::infobip) keys: ServiceId,
}

/// The identifier of the account, in the form of the vendor's.
const ACCOUNT: &str = "EA0792F86035A9F4290821F1EE6BC06A";

impl Account {
    /// A new account in memory, which has no users and no keys yet.
    pub(in crate::infobip) async fn open(settings: AccountSettings) -> Result<Self> {
        let AccountSettings { clock, random, session } = settings;
        let mut master = [0; 32];
        random.fill(&mut master)?;
        let keys = RegistryKeys::from_master(&Secret::new(master))?;
        let registry = Registry::build(MemoryLifecycleStore::new(), keys)
            .with_policy(Kind::IbssoSession, session_policy(session))
            .with_policy(Kind::ApiKey, key_policy())
            .with_environment("emulated")
            .with_clock(clock)
            .with_random(random)
            .finish()?;
        let tenant = TenantId::new(ACCOUNT);
        let by = registry.by(&owner(&tenant));
        let (service, _) = by.create_service_with("API keys", &[]).await?.map_err(refused)?;
        Ok(Self { registry, tenant, keys: service.id })
    }

    /// A user with this password, whose role has these scopes.
    pub(in crate::infobip) async fn add_user(
        &self,
        name: &str,
        password: &Secret,
        scopes: &[Box<str>],
        random: &dyn Random,
    ) -> Result<()> {
        let text = std::str::from_utf8(password.expose())
            .map_err(|_| Error::config("infobip_password", "password of a user is not UTF-8"))?;
        let hash = PasswordHash::of(text, Argon2Cost::default(), random)?.to_phc();
        let by = self.registry.by(&owner(&self.tenant));
        let (service, _) = by.create_service_with(name, &[]).await?.map_err(refused)?;
        let secret = NewSecret::Password { user: name.into(), hash: Secret::new(hash) };
        let scopes = scopes.iter().cloned().collect();
        let wanted = Wanted { secret, scopes, label: name.into(), ..Wanted::default() };
        by.create(Some(&service.id), Kind::BasicPassword, wanted).await?.map_err(refused)?;
        Ok(())
    }

    /// The API key that a new account has by itself, good for a year.
    ///
    /// The vendor does not say whether it counts as one of the 40 creations of its day; here it does not.
    pub(in crate::infobip) async fn first_key(
        &self,
        scopes: &[&str],
        random: &dyn Random,
    ) -> Result<Secret> {
        let key = key_text(random)?;
        let wanted = Wanted {
            secret: NewSecret::Given(Secret::new(key.expose())),
            label: "Default API key".into(),
            scopes: scopes.iter().copied().collect(),
            ..Wanted::default()
        };
        let by = self.registry.by(&owner(&self.tenant));
        by.import(Some(&self.keys), Kind::ApiKey, wanted).await?.map_err(refused)?;
        Ok(key)
    }
}

/// The vendor says "one year" and not how it counts a leap year: here it is 365 days.
pub(in crate::infobip) const YEAR: std::time::Duration =
    std::time::Duration::from_secs(365 * 24 * 60 * 60);

/// A key in the form of the vendor's: 32 hexadecimal digits, `-`, and a UUID.
pub(in crate::infobip) fn key_text(random: &dyn Random) -> Result<Secret> {
    let (mut head, mut tail) = ([0; 16], [0; 16]);
    random.fill(&mut head)?;
    random.fill(&mut tail)?;
    Ok(Secret::new(format!("{:032x}-{}", u128::from_be_bytes(head), uuid(tail))))
}

/// The text of a random UUID (RFC 9562 section 5.4).
pub(in crate::infobip) fn uuid(random: [u8; 16]) -> String {
    let bits = u128::from_be_bytes(random);
    let bits = bits & !(0xf000_u128 << 64) & !(0xc000_u128 << 48);
    let bits = bits | (0x4000_u128 << 64) | (0x8000_u128 << 48);
    let group = |shift: u32, mask: u128| (bits >> shift) & mask;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        group(96, 0xffff_ffff),
        group(80, 0xffff),
        group(64, 0xffff),
        group(48, 0xffff),
        group(0, 0xffff_ffff_ffff)
    )
}

fn owner(tenant: &TenantId) -> Actor {
    Actor::new(tenant.clone(), "system", Role::Owner)
}

/// The vendor says 60 minutes in one place, and 60 minutes of inactivity in another.
///
/// A registry notes uses to the minute, so that a session which slides ends up to one minute later.
fn session_policy(session: SessionLifetime) -> GroupPolicy {
    let one = GroupPolicy::one_session();
    match session {
        SessionLifetime::Fixed(span) => {
            GroupPolicy { lifetime: Some(span), longest_lifetime: Some(span), ..one }
        }
        SessionLifetime::Sliding(span) => {
            GroupPolicy { lifetime: None, longest_lifetime: None, idle_timeout: Some(span), ..one }
        }
    }
}

/// The vendor knows no other bound than 40 creations a day.
fn key_policy() -> GroupPolicy {
    let most = GroupPolicy::MOST;
    GroupPolicy { max_total: most, max_inactive: most, ..GroupPolicy::keys_with_an_end() }
}

fn refused(refusal: CommandRefusal) -> Error {
    Error::config("infobip_account", refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_identifiers_have_the_vendors_form() {
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        let key = key_text(&auth_testing::SeededRandom::new(1)).unwrap();
        let text = std::str::from_utf8(key.expose()).unwrap();
        let (head, tail) = text.split_once('-').unwrap();
        assert_eq!((head.len(), tail.len()), (32, 36));
    }
}
