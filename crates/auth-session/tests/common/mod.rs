//! An issuer of tokens that does as it is told, and a session over it.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use auth_core::{
    Answer, Authenticator, Clock, Context, Credentials, Error, Event, Flow, Lifespan, Need,
    Observer, PresentableToken, Refusal, Renewal, RequestView, Result, Token, TokenSource, Verdict,
};
use auth_session::Session;
use auth_testing::{Gate, ManualClock, ScriptedTransport, SeededRandom};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

/// A token that is a number.
#[derive(Clone, Debug)]
pub struct Badge {
    pub number: u32,
    pub lifespan: Lifespan,
}

impl Token for Badge {
    fn lifespan(&self) -> Lifespan {
        self.lifespan
    }
}

impl PresentableToken for Badge {
    fn credentials(&self) -> Result<Credentials> {
        Credentials::header(HeaderName::from_static("badge"), HeaderValue::from(self.number))
    }

    fn refusal(answer: Answer<'_>) -> Option<Refusal> {
        (answer.status == StatusCode::UNAUTHORIZED).then(|| Refusal::new(answer.status))
    }

    fn reads(status: StatusCode, _: &HeaderMap) -> Need {
        match status {
            StatusCode::FORBIDDEN => Need::Bytes { limit: 77 },
            _ => Need::Nothing,
        }
    }
}

/// What the issuer does next.
#[derive(Clone, Debug)]
pub enum Does {
    Gives(Lifespan),
    GivesFor(u64),
    Fails(Error),
}

/// Gives badges 1, 2, 3 and so on; for an hour, unless it was told otherwise.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

struct Inner {
    clock: ManualClock,
    gate: Gate,
    script: Mutex<VecDeque<Does>>,
    asked: Mutex<Vec<String>>,
    given: Mutex<u32>,
}

impl Issuer {
    pub fn new(clock: &ManualClock) -> Self {
        Self(Arc::new(Inner {
            clock: clock.clone(),
            gate: Gate::opened(),
            script: Mutex::default(),
            asked: Mutex::default(),
            given: Mutex::default(),
        }))
    }

    pub fn then(&self, does: Does) -> &Self {
        self.0.script.lock().unwrap().push_back(does);
        self
    }

    /// Forgets what it was told: from now on it gives for an hour.
    pub fn recovers(&self) {
        self.0.script.lock().unwrap().clear();
    }

    pub fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// Why it was asked, each time: `first`, `due 1`, `refused 2`.
    pub fn asked(&self) -> Vec<String> {
        self.0.asked.lock().unwrap().clone()
    }

    pub fn times(&self) -> usize {
        self.0.asked.lock().unwrap().len()
    }
}

impl TokenSource for Issuer {
    type Token = Badge;

    fn token<'a>(&'a self, _: &'a Context, why: Renewal<Badge>) -> Flow<'a, Badge> {
        self.0.asked.lock().unwrap().push(match why {
            Renewal::First => String::from("first"),
            Renewal::Due(old) => format!("due {}", old.number),
            Renewal::Refused(old, _) => format!("refused {}", old.number),
        });
        let inner = Arc::clone(&self.0);
        self.0.gate.pass().and_then(move |()| {
            let does = inner.script.lock().unwrap().pop_front();
            let lifespan = match does.unwrap_or(Does::GivesFor(3600)) {
                Does::Gives(lifespan) => lifespan,
                Does::GivesFor(seconds) => {
                    Lifespan::Until(inner.clock.now().after(Duration::from_secs(seconds)))
                }
                Does::Fails(error) => return Flow::failed(error),
            };
            let mut given = inner.given.lock().unwrap();
            *given += 1;
            Flow::ready(Badge { number: *given, lifespan })
        })
    }
}

pub struct Stage {
    pub clock: ManualClock,
    pub transport: ScriptedTransport,
    pub issuer: Issuer,
    pub session: Session<Issuer>,
    pub told: Told,
}

/// What an observer was told, a line each.
#[derive(Clone, Default)]
pub struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Told {
    fn observe(&self, event: Event<'_>) {
        self.0.lock().unwrap().push(match event {
            Event::Renewed { session } => format!("{session}: renewed"),
            Event::RenewalFailed { session, error } => format!("{session}: {}", error.code()),
            Event::Condemned { session, refusal } => {
                let code = refusal.code.as_deref().unwrap_or("no code");
                format!("{session}: condemned {} {code}", refusal.status.as_u16())
            }
            other => format!("{other:?}"),
        });
    }
}

/// With a background for what is detached, or without one.
pub enum Background {
    Some,
    None,
}

pub fn stage(background: Background) -> Stage {
    seeded(background, 7)
}

pub fn seeded(background: Background, seed: u64) -> Stage {
    let clock = ManualClock::at(1_000_000);
    let mut transport = ScriptedTransport::new(|_| Err(down()));
    if matches!(background, Background::Some) {
        transport = transport.with_background();
    }
    let told = Told::default();
    let context = Context::new(transport.clone())
        .with_clock(clock.clone())
        .with_random(SeededRandom::new(seed))
        .with_observer(told.clone());
    let issuer = Issuer::new(&clock);
    Stage { session: Session::new(issuer.clone(), context), clock, transport, issuer, told }
}

impl Stage {
    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The badge that a request is sent with, or the code of the error.
    pub fn sends(&self) -> std::result::Result<u32, &'static str> {
        badge(&self.session)
    }
}

pub fn down() -> Error {
    Error::transport("down", "nobody answers")
}

pub fn made(session: &Session<Issuer>) -> Result<Credentials> {
    let (uri, headers) = (Uri::from_static("https://a.example/"), HeaderMap::new());
    session.credentials(RequestView::new(&Method::GET, &uri, &headers)).wait()
}

pub fn number(made: &Credentials) -> u32 {
    let (mut uri, mut headers) = (Uri::from_static("https://a.example/"), HeaderMap::new());
    made.commit(&mut uri, &mut headers).unwrap();
    headers.get("badge").unwrap().to_str().unwrap().parse().unwrap()
}

pub fn badge(session: &Session<Issuer>) -> std::result::Result<u32, &'static str> {
    made(session).map(|made| number(&made)).map_err(|error| error.code())
}

/// The answer to what was sent; true when it is worth another try.
pub fn answered(session: &Session<Issuer>, sent: &Credentials, status: u16) -> bool {
    answered_by(session, "https://a.example/", sent, status)
}

/// The same, from this receiver.
pub fn answered_by(
    session: &Session<Issuer>,
    receiver: &'static str,
    sent: &Credentials,
    status: u16,
) -> bool {
    let (uri, headers) = (Uri::from_static(receiver), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &headers);
    let answer = Answer::new(view, StatusCode::from_u16(status).unwrap(), &headers);
    matches!(session.assess(sent, answer), Verdict::Retry { .. })
}
