//! Real servers on loopback, each on a thread of its own, and an authenticator whose credentials are easy to see.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

use auth_core::*;
use axum::{Router, body::Body as AxumBody, extract::Request, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// What a server saw of each request: the line and the fields, `GET /path [name:value ...]`, and the body.
pub type Seen = Arc<Mutex<Vec<String>>>;

pub fn seen(seen: &Seen) -> Vec<String> {
    seen.lock().unwrap().clone()
}

const SHOWN: [&str; 9] = [
    "authorization",
    "content-length",
    "content-type",
    "cookie",
    "proxy-authorization",
    "secret",
    "session",
    "transfer-encoding",
    "x-plain",
];

/// A server that notes every request and answers as told.
pub fn serve(
    answer: impl Fn(&http::request::Parts) -> Response + Clone + Send + Sync + 'static,
) -> (SocketAddr, Seen) {
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    let app = Router::new().fallback(move |request: Request| {
        let (log, answer) = (Arc::clone(&log), answer.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let fields: Vec<_> = SHOWN
                .iter()
                .filter_map(|name| Some((name, head.headers.get(*name)?.to_str().ok()?)))
                .map(|(name, value)| format!("{name}:{value}"))
                .collect();
            let body = String::from_utf8_lossy(&body);
            let line = format!("{} {} [{}] {body}", head.method, head.uri, fields.join(" "));
            log.lock().unwrap().push(line);
            answer(&head)
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app).await.unwrap();
        });
    });
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

/// A listener that hands each connection to `serve`, one after the other.
pub fn listen(mut serve: impl FnMut(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(|caller| serve(caller.unwrap())));
    address
}

/// A port where nobody listens.
pub fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A proxy that notes what it is told, and is the server behind itself.
pub fn tunnel() -> (SocketAddr, Seen) {
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    let address = listen(move |mut caller| {
        for answer in
            ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"]
        {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut next = [0];
                if caller.read(&mut next).unwrap_or(0) == 0 {
                    return;
                }
                head.extend_from_slice(&next);
            }
            log.lock().unwrap().push(String::from_utf8(head).unwrap().to_ascii_lowercase());
            caller.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, seen)
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
