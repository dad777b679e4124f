//! Document 003: the calling end of auth-infobip against the emulated platform. One test for each statement;
//! `docs/coverage.md` lists them all.

mod infobip;

use auth_core::Error;
use auth_infobip::{Infobip, InfobipAuthorization, InfobipOutcome, NewApiKey};
use http::{HeaderMap, Method, StatusCode};
use infobip::{PASSWORD, SMS, Stage, USER, stage};
use serde_json::{Value, json};

/// The program: only its configuration says how it authenticates.
fn program(stage: &Stage, configuration: &str) -> Infobip {
    let authorization: InfobipAuthorization = serde_json::from_str(configuration).unwrap();
    Infobip::new(&stage.base, authorization, stage.context.clone()).unwrap()
}

fn with_password(method: &str, [user, password]: [&str; 2]) -> String {
    format!(r#"{{"method":"{method}","{user}":"{USER}","{password}":"{PASSWORD}"}}"#)
}

const NAMES: [&str; 2] = ["username", "password"];
const CLIENT: [&str; 2] = ["client_id", "client_secret"];

/// One program, and only its configuration changes: a key that Basic has made, Basic, a session, OAuth.
#[tokio::test]
async fn s003_02_which_method_is_used_is_configuration() {
    let stage = stage().await;
    let basic = with_password("basic", NAMES);
    let by_basic = program(&stage, &basic);
    let (calls, made) = (by_basic.api_keys().unwrap(), NewApiKey::named("sender"));
    let request = calls.create(&made).unwrap();
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    let path = request.uri().path().to_owned();
    let answer = stage.send(&by_basic, Method::POST, &path, &body).await.unwrap();
    let status = StatusCode::from_u16(answer.status).unwrap();
    let key =
        calls.read_key(status, &HeaderMap::new(), answer.body.to_string().as_bytes()).unwrap();
    let secret = key.secret().unwrap().expose_text().unwrap().to_owned();
    let key = format!(r#"{{"method":"api_key","key":"{secret}"}}"#);
    for (configuration, scheme) in [
        (key, "App "),
        (basic, "Basic "),
        (with_password("ibsso", NAMES), "IBSSO "),
        (with_password("oauth2", CLIENT), "Bearer "),
    ] {
        let infobip = program(&stage, &configuration);
        assert_eq!(stage.message(&infobip).await, 200, "{scheme}");
        let last = stage.wire().pop().unwrap();
        assert!(last.starts_with(&format!("POST {SMS} {scheme}")), "{last}");
    }
}

/// In the header, or in the parameter of the query string that configuration names, since the vendor names none.
#[tokio::test]
async fn s003_11_a_key_goes_in_the_header_or_in_the_query_string() {
    let stage = infobip::stage_of(|builder| builder.allowing_key_in_query("apiKey")).await;
    let key = stage.infobip.api_key().expose_text().unwrap().to_owned();
    let configured = |more: &str| format!(r#"{{"method":"api_key","key":"{key}"{more}}}"#);
    for (more, sent) in [
        ("", format!("POST {SMS} App {key}")),
        (r#","query_parameter":"apiKey""#, format!("POST {SMS}?apiKey={key} -")),
    ] {
        assert_eq!(stage.message(&program(&stage, &configured(more))).await, 200, "{more}");
        assert_eq!(stage.wire().pop().unwrap(), sent);
    }
    let elsewhere = program(&stage, &configured(r#","query_parameter":"key""#));
    assert_eq!(stage.message(&elsewhere).await, 401);
    let plain = infobip::stage().await;
    let key = plain.infobip.api_key().expose_text().unwrap().to_owned();
    let text = format!(r#"{{"method":"api_key","key":"{key}","query_parameter":"apiKey"}}"#);
    assert_eq!(plain.message(&program(&plain, &text)).await, 401, "nobody has named it there");
}

/// Errors of both envelopes are told apart, with advice and without a secret; they reach the program as values.
#[tokio::test]
async fn s003_30_s003_31_errors_are_values_with_advice_and_without_a_secret() {
    let stage = stage().await;
    let wrong = "a-wrong-s3cret";
    let key = program(&stage, &format!(r#"{{"method":"api_key","key":"{wrong}"}}"#));
    let read = async |by: &Infobip, method: Method, path: &str, body: Value| {
        let answer = stage.send(by, method, path, &body).await.unwrap();
        let status = StatusCode::from_u16(answer.status).unwrap();
        by.read_answer(status, &HeaderMap::new(), answer.body.to_string().as_bytes())
    };
    // Both envelopes.
    for (method, path, code) in
        [(Method::POST, SMS, "UNAUTHORIZED"), (Method::GET, infobip::KEYS, "E401")]
    {
        let answer = read(&key, method, path, json!({})).await;
        assert_eq!(
            (answer.outcome, answer.code.as_deref()),
            (InfobipOutcome::CredentialRefused, Some(code))
        );
        let error = answer.error().unwrap();
        assert!(
            matches!(error, Error::Refused(_)) && error.code() == "infobip_credential",
            "{error}"
        );
        assert!(
            error.to_string().contains("check key or password")
                && !error.to_string().contains(wrong),
            "{error}"
        );
    }
    // A scope that is missing is another thing than a wrong credential.
    let good = program(&stage, &with_password("basic", NAMES));
    let scoped = json!({ "name": "reader", "scopeGuids": ["sms:logs:read"] });
    let (_, reader) = stage.key(&good, &scoped).await;
    let answer = stage.send(&reader, Method::POST, SMS, &json!({})).await.unwrap();
    let status = StatusCode::from_u16(answer.status).unwrap();
    let read_403 = good.read_answer(status, &HeaderMap::new(), answer.body.to_string().as_bytes());
    let error = read_403.error().unwrap();
    assert!(error.code() == "infobip_scope" && error.to_string().contains("scope"), "{error}");
    // A log-in and a token request that are refused are errors before anything is sent.
    for (method, names) in [("ibsso", NAMES), ("oauth2", CLIENT)] {
        let wrong = with_password(method, names).replace(PASSWORD, "a-wrong-s3cret");
        let error =
            stage.send(&program(&stage, &wrong), Method::POST, SMS, &json!({})).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(
            matches!(error, Error::Refused(_) | Error::Config(_)) && !shown.contains("s3cret"),
            "{method}: {shown}"
        );
    }
    // What is taken is no error.
    assert!(read(&good, Method::GET, infobip::KEYS, Value::Null).await.error().is_none());
}
