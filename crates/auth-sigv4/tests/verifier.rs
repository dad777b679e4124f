//! What the verifier promises: what a signer signed is accepted, and nothing that is different in any part.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::unreachable)]

use auth_core::{
    Authenticator, Body, Candidates, MemoryReplayStore, Need, Presence, ReleasedBytes, RequestView,
    Verifier as _,
};
use auth_sigv4::{
    AccessKey, AccessKeyRecord, AccessKeys, AmzDate, AwsService, Payload, PayloadHashField,
    RawRequest, ScopedKeyId, SigV4, SigV4Policy, SigV4Signer, SigV4Verifier, SigningRules,
};
use auth_testing::ManualClock;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header::HOST};
use std::time::Duration;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// Sun, 30 Aug 2015 12:36:00 GMT.
const NOW: u64 = 1_440_938_160;
const BODY: &[u8] = b"{\"event\":\"delivered\"}";

fn key() -> AccessKey {
    AccessKey::new("AKIDEXAMPLE", SECRET).unwrap()
}

/// A request, as a receiver gets it.
#[derive(Clone)]
struct Sent {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Sent {
    fn new(method: Method, target: &str, body: &[u8]) -> Self {
        let uri = format!("https://hooks.example{target}").parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("hooks.example"));
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        Self { method, uri, headers, body: body.to_vec() }
    }

    fn view(&self) -> RequestView<'_> {
        RequestView::new(&self.method, &self.uri, &self.headers)
    }

    fn signed(mut self, by: &SigV4) -> Self {
        let view = self.view().with_body(Body::Bytes(&self.body));
        let credentials = by.credentials(view).wait().unwrap();
        credentials.commit(&mut self.uri, &mut self.headers).unwrap();
        self
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }

    fn and(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }

    fn authorization(&self) -> String {
        self.headers["authorization"].to_str().unwrap().to_owned()
    }

    fn replaced(self, from: &str, to: &str) -> Self {
        let changed = self.authorization().replacen(from, to, 1);
        assert_ne!(changed, self.authorization(), "{from} is not there");
        self.with("authorization", &changed)
    }

    /// As HTTP/1 has it: the target is a path.
    fn at_origin(mut self) -> Self {
        self.uri = self.uri.path_and_query().unwrap().to_string().parse().unwrap();
        self
    }

    fn at(mut self, target: &str) -> Self {
        self.uri = format!("https://hooks.example{target}").parse().unwrap();
        self
    }
}

/// How it ended: accepted, or the status and the code.
fn verdict(
    verifier: &dyn auth_core::Verifier<Principal = &'static str>,
    sent: &Sent,
) -> Result<&'static str, (u16, &'static str)> {
    let needs = verifier.needs(sent.view());
    let view = match needs {
        Need::Nothing => sent.view(),
        _ => sent.view().with_body(Body::Bytes(&sent.body)),
    };
    let refused =
        |rejection: auth_core::Rejection| (rejection.status().as_u16(), rejection.reason().code);
    let mut accepted = verifier.verify(view).wait().unwrap().map_err(refused)?;
    if let Some(mut check) = accepted.take_obligations().body {
        for piece in sent.body.chunks(5) {
            assert_eq!(check.update(piece).map_err(refused)?, ReleasedBytes::AsIs);
        }
        check.finish(None).map_err(refused)?;
    }
    Ok(accepted.principal)
}

struct Hooks {
    signer: SigV4,
    verifier: SigV4Verifier<AccessKeys<&'static str>>,
    clock: ManualClock,
}

fn hooks(service: AwsService) -> Hooks {
    with_policy(SigV4Policy::new(service.clone(), "eu-west-1").unwrap(), service)
}

fn with_policy(policy: SigV4Policy, service: AwsService) -> Hooks {
    let clock = ManualClock::at(NOW);
    let keys = AccessKeys::new([(key(), "acme")]);
    Hooks {
        signer: SigV4::new(key(), "eu-west-1", service, clock.clone()).unwrap(),
        verifier: SigV4Verifier::new(policy, keys, clock.clone()),
        clock,
    }
}

#[track_caller]
fn check(hooks: &Hooks, sent: &Sent, expected: Result<&'static str, (u16, &'static str)>) {
    assert_eq!(verdict(&hooks.verifier, sent), expected);
}

#[test]
fn what_was_signed_is_accepted() {
    for service in [AwsService::S3, AwsService::ExecuteApi, AwsService::named("webhooks")] {
        let hooks = hooks(service);
        for target in ["/", "/a/b?x=1&y=%20z&x", "/%2F/.b/(odd)?a=b%2Bc&=&%7E", "/é?ü=1"] {
            let sent = Sent::new(Method::POST, target, BODY).signed(&hooks.signer);
            check(&hooks, &sent, Ok("acme"));
            let empty = Sent::new(Method::GET, target, b"").signed(&hooks.signer);
            check(&hooks, &empty, Ok("acme"));
        }
    }
}

