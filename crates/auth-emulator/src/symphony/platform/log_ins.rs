//! The log-ins: of bots at the pod and at the key manager, of apps, and on behalf of users.

use super::{Account, Installation, Role};
use auth_core::{Caller, Clock, Error, Flow, Lookup, MemoryReplayStore, Random, Result, Secret};
use auth_jwt::{JwtKeys, KeyId};
use auth_lifecycle::{JwtIssuers, Kind, Known, ServiceId};
use auth_symphony::{LogInEndpoint, TokenIssuer, TokenName};
use std::sync::Arc;

/// One endpoint each.
pub(in crate::symphony) struct LogIns {
    pub(in crate::symphony) bots: LogInEndpoint<Keys, Tokens>,
    pub(in crate::symphony) key_manager: LogInEndpoint<Keys, Tokens>,
    pub(in crate::symphony) apps: LogInEndpoint<Keys, Tokens>,
    /// The first step of the circle of trust: a log-in of an app, for the Symphony token of a pair.
    pub(in crate::symphony) pairs: LogInEndpoint<Keys, PairTokens>,
    installation: Installation,
}

impl LogIns {
    pub(in crate::symphony) fn new(
        installation: &Installation,
        clock: &Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self> {
        let keys = |role| Keys {
            role,
            issuers: installation.registry.jwt_issuers(Kind::BotPublicKey),
            installation: installation.clone(),
        };
        let tokens = |kind, role| Tokens { installation: installation.clone(), kind, role };
        // A store each: what was good once for the one is good once for the other.
        let replays = || MemoryReplayStore::new(Arc::clone(clock));
        let endpoint = |name, kind, role| {
            LogInEndpoint::new(name, keys(role), tokens(kind, role), replays(), Arc::clone(clock))
        };
        Ok(Self {
            bots: endpoint(TokenName::Session, Kind::SymphonySession, Role::Bot)?,
            key_manager: endpoint(TokenName::KeyManager, Kind::KeyManagerToken, Role::Bot)?,
            apps: endpoint(TokenName::Session, Kind::SymphonySession, Role::App)?,
            pairs: LogInEndpoint::new(
                TokenName::Session,
                keys(Role::App),
                PairTokens(random),
                replays(),
                Arc::clone(clock),
            )?,
            installation: installation.clone(),
        })
    }

    /// A session of a user for an app; `None` where the user has not installed it.
    pub(in crate::symphony) async fn on_behalf_of(
        &self,
        app: &Caller,
        user: Option<&Account>,
    ) -> Result<Option<Secret>> {
        let app = self.installation.accounts.of(app);
        let (Some(app), Some(user)) = (app, user) else { return Ok(None) };
        if !user.apps.contains(&app.name) {
            return Ok(None);
        }
        let issued =
            self.installation.issue(Kind::SymphonySession, &user.service, Role::User).await?;
        Ok(Some(issued))
    }
}

/// The keys of the accounts of one role.
pub(in crate::symphony) struct Keys {
    role: Role,
    issuers: JwtIssuers,
    installation: Installation,
}

impl Lookup<KeyId> for Keys {
    type Found = JwtKeys<Known>;

    fn lookup(&self, id: &KeyId) -> Flow<'_, Option<JwtKeys<Known>>> {
        let name = id.issuer.as_deref().unwrap_or_default();
        match self.installation.accounts.named(self.role, name) {
            Some(_) => self.issuers.lookup(id),
            None => Flow::ready(None),
        }
    }
}

/// Issues tokens of one kind.
pub(in crate::symphony) struct Tokens {
    installation: Installation,
    kind: Kind,
    role: Role,
}

impl TokenIssuer for Tokens {
    type Account = Known;

    fn issue(&self, account: Known) -> Flow<'_, Secret> {
        Flow::new(async move {
            let service = account.caller().service.as_deref().ok_or_else(no_service)?;
            self.installation.issue(self.kind, &ServiceId::new(service), self.role).await
        })
    }
}

/// Issues the Symphony tokens of the circle of trust.
pub(in crate::symphony) struct PairTokens(Arc<dyn Random>);

impl TokenIssuer for PairTokens {
    type Account = Known;

    fn issue(&self, _: Known) -> Flow<'_, Secret> {
        let mut bytes = [0; 16];
        let made = self.0.fill(&mut bytes);
        made.map(|()| Secret::new(format!("{:032x}", u128::from_be_bytes(bytes)))).into()
    }
}

fn no_service() -> Error {
    Error::config("symphony_account", "the account that logs in is no service of the registry")
}
