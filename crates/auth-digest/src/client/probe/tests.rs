//! A client that is challenged before it sends anything else.

use crate::client::tests::{alice, ask, drive, ok};
use auth_core::Error;
use auth_testing::ScriptedTransport;
use http::{Method, Response};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// A server behind a transport and the same behind the adapter.
#[track_caller]
fn check_proof(status: u16, field: Option<&'static str>, expected: Result<usize, &str>) {
    let transport = ScriptedTransport::new(move |request| {
        assert_eq!((request.method(), request.uri().path()), (&Method::GET, "/dir/index.html"));
        assert!(request.body().is_empty() && request.headers().is_empty());
        let mut answer = Response::builder().status(status);
        if let Some(field) = field {
            answer = answer.header("www-authenticate", field);
        }
        Ok(answer.body(Vec::new()).unwrap())
    });
    let transport = Arc::new(transport);
    let digest = alice().proving_first(transport.clone());
    let sent = drive(&digest, |received| {
        assert!(received.is_right("s3cret"), "the request went out without credentials");
        ok()
    });
    assert_eq!(sent.map(|(_, sent)| sent).map_err(|error| error.code()), expected);
    assert_eq!(transport.exchanges(), 1);
    if expected.is_ok() {
        assert_eq!(drive(&digest, |_| ok()).unwrap(), (200, 1));
        assert_eq!(transport.exchanges(), 1, "a nonce that is kept needs no probe");
    }
}

#[test]
fn what_is_sensitive_waits_until_the_challenge_is_answered() {
    let good = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
    check_proof(401, Some(good), Ok(1));
    check_proof(200, None, Err("digest_probe_unchallenged"));
    check_proof(200, Some(good), Err("digest_probe_unchallenged"));
    check_proof(401, Some("Basic realm=\"r\""), Err("digest_probe_unchallenged"));
    check_proof(503, Some(good), Err("digest_probe_unavailable"));
    check_proof(
        401,
        Some("Digest realm=\"r\", nonce=\"n\", algorithm=X"),
        Err("digest_choice_algorithm"),
    );
    check_proof(401, Some("Digest"), Err("digest_challenge_missing"));
    let down = ScriptedTransport::new(|_| Err(Error::transport("reset", "connection reset")));
    let digest = alice().proving_first(Arc::new(down));
    assert_eq!(drive(&digest, |_| panic!("sent")).unwrap_err().code(), "reset");
}

/// The kept realm has the longer `domain` and a refused password; the server asks for another realm meanwhile.
#[test]
fn what_is_proven_first_answers_the_challenge_of_its_own_probe() {
    let probes = AtomicUsize::new(0);
    let transport = ScriptedTransport::new(move |_| {
        let first = probes.fetch_add(1, Ordering::Relaxed) == 0;
        let field = if first {
            "Digest realm=\"old\", nonce=\"1\", qop=\"auth\", algorithm=SHA-256, domain=\"/dir/\""
        } else {
            "Digest realm=\"new\", nonce=\"2\", qop=\"auth\", algorithm=SHA-256"
        };
        Ok(Response::builder()
            .status(401)
            .header("www-authenticate", field)
            .body(Vec::new())
            .unwrap())
    });
    let digest = alice().proving_first(Arc::new(transport));
    let asked =
        "Digest realm=\"old\", nonce=\"1\", qop=\"auth\", algorithm=SHA-256, domain=\"/dir/\"";
    assert_eq!(drive(&digest, |_| ask(&[asked])).unwrap(), (401, 1), "the password is wrong there");
    let answered = drive(&digest, |received| {
        let realm = received.credentials().map(|credentials| credentials.realm.into_owned());
        assert_eq!(realm.as_deref(), Some(&b"new"[..]), "the request went out bare");
        ok()
    });
    assert_eq!(answered.unwrap(), (200, 1));
}
