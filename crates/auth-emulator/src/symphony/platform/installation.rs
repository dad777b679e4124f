//! The registry of an installation: public keys, session tokens and key manager tokens.

use super::{
    Account, Accounts, LogsInBy, NewAccount, Role, accounts,
    keys::{SavedKeys, public_key, wrong_key},
};
use auth_core::{Clock, Error, Random, Result, Secret, TenantId};
use auth_lifecycle::{
    Actor, CommandRefusal, Commands, CredentialView, GroupPolicy, Kind, MemoryLifecycleStore,
    Registry, RegistryKeys, Role as RegistryRole, ServiceId, State, Wanted,
};
use auth_symphony::TokenLifetime;
use std::sync::Arc;

/// What an installation is made with.
pub(in crate::symphony) struct InstallationSettings {
    pub(in crate::symphony) clock: Arc<dyn Clock>,
    pub(in crate::symphony) random: Arc<dyn Random>,
    pub(in crate::symphony) lifetime: TokenLifetime,
}

/// A registry and its accounts. A clone is the same installation.
#[derive(Clone, Debug)]
pub(in crate::symphony) struct Installation {
    pub(in crate::symphony) registry: Registry,
    pub(in crate::symphony) accounts: Accounts,
    pub(super) tenant: TenantId,
    pub(super) saved: SavedKeys,
}

impl Installation {
    /// An installation in memory with these accounts.
    pub(in crate::symphony) async fn open(
        settings: InstallationSettings,
        accounts: Vec<NewAccount>,
    ) -> Result<Self> {
        accounts::check(&accounts)?;
        let InstallationSettings { clock, random, lifetime } = settings;
        let mut master = [0; 32];
        random.fill(&mut master)?;
        let keys = RegistryKeys::from_master(&Secret::new(master))?;
        let sessions = GroupPolicy {
            max_total: GroupPolicy::MOST,
            ..GroupPolicy::symphony_sessions(lifetime.span())?
        };
        let registry = Registry::build(MemoryLifecycleStore::new(), keys)
            .with_policy(Kind::SymphonySession, sessions.clone())
            .with_policy(Kind::KeyManagerToken, sessions)
            .with_environment("emulated")
            .with_clock(clock)
            .with_random(random)
            .finish()?;
        let tenant = TenantId::new("pod");
        let by = registry.by(&owner(&tenant));
        let (mut all, saved) = (Vec::new(), SavedKeys::default());
        for NewAccount { id, name, role, apps, by: log_in } in accounts {
            let (service, _) = by.create_service_with(&name, &[]).await?.map_err(refused)?;
            let service = service.id;
            if let LogsInBy::Key(key) = &log_in {
                let made = by.create(Some(&service), Kind::BotPublicKey, public_key(&name, key));
                let made = made.await?.map_err(|refusal| wrong_key(&name, refusal))?;
                saved.note(&made.credential.id, key);
            }
            let has_certificate = matches!(log_in, LogsInBy::Certificate);
            all.push(Account { id, name, role, apps, has_certificate, service });
        }
        Ok(Self { registry, accounts: Accounts::new(all), tenant, saved })
    }

    /// Issues a token of this kind to an account.
    pub(in crate::symphony) async fn issue(
        &self,
        kind: Kind,
        service: &ServiceId,
        role: Role,
    ) -> Result<Secret> {
        let by = self.by();
        loop {
            let scopes = [role.scope()].into_iter().collect();
            let wanted = Wanted { scopes, ..Wanted::default() };
            match by.create(Some(service), kind, wanted).await? {
                Ok(issued) => return issued.secret.ok_or_else(no_secret),
                // A pod has no such bound: the oldest one makes room.
                Err(CommandRefusal::CapReached { .. }) => {
                    let all = self.alive(&by, service, &[kind]).await?;
                    let oldest = all.first().ok_or_else(no_secret)?;
                    let _ = by.destroy(&oldest.id).await?;
                }
                Err(refusal) => return Err(refused(refusal)),
            }
        }
    }

    /// Ends every token of these kinds.
    pub(in crate::symphony) async fn end_all(&self, kinds: &[Kind]) -> Result<()> {
        for account in self.accounts.iter() {
            self.end(&account.service, kinds).await?;
        }
        Ok(())
    }

    /// Ends every token of these kinds that an account has.
    pub(super) async fn end(&self, service: &ServiceId, kinds: &[Kind]) -> Result<()> {
        let by = self.by();
        for token in self.alive(&by, service, kinds).await? {
            // One that has ended meanwhile is as it should be.
            let _ = by.destroy(&token.id).await?;
        }
        Ok(())
    }

    /// The credentials of an account that nobody has ended, the oldest first.
    pub(super) async fn alive(
        &self,
        by: &Commands,
        service: &ServiceId,
        kinds: &[Kind],
    ) -> Result<Vec<CredentialView>> {
        let groups = by.list(Some(service)).await?.map_err(refused)?;
        let wanted = groups.into_iter().filter(|group| kinds.contains(&group.id.kind));
        let alive = wanted.flat_map(|group| group.credentials);
        Ok(alive.filter(|it| it.state == State::Active).collect())
    }

    pub(super) fn by(&self) -> Commands {
        self.registry.by(&owner(&self.tenant))
    }
}

fn owner(tenant: &TenantId) -> Actor {
    Actor::new(tenant.clone(), "system", RegistryRole::Owner).allowing_break_glass()
}

fn no_secret() -> Error {
    Error::config("symphony_issue", "registry made no token")
}

pub(super) fn refused(refusal: CommandRefusal) -> Error {
    Error::config("symphony_refused", refusal)
}
