//! requests, with tokens that PyJWT signs, and tokens of ours that PyJWT reads.

use super::{EVENT, EVENT_PATH, KEY, MESSAGE, OTHER_KEY, Platform, text};
use auth_core::{Authenticator, Context, RequestView};
use auth_testing::ScriptedTransport;
use auth_webex::{
    AppApi, AppCredential, ServiceApi, ServiceCredential, Webex, WebexApi, WebexHosts,
};
use conformance::{Compared, compare, output, script};
use http::{HeaderMap, Method, Uri, header::AUTHORIZATION};
use serde_json::{Value, json};
use std::{path::Path, process::Command, time::Duration};

/// A call or a token, and what should come of it.
struct Case {
    id: String,
    asked: Value,
    expected: String,
}

pub fn cases(python: &Path, file: &Path, at: &Platform) -> Result<Vec<Compared>, String> {
    let cases: Vec<_> = [services(at)?, tokens(at)?, tenant(at)?, apps(at)?, ours(at)?]
        .into_iter()
        .flatten()
        .collect();
    let asked: Vec<_> = cases.iter().map(|case| case.asked.clone()).collect();
    std::fs::write(file, Value::from(asked).to_string()).map_err(|error| error.to_string())?;
    let ran = output(Command::new(python).arg(script("webex_client.py")).arg(file), LONGEST)?;
    let said = String::from_utf8_lossy(&ran.stdout);
    let mut said =
        said.lines().map(|line| serde_json::from_str::<String>(line).unwrap_or_default());
    let ended = || String::from_utf8_lossy(&ran.stderr).into_owned();
    let judged =
        |case: &Case| compare(case.id.as_str(), &case.expected, said.next().unwrap_or_else(ended));
    Ok(cases.iter().map(judged).collect())
}

const LONGEST: Duration = Duration::from_secs(120);

fn case(id: impl Into<String>, asked: Value, expected: &str) -> Case {
    Case { id: id.into(), asked, expected: expected.into() }
}

/// A call: members beside the URL and the body.
fn call(at: &Platform, path: &str, body: &str, credentials: Value) -> Value {
    let mut asked = json!({ "url": at.url(path), "body": body });
    if let (Some(asked), Value::Object(credentials)) = (asked.as_object_mut(), credentials) {
        asked.extend(credentials);
    }
    asked
}

/// Every API of services, under every credential.
fn services(at: &Platform) -> Result<Vec<Case>, String> {
    let (alerts, other) = (at.service("alerts")?, at.service("other")?);
    let jwt = |of: &auth_emulator::IssuedService| json!({ "sign": { "secret": text(&of.jwt_secret), "claims": { "iss": of.id, "iat": 0 } } });
    let mut cases = Vec::new();
    for (name, path, body, good, bad, missing) in [
        ("messaging-v1", "/resources/v1/messaging", MESSAGE, "200 1001", "400 7001", "400 7002"),
        ("messaging-v2", "/v2/messages", MESSAGE, "201 no code", "401 7001", "401 7002"),
        ("custom-event", EVENT_PATH, EVENT, "200 1002", "200 7001", "200 7002"),
        ("inbound-webhook", "/events/AB12", "{}", "200 1002", "401 7001", "401 7002"),
        ("rcs", "/v1/rcs/capabilities", "{}", "200 no code", "401 7001", "401 7002"),
    ] {
        let is_of_one = matches!(name, "custom-event" | "inbound-webhook");
        let of_other = if is_of_one { bad } else { good };
        for (how, credentials, expected) in [
            ("key", json!({ "key": text(&alerts.key) }), good),
            ("jwt", jwt(alerts), good),
            ("wrong-key", json!({ "key": "sk_nobody" }), bad),
            ("nothing", json!({}), missing),
            ("key-of-another-service", json!({ "key": text(&other.key) }), of_other),
            ("jwt-of-another-service", jwt(other), of_other),
        ] {
            let asked = call(at, path, body, credentials);
            cases.push(case(format!("{name}-{how}"), asked, expected));
        }
    }
    let sandbox = "/v1/sms/messages";
    for (how, credentials, expected) in [
        ("key", json!({ "bearer": text(&alerts.key) }), "202 no code"),
        ("jwt", jwt(alerts), "202 no code"),
        ("wrong", json!({ "bearer": "sk_nobody" }), "403 7001"),
        ("nothing", json!({}), "403 7002"),
        ("key-in-key", json!({ "key": text(&alerts.key) }), "403 7002"),
    ] {
        cases.push(case(
            format!("sandbox-{how}"),
            call(at, sandbox, MESSAGE, credentials),
            expected,
        ));
    }
    Ok(cases)
}

