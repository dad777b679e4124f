//! JSON Web Tokens (RFC 7519) signed by JWS (RFC 7515), on both ends, strict by default (RFC 8725).
//!
//! For programs that sign tokens to log in with, and for servers that verify those of others.
//!
//! | | |
//! |---|---|
//! | [`JwtAuthenticator`], [`ClaimsToSign`] | the client: signs a token for every request |
//! | [`JwtVerifier`], [`JwtPolicy`] | the server: who is calling, and what claims have to say |
//! | [`SigningKey`], [`VerifyingKey`], [`Jwk`], [`JwkSet`] | keys, each for one algorithm, parsed once |
//! | [`RemoteJwkSet`] | keys that an issuer publishes, fetched and kept through outages |
//! | [`UnverifiedJws`], [`VerifiedJws`], [`Claims`] | the steps from text to claims that may be believed, for programs that use no `JwtVerifier` |
//! | [`profiles`] | ready policies for Webex Connect services and Symphony log-ins |
//!
//! # What it does not do
//!
//! It encrypts nothing (JWE), has no unsecured tokens (`none`), and signs no JSON serialization: compact tokens only. It
//! does not judge certificates, and it keeps no tokens: a session does.
//!
//! # Both ends
//!
//! ```
//! use auth_core::{Authenticator, Candidates, RequestView, SystemClock, Verifier as _};
//! use auth_jwt::{JwsAlgorithm, ClaimsToSign, KeyId, JwtAuthenticator, JwtPolicy, SigningKey, JwtVerifier};
//! use http::{HeaderMap, Method, Uri};
//! use std::{collections::HashMap, time::Duration};
//!
//! let key = SigningKey::from_secret(JwsAlgorithm::HS256, b"a secret of the service: 32 bytes or more")?;
//! let service = KeyId { issuer: Some("service".into()), kid: None };
//! let keys = HashMap::from([(service, Candidates::one(key.verifying(), "acme"))]);
//! let door = JwtVerifier::new("api", JwtPolicy::new(), keys, SystemClock)?;
//!
//! let claims = ClaimsToSign::expiring_in(Duration::from_secs(300))?.with_issuer("service");
//! let authenticator = JwtAuthenticator::new(key, claims, SystemClock);
//!
//! // What a client adapter does for every request, and then a server adapter:
//! let (mut uri, mut headers) = (Uri::from_static("https://api.example/v1"), HeaderMap::new());
//! let credentials = authenticator.credentials(RequestView::new(&Method::POST, &uri, &headers)).wait()?;
//! credentials.commit(&mut uri, &mut headers)?;
//! let outcome = door.verify(RequestView::new(&Method::POST, &uri, &headers)).wait()?;
//! let principal = outcome.unwrap().principal;
//! assert_eq!((principal.claims.issuer(), principal.caller), (Some("service"), "acme"));
//! # Ok::<_, auth_core::Error>(())
//! ```

mod algorithm;
mod authenticator;
mod base64url;
mod claims;
mod compact;
pub mod dangerous;
#[cfg(test)]
mod forged;
mod header;
mod issue;
mod json;
#[cfg(feature = "jsonwebtoken")]
pub mod jsonwebtoken;
mod jwk;
mod key;
mod key_header;
mod keys;
mod policy;
pub mod profiles;
mod reason;
mod remote;
mod verifier;

// What the signatures of this crate need of `auth-core`, so that a program can depend on this crate alone.
pub use auth_core::{
    Accepted, AttemptLimit, Authenticator, Caller, Candidate, Candidates, Clock, Context,
    Credentials, Error, Exchange, Flow, Lookup, MemoryAttemptLimits, MemoryReplayStore, Once,
    OriginBound, Outcome, Presence, PresentableToken, Random, Reason, Rejection, ReplayStore,
    RequestView, Result, Scopes, SystemClock, SystemRandom, Timestamp, Token, TokenSource,
    Transport, Unique, Verifier,
};

pub use algorithm::JwsAlgorithm;
pub use authenticator::{Jwt, JwtAuthenticator};
pub use claims::Claims;
pub use compact::{KeyId, UnverifiedJws, VerifiedJws};
pub use header::JwsHeader;
pub use issue::{ClaimsToSign, SignedJwt};
pub use jwk::{Jwk, JwkSet, LeftOutKey};
pub use key::{InvalidSignature, SigningKey, VerifyingKey};
pub use key_header::KeyHeader;
pub use keys::JwtKeys;
pub use policy::{DatePrecision, Expiry, JwtPolicy, RequiredClaim, SignerClaim, SubjectJsonType};
pub use reason::JwtRefused;
pub use remote::{RemoteJwkSet, RemoteJwkSetBuilder};
pub use verifier::{JwtPrincipal, JwtVerifier};

#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/jwt.md")]
mod guide {}
#[cfg(all(doctest, feature = "jsonwebtoken"))]
#[doc = include_str!("../../../docs/guide/from-jsonwebtoken.md")]
mod from_jsonwebtoken {}
