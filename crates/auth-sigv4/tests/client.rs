//! What the client promises: signed afresh, keys condemned by code, the clock put right.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::unreachable)]

use auth_core::{
    Answer, Authenticator, Body, Context, Credentials, Flow, Need, Renewal, RequestView, Timestamp,
    TokenSource, Verdict,
};
use auth_session::Session;
use auth_sigv4::{
    AccessKey, AwsService, PathEncoding, Payload, PayloadHashField, RawRequest,
    SessionTokenPlacement, SigV4, SigV4Signer, SigningRules,
};
use auth_testing::{ManualClock, ScriptedTransport, SeededRandom};
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{DATE, HOST},
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// Sun, 30 Aug 2015 12:36:00 GMT.
const NOW: u64 = 1_440_938_160;

/// Gives keys `ASIA1`, `ASIA2` and so on, each for an hour.
struct Sts(ManualClock, AtomicU32);

impl TokenSource for Sts {
    type Token = AccessKey;

    fn token<'a>(&'a self, _: &'a Context, _: Renewal<AccessKey>) -> Flow<'a, AccessKey> {
        let number = self.1.fetch_add(1, Ordering::SeqCst) + 1;
        let end = auth_core::Clock::now(&self.0).after(Duration::from_secs(3600));
        let token = format!("token-{number}");
        Flow::from(AccessKey::temporary(&format!("ASIA{number}"), SECRET, token, Some(end)))
    }
}

fn over_sts(service: AwsService) -> (SigV4, ManualClock) {
    let clock = ManualClock::at(NOW);
    let context = Context::new(ScriptedTransport::new(|_| unreachable!("keys are at hand")))
        .with_clock(clock.clone())
        .with_random(SeededRandom::new(1));
    let session = Session::new(Sts(clock.clone(), AtomicU32::new(0)), context);
    (SigV4::over(session, "eu-west-1", service, clock.clone()).unwrap(), clock)
}

fn lasting(service: AwsService) -> (SigV4, ManualClock) {
    let clock = ManualClock::at(NOW);
    let key = AccessKey::new("AKIDEXAMPLE", SECRET).unwrap();
    (SigV4::new(key, "eu-west-1", service, clock.clone()).unwrap(), clock)
}

fn send(sigv4: &SigV4) -> (Credentials, HeaderMap) {
    let mut uri = Uri::from_static("https://a.example/p?q=1");
    let mut headers = HeaderMap::new();
    headers.insert("user-agent", HeaderValue::from_static("any"));
    headers.insert("content-type", HeaderValue::from_static("text/plain"));
    let view = RequestView::new(&Method::PUT, &uri, &headers).with_body(Body::Bytes(b"body"));
    let sent = sigv4.credentials(view).wait().unwrap();
    sent.commit(&mut uri, &mut headers).unwrap();
    (sent, headers)
}

fn answered(sigv4: &SigV4, sent: &Credentials, status: u16, code: &str, date: &str) -> bool {
    let (uri, headers) = (Uri::from_static("https://a.example/p"), HeaderMap::new());
    let view = RequestView::new(&Method::PUT, &uri, &headers);
    let fields = HeaderMap::from_iter([(DATE, HeaderValue::from_str(date).unwrap())]);
    let body = format!("<Error><Code>{code}</Code></Error>");
    let answer = Answer::new(view, StatusCode::from_u16(status).unwrap(), &fields);
    let answer = answer.with_body(body.as_bytes());
    matches!(sigv4.assess(sent, answer), Verdict::Retry { .. })
}

fn field<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn signs_what_stays_as_it_is_on_the_way() {
    let (_, headers) = send(&lasting(AwsService::ExecuteApi).0);
    let signed = "SignedHeaders=content-type;host;x-amz-date, ";
    assert!(field(&headers, "authorization").contains(signed), "{headers:?}");
    assert_eq!(headers.get("x-amz-content-sha256"), None);
    assert!(headers["authorization"].is_sensitive());
}

