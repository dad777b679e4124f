//! Signing a payload in chunks, as it is sent.

use super::{Chain, Checksum, DECODED_LENGTH, TRAILER, TRAILER_SIGNATURE, checksum::Running};
use crate::{
    AmzDate, Payload, RawRequest, SigV4Signer, SignedFields,
    request::sha256,
    signer::{CONTENT_SHA256, DATE, SECURITY_TOKEN, taken},
};
use auth_core::{Error, Result, Timestamp};
use http::{
    HeaderName, HeaderValue,
    header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH},
};
use std::fmt;

/// What follows a payload in chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trailer {
    /// Nothing: each chunk is signed.
    None,
    /// A checksum and its signature, behind chunks that are signed.
    Signed(Checksum),
    /// A checksum, behind chunks that are not signed: for TLS, which protects them.
    Unsigned(Checksum),
}

/// The head of a request whose payload is signed in chunks, and what signs them.
#[derive(Debug)]
#[non_exhaustive]
pub struct SignedStream {
    /// The header fields to set, each in place of what the request has under its name: the signature, the lengths,
    /// `content-encoding`.
    pub fields: Vec<(HeaderName, HeaderValue)>,
    /// The path to send in place of the request's own, as [`SignedFields::path`] has it.
    pub path: Option<String>,
    /// Frames the payload.
    pub chunks: ChunkSigner,
}

impl SigV4Signer {
    /// Begins a request whose payload, of `length` bytes, is framed and signed as it is sent.
    ///
    /// The request's own payload is not looked at, nor is a `content-length` of its own, and what it has as
    /// `content-encoding` stays, behind `aws-chunked`.
    ///
    /// # Errors
    ///
    /// Those of [`sign`](Self::sign), and `Error::Config` when a field that is added here is there already.
    pub fn sign_stream(
        &self,
        request: &RawRequest<'_>,
        now: Timestamp,
        length: u64,
        trailer: Trailer,
    ) -> Result<SignedStream> {
        let (payload, checksum) = match trailer {
            Trailer::None => (Payload::Streamed, None),
            Trailer::Signed(checksum) => (Payload::StreamedWithTrailer, Some(checksum)),
            Trailer::Unsigned(checksum) => (Payload::UnsignedWithTrailer, Some(checksum)),
        };
        let mut added = vec![
            (CONTENT_ENCODING, chunked_before(request.headers)?),
            (CONTENT_LENGTH, ChunkSigner::framed_length(length, trailer).into()),
            (HeaderName::from_static(DECODED_LENGTH), length.into()),
        ];
        if let Some(checksum) = checksum {
            let field = HeaderValue::from_static(checksum.field());
            added.push((HeaderName::from_static(TRAILER), field));
        }
        let own = request.headers.iter().copied().filter(|(name, _)| !is_replaced(name));
        for (name, _) in own.clone() {
            if added.iter().any(|(other, _)| name.eq_ignore_ascii_case(other.as_str())) {
                return Err(taken(name));
            }
        }
        let fields = own.chain(added.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        let (mut signed, signature, text) =
            self.sign_all(request.method, request.target, fields, payload, now)?;
        let path = signed.path.take();
        let fields = added.iter().cloned().chain(named(signed)).collect();
        let chain = || Chain::new(self.derived(&AmzDate::from(now)), signature, &text);
        let chain = (payload_is_signed(payload)).then(chain);
        let checksum = checksum.map(|one| (one, one.begin()));
        let chunks = ChunkSigner { chain, checksum, held: Vec::new() };
        Ok(SignedStream { fields, path, chunks })
    }
}

fn named(signed: SignedFields) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let optional =
        |name, value: Option<_>| value.map(|value| (HeaderName::from_static(name), value));
    [(AUTHORIZATION, signed.authorization), (HeaderName::from_static(DATE), signed.date)]
        .into_iter()
        .chain(optional(CONTENT_SHA256, signed.content_sha256))
        .chain(optional(SECURITY_TOKEN, signed.security_token))
}

/// Does a stream have its own of this field?
fn is_replaced(name: &str) -> bool {
    [CONTENT_ENCODING, CONTENT_LENGTH].iter().any(|other| name.eq_ignore_ascii_case(other.as_str()))
}

/// What was encoded before is named behind it, in the order that S3 wants.
fn chunked_before(headers: &[(&str, &[u8])]) -> Result<HeaderValue> {
    let mut value = b"aws-chunked".to_vec();
    for (name, coding) in headers {
        if name.eq_ignore_ascii_case(CONTENT_ENCODING.as_str()) {
            value.push(b',');
            value.extend_from_slice(coding);
        }
    }
    HeaderValue::try_from(value).map_err(|error| Error::config("sigv4_field", error))
}

