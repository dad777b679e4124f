//! The form in which a sealed secret is stored.

use super::{EnvelopeSealer, WrappedKey};
use auth_core::{Error, Result};
use ring::aead::AES_256_GCM;
use std::{fmt, str, sync::Arc};

/// A sealed secret: what a store keeps of it.
///
/// It holds its wrapped data key, the identifier of the master key that wrapped it, and the encrypted secret, and says
/// nothing about whose secret it is: the record beside it does.
///
/// The bytes are: the version (1), the length of the key's identifier in one byte, the identifier, the length of the
/// wrapped key in two bytes (big-endian), the wrapped key, and the encrypted secret with its tag of 16 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    wrapped_key: WrappedKey,
    ciphertext: Vec<u8>,
}

pub(super) const VERSION: u8 = 1;

const MOST_WRAPPED_BYTES: usize = 4096;

impl Sealed {
    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `lifecycle_envelope_version` when another version of this library wrote it, and
    /// `lifecycle_envelope_syntax` when it is cut off or longer than any sealed secret.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let syntax = || {
            let text =
                "sealed secret is cut off, too long or not one; restore this record from a backup";
            Error::config("lifecycle_envelope_syntax", text)
        };
        let (version, rest) = bytes.split_first().ok_or_else(syntax)?;
        if *version != VERSION {
            let text = format!(
                "sealed secret has version {version}, expected {VERSION}; use the version of the program that wrote it"
            );
            return Err(Error::config("lifecycle_envelope_version", text));
        }
        Self::read(rest).ok_or_else(syntax)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first()?;
        let (key_id, rest) = rest.split_at_checked(usize::from(*length))?;
        let key_id = Arc::from(str::from_utf8(key_id).ok()?);
        let (length, rest) = rest.split_first_chunk()?;
        let (wrapped, ciphertext) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let tag = AES_256_GCM.tag_len();
        let lengths = tag..=EnvelopeSealer::MOST_SECRET_BYTES.saturating_add(tag);
        if !lengths.contains(&ciphertext.len()) {
            return None;
        }
        Self::new(WrappedKey { key_id, bytes: wrapped.to_vec() }, ciphertext.to_vec()).ok()
    }

    /// The bytes to store, at most 70 KiB.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let WrappedKey { key_id, bytes } = &self.wrapped_key;
        let id_length = u8::try_from(key_id.len()).unwrap_or(u8::MAX);
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes();
        [&[VERSION, id_length], key_id.as_bytes(), &length, bytes, &self.ciphertext].concat()
    }

    /// The identifier of the master key that wrapped the data key: while a key is being replaced, it tells the records
    /// that are still to be rewrapped.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.wrapped_key.key_id
    }

    /// Whatever this takes, `to_bytes` writes and `from_bytes` reads.
    pub(super) fn new(wrapped_key: WrappedKey, ciphertext: Vec<u8>) -> Result<Self> {
        check_key_id(&wrapped_key.key_id)?;
        if !(1..=MOST_WRAPPED_BYTES).contains(&wrapped_key.bytes.len()) {
            let bytes = wrapped_key.bytes.len();
            let text = format!(
                "wrapped data key has {bytes} bytes, expected 1 to {MOST_WRAPPED_BYTES}; mend the key wrapper"
            );
            return Err(Error::config("lifecycle_envelope_wrapped_key", text));
        }
        Ok(Self { wrapped_key, ciphertext })
    }

    pub(super) fn wrapped_key(&self) -> &WrappedKey {
        &self.wrapped_key
    }

    pub(super) fn ciphertext(&self) -> &[u8] {
        &self.ciphertext
    }
}

/// Master keys are named in records and in errors, so their names are short and can be shown.
pub(super) fn check_key_id(id: &str) -> Result<()> {
    if (1..=255).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let text =
        "identifier of a master key is not 1 to 255 visible ASCII characters; choose another";
    Err(Error::config("lifecycle_envelope_key_id", text))
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(..)")
    }
}
