//! A challenge as a server sends it.

use crate::{Error, Result, scan::is_tchar};
use http::HeaderValue;
use std::fmt;

/// One challenge, ready for a `WWW-Authenticate` field (RFC 9110 section 11.6.1).
///
/// Build it once and clone it for each rejection: a clone shares the text.
///
/// ```
/// use auth_core::Challenge;
/// let challenge = Challenge::build("Basic").quoted("realm", "a \"b\"").quoted("charset", "UTF-8").finish()?;
/// assert_eq!(challenge.to_string(), r#"Basic realm="a \"b\"", charset="UTF-8""#);
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge(HeaderValue);

impl Challenge {
    /// Begins a challenge of this scheme.
    #[must_use]
    pub fn build(scheme: &str) -> ChallengeBuilder {
        let fault =
            (!is_token(scheme)).then(|| String::from("scheme of a challenge is not a token"));
        ChallengeBuilder { text: scheme.to_owned(), behind: " ", fault }
    }

    /// A challenge that is the name of its scheme and has no parameter.
    ///
    /// # Panics
    ///
    /// When the name, which a program has as a constant, holds what no field can.
    ///
    /// ```
    /// use auth_core::Challenge;
    /// assert_eq!(Challenge::without_parameters("Negotiate").to_string(), "Negotiate");
    /// ```
    #[must_use]
    pub const fn without_parameters(scheme: &'static str) -> Self {
        Self(HeaderValue::from_static(scheme))
    }

    /// The value of its field.
    #[must_use]
    pub const fn field(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.0.as_bytes()))
    }
}

/// A challenge goes to every stranger who asks: it holds no secret.
impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Challenge({self})")
    }
}

/// Writes a challenge, parameter by parameter. Which ones are quoted is for the specification of each to say.
#[derive(Debug)]
pub struct ChallengeBuilder {
    text: String,
    behind: &'static str,
    fault: Option<String>,
}

impl ChallengeBuilder {
    /// A parameter as a quoted string; quotes and backslashes in it are escaped.
    #[must_use]
    pub fn quoted(mut self, name: &str, value: &str) -> Self {
        if value.contains(|c: char| c.is_ascii_control() && c != '\t') {
            self.fault = self
                .fault
                .or_else(|| Some(format!("{name} of a challenge has control characters")));
        }
        self.name(name);
        self.text.push('"');
        for c in value.chars() {
            if matches!(c, '"' | '\\') {
                self.text.push('\\');
            }
            self.text.push(c);
        }
        self.text.push('"');
        self
    }

    /// A parameter as a token.
    #[must_use]
    pub fn token(mut self, name: &str, value: &str) -> Self {
        if !is_token(value) {
            self.fault =
                self.fault.or_else(|| Some(format!("{name} of a challenge is not a token")));
        }
        self.name(name);
        self.text.push_str(value);
        self
    }

    /// The challenge.
    ///
    /// # Errors
    ///
    /// `Error::Config` naming the first parameter that no field can hold.
    pub fn finish(self) -> Result<Challenge> {
        if let Some(fault) = self.fault {
            return Err(Error::config("challenge_unprintable", fault));
        }
        let value = HeaderValue::from_maybe_shared(self.text);
        Ok(Challenge(value.map_err(|error| Error::config("challenge_unprintable", error))?))
    }

    fn name(&mut self, name: &str) {
        self.text.push_str(self.behind);
        self.text.push_str(name);
        self.text.push('=');
        self.behind = ", ";
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_tchar)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Challenges;
    use proptest::prelude::*;

    #[track_caller]
    fn refused(builder: ChallengeBuilder, message: &str) {
        assert_eq!(builder.finish().unwrap_err().to_string(), format!("configuration: {message}"));
    }

    #[test]
    fn names_the_parameter_that_no_field_can_hold() {
        refused(
            Challenge::build("Basic").quoted("realm", "a\r\nb"),
            "realm of a challenge has control characters",
        );
        refused(
            Challenge::build("Digest").token("stale", "a b"),
            "stale of a challenge is not a token",
        );
        refused(Challenge::build("Two Words"), "scheme of a challenge is not a token");
    }

    proptest! {
        #[test]
        fn what_a_server_writes_a_client_reads(realm in "[ -~\u{e9}\t]{0,40}", stale in "[a-z]{1,5}") {
            let written = Challenge::build("Digest").quoted("realm", &realm).token("stale", &stale).finish().unwrap();
            let read = Challenges::parse(written.field().as_bytes()).next().unwrap().unwrap();
            prop_assert_eq!(read.parameter("realm").unwrap().text().unwrap(), realm.as_str());
            prop_assert_eq!(read.parameter("stale").unwrap().text().unwrap(), stale.as_str());
        }
    }
}
