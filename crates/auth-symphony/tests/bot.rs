//! A bot at an installation that follows the vendor's description: a pod, a key manager and an agent, two tokens that live
//! until they are killed, and an agent that does not say which of them died.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use auth_core::{Authenticator, Error, Event, Observer, RequestView, Result, Verdict, send};
use auth_jwt::{JwsAlgorithm, SigningKey};
use auth_symphony::{
    App, Bot, Context, LogInRetry, SymphonyEndpoints, SymphonyLogIn, SymphonyUser,
};
use auth_testing::{ManualClock, ScriptedTransport, SeededRandom};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use std::{
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

const NOW: u64 = 1_700_000_000;
const PKCS1: &str = include_str!("keys/pkcs1.pem");
const PKCS8: &str = include_str!("keys/pkcs8.pem");
const LONG: &str = include_str!("keys/4096.pem");

/// What the installation knows, and what becomes of its next log-ins.
#[derive(Default)]
struct Installation {
    session: Option<String>,
    keys: Option<String>,
    app: Option<String>,
    /// The common JWT.
    bearer: Option<String>,
    /// The claims of session tokens, where they are JWTs.
    claims: Option<&'static str>,
    /// What the agent says of itself, if it does, and whether it wants one token alone.
    version: Option<&'static str>,
    wants_one: bool,
    /// What log-ins bring along as `authorizationToken`.
    brings: Option<String>,
    made: u32,
    /// What was asked for, without the token that was signed.
    asked: Vec<String>,
    /// The signed tokens of log-ins.
    jwts: Vec<String>,
    /// Each answers one exchange in place of the installation.
    faults: Vec<Fault>,
}

#[derive(Clone)]
enum Fault {
    Status(u16),
    /// A 429 with this `Retry-After`.
    Later(&'static str),
    Body(&'static str),
    Lost,
}

impl Installation {
    fn answer(&mut self, request: &Request<Vec<u8>>) -> Result<Response<Vec<u8>>> {
        let field = |name: &str| request.headers().get(name).map(|it| it.to_str().unwrap());
        let (session, keys) = (field("sessiontoken"), field("keymanagertoken"));
        let bearer = field("authorization").map(|it| it.strip_prefix("Bearer ").unwrap());
        let url = request.uri().to_string();
        if url.ends_with("/agent/v1/info") {
            self.asked.push(format!("{} {url} {}", request.method(), session.unwrap_or("-")));
            let version = self.version.map(|it| serde_json::json!({ "version": it }).to_string());
            return Ok(version.map_or_else(|| status(500), |it| Response::new(it.into_bytes())));
        }
        if url.contains("/agent/") || url.contains("/pod/v1/") {
            let is_agent = url.contains("/agent/");
            let good = match bearer {
                Some(bearer) => session.is_none() && self.bearer.as_deref() == Some(bearer),
                None => session.is_some() && session == self.session.as_deref(),
            };
            let good = good
                && match is_agent && !self.wants_one {
                    true => keys.is_some() && keys == self.keys.as_deref(),
                    false => keys.is_none(),
                };
            return Ok(status(if good { 200 } else { 401 }));
        }
        let kind = field("content-type").unwrap_or("-");
        self.asked.push(format!("{} {url} {} {kind}", request.method(), session.unwrap_or("-")));
        if !self.faults.is_empty() {
            return match self.faults.remove(0) {
                Fault::Status(code) => Ok(status(code)),
                Fault::Later(when) => {
                    let mut answer = status(429);
                    answer.headers_mut().insert("retry-after", when.parse().unwrap());
                    Ok(answer)
                }
                Fault::Body(body) => Ok(Response::new(body.into())),
                Fault::Lost => Err(Error::transport("reset", "connection reset")),
            };
        }
        let path = request.uri().path();
        if path.ends_with("/sessioninfo") {
            let good = match bearer {
                Some(bearer) => self.bearer.as_deref() == Some(bearer),
                None => session == self.session.as_deref(),
            };
            return Ok(status(if good { 200 } else { 401 }));
        }
        if path.ends_with("/idm/tokens") {
            if session != self.session.as_deref() {
                return Ok(status(401));
            }
            self.made += 1;
            let made = format!("b-{}", self.made);
            self.bearer = Some(made.clone());
            let body = serde_json::json!({ "token_type": "Bearer", "expires_in": 300, "access_token": made });
            return Ok(Response::new(body.to_string().into_bytes()));
        }
        if path.contains("/user") {
            let of_app = self.app.as_deref().is_some_and(|app| session == Some(app));
            if !of_app || path.contains("/stranger/") {
                return Ok(status(401));
            }
            self.made += 1;
            self.session = Some(format!("user-{}", self.made));
            return Ok(token("sessionToken", &format!("user-{}", self.made)));
        }
        if path.contains("pubkey") {
            let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
            self.jwts.push(body["token"].as_str().unwrap().to_owned());
        } else {
            assert!(request.body().is_empty(), "a log-in by certificate has no body");
        }
        self.made += 1;
        let (name, place) = match path {
            _ if path.contains("/app/") => ("sessionToken", &mut self.app),
            _ if path.contains("/relay/") || path.contains("/keyauth/") => {
                ("keyManagerToken", &mut self.keys)
            }
            _ => ("sessionToken", &mut self.session),
        };
        let mut made = format!("{}-{}", if name == "sessionToken" { "s" } else { "k" }, self.made);
        if let Some(claims) = self.claims.filter(|_| name == "sessionToken") {
            made = jwt(claims);
        }
        *place = Some(made.clone());
        let mut body = serde_json::json!({ "name": name, "token": made });
        if let Some(brings) = self.brings.take() {
            body["authorizationToken"] = brings.clone().into();
            self.bearer = Some(brings.trim_start_matches("Bearer ").to_owned());
        }
        Ok(Response::new(body.to_string().into_bytes()))
    }
}

type Kill = fn(&mut Installation);

fn status(code: u16) -> Response<Vec<u8>> {
    let body = format!(r#"{{"code":{code},"message":"see s-1 and the rest"}}"#).into_bytes();
    Response::builder().status(code).body(body).unwrap()
}

fn token(name: &str, token: &str) -> Response<Vec<u8>> {
    let body = serde_json::json!({ "name": name, "token": token });
    Response::new(body.to_string().into_bytes())
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Observer for Told {
    fn observe(&self, event: Event<'_>) {
        let line = match event {
            Event::Renewed { session, .. } => format!("renewed {session}"),
            Event::RenewalFailed { error, .. } => format!("failed {}", error.code()),
            Event::Condemned { session, .. } => format!("condemned {session}"),
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

struct Stage {
    world: Arc<Mutex<Installation>>,
    transport: ScriptedTransport,
    clock: ManualClock,
    context: Context,
    told: Told,
}

fn stage() -> Stage {
    let world = Arc::new(Mutex::new(Installation::default()));
    let answering = Arc::clone(&world);
    let transport =
        ScriptedTransport::new(move |request| answering.lock().unwrap().answer(request));
    let (clock, told) = (ManualClock::at(NOW), Told::default());
    let context = Context::new(transport.clone())
        .with_clock(clock.clone())
        .with_random(SeededRandom::new(1))
        .with_observer(told.clone());
    Stage { world, transport, clock, context, told }
}

impl Stage {
    fn bot(&self) -> Bot {
        Bot::new(endpoints(), log_in(), self.context.clone())
    }

    fn world(&self) -> MutexGuard<'_, Installation> {
        self.world.lock().unwrap()
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.world().asked)
    }

    /// The status of a request that is sent with this authenticator, or the code of the error.
    fn sent(&self, with: &dyn Authenticator, url: &str) -> String {
        let request = Request::get(url).body(Vec::new()).unwrap();
        send(&self.transport, with, request.into()).wait().map_or_else(
            |error| error.code().to_owned(),
            |answer| answer.status().as_str().to_owned(),
        )
    }
}

fn endpoints() -> SymphonyEndpoints {
    SymphonyEndpoints::new("https://pod.example")
        .and_then(|it| it.with_key_manager("https://km.example"))
        .and_then(|it| it.with_agent("https://agent.example:8443/ctx"))
        .and_then(|it| it.with_session_auth("https://pod.example:8444"))
        .and_then(|it| it.with_certificate_key_manager("https://km.example:8444"))
        .unwrap()
}

fn log_in() -> SymphonyLogIn {
    SymphonyLogIn::rsa("my-bot", PKCS8).unwrap()
}

const POD: &str = "https://pod.example/pod/v1/presence";
const AGENT: &str = "https://agent.example:8443/ctx/agent/v4/stream/x/message/create";
const SESSION: &str = "POST https://pod.example/login/pubkey/authenticate - application/json";
const KEYS: &str = "POST https://km.example/relay/pubkey/authenticate - application/json";

fn probe(session: u32) -> String {
    format!("GET https://pod.example/pod/v2/sessioninfo s-{session} -")
}

#[test]
fn the_pod_gets_one_token_and_the_agent_both_and_each_is_obtained_once() {
    let stage = stage();
    let bot = stage.bot();
    assert_eq!(stage.sent(&bot.pod(), POD), "200");
    assert_eq!(stage.asked(), [SESSION]);
    assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
    assert_eq!(stage.asked(), [KEYS]);
    // Neither token says when it ends: a fortnight is no reason to log in.
    stage.clock.advance(Duration::from_secs(14 * 24 * 3600));
    for _ in 0..3 {
        assert_eq!(stage.sent(&bot.pod(), POD), "200");
        assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
    }
    assert!(stage.asked().is_empty());
}

/// The header and the claims of a signed token.
fn opened(jwt: &str, key: &str) -> (String, serde_json::Value) {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let mut parts = jwt.rsplitn(2, '.');
    let (signature, message) = (parts.next().unwrap(), parts.next().unwrap());
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let key = SigningKey::from_pem(JwsAlgorithm::RS512, key).unwrap().verifying();
    key.verify(message.as_bytes(), &decoded(signature)).unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let header = String::from_utf8(decoded(header)).unwrap();
    (header, serde_json::from_slice(&decoded(claims)).unwrap())
}

#[test]
fn each_log_in_signs_a_token_of_its_own_with_a_name_and_an_end() {
    let stage = stage();
    let escaped = PKCS8.replace('\n', "\\n");
    for (key, signs) in [(PKCS1, PKCS8), (PKCS8, PKCS1), (&escaped, PKCS8), (LONG, LONG)] {
        let log_in = SymphonyLogIn::rsa("my-bot", key).unwrap();
        let bot = Bot::new(endpoints(), log_in, stage.context.clone());
        assert_eq!(stage.sent(&bot.pod(), POD), "200");
        let jwt = stage.world().jwts.pop().unwrap();
        let (header, claims) = opened(&jwt, signs);
        assert_eq!(header, r#"{"alg":"RS512","typ":"JWT"}"#);
        assert_eq!(claims, serde_json::json!({ "sub": "my-bot", "exp": NOW + 240 }));
    }
    let bot = stage.bot();
    stage.world().faults = vec![Fault::Status(500)];
    assert_eq!(stage.sent(&bot.pod(), POD), "200");
    stage.world().jwts.clear();
    stage.world().session = None;
    stage.clock.advance(Duration::from_secs(100));
    assert_eq!(stage.sent(&bot.pod(), POD), "200");
    assert_eq!(opened(&stage.world().jwts[0], PKCS8).1["exp"], NOW + 340, "never a kept one");
}

#[test]
fn a_pods_401_renews_the_session_token_alone() {
    let stage = stage();
    let bot = stage.bot();
    assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
    stage.asked();
    stage.world().session = None;
    assert_eq!(stage.sent(&bot.pod(), POD), "200");
    assert_eq!(stage.asked(), [SESSION]);
    assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
    assert!(stage.asked().is_empty());
}

#[test]
fn after_an_agents_401_the_pod_says_which_token_died() {
    let kill: [(Kill, Vec<String>); 3] = [
        (|world| world.session = None, vec![probe(1), SESSION.into()]),
        (|world| world.keys = None, vec![probe(1), KEYS.into()]),
        // The request that is repeated finds that the other one is dead too.
        (
            |world| (world.session, world.keys) = (None, None),
            vec![probe(1), SESSION.into(), probe(3), KEYS.into()],
        ),
    ];
    for (kill, expected) in kill {
        let stage = stage();
        let bot = stage.bot();
        assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
        stage.asked();
        kill(&mut stage.world());
        assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
        assert_eq!(stage.asked(), expected);
    }
}

#[test]
fn ten_thousand_requests_with_a_dead_token_make_one_probe_and_one_log_in() {
    let kill: [(Kill, &str); 2] =
        [(|world| world.session = None, SESSION), (|world| world.keys = None, KEYS)];
    for (kill, log_in) in kill {
        let stage = stage();
        let bot = stage.bot();
        assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
        stage.asked();
        kill(&mut stage.world());
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
                    }
                });
            }
        });
        assert_eq!(stage.asked(), [probe(1), log_in.to_owned()]);
    }
}

#[test]
fn a_403_never_causes_a_log_in() {
    let stage = stage();
    let bot = stage.bot();
    assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
    let agent = bot.agent();
    let (uri, none) = (Uri::from_static(AGENT), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &none);
    let sent = agent.credentials(view).wait().unwrap();
    let answer = auth_core::Answer::new(view, StatusCode::FORBIDDEN, &none);
    assert!(matches!(agent.assess(&sent, answer), Verdict::Accept));
    stage.asked();
    assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
    assert!(stage.asked().is_empty());
}

#[test]
fn a_pod_that_cannot_tell_is_not_asked_again_at_once() {
    let stage = stage();
    let bot = stage.bot();
    assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
    stage.asked();
    stage.world().keys = None;
    stage.world().faults = vec![Fault::Status(500), Fault::Lost];
    for _ in 0..10 {
        assert_eq!(stage.sent(&bot.agent(), AGENT), "401");
    }
    assert_eq!(stage.asked(), [probe(1)]);
    stage.clock.advance(Duration::from_secs(5));
    assert_eq!(stage.sent(&bot.agent(), AGENT), "401");
    assert_eq!(stage.asked(), [probe(1)]);
    stage.clock.advance(Duration::from_secs(5));
    assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
    assert_eq!(stage.asked(), [probe(1), KEYS.into()]);
}

/// With `Retry-After`, and an hour at most.
#[test]
fn a_pod_that_says_when_to_ask_again_is_not_asked_before() {
    for (said, pause) in [("1", 5), ("30", 30), ("3600", 3600), ("99999999", 3600), ("soon", 5)] {
        let stage = stage();
        let bot = stage.bot();
        assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
        stage.asked();
        stage.world().keys = None;
        stage.world().faults = vec![Fault::Later(said)];
        assert_eq!(stage.sent(&bot.agent(), AGENT), "401");
        stage.clock.advance(Duration::from_secs(pause - 1));
        assert_eq!(stage.sent(&bot.agent(), AGENT), "401", "{said}");
        assert_eq!(stage.asked(), [probe(1)], "{said}");
        stage.clock.advance(Duration::from_secs(1));
        assert_eq!(stage.sent(&bot.agent(), AGENT), "200", "{said}");
    }
}

#[test]
fn tokens_go_to_their_components_alone() {
    let stage = stage();
    let bot = stage.bot();
    assert_eq!(stage.sent(&bot.pod(), "https://agent.example:8443/agent/x"), "only_other_origin");
    assert_eq!(stage.sent(&bot.agent(), "https://pod.example/agent/x"), "only_other_origin");
    assert!(stage.asked().is_empty());
}

/// What a log-in is answered with, the code of the error, and how often it was tried.
#[track_caller]
fn check(fault: Fault, code: &str, attempts: usize) {
    let stage = stage();
    let retry = LogInRetry::new(3, Duration::from_secs(1), 2.0, Duration::from_secs(8)).unwrap();
    let bot = Bot::new(endpoints(), log_in().with_retry(retry), stage.context.clone());
    stage.world().faults = vec![fault; 3];
    let error = bot.session_token().wait().unwrap_err();
    assert_eq!((error.code(), stage.asked().len()), (code, attempts));
    let shown = format!("{error} {error:?} {bot:?}");
    assert!(!shown.contains("s-1") && !shown.contains("the rest"), "{shown}");
    assert_eq!(stage.transport.pauses().len(), attempts - 1);
    assert_eq!(*stage.told.0.lock().unwrap(), [format!("failed {code}")]);
}

#[test]
fn what_passes_is_tried_again_and_what_was_refused_is_not() {
    check(Fault::Status(401), "symphony_log_in", 1);
    check(Fault::Status(403), "symphony_log_in_forbidden", 1);
    check(Fault::Status(404), "symphony_log_in_not_found", 1);
    check(Fault::Status(400), "symphony_log_in_refused", 1);
    check(Fault::Status(302), "symphony_redirected", 1);
    check(Fault::Status(500), "symphony_failed", 3);
    check(Fault::Status(503), "symphony_busy", 3);
    check(Fault::Later("2"), "symphony_busy", 3);
    // Longer than any pause: the session comes again when the pod said.
    check(Fault::Later("9"), "symphony_busy", 1);
    check(Fault::Lost, "reset", 3);
    check(Fault::Body("{}"), "symphony_log_in_answer", 1);
    check(Fault::Body(r#"{"token":7}"#), "symphony_log_in_answer", 1);
    check(Fault::Body(r#"["sessionToken","s-1"]"#), "symphony_log_in_answer", 1);
    check(Fault::Body(r#"{"token":""}"#), "symphony_token", 1);
    check(Fault::Body(r#"{"token":"s-1 the rest"}"#), "symphony_token", 1);
    check(Fault::Body(r#"{"name":"keyManagerToken","token":"s-1"}"#), "symphony_token_name", 1);
}

#[test]
fn a_pause_is_never_shorter_than_the_pod_asked_for() {
    let stage = stage();
    let retry = LogInRetry::new(4, Duration::from_secs(1), 2.0, Duration::from_secs(8)).unwrap();
    let bot = Bot::new(endpoints(), log_in().with_retry(retry), stage.context.clone());
    stage.world().faults = vec![Fault::Later("5"), Fault::Status(500), Fault::Lost];
    assert_eq!(stage.sent(&bot.pod(), POD), "200");
    let pauses = stage.transport.pauses();
    let within = |pause: Duration, most| pause <= most && pause >= most / 2;
    assert_eq!(pauses[0], Duration::from_secs(5));
    assert!(within(pauses[1], Duration::from_secs(2)), "{pauses:?}");
    assert!(within(pauses[2], Duration::from_secs(4)), "{pauses:?}");
}

#[test]
fn a_certificate_logs_in_without_body_and_content_type() {
    let stage = stage();
    let bot = Bot::new(endpoints(), SymphonyLogIn::certificate(), stage.context.clone());
    assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
    let asked = stage.asked();
    assert_eq!(
        asked,
        [
            "POST https://pod.example:8444/sessionauth/v1/authenticate - -",
            "POST https://km.example:8444/keyauth/v1/authenticate - -",
        ]
    );
}

const IDM: &str = "POST https://pod.example/login/idm/tokens?scope= s-1 -";

/// A JWT that ends then.
fn ending(at: u64) -> String {
    jwt(&serde_json::json!({ "exp": at, "sub": "7" }).to_string())
}

fn jwt(claims: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    format!("e30.{}.AA", URL_SAFE_NO_PAD.encode(claims))
}

#[test]
fn an_agent_gets_the_key_manager_token_unless_it_is_known_to_do_without() {
    const CAN: Option<&str> = Some(r#"{"canUseSimplifiedKeyDelivery":true}"#);
    const CANNOT: Option<&str> = Some(r#"{"canUseSimplifiedKeyDelivery":false}"#);
    let info = "GET https://agent.example:8443/ctx/agent/v1/info -";
    for (claims, is_separate, version, wants_one, asked) in [
        // Without an agent of its own the claim alone decides, and nobody is asked.
        (CAN, false, None, true, vec![]),
        (CANNOT, false, None, false, vec![]),
        (None, false, None, false, vec![]),
        (CAN, true, Some("Agent-25.1.0"), true, vec![info]),
        (CAN, true, Some("Agent-24.13.0"), true, vec![info]),
        (CAN, true, Some("Agent-24.12.9"), false, vec![info]),
        (CAN, true, Some("Agent-2.57.0"), false, vec![info]),
        (CAN, true, Some("something"), false, vec![info]),
        (CAN, true, None, false, vec![info]),
        (CANNOT, true, Some("Agent-25.1.0"), false, vec![]),
    ] {
        let stage = stage();
        {
            let mut world = stage.world();
            (world.claims, world.version, world.wants_one) = (claims, version, wants_one);
        }
        let (endpoints, url) = match is_separate {
            true => (endpoints(), AGENT),
            false => {
                let alone = SymphonyEndpoints::new("https://pod.example").unwrap();
                (alone, "https://pod.example/agent/v4/stream/x/message/create")
            }
        };
        let bot = Bot::new(endpoints, log_in(), stage.context.clone());
        let bot = bot.with_simplified_key_delivery();
        for _ in 0..3 {
            assert_eq!(stage.sent(&bot.agent(), url), "200", "{claims:?} {version:?}");
        }
        let seen = stage.asked();
        let infos: Vec<_> = seen.iter().filter(|it| it.contains("/info ")).collect();
        assert_eq!(infos, asked, "asked once");
        let log_ins = seen.iter().filter(|it| it.contains("/relay/")).count();
        assert_eq!(log_ins, usize::from(!wants_one), "{claims:?} {version:?}");
        // A session that has ended is renewed without a key manager token too.
        stage.world().session = None;
        assert_eq!(stage.sent(&bot.agent(), url), "200");
    }
}

#[test]
fn the_common_jwt_goes_to_pod_and_agent_in_place_of_the_session_token() {
    let stage = stage();
    let bot = stage.bot().with_common_jwt();
    assert_eq!(stage.sent(&bot.pod(), POD), "200");
    assert_eq!(stage.asked(), [SESSION, IDM]);
    assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
    assert_eq!(stage.asked(), [KEYS]);
    // It lives for 300 seconds, and nobody sees the end of one.
    for _ in 0..100 {
        stage.clock.advance(Duration::from_secs(17));
        assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
    }
    let asked = stage.asked();
    assert!(asked.iter().all(|asked| asked == IDM) && (6..20).contains(&asked.len()), "{asked:?}");
}

#[test]
fn the_common_jwt_that_a_log_in_brings_along_is_used_whether_or_not_it_has_its_word() {
    for word in ["", "Bearer "] {
        for (left, is_used) in [(300, true), (6, true), (5, false), (0, false)] {
            let stage = stage();
            stage.world().brings = Some(format!("{word}{}", ending(NOW + left)));
            let bot = stage.bot().with_common_jwt();
            assert_eq!(stage.sent(&bot.pod(), POD), "200");
            assert_eq!(stage.asked().len(), if is_used { 1 } else { 2 }, "{word}{left}");
        }
    }
}

#[test]
fn a_dead_common_jwt_is_told_from_a_dead_session_and_from_a_dead_key_manager_token() {
    let kill: [(Kill, Vec<&str>); 3] = [
        (|world| world.bearer = None, vec!["sessioninfo", "idm"]),
        (
            |world| (world.bearer, world.session) = (None, None),
            vec!["sessioninfo", "idm", "/login/pubkey/", "idm"],
        ),
        (|world| world.keys = None, vec!["sessioninfo", "/relay/"]),
    ];
    for (kill, expected) in kill {
        let stage = stage();
        let bot = stage.bot().with_common_jwt();
        assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
        stage.asked();
        kill(&mut stage.world());
        assert_eq!(stage.sent(&bot.agent(), AGENT), "200");
        let asked = stage.asked();
        assert_eq!(asked.len(), expected.len(), "{asked:?}");
        for (asked, part) in asked.iter().zip(expected) {
            assert!(asked.contains(part), "{asked} {part}");
        }
    }
}

#[test]
fn a_bot_with_the_common_jwt_calls_on_behalf_of_nobody() {
    let stage = stage();
    let bot = stage.bot().with_app(app(&stage, log_in())).with_common_jwt();
    assert_eq!(bot.on_behalf_of(SymphonyUser::Id(7)).unwrap_err().code(), "symphony_common_jwt");
}

fn app(stage: &Stage, log_in: SymphonyLogIn) -> App {
    App::new(endpoints(), log_in, stage.context.clone())
}

#[test]
fn on_behalf_of_a_user_an_app_sends_the_users_session_and_no_key_manager_token() {
    let key = || SymphonyLogIn::rsa("my-app", PKCS8).unwrap();
    let certificate = SymphonyLogIn::certificate;
    let (by_key, by_certificate) = ("pod.example/login/pubkey", "pod.example:8444/sessionauth/v1");
    for (log_in, user, at, path, kind) in [
        (key(), SymphonyUser::Id(7), by_key, "user/7", "application/json"),
        (
            key(),
            SymphonyUser::Name("a/b c".into()),
            by_key,
            "username/a%2Fb%20c",
            "application/json",
        ),
        (certificate(), SymphonyUser::Id(7), by_certificate, "user/7", "-"),
    ] {
        let stage = stage();
        let bot = stage.bot().with_app(app(&stage, log_in));
        let user = bot.on_behalf_of(user).unwrap();
        assert_eq!(stage.sent(&user, POD), "200");
        let expected = [
            format!("POST https://{at}/app/authenticate - {kind}"),
            format!("POST https://{at}/app/{path}/authenticate s-1 -"),
        ];
        assert_eq!(stage.asked(), expected);
        assert_eq!(stage.sent(&user, POD), "200");
        assert!(stage.asked().is_empty());
        // The user's session has ended, and that of the app lives.
        stage.world().session = None;
        assert_eq!(stage.sent(&user, POD), "200");
        assert_eq!(stage.asked(), expected[1..]);
    }
}

#[test]
fn an_app_whose_session_has_ended_logs_in_again_once() {
    let stage = stage();
    let app = app(&stage, SymphonyLogIn::rsa("my-app", PKCS8).unwrap());
    assert_eq!(stage.sent(&app.on_behalf_of(SymphonyUser::Id(7)), POD), "200");
    stage.asked();
    stage.world().app = None;
    assert_eq!(stage.sent(&app.on_behalf_of(SymphonyUser::Id(8)), POD), "200");
    assert_eq!(stage.asked().len(), 3, "refused, the app again, the user again");
}

#[test]
fn a_user_without_the_app_costs_the_others_nothing() {
    let stage = stage();
    let app = app(&stage, SymphonyLogIn::rsa("my-app", PKCS8).unwrap());
    let user = |name: &str| app.on_behalf_of(SymphonyUser::Name(name.into()));
    let stranger = user("stranger");
    assert_eq!(stage.sent(&stranger, POD), "symphony_on_behalf_of");
    assert_eq!(stage.asked().len(), 4, "the app and the user, twice");
    for second in 0..50 {
        // A pause of its own between two attempts, and no log-in of the app for any of them.
        assert_eq!(stage.sent(&stranger, POD), "symphony_on_behalf_of");
        assert_eq!(stage.sent(&user("somebody"), POD), "200", "second {second}");
        stage.clock.advance(Duration::from_secs(1));
    }
    let asked = stage.asked();
    assert!(!asked.iter().any(|asked| asked.contains("/app/authenticate")), "{asked:?}");
    let of_stranger = asked.iter().filter(|asked| asked.contains("/stranger/")).count();
    assert!((3..10).contains(&of_stranger), "{of_stranger}");
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_sent() {
    let stage = stage();
    assert_eq!(
        stage.bot().on_behalf_of(SymphonyUser::Id(7)).unwrap_err().code(),
        "symphony_no_app"
    );
    for name in ["", "a:b"] {
        assert_eq!(SymphonyLogIn::rsa(name, PKCS8).unwrap_err().code(), "symphony_name");
    }
    assert_eq!(SymphonyLogIn::rsa("bot", "no key").unwrap_err().code(), "jwt_key_pem");
    let app = app(&stage, SymphonyLogIn::rsa("my-app", PKCS8).unwrap());
    for name in ["", ".", ".."] {
        let user = app.on_behalf_of(SymphonyUser::Name(name.into()));
        assert_eq!(stage.sent(&user, POD), "symphony_user_name");
    }
    assert!(!stage.asked().iter().any(|asked| asked.contains("/username/")));
}
