//! JSON Web Tokens (RFC 7519) signed by JWS (RFC 7515), on both ends, strict by default (RFC 8725).
//!
//! For programs that mint tokens to log in with, and for servers that verify those of others.
//!
//! | | |
//! |---|---|
//! | [`Mint`], [`ClaimsToSign`] | the client: mints a token for every request |
//! | [`Verifier`], [`Policy`] | the server: who is calling, and what claims have to say |
//! | [`SigningKey`], [`VerifyingKey`], [`Jwk`], [`JwkSet`] | keys, each for one algorithm, parsed once |
//! | [`Jwks`] | keys that an issuer publishes, fetched and kept through outages |
//! | [`Unverified`], [`Signed`], [`Claims`] | the steps from text to what may be believed, for who brings no `Verifier` |
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
//! use auth_jwt::{Algorithm, ClaimsToSign, KeyId, Mint, Policy, SigningKey, Verifier};
//! use http::{HeaderMap, Method, Uri};
//! use std::{collections::HashMap, time::Duration};
//!
//! let key = SigningKey::from_secret(Algorithm::HS256, b"a secret of the service: 32 bytes or more")?;
//! let service = KeyId { issuer: Some("service".into()), kid: None };
//! let keys = HashMap::from([(service, Candidates::one(key.verifying(), "acme"))]);
//! let door = Verifier::new("api", Policy::new(), keys, SystemClock)?;
//!
//! let claims = ClaimsToSign::expiring_in(Duration::from_secs(300))?.issuer("service");
//! let mint = Mint::new(key, claims, SystemClock);
//!
//! // What a client adapter does for every request, and then a server adapter:
//! let (mut uri, mut headers) = (Uri::from_static("https://api.example/v1"), HeaderMap::new());
//! let credentials = mint.credentials(RequestView::new(&Method::POST, &uri, &headers)).wait()?;
//! credentials.commit(&mut uri, &mut headers)?;
//! let outcome = door.verify(RequestView::new(&Method::POST, &uri, &headers)).wait()?;
//! let principal = outcome.unwrap().principal;
//! assert_eq!((principal.claims.issuer(), principal.caller), (Some("service"), "acme"));
//! # Ok::<_, auth_core::Error>(())
//! ```

mod algorithm;
mod base64url;
mod candidates;
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
mod jwks;
mod key;
mod mint;
mod policy;
pub mod profiles;
mod reason;
mod verifier;

pub use algorithm::Algorithm;
pub use candidates::Candidates;
pub use claims::Claims;
pub use compact::{KeyId, Signed, Unverified};
pub use header::Header;
pub use issue::{ClaimsToSign, Minted};
pub use jwk::{Jwk, JwkSet};
pub use jwks::{Jwks, JwksBuilder};
pub use key::{Invalid, SigningKey, VerifyingKey};
pub use mint::{Jwt, Mint};
pub use policy::{Claim, Dates, Expiry, Policy, Signer, SubjectType};
pub use reason::Refused;
pub use verifier::{JwtPrincipal, Verifier};

#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/jwt.md")]
mod guide {}
#[cfg(all(doctest, feature = "jsonwebtoken"))]
#[doc = include_str!("../../../docs/guide/from-jsonwebtoken.md")]
mod from_jsonwebtoken {}
