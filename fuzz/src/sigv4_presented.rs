//! Any text as a signature, in the field and in the query.

use auth_core::{RequestView, Timestamp, Verifier as _};
use auth_sigv4::{AccessKey, AccessKeys, AwsService, SigV4Policy, SigV4Verifier};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header::AUTHORIZATION};

/// Whatever it is, it is refused, since nobody here knows the secret: with a reason of ours, and never a panic.
pub fn sigv4_presented(data: &[u8]) {
    let now = Timestamp::from_unix(1_440_938_160);
    let key = AccessKey::new("AKID", "a secret that no input holds: 7c1e").expect("a key");
    let keys = AccessKeys::new([(key, ())]);
    let policy =
        SigV4Policy::new(AwsService::S3, "us-east-1").expect("a policy").allowing_presigned();
    let verifier = SigV4Verifier::new(policy, keys, now);
    let refused = |uri: &Uri, headers: &HeaderMap| {
        let view = RequestView::new(&Method::GET, uri, headers);
        let _ = (verifier.presence(view), verifier.needs(view));
        let rejection = verifier.verify(view).wait().expect("told").expect_err("a forgery");
        assert!(rejection.reason().code.starts_with("sigv4_"));
    };
    let date = HeaderValue::from_static("20150830T123600Z");
    let mut headers = HeaderMap::from_iter([(HeaderName::from_static("x-amz-date"), date)]);
    if let Ok(value) = HeaderValue::from_bytes(&[b"AWS4-HMAC-SHA256 ", data].concat()) {
        headers.insert(AUTHORIZATION, value);
        refused(&Uri::from_static("https://a.example/"), &headers);
    }
    let query = String::from_utf8_lossy(data);
    if let Ok(uri) = format!("https://a.example/?{query}").parse() {
        refused(&uri, &HeaderMap::new());
    }
}
