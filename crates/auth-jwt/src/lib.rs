//! JSON Web Tokens (RFC 7519) signed by JWS (RFC 7515), on both ends, strict by default (RFC 8725).
//!
//! For programs that mint tokens to log in with, and for servers that verify those of others.
//!
//! # What it does not do
//!
//! It encrypts nothing (JWE), has no unsecured tokens (`none`), and signs no JSON serialization: compact tokens only.

mod algorithm;
#[expect(dead_code, reason = "what reads with it comes next")]
mod json;

pub use algorithm::Algorithm;