/// What is signed for a request is what is signed for the same one with this Host field.
#[track_caller]
fn check_host(url: &'static str, field: Option<&'static str>, expected: &str) {
    let (sigv4, _) = lasting(AwsService::ExecuteApi);
    let signature = |host: Option<&str>| {
        let (mut uri, mut headers) = (Uri::from_static(url), HeaderMap::new());
        headers.extend(host.map(|host| (HOST, HeaderValue::from_str(host).unwrap())));
        let view = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b""));
        let presigned = sigv4.presign(view, Duration::from_secs(60)).wait().unwrap();
        sigv4.credentials(view).wait().unwrap().commit(&mut uri, &mut headers).unwrap();
        (self::field(&headers, "authorization").to_owned(), presigned)
    };
    assert_eq!(signature(field), signature(Some(expected)), "{url} {field:?}");
}

#[test]
fn the_host_is_signed_as_it_is_sent() {
    check_host("https://h.example/", None, "h.example");
    check_host("https://h.example:443/", None, "h.example");
    check_host("http://h.example:80/", None, "h.example");
    check_host("https://h.example:80/", None, "h.example:80");
    check_host("http://h.example:443/", None, "h.example:443");
    check_host("https://h.example:8443/", None, "h.example:8443");
    check_host("https://[::1]:443/", None, "[::1]");
    check_host("https://[::1]:8443/", None, "[::1]:8443");
    check_host("https://h.example:443/", Some("typed.example:443"), "typed.example:443");
}

#[test]
fn a_host_that_nobody_sends_is_not_signed() {
    let (sigv4, _) = lasting(AwsService::ExecuteApi);
    for (url, code) in [("/p", "sigv4_no_host"), ("https://user@h.example/", "sigv4_url_user")] {
        let (uri, headers) = (Uri::from_static(url), HeaderMap::new());
        let view = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b""));
        assert_eq!(sigv4.credentials(view).wait().unwrap_err().code(), code);
    }
}

