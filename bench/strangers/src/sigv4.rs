//! What a signature that is refused costs a server: the same, whether it knows the key or not.

use auth_core::{Authenticator, Body, RequestView, Timestamp, Verifier as _};
use auth_sigv4::{AccessKey, AccessKeys, AwsService, SigV4, SigV4Policy, SigV4Verifier};
use harness::case::{Call, Group, as_first, call, floor};
use http::{HeaderMap, Method, Uri};
use std::hint::black_box;

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const REGION: &str = "us-east-1";
/// 2026-01-02T03:04:05Z.
const NOW: Timestamp = Timestamp::from_unix(1_767_323_045);

pub fn group() -> Group {
    let cases = vec![
        floor("a key with another secret", || refused(ID)),
        as_first("a key that is not known", 0, || refused("AKIAIOSFODNN7NOBODYS")),
    ];
    Group { name: "strangers-sigv4", input: "GET; through dyn Verifier and map", cases }
}

fn refused(id: &str) -> Call {
    let forged = AccessKey::new(id, "another secret").expect("a key");
    let service = || AwsService::named("hooks");
    let signer = SigV4::new(forged, REGION, service(), NOW).expect("an authenticator");
    let mut uri = Uri::from_static("https://hooks.example.com/hooks?a=1");
    let mut headers = HeaderMap::new();
    let view = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b""));
    let credentials = signer.credentials(view).wait().expect("credentials");
    credentials.commit(&mut uri, &mut headers).expect("committed");
    let policy = SigV4Policy::new(service(), REGION).expect("a policy");
    let key = AccessKey::new(ID, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").expect("a key");
    let keys = AccessKeys::new([(key, "acme")]);
    let door = SigV4Verifier::new(policy, keys, NOW);
    let door: Box<dyn auth_core::Verifier<Principal = usize>> = Box::new(door.map(str::len));
    call(move || {
        let view = RequestView::new(&Method::GET, black_box(&uri), black_box(&headers));
        let view = view.with_body(Body::Bytes(b""));
        door.verify(view).wait().expect("told").expect_err("refused")
    })
}
