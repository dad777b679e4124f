//! The input is an answer of Infobip behind a byte, which chooses the status, and a line, which is its `Retry-After`:
//! `<SECRET>` in it stands for what the platform was sent.

use crate::{
    ibsso_answer::answering,
    webex_answer::{fresh, is_cut_of, is_for_a_log, planted},
};
use auth_infobip::{
    ApiKeyCalls, Error, Infobip, InfobipAnswer, InfobipApiKey, InfobipAuthorization, InfobipOutcome,
};
use auth_oauth2::Timestamp;
use http::{HeaderMap, HeaderValue, StatusCode, header::RETRY_AFTER};
use serde_json::Value;

const STATUS: [u16; 9] = [200, 201, 302, 400, 401, 403, 404, 429, 500];

/// An answer says what a second reader finds in it; its texts are bounded and fit for a log, and it shows nothing of them;
/// a key is read where a second reader finds one, and its secret is not shown.
pub fn infobip_answer(data: &[u8]) {
    let [choice, data @ ..] = data else { return };
    let status = STATUS[usize::from(choice % 9)];
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let (pause, body) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let secret = fresh();
    let body = planted(body, &secret);
    let headers: HeaderMap =
        HeaderValue::from_bytes(pause).ok().map(|pause| (RETRY_AFTER, pause)).into_iter().collect();
    let status = StatusCode::from_u16(status).expect("a status");
    let answer = InfobipAnswer::read(status, &headers, &body, Timestamp::from_unix(1_700_000_000));
    bounded(&answer, &secret);
    let second = serde_json::from_slice::<Value>(&body).ok();
    agrees(&answer, second.as_ref().filter(|_| body.len() <= 16 * 1024).unwrap_or(&Value::Null));
    keys((status, &headers), &body, second.as_ref(), &secret);
}

fn bounded(answer: &InfobipAnswer, secret: &str) {
    let violations = answer.violations.iter().flat_map(|it| [&it.field, &it.text]);
    for text in answer.text.iter().chain(violations) {
        assert!(is_for_a_log(text), "not for a log: {text:?}");
    }
    assert!(answer.violations.len() <= 32, "more than are read");
    let is_code = |byte: u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
    assert!(answer.code.as_ref().is_none_or(|code| code.len() <= 64 && code.bytes().all(is_code)));
    let error = answer.error();
    assert_eq!(error.is_none(), answer.outcome == InfobipOutcome::Accepted);
    let told = error.map(|error| format!("{error} {error:?}"));
    let shown = format!("{answer} {answer:?} {answer:#?} {told:?} {:?}", answer.violations);
    assert!(!shown.contains(secret) && shown.len() < 4096, "{shown}");
}

fn agrees(answer: &InfobipAnswer, body: &Value) {
    let outcome = match answer.status.as_u16() {
        200 | 201 => InfobipOutcome::Accepted,
        401 => InfobipOutcome::CredentialRefused,
        403 => InfobipOutcome::ScopeMissing,
        404 => InfobipOutcome::NotFound,
        429 => InfobipOutcome::RateLimited,
        400 => InfobipOutcome::RequestWrong,
        500 => InfobipOutcome::PlatformFailed,
        _ => InfobipOutcome::Other,
    };
    assert_eq!(answer.outcome, outcome);
    let body = if outcome == InfobipOutcome::Accepted { &Value::Null } else { body };
    let exception = &body["requestError"]["serviceException"];
    let said = exception["text"].as_str().or(body["description"].as_str());
    assert!(is_cut_of(answer.text.as_deref(), said));
    let code = exception["messageId"].as_str().or(body["errorCode"].as_str());
    assert!(answer.code.is_none() || answer.code.as_deref() == code);
    let of_field = |(field, texts): (&String, &Value)| {
        let texts: Vec<_> = texts.as_array().into_iter().flatten().cloned().collect();
        texts.into_iter().map(|text| (Value::from(field.as_str()), text)).collect::<Vec<_>>()
    };
    let named = exception["validationErrors"].as_object().into_iter().flatten().flat_map(of_field);
    let newer = body["violations"].as_array().into_iter().flatten();
    let newer = newer.map(|it| (it["property"].clone(), it["violation"].clone()));
    let wrong: Vec<_> =
        named.chain(newer).filter(|(field, text)| field.is_string() && text.is_string()).collect();
    assert_eq!(answer.violations.len(), wrong.len().min(32));
    for (read, (field, text)) in answer.violations.iter().zip(&wrong) {
        assert!(is_cut_of(Some(&read.field), field.as_str()));
        assert!(is_cut_of(Some(&read.text), text.as_str()));
    }
}

