//! A redeemed authorization code: the token comes from elsewhere and is put into a session and its store.

use super::{World, answer, give_up, request, status};
use auth_core::{
    Context, Credentials, Error, Flow, Lifespan, PresentableToken, Refusal, Renewal, Result,
    Secret, Token, TokenSource, bearer_token_refusal, send,
};
use auth_session::{MemoryTokenStore, Session, StorableToken, Stored};
use auth_testing::ManualClock;
use http::{HeaderValue, Request, StatusCode, header::AUTHORIZATION};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

#[derive(Clone, Debug)]
struct Access(String);

impl Token for Access {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Unknown
    }
}

impl PresentableToken for Access {
    fn credentials(&self) -> Result<Credentials> {
        let value = HeaderValue::from_str(&format!("Bearer {}", self.0)).unwrap();
        Credentials::header(AUTHORIZATION, value)
    }

    fn refusal(answer: auth_core::Answer<'_>) -> Option<Refusal> {
        bearer_token_refusal(answer)
    }
}

impl StorableToken for Access {
    fn to_rest(&self) -> Secret {
        Secret::from(self.0.as_str())
    }

    fn from_rest(bytes: &[u8]) -> Result<Self> {
        Ok(Self(String::from_utf8(bytes.to_vec()).unwrap()))
    }
}

/// Refreshes what there is; without anything only a person can help.
struct Refresh;

impl TokenSource for Refresh {
    type Token = Access;

    fn token<'a>(&'a self, context: &'a Context, why: Renewal<Access>) -> Flow<'a, Access> {
        let old = match why {
            Renewal::First => {
                return Flow::new(async {
                    context.transport.fetch(request("https://i.example/first")).await?;
                    Err(Error::refused("consent", "a person has to consent"))
                });
            }
            Renewal::Due(old) | Renewal::Refused(old, _) => old,
        };
        Flow::new(async move {
            let body = Request::post("https://i.example/token").body(old.0.into_bytes()).unwrap();
            let made = context.transport.fetch(body.into()).await?;
            Ok(Access(String::from_utf8(made.into_body()).unwrap()))
        })
    }
}

/// An API that takes every token but the one called `old`, which its issuer renews to `new`; a first token is asked for
/// until the gate opens, and in vain.
fn world(first: &Arc<Gate>) -> World {
    let first = Arc::clone(first);
    World::new(move |request| match (request.uri().host(), request.uri().path()) {
        (Some("i.example"), "/first") => {
            first.asked.store(true, Ordering::SeqCst);
            first.until(&first.open);
            status(200)
        }
        (Some("i.example"), _) => answer(200, "new"),
        _ => status(if request.headers()[AUTHORIZATION] == "Bearer old" { 401 } else { 200 }),
    })
}

#[derive(Default)]
struct Gate {
    asked: AtomicBool,
    open: AtomicBool,
}

impl Gate {
    fn until(&self, said: &AtomicBool) {
        let begun = Instant::now();
        while !said.load(Ordering::SeqCst) {
            assert!(begun.elapsed() < Duration::from_secs(30), "nobody came");
            thread::yield_now();
        }
    }
}

#[test]
fn what_was_redeemed_serves_everybody_who_waited() {
    let gate = Arc::default();
    let session = Session::new(Refresh, world(&gate).context(&ManualClock::at(1_000_000)));
    let waited = thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| session.token().wait().map(|held| held.token.0.clone())))
            .collect();
        gate.until(&gate.asked);
        give_up(session.token(), 1);
        session.put(Access("redeemed".into())).unwrap();
        gate.open.store(true, Ordering::SeqCst);
        callers.into_iter().map(|caller| caller.join().unwrap().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(waited, ["redeemed"; 4], "a renewal that began before was taken");
}

#[test]
fn what_was_redeemed_outlives_the_process() {
    let (world, clock) = (world(&Arc::default()), ManualClock::at(1_000_000));
    let store = Arc::new(MemoryTokenStore::new(clock.clone()));
    let process =
        || Session::new(Stored::new(Refresh, Arc::clone(&store), "acme"), world.context(&clock));
    let session = process();
    let redeemed = session.source().put(session.context(), Access("redeemed".into())).wait();
    session.put(redeemed.unwrap()).unwrap();
    for session in [session, process()] {
        assert_eq!(session.token().wait().unwrap().token.token().0, "redeemed");
    }
}

#[test]
fn a_redeemed_token_that_is_refused_is_renewed_like_any_other() {
    let (world, clock) = (world(&Arc::default()), ManualClock::at(1_000_000));
    let session = Session::new(Refresh, world.context(&clock));
    session.put(Access("old".into())).unwrap();
    let sent = thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| send(&world, &session, request("https://a.example/")).wait()))
            .collect();
        callers
            .into_iter()
            .map(|caller| caller.join().unwrap().unwrap().status())
            .collect::<Vec<_>>()
    });
    assert_eq!(sent, [StatusCode::OK; 4]);
    assert_eq!(session.token().wait().unwrap().token.0, "new");
}
