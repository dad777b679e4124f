//! API keys and Bearer tokens: handing one out, and finding whose it is.

use super::with_request;
use auth_core::{Authenticator, RequestView, Secret, Verifier};
use auth_static::{ApiKey, ApiKeyVerifier, BearerVerifier, FixedKeys, KeyHasher, Placement};
use harness::case::{Call, Case, Group, call, floor, ours};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use ring::hmac;
use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    hint::black_box,
};

pub const KEY: &str = "sk_live_2f9b4d312d0d49a885f09b862bdca394";
pub const MANY: u32 = 1000;

pub fn kept() -> Group {
    let cases = vec![
        floor("clone a kept field", || {
            let value = HeaderValue::from_maybe_shared(KEY.to_owned()).expect("a field");
            call(move || black_box(&value).clone())
        }),
        ours("auth-static, in a field", None, 0, || client(Placement::header("key"))),
        ours("auth-static, behind a word", None, 0, || client(Placement::scheme("App"))),
        ours("auth-static, in the query", None, 0, || client(Placement::query("apikey"))),
    ];
    Group {
        name: "api-key-kept",
        input: "a key of 40 bytes; credentials through dyn Authenticator",
        cases,
    }
}

fn client(placement: auth_core::Result<Placement>) -> Call {
    let key = ApiKey::new(placement.expect("a placement"), KEY).expect("a key");
    let key: Box<dyn Authenticator> = Box::new(key);
    with_request(move |request| black_box(&key).credentials(request).wait().expect("credentials"))
}

/// The map key is uniform already: its first eight bytes are its hash.
#[derive(Default)]
struct First(u64);

impl Hasher for First {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_ne_bytes(*first);
        }
    }

    fn write_usize(&mut self, _: usize) {}
}

pub fn verify() -> Group {
    let cases = vec![
        keyed_look_up(),
        ours("auth-static, in a field", Some(1.1), 0, || {
            server(Placement::header("key"), ("key", KEY.to_owned()), "/")
        }),
        ours("auth-static, behind a word", Some(1.1), 0, || {
            server(Placement::scheme("App"), ("authorization", format!("App {KEY}")), "/")
        }),
        ours("auth-static, in the query", Some(1.1), 0, || {
            server(
                Placement::query("apikey"),
                ("accept", "*/*".to_owned()),
                &format!("/?apikey={KEY}"),
            )
        }),
    ];
    Group {
        name: "api-key-verify",
        input: "a key of 40 bytes among 1,001; through dyn Verifier and map",
        cases,
    }
}

pub fn keyed_look_up() -> Case {
    floor("keyed hash and map look-up", || {
        let hasher = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let digest = |key: &[u8]| -> [u8; 32] {
            hmac::sign(&hasher, key).as_ref().try_into().expect("32 bytes")
        };
        let mut map = HashMap::<_, _, BuildHasherDefault<First>>::default();
        map.extend((0..MANY).map(|n| (digest(format!("key {n}").as_bytes()), n)));
        map.insert(digest(KEY.as_bytes()), MANY);
        let hasher = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        call(move || {
            let digest: [u8; 32] =
                hmac::sign(&hasher, black_box(KEY).as_bytes()).as_ref().try_into().expect("32");
            *map.get(&digest).expect("known")
        })
    })
}

pub fn bearer() -> Group {
    let cases = vec![
        keyed_look_up(),
        ours("auth-static", Some(1.1), 0, || {
            let hasher = KeyHasher::new(&Secret::new([7; 32])).expect("a hasher");
            let keys = FixedKeys::new(&hasher, many());
            let door = BearerVerifier::new("r", hasher, keys).expect("a verifier");
            verifying(
                Box::new(door.map(u64::from)),
                ("authorization", format!("Bearer {KEY}")),
                "/",
            )
        }),
    ];
    Group {
        name: "bearer-verify",
        input: "a token of 40 bytes among 1,001; through dyn Verifier and map",
        cases,
    }
}

fn many() -> impl Iterator<Item = (String, u32)> {
    (0..MANY).map(|n| (format!("key {n}"), n)).chain([(KEY.to_owned(), MANY)])
}

fn server(
    placement: auth_core::Result<Placement>,
    field: (&'static str, String),
    target: &str,
) -> Call {
    let hasher = KeyHasher::new(&Secret::new([7; 32])).expect("a hasher");
    let keys = FixedKeys::new(&hasher, many());
    let door = ApiKeyVerifier::new("r", placement.expect("a placement"), hasher, keys)
        .expect("a verifier");
    verifying(Box::new(door.map(u64::from)), field, target)
}

pub fn verifying(
    door: Box<dyn Verifier<Principal = u64>>,
    field: (&'static str, String),
    target: &str,
) -> Call {
    let value = HeaderValue::try_from(field.1).expect("a field");
    let headers = HeaderMap::from_iter([(HeaderName::from_static(field.0), value)]);
    let uri: Uri = target.parse().expect("a target");
    call(move || {
        let request = RequestView::new(&Method::GET, black_box(&uri), black_box(&headers));
        black_box(&door).verify(request).wait().expect("told").expect("accepted").principal
    })
}
