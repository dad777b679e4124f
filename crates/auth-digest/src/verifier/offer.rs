//! What a verifier offers, and how it asks for it.

use super::DigestVerifier;
use crate::{
    DigestAlgorithm, DigestChallenge, DigestRefusalKind, DigestRefused, HashFunction, Md5Allowed,
    NamedAlgorithm, OfferedQop,
};
use auth_core::{Challenge, Error, Peer, Reason, Rejection, RequestView, Result};
use std::fmt;

/// What is in every challenge.
pub(super) struct Offer {
    /// The strongest first.
    pub(super) algorithms: Vec<DigestAlgorithm>,
    pub(super) md5: Md5Allowed,
    pub(super) protection: OfferedQop,
    pub(super) userhash: bool,
    pub(super) utf8: bool,
    pub(super) domain: Option<Box<str>>,
}

impl Offer {
    pub(super) fn new() -> Self {
        Self {
            algorithms: vec![DigestAlgorithm::Sha256],
            md5: Md5Allowed::Confidential,
            protection: OfferedQop::Auth,
            userhash: false,
            utf8: true,
            domain: None,
        }
    }

    /// Is this algorithm offered to such a peer?
    pub(super) fn has(&self, algorithm: DigestAlgorithm, peer: Peer<'_>) -> bool {
        let confidential =
            || peer.encrypted || peer.address.is_some_and(|it| it.to_canonical().is_loopback());
        let good_enough = match self.md5 {
            _ if algorithm.function() != HashFunction::Md5 => true,
            Md5Allowed::Anywhere => true,
            Md5Allowed::Confidential => confidential(),
            Md5Allowed::Never => false,
        };
        good_enough && self.algorithms.contains(&algorithm)
    }

    /// Can it be written, and does it go together?
    pub(super) fn check(&self, realm: &str) -> Result<()> {
        if self.algorithms.is_empty() {
            return Err(Error::config(
                "digest_offer_algorithms",
                "no algorithm is offered, expected one",
            ));
        }
        if self.protection == OfferedQop::Unknown {
            return Err(Error::config(
                "digest_offer_qop",
                "qop is unknown, expected one that is known",
            ));
        }
        let session = self.algorithms.iter().any(|algorithm| algorithm.is_session());
        if session && self.protection == OfferedQop::Legacy {
            let text = "a -sess algorithm is offered without qop, which has no cnonce for it";
            return Err(Error::config("digest_offer_session", text));
        }
        self.challenge(DigestAlgorithm::Md5, realm, b"", "", DigestRefusalKind::Stale).map(drop)
    }

    fn challenge(
        &self,
        algorithm: DigestAlgorithm,
        realm: &str,
        nonce: &[u8],
        opaque: &str,
        kind: DigestRefusalKind,
    ) -> Result<Challenge> {
        let challenge = DigestChallenge {
            realm: realm.as_bytes().into(),
            nonce: nonce.into(),
            opaque: Some(opaque.as_bytes()),
            domain: self.domain.as_ref().map(|domain| domain.as_bytes().into()),
            stale: kind == DigestRefusalKind::Stale,
            named: NamedAlgorithm::Known(algorithm),
            offered: self.protection,
            utf8: self.utf8,
            userhash: self.userhash,
        };
        challenge.write()
    }
}

impl<L> DigestVerifier<L> {
    /// What a caller is told.
    pub(super) fn refuse(
        &self,
        refused: DigestRefused,
        request: RequestView<'_>,
    ) -> Result<Rejection> {
        let (reason, kind) = (refused.reason(), refused.kind());
        if kind == DigestRefusalKind::Malformed {
            return Ok(Rejection::malformed(reason));
        }
        let nonce = self.nonces.issue(request.peer.address)?;
        let mut rejection: Option<Rejection> = None;
        for algorithm in &self.offer.algorithms {
            if !self.offer.has(*algorithm, request.peer) {
                continue;
            }
            let challenge =
                self.offer.challenge(*algorithm, &self.realm, &nonce, &self.opaque, kind)?;
            rejection = Some(match rejection {
                None => Rejection::unauthenticated(reason, challenge),
                Some(rejection) => rejection.with_challenge(challenge),
            });
        }
        Ok(rejection.unwrap_or_else(|| Rejection::forbidden(IN_THE_CLEAR)))
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, {:?}", self.algorithms, self.protection)
    }
}

const IN_THE_CLEAR: Reason = Reason::new(
    "digest_in_the_clear",
    "only MD5 is offered, and the connection is neither encrypted nor known to be of this machine; give the layer its \
     ConnectionInfo, or set with_md5",
);

#[cfg(test)]
mod tests;
