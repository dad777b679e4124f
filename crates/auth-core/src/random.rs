//! Randomness as a value.

use crate::{Error, Result};
use ring::rand::SecureRandom;
use std::sync::Arc;

/// Gives random bytes: nonces, identifiers, jitter. Nothing here finds randomness in any other way.
///
/// # Security
///
/// Whatever is not a test needs the operating system's generator, [`SystemRandom`].
pub trait Random: Send + Sync {
    /// Fills all of `bytes`.
    ///
    /// # Errors
    ///
    /// `Error::Unavailable` when the generator has none; nothing of `bytes` may then be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;
}

/// The generator of the operating system.
#[derive(Clone, Debug)]
pub struct SystemRandom(ring::rand::SystemRandom);

impl SystemRandom {
    /// The generator; nothing is opened or read before it is first asked.
    #[must_use]
    pub fn new() -> Self {
        Self(ring::rand::SystemRandom::new())
    }
}

impl Default for SystemRandom {
    fn default() -> Self {
        Self::new()
    }
}

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        let text = "the system's random generator gave no bytes";
        self.0.fill(bytes).map_err(|_| Error::unavailable("random_unavailable", None, text))
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<R: Random + ?Sized> Random for $pointer<R> {
            fn fill(&self, bytes: &mut [u8]) -> Result<()> {
                (**self).fill(bytes)
            }
        }
    )*};
}

forward!(Arc, Box);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let (mut a, mut b) = ([0; 32], [0; 32]);
        SystemRandom::new().fill(&mut a).unwrap();
        SystemRandom::new().fill(&mut b).unwrap();
        assert_ne!(a, b);
    }
}
