//! Envelope encryption of the secrets that have to be read again: copies that may be revealed, and secrets that
//! verifiers compute with.

mod key_wrapper;
mod local_key_wrapper;
mod sealed;

pub use key_wrapper::{KeyWrapper, WrappedKey};
pub use local_key_wrapper::LocalKeyWrapper;
pub use sealed::Sealed;

use auth_core::{Error, Flow, Random, Result, Secret, TenantId};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

/// Seals each secret under a data key of its own (AES-256-GCM), and has a [`KeyWrapper`] encrypt that data key.
///
/// A store keeps the [`Sealed`] bytes and needs no key. The master key behind the wrapper may be in this process
/// ([`LocalKeyWrapper`]) or in a key management service, and replacing it does not touch what was sealed: only the
/// data keys are [wrapped anew](Self::rewrap), record by record. A clone seals with the same wrapper.
///
/// # Security
///
/// - Sealed bytes open only [for](EnvelopePlace) the tenant, the group, the credential, the generation and the purpose
///   that they were sealed for, so nobody who can write to the store can put one record in the place of another. An
///   older record of the same place does open: the registry seals once for each generation and purpose.
/// - Each data key is 256 fresh random bits and encrypts one secret once, so no nonce is ever used twice with one key,
///   and the nonce of the secret is zero. The wrapper's master key encrypts one data key for each record;
///   [`LocalKeyWrapper`] says how many are sound.
/// - The length of a secret shows.
/// - Secrets and data keys are wiped when they are dropped. The key schedules of `ring` are not, nor is what was
///   swapped out or dumped.
///
/// ```
/// use auth_core::{Secret, SystemRandom, TenantId};
/// use auth_lifecycle::{EnvelopePlace, EnvelopeSealer, LocalKeyWrapper, Sealed};
///
/// # fn with(master_key: &Secret) -> auth_core::Result<()> {
/// let wrapper = LocalKeyWrapper::new("2026", master_key, SystemRandom::new())?;
/// let sealer = EnvelopeSealer::new(wrapper, SystemRandom::new());
/// let tenant = TenantId::new("acme");
/// let place = EnvelopePlace {
///     tenant: &tenant,
///     group: &["billing", "service_key"],
///     credential: "k7",
///     generation: 1,
///     purpose: "reveal",
/// };
/// let row = sealer.seal(place, &Secret::from("the service key")).wait()?.to_bytes();
///
/// let sealed = Sealed::from_bytes(&row)?;
/// assert!(sealer.open(place, &sealed).wait()?.matches(b"the service key"));
/// let elsewhere = EnvelopePlace { generation: 2, ..place };
/// assert_eq!(sealer.open(elsewhere, &sealed).wait().unwrap_err().code(), "lifecycle_envelope_broken");
/// # Ok(())
/// # }
/// # with(&Secret::new([7; 32])).unwrap();
/// ```
#[derive(Clone)]
pub struct EnvelopeSealer {
    wrapper: Arc<dyn KeyWrapper>,
    random: Arc<dyn Random>,
}

/// What sealed bytes are for: they open for the same five alone. None of them is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvelopePlace<'a> {
    /// The tenant that the credential belongs to.
    pub tenant: &'a TenantId,
    /// The parts that name the credential's group, such as its service and its kind.
    pub group: &'a [&'a str],
    /// The identifier of the credential.
    pub credential: &'a str,
    /// The generation of the credential's secret.
    pub generation: u64,
    /// What the secret is read again for: `verify`, `reveal`.
    pub purpose: &'static str,
}

const DATA_KEY_BYTES: usize = 32;

impl EnvelopeSealer {
    /// The longest secret that is sealed, in bytes: 64 KiB, several times the longest private key in PEM.
    pub const MOST_SECRET_BYTES: usize = 64 * 1024;

    /// Has data keys from `random` wrapped by this wrapper.
    pub fn new(wrapper: impl KeyWrapper + 'static, random: impl Random + 'static) -> Self {
        Self { wrapper: Arc::new(wrapper), random: Arc::new(random) }
    }

