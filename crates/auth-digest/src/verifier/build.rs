//! Making a verifier, and what can be set.

use super::{DigestVerifier, decoy::Decoys, offer::Offer};
use crate::{DigestAlgorithm, Md5Allowed, Nonces, OfferedQop};
use auth_core::{AttemptLimit, ReplayStore, Result, TenantId};
use std::sync::Arc;

impl<L> DigestVerifier<L> {
    /// A verifier for a realm.
    ///
    /// # Errors
    ///
    /// `Error::Config` when no field can hold the realm, or that of the randomness.
    pub fn new(
        realm: &str,
        accounts: L,
        nonces: Nonces,
        replay: impl ReplayStore + 'static,
    ) -> Result<Self> {
        let verifier = Self {
            realm: realm.into(),
            accounts,
            opaque: nonces.opaque(realm),
            decoys: Decoys::new(nonces.random())?,
            nonces,
            replay: Arc::new(replay),
            offer: Offer::new(),
            window: 128,
            most_body: 1024 * 1024,
            limit: None,
            tenant: None,
        };
        verifier.offer.check(realm)?;
        Ok(verifier)
    }

    /// For this tenant, where several share the replay store: none of them uses up the counts of another.
    #[must_use]
    pub fn with_tenant(self, tenant: TenantId) -> Self {
        Self { tenant: Some(tenant), ..self }
    }

    /// With a limit to wrong responses, of each source and of each user name: beyond it callers get a 429 with
    /// `Retry-After`, before a user is looked up.
    #[must_use]
    pub fn with_limit(self, limit: AttemptLimit) -> Self {
        Self { limit: Some(limit), ..self }
    }

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
}