#[test]
fn nothing_that_is_different_is_accepted() {
    let hooks = hooks(AwsService::ExecuteApi);
    let sent = Sent::new(Method::POST, "/hook?a=1&b=2", BODY).and("x-amz-meta", "1");
    let sent = sent.signed(&hooks.signer);
    let no = Err((403, "sigv4_signature"));
    check(&hooks, &sent, Ok("acme"));
    check(&hooks, &Sent { method: Method::PUT, ..sent.clone() }, no);
    check(&hooks, &sent.clone().at("/Hook?a=1&b=2"), no);
    check(&hooks, &sent.clone().at("/hook?a=1&b=3"), no);
    check(&hooks, &sent.clone().at("/hook?a=1"), no);
    check(&hooks, &sent.clone().at("/hook?a=1&b=2&c"), no);
    check(&hooks, &sent.clone().with("content-type", "text/plain"), no);
    check(&hooks, &sent.clone().with("x-amz-meta", "2"), no);
    check(&hooks, &Sent { body: b"{}".to_vec(), ..sent.clone() }, no);
    let other: Uri = "https://other.example/hook?a=1&b=2".parse().unwrap();
    check(&hooks, &Sent { uri: other, ..sent.clone() }.with("host", "other.example"), no);
    check(&hooks, &sent.clone().replaced("AKIDEXAMPLE", "AKIDSTRANGER"), Err((403, "sigv4_key")));
    let last = sent.authorization().pop().unwrap();
    let flipped = if last == '0' { "1" } else { "0" };
    let mut authorization = sent.authorization();
    authorization.pop();
    check(&hooks, &sent.clone().with("authorization", &(authorization + flipped)), no);
    // Parameters are signed as a set, also those of one name.
    let several = Sent::new(Method::GET, "/hook?id=1&id=2", b"").signed(&hooks.signer);
    check(&hooks, &several.at("/hook?id=2&id=1"), Ok("acme"));
    // Order and spelling of what means the same are free.
    for same in ["/hook?b=2&a=%31", "/hook?&&a=1&&b=2&", "/hook?%61=1&b=2"] {
        check(&hooks, &sent.clone().at(same), Ok("acme"));
    }
    let empty = Sent::new(Method::GET, "/hook?a", b"").signed(&hooks.signer);
    check(&hooks, &empty.at("/hook?a="), Ok("acme"));
}

/// What else has the signature of this target: nothing, unless that was asked for.
#[track_caller]
fn check_targets(service: AwsService, signed: &str, same_to_aws: &[&str], other: &[&str]) {
    let hooks = hooks(service.clone());
    let policy = SigV4Policy::new(service.clone(), "eu-west-1").unwrap();
    let lenient = with_policy(policy.allowing_ambiguous_targets(), service);
    let sent = Sent::new(Method::GET, signed, b"").signed(&hooks.signer);
    check(&hooks, &sent, Ok("acme"));
    check(&lenient, &sent, Ok("acme"));
    for target in same_to_aws {
        let sent = sent.clone().at(target);
        assert_eq!(hooks.verifier.needs(sent.view()), Need::Nothing, "{target}");
        check(&hooks, &sent, Err((400, "sigv4_ambiguous_target")));
        check(&lenient, &sent, Ok("acme"));
    }
    for target in other {
        let refused = verdict(&lenient.verifier, &sent.clone().at(target));
        assert_eq!(refused, Err((403, "sigv4_signature")), "{target}");
    }
}

#[test]
fn one_signature_is_for_one_target() {
    let users = [
        "//admin//users",
        "/public/../admin/users",
        "/./admin/users",
        "/admin/x/../users",
        "/admin/./users",
        "/../admin/users",
        "/admin//users",
    ];
    let others = ["/admin/users/", "/admin%2Fusers", "/Admin/users", "/admin/%2e/users"];
    check_targets(AwsService::ExecuteApi, "/admin/users", &users, &others);
    check_targets(AwsService::S3, "/admin/users", &[], &users);
    for service in [AwsService::ExecuteApi, AwsService::S3] {
        let plus = ["/q?amount=1+1&a=1&a=2", "/q?a=2&a=1&amount=1+1"];
        let others = ["/q?amount=1%201&a=1&a=2", "/q?amount=1%252B1&a=1&a=2"];
        check_targets(service, "/q?amount=1%2B1&a=1&a=2", &plus, &others);
    }
}

/// A server that reads targets as browsers do takes one for a slash.
#[test]
fn a_backslash_in_a_path_is_signed_and_sent_escaped() {
    let (sent, reads) = ("/reports%5C..%5Cadmin", [r"/reports\..\admin", r"/reports%5C..\admin"]);
    check_targets(AwsService::S3, sent, &reads, &["/admin", "/reports/../admin"]);
    for service in [AwsService::S3, AwsService::ExecuteApi] {
        let (signer, raw) = (hooks(service).signer, Sent::new(Method::GET, reads[0], b""));
        let refused = signer.credentials(raw.view().with_body(Body::Bytes(b""))).wait();
        assert_eq!(refused.unwrap_err().code(), "sigv4_ambiguous_target");
    }
}

/// What AWS takes is signed and accepted by those who say so.
#[test]
fn what_aws_takes_is_accepted_by_leave() {
    let service = || AwsService::ExecuteApi;
    let policy = SigV4Policy::new(service(), "eu-west-1").unwrap().allowing_ambiguous_targets();
    let hooks = with_policy(policy, service());
    let clock = hooks.clock.clone();
    let signer = SigV4::new(key(), "eu-west-1", service(), clock).unwrap();
    let signer = signer.allowing_ambiguous_targets();
    for target in ["//", "/a/./b?x=1+1", "/a/../b/..", "/?+"] {
        check(&hooks, &Sent::new(Method::GET, target, b"").signed(&signer), Ok("acme"));
    }
}

