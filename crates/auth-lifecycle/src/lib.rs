//! Credentials that a platform issues, from their creation to their end.

mod envelope;
mod token_text;

pub use envelope::{
    EnvelopePlace, EnvelopeSealer, KeyWrapper, LocalKeyWrapper, Sealed, WrappedKey,
};
pub use token_text::{ParsedToken, TokenFormat, TokenText, masked_token};
