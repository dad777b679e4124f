//! The one law of client adapters, as a table; and the loop over a transport.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use auth_core::{
    Answer, Authenticator, Body, Credentials, Error, Exchange, Flow, Hop, Need, PlainHttp,
    RequestView, Result, RetryBudget, Stamper, Verdict, authenticate, send,
};
use auth_testing::ScriptedTransport;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

const NOTHING: Need = Need::Nothing;
const ALL: Need = Need::Bytes { limit: usize::MAX };

/// Notes what it is asked, in order. Fails without the body when it says that it needs it.
struct Asked {
    /// What it needs when asked for the first time, for the second time.
    needs: Mutex<Vec<Need>>,
    makes: fn(u32) -> Result<Credentials>,
    log: Mutex<Vec<String>>,
}

impl Asked {
    fn new(needs: &[Need], makes: fn(u32) -> Result<Credentials>) -> Self {
        Self { needs: Mutex::new(needs.to_vec()), makes, log: Mutex::default() }
    }

    fn note(&self, what: String) -> u32 {
        let mut log = self.log.lock().unwrap();
        log.push(what);
        log.iter().filter(|what| what.starts_with("made")).count().try_into().unwrap()
    }
}

impl Authenticator for Asked {
    fn needs(&self, head: RequestView<'_>) -> Need {
        assert!(matches!(head.body, Body::Unread), "a body before it was asked for");
        self.note(format!("needs at {:?}", head.hop));
        self.needs.lock().unwrap().remove(0)
    }

    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        let attempt = self.note(format!("made from {:?}", request.body));
        (self.makes)(attempt).into()
    }
}

fn key(_: u32) -> Result<Credentials> {
    Credentials::header(HeaderName::from_static("key"), HeaderValue::from_static("k"))?
        .and(Credentials::query("q", "1"))
}

fn none(_: u32) -> Result<Credentials> {
    Ok(Credentials::none())
}

fn fails(_: u32) -> Result<Credentials> {
    Err(Error::config("unread", "body was not read"))
}

fn fails_once(attempt: u32) -> Result<Credentials> {
    if attempt == 1 { fails(attempt) } else { key(attempt) }
}

struct Case {
    url: &'static str,
    body: Body<'static>,
    needs: &'static [Need],
    makes: fn(u32) -> Result<Credentials>,
    plain_http: PlainHttp,
    typed: &'static str,
}

const CASE: Case = Case {
    url: "https://a.example/p",
    body: Body::Bytes(b"body"),
    needs: &[NOTHING],
    makes: key,
    plain_http: PlainHttp::ToLoopback,
    typed: "x-plain",
};

#[track_caller]
fn check(case: Case, expected: Result<&str, &str>, log: &[&str]) {
    let asked = Asked::new(case.needs, case.makes);
    let (before, mut headers) = (Uri::from_static(case.url), HeaderMap::new());
    headers.insert(case.typed, HeaderValue::from_static("typed"));
    let view = RequestView::new(&Method::POST, &before, &headers).with_body(case.body);
    let view = view.with_hop(Hop::Proxy);
    let (mut uri, mut copy) = (before.clone(), headers.clone());
    let made = authenticate(&asked, case.plain_http, view, &mut uri, &mut copy);
    assert!(made.is_ready(), "a flow that is ready stays ready");
    let made = made.wait();
    assert_eq!(
        made.as_ref().map(|_| uri.to_string()).map_err(Error::code),
        expected.map(str::to_owned)
    );
    assert_eq!(*asked.log.lock().unwrap(), log);
    match made {
        Err(_) => assert_eq!((uri, copy), (before, headers), "an error left a trace"),
        Ok(made) => assert_eq!(copy.contains_key("key"), !made.is_empty()),
    }
}

const FIRST: &str = "needs at Proxy";
const UNREAD: &str = "made from Unread";
const READ: &str = "made from Bytes(4 bytes)";
const SENT: Result<&str, &str> = Ok("https://a.example/p?q=1");

#[test]
fn a_scheme_is_shown_the_body_when_it_needs_it_and_only_then() {
    check(CASE, SENT, &[FIRST, UNREAD]);
    check(Case { needs: &[ALL], ..CASE }, SENT, &[FIRST, READ]);
    check(Case { needs: &[Need::Bytes { limit: 4 }], ..CASE }, SENT, &[FIRST, READ]);
    let short = &[Need::Bytes { limit: 3 }];
    check(Case { needs: short, ..CASE }, Err("client_body_limit"), &[FIRST]);
    check(Case { needs: &[ALL], body: Body::Unread, ..CASE }, SENT, &[FIRST, UNREAD]);
}

#[test]
fn needs_are_asked_for_once_more_when_credentials_failed_without_the_body() {
    let again = &[FIRST, UNREAD, FIRST, READ];
    let learned = Case { needs: &[NOTHING, ALL], ..CASE };
    check(Case { makes: fails_once, ..learned }, SENT, again);
    check(Case { makes: fails, ..learned }, Err("unread"), again);
    let still_nothing = Case { needs: &[NOTHING, NOTHING], makes: fails, ..CASE };
    check(still_nothing, Err("unread"), &[FIRST, UNREAD, FIRST]);
    let shown = Case { needs: &[ALL], makes: fails, ..CASE };
    check(shown, Err("unread"), &[FIRST, READ]);
    let stream = Case { needs: &[NOTHING, ALL], makes: fails, body: Body::Unread, ..CASE };
    check(stream, Err("unread"), &[FIRST, UNREAD]);
    let short = &[NOTHING, Need::Bytes { limit: 3 }];
    let too_long = Case { needs: short, makes: fails_once, ..CASE };
    check(too_long, Err("client_body_limit"), &[FIRST, UNREAD, FIRST]);
}

