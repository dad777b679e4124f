//! A token at rest.

use super::{Granted, OAuthToken, RefreshOutcome};
use crate::ConsentNeeded;
use auth_core::{Error, Result, Secret, Timestamp};
use auth_session::StorableToken;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, atomic::AtomicBool};
use zeroize::Zeroizing;

const VERSION: u8 = 1;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Rest {
    access_token: Zeroed,
    refresh_token: Option<Zeroed>,
    previous_refresh_token: Option<Zeroed>,
    ends: Option<u64>,
    renew_from: Option<u64>,
    refresh_ends: Option<u64>,
    scope: Option<Box<str>>,
}

#[derive(Deserialize, Serialize)]
#[serde(transparent)]
struct Zeroed(Zeroizing<String>);

impl Zeroed {
    fn of(secret: &Secret) -> Self {
        Self(Zeroizing::new(String::from_utf8_lossy(secret.expose()).into_owned()))
    }

    fn secret(&self) -> Secret {
        Secret::from(self.0.as_str())
    }
}

impl StorableToken for OAuthToken {
    fn to_rest(&self) -> Secret {
        let Granted { access_token, refresh_token, previous_refresh_token, .. } = &*self.0;
        let rest = Rest {
            access_token: Zeroed::of(access_token),
            refresh_token: refresh_token.as_ref().map(Zeroed::of),
            previous_refresh_token: previous_refresh_token.as_ref().map(Zeroed::of),
            ends: self.0.ends.map(Timestamp::unix),
            renew_from: self.0.renew_from.map(Timestamp::unix),
            refresh_ends: self.0.refresh_ends.map(Timestamp::unix),
            scope: self.0.scope.clone(),
        };
        let mut bytes = vec![VERSION];
        // Texts and numbers can always be written.
        let _ = serde_json::to_writer(&mut bytes, &rest);
        Secret::new(bytes)
    }

    fn from_rest(bytes: &[u8]) -> Result<Self> {
        let json = match bytes {
            [VERSION, json @ ..] => json,
            [version, ..] => {
                let text = format!(
                    "token was stored in form {version}, by a newer program; this one reads form 1"
                );
                return Err(Error::config("oauth2_stored_version", text));
            }
            [] => return Err(unreadable()),
        };
        let rest: Rest = serde_json::from_slice(json).map_err(|_| unreadable())?;
        Ok(Self(Arc::new(Granted {
            access_token: rest.access_token.secret(),
            refresh_token: rest.refresh_token.as_ref().map(Zeroed::secret),
            previous_refresh_token: rest.previous_refresh_token.as_ref().map(Zeroed::secret),
            ends: rest.ends.map(Timestamp::from_unix),
            renew_from: rest.renew_from.map(Timestamp::from_unix),
            refresh_ends: rest.refresh_ends.map(Timestamp::from_unix),
            scope: rest.scope,
            id_token: None,
            asked: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        })))
    }

    fn is_spent_by_renewal(&self) -> bool {
        self.0.refresh_token.is_some()
    }

    fn after_lost_renewal(self) -> Self {
        self.asked(RefreshOutcome::Unknown);
        self
    }

    /// The server has refused its refresh tokens. One that never had any may still be good for a while.
    fn is_ended_by(error: &Error) -> bool {
        let consent = error.cause().error().downcast_ref::<ConsentNeeded>();
        consent.is_some_and(|consent| consent.refused.is_some())
    }
}

fn unreadable() -> Error {
    Error::config(
        "oauth2_stored_token",
        "stored token cannot be read; remove it and obtain another",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        TokenAnswerFormat,
        token::{Asked, Replaced},
    };
    use auth_core::Token;
    use http::Response;

    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

    #[test]
    fn comes_back_as_it_was() {
        for body in [
            r#"{"access_token":"t"}"#,
            r#"{"access_token":"t\"","expires_in":5,"refresh_in":3,"refresh_token":"r","refresh_expires_in":9,"scope":"a b"}"#,
        ] {
            let answer = Response::new(body.as_bytes().to_vec());
            let answer = TokenAnswerFormat::new().read(&answer, NOW).unwrap();
            let before = r#"{"access_token":"b","refresh_token":"before"}"#;
            let before = Response::new(before.as_bytes().to_vec());
            let before = TokenAnswerFormat::new().read(&before, NOW).unwrap();
            let before = OAuthToken::new(before, NOW).unwrap();
            let refresh_token = before.refresh_token().unwrap();
            let replaced = Some(Replaced { token: &before, refresh_token });
            let token =
                OAuthToken::granted(answer, NOW, Asked { validity: None, replaced }).unwrap();
            let again = OAuthToken::from_rest(token.to_rest().expose()).unwrap();
            assert!(again.access_token().matches(token.access_token().expose()));
            assert_eq!(
                again.usable_refresh_tokens(NOW).map(Secret::expose).collect::<Vec<_>>(),
                token.usable_refresh_tokens(NOW).map(Secret::expose).collect::<Vec<_>>()
            );
            assert_eq!(again.renew_from(), token.renew_from());
            assert_eq!(
                format!("{again:?} {:?}", again.masked()),
                format!("{token:?} {:?}", token.masked())
            );
        }
    }

    #[test]
    fn an_id_token_is_handed_on_and_neither_kept_nor_shown() {
        let answer = Response::new(br#"{"access_token":"t","id_token":"canary.e30.x"}"#.to_vec());
        let answer = TokenAnswerFormat::new().read(&answer, NOW).unwrap();
        assert!(!format!("{answer:?}").contains("canary"));
        let token = OAuthToken::new(answer, NOW).unwrap();
        assert!(token.id_token().unwrap().matches(b"canary.e30.x"));
        let rest = token.to_rest();
        assert!(!String::from_utf8_lossy(rest.expose()).contains("canary"));
        assert!(OAuthToken::from_rest(rest.expose()).unwrap().id_token().is_none());
        assert!(!format!("{token:?} {:?}", token.masked()).contains("canary"));
    }

    #[test]
    fn a_newer_form_is_named_and_what_is_broken_shows_nothing() {
        let code = |bytes: &[u8]| OAuthToken::from_rest(bytes).unwrap_err().code();
        assert_eq!(code(b"\x02{}"), "oauth2_stored_version");
        for broken in [&b""[..], b"\x01", b"\x01{}", b"\x01{\"access_token\":\"canary\"}x"] {
            assert_eq!(code(broken), "oauth2_stored_token");
        }
    }
}
