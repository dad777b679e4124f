//! Real servers on loopback, and an authenticator whose credentials are easy to see.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

use auth_core::*;
use axum::{Router, body::Body as AxumBody, extract::Request, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::net::TcpListener;

/// What a server saw of each request: the line and the fields, `GET /path name:value ...`, and the body.
pub type Seen = Arc<Mutex<Vec<String>>>;

/// A server that notes every request and answers as told.
pub async fn serve(
    answer: impl Fn(&http::request::Parts) -> Response + Clone + Send + Sync + 'static,
) -> (SocketAddr, Seen) {
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    let app = Router::new().fallback(move |request: Request| {
        let (log, answer) = (Arc::clone(&log), answer.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let kept = [
                "authorization",
                "cookie",
                "secret",
                "session",
                "x-plain",
                "proxy-authorization",
                "content-type",
            ];
            let fields = kept.iter().filter_map(|name| {
                Some(format!("{name}:{}", head.headers.get(*name)?.to_str().ok()?))
            });
            let fields: Vec<_> = fields.collect();
            let text = format!(
                "{} {} [{}] {}",
                head.method,
                head.uri,
                fields.join(" "),
                String::from_utf8_lossy(&body)
            );
            log.lock().unwrap().push(text);
            answer(&head)
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, seen)
}

pub fn answer(status: u16, fields: &[(&str, &str)], body: impl Into<AxumBody>) -> Response {
    let fields = fields.iter().map(|(name, value)| {
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
    });
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response.headers_mut().extend(HeaderMap::from_iter(fields));
    response
}

/// Sends `session: N` and a query parameter, and retries on 401 with a fresh N.
#[derive(Default)]
pub struct Session {
    stamper: Stamper,
    attempts: AtomicU64,
}

impl Authenticator for Session {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        let attempt = self.attempts.fetch_add(1, Ordering::SeqCst);
        let made = Credentials::header(HeaderName::from_static("session"), attempt.into());
        let made = made.and_then(|made| made.and(Credentials::query("k", "a/b")));
        made.map(|made| made.stamped(self.stamper.stamp(attempt))).into()
    }

    fn reads(&self, _: StatusCode, _: &HeaderMap) -> Need {
        Need::Bytes { limit: 64 }
    }

    fn assess(&self, _: &Credentials, answer: Answer<'_>) -> Verdict {
        let code = answer.body.is_some_and(|body| body.starts_with(b"7001"));
        if answer.status == 401 || code { Verdict::Retry { after: None } } else { Verdict::Accept }
    }
}
