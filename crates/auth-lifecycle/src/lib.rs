//! Credentials that a platform issues, from their creation to their end.

mod envelope;
#[cfg(feature = "import")]
mod imported_hash;
mod token_text;

pub use envelope::{
    EnvelopePlace, EnvelopeSealer, KeyWrapper, LocalKeyWrapper, Sealed, WrappedKey,
};
#[cfg(feature = "import")]
pub use imported_hash::ImportedHash;
pub use token_text::{ParsedToken, TokenFormat, TokenText, masked_token};
