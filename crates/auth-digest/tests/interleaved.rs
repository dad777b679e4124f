//! Another request is challenged between two questions to one client.

#![allow(clippy::unwrap_used)]

use auth_core::{
    Answer, Authenticator, Body, Credentials, Flow, Need, PlainHttp, RequestView, SystemRandom,
    authenticate,
};
use auth_digest::Digest;
use http::{HeaderMap, Method, StatusCode, Uri, header::WWW_AUTHENTICATE};
use std::sync::atomic::{AtomicBool, Ordering};

/// A client that hears a challenge as soon as it has said for the first time what it needs.
struct Interrupted(Digest, AtomicBool);

impl Authenticator for Interrupted {
    fn needs(&self, head: RequestView<'_>) -> Need {
        let need = self.0.needs(head);
        if !self.1.swap(true, Ordering::SeqCst) {
            let asked = r#"Digest realm="r", nonce="n", qop="auth-int", algorithm=SHA-256"#;
            let asked = HeaderMap::from_iter([(WWW_AUTHENTICATE, asked.parse().unwrap())]);
            let answer = Answer::new(head, StatusCode::UNAUTHORIZED, &asked);
            let _ = self.0.assess(&Credentials::none(), answer);
        }
        need
    }

    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        self.0.credentials(request)
    }
}

#[test]
fn what_was_learned_between_two_questions_breaks_no_request() {
    let digest = Digest::new("alice", "s3cret", SystemRandom::new()).unwrap();
    let client = Interrupted(digest, AtomicBool::new(false));
    let (before, none) = (Uri::from_static("https://a.example/"), HeaderMap::new());
    let view = RequestView::new(&Method::POST, &before, &none).with_body(Body::Bytes(b"body"));
    let (mut uri, mut headers) = (before.clone(), none.clone());
    let sent = authenticate(&client, PlainHttp::ToLoopback, view, &mut uri, &mut headers).wait();
    assert!(!sent.unwrap().is_empty());
    let field = headers.get("authorization").unwrap().to_str().unwrap();
    assert!(field.contains("qop=auth-int"), "{field}");
}
