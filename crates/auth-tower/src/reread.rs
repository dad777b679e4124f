//! Bodies of which a part was read.

use crate::BoxError;
use auth_core::{HashAlgorithm, HashSet, Hashed, Hasher, Need};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

/// A body of which the beginning, or all, was already read: it yields that first, then the rest.
pub struct Reread<B> {
    read: VecDeque<Frame<Bytes>>,
    rest: Option<Pin<Box<B>>>,
}

impl<B> Reread<B> {
    /// Nothing was read yet.
    pub fn untouched(body: B) -> Self {
        Self { read: VecDeque::new(), rest: Some(Box::pin(body)) }
    }

    /// All there is.
    pub fn whole(bytes: Bytes) -> Self {
        let read =
            if bytes.is_empty() { VecDeque::new() } else { VecDeque::from([Frame::data(bytes)]) };
        Self { read, rest: None }
    }

    fn buffered(&self) -> usize {
        self.read.iter().filter_map(Frame::data_ref).map(Bytes::len).sum()
    }
}

impl<B> Reread<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    /// Reads as much as is needed, at most `most` bytes of it; false when there is more than that.
    pub(crate) async fn read(&mut self, need: Need, most: usize) -> Result<bool, BoxError> {
        match limit(need, most) {
            None => Ok(true),
            Some(limit) => self.fill(limit).await,
        }
    }

    /// Reads on until the end, or until more than `limit` bytes came; says whether the end was reached.
    ///
    /// # Errors
    ///
    /// When the body beneath fails.
    pub async fn fill(&mut self, limit: usize) -> Result<bool, BoxError> {
        let mut read = self.buffered();
        while read <= limit {
            let Some(rest) = &mut self.rest else { return Ok(true) };
            match std::future::poll_fn(|context| rest.as_mut().poll_frame(context)).await {
                None => self.rest = None,
                Some(frame) => {
                    let frame = frame.map_err(Into::into)?;
                    read = read.saturating_add(frame.data_ref().map_or(0, Bytes::len));
                    self.read.push_back(frame);
                }
            }
        }
        Ok(false)
    }

    /// The bytes read so far, in one piece.
    pub fn bytes(&mut self) -> Bytes {
        let mut data = self.read.iter().filter_map(Frame::data_ref);
        let bytes = match (data.next(), data.next()) {
            (None, _) => return Bytes::new(),
            (Some(only), None) => return only.clone(),
            _ => self.read.iter().filter_map(Frame::data_ref).fold(
                BytesMut::new(),
                |mut all, piece| {
                    all.extend_from_slice(piece);
                    all
                },
            ),
        };
        let bytes = bytes.freeze();
        self.read.retain(|frame| !frame.is_data());
        self.read.push_front(Frame::data(bytes.clone()));
        bytes
    }

    /// The trailer fields read so far.
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.read.iter().find_map(Frame::trailers_ref)
    }

    /// The hashes of the bytes read so far.
    pub fn hashes(&self, wanted: HashSet) -> Vec<Hashed> {
        let mut hashers: Vec<Hasher> = wanted.iter().map(HashAlgorithm::begin).collect();
        for piece in self.read.iter().filter_map(Frame::data_ref) {
            hashers.iter_mut().for_each(|hasher| hasher.update(piece));
        }
        hashers.into_iter().map(Hasher::finish).collect()
    }
}

impl<B> Body for Reread<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(frame) = self.read.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        match &mut self.rest {
            None => Poll::Ready(None),
            Some(rest) => rest.as_mut().poll_frame(context).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_empty() && self.rest.as_ref().is_none_or(|rest| rest.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let read = u64::try_from(self.buffered()).unwrap_or(u64::MAX);
        let rest =
            self.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), |rest| rest.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint
    }
}

/// How much of a body may be read for a need; `None` when nothing is to be read.
pub(crate) fn limit(need: Need, most: usize) -> Option<usize> {
    match need {
        Need::Nothing => None,
        Need::Hash(_) => Some(most),
        Need::Bytes { limit } => Some(limit.min(most)),
    }
}

impl<B> fmt::Debug for Reread<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reread({} bytes read)", self.buffered())
    }
}