#[test]
fn a_body_is_held_to_the_hash_that_was_signed() {
    let hooks = hooks(AwsService::S3);
    let sent = Sent::new(Method::PUT, "/key", BODY).signed(&hooks.signer);
    check(&hooks, &sent, Ok("acme"));
    let changed = Sent { body: b"{\"event\":\"DELIVERED\"}".to_vec(), ..sent.clone() };
    check(&hooks, &changed, Err((403, "sigv4_payload")));
    check(&hooks, &Sent { body: Vec::new(), ..sent.clone() }, Err((403, "sigv4_payload")));
    let odd = sent.clone().with("x-amz-content-sha256", "ABC");
    check(&hooks, &odd, Err((400, "sigv4_payload_field")));
    let zero = "0".repeat(64);
    check(&hooks, &sent.with("x-amz-content-sha256", &zero), Err((403, "sigv4_signature")));
}

#[test]
fn a_date_is_neither_too_old_nor_too_new() {
    let hooks = hooks(AwsService::Lambda);
    let sent = Sent::new(Method::POST, "/", BODY).signed(&hooks.signer);
    for (seconds, expected) in [
        (NOW - 900, Ok("acme")),
        (NOW - 901, Err((403, "sigv4_date_future"))),
        (NOW + 900, Ok("acme")),
        (NOW + 901, Err((403, "sigv4_date_past"))),
    ] {
        hooks.clock.set(auth_core::Timestamp::from_unix(seconds));
        check(&hooks, &sent, expected);
    }
    let strict = SigV4Policy::new(AwsService::Lambda, "eu-west-1").unwrap();
    let strict = with_policy(strict.with_skew(Duration::from_secs(60)), AwsService::Lambda);
    strict.clock.advance(Duration::from_secs(61));
    check(&strict, &sent, Err((403, "sigv4_date_past")));
}

#[test]
fn a_scope_is_for_this_day_region_and_service() {
    let hooks = hooks(AwsService::Sns);
    let sent = Sent::new(Method::POST, "/", BODY).signed(&hooks.signer);
    check(
        &hooks,
        &sent.clone().replaced("/20150830/", "/20150831/"),
        Err((403, "sigv4_scope_day")),
    );
    check(
        &hooks,
        &sent.clone().replaced("eu-west-1", "us-east-1"),
        Err((403, "sigv4_scope_region")),
    );
    check(&hooks, &sent.clone().replaced("/sns/", "/sqs/"), Err((403, "sigv4_scope_service")));
    let wide =
        SigV4Policy::new(AwsService::Sns, "us-east-1").unwrap().with_region("eu-west-1").unwrap();
    check(&with_policy(wide, AwsService::Sns), &sent, Ok("acme"));
}

#[test]
fn what_must_be_signed_is() {
    let hooks = hooks(AwsService::Sts);
    let sent = Sent::new(Method::POST, "/", BODY).signed(&hooks.signer);
    let no = Err((403, "sigv4_not_signed"));
    check(&hooks, &sent.clone().with("x-amz-target", "Delete"), no);
    check(&hooks, &sent.clone().replaced("content-type;", ""), no);
    check(&hooks, &sent.clone().replaced("host;", ""), no);
    check(
        &hooks,
        &sent.clone().replaced("host;", "zone;host;"),
        Err((400, "sigv4_signed_headers")),
    );
    check(&hooks, &sent.clone().replaced("host;", "host;origin;"), Err((403, "sigv4_not_there")));
    check(&hooks, &sent.clone().with("x-other", "1"), Ok("acme"));
    let policy = SigV4Policy::new(AwsService::Sts, "eu-west-1").unwrap();
    let strict = with_policy(
        policy.with_required_field(HeaderName::from_static("x-other")),
        AwsService::Sts,
    );
    check(&strict, &sent, Ok("acme"));
    check(&strict, &sent.clone().with("x-other", "1"), no);
    check(&hooks, &sent.clone().and("x-amz-date", "20150830T123600Z"), Err((400, "sigv4_date")));
    let double = Sent::new(Method::POST, "/", BODY).and("x-amz-meta", "1").signed(&hooks.signer);
    check(&hooks, &double.and("x-amz-meta", "1"), Err((400, "sigv4_several")));
    // Several values of any other field are signed together.
    let two = Sent::new(Method::POST, "/", BODY).and("x-b", "1").and("x-a", "2").and("x-b", "3");
    let two = two.signed(&hooks.signer);
    check(&hooks, &two, Ok("acme"));
    check(&hooks, &two.and("x-b", "4"), Err((403, "sigv4_signature")));
}

#[test]
fn a_field_may_arrive_unsigned_where_that_is_allowed_by_its_name() {
    let no = Err((403, "sigv4_not_signed"));
    let policy = || SigV4Policy::new(AwsService::Sns, "eu-west-1").unwrap();
    let strict = with_policy(policy(), AwsService::Sns);
    let allowed = |name| policy().allowing_unsigned_field(HeaderName::from_static(name)).unwrap();
    let mut sent = Sent::new(Method::POST, "/", BODY);
    sent.headers.remove("content-type");
    let sent = sent.signed(&strict.signer);
    for (name, other) in [("content-type", "x-amz-cf-id"), ("x-amz-cf-id", "content-type")] {
        let hooks = with_policy(allowed(name), AwsService::Sns);
        let added = sent.clone().and(name, "any");
        check(&strict, &added, no);
        check(&hooks, &added, Ok("acme"));
        check(&hooks, &added.clone().and(name, "twice"), Ok("acme"));
        check(&hooks, &added.and(other, "any"), no);
        // Signed all the same, it is held to what was signed.
        let signed = Sent::new(Method::POST, "/", BODY).with(name, "one").signed(&strict.signer);
        check(&hooks, &signed, Ok("acme"));
        check(&hooks, &signed.with(name, "two"), Err((403, "sigv4_signature")));
    }
    let both = allowed("content-type").with_required_field(HeaderName::from_static("content-type"));
    check(&with_policy(both, AwsService::Sns), &sent.and("content-type", "any"), no);
}

