//! Setting an emulator up.

use super::{
    RunningWebex, Webex,
    account::{Account, AppKey, NewAccount},
    app::{App, EventsOfOthers},
    transactions::Transactions,
};
use crate::{Endpoint, running::Ports, shared::Shared};
use auth_core::{Clock, Error, Random, Result, SystemClock, SystemRandom};
use auth_net::AddressList;
use auth_webex::{WebexDoors, WebexFamily};
use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

/// Sets a [`Webex`] up.
///
/// ```
/// # async fn test() -> Result<(), Box<dyn std::error::Error>> {
/// use auth_emulator::Webex;
/// let webex = Webex::builder().with_service("alerts").with_event("alerts", "4451").start().await?;
/// let service = webex.service("alerts").unwrap();
/// println!("{} {}", webex.base_url(), service.id); // http://127.0.0.1:.. and the Service ID
/// webex.stop().await;
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(test()).unwrap();
/// ```
#[must_use]
pub struct WebexBuilder {
    account: NewAccount,
    events: Vec<Owned>,
    webhooks: Vec<Owned>,
    open_webhooks: HashSet<Box<str>>,
    addresses: HashMap<WebexFamily, AddressList>,
    most_transactions: Option<u32>,
    events_of_others: EventsOfOthers,
    switches: Vec<fn(WebexDoors) -> WebexDoors>,
    ports: Ports,
}

/// What is of a service.
struct Owned {
    service: Box<str>,
    id: Box<str>,
}

impl WebexBuilder {
    pub(super) fn new() -> Self {
        Self {
            account: NewAccount {
                services: Vec::new(),
                apps: Vec::new(),
                app_keys: Vec::new(),
                clock: Arc::new(SystemClock),
                random: Arc::new(SystemRandom::new()),
            },
            events: Vec::new(),
            webhooks: Vec::new(),
            open_webhooks: HashSet::new(),
            addresses: HashMap::new(),
            most_transactions: None,
            events_of_others: EventsOfOthers::Refused,
            switches: Vec::new(),
            ports: Ports::default(),
        }
    }

    /// With a service, which has a service key and a JWT secret of its own: see [`service`](Webex::service).
    pub fn with_service(mut self, name: &str) -> Self {
        self.account.services.push(name.into());
        self
    }

    /// With an app, whose JWTs a secret signs: see [`app`](Webex::app).
    pub fn with_app(mut self, name: &str) -> Self {
        self.account.apps.push(name.into());
        self
    }

    /// With a public key of an app (PEM), which signs JWTs under RS256 and names the key by this `kid`.
    pub fn with_app_key(mut self, app: &str, kid: &str, public_key: &str) -> Self {
        let (app, kid, pem) = (app.into(), kid.into(), public_key.into());
        self.account.app_keys.push(AppKey { app, kid, pem });
        self
    }

    /// With a custom event of this service, by its `evtid`.
    pub fn with_event(mut self, service: &str, id: &str) -> Self {
        self.events.push(Owned { service: service.into(), id: id.into() });
        self
    }

    /// With an inbound webhook of this service, `POST /events/{id}`, which wants its credentials.
    pub fn with_inbound_webhook(mut self, service: &str, id: &str) -> Self {
        self.webhooks.push(Owned { service: service.into(), id: id.into() });
        self
    }

    /// With an inbound webhook that anybody calls, as the platform lets its users choose.
    pub fn with_open_inbound_webhook(mut self, service: &str, id: &str) -> Self {
        self.open_webhooks.insert(id.into());
        self.with_inbound_webhook(service, id)
    }

    /// With an allow list for one family of APIs: from any other address the answer has code 7010.
    pub fn with_allowed_addresses(mut self, family: WebexFamily, list: AddressList) -> Self {
        self.addresses.insert(family, list);
        self
    }

    /// With at most so many transactions of each service in a minute: beyond them the answer has code 7020.
    pub fn with_most_transactions(self, most: u32) -> Self {
        Self { most_transactions: Some(most), ..self }
    }

