//! Document 003: what an account of Infobip has beside its sessions. One test for each statement; `docs/coverage.md` lists
//! them all.

mod infobip;

use auth_core::{Authenticator, Secret};
use auth_ibsso::IbssoSession;
use auth_oauth2::{ClientCredentials, ClientCredentialsForm, OAuthToken};
use auth_session::Session;
use auth_static::{ApiKey, Basic, Bearer, NoAuth, Placement};
use http::Method;
use infobip::{DAY, KEYS, NOW, PASSWORD, SMS, Stage, USER, app, basic, stage, stage_of};
use serde_json::{Value, json};

fn first_key(stage: &Stage) -> ApiKey {
    app(stage.infobip.api_key().expose_text().unwrap())
}

fn oauth(stage: &Stage) -> Session<ClientCredentials> {
    let form = ClientCredentialsForm::new()
        .with_client_id(USER)
        .with_client_secret(PASSWORD)
        .with_access_token_url(&format!("{}/auth/1/oauth2/token", stage.base));
    Session::new(form.build().unwrap(), stage.context.clone())
}

/// API key, Basic, a session, and OAuth: each is accepted, and each in `Authorization`.
#[tokio::test]
async fn s003_01_there_are_four_methods_and_each_goes_through_authorization() {
    let stage = stage().await;
    let session = IbssoSession::new(stage.log_in(), stage.context.clone());
    let methods: [(&str, Box<dyn Authenticator>); 4] = [
        ("App ", Box::new(first_key(&stage))),
        ("Basic ", Box::new(basic())),
        ("IBSSO ", Box::new(session)),
        ("Bearer ", Box::new(oauth(&stage))),
    ];
    for (scheme, method) in methods {
        assert_eq!(stage.message(&*method).await, 200, "{scheme}");
        let last = stage.wire().pop().unwrap();
        assert!(last.starts_with(&format!("POST {SMS} {scheme}")), "{last}");
    }
}

/// 401 answers missing and wrong credentials of every method, in the form of either family of APIs.
#[tokio::test]
async fn s003_04_missing_and_wrong_credentials_are_answered_401() {
    let stage = stage().await;
    let ibsso = Placement::scheme("IBSSO").unwrap();
    let wrong: [(&str, Box<dyn Authenticator>); 6] = [
        ("nothing", Box::new(NoAuth)),
        ("key", Box::new(app("003026bbc133714df1834b8638bb496e"))),
        ("user", Box::new(Basic::new("nobody", PASSWORD).unwrap())),
        ("password", Box::new(Basic::new(USER, "pa55").unwrap())),
        ("session", Box::new(ApiKey::new(ibsso, "2f9b4d31-2d0d-49a8").unwrap())),
        ("token", Box::new(Bearer::new("eyJ.eyJ.c2ln").unwrap())),
    ];
    for (what, by) in wrong {
        let older = stage.send(&*by, Method::POST, SMS, &json!({})).await.unwrap();
        let code = &older.body["requestError"]["serviceException"]["messageId"];
        assert_eq!((older.status, code.as_str()), (401, Some("UNAUTHORIZED")), "{what}");
        let newer = stage.send(&*by, Method::GET, KEYS, &Value::Null).await.unwrap();
        assert_eq!((newer.status, newer.body["errorCode"].as_str()), (401, Some("E401")), "{what}");
    }
    assert_eq!(stage.infobip.counts().unauthorized, 12);
}

/// Basic sends user name and password with every request.
#[tokio::test]
async fn s003_05_basic_sends_user_name_and_password_with_every_request() {
    let stage = stage().await;
    for _ in 0..3 {
        assert_eq!(stage.message(&basic()).await, 200);
    }
    // Base64 of acme:pa55:word.
    let field = "POST /sms/3/messages Basic YWNtZTpwYTU1OndvcmQ=";
    assert_eq!(stage.wire(), [field; 3]);
}

/// Where there is no key yet, Basic makes one, and that key sends. A key makes none.
#[tokio::test]
async fn s003_06_basic_makes_a_key_and_a_key_makes_none() {
    let stage = stage().await;
    let (_, key) = stage.key(&basic(), &json!({ "name": "sender" })).await;
    assert_eq!(stage.message(&key).await, 200);
    let refused = stage.send(&key, Method::POST, KEYS, &json!({ "name": "another" })).await;
    let refused = refused.unwrap();
    assert_eq!((refused.status, refused.body["errorCode"].as_str()), (403, Some("E403")));
    assert_eq!(stage.infobip.counts().keys_created, 1);
}

