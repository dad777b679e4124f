//! The server's side: sessions that a platform gives, and judges.

mod endpoint;
mod sessions;
mod verifier;

pub use endpoint::{SessionAnswer, SessionEndpoint};
pub use sessions::{CreateOutcome, NewSession, Sessions, UserPassword};
pub use verifier::IbssoVerifier;