#[test]
fn s3_is_told_the_hash_of_the_payload() {
    let (_, headers) = send(&lasting(AwsService::S3).0);
    // printf body | sha256sum
    let hash = "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5";
    assert_eq!(field(&headers, "x-amz-content-sha256"), hash);
    let (_, headers) = send(&lasting(AwsService::S3).0.with_unsigned_payload());
    assert_eq!(field(&headers, "x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
}

#[test]
fn a_session_token_may_be_added_afterwards() {
    let (_, headers) = send(&over_sts(AwsService::ExecuteApi).0);
    let signed = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, ";
    assert!(field(&headers, "authorization").contains(signed), "{headers:?}");
    let sigv4 = over_sts(AwsService::ExecuteApi)
        .0
        .with_session_token(SessionTokenPlacement::AppendedUnsigned);
    let (_, headers) = send(&sigv4);
    let signed = "SignedHeaders=content-type;host;x-amz-date, ";
    assert!(field(&headers, "authorization").contains(signed), "{headers:?}");
    assert_eq!(field(&headers, "x-amz-security-token"), "token-1");
}

#[test]
fn a_body_that_was_not_hashed_is_not_signed() {
    let (sigv4, _) = lasting(AwsService::Sns);
    let (uri, headers) = (Uri::from_static("https://a.example/"), HeaderMap::new());
    let view = RequestView::new(&Method::POST, &uri, &headers);
    assert_eq!(sigv4.needs(view), Need::Bytes { limit: usize::MAX });
    assert_eq!(sigv4.credentials(view).wait().unwrap_err().code(), "sigv4_unread_body");
    assert!(sigv4.credentials(view.with_body(Body::Bytes(b"{}"))).wait().is_ok());
    let unsigned = sigv4.with_unsigned_payload();
    assert_eq!(unsigned.needs(view), Need::Nothing);
    assert!(unsigned.credentials(view).wait().is_ok());
}

#[test]
fn each_attempt_has_its_own_date() {
    let (sigv4, clock) = lasting(AwsService::Sts);
    let first = send(&sigv4).1;
    clock.advance(Duration::from_secs(24 * 3600));
    let second = send(&sigv4).1;
    assert_eq!(field(&first, "x-amz-date"), "20150830T123600Z");
    assert_eq!(field(&second, "x-amz-date"), "20150831T123600Z");
    assert!(field(&second, "authorization").contains("/20150831/eu-west-1/sts/aws4_request"));
}

#[test]
fn a_refused_key_is_condemned_once() {
    let (sigv4, _) = over_sts(AwsService::S3);
    let (sent, headers) = send(&sigv4);
    assert_eq!(field(&headers, "x-amz-security-token"), "token-1");
    assert!(!answered(&sigv4, &sent, 403, "AccessDenied", ""), "another key may no more");
    assert!(answered(&sigv4, &sent, 400, "ExpiredToken", ""));
    assert!(answered(&sigv4, &sent, 403, "InvalidAccessKeyId", ""), "a late one of the same key");
    let (_, headers) = send(&sigv4);
    assert_eq!(field(&headers, "x-amz-security-token"), "token-2");
    assert!(field(&headers, "authorization").contains("Credential=ASIA2/"));
}

#[test]
fn there_is_no_other_than_a_key_that_lasts() {
    let (sigv4, _) = lasting(AwsService::S3);
    let (sent, _) = send(&sigv4);
    assert!(!answered(&sigv4, &sent, 403, "InvalidAccessKeyId", ""));
}

#[test]
fn a_refusal_for_its_time_puts_the_clock_right() {
    let date = "Sun, 30 Aug 2015 12:46:00 GMT";
    let (sigv4, _) = lasting(AwsService::Sts);
    let (sent, _) = send(&sigv4);
    assert!(!answered(&sigv4, &sent, 403, "RequestTimeTooSkewed", date), "nobody asked for it");
    let sigv4 = sigv4.with_clock_learned_from("https://a.example".parse().unwrap());
    let (sent, _) = send(&sigv4);
    assert!(!answered(&sigv4, &sent, 403, "AccessDenied", date));
    assert!(!answered(&sigv4, &sent, 403, "RequestTimeTooSkewed", "yesterday"));
    assert!(!answered(&sigv4, &sent, 500, "RequestTimeTooSkewed", date));
    assert!(answered(&sigv4, &sent, 403, "RequestTimeTooSkewed", date));
    assert_eq!(field(&send(&sigv4).1, "x-amz-date"), "20150830T124600Z");
}

/// What became of one request to a server whose clock is ahead by these spans, one for each attempt: the dates that
/// it was signed with, minutes after noon.
fn dates_of_attempts(sigv4: &SigV4, ahead: &'static [u64], good: usize) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (told, attempts) = (Arc::clone(&seen), AtomicUsize::new(0));
    let server = ScriptedTransport::new(move |request| {
        let attempt = attempts.fetch_add(1, Ordering::SeqCst);
        told.lock().unwrap().push(field(request.headers(), "x-amz-date").to_owned());
        if attempt >= good {
            return Ok(Response::new(Vec::new()));
        }
        let theirs = UNIX_EPOCH + Duration::from_secs(NOW + ahead[attempt]);
        let refusal = Response::builder().status(403).header(DATE, httpdate::fmt_http_date(theirs));
        Ok(refusal.body(b"<Code>RequestTimeTooSkewed</Code>".to_vec()).unwrap())
    });
    let request = Request::get("https://a.example/").body(Vec::new()).unwrap();
    auth_core::send(&server, sigv4, request.into()).wait().unwrap();
    let seen = seen.lock().unwrap();
    seen.iter().map(|date: &String| date.get(9..13).unwrap().to_owned()).collect()
}

#[test]
fn a_clock_is_put_right_by_a_day_and_once_for_a_request() {
    let learning =
        |from: &str| lasting(AwsService::Sts).0.with_clock_learned_from(from.parse().unwrap());
    let learned = || learning("https://a.example");
    let (hours, day) = (&[5 * 3600][..], &[24 * 3600][..]);
    assert_eq!(dates_of_attempts(&learned(), hours, 1), ["1236", "1736"]);
    assert_eq!(dates_of_attempts(&learned(), day, 1), ["1236", "1236"], "the next day");
    assert_eq!(dates_of_attempts(&learned(), &[24 * 3600 + 1], 1), ["1236"]);
    assert_eq!(dates_of_attempts(&learning("https://b.example"), hours, 1), ["1236"]);
    // It tells another time at each attempt.
    let lying = learned();
    for _ in 0..2 {
        let ahead = &[3600, 7200, 10_800, 14_400];
        assert_eq!(dates_of_attempts(&lying, ahead, 4), ["1236", "1336"]);
    }
    assert_eq!(dates_of_attempts(&lying, hours, 0), ["1236"], "its last lesson is forgotten");
}

/// All that are refused at once are signed again, though only one of them corrects the clock.
#[test]
fn requests_that_were_refused_at_once_are_all_signed_again() {
    let sigv4 = lasting(AwsService::Sts).0;
    let sigv4 = sigv4.with_clock_learned_from("https://a.example".parse().unwrap());
    let sent: Vec<_> = (0..100).map(|_| send(&sigv4).0).collect();
    let date = "Sun, 30 Aug 2015 17:36:00 GMT";
    std::thread::scope(|scope| {
        for sent in &sent {
            let sigv4 = &sigv4;
            scope.spawn(move || assert!(answered(sigv4, sent, 403, "RequestTimeTooSkewed", date)));
        }
    });
    assert_eq!(field(&send(&sigv4).1, "x-amz-date"), "20150830T173600Z");
}

/// A new key and a new time for one request are two things, and each has its retry.
#[test]
fn a_refused_key_is_renewed_after_the_clock_was_put_right() {
    let (sigv4, _) = over_sts(AwsService::S3);
    let sigv4 = sigv4.with_clock_learned_from("https://a.example".parse().unwrap());
    let step = AtomicUsize::new(0);
    let server = ScriptedTransport::new(move |_| {
        let date = "Sun, 30 Aug 2015 12:50:00 GMT";
        let refused = |code: &str| {
            let refusal = Response::builder().status(403).header(DATE, date);
            Ok(refusal.body(format!("<Code>{code}</Code>").into_bytes()).unwrap())
        };
        match step.fetch_add(1, Ordering::SeqCst) {
            0 => refused("RequestTimeTooSkewed"),
            1 => refused("ExpiredToken"),
            _ => Ok(Response::new(b"an object".to_vec())),
        }
    });
    let request = Request::get("https://a.example/").body(Vec::new()).unwrap();
    let answer = auth_core::send(&server, &sigv4, request.into()).wait().unwrap();
    assert_eq!(answer.body(), b"an object");
}

/// What a URL is signed with, or why there is none.
fn presigned_with(
    sigv4: &SigV4,
    fields: &[(&'static str, &'static str)],
) -> Result<String, &'static str> {
    let (uri, mut headers) = (Uri::from_static("https://a.example/k"), HeaderMap::new());
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_static(value));
    }
    let view = RequestView::new(&Method::PUT, &uri, &headers).with_body(Body::Bytes(b""));
    let target =
        sigv4.presign(view, Duration::from_secs(60)).wait().map_err(|error| error.code())?;
    let (_, names) = target.split_once("X-Amz-SignedHeaders=").unwrap();
    Ok(names.split('&').next().unwrap().replace("%3B", ";"))
}

