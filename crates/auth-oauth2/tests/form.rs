//! The form of an authorization, field by field, against a token endpoint that writes down what it is asked.
#![allow(clippy::unwrap_used, missing_docs)]

use auth_oauth2::{
    AdvancedSettings, AssertionAudience, AuthorizationCallback, AuthorizationCodeForm,
    ClientAuthentication, ClientCredentialsForm, ConnectionId, Context, ParameterPlacement, Result,
    Session, TenantId,
};
use auth_testing::{ManualClock, ScriptedTransport, SeededRandom};
use http::{Request, Response};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

type Asked = Arc<Mutex<Vec<Request<Vec<u8>>>>>;

/// A token endpoint that answers with this body, in which `N` is the number of the answer.
fn server(answer: &'static str, clock: &ManualClock) -> (Context, Asked) {
    let asked = Asked::default();
    let written = Arc::clone(&asked);
    let transport = ScriptedTransport::new(move |request| {
        let mut written = written.lock().unwrap();
        written.push(request.clone());
        Ok(Response::new(answer.replace('N', &written.len().to_string()).into_bytes()))
    });
    let context = Context::new(transport).with_clock(clock.clone());
    (context.with_random(SeededRandom::new(7)), asked)
}

fn clock() -> ManualClock {
    ManualClock::at(1_700_000_000)
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

/// What the token endpoint is asked for the first token: the request line and the fields that are not always the same, and
/// the body.
fn asked(form: ClientCredentialsForm) -> (String, String) {
    let (context, asked) = server(r#"{"access_token":"tN"}"#, &clock());
    Session::new(form.build().unwrap(), context).token().wait().unwrap();
    let request = asked.lock().unwrap().pop().unwrap();
    let mut line = format!("{} {}", request.method(), request.uri());
    for name in ["content-type", "authorization", "x-tenant"] {
        for value in request.headers().get_all(name) {
            line.push_str(&format!(" {name}: {}", value.to_str().unwrap()));
        }
    }
    (line, String::from_utf8(request.into_body()).unwrap())
}

#[track_caller]
fn check(form: ClientCredentialsForm, line: &str, body: &str) {
    let got = asked(form);
    assert_eq!((got.0.as_str(), got.1.as_str()), (line, body));
}

const PLAIN: &str =
    "POST https://login.example/token content-type: application/x-www-form-urlencoded";
const ALL: &str = "grant_type=client_credentials&client_id=me&client_secret=s3cret";

#[test]
fn settings_that_are_off_mean_a_post_with_a_form_and_the_secret_in_it() {
    check(credentials(), PLAIN, ALL);
    check(credentials().with_advanced_settings(AdvancedSettings::new()), PLAIN, ALL);
}

#[test]
fn every_method_by_every_place_by_headers() {
    let with = |settings| credentials().with_advanced_settings(settings);
    let new = AdvancedSettings::new;
    let in_url = || new().with_placement(ParameterPlacement::Url).allowing_secrets_in_url();
    let form = "content-type: application/x-www-form-urlencoded";
    let url = "https://login.example/token";
    for header in [None, Some("acme")] {
        let (headed, shown) = match header {
            None => (None, String::new()),
            Some(value) => (Some(value), format!(" x-tenant: {value}")),
        };
        let head = |settings: AdvancedSettings| match headed {
            None => settings,
            Some(value) => settings.with_header("X-Tenant", value),
        };
        check(with(head(new())), &format!("POST {url} {form}{shown}"), ALL);
        check(with(head(new().with_get())), &format!("GET {url} {form}{shown}"), ALL);
        check(with(head(in_url())), &format!("POST {url}?{ALL}{shown}"), "");
        check(with(head(in_url().with_get())), &format!("GET {url}?{ALL}{shown}"), "");
    }
    let json = r#"{"client_id":"me","client_secret":"s3cret","grant_type":"client_credentials"}"#;
    let in_json = new().with_placement(ParameterPlacement::JsonBody);
    check(with(in_json), &format!("POST {url} content-type: application/json"), json);
}

#[test]
fn credentials_go_into_the_body_unless_another_way_is_chosen() {
    let with = |form: ClientCredentialsForm, settings| form.with_advanced_settings(settings);
    let basic = AdvancedSettings::new().with_client_secret_basic();
    let line = format!("{PLAIN} authorization: Basic bWU6czNjcmV0");
    check(with(credentials(), basic), &line, "grant_type=client_credentials");
    let bare = || ClientCredentialsForm::new().with_access_token_url("https://login.example/token");
    let brought = |client| AdvancedSettings::new().with_client_authentication(client);
    let public = || brought(ClientAuthentication::none("me").unwrap());
    check(with(bare(), public()), PLAIN, "grant_type=client_credentials&client_id=me");
    check(
        with(bare().with_client_id("me"), public()),
        PLAIN,
        "grant_type=client_credentials&client_id=me",
    );
    let secret = "s".repeat(32);
    let signed = ClientAuthentication::client_secret_jwt("me", secret, AssertionAudience::Endpoint);
    let (_, body) = asked(with(bare(), brought(signed.unwrap())));
    assert!(body.contains("client_assertion=") && !body.contains("client_secret"), "{body}");
}

#[test]
fn the_scope_is_left_out_when_it_is_empty_and_has_a_space_between_two() {
    check(credentials().with_scope(""), PLAIN, ALL);
    let body = "grant_type=client_credentials&scope=sms%3Asend+a&client_id=me&client_secret=s3cret";
    check(credentials().with_scope("sms:send a"), PLAIN, body);
    let url = |form: AuthorizationCodeForm| {
        let (context, _) = server("", &clock());
        form.build().unwrap().begin(&connection(), &context).unwrap().0
    };
    assert!(!url(code()).contains("scope"));
    assert!(url(code().with_scope("a b")).ends_with("&scope=a+b"));
}

/// The consumer ID is taken under both grants, and names the client under both.
#[test]
fn a_consumer_id_is_another_name_of_the_client_id() {
    let bare = || credentials().with_client_id("");
    check(bare().with_consumer_id("me"), PLAIN, ALL);
    check(credentials().with_consumer_id("me"), PLAIN, ALL);
    let (context, _) = server("", &clock());
    let (url, _) = code().build().unwrap().begin(&connection(), &context).unwrap();
    assert!(url.contains("&client_id=me&"), "{url}");
}

#[track_caller]
fn refused<T: std::fmt::Debug>(built: Result<T>, expected: &str) {
    let error = built.unwrap_err().to_string();
    assert_eq!(error, format!("configuration: {expected}"));
    assert!(!error.contains("s3cret"));
}

#[test]
fn each_error_names_the_field_as_the_person_sees_it() {
    let fill = "is empty; fill in what the owner of the authorization server says";
    let given = "is empty; fill in what the authorization server gave the client";
    let with = |settings| credentials().with_advanced_settings(settings).build();
    let new = AdvancedSettings::new;
    refused(ClientCredentialsForm::new().build(), &format!("Access Token URL {fill}"));
    refused(credentials().with_client_id("").build(), &format!("Client ID {given}"));
    refused(credentials().with_client_secret("").build(), &format!("Client Secret {given}"));
    refused(
        credentials().with_consumer_id("other").build(),
        "Consumer ID and Client ID differ, and under Client Credentials they name one client; fill in one of them",
    );
    refused(
        credentials().with_client_id("").with_consumer_id("a\nb").build(),
        "Consumer ID holds a control character; remove it",
    );
    refused(
        credentials().with_client_secret("s3cret\n").build(),
        "Client Secret ends with a line break; remove it",
    );
    refused(
        credentials().with_scope("a  b").build(),
        "Scope holds a character that no scope may have; put one space between two scopes, and none at the ends",
    );
    refused(
        credentials().with_access_token_url("http://login.example/").build(),
        "Access Token URL is http, which shows secrets to everybody on the way; use https",
    );
    refused(
        credentials().with_refresh_url("login.example/refresh").build(),
        "Refresh URL Token is no absolute URL, expected one as https://login.example/token",
    );
    refused(
        credentials().with_limited_validity(Duration::ZERO).build(),
        "Validity is shorter than a second; fill in how long a token lasts, or switch the limited validity off",
    );
    refused(
        with(new().with_header("Authorization", "x")),
        "Access Token URL Headers: header authorization is set by the client itself; leave it out",
    );
    refused(
        with(new().with_placement(ParameterPlacement::Url)),
        "Access Token URL Parameter type is URL, which logs write down, and the client secret would stand in it; choose \
         Body, or have secrets in a URL allowed in the advanced settings (allowing_secrets_in_url)",
    );
    let brought = |id| new().with_client_authentication(ClientAuthentication::none(id).unwrap());
    refused(
        with(brought("me")),
        "Client Authentication needs no Client Secret; leave Client Secret empty",
    );
    refused(
        credentials().with_client_secret("").with_advanced_settings(brought("you")).build(),
        "Client Authentication is for another client than Client ID names; make them the same, or leave Client ID empty",
    );
}

#[test]
fn each_error_of_the_other_grant_names_its_field_too() {
    let fill = "is empty; fill in what the owner of the authorization server says";
    let given = "is empty; fill in what the authorization server gave the client";
    refused(code().with_consumer_id("").build(), &format!("Consumer ID {given}"));
    refused(
        code().with_consumer_secret("").build(),
        &format!(
            "Consumer Secret {given}, or, for a public client, which has no secret, set Client Authentication to none \
             (ClientAuthentication::none)"
        ),
    );
    refused(
        code().with_callback_url("").build(),
        "Call Back URL is empty; fill in the URL of this platform that users come back to, as it is registered at the \
         authorization server",
    );
    refused(
        code().with_callback_url("/callback").build(),
        "Call Back URL is no absolute URL, expected one as https://platform.example/callback",
    );
    refused(code().with_authorization_url("").build(), &format!("Authorization URL {fill}"));
    refused(
        code().with_callback_url("http://platform.example/").build(),
        "Call Back URL is http, which shows secrets to everybody on the way; use https",
    );
    refused(
        code().with_callback_url("https://platform.example/ ").build(),
        "Call Back URL is no absolute URL without a fragment and without spaces (RFC 6749 section 3.1.2)",
    );
    refused(
        code().with_authorization_url("https://login.example/?state=x").build(),
        "Authorization URL has state, which the grant sets; leave it out",
    );
    refused(
        code().with_authorization_url("https://login.example/?scope=x").with_scope("y").build(),
        "Authorization URL: scope is set, and the authorization URL has one too; put all scopes into one text",
    );
    let in_url = AdvancedSettings::new().with_placement(ParameterPlacement::Url);
    refused(
        code().with_advanced_settings(in_url.with_client_secret_basic()).build(),
        "Access Token URL Parameter type is URL, which logs write down, and the authorization code would stand in it; \
         choose Body, or have secrets in a URL allowed in the advanced settings (allowing_secrets_in_url)",
    );
}

#[test]
fn debug_shows_whose_a_form_is_and_no_secret() {
    let settings = AdvancedSettings::new().with_header("x-key", "s3cret");
    let shown = format!("{:?} {:?} {settings:?}", credentials(), code());
    assert_eq!(
        shown,
        "ClientCredentialsForm(\"me\") AuthorizationCodeForm(\"me\") AdvancedSettings(POST, FormBody)"
    );
}

/// Which token is used at each of these seconds, when nobody refuses one.
#[track_caller]
fn check_life(answer: &'static str, validity: Option<u64>, at: &[(u64, &str)]) {
    let clock = clock();
    let (context, _) = server(answer, &clock);
    let form = validity.into_iter().fold(credentials(), |form, seconds| {
        form.with_limited_validity(Duration::from_secs(seconds))
    });
    let session = Session::new(form.build().unwrap(), context);
    let mut now = 0;
    for (seconds, expected) in at {
        clock.advance(Duration::from_secs(seconds - now));
        now = *seconds;
        let token = session.token().wait().unwrap().token;
        assert!(token.access_token().matches(expected.as_bytes()), "{answer} at {seconds}");
    }
}

/// Off: until it is refused. On with a silent server: the operator's. Both: the server's.
#[test]
fn the_validity_counts_where_the_server_is_silent() {
    let (silent, says) = (r#"{"access_token":"tN"}"#, r#"{"access_token":"tN","expires_in":900}"#);
    check_life(silent, None, &[(0, "t1"), (1_000_000, "t1")]);
    check_life(silent, Some(300), &[(0, "t1"), (150, "t1"), (300, "t2")]);
    check_life(says, Some(300), &[(0, "t1"), (300, "t1"), (900, "t2")]);
    check_life(says, None, &[(0, "t1"), (900, "t2")]);
}

fn connection() -> ConnectionId {
    ConnectionId::new(TenantId::new("acme"), "crm").on_behalf_of("alice")
}

/// The whole grant on the form: the URL for the user, the code redeemed at the access token URL, three expiries at the
/// refresh URL, no call without a token.
#[test]
fn a_code_is_redeemed_at_the_access_token_url_and_tokens_refreshed_at_the_refresh_url() {
    let clock = clock();
    let answer = r#"{"access_token":"tN","refresh_token":"rN","expires_in":600}"#;
    let (context, asked) = server(answer, &clock);
    let form = code().with_refresh_url("https://login.example/refresh");
    let session = Session::new(form.build().unwrap(), context);
    let (url, pending) = session.source().begin(&connection(), session.context()).unwrap();
    let begins = "https://login.example/authorize?response_type=code&client_id=me\
                  &redirect_uri=https%3A%2F%2Fplatform.example%2Fcallback%2Fcrm&state=";
    assert!(url.starts_with(begins), "{url}");
    let state = pending.state().expose_text().unwrap().to_owned();
    let callback = AuthorizationCallback::parse(&format!("code=c0de&state={state}")).unwrap();
    let (grant, context) = (session.source(), session.context());
    let token = grant.redeem(pending, callback, &connection(), context).wait().unwrap();
    session.put(token).unwrap();
    for n in 1..=4 {
        let token = session.token().wait().unwrap().token;
        assert!(token.access_token().matches(format!("t{n}").as_bytes()), "{n}");
        clock.advance(Duration::from_secs(600));
    }
    let asked = asked.lock().unwrap();
    let lines = asked.iter().map(|request| {
        let body = String::from_utf8_lossy(request.body());
        let parts = body.split('&').filter(|part| !part.starts_with("code_verifier="));
        format!("{} {}", request.uri(), parts.collect::<Vec<_>>().join("&"))
    });
    let refresh = |n: u32| {
        format!(
            "https://login.example/refresh grant_type=refresh_token&refresh_token=r{n}&client_id=me&client_secret=s3cret"
        )
    };
    let redeem = "https://login.example/token grant_type=authorization_code&code=c0de\
                  &redirect_uri=https%3A%2F%2Fplatform.example%2Fcallback%2Fcrm&client_id=me&client_secret=s3cret";
    assert_eq!(lines.collect::<Vec<_>>(), [redeem.to_owned(), refresh(1), refresh(2), refresh(3)]);
}
