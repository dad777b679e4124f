//! What a request presents as its signature, read in one pass.

use super::{SignatureEncoding, SignatureForm, encoding, encoding::SignatureBytes, reason};
use auth_core::{Reason, Rejection, Timestamp, one_field};
use http::{HeaderMap, HeaderName};
use std::fmt;

/// The id of a delivery, which its signature covers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DeliveryId {
    bytes: [u8; Self::MOST_BYTES],
    length: usize,
}

impl DeliveryId {
    /// The most bytes that an id may have.
    pub const MOST_BYTES: usize = 128;

    /// The id of these characters: visible ASCII without a dot, which would let one id be read as another with a time.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        if !Self::is_id(text) {
            return None;
        }
        let mut bytes = [0; Self::MOST_BYTES];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self { bytes, length: text.len() })
    }

    pub(super) fn is_id(text: &[u8]) -> bool {
        let is_part = |byte: &u8| byte.is_ascii_graphic() && *byte != b'.';
        (1..=Self::MOST_BYTES).contains(&text.len()) && text.iter().all(is_part)
    }

    /// As it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl fmt::Debug for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeliveryId({:?})", self.as_str())
    }
}

/// The parts of a presented signature.
pub(super) struct Presented<'a> {
    pub(super) id: &'a [u8],
    /// The same, read, in forms that have one.
    pub(super) delivery: Option<DeliveryId>,
    pub(super) time: &'a [u8],
    /// The signatures, as they stand in the field.
    pub(super) signatures: &'a [u8],
}

/// The id of a delivery, in Standard Webhooks.
pub(super) const ID_FIELD: HeaderName = HeaderName::from_static("webhook-id");
/// The moment of an attempt, in Standard Webhooks.
pub(super) const TIME_FIELD: HeaderName = HeaderName::from_static("webhook-timestamp");

/// The most signatures of one request.
const MOST_SIGNATURES: usize = 16;

impl SignatureForm {
    /// Reads the fields of this form.
    ///
    /// # Errors
    ///
    /// A 400 for a field that comes twice or is not written as the form says; the reason alone where nothing is there.
    pub(super) fn present<'a>(
        &self,
        headers: &'a HeaderMap,
        name: &HeaderName,
    ) -> Result<Presented<'a>, Refused> {
        let field = |name: &HeaderName| one_field(headers, name).map_err(Refused::Rejected);
        let Some(value) = field(name)? else { return Err(Refused::Missing) };
        let signatures = value.as_bytes();
        let mut presented = Presented { id: b"", delivery: None, time: b"", signatures };
        match self {
            Self::StandardWebhooks {} => {
                let id = field(&ID_FIELD)?;
                let time = field(&TIME_FIELD)?;
                presented.id = id.ok_or(reason::ID)?.as_bytes();
                presented.time = time.ok_or(reason::TIME)?.as_bytes();
                presented.delivery = Some(DeliveryId::parse(presented.id).ok_or(reason::ID)?);
            }
            Self::TimeAndBody { .. } => {
                let mut parts = signatures.split(|byte| *byte == b',');
                let first = parts.next().and_then(|part| part.strip_prefix(b"t="));
                presented.time = first.ok_or(reason::TIME)?;
            }
            _ => {}
        }
        Ok(presented)
    }

    /// Is there a signature that `proves` says yes to? It is told who makes each one; all are tried.
    ///
    /// # Errors
    ///
    /// When a single one is malformed, or there are more than sixteen.
    pub(super) fn any_signature(
        &self,
        presented: &Presented<'_>,
        mut proves: impl FnMut(Maker, &[u8]) -> bool,
    ) -> Result<bool, Reason> {
        let (separator, encoding, makers): (u8, _, &[(&str, Maker)]) = match self {
            Self::StandardWebhooks {} => {
                let makers = &[("v1,", Maker::Mac), ("v1a,", Maker::Ed25519)];
                (b' ', SignatureEncoding::Base64, makers)
            }
            Self::TimeAndBody { .. } => (b',', SignatureEncoding::Hex, &[("v1=", Maker::Mac)]),
            _ => {
                let single = self.single(presented.signatures).ok_or(reason::MALFORMED)?;
                return Ok(proves(Maker::Mac, single.as_slice()));
            }
        };
        let mut proven = false;
        for (nth, part) in presented.signatures.split(|byte| *byte == separator).enumerate() {
            if nth >= MOST_SIGNATURES {
                return Err(reason::SEVERAL);
            }
            // A version that is not known is passed over: a sender adds one before its receivers know it.
            let known = makers.iter().find_map(|(prefix, maker)| {
                part.strip_prefix(prefix.as_bytes()).map(|text| (*maker, text))
            });
            let read =
                known.and_then(|(maker, text)| Some((maker, encoding::read(encoding, text)?)));
            proven |= read.is_some_and(|(maker, bytes)| proves(maker, bytes.as_slice()));
        }
        Ok(proven)
    }

    fn single(&self, text: &[u8]) -> Option<SignatureBytes> {
        match self {
            Self::HubSignature { algorithm } => {
                let digits = text.strip_prefix(algorithm.hub_prefix().as_bytes())?;
                encoding::read(SignatureEncoding::Hex, digits)
            }
            Self::BodyHmac { encoding, prefix, .. } => {
                encoding::read(*encoding, text.strip_prefix(prefix.as_bytes())?)
            }
            Self::UrlAndParameters { .. } => encoding::read(SignatureEncoding::Base64, text),
            _ => encoding::read(SignatureEncoding::Hex, text),
        }
    }
}

/// What makes a signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    Mac,
    Ed25519,
}

/// Why a signature is not judged.
pub(super) enum Refused {
    /// There is none.
    Missing,
    /// What is signed is not of now.
    Stale,
    /// What is there is malformed.
    Malformed(Reason),
    /// A field comes twice.
    Rejected(Rejection),
}

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Self {
        Self::Malformed(reason)
    }
}

/// A whole number of seconds since 1970.
pub(super) fn seconds(text: &[u8]) -> Option<Timestamp> {
    if !(1..=12).contains(&text.len()) || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = std::str::from_utf8(text).ok()?;
    digits.parse().ok().map(Timestamp::from_unix)
}