    /// Seals a secret for this place, under a new data key. The secret is encrypted before this returns; what may still
    /// be to do is the wrapping of the data key.
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `lifecycle_envelope_length` beyond
    /// [`MOST_SECRET_BYTES`](Self::MOST_SECRET_BYTES), and with `lifecycle_envelope_wrapped_key` or
    /// `lifecycle_envelope_key_id` when the wrapper gave what cannot be stored; those of the randomness and of the
    /// wrapper.
    pub fn seal(&self, place: EnvelopePlace<'_>, secret: &Secret) -> Flow<'_, Sealed> {
        let encrypted = self.data_key().and_then(|data_key| {
            let ciphertext = encrypt(place, secret, &data_key)?;
            Ok((data_key, ciphertext))
        });
        match encrypted {
            Ok((data_key, ciphertext)) => self
                .wrapper
                .wrap_key(&data_key)
                .and_then(move |wrapped| Sealed::new(wrapped, ciphertext).into()),
            Err(error) => Flow::failed(error),
        }
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `lifecycle_envelope_broken` when it was sealed for another place or was changed,
    /// and `lifecycle_envelope_data_key` when the wrapper gave no data key of 32 bytes; those of the wrapper.
    pub fn open(&self, place: EnvelopePlace<'_>, sealed: &Sealed) -> Flow<'_, Secret> {
        let (about, ciphertext) = (place.to_bytes(), sealed.ciphertext().to_vec());
        let (credential, generation, purpose) =
            (String::from(place.credential), place.generation, place.purpose);
        self.wrapper.unwrap_key(sealed.wrapped_key()).and_then(move |data_key| {
            let opened = key_of(&data_key).and_then(|key| {
                decrypt(&key, about, ciphertext).ok_or_else(|| {
                    let text = format!(
                        "sealed secret of credential {credential:?} (generation {generation}, purpose {purpose}) does \
                         not open: it was sealed for another place, or was changed; restore this record from a backup"
                    );
                    Error::config("lifecycle_envelope_broken", text)
                })
            });
            opened.into()
        })
    }

    /// Wraps the data key of a record under the wrapper's newest key, or gives `None` when it already is.
    ///
    /// What was sealed stays as it is, byte for byte, and the secret is not decrypted. So a master key is replaced by
    /// going through all records in any order, as often as needed; the old key can go when
    /// [`Sealed::key_id`] names it nowhere.
    ///
    /// # Errors
    ///
    /// Those of the wrapper; `Error::Config` as in [`seal`](Self::seal) and [`open`](Self::open) when the wrapper gave
    /// what cannot be used.
    pub fn rewrap(&self, sealed: &Sealed) -> Flow<'_, Option<Sealed>> {
        if *self.wrapper.newest_key_id() == *sealed.key_id() {
            return Flow::ready(None);
        }
        let ciphertext = sealed.ciphertext().to_vec();
        let unwrapped = self.wrapper.unwrap_key(sealed.wrapped_key());
        unwrapped
            .and_then(|data_key| match key_of(&data_key) {
                Ok(_) => self.wrapper.wrap_key(&data_key),
                Err(error) => Flow::failed(error),
            })
            .and_then(move |wrapped| Sealed::new(wrapped, ciphertext).map(Some).into())
    }

    fn data_key(&self) -> Result<Secret> {
        let mut data_key = Zeroizing::new(vec![0; DATA_KEY_BYTES]);
        self.random.fill(&mut data_key)?;
        Ok(Secret::new(std::mem::take(&mut *data_key)))
    }
}

impl EnvelopePlace<'_> {
    /// The associated data: each part with its length, so that no two places are written alike.
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = b"messaging-auth envelope\0".to_vec();
        bytes.push(sealed::VERSION);
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        let parts = [self.tenant.as_str(), self.credential, self.purpose];
        for part in parts.iter().chain(self.group) {
            push_number(&mut bytes, part.len());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

fn push_number(bytes: &mut Vec<u8>, number: usize) {
    bytes.extend_from_slice(&u64::try_from(number).unwrap_or(u64::MAX).to_be_bytes());
}

/// The one nonce of a data key, which encrypts once.
fn only_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn key_of(data_key: &Secret) -> Result<LessSafeKey> {
    let key = UnboundKey::new(&AES_256_GCM, data_key.expose()).map_err(|_| {
        let bytes = data_key.expose().len();
        let text = format!(
            "data key has {bytes} bytes, expected {DATA_KEY_BYTES}; have the key wrapper give back what it was given"
        );
        Error::config("lifecycle_envelope_data_key", text)
    })?;
    Ok(LessSafeKey::new(key))
}

fn encrypt(place: EnvelopePlace<'_>, secret: &Secret, data_key: &Secret) -> Result<Vec<u8>> {
    let long = || {
        let most = EnvelopeSealer::MOST_SECRET_BYTES;
        let text = format!("secret is longer than {most} bytes; store a shorter one");
        Error::config("lifecycle_envelope_length", text)
    };
    if secret.expose().len() > EnvelopeSealer::MOST_SECRET_BYTES {
        return Err(long());
    }
    let mut ciphertext = secret.expose().to_vec();
    let about = Aad::from(place.to_bytes());
    key_of(data_key)?
        .seal_in_place_append_tag(only_nonce(), about, &mut ciphertext)
        .map_err(|_| long())?;
    Ok(ciphertext)
}

fn decrypt(key: &LessSafeKey, about: Vec<u8>, mut ciphertext: Vec<u8>) -> Option<Secret> {
    let length = key.open_in_place(only_nonce(), Aad::from(about), &mut ciphertext).ok()?.len();
    // Taken over, not copied: no other buffer held what was opened.
    ciphertext.truncate(length);
    Some(Secret::new(ciphertext))
}

impl fmt::Debug for EnvelopeSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvelopeSealer(..)")
    }
}

#[cfg(test)]
mod tests;