#[test]
fn a_field_that_the_verifier_reads_never_arrives_unsigned() {
    for name in [
        "authorization",
        "content-encoding",
        "host",
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-decoded-content-length",
        "x-amz-security-token",
        "x-amz-trailer",
    ] {
        let policy = SigV4Policy::new(AwsService::S3, "eu-west-1").unwrap();
        let error = policy.allowing_unsigned_field(HeaderName::from_static(name)).unwrap_err();
        assert_eq!(error.code(), "sigv4_unsigned_field");
        assert!(error.to_string().contains(&format!("field {name} ")), "{error}");
    }
}

/// A client that names the port in `:authority`, and signs the host as its library does.
#[test]
fn the_port_of_https_may_be_left_out_of_the_signed_host() {
    use auth_core::Peer;
    #[track_caller]
    fn check(url: &str, encrypted: bool, expected: Result<&str, &str>) {
        let hooks = hooks(AwsService::Sns);
        let sent = Sent::new(Method::POST, "/", BODY).signed(&hooks.signer);
        let uri = url.parse().unwrap();
        let view = RequestView::new(&sent.method, &uri, &sent.headers);
        let view =
            view.with_body(Body::Bytes(&sent.body)).with_peer(Peer { encrypted, ..Peer::UNKNOWN });
        let told = hooks.verifier.verify(view).wait().unwrap();
        let told = told.map(|accepted| accepted.principal).map_err(|refused| refused.reason().code);
        assert_eq!(told, expected, "{url}");
    }
    check("https://hooks.example:443/", true, Ok("acme"));
    check("https://hooks.example/", true, Ok("acme"));
    check("https://hooks.example:443/", false, Err("sigv4_signature"));
    check("http://hooks.example:80/", false, Err("sigv4_signature"));
    check("https://hooks.example:8443/", true, Err("sigv4_host"));
    check("https://other.example:443/", true, Err("sigv4_host"));
    let hooks = hooks(AwsService::S3);
    let sent = Sent::new(Method::PUT, "/", BODY).signed(&hooks.signer);
    let peer = Peer { encrypted: true, ..Peer::UNKNOWN };
    let with_port = sent.clone().with("host", "hooks.example:443").at_origin();
    let view = RequestView::new(&with_port.method, &with_port.uri, &with_port.headers);
    let accepted = hooks.verifier.verify(view.with_peer(peer)).wait().unwrap();
    assert!(accepted.is_ok(), "in the Host field of HTTP/1");
    let other = with_port.with("host", "other.example:443");
    let view = RequestView::new(&other.method, &other.uri, &other.headers).with_peer(peer);
    let refused = hooks.verifier.verify(view).wait().unwrap().unwrap_err();
    assert_eq!(refused.reason().code, "sigv4_signature");
}

#[test]
fn what_cannot_be_read_is_a_400() {
    let hooks = hooks(AwsService::ExecuteApi);
    let sent = Sent::new(Method::POST, "/", BODY).signed(&hooks.signer);
    check(
        &hooks,
        &sent.clone().replaced("Credential", "credential"),
        Err((400, "sigv4_parameters")),
    );
    check(&hooks, &sent.clone().and("authorization", "Basic YTpi"), Err((400, "sigv4_parameters")));
    check(
        &hooks,
        &sent.clone().with("x-amz-date", "2015-08-30T12:36:00Z"),
        Err((400, "sigv4_date")),
    );
    let twice = sent.clone().at("/?X-Amz-Signature=1");
    check(&hooks, &twice, Err((400, "sigv4_twice")));
    let mut nothing = sent.clone();
    nothing.headers.remove("authorization");
    check(&hooks, &nothing, Err((401, "sigv4_missing")));
    assert_eq!(hooks.verifier.presence(nothing.view()), Presence::Absent);
    assert_eq!(hooks.verifier.presence(sent.view()), Presence::Present);
    assert_eq!(
        hooks.verifier.presence(nothing.at("/?X-Amz-Signature=1").view()),
        Presence::Present
    );
    let other = sent.with("authorization", "AWS4-ECDSA-P256-SHA256 Credential=a");
    check(&hooks, &other, Err((401, "sigv4_missing")));
}

#[test]
fn ten_thousand_fields_are_no_trouble() {
    let hooks = hooks(AwsService::ExecuteApi);
    let mut sent = Sent::new(Method::POST, "/", BODY).signed(&hooks.signer);
    for number in 0..10_000 {
        let name = HeaderName::try_from(format!("x-{number}")).unwrap();
        sent.headers.insert(name, HeaderValue::from_static("1"));
    }
    check(&hooks, &sent, Ok("acme"));
    let many: String = (0..10_000).map(|number| format!("{number:05};")).collect();
    let sent = sent.replaced("SignedHeaders=", &format!("SignedHeaders={many}"));
    check(&hooks, &sent, Err((400, "sigv4_parameters")));
    let mut values = Sent::new(Method::POST, "/", BODY).and("x-a", "1").signed(&hooks.signer);
    for _ in 0..10_000 {
        values = values.and("x-a", "1");
    }
    check(&hooks, &values, Err((400, "sigv4_signed_headers")));
    let long = Sent::new(Method::GET, &format!("/?{}", "a&".repeat(10_000)), b"");
    check(&hooks, &long.signed(&hooks.signer), Ok("acme"));
}

fn presigned(hooks: &Hooks, method: Method, target: &str, seconds: u64) -> Sent {
    let mut sent = Sent::new(method, target, b"");
    sent.headers.remove("content-type");
    let span = Duration::from_secs(seconds);
    let signed = hooks.signer.presign(sent.view().with_body(Body::Bytes(b"")), span);
    let target = signed.wait().unwrap();
    sent.at(&target)
}

