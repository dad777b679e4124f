//! A bot at installations that behave badly: how often they are asked, and what becomes of its callers.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use auth_core::{Authenticator, Result, send};
use auth_symphony::{
    App, Bot, CircleOfTrust, Context, LogInRetry, SymphonyEndpoints, SymphonyLogIn, SymphonyUser,
    UserJwtVerifier,
};
use auth_testing::{ManualClock, ScriptedTransport, SeededRandom};
use http::{Request, Response};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

const NOW: u64 = 1_700_000_000;
const POD: &str = "https://pod.example/pod/v1/presence";
const AGENT: &str = "https://agent.example/agent/v4/message";

/// What was sent, by what it is for.
type Sent = BTreeMap<&'static str, u32>;

struct Stage {
    transport: ScriptedTransport,
    clock: ManualClock,
    context: Context,
    sent: Arc<Mutex<Sent>>,
}

/// What a request is for: `session`, `keys`, `probe`, `idm`, `app`, `user`, `info`; `pod` and `agent` for the rest.
fn kind(path: &str) -> &'static str {
    match path {
        _ if path.contains("/relay/") => "keys",
        _ if path.contains("/sessioninfo") => "probe",
        _ if path.contains("/idm/") => "idm",
        _ if path.contains("/info") => "info",
        _ if path.contains("/app/authenticate") => "app",
        _ if path.contains("/app/user") => "user",
        _ if path.starts_with("/login/") => "session",
        _ if path.starts_with("/agent/") => "agent",
        _ => "pod",
    }
}

/// An installation whose answers come from this, by what the request is for and how many of them there were before.
fn stage(
    answer: impl Fn(&str, u32, &Request<Vec<u8>>) -> Result<Response<Vec<u8>>> + Send + Sync + 'static,
) -> Stage {
    let sent = Arc::new(Mutex::new(Sent::new()));
    let counting = Arc::clone(&sent);
    let transport = ScriptedTransport::new(move |request| {
        let kind = kind(request.uri().path());
        let before = {
            let mut sent = counting.lock().unwrap();
            let count = sent.entry(kind).or_default();
            *count += 1;
            *count - 1
        };
        answer(kind, before, request)
    });
    let clock = ManualClock::at(NOW);
    let context =
        Context::new(transport.clone()).with_clock(clock.clone()).with_random(SeededRandom::new(1));
    Stage { transport, clock, context, sent }
}

impl Stage {
    fn bot(&self) -> Bot {
        let endpoints = SymphonyEndpoints::new("https://pod.example")
            .and_then(|it| it.with_key_manager("https://km.example"))
            .and_then(|it| it.with_agent("https://agent.example"));
        Bot::new(endpoints.unwrap(), log_in(), self.context.clone())
    }

    /// The status of a request that is sent with this authenticator, or the code of the error.
    fn sent(&self, with: &dyn Authenticator, url: &str) -> String {
        let request = Request::get(url).body(Vec::new()).unwrap();
        send(&self.transport, with, request.into()).wait().map_or_else(
            |error| error.code().to_owned(),
            |answer| answer.status().as_str().to_owned(),
        )
    }

    fn counted(&self) -> Sent {
        std::mem::take(&mut *self.sent.lock().unwrap())
    }
}

fn log_in() -> SymphonyLogIn {
    SymphonyLogIn::rsa("my-bot", include_str!("keys/pkcs8.pem")).unwrap()
}

fn status(code: u16) -> Result<Response<Vec<u8>>> {
    Ok(Response::builder().status(code).body(Vec::new()).unwrap())
}

fn token(name: &str, number: u32) -> Result<Response<Vec<u8>>> {
    let body = serde_json::json!({ "name": name, "token": format!("t-{number}") });
    Ok(Response::new(body.to_string().into_bytes()))
}

/// A minute in which agent and pod are both called ten times a second: what was sent, and what the callers of each were told.
fn minute(stage: &Stage, bot: &Bot) -> (Sent, BTreeMap<String, u32>) {
    let mut told = BTreeMap::new();
    for _ in 0..600 {
        *told.entry(format!("agent {}", stage.sent(&bot.agent(), AGENT))).or_default() += 1;
        *told.entry(format!("pod {}", stage.sent(&bot.pod(), POD))).or_default() += 1;
        stage.clock.advance(Duration::from_millis(100));
    }
    (stage.counted(), told)
}

/// Steps of a second, doubling to a minute, and each between half and all of that.
const STEPS: u32 = 9;

/// Every five seconds, and once more in each step.
const PROBES: u32 = 12 + STEPS;

#[track_caller]
fn at_most(sent: &Sent, most: &[(&str, u32)]) {
    for (kind, most) in most {
        let count = sent.get(kind).copied().unwrap_or_default();
        assert!(count <= *most, "{kind}: {sent:?}");
    }
}

