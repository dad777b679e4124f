//! One scripted authenticator through every client adapter, and through the loop over a transport: none has a law of its
//! own.

use auth_core::{
    Answer, Authenticator, Body, Credentials, Error, Flow, Need, RequestView, Result, Stamper,
    Transport as _, Verdict,
};
use auth_tower::{AuthenticateLayer, ClientError, OutgoingBody};
use axum::{Router, extract::Request as Received, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, runtime::Handle};
use tower::{Layer, ServiceExt};

const TYPED: HeaderName = HeaderName::from_static("typed");
const NUMBER: HeaderName = HeaderName::from_static("number");

/// What an authenticator does, in turn.
#[derive(Clone, Default)]
struct Script {
    /// What it needs, each time that it is asked; the last one holds on.
    needs: &'static [Need],
    fails_unless_shown: bool,
    makes_nothing: bool,
    sets_typed: bool,
}

/// Acts by its script, and notes what it is asked and shown.
struct ScriptedAuthenticator {
    script: Script,
    stamper: Stamper,
    log: Mutex<Vec<String>>,
}

impl ScriptedAuthenticator {
    fn note(&self, what: String) {
        self.log.lock().unwrap().push(what);
    }

    /// Every attempt at a request has the same memory: what was remembered when the last answer was read is there.
    fn check_memory(&self, request: RequestView<'_>) {
        let memory = request.memory().expect("a request without a memory");
        let read = Some(self.count("reads")).filter(|read| *read > 0);
        assert_eq!(memory.recall::<usize>(&self.stamper).as_deref(), read.as_ref());
    }

    fn count(&self, what: &str) -> usize {
        self.log.lock().unwrap().iter().filter(|noted| noted.starts_with(what)).count()
    }
}

impl Authenticator for ScriptedAuthenticator {
    fn needs(&self, head: RequestView<'_>) -> Need {
        let asked = self.count("needs");
        self.note(format!("needs {:?} {:?}", head.body, head.hop));
        let needs = self.script.needs;
        needs.get(asked).or(needs.last()).copied().unwrap_or_default()
    }

    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        self.check_memory(request);
        let number = self.count("makes");
        self.note(format!("makes {:?}", request.body));
        if self.script.makes_nothing {
            return Flow::ready(Credentials::none());
        }
        if self.script.fails_unless_shown && matches!(request.body, Body::Unread) {
            return Flow::failed(Error::config("unread", "body was not read"));
        }
        let name = if self.script.sets_typed { TYPED } else { NUMBER };
        let made = Credentials::header(name, HeaderValue::from(number));
        let made = made.and_then(|made| made.and(Credentials::query("q", "a/b")));
        let stamp = self.stamper.stamp(number.try_into().unwrap());
        // Not ready at once: as after a log-in.
        Flow::new(async move { Ok(made?.stamped(stamp)) })
    }

    fn reads(&self, _: StatusCode, _: &HeaderMap) -> Need {
        Need::Bytes { limit: 5 }
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        let request = answer.request;
        let sent = sent.field(&NUMBER).map_or("none", |value| value.to_str().unwrap());
        let (query, fields) = (request.uri.query(), request.headers.contains_key(NUMBER));
        let body = answer.body.map(String::from_utf8_lossy);
        self.check_memory(request);
        self.note(format!("reads {sent} {query:?} {fields} {:?} {body:?}", request.hop));
        request.memory().unwrap().remember(&self.stamper, Arc::new(self.count("reads")));
        match answer.body {
            Some(b"again") => Verdict::Retry { after: None },
            Some(b"never") => Verdict::Refused(Error::refused("never", "no use")),
            _ => Verdict::Accept,
        }
    }
}

/// What each server of a test saw, and what it answers in turn.
#[derive(Clone)]
struct Told {
    answers: &'static [&'static str],
    seen: Arc<Mutex<Vec<String>>>,
}

async fn serve(answers: &'static [&'static str]) -> (SocketAddr, Told) {
    let told = Told { answers, seen: Arc::default() };
    let state = told.clone();
    let app = Router::new().fallback(move |request: Received| {
        let told = state.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let mut seen = told.seen.lock().unwrap();
            let number = head.headers.get(NUMBER).map_or("none", |value| value.to_str().unwrap());
            let body = String::from_utf8_lossy(&body);
            seen.push(format!("{number} {:?} {body}", head.uri.query()));
            let answer = told.answers.get(seen.len() - 1).copied().unwrap_or("unasked");
            Response::new(axum::body::Body::from(answer))
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, told)
}

#[derive(Clone, Copy, Debug)]
enum Through {
    Reqwest,
    Ureq,
    Tower,
    Transport,
}

impl Through {
    /// The body of the answer, or the code of the error.
    async fn send(
        self,
        url: &str,
        authenticator: Arc<ScriptedAuthenticator>,
    ) -> Result<String, &'static str> {
        let request = Request::builder().method(Method::POST).uri(url).header(TYPED, "typed");
        let code = |error: Error| error.code();
        match self {
            Self::Reqwest => {
                let client = auth_reqwest::AuthClient::builder().build().unwrap();
                let request = request.body("body").unwrap();
                let answer = client.send(&authenticator, request).await.map_err(code)?;
                Ok(answer.text().await.unwrap())
            }
            Self::Ureq => {
                let client = auth_ureq::AuthClient::builder().build().unwrap();
                let request = request.body("body").unwrap();
                let sent = tokio::task::spawn_blocking(move || {
                    let mut answer = client.send(&authenticator, request).map_err(code)?;
                    Ok(answer.body_mut().read_to_string().unwrap())
                });
                sent.await.unwrap()
            }
            Self::Tower => {
                let hyper: legacy::Client<HttpConnector, OutgoingBody> =
                    legacy::Client::builder(TokioExecutor::new()).build_http();
                let service = AuthenticateLayer::new(authenticator).layer(hyper);
                let request = request.body(OutgoingBody::from("body")).unwrap();
                match service.oneshot(request).await {
                    Err(ClientError::Authentication(error)) => Err(error.code()),
                    Err(ClientError::Service(error)) => panic!("{error}"),
                    Ok(answer) => {
                        let body = axum::body::Body::new(answer.into_body());
                        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                        Ok(String::from_utf8(bytes.to_vec()).unwrap())
                    }
                }
            }
            Self::Transport => {
                let transport = auth_reqwest::ReqwestTransport::builder(Handle::current());
                let transport = transport.allowing_loopback().build().unwrap();
                let request = request.body(b"body".to_vec()).unwrap();
                let answer = auth_core::send(&transport, &authenticator, request.into()).await;
                transport.pause(std::time::Duration::ZERO).await.unwrap();
                Ok(String::from_utf8(answer.map_err(code)?.into_body()).unwrap())
            }
        }
    }
}

