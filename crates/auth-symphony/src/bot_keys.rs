//! The public keys of a bot, changed by an administrator of the pod: `POST /pod/v2/admin/user/{uid}/update`.

use crate::{SymphonyEndpoints, json::read_object};
use auth_core::{Error, Result, Timestamp};
use auth_jwt::{JwsAlgorithm, VerifyingKey};
use http::{HeaderValue, Method, Request, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What becomes of the public keys of a bot.
///
/// A bot has a current key, and for 72 hours after that was replaced the previous one beside it: both log in. So a key is
/// replaced without a gap: [`Save`](Self::Save) the new one, give every program of the bot the new private key, and
/// [`RevokePrevious`](Self::RevokePrevious), or [`ExtendPrevious`](Self::ExtendPrevious) where 72 hours are too few.
///
/// The request is sent as any other, with the [`pod`](crate::Bot::pod) of a bot that may change users:
///
/// ```
/// use auth_symphony::{BotKeyChange, BotKeys, SymphonyEndpoints};
/// # fn with(pem: &str) -> Result<(), auth_symphony::Error> {
/// let pod = SymphonyEndpoints::new("https://acme.symphony.com")?;
/// let request = BotKeyChange::Save { public_key: pem }.request(&pod, 349_026_222_344_901)?;
/// // let answer = client.send(&administrator.pod(), request)?;
/// # let (status, body) = (http::StatusCode::OK, br#"{"userAttributes":{"currentKey":{"key":"PEM"}}}"#);
/// let keys = BotKeys::read(status, body)?;
/// assert!(keys.current.is_some() && keys.previous.is_none());
/// # Ok(())
/// # }
/// # with(include_str!("../tests/keys/public.pem")).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BotKeyChange<'a> {
    /// This is the current key from now on, and the one that was is the previous key for 72 hours. Pods refuse a key that
    /// the bot has or had, and any key while both are good.
    Save {
        /// An RSA key in PEM, as `openssl rsa -pubout` writes it.
        public_key: &'a str,
    },
    /// The current key ends at once, and with it the sessions of the bot. A previous key that is good takes its place; where
    /// there is none, the bot logs in no more.
    RevokeCurrent,
    /// The previous key ends at once, and with it the sessions of the bot, which logs in again with the current one.
    RevokePrevious,
    /// The previous key is good for 72 hours more.
    ExtendPrevious,
}

impl BotKeyChange<'_> {
    /// The request for this change of the keys of the bot with this user id.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the key is no public RSA key in PEM of at least 2048 bits.
    ///
    /// # Security
    ///
    /// A private key is refused: it is never sent to a pod.
    pub fn request(&self, endpoints: &SymphonyEndpoints, user_id: i64) -> Result<Request<Vec<u8>>> {
        let (current_key, previous_key) = match *self {
            Self::Save { public_key } => {
                let key = VerifyingKey::from_pem(JwsAlgorithm::RS512, public_key);
                key.and_then(|_| is_spki(public_key))?;
                (Some(KeyBody { key: Some(public_key), action: "SAVE" }), None)
            }
            Self::RevokeCurrent => (Some(KeyBody { key: None, action: "REVOKE" }), None),
            Self::RevokePrevious => (None, Some(KeyBody { key: None, action: "REVOKE" })),
            Self::ExtendPrevious => (None, Some(KeyBody { key: None, action: "EXTEND" })),
        };
        let body = serde_json::to_vec(&ChangeBody { current_key, previous_key })
            .map_err(|error| Error::config("symphony_key_change", error))?;
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = endpoints.pod.url(&format!("/pod/v2/admin/user/{user_id}/update"))?;
        request.headers_mut().insert(header::ACCEPT, JSON);
        request.headers_mut().insert(header::CONTENT_TYPE, JSON);
        Ok(request)
    }
}

/// The public keys of a bot, as a pod answers a change of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BotKeys {
    /// The key that the bot is to log in with.
    pub current: Option<BotKey>,
    /// The one before, which logs in until it expires.
    pub previous: Option<BotKey>,
}

/// A public key of a bot.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BotKey {
    /// As it was saved.
    pub public_key: String,
    /// When it ends, if it was replaced.
    pub expires: Option<Timestamp>,
}

impl BotKeys {
    /// The keys of an answer with this status and body.
    ///
    /// # Errors
    ///
    /// `Error::Refused` with the code `symphony_key_change_forbidden` when the account that asked may not change users,
    /// and with `symphony_key_change` when the pod refuses this change; `Error::Transport` when the pod failed, and
    /// `Error::Protocol` when the answer is none. No error repeats what the pod has written.
    pub fn read(status: StatusCode, body: &[u8]) -> Result<Self> {
        match status {
            status if status.is_success() => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let text = format!(
                    "change of a bot's keys was refused ({}): the account that asked needs the role that provisions users",
                    status.as_u16()
                );
                return Err(Error::refused("symphony_key_change_forbidden", text));
            }
            status if status.is_client_error() => {
                let text = format!(
                    "change of a bot's keys was refused ({}): there is no bot of this id, the key is or was one of the bot, \
                     two keys are good already, or there is no previous key",
                    status.as_u16()
                );
                return Err(Error::refused("symphony_key_change", text));
            }
            status => {
                let text = format!("change of a bot's keys failed ({})", status.as_u16());
                return Err(Error::transport("symphony_failed", text));
            }
        }
        let read: AnswerBody = read_object(body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let text = format!(
                "answer has no \"userAttributes\" with keys of a bot (line {line}, column {column})"
            );
            Error::protocol("symphony_key_answer", text)
        })?;
        let AttributesBody { current_key, previous_key } = read.user_attributes;
        let [current, previous] = [current_key, previous_key].map(|key| {
            let SavedKeyBody { key, expiration_date } = key?;
            let expires =
                expiration_date.map(|at| Timestamp::default().after(Duration::from_millis(at)));
            Some(BotKey { public_key: key?, expires })
        });
        Ok(Self { current, previous })
    }
}

