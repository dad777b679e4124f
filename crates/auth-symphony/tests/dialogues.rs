//! Every exchange with a pod and a key manager, byte by byte: the request line, all header fields and the body.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use auth_core::{Authenticator, RequestView, Result, Verifier, send};
use auth_jwt::{JwsAlgorithm, SigningKey};
use auth_symphony::{
    App, Bot, CircleOfTrust, CommonJwtVerifier, Context, SymphonyEndpoints, SymphonyLogIn,
    SymphonyUser, UserJwtVerifier,
};
use auth_testing::{ManualClock, ScriptedTransport, SeededRandom};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Method, Request, Response, Uri};
use std::sync::{Arc, Mutex};

const NOW: u64 = 1_700_000_000;
const KEY: &str = include_str!("keys/pkcs8.pem");

struct Stage {
    transport: ScriptedTransport,
    context: Context,
    sent: Arc<Mutex<Vec<String>>>,
}

fn stage() -> Stage {
    let sent: Arc<Mutex<Vec<String>>> = Arc::default();
    let keeps = Arc::clone(&sent);
    let transport = ScriptedTransport::new(move |request| {
        let mut sent = keeps.lock().unwrap();
        sent.push(text(request));
        let path = request.uri().path();
        let of_keys = sent.iter().filter(|sent| sent.contains(path)).count();
        match path.contains("/relay/") || path.contains("/keyauth/") {
            true => Ok(token("keyManagerToken", &format!("k-{}", of_keys - 1))),
            false => answer(request),
        }
    });
    let context = Context::new(transport.clone())
        .with_clock(ManualClock::at(NOW))
        .with_random(SeededRandom::new(1));
    Stage { transport, context, sent }
}

/// The request as text: its line, its fields by name, and behind an empty line its body.
fn text(request: &Request<Vec<u8>>) -> String {
    let mut fields: Vec<String> = request
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()))
        .collect();
    fields.sort();
    let body = String::from_utf8_lossy(request.body());
    format!("{} {}\n{}\n{body}", request.method(), request.uri(), fields.concat())
}

/// Everybody is given what was asked for.
fn answer(request: &Request<Vec<u8>>) -> Result<Response<Vec<u8>>> {
    let path = request.uri().path();
    let body = match path {
        "/ctx/pod/v2/sessioninfo" => "{}",
        "/agent/v1/info" => r#"{"version":"Agent-25.1.0"}"#,
        "/ctx/login/idm/tokens" => {
            r#"{"token_type":"Bearer","expires_in":300,"access_token":"c-1"}"#
        }
        "/ctx/login/idm/keys" => r#"{"keys":[]}"#,
        "/ctx/pod/v1/podcert" => r#"{"certificate":"none"}"#,
        // The token that was given first is dead.
        _ if path.starts_with("/agent/") => {
            let is_dead = request.headers().get("keymanagertoken").is_some_and(|it| it == "k-0");
            let status = if is_dead { 401 } else { 200 };
            return Ok(Response::builder().status(status).body(Vec::new()).unwrap());
        }
        _ if path.ends_with("/extensionApp") => {
            let sent: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
            let body = serde_json::json!({
                "appId": "my-app",
                "appToken": sent["appToken"],
                "symphonyToken": "ts",
                "expireAt": (NOW + 300) * 1000,
            });
            return Ok(Response::new(body.to_string().into_bytes()));
        }
        _ if path.contains("/user") => return Ok(token("sessionToken", "u-1")),
        _ => return Ok(token("sessionToken", "s-1")),
    };
    Ok(Response::new(body.into()))
}

fn token(name: &str, token: &str) -> Response<Vec<u8>> {
    let body = serde_json::json!({ "name": name, "token": token });
    Response::new(body.to_string().into_bytes())
}

impl Stage {
    fn bot(&self, log_in: SymphonyLogIn) -> Bot {
        Bot::new(endpoints(), log_in, self.context.clone())
    }

    fn app(&self, log_in: SymphonyLogIn) -> App {
        App::new(endpoints(), log_in, self.context.clone())
    }

    fn send(&self, with: &dyn Authenticator, url: &str) {
        let request = Request::get(url).body(Vec::new()).unwrap();
        send(&self.transport, with, request.into()).wait().unwrap();
    }

