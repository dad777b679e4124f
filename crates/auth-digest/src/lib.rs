//! HTTP Digest.

mod algorithm;
mod ha1;
mod hash;
mod qop;
mod response;

pub use algorithm::{Algorithm, HashFunction};
pub use ha1::{Ha1, SessionHa1};
pub use hash::Hex;
pub use qop::{NonceCount, Offered, Qop};
pub use response::{BodyHash, BodyHasher, Count, Message, Protection, userhash};
