//! Credentials that were not offered, or are about another request.

use crate::verifier::tests::{ALICE, Client, TLS, asked, clock, door, door_of, judge};
use crate::{DigestAccounts, DigestAlgorithm, DigestVerifier, OfferedQop};
use auth_core::{Body, Need, Presence, RequestView, Verifier as _};
use http::{HeaderMap, HeaderValue, Method, Uri, header::AUTHORIZATION};

/// What becomes of a good answer when one piece of it is another.
#[track_caller]
fn check_changed(from: &str, to: &str, expected: &str) {
    let door = door(&clock());
    let field = String::from_utf8(ALICE.answer(&asked(&door))).unwrap();
    assert!(field.contains(from), "{field}");
    let judged = judge(&door, "/", field.replacen(from, to, 1).as_bytes(), Body::Unread);
    assert_eq!(judged.told(), expected, "{from} {to}");
}

#[test]
fn takes_nothing_that_was_not_offered() {
    check_changed("", "", "alice");
    check_changed("Digest", "dIGEST", "alice");
    check_changed("Digest", "Basic", "401 digest_missing");
    check_changed("algorithm=SHA-256", "algorithm=SHA-512-256", "401 digest_algorithm_other");
    check_changed("algorithm=SHA-256", "algorithm=SHA-256-sess", "401 digest_algorithm_other");
    check_changed("algorithm=SHA-256, ", "", "400 digest_response_form");
    check_changed("algorithm=SHA-256", "algorithm=SHA-1", "401 digest_algorithm_unknown");
    check_changed("realm=\"r\"", "realm=\"R\"", "401 digest_realm_other");
    check_changed("opaque=\"", "opaque=\"x", "401 digest_opaque_other");
    check_changed("opaque", "other", "401 digest_opaque_other");
    check_changed("qop=auth,", "qop=auth-int,", "401 digest_qop_other");
    check_changed("qop=auth, cnonce=\"cnonce\", ", "", "400 digest_nc_without_qop");
    check_changed("uri=\"/\"", "uri=\"/x\"", "400 digest_uri_other");
    check_changed("nc=00000001", "nc=00000002", "401 digest_response_wrong");
    check_changed("cnonce=\"", "cnonce=\"x", "401 digest_response_wrong");
    let hash = "0".repeat(64);
    let hashed = format!("username=\"{hash}\", userhash=true");
    check_changed("username=\"alice\"", &hashed, "401 digest_userhash_other");
}

#[test]
fn refuses_two_fields_and_repeated_parameters() {
    check_changed("realm=", "x=1, x=2, realm=", "400 digest_twice");
    let door = door(&clock());
    let field = HeaderValue::from_bytes(&ALICE.answer(&asked(&door))).unwrap();
    let (uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
    headers.append(AUTHORIZATION, field.clone());
    headers.append(AUTHORIZATION, field);
    let request = RequestView::new(&Method::GET, &uri, &headers).with_peer(TLS);
    assert_eq!(door.presence(request), Presence::Present);
    let rejection = door.verify(request).wait().unwrap().unwrap_err();
    assert_eq!(rejection.status().as_u16(), 400);
    assert_eq!(rejection.reason().code, "authorization_several");
}

#[test]
fn the_method_and_the_target_are_those_of_the_request() {
    let door = door(&clock());
    let field = Client { uri: "/a?b=c", ..ALICE }.answer(&asked(&door));
    assert_eq!(judge(&door, "/a?b=d", &field, Body::Unread).told(), "400 digest_uri_other");
    let (uri, mut headers) = (Uri::from_static("/a?b=c"), HeaderMap::new());
    headers.insert(AUTHORIZATION, HeaderValue::from_bytes(&field).unwrap());
    let request = RequestView::new(&Method::POST, &uri, &headers).with_peer(TLS);
    let rejection = door.verify(request).wait().unwrap().unwrap_err();
    assert_eq!(rejection.reason().code, "digest_response_wrong");
    assert_eq!(judge(&door, "/a?b=c", &field, Body::Unread).told(), "alice");
}

#[test]
fn auth_int_is_about_the_body_that_was_received() {
    let door = || door(&clock()).with_qop(OfferedQop::Both).unwrap();
    let client = Client { body: Some(b"{}"), ..ALICE };
    let check = |body: Body<'_>, expected: &str| {
        let door = door();
        assert_eq!(judge(&door, "/", &client.answer(&asked(&door)), body).told(), expected);
    };
    check(Body::Bytes(b"{}"), "alice");
    check(Body::Bytes(b"{ }"), "401 digest_response_wrong");
    check(Body::Bytes(b""), "401 digest_response_wrong");
    check(Body::Unread, "digest_body_unread");
    let plain = door();
    assert_eq!(judge(&plain, "/", &ALICE.answer(&asked(&plain)), Body::Unread).told(), "alice");
}

#[test]
fn a_body_is_wanted_only_for_what_is_in_order() {
    let clock = clock();
    let needs = |door: &DigestVerifier<DigestAccounts>, target: &'static str, field: &[u8]| {
        let (uri, mut headers) = (Uri::from_static(target), HeaderMap::new());
        headers.insert(AUTHORIZATION, HeaderValue::from_bytes(field).unwrap());
        door.needs(RequestView::new(&Method::GET, &uri, &headers).with_peer(TLS))
    };
    let client = Client { body: Some(b"{}"), ..ALICE };
    let sha256 = door(&clock).with_qop(OfferedQop::AuthInt).unwrap();
    let field = client.answer(&asked(&sha256));
    assert_eq!(needs(&sha256, "/", &field), Need::Bytes { limit: 1024 * 1024 });
    assert_eq!(needs(&sha256, "/x", &field), Need::Nothing);
    assert_eq!(needs(&sha256, "/", b"Digest"), Need::Nothing);
    let foreign = String::from_utf8(field).unwrap().replacen("nonce=\"", "nonce=\"x", 1);
    assert_eq!(needs(&sha256, "/", foreign.as_bytes()), Need::Nothing);
    let judged = judge(&sha256, "/", foreign.as_bytes(), Body::Unread);
    assert_eq!(judged.told(), "401 digest_nonce_unproven");
    let md5 = door_of(DigestAlgorithm::Md5, &clock)
        .with_qop(OfferedQop::Both)
        .unwrap()
        .with_body_limit(9);
    assert_eq!(needs(&md5, "/", &client.answer(&asked(&md5))), Need::Bytes { limit: 9 });
    assert_eq!(needs(&md5, "/", &ALICE.answer(&asked(&md5))), Need::Nothing);
}
