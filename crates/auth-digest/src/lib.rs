//! HTTP Digest.

mod algorithm;
mod authorization;
mod challenge;
mod client;
mod ha1;
mod hash;
mod info;
mod nonce;
mod parameters;
mod qop;
mod reason;
mod response;
mod username;
mod verifier;

pub use algorithm::{Algorithm, HashFunction};
pub use authorization::{Counted, DigestResponse, Username};
pub use challenge::{DigestChallenge, NamedAlgorithm};
pub use client::{Counting, Digest, Md5, Policy, TypedFields};
pub use ha1::{Ha1, SessionHa1};
pub use hash::Hex;
pub use info::AuthenticationInfo;
pub use nonce::Nonces;
pub use qop::{NonceCount, Offered, Qop};
pub use reason::{Face, Refused};
pub use response::{BodyHash, BodyHasher, Count, Message, Protection, userhash};
pub use verifier::{Accounts, Known, KnownSecret, Name, Principal, Query, Verifier};