/// Service JWTs as PyJWT signs them, good and bad.
fn tokens(at: &Platform) -> Result<Vec<Case>, String> {
    let alerts = at.service("alerts")?;
    let (id, secret, key) = (&alerts.id, text(&alerts.jwt_secret), text(&alerts.key));
    let signed = |claims: Value| json!({ "secret": secret, "claims": claims });
    let (good, bad) = ("200 1001", "400 7001");
    let mut cases = Vec::new();
    for (name, sign, expected) in [
        ("with-exp", signed(json!({ "iss": id, "iat": 0, "exp": 300 })), good),
        ("with-an-exp-of-a-day", signed(json!({ "iss": id, "iat": 0, "exp": 86_400 })), good),
        ("of-an-hour-ago", signed(json!({ "iss": id, "iat": -3700 })), bad),
        ("of-an-hour-ago-with-exp", signed(json!({ "iss": id, "iat": -3700, "exp": 300 })), bad),
        ("of-59-minutes-ago", signed(json!({ "iss": id, "iat": -3540 })), good),
        ("expired", signed(json!({ "iss": id, "iat": -600, "exp": -300 })), bad),
        ("exp-before-iat", signed(json!({ "iss": id, "iat": 20, "exp": 10 })), bad),
        ("of-tomorrow", signed(json!({ "iss": id, "iat": 86_400 })), bad),
        ("without-iat", signed(json!({ "iss": id })), bad),
        ("without-iss", signed(json!({ "iat": 0 })), bad),
        ("under-the-service-key", signed(json!({ "iss": key, "iat": 0 })), bad),
        (
            "with-times-of-eleven-digits",
            json!({ "secret": secret, "as_they_are": true,
                "claims": { "iss": id, "iat": 16_112_812_000_u64, "exp": 16_112_813_000_u64 } }),
            bad,
        ),
        (
            "hs512",
            json!({ "secret": secret, "algorithm": "HS512", "claims": { "iss": id, "iat": 0 } }),
            bad,
        ),
        (
            "rs256",
            json!({ "secret": KEY, "algorithm": "RS256", "claims": { "iss": id, "iat": 0 } }),
            bad,
        ),
        (
            "under-another-secret",
            json!({ "secret": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
                "claims": { "iss": id, "iat": 0 } }),
            bad,
        ),
    ] {
        let asked = call(at, "/resources/v1/messaging", MESSAGE, json!({ "sign": sign }));
        cases.push(case(format!("jwt-{name}"), asked, expected));
    }
    let beside = |sign: Value, key: &str| {
        call(at, "/resources/v1/messaging", MESSAGE, json!({ "sign": sign, "key": key }))
    };
    let good_jwt = || signed(json!({ "iss": id, "iat": 0 }));
    let bad_jwt = || signed(json!({ "iss": id, "iat": -3700 }));
    cases.push(case("good-jwt-beside-a-wrong-key", beside(good_jwt(), "sk_nobody"), good));
    cases.push(case("bad-jwt-beside-a-good-key", beside(bad_jwt(), &key), bad));
    Ok(cases)
}

/// The APIs of the tenant, under the profile key and under what is none.
fn tenant(at: &Platform) -> Result<Vec<Case>, String> {
    let (profile, key) = (text(at.webex.profile_key()), text(&at.service("alerts")?.key));
    let (profiles, groups) = ("/resources/v2/customerprofile", "/v1/groups");
    let mut cases = Vec::new();
    for (name, path, credentials, expected) in [
        ("profile-in-key", profiles, json!({ "key": profile }), "200 1001"),
        ("profile-as-bearer", profiles, json!({ "bearer": profile }), "401 7002"),
        ("profile-under-a-service-key", profiles, json!({ "key": key }), "401 7001"),
        ("contact-policy-as-bearer", groups, json!({ "bearer": profile }), "200 no code"),
        ("contact-policy-in-key", groups, json!({ "key": profile }), "401 7002"),
        ("contact-policy-under-a-service-key", groups, json!({ "bearer": key }), "401 7001"),
    ] {
        cases.push(case(name, call(at, path, "{}", credentials), expected));
    }
    Ok(cases)
}