#[test]
fn credentials_go_over_plain_http_only_to_loopback_or_by_permission() {
    let log = &[FIRST, UNREAD];
    let anywhere = PlainHttp::ToAnywhere;
    for (url, plain_http, makes, expected) in [
        ("http://a.example/", CASE.plain_http, CASE.makes, Err("client_plain_http")),
        ("http://a.example/", CASE.plain_http, none, Ok("http://a.example/")),
        ("http://a.example/", anywhere, key, Ok("http://a.example/?q=1")),
        ("http://localhost:8080/", CASE.plain_http, key, Ok("http://localhost:8080/?q=1")),
        ("http://127.0.0.1/", CASE.plain_http, key, Ok("http://127.0.0.1/?q=1")),
        ("http://user@127.0.0.1/", CASE.plain_http, key, Err("origin_user")),
        ("/p", CASE.plain_http, key, Err("origin_scheme")),
        ("/p", anywhere, key, Ok("/p?q=1")),
    ] {
        check(Case { url, plain_http, makes, ..CASE }, expected, log);
    }
}

#[test]
fn nothing_is_committed_by_halves() {
    check(Case { typed: "key", ..CASE }, Err("credentials_header_taken"), &[FIRST, UNREAD]);
}

/// Numbers its attempts from 0, and retries what it reads in an answer.
#[derive(Default)]
struct Numbered {
    stamper: Stamper,
    attempts: AtomicU64,
}

impl Authenticator for Numbered {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        let attempt = self.attempts.fetch_add(1, Ordering::SeqCst);
        let made = Credentials::header(HeaderName::from_static("key"), attempt.into());
        made.map(|made| made.stamped(self.stamper.stamp(attempt))).into()
    }

    fn reads(&self, status: StatusCode, _: &HeaderMap) -> Need {
        if status == 204 { Need::Nothing } else { Need::Bytes { limit: 5 } }
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        assert!(answer.request.headers.is_empty(), "the request is the one before credentials");
        assert_eq!(sent.field(&HeaderName::from_static("other")), None);
        let sent = sent.field(&HeaderName::from_static("key")).unwrap().to_str().unwrap();
        match answer.body {
            Some(body) if body.starts_with(b"again") => Verdict::Retry { after: None },
            Some(b"later") => Verdict::Retry { after: Some(Duration::from_secs(3600)) },
            Some(b"never") => Verdict::Refused(Error::refused("never", sent.to_owned())),
            _ => Verdict::Accept,
        }
    }
}

/// What comes of a request, and the keys that it was sent with, when it is answered so in turn.
#[track_caller]
fn check_sent(answers: &'static [(u16, &str)], expected: Result<&str, &str>, sent: u64) {
    let seen = AtomicU64::new(0);
    let transport = ScriptedTransport::new(move |request: &Request<Vec<u8>>| {
        assert_eq!(request.body(), b"body");
        let attempt = seen.fetch_add(1, Ordering::SeqCst);
        assert_eq!(request.headers()["key"], attempt.to_string());
        let (status, body) = answers[usize::try_from(attempt).unwrap()];
        Ok(Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap())
    });
    let numbered = Numbered::default();
    let request = Request::post("https://a.example/").body(b"body".to_vec()).unwrap();
    let got = send(&transport, &numbered, request.into()).wait();
    let got = got.map(|answer| String::from_utf8(answer.into_body()).unwrap());
    assert_eq!(got.as_deref().map_err(|error| error.code()), expected);
    assert_eq!(numbered.attempts.load(Ordering::SeqCst), sent);
    let later = answers.iter().filter(|(_, body)| *body == "later");
    let pauses = later.map(|_| Duration::from_secs(3600)).collect::<Vec<_>>();
    assert_eq!(transport.pauses(), pauses);
}

#[test]
fn a_request_is_sent_over_as_many_attempts_as_it_takes() {
    check_sent(&[(200, "good")], Ok("good"), 1);
    check_sent(&[(500, "fault")], Ok("fault"), 1);
    check_sent(&[(401, "again"), (200, "good")], Ok("good"), 2);
    check_sent(&[(200, "later"), (200, "good")], Ok("good"), 2);
    check_sent(&[(401, "never")], Err("never"), 1);
    check_sent(&[(401, "again and again")], Ok("again and again"), 1);
    check_sent(&[(204, "again")], Ok("again"), 1);
    let most = RetryBudget::MOST.try_into().unwrap();
    check_sent(&[(401, "again"); 5], Ok("again"), most);
}

#[test]
fn the_loop_over_a_transport_sends_nothing_in_the_clear() {
    let transport = ScriptedTransport::new(|_| -> Result<Response<Vec<u8>>> { panic!("sent") });
    let request = Request::get("http://a.example/").body(Vec::new()).unwrap();
    let got = send(&transport, &Numbered::default(), Exchange::new(request)).wait();
    assert_eq!(got.unwrap_err().code(), "client_plain_http");
}
