//! Master keys in this process.

use super::{KeyWrapper, WrappedKey, push_number, sealed::check_key_id};
use auth_core::{Error, Flow, Random, Result, Secret};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::{fmt, sync::Arc};

/// Wraps data keys under a master key in the memory of this process (AES-256-GCM).
///
/// The key is passed in: a program reads it from a file, from the keyring of the system or from a vault.
///
/// To replace a master key, pass the new one here and the old one to [`with_older_key`](Self::with_older_key), in every
/// process before the first of them wraps with the new one; then [rewrap](crate::EnvelopeSealer::rewrap) all records.
///
/// # Security
///
/// - The key is 32 random bytes that are used for nothing else, kept apart from the database and its backups.
/// - Each wrapping draws a nonce of 96 random bits, and there is one wrapping for each secret that is sealed or
///   rewrapped. Replace the key before all processes together have wrapped 2^32 times, which is four thousand million
///   (NIST SP 800-38D section 8.3).
/// - The key's identifier is bound to what it wraps, so no record can be made to name another key.
/// - The copy of the key inside is not wiped.
pub struct LocalKeyWrapper {
    newest: MasterKey,
    older: Vec<MasterKey>,
    random: Arc<dyn Random>,
}

struct MasterKey {
    id: Arc<str>,
    key: LessSafeKey,
}

/// The version of the form of a wrapped key, which is its first byte: version, nonce, ciphertext, tag.
const VERSION: u8 = 1;

impl LocalKeyWrapper {
    /// Wraps and unwraps with this key of 32 bytes; nonces come from `random`.
    ///
    /// Choose an identifier that says which key it is (`2026-11`): records name it, and it is no secret.
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `lifecycle_envelope_key_id` when the identifier is not 1 to 255 visible ASCII
    /// characters, and `lifecycle_envelope_key_length` when the key has another length.
    pub fn new(
        key_id: impl Into<Arc<str>>,
        key: &Secret,
        random: impl Random + 'static,
    ) -> Result<Self> {
        let newest = MasterKey::new(key_id.into(), key)?;
        Ok(Self { newest, older: Vec::new(), random: Arc::new(random) })
    }

    /// Unwraps with this key as well: one that was replaced, or one that other processes already wrap with.
    ///
    /// # Errors
    ///
    /// As those of [`new`](Self::new), and `Error::Config` with the code `lifecycle_envelope_key_twice` when another
    /// key has this identifier.
    pub fn with_older_key(mut self, key_id: impl Into<Arc<str>>, key: &Secret) -> Result<Self> {
        let older = MasterKey::new(key_id.into(), key)?;
        if self.find(&older.id).is_some() {
            let id = &older.id;
            let text =
                format!("master key {id:?} is there twice; give each key its own identifier");
            return Err(Error::config("lifecycle_envelope_key_twice", text));
        }
        self.older.push(older);
        Ok(self)
    }

    fn find(&self, id: &str) -> Option<&MasterKey> {
        std::iter::once(&self.newest).chain(&self.older).find(|key| *key.id == *id)
    }

    fn wrap_now(&self, data_key: &Secret) -> Result<WrappedKey> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce)?;
        let MasterKey { id, key } = &self.newest;
        let (unique, about) = (Nonce::assume_unique_for_key(nonce), Aad::from(about(id)));
        let mut wrapped = data_key.expose().to_vec();
        key.seal_in_place_append_tag(unique, about, &mut wrapped).map_err(|_| {
            let text = "data key is too long to be wrapped, expected 32 bytes";
            Error::config("lifecycle_envelope_data_key_long", text)
        })?;
        let bytes = [&[VERSION], &nonce[..], &wrapped].concat();
        Ok(WrappedKey { key_id: id.clone(), bytes })
    }

    fn unwrap_now(&self, wrapped: &WrappedKey) -> Result<Secret> {
        let id = &wrapped.key_id;
        let MasterKey { key, .. } = self.find(id).ok_or_else(|| {
            let text = format!(
                "master key {id:?} wrapped this record and is not known here; pass it to with_older_key"
            );
            Error::config("lifecycle_envelope_key_unknown", text)
        })?;
        open(key, id, &wrapped.bytes).ok_or_else(|| {
            let text = format!(
                "data key does not open under master key {id:?}: another key had this identifier, a newer version \
                 wrapped it, or it was changed; pass the key that it was wrapped under, or restore this record"
            );
            Error::config("lifecycle_envelope_key_wrong", text)
        })
    }
}

impl MasterKey {
    fn new(id: Arc<str>, key: &Secret) -> Result<Self> {
        check_key_id(&id)?;
        let key = UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| {
            let bytes = key.expose().len();
            let text = format!(
                "master key {id:?} has {bytes} bytes, expected 32 random ones; decode it first if it is Base64 or hex"
            );
            Error::config("lifecycle_envelope_key_length", text)
        })?;
        Ok(Self { id, key: LessSafeKey::new(key) })
    }
}

fn open(key: &LessSafeKey, id: &str, bytes: &[u8]) -> Option<Secret> {
    let (&[VERSION], rest) = bytes.split_first_chunk::<1>()? else { return None };
    let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>()?;
    let mut data_key = rest.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let length = key.open_in_place(nonce, Aad::from(about(id)), &mut data_key).ok()?.len();
    data_key.truncate(length);
    Some(Secret::new(data_key))
}

/// The associated data: the version, and the identifier with its length.
fn about(id: &str) -> Vec<u8> {
    let mut bytes = b"messaging-auth wrapped key\0".to_vec();
    bytes.push(VERSION);
    push_number(&mut bytes, id.len());
    bytes.extend_from_slice(id.as_bytes());
    bytes
}

/// It only computes: its flows are ready.
impl KeyWrapper for LocalKeyWrapper {
    fn newest_key_id(&self) -> Arc<str> {
        self.newest.id.clone()
    }

    fn wrap_key(&self, data_key: &Secret) -> Flow<'_, WrappedKey> {
        self.wrap_now(data_key).into()
    }

    fn unwrap_key(&self, wrapped: &WrappedKey) -> Flow<'_, Secret> {
        self.unwrap_now(wrapped).into()
    }
}

/// Shows which keys there are, and nothing of them.
impl fmt::Debug for LocalKeyWrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let older: Vec<_> = self.older.iter().map(|key| &key.id).collect();
        let mut shown = f.debug_struct("LocalKeyWrapper");
        shown.field("newest", &self.newest.id).field("older", &older).finish_non_exhaustive()
    }
}