#[test]
fn a_node_of_an_agent_that_refuses_every_token_causes_no_flood_and_the_others_are_served() {
    let stage = stage(|kind, before, _| match kind {
        "session" => token("sessionToken", before),
        "keys" => token("keyManagerToken", before),
        "agent" => status(if before % 3 == 0 { 401 } else { 200 }),
        _ => status(200),
    });
    let (sent, told) = minute(&stage, &stage.bot());
    at_most(&sent, &[("session", 1), ("keys", STEPS), ("probe", PROBES)]);
    assert!(told["pod 200"] == 600 && told["agent 200"] >= 400, "{told:?}");
}

#[test]
fn an_agent_that_refuses_every_token_causes_no_flood_and_its_answer_is_delivered() {
    let stage = stage(|kind, before, _| match kind {
        "session" => token("sessionToken", before),
        "keys" => token("keyManagerToken", before),
        "agent" => status(401),
        _ => status(200),
    });
    let (sent, told) = minute(&stage, &stage.bot());
    at_most(&sent, &[("session", 1), ("keys", STEPS), ("probe", PROBES)]);
    assert_eq!((told["pod 200"], told["agent 401"]), (600, 600));
}

/// As behind a gateway that does not let the question pass.
#[test]
fn a_pod_that_says_of_every_session_that_it_is_dead_and_takes_it_takes_no_requests_along() {
    let stage = stage(|kind, before, _| match kind {
        "session" => token("sessionToken", before),
        "keys" => token("keyManagerToken", before),
        "agent" | "probe" => status(401),
        _ => status(200),
    });
    let (sent, told) = minute(&stage, &stage.bot());
    at_most(&sent, &[("session", STEPS), ("keys", 1), ("probe", PROBES)]);
    assert_eq!((told["pod 200"], told["agent 401"]), (600, 600));
}

#[test]
fn a_key_manager_that_is_down_is_asked_in_steps_and_takes_no_token_away_that_some_node_takes() {
    for (one_in, most_401) in [(3, 1), (1, 600)] {
        let stage = stage(move |kind, before, _| match kind {
            "session" => token("sessionToken", before),
            "keys" if before == 0 => token("keyManagerToken", before),
            "keys" => status(401),
            "agent" => status(if before % one_in == 0 { 401 } else { 200 }),
            _ => status(200),
        });
        let (sent, told) = minute(&stage, &stage.bot());
        at_most(&sent, &[("session", 1), ("keys", STEPS), ("probe", PROBES), ("agent", 1200)]);
        assert_eq!(told["pod 200"], 600);
        assert_eq!(told.len(), 2, "{told:?}");
        let refused = told.get("agent 401").copied().unwrap_or_default();
        assert!(refused <= most_401, "{told:?}");
    }
}