#[test]
fn a_presigned_url_is_good_until_it_expires() {
    let policy = SigV4Policy::new(AwsService::S3, "eu-west-1").unwrap();
    let closed = with_policy(policy.clone(), AwsService::S3);
    let hooks = with_policy(policy.allowing_presigned(), AwsService::S3);
    let sent = presigned(&hooks, Method::GET, "/key?versionId=1", 3600);
    check(&closed, &sent, Err((403, "sigv4_presigned")));
    check(&hooks, &sent, Ok("acme"));
    let target = sent.uri.path_and_query().unwrap().to_string();
    let changed = |from: &str, to: &str| sent.clone().at(&target.replacen(from, to, 1));
    check(&hooks, &changed("Expires=3600", "Expires=3601"), Err((403, "sigv4_signature")));
    check(&hooks, &changed("versionId=1", "versionId=2"), Err((403, "sigv4_signature")));
    check(&hooks, &changed("Expires=3600", "Expires=604801"), Err((400, "sigv4_expires")));
    check(&hooks, &changed("&X-Amz-Expires=3600", ""), Err((400, "sigv4_query")));
    check(
        &hooks,
        &sent.clone().at(&format!("{target}&X-Amz-Expires=1")),
        Err((400, "sigv4_query")),
    );
    check(&hooks, &sent.clone().with("x-amz-acl", "public"), Err((403, "sigv4_not_signed")));
    check(&hooks, &sent.clone().with("content-type", "text/plain"), Ok("acme"));
    let with_body = Sent { body: b"x".to_vec(), ..sent.clone() };
    check(&hooks, &with_body, Err((403, "sigv4_payload")));
    hooks.clock.advance(Duration::from_secs(3600));
    check(&hooks, &sent, Ok("acme"));
    hooks.clock.advance(Duration::from_secs(1));
    check(&hooks, &sent, Err((403, "sigv4_url_expired")));
    hooks.clock.set(auth_core::Timestamp::from_unix(NOW - 901));
    check(&hooks, &sent, Err((403, "sigv4_date_future")));
}

#[test]
fn an_upload_to_a_presigned_url_needs_leave() {
    let policy = SigV4Policy::new(AwsService::S3, "eu-west-1").unwrap().allowing_presigned();
    let hooks = with_policy(policy.clone(), AwsService::S3);
    let sent = presigned(&hooks, Method::PUT, "/key", 60);
    check(&hooks, &sent, Err((403, "sigv4_unsigned_payload")));
    let open = with_policy(policy.allowing_unsigned_payload(), AwsService::S3);
    check(&open, &Sent { body: BODY.to_vec(), ..sent }, Ok("acme"));
}

#[test]
fn a_payload_that_is_not_signed_needs_leave() {
    let hooks = hooks(AwsService::S3);
    let unsigned = SigV4::new(key(), "eu-west-1", AwsService::S3, hooks.clock.clone()).unwrap();
    let sent = Sent::new(Method::PUT, "/key", BODY).signed(&unsigned.with_unsigned_payload());
    check(&hooks, &sent, Err((403, "sigv4_unsigned_payload")));
    let policy = SigV4Policy::new(AwsService::S3, "eu-west-1").unwrap().allowing_unsigned_payload();
    check(&with_policy(policy, AwsService::S3), &sent, Ok("acme"));
}

#[test]
fn a_signature_is_taken_once_where_that_is_asked() {
    let clock = ManualClock::at(NOW);
    let signer = SigV4::new(key(), "eu-west-1", AwsService::Sns, clock.clone()).unwrap();
    let keys = AccessKeys::new([(key(), "acme")]);
    let policy = SigV4Policy::new(AwsService::Sns, "eu-west-1").unwrap();
    let store = MemoryReplayStore::new(clock.clone());
    let verifier = SigV4Verifier::new(policy, keys, clock.clone()).once(store);
    let sent = Sent::new(Method::POST, "/", BODY).signed(&signer);
    let forged = sent.clone().with("content-type", "text/plain");
    assert_eq!(verdict(&verifier, &forged), Err((403, "sigv4_signature")));
    assert_eq!(verdict(&verifier, &sent), Ok("acme"), "a forgery uses nothing up");
    assert_eq!(verdict(&verifier, &sent), Err((403, "sigv4_replayed")));
    clock.advance(Duration::from_secs(1));
    let again = Sent::new(Method::POST, "/", BODY).signed(&signer);
    assert_eq!(verdict(&verifier, &again), Ok("acme"));
    // It is good for 15 minutes, the last second included.
    for seconds in [898, 1] {
        clock.advance(Duration::from_secs(seconds));
        assert_eq!(verdict(&verifier, &sent), Err((403, "sigv4_replayed")), "after {seconds} s");
    }
    clock.advance(Duration::from_secs(1));
    assert_eq!(verdict(&verifier, &sent), Err((403, "sigv4_date_past")));
}

/// What the store has forgotten is refused as too old, never taken.
#[test]
fn a_full_store_refuses_what_it_forgot_and_nothing_else() {
    let clock = ManualClock::at(NOW);
    let signer = SigV4::new(key(), "eu-west-1", AwsService::Sns, clock.clone()).unwrap();
    let keys = AccessKeys::new([(key(), "acme")]);
    let policy = SigV4Policy::new(AwsService::Sns, "eu-west-1").unwrap();
    let store = MemoryReplayStore::new(clock.clone()).with_limit(16 * 1024);
    let verifier = SigV4Verifier::new(policy, keys, clock.clone()).once(store);
    let first = Sent::new(Method::POST, "/", BODY).signed(&signer);
    assert_eq!(verdict(&verifier, &first), Ok("acme"));
    for n in 0..300 {
        clock.advance(Duration::from_secs(1));
        let sent = Sent::new(Method::POST, "/", n.to_string().as_bytes()).signed(&signer);
        assert_eq!(verdict(&verifier, &sent), Ok("acme"), "request {n}");
    }
    assert_eq!(verdict(&verifier, &first), Err((403, "sigv4_date_past")));
}

