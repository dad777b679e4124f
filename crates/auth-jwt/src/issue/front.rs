//! What every token of one kind and one algorithm begins with.

use super::ClaimsToSign;
use crate::{JwsAlgorithm, base64url};

/// The header, a dot, and of the claims what comes before the first that changes: encoded once.
#[derive(Clone)]
pub(super) struct Front {
    pub(super) algorithm: JwsAlgorithm,
    pub(super) encoded: Vec<u8>,
    /// The end of these claims, which does not fill three bytes: it is encoded with what follows.
    pub(super) rest: Vec<u8>,
}

impl Front {
    pub(super) fn of(claims: &ClaimsToSign, algorithm: JwsAlgorithm) -> Self {
        let header =
            ["{\"alg\":\"", algorithm.name(), "\"", &claims.typ, &claims.kid, "}"].concat();
        let mut encoded = Vec::new();
        base64url::encode_into(header.as_bytes(), &mut encoded);
        encoded.push(b'.');
        let issuer = claims.issuer.replacen(',', "{", 1);
        let (whole, rest) = issuer.as_bytes().split_at(issuer.len() - issuer.len() % 3);
        base64url::encode_into(whole, &mut encoded);
        Self { algorithm, encoded, rest: rest.to_vec() }
    }
}