#[test]
fn a_url_is_signed_with_every_field_of_the_request_or_there_is_none() {
    let (sigv4, _) = lasting(AwsService::S3);
    let check =
        |fields: &[_], expected| assert_eq!(presigned_with(&sigv4, fields).as_deref(), expected);
    check(&[], Ok("host"));
    check(&[("host", "a.example")], Ok("host"));
    check(
        &[("x-amz-acl", "private"), ("content-type", "text/plain")],
        Ok("content-type;host;x-amz-acl"),
    );
    check(&[("user-agent", "mine"), ("x-a", "1"), ("x-a", "2")], Ok("host;user-agent;x-a"));
    for name in ["authorization", "connection", "expect", "te", "transfer-encoding", "upgrade"] {
        check(&[(name, "any")], Err(&"sigv4_field_of_the_hop"));
    }
    for name in ["x-amz-date", "x-amz-content-sha256", "x-amz-security-token"] {
        check(&[(name, "any")], Err(&"sigv4_field_taken"));
    }
}

#[test]
fn a_request_has_no_field_of_the_signature_yet() {
    let (sigv4, _) = lasting(AwsService::S3);
    for name in ["authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"] {
        let (mut uri, mut headers) = (Uri::from_static("https://a.example/"), HeaderMap::new());
        headers.insert(name, HeaderValue::from_static("any"));
        let view = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b""));
        let made = sigv4.credentials(view).wait();
        let committed = made.and_then(|made| made.commit(&mut uri, &mut headers));
        assert!(committed.is_err(), "{name}");
    }
}

