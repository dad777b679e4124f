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
    algorithms: Vec<DigestAlgorithm>,
    md5: Md5Allowed,
    pub(super) protection: OfferedQop,
    pub(super) userhash: bool,
    utf8: bool,
    domain: Option<Box<str>>,
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
    /// Offers these algorithms, the strongest first whatever their order, instead of SHA-256. Every user needs a secret
    /// of the strongest one that its client knows, since that is what it answers.
    ///
    /// # Errors
    ///
    /// `Error::Config` when there is none, or a `-sess` form where there is no qop.
    pub fn with_algorithms(mut self, algorithms: &[DigestAlgorithm]) -> Result<Self> {
        self.offer.algorithms = algorithms.to_vec();
        self.offer.algorithms.sort_by_key(|algorithm| std::cmp::Reverse(algorithm.function()));
        self.checked()
    }

    /// Where MD5 is good enough, where it is offered at all. Behind a proxy that ends TLS the server's adapter has to
    /// know that the client's connection is encrypted.
    #[must_use]
    pub fn with_md5(mut self, md5: Md5Allowed) -> Self {
        self.offer.md5 = md5;
        self
    }

    /// Offers these qualities of protection instead of `auth`. [`OfferedQop::Legacy`] is for clients of RFC 2069 alone:
    /// each nonce then serves once.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is [`OfferedQop::Unknown`], or there is no qop and a `-sess` algorithm.
    pub fn with_qop(mut self, protection: OfferedQop) -> Result<Self> {
        self.offer.protection = protection;
        self.checked()
    }

    /// Takes the hash of a user's name for its name (RFC 7616 section 3.4.4), and asks for it. Names are still taken.
    #[must_use]
    pub fn with_userhash(mut self) -> Self {
        self.offer.userhash = true;
        self
    }

    /// Does not say that names are in UTF-8, though they are: for clients that trip over `charset`.
    #[must_use]
    pub fn without_charset(mut self) -> Self {
        self.offer.utf8 = false;
        self
    }

    /// Says which URIs belong together, apart by spaces (RFC 7616 section 3.3); all of the server unless set.
    ///
    /// # Errors
    ///
    /// `Error::Config` when no field can hold it.
    pub fn with_domain(mut self, domain: &str) -> Result<Self> {
        self.offer.domain = Some(domain.into());
        self.checked()
    }

    /// How far a count may be behind the highest one of its nonce: 128 unless set, and at most.
    #[must_use]
    pub fn with_window(self, width: u32) -> Self {
        Self { window: width.clamp(1, 128), ..self }
    }

    /// How long a body may be that is read to check or prove it under `auth-int`; 1 MiB unless set.
    #[must_use]
    pub fn with_body_limit(self, bytes: usize) -> Self {
        Self { most_body: bytes, ..self }
    }

    fn checked(self) -> Result<Self> {
        self.offer.check(&self.realm)?;
        Ok(self)
    }

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
    "only MD5 is offered, and not over a connection that is not encrypted",
);
