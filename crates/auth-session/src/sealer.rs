//! Encryption of what outlives the process.

use auth_core::{Error, Random, Result, Secret, TenantId};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::{fmt, sync::Arc};

/// Seals what is kept outside the process: tokens, intents, authorizations that wait for a person (AES-256-GCM).
///
/// A store is given one and needs no cryptography of its own. A clone seals under the same key.
///
/// # Security
///
/// - The key is 32 random bytes, from the keyring of the system or a key management service. It is passed in, never
///   derived from a password and never kept here beside what it seals.
/// - Sealed bytes open only [for](SealedFor) the tenant, the kind, the name and the fence that they were sealed for: a
///   row that is copied to another tenant, or to another name, or an older one that is put back under a newer fence,
///   does not open. A store that is put back as a whole, fences and all, does open: that takes a store that notices.
/// - Every seal draws a nonce of 96 random bits. Replace the key before it has sealed four thousand million times
///   (2^32, NIST SP 800-38D section 8.3); one seal each second takes 136 years to get there.
/// - The length of what was sealed shows.
///
/// ```
/// use auth_core::{Secret, SystemRandom, TenantId};
/// use auth_session::{SealedFor, Sealer};
///
/// # fn with(key: &Secret) -> auth_core::Result<()> {
/// let sealer = Sealer::new(key, SystemRandom::new())?;
/// let (acme, other) = (TenantId::new("acme"), TenantId::new("other"));
/// let place = SealedFor { tenant: &acme, kind: "token", name: "infobip", fence: 7 };
/// let sealed = sealer.seal(place, &Secret::from("the token"))?;
/// assert!(sealer.open(place, &sealed)?.matches(b"the token"));
/// assert!(sealer.open(SealedFor { tenant: &other, ..place }, &sealed).is_err());
/// # Ok(())
/// # }
/// # with(&Secret::new([7; 32])).unwrap();
/// ```
#[derive(Clone)]
pub struct Sealer {
    key: Arc<LessSafeKey>,
    random: Arc<dyn Random>,
}

/// What sealed bytes are for. They open for the same four alone, and hold none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedFor<'a> {
    /// The tenant that it belongs to.
    pub tenant: &'a TenantId,
    /// What it is: `token`, `intent`, `authorization`.
    pub kind: &'a str,
    /// The name under which it is kept.
    pub name: &'a str,
    /// The fence of the lease under which it was written; zero where there are no leases.
    pub fence: u64,
}

/// The version of the form of sealed bytes, which is their first byte: version, nonce, ciphertext, tag.
const VERSION: u8 = 1;

impl Sealer {
    /// Seals under this key of 32 bytes, with nonces from `random`.
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `seal_key` when the key has another length.
    pub fn new(key: &Secret, random: impl Random + 'static) -> Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| {
            let bytes = key.expose().len();
            Error::config("seal_key", format!("key has {bytes} bytes, expected 32 random ones"))
        })?;
        Ok(Self { key: Arc::new(LessSafeKey::new(key)), random: Arc::new(random) })
    }

    /// Seals bytes for this place: they get longer by 29 bytes.
    ///
    /// # Errors
    ///
    /// Those of the randomness; `Error::Config` with the code `seal_length` beyond the 64 GiB that one nonce is good for.
    pub fn seal(&self, place: SealedFor<'_>, plain: &Secret) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce)?;
        let mut sealed = plain.expose().to_vec();
        let (unique, about) = (Nonce::assume_unique_for_key(nonce), Aad::from(place.to_bytes()));
        let encrypted = self.key.seal_in_place_append_tag(unique, about, &mut sealed);
        encrypted.map_err(|_| {
            Error::config("seal_length", "secret is too long to be sealed, expected at most 64 GiB")
        })?;
        Ok([&[VERSION], &nonce[..], &sealed].concat())
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `seal_version` when another version of this library sealed it, and `seal_broken` when
    /// it was sealed under another key or for another place, or was changed.
    pub fn open(&self, place: SealedFor<'_>, sealed: &[u8]) -> Result<Secret> {
        let broken = || {
            let SealedFor { kind, name, .. } = place;
            let text = format!(
                "sealed {kind} of {name:?} does not open: it was sealed under another key or for another place, or \
                 was changed; give the key that it was sealed under"
            );
            Error::config("seal_broken", text)
        };
        let (version, rest) = sealed.split_first().ok_or_else(broken)?;
        if *version != VERSION {
            let text = format!(
                "sealed {kind} has version {version}, expected {VERSION}; use the version of the program that wrote it",
                kind = place.kind
            );
            return Err(Error::config("seal_version", text));
        }
        let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(broken)?;
        let (mut plain, nonce) = (rest.to_vec(), Nonce::assume_unique_for_key(*nonce));
        let about = Aad::from(place.to_bytes());
        let length = self.key.open_in_place(nonce, about, &mut plain).map_err(|_| broken())?.len();
        // Taken over, not copied: no other buffer held what was opened.
        plain.truncate(length);
        Ok(Secret::new(plain))
    }
}

