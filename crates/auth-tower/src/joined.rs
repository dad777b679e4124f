//! Bytes that arrive in pieces.

use bytes::Bytes;

/// What was read of a body, in one piece.
///
/// # Security
///
/// Memory grows with what arrived, never with what was announced. A piece is a slice of a buffer that belongs to the
/// connection, and a slice of one byte keeps all of that buffer: so pieces are copied, but for a large one that is the
/// whole body.
pub(crate) enum Joined {
    /// The whole body, as it came.
    Whole(Bytes),
    /// Pieces, copied one behind the other.
    Copied(Vec<u8>),
}

/// Is anything still to come behind a piece?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    More,
    Nothing,
}

impl Joined {
    /// Nothing was read yet.
    pub(crate) const EMPTY: Self = Self::Copied(Vec::new());

    /// A smaller piece is copied though it is the whole body.
    const SMALL: usize = 1024;

    /// The first allocation, unless the first piece needs a larger one.
    const FIRST: usize = 256;

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Whole(bytes) => bytes.len(),
            Self::Copied(bytes) => bytes.len(),
        }
    }

    /// Adds a piece. What is allocated doubles as it fills, up to `limit`.
    pub(crate) fn push(&mut self, piece: Bytes, behind: Behind, limit: usize) {
        if self.len() == 0 && behind == Behind::Nothing && piece.len() >= Self::SMALL {
            *self = Self::Whole(piece);
            return;
        }
        let mut copied = match std::mem::replace(self, Self::EMPTY) {
            Self::Whole(bytes) => bytes.into(),
            Self::Copied(bytes) => bytes,
        };
        let needed = copied.len().saturating_add(piece.len());
        if needed > copied.capacity() {
            let room = match behind {
                Behind::Nothing => needed,
                Behind::More => {
                    copied.capacity().saturating_mul(2).max(Self::FIRST).min(limit).max(needed)
                }
            };
            copied.reserve_exact(room.saturating_sub(copied.len()));
        }
        copied.extend_from_slice(&piece);
        *self = Self::Copied(copied);
    }

    /// The bytes, which are not copied for it.
    pub(crate) fn bytes(&mut self) -> Bytes {
        let bytes = self.take();
        *self = Self::Whole(bytes.clone());
        bytes
    }

    pub(crate) fn take(&mut self) -> Bytes {
        match std::mem::replace(self, Self::EMPTY) {
            Self::Whole(bytes) => bytes,
            Self::Copied(bytes) => bytes.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_joined_in_order_whatever_their_size() {
        let mut joined = Joined::EMPTY;
        let mut expected = Vec::new();
        for size in [0, 1, 2, 255, 1, 4096, 3] {
            let piece = vec![u8::try_from(size % 251).unwrap(); size];
            expected.extend_from_slice(&piece);
            joined.push(piece.into(), Behind::More, 1 << 20);
        }
        assert_eq!((joined.len(), joined.bytes()), (expected.len(), expected.clone().into()));
        joined.push(Bytes::from_static(b"!"), Behind::Nothing, 1 << 20);
        expected.push(b'!');
        assert_eq!(joined.take(), expected);
        assert_eq!(joined.len(), 0);
    }

    #[test]
    fn a_large_piece_that_is_the_whole_body_is_not_copied() {
        for (size, behind, copied) in [
            (Joined::SMALL, Behind::Nothing, false),
            (Joined::SMALL - 1, Behind::Nothing, true),
            (Joined::SMALL, Behind::More, true),
        ] {
            let (piece, mut joined) = (Bytes::from(vec![0; size]), Joined::EMPTY);
            joined.push(piece.clone(), behind, 1 << 20);
            assert_eq!(joined.bytes().as_ptr() != piece.as_ptr(), copied, "{size} {behind:?}");
        }
    }
}
