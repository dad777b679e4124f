//! Keys: each is for one algorithm, and parsed once.

mod der;
mod pem;
mod rejected;
mod rsa;
mod secret;
mod signing;
mod verifying;

pub use signing::SigningKey;
pub use verifying::{InvalidSignature, VerifyingKey};