    /// What was sent to pod and key manager meanwhile.
    #[track_caller]
    fn check(&self, expected: &[String]) {
        let mut sent = std::mem::take(&mut *self.sent.lock().unwrap());
        sent.retain(|sent| !sent.contains("/presence") && !sent.contains("/message"));
        assert_eq!(sent, expected);
    }
}

fn endpoints() -> SymphonyEndpoints {
    SymphonyEndpoints::new("https://pod.example/ctx")
        .and_then(|it| it.with_key_manager("https://km.example"))
        .and_then(|it| it.with_agent("https://agent.example"))
        .and_then(|it| it.with_session_auth("https://pod.example:8444"))
        .and_then(|it| it.with_certificate_key_manager("https://km.example:8444"))
        .unwrap()
}

const POD: &str = "https://pod.example/ctx/pod/v1/presence";
const AGENT: &str = "https://agent.example/agent/v4/stream/x/message";

/// The token of a log-in, signed by hand.
fn jwt(name: &str) -> String {
    jwt_until(name, 1_700_000_240)
}

fn jwt_until(name: &str, end: u64) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS512","typ":"JWT"}"#);
    let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"exp":{end},"sub":"{name}"}}"#));
    let message = format!("{header}.{claims}");
    let key = SigningKey::from_pem(JwsAlgorithm::RS512, KEY).unwrap();
    let mut signature = vec![0; key.signature_len()];
    key.sign(message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The request of a log-in by a key.
fn signed(url: &str, name: &str) -> String {
    let body = format!(r#"{{"token":"{}"}}"#, jwt(name));
    format!("POST {url}\naccept: application/json\ncontent-type: application/json\n\n{body}")
}

/// A request without body and content type.
fn bare(line: &str, session: &str) -> String {
    let session =
        if session.is_empty() { String::new() } else { format!("sessiontoken: {session}\n") };
    format!("{line}\naccept: application/json\n{session}\n")
}

fn by_key(name: &str) -> SymphonyLogIn {
    SymphonyLogIn::rsa(name, KEY).unwrap()
}

const SESSION: &str = "https://pod.example/ctx/login/pubkey/authenticate";
const KEYS: &str = "https://km.example/relay/pubkey/authenticate";
const PROBE: &str = "GET https://pod.example/ctx/pod/v2/sessioninfo";

#[test]
fn a_bot_with_a_key_logs_in_at_pod_and_key_manager_and_asks_the_pod_for_its_session() {
    let stage = stage();
    stage.send(&stage.bot(by_key("my-bot")).agent(), AGENT);
    let probe = format!("{PROBE}\nsessiontoken: s-1\n\n");
    let log_in = |url| signed(url, "my-bot");
    // The session is alive, so the key manager is asked again, in the second after.
    let again = log_in(KEYS).replace(&jwt("my-bot"), &jwt_until("my-bot", 1_700_000_241));
    stage.check(&[log_in(SESSION), log_in(KEYS), probe, again]);
}

#[test]
fn a_bot_with_a_certificate_logs_in_at_pod_and_key_manager_with_nothing_in_its_hands() {
    let stage = stage();
    stage.send(&stage.bot(SymphonyLogIn::certificate()).agent(), AGENT);
    let keys = bare("POST https://km.example:8444/keyauth/v1/authenticate", "");
    stage.check(&[
        bare("POST https://pod.example:8444/sessionauth/v1/authenticate", ""),
        keys.clone(),
        format!("{PROBE}\nsessiontoken: s-1\n\n"),
        keys,
    ]);
}

#[test]
fn a_common_jwt_is_had_for_the_session_and_asked_about_in_its_place() {
    let stage = stage();
    stage.send(&stage.bot(by_key("my-bot")).with_common_jwt().agent(), AGENT);
    let idm = bare("POST https://pod.example/ctx/login/idm/tokens?scope=", "s-1");
    let probe = format!("{PROBE}\nauthorization: Bearer c-1\n\n");
    let log_in = |url| signed(url, "my-bot");
    let again = log_in(KEYS).replace(&jwt("my-bot"), &jwt_until("my-bot", 1_700_000_241));
    stage.check(&[log_in(SESSION), idm, log_in(KEYS), probe, again]);
}

#[test]
fn an_agent_is_asked_for_its_version_where_a_session_may_do_without_a_key_manager_token() {
    let stage = stage();
    let claims = URL_SAFE_NO_PAD.encode(r#"{"canUseSimplifiedKeyDelivery":true}"#);
    let session = format!("e30.{claims}.AA");
    let body = serde_json::json!({ "name": "sessionToken", "token": session }).to_string();
    let sent: Arc<Mutex<Vec<String>>> = Arc::default();
    let keeps = Arc::clone(&sent);
    let transport = ScriptedTransport::new(move |request| {
        keeps.lock().unwrap().push(text(request));
        match request.uri().path().ends_with("/login/pubkey/authenticate") {
            true => Ok(Response::new(body.clone().into_bytes())),
            false => answer(request),
        }
    });
    let context = Context::new(transport).with_clock(ManualClock::at(NOW));
    let bot = Bot::new(endpoints(), by_key("my-bot"), context).with_simplified_key_delivery();
    stage.send(&bot.agent(), AGENT);
    let info = sent.lock().unwrap().iter().find(|sent| sent.contains("/agent/v1/info")).cloned();
    assert_eq!(info.unwrap(), "GET https://agent.example/agent/v1/info\n\n");
}

#[test]
fn an_app_logs_in_and_then_its_user_by_id_or_by_name() {
    let (key, certificate) =
        ("https://pod.example/ctx/login/pubkey/app", "https://pod.example:8444/sessionauth/v1/app");
    for (user, path) in [
        (SymphonyUser::Id(7), "user/7"),
        (SymphonyUser::Name("jane@acme.com".into()), "username/jane%40acme.com"),
    ] {
        let stage = stage();
        stage.send(&stage.app(by_key("my-app")).on_behalf_of(user.clone()), POD);
        stage.check(&[
            signed(&format!("{key}/authenticate"), "my-app"),
            bare(&format!("POST {key}/{path}/authenticate"), "s-1"),
        ]);
        stage.send(&stage.app(SymphonyLogIn::certificate()).on_behalf_of(user), POD);
        stage.check(&[
            bare(&format!("POST {certificate}/authenticate"), ""),
            bare(&format!("POST {certificate}/{path}/authenticate"), "s-1"),
        ]);
    }
}

#[test]
fn the_circle_of_trust_sends_the_token_of_the_app_and_by_a_key_a_signed_one_beside_it() {
    for (log_in, url, auth_token) in [
        (
            by_key("my-app"),
            "https://pod.example/ctx/login/v1/pubkey/app/authenticate/extensionApp",
            format!(r#","authToken":"{}""#, jwt("my-app")),
        ),
        (
            SymphonyLogIn::certificate(),
            "https://pod.example:8444/sessionauth/v1/authenticate/extensionApp",
            String::new(),
        ),
    ] {
        let stage = stage();
        let circle = CircleOfTrust::new(&endpoints(), &log_in, stage.context.clone()).unwrap();
        let app_token = circle.begin().wait().unwrap();
        let app_token = app_token.expose_text().unwrap();
        let fields = "accept: application/json\ncontent-type: application/json";
        let body = format!(r#"{{"appToken":"{app_token}"{auth_token}}}"#);
        stage.check(&[format!("POST {url}\n{fields}\n\n{body}")]);
    }
}

#[test]
fn the_certificate_and_the_keys_of_a_pod_are_fetched_without_a_log_in() {
    let stage = stage();
    let users = UserJwtVerifier::new(&endpoints(), "my-app", stage.context.clone());
    let _ = users.verify("e30.e30.AA").wait();
    stage.check(&[bare("GET https://pod.example/ctx/pod/v1/podcert", "")]);
    let door = CommonJwtVerifier::new(&endpoints(), stage.context.clone()).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {}", jwt("7")).parse().unwrap());
    let uri = Uri::from_static("/");
    let _ = door.verify(RequestView::new(&Method::GET, &uri, &headers)).wait();
    let accept = "accept: application/jwk-set+json, application/json";
    stage.check(&[format!("GET https://pod.example/ctx/login/idm/keys\n{accept}\n\n")]);
}