/// Two secrets of one access key are good while one replaces the other.
#[test]
fn either_of_two_secrets_signs() {
    struct Rotating;
    impl auth_core::Lookup<ScopedKeyId<'_>> for Rotating {
        type Found = Candidates<AccessKeyRecord, &'static str>;

        fn lookup(&self, id: &ScopedKeyId<'_>) -> auth_core::Flow<'_, Option<Self::Found>> {
            let derived = |secret: &str| {
                AccessKeyRecord::new(
                    AccessKey::new("AKIDEXAMPLE", secret).unwrap().derive(id.scope),
                )
            };
            let both = [(derived("old"), "acme/1"), (derived(SECRET), "acme/2")];
            auth_core::Flow::ready(Some(both.into_iter().collect()))
        }
    }
    let clock = ManualClock::at(NOW);
    let policy = SigV4Policy::new(AwsService::Sns, "eu-west-1").unwrap();
    let verifier = SigV4Verifier::new(policy, Rotating, clock.clone());
    for (secret, expected) in
        [("old", Ok("acme/1")), (SECRET, Ok("acme/2")), ("other", Err((403, "sigv4_signature")))]
    {
        let key = AccessKey::new("AKIDEXAMPLE", secret).unwrap();
        let signer = SigV4::new(key, "eu-west-1", AwsService::Sns, clock.clone()).unwrap();
        let sent = Sent::new(Method::POST, "/", BODY).signed(&signer);
        assert_eq!(verdict(&verifier, &sent), expected, "{secret}");
    }
}

#[test]
fn a_body_that_has_to_be_hashed_first_has_a_limit() {
    let hooks = hooks(AwsService::Sns);
    let sent = Sent::new(Method::POST, "/", BODY).signed(&hooks.signer);
    assert_eq!(hooks.verifier.needs(sent.view()), Need::Bytes { limit: 1024 * 1024 });
    let small = hooks.verifier.with_body_limit(7);
    assert_eq!(small.needs(sent.view()), Need::Bytes { limit: 7 });
}

/// The id of an access key is in every presigned URL, so anybody who reads one could hold off its owner.
#[test]
fn wrong_signatures_run_out_for_their_source_and_lock_out_no_owner_of_a_key() {
    use auth_core::{AttemptLimit, AttemptRate, MemoryAttemptLimits, Peer};
    let hooks = hooks(AwsService::Sns);
    let rate = AttemptRate::new(2, Duration::from_secs(60)).unwrap();
    let limits = MemoryAttemptLimits::new(hooks.clock.clone()).with_source_rate(rate);
    let verifier = hooks.verifier.with_limit(AttemptLimit::new(limits));
    let sent = Sent::new(Method::POST, "/", BODY).signed(&hooks.signer);
    let forged = sent.clone().with("content-type", "text/plain");
    let said = |from: &str, sent: &Sent| {
        let peer = Peer { address: from.parse().ok(), ..Peer::UNKNOWN };
        let view = sent.view().with_body(Body::Bytes(&sent.body)).with_peer(peer);
        match verifier.verify(view).wait().unwrap() {
            Ok(accepted) => accepted.principal,
            Err(rejection) => rejection.reason().code,
        }
    };
    for _ in 0..2 {
        assert_eq!(said("192.0.2.1", &sent), "acme");
        assert_eq!(said("192.0.2.1", &forged), "sigv4_signature");
    }
    assert_eq!(said("192.0.2.1", &sent), "limit_attempts");
    for source in 0..20 {
        assert_eq!(said(&format!("198.51.{source}.1"), &forged), "sigv4_signature");
        assert_eq!(said("unknown", &forged), "sigv4_signature");
    }
    assert_eq!(said("203.0.113.1", &sent), "acme", "a new source of the owner");
    assert_eq!(said("unknown", &sent), "acme");
}

/// Nor does it cost anything, where it is only too late.
#[test]
fn a_request_that_was_captured_makes_no_source_known() {
    use auth_core::{AttemptKey, AttemptLimit, AttemptOutcome, Flow, Limits, Peer};
    use std::sync::{Arc, Mutex};

    type Identity = Option<[u8; 16]>;

    /// Writes down whose attempts ended how.
    #[derive(Clone, Default)]
    struct Settled(Arc<Mutex<Vec<(Identity, AttemptOutcome)>>>);

    impl Limits for Settled {
        fn may_try(&self, _: AttemptKey) -> Flow<'_, Result<(), Duration>> {
            Flow::ready(Ok(()))
        }

        fn note(&self, by: AttemptKey, settled: AttemptOutcome) {
            self.0.lock().unwrap().push((by.identity(), settled));
        }
    }

    let (hooks, settled) = (hooks(AwsService::Sns), Settled::default());
    let verifier = hooks.verifier.with_limit(AttemptLimit::new(settled.clone()));
    let verifier = verifier.once(MemoryReplayStore::new(hooks.clock.clone()));
    let sent = Sent::new(Method::POST, "/", BODY).signed(&hooks.signer);
    let peer = Peer { address: "192.0.2.1".parse().ok(), ..Peer::UNKNOWN };
    let said = || {
        let view = sent.view().with_body(Body::Bytes(&sent.body)).with_peer(peer);
        let told = verifier.verify(view).wait().unwrap();
        let told = told.map_or_else(|rejection| rejection.reason().code, |_| "accepted");
        (told, std::mem::take(&mut *settled.0.lock().unwrap()))
    };
    assert_eq!(said(), ("accepted", vec![(None, AttemptOutcome::Right)]));
    assert_eq!(said(), ("sigv4_replayed", vec![(None, AttemptOutcome::Right)]));
    hooks.clock.advance(Duration::from_secs(16 * 60));
    assert_eq!(said(), ("sigv4_date_past", vec![]));
}

