//! AWS Signature Version 4: signing, presigning and verifying, a request after the other.

mod floors;
mod peers;

pub use peers::aws_sigv4_request;

use auth_core::{Authenticator, Body, Need, RequestView, SystemClock, Timestamp, Verifier as _};
use auth_sigv4::{
    AccessKey, AccessKeys, AwsService, Payload, RawRequest, SigV4, SigV4Policy, SigV4Signer,
    SigV4Verifier,
};
use harness::case::{Call, Group, call, floor, ours, peer};
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use std::{hint::black_box, time::Duration};

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const REGION: &str = "us-east-1";
const HOST: &str = "examplebucket.s3.amazonaws.com";
const PUT: &str = "/examplebucket/reports/2026/summary.json";
const GET: &str = "/examplebucket?list-type=2&prefix=reports%2F2026&delimiter=%2F&max-keys=100&encoding-type=url\
                   &start-after=a&fetch-owner=true&continuation-token=1ueGcxLPRx1Tr&marker=m&x-id=ListObjectsV2";
/// 2026-01-02T03:04:05Z.
const NOW: Timestamp = Timestamp::from_unix(1_767_323_045);
const HEADERS: &[(&str, &[u8])] =
    &[("content-type", b"application/json"), ("host", HOST.as_bytes())];
const ALONE: &[(&str, &[u8])] = &[("host", HOST.as_bytes())];

/// A canonical request is about so long.
const CANONICAL: usize = 420;
const KIB: usize = 1024;
const MIB: usize = 1024 * 1024;

pub fn groups() -> Vec<Group> {
    vec![put(), get(), large(), presign(), through_the_trait(), verify_put(), verify_get(), door()]
}

fn put() -> Group {
    let cases = vec![
        floor("ring: its hashes, the key kept", || floors::hashes(Some(KIB), CANONICAL)),
        ours("auth-sigv4", Some(1.15), 2, || sign("PUT", PUT, HEADERS, KIB)),
        peer("aws-sigv4", || peers::aws_sigv4("PUT", PUT, KIB)),
        peer("reqsign-aws-v4, body hashed with ring", || peers::reqsign("PUT", PUT, KIB)),
        peer("aws-sign-v4", || peers::aws_sign_v4("PUT", PUT, KIB)),
    ];
    Group { name: "sigv4-put", input: "1 KiB to S3; pure function, key kept", cases }
}

fn get() -> Group {
    let cases = vec![
        floor("ring: its hashes, the key kept", || floors::hashes(None, 560)),
        ours("auth-sigv4", Some(1.5), 2, || sign("GET", GET, ALONE, 0)),
        peer("aws-sigv4", || peers::aws_sigv4("GET", GET, 0)),
        peer("reqsign-aws-v4", || peers::reqsign("GET", GET, 0)),
        peer("aws-sign-v4", || peers::aws_sign_v4("GET", GET, 0)),
    ];
    Group { name: "sigv4-get", input: "10 parameters, S3; pure function, key kept", cases }
}

fn large() -> Group {
    let cases = vec![
        floor("ring: its hashes, the key kept", || floors::hashes(Some(MIB), CANONICAL)),
        ours("auth-sigv4", Some(1.01), 2, || sign("PUT", PUT, HEADERS, MIB)),
        peer("aws-sigv4", || peers::aws_sigv4("PUT", PUT, MIB)),
    ];
    Group { name: "sigv4-large", input: "1 MiB to S3; pure function, key kept", cases }
}

fn presign() -> Group {
    let cases = vec![
        floor("ring: its hashes, the key kept", || floors::hashes(None, 420)),
        ours("auth-sigv4", Some(1.5), 2, presigned),
        peer("aws-sigv4", || peers::aws_sigv4_presigned(PUT)),
        peer("reqsign-aws-v4", || peers::reqsign_presigned(PUT)),
    ];
    Group { name: "sigv4-presign", input: "GET, 15 minutes; pure function, key kept", cases }
}

fn through_the_trait() -> Group {
    let cases = vec![
        floor("ring: its hashes, the key kept", || floors::hashes(Some(KIB), CANONICAL)),
        ours("auth-sigv4", None, 3, authenticated),
    ];
    Group {
        name: "sigv4-authenticator",
        input: "1 KiB to S3; credentials through dyn Authenticator",
        cases,
    }
}

fn verify_put() -> Group {
    let cases = vec![
        floor("ring: its hashes, the key kept", || floors::hashes(Some(KIB), CANONICAL)),
        ours("auth-sigv4", Some(1.2), 0, || verified(&Method::PUT, PUT, KIB)),
        peer("scratchstack, key kept", || peers::scratchstack("PUT", PUT, KIB)),
    ];
    Group { name: "sigv4-verify-put", input: "1 KiB, S3; through dyn Verifier and map", cases }
}

