//! Basic: handing out the field, and reading it.

use super::with_request;
use auth_core::{
    AttemptLimit, Authenticator, Authorization, KeyHasher, MemoryAttemptLimits, Peer, RequestView,
    Secret, SystemClock, Verifier,
};
use auth_static::{BasicAccounts, BasicVerifier, UserPass, UserPassBuffer};
use base64::{Engine, engine::general_purpose::STANDARD};
use harness::case::{Call, Group, call, floor, ours, ours_beyond, peer};
use headers::{HeaderMapExt, authorization};
use http::{HeaderMap, HeaderValue, Method, Uri, header::AUTHORIZATION};
use std::hint::black_box;

const USER: &str = "Mufasa";
const PASSWORD: &str = "Circle of Life";
const FIELD: &str = "Basic TXVmYXNhOkNpcmNsZSBvZiBMaWZl";

pub fn kept() -> Group {
    let cases = vec![
        floor("clone a kept field", || {
            let value = HeaderValue::from_maybe_shared(FIELD.to_owned()).expect("a field");
            call(move || black_box(&value).clone())
        }),
        peer("http-auth, encode for each request", || {
            call(|| {
                let field =
                    http_auth::basic::encode_credentials(black_box(USER), black_box(PASSWORD));
                HeaderValue::try_from(field).expect("a field")
            })
        }),
        peer("headers, encode for each request", || {
            let mut headers = HeaderMap::new();
            call(move || {
                let basic =
                    authorization::Authorization::basic(black_box(USER), black_box(PASSWORD));
                headers.typed_insert(basic);
            })
        }),
        ours("auth-static, kept", None, 0, || {
            let basic: Box<dyn Authenticator> = Box::new(basic());
            with_request(move |request| {
                black_box(&basic).credentials(request).wait().expect("credentials")
            })
        }),
    ];
    Group {
        name: "basic-kept",
        input: "Mufasa, Circle of Life; credentials through dyn Authenticator",
        cases,
    }
}

pub fn parse() -> Group {
    let cases = vec![
        floor("look up, decode to the stack, find the colon", || {
            let headers = carrying();
            call(move || {
                let field = black_box(&headers).get(AUTHORIZATION).expect("there").as_bytes();
                let mut out = [0; 128];
                let encoded = field.strip_prefix(b"Basic ").expect("Basic");
                let length = STANDARD.decode_slice(encoded, &mut out).expect("base64");
                let colon = out[..length].iter().position(|byte| *byte == b':').expect("a colon");
                (std::str::from_utf8(&out[..colon]).expect("UTF-8").len(), out[colon])
            })
        }),
        peer("headers", || {
            let headers = carrying();
            call(move || {
                type Basic = authorization::Authorization<authorization::Basic>;
                black_box(&headers).typed_get::<Basic>().expect("basic")
            })
        }),
        ours("auth-static, strict", Some(1.3), 0, || {
            let headers = carrying();
            call(move || {
                let authorization =
                    Authorization::of(black_box(&headers)).expect("one").expect("there");
                let mut buffer = UserPassBuffer::new();
                let read = UserPass::parse(&authorization, &mut buffer).expect("basic");
                (read.user().len(), read.password().len())
            })
        }),
    ];
    Group {
        name: "basic-parse",
        input: "Mufasa, Circle of Life; pure function, from a map of one field",
        cases,
    }
}

/// What a limit costs a caller that is right: at most 100 ns, which is some 1,200 instructions with both looks at the
/// clock.
pub fn limited() -> Group {
    let cases = vec![
        floor("without a limit", || verifying(None)),
        ours_beyond("with a limit in memory", (1_200, 0), || {
            verifying(Some(AttemptLimit::new(MemoryAttemptLimits::new(SystemClock))))
        }),
    ];
    Group {
        name: "basic-limited",
        input: "Mufasa, Circle of Life, from a known source; through dyn Verifier",
        cases,
    }
}

fn verifying(limit: Option<AttemptLimit>) -> Call {
    let hasher = KeyHasher::new(&Secret::new([7; 32])).expect("a hasher");
    let door = BasicVerifier::new("r", BasicAccounts::new(&hasher, [(USER, PASSWORD, 7)]));
    let door = door.expect("a verifier");
    let door: Box<dyn Verifier<Principal = i32>> = match limit {
        Some(limit) => Box::new(door.with_limit(limit)),
        None => Box::new(door),
    };
    let (uri, headers) = (Uri::from_static("/v1/messages"), carrying());
    let peer = Peer { address: "192.0.2.1".parse().ok(), ..Peer::UNKNOWN };
    call(move || {
        let request = RequestView::new(&Method::GET, black_box(&uri), black_box(&headers));
        let outcome = black_box(&door).verify(request.with_peer(peer)).wait().expect("told");
        outcome.expect("accepted").principal
    })
}

fn basic() -> auth_static::Basic {
    auth_static::Basic::new(USER, PASSWORD).expect("basic")
}

fn carrying() -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(FIELD))])
}
