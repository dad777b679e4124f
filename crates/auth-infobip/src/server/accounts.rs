//! Accounts and their users, in a registry.

use super::{InfobipPlatform, scopes::EVERY_SCOPE};
use auth_core::{Error, Flow, Lookup, Random, Result, Secret, TenantId};
use auth_ibsso::SessionLifetime;
use auth_lifecycle::{
    Actor, CommandRefusal, Commands, GroupPolicy, Kind, NewSecret, Registry, RegistryBuilder, Role,
    ServiceId, Wanted,
};
use auth_static::{Argon2Cost, PasswordHash};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Each user is a service of the account, which has one password and one session. The API keys of an account belong to a
/// service of their own, since their limits are those of the account.
impl InfobipPlatform {
    /// Creates an account, and gives the API key that it has by itself: of all scopes, and good for a year. It is shown this
    /// once, and is not counted as one of the 40 that are created in a day.
    ///
    /// ```
    /// # fn with(platform: &auth_infobip::InfobipPlatform) -> auth_core::Result<()> {
    /// use auth_core::{Secret, TenantId};
    /// let acme = TenantId::new("8F0792F86035A9F4290821F1EE6BC06A");
    /// let key = platform.create_account(&acme).wait()?;
    /// platform.create_user(&acme, "acme", &Secret::new("pa55:word"), &["sms:manage"]).wait()?;
    /// # let _ = key;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `infobip_account_exists`; those of the registry and of the randomness, after which the
    /// account may be there without its key: its users create one.
    pub fn create_account(&self, account: &TenantId) -> Flow<'_, Secret> {
        let account = account.clone();
        Flow::new(async move {
            if self.keys_of(&account).await?.is_some() {
                let text = "account of this identifier exists; choose another identifier";
                return Err(Error::config("infobip_account_exists", text));
            }
            let by = by_system(&self.registry, &account);
            // Two that are at it at once make one service.
            let made = by.clone().once(KEYS).create_service_with(KEYS, &[]).await?;
            let service = made.map_err(refused)?.0.id;
            let key = key_text(&*self.random)?;
            let wanted = Wanted {
                secret: NewSecret::Given(Secret::new(key.expose())),
                label: "Default API key".into(),
                scopes: [EVERY_SCOPE].into_iter().collect(),
                ..Wanted::default()
            };
            by.import(Some(&service), Kind::ApiKey, wanted).await?.map_err(refused)?;
            Ok(key)
        })
    }

    /// Creates a user of an account, whose role has these scopes: `sms:manage`, or
    /// [`EVERY_SCOPE`](crate::EVERY_SCOPE). The result is the user's service in the registry, whose commands replace the
    /// password and end the session.
    ///
    /// The password is hashed on the thread that the flow runs on: for some tens of milliseconds, and for half a second in a
    /// build without optimizations.
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `infobip_user_name` when the name is empty, longer than 200 bytes, or holds a colon or a
    /// control character, as no user name of Basic may, or when another user of the platform has it; `infobip_account_unknown`
    /// when nobody has created the account; `infobip_password` when the password is not UTF-8; those of the registry and of
    /// the randomness.
    pub fn create_user(
        &self,
        account: &TenantId,
        name: &str,
        password: &Secret,
        scopes: &[&str],
    ) -> Flow<'_, ServiceId> {
        let (account, name) = (account.clone(), name.to_owned());
        let (password, scopes) = (Secret::new(password.expose()), scopes.iter().copied().collect());
        Flow::new(async move {
            let wrong = |what| {
                let text = format!("user name {name:?} {what}");
                Err(Error::config("infobip_user_name", text))
            };
            self.known_keys_of(&account).await?;
            // What is refused after the service of the user was made leaves it behind.
            if !is_user_name(&name) {
                return wrong(
                    "is none of Basic, expected 1 to 200 bytes without ':' and control characters",
                );
            }
            if self.registry.basic_users().lookup(&name).await?.is_some() {
                return wrong(TAKEN);
            }
            let text = password.expose_text().ok_or_else(|| {
                Error::config("infobip_password", "password of a user is not UTF-8")
            })?;
            let hash = PasswordHash::of(text, Argon2Cost::default(), &*self.random)?.to_phc();
            let by = by_system(&self.registry, &account);
            let service = by.create_service_with(&name, &[]).await?.map_err(refused)?.0.id;
            let secret =
                NewSecret::Password { user: name.as_str().into(), hash: Secret::new(hash) };
            let label = name.as_str().into();
            let wanted = Wanted { secret, scopes, label, ..Wanted::default() };
            match by.create(Some(&service), Kind::BasicPassword, wanted).await? {
                Ok(_) => Ok(service),
                // Another one took it in the meantime, or has it with a password that is not in use.
                Err(CommandRefusal::SecretTaken) => wrong(TAKEN),
                Err(refusal) => Err(refused(refusal)),
            }
        })
    }

    /// The service of an account's API keys; an error when nobody has created the account.
    pub(super) async fn known_keys_of(&self, account: &TenantId) -> Result<ServiceId> {
        self.keys_of(account).await?.ok_or_else(|| {
            let text = "account has no service of API keys; create accounts with create_account";
            Error::config("infobip_account_unknown", text)
        })
    }

    /// The service of an account's API keys; `None` when there is no such account.
    pub(super) async fn keys_of(&self, account: &TenantId) -> Result<Option<ServiceId>> {
        if let Some(known) = self.key_services.of(account) {
            return Ok(Some(known));
        }
        let by = by_system(&self.registry, account);
        let mut after = None;
        loop {
            let services = by.services(after.as_ref(), PAGE).await?.map_err(refused)?;
            if let Some(found) = services.iter().find(|service| &*service.label == KEYS) {
                self.key_services.note(account, &found.id);
                return Ok(Some(found.id.clone()));
            }
            let Some(last) = services.last() else { return Ok(None) };
            after = Some(last.id.clone());
        }
    }
}

