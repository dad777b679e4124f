//! Keys fetched from an issuer that is played: how often it is asked, and what is served when it does not answer.

#![allow(clippy::unwrap_used, clippy::panic)]

use auth_core::{
    Context, Error, Event, Flow, Lookup, Observer, RequestView, Result, Timestamp, Verifier as _,
};
use auth_jwt::{JwsAlgorithm, JwtKeys, JwtPolicy, JwtVerifier, KeyId, RemoteJwkSet};
use auth_testing::{Gate, ManualClock, ScriptedTransport, SeededRandom};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, Response};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
    thread,
    time::Duration,
};

const ISSUER: &str = "https://issuer.example";
const ED25519: &str =
    r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;

/// An issuer that publishes keys of these names, or fails.
#[derive(Clone)]
struct Published(Arc<Mutex<Result<Vec<&'static str>>>>);

impl Published {
    fn now(&self, kids: &[&'static str]) {
        *self.0.lock().unwrap() = Ok(kids.to_vec());
    }

    fn down(&self) {
        *self.0.lock().unwrap() = Err(Error::transport("down", "nobody answers"));
    }

    fn answer(&self, request: &Request<Vec<u8>>) -> Result<Response<Vec<u8>>> {
        assert_eq!(request.uri(), "https://issuer.example/jwks.json");
        let key = |kid: &&str| format!(r#"{{{ED25519},"kid":"{kid}"}}"#);
        let keys: Vec<_> = self.0.lock().unwrap().clone()?.iter().map(key).collect();
        Ok(Response::new(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).into_bytes()))
    }
}

struct Stage {
    clock: ManualClock,
    transport: ScriptedTransport,
    published: Published,
    jwks: RemoteJwkSet,
}

fn context(clock: &ManualClock, transport: &ScriptedTransport) -> Context {
    Context::new(transport.clone()).with_clock(clock.clone()).with_random(SeededRandom::new(7))
}

fn stage(change: impl FnOnce(ScriptedTransport) -> ScriptedTransport) -> Stage {
    let published = Published(Arc::new(Mutex::new(Ok(vec!["a"]))));
    let answering = published.clone();
    let transport = change(ScriptedTransport::new(move |request| answering.answer(request)));
    let clock = ManualClock::at(1_000_000);
    let url = "https://issuer.example/jwks.json";
    let jwks = RemoteJwkSet::builder(ISSUER, url, context(&clock, &transport))
        .with_assumed_algorithm(JwsAlgorithm::EdDSA)
        .build()
        .unwrap();
    Stage { clock, transport, published, jwks }
}

fn id(kid: &str) -> KeyId {
    KeyId { issuer: Some(ISSUER.into()), kid: Some(kid.into()) }
}

impl Stage {
    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Is the key known? Or the code of the error.
    fn knows(&self, kid: &str) -> std::result::Result<bool, &'static str> {
        let found = self.jwks.lookup(&id(kid)).wait();
        found.map(|found| found.is_some()).map_err(|error| error.code())
    }
}

fn poll(flow: &mut Flow<'_, Option<JwtKeys>>) -> Poll<Result<Option<JwtKeys>>> {
    Pin::new(flow).poll(&mut std::task::Context::from_waker(Waker::noop()))
}

#[test]
fn a_set_is_fetched_once_and_kept() {
    let stage = stage(|transport| transport);
    assert_eq!(stage.transport.exchanges(), 0, "nothing before the first token");
    assert_eq!((stage.knows("a"), stage.knows("a")), (Ok(true), Ok(true)));
    assert_eq!((stage.knows("b"), stage.transport.exchanges()), (Ok(false), 1));
}

#[test]
fn the_token_of_another_issuer_fetches_nothing() {
    let stage = stage(|transport| transport);
    for issuer in [None, Some("https://mallory.example".into()), Some("".into())] {
        let id = KeyId { issuer, kid: Some("a".into()) };
        assert!(stage.jwks.lookup(&id).wait().unwrap().is_none());
    }
    assert_eq!(stage.transport.exchanges(), 0);
}

/// A rotation is noticed by the first token that was signed with the new key.
#[test]
fn a_new_key_is_found_after_the_cooldown() {
    let stage = stage(|transport| transport);
    assert_eq!(stage.knows("a"), Ok(true));
    stage.published.now(&["a", "b"]);
    stage.pass(29);
    assert_eq!((stage.knows("b"), stage.transport.exchanges()), (Ok(false), 1));
    stage.pass(1);
    assert_eq!((stage.knows("b"), stage.transport.exchanges()), (Ok(true), 2));
}

/// A hundred thousand unknown `kid`s in ten seconds: one fetch.
#[test]
fn a_flood_of_unknown_kids_fetches_once_in_thirty_seconds() {
    let stage = stage(|transport| transport);
    assert_eq!(stage.knows("a"), Ok(true));
    stage.pass(30);
    for n in 0..100_000 {
        assert_eq!(stage.knows(&format!("kid {n}")), Ok(false));
        if n % 10_000 == 0 {
            stage.pass(1);
        }
    }
    assert_eq!(stage.transport.exchanges(), 2);
    assert_eq!(stage.knows("a"), Ok(true));
}

#[test]
fn all_who_ask_while_it_is_fetched_share_the_fetch() {
    let gate = Gate::closed();
    let stage = stage(|transport| transport.with_gate(gate.clone()));
    thread::scope(|scope| {
        let callers: Vec<_> = (0..16).map(|_| scope.spawn(|| stage.knows("a"))).collect();
        while stage.transport.exchanges() == 0 {
            thread::yield_now();
        }
        gate.open();
        assert!(callers.into_iter().all(|caller| caller.join().unwrap() == Ok(true)));
    });
    assert_eq!(stage.transport.exchanges(), 1);
}

#[test]
fn an_old_set_is_used_while_the_new_one_is_fetched() {
    let stage = stage(ScriptedTransport::with_background);
    assert_eq!(stage.knows("a"), Ok(true));
    stage.published.now(&["b"]);
    stage.pass(600);
    assert_eq!((stage.knows("a"), stage.knows("a")), (Ok(true), Ok(true)));
    assert_eq!(stage.transport.run(), 1);
    assert_eq!((stage.knows("a"), stage.knows("b")), (Ok(false), Ok(true)));
    assert_eq!(stage.transport.exchanges(), 2);
}

/// Without a background one caller carries the fetch; when it gives up, the next one carries it on. (The fetch used to be
/// begun again: the flight that sessions use sees through what has begun, so that an issuer is asked once.)
#[test]
fn a_fetch_that_was_given_up_is_carried_on_by_the_next_caller() {
    let gate = Gate::opened();
    let stage = stage(|transport| transport.with_gate(gate.clone()));
    assert_eq!(stage.knows("a"), Ok(true));
    stage.pass(600);
    gate.close();
    let asked = id("a");
    let mut carrying = stage.jwks.lookup(&asked);
    assert!(poll(&mut carrying).is_pending());
    assert_eq!(stage.knows("a"), Ok(true), "the others do not notice");
    drop(carrying);
    gate.open();
    stage.published.now(&["a", "b"]);
    assert_eq!((stage.knows("a"), stage.knows("b")), (Ok(true), Ok(true)));
    assert_eq!(stage.transport.exchanges(), 2);
}

/// The same for the first fetch, which all wait for: a hundred callers, of whom all but one give up.
#[test]
fn callers_that_give_up_take_nothing_with_them() {
    let gate = Gate::closed();
    let stage = stage(|transport| transport.with_gate(gate.clone()));
    let asked = id("a");
    let mut flows: Vec<_> = (0..100).map(|_| stage.jwks.lookup(&asked)).collect();
    assert!(flows.iter_mut().all(|flow| poll(flow).is_pending()));
    flows.drain(..99);
    gate.open();
    assert!(flows.pop().unwrap().wait().unwrap().is_some());
    assert_eq!((stage.knows("a"), stage.transport.exchanges()), (Ok(true), 1));
}

/// Pauses, the life of a set and the memory of missing keys are spans.
#[test]
fn a_clock_that_is_set_makes_no_span_longer_or_shorter() {
    for seconds in [0, 999_990, 1_000_010, 99_000_000] {
        let stage = stage(|transport| transport);
        stage.published.down();
        assert_eq!(stage.knows("a"), Err("down"));
        stage.clock.set(Timestamp::from_unix(seconds));
        assert_eq!((stage.knows("a"), stage.transport.exchanges()), (Err("down"), 1), "too early");
        stage.published.now(&["a"]);
        stage.pass(1);
        assert_eq!((stage.knows("a"), stage.transport.exchanges()), (Ok(true), 2), "{seconds}");
        stage.clock.set(Timestamp::from_unix(1_000_000));
        stage.pass(30);
        assert_eq!((stage.knows("b"), stage.transport.exchanges()), (Ok(false), 3));
        stage.clock.set(Timestamp::from_unix(seconds));
        stage.published.now(&["a", "b"]);
        stage.pass(299);
        assert_eq!((stage.knows("b"), stage.transport.exchanges()), (Ok(false), 3));
        stage.pass(1);
        assert_eq!((stage.knows("b"), stage.transport.exchanges()), (Ok(true), 4), "{seconds}");
        stage.clock.set(Timestamp::from_unix(0));
        stage.pass(599);
        assert_eq!((stage.knows("a"), stage.transport.exchanges()), (Ok(true), 4));
        stage.pass(1);
        assert_eq!((stage.knows("a"), stage.transport.exchanges()), (Ok(true), 5));
    }
}

/// A transport with a bug that shows once.
#[test]
fn a_fetch_that_panicked_is_an_error_and_the_next_one_comes() {
    let panicked = Mutex::new(false);
    let published = Published(Arc::new(Mutex::new(Ok(vec!["a"]))));
    let transport = ScriptedTransport::new(move |request| {
        assert!(std::mem::replace(&mut *panicked.lock().unwrap(), true), "a bug");
        published.answer(request)
    });
    let clock = ManualClock::at(1_000_000);
    let url = "https://issuer.example/jwks.json";
    let jwks = RemoteJwkSet::builder(ISSUER, url, context(&clock, &transport))
        .with_assumed_algorithm(JwsAlgorithm::EdDSA);
    let jwks = jwks.build().unwrap();
    let asked = id("a");
    let mut waiting = jwks.lookup(&asked);
    let driving = std::panic::AssertUnwindSafe(|| jwks.lookup(&asked).wait());
    assert!(std::panic::catch_unwind(driving).is_err(), "the caller that drove it is told");
    let Poll::Ready(told) = poll(&mut waiting) else { panic!("the others are left asleep") };
    assert_eq!(told.unwrap_err().code(), "jwks_fetch_panicked");
    clock.advance(Duration::from_secs(1));
    assert!(jwks.lookup(&asked).wait().unwrap().is_some());
}

#[test]
fn the_last_good_set_outlasts_an_outage_of_a_day() {
    let stage = stage(|transport| transport);
    assert_eq!(stage.knows("a"), Ok(true));
    stage.published.down();
    stage.pass(600);
    for _ in 0..24 {
        assert_eq!(stage.knows("a"), Ok(true));
        stage.pass(3600);
    }
    assert_eq!(stage.knows("a"), Err("down"));
    stage.published.now(&["a"]);
    stage.pass(30);
    assert_eq!(stage.knows("a"), Ok(true));
}

#[test]
fn an_issuer_that_is_down_is_asked_less_and_less() {
    let stage = stage(|transport| transport);
    stage.published.down();
    for expected in [1, 1, 2, 2, 2, 2, 3] {
        assert_eq!(stage.knows("a"), Err("down"));
        assert_eq!(stage.transport.exchanges(), expected);
        stage.clock.advance(Duration::from_millis(500));
    }
}

#[test]
fn what_is_no_set_is_an_error_of_the_issuer() {
    for (status, body, code) in [
        (404, "", "jwks_status"),
        (500, "", "jwks_status"),
        (302, "", "jwks_status"),
        (200, "<html>", "jwk_json"),
        (200, "{}", "jwk_missing"),
    ] {
        let transport = ScriptedTransport::new(move |_| {
            Ok(Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap())
        });
        let clock = ManualClock::at(1_000_000);
        let jwks =
            RemoteJwkSet::builder(ISSUER, "https://issuer.example/", context(&clock, &transport));
        let error = jwks.build().unwrap().lookup(&id("a")).wait().unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        let busy = matches!(error, Error::Unavailable { .. });
        assert!(busy == (status == 500) && !matches!(error, Error::Config(_)), "{error}");
    }
}

/// RFC 9110 section 10.2.3.
#[test]
fn waits_as_long_as_the_issuer_says() {
    let transport = ScriptedTransport::new(|_| {
        Ok(Response::builder().status(503).header("retry-after", "90").body(Vec::new()).unwrap())
    });
    let clock = ManualClock::at(1_000_000);
    let jwks =
        RemoteJwkSet::builder(ISSUER, "https://issuer.example/", context(&clock, &transport));
    let jwks = jwks.build().unwrap();
    for (seconds, expected) in [(89, 1), (1, 1), (0, 2)] {
        assert_eq!(jwks.lookup(&id("a")).wait().unwrap_err().code(), "jwks_status");
        assert_eq!(transport.exchanges(), expected);
        clock.advance(Duration::from_secs(seconds));
    }
}

#[test]
fn keys_that_say_no_algorithm_need_one_to_assume() {
    let transport = ScriptedTransport::new(|_| {
        let (bare, named) = (r#""kid":"a""#, r#""kid":"b","alg":"EdDSA""#);
        let keys = format!(r#"{{"keys":[{{{ED25519},{bare}}},{{{ED25519},{named}}}]}}"#);
        Ok(Response::new(keys.into_bytes()))
    });
    let clock = ManualClock::at(1_000_000);
    let jwks =
        RemoteJwkSet::builder(ISSUER, "https://issuer.example/", context(&clock, &transport));
    let jwks = jwks.build().unwrap();
    assert!(jwks.lookup(&id("a")).wait().unwrap().is_none());
    assert!(jwks.lookup(&id("b")).wait().unwrap().is_some());
    let any = KeyId { kid: None, ..id("") };
    assert_eq!(jwks.lookup(&any).wait().unwrap().unwrap().as_slice().len(), 1);
}

/// The members of a key that signs, and what they say beside its numbers.
fn ed25519(members: &str) -> String {
    format!("{{{ED25519},{members}}}")
}

const P256: &str = r#""kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;
const OCT: &str = r#""kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow""#;

/// The `kid` of a key that was left out, and the code of the reason.
type LeftOut = (Option<String>, String);

/// What the observer heard of keys that were left out.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<LeftOut>>>);

impl Observer for Heard {
    fn observe(&self, event: Event<'_>) {
        if let Event::KeyLeftOut { issuer, kid, error } = event {
            assert_eq!(issuer, ISSUER);
            assert!(matches!(error, Error::Protocol(_)), "{error}");
            let shown = format!("{} {error} {error:?}", error.code());
            assert!(!shown.contains("AyM1SysPpbyDfgZld3umj1q") && !shown.contains("f83OJ3D2xF1B"));
            self.0.lock().unwrap().push((kid.map(Into::into), error.code().into()));
        }
    }
}

/// An issuer that publishes these keys, and those that are silent are for an algorithm or for none.
fn publishing(keys: Vec<String>, assumed: Option<JwsAlgorithm>) -> (RemoteJwkSet, Heard) {
    let body = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
    let transport = ScriptedTransport::new(move |_| Ok(Response::new(body.clone().into_bytes())));
    let heard = Heard::default();
    let context = context(&ManualClock::at(1_000_000), &transport).with_observer(heard.clone());
    let jwks = RemoteJwkSet::builder(ISSUER, "https://issuer.example/", context);
    let jwks = match assumed {
        Some(assumed) => jwks.with_assumed_algorithm(assumed),
        None => jwks,
    };
    (jwks.build().unwrap(), heard)
}

fn algorithms(jwks: &RemoteJwkSet, kid: Option<&str>) -> Vec<JwsAlgorithm> {
    let found = jwks.lookup(&KeyId { kid: kid.map(Into::into), ..id("") }).wait().unwrap();
    found.iter().flat_map(JwtKeys::secrets).map(auth_jwt::VerifyingKey::algorithm).collect()
}

/// A setting for keys that state no algorithm changes nothing for those that do.
#[test]
fn a_key_is_for_the_algorithm_that_it_states_and_only_silent_ones_for_the_assumed_one() {
    let keys = vec![
        ed25519(r#""kid":"silent""#),
        ed25519(r#""kid":"stated","alg":"EdDSA""#),
        format!(r#"{{{P256},"kid":"other","alg":"ES256"}}"#),
        format!(r#"{{{P256},"kid":"unknown","alg":"ES999"}}"#),
    ];
    for (assumed, silent) in
        [(Some(JwsAlgorithm::EdDSA), vec![JwsAlgorithm::EdDSA]), (None, Vec::new())]
    {
        let (jwks, heard) = publishing(keys.clone(), assumed);
        assert_eq!(algorithms(&jwks, Some("silent")), silent);
        assert_eq!(algorithms(&jwks, Some("stated")), [JwsAlgorithm::EdDSA]);
        assert_eq!(algorithms(&jwks, Some("other")), [JwsAlgorithm::ES256]);
        let told = |kid: &str| {
            heard.0.lock().unwrap().iter().any(|(told, _)| told.as_deref() == Some(kid))
        };
        assert_eq!((told("silent"), told("unknown")), (silent.is_empty(), true));
    }
}

/// More keys than a verifier tries, of which few are of the token's algorithm: the verifier narrows and then counts.
#[test]
fn keys_are_counted_by_the_verifier_that_knows_the_algorithm() {
    let p256 = |n| format!(r#"{{{P256},"kid":"p{n}","alg":"ES256"}}"#);
    let keys = (0..5).map(p256).chain([ed25519(r#""kid":"one","alg":"EdDSA""#)]);
    let (jwks, _) = publishing(keys.collect(), None);
    assert_eq!(algorithms(&jwks, None).len(), 6);
    let now = Timestamp::from_unix(1_000_000);
    let door = JwtVerifier::new("r", JwtPolicy::new(), jwks, ManualClock::at(1_000_000)).unwrap();
    let said = |alg: &str| {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let header = encode(&format!(r#"{{"alg":"{alg}"}}"#));
        let payload = encode(&format!(r#"{{"iss":"{ISSUER}","exp":{}}}"#, now.unix() + 60));
        let signature = URL_SAFE_NO_PAD.encode([7; 64]);
        let field = format!("Bearer {header}.{payload}.{signature}");
        let headers = http::HeaderMap::from_iter([(
            http::header::AUTHORIZATION,
            http::HeaderValue::from_str(&field).unwrap(),
        )]);
        let (method, uri) = (http::Method::GET, http::Uri::from_static("/"));
        let outcome = door.verify(RequestView::new(&method, &uri, &headers)).wait().unwrap();
        outcome.map(|_| ()).unwrap_err().reason().code
    };
    assert_eq!(said("ES256"), "jwt_key_many");
    assert_eq!(said("EdDSA"), "jwt_signature");
    assert_eq!(said("HS256"), "jwt_alg_other");
}

/// Whoever can fetch a set could sign with a shared secret in it.
#[test]
fn a_shared_secret_is_taken_by_hand_and_never_from_a_fetched_set() {
    let secret = format!(r#"{{{OCT},"kid":"secret","alg":"HS256"}}"#);
    let jwk = auth_jwt::Jwk::parse(secret.as_bytes()).unwrap();
    assert!(auth_jwt::VerifyingKey::from_jwk(&jwk, None).is_ok());
    for assumed in [None, Some(JwsAlgorithm::HS256)] {
        let (jwks, heard) = publishing(vec![secret.clone()], assumed);
        assert!(algorithms(&jwks, Some("secret")).is_empty());
        assert!(algorithms(&jwks, None).is_empty());
        let told = (Some("secret".to_owned()), "jwks_shared_secret".to_owned());
        assert_eq!(*heard.0.lock().unwrap(), [told]);
    }
}

#[test]
fn the_observer_hears_which_keys_are_left_out_and_why() {
    let (jwks, heard) = publishing(
        vec![
            r#"{"kid":"curve","kty":"EC","crv":"P-521","x":"AA","y":"AA"}"#.to_owned(),
            r#"{"kty":"RSA","kid":"half","n":"AQAB"}"#.to_owned(),
            r#"{"kty":7,"kid":"la\nst"}"#.to_owned(),
            r#"{"kty":"future"}"#.to_owned(),
            ed25519(r#""kid":"encrypts","alg":"EdDSA","use":"enc""#),
            ed25519(r#""kid":"signs","alg":"EdDSA","use":"sig""#),
        ],
        None,
    );
    assert_eq!(algorithms(&jwks, None), [JwsAlgorithm::EdDSA]);
    let told = |kid: Option<&str>, code: &str| (kid.map(Into::into), code.to_owned());
    assert_eq!(
        *heard.0.lock().unwrap(),
        [
            told(Some("curve"), "jwk_kind"),
            told(Some("half"), "jwk_missing"),
            told(Some("last"), "jwk_member"),
            told(None, "jwk_kind"),
            told(Some("encrypts"), "jwk_purpose"),
        ]
    );
}

/// The keys are there before the observer is told, so that its bug stops nobody.
#[test]
fn an_observer_that_panics_takes_no_key_along() {
    struct Panics;
    impl Observer for Panics {
        fn observe(&self, _: Event<'_>) {
            panic!("a bug");
        }
    }
    let transport = ScriptedTransport::new(|_| {
        let keys =
            format!(r#"{{"keys":[{{"kty":"future"}},{}]}}"#, ed25519(r#""kid":"a","alg":"EdDSA""#));
        Ok(Response::new(keys.into_bytes()))
    });
    let context = context(&ManualClock::at(1_000_000), &transport).with_observer(Panics);
    let jwks = RemoteJwkSet::builder(ISSUER, "https://issuer.example/", context).build().unwrap();
    let driving = std::panic::AssertUnwindSafe(|| jwks.lookup(&id("a")).wait());
    let _ = std::panic::catch_unwind(driving);
    assert!(jwks.lookup(&id("a")).wait().unwrap().is_some());
    assert_eq!(transport.exchanges(), 1);
}

#[test]
fn the_url_is_https_beyond_loopback() {
    let (clock, transport) =
        (ManualClock::at(0), ScriptedTransport::new(|_| Ok(Response::default())));
    for (url, expected) in [
        ("https://issuer.example/jwks.json", None),
        ("http://127.0.0.1:8080/jwks.json", None),
        ("http://issuer.example/jwks.json", Some("jwks_plain_http")),
        ("/jwks.json", Some("origin_scheme")),
        ("https://user@issuer.example/", Some("origin_user")),
        ("", Some("jwks_url")),
    ] {
        let built = RemoteJwkSet::builder(ISSUER, url, context(&clock, &transport)).build();
        assert_eq!(built.err().map(|error| error.code()), expected, "{url}");
    }
}
