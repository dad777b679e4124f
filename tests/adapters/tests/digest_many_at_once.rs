//! Hundreds of Digest requests at once, through every adapter and over loopback, before servers that are strict about
//! nonces: a right password never ends in a 401.

use auth_core::{Authorization, MemoryReplayStore, SystemClock, SystemRandom, Verifier as _};
use auth_digest::{
    Digest, DigestAccounts, DigestAlgorithm, DigestPrincipal, DigestResponse, DigestVerifier, Ha1,
    HashFunction, Nonces, OfferedQop,
};
use auth_tower::{AuthenticateLayer, OutgoingBody, VerifyLayer};
use axum::{
    Router,
    extract::Request as Received,
    response::{IntoResponse, Response},
};
use http::{Request, StatusCode, header::WWW_AUTHENTICATE};
use hyper_util::{client::legacy, rt::TokioExecutor};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, task::JoinSet};
use tower::{Layer, ServiceExt};

/// A server of other people: a count may be up to three behind the highest one of its nonce and comes once, or each
/// nonce serves once. It never says `stale`.
#[derive(Clone)]
struct Strict {
    window: u32,
    /// The counts that were taken, of each nonce that was issued.
    nonces: Arc<Mutex<HashMap<String, Vec<u32>>>>,
}

impl Strict {
    fn takes(&self, request: &Received) -> bool {
        let Some(field) = request.headers().get("authorization") else { return false };
        let field = Authorization::parse(field.as_bytes()).unwrap();
        let sent = DigestResponse::parse(field.credentials()).unwrap();
        let counted = sent.counted.as_ref().unwrap();
        let ha1 = Ha1::new(HashFunction::Sha256, "alice", b"r", b"s3cret");
        let session = ha1.session(DigestAlgorithm::Sha256, &sent.nonce, &counted.cnonce);
        assert!(session.response(&sent.message("GET", None).unwrap()).matches(sent.response));
        let (count, mut nonces) = (counted.nc.number(), self.nonces.lock().unwrap());
        let taken = nonces.get_mut(std::str::from_utf8(&sent.nonce).unwrap()).unwrap();
        let highest = taken.iter().copied().max().unwrap_or(0);
        let takes = match self.window {
            0 => taken.is_empty(),
            window => count + window > highest && !taken.contains(&count),
        };
        taken.extend(takes.then_some(count));
        takes
    }

    fn answer(&self, request: &Received) -> Response {
        if self.takes(request) {
            return "through".into_response();
        }
        let mut nonces = self.nonces.lock().unwrap();
        let nonce = nonces.len().to_string();
        let asked =
            format!("Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\", algorithm=SHA-256");
        nonces.insert(nonce, Vec::new());
        (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, asked)]).into_response()
    }
}

fn strict(window: u32) -> Router {
    let server = Strict { window, nonces: Arc::default() };
    Router::new().fallback(move |request: Received| {
        let server = server.clone();
        async move { server.answer(&request) }
    })
}

/// Our own verifier for clients of RFC 2069: without a count each nonce serves once.
fn legacy() -> Router {
    let mut accounts = DigestAccounts::new();
    let ha1 = Ha1::new(HashFunction::Sha256, "alice", b"r", b"s3cret");
    accounts.add("alice", "r", ha1).unwrap();
    let nonces = Nonces::of_this_process(SystemRandom::new(), SystemClock).unwrap();
    let door = DigestVerifier::new("r", accounts, nonces, MemoryReplayStore::new(SystemClock));
    let door = door.unwrap().with_qop(OfferedQop::Legacy).unwrap();
    let door = door.map(|caller: DigestPrincipal| caller.user.to_string());
    Router::new().fallback(|| async { "through" }).layer(VerifyLayer::new(door))
}

async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    format!("http://{address}/x")
}

#[derive(Clone, Copy, Debug)]
enum Through {
    Reqwest,
    Ureq,
    Tower,
}

/// How so many requests end that are sent at once, under one `Digest`.
async fn at_once(through: Through, url: &str, digest: &Arc<Digest>, requests: usize) -> Vec<u16> {
    let mut sent = JoinSet::new();
    let reqwest = auth_reqwest::AuthClient::builder().build().unwrap();
    let ureq = Arc::new(auth_ureq::AuthClient::builder().build().unwrap());
    let hyper: legacy::Client<_, OutgoingBody> =
        legacy::Client::builder(TokioExecutor::new()).build_http();
    let layer = AuthenticateLayer::new(Arc::clone(digest));
    for _ in 0..requests {
        let (url, digest) = (url.to_owned(), Arc::clone(digest));
        match through {
            Through::Reqwest => {
                let client = reqwest.clone();
                let request = client.http().get(url).build().unwrap();
                sent.spawn(async move { client.send(&*digest, request).await.unwrap().status() });
            }
            Through::Ureq => {
                let client = Arc::clone(&ureq);
                let request = Request::get(url).body(()).unwrap();
                sent.spawn_blocking(move || client.send(&*digest, request).unwrap().status());
            }
            Through::Tower => {
                let service = layer.layer(hyper.clone());
                let request = Request::get(url).body(OutgoingBody::from("")).unwrap();
                sent.spawn(async move { service.oneshot(request).await.unwrap().status() });
            }
        }
    }
    sent.join_all().await.into_iter().map(|status| status.as_u16()).collect()
}

/// At first nothing is kept; then a nonce that has served, which hundreds of requests share.
async fn check(app: impl Fn() -> Router) {
    for through in [Through::Reqwest, Through::Ureq, Through::Tower] {
        let url = serve(app()).await;
        let digest = Arc::new(Digest::new("alice", "s3cret", SystemRandom::new()).unwrap());
        for requests in [400, 400] {
            let ended = at_once(through, &url, &digest, requests).await;
            let refused = ended.iter().filter(|status| **status != 200).count();
            assert_eq!((ended.len(), refused), (requests, 0), "{through:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_count_window_refuses_no_right_password() {
    check(|| strict(4)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nonces_that_serve_once_refuse_no_right_password() {
    check(|| strict(0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_verifier_in_its_legacy_form_refuses_no_right_password() {
    check(legacy).await;
}