#[test]
fn an_agent_that_needs_the_key_manager_token_after_all_causes_no_flood() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let stage = stage(|kind, before, _| match kind {
        "session" => {
            let claims = format!(r#"{{"canUseSimplifiedKeyDelivery":true,"jti":{before}}}"#);
            let made = format!("e30.{}.AA", URL_SAFE_NO_PAD.encode(claims));
            let body = serde_json::json!({ "name": "sessionToken", "token": made });
            Ok(Response::new(body.to_string().into_bytes()))
        }
        "info" => Ok(Response::new(br#"{"version":"Agent-25.1.0"}"#.to_vec())),
        "agent" => status(401),
        _ => status(200),
    });
    let bot = stage.bot().with_simplified_key_delivery();
    let (sent, told) = minute(&stage, &bot);
    at_most(&sent, &[("session", STEPS), ("info", STEPS), ("keys", 0), ("probe", 0)]);
    assert_eq!((told["pod 200"], told["agent 401"]), (600, 600));
}

/// A JWT that ends then, as log-ins bring them along.
fn ending(at: u64) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    format!("e30.{}.AA", URL_SAFE_NO_PAD.encode(format!(r#"{{"exp":{at}}}"#)))
}

fn bringing(authorization: &str) -> Result<Response<Vec<u8>>> {
    let body = serde_json::json!({
        "name": "sessionToken", "token": "t-0", "authorizationToken": authorization,
    });
    Ok(Response::new(body.to_string().into_bytes()))
}

fn idm(token: &str, life: u64) -> Result<Response<Vec<u8>>> {
    let body = serde_json::json!({ "access_token": token, "expires_in": life });
    Ok(Response::new(body.to_string().into_bytes()))
}

fn bearer(request: &Request<Vec<u8>>) -> &str {
    request.headers()["authorization"].to_str().unwrap()
}

#[test]
fn a_common_jwt_that_came_along_and_was_refused_is_not_sent_again() {
    let brought = ending(NOW + 3600);
    let refused = format!("Bearer {brought}");
    let stage = stage(move |kind, before, request| match kind {
        "session" => bringing(&brought),
        "idm" => idm(&format!("j-{before}"), 300),
        _ => status(if bearer(request) == refused { 401 } else { 200 }),
    });
    let bot = stage.bot().with_common_jwt();
    for _ in 0..60 {
        assert_eq!(stage.sent(&bot.pod(), POD), "200");
        stage.clock.advance(Duration::from_secs(30));
    }
    assert_eq!(stage.counted()["pod"], 61, "refused once");
}

#[test]
fn a_common_jwt_that_came_along_and_no_field_can_hold_is_passed_over() {
    let good = ending(NOW + 3600);
    for brought in [
        good.replace("AA", "A A"),
        good.replace("AA", "A\nA"),
        good.replace("AA", "\u{fc}"),
        good.replace("AA", &"A".repeat(9000)),
        "Bearer".into(),
        "Bearer ".into(),
        String::new(),
    ] {
        let stage = stage(move |kind, _, request| match kind {
            "session" => bringing(&brought),
            "idm" => idm("j", 300),
            _ => status(if bearer(request) == "Bearer j" { 200 } else { 401 }),
        });
        let bot = stage.bot().with_common_jwt();
        assert_eq!(stage.sent(&bot.pod(), POD), "200");
        assert_eq!(stage.counted(), Sent::from([("idm", 1), ("pod", 1), ("session", 1)]));
    }
}

#[test]
fn a_common_jwt_is_the_same_with_each_spelling_of_its_word_and_each_life() {
    for (access_token, life) in [
        ("j", 300),
        ("Bearer j", 300),
        ("bearer j", 300),
        ("BEARER j", u64::from(u32::MAX)),
        ("j", u64::MAX),
        ("j", 0),
        ("j", 1),
    ] {
        let stage = stage(move |kind, before, request| match kind {
            "session" => token("sessionToken", before),
            "idm" => idm(access_token, life),
            "keys" => token("keyManagerToken", before),
            _ => status(if bearer(request) == "Bearer j" { 200 } else { 401 }),
        });
        let (sent, told) = minute(&stage, &stage.bot().with_common_jwt());
        assert_eq!((told["pod 200"], told["agent 200"]), (600, 600), "{access_token} {life}");
        // One that lives for a second is renewed between 0.6 and 0.8 of it.
        at_most(&sent, &[("session", 1), ("idm", 100), ("keys", 1)]);
    }
}

#[test]
fn no_failure_that_says_when_to_come_again_is_followed_earlier() {
    for code in [429, 500, 502, 503, 504, 507] {
        let stage = stage(move |_, before, _| match before {
            0 => {
                let mut answer = status(code)?;
                answer.headers_mut().insert("retry-after", "7".parse().unwrap());
                Ok(answer)
            }
            1 => status(code),
            _ => token("sessionToken", before),
        });
        let retry = LogInRetry::new(3, Duration::from_secs(1), 2.0, Duration::from_secs(8));
        let endpoints = SymphonyEndpoints::new("https://pod.example").unwrap();
        let log_in = log_in().with_retry(retry.unwrap());
        let bot = Bot::new(endpoints, log_in, stage.context.clone());
        assert!(bot.session_token().wait().is_ok(), "{code}");
        let pauses = stage.transport.pauses();
        assert!(pauses[0] == Duration::from_secs(7) && pauses[1] <= Duration::from_secs(2));
    }
}

#[test]
fn what_a_component_writes_is_in_no_error() {
    for body in [
        r#""s3cret""#,
        r#"{"name":"s3cret","token":"t"}"#,
        r#"{"name":"abcdefs","token":"t"}"#,
        r#"{"token":["s3cret"]}"#,
        r#"{"s3cret":"#,
        r#"{"token":"s3cret abcdefs"}"#,
        r#"{"certificate":["s3cret"]}"#,
        r#"{"certificate":"s3cret"}"#,
    ] {
        let stage = stage(move |_, _, _| Ok(Response::new(body.into())));
        let bot = stage.bot();
        let endpoints = SymphonyEndpoints::new("https://pod.example").unwrap();
        let users = UserJwtVerifier::new(&endpoints, "app", stage.context.clone());
        let circle = CircleOfTrust::new(&endpoints, &log_in(), stage.context.clone()).unwrap();
        let errors = [
            bot.session_token().wait().unwrap_err(),
            bot.key_manager_token().wait().unwrap_err(),
            users.verify("e30.e30.AA").wait().unwrap_err(),
            circle.begin().wait().unwrap_err(),
        ];
        let shown = format!("{errors:?} {}", errors.each_ref().map(ToString::to_string).join(" "));
        assert!(!shown.contains("s3cret") && !shown.contains("abcdefs"), "{body}: {shown}");
    }
}

#[test]
fn no_token_goes_to_what_only_looks_like_its_component() {
    let stage = stage(|kind, before, request| {
        let host = request.uri().host().unwrap().to_lowercase();
        assert!(["pod.example", "km.example", "agent.example"].contains(&&*host), "{host}");
        match kind {
            "session" | "app" | "user" => token("sessionToken", before),
            "keys" => token("keyManagerToken", before),
            _ => status(302),
        }
    });
    let bot = stage.bot();
    let endpoints = SymphonyEndpoints::new("https://pod.example/ctx").unwrap();
    let app = App::new(endpoints, log_in(), stage.context.clone());
    let user = app.on_behalf_of(SymphonyUser::Id(-7));
    let (pod, agent) = (bot.pod(), bot.agent());
    let all: [(&dyn Authenticator, &str); 3] = [(&pod, "pod"), (&agent, "agent"), (&user, "pod")];
    for (authenticator, host) in all {
        for url in [
            format!("http://{host}.example/pod/x"),
            format!("https://{host}.example:8443/pod/x"),
            format!("https://{host}.example.evil/pod/x"),
            format!("https://{host}.example%2eevil/pod/x"),
            format!("https://evil.{host}.example/pod/x"),
            format!("https://{host}.example@evil.example/pod/x"),
            format!("https://me@{host}.example/pod/x"),
            format!("//{host}.example/pod/x"),
            "/pod/x".into(),
        ] {
            let Ok(request) = Request::get(&url).body(Vec::new()) else { continue };
            let before = stage.transport.exchanges();
            let sent = send(&stage.transport, authenticator, request.into()).wait();
            assert!(sent.is_err(), "{url}");
            assert_eq!(stage.transport.exchanges(), before, "{url}");
        }
        // A redirect is an answer.
        let url = format!("https://{}.EXAMPLE:443/pod/x", host.to_uppercase());
        assert_eq!(stage.sent(authenticator, &url), "302");
    }
    let sent = stage.counted();
    assert_eq!(sent["app"] + sent["user"] + sent["session"] + sent["keys"], 4, "{sent:?}");
}

#[test]
fn a_user_is_one_segment_of_the_path_whatever_the_name() {
    let paths = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&paths);
    let stage = stage(move |kind, before, request| {
        if kind == "user" {
            seen.lock().unwrap().push(request.uri().to_string());
        }
        token("sessionToken", before)
    });
    let endpoints = SymphonyEndpoints::new("https://pod.example/ctx").unwrap();
    let app = App::new(endpoints, log_in(), stage.context.clone());
    let name = |name: &str| SymphonyUser::Name(name.into());
    for (user, segment) in [
        (SymphonyUser::Id(-7), "user/-7"),
        (SymphonyUser::Id(i64::MIN), "user/-9223372036854775808"),
        (name("a/../b"), "username/a%2F..%2Fb"),
        (name("%2e%2e"), "username/%252e%252e"),
        (name("..."), "username/..."),
        (name("a?b#c;d&e=f"), "username/a%3Fb%23c%3Bd%26e%3Df"),
        (name("b\u{fc}\0\r\n\\"), "username/b%C3%BC%00%0D%0A%5C"),
        (name("me@acme.com"), "username/me%40acme.com"),
    ] {
        assert_eq!(stage.sent(&app.on_behalf_of(user), "https://pod.example/pod/x"), "200");
        let expected = format!("https://pod.example/ctx/login/pubkey/app/{segment}/authenticate");
        assert_eq!(paths.lock().unwrap().pop().unwrap(), expected);
    }
}

#[test]
fn a_user_without_the_app_takes_no_session_of_the_app_away_from_the_others() {
    let stage = stage(|kind, before, request| match kind {
        "app" if before == 0 => token("sessionToken", before),
        "app" => status(503),
        "user" if request.uri().path().contains("stranger") => status(401),
        "user" => token("sessionToken", before),
        _ => status(200),
    });
    let endpoints = SymphonyEndpoints::new("https://pod.example").unwrap();
    let log_in = log_in().with_retry(LogInRetry::once());
    let app = App::new(endpoints, log_in, stage.context.clone());
    let sent = |name: &str| {
        let user = app.on_behalf_of(SymphonyUser::Name(name.into()));
        stage.sent(&user, "https://pod.example/pod/x")
    };
    assert_eq!(sent("jane"), "200");
    for _ in 0..100 {
        assert_eq!(sent("stranger"), "symphony_on_behalf_of");
        assert_eq!(sent("john"), "200");
        stage.clock.advance(Duration::from_secs(3));
    }
    assert!(stage.counted()["app"] < 20);
}
