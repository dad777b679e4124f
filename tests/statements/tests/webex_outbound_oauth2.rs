//! Document 002: OAuth 2.0 for outbound webhooks, field by field. One test for each statement that holds;
//! `docs/coverage.md` lists them all.

use auth_core::{ConnectionId, Context, Flow, SystemRandom, TenantId};
use auth_oauth2::{
    AdvancedSettings, AuthorizationCallback, AuthorizationCodeForm, ClientCredentialsForm,
    KeyHasher, MemoryPendingAuthorizations, OAuthConnection, ParameterPlacement,
    RedirectionEndpoint, Secret,
};
use auth_session::{MemoryTokenStore, Session};
use auth_testing::{ManualClock, ScriptedTransport};
use http::{Request, Response};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

type Asked = Arc<Mutex<Vec<Request<Vec<u8>>>>>;

/// A token endpoint that writes down what it is asked, and answers `N` as the number of the answer.
fn server(answer: &'static str) -> (Context, ManualClock, Asked) {
    let (clock, asked) = (ManualClock::at(1_700_000_000), Asked::default());
    let written = Arc::clone(&asked);
    let transport = ScriptedTransport::new(move |request| {
        let mut written = written.lock().unwrap();
        written.push(request.clone());
        Ok(Response::new(answer.replace('N', &written.len().to_string()).into_bytes()))
    });
    let context = Context::new(transport).with_clock(clock.clone());
    (context.with_random(SystemRandom::new()), clock, asked)
}

fn credentials() -> ClientCredentialsForm {
    ClientCredentialsForm::new()
        .with_client_id("me")
        .with_client_secret("s3cret")
        .with_access_token_url("https://login.example/token")
}

fn code() -> AuthorizationCodeForm {
    AuthorizationCodeForm::new()
        .with_consumer_id("me")
        .with_consumer_secret("s3cret")
        .with_callback_url("https://platform.example/callback/crm")
        .with_authorization_url("https://login.example/authorize")
        .with_access_token_url("https://login.example/token")
}

fn endpoint(
    form: AuthorizationCodeForm,
    context: &Context,
    clock: &ManualClock,
) -> RedirectionEndpoint {
    let connection = ConnectionId::new(TenantId::new("acme"), "crm");
    let waiting = MemoryPendingAuthorizations::new(clock.clone());
    RedirectionEndpoint::new(form.build().unwrap(), connection, waiting, context.clone())
}

