//! Verifying a payload in chunks, as it arrives.

use super::{
    Chain, Checksum, TRAILER_SIGNATURE,
    checksum::Running,
    framing::{Line, MOST_HEAD_BYTES, MOST_TRAILER_BYTES, chunk_head},
    reason,
    unframe::unframe,
};
use crate::{
    DerivedKey, Payload,
    encode::{hex, unhex_32},
    reason::Refused,
};
use auth_core::{BodyCheck, CheckedContent, Rejection, ReleasedBytes};
use http::HeaderMap;
use ring::digest::{Context, SHA256};
use std::fmt;
use subtle::ConstantTimeEq;

/// Takes the framing off a payload in chunks, and checks every signature and the checksum in its trailer.
///
/// A [`SigV4Verifier`](crate::SigV4Verifier) makes one for each request that has such a payload.
///
/// # Security
///
/// What is kept is one line of framing at most. Content is passed on as it arrives, and the end only when everything
/// matched: a handler that acts on half a payload acts on bytes whose signature was not checked yet.
pub struct ChunkVerifier {
    chain: Option<Chain>,
    position: Position,
    line: Line,
    /// The signature of the chunk that is on its way.
    signature: [u8; 32],
    hash: Context,
    checksum: Option<(Checksum, Running)>,
    trailer: Option<Vec<u8>>,
    /// How much content is still to come.
    left: u64,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Head,
    Content(u64),
    ContentEnd,
    Trailer,
    Done,
}

impl ChunkVerifier {
    pub(crate) fn new(
        key: DerivedKey,
        seed: &[u8; 32],
        string_to_sign: &[u8],
        payload: Payload<'_>,
        length: u64,
        trailer: Option<Checksum>,
    ) -> Self {
        let signed = !matches!(payload, Payload::UnsignedWithTrailer);
        Self {
            chain: signed.then(|| Chain::new(key, hex(seed), string_to_sign)),
            position: Position::Head,
            line: Line::default(),
            signature: [0; 32],
            hash: Context::new(&SHA256),
            checksum: trailer.map(|checksum| (checksum, checksum.begin())),
            trailer: None,
            left: length,
        }
    }

    /// The content of the next bytes off the wire.
    fn content(&mut self, wire: &[u8]) -> Result<Vec<u8>, Refused> {
        let (mut wire, mut content) = (wire, Vec::new());
        while !wire.is_empty() {
            match self.position {
                Position::Head => {
                    if self.line.take(&mut wire, MOST_HEAD_BYTES)? {
                        let line = self.line.finish()?;
                        self.begin(&line)?;
                    }
                }
                Position::Content(left) => {
                    let most = usize::try_from(left).unwrap_or(usize::MAX).min(wire.len());
                    let (part, rest) = wire.split_at(most);
                    self.hash.update(part);
                    if let Some((_, checksum)) = &mut self.checksum {
                        checksum.update(part);
                    }
                    content.extend_from_slice(part);
                    wire = rest;
                    let left = left.saturating_sub(u64::try_from(part.len()).unwrap_or(u64::MAX));
                    self.position =
                        if left == 0 { Position::ContentEnd } else { Position::Content(left) };
                }
                Position::ContentEnd => {
                    if self.line.take(&mut wire, 2)? {
                        if !self.line.finish()?.is_empty() {
                            return Err(reason::CHUNK);
                        }
                        self.check_chunk()?;
                        self.position = Position::Head;
                    }
                }
                Position::Trailer => {
                    if self.line.take(&mut wire, MOST_TRAILER_BYTES)? {
                        let line = self.line.finish()?;
                        self.trailer_line(line)?;
                    }
                }
                Position::Done => return Err(reason::CHUNK),
            }
        }
        Ok(content)
    }

    fn begin(&mut self, line: &[u8]) -> Result<(), Refused> {
        let head = chunk_head(line)?;
        match (head.signature, &self.chain) {
            (Some(signature), Some(_)) => {
                self.signature = unhex_32(signature).ok_or(reason::CHUNK)?;
            }
            (None, None) => {}
            _ => return Err(reason::CHUNK),
        }
        self.left = self.left.checked_sub(head.length).ok_or(reason::CHUNK_LENGTH)?;
        if head.length > 0 {
            self.position = Position::Content(head.length);
            return Ok(());
        }
        if self.left > 0 {
            return Err(reason::CHUNK_LENGTH);
        }
        self.position = Position::Trailer;
        self.check_chunk()
    }

    fn check_chunk(&mut self) -> Result<(), Refused> {
        let hash = std::mem::replace(&mut self.hash, Context::new(&SHA256)).finish();
        let Some(chain) = &mut self.chain else { return Ok(()) };
        let hash = hash.as_ref().first_chunk().copied().unwrap_or_default();
        let matches: bool = chain.chunk(&hash).ct_eq(&hex(&self.signature)).into();
        if matches { Ok(()) } else { Err(reason::CHUNK_SIGNATURE) }
    }

    /// One line behind the last chunk: the checksum, its signature, or the empty one that ends it all.
    fn trailer_line(&mut self, line: Vec<u8>) -> Result<(), Refused> {
        if line.is_empty() {
            let whole = self.checksum.is_none() && (self.trailer.is_none() || self.chain.is_none());
            self.position = Position::Done;
            return if whole { Ok(()) } else { Err(reason::TRAILER) };
        }
        let end = line.iter().position(|byte| *byte == b':').ok_or(reason::TRAILER)?;
        let (name, value) = line.split_at(end);
        let value = value.get(1..).unwrap_or_default();
        match (self.trailer.take(), self.checksum.take()) {
            (None, Some((checksum, running))) if Checksum::named(name) == Some(checksum) => {
                let matches: bool = running.finish().as_bytes().ct_eq(value).into();
                if !matches {
                    return Err(reason::CHECKSUM);
                }
                let mut lines = line.to_ascii_lowercase();
                lines.truncate(end);
                lines.push(b':');
                lines.extend_from_slice(value);
                lines.push(b'\n');
                self.trailer = Some(lines);
                Ok(())
            }
            (Some(lines), None) if name.eq_ignore_ascii_case(TRAILER_SIGNATURE.as_bytes()) => {
                let Some(chain) = &mut self.chain else { return Err(reason::TRAILER) };
                let signature = unhex_32(value).ok_or(reason::TRAILER_SIGNATURE)?;
                let matches: bool = chain.trailer(&lines).ct_eq(&hex(&signature)).into();
                if matches { Ok(()) } else { Err(reason::TRAILER_SIGNATURE) }
            }
            _ => Err(reason::TRAILER),
        }
    }
}

impl BodyCheck for ChunkVerifier {
    /// The head says how long the content is, and nothing of it was taken off the wire yet.
    fn content(&self) -> CheckedContent {
        CheckedContent::Replaced { length: Some(self.left) }
    }

    fn unframe(&self, headers: &mut HeaderMap) {
        unframe(headers);
    }

    fn update(&mut self, wire: &[u8]) -> Result<ReleasedBytes, Rejection> {
        self.content(wire).map(ReleasedBytes::Instead).map_err(Refused::forbidden)
    }

    fn finish(self: Box<Self>, _: Option<&HeaderMap>) -> Result<(), Rejection> {
        if self.position == Position::Done { Ok(()) } else { Err(reason::CHUNK.forbidden()) }
    }
}

impl fmt::Debug for ChunkVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChunkVerifier({:?})", self.position)
    }
}