/// Pods take no certificate, and no key in the form of PKCS#1.
fn is_spki(pem: &str) -> Result<()> {
    if pem.trim_ascii_start().starts_with("-----BEGIN PUBLIC KEY-----") {
        return Ok(());
    }
    let text =
        "public key is in another form, expected one that begins with -----BEGIN PUBLIC KEY-----";
    Err(Error::config("symphony_public_key", text))
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangeBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    current_key: Option<KeyBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_key: Option<KeyBody<'a>>,
}

#[derive(Serialize)]
struct KeyBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    action: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerBody {
    user_attributes: AttributesBody,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AttributesBody {
    current_key: Option<SavedKeyBody>,
    previous_key: Option<SavedKeyBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SavedKeyBody {
    key: Option<String>,
    expiration_date: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = include_str!("../tests/keys/public.pem");

    #[track_caller]
    fn check(change: BotKeyChange<'_>, expected: &str) {
        let pod = SymphonyEndpoints::new("https://acme.example/ctx").unwrap();
        let request = change.request(&pod, 7).unwrap();
        let line = format!("{} {}", request.method(), request.uri());
        assert_eq!(line, "POST https://acme.example/ctx/pod/v2/admin/user/7/update");
        let mut fields: Vec<_> =
            request.headers().iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        fields.sort();
        assert_eq!(
            fields,
            [r#"accept: "application/json""#, r#"content-type: "application/json""#]
        );
        assert_eq!(String::from_utf8_lossy(request.body()), expected);
    }

    #[test]
    fn each_change_is_the_request_that_the_vendor_describes() {
        let saved = serde_json::to_string(PUBLIC).unwrap();
        check(
            BotKeyChange::Save { public_key: PUBLIC },
            &format!(r#"{{"currentKey":{{"key":{saved},"action":"SAVE"}}}}"#),
        );
        check(BotKeyChange::RevokeCurrent, r#"{"currentKey":{"action":"REVOKE"}}"#);
        check(BotKeyChange::RevokePrevious, r#"{"previousKey":{"action":"REVOKE"}}"#);
        check(BotKeyChange::ExtendPrevious, r#"{"previousKey":{"action":"EXTEND"}}"#);
    }

    #[test]
    fn a_private_key_is_sent_to_nobody() {
        let pod = SymphonyEndpoints::new("https://acme.example").unwrap();
        for (public_key, code) in [
            (include_str!("../tests/keys/pkcs8.pem"), "jwt_key_private"),
            (include_str!("../tests/keys/pkcs1.pem"), "jwt_key_private"),
            (include_str!("../tests/keys/pod.crt"), "symphony_public_key"),
            ("PEM", "jwt_key_pem"),
        ] {
            let made = BotKeyChange::Save { public_key }.request(&pod, 7);
            assert_eq!(made.unwrap_err().code(), code, "{public_key}");
        }
    }

    #[track_caller]
    fn check_answer(status: u16, body: &str, expected: Result<[Option<(&str, u64)>; 2], &str>) {
        let read = BotKeys::read(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        let shown = read.as_ref().map(|read| {
            [&read.current, &read.previous].map(|key| {
                let key = key.as_ref()?;
                Some((&*key.public_key, key.expires.map_or(0, |at| at.unix())))
            })
        });
        let shown = shown.map_err(|error| {
            assert!(!error.to_string().contains("s3cret"), "{error}");
            error.code()
        });
        assert_eq!(shown, expected, "{status} {body}");
    }

    #[test]
    fn an_answer_says_which_keys_are_good_until_when() {
        check_answer(
            200,
            r#"{"userAttributes":{"userName":"bot","currentKey":{"key":"b"},"previousKey":{"key":"a","expirationDate":1700259200000}},"roles":[]}"#,
            Ok([Some(("b", 0)), Some(("a", 1_700_259_200))]),
        );
        check_answer(200, r#"{"userAttributes":{"currentKey":null}}"#, Ok([None, None]));
        check_answer(200, r#"{"userAttributes":{"currentKey":{}}}"#, Ok([None, None]));
        for none in ["", "[]", "{}", r#"{"userAttributes":{"currentKey":{"key":7,"x":"s3cret"}}}"#]
        {
            check_answer(200, none, Err("symphony_key_answer"));
        }
        check_answer(400, "s3cret", Err("symphony_key_change"));
        check_answer(401, "s3cret", Err("symphony_key_change_forbidden"));
        check_answer(403, "s3cret", Err("symphony_key_change_forbidden"));
        check_answer(302, "s3cret", Err("symphony_failed"));
        check_answer(500, "s3cret", Err("symphony_failed"));
    }
}
