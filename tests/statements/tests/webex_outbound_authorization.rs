//! Document 002: authorization for outbound webhooks, and what a receiver makes of it. One test for each statement that
//! holds; `docs/coverage.md` lists them all.

use auth_core::{Authenticator, Credentials, RequestView};
use auth_static::{ApiKey, Basic, NoAuth, Placement};
use http::{HeaderMap, Method, Uri, header::AUTHORIZATION};

/// The fields and the target on the wire.
fn wire(authenticator: &dyn Authenticator) -> (Uri, HeaderMap) {
    let (mut uri, mut headers) =
        (Uri::from_static("https://receiver.example/receipts"), HeaderMap::new());
    let made: Credentials =
        authenticator.credentials(RequestView::new(&Method::POST, &uri, &headers)).wait().unwrap();
    made.commit(&mut uri, &mut headers).unwrap();
    (uri, headers)
}

/// No Auth: no Authorization at all.
#[test]
fn s002_07_no_auth_sends_no_authorization() {
    let (uri, headers) = wire(&NoAuth);
    assert_eq!((uri.query(), headers.len()), (None, 0));
}

/// Basic with user name and password: the exact bytes of RFC 7617 section 2.
#[test]
fn s002_08_basic_sends_the_exact_bytes() {
    let (_, headers) = wire(&Basic::new("Aladdin", "open sesame").unwrap());
    assert_eq!(headers[AUTHORIZATION], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!(headers.len(), 1);
}

/// API key: the header is named as typed; CR or LF in it is an error that names the field.
#[test]
fn s002_24_an_api_key_goes_in_the_header_as_typed() {
    let key = |name: &str, value: &str| ApiKey::new(Placement::header(name)?, value);
    let (_, headers) = wire(&key("X-Customer-Key", "v4lue").unwrap());
    assert_eq!(headers["x-customer-key"], "v4lue");
    for (name, value, field) in [
        ("X-Customer\r\nKey", "v", "name"),
        ("X Key", "v", "name"),
        ("", "v", "name"),
        ("X-Key", "v\r\nX-Other: 1", "key"),
        ("X-Key", "v\n", "key"),
        ("X-Key", "", "key"),
    ] {
        let error = key(name, value).unwrap_err().to_string();
        assert!(
            error.starts_with("configuration: ") && error.contains(field),
            "{name:?} {value:?}: {error}"
        );
    }
}
