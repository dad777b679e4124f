//! The two tokens.

use auth_core::{
    Answer, Credentials, Error, Lifespan, PresentableToken, Refusal, Result, Secret, Token,
};
use http::{HeaderName, HeaderValue, StatusCode};
use std::{fmt, sync::Arc};

/// The token of a session at the pod: of a bot, of an extension app, or of a user on whose behalf an app calls.
///
/// It lives for between an hour and two weeks, as the pod's administrator decided, and does not say so: it is kept until
/// the pod refuses it.
///
/// # Security
///
/// Its `Debug` shows no secret.
#[derive(Clone)]
pub struct SessionToken(Arc<Parts>);

/// The token of a key manager, which a bot presents to agents beside its session token. It is kept until an agent refuses
/// it.
///
/// # Security
///
/// Its `Debug` shows no secret.
#[derive(Clone)]
pub struct KeyManagerToken(Arc<Parts>);

struct Parts {
    token: Secret,
    /// The common JWT that came along.
    authorization: Option<Secret>,
}

/// The most bytes of a token. Session tokens are JWTs of some hundred bytes.
pub(crate) const MOST_BYTES: usize = 8 * 1024;

pub(crate) const SESSION_TOKEN: HeaderName = HeaderName::from_static("sessiontoken");
pub(crate) const KEY_MANAGER_TOKEN: HeaderName = HeaderName::from_static("keymanagertoken");

/// What can be one of the two.
pub(crate) trait PairToken: PresentableToken {
    /// The header field that it goes in, which is also what an answer calls it.
    const FIELD: HeaderName;

    fn of(token: Secret, authorization: Option<Secret>) -> Self;
}

macro_rules! token {
    ($token:ident, $field:ident) => {
        impl PairToken for $token {
            const FIELD: HeaderName = $field;

            fn of(token: Secret, authorization: Option<Secret>) -> Self {
                Self(Arc::new(Parts { token, authorization }))
            }
        }

        impl $token {
            /// The token itself.
            #[must_use]
            pub fn secret(&self) -> &Secret {
                &self.0.token
            }
        }

        impl Token for $token {
            fn lifespan(&self) -> Lifespan {
                Lifespan::Unknown
            }
        }

        impl PresentableToken for $token {
            fn credentials(&self) -> Result<Credentials> {
                Credentials::header(Self::FIELD, field(&self.0.token)?)
            }

            /// A 401. A 403 says that the user lacks a permission: another token would lack it too.
            fn refusal(answer: Answer<'_>) -> Option<Refusal> {
                (answer.status == StatusCode::UNAUTHORIZED).then(|| Refusal::new(answer.status))
            }
        }

        impl fmt::Debug for $token {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($token), "(..)"))
            }
        }
    };
}

token!(SessionToken, SESSION_TOKEN);
token!(KeyManagerToken, KEY_MANAGER_TOKEN);

impl SessionToken {
    /// The common JWT that came with it, as the pod wrote it.
    pub(crate) fn authorization(&self) -> Option<&Secret> {
        self.0.authorization.as_ref()
    }
}

/// The value of the header field with this token.
pub(crate) fn field(token: &Secret) -> Result<HeaderValue> {
    let mut field = HeaderValue::from_bytes(token.expose()).map_err(|_| {
        Error::protocol("symphony_token", "token holds a character that no field may have")
    })?;
    field.set_sensitive(true);
    Ok(field)
}