fn keys(
    (status, headers): (StatusCode, &HeaderMap),
    body: &[u8],
    second: Option<&Value>,
    secret: &str,
) {
    let calls = calls();
    let key = calls.read_key(status, headers, body);
    let list = calls.read_list(status, headers, body);
    for error in [key.as_ref().err(), list.as_ref().err()].into_iter().flatten() {
        let shown = format!("{error} {error:?} {error:#?}");
        assert!(!shown.contains(secret) && shown.len() < 4096, "{shown}");
        assert!(matches!(
            (status.as_u16(), error),
            (200 | 201, Error::Protocol(_))
                | (302 | 400 | 404, Error::Config(_))
                | (401 | 403, Error::Refused(_))
                | (429 | 500, Error::Unavailable { .. })
        ));
    }
    if !status.is_success() {
        assert!(key.is_err() && list.is_err(), "a refusal has no key");
        return;
    }
    for read in key.iter().chain(list.iter().flatten()) {
        let shown = format!("{read:?} {read:#?}");
        assert!(shown.len() < 8192, "more than a name");
        assert!(shown.contains(&read.name) || read.name.len() > 64 || !is_plain(&read.name));
        let hidden = read.secret().map(|secret| secret.expose().to_vec()).unwrap_or_default();
        let is_told = read.name.as_bytes().windows(hidden.len().max(1)).any(|it| it == hidden);
        let hidden = String::from_utf8(hidden).expect("it was a string");
        assert!(is_told || hidden.len() < 16 || !shown.contains(&hidden), "a secret is shown");
    }
    let Some(second) = second else { return };
    // Written again each member stands once.
    let again = second.to_string().into_bytes();
    if let Ok(key) = &key {
        same(key, second);
    } else {
        assert_eq!(calls.read_key(status, headers, &again).is_ok(), is_key(second));
    }
    let several = second.as_object().and_then(|it| it.get("apiKeys")?.as_array());
    if let Ok(list) = &list {
        let several = several.expect("a list, to a second reader");
        assert_eq!(list.len(), several.len());
        list.iter().zip(several).for_each(|(read, second)| same(read, second));
    } else {
        let is_list = several.is_some_and(|keys| keys.iter().all(is_key));
        assert_eq!(calls.read_list(status, headers, &again).is_ok(), is_list);
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// An object with an identifier, whose other members are of their kind where they stand.
fn is_key(key: &Value) -> bool {
    let Some(key) = key.as_object() else { return false };
    let is = |name: &str, what: fn(&Value) -> bool| key.get(name).is_none_or(what);
    let is_text = |it: &Value| it.is_string() || it.is_null();
    let are_texts = |it: &Value| it.as_array().is_some_and(|it| it.iter().all(Value::is_string));
    key.contains_key("id")
        && is("id", Value::is_string)
        && is("name", Value::is_string)
        && is("enabled", Value::is_boolean)
        && ["validFrom", "validTo", "apiKeySecret"].into_iter().all(|name| is(name, is_text))
        && is("scopeGuids", are_texts)
}

fn same(read: &InfobipApiKey, second: &Value) {
    assert!(is_key(second), "no key, to a second reader");
    assert_eq!(Some(read.id.as_str()), second["id"].as_str());
    assert_eq!(read.name, second["name"].as_str().unwrap_or_default());
    assert_eq!(read.enabled, second["enabled"] == true);
    assert_eq!(read.valid_from.as_deref(), second["validFrom"].as_str());
    assert_eq!(read.valid_to.as_deref(), second["validTo"].as_str());
    let scopes = second["scopeGuids"].as_array().into_iter().flatten();
    assert!(scopes.map(Value::as_str).eq(read.scope_guids.iter().map(|it| Some(it.as_str()))));
    let hidden = second["apiKeySecret"].as_str();
    assert_eq!(read.secret().map(|it| it.expose().to_vec()).as_deref(), hidden.map(str::as_bytes));
}

/// As a program reaches them.
fn calls() -> ApiKeyCalls {
    let basic = InfobipAuthorization::Basic {
        username: "acme".to_owned(),
        password: "pa55word".to_owned().into(),
    };
    let infobip = Infobip::new("https://xyz123.api.infobip.com", basic, answering(500, Vec::new()));
    infobip.expect("a base URL").api_keys().expect("Basic manages keys")
}
