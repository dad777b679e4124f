//! The circle of trust of an extension app, and what a user's client says of its user.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use auth_core::{Error, Result};
use auth_jwt::{ClaimsToSign, JwsAlgorithm, SigningKey};
use auth_symphony::{
    CircleOfTrust, Context, LogInRetry, SymphonyEndpoints, SymphonyLogIn, UserJwtVerifier,
};
use auth_testing::{ManualClock, ScriptedTransport, SeededRandom};
use http::{Request, Response};
use std::{
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

const NOW: u64 = 1_700_000_000;
const KEY: &str = include_str!("keys/pkcs8.pem");
const POD_KEY: &str = include_str!("keys/pkcs1.pem");
const POD: &str = include_str!("keys/pod.crt");
const NEXT_KEY: &str = include_str!("keys/4096.pem");
const NEXT_POD: &str = include_str!("keys/next-pod.crt");

struct World {
    asked: Vec<String>,
    certificate: &'static str,
    fails: bool,
    expire_at: u64,
    /// The token of an app that the pod says it has answered, in place of the one that it was sent.
    answers_to: Option<&'static str>,
}

impl World {
    fn answer(&mut self, request: &Request<Vec<u8>>) -> Result<Response<Vec<u8>>> {
        self.asked.push(format!("{} {}", request.method(), request.uri()));
        if self.fails {
            return Err(Error::transport("reset", "connection reset"));
        }
        let body = if request.uri().path() == "/pod/v1/podcert" {
            serde_json::json!({ "certificate": self.certificate })
        } else {
            let sent: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
            let has_jwt = request.uri().path().starts_with("/login/");
            assert_eq!(sent["authToken"].is_string(), has_jwt, "{sent}");
            let app_token = self.answers_to.or(sent["appToken"].as_str()).unwrap();
            serde_json::json!({
                "appId": "my-app", "appToken": app_token, "symphonyToken": "ts", "expireAt": self.expire_at,
            })
        };
        Ok(Response::new(body.to_string().into_bytes()))
    }
}

struct Stage {
    world: Arc<Mutex<World>>,
    clock: ManualClock,
    context: Context,
}

fn stage() -> Stage {
    let (asked, expire_at) = (Vec::new(), (NOW + 300) * 1000);
    let world = World { asked, certificate: POD, fails: false, expire_at, answers_to: None };
    let world = Arc::new(Mutex::new(world));
    let answering = Arc::clone(&world);
    let transport =
        ScriptedTransport::new(move |request| answering.lock().unwrap().answer(request));
    let clock = ManualClock::at(NOW);
    let context =
        Context::new(transport).with_clock(clock.clone()).with_random(SeededRandom::new(1));
    Stage { world, clock, context }
}

impl Stage {
    fn circle(&self, log_in: SymphonyLogIn) -> CircleOfTrust {
        let log_in = log_in.with_retry(LogInRetry::once());
        CircleOfTrust::new(&endpoints(), &log_in, self.context.clone()).unwrap()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn asked(&self) -> usize {
        std::mem::take(&mut self.world().asked).len()
    }
}

fn endpoints() -> SymphonyEndpoints {
    let pod = SymphonyEndpoints::new("https://pod.example").unwrap();
    pod.with_session_auth("https://pod.example:8444").unwrap()
}

fn by_key() -> SymphonyLogIn {
    SymphonyLogIn::rsa("my-app", KEY).unwrap()
}

#[test]
fn a_pair_is_trusted_until_it_expires_and_no_other_pair_is() {
    let paths = [
        (by_key(), "POST https://pod.example/login/v1/pubkey/app/authenticate/extensionApp"),
        (
            SymphonyLogIn::certificate(),
            "POST https://pod.example:8444/sessionauth/v1/authenticate/extensionApp",
        ),
    ];
    for (log_in, path) in paths {
        let stage = stage();
        let circle = stage.circle(log_in);
        let (one, other) = (circle.begin().wait().unwrap(), circle.begin().wait().unwrap());
        assert_eq!(stage.world().asked, [path, path]);
        assert!(one.expose().len() == 128 && !one.matches(other.expose()));
        assert!(circle.is_trusted(one.expose(), b"ts") && circle.is_trusted(other.expose(), b"ts"));
        for (app_token, symphony_token) in
            [(one.expose(), b"tS".as_slice()), (one.expose(), b""), (b"", b"ts"), (b"x", b"ts")]
        {
            assert!(!circle.is_trusted(app_token, symphony_token));
        }
        stage.clock.advance(Duration::from_secs(299));
        assert!(circle.is_trusted(one.expose(), b"ts"));
        stage.clock.advance(Duration::from_secs(1));
        assert!(!circle.is_trusted(one.expose(), b"ts"));
    }
}

#[test]
fn a_pair_expires_when_the_pod_says_in_seconds_or_milliseconds_and_after_five_minutes_at_most() {
    for (expire_at, life) in [
        ((NOW + 60) * 1000, 60),
        (NOW + 60, 60),
        ((NOW + 3000) * 1000, 300),
        (NOW + 3000, 300),
        (u64::MAX, 300),
        (0, 0),
    ] {
        let stage = stage();
        stage.world().expire_at = expire_at;
        let circle = stage.circle(by_key());
        let token = circle.begin().wait().unwrap();
        let lived = (0..400).take_while(|_| {
            let lives = circle.is_trusted(token.expose(), b"ts");
            stage.clock.advance(Duration::from_secs(1));
            lives
        });
        assert_eq!(lived.count(), life, "{expire_at}");
    }
}

#[test]
fn a_clock_that_is_set_makes_no_pair_live_longer_or_shorter() {
    for there in [NOW - 86_400, NOW + 86_400] {
        let stage = stage();
        let circle = stage.circle(by_key());
        let token = circle.begin().wait().unwrap();
        stage.clock.set(auth_core::Timestamp::from_unix(there));
        stage.clock.advance(Duration::from_secs(299));
        assert!(circle.is_trusted(token.expose(), b"ts"), "{there}");
        stage.clock.advance(Duration::from_secs(1));
        assert!(!circle.is_trusted(token.expose(), b"ts"), "{there}");
    }
}

#[test]
fn an_answer_to_another_token_is_none() {
    let stage = stage();
    stage.world().answers_to = Some("another");
    let error = stage.circle(by_key()).begin().wait().unwrap_err();
    assert_eq!(error.code(), "symphony_pair_answer");
}

fn claims() -> ClaimsToSign {
    for_app("my-app")
}

fn for_app(app: &str) -> ClaimsToSign {
    ClaimsToSign::expiring_in(Duration::from_secs(300))
        .unwrap()
        .with_issuer("Symphony Communication Services LLC.")
        .with_audience(app)
        .with_subject_number(7)
}

fn signed(key: &str, algorithm: JwsAlgorithm, claims: &ClaimsToSign) -> String {
    let key = SigningKey::from_pem(algorithm, key).unwrap();
    let clock = ManualClock::at(NOW);
    auth_jwt::JwtAuthenticator::new(key, claims.clone(), clock).sign().unwrap().expose().to_owned()
}

fn verifier(stage: &Stage) -> UserJwtVerifier {
    UserJwtVerifier::new(&endpoints(), "my-app", stage.context.clone())
}

/// The subject, or the code of the reason or error.
fn told(verifier: &UserJwtVerifier, token: &str) -> String {
    match verifier.verify(token).wait() {
        Ok(Ok(claims)) => claims.subject().unwrap().to_owned(),
        Ok(Err(refused)) => refused.reason().code.to_owned(),
        Err(error) => error.code().to_owned(),
    }
}

#[test]
fn a_users_token_is_of_this_pod_for_this_app_and_about_somebody() {
    use JwsAlgorithm::{PS512, RS256, RS512};
    let stage = stage();
    let verifier = verifier(&stage);
    for (token, expected) in [
        (signed(POD_KEY, RS512, &claims()), "7"),
        (signed(POD_KEY, RS512, &claims().with_subject("8")), "8"),
        (signed(POD_KEY, RS512, &claims().with_subject("jane")), "jwt_sub_type"),
        (signed(POD_KEY, RS256, &claims()), "jwt_alg"),
        (signed(POD_KEY, PS512, &claims()), "jwt_alg"),
        (signed(POD_KEY, RS512, &claims().with_issuer("Symphony")), "jwt_iss"),
        (signed(POD_KEY, RS512, &for_app("another-app")), "jwt_aud"),
    ] {
        let shown = told(&verifier, &token);
        assert!(shown.starts_with(expected), "{shown} {expected}");
    }
    assert_eq!(stage.asked(), 1, "the certificate, once");
    stage.clock.advance(Duration::from_secs(600));
    let shown = told(&verifier, &signed(POD_KEY, RS512, &claims()));
    assert_eq!(shown, "jwt_exp_past");
}

#[test]
fn a_new_certificate_of_the_pod_is_found_by_the_first_signature_that_it_made() {
    let stage = stage();
    let verifier = verifier(&stage);
    let old = signed(POD_KEY, JwsAlgorithm::RS512, &claims());
    let new = signed(NEXT_KEY, JwsAlgorithm::RS512, &claims());
    assert_eq!(told(&verifier, &old), "7");
    stage.world().certificate = NEXT_POD;
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(told(&verifier, &new), "7"));
        }
    });
    assert_eq!(stage.asked(), 2, "at first, and once for all");
    assert_eq!(told(&verifier, &old), "jwt_signature");
    // Whoever signs wrong has the pod asked once a minute, and the others notice nothing of it.
    for _ in 0..119 {
        assert_eq!(told(&verifier, &old), "jwt_signature");
        assert_eq!(told(&verifier, &new), "7");
        stage.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(stage.asked(), 1, "a minute after the first time");
}

#[test]
fn a_pod_that_is_down_takes_away_no_certificate_that_is_there() {
    let stage = stage();
    let verifier = verifier(&stage);
    stage.world().fails = true;
    let good = signed(POD_KEY, JwsAlgorithm::RS512, &claims());
    assert_eq!(told(&verifier, &good), "reset");
    stage.clock.advance(Duration::from_secs(2));
    stage.world().fails = false;
    assert_eq!(told(&verifier, &good), "7");
    stage.world().fails = true;
    let wrong = signed(NEXT_KEY, JwsAlgorithm::RS512, &claims());
    assert_eq!(told(&verifier, &wrong), "jwt_signature");
    assert_eq!(told(&verifier, &good), "7");
}