#[test]
fn a_temporary_key_comes_with_its_token() {
    let clock = ManualClock::at(NOW);
    let temporary = |token: &str| AccessKey::temporary("ASIA1", SECRET, token, None).unwrap();
    let lasting = AccessKey::new("ASIA1", SECRET).unwrap();
    let signed = |key: AccessKey| {
        let signer = SigV4::new(key, "eu-west-1", AwsService::Sns, clock.clone()).unwrap();
        Sent::new(Method::POST, "/", BODY).signed(&signer)
    };
    let verifier = |key: AccessKey| {
        let policy = SigV4Policy::new(AwsService::Sns, "eu-west-1").unwrap();
        SigV4Verifier::new(policy, AccessKeys::new([(key, "acme")]), clock.clone())
    };
    let with_token = verifier(temporary("t0ken"));
    assert_eq!(verdict(&with_token, &signed(temporary("t0ken"))), Ok("acme"));
    assert_eq!(verdict(&with_token, &signed(temporary("other"))), Err((403, "sigv4_token")));
    assert_eq!(verdict(&with_token, &signed(lasting.clone())), Err((403, "sigv4_token")));
    assert_eq!(verdict(&verifier(lasting), &signed(temporary("t0ken"))), Err((403, "sigv4_token")));
}

#[test]
fn a_temporary_key_is_good_strictly_before_its_end() {
    let clock = ManualClock::at(NOW);
    let end = auth_core::Timestamp::from_unix(NOW + 60);
    let temporary = |end| AccessKey::temporary("ASIA1", SECRET, "t0ken", end).unwrap();
    let signer = SigV4::new(temporary(None), "eu-west-1", AwsService::Sns, clock.clone()).unwrap();
    let policy = SigV4Policy::new(AwsService::Sns, "eu-west-1").unwrap();
    let keys = AccessKeys::new([(temporary(Some(end)), "acme")]);
    let verifier = SigV4Verifier::new(policy, keys, clock.clone());
    let sent = Sent::new(Method::POST, "/", BODY).signed(&signer);
    let forged = sent.clone().with("content-type", "text/plain");
    let outside = |sent: &Sent| {
        let view = sent.view().with_body(Body::Bytes(&sent.body));
        let refused = verifier.verify(view).wait().unwrap().unwrap_err();
        (refused.status(), refused.challenges().len(), refused.retry_after())
    };
    for (seconds, expected) in [
        (0, Ok("acme")),
        (59, Ok("acme")),
        (60, Err((403, "sigv4_key_expired"))),
        (61, Err((403, "sigv4_key_expired"))),
    ] {
        clock.set(auth_core::Timestamp::from_unix(NOW + seconds));
        assert_eq!(verdict(&verifier, &sent), expected, "{seconds}");
        // Whether it has ended is for those to know who have it.
        assert_eq!(verdict(&verifier, &forged), Err((403, "sigv4_signature")));
    }
    let stranger = sent.clone().replaced("ASIA1", "ASIA2");
    assert_eq!(outside(&sent), outside(&forged));
    assert_eq!(outside(&sent), outside(&stranger));
}

/// An edge that is given the key of a day holds no secret.
#[test]
fn the_key_of_a_day_is_enough() {
    struct Edge(auth_sigv4::DerivedKey);
    impl auth_core::Lookup<ScopedKeyId<'_>> for Edge {
        type Found = Candidates<AccessKeyRecord, &'static str>;

        fn lookup(&self, id: &ScopedKeyId<'_>) -> auth_core::Flow<'_, Option<Self::Found>> {
            let known = id.id == "AKIDEXAMPLE" && id.scope.day == "20150830";
            let found = Candidates::one(AccessKeyRecord::new(self.0.clone()), "acme");
            auth_core::Flow::ready(known.then_some(found))
        }
    }
    let hooks = hooks(AwsService::Sns);
    let date = AmzDate::parse("20150830T123600Z").unwrap();
    let scope = auth_sigv4::CredentialScope::new(date.day(), "eu-west-1", "sns");
    let policy = SigV4Policy::new(AwsService::Sns, "eu-west-1").unwrap();
    let edge = SigV4Verifier::new(policy, Edge(key().derive(scope)), hooks.clock.clone());
    let sent = Sent::new(Method::POST, "/", BODY).signed(&hooks.signer);
    let view = sent.view().with_body(Body::Bytes(&sent.body));
    assert_eq!(edge.verify(view).wait().unwrap().unwrap().principal, "acme");
}

