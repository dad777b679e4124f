//! Setting an emulator up.

use super::{Infobip, RunningInfobip, app::App};
use crate::{Endpoint, running::Ports};
use auth_core::{Clock, Error, Random, Result, Secret, SystemClock, SystemRandom, TenantId};
use auth_ibsso::SessionLifetime;
use auth_infobip::{EVERY_SCOPE, InfobipPlatform};
use auth_lifecycle::{MemoryLifecycleStore, Registry, RegistryKeys};
use std::{collections::HashSet, fmt, sync::Arc};

/// Sets an [`Infobip`] up.
///
/// ```
/// # async fn test() -> Result<(), Box<dyn std::error::Error>> {
/// use auth_emulator::{Infobip, Secret};
/// let infobip = Infobip::builder().with_user("acme", Secret::new("pa55:word")).start().await?;
/// println!("{}", infobip.base_url()); // http://127.0.0.1:..
/// infobip.stop().await;
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(test()).unwrap();
/// ```
#[must_use]
pub struct InfobipBuilder {
    users: Vec<User>,
    session: SessionLifetime,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    key_in_query: Option<Box<str>>,
    ports: Ports,
}

/// The identifier of the account, in the form of the vendor's.
const ACCOUNT: &str = "EA0792F86035A9F4290821F1EE6BC06A";

struct User {
    name: Box<str>,
    password: Secret,
    scopes: Vec<Box<str>>,
}

impl InfobipBuilder {
    pub(super) fn new() -> Self {
        Self {
            users: Vec::new(),
            session: SessionLifetime::default(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom::new()),
            key_in_query: None,
            ports: Ports::default(),
        }
    }

    /// With a user whose role allows everything. The password may hold `:`, the user name may not.
    pub fn with_user(self, name: &str, password: Secret) -> Self {
        self.with_limited_user(name, password, [EVERY_SCOPE])
    }

    /// With a user whose role has these scopes and no others, such as `sms:message:send`.
    pub fn with_limited_user<S: Into<Box<str>>>(
        mut self,
        name: &str,
        password: Secret,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        let scopes = scopes.into_iter().map(Into::into).collect();
        self.users.push(User { name: name.into(), password, scopes });
        self
    }

    /// With sessions that live so long; 60 minutes from their creation unless set.
    ///
    /// The vendor's own pages contradict each other: "60 minutes" in one place, "60 minutes of inactivity" in another. A
    /// session that slides ends up to a minute later than it says, since uses are noted to the minute.
    pub fn with_session_lifetime(self, session: SessionLifetime) -> Self {
        Self { session, ..self }
    }

    /// Takes an API key in this parameter of the query string too. The vendor says that one may stand there, and does not
    /// name the parameter.
    pub fn allowing_key_in_query(self, parameter: &str) -> Self {
        Self { key_in_query: Some(parameter.into()), ..self }
    }

    /// With another clock than the system's, which a test can move.
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// With other randomness than the system's: keys, tokens and identifiers are the same in each run then.
    pub fn with_random(self, random: impl Random + 'static) -> Self {
        Self { random: Arc::new(random), ..self }
    }

    /// On this port of 127.0.0.1; on any that is free unless set.
    pub fn with_port(self, port: u16) -> Self {
        Self { ports: Ports { platform: port, ..self.ports }, ..self }
    }

    /// With the API of faults on this port of 127.0.0.1; on any that is free unless set.
    pub fn with_faults_port(self, port: u16) -> Self {
        Self { ports: Ports { faults: port, ..self.ports }, ..self }
    }

    /// The emulator, which does not listen: for calls of its router. It is built on a tokio runtime, whose threads hash
    /// passwords.
    ///
    /// # Errors
    ///
    /// `Error::Config` when two users have one name, a name holds `:`, or a password is not UTF-8; those of the randomness.
    pub async fn build(self) -> Result<Infobip> {
        let Self { users, session, clock, random, .. } = self;
        let mut master = [0; 32];
        random.fill(&mut master)?;
        let keys = RegistryKeys::from_master(&Secret::new(master))?;
        let registry = Registry::build(MemoryLifecycleStore::new(), keys)
            .with_environment("emulated")
            .with_clock(Arc::clone(&clock))
            .with_random(Arc::clone(&random));
        let platform = InfobipPlatform::new(registry, session)?
            .with_clock(Arc::clone(&clock))
            .with_random(Arc::clone(&random));
        let platform = match self.key_in_query {
            Some(parameter) => platform.allowing_key_in_query(&parameter)?,
            None => platform,
        };
        let account = TenantId::new(ACCOUNT);
        let key = platform.create_account(&account).await?;
        let mut names = HashSet::new();
        for User { name, password, scopes } in &users {
            let wrong = |what| {
                let text = format!("user name {name:?} {what}");
                Err(Error::config("emulator_user", text))
            };
            if name.contains(':') {
                return wrong("holds ':', which no user name of Basic may");
            }
            if !names.insert(name) {
                return wrong("is given twice, expected once");
            }
            let scopes: Vec<&str> = scopes.iter().map(|scope| &**scope).collect();
            platform.create_user(&account, name, password, &scopes).await?;
        }
        Ok(Infobip { app: App::new(platform, account, clock, random)?, key: Arc::new(key) })
    }

    /// The emulator, listening on two ports of 127.0.0.1: the platform, and its faults.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build), and `Error::Config` with the code `emulator_port` when a port is not free.
    pub async fn start(self) -> Result<RunningInfobip> {
        let ports = self.ports;
        let infobip = self.build().await?;
        let switches = infobip.app.shared.switches(&Endpoint::INFOBIP);
        let router = infobip.router();
        RunningInfobip::begin(infobip, router, switches, ports).await
    }
}

impl fmt::Debug for InfobipBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InfobipBuilder")
            .field("users", &self.users.len())
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}
