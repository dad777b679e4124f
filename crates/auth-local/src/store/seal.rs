//! Tokens at rest: as they are, or encrypted.

use auth_core::{Error, Random, Result, Secret};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::{path::Path, sync::Arc};

pub(super) enum Seal {
    Plain,
    /// AES-256-GCM, with a nonce of its own for every file that is written.
    Encrypted {
        key: Box<LessSafeKey>,
        random: Arc<dyn Random>,
    },
}

/// How a token is written: the first byte says so.
const PLAIN: u8 = 0;
const ENCRYPTED: u8 = 1;

impl Seal {
    pub(super) fn under(key: &Secret, random: Arc<dyn Random>) -> Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM, key.expose());
        let key = key.map_err(|_| {
            let text = "key of a token store has not 32 bytes, expected 32 random ones";
            Error::config("token_store_key", text)
        })?;
        Ok(Self::Encrypted { key: Box::new(LessSafeKey::new(key)), random })
    }

    /// What is written for a token that is saved under this name and fence.
    pub(super) fn close(&self, name: &str, fence: u64, token: &Secret) -> Result<Vec<u8>> {
        match self {
            Self::Plain => Ok([&[PLAIN], token.expose()].concat()),
            Self::Encrypted { key, random } => {
                let mut nonce = [0; NONCE_LEN];
                random.fill(&mut nonce)?;
                let mut sealed = token.expose().to_vec();
                let aad = Aad::from(about(name, fence));
                let nonce_used = Nonce::assume_unique_for_key(nonce);
                key.seal_in_place_append_tag(nonce_used, aad, &mut sealed).map_err(|_| {
                    Error::config("token_store_seal", "token is too long to be encrypted")
                })?;
                Ok([&[ENCRYPTED], &nonce[..], &sealed].concat())
            }
        }
    }

    /// The token that was written under this name and fence, into the file at `path`.
    pub(super) fn open(
        &self,
        name: &str,
        fence: u64,
        sealed: Vec<u8>,
        path: &Path,
    ) -> Result<Secret> {
        let refuse = |what: &str| {
            let text = format!(
                "{} {what}, expected the key it was written with or, to log in anew, no file",
                path.display()
            );
            Error::config("token_store_sealed", text)
        };
        match (self, sealed.split_first()) {
            (Self::Plain, Some((&PLAIN, token))) => Ok(Secret::new(token)),
            (Self::Plain, Some((&ENCRYPTED, _))) => Err(refuse("is encrypted and there is no key")),
            (Self::Encrypted { .. }, Some((&PLAIN, _))) => Err(refuse("is not encrypted")),
            (Self::Encrypted { key, .. }, Some((&ENCRYPTED, rest))) => {
                let unreadable = || refuse("was encrypted with another key, or changed");
                let (nonce, rest) = rest.split_first_chunk().ok_or_else(unreadable)?;
                let mut rest = rest.to_vec();
                let aad = Aad::from(about(name, fence));
                let nonce = Nonce::assume_unique_for_key(*nonce);
                let token = key.open_in_place(nonce, aad, &mut rest).map_err(|_| unreadable())?;
                Ok(Secret::new(&*token))
            }
            _ => Err(refuse("has no token that can be read")),
        }
    }
}

/// What the encryption is bound to: a file that is copied to another name, or an older one put back, does not open.
fn about(name: &str, fence: u64) -> Vec<u8> {
    [b"messaging-auth token ", &fence.to_be_bytes()[..], name.as_bytes()].concat()
}
