//! Keys: each is for one algorithm, and parsed once.

mod der;
mod pem;
mod secret;
mod signing;
mod verifying;

pub use signing::SigningKey;
#[cfg(test)]
pub(crate) use verifying::VERIFIED;
pub use verifying::{InvalidSignature, VerifyingKey};
