//! One answer to one challenge, for programs that keep no session.

use super::session::{Form, field};
use crate::{
    DigestChallenge, DigestMessage, DigestProtection, Ha1, NamedAlgorithm, OfferedQop, Qop,
    authorization::{Front, rest_length, write_rest},
};
use auth_core::{Error, Result};
use http::HeaderValue;

impl DigestChallenge<'_> {
    /// Answers this challenge once: the value of an `Authorization` or `Proxy-Authorization` field.
    ///
    /// For programs that have a challenge in hand and no [`Digest`](crate::Digest): a `CONNECT` through a proxy, a client
    /// of their own. What it is about decides the quality of protection; `message.nonce` is ignored, the challenge has one. It is
    /// not marked sensitive.
    ///
    /// ```
    /// use auth_digest::{NonceUse, DigestChallenge, DigestMessage, NonceCount, DigestProtection};
    /// let challenge = DigestChallenge::parse(br#"Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256"#)?;
    /// let count = NonceUse { nc: NonceCount::FIRST, cnonce: b"random, and new for each challenge" };
    /// let message = DigestMessage { method: "CONNECT", uri: b"a.example:443", nonce: b"", protection: DigestProtection::Auth(count) };
    /// let field = challenge.respond("alice", b"s3cret", &message)?;
    /// assert!(field.to_str().unwrap().starts_with(r#"Digest username="alice", realm="r", nonce="n""#));
    /// # Ok::<_, auth_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Error::Config` when the algorithm is not implemented, the quality of protection was not offered, or it is a
    /// `-sess` algorithm without one.
    pub fn respond(
        &self,
        user: &str,
        password: &[u8],
        message: &DigestMessage<'_>,
    ) -> Result<HeaderValue> {
        let algorithm = self.algorithm().ok_or_else(|| {
            Error::config(
                "digest_choice_algorithm",
                "algorithm of the challenge is not implemented",
            )
        })?;
        let (qop, count) = match &message.protection {
            DigestProtection::Legacy => (None, None),
            DigestProtection::Auth(count) => (Some(Qop::Auth), Some(count)),
            DigestProtection::AuthInt(count, _) => (Some(Qop::AuthInt), Some(count)),
        };
        let offered = match qop {
            None => self.offered == OfferedQop::Legacy && !algorithm.is_session(),
            Some(qop) => self.offered.has(qop),
        };
        if !offered {
            return Err(Error::config(
                "digest_choice_qop",
                "qop is not one that the challenge offers",
            ));
        }
        let cnonce = count.map_or(&b""[..], |count| count.cnonce);
        let message = DigestMessage { nonce: &self.nonce, ..*message };
        let function = algorithm.function();
        let ha1 = Ha1::new(function, user, &self.realm, password);
        let response = ha1.session(algorithm, &self.nonce, cnonce).response(&message);
        let form = Form::new(self, function, user);
        let front = Front {
            username: &form.write(user),
            realm: &self.realm,
            nonce: &self.nonce,
            algorithm: match self.named {
                NamedAlgorithm::Known(algorithm) => Some(algorithm),
                _ => None,
            },
            opaque: self.opaque,
            counted: qop.map(|qop| (qop, cnonce)),
        };
        // Exactly as long as it gets: the field then keeps it as it is.
        let (nc, response) = (count.map(|count| count.nc), response.as_bytes());
        let length = front.length().saturating_add(rest_length(message.uri, nc, response));
        let mut out = Vec::with_capacity(length);
        front.write(&mut out);
        write_rest(message.uri, nc, response, &mut out);
        field(out)
    }
}

#[cfg(test)]
mod tests;