#[test]
fn rules_are_chosen_one_by_one_at_any_time() {
    let named = || lasting(AwsService::named("s3-outposts")).0;
    let (_, plain) = send(&named());
    assert_eq!(plain.get("x-amz-content-sha256"), None);
    let sigv4 = named();
    send(&sigv4);
    let rules = SigningRules {
        content_sha256: PayloadHashField::Sent,
        ..AwsService::named("s3-outposts").rules()
    };
    let (_, headers) = send(&sigv4.with_rules(rules));
    assert!(headers.contains_key("x-amz-content-sha256"));
    // The signature is that of the signer with the same rules.
    let signed = |rules: SigningRules| {
        let (mut uri, mut headers) =
            (Uri::from_static("https://a.example/a%20b//c"), HeaderMap::new());
        let view = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b""));
        let made = named().with_rules(rules).credentials(view).wait().unwrap();
        made.commit(&mut uri, &mut headers).unwrap();
        let key = AccessKey::new("AKIDEXAMPLE", SECRET).unwrap();
        let signer = SigV4Signer::new(key, "eu-west-1", AwsService::named("s3-outposts")).unwrap();
        let raw = RawRequest {
            method: "GET",
            target: b"/a%20b//c",
            headers: &[("host", b"a.example")],
            payload: Payload::Bytes(b""),
        };
        let expected = signer.with_rules(rules).sign(&raw, Timestamp::from_unix(NOW)).unwrap();
        assert_eq!(headers["authorization"], expected.authorization);
        field(&headers, "authorization").to_owned()
    };
    let s3 = AwsService::S3.rules();
    let all = [
        signed(s3),
        signed(SigningRules { encoding: PathEncoding::Twice, ..s3 }),
        signed(SigningRules { content_sha256: PayloadHashField::LeftOut, ..s3 }),
    ];
    assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
}

/// Where the rules fold a path, or a query has a raw +, the server may read another target than the one signed.
#[test]
fn a_target_that_can_be_read_in_two_ways_is_signed_by_leave_alone() {
    #[track_caller]
    fn check(service: AwsService, target: &str, expected: Result<(), &'static str>) {
        let uri: Uri = format!("https://a.example{target}").parse().unwrap();
        let headers = HeaderMap::new();
        let view = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b""));
        let both = |sigv4: &SigV4| {
            let made = sigv4.credentials(view).wait().map(drop).map_err(|error| error.code());
            let url = sigv4.presign(view, Duration::from_secs(60)).wait().map(drop);
            assert_eq!(url.map_err(|error| error.code()), made, "{target}");
            made
        };
        let sigv4 = lasting(service).0;
        assert_eq!(both(&sigv4), expected, "{target}");
        assert_eq!(both(&sigv4.allowing_ambiguous_targets()), Ok(()), "{target}");
    }
    let refused = Err("sigv4_ambiguous_target");
    for target in ["/a//b", "/a/./b", "/a/../b", "//", "/a/.."] {
        check(AwsService::ExecuteApi, target, refused);
        check(AwsService::S3, target, Ok(()));
    }
    for target in ["/?a+b=1", "/?a=b%20c+d", "/?+"] {
        check(AwsService::ExecuteApi, target, refused);
        check(AwsService::S3, target, refused);
    }
    for target in ["/a+b/.c/", "/?b=2&a=1&&a&=%2B&%7e", "/"] {
        check(AwsService::ExecuteApi, target, Ok(()));
        check(AwsService::S3, target, Ok(()));
    }
}

/// A payload that is not signed is said in a field, which a URL has none of.
#[test]
fn a_url_of_a_service_without_the_field_signs_its_payload() {
    let (sigv4, _) = lasting(AwsService::Sns);
    assert_eq!(presigned_with(&sigv4, &[]).as_deref(), Ok("host"));
    let unsigned = sigv4.with_unsigned_payload();
    assert_eq!(presigned_with(&unsigned, &[]), Err("sigv4_payload_unsaid"));
}