fn verify_get() -> Group {
    let cases = vec![
        floor("ring: its hashes, the key kept", || floors::hashes(None, 560)),
        ours("auth-sigv4", Some(1.6), 0, || verified(&Method::GET, GET, 0)),
        peer("scratchstack, key kept", || peers::scratchstack("GET", GET, 0)),
    ];
    Group {
        name: "sigv4-verify-get",
        input: "10 parameters, S3; through dyn Verifier and map",
        cases,
    }
}

fn door() -> Group {
    let cases = vec![
        floor("ring: its hashes, the key kept", || floors::hashes(Some(KIB), CANONICAL)),
        ours("auth-sigv4, no hash in a field", None, 0, || judged("hooks")),
        ours("auth-sigv4, S3", None, 2, || judged("s3")),
    ];
    Group { name: "sigv4-door", input: "PUT of 1 KiB; needs and verify, as a layer asks", cases }
}

fn judged(service: &'static str) -> Call {
    let service = || AwsService::named(service);
    let (mut uri, mut headers) = request(PUT);
    let body = body(KIB);
    let signer = SigV4::new(key(), REGION, service(), NOW).expect("an authenticator");
    let view = RequestView::new(&Method::PUT, &uri, &headers).with_body(Body::Bytes(&body));
    let credentials = signer.credentials(view).wait().expect("credentials");
    credentials.commit(&mut uri, &mut headers).expect("committed");
    let policy = SigV4Policy::new(service(), REGION).expect("a policy");
    let door = SigV4Verifier::new(policy, AccessKeys::new([(key(), "acme")]), NOW);
    let door: Box<dyn auth_core::Verifier<Principal = usize>> = Box::new(door.map(str::len));
    call(move || {
        let view = RequestView::new(&Method::PUT, black_box(&uri), black_box(&headers));
        let view = match door.needs(view) {
            Need::Nothing => view,
            _ => view.with_body(Body::Bytes(black_box(&body))),
        };
        door.verify(view).wait().expect("told").expect("accepted").principal
    })
}

fn key() -> AccessKey {
    AccessKey::new(ID, SECRET).expect("a key")
}

fn body(length: usize) -> Vec<u8> {
    (0..length).map(|n| b"0123456789abcdef"[n % 16]).collect()
}

fn sign(
    method: &'static str,
    target: &'static str,
    headers: &'static [(&str, &[u8])],
    length: usize,
) -> Call {
    let signer = SigV4Signer::new(key(), REGION, AwsService::S3).expect("a signer");
    let body = body(length);
    call(move || {
        let payload = Payload::Bytes(black_box(&body));
        let request = RawRequest { method, target: target.as_bytes(), headers, payload };
        signer.sign(black_box(&request), NOW).expect("signed")
    })
}

fn presigned() -> Call {
    let signer = SigV4Signer::new(key(), REGION, AwsService::S3).expect("a signer");
    call(move || {
        let payload = Payload::Unsigned;
        let request = RawRequest { method: "GET", target: PUT.as_bytes(), headers: ALONE, payload };
        signer.presign(black_box(&request), NOW, Duration::from_secs(900)).expect("a target")
    })
}

fn request(target: &str) -> (Uri, HeaderMap) {
    let uri = format!("https://{HOST}{target}").parse().expect("a url");
    let json = HeaderValue::from_static("application/json");
    (uri, HeaderMap::from_iter([(header::CONTENT_TYPE, json)]))
}

fn authenticated() -> Call {
    let sigv4 = SigV4::new(key(), REGION, AwsService::S3, SystemClock).expect("an authenticator");
    let sigv4: Box<dyn Authenticator> = Box::new(sigv4);
    let ((uri, headers), body) = (request(PUT), body(KIB));
    call(move || {
        let view = RequestView::new(&Method::PUT, black_box(&uri), black_box(&headers));
        sigv4.credentials(view.with_body(Body::Bytes(&body))).wait().expect("credentials")
    })
}

fn verified(method: &'static Method, target: &str, length: usize) -> Call {
    let body = body(length);
    let (mut uri, mut headers) = request(target);
    if length == 0 {
        headers.clear();
    }
    let signer =
        SigV4::new(key(), REGION, AwsService::named("hooks"), NOW).expect("an authenticator");
    let view = RequestView::new(method, &uri, &headers).with_body(Body::Bytes(&body));
    let credentials = signer.credentials(view).wait().expect("credentials");
    credentials.commit(&mut uri, &mut headers).expect("committed");
    let policy = SigV4Policy::new(AwsService::named("hooks"), REGION).expect("a policy");
    let keys = AccessKeys::new([(key(), "acme")]);
    let door = SigV4Verifier::new(policy, keys, NOW);
    let door: Box<dyn auth_core::Verifier<Principal = usize>> = Box::new(door.map(str::len));
    call(move || {
        let body = Body::Bytes(black_box(&body));
        let view = RequestView::new(method, black_box(&uri), black_box(&headers)).with_body(body);
        door.verify(view).wait().expect("told").expect("accepted").principal
    })
}
