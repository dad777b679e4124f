//! Nonces that belong to one request, beside other requests under way.

use crate::client::tests::{
    Received, URL, alice, ask, assert_retried, challenge, drive, ok, sent_under,
};
use auth_core::{Answer, Authenticator as _, Credentials, RequestMemory, RequestView, Verdict};
use http::{HeaderMap, Method, StatusCode, Uri, header::AUTHORIZATION};

#[test]
fn of_a_thousand_bare_requests_each_has_its_own_nonce_and_all_share_the_first_that_serves() {
    let digest = alice();
    let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &none);
    let memories: Vec<_> = (0..1000).map(|_| RequestMemory::new()).collect();
    for (n, memory) in memories.iter().enumerate() {
        let view = view.with_memory(memory);
        assert!(digest.present(view).unwrap().is_none(), "the nonce is of another request");
        assert_retried(&digest, &Credentials::none(), view, &n.to_string());
    }
    for (n, memory) in memories.iter().enumerate() {
        let view = view.with_memory(memory);
        let made = digest.present(view).unwrap().unwrap();
        let field = String::from_utf8_lossy(made.field(&AUTHORIZATION).unwrap().as_bytes());
        assert!(field.contains(&format!("nonce=\"{n}\"")) && field.contains("nc=00000001"));
        let served = HeaderMap::new();
        let answer = Answer::new(view, StatusCode::OK, &served);
        assert!(matches!(digest.assess(&made, answer), Verdict::Accept));
    }
    assert_eq!(sent_under(&digest, view), ("0".into(), 2));
}

#[test]
fn what_a_request_was_given_is_used_once_and_in_its_own_place_alone() {
    let digest = alice();
    let (uri, none, memory) = (Uri::from_static(URL), HeaderMap::new(), RequestMemory::new());
    let view = RequestView::new(&Method::GET, &uri, &none).with_memory(&memory);
    assert_retried(&digest, &Credentials::none(), view, "n");
    let other = Uri::from_static("https://b.example/");
    let elsewhere = RequestView::new(&Method::GET, &other, &none).with_memory(&memory);
    assert!(digest.present(elsewhere).unwrap().is_none());
    assert_eq!(sent_under(&digest, view), ("n".into(), 1));
    assert!(digest.present(view).unwrap().is_none(), "no other request may use it yet");
}

#[test]
fn a_request_that_is_given_up_takes_its_nonce_with_it() {
    let digest = alice();
    let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
    for n in 0..100 {
        let memory = RequestMemory::new();
        let view = RequestView::new(&Method::GET, &uri, &none).with_memory(&memory);
        assert_retried(&digest, &Credentials::none(), view, &n.to_string());
        if n % 2 == 0 {
            // Given up once it has been sent.
            assert_eq!(sent_under(&digest, view), (n.to_string(), 1));
        }
    }
    let server = |received: Received<'_>| match received.count("n") {
        Some(1) => ok(),
        _ => {
            assert!(received.field().is_none(), "a nonce of another request");
            ask(&[&challenge("n")])
        }
    };
    assert_eq!(drive(&digest, server).unwrap(), (200, 2));
}
