//! What wraps an implementation forwards every method of it: a default in its place would be silent.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use auth_core::{
    Accepted, Answer, Authenticator, Clock, Context, Credentials, Error, Event, Exchange, Flow,
    InlineWorkers, Lifespan, Lookup, MemoryReplayStore, Need, Observer, OriginBound, Outcome,
    Presence, Random, Renewal, ReplayOutcome, ReplayStore, RequestView, ReservationOutcome, Result,
    Stack, SystemClock, Timestamp, Token, TokenSource, Transport, Unique, Verdict, Verifier,
    Workers,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

const NEED: Need = Need::Bytes { limit: 7 };

/// Answers everything in a way that no default does.
struct Full;

impl Authenticator for Full {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        Credentials::header(HeaderName::from_static("key"), HeaderValue::from_static("k")).into()
    }

    fn assess(&self, _: &Credentials, answer: Answer<'_>) -> Verdict {
        // The answer's own parts arrive as they were given.
        let trailer = answer.trailers.and_then(|trailers| trailers.get("t"));
        let whole = answer.body == Some(b"body") && trailer.is_some();
        Verdict::Refused(Error::refused(if whole { "full" } else { "parts" }, "no"))
    }

    fn needs(&self, _: RequestView<'_>) -> Need {
        NEED
    }

    fn reads(&self, _: StatusCode, _: &HeaderMap) -> Need {
        NEED
    }
}

impl Verifier for Full {
    type Principal = u8;

    fn presence(&self, _: RequestView<'_>) -> Presence {
        Presence::Present
    }

    fn needs(&self, _: RequestView<'_>) -> Need {
        NEED
    }

    fn verify<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Outcome<u8>> {
        Flow::ready(Ok(Accepted::new("full", 7)))
    }
}

#[derive(Clone)]
struct Kept;

impl Token for Kept {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Unknown
    }
}

impl TokenSource for Full {
    type Token = Kept;

    fn token<'a>(&'a self, _: &'a Context, why: Renewal<Kept>) -> Flow<'a, Kept> {
        assert!(matches!(why, Renewal::Due(_)));
        Flow::ready(Kept)
    }
}

impl Transport for Full {
    fn fetch(&self, _: Exchange) -> Flow<'_, http::Response<Vec<u8>>> {
        Flow::ready(http::Response::new(b"full".to_vec()))
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::failed(Error::transport("full", "it never pauses"))
    }

    fn detach(&self, _: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        None
    }
}

impl Random for Full {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        bytes.fill(7);
        Ok(())
    }
}

#[derive(Default)]
struct Counted(AtomicU32);

