//! Setting an emulator up.

use super::{
    RunningSymphony, Symphony,
    app::App,
    partners::NewPartner,
    platform::{Installation, InstallationSettings, LogsInBy, NewAccount, Role},
};
use crate::{Endpoint, listen::Protection, running::Ports};
use auth_core::{Clock, Random, Result, Secret, SystemClock, SystemRandom};
use auth_symphony::TokenLifetime;
use std::{fmt, sync::Arc};

/// Sets a [`Symphony`] up.
///
/// ```
/// # const PUBLIC_KEY: &str = include_str!("../../tests/keys/bot.pub.pem");
/// # async fn test() -> Result<(), Box<dyn std::error::Error>> {
/// use auth_emulator::Symphony;
/// let symphony = Symphony::builder().with_bot("my-bot", PUBLIC_KEY).start().await?;
/// println!("{}", symphony.base_url()); // http://127.0.0.1:..: pod, key manager and agent
/// symphony.stop().await;
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(test()).unwrap();
/// ```
#[must_use]
pub struct SymphonyBuilder {
    accounts: Vec<NewAccount>,
    authorities: Vec<Box<str>>,
    partners: Vec<NewPartner>,
    lifetime: TokenLifetime,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    ports: Ports,
}

/// The ids of bots and apps begin here.
const FIRST_ID: i64 = 349_026_222_344_901;

impl SymphonyBuilder {
    pub(super) fn new() -> Self {
        Self {
            accounts: Vec::new(),
            authorities: Vec::new(),
            partners: Vec::new(),
            lifetime: TokenLifetime::default(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom::new()),
            ports: Ports::default(),
        }
    }

    /// With a bot, which logs in with the private key to this public one (PEM, as `openssl rsa -pubout` writes it).
    pub fn with_bot(self, name: &str, public_key: &str) -> Self {
        self.with_account(name, Role::Bot, LogsInBy::Key(public_key.into()))
    }

    /// With a bot that may also change the keys of bots: `POST /pod/v2/admin/user/{uid}/update`.
    pub fn with_administrator(self, name: &str, public_key: &str) -> Self {
        self.with_account(name, Role::Administrator, LogsInBy::Key(public_key.into()))
    }

    /// With an extension app of this id, which logs in with the private key to this public one.
    pub fn with_app(self, app_id: &str, public_key: &str) -> Self {
        self.with_account(app_id, Role::App, LogsInBy::Key(public_key.into()))
    }

    /// With a bot that logs in by certificate, whose common name is its own: see
    /// [`issue_certificate`](Symphony::issue_certificate) and [`certificate_url`](RunningSymphony::certificate_url).
    pub fn with_certificate_bot(self, name: &str) -> Self {
        self.with_account(name, Role::Bot, LogsInBy::Certificate)
    }

    /// With an extension app that logs in by certificate, whose common name is the app's id.
    pub fn with_certificate_app(self, app_id: &str) -> Self {
        self.with_account(app_id, Role::App, LogsInBy::Certificate)
    }

    /// Takes client certificates of these authorities (one or more certificates in PEM) as well as of the emulator's own, as
    /// an administrator of a pod uploads them.
    pub fn with_client_authorities(mut self, pem: &str) -> Self {
        self.authorities.push(pem.into());
        self
    }

    /// With a user of this id and name, who has installed these apps.
    pub fn with_user<'a>(
        mut self,
        id: i64,
        name: &str,
        apps: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let apps = apps.into_iter().map(Into::into).collect();
        let (name, role, by) = (name.into(), Role::User, LogsInBy::Nothing);
        self.accounts.push(NewAccount { id, name, role, apps, by });
        self
    }

    /// With a partner, whose program obtains tokens for this audience with this client id and secret.
    pub fn with_partner(mut self, client_id: &str, secret: Secret, audience: &str) -> Self {
        let (client_id, audience) = (client_id.into(), audience.into());
        self.partners.push(NewPartner { client_id, secret, audience });
        self
    }

    fn with_account(mut self, name: &str, role: Role, by: LogsInBy) -> Self {
        let before = i64::try_from(self.accounts.len()).unwrap_or_default();
        let (name, apps) = (name.into(), Vec::new());
        self.accounts.push(NewAccount { id: FIRST_ID + before, name, role, apps, by });
        self
    }

    /// With session tokens and key manager tokens that live so long; two weeks unless set.
    pub fn with_token_lifetime(self, lifetime: TokenLifetime) -> Self {
        Self { lifetime, ..self }
    }

    /// With another clock than the system's, which a test can move.
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// With other randomness than the system's: tokens and identifiers are the same in each run then.
    pub fn with_random(self, random: impl Random + 'static) -> Self {
        Self { random: Arc::new(random), ..self }
    }

    /// On this port of 127.0.0.1; on any that is free unless set.
    pub fn with_port(self, port: u16) -> Self {
        Self { ports: Ports { platform: port, ..self.ports }, ..self }
    }

    /// With log-ins by certificate on this port of 127.0.0.1; on any that is free unless set.
    pub fn with_certificate_port(self, port: u16) -> Self {
        Self { ports: Ports { certificates: port, ..self.ports }, ..self }
    }

    /// With the API of faults on this port of 127.0.0.1; on any that is free unless set.
    pub fn with_faults_port(self, port: u16) -> Self {
        Self { ports: Ports { faults: port, ..self.ports }, ..self }
    }

    /// The emulator, which does not listen: for calls of its router.
    ///
    /// # Errors
    ///
    /// `Error::Config` when two accounts have one name or one id, a name is empty or has a colon, an app that a user has
    /// installed is none, or a public key is not RSA in PEM; those of the randomness.
    pub async fn build(self) -> Result<Symphony> {
        let Self { accounts, partners, lifetime, clock, random, .. } = self;
        let settings = InstallationSettings {
            clock: Arc::clone(&clock),
            random: Arc::clone(&random),
            lifetime,
        };
        let installation = Installation::open(settings, accounts).await?;
        Ok(Symphony(App::new(installation, partners, clock, random)?))
    }

    /// The emulator, listening on three ports of 127.0.0.1: the platform, the platform over https with client certificates,
    /// and its faults.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build); `Error::Config` with the code `emulator_port` when a port is not free, and with
    /// `emulator_authority` when authorities of clients cannot be read.
    pub async fn start(self) -> Result<RunningSymphony> {
        let (ports, clock, authorities) =
            (self.ports, Arc::clone(&self.clock), self.authorities.clone());
        let symphony = self.build().await?;
        let switches = symphony.0.shared.switches(&Endpoint::SYMPHONY);
        let protection = Protection::Tls(symphony.0.authority.server(&authorities, clock)?);
        let router = symphony.router();
        let running = RunningSymphony::begin(symphony, router.clone(), switches, ports).await?;
        running.with_certificates(ports.certificates, router, protection).await
    }
}

impl fmt::Debug for SymphonyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SymphonyBuilder")
            .field("accounts", &self.accounts.len())
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}