struct Case {
    script: Script,
    /// `None` is a host beyond loopback, where nobody is asked.
    answers: Option<&'static [&'static str]>,
    expected: Result<&'static str, &'static str>,
    asked: &'static [&'static str],
    seen: &'static [&'static str],
}

async fn check(case: Case) {
    for through in [Through::Reqwest, Through::Ureq, Through::Tower, Through::Transport] {
        let (address, told) = serve(case.answers.unwrap_or_default()).await;
        let url = match case.answers {
            Some(_) => format!("http://{address}/p"),
            None => String::from("http://192.0.2.1/p"),
        };
        let (script, log) = (case.script.clone(), Mutex::default());
        let scripted = Arc::new(ScriptedAuthenticator { script, stamper: Stamper::new(), log });
        let got = through.send(&url, Arc::clone(&scripted)).await;
        assert_eq!(got.as_deref().map_err(|code| *code), case.expected, "{through:?}");
        assert_eq!(*scripted.log.lock().unwrap(), case.asked, "{through:?}");
        assert_eq!(*told.seen.lock().unwrap(), case.seen, "{through:?}");
    }
}

const ALL: Need = Need::Bytes { limit: usize::MAX };
const ASKED: &str = "needs Unread Origin";
const UNREAD: &str = "makes Unread";
const SHOWN: &str = "makes Bytes(4 bytes)";
const READ: &str = "reads 0 None false Origin Some(\"good\")";
const SENT: &str = "0 Some(\"q=a%2Fb\") body";

fn good(script: Script, asked: &'static [&'static str]) -> Case {
    Case { script, answers: Some(&["good"]), expected: Ok("good"), asked, seen: &[SENT] }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_adapter_shows_the_body_when_it_is_needed_and_only_then() {
    check(good(Script::default(), &[ASKED, UNREAD, READ])).await;
    let script = Script { needs: &[ALL], ..Script::default() };
    check(good(script, &[ASKED, SHOWN, READ])).await;
    let script = Script { needs: &[Need::Bytes { limit: 3 }], ..Script::default() };
    let expected = Err("client_body_limit");
    check(Case { script, answers: Some(&[]), expected, asked: &[ASKED], seen: &[] }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_adapter_asks_once_more_for_what_was_learned_meanwhile() {
    let needs: &[Need] = &[Need::Nothing, ALL];
    let script = Script { needs, fails_unless_shown: true, ..Script::default() };
    const SECOND: &str = "reads 1 None false Origin Some(\"good\")";
    let asked = &[ASKED, UNREAD, ASKED, SHOWN, SECOND];
    check(Case { asked, seen: &["1 Some(\"q=a%2Fb\") body"], ..good(script, &[]) }).await;
    let script = Script { fails_unless_shown: true, ..Script::default() };
    let asked = &[ASKED, UNREAD, ASKED];
    check(Case { script, answers: Some(&[]), expected: Err("unread"), asked, seen: &[] }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_adapter_sends_credentials_in_the_clear_or_over_a_field_that_is_taken() {
    let asked = &[ASKED, UNREAD];
    let script = Script::default();
    let expected = Err("client_plain_http");
    check(Case { script, answers: None, expected, asked, seen: &[] }).await;
    let script = Script { sets_typed: true, ..Script::default() };
    let expected = Err("credentials_header_taken");
    check(Case { script, answers: Some(&[]), expected, asked, seen: &[] }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_adapter_tries_again_as_the_answer_says() {
    const AGAIN: &str = "reads 0 None false Origin Some(\"again\")";
    let answers: Option<&[&str]> = Some(&["again", "longer than is read"]);
    check(Case {
        script: Script::default(),
        answers,
        expected: Ok("longer than is read"),
        asked: &[ASKED, UNREAD, AGAIN, ASKED, UNREAD, "reads 1 None false Origin None"],
        seen: &[SENT, "1 Some(\"q=a%2Fb\") body"],
    })
    .await;
    let asked = &[ASKED, UNREAD, "reads 0 None false Origin Some(\"never\")"];
    let (script, answers) = (Script::default(), Some(&["never"][..]));
    check(Case { script, answers, expected: Err("never"), asked, seen: &[SENT] }).await;
    let script = Script { makes_nothing: true, ..Script::default() };
    let asked = &[ASKED, UNREAD, "reads none None false Origin Some(\"good\")"];
    let seen = &["none None body"];
    check(Case { asked, seen, ..good(script, &[]) }).await;
}
