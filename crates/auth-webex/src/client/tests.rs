use super::*;
use crate::WebexOutcome;
use auth_core::{Context, Exchange, Timestamp, send};
use auth_testing::{ManualClock, ScriptedTransport};
use http::{Method, Request, Response, Uri};
use std::sync::atomic::{AtomicUsize, Ordering};

const SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

fn context() -> Context {
    let transport = ScriptedTransport::new(|_| panic!("nothing is fetched"));
    Context::new(transport).with_clock(ManualClock::at(1_734_006_610))
}

fn webex() -> Webex {
    Webex::in_region(Region::Eu).unwrap()
}

/// The URL, and the field that the credential is in.
#[track_caller]
fn check(api: &WebexApi, url: &str, field: (&'static str, &str)) {
    assert_eq!(api.url(), url);
    let (uri, headers): (Uri, _) = (api.url().parse().unwrap(), HeaderMap::new());
    let made = api.credentials(RequestView::new(&Method::POST, &uri, &headers)).wait().unwrap();
    let (mut uri, mut headers) = (uri, HeaderMap::new());
    made.commit(&mut uri, &mut headers).unwrap();
    assert_eq!(headers.len(), 1);
    let value = headers[field.0].to_str().unwrap();
    assert!(value.starts_with(field.1), "{value}");
    // And nowhere else.
    let evil = Uri::from_static("https://evil.example/v2/messages");
    let empty = HeaderMap::new();
    let refused = api.credentials(RequestView::new(&Method::POST, &evil, &empty)).wait();
    assert_eq!(refused.unwrap_err().code(), "only_other_origin");
}

#[test]
fn each_api_has_its_host_and_its_field() {
    let key = webex().service(ServiceCredential::key("k-1").unwrap());
    let jwt = webex().service(ServiceCredential::jwt("S-1", SECRET, context()).unwrap());
    let tenant = webex().tenant("p-1").unwrap();
    let app = webex()
        .app(AppCredential::from_secret("TR21063826", SECRET, Some("u"), context()).unwrap());
    for (api, url) in [
        (ServiceApi::MessagingV1, "https://api.eu.webexconnect.io/resources/v1/messaging"),
        (ServiceApi::MessagingV2, "https://api.eu.webexconnect.io/v2/messages"),
        (
            ServiceApi::CustomEvent,
            "https://api.eu.webexconnect.io/resources/v1/events/externalevent",
        ),
        (ServiceApi::RcsCapability, "https://api.eu.webexconnect.io/v1/rcs"),
    ] {
        check(&key.api(api), url, ("key", "k-1"));
        check(&jwt.api(api), url, ("authorization", "Bearer eyJ"));
    }
    let hook = "https://hooks.eu.webexconnect.io/events/AB12CD34EF";
    check(&key.inbound_webhook("AB12CD34EF").unwrap(), hook, ("key", "k-1"));
    check(&jwt.inbound_webhook("AB12CD34EF").unwrap(), hook, ("authorization", "Bearer eyJ"));
    assert_eq!(key.inbound_webhook("a/../b").unwrap_err().code(), "webex_webhook_id");
    let sandbox = "https://api-sandbox.imiconnect.io/v1/sms/messages";
    check(&key.api(ServiceApi::Sandbox), sandbox, ("authorization", "Bearer k-1"));
    check(&jwt.api(ServiceApi::Sandbox), sandbox, ("authorization", "Bearer eyJ"));
    let profile = "https://api.eu.webexconnect.io/resources/v2/customerprofile";
    check(&tenant.api(TenantApi::Profile), profile, ("key", "p-1"));
    let policy = "https://contactpolicy.eu.webexconnect.io/v1/groups";
    check(&tenant.api(TenantApi::ContactPolicy), policy, ("authorization", "Bearer p-1"));
    for (api, path) in
        [(AppApi::Threads, "threads"), (AppApi::Segments, "segments"), (AppApi::Topics, "topics")]
    {
        let url = format!("https://rtm.eu.webexconnect.io/rtmsAPI/api/v1/apps/TR21063826/{path}");
        check(&app.api(api), &url, ("authorization", "Bearer eyJ"));
    }
}

const REFUSED: &str = r#"{"response":{"code":"7001"}}"#;

/// A token that is refused behind a 200, a 400 or a 403 is made anew, and the request is sent once more; a key is not.
#[track_caller]
fn check_attempts(
    (status, first_body): (u16, &'static str),
    api: &WebexApi,
    clock: &ManualClock,
    expected: usize,
) {
    let (asked, clock) = (AtomicUsize::new(0), clock.clone());
    let asked = Arc::new(asked);
    let counted = Arc::clone(&asked);
    let transport = ScriptedTransport::new(move |_: &Request<Vec<u8>>| {
        let first = counted.fetch_add(1, Ordering::Relaxed) == 0;
        clock.set(Timestamp::from_unix(1_734_006_620));
        let body = if first { first_body } else { r#"{"response":[{"code":"1002"}]}"# };
        let status = if first { status } else { 200 };
        Ok(Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap())
    });
    let request = Request::post(api.url()).body(b"{}".to_vec()).unwrap();
    let answer = send(&transport, api, Exchange::new(request)).wait().unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), expected, "{status}");
    let outcome = api.read_answer(answer.status(), answer.body()).outcome;
    let right =
        if expected == 2 { WebexOutcome::Accepted } else { WebexOutcome::CredentialRefused };
    assert_eq!(outcome, right);
}

#[test]
fn a_refused_token_is_renewed_whatever_the_status_says() {
    for status in [200, 400, 401, 403] {
        let clock = ManualClock::at(1_734_006_610);
        let context = context().with_clock(clock.clone());
        let jwt = webex().service(ServiceCredential::jwt("S-1", SECRET, context).unwrap());
        check_attempts((status, REFUSED), &jwt.api(ServiceApi::CustomEvent), &clock, 2);
        let key = webex().service(ServiceCredential::key("k-1").unwrap());
        check_attempts((status, REFUSED), &key.api(ServiceApi::CustomEvent), &clock, 1);
    }
}

/// The platform would trigger the event that it has taken twice.
#[test]
fn what_was_taken_in_part_is_not_sent_once_more() {
    for (body, expected) in [
        (r#"{"response":[{"code":"1002"},{"code":"7001"}]}"#, 1),
        (r#"{"response":[{"code":"7001"},{"code":"7001"},{"code":"1002"}]}"#, 1),
        (r#"{"response":[{"code":"7001"},{"code":"7001"}]}"#, 2),
    ] {
        let clock = ManualClock::at(1_734_006_610);
        let context = context().with_clock(clock.clone());
        let jwt = webex().service(ServiceCredential::jwt("S-1", SECRET, context).unwrap());
        check_attempts((200, body), &jwt.api(ServiceApi::CustomEvent), &clock, expected);
    }
}

#[test]
fn what_cannot_be_a_credential_is_told() {
    let code = |result: Result<()>| result.unwrap_err().code();
    assert_eq!(code(ServiceCredential::key("").map(drop)), "api_key_malformed");
    assert_eq!(code(ServiceCredential::jwt(" ", SECRET, context()).map(drop)), "webex_service_id");
    assert!(ServiceCredential::jwt("S-1", "not base64!", context()).is_err());
    for app_id in ["", "a/b", "a?b", "../x"] {
        assert_eq!(
            code(AppCredential::from_secret(app_id, SECRET, None, context()).map(drop)),
            "webex_app_id"
        );
    }
    assert_eq!(code(Region::named("mars").map(drop)), "webex_region");
    assert_eq!(Region::named("us1").unwrap(), Region::Us1);
    for url in ["ftp://a.example", "https://a.example/?x", "nonsense", "http://a.example"] {
        assert_eq!(code(WebexHosts::at(url).map(drop)), "webex_base_url", "{url}");
    }
    assert!(WebexHosts::at("http://127.0.0.1:8081").is_ok());
    let shown = format!("{:?} {:?}", webex(), ServiceCredential::key("k-1").unwrap());
    assert!(!shown.contains("k-1"), "{shown}");
}