/// What is wrong with the name of another user.
const TAKEN: &str = "is that of another user, expected one that no user has";

/// May a user of Basic have this name, and can the registry keep it?
fn is_user_name(name: &str) -> bool {
    (1..=200).contains(&name.len()) && !name.contains(|it: char| it == ':' || it.is_control())
}

/// The name of the service of an account's API keys. No user has it, since it holds a colon.
const KEYS: &str = "account: API keys";

/// So many services are read at once.
pub(super) const PAGE: usize = 100;

/// Which service has the API keys of an account: it never changes.
#[derive(Default)]
pub(super) struct KeyServices(Mutex<HashMap<TenantId, ServiceId>>);

impl KeyServices {
    fn of(&self, account: &TenantId) -> Option<ServiceId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(account).cloned()
    }

    fn note(&self, account: &TenantId, service: &ServiceId) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(account.clone(), service.clone());
    }
}

/// The policies of the platform: one session of a user, and 40 new API keys of an account a day.
pub(super) fn with_policies(
    registry: RegistryBuilder,
    session: SessionLifetime,
) -> RegistryBuilder {
    registry
        .with_policy(Kind::IbssoSession, session_policy(session))
        .with_policy(Kind::ApiKey, key_policy())
}

/// The platform says 60 minutes in one place, and 60 minutes of inactivity in another.
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

/// The platform knows no other bound than 40 creations a day.
fn key_policy() -> GroupPolicy {
    let most = GroupPolicy::MOST;
    GroupPolicy { max_total: most, max_inactive: most, ..GroupPolicy::keys_with_an_end() }
}

/// The platform says "one year" and not how it counts a leap year: here it is 365 days.
pub(super) const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A key in the form of the platform's: 32 hexadecimal digits, `-`, and a UUID.
pub(super) fn key_text(random: &dyn Random) -> Result<Secret> {
    let mut head = [0; 16];
    random.fill(&mut head)?;
    Ok(Secret::new(format!("{:032x}-{}", u128::from_be_bytes(head), random_uuid(random)?)))
}

/// The text of a random UUID.
pub(super) fn random_uuid(random: &dyn Random) -> Result<String> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes)?;
    Ok(uuid(bytes))
}

/// The text of the UUID of these random bytes (RFC 9562 section 5.4).
fn uuid(random: [u8; 16]) -> String {
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

/// What the platform itself does in an account.
pub(super) fn by_system(registry: &Registry, account: &TenantId) -> Commands {
    registry.by(&Actor::new(account.clone(), "system", Role::Owner))
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
        let text = key.expose_text().unwrap();
        let (head, tail) = text.split_once('-').unwrap();
        assert_eq!((head.len(), tail.len()), (32, 36));
    }
}