impl Observer for Counted {
    fn observe(&self, _: Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[track_caller]
fn check_client(client: &dyn Authenticator) {
    let (uri, mut headers) = (Uri::from_static("https://a.example/"), HeaderMap::new());
    let trailers = HeaderMap::from_iter([(HeaderName::from_static("t"), HeaderValue::from(1))]);
    let head = RequestView::new(&Method::GET, &uri, &headers);
    assert!(matches!(client.needs(head), NEED));
    assert!(matches!(client.reads(StatusCode::OK, &headers), NEED));
    let made = client.credentials(head).wait().unwrap();
    let answer = Answer::new(head, StatusCode::OK, &headers).with_body(b"body");
    let verdict = client.assess(&made, answer.with_trailers(&trailers));
    assert!(matches!(verdict, Verdict::Refused(error) if error.code() == "full"));
    made.commit(&mut uri.clone(), &mut headers).unwrap();
    assert_eq!(headers["key"], "k");
}

#[track_caller]
fn check_server(server: &dyn Verifier<Principal = u8>) {
    let (uri, headers) = (Uri::from_static("/"), HeaderMap::new());
    let head = RequestView::new(&Method::GET, &uri, &headers);
    assert_eq!(server.presence(head), Presence::Present);
    assert!(matches!(server.needs(head), NEED));
    let accepted = server.verify(head).wait().unwrap().unwrap();
    assert_eq!((accepted.scheme, accepted.principal), ("full", 7));
}

struct Nothing;

impl Authenticator for Nothing {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        Flow::ready(Credentials::none())
    }
}

#[test]
fn clients_are_forwarded_whole() {
    check_client(&Full);
    check_client(&Arc::new(Full));
    check_client(&Box::new(Full));
    check_client(&OriginBound::new(["https://a.example".parse().unwrap()], Full));
    check_client(&Stack(Full, Nothing));
    check_client(&Stack(Nothing, Full));
}

#[test]
fn verifiers_are_forwarded_whole() {
    check_server(&Full);
    check_server(&Arc::new(Full));
    check_server(&Box::new(Full));
    check_server(&Full.map(|principal| principal));
}

#[test]
fn values_behind_an_arc_are_themselves() {
    assert_eq!(Arc::new(Timestamp::from_unix(7)).now().unix(), 7);
    assert_eq!(Timestamp::from_unix(7).to_string(), "7");
    assert!(SystemClock.now() > Timestamp::from_unix(1_700_000_000));
    let mut bytes = [0; 2];
    Random::fill(&Arc::new(Full), &mut bytes).unwrap();
    assert_eq!(bytes, [7; 2]);
    let boxed: Box<dyn Random> = Box::new(Full);
    Random::fill(&boxed, &mut bytes[..1]).unwrap();
    let context = Context::new(Arc::new(Full)).with_clock(Box::new(Timestamp::from_unix(7)));
    assert!(TokenSource::token(&Arc::new(Full), &context, Renewal::Due(Kept)).wait().is_ok());
    assert!(TokenSource::token(&Box::new(Full), &context, Renewal::Due(Kept)).wait().is_ok());
    assert_eq!(context.clock.now().unix(), 7);
    let transports: [&dyn Transport; 2] = [&context.transport, &Box::new(Full)];
    for transport in transports {
        let exchange = Exchange::new(http::Request::default());
        assert_eq!(transport.fetch(exchange).wait().unwrap().body(), b"full");
        assert_eq!(transport.pause(Duration::ZERO).wait().unwrap_err().code(), "full");
        assert!(transport.detach(Flow::ready(())).is_none());
    }
    let counted = Arc::new(Counted::default());
    Observer::observe(&counted, Event::Retried);
    Observer::observe(&Box::new(Arc::clone(&counted)), Event::Retried);
    assert_eq!(counted.0.load(Ordering::Relaxed), 2);
    let map = Arc::new(Box::new(HashMap::from([(String::from("a"), 1)])));
    assert_eq!(Lookup::<str>::lookup(&map, "a").wait().unwrap(), Some(1));
    let ran = Arc::new(AtomicU32::new(0));
    let work = Arc::clone(&ran);
    Arc::new(Box::new(InlineWorkers))
        .run(Box::new(move || work.store(7, Ordering::Relaxed)))
        .wait()
        .unwrap();
    assert_eq!(ran.load(Ordering::Relaxed), 7);
}

#[test]
fn a_replay_store_behind_pointers_is_itself() {
    let hold = Duration::from_secs(1);
    let unique = |id: &[u8]| {
        Unique::new("s", b"", id, Timestamp::from_unix(9)).issued_at(Timestamp::from_unix(7))
    };
    let store = Box::new(Arc::new(MemoryReplayStore::new(Timestamp::from_unix(7))));
    let store: &dyn ReplayStore = &store;
    assert_eq!(store.check_and_set(&unique(b"a")).wait().unwrap(), ReplayOutcome::Fresh);
    assert_eq!(store.check_and_set(&unique(b"a")).wait().unwrap(), ReplayOutcome::Seen);
    assert_eq!(store.window(&unique(b"w"), 1, 8).wait().unwrap(), ReplayOutcome::Fresh);
    assert_eq!(store.window(&unique(b"w"), 1, 8).wait().unwrap(), ReplayOutcome::Seen);
    let reserve = || store.reserve(&unique(b"r"), hold).wait().unwrap();
    let ReservationOutcome::Reserved(ticket) = reserve() else { panic!("not reserved") };
    assert!(store.release(&unique(b"r"), ticket).wait().unwrap());
    let ReservationOutcome::Reserved(ticket) = reserve() else { panic!("not free again") };
    assert!(store.confirm(&unique(b"r"), ticket).wait().unwrap());
    assert_eq!(reserve(), ReservationOutcome::Done);
}
