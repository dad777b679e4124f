//! What kinds of tokens are made of: a header and claims that are good, and signing them.

use super::NOW;
use crate::keys::Key;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A token, or none where the kind makes no sense.
pub(super) type Made = Option<String>;

/// Makes tokens for one key.
pub(super) struct Maker<'a> {
    pub random: Random,
    pub key: &'a Key,
    /// One that the verifier does not know.
    pub other: &'a Key,
}

impl<'a> Maker<'a> {
    pub fn new(kind: &str, [key, other]: &'a [Key; 2]) -> Self {
        Self { random: Random::of(&[kind, key.algorithm.name()]), key, other }
    }

    pub fn algorithm(&self) -> &'static str {
        self.key.algorithm.name()
    }

    /// A header that agrees with the key, in one of the forms that libraries send.
    pub fn header(&mut self) -> String {
        self.header_with("")
    }

    /// The same with these members more, as JSON.
    pub fn header_with(&mut self, members: &str) -> String {
        let algorithm = format!(r#""alg":"{}""#, self.algorithm());
        let comma = if members.is_empty() { "" } else { "," };
        match self.random.below(3) {
            0 => format!(r#"{{{algorithm}{comma}{members}}}"#),
            1 => format!(r#"{{"typ":"JWT",{algorithm}{comma}{members}}}"#),
            _ => format!(r#"{{{algorithm},"typ":"JWT"{comma}{members}}}"#),
        }
    }

    /// The members of claims that hold at [`NOW`], as JSON, without `exp`.
    pub fn claims_without_expiry(&mut self) -> Vec<(String, String)> {
        let mut claims = vec![("iss".into(), format!(r#""issuer-{}""#, self.random.below(1000)))];
        if self.random.below(2) == 0 {
            claims.push(("sub".into(), format!(r#""{}""#, self.random.word())));
        }
        claims.push(("iat".into(), (NOW - self.random.below(3000)).to_string()));
        for n in 0..self.random.below(4) {
            let value = match self.random.below(4) {
                0 => self.random.below(1 << 50).to_string(),
                1 => format!(r#"["{}",true,null]"#, self.random.word()),
                2 => format!(r#"{{"{}":-1.5e-3}}"#, self.random.word()),
                _ => format!(r#""{} {}""#, self.random.word(), self.random.word()),
            };
            claims.push((format!("{}{n}", self.random.word()), value));
        }
        claims
    }

    /// The members of claims that hold at [`NOW`].
    pub fn claims(&mut self) -> Vec<(String, String)> {
        let mut claims = self.claims_without_expiry();
        let expiry = NOW + 1 + self.random.below(3000);
        let place = self.random.below(claims.len() as u64 + 1) as usize;
        claims.insert(place, ("exp".into(), expiry.to_string()));
        claims
    }

    /// Claims that hold, but for this one: replaced, or put behind the others.
    pub fn claims_with(&mut self, name: &str, value: &str) -> String {
        let mut claims = self.claims();
        match claims.iter_mut().find(|(claim, _)| claim == name) {
            Some((_, held)) => *held = value.into(),
            None => claims.push((name.into(), value.into())),
        }
        object(&claims)
    }

    pub fn payload(&mut self) -> String {
        object(&self.claims())
    }

    /// A good token.
    pub fn good(&mut self) -> String {
        let (header, payload) = (self.header(), self.payload());
        self.sign(header, payload)
    }

    /// Signed by the key, whatever the header says.
    pub fn sign(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        signed(header, payload, |message| self.key.sign(message))
    }
}

/// A compact token with the signature that this makes of its message.
pub fn signed(
    header: impl AsRef<[u8]>,
    payload: impl AsRef<[u8]>,
    sign: impl FnOnce(&[u8]) -> Vec<u8>,
) -> String {
    let message = format!("{}.{}", encode(header), encode(payload));
    let signature = encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// An object of members whose values are JSON.
pub(super) fn object(members: &[(String, String)]) -> String {
    let members: Vec<String> =
        members.iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
    format!("{{{}}}", members.join(","))
}

/// A sequence that looks random and is the same in every run (splitmix64).
pub(super) struct Random(u64);

impl Random {
    /// The sequence of this name.
    pub fn of(name: &[&str]) -> Self {
        let bytes = name.iter().flat_map(|word| word.bytes().chain([0]));
        // FNV-1a: names that differ give seeds that differ.
        Self(bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than this, which is not 0.
    pub fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    /// One of these, of which there are some.
    pub fn of_these<T: Copy>(&mut self, these: &[T]) -> T {
        these[self.below(these.len() as u64) as usize]
    }

    /// Letters.
    pub fn word(&mut self) -> String {
        let length = 1 + self.below(9);
        (0..length).map(|_| self.of_these(b"abcdefghijklmnopqrstuvwxyz") as char).collect()
    }
}
