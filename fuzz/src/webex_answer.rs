//! The input is an answer of Webex Connect behind two bytes, which choose the family of APIs and the status: `<SECRET>` in
//! it stands for what the platform was sent.

use auth_core::{Challenge, Reason, Rejection};
use auth_webex::{WebexAnswer, WebexFamily, WebexOutcome, refusal_answer};
use http::StatusCode;
use serde_json::Value;
use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

const FAMILIES: [WebexFamily; 9] = [
    WebexFamily::MessagingV1,
    WebexFamily::MessagingV2,
    WebexFamily::CustomEvent,
    WebexFamily::InboundWebhook,
    WebexFamily::RcsCapability,
    WebexFamily::Profile,
    WebexFamily::ContactPolicy,
    WebexFamily::Rtm,
    WebexFamily::Sandbox,
];
const STATUS: [u16; 8] = [200, 201, 302, 400, 401, 403, 429, 500];

/// An answer says what a second reader finds in it; its texts are bounded and fit for a log, and it shows nothing of them;
/// a refusal that the server's end writes is read again as what it was.
pub fn webex_answer(data: &[u8]) {
    let [choice, status, body @ ..] = data else { return };
    let family = FAMILIES[usize::from(choice % 9)];
    let status = StatusCode::from_u16(STATUS[usize::from(status % 8)]).expect("a status");
    let secret = fresh();
    let body = planted(body, &secret);
    let answer = WebexAnswer::read(family, status, &body);
    bounded(&answer, &secret);
    if let Ok(second) = serde_json::from_slice(&body) {
        agrees(&answer, family, status, &second);
    }
    written(family, usize::from(choice / 9), &String::from_utf8_lossy(&body));
}

fn bounded(answer: &WebexAnswer, secret: &str) {
    for text in [&answer.description, &answer.transaction].into_iter().flatten() {
        assert!(is_for_a_log(text), "not for a log: {text:?}");
    }
    let (outcome, code) = (answer.outcome, answer.code);
    let beside = code.map_or_else(String::new, |code| format!(" ({code})"));
    let advice = match outcome {
        WebexOutcome::Accepted => String::new(),
        _ => format!(": {}", outcome.advice()),
    };
    assert_eq!(answer.to_string(), format!("{outcome:?}{beside}{advice}"));
    let shown = format!("{answer} {answer:?} {answer:#?}");
    assert!(!shown.contains(secret) && shown.len() < 1024, "{shown}");
}

/// With a reader that keeps the whole body, and takes the last of two members of one name.
fn agrees(answer: &WebexAnswer, family: WebexFamily, status: StatusCode, body: &Value) {
    let several = body["response"].as_array().into_iter().flatten().filter(|it| it.is_object());
    let several: Vec<&Value> = several.collect();
    let refused = several.iter().find(|entry| code_of(entry).is_some_and(|code| code >= 7000));
    let one = body.get("response").filter(|entry| entry.is_object());
    let entry = refused.or(several.first()).copied().or(one).unwrap_or(body);
    let code = code_of(entry);
    assert_eq!(answer.code, code);
    assert_eq!(answer.outcome, outcome(family, status.as_u16(), code));
    let said = entry["description"].as_str().or(entry["message"].as_str());
    assert!(is_cut_of(answer.description.as_deref(), said));
    assert!(is_cut_of(answer.transaction.as_deref(), entry["transid"].as_str()));
}

fn code_of(entry: &Value) -> Option<u32> {
    match &entry["code"] {
        Value::String(text) if text.len() <= 8 => text.parse().ok(),
        number => number.as_u64().and_then(|number| u32::try_from(number).ok()),
    }
}

