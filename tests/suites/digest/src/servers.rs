//! Our client against real servers with Digest: what it gets, and what the server's own log says that this took.

use super::{PASSWORD, USER, start::Logging, tunnel::tunnel, wire::Wire};
use auth_core::SystemRandom;
use auth_digest::{ChallengePolicy, Digest, Qop};
use auth_reqwest::AuthClient;
use auth_tower::{AuthenticateLayer, OutgoingBody};
use axum::{Router, routing::any};
use conformance::{Compared, compare};
use http::{HeaderValue, StatusCode, header};
use hyper_util::{client::legacy, rt::TokioExecutor};
use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, time::sleep};
use tower::{Layer, ServiceExt};

/// Apache: also `rspauth`, the next nonce, and one that has grown old.
pub async fn apache(server: &Logging) -> Vec<Compared> {
    let mut wire = Wire::of(server);
    let page = format!("{}/page", server.base);
    let mut cases = wire.door("md5", &page, "MD5 auth", digest).await;
    let short = format!("{}/short/page", server.base);
    let kept = digest(USER, PASSWORD);
    cases.push(wire.get("short-first", &short, &kept, 200, "401, 200 MD5 auth 1").await);
    // Each answer hands the next nonce over, which the next request begins with.
    sleep(Duration::from_millis(2100)).await;
    let expected = "401 MD5 auth 1, 200 MD5 auth 1";
    cases.push(wire.get("short-stale", &short, &kept, 200, expected).await);
    cases.push(proven(&page, &digest(USER, PASSWORD)).await);
    wire.expect(2).await;
    cases
}

/// lighttpd: the three hash functions, the stronger of two, and hashed names.
pub async fn lighttpd(server: &Logging) -> Vec<Compared> {
    let mut wire = Wire::of(server);
    let mut cases = Vec::new();
    for (path, shown) in [
        ("md5", "MD5 auth"),
        ("sha-256", "SHA-256 auth"),
        ("sha-512-256", "SHA-512-256 auth"),
        ("two", "SHA-256 auth"),
        ("userhash", "SHA-256 auth userhash"),
    ] {
        let page = format!("{}/{path}/page", server.base);
        cases.extend(wire.door(path, &page, shown, digest).await);
    }
    cases
}

/// httpbin: `auth-int`. Its `SHA-512` is left out, since no specification has it and neither do we.
pub async fn httpbin(server: &Logging) -> Vec<Compared> {
    let mut wire = Wire::of(server);
    let mut cases = Vec::new();
    for algorithm in ["MD5", "SHA-256"] {
        for qop in [Qop::Auth, Qop::AuthInt] {
            let page = format!("{}/digest-auth/{qop}/{USER}/{PASSWORD}/{algorithm}", server.base);
            let id = format!("{}-{qop}", algorithm.to_ascii_lowercase());
            let policy = ChallengePolicy::new().with_qop(qop);
            let digest = |user: &str, password: &str| {
                digest(user, password).map(|digest| digest.with_policy(policy))
            };
            cases.extend(wire.door(&id, &page, &format!("{algorithm} {qop}"), digest).await);
        }
    }
    cases
}

/// Flask-HTTPAuth: its nonces live in a cookie, which a program with a jar sends back.
pub async fn flask(server: &Logging) -> Vec<Compared> {
    let mut wire = Wire::of(server);
    let mut cases = Vec::new();
    for (path, shown) in [("md5", "MD5 auth"), ("md5-sess", "MD5-sess auth")] {
        let page = format!("{}/{path}", server.base);
        let known = Browser::new(digest(USER, PASSWORD));
        let guess = Browser::new(digest(USER, "guess"));
        let stranger = Browser::new(digest("mallory", PASSWORD));
        for (id, browser, status, expected) in [
            ("first", &known, 200, format!("401, 200 {shown} 1")),
            ("second", &known, 200, format!("200 {shown} 2")),
            ("wrong-password", &guess, 401, format!("401, 401 {shown} 1")),
            ("unknown-user", &stranger, 401, format!("401, 401 {shown} 1")),
        ] {
            let got = browser.get(&page).await;
            cases.push(wire.compare(&format!("{path}-{id}"), got, status, &expected).await);
        }
    }
    cases
}

