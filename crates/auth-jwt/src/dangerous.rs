//! What nobody has verified.
//!
//! For tests, for logs of a program that has both ends, and for clients that look into their own token. A server
//! that decides anything by what is found here lets everybody in.

use crate::{JwsHeader, JwtRefused, UnverifiedJws, reason};
use serde::de::DeserializeOwned;
use std::fmt;

/// Decodes a token, and verifies nothing: neither its signature nor what its claims say.
///
/// It is taken apart as strictly as any token; the payload may be of any kind.
///
/// # Errors
///
/// As [`UnverifiedJws::parse`], or that the payload is not canonical base64url.
///
/// # Security
///
/// The sender of the token wrote all of this.
pub fn decode_unverified(token: &str) -> Result<Decoded, JwtRefused> {
    let unverified = UnverifiedJws::parse(token)?;
    Ok(Decoded { payload: unverified.payload()?, header: unverified.header().clone() })
}

/// What a token says that nobody has verified. Its `Debug` shows the header alone.
#[derive(Clone)]
pub struct Decoded {
    header: JwsHeader,
    payload: Vec<u8>,
}

impl Decoded {
    /// What the header says.
    #[must_use]
    pub const fn header(&self) -> &JwsHeader {
        &self.header
    }

    /// The bytes of the payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Reads the payload as a type of the application.
    ///
    /// # Errors
    ///
    /// `jwt_claims_shape` when it is not of that type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, JwtRefused> {
        serde_json::from_slice(&self.payload).map_err(|_| reason::CLAIMS_SHAPE)
    }
}

impl fmt::Debug for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoded").field("header", &self.header).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_nobody_signed_as_strictly_as_any_token() {
        // {"alg":"HS256"} and {"a":1}, signed by nobody.
        let decoded = decode_unverified("eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.AA").unwrap();
        assert_eq!(decoded.header().algorithm(), crate::JwsAlgorithm::HS256);
        assert_eq!(decoded.payload(), b"{\"a\":1}");
        assert_eq!(decoded.read::<serde_json::Value>().unwrap(), serde_json::json!({ "a": 1 }));
        assert_eq!(decoded.read::<String>().unwrap_err(), reason::CLAIMS_SHAPE);
        let refused = |token| decode_unverified(token).unwrap_err();
        assert_eq!(refused("eyJhbGciOiJub25lIn0.eyJhIjoxfQ."), reason::ALG_NONE);
        assert_eq!(refused("eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfR.AA"), reason::PAYLOAD_BASE64URL);
    }
}
