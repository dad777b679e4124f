//! Fields that a person typed into a form instead of a challenge.

use super::session::{AuthenticationSession, ClientNonceCounting, Terms, User};
use crate::{DigestAlgorithm, NonceCount, Qop, user::check_text};
use auth_core::{Error, Random, Result};
use std::sync::Arc;

/// What a person typed into a form that has every field of the credentials, as that of Webex Connect has: the client
/// begins with these, before any challenge.
///
/// # Security
///
/// Weak: the receiver did not choose the nonce for this request, so it cannot tell a request from its repetition unless
/// it remembers every count. A challenge, once it comes, takes the place of what was typed.
#[derive(Clone, Copy, Debug)]
pub struct DigestPreset<'a> {
    /// The realm.
    pub realm: &'a str,
    /// The nonce.
    pub nonce: &'a str,
    /// The algorithm; where it is not typed it is not sent, and MD5 is meant.
    pub algorithm: Option<DigestAlgorithm>,
    /// The quality of protection.
    pub qop: Option<Qop>,
    /// The count of the first request; 1 unless typed. Only with a qop.
    pub nonce_count: Option<NonceCount>,
    /// The client nonce; random unless typed. Only with a qop.
    pub client_nonce: Option<&'a str>,
    /// What is sent along as it is.
    pub opaque: Option<&'a str>,
    /// What becomes of the count from one request to the next.
    pub counting: ClientNonceCounting,
}

impl<'a> DigestPreset<'a> {
    /// A realm and a nonce, and nothing else.
    #[must_use]
    pub const fn new(realm: &'a str, nonce: &'a str) -> Self {
        Self {
            realm,
            nonce,
            algorithm: None,
            qop: None,
            nonce_count: None,
            client_nonce: None,
            opaque: None,
            counting: ClientNonceCounting::Rising,
        }
    }

    pub(crate) fn session(
        &self,
        user: &Arc<User>,
        random: &dyn Random,
    ) -> Result<AuthenticationSession> {
        if self.qop.is_none() {
            if self.nonce_count.is_some() {
                let text = "nonce count is typed without qop, expected both or neither";
                return Err(Error::config("digest_typed_nonce_count", text));
            }
            if self.client_nonce.is_some() {
                let text = "client nonce is typed without qop, expected both or neither";
                return Err(Error::config("digest_typed_client_nonce", text));
            }
            if self.algorithm.is_some_and(DigestAlgorithm::is_session) {
                let text = "algorithm is a -sess form without qop, expected one beside it";
                return Err(Error::config("digest_typed_algorithm", text));
            }
        }
        let texts = [
            ("realm", Some(self.realm)),
            ("nonce", Some(self.nonce)),
            ("client nonce", self.client_nonce),
            ("opaque", self.opaque),
        ];
        for (name, text) in texts {
            check_text(name, "digest_typed_control", text.unwrap_or_default().as_bytes())?;
        }
        if self.client_nonce.is_some_and(str::is_empty) {
            let text = "client nonce is empty, expected some characters or none typed";
            return Err(Error::config("digest_typed_client_nonce", text));
        }
        let drawn;
        let cnonce = match self.client_nonce {
            Some(typed) => typed.as_bytes(),
            None => {
                drawn = super::cnonce(random)?;
                drawn.as_bytes()
            }
        };
        let terms = Arc::new(Terms::typed(self, user));
        let first = self.nonce_count.unwrap_or(NonceCount::FIRST);
        let nonce = self.nonce.as_bytes();
        Ok(AuthenticationSession::begin(terms, nonce, cnonce, first, self.counting))
    }
}

#[cfg(test)]
mod tests;
