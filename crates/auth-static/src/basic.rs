//! Basic: a user name and a password on every request (RFC 7617).

mod accounts;
#[cfg(feature = "argon2")]
mod argon2;
#[cfg(feature = "argon2")]
mod gate;
mod limit;
mod parse;
mod verifier;

pub use accounts::Accounts;
#[cfg(feature = "argon2")]
pub use argon2::{Argon2Passwords, PasswordHash};
pub use limit::AttemptLimit;
pub use parse::{Buffer, UserPass, parse};
pub use verifier::{Passwords, Verifier};

use crate::config;
use auth_core::{Authenticator, Credentials, Flow, RequestView, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, header::AUTHORIZATION};
use std::fmt;
use zeroize::Zeroizing;

const SCHEME: &str = "Basic";

/// Sends a user name and a password, encoded once: `Authorization: Basic ..`, in UTF-8, on one line however long.
///
/// ```
/// let basic = auth_static::Basic::new("Aladdin", "open sesame")?;
/// # let _: &dyn auth_core::Authenticator = &basic;
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Basic(Credentials);

impl Basic {
    /// A user name, which cannot hold a colon, and a password, which can.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the user name has a colon, or either a control character (RFC 7617 section 2).
    pub fn new(user: &str, password: &str) -> Result<Self> {
        if user.contains(':') {
            return Err(config(
                "basic_user_name_colon",
                "user name: has a colon, which ends it (RFC 7617 section 2)",
            ));
        }
        for (field, text) in [("user name", user), ("password", password)] {
            if has_control(text.as_bytes()) {
                let text = format!("{field}: has a control character (RFC 7617 section 2)");
                return Err(config("basic_control_character", text));
            }
        }
        let plain = Zeroizing::new(format!("{user}:{password}"));
        let value = HeaderValue::from_maybe_shared(format!(
            "{SCHEME} {}",
            STANDARD.encode(plain.as_bytes())
        ));
        let value = value.map_err(|_| {
            config("basic_too_long", "user name and password: too long for a field")
        })?;
        Ok(Self(Credentials::header(AUTHORIZATION, value)?))
    }
}

/// Looks at every byte, which compilers turn into a few wide comparisons.
fn has_control(text: &[u8]) -> bool {
    text.iter().fold(0, |found, byte| found | u8::from(*byte < b' ') | u8::from(*byte == 0x7f)) != 0
}

impl Authenticator for Basic {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        Flow::ready(self.0.clone())
    }
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Basic(..)")
    }
}
