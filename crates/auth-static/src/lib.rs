//! Credentials that are sent as they are: none, Basic, API key, Bearer.
//!
//! For clients and servers alike: [`Basic`], [`ApiKey`] and [`Bearer`] authenticate requests, [`basic::Verifier`],
//! [`api_key::Verifier`] and [`bearer::Verifier`] verify them, and [`NoAuth`] says that there is nothing to do.
//!
//! ```
//! use auth_core::{Authenticator, RequestView, SystemRandom, Verifier};
//! use auth_static::{Bearer, KeyHasher, Keys, bearer};
//! use http::{HeaderMap, Method, Uri};
//!
//! let client = Bearer::new("a-long-random-token")?;
//! let (mut uri, mut headers) = (Uri::from_static("https://api.example.com/"), HeaderMap::new());
//! let credentials = client.credentials(RequestView::new(&Method::GET, &uri, &headers)).wait()?;
//! credentials.commit(&mut uri, &mut headers)?;
//!
//! let hasher = KeyHasher::random(&SystemRandom::new())?;
//! let server = bearer::Verifier::new("api", hasher.clone(), Keys::new(&hasher, [("a-long-random-token", 7)]))?;
//! let outcome = server.verify(RequestView::new(&Method::GET, &uri, &headers)).wait()?;
//! assert_eq!(outcome.unwrap().principal, 7);
//! # Ok::<_, auth_core::Error>(())
//! ```
//!
//! Features: `argon2` verifies Basic passwords that people chose, as Argon2id hashes.
//!
//! What it does not do: it obtains no tokens, issues no keys and stores no users; it performs no I/O.

pub mod api_key;
pub mod basic;
pub mod bearer;
mod keys;
mod none;

pub use api_key::{ApiKey, Placement};
pub use basic::Basic;
pub use bearer::Bearer;
pub use keys::{KeyDigest, KeyHasher, Keys};
pub use none::{Anonymous, NoAuth};

fn config(code: &'static str, text: impl Into<String>) -> auth_core::Error {
    auth_core::Error::Config(auth_core::Cause::new(code, text.into()))
}