#[test]
fn s3_is_sent_the_path_that_was_signed() {
    #[track_caller]
    fn check(service: AwsService, path: &str, expected: &str) {
        let sigv4 = lasting(service).0;
        let mut uri: Uri = format!("https://a.example{path}?x=(1)").parse().unwrap();
        let mut headers = HeaderMap::new();
        let view = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b""));
        let made = sigv4.credentials(view).wait().unwrap();
        let target = sigv4.presign(view, Duration::from_secs(60)).wait().unwrap();
        assert_eq!(target.split('?').next(), Some(expected));
        made.commit(&mut uri, &mut headers).unwrap();
        assert_eq!(uri, format!("https://a.example{expected}?x=(1)").parse::<Uri>().unwrap());
    }
    let raw = "/2026/a(b)!*:@=+&/~%7e%2f";
    check(AwsService::S3, raw, "/2026/a%28b%29%21%2A%3A%40%3D%2B%26/~~%2F");
    check(AwsService::Sns, raw, raw);
    check(AwsService::S3, "/a/%2e%2e/b(1)", "/a/%2e%2e/b(1)");
    check(AwsService::S3, "/plain/path", "/plain/path");
}

#[test]
fn a_url_does_not_outlive_its_key() {
    let (sigv4, clock) = over_sts(AwsService::S3);
    let (uri, headers) = (Uri::from_static("https://a.example/k?versionId=1"), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &headers);
    let presigned = |seconds| sigv4.presign(view, Duration::from_secs(seconds)).wait();
    let target = presigned(3599).unwrap();
    assert!(
        target.starts_with(
            "/k?versionId=1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIA1%2F"
        )
    );
    assert!(target.contains("&X-Amz-Security-Token=token-1&X-Amz-Signature="), "{target}");
    clock.advance(Duration::from_secs(60));
    assert!(presigned(3590).unwrap().contains("ASIA2"), "the first would have ended before");
    assert_eq!(presigned(7200).unwrap_err().code(), "sigv4_key_ends_first");
    assert_eq!(presigned(0).unwrap_err().code(), "sigv4_expires");
    assert_eq!(presigned(8 * 24 * 3600).unwrap_err().code(), "sigv4_expires");
}

#[test]
fn a_url_outlives_its_key_when_that_was_asked_for() {
    let (sigv4, clock) = over_sts(AwsService::S3);
    let sigv4 = sigv4.allowing_urls_beyond_the_key();
    let (uri, headers) = (Uri::from_static("https://a.example/k"), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &headers);
    let presigned = |seconds| sigv4.presign(view, Duration::from_secs(seconds)).wait();
    assert!(presigned(7200).unwrap().contains("ASIA1"));
    clock.advance(Duration::from_secs(60));
    assert!(presigned(7 * 24 * 3600).unwrap().contains("ASIA1"), "no other key was fetched");
    assert_eq!(presigned(8 * 24 * 3600).unwrap_err().code(), "sigv4_expires");
}

/// What comes of three keys that are refused in turn, when each was answered with this status before.
#[track_caller]
fn check_refused_in_turn(status: u16, expected: Result<(), &'static str>) {
    let (sigv4, _) = over_sts(AwsService::S3);
    for _ in 0..2 {
        let (sent, _) = send(&sigv4);
        assert!(!answered(&sigv4, &sent, status, "", ""));
        assert!(answered(&sigv4, &sent, 403, "InvalidAccessKeyId", ""));
    }
    let (uri, headers) = (Uri::from_static("https://a.example/"), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b""));
    let third = sigv4.credentials(view).wait();
    assert_eq!(third.map(drop).map_err(|error| error.code()), expected, "{status}");
}

#[test]
fn new_keys_that_never_served_are_not_asked_for_without_end() {
    check_refused_in_turn(500, Err("session_refused"));
    check_refused_in_turn(404, Err("session_refused"));
    check_refused_in_turn(200, Ok(()));
    check_refused_in_turn(204, Ok(()));
}

#[test]
fn only_the_beginning_of_a_refusal_is_read() {
    let (sigv4, _) = lasting(AwsService::S3);
    for (status, limit) in [(400, 16_384), (401, 16_384), (403, 16_384), (200, 0), (500, 0)] {
        let expected = if limit == 0 { Need::Nothing } else { Need::Bytes { limit } };
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(sigv4.reads(status, &HeaderMap::new()), expected, "{status}");
    }
}

#[test]
fn debug_shows_for_what_and_not_with_what() {
    assert_eq!(format!("{:?}", lasting(AwsService::S3).0), "SigV4(eu-west-1, s3)");
}
