//! The server side over sessions in memory, of which one of a user is alive.

#![allow(clippy::unwrap_used)]

use auth_core::{
    Body, Challenge, Context, Error, Flow, Lookup, Peer, Presence, Reason, Rejection, RequestView,
    Verifier,
};
use auth_ibsso::{
    CreateOutcome, ErrorForm, IbssoSession, IbssoVerifier, LogIn, NewSession, Secret,
    SessionAnswer, SessionEndpoint, Sessions, UserPassword, error_code,
};
use auth_testing::{ManualClock, ScriptedTransport};
use http::{HeaderMap, HeaderValue, Method, Response, Uri, header};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex},
};

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Live>>);

#[derive(Default)]
struct Live {
    /// The token and binding of each user's session.
    sessions: HashMap<String, (String, NewSession)>,
    created: u32,
}

#[derive(Clone, Debug)]
struct Caller {
    user: String,
    bound_to: Option<IpAddr>,
}

impl Sessions for Memory {
    type User = String;
    type Principal = Caller;

    fn create(&self, user: String, new: NewSession) -> Flow<'_, CreateOutcome> {
        let mut live = self.0.lock().unwrap();
        if let Some((token, alive)) = live.sessions.get(&user) {
            if new.idempotency_key.is_some() && alive.idempotency_key == new.idempotency_key {
                let same = *alive == new;
                return Flow::ready(match same {
                    true => CreateOutcome::Created(Secret::new(token.as_str())),
                    false => CreateOutcome::KeyReused,
                });
            }
            if !new.replaces {
                return Flow::ready(CreateOutcome::AlreadyAlive);
            }
        }
        live.created += 1;
        let token = format!("token-{}", live.created);
        live.sessions.insert(user, (token.clone(), new));
        Flow::ready(CreateOutcome::Created(Secret::new(token)))
    }

    fn find(&self, token: &[u8]) -> Flow<'_, Option<Caller>> {
        let live = self.0.lock().unwrap();
        let mut all = live.sessions.iter();
        let found = all.find(|(_, (known, _))| known.as_bytes() == token);
        Flow::ready(
            found.map(|(user, (_, new))| Caller { user: user.clone(), bound_to: new.bound_to }),
        )
    }

    fn destroy(&self, token: &[u8]) -> Flow<'_, bool> {
        let mut live = self.0.lock().unwrap();
        let before = live.sessions.len();
        live.sessions.retain(|_, (known, _)| known.as_bytes() != token);
        Flow::ready(live.sessions.len() < before)
    }
}

struct Users;

impl Lookup<UserPassword> for Users {
    type Found = String;

    fn lookup(&self, login: &UserPassword) -> Flow<'_, Option<String>> {
        let is_right = &*login.user == "acme" && login.password.matches(b"pa55:word");
        Flow::ready(is_right.then(|| login.user.to_string()))
    }
}

/// The door of an API: the session's own verifier, and the address that it is bound to.
fn door(sessions: Memory) -> impl Verifier<Principal = Caller> {
    IbssoVerifier::new(sessions).check(|caller, request| {
        let there = caller.bound_to.is_none_or(|bound| request.peer.address == Some(bound));
        let elsewhere = Reason::new("address", "another address");
        Flow::ready(if there {
            Ok(())
        } else {
            Err(Rejection::unauthenticated(elsewhere, Challenge::without_parameters("IBSSO")))
        })
    })
}

struct Stage {
    sessions: Memory,
    form: ErrorForm,
}

fn stage() -> Stage {
    Stage { sessions: Memory::default(), form: ErrorForm::default() }
}

impl Stage {
    fn ask(
        &self,
        method: Method,
        fields: &[(&str, &str)],
        body: &str,
        from: &str,
    ) -> SessionAnswer {
        self.ask_bytes(method, fields, body.as_bytes(), from)
    }

