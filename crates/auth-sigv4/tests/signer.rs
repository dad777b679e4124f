//! What the plain functions promise: a key for each day, nothing signed by halves, tokens before or after.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use auth_core::Timestamp;
use auth_sigv4::{AccessKey, AwsService, Payload, RawRequest, SessionTokenPlacement, SigV4Signer};
use std::time::Duration;

/// 2015-08-30T12:36:00Z.
const NOW: u64 = 1_440_938_160;
const DAY: u64 = 24 * 3600;
const HOST: (&str, &[u8]) = ("host", b"a.example");

fn lasting() -> SigV4Signer {
    SigV4Signer::new(AccessKey::new("AKID", "secret").unwrap(), "eu-west-1", AwsService::S3)
        .unwrap()
}

/// With a session token, until this moment.
fn temporary(end: u64) -> SigV4Signer {
    let end = Some(Timestamp::from_unix(end));
    let key = AccessKey::temporary("AKID", "secret", "a/token".to_owned(), end).unwrap();
    SigV4Signer::new(key, "eu-west-1", AwsService::S3).unwrap()
}

fn request<'a>(headers: &'a [(&'a str, &'a [u8])]) -> RawRequest<'a> {
    RawRequest { method: "GET", target: b"/?a=1", headers, payload: Payload::Bytes(b"") }
}

fn authorization(signer: &SigV4Signer, now: u64) -> String {
    let signed = signer.sign(&request(&[HOST]), Timestamp::from_unix(now)).unwrap();
    signed.authorization.to_str().unwrap().to_owned()
}

fn presigned(signer: &SigV4Signer, now: u64, seconds: u64) -> Result<String, &'static str> {
    let expires = Duration::from_secs(seconds);
    let target = signer.presign(&request(&[HOST]), Timestamp::from_unix(now), expires);
    target.map_err(|error| error.code())
}

#[test]
fn each_day_has_its_own_key_whatever_was_signed_before() {
    let kept = lasting();
    for day in [0, 1, 1, 0, 0, 400, 0] {
        let now = NOW + day * DAY;
        assert_eq!(authorization(&kept, now), authorization(&lasting(), now), "{day}");
        assert_eq!(presigned(&kept, now, 60), presigned(&lasting(), now, 60), "{day}");
    }
}

#[test]
fn a_token_that_is_added_afterwards_changes_no_signature() {
    let after = || temporary(NOW + DAY).with_session_token(SessionTokenPlacement::AppendedUnsigned);
    assert_eq!(authorization(&after(), NOW), authorization(&lasting(), NOW));
    assert_ne!(authorization(&temporary(NOW + DAY), NOW), authorization(&lasting(), NOW));

    let signature = |target: &str| target.rsplit_once("X-Amz-Signature=").unwrap().1.to_owned();
    let [without, added, signed] = [lasting(), after(), temporary(NOW + DAY)]
        .map(|signer| presigned(&signer, NOW, 60).unwrap());
    for target in [&added, &signed] {
        assert!(target.contains("&X-Amz-Security-Token=a%2Ftoken&"), "{target}");
    }
    assert_eq!(signature(&added), signature(&without));
    assert_ne!(signature(&signed), signature(&without));
}

#[test]
fn a_url_lasts_as_long_as_its_key_and_no_longer_unless_asked() {
    let key = || temporary(NOW + 60);
    assert!(presigned(&key(), NOW, 60).is_ok());
    assert_eq!(presigned(&key(), NOW, 61), Err("sigv4_key_ends_first"));
    assert!(presigned(&key().allowing_urls_beyond_the_key(), NOW, 61).is_ok());
}

#[test]
fn what_cannot_be_signed_whole_is_an_error() {
    #[track_caller]
    fn check(headers: &[(&str, &[u8])], expected: Result<(), &str>) {
        let now = Timestamp::from_unix(NOW);
        let signed = lasting().sign(&request(headers), now).map(drop);
        assert_eq!(signed.map_err(|error| error.code()), expected);
        let target = lasting().presign(&request(headers), now, Duration::from_secs(60)).map(drop);
        assert_eq!(target.map_err(|error| error.code()), expected);
    }
    check(&[HOST], Ok(()));
    check(&[("HOST", b"a.example")], Ok(()));
    check(&[], Err("sigv4_no_host"));
    for taken in ["X-Amz-Date", "x-amz-content-sha256", "x-amz-security-token", "Authorization"] {
        check(&[HOST, (taken, b"any")], Err("sigv4_field_taken"));
    }
    let names: Vec<String> = (0..61).map(|n| format!("x-{n}")).collect();
    let many: Vec<(&str, &[u8])> =
        [HOST].into_iter().chain(names.iter().map(|name| (name.as_str(), &b"1"[..]))).collect();
    check(&many[..61], Ok(()));
    check(&many, Err("sigv4_many_fields"));
}
