//! Nonces that are known again without being remembered (RFC 7616 section 3.3).

use auth_core::{Clock, Error, Random, Result, Timestamp};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::{fmt, net::IpAddr, sync::Arc, time::Duration};
use subtle::ConstantTimeEq;

/// Issues nonces, and knows its own again: each holds the time, chance, and a keyed hash of both.
///
/// Every node that has the key and about the same time takes the nonces of every other one, and none of them keeps
/// anything for it.
///
/// # Security
///
/// The hash is HMAC-SHA-256, cut to 128 bits. A stranger who has the key can make nonces, but
/// answers none of them without a password.
///
/// ```
/// use auth_core::{SystemClock, SystemRandom};
/// use auth_digest::Nonces;
/// use std::time::Duration;
/// let nonces = Nonces::new(&[7; 32], SystemRandom::new(), SystemClock)?.with_life(Duration::from_secs(120));
/// assert_eq!(Nonces::new(b"short", SystemRandom::new(), SystemClock).unwrap_err().code(), "digest_nonce_key");
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct Nonces {
    key: Hmac<Sha256>,
    random: Arc<dyn Random>,
    clock: Arc<dyn Clock>,
    life: Duration,
    binding: Binding,
}

/// What a nonce is good for beside its time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Binding {
    Anybody,
    Address,
}

/// A nonce as it is sent: 32 bytes in Base64, of the alphabet for URLs.
pub(crate) type Text = [u8; 43];

/// A nonce that is ours.
pub(crate) struct Issued {
    /// Its time and chance: what tells it from all others.
    pub(crate) id: [u8; 16],
    pub(crate) age: Age,
    pub(crate) issued: Timestamp,
    /// The last moment at which it is taken, clocks apart.
    pub(crate) last: Timestamp,
}

/// How far its life has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    Young,
    /// Past the middle: a client that uses it is given the next one.
    Due,
    Old,
    Future,
}

impl Nonces {
    /// How long a nonce is taken unless set: 5 minutes.
    pub const LIFE: Duration = Duration::from_secs(5 * 60);
    /// How far the clocks of nodes may be apart.
    const SKEW: Duration = Duration::from_secs(60);
    const LEAST_KEY: usize = 32;

    /// With a key that all nodes share.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the key has less than 32 bytes.
    pub fn new(
        key: &[u8],
        random: impl Random + 'static,
        clock: impl Clock + 'static,
    ) -> Result<Self> {
        if key.len() < Self::LEAST_KEY {
            let text = format!("nonce key has {} bytes, expected at least 32", key.len());
            return Err(Error::config("digest_nonce_key", text));
        }
        let key =
            Hmac::new_from_slice(key).map_err(|error| Error::config("digest_nonce_key", error))?;
        let (random, clock) = (Arc::new(random), Arc::new(clock));
        Ok(Self { key, random, clock, life: Self::LIFE, binding: Binding::Anybody })
    }

    /// With a key of this process alone, for one node. After a restart every client is asked once more.
    ///
    /// # Errors
    ///
    /// That of the randomness.
    pub fn of_this_process(
        random: impl Random + 'static,
        clock: impl Clock + 'static,
    ) -> Result<Self> {
        let mut key = zeroize::Zeroizing::new([0; Self::LEAST_KEY]);
        random.fill(&mut *key)?;
        Self::new(&*key, random, clock)
    }

    /// How long a nonce is taken.
    #[must_use]
    pub fn with_life(self, life: Duration) -> Self {
        Self { life, ..self }
    }

    /// A nonce is good for the address alone that it was issued to. Clients whose address changes are asked once more;
    /// all whose address is not known are one.
    #[must_use]
    pub fn with_address_binding(self) -> Self {
        Self { binding: Binding::Address, ..self }
    }

    pub(crate) fn random(&self) -> &dyn Random {
        &*self.random
    }

    /// A new one, for a caller at this address.
    pub(crate) fn issue(&self, address: Option<IpAddr>) -> Result<Text> {
        let millis = u64::try_from(self.clock.now().since_epoch().as_millis()).unwrap_or(u64::MAX);
        let mut bytes = [0; 32];
        if let Some((time, rest)) = bytes.split_first_chunk_mut::<6>() {
            let [_, _, six @ ..] = millis.to_be_bytes();
            *time = six;
            if let Some((chance, mac)) = rest.split_first_chunk_mut::<10>() {
                self.random.fill(chance)?;
                let mut id = [0; 16];
                id.iter_mut().zip(six.iter().chain(&*chance)).for_each(|(to, from)| *to = *from);
                mac.copy_from_slice(&self.mac(&id, address));
            }
        }
        let mut text = [0; 43];
        URL_SAFE_NO_PAD
            .encode_slice(bytes, &mut text)
            .map_err(|error| Error::config("digest_nonce", error.to_string()))?;
        Ok(text)
    }

    /// Is it ours, for this address, and how old is it?
    pub(crate) fn judge(&self, nonce: &[u8], address: Option<IpAddr>) -> Option<Issued> {
        let mut bytes = [0; 33];
        if URL_SAFE_NO_PAD.decode_slice(nonce, &mut bytes) != Ok(32) {
            return None;
        }
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let presented = rest.first_chunk::<16>()?;
        if !bool::from(self.mac(id, address).ct_eq(presented)) {
            return None;
        }
        let [a, b, c, d, e, f, ..] = *id;
        let millis = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        let issued = Timestamp::default().after(Duration::from_millis(millis));
        let now = self.clock.now();
        let lived = now.since(issued);
        let age = match issued.since(now) > Self::SKEW {
            true => Age::Future,
            false if lived > self.life => Age::Old,
            false if lived > self.life / 2 => Age::Due,
            false => Age::Young,
        };
        Some(Issued { id: *id, age, issued, last: issued.after(self.life) })
    }