impl SealedFor<'_> {
    /// The associated data: each part with its length, so that no two places are written alike.
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = b"messaging-auth sealed\0".to_vec();
        bytes.push(VERSION);
        for part in [self.tenant.as_str(), self.kind, self.name] {
            bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes.extend_from_slice(&self.fence.to_be_bytes());
        bytes
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_testing::SeededRandom;
    use std::sync::LazyLock;

    static PLACE: LazyLock<SealedFor<'static>> = LazyLock::new(|| place("acme"));

    fn place(tenant: &str) -> SealedFor<'static> {
        let tenant = Box::leak(Box::new(TenantId::new(tenant)));
        SealedFor { tenant, kind: "token", name: "infobip", fence: 7 }
    }

    fn sealer(key: u8) -> Sealer {
        Sealer::new(&Secret::new([key; 32]), SeededRandom::new(1)).unwrap()
    }

    #[track_caller]
    fn check(sealer: &Sealer, place: SealedFor<'_>, sealed: &[u8], expected: Result<&[u8], &str>) {
        let opened = sealer.open(place, sealed);
        let opened = opened.as_ref().map(Secret::expose).map_err(Error::code);
        assert_eq!(opened, expected, "{place:?}");
    }

    #[test]
    fn opens_for_its_own_place_and_key_alone() {
        let sealed = sealer(1).seal(*PLACE, &Secret::from("plain")).unwrap();
        check(&sealer(1), *PLACE, &sealed, Ok(b"plain"));
        check(&sealer(2), *PLACE, &sealed, Err("seal_broken"));
        for place in [
            place("other"),
            SealedFor { kind: "intent", ..*PLACE },
            SealedFor { name: "webex", ..*PLACE },
            SealedFor { fence: 6, ..*PLACE },
            SealedFor { kind: "oken", ..place("acmet") },
            SealedFor { kind: "tokeni", name: "nfobip", ..*PLACE },
        ] {
            check(&sealer(1), place, &sealed, Err("seal_broken"));
        }
    }

    #[test]
    fn what_was_changed_or_cut_does_not_open() {
        let sealed = sealer(1).seal(*PLACE, &Secret::from("plain")).unwrap();
        for at in 1..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            check(&sealer(1), *PLACE, &changed, Err("seal_broken"));
            check(&sealer(1), *PLACE, &sealed[..at], Err("seal_broken"));
        }
        check(&sealer(1), *PLACE, b"", Err("seal_broken"));
    }

    #[test]
    fn another_version_is_named_and_not_taken_for_damage() {
        let mut sealed = sealer(1).seal(*PLACE, &Secret::from("plain")).unwrap();
        sealed[0] = 2;
        let error = sealer(1).open(*PLACE, &sealed).unwrap_err();
        assert_eq!(error.code(), "seal_version");
        assert!(error.to_string().contains("version 2, expected 1"), "{error}");
    }

    #[test]
    fn no_two_seals_are_alike_and_none_shows_what_it_holds() {
        let sealer = sealer(1);
        let [one, other] = [(); 2].map(|()| sealer.seal(*PLACE, &Secret::from("plain")).unwrap());
        assert_ne!(one[1..13], other[1..13], "two nonces");
        assert!(!one.windows(5).any(|part| part == b"plain"));
        assert_eq!(one.len(), 5 + 29);
    }

    #[test]
    fn a_key_has_32_bytes() {
        for bytes in [0, 16, 31, 33] {
            let error =
                Sealer::new(&Secret::new(vec![1; bytes]), SeededRandom::new(1)).unwrap_err();
            assert_eq!(error.code(), "seal_key");
        }
    }
}