const fn payload_is_signed(payload: Payload<'_>) -> bool {
    !matches!(payload, Payload::UnsignedWithTrailer)
}

/// Frames a payload: bytes in, framed bytes out.
///
/// ```
/// # use auth_core::Timestamp;
/// # use auth_sigv4::{AccessKey, Payload, RawRequest, AwsService, SigV4Signer, Trailer};
/// # let key = AccessKey::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let signer = SigV4Signer::new(key, "us-east-1", AwsService::S3)?;
/// let request = RawRequest {
///     method: "PUT",
///     target: b"/bucket/key",
///     headers: &[("host", b"s3.amazonaws.com")],
///     payload: Payload::Streamed,
/// };
/// let now = Timestamp::from_unix(1_440_938_160);
/// let mut stream = signer.sign_stream(&request, now, 5, Trailer::None)?;
/// let mut wire = stream.chunks.update(b"he");
/// wire.extend(stream.chunks.update(b"llo"));
/// wire.extend(stream.chunks.finish());
/// assert!(wire.starts_with(b"5;chunk-signature="));
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct ChunkSigner {
    chain: Option<Chain>,
    checksum: Option<(Checksum, Running)>,
    held: Vec<u8>,
}

impl ChunkSigner {
    /// How much content a chunk has, but the last: 64 KiB.
    pub const CHUNK_BYTES: usize = 64 * 1024;

    /// How long a payload of `length` bytes is once it is framed: the `content-length` of the request.
    #[must_use]
    pub fn framed_length(length: u64, trailer: Trailer) -> u64 {
        let signature: u64 = match trailer {
            Trailer::Unsigned(_) => 0,
            _ => 17 + 64,
        };
        let chunk = |length: u64| {
            let digits = u64::from((64 - length.leading_zeros()).div_ceil(4).max(1));
            digits + signature + 2 + length + 2
        };
        let most: u64 = 64 * 1024;
        let (whole, rest) = (length / most, length % most);
        let chunks = whole * chunk(most) + if rest > 0 { chunk(rest) } else { 0 };
        let checksum = |checksum: Checksum| {
            let value: u64 = match checksum {
                Checksum::Crc32 | Checksum::Crc32c => 8,
                Checksum::Crc64Nvme => 12,
                Checksum::Sha1 => 28,
                Checksum::Sha256 => 44,
            };
            u64::try_from(checksum.field().len()).unwrap_or_default() + 1 + value + 2
        };
        let trailer = match trailer {
            Trailer::None => 0,
            Trailer::Unsigned(one) => checksum(one),
            Trailer::Signed(one) => checksum(one) + 23 + 1 + 64 + 2,
        };
        // The last chunk is empty, and what would be the end of its content ends it all.
        chunks + chunk(0) + trailer
    }

    /// The next bytes of the payload, framed as far as chunks are whole.
    pub fn update(&mut self, bytes: &[u8]) -> Vec<u8> {
        let (mut rest, mut out) = (bytes, Vec::new());
        while self.held.len() + rest.len() >= Self::CHUNK_BYTES {
            let (part, after) = rest.split_at(Self::CHUNK_BYTES - self.held.len());
            self.held.extend_from_slice(part);
            let chunk = std::mem::take(&mut self.held);
            self.frame(&chunk, &mut out);
            rest = after;
        }
        self.held.extend_from_slice(rest);
        out
    }

    /// The end of the payload, framed.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        let (mut out, chunk) = (Vec::new(), std::mem::take(&mut self.held));
        if !chunk.is_empty() {
            self.frame(&chunk, &mut out);
        }
        self.head(&[], &mut out);
        if let Some((checksum, running)) = self.checksum.take() {
            let line = format!("{}:{}", checksum.field(), running.finish());
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n");
            if let Some(chain) = &mut self.chain {
                let signature = chain.trailer(format!("{line}\n").as_bytes());
                out.extend_from_slice(TRAILER_SIGNATURE.as_bytes());
                out.push(b':');
                out.extend_from_slice(&signature);
                out.extend_from_slice(b"\r\n");
            }
        }
        out.extend_from_slice(b"\r\n");
        out
    }

    fn frame(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        self.head(chunk, out);
        if let Some((_, checksum)) = &mut self.checksum {
            checksum.update(chunk);
        }
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }

    fn head(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{:x}", chunk.len()).as_bytes());
        if let Some(chain) = &mut self.chain {
            out.extend_from_slice(b";chunk-signature=");
            out.extend_from_slice(&chain.chunk(&sha256(chunk)));
        }
        out.extend_from_slice(b"\r\n");
    }
}

impl fmt::Debug for ChunkSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChunkSigner({} bytes held)", self.held.len())
    }
}