    /// A text that goes with every nonce of a realm, in Base64 as RFC 7616 section 3.3 advises.
    pub(crate) fn opaque(&self, realm: &str) -> String {
        let mac = self.key.clone().chain_update(b"opaque:").chain_update(realm).finalize();
        let bytes = mac.into_bytes();
        URL_SAFE_NO_PAD.encode(bytes.first_chunk::<15>().copied().unwrap_or_default())
    }

    fn mac(&self, id: &[u8; 16], address: Option<IpAddr>) -> [u8; 16] {
        let mut mac = self.key.clone().chain_update(b"nonce:").chain_update(id);
        if self.binding == Binding::Address {
            match address.map(|address| address.to_canonical()) {
                None => {}
                Some(IpAddr::V4(address)) => mac.update(&address.octets()),
                Some(IpAddr::V6(address)) => mac.update(&address.octets()),
            }
        }
        mac.finalize().into_bytes().first_chunk().copied().unwrap_or_default()
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonces({:?})", self.life)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::SystemRandom;
    use auth_testing::ManualClock;

    const KEY: [u8; 32] = [7; 32];

    fn nonces(clock: &ManualClock) -> Nonces {
        Nonces::new(&KEY, SystemRandom::new(), clock.clone()).unwrap()
    }

    /// How old a nonce is after so long.
    #[track_caller]
    fn check(seconds: u64, expected: Age) {
        let clock = ManualClock::at(1_700_000_000);
        let issuing = nonces(&clock);
        let nonce = issuing.issue(None).unwrap();
        clock.set(Timestamp::from_unix(1_699_999_000).after(Duration::from_secs(seconds)));
        assert_eq!(nonces(&clock).judge(&nonce, None).unwrap().age, expected);
    }

    #[test]
    fn any_node_with_the_key_can_age_it() {
        check(1000, Age::Young);
        check(1000 + 150, Age::Young);
        check(1000 + 151, Age::Due);
        check(1000 + 300, Age::Due);
        check(1000 + 301, Age::Old);
        check(1000 - 60, Age::Young);
        check(1000 - 61, Age::Future);
    }

    #[test]
    fn its_life_is_set() {
        let clock = ManualClock::at(1_700_000_000);
        let short = || nonces(&clock).with_life(Duration::from_secs(10));
        let nonce = short().issue(None).unwrap();
        clock.advance(Duration::from_secs(11));
        assert_eq!(short().judge(&nonce, None).unwrap().age, Age::Old);
        assert_eq!(nonces(&clock).judge(&nonce, None).unwrap().age, Age::Young);
    }

    #[test]
    fn it_is_remembered_until_no_node_takes_it() {
        let clock = ManualClock::at(1000);
        let issued = nonces(&clock).judge(&nonces(&clock).issue(None).unwrap(), None).unwrap();
        assert_eq!(issued.issued, Timestamp::from_unix(1000));
        assert_eq!(issued.last, Timestamp::from_unix(1000 + 300));
    }

    #[test]
    fn no_other_text_is_one_of_ours() {
        let clock = ManualClock::at(1_700_000_000);
        let (ours, nonce) = (nonces(&clock), nonces(&clock).issue(None).unwrap());
        assert!(ours.judge(&nonce, None).is_some());
        for (at, byte) in nonce.iter().enumerate() {
            for bit in 0..8 {
                let mut forged = nonce;
                forged[at] = byte ^ (1 << bit);
                assert!(ours.judge(&forged, None).is_none(), "byte {at}, bit {bit}");
            }
        }
        assert!(ours.judge(&nonce[..42], None).is_none());
        assert!(ours.judge(&[&nonce[..], b"="].concat(), None).is_none());
        assert!(ours.judge(b"", None).is_none());
        let other = Nonces::new(&[8; 32], SystemRandom::new(), clock).unwrap();
        assert!(other.judge(&nonce, None).is_none());
    }

    #[test]
    fn two_are_never_the_same() {
        let ours = nonces(&ManualClock::at(1));
        let all: std::collections::BTreeSet<_> =
            (0..100).map(|_| ours.issue(None).unwrap()).collect();
        assert_eq!(all.len(), 100);
    }

    #[test]
    fn one_that_is_bound_is_good_for_its_address_alone() {
        let bound = || nonces(&ManualClock::at(1)).with_address_binding();
        let address = |text: &str| Some(text.parse().unwrap());
        let here = address("192.0.2.1");
        let nonce = bound().issue(here).unwrap();
        assert!(bound().judge(&nonce, here).is_some());
        assert!(bound().judge(&nonce, address("::ffff:192.0.2.1")).is_some());
        assert!(bound().judge(&nonce, address("192.0.2.2")).is_none());
        assert!(bound().judge(&nonce, None).is_none());
        assert!(bound().judge(&bound().issue(None).unwrap(), here).is_none());
        assert!(nonces(&ManualClock::at(1)).judge(&nonce, here).is_none());
    }

    #[test]
    fn opaque_is_the_same_on_all_nodes_and_another_for_each_realm() {
        let ours = || nonces(&ManualClock::at(1));
        assert_eq!(ours().opaque("a"), ours().opaque("a"));
        assert_ne!(ours().opaque("a"), ours().opaque("b"));
        assert_eq!(ours().opaque("a").len(), 20);
    }
}
