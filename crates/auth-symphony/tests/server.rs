//! The log-ins of bots at a pod of our own: made by the client of this crate, and by hand.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use auth_core::{Flow, MemoryReplayStore, Result, Secret};
use auth_jwt::{
    ClaimsToSign, JwsAlgorithm, JwtAuthenticator, JwtKeys, KeyId, SigningKey,
    profiles::symphony_login_claims,
};
use auth_symphony::{
    Bot, Context, LogInEndpoint, RequestView, SymphonyEndpoints, SymphonyLogIn, TokenIssuer,
    TokenName,
};
use auth_testing::{ManualClock, ScriptedTransport};
use http::{HeaderMap, Method, Uri};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

const NOW: u64 = 1_700_000_000;
const KEY: &str = include_str!("keys/pkcs8.pem");
const OTHER: &str = include_str!("keys/4096.pem");

struct Issuer(AtomicU32);

impl TokenIssuer for Issuer {
    type Account = &'static str;

    fn issue(&self, account: &'static str) -> Flow<'_, Secret> {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        Flow::ready(Secret::new(format!("{account}-{number}")))
    }
}

type Endpoint = LogInEndpoint<HashMap<KeyId, JwtKeys<&'static str>>, Issuer>;

fn signing(pem: &str, algorithm: JwsAlgorithm) -> SigningKey {
    SigningKey::from_pem(algorithm, pem).unwrap()
}

/// `bot` has one key, `rotating` has another one and still that.
fn endpoint(clock: &ManualClock, name: TokenName) -> Endpoint {
    remembering(clock, name, MemoryReplayStore::new(clock.clone()))
}

fn remembering(clock: &ManualClock, name: TokenName, replays: MemoryReplayStore) -> Endpoint {
    let key = |pem| signing(pem, JwsAlgorithm::RS512).verifying();
    let id = |name: &str| KeyId { issuer: Some(name.into()), kid: None };
    let keys = HashMap::from([
        (id("bot"), JwtKeys::from_iter([(key(KEY), "bot")])),
        (id("rotating"), JwtKeys::from_iter([(key(OTHER), "rotating"), (key(KEY), "rotating")])),
    ]);
    let issuer = Issuer(AtomicU32::new(0));
    LogInEndpoint::new(name, keys, issuer, replays, clock.clone()).unwrap()
}

/// The status, the body and the code of the reason.
fn told(endpoint: &Endpoint, body: &[u8]) -> (u16, String, &'static str) {
    let (uri, headers) = (Uri::from_static("/login/pubkey/authenticate"), HeaderMap::new());
    let request =
        RequestView::new(&Method::POST, &uri, &headers).with_body(auth_core::Body::Bytes(body));
    let answer = endpoint.log_in(request).wait().unwrap();
    // The first bytes of the body: `{"`, in numbers.
    assert!(!format!("{answer:?}").contains("123, 34"), "{answer:?}");
    let body = String::from_utf8(answer.response.body().clone()).unwrap();
    (answer.response.status().as_u16(), body, answer.refused.map_or("", |reason| reason.code))
}

fn body(jwt: &str) -> Vec<u8> {
    serde_json::json!({ "token": jwt }).to_string().into_bytes()
}

fn signed(
    claims: ClaimsToSign,
    pem: &str,
    algorithm: JwsAlgorithm,
    clock: &ManualClock,
) -> Vec<u8> {
    let signer = JwtAuthenticator::new(signing(pem, algorithm), claims, clock.clone());
    body(signer.sign().unwrap().expose())
}

fn lasting(seconds: u64, name: &str) -> ClaimsToSign {
    let claims = ClaimsToSign::expiring_in(Duration::from_secs(seconds)).unwrap();
    claims.with_subject(name).without_issued_at()
}

#[test]
fn our_bot_logs_in_at_our_pod_with_either_key_and_form() {
    for (name, pem) in [
        ("bot", KEY),
        ("bot", include_str!("keys/pkcs1.pem")),
        ("rotating", KEY),
        ("rotating", OTHER),
    ] {
        let clock = ManualClock::at(NOW);
        let pod = Arc::new(endpoint(&clock, TokenName::Session));
        let transport = ScriptedTransport::new(move |request| {
            let view = RequestView::new(request.method(), request.uri(), request.headers());
            let answer =
                pod.log_in(view.with_body(auth_core::Body::Bytes(request.body()))).wait()?;
            Ok(answer.response)
        });
        let bot = Bot::new(
            SymphonyEndpoints::new("https://pod.example").unwrap(),
            SymphonyLogIn::rsa(name, pem).unwrap(),
            Context::new(transport).with_clock(clock.clone()),
        );
        let token = bot.session_token().wait().unwrap().token;
        assert!(token.secret().matches(format!("{name}-1").as_bytes()));
        // A pod's answer is no key manager's. A second later, since a log-in of the same second is the same token.
        clock.advance(Duration::from_secs(1));
        let wrong: Result<_> = bot.key_manager_token().wait();
        assert_eq!(wrong.unwrap_err().code(), "symphony_token_name");
    }
}

#[test]
fn what_is_refused_looks_the_same_outside_and_is_told_apart_inside() {
    use JwsAlgorithm::{RS256, RS512};
    let clock = ManualClock::at(NOW);
    let pod = endpoint(&clock, TokenName::KeyManager);
    let good = symphony_login_claims("bot");
    for (body, code) in [
        (signed(good.clone(), OTHER, RS512, &clock), "jwt_signature"),
        (signed(good.clone(), KEY, RS256, &clock), "jwt_alg_other"),
        (signed(symphony_login_claims("nobody"), KEY, RS512, &clock), "jwt_key_unknown"),
        (signed(lasting(361, "bot"), KEY, RS512, &clock), "jwt_exp_far"),
        (body("a.b.c"), "jwt_header_base64url"),
        (body(""), "authorization_credentials"),
        (body("a\nb"), "symphony_log_in_token"),
    ] {
        let (status, said, reason) = told(&pod, &body);
        assert_eq!((status, &*said), (401, r#"{"code":401,"message":"login failed"}"#), "{code}");
        assert_eq!(reason, code);
    }
    let expired = signed(lasting(60, "bot"), KEY, RS512, &clock);
    clock.advance(Duration::from_secs(120));
    assert_eq!(told(&pod, &expired).2, "jwt_exp_past");
    for body in [
        &b""[..],
        b"{}",
        b"[\"a\"]",
        b"{\"token\":7}",
        b"{\"token\":\"a\",\"token\":\"b\"}",
        b"\xff",
    ] {
        let (status, _, reason) = told(&pod, body);
        assert_eq!((status, reason), (400, "symphony_log_in_body"), "{body:?}");
    }
    assert_eq!(told(&pod, &[b' '; 16 * 1024 + 1]).2, "symphony_log_in_long");
    let (status, said, _) = told(&pod, &signed(good, KEY, RS512, &clock));
    assert_eq!((status, &*said), (200, r#"{"name":"keyManagerToken","token":"bot-1"}"#));
}

#[test]
fn clocks_may_differ_by_45_seconds_either_way() {
    for skew in [-45_i64, 45] {
        let (pods, bots) = (ManualClock::at(NOW), ManualClock::at(NOW.wrapping_add_signed(skew)));
        let pod = endpoint(&pods, TokenName::Session);
        let body = signed(symphony_login_claims("bot"), KEY, JwsAlgorithm::RS512, &bots);
        assert_eq!(told(&pod, &body).0, 200, "{skew}");
    }
}

#[test]
fn a_log_in_is_accepted_once_however_many_repeat_it_at_once() {
    let clock = ManualClock::at(NOW);
    let pod = endpoint(&clock, TokenName::Session);
    let body = signed(symphony_login_claims("bot"), KEY, JwsAlgorithm::RS512, &clock);
    let accepted = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| match told(&pod, &body) {
                (200, ..) => drop(accepted.fetch_add(1, Ordering::SeqCst)),
                (401, _, reason) => assert_eq!(reason, "symphony_log_in_repeated"),
                other => panic!("{other:?}"),
            });
        }
    });
    assert_eq!(accepted.into_inner(), 1);
}

#[test]
fn an_account_that_logs_in_all_the_time_keeps_neither_itself_nor_another_out() {
    let clock = ManualClock::at(NOW);
    let few = MemoryReplayStore::new(clock.clone()).with_limit(16 * 1024);
    let pod = remembering(&clock, TokenName::Session, few);
    let bodies: Vec<_> = (100..=300)
        .map(|seconds| signed(lasting(seconds, "bot"), KEY, JwsAlgorithm::RS512, &clock))
        .collect();
    for body in &bodies {
        let (status, _, reason) = told(&pod, body);
        assert_eq!((status, reason), (200, ""));
    }
    let another = signed(symphony_login_claims("rotating"), KEY, JwsAlgorithm::RS512, &clock);
    assert_eq!(told(&pod, &another).0, 200);
    // What was forgotten is not good again.
    for body in bodies.iter().chain([&another]) {
        assert_eq!(told(&pod, body).0, 401);
    }
}

/// The answer to the first log-in is lost: the pod has accepted it, and takes no repetition.
#[test]
fn a_log_in_whose_answer_was_lost_is_tried_again_in_the_same_second() {
    let clock = ManualClock::at(NOW);
    let pod = Arc::new(endpoint(&clock, TokenName::Session));
    let asked = AtomicU32::new(0);
    let transport = ScriptedTransport::new(move |request| {
        let view = RequestView::new(request.method(), request.uri(), request.headers());
        let answer = pod.log_in(view.with_body(auth_core::Body::Bytes(request.body()))).wait()?;
        match asked.fetch_add(1, Ordering::SeqCst) {
            0 => Err(auth_core::Error::transport("reset", "connection reset")),
            _ => Ok(answer.response),
        }
    });
    let bot = Bot::new(
        SymphonyEndpoints::new("https://pod.example").unwrap(),
        SymphonyLogIn::rsa("bot", KEY).unwrap(),
        Context::new(transport).with_clock(clock),
    );
    assert!(bot.session_token().wait().unwrap().token.secret().matches(b"bot-2"));
}

#[test]
fn all_log_ins_of_one_bot_at_once_are_accepted() {
    let clock = ManualClock::at(NOW);
    let pod = Arc::new(endpoint(&clock, TokenName::Session));
    let (seen, at) = (Arc::clone(&pod), clock.clone());
    let transport = ScriptedTransport::new(move |request| {
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        let token = body["authToken"].as_str().unwrap();
        let (status, _, reason) = told(&seen, &self::body(token));
        assert_eq!((status, reason), (200, ""));
        let (app_token, expire_at) = (&body["appToken"], (NOW + 300) * 1000);
        let body = serde_json::json!({
            "appId": "bot", "appToken": app_token, "symphonyToken": "ts", "expireAt": expire_at,
        });
        Ok(http::Response::new(body.to_string().into_bytes()))
    });
    let circle = auth_symphony::CircleOfTrust::new(
        &SymphonyEndpoints::new("https://pod.example").unwrap(),
        &SymphonyLogIn::rsa("bot", KEY).unwrap(),
        Context::new(transport).with_clock(at),
    );
    let circle = circle.unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..5).for_each(|_| drop(circle.begin().wait().unwrap())));
        }
    });
}
