//! A proxy that asks, and servers behind it.

use crate::DigestResponse;
use crate::client::tests::{URL, alice, challenge, drive, trusting};
use auth_core::{
    Answer, Authenticator as _, Authorization, Body, Credentials, Hop, Need, RequestView, Verdict,
};
use auth_testing::ScriptedTransport;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use std::sync::Arc;

#[test]
fn a_proxy_is_answered_in_its_own_fields_and_for_every_target() {
    let digest = alice().for_proxy();
    let (uri, none) = (Uri::from_static("a.example:443"), HeaderMap::new());
    let view = RequestView::new(&Method::CONNECT, &uri, &none).with_hop(Hop::Proxy);
    let mut asked = HeaderMap::new();
    asked.insert(header::PROXY_AUTHENTICATE, HeaderValue::from_str(&challenge("n")).unwrap());
    let status = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
    let learned = digest.assess(&Credentials::none(), Answer::new(view, status, &asked));
    assert!(matches!(learned, Verdict::Retry { .. }));
    for (method, url, expected) in [
        (Method::CONNECT, "a.example:443", "a.example:443"),
        (Method::GET, "http://b.example/x?y", "/x?y"),
        (Method::GET, "http://b.example?y", "/?y"),
        (Method::OPTIONS, "*", "*"),
    ] {
        let uri = Uri::from_static(url);
        let view = RequestView::new(&method, &uri, &none).with_hop(Hop::Proxy);
        let credentials = digest.present(view).unwrap().unwrap();
        let (mut to, mut headers) = (uri.clone(), HeaderMap::new());
        credentials.commit(&mut to, &mut headers).unwrap();
        let field = Authorization::parse(headers["proxy-authorization"].as_bytes()).unwrap();
        let read = DigestResponse::parse(field.credentials()).unwrap();
        assert_eq!(&*read.uri, expected.as_bytes());
    }
}

#[test]
fn what_a_proxy_is_told_is_not_told_to_servers() {
    let probing = ScriptedTransport::new(|_| panic!("a server was asked to challenge for a proxy"));
    let digest = alice().for_proxy().proving_first(Arc::new(probing));
    let (uri, none) = (Uri::from_static("http://a.example/x"), HeaderMap::new());
    let asked = format!("{}, qop=\"auth-int\"", challenge("n").replace(", qop=\"auth\"", ""));
    let asked = HeaderMap::from_iter([(header::PROXY_AUTHENTICATE, asked.parse().unwrap())]);
    let status = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
    let view = |hop| {
        let view = RequestView::new(&Method::GET, &uri, &none).with_hop(hop);
        view.with_body(Body::Bytes(b""))
    };
    let assess = |hop| digest.assess(&Credentials::none(), Answer::new(view(hop), status, &asked));
    assert!(matches!(assess(Hop::Origin), Verdict::Accept), "a 407 from inside a tunnel");
    assert!(digest.present(view(Hop::Proxy)).unwrap().is_none(), "it was learned from");
    assert!(matches!(assess(Hop::Proxy), Verdict::Retry { .. }));
    assert!(digest.present(view(Hop::Proxy)).unwrap().is_some());
    assert_ne!(digest.needs(view(Hop::Proxy)), Need::Nothing);
    assert_eq!(digest.needs(view(Hop::Origin)), Need::Nothing);
    assert!(digest.credentials(view(Hop::Origin)).wait().unwrap().is_empty());
    let server = alice();
    let _ = drive(&server, trusting(&challenge("n")));
    let at = Uri::from_static(URL);
    let through = RequestView::new(&Method::GET, &at, &none).with_hop(Hop::Proxy);
    assert!(server.present(through).unwrap().is_some(), "a server behind a proxy asks too");
}
