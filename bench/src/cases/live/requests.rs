//! What is sent: requests as bytes, with the credentials of each scheme.

use auth_core::{Answer, Authenticator, Body, Credentials, RequestView, SystemRandom, Timestamp};
use auth_digest::Digest;
use auth_sigv4::{AccessKey, AwsService, SigV4};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use std::fmt::Write;

pub const KEY: &str = "sk_live_2f9b4d312d0d49a885f09b862bdca394";
pub const USER: &str = "Mufasa";
pub const PASSWORD: &str = "Circle of Life";
pub const REALM: &str = "http-auth@example.org";
pub const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub const REGION: &str = "us-east-1";
/// 2026-01-02T03:04:05Z: nothing that signs a time is sent later.
pub const NOW: Timestamp = Timestamp::from_unix(1_767_323_045);

/// A GET with this field beside those that every client sends.
pub fn get(name: &'static str, value: &str) -> Vec<Vec<u8>> {
    let value = HeaderValue::from_str(value).expect("a value");
    vec![bytes(&Method::GET, &"/hello".parse().expect("a target"), &one(name, value), &[])]
}

/// A field that no verifier looks at.
pub fn without() -> Vec<Vec<u8>> {
    get("accept-language", "de-AT, de;q=0.9, en;q=0.8")
}

/// So many requests on one nonce, each with the next count.
pub fn digest(challenge: &HeaderValue, count: usize) -> Vec<Vec<u8>> {
    let digest = Digest::new(USER, PASSWORD, SystemRandom::new()).expect("a client");
    let (uri, headers) = (Uri::from_static("http://api.example.com/hello"), HeaderMap::new());
    let asked = one("www-authenticate", challenge.clone());
    let view = RequestView::new(&Method::GET, &uri, &headers);
    let _ =
        digest.assess(&Credentials::none(), Answer::new(view, StatusCode::UNAUTHORIZED, &asked));
    (0..count).map(|_| signed(&digest, &Method::GET, "/hello", HeaderMap::new(), &[])).collect()
}

/// 1 KiB, signed with an access key.
pub fn sigv4() -> Vec<Vec<u8>> {
    let key = AccessKey::new(ACCESS_KEY, SECRET_KEY).expect("a key");
    let signer = SigV4::new(key, REGION, AwsService::named("hooks"), NOW).expect("a signer");
    let json = one("content-type", HeaderValue::from_static("application/json"));
    vec![signed(&signer, &Method::POST, "/bytes", json, &body())]
}

pub fn body() -> Vec<u8> {
    (0..1024).map(|n| b"0123456789abcdef"[n % 16]).collect()
}

fn signed(
    signer: &dyn Authenticator,
    method: &Method,
    path: &str,
    mut headers: HeaderMap,
    body: &[u8],
) -> Vec<u8> {
    let mut uri = format!("http://api.example.com{path}").parse().expect("a url");
    let view = RequestView::new(method, &uri, &headers).with_body(Body::Bytes(body));
    let credentials = signer.credentials(view).wait().expect("credentials");
    credentials.commit(&mut uri, &mut headers).expect("committed");
    bytes(method, &uri, &headers, body)
}

fn one(name: &'static str, value: HeaderValue) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static(name), value)])
}

fn bytes(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Vec<u8> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut head = format!("{method} {target} HTTP/1.1\r\n");
    for (name, value) in [("host", "api.example.com"), ("user-agent", "bench"), ("accept", "*/*")] {
        if !headers.contains_key(name) {
            let _ = write!(head, "{name}: {value}\r\n");
        }
    }
    for (name, value) in headers {
        let _ = write!(head, "{name}: {}\r\n", value.to_str().expect("text"));
    }
    if !body.is_empty() && !headers.contains_key(header::CONTENT_LENGTH) {
        let _ = write!(head, "content-length: {}\r\n", body.len());
    }
    [head.as_bytes(), b"\r\n", body].concat()
}
