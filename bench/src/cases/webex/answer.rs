//! An answer judged: its code is read, and the scheme is asked what it means.

use super::{bound, by_jwt, by_key, in_key, jwt};
use auth_core::{Answer, Authenticator, RequestView, Verdict};
use auth_webex::ServiceApi;
use harness::case::{Call, Group, call, floor, ours};
use http::{HeaderMap, Method, StatusCode, Uri};
use serde::Deserialize;
use std::hint::black_box;

pub fn groups() -> Vec<Group> {
    vec![
        Group {
            name: "webex-answer-refused",
            input: "7001 in an object behind a 200, under a service key; through dyn Authenticator",
            cases: vec![
                floor("serde_json into a struct, then the scheme", || {
                    by_hand(in_key(), refused(), |body| read::<Object<'_>>(body).response.code)
                }),
                ours("auth-webex", TARGET, 0, || judged(by_key(API), refused())),
            ],
        },
        Group {
            name: "webex-answer-accepted",
            input: "1 KiB in an array, under a service key; through dyn Authenticator",
            cases: vec![
                floor("serde_json into a struct, then the scheme", || {
                    by_hand(in_key(), accepted(), |body| read::<Array<'_>>(body).response[0].code)
                }),
                ours("auth-webex", TARGET, 0, || judged(by_key(API), accepted())),
            ],
        },
        Group {
            name: "webex-answer-accepted-jwt",
            input: "1 KiB in an array, under a service JWT; through dyn Authenticator",
            cases: vec![
                floor("serde_json into a struct, then the scheme", || {
                    by_hand(jwt(), accepted(), |body| read::<Array<'_>>(body).response[0].code)
                }),
                ours("auth-webex", TARGET, 0, || judged(by_jwt(API), accepted())),
            ],
        },
    ]
}

const TARGET: Option<f64> = Some(1.1);
const API: ServiceApi = ServiceApi::MessagingV1;

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    response: Code<'a>,
}

#[derive(Deserialize)]
struct Array<'a> {
    #[serde(borrow)]
    response: Vec<Code<'a>>,
}

#[derive(Deserialize)]
struct Code<'a> {
    code: &'a str,
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> T {
    serde_json::from_slice(body).expect("an answer")
}

fn refused() -> Vec<u8> {
    let transaction = "98cc4a33-1f0e-4b6d-9f57-3d2b8c1a7e55";
    format!(r#"{{"response":{{"code":"7001","description":"Authentication failed","transid":"{transaction}"}}}}"#)
        .into_bytes()
}

/// An entry for each of eleven receivers.
fn accepted() -> Vec<u8> {
    let entry = |n: u32| {
        format!(
            r#"{{"code":"1001","transid":"9f2b2d79-1f0e-4b6d-9f57-3d2b8c1a{n:04}","description":"Queued"}}"#
        )
    };
    let entries: Vec<_> = (0..11).map(entry).collect();
    format!(r#"{{"response":[{}]}}"#, entries.join(",")).into_bytes()
}

/// What a program would write: a refused key is to the scheme what a 401 is.
fn by_hand(scheme: impl Authenticator + 'static, body: Vec<u8>, code: fn(&[u8]) -> &str) -> Call {
    let status = move |body: &[u8]| match code(body) {
        "7001" => StatusCode::UNAUTHORIZED,
        _ => StatusCode::OK,
    };
    assessing(bound(scheme), body, status)
}

fn judged(api: impl Authenticator + 'static, body: Vec<u8>) -> Call {
    assessing(api, body, |_| StatusCode::OK)
}

fn assessing(
    scheme: impl Authenticator + 'static,
    body: Vec<u8>,
    status: impl Fn(&[u8]) -> StatusCode + 'static,
) -> Call {
    let scheme: Box<dyn Authenticator> = Box::new(scheme);
    let (uri, headers) =
        (Uri::from_static("https://api.example.com/v1/messages"), HeaderMap::new());
    let request = RequestView::new(&Method::POST, &uri, &headers);
    let sent = scheme.credentials(request).wait().expect("credentials");
    call(move || {
        let request = RequestView::new(&Method::POST, &uri, &headers);
        let body = black_box(body.as_slice());
        let answer = Answer::new(request, status(body), &headers).with_body(body);
        let verdict = black_box(&scheme).assess(&sent, answer);
        assert!(matches!(verdict, Verdict::Accept));
    })
}
