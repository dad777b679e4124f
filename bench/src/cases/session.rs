//! A kept token, handed out for every request.

pub mod google;

use super::with_request;
use arc_swap::ArcSwap;
use auth_core::{
    Answer, Authenticator, Clock, Context, Credentials, Exchange, Flow, Lifespan, PresentableToken,
    Refusal, Renewal, RequestView, Result, SystemClock, Timestamp, Token, TokenSource, Transport,
};
use auth_session::{Session, SessionPool, TenantId};
use google::Ask;
use harness::{
    case::{Call, Group, Role, Target, call, floor, ours, peer},
    threads::{Pair, PairCase, SharedCall},
};
use http::{HeaderMap, HeaderValue, Method, Uri, header::AUTHORIZATION};
use std::{hint::black_box, sync::Arc, time::Duration};

const FIELD: &str = "Bearer mF_9.B5f-4.1JqM";

pub fn kept() -> Group {
    let cases = vec![
        floor("ArcSwap load, clock read, header handed over", floor_kept),
        ours("auth-session", Some(1.1), 0, || authenticated(Session::new(Issuer, context()))),
        peer("google-cloud-auth", || google::kept(Ask::Headers)),
        peer("google-cloud-auth, what is kept is known", || google::kept(Ask::Changed)),
    ];
    Group {
        name: "session-kept",
        input: "a token that is fresh; credentials through dyn Authenticator, one thread",
        cases,
    }
}

/// A pool that is full, asked for a key that it does not have: the oldest session makes room.
pub fn pool_miss() -> Group {
    let cases = vec![
        floor("a pool of 100", || missed(100)),
        ours("a pool of 10,000", Some(1.1), 8, || missed(10_000)),
    ];
    Group {
        name: "session-pool-miss",
        input: "a key of another tenant each time; the session is made, and one is dropped",
        cases,
    }
}

fn missed(most: usize) -> Call {
    let context = context();
    let pool =
        SessionPool::new(most, move |_: &TenantId| Ok(Session::new(Issuer, context.clone())));
    let mut next = 1_000_000_u64;
    let mut get = move || {
        next += 1;
        black_box(&pool).get(&TenantId::new(next.to_string())).wait().expect("a session")
    };
    (0..most).for_each(|_| drop(get()));
    call(get)
}

pub fn two_threads() -> Pair {
    let case = |name, role, make| PairCase { name, role, make };
    let most = Target::OfFirst { ratio: Some(1.3), allocations: 0 };
    Pair {
        name: "session-two-threads",
        input: "the same through dyn, two threads; handed over by us, looked at by the floor",
        cases: vec![
            case("ArcSwap load, clock read, header borrowed", Role::Floor, || {
                let floor: Box<dyn Borrows> = Box::new(Floor::new());
                shared(move |request| black_box(&floor).borrowed(request))
            }),
            case("ArcSwap load, clock read, header handed over", Role::Floor, || {
                handed_over(Floor::new())
            }),
            case("auth-session", Role::Ours(most), || handed_over(Session::new(Issuer, context()))),
        ],
    }
}

fn handed_over(authenticator: impl Authenticator + 'static) -> SharedCall {
    let authenticator: Box<dyn Authenticator> = Box::new(authenticator);
    shared(move |request| {
        let made = black_box(&authenticator).credentials(request).wait();
        black_box(&made);
    })
}

fn shared(work: impl Fn(RequestView<'_>) + Send + Sync + 'static) -> SharedCall {
    let uri = Uri::from_static("https://api.example.com/v1/messages");
    let headers = HeaderMap::new();
    Arc::new(move || work(RequestView::new(&Method::GET, black_box(&uri), black_box(&headers))))
}

/// The floor of a kept token.
pub fn floor_kept() -> Call {
    authenticated(Floor::new())
}

/// The floor of a kept token, for those who present more than it.
pub fn keeps_a_token() -> Box<dyn Authenticator> {
    Box::new(Floor::new())
}

fn authenticated(authenticator: impl Authenticator + 'static) -> Call {
    let authenticator: Box<dyn Authenticator> = Box::new(authenticator);
    with_request(move |request| {
        black_box(&authenticator).credentials(request).wait().expect("credentials")
    })
}

fn credentials() -> Result<Credentials> {
    let value = HeaderValue::try_from(FIELD.to_owned()).expect("a field");
    Credentials::header(AUTHORIZATION, value)
}

/// The least that keeping a token takes, written by hand.
struct Floor {
    kept: ArcSwap<(Timestamp, Credentials)>,
    clock: Arc<dyn Clock>,
}

impl Floor {
    fn new() -> Self {
        let until = SystemClock.now().after(Duration::from_secs(3600));
        let kept = ArcSwap::from_pointee((until, credentials().expect("credentials")));
        Self { kept, clock: Arc::new(SystemClock) }
    }
}

/// An authenticator that could lend what it keeps.
trait Borrows: Send + Sync {
    fn borrowed(&self, request: RequestView<'_>);
}

impl Borrows for Floor {
    fn borrowed(&self, _: RequestView<'_>) {
        let (until, kept) = &**self.kept.load();
        assert!(self.clock.now() < *until, "an hour has passed");
        black_box(kept);
    }
}

impl Authenticator for Floor {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        let (until, kept) = &**self.kept.load();
        assert!(self.clock.now() < *until, "an hour has passed");
        Flow::ready(kept.clone())
    }
}

#[derive(Clone)]
struct Ticket(Lifespan);

impl Token for Ticket {
    fn lifespan(&self) -> Lifespan {
        self.0
    }
}

impl PresentableToken for Ticket {
    fn credentials(&self) -> Result<Credentials> {
        credentials()
    }

    fn refusal(_: Answer<'_>) -> Option<Refusal> {
        None
    }
}

struct Issuer;

impl TokenSource for Issuer {
    type Token = Ticket;

    fn token<'a>(&'a self, _: &'a Context, _: Renewal<Ticket>) -> Flow<'a, Ticket> {
        let end = SystemClock.now().after(Duration::from_secs(24 * 3600));
        Flow::ready(Ticket(Lifespan::Until(end)))
    }
}

struct Nowhere;

impl Transport for Nowhere {
    fn fetch(&self, _: Exchange) -> Flow<'_, http::Response<Vec<u8>>> {
        Flow::ready(http::Response::default())
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::ready(())
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}

fn context() -> Context {
    Context::new(Nowhere)
}