/// What Basic may do depends on the role of its user, and what a key may do on its own scopes. A scope that is missing is a
/// 403, for which nobody logs in anew.
#[tokio::test]
async fn s003_10_s003_17_scopes_are_those_of_the_role_or_of_the_key() {
    let reader = |builder: auth_emulator::InfobipBuilder| {
        builder.with_limited_user("reader", Secret::new("word"), ["sms:logs:read"])
    };
    let stage = stage_of(reader).await;
    let logs = async |by: &dyn Authenticator| {
        stage.send(by, Method::GET, "/sms/1/logs", &Value::Null).await.unwrap().status
    };
    let by_role = Basic::new("reader", "word").unwrap();
    assert_eq!((stage.message(&by_role).await, logs(&by_role).await), (403, 200));
    assert_eq!((stage.message(&basic()).await, logs(&basic()).await), (200, 200));

    let scoped = json!({ "name": "sender", "scopeGuids": ["sms:message:send"] });
    let (_, sender) = stage.key(&basic(), &scoped).await;
    assert_eq!((stage.message(&sender).await, logs(&sender).await), (200, 403));

    let log_in = auth_ibsso::LogIn::new(&stage.base, "reader", "word").unwrap();
    let session = IbssoSession::new(log_in, stage.context.clone());
    for _ in 0..3 {
        assert_eq!((logs(&session).await, stage.message(&session).await), (200, 403));
    }
    let counts = stage.infobip.counts();
    assert_eq!(
        (counts.sessions_created, counts.sessions_destroyed, counts.unauthorized),
        (1, 0, 0)
    );
}

/// A new account has one key, which lives for a year; more can be made beside it, by calls.
#[tokio::test]
async fn s003_12_s003_13_an_account_has_a_key_by_itself_and_more_by_calls() {
    let stage = stage().await;
    let listed = async || {
        let all = stage.send(&basic(), Method::GET, KEYS, &Value::Null).await.unwrap();
        assert_eq!(all.status, 200, "{all:?}");
        all.body["apiKeys"].as_array().unwrap().clone()
    };
    let keys = listed().await;
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0]["enabled"], true);
    assert_eq!(keys[0]["validTo"], "2024-11-13T22:13:20", "a year after the account was made");
    let first = first_key(&stage);
    let (_, more) = stage.key(&basic(), &json!({ "name": "more" })).await;
    assert_eq!((stage.message(&first).await, stage.message(&more).await), (200, 200));
    assert_eq!(listed().await.len(), 2);
    stage.pass(365 * DAY - 1);
    assert_eq!(stage.message(&first).await, 200);
    stage.pass(1);
    assert_eq!(stage.message(&first).await, 401);
}

/// Keys are revoked one by one at any time: the others go on.
#[tokio::test]
async fn s003_14_a_key_is_revoked_alone() {
    let stage = stage().await;
    let (id, a) = stage.key(&basic(), &json!({ "name": "a" })).await;
    let (_, b) = stage.key(&basic(), &json!({ "name": "b" })).await;
    assert_eq!((stage.message(&a).await, stage.message(&b).await), (200, 200));
    let revoked = json!({ "name": "a", "enabled": false });
    let answered = stage.send(&basic(), Method::PUT, &format!("{KEYS}/{id}"), &revoked).await;
    assert_eq!(answered.unwrap().status, 200);
    assert_eq!((stage.message(&a).await, stage.message(&b).await), (401, 200));
}

/// A key ends at the date that was set beforehand, and not before.
#[tokio::test]
async fn s003_15_a_key_expires_at_the_date_that_was_set() {
    let stage = stage().await;
    let members = json!({ "name": "short", "validTo": "2023-11-15T22:13:20" });
    let (_, key) = stage.key(&basic(), &members).await;
    stage.pass(DAY - 1);
    assert_eq!(stage.message(&key).await, 200);
    stage.pass(1);
    assert_eq!(stage.message(&key).await, 401, "{}", NOW + DAY);
    let (_, lasting) = stage.key(&basic(), &json!({ "name": "lasting" })).await;
    stage.pass(365 * DAY - 1);
    assert_eq!(stage.message(&lasting).await, 200, "a year, where none is set");
    stage.pass(1);
    assert_eq!(stage.message(&lasting).await, 401);
}

/// The same server issues tokens and judges them, its own alone.
#[tokio::test]
async fn s003_27_the_platform_judges_the_tokens_that_it_issues() {
    let (stage, other) = (stage().await, stage().await);
    let ours = oauth(&stage);
    assert_eq!(stage.message(&ours).await, 200);
    assert_eq!(stage.message(&ours).await, 200);
    assert_eq!(stage.infobip.counts().tokens_issued, 1);
    let token: OAuthToken = ours.token().await.unwrap().token.clone();
    let token = token.access_token().expose_text().unwrap().to_owned();
    let bearer = Bearer::new(&token).unwrap();
    assert_eq!((stage.message(&bearer).await, other.message(&bearer).await), (200, 401));
    stage.pass(3600);
    assert_eq!(stage.message(&bearer).await, 401, "it lives for an hour");
    assert_eq!(stage.message(&ours).await, 200, "and is followed by another");
}
