//! The log-ins: of bots at the pod and at the key manager, of apps, and on behalf of users.

use super::{Account, Installation, Role};
use auth_core::{Caller, Clock, Error, Flow, Lookup, MemoryReplayStore, Random, Result, Secret};
use auth_jwt::{JwtKeys, KeyId};
use auth_lifecycle::{JwtIssuers, Kind, Known};
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
        let keys = |roles| Keys {
            roles,
            issuers: installation.registry.jwt_issuers(Kind::BotPublicKey),
            installation: installation.clone(),
        };
        let tokens = |kind| Tokens { installation: installation.clone(), kind };
        // A store each: what was good once for the one is good once for the other.
        let replays = || MemoryReplayStore::new(Arc::clone(clock));
        let endpoint = |name, kind, roles| {
            LogInEndpoint::new(name, keys(roles), tokens(kind), replays(), Arc::clone(clock))
        };
        Ok(Self {
            bots: endpoint(TokenName::Session, Kind::SymphonySession, BOTS)?,
            key_manager: endpoint(TokenName::KeyManager, Kind::KeyManagerToken, BOTS)?,
            apps: endpoint(TokenName::Session, Kind::SymphonySession, APPS)?,
            pairs: LogInEndpoint::new(
                TokenName::Session,
                keys(APPS),
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

const BOTS: &[Role] = &[Role::Bot, Role::Administrator];
const APPS: &[Role] = &[Role::App];

/// The keys of the accounts of these roles.
pub(in crate::symphony) struct Keys {
    roles: &'static [Role],
    issuers: JwtIssuers,
    installation: Installation,
}

impl Lookup<KeyId> for Keys {
    type Found = JwtKeys<Known>;

    fn lookup(&self, id: &KeyId) -> Flow<'_, Option<JwtKeys<Known>>> {
        let name = id.issuer.as_deref().unwrap_or_default();
        let accounts = &self.installation.accounts;
        match self.roles.iter().any(|role| accounts.named(*role, name).is_some()) {
            true => self.issuers.lookup(id),
            false => Flow::ready(None),
        }
    }
}

/// Issues tokens of one kind.
pub(in crate::symphony) struct Tokens {
    installation: Installation,
    kind: Kind,
}

impl TokenIssuer for Tokens {
    type Account = Known;

    fn issue(&self, account: Known) -> Flow<'_, Secret> {
        Flow::new(async move {
            let account = self.installation.accounts.of(account.caller()).ok_or_else(no_service)?;
            self.installation.issue(self.kind, &account.service, account.role).await
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
