//! What a signature that is refused costs a server: the same, whether it knows the key or not.

use super::{ID, NOW, REGION, key, request};
use crate::case::{Call, Group, call, floor, ours};
use auth_core::{Authenticator, Body, RequestView, Verifier as _};
use auth_sigv4::{AccessKey, AccessKeys, AwsService, SigV4, SigV4Policy, SigV4Verifier};
use http::Method;
use std::hint::black_box;

pub fn group() -> Group {
    let cases = vec![
        floor("a key with another secret", || refused(ID)),
        ours("a key that is not known", Some(1.02), 0, || refused("AKIAIOSFODNN7NOBODYS")),
    ];
    Group { name: "sigv4-refuse", input: "GET; through dyn Verifier and map", cases }
}

fn refused(id: &str) -> Call {
    let forged = AccessKey::new(id, "another secret").expect("a key");
    let service = || AwsService::named("hooks");
    let signer = SigV4::new(forged, REGION, service(), NOW).expect("an authenticator");
    let (mut uri, mut headers) = request("/hooks?a=1");
    let view = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b""));
    let credentials = signer.credentials(view).wait().expect("credentials");
    credentials.commit(&mut uri, &mut headers).expect("committed");
    let policy = SigV4Policy::new(service(), REGION).expect("a policy");
    let keys = AccessKeys::new([(key(), "acme")]);
    let door = SigV4Verifier::new(policy, keys, NOW);
    let door: Box<dyn auth_core::Verifier<Principal = usize>> = Box::new(door.map(str::len));
    call(move || {
        let view = RequestView::new(&Method::GET, black_box(&uri), black_box(&headers));
        let view = view.with_body(Body::Bytes(b""));
        door.verify(view).wait().expect("told").expect_err("refused")
    })
}
