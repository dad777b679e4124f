//! Basic (RFC 7617): a user name and a password, sent with every request.

mod accounts;
mod parse;
mod verifier;

#[cfg(feature = "argon2")]
mod argon2;
#[cfg(feature = "argon2")]
mod password_hash;
#[cfg(feature = "argon2")]
mod queue;

pub use accounts::{BasicAccounts, Passwords};
pub use parse::{BasicRefused, UserPass, UserPassBuffer};
pub use verifier::BasicVerifier;

#[cfg(feature = "argon2")]
pub use argon2::{Argon2Concurrency, Argon2Passwords, SlowHash};
#[cfg(feature = "argon2")]
pub use password_hash::{Argon2Cost, PasswordHash};

use crate::field;
use auth_core::{Authenticator, Authorization, Credentials, Error, Flow, RequestView, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::fmt;
use zeroize::Zeroizing;

const SCHEME: &str = "Basic";

/// A user name and a password (RFC 7617 section 2), encoded once: a request costs no allocation.
///
/// Both are sent as UTF-8, in one line however long they are. The password may hold `:`, the user name may not, since
/// the first one ends it.
///
/// # Security
///
/// Base64 hides nothing: an attacker who reads the request has the password. The client adapters send it over TLS alone.
///
/// ```
/// use auth_static::Basic;
/// let basic = Basic::new("Aladdin", "open sesame")?;
/// assert_eq!(format!("{basic:?}"), "Basic(..)");
/// assert_eq!(Basic::new("a:b", "c").unwrap_err().code(), "basic_user_name_colon");
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Basic(Credentials);

impl Basic {
    /// With this user name and password; either may be empty.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the user name holds `:`, either holds a control character (RFC 7617 section 2), or the field
    /// would be longer than [`Authorization::MOST_BYTES`].
    pub fn new(user: &str, password: &str) -> Result<Self> {
        if user.contains(':') {
            let text = "user name holds ':', which ends it (RFC 7617 section 2)";
            return Err(Error::config("basic_user_name_colon", text));
        }
        field::check_end("basic_user_name_control", "user name", user)?;
        field::check_end("basic_password_control", "password", password)?;
        if parse::has_control(user.as_bytes()) {
            let text = "user name holds a control character, expected none (RFC 7617 section 2)";
            return Err(Error::config("basic_user_name_control", text));
        }
        if parse::has_control(password.as_bytes()) {
            let text = "password holds a control character, expected none (RFC 7617 section 2)";
            return Err(Error::config("basic_password_control", text));
        }
        let most = (Authorization::MOST_BYTES - SCHEME.len() - 1) / 4 * 3;
        if user.len() + 1 + password.len() > most {
            let text = "user name and password are too long, expected a field of at most 8 KiB";
            return Err(Error::config("basic_too_long", text));
        }
        let user_pass = Zeroizing::new([user, ":", password].concat());
        let encoded = Zeroizing::new(STANDARD.encode(user_pass.as_bytes()));
        field::authorization(SCHEME, &encoded).map(Self)
    }

    /// What it adds to every request.
    #[must_use]
    pub fn present(&self) -> Credentials {
        self.0.clone()
    }
}

impl Authenticator for Basic {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        Flow::ready(self.present())
    }
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Basic(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, Uri, header::AUTHORIZATION};

    fn sent(user: &str, password: &str) -> String {
        let (mut uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
        let credentials = Basic::new(user, password).unwrap().present();
        credentials.commit(&mut uri, &mut headers).unwrap();
        assert!(headers[AUTHORIZATION].is_sensitive());
        headers[AUTHORIZATION].to_str().unwrap().to_owned()
    }

    #[track_caller]
    fn refused(user: &str, password: &str, code: &str, begins: &str) {
        let error = Basic::new(user, password).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.to_string().starts_with(&format!("configuration: {begins}")), "{error}");
    }

    /// The examples of RFC 7617 sections 2 and 2.1.
    #[test]
    fn sends_the_bytes_of_rfc_7617() {
        assert_eq!(sent("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(sent("test", "123\u{a3}"), "Basic dGVzdDoxMjPCow==");
        assert_eq!(sent("", ""), "Basic Og==");
        assert_eq!(sent("a", ":b:"), "Basic YTo6Yjo=");
    }

    #[test]
    fn stays_on_one_line_however_long() {
        let value = sent("user", &"p".repeat(200));
        assert_eq!(value.len(), "Basic ".len() + 205_usize.div_ceil(3) * 4);
        assert!(value.bytes().skip("Basic ".len()).all(|b| b.is_ascii_alphanumeric() || b == b'='));
    }

    #[test]
    fn names_the_field_that_basic_cannot_carry() {
        refused("us:er", "p", "basic_user_name_colon", "user name holds ':'");
        for control in ["\0", "\r\n", "\t", "\u{1f}", "\u{7f}"] {
            refused(&format!("a{control}"), "p", "basic_user_name_control", "user name ");
            refused("a", &format!("{control}p"), "basic_password_control", "password ");
        }
        let end = "user name ends with a line break; remove it";
        refused("a\r\n", "p", "basic_user_name_control", end);
        let end = "password ends with a line break; remove it";
        refused("a", "canary\n", "basic_password_control", end);
        let most = (Authorization::MOST_BYTES - "Basic ".len()) / 4 * 3;
        refused("u", &"p".repeat(most - 1), "basic_too_long", "user name and password");
        assert!(sent("u", &"p".repeat(most - 2)).len() <= Authorization::MOST_BYTES);
    }
}
