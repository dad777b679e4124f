//! Keys: each is for one algorithm, and parsed once.

mod der;
mod pem;
mod secret;
mod signing;
mod verifying;

pub use signing::SigningKey;
pub use verifying::{Invalid, VerifyingKey};

use auth_core::{Cause, Error};

/// Somebody gave a key that will not do.
pub(crate) fn config(
    code: &'static str,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::Config(Cause::new(code, error))
}
