//! The input is an error of either form, behind a byte that chooses the status: `<PASSWORD>` and `<TOKEN>` in it stand for
//! what the platform was sent.

use crate::ibsso_answer::answering;
use auth_ibsso::{
    Error, ErrorForm, LogIn, Secret, SessionLifetime, SessionToken, Timestamp, error_code,
};
use http::StatusCode;
use serde_json::Value;
use std::hash::{BuildHasher, RandomState};

const STATUS: [u16; 8] = [302, 400, 401, 403, 404, 429, 500, 503];

/// The code is what stands in the body, and fit for a log; what was sent does not come back in an error, of whatever
/// letters it is; the status alone decides what is to be done.
pub fn ibsso_error(data: &[u8]) {
    let [choice, body @ ..] = data else { return };
    let status = STATUS[usize::from(choice % 8)];
    let (password, token) = (fresh(), fresh());
    let body = String::from_utf8_lossy(body);
    let (of_create, of_destroy) =
        (body.replace("<PASSWORD>", &password), body.replace("<TOKEN>", &token));
    for body in [&of_create, &of_destroy] {
        reads(body);
    }
    let log_in = LogIn::new("https://xyz123.api.infobip.com", "acme", &password).expect("a log-in");
    let now = Timestamp::from_unix(1_700_000_000);
    let session = SessionToken::new(Secret::new(token.as_str()), now, SessionLifetime::default());
    let session = session.expect("a token");
    let answering = |body: String| answering(status, body.into_bytes());
    let not_created = log_in.create(&answering(of_create)).wait().expect_err("a refusal");
    let not_destroyed = log_in.destroy(&answering(of_destroy), &session).wait();
    let not_destroyed = not_destroyed.expect_err("a refusal");
    for (error, is_known) in [
        (&not_created, matches!(status, 302 | 400..=429 | 503)),
        (&not_destroyed, matches!(status, 401 | 403 | 429 | 503)),
    ] {
        let shown = format!("{error} {error:?} {error:#?}");
        assert!(!shown.contains(&password) && !shown.contains(&token), "comes back: {shown}");
        assert!(shown.len() < 4096, "more than a message");
        assert_eq!(is_known, !matches!(error, Error::Transport(_)), "{status}: {error}");
        assert_eq!(matches!(status, 429 | 503), matches!(error, Error::Unavailable { .. }));
    }
    written(status, &String::from_utf8_lossy(data));
}

fn reads(body: &str) {
    let code = error_code(body.as_bytes());
    if let Some(code) = &code {
        let read: Value = serde_json::from_slice(body.as_bytes()).expect("JSON");
        let exception = &read["requestError"]["serviceException"]["messageId"];
        let code: &str = code;
        assert!(
            exception == code || (!exception.is_string() && read["errorCode"] == code),
            "{code}"
        );
        let is_code = |byte: u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
        assert!((1..=64).contains(&code.len()) && code.bytes().all(is_code), "not for a log");
    }
}

/// What is written in either form is read again, whatever its text is.
fn written(status: u16, text: &str) {
    let status = StatusCode::from_u16(status).expect("a status");
    for form in [ErrorForm::ServiceException, ErrorForm::ErrorCode] {
        let body = form.body(status, text);
        let read: Value = serde_json::from_slice(&body).expect("JSON");
        let said = match form {
            ErrorForm::ServiceException => &read["requestError"]["serviceException"]["text"],
            ErrorForm::ErrorCode => &read["description"],
        };
        assert_eq!(said, text);
        let code = error_code(&body);
        assert!(code.is_some() || body.len() > 16 * 1024, "no code");
    }
}

/// Another one each time, of the letters that a code is of.
fn fresh() -> String {
    format!("S{:016X}", RandomState::new().hash_one(()))
}