/// The method, the URL and the body of the request for the first token.
fn asked(form: ClientCredentialsForm) -> (String, String, http::HeaderMap) {
    let (context, _, asked) = server(r#"{"access_token":"tN"}"#);
    Session::new(form.build().unwrap(), context).token().wait().unwrap();
    let request = asked.lock().unwrap().pop().unwrap();
    let line = format!("{} {}", request.method(), request.uri());
    let (head, body) = request.into_parts();
    (line, String::from_utf8(body).unwrap(), head.headers)
}

/// Consumer ID, scope, access token URL, validity, refresh URL and the advanced settings are taken under either grant.
#[test]
fn s002_29_fields_of_both_grants_are_taken_under_either() {
    let settings = || AdvancedSettings::new().with_get().with_header("x-tenant", "acme");
    let client = credentials()
        .with_consumer_id("me")
        .with_scope("a")
        .with_limited_validity(Duration::from_secs(60))
        .with_refresh_url("https://login.example/refresh")
        .with_advanced_settings(settings());
    assert!(client.build().is_ok());
    let user = code()
        .with_scope("a")
        .with_limited_validity(Duration::from_secs(60))
        .with_refresh_url("https://login.example/refresh")
        .with_advanced_settings(settings());
    assert!(user.build().is_ok());
    // Under client credentials the consumer ID is another name of the client ID.
    let error = credentials().with_consumer_id("other").build().unwrap_err().to_string();
    assert!(error.contains("Consumer ID and Client ID differ"), "{error}");
}

/// A GET of the callback URL without code and state is refused and asks nobody; with both, the code is redeemed, once.
#[test]
fn s002_30_the_callback_url_is_not_there_to_be_browsed() {
    let (context, clock, asked) = server(r#"{"access_token":"tN"}"#);
    let endpoint = endpoint(code(), &context, &clock);
    let url = endpoint.begin("alice").wait().unwrap();
    assert!(url.contains("redirect_uri=https%3A%2F%2Fplatform.example%2Fcallback%2Fcrm"), "{url}");
    let redeem = |query: &str| {
        let outcome = endpoint.redeem(query, "alice", |_| Flow::ready(())).wait();
        RedirectionEndpoint::page(&outcome).status().as_u16()
    };
    assert_eq!((redeem(""), asked.lock().unwrap().len()), (400, 0));
    let state = url.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let query = format!("code=c0de&state={state}");
    assert_eq!((redeem(&query), asked.lock().unwrap().len()), (200, 1));
    assert_eq!((redeem(&query), asked.lock().unwrap().len()), (400, 1));
}

/// The user is sent to the authorization URL for a code, and the code goes to the access token URL.
#[test]
fn s002_31_s002_33_a_code_comes_by_one_url_and_is_exchanged_at_the_other() {
    let (context, clock, asked) = server(r#"{"access_token":"tN"}"#);
    let endpoint = endpoint(code(), &context, &clock);
    let url = endpoint.begin("alice").wait().unwrap();
    assert!(
        url.starts_with("https://login.example/authorize?response_type=code&client_id=me&"),
        "{url}"
    );
    let state = url.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let kept = Arc::new(Mutex::new(None));
    let keeping = Arc::clone(&kept);
    let keep = move |token| {
        *keeping.lock().unwrap() = Some(token);
        Flow::ready(())
    };
    endpoint.redeem(&format!("code=c0de&state={state}"), "alice", keep).wait().unwrap();
    assert!(kept.lock().unwrap().take().unwrap().access_token().matches(b"t1"));
    let asked = asked.lock().unwrap();
    assert_eq!(asked[0].uri(), "https://login.example/token");
    let body = String::from_utf8_lossy(asked[0].body());
    assert!(body.starts_with("grant_type=authorization_code&code=c0de&"), "{body}");
}

/// No scope, no parameter; two scopes with a space between them, encoded.
#[test]
fn s002_32_the_scope_is_optional_and_separated_by_spaces() {
    let (_, body, _) = asked(credentials());
    assert_eq!(body, "grant_type=client_credentials&client_id=me&client_secret=s3cret");
    let (_, body, _) = asked(credentials().with_scope("sms:send a"));
    assert!(body.contains("&scope=sms%3Asend+a&"), "{body}");
    let (context, clock, _) = server("");
    let url = |form| endpoint(form, &context, &clock).begin("alice").wait().unwrap();
    assert!(!url(code()).contains("scope"));
    assert!(url(code().with_scope("a b")).ends_with("&scope=a+b"));
}

/// Off: until it is refused. On with a silent server: renewed in time. Both: the server's word.
#[test]
fn s002_34_a_limited_validity_counts_where_the_server_is_silent() {
    let (silent, says) = (r#"{"access_token":"tN"}"#, r#"{"access_token":"tN","expires_in":900}"#);
    for (answer, form, seconds, expected) in [
        (silent, credentials(), 1_000_000, "t1"),
        (silent, credentials().with_limited_validity(Duration::from_secs(300)), 300, "t2"),
        (says, credentials().with_limited_validity(Duration::from_secs(300)), 300, "t1"),
        (says, credentials().with_limited_validity(Duration::from_secs(300)), 900, "t2"),
    ] {
        let (context, clock, _) = server(answer);
        let session = Session::new(form.build().unwrap(), context);
        let token = || session.token().wait().unwrap().token;
        assert!(token().access_token().matches(b"t1"));
        clock.advance(Duration::from_secs(seconds));
        assert!(token().access_token().matches(expected.as_bytes()), "{answer} {seconds}");
    }
}

/// Three expiries, no call without a token.
#[test]
fn s002_35_the_refresh_url_keeps_access_going() {
    let (context, clock, asked) =
        server(r#"{"access_token":"tN","refresh_token":"rN","expires_in":600}"#);
    let form = credentials().with_refresh_url("https://login.example/refresh");
    let session = Session::new(form.build().unwrap(), context);
    for n in 1..=4 {
        let token = session.token().wait().unwrap().token;
        assert!(token.access_token().matches(format!("t{n}").as_bytes()), "{n}");
        clock.advance(Duration::from_secs(600));
    }
    let asked = asked.lock().unwrap();
    let urls: Vec<_> = asked.iter().map(|request| request.uri().path()).collect();
    assert_eq!(urls, ["/token", "/refresh", "/refresh", "/refresh"]);
}

/// Off, and on with nothing set: a POST with a form that has the client credentials, and no other headers.
#[test]
fn s002_36_advanced_settings_change_nothing_while_they_are_off() {
    let off = asked(credentials());
    let line = "POST https://login.example/token";
    let body = "grant_type=client_credentials&client_id=me&client_secret=s3cret";
    assert_eq!((off.0.as_str(), off.1.as_str()), (line, body));
    let mut names: Vec<_> = off.2.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "content-type"]);
    assert_eq!(asked(credentials().with_advanced_settings(AdvancedSettings::new())), off);
}

/// Each method by each place, with headers.
#[test]
fn s002_37_s002_38_s002_39_method_place_and_headers_of_the_access_token_url() {
    let all = "grant_type=client_credentials&client_id=me&client_secret=s3cret";
    let url = "https://login.example/token";
    let post = || AdvancedSettings::new().with_header("x-tenant", "acme");
    let get = || post().with_get();
    let in_url = |settings: AdvancedSettings| {
        settings.with_placement(ParameterPlacement::Url).allowing_secrets_in_url()
    };
    for (settings, line, body) in [
        (post(), format!("POST {url}"), all),
        (get(), format!("GET {url}"), all),
        (in_url(post()), format!("POST {url}?{all}"), ""),
        (in_url(get()), format!("GET {url}?{all}"), ""),
    ] {
        let (asked_line, asked_body, headers) =
            asked(credentials().with_advanced_settings(settings));
        assert_eq!((asked_line.as_str(), asked_body.as_str()), (line.as_str(), body));
        assert_eq!(headers["x-tenant"], "acme");
    }
    let unallowed = post().with_placement(ParameterPlacement::Url);
    let error = credentials().with_advanced_settings(unallowed).build().unwrap_err().to_string();
    assert!(error.contains("Access Token URL Parameter type is URL"), "{error}");
}

/// Asking obtains a token at once, and shows it masked.
#[test]
fn s002_40_an_access_token_is_obtained_when_asked_for() {
    let (context, _, asked) = server(r#"{"access_token":"a-long-token-N234","expires_in":60}"#);
    let session = Session::new(credentials().build().unwrap(), context);
    assert_eq!(asked.lock().unwrap().len(), 0, "nobody has asked");
    let token = session.token().wait().unwrap().token;
    assert_eq!(asked.lock().unwrap().len(), 1);
    assert_eq!(token.masked().access_token, "1234");
}

/// Two grants: one redeems what a user agreed to, and one asks in the client's own name. A certified authorization server
/// says whose the tokens are: the suite `oauth2-oidc-provider` of `cargo xtask conformance`.
#[test]
fn s002_25_s002_26_s002_27_one_grant_is_in_the_context_of_a_user_and_one_is_not() {
    let (context, _, written) = server(r#"{"access_token":"tN"}"#);
    let grant = code().build().unwrap();
    let alice = ConnectionId::new(TenantId::new("acme"), "crm").on_behalf_of("alice");
    let nobody = Session::new(grant.clone(), context.clone()).token().wait();
    assert_eq!(nobody.unwrap_err().code(), "oauth2_consent_needed", "without a user there is none");
    let (_, pending) = grant.begin(&alice, &context).unwrap();
    let state = pending.state().expose_text().unwrap().to_owned();
    let callback = AuthorizationCallback::parse(&format!("code=alices&state={state}")).unwrap();
    grant.redeem(pending, callback, &alice, &context).wait().unwrap();
    let request = written.lock().unwrap().pop().unwrap();
    let body = String::from_utf8(request.into_body()).unwrap();
    assert!(body.starts_with("grant_type=authorization_code&code=alices&"), "{body}");
    let (_, body, _) = asked(credentials());
    assert_eq!(body, "grant_type=client_credentials&client_id=me&client_secret=s3cret");
}

#[test]
fn s002_41_tokens_are_shown_masked_revealed_on_request_and_kept_over_a_restart() {
    let answer =
        r#"{"access_token":"2YotnFZFEjr1zCsicMWp-N","refresh_token":"tGzv3JOkF0XG5Qx2TlKW-N"}"#;
    let (context, clock, asked) = server(answer);
    let store = MemoryTokenStore::new(clock);
    let hasher = KeyHasher::new(&Secret::new([7; 32])).unwrap();
    let id = ConnectionId::new(TenantId::new("acme"), "crm");
    let started = || {
        let grant = credentials().build().unwrap();
        OAuthConnection::new(grant, store.clone(), &hasher, &id, context.clone())
    };
    let shown = started().fetch_token().wait().unwrap();
    let masked = (&*shown.access_token, shown.refresh_token.as_deref());
    assert_eq!(masked, ("Wp-1", Some("KW-1")));
    let again = started();
    assert_eq!(again.masked_token().wait().unwrap(), Some(shown), "after a restart");
    let revealed = again.reveal_token().wait().unwrap().unwrap();
    assert!(revealed.access_token().matches(b"2YotnFZFEjr1zCsicMWp-1"));
    assert!(revealed.refresh_token().unwrap().matches(b"tGzv3JOkF0XG5Qx2TlKW-1"));
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[test]
fn s002_42_credentials_go_into_the_body_unless_the_provider_wants_them_otherwise() {
    let (_, body, headers) = asked(credentials());
    assert!(
        body.ends_with("client_id=me&client_secret=s3cret")
            && !headers.contains_key("authorization")
    );
    let settings = AdvancedSettings::new().with_client_secret_basic();
    let (_, body, headers) = asked(credentials().with_advanced_settings(settings));
    assert_eq!(body, "grant_type=client_credentials");
    assert_eq!(headers["authorization"], "Basic bWU6czNjcmV0");
}
