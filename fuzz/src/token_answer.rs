//! The input is what a token endpoint answers with, behind a byte that chooses the names, the form and the status.

use auth_oauth2::{Timestamp, TokenAnswerFormat};
use http::Response;
use serde_json::Value;
use std::{borrow::Cow, time::Duration};

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);
const A_HUNDRED_YEARS: Duration = Duration::from_secs(36_525 * 86_400);

/// What is granted stands in the answer, once; its times are bounded, and it shows no token.
pub fn token_answer(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else { return };
    let is_form = choice & 1 == 1;
    let (format, names) = match choice & 2 {
        0 => (TokenAnswerFormat::new(), ["access_token", "refresh_token"]),
        _ => {
            let format = TokenAnswerFormat::new().with_access_token("token");
            let format = format.with_expires_in("validForMillis", Duration::from_millis(1));
            (format.with_refresh_token("renewal"), ["token", "renewal"])
        }
    };
    let status = if choice & 4 == 0 { 200 } else { 201 };
    let kind = if is_form { "application/x-www-form-urlencoded" } else { "application/json" };
    let answer = Response::builder().status(status).header("content-type", kind);
    let answer = answer.body(body.to_vec()).expect("an answer");
    let read = match format.read(&answer, NOW) {
        Ok(read) => read,
        Err(error) => {
            // Each field of it has 256 bytes at most.
            let shown = format!("{error} {error:?}");
            assert!(shown.len() <= 4 * (body.len() + 512), "shows more than there was");
            return;
        }
    };
    if !is_form
        && serde_json::from_slice::<Value>(body)
            .is_err_and(|error| error.to_string().contains("out of range"))
    {
        // In what is passed over: the second reader wants every number to be one of its own.
        return;
    }
    let member = |name: &str| if is_form { in_form(body, name) } else { in_json(body, name) };
    assert!(member("error").is_none_or(|error| error.is_empty()), "an error is no token");
    let access_token = member(names[0]).expect("an access token");
    assert_eq!(read.access_token.expose(), access_token.as_bytes());
    assert!(!access_token.is_empty(), "an empty token");
    let refresh_token = member(names[1]).filter(|token| !token.is_empty());
    assert_eq!(
        read.refresh_token.as_ref().map(|token| token.expose().to_vec()),
        refresh_token.as_ref().map(|token| token.clone().into_bytes())
    );
    for time in [read.expires_in, read.refresh_in, read.refresh_token_expires_in] {
        assert!(time.is_none_or(|time| time <= A_HUNDRED_YEARS), "for ever");
    }
    let open: Vec<_> =
        [read.scope.as_deref(), read.token_type.as_deref()].into_iter().flatten().collect();
    let shown = format!("{read:?}{read:#?}");
    for secret in [Some(access_token), refresh_token].into_iter().flatten() {
        let told = secret.len() < 8 || open.iter().any(|open| open.contains(&*secret));
        let told =
            told || "TokenAnswer token_type expires_in refresh_token scope".contains(&secret);
        assert!(told || !shown.contains(&secret), "a token is shown");
    }
}

/// By a second reader, which takes the last of two members.
fn in_json(body: &[u8], name: &str) -> Option<String> {
    let object: Value = serde_json::from_slice(body).expect("JSON");
    object.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn in_form(body: &[u8], name: &str) -> Option<String> {
    let mut found: Vec<_> =
        body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).collect();
    found.retain(|pair| {
        decoded(pair.split(|byte| *byte == b'=').next().unwrap_or_default()) == name
    });
    assert!(found.len() < 2, "a member that stands twice is none");
    let pair = found.pop()?;
    let value = pair.iter().position(|byte| *byte == b'=').map_or(&b""[..], |at| &pair[at + 1..]);
    Some(decoded(value))
}

/// `application/x-www-form-urlencoded`, in plain steps.
pub(crate) fn decoded(text: &[u8]) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((first, others)) = rest.split_first() {
        let hex = |byte: &u8| char::from(*byte).to_digit(16);
        rest = others;
        match (first, others) {
            (b'%', [high, low, behind @ ..]) if hex(high).is_some() && hex(low).is_some() => {
                let byte = hex(high).zip(hex(low)).map(|(high, low)| high * 16 + low);
                bytes.extend(byte.and_then(|byte| u8::try_from(byte).ok()));
                rest = behind;
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(*other),
        }
    }
    match String::from_utf8_lossy(&bytes) {
        Cow::Owned(text) => text,
        Cow::Borrowed(text) => text.to_owned(),
    }
}
