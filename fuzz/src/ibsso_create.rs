//! The input is a request for a session: a byte that says what else is known of it, a line for its idempotency key, and
//! its body.

use auth_core::{Body, Peer};
use auth_ibsso::{
    CreateOutcome, Flow, IbssoVerifier, Lookup, NewSession, RequestView, Secret, SessionEndpoint,
    Sessions, UserPassword, error_code,
};
use http::{HeaderMap, HeaderValue, Method, Uri};
use serde_json::Value;
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// Users and sessions are asked exactly for what a second reader finds in the body; whatever else is there is a 400 that
/// repeats nothing of it.
pub fn ibsso_create(data: &[u8]) {
    let [choice, rest @ ..] = data else { return };
    let (key, body) = match rest.iter().position(|byte| *byte == b'\n') {
        Some(at) if choice & 1 == 1 => (Some(&rest[..at]), &rest[at + 1..]),
        _ => (None, rest),
    };
    let key = match key.map(HeaderValue::from_bytes) {
        Some(Err(_)) => return,
        Some(Ok(key)) => Some(key),
        None => None,
    };
    let address = (choice & 2 == 0).then_some(HERE);
    let asked = ask(key.as_ref(), address, body);
    let value = match serde_json::from_slice::<Value>(body) {
        Ok(value) => value,
        // In what is passed over: the second reader wants every number to be one of its own.
        Err(error) if error.to_string().contains("out of range") => return,
        Err(error) => return assert!(asked.is_none(), "a second reader refuses: {error}"),
    };
    let wanted = wanted(&value);
    if let Some(asked) = &asked {
        let (user, password, is_unsafe, replaces) =
            wanted.clone().expect("a second reader refuses");
        assert_eq!((&*asked.user, &*asked.password), (user.as_bytes(), password.as_bytes()));
        assert_eq!((asked.new.bound_to.is_none(), asked.new.replaces), (is_unsafe, replaces));
        let told = asked.new.idempotency_key.as_deref().map(str::as_bytes);
        assert_eq!(told, key.as_ref().map(HeaderValue::as_bytes));
        assert!(body.len() <= 16 * 1024, "too long");
    }
    // Written again each member stands once.
    let again = value.to_string();
    if wanted.is_some_and(|(.., is_unsafe, _)| is_unsafe || address.is_some())
        && again.len() <= 16 * 1024
        && key
            .as_ref()
            .is_none_or(|key| key.to_str().is_ok_and(|key| (1..=256).contains(&key.len())))
    {
        assert!(ask(key.as_ref(), address, again.as_bytes()).is_some(), "refused: {again}");
    }
}

/// User name, password, `unsafe` and `replace`.
fn wanted(value: &Value) -> Option<(String, String, bool, bool)> {
    let object = value.as_object()?;
    let text = |name: &str| object.get(name)?.as_str().map(str::to_owned);
    let flag = |name: &str| object.get(name).map_or(Some(false), Value::as_bool);
    Some((text("username")?, text("password")?, flag("unsafe")?, flag("replace")?))
}

/// What sessions were asked for; none if the request was refused, or not judged.
fn ask(key: Option<&HeaderValue>, address: Option<IpAddr>, body: &[u8]) -> Option<Asked> {
    let (uri, mut headers) = (Uri::from_static("/auth/1/session"), HeaderMap::new());
    headers.extend(key.map(|key| (http::HeaderName::from_static("idempotency-key"), key.clone())));
    let view = RequestView::new(&Method::POST, &uri, &headers)
        .with_body(Body::Bytes(body))
        .with_peer(Peer { address, ..Peer::UNKNOWN });
    let asked = Recorder::default();
    let endpoint =
        SessionEndpoint::new(asked.clone(), Everybody, IbssoVerifier::new(asked.clone()));
    let answer = match endpoint.create(view).wait() {
        Ok(answer) => answer,
        Err(error) => {
            assert_eq!((error.code(), address), ("ibsso_no_address", None));
            return None;
        }
    };
    let asked = asked.0.lock().expect("no panic").take();
    match &answer.refused {
        None => assert_eq!(answer.response.body(), br#"{"token":"t"}"#),
        Some(_) => {
            assert_eq!(answer.response.status(), 400);
            assert_eq!(error_code(answer.response.body()).as_deref(), Some("BAD_REQUEST"));
            // The text is one of ours: a refusal is of the same bytes for all bodies.
            assert!(answer.response.body().len() < 512 && asked.is_none());
        }
    }
    asked
}

struct Asked {
    user: Vec<u8>,
    password: Vec<u8>,
    new: NewSession,
}

struct Everybody;

impl Lookup<UserPassword> for Everybody {
    type Found = UserPassword;

    fn lookup(&self, login: &UserPassword) -> Flow<'_, Option<UserPassword>> {
        Flow::ready(Some(login.clone()))
    }
}

#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Option<Asked>>>);

impl Sessions for Recorder {
    type User = UserPassword;
    type Principal = ();

    fn create(&self, user: UserPassword, new: NewSession) -> Flow<'_, CreateOutcome> {
        let password = user.password.expose().to_vec();
        let asked = Asked { user: user.user.as_bytes().to_vec(), password, new };
        *self.0.lock().expect("no panic") = Some(asked);
        Flow::ready(CreateOutcome::Created(Secret::new("t")))
    }

    fn find(&self, _: &[u8]) -> Flow<'_, Option<()>> {
        Flow::ready(None)
    }

    fn destroy(&self, _: &[u8]) -> Flow<'_, bool> {
        Flow::ready(false)
    }
}
