//! What is signed.

use super::{DeliveryId, MacAlgorithm, SignatureForm, symphony, twilio};
use ring::hmac;
use std::io::Write;

/// The parts of a request that a form may sign.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    /// The id, as it is presented.
    pub(super) id: &'a [u8],
    /// The time, as it is presented.
    pub(super) time: &'a [u8],
    /// Path and query of the request.
    pub(super) target: &'a str,
    /// Is the body a form?
    pub(super) is_form: bool,
    pub(super) body: &'a [u8],
}

impl SignatureForm {
    /// Gives what is signed, piece by piece; nothing where the form cannot sign this body.
    pub(super) fn pieces(&self, message: Message<'_>, mut feed: impl FnMut(&[u8])) -> Option<()> {
        match self {
            Self::HubSignature { .. } | Self::BodyHmac { .. } => feed(message.body),
            Self::StandardWebhooks {} => {
                feed_head(&[message.id, b".", message.time, b"."], &mut feed)?;
                feed(message.body);
            }
            Self::TimeAndBody { .. } => {
                feed_head(&[message.time, b"."], &mut feed)?;
                feed(message.body);
            }
            Self::UrlAndParameters { public_url, .. } => {
                feed(public_url.trim_end_matches('/').as_bytes());
                feed(message.target.as_bytes());
                if message.is_form {
                    feed(&twilio::sorted_parameters(message.body)?);
                }
            }
            Self::SymphonyUniversalWebhook { .. } => {
                feed(
                    symphony::symphony_signed_text(std::str::from_utf8(message.body).ok()?)
                        .as_bytes(),
                );
            }
            Self::DetachedJws { .. } => return None,
        }
        Some(())
    }

    /// The HMAC of what is signed.
    pub(super) fn mac_of(&self, key: &hmac::Key, message: Message<'_>) -> Option<hmac::Tag> {
        let mut context = hmac::Context::with_key(key);
        self.pieces(message, |piece| context.update(piece))?;
        Some(context.sign())
    }

    /// All that is signed in one piece, for signatures that need it so.
    pub(super) fn whole(&self, message: Message<'_>) -> Option<Vec<u8>> {
        let mut whole = Vec::with_capacity(message.body.len().saturating_add(300));
        self.pieces(message, |piece| whole.extend_from_slice(piece))?;
        Some(whole)
    }
}

/// Gives what stands before a body at once, since a hash spends more on a short piece than on its bytes; nothing where it is
/// longer than an id and a time can be.
fn feed_head(parts: &[&[u8]], feed: &mut impl FnMut(&[u8])) -> Option<()> {
    let mut head = [0; DeliveryId::MOST_BYTES + 32];
    let mut free = head.as_mut_slice();
    for part in parts {
        free.write_all(part).ok()?;
    }
    let free = free.len();
    feed(head.get(..head.len().checked_sub(free)?)?);
    Some(())
}

pub(super) fn hmac_key(algorithm: MacAlgorithm, secret: &[u8]) -> hmac::Key {
    hmac::Key::new(algorithm.ring(), secret)
}
