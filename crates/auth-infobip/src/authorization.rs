//! The four ways to authenticate, as they are configured.

use serde::{Deserialize, Deserializer, de::Error as _};
use std::fmt;
use zeroize::Zeroizing;

/// How a program authenticates: one of four, chosen by its configuration.
///
/// ```
/// use auth_infobip::InfobipAuthorization;
/// let text = r#"{ "method": "ibsso", "username": "acme", "password": "s3cret" }"#;
/// let authorization: InfobipAuthorization = serde_json::from_str(text).unwrap();
/// assert!(!format!("{authorization:?}").contains("s3cret"));
/// ```
#[derive(Deserialize)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum InfobipAuthorization {
    /// `Authorization: App KEY`.
    ApiKey {
        /// The key.
        #[serde(deserialize_with = "secret_text")]
        key: Zeroizing<String>,
        /// The parameter of the query string that has the key, in place of the field. The platform says that a key may stand
        /// there and does not name the parameter: ask its support. A URL ends up in logs.
        #[serde(default)]
        query_parameter: Option<String>,
    },
    /// `Authorization: Basic`, with the account's user name and password on each request.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        #[serde(deserialize_with = "secret_text")]
        password: Zeroizing<String>,
    },
    /// `Authorization: IBSSO TOKEN`: a session that is made with the user name and password. One of a user is alive at a time.
    Ibsso {
        /// The user name.
        username: String,
        /// The password.
        #[serde(deserialize_with = "secret_text")]
        password: Zeroizing<String>,
    },
    /// `Authorization: Bearer TOKEN`: the client id is the user name, the client secret the password.
    #[serde(rename = "oauth2")]
    OAuth2 {
        /// The user name.
        client_id: String,
        /// The password.
        #[serde(deserialize_with = "secret_text")]
        client_secret: Zeroizing<String>,
    },
}

/// A secret that is text. Whatever else stands there is not repeated: it may be a password of digits alone, without its quotes.
fn secret_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<String>, D::Error> {
    Zeroizing::deserialize(deserializer)
        .map_err(|_| D::Error::custom("key or password is not text; put it in quotes"))
}

impl InfobipAuthorization {
    /// The `method`.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        match self {
            Self::ApiKey { .. } => "api_key",
            Self::Basic { .. } => "basic",
            Self::Ibsso { .. } => "ibsso",
            Self::OAuth2 { .. } => "oauth2",
        }
    }
}

/// Shows the method and nothing else.
impl fmt::Debug for InfobipAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InfobipAuthorization({})", self.method())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_does_not_repeat_a_secret_that_is_a_number() {
        for text in [
            r#"{"method":"api_key","key":8675309}"#,
            r#"{"method":"basic","username":"u","password":8675309}"#,
            r#"{"method":"ibsso","username":"u","password":8675309.5}"#,
            r#"{"method":"oauth2","client_id":"u","client_secret":-8675309}"#,
        ] {
            let error = serde_json::from_str::<InfobipAuthorization>(text).unwrap_err();
            assert_eq!(
                error.to_string(),
                "key or password is not text; put it in quotes",
                "{text}"
            );
            let quoted =
                text.replace(":-", ":").replace(".5", "").replace("8675309", "\"8675309\"");
            assert!(serde_json::from_str::<InfobipAuthorization>(&quoted).is_ok(), "{quoted}");
        }
    }
}