/// The codes of the platform's pages, and below them the status alone.
fn outcome(family: WebexFamily, status: u16, code: Option<u32>) -> WebexOutcome {
    let code = code.unwrap_or(0);
    let is_failure = match family {
        WebexFamily::CustomEvent | WebexFamily::InboundWebhook => code == 7005,
        WebexFamily::Profile | WebexFamily::Sandbox => code == 7006,
        _ => false,
    };
    let wrong = [7000, 7003, 7004, 7008, 7019, 7025, 7027, 7028, 7029];
    match (code, status) {
        (7001, _) => WebexOutcome::CredentialRefused,
        (7002, _) => WebexOutcome::CredentialMissing,
        (7007, _) => WebexOutcome::ServiceInactive,
        (7010, _) => WebexOutcome::AddressNotListed,
        (7020, _) => WebexOutcome::RateLimited,
        _ if wrong.contains(&code) => WebexOutcome::RequestWrong,
        _ if is_failure => WebexOutcome::PlatformFailed,
        (_, 200 | 201) if code < 7000 => WebexOutcome::Accepted,
        (_, 401 | 403) => WebexOutcome::CredentialRefused,
        (_, 429) => WebexOutcome::RateLimited,
        (_, 400) => WebexOutcome::RequestWrong,
        (_, 500) => WebexOutcome::PlatformFailed,
        _ => WebexOutcome::Other,
    }
}

/// What the server's end writes is read again, whatever the transaction is called.
fn written(family: WebexFamily, number: usize, transaction: &str) {
    let refused = |code| {
        let challenge = Challenge::without_parameters("Bearer");
        Rejection::unauthenticated(Reason::new(code, "a reason"), challenge)
    };
    let (pause, reason) = (Duration::from_secs(1), |code| Reason::new(code, "a reason"));
    let (rejection, expected) = match number % 7 {
        0 => (refused("jwt_signature"), WebexOutcome::CredentialRefused),
        1 => (refused("api_key_unknown"), WebexOutcome::CredentialRefused),
        2 => (Rejection::malformed(reason("bearer_twice")), WebexOutcome::CredentialRefused),
        3 => (refused("api_key_missing"), WebexOutcome::CredentialMissing),
        4 => (refused("jwt_missing"), WebexOutcome::CredentialMissing),
        5 => (Rejection::forbidden(reason("lifecycle_address")), WebexOutcome::AddressNotListed),
        _ => (Rejection::throttled(reason("attempts_many"), pause), WebexOutcome::RateLimited),
    };
    let answer = refusal_answer(family, &rejection, transaction);
    let second: Value = serde_json::from_slice(answer.body()).expect("JSON");
    let read = WebexAnswer::read(family, answer.status(), answer.body());
    agrees(&read, family, answer.status(), &second);
    assert_eq!(read.outcome, expected);
    assert!(read.description.is_some_and(|text| !text.is_empty()));
    let kept: String =
        transaction.chars().filter(|it| it.is_ascii_alphanumeric() || *it == '-').collect();
    assert!(read.transaction.is_none_or(|read| is_cut_of(Some(&read), Some(&kept))));
}

pub(crate) fn is_for_a_log(text: &str) -> bool {
    text.len() <= 256 && !text.contains(char::is_control)
}

/// Is it the beginning of that, without its control characters and as long as 256 bytes allow?
pub(crate) fn is_cut_of(cut: Option<&str>, whole: Option<&str>) -> bool {
    let (Some(cut), Some(whole)) = (cut, whole) else { return cut == whole };
    let whole = whole.replace(char::is_control, "");
    whole.strip_prefix(cut).is_some_and(|behind| {
        behind.chars().next().is_none_or(|next| cut.len() + next.len_utf8() > 256)
    })
}

pub(crate) fn planted(body: &[u8], secret: &str) -> Vec<u8> {
    match std::str::from_utf8(body) {
        Ok(text) => text.replace("<SECRET>", secret).into_bytes(),
        Err(_) => body.to_vec(),
    }
}

/// Another one each time; no code is of lower-case letters.
pub(crate) fn fresh() -> String {
    format!("s{:016x}", RandomState::new().hash_one(()))
}
