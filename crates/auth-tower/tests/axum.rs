//! The extractor, and what a verifier sees behind axum's routing.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, missing_docs)]

use auth_core::*;
use auth_tower::{Authenticated, TracingObserver, VerifyLayer};
use axum::{Router, body::Body as AxumBody, extract::ConnectInfo, routing::get};
use http::Request;
use http_body_util::BodyExt;
use std::{
    any::type_name,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tower::ServiceExt;

/// The principal is what the verifier saw.
struct Seen;

impl Verifier for Seen {
    type Principal = String;

    fn presence(&self, _: RequestView<'_>) -> Presence {
        Presence::Present
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<String>> {
        Flow::ready(Ok(Accepted::new(
            "Seen",
            format!("{} {:?}", request.uri, request.peer.address),
        )))
    }
}

async fn ask(app: Router, target: &str) -> (u16, String) {
    let mut request = Request::get(target).body(AxumBody::empty()).unwrap();
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::from(([0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201], 9))));
    let answer = app.oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    (
        status,
        String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().into()).unwrap(),
    )
}

async fn who(caller: Authenticated<String>) -> String {
    caller.principal
}

#[tokio::test]
async fn a_verifier_sees_the_original_target_under_nest_and_the_peer() {
    let inner = Router::new().route("/x", get(who)).layer(VerifyLayer::new(Seen));
    let app = Router::new().nest("/api", inner);
    assert_eq!(ask(app, "/api/x?q=1").await, (200, String::from("/api/x?q=1 Some(192.0.2.1)")));
}

async fn who_if_any(caller: Option<Authenticated<String>>) -> String {
    caller.map_or_else(|| String::from("nobody"), |caller| caller.principal)
}

/// Collects what is logged while it is the default of its thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends a request; the answer, and what was logged as an error.
async fn ask_logged(app: Router) -> (u16, String, String) {
    ask_logged_at(tracing::Level::ERROR, app, "/x").await
}

/// Sends a request; the answer, and what was logged at this level.
async fn ask_logged_at(level: tracing::Level, app: Router, path: &str) -> (u16, String, String) {
    let lines = Lines::default();
    let written = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_writer(move || lines.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let (status, body) = ask(app, path).await;
    drop(guard);
    let logged = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    (status, body, logged)
}

#[tokio::test]
async fn a_principal_that_no_layer_provides_is_a_500_and_an_error_that_names_both_types() {
    let check = async |app: Router, provided: Option<&str>| {
        let (status, body, logged) = ask_logged(app).await;
        assert_eq!((status, body.as_str()), (500, "Internal Server Error\n"));
        let asked = format!("asked_for=\"{}\"", type_name::<String>());
        assert!(logged.contains("ERROR") && logged.contains(&asked), "{logged}");
        let both = provided.map(|provided| format!("{asked} provided=\"{provided}\""));
        assert!(both.is_none_or(|both| logged.contains(&both)), "{logged}");
        assert_eq!(provided.is_some(), logged.contains("provided="), "{logged}");
    };
    // a route that forgot its layer must not look open
    check(Router::new().route("/x", get(who)), None).await;
    let other = VerifyLayer::new(Seen.map(|seen| seen.len()));
    check(Router::new().route("/x", get(who)).layer(other), Some("usize")).await;
    // an error of the handler itself is none of ours
    let fails = || async { http::StatusCode::INTERNAL_SERVER_ERROR };
    let app = Router::new().route("/x", get(fails)).layer(VerifyLayer::new(Seen));
    assert_eq!(ask_logged(app).await, (500, String::new(), String::new()));
}

#[tokio::test]
async fn an_optional_principal_is_there_behind_a_layer_and_not_without() {
    let app = || Router::new().route("/x", get(who_if_any));
    let (status, body, logged) = ask_logged(app()).await;
    assert_eq!((status, body.as_str(), logged.as_str()), (200, "nobody", ""));
    let (status, body) = ask(app().layer(VerifyLayer::new(Seen)), "/x").await;
    assert_eq!((status, body.as_str()), (200, "/x Some(192.0.2.1)"));
}

/// The line of a refusal tells where it was and from where, and nothing of the query.
#[tokio::test]
async fn a_refusal_is_logged_with_its_path_and_the_address_of_its_caller() {
    const NO: Reason = Reason::new("test_no", "nobody is let in");
    let nobody = Seen.check(|_: &String, _| Flow::ready(Err::<(), _>(Rejection::forbidden(NO))));
    let layer = VerifyLayer::new(nobody).with_observer(TracingObserver);
    let app = Router::new().route("/x/{id}", get(who)).layer(layer);
    let (status, _, logged) = ask_logged_at(tracing::Level::INFO, app, "/x/7?key=s3cret").await;
    assert_eq!(status, 403);
    let line = logged.lines().find(|line| line.contains("request rejected")).unwrap();
    for part in
        ["http.request.method=GET", "url.path=\"/x/7\"", "client.address=192.0.2.1", "test_no"]
    {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    assert!(!logged.contains("s3cret"), "{logged}");
}
