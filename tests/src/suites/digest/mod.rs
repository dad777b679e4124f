//! HTTP Digest: the examples of its RFCs, our client against servers, and clients against our verifier.

pub mod clients;
pub mod doors;
pub mod rfc;
pub mod servers;
pub mod start;
mod tunnel;
mod wire;

/// The account, everywhere.
const USER: &str = "alice";
const PASSWORD: &str = "s3cret";
const REALM: &str = "realm1";
