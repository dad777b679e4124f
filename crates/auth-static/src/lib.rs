//! Credentials that are sent as they are: none, Basic (RFC 7617), API key, Bearer (RFC 6750). Both ends of each.
//!
//! For programs that call an API with a password, a key or a token, and for servers and webhook receivers that verify
//! such callers.
//!
//! | scheme | the client sends | the server |
//! |---|---|---|
//! | none | [`NoAuth`]: nothing | [`NoAuth`]: accepts everybody, by name |
//! | Basic | [`Basic`] | [`BasicVerifier`] over [`BasicAccounts`], or over Argon2id hashes (feature `argon2`) |
//! | API key | [`ApiKey`], in a header, behind a scheme word or in the query: [`Placement`] | [`ApiKeyVerifier`] |
//! | Bearer | [`Bearer`] | [`BearerVerifier`] |
//!
//! Keys and tokens are found by a keyed hash of them, [`KeyHasher`]; a map of those is [`FixedKeys`].
//!
//! # What it does not do
//!
//! It obtains and renews nothing: a token that expires is for a session to keep. It does not read JWTs, sign requests,
//! or know a platform. It does not encrypt: an attacker who reads a request can send it again, so send it over TLS; the
//! client adapters refuse to do otherwise. Bearer tokens are read from the `Authorization` field alone: the form and
//! query methods of RFC 6750 sections 2.2 and 2.3 are not offered.
//!
//! # The client's end
//!
//! ```
//! use auth_core::{Authenticator, RequestView};
//! use auth_static::{ApiKey, Placement};
//! use http::{HeaderMap, Method, Uri};
//!
//! let key = ApiKey::new(Placement::scheme("App")?, "003026bbc133714df1834b8638bb496e")?;
//!
//! // What a client adapter does for every request:
//! let (mut uri, mut headers) = (Uri::from_static("https://api.example.com/sms"), HeaderMap::new());
//! let credentials = key.credentials(RequestView::new(&Method::POST, &uri, &headers)).wait()?;
//! credentials.commit(&mut uri, &mut headers)?;
//! assert_eq!(headers["authorization"], "App 003026bbc133714df1834b8638bb496e");
//! # Ok::<_, auth_core::Error>(())
//! ```
//!
//! # The server's end
//!
//! ```
//! use auth_core::{RequestView, SystemRandom, Verifier};
//! use auth_static::{ApiKeyVerifier, FixedKeys, KeyHasher, Placement};
//! use http::{HeaderMap, HeaderValue, Method, Uri, header::AUTHORIZATION};
//!
//! let hasher = KeyHasher::random(&SystemRandom::new())?;
//! let keys = FixedKeys::new(&hasher, [("003026bbc133714df1834b8638bb496e", "acme")]);
//! let door = ApiKeyVerifier::new("sms", Placement::scheme("App")?, hasher, keys)?;
//!
//! // What a server adapter does for every request:
//! let (uri, mut headers) = (Uri::from_static("/sms"), HeaderMap::new());
//! headers.insert(AUTHORIZATION, HeaderValue::from_static("app 003026bbc133714df1834b8638bb496e"));
//! let outcome = door.verify(RequestView::new(&Method::POST, &uri, &headers)).wait()?;
//! assert_eq!(outcome.unwrap().principal, "acme");
//! # Ok::<_, auth_core::Error>(())
//! ```
//!
//! # The modules, in reading order
//!
//! | | |
//! |---|---|
//! | none | no credentials, said by name |
//! | bearer | the shortest whole scheme: client, verifier, the errors of RFC 6750 |
//! | keys | finding high-entropy keys by a keyed hash |
//! | api_key | the three places a key can be in |
//! | basic | user and password: parse, check, limit |

mod api_key;
mod basic;
mod bearer;
mod field;
mod keys;
mod none;
#[cfg(test)]
mod shown;

// What the signatures of this crate need of `auth-core`, so that a program can depend on this crate alone.
pub use auth_core::{
    Accepted, Attempt, AttemptLimit, AttemptOutcome, Authenticator, Authorization, Candidate,
    Candidates, Credentials, Error, Flow, InlineWorkers, KeyDigest, KeyHasher, Lookup,
    MemoryAttemptLimits, OriginBound, Outcome, Presence, Random, Reason, Rejection, RequestView,
    Result, Secret, SystemClock, SystemRandom, Verifier, Workers,
};

pub use api_key::{ApiKey, ApiKeyVerifier, ParameterName, Placement, SchemeWord};
#[cfg(feature = "argon2")]
pub use basic::{Argon2Concurrency, Argon2Cost, Argon2Passwords, PasswordHash, SlowHash};
pub use basic::{
    Basic, BasicAccounts, BasicRefused, BasicVerifier, Passwords, UserPass, UserPassBuffer,
};
pub use bearer::{Bearer, BearerVerifier};
pub use keys::FixedKeys;
pub use none::{Anonymous, NoAuth};

#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/static.md")]
mod guide {}