    fn ask_bytes(
        &self,
        method: Method,
        fields: &[(&str, &str)],
        body: &[u8],
        from: &str,
    ) -> SessionAnswer {
        let (uri, mut headers) = (Uri::from_static("/auth/1/session"), HeaderMap::new());
        for (name, value) in fields {
            let name: http::HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let peer = Peer { address: from.parse().ok(), ..Peer::UNKNOWN };
        let view =
            RequestView::new(&method, &uri, &headers).with_body(Body::Bytes(body)).with_peer(peer);
        let endpoint =
            SessionEndpoint::new(self.sessions.clone(), Users, door(self.sessions.clone()))
                .with_error_form(self.form);
        match method == Method::DELETE {
            true => endpoint.destroy(view).wait().unwrap(),
            false => endpoint.create(view).wait().unwrap(),
        }
    }

    fn create(&self, fields: &[(&str, &str)], body: &str) -> String {
        said(&self.ask(Method::POST, fields, body, HERE))
    }

    fn destroy(&self, token: &str, from: &str) -> String {
        said(&self.ask(Method::DELETE, &[("authorization", &format!("IBSSO {token}"))], "", from))
    }
}

const HERE: &str = "192.0.2.7";
const THERE: &str = "203.0.113.7";
const LOG_IN: &str = r#"{"username":"acme","password":"pa55:word"}"#;

fn said(answer: &SessionAnswer) -> String {
    let SessionAnswer { response, refused, .. } = answer;
    let body = String::from_utf8_lossy(response.body());
    match refused {
        None => format!("{} {body}", response.status().as_u16()),
        Some(reason) => {
            let code = error_code(response.body()).unwrap();
            format!("{} {code} {}", response.status().as_u16(), reason.code)
        }
    }
}

#[test]
fn one_session_of_a_user_is_alive_until_its_token_destroys_it() {
    let stage = stage();
    assert_eq!(stage.create(&[], LOG_IN), r#"200 {"token":"token-1"}"#);
    assert_eq!(stage.create(&[], LOG_IN), "400 BAD_REQUEST ibsso_session_alive");
    assert_eq!(stage.destroy("token-1", HERE), "200 ");
    assert_eq!(stage.destroy("token-1", HERE), "401 UNAUTHORIZED ibsso_unknown");
    assert_eq!(stage.create(&[], LOG_IN), r#"200 {"token":"token-2"}"#);
}

#[test]
fn a_session_is_bound_to_the_address_that_creates_it_unless_it_is_unsafe() {
    let stage = stage();
    stage.create(&[], LOG_IN);
    assert_eq!(stage.destroy("token-1", THERE), "401 UNAUTHORIZED address");
    assert_eq!(stage.destroy("token-1", HERE), "200 ");
    stage.create(&[], r#"{"username":"acme","password":"pa55:word","unsafe":true}"#);
    assert_eq!(stage.destroy("token-2", THERE), "200 ");
}

#[test]
fn a_creation_whose_answer_was_lost_is_repeated_by_its_key_or_replaced_by_the_password() {
    let stage = stage();
    let key = [("idempotency-key", "a-key")];
    assert_eq!(stage.create(&key, LOG_IN), r#"200 {"token":"token-1"}"#);
    assert_eq!(stage.create(&key, LOG_IN), r#"200 {"token":"token-1"}"#);
    let other = r#"{"username":"acme","password":"pa55:word","unsafe":true}"#;
    assert_eq!(stage.create(&key, other), "400 BAD_REQUEST ibsso_idempotency_reused");
    let replacing = r#"{"username":"acme","password":"pa55:word","replace":true}"#;
    assert_eq!(stage.create(&[], replacing), r#"200 {"token":"token-2"}"#);
    assert_eq!(stage.destroy("token-1", HERE), "401 UNAUTHORIZED ibsso_unknown");
    let twice = [("idempotency-key", "a"), ("idempotency-key", "a")];
    assert_eq!(stage.create(&twice, LOG_IN), "400 BAD_REQUEST ibsso_idempotency_key");
}

/// Whoever writes sessions tests them without the endpoint.
#[test]
fn sessions_can_be_asked_without_a_request() {
    let sessions = Memory::default();
    let create = |new: NewSession| sessions.create("acme".into(), new).wait().unwrap();
    assert!(matches!(create(NewSession::default()), CreateOutcome::Created(_)));
    assert!(matches!(create(NewSession::default()), CreateOutcome::AlreadyAlive));
    let mut new = NewSession::default();
    new.replaces = true;
    assert!(matches!(create(new), CreateOutcome::Created(_)));
    assert_eq!(sessions.find(b"token-2").wait().unwrap().unwrap().bound_to, None);
}

#[test]
fn what_clients_send_in_authorization_when_they_log_in_is_not_read() {
    for field in ["undefined", "", "Basic !!", "IBSSO stale", "Bearer a, Bearer b"] {
        let created = stage().create(&[("authorization", field)], LOG_IN);
        assert_eq!(created, r#"200 {"token":"token-1"}"#, "{field:?}");
    }
}

#[test]
fn a_wrong_password_and_an_unknown_user_are_one_refusal() {
    let stage = stage();
    let wrong = stage.ask(Method::POST, &[], r#"{"username":"acme","password":"x"}"#, HERE);
    let unknown = stage.ask(Method::POST, &[], r#"{"username":"nobody","password":"x"}"#, HERE);
    assert_eq!(said(&wrong), "401 UNAUTHORIZED ibsso_password");
    assert_eq!(wrong.response.body(), unknown.response.body());
    assert_eq!(said(&wrong), said(&unknown));
}

#[test]
fn a_body_that_is_none_is_named() {
    let stage = stage();
    let long = format!("{:20000}", LOG_IN);
    for (body, reason) in [
        ("", "ibsso_create_body"),
        ("{}", "ibsso_create_body"),
        (r#"{"username":"acme"}"#, "ibsso_create_body"),
        (r#"["acme","pa55:word",true,true]"#, "ibsso_create_body"),
        (r#"{"username":"acme","password":"a","password":"b"}"#, "ibsso_create_body"),
        (r#"{"username":"acme","password":"a","unsafe":"yes"}"#, "ibsso_create_body"),
        (&long, "ibsso_create_long"),
    ] {
        assert_eq!(stage.create(&[], body), format!("400 BAD_REQUEST {reason}"), "{body:.60}");
    }
}

#[test]
fn errors_have_the_form_of_newer_apis_where_that_is_wanted() {
    let stage = Stage { form: ErrorForm::ErrorCode, ..stage() };
    assert_eq!(stage.destroy("x", HERE), "401 E401 ibsso_unknown");
    assert_eq!(stage.create(&[], "{}"), "400 E400 ibsso_create_body");
}

#[test]
fn a_pause_is_told_in_whole_seconds_that_are_not_too_few() {
    let stage = stage();
    let door = door(stage.sessions.clone());
    let endpoint = SessionEndpoint::new(stage.sessions, Users, door);
    for (pause, told) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (59_999, "60")] {
        let pause = std::time::Duration::from_millis(pause);
        let rejection = Rejection::throttled(Reason::new("test", "too many"), pause);
        let answer = endpoint.rejected(&rejection);
        let field = answer.response.headers().get(header::RETRY_AFTER).unwrap();
        assert_eq!(field, told, "{pause:?}");
        assert_eq!(said(&answer), "429 TOO_MANY_REQUESTS test");
    }
}

#[test]
fn a_caller_whose_address_is_not_known_gets_no_bound_session() {
    let stage = stage();
    let (uri, headers) = (Uri::from_static("/"), HeaderMap::new());
    let view =
        RequestView::new(&Method::POST, &uri, &headers).with_body(Body::Bytes(LOG_IN.as_bytes()));
    let endpoint = SessionEndpoint::new(stage.sessions.clone(), Users, door(stage.sessions));
    let unread = RequestView::new(&Method::POST, &uri, &headers);
    for (view, code) in [(view, "ibsso_no_address"), (unread, "ibsso_body_unread")] {
        let error = endpoint.create(view).wait().unwrap_err();
        assert_eq!(error.code(), code);
        assert!(matches!(error, Error::Unavailable { .. }), "nothing was done: {error}");
    }
}

#[track_caller]
fn check_field(value: Option<&str>, presence: Presence, expected: &str) {
    let sessions = Memory::default();
    let new = stage();
    new.create(&[], LOG_IN);
    sessions.0.lock().unwrap().sessions.extend(new.sessions.0.lock().unwrap().sessions.drain());
    let (uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
    if let Some(value) = value {
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
    }
    let view = RequestView::new(&Method::GET, &uri, &headers);
    let verifier = IbssoVerifier::new(sessions);
    let told = match verifier.verify(view).wait().unwrap() {
        Ok(accepted) => accepted.principal.user,
        Err(rejection) => {
            format!("{} {}", rejection.status().as_u16(), rejection.reason().code)
        }
    };
    assert_eq!((verifier.presence(view), told.as_str()), (presence, expected), "{value:?}");
}

#[test]
fn judges_the_scheme_and_the_token() {
    use Presence::{Absent, Present};
    check_field(Some("IBSSO token-1"), Present, "acme");
    check_field(Some("ibsso token-1"), Present, "acme");
    check_field(Some("IBBSO token-1"), Present, "401 ibsso_misspelt");
    check_field(Some("IBSSO token-2"), Present, "401 ibsso_unknown");
    check_field(None, Absent, "401 ibsso_missing");
    check_field(Some("App token-1"), Absent, "401 ibsso_missing");
    check_field(Some("IBSSO"), Present, "400 authorization_credentials");
    check_field(Some("IBSSO a, IBSSO b"), Present, "400 authorization_joined");
    check_field(Some("IBSSO a b"), Present, "400 authorization_credentials");
}

/// The members of a creation are what they say, and every other byte of the body is harmless.
#[test]
fn only_what_is_true_makes_a_session_that_is_bound_to_nothing() {
    let with = |members: &str| {
        format!(r#"{{"username":"acme","password":"pa55:word"{members}}}"#).into_bytes()
    };
    let nested =
        |depth: usize| with(&format!(r#","x":{}1{}"#, "[".repeat(depth), "]".repeat(depth)));
    let long = [with(""), vec![b' '; 16 * 1024 - with("").len()]].concat();
    let bound = HERE.parse().ok();
    for (body, expected) in [
        (with(r#","unsafe":true"#), Ok(None)),
        (with(r#","unsafe":false"#), Ok(bound)),
        (with(r#","Unsafe":true,"UNSAFE":true,"un\u0073afe":true"#), Ok(None)),
        (with(r#","Unsafe":true"#), Ok(bound)),
        (with(r#","unsafe":true,"unsafe":false"#), Err("ibsso_create_body")),
        (with(r#","un\u0073afe":true,"unsafe":false"#), Err("ibsso_create_body")),
        (with(r#","unsafe":null"#), Err("ibsso_create_body")),
        (with(r#","unsafe":1"#), Err("ibsso_create_body")),
        (with(r#","unsafe":[true]"#), Err("ibsso_create_body")),
        (with(r#","replace":"true""#), Err("ibsso_create_body")),
        (with(r#","x":1e999999999"#), Ok(bound)),
        (nested(100), Ok(bound)),
        (nested(8000), Ok(bound)),
        (with(r#","x":"\ud800""#), Ok(bound)),
        ([b"\xef\xbb\xbf", &with("")[..]].concat(), Err("ibsso_create_body")),
        ([&with("")[..], b"\xff"].concat(), Err("ibsso_create_body")),
        ([&with("")[..], b"{}"].concat(), Err("ibsso_create_body")),
        (with("").into_iter().flat_map(|byte| [byte, 0]).collect(), Err("ibsso_create_body")),
        (long.clone(), Ok(bound)),
        ([&long[..], b" "].concat(), Err("ibsso_create_long")),
    ] {
        let stage = stage();
        let answer = stage.ask_bytes(Method::POST, &[], &body, HERE);
        let live = stage.sessions.0.lock().unwrap();
        let made = live.sessions.get("acme").map(|(_, new)| new.bound_to);
        let told = answer.refused.map_or_else(|| Ok(made.unwrap()), |reason| Err(reason.code));
        assert_eq!(told, expected, "{:.100}", String::from_utf8_lossy(&body));
        assert_eq!(made.is_some(), told.is_ok());
    }
}

/// Whatever a refused token was, its answers are the same bytes and the same fields.
#[test]
fn the_outside_sees_one_refusal_of_a_token() {
    let stage = stage();
    stage.create(&[], LOG_IN);
    let shown = |field: &str, from: &str| {
        let answer = stage.ask(Method::DELETE, &[("authorization", field)], "", from);
        format!("{:?} {:?}", answer.response, answer.response.headers())
    };
    let unknown = shown("IBSSO token-7", HERE);
    assert!(unknown.contains("401") && unknown.contains("www-authenticate"), "{unknown}");
    let long = format!("IBSSO {}", "x".repeat(8 * 1024 - 6));
    for field in ["IBSSO token-1", "undefined", "Bearer token-1", "IBBSO token-1", &long] {
        assert_eq!(shown(field, THERE), unknown, "{field:.20}");
    }
    let longer = format!("IBSSO {}", "x".repeat(64 * 1024));
    for malformed in ["IBSSO", "IBSSO ", "IBSSO a b", &longer] {
        assert!(shown(malformed, HERE).contains("status: 400"), "{malformed:.20}");
    }
    assert_eq!(stage.destroy("token-1", HERE), "200 ");
    assert_eq!(shown("IBSSO token-1", HERE), unknown, "it has ended");
}

/// A 401 has its challenge (RFC 9110 section 15.5.2), whatever was refused.
#[test]
fn every_401_has_a_challenge() {
    let stage = stage();
    let wrong = stage.ask(Method::POST, &[], r#"{"username":"acme","password":"x"}"#, HERE);
    let challenge = |answer: &SessionAnswer| {
        assert_eq!(answer.response.status(), 401);
        answer.response.headers().get(header::WWW_AUTHENTICATE).cloned()
    };
    assert_eq!(challenge(&wrong).unwrap(), "IBSSO");
    // It ends between the judgement and the destruction.
    let endpoint = SessionEndpoint::new(stage.sessions.clone(), Users, ended(&stage.sessions));
    let (uri, mut headers) = (Uri::from_static("/auth/1/session"), HeaderMap::new());
    headers.insert(header::AUTHORIZATION, HeaderValue::from_static("IBSSO token-1"));
    let view = RequestView::new(&Method::DELETE, &uri, &headers);
    let gone = endpoint.destroy(view).wait().unwrap();
    assert_eq!(challenge(&gone).unwrap(), "IBSSO");
    let unknown = stage.ask(Method::DELETE, &[("authorization", "IBSSO token-1")], "", HERE);
    assert_eq!(
        format!("{:?} {:?}", gone.response, gone.response.headers()),
        format!("{:?} {:?}", unknown.response, unknown.response.headers())
    );
}

/// Accepts a token whose session has ended by the time that it is to be destroyed.
fn ended(sessions: &Memory) -> impl Verifier<Principal = ()> + use<> {
    sessions.0.lock().unwrap().sessions.clear();
    auth_core::verifier_fn(
        |_| Presence::Present,
        |_| Flow::ready(Ok(auth_core::Accepted::new("test", ()))),
    )
}

/// Users or sessions that fail: the client, when the server answers as the endpoint says.
#[track_caller]
fn check_failing(users: Option<&Error>, sessions: Option<&Error>, code: &str, again: &str) {
    struct Fails<'a, T>(T, Arc<Mutex<Option<&'a Error>>>);

    impl Lookup<UserPassword> for Fails<'_, Users> {
        type Found = String;

        fn lookup(&self, login: &UserPassword) -> Flow<'_, Option<String>> {
            let failed = self.1.lock().unwrap().take();
            failed.map_or_else(|| self.0.lookup(login), |error| Flow::failed(error.clone()))
        }
    }

    impl Sessions for Fails<'_, Memory> {
        type User = String;
        type Principal = Caller;

        fn create(&self, user: String, new: NewSession) -> Flow<'_, CreateOutcome> {
            let failed = self.1.lock().unwrap().take();
            let created = self.0.create(user, new);
            failed.map_or_else(|| created, |error| Flow::failed(error.clone()))
        }

        fn find(&self, token: &[u8]) -> Flow<'_, Option<Caller>> {
            self.0.find(token)
        }

        fn destroy(&self, token: &[u8]) -> Flow<'_, bool> {
            self.0.destroy(token)
        }
    }

    let [users, sessions] = [users, sessions].map(|error| Arc::new(Mutex::new(error.cloned())));
    let memory = Memory::default();
    let transport = ScriptedTransport::new(move |request| {
        let [users, sessions] = [&users, &sessions].map(|error| error.lock().unwrap().take());
        let users = Fails(Users, Arc::new(Mutex::new(users.as_ref())));
        let sessions = Fails(memory.clone(), Arc::new(Mutex::new(sessions.as_ref())));
        let endpoint = SessionEndpoint::new(sessions, users, door(memory.clone()));
        let peer = Peer { address: HERE.parse().ok(), ..Peer::UNKNOWN };
        let view = RequestView::new(request.method(), request.uri(), request.headers())
            .with_body(Body::Bytes(request.body()))
            .with_peer(peer);
        Ok(match endpoint.create(view).wait() {
            Ok(answer) => answer.response,
            Err(error) => {
                let is_undone = matches!(error, Error::Unavailable { .. });
                let status = if is_undone { 503 } else { 500 };
                Response::builder().status(status).body(Vec::new()).unwrap()
            }
        })
    });
    let clock = ManualClock::at(1_700_000_000);
    let context = Context::new(transport).with_clock(clock.clone());
    let log_in = LogIn::new("https://x.api.infobip.com", "acme", "pa55:word").unwrap();
    let session = IbssoSession::new(log_in, context);
    let told = || session.token().wait().map_or_else(|error| error.code(), |_| "created");
    assert_eq!(told(), code);
    clock.advance(std::time::Duration::from_secs(2));
    assert_eq!(told(), again);
}

#[test]
fn a_client_waits_only_where_a_session_may_have_been_created() {
    let down = Error::transport("down", "the database failed");
    let busy = Error::unavailable("busy", None, "nothing was done");
    check_failing(Some(&down), None, "ibsso_busy", "created");
    check_failing(Some(&busy), None, "ibsso_busy", "created");
    check_failing(None, Some(&down), "session_held_elsewhere", "session_held_elsewhere");
}