/// The APIs of an app, under its JWTs of both algorithms.
fn apps(at: &Platform) -> Result<Vec<Case>, String> {
    let (shop, game) = (at.app("shop")?, at.app("game")?);
    let (id, secret) = (&shop.id, text(&shop.secret));
    let hs256 = |claims: Value| json!({ "secret": secret, "claims": claims });
    let rs256 = |pem: &str, kid: &str| {
        json!({ "secret": pem, "algorithm": "RS256", "header": { "kid": kid },
            "claims": { "appId": id, "exp": 300 } })
    };
    let of_game =
        json!({ "secret": text(&game.secret), "claims": { "appId": game.id, "exp": 300 } });
    let mut cases = Vec::new();
    for resource in ["threads", "segments", "topics"] {
        let path = format!("/rtmsAPI/api/v1/apps/{id}/{resource}");
        for (how, sign, expected) in [
            ("hs256", hs256(json!({ "appId": id, "exp": 300 })), "200 0"),
            ("user", hs256(json!({ "appId": id, "exp": 300, "userId": "u1" })), "200 0"),
            ("rs256", rs256(KEY, "k1"), "200 0"),
            ("rs256-of-another-kid", rs256(KEY, "k2"), "401 7001"),
            ("rs256-of-another-key", rs256(OTHER_KEY, "k1"), "401 7001"),
            ("without-exp", hs256(json!({ "appId": id })), "401 7001"),
            ("expired", hs256(json!({ "appId": id, "exp": -300 })), "401 7001"),
            ("app-in-iss", hs256(json!({ "iss": id, "exp": 300 })), "401 7001"),
            ("of-another-app", of_game.clone(), "403 7001"),
        ] {
            let asked = call(at, &path, "{}", json!({ "sign": sign }));
            cases.push(case(format!("{resource}-{how}"), asked, expected));
        }
        let key = json!({ "key": text(&at.service("alerts")?.key) });
        cases.push(case(format!("{resource}-key"), call(at, &path, "{}", key), "401 7002"));
    }
    Ok(cases)
}

/// What our own end has signed is read by PyJWT.
fn ours(at: &Platform) -> Result<Vec<Case>, String> {
    let context = || Context::new(ScriptedTransport::new(|_| Err(unreached())));
    let webex = WebexHosts::at(&at.webex.base_url()).map(Webex::at).map_err(told)?;
    let (alerts, shop) = (at.service("alerts")?, at.app("shop")?);
    let secret = text(&alerts.jwt_secret);
    let service = ServiceCredential::jwt(&alerts.id, &secret, context()).map_err(told)?;
    let service = webex.service(service).api(ServiceApi::MessagingV1);
    let app_secret = text(&shop.secret);
    let app = AppCredential::from_secret(&shop.id, &app_secret, Some("u1"), context());
    let app = webex.app(app.map_err(told)?).api(AppApi::Threads);
    let open = |api: &WebexApi, secret: &str| {
        let token = token_of(api)?;
        Ok::<_, String>(json!({ "open": { "secret": secret, "token": token } }))
    };
    let of_app = json!({ "appId": shop.id, "userId": "u1" }).to_string();
    Ok(vec![
        case("our-service-jwt", open(&service, &secret)?, &spaced(&json!({ "iss": alerts.id }))),
        case(
            "our-app-jwt",
            open(&app, &app_secret)?,
            &of_app.replace(':', ": ").replace(',', ", "),
        ),
    ])
}

/// As Python writes JSON.
fn spaced(value: &Value) -> String {
    value.to_string().replace(':', ": ")
}

/// The Bearer token of a call.
fn token_of(api: &WebexApi) -> Result<String, String> {
    let mut uri: Uri = api.url().parse().map_err(|_| "no URL")?;
    let mut headers = HeaderMap::new();
    let made = api.credentials(RequestView::new(&Method::POST, &uri, &headers)).wait();
    made.and_then(|it| it.commit(&mut uri, &mut headers)).map_err(told)?;
    let field = headers.get(AUTHORIZATION).and_then(|field| field.to_str().ok());
    let token = field.and_then(|field| field.strip_prefix("Bearer "));
    token.map(str::to_owned).ok_or_else(|| "no Bearer token".to_owned())
}

fn told(error: auth_core::Error) -> String {
    error.to_string()
}

fn unreached() -> auth_core::Error {
    auth_core::Error::config("webex_suite", "nothing is fetched")
}