    /// Answers an event or a webhook of another service as the vendor documents it: it is accepted and triggers nothing.
    /// Unless this is set it is refused with code 7001, so that a test finds the mistake.
    pub fn accepting_events_of_other_services(self) -> Self {
        Self { events_of_others: EventsOfOthers::AcceptedAndNotTriggered, ..self }
    }

    /// Takes a service key in `iss` too: [`WebexDoors::allowing_service_key_as_issuer`].
    pub fn allowing_service_key_as_issuer(mut self) -> Self {
        self.switches.push(WebexDoors::allowing_service_key_as_issuer);
        self
    }

    /// Takes a JWT in the field `key` too: [`WebexDoors::allowing_jwt_in_key_field`].
    pub fn allowing_jwt_in_key_field(mut self) -> Self {
        self.switches.push(WebexDoors::allowing_jwt_in_key_field);
        self
    }

    /// With another clock than the system's, which a test can move.
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.account.clock = Arc::new(clock);
        self
    }

    /// With other randomness than the system's: credentials and identifiers are the same in each run then.
    pub fn with_random(mut self, random: impl Random + 'static) -> Self {
        self.account.random = Arc::new(random);
        self
    }

    /// On this port of 127.0.0.1; on any that is free unless set.
    pub fn with_port(self, port: u16) -> Self {
        Self { ports: Ports { platform: port, ..self.ports }, ..self }
    }

    /// With the API of faults on this port of 127.0.0.1; on any that is free unless set.
    pub fn with_faults_port(self, port: u16) -> Self {
        Self { ports: Ports { faults: port, ..self.ports }, ..self }
    }

    /// The emulator, which does not listen: for calls of its router.
    ///
    /// # Errors
    ///
    /// `Error::Config` when an event, a webhook or a key is of a service or an app that is not there, an id is given twice,
    /// or a public key is not RSA in PEM; those of the randomness.
    pub async fn build(self) -> Result<Webex> {
        let Self { account, events, webhooks, open_webhooks, addresses, .. } = self;
        let (clock, random) = (Arc::clone(&account.clock), Arc::clone(&account.random));
        let account = Account::open(account).await?;
        let doors = WebexDoors::new(account.registry.clone()).with_clock(Arc::clone(&clock));
        let doors = self.switches.into_iter().fold(doors, |doors, switch| switch(doors));
        Ok(Webex(Arc::new(App {
            events: owners(&account, "event", events)?,
            webhooks: owners(&account, "inbound webhook", webhooks)?,
            account,
            doors,
            addresses,
            transactions: Transactions::at_most(self.most_transactions),
            open_webhooks,
            events_of_others: self.events_of_others,
            shared: Shared::new(clock, random),
        })))
    }

    /// The emulator, listening on two ports of 127.0.0.1: the platform, and its faults.
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build), and `Error::Config` with the code `emulator_port` when a port is not free.
    pub async fn start(self) -> Result<RunningWebex> {
        let ports = self.ports;
        let webex = self.build().await?;
        let (router, switches) = (webex.router(), webex.0.shared.switches(&Endpoint::WEBEX));
        RunningWebex::begin(webex, router, switches, ports).await
    }
}

/// The Service IDs of the owners.
fn owners(account: &Account, what: &str, all: Vec<Owned>) -> Result<HashMap<Box<str>, Box<str>>> {
    let mut owners = HashMap::new();
    for Owned { service, id } in all {
        let Some(of) = account.service(&service) else {
            let text = format!("{what} {id:?} is of service {service:?}, which is not there");
            return Err(Error::config("emulator_webex_service", text));
        };
        if owners.insert(id.clone(), of.id.clone()).is_some() {
            let text = format!("{what} {id:?} is given twice, expected once");
            return Err(Error::config("emulator_webex_id", text));
        }
    }
    Ok(owners)
}

impl fmt::Debug for WebexBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebexBuilder")
            .field("services", &self.account.services)
            .field("apps", &self.account.apps)
            .finish_non_exhaustive()
    }
}