#[test]
fn an_owner_learns_why_signatures_differ() {
    let hooks = hooks(AwsService::ExecuteApi);
    let sent = Sent::new(Method::POST, "/a%20b?x=1", BODY).signed(&hooks.signer);
    let view = sent.view().with_body(Body::Bytes(&sent.body));
    // A client that encodes its path once, where API Gateway wants it twice.
    let signed = auth_sigv4::canonical_request(
        &RawRequest {
            method: "POST",
            target: b"/a%20b?x=1",
            headers: &[
                ("content-type", b"application/json"),
                ("host", b"hooks.example"),
                ("x-amz-date", b"20150830T123600Z"),
            ],
            payload: Payload::Bytes(BODY),
        },
        AwsService::S3.rules(),
    );
    let explained = hooks.verifier.explain(view, std::str::from_utf8(&signed).unwrap()).unwrap();
    let difference = explained.difference().unwrap();
    assert_eq!((&difference.part, difference.line), (&auth_sigv4::CanonicalPart::Path, 2));
    assert!(explained.to_string().contains("/a%2520b"), "{explained}");
    hooks.clock.advance(Duration::from_secs(1000));
    let late = hooks.verifier.explain(view, "").unwrap_err();
    assert_eq!(late.reason().code, "sigv4_date_past");
}

/// Fields as a signer makes them that does not send the hash of the payload.
fn without_content_sha256(body: &[u8]) -> Sent {
    let signer = SigV4Signer::new(key(), "eu-west-1", AwsService::S3).unwrap();
    let rules =
        SigningRules { content_sha256: PayloadHashField::LeftOut, ..AwsService::S3.rules() };
    let headers: &[(&str, &[u8])] =
        &[("host", b"hooks.example"), ("content-type", b"application/json")];
    let request =
        RawRequest { method: "PUT", target: b"/key", headers, payload: Payload::Bytes(body) };
    let now = auth_core::Timestamp::from_unix(NOW);
    let signed = signer.with_rules(rules).sign(&request, now).unwrap();
    Sent::new(Method::PUT, "/key", body)
        .with("authorization", signed.authorization.to_str().unwrap())
        .with("x-amz-date", signed.date.to_str().unwrap())
}

#[test]
fn a_payload_whose_hash_is_not_sent_is_measured() {
    let hooks = hooks(AwsService::S3);
    check(&hooks, &without_content_sha256(BODY), Ok("acme"));
    let changed = Sent { body: b"another".to_vec(), ..without_content_sha256(BODY) };
    check(&hooks, &changed, Err((403, "sigv4_signature")));
    let policy =
        SigV4Policy::new(AwsService::ExecuteApi, "eu-west-1").unwrap().allowing_presigned();
    let generic = with_policy(policy, AwsService::ExecuteApi);
    let sent = presigned(&generic, Method::POST, "/hook", 60);
    check(&generic, &sent, Ok("acme"));
    check(&generic, &Sent { body: BODY.to_vec(), ..sent }, Err((403, "sigv4_signature")));
}

#[test]
fn rules_are_those_of_the_policy() {
    let policy = || SigV4Policy::new(AwsService::S3, "eu-west-1").unwrap();
    let twice = with_policy(policy().with_rules(AwsService::ExecuteApi.rules()), AwsService::S3);
    for (target, expected) in [("/a", Ok("acme")), ("/a%20b", Err((403, "sigv4_signature")))] {
        let sent = Sent::new(Method::GET, target, b"").signed(&twice.signer);
        check(&twice, &sent, expected);
        check(&with_policy(policy(), AwsService::S3), &sent, Ok("acme"));
    }
}

/// A service under a name of its own with the rules of S3, chosen whole or one by one.
#[test]
fn a_service_of_another_name_may_follow_the_rules_of_s3() {
    let named = || AwsService::named("s3-outposts");
    let policy = SigV4Policy::new(named(), "eu-west-1").unwrap().with_rules(AwsService::S3.rules());
    let hooks = with_policy(policy.allowing_presigned(), named());
    let signer = SigV4::new(key(), "eu-west-1", named(), hooks.clock.clone()).unwrap();
    let signer = signer.with_rules(AwsService::S3.rules());
    let sent = Sent::new(Method::GET, "/a//b%20c/../d(1)", b"").signed(&signer);
    check(&hooks, &sent, Ok("acme"));
    check(&hooks, &Sent { body: b"x".to_vec(), ..sent }, Err((403, "sigv4_payload")));
    let url = Hooks { signer, ..hooks };
    check(&url, &presigned(&url, Method::GET, "/a//b", 60), Ok("acme"));
    check(&url, &presigned(&url, Method::PUT, "/a", 60), Err((403, "sigv4_unsigned_payload")));
}

#[test]
fn clocks_differ_by_what_is_set_and_never_by_more_than_15_minutes() {
    let policy = || SigV4Policy::new(AwsService::Sns, "eu-west-1").unwrap();
    for (skew, most) in [(None, 900), (Some(3600), 900), (Some(60), 60), (Some(899), 899)] {
        let set = skew.map(|skew| policy().with_skew(Duration::from_secs(skew)));
        let hooks = with_policy(set.unwrap_or_else(policy), AwsService::Sns);
        let sent = Sent::new(Method::GET, "/", b"").signed(&hooks.signer);
        hooks.clock.advance(Duration::from_secs(most));
        check(&hooks, &sent, Ok("acme"));
        hooks.clock.advance(Duration::from_secs(1));
        check(&hooks, &sent, Err((403, "sigv4_date_past")));
    }
}

/// The owner of a program that was built without chunks can tell a caller that sends them from a forger.
#[cfg(not(feature = "aws-chunked"))]
#[test]
fn a_payload_in_chunks_needs_its_feature() {
    let hooks = hooks(AwsService::S3);
    let sent = Sent::new(Method::PUT, "/key", BODY).signed(&hooks.signer);
    let sent = sent.with("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    check(&hooks, &sent, Err((403, "sigv4_chunked")));
}
