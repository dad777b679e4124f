//! The server side over sessions in memory, of which one of a user is alive.

#![allow(clippy::unwrap_used)]

use auth_core::{
    Body, Challenge, Flow, Lookup, Peer, Presence, Reason, Rejection, RequestView, Verifier,
};
use auth_ibsso::{
    CreateOutcome, ErrorForm, IbssoVerifier, NewSession, Secret, SessionAnswer, SessionEndpoint,
    Sessions, UserPassword, error_code,
};
use http::{HeaderMap, HeaderValue, Method, Uri, header};
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
        let (uri, mut headers) = (Uri::from_static("/auth/1/session"), HeaderMap::new());
        for (name, value) in fields {
            let name: http::HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let peer = Peer { address: from.parse().ok(), ..Peer::UNKNOWN };
        let view = RequestView::new(&method, &uri, &headers)
            .with_body(Body::Bytes(body.as_bytes()))
            .with_peer(peer);
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
    assert_eq!(endpoint.create(view).wait().unwrap_err().code(), "ibsso_no_address");
    let unread = RequestView::new(&Method::POST, &uri, &headers);
    assert_eq!(endpoint.create(unread).wait().unwrap_err().code(), "ibsso_body_unread");
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