/// squid: a proxy that asks, over plain http and for a tunnel, and gives the next nonce before one ends.
pub async fn squid(server: &Logging) -> Vec<Compared> {
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await {
        Ok(listener) => listener,
        Err(error) => return vec![compare("start", "started", error)],
    };
    let behind = &match listener.local_addr() {
        Ok(address) => format!("http://{address}/"),
        Err(error) => return vec![compare("start", "started", error)],
    };
    // Dropped with the runtime of this suite.
    tokio::spawn(async { axum::serve(listener, Router::new().route("/", any(|| async {}))).await });
    let mut wire = Wire::of(server);
    wire.proxy = Some(server.base.clone());
    let door = |user: &str, password: &str| digest(user, password).map(Digest::for_proxy);
    let kept = door(USER, PASSWORD);
    let mut cases = Vec::new();
    for (id, expected) in
        [("first", "407, 200 auth 1"), ("second", "200 auth 2"), ("nextnonce", "200 auth 1")]
    {
        cases.push(wire.get(id, behind, &kept, 200, expected).await);
    }
    for (id, user, password) in
        [("wrong-password", USER, "guess"), ("unknown-user", "mallory", PASSWORD)]
    {
        let guess = door(user, password);
        cases.push(wire.get(id, behind, &guess, 407, "407, 407 auth 1").await);
    }
    for (id, password, status) in [("connect", PASSWORD, 200), ("connect-wrong", "guess", 407)] {
        let got = tunnel(&server.base, behind, password).await;
        let expected = format!("407, {status} auth 1");
        cases.push(wire.compare(id, got, status, &expected).await);
    }
    cases
}

pub(super) fn digest(user: &str, password: &str) -> auth_core::Result<Digest> {
    Digest::new(user, password, SystemRandom::new())
}

/// An answer with `rspauth` is passed on only when that is right: the client has checked it.
async fn proven(page: &str, digest: &auth_core::Result<Digest>) -> Compared {
    let asked = async {
        let client = AuthClient::builder().build().map_err(text)?;
        let request = client.http().get(page).build().map_err(text)?;
        client.send(digest.as_ref().map_err(text)?, request).await.map_err(text)
    };
    let actual = match asked.await {
        Ok(answer) => {
            let info = answer.headers().get("authentication-info");
            let proven = info.is_some_and(|info| info.as_bytes().starts_with(b"rspauth=\""));
            format!("{}, rspauth: {proven}", answer.status().as_u16())
        }
        Err(error) => error,
    };
    compare("rspauth", "200, rspauth: true", actual)
}

/// A client that sends back the last cookie it was given, as a person's does.
struct Browser {
    digest: Option<Arc<Digest>>,
    cookie: Arc<Mutex<Option<HeaderValue>>>,
}

impl Browser {
    fn new(digest: auth_core::Result<Digest>) -> Self {
        Self { digest: digest.ok().map(Arc::new), cookie: Arc::default() }
    }

    async fn get(&self, page: &str) -> Result<StatusCode, String> {
        let digest = self.digest.clone().ok_or("no client")?;
        let client = legacy::Client::builder(TokioExecutor::new()).build_http::<OutgoingBody>();
        let jar = Arc::clone(&self.cookie);
        let with_cookies = tower::service_fn(move |mut request: http::Request<OutgoingBody>| {
            let (client, jar) = (client.clone(), Arc::clone(&jar));
            async move {
                let kept = jar.lock().unwrap_or_else(PoisonError::into_inner).clone();
                request.headers_mut().extend(kept.map(|cookie| (header::COOKIE, cookie)));
                let answer = client.request(request).await?;
                if let Some(cookie) = answer.headers().get(header::SET_COOKIE) {
                    let pair = cookie.as_bytes().split(|byte| *byte == b';').next();
                    let pair = pair.and_then(|pair| HeaderValue::from_bytes(pair).ok());
                    *jar.lock().unwrap_or_else(PoisonError::into_inner) = pair;
                }
                Ok::<_, legacy::Error>(answer)
            }
        });
        let request = http::Request::get(page).body(OutgoingBody::empty()).map_err(text)?;
        let answer = AuthenticateLayer::new(digest).layer(with_cookies).oneshot(request).await;
        Ok(answer.map_err(text)?.status())
    }
}

pub(super) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
