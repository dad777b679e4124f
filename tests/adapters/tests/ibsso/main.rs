//! Sessions of Infobip over real connections: the client at the emulated platform, which goes wrong on demand.

mod adapters;
mod addresses;
mod fallback;
mod faults;
mod storms;

use auth_core::{Context, Error, Event, Observer, Result};
use auth_emulator::{Counts, Endpoint, Infobip, RunningInfobip, Secret};
use auth_ibsso::{IbssoSession, LogIn};
use auth_reqwest::{AuthClient, ReqwestTransport};
use auth_testing::{ManualClock, SeededRandom};
use http::header::CONTENT_TYPE;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::runtime::Handle;

const NOW: u64 = 1_700_000_000;
const USER: &str = "acme";
const PASSWORD: &str = "pa55:word";
const MESSAGES: &str = "/sms/3/messages";
const MESSAGE: &str = r#"{"messages":[{"destinations":[{"to":"41793026727"}]}]}"#;

/// Exchanges of the session end after so long.
const DEADLINE: Duration = Duration::from_secs(2);

/// The platform under a clock that the test moves, and a client under the same one.
struct Stage {
    infobip: RunningInfobip,
    clock: ManualClock,
    context: Context,
    client: AuthClient,
    told: Told,
}

async fn stage() -> Stage {
    let clock = ManualClock::at(NOW);
    let infobip =
        Infobip::builder().with_user(USER, Secret::new(PASSWORD)).with_clock(clock.clone());
    let infobip = infobip.start().await.unwrap();
    let transport = ReqwestTransport::builder(Handle::current()).allowing_loopback();
    let transport = transport.with_deadline(DEADLINE).build().unwrap();
    let told = Told::default();
    let context = Context::new(transport)
        .with_clock(clock.clone())
        .with_random(SeededRandom::new(1))
        .with_observer(told.clone());
    let client = AuthClient::builder().build().unwrap();
    Stage { infobip, clock, context, client, told }
}

impl Stage {
    fn log_in(&self) -> LogIn {
        LogIn::new(&self.infobip.base_url(), USER, PASSWORD).unwrap()
    }

    fn session(&self) -> IbssoSession {
        IbssoSession::new(self.log_in(), self.context.clone())
    }

    fn messages(&self) -> String {
        format!("{}{MESSAGES}", self.infobip.base_url())
    }

    /// Requests to this endpoint that have come to an end.
    fn asked(&self, endpoint: Endpoint) -> usize {
        let requests = self.infobip.requests();
        requests.iter().filter(|one| one.endpoint == Some(endpoint)).count()
    }

    /// Creations and destructions that were asked for.
    fn exchanges(&self) -> (usize, usize) {
        (self.asked(Endpoint::CreateSession), self.asked(Endpoint::DestroySession))
    }

    fn counts(&self) -> Counts {
        self.infobip.counts()
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn send(&self, session: &IbssoSession) -> Result<u16> {
        send(&self.client, session, &self.messages()).await
    }

    /// The status of the next message, or the code of the error.
    async fn sent(&self, session: &IbssoSession) -> String {
        self.send(session).await.map_or_else(code, |status| status.to_string())
    }
}

async fn send(client: &AuthClient, session: &IbssoSession, url: &str) -> Result<u16> {
    let request = client.http().post(url).header(CONTENT_TYPE, "application/json").body(MESSAGE);
    let answer = client.send(session, request.build().unwrap()).await?;
    let status = answer.status().as_u16();
    // The connection is used again once the answer is read.
    let _ = answer.bytes().await;
    Ok(status)
}

fn code(error: Error) -> String {
    error.code().to_owned()
}

/// What the observer of a session is told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Observer for Told {
    fn observe(&self, event: Event<'_>) {
        let line = match event {
            Event::FellBack { session, error } => format!("{session} fell back: {}", error.code()),
            Event::Renewed { .. } => "renewed".into(),
            Event::RenewalFailed { error, .. } => format!("failed: {}", error.code()),
            Event::Condemned { .. } => "condemned".into(),
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
