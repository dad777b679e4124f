//! What a request costs the allocator: nothing, through the traits, from the first one on.

#![allow(clippy::unwrap_used)]

use auth_core::{Authenticator, RequestView, SystemRandom, Verifier};
use auth_static::{
    ApiKey, ApiKeyVerifier, Basic, BasicAccounts, BasicVerifier, Bearer, BearerVerifier, FixedKeys,
    KeyHasher, NoAuth, Placement,
};
use http::{HeaderMap, Method, Uri};
use std::sync::Arc;

const KEY: &str = "sk_live_0123456789abcdef0123456789abcdef";

#[track_caller]
fn none(what: &str, work: impl FnOnce()) {
    let counted = allocation_counter::measure(work);
    assert_eq!(counted.count_total, 0, "{what}");
}

fn clients() -> Vec<(&'static str, Box<dyn Authenticator>)> {
    let key = |placement| Box::new(ApiKey::new(placement, KEY).unwrap());
    vec![
        ("NoAuth", Box::new(NoAuth)),
        ("Basic", Box::new(Basic::new("Mufasa", "Circle of Life").unwrap())),
        ("header", key(Placement::header("x-customer-key").unwrap())),
        ("scheme", key(Placement::scheme("App").unwrap())),
        ("query", key(Placement::query("apikey").unwrap())),
        ("Bearer", Box::new(Bearer::new(KEY).unwrap())),
    ]
}

/// In the same order; with principals of every kind that is cheap to clone.
fn doors() -> Vec<Box<dyn Verifier<Principal = Arc<str>>>> {
    let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
    let acme: Arc<str> = "acme".into();
    let keys = || FixedKeys::new(&hasher, [(KEY, Arc::clone(&acme)), ("another", "other".into())]);
    let key = |placement| ApiKeyVerifier::new("r", placement, hasher.clone(), keys()).unwrap();
    let users = [("Mufasa", "Circle of Life", Arc::clone(&acme))];
    let accounts = BasicAccounts::new(&hasher, users);
    let shared = Arc::clone(&acme);
    vec![
        Box::new(NoAuth.map(move |_| Arc::clone(&shared))),
        Box::new(BasicVerifier::new("r", accounts).unwrap()),
        Box::new(key(Placement::header("x-customer-key").unwrap())),
        Box::new(key(Placement::scheme("App").unwrap())),
        Box::new(key(Placement::query("apikey").unwrap())),
        Box::new(BearerVerifier::new("r", hasher.clone(), keys()).unwrap().map(|found| found)),
    ]
}

#[test]
fn neither_end_allocates_for_a_request() {
    for ((scheme, client), door) in clients().into_iter().zip(doors()) {
        let (mut uri, mut headers) = (Uri::from_static("/p?a=b"), HeaderMap::new());
        let mut credentials = None;
        none(&format!("{scheme} adds"), || {
            let request = RequestView::new(&Method::GET, &uri, &headers);
            credentials = Some(client.credentials(request).wait().unwrap());
        });
        credentials.unwrap().commit(&mut uri, &mut headers).unwrap();
        let request = RequestView::new(&Method::GET, &uri, &headers);
        none(&format!("{scheme} is present"), || {
            door.presence(request);
        });
        none(&format!("{scheme} is verified"), || {
            let accepted = door.verify(request).wait().unwrap().unwrap();
            assert_eq!(&*accepted.principal, "acme");
        });
    }
}
