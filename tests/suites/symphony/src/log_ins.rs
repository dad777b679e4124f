//! Log-in tokens both ways: ours before PyJWT, and those of PyJWT before the emulated pod.

use super::{APP, BOT, LONG_BOT, Pod, PyJwt};
use auth_core::{Context, Error};
use auth_symphony::{Bot, LogInRetry, SymphonyEndpoints, SymphonyLogIn};
use auth_testing::ScriptedTransport;
use conformance::{Compared, compare};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const POD: &str = "/login/pubkey/authenticate";
const KEY_MANAGER: &str = "/relay/pubkey/authenticate";
const APPS: &str = "/login/pubkey/app/authenticate";
const SESSION: &str = "200 sessionToken";
const REFUSED: &str = "401 login failed";

pub fn cases(pod: &Pod, python: &PyJwt) -> Result<Vec<Compared>, String> {
    let mut cases = ours(pod, python)?;
    cases.extend(theirs(pod, python)?);
    Ok(cases)
}

/// The token that our client logs in with, under a key in this form.
fn signed(name: &str, pem: &str) -> Result<String, String> {
    let sent: Arc<Mutex<Vec<u8>>> = Arc::default();
    let keeps = Arc::clone(&sent);
    let transport = ScriptedTransport::new(move |request| {
        keeps.lock().map(|mut sent| sent.clone_from(request.body())).map_err(poisoned)?;
        Err(Error::refused("kept", "the request was kept"))
    });
    let text = |error: Error| error.to_string();
    let log_in = SymphonyLogIn::rsa(name, pem).map_err(text)?.with_retry(LogInRetry::once());
    let endpoints = SymphonyEndpoints::new("https://pod.example").map_err(text)?;
    let _ = Bot::new(endpoints, log_in, Context::new(transport)).session_token().wait();
    let sent = sent.lock().map_err(|_| "poisoned")?;
    let body: Value = serde_json::from_slice(&sent).map_err(|error| error.to_string())?;
    Ok(body["token"].as_str().unwrap_or_default().to_owned())
}

fn poisoned<T>(_: T) -> Error {
    Error::config("poisoned", "a test has panicked")
}

/// PyJWT opens what our client signs: RS512, the two claims and no other, and an end within five minutes.
fn ours(pod: &Pod, python: &PyJwt) -> Result<Vec<Compared>, String> {
    let (short, long) = (&pod.keys.short, &pod.keys.long);
    let mut asked = Vec::new();
    for (id, pem, public) in [
        ("ours-2048-pkcs1", &short.pkcs1, &short.public),
        ("ours-2048-pkcs8", &short.pkcs8, &short.public),
        ("ours-4096-pkcs1", &long.pkcs1, &long.public),
        ("ours-4096-pkcs8", &long.pkcs8, &long.public),
        ("ours-under-another-key", &short.pkcs8, &pod.keys.other.public),
    ] {
        asked.push((id, PyJwt::open(public, &signed("my-bot", pem)?)));
    }
    let cases: Vec<Value> = asked.iter().map(|(_, case)| case.clone()).collect();
    let said = python.ask(&cases)?;
    let good = r#"RS512 {"sub": "my-bot"} exp within 300 s"#;
    let expected =
        |id: &str| if id.ends_with("another-key") { "InvalidSignatureError" } else { good };
    Ok(asked.iter().zip(said).map(|((id, _), said)| compare(*id, expected(id), said)).collect())
}

/// The emulated pod takes what PyJWT signs as the vendor's kit has it sign, and nothing else.
fn theirs(pod: &Pod, python: &PyJwt) -> Result<Vec<Compared>, String> {
    let (short, long, other) = (&pod.keys.short, &pod.keys.long, &pod.keys.other);
    let claims = |exp: i64| json!({ "sub": BOT, "exp": exp });
    let by = |exp| PyJwt::sign(&short.pkcs8, "RS512", claims(exp));
    let of = |claims| PyJwt::sign(&short.pkcs8, "RS512", claims);
    let of_long = |exp: i64| json!({ "sub": LONG_BOT, "exp": exp });
    // No two of them are good tokens of one second: one token is good once.
    let calls = [
        ("2048-pkcs1", POD, PyJwt::sign(&short.pkcs1, "RS512", claims(200)), SESSION),
        ("2048-pkcs8", POD, by(201), SESSION),
        ("4096-pkcs1", POD, PyJwt::sign(&long.pkcs1, "RS512", of_long(200)), SESSION),
        ("4096-pkcs8", POD, PyJwt::sign(&long.pkcs8, "RS512", of_long(201)), SESSION),
        ("key-manager", KEY_MANAGER, by(202), "200 keyManagerToken"),
        (
            "app",
            APPS,
            PyJwt::sign(&other.pkcs8, "RS512", json!({ "sub": APP, "exp": 203 })),
            SESSION,
        ),
        ("with-iat", POD, of(json!({ "sub": BOT, "exp": 204, "iat": 1 })), SESSION),
        ("ends-in-290-s", POD, by(290), SESSION),
        ("rs256", POD, PyJwt::sign(&short.pkcs8, "RS256", claims(205)), REFUSED),
        ("rs384", POD, PyJwt::sign(&short.pkcs8, "RS384", claims(206)), REFUSED),
        ("ps512", POD, PyJwt::sign(&short.pkcs8, "PS512", claims(207)), REFUSED),
        (
            "hs512",
            POD,
            PyJwt::sign(
                "a secret of thirty-two bytes and more, and more, and more",
                "HS512",
                claims(208),
            ),
            REFUSED,
        ),
        ("ends-in-400-s", POD, by(400), REFUSED),
        ("ends-in-a-day", POD, by(86_400), REFUSED),
        ("ended-100-s-ago", POD, by(-100), REFUSED),
        ("no-end", POD, of(json!({ "sub": BOT })), REFUSED),
        ("end-in-text", POD, of(json!({ "sub": BOT, "exp": "1900000000" })), REFUSED),
        ("no-name", POD, of(json!({ "exp": 209 })), REFUSED),
        ("wrong-key", POD, PyJwt::sign(&other.pkcs8, "RS512", claims(210)), REFUSED),
        ("key-of-another-bot", POD, PyJwt::sign(&long.pkcs8, "RS512", claims(211)), REFUSED),
        ("unknown-name", POD, of(json!({ "sub": "nobody", "exp": 212 })), REFUSED),
        ("name-in-another-case", POD, of(json!({ "sub": "Bot", "exp": 213 })), REFUSED),
        ("bot-at-the-door-of-apps", APPS, by(214), REFUSED),
        (
            "app-at-the-door-of-bots",
            POD,
            PyJwt::sign(&other.pkcs8, "RS512", json!({ "sub": APP, "exp": 215 })),
            REFUSED,
        ),
    ];
    let signs: Vec<Value> = calls.iter().map(|(_, _, sign, _)| sign.clone()).collect();
    let tokens = python.ask(&signs)?;
    let mut cases = Vec::new();
    for ((id, path, _, expected), token) in calls.iter().zip(&tokens) {
        // An exception has no dots: what was not signed is no refusal of a token.
        let said = if token.contains('.') { pod.log_in(path, token)? } else { token.clone() };
        cases.push(compare(*id, expected, said));
    }
    let again = tokens.first().ok_or("no tokens")?;
    cases.push(compare("the-same-token-again", REFUSED, pod.log_in(POD, again)?));
    Ok(cases)
}
