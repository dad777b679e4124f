//! The query that a browser comes back with.

use crate::foreign_text::Secrets;
use auth_core::{Error, Result, Secret};
use std::fmt;
use url::form_urlencoded;

/// The answer of an authorization server, in the query of the redirect URI (RFC 6749 section 4.1.2).
///
/// Its `Debug` shows whether there is a code, and nothing of it.
pub struct AuthorizationCallback {
    pub(super) state: Secret,
    pub(super) iss: Option<Box<str>>,
    /// The code, or the refusal.
    pub(super) outcome: Result<Secret>,
}

impl AuthorizationCallback {
    /// More is no callback.
    const MOST_BYTES: usize = 16 * 1024;

    /// Reads a query, what stands behind `?`.
    ///
    /// # Errors
    ///
    /// `Error::Protocol` when it has no `state`, when it has neither `code` nor `error` or both, when one of these comes
    /// twice or is empty, and when it is longer than 16 KiB. A person who opens the redirect URI by hand ends here.
    pub fn parse(query: &str) -> Result<Self> {
        let fault = |text: &str| Error::protocol("oauth2_callback", format!("callback {text}"));
        if query.len() > Self::MOST_BYTES {
            return Err(fault("is longer than 16 KiB"));
        }
        let mut found: [Option<String>; 5] = Default::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let Some(index) = NAMES.iter().position(|known| *known == name) else { continue };
            let Some(slot) = found.get_mut(index) else { continue };
            if slot.replace(value.into_owned()).is_some() {
                return Err(fault(&format!("has {name} twice")));
            }
        }
        let [code, state, error, description, iss] = found;
        let state = state.filter(|state| !state.is_empty());
        let state = state.ok_or_else(|| {
            fault("has no state; it is opened by a redirect of the authorization server alone")
        })?;
        let outcome = match (code, error) {
            (Some(_), Some(_)) => return Err(fault("has a code and an error")),
            (Some(code), None) if is_visible(&code) => Ok(Secret::from(code)),
            (None, Some(error)) if !error.is_empty() => {
                Err(refused(&error, description.as_deref(), &state))
            }
            _ => return Err(fault("has no code")),
        };
        Ok(Self { state: Secret::from(state), iss: iss.map(Into::into), outcome })
    }

    /// `state`, by which the pending authorization is found.
    #[must_use]
    pub const fn state(&self) -> &Secret {
        &self.state
    }
}

const NAMES: [&str; 5] = ["code", "state", "error", "error_description", "iss"];

fn is_visible(code: &str) -> bool {
    !code.is_empty() && code.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}

/// A refusal in the server's words, without the state: whoever knows it could come back with a code of their own.
fn refused(error: &str, description: Option<&str>, state: &str) -> Error {
    let (mut secrets, mut text) =
        (Secrets::default(), String::from("authorization was refused with "));
    secrets.add(state);
    text.push_str(&secrets.cut(error));
    if let Some(description) = description {
        text.push_str(&format!(" ({})", secrets.cut(description)));
    }
    Error::refused("oauth2_authorization_refused", text)
}

impl fmt::Debug for AuthorizationCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "AuthorizationCallback({})",
            if self.outcome.is_ok() { "code" } else { "refused" }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: Result<&str, &str>) {
        let read = AuthorizationCallback::parse(query);
        let shown = read.map(|callback| {
            let state = String::from_utf8_lossy(callback.state.expose()).into_owned();
            let outcome = match callback.outcome {
                Ok(code) => String::from_utf8_lossy(code.expose()).into_owned(),
                Err(error) => error.to_string(),
            };
            format!("{state} {outcome} {:?}", callback.iss)
        });
        let shown = shown.map_err(|error| error.to_string());
        let expected =
            expected.map(str::to_owned).map_err(|text| format!("protocol: callback {text}"));
        assert_eq!(shown, expected, "{query:.80}");
    }

    #[test]
    fn reads_what_servers_send_and_nothing_that_could_be_read_in_two_ways() {
        check(
            "code=a%2Fb&state=x&iss=https%3A%2F%2Flogin.example&session_state=7",
            Ok("x a/b Some(\"https://login.example\")"),
        );
        check(
            "error=access_denied&error_description=no%0Away&state=x",
            Ok("x refused: authorization was refused with access_denied (noway) None"),
        );
        check(
            "error=denied&error_description=for+st%2Bte+and+st%252Bte&state=st%2Bte",
            Ok(
                "st+te refused: authorization was refused with denied (for [secret] and [secret]) None",
            ),
        );
        let no_state = "has no state; it is opened by a redirect of the authorization server alone";
        check("", Err(no_state));
        check("code=a", Err(no_state));
        check("code=a&state=", Err(no_state));
        check("state=x", Err("has no code"));
        check("state=x&code=", Err("has no code"));
        check("state=x&code=%0A", Err("has no code"));
        check("state=x&error=", Err("has no code"));
        check("state=x&code=&error=b", Err("has a code and an error"));
        check("state=x&code=%0A&error=b", Err("has a code and an error"));
        check("state=x&code=a&code=b", Err("has code twice"));
        check("state=x&state=y&code=a", Err("has state twice"));
        check("state=x&code=a&error=b", Err("has a code and an error"));
        check(&format!("state=x&code={}", "a".repeat(16 * 1024)), Err("is longer than 16 KiB"));
    }
}
