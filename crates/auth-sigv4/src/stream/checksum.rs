//! Checksums that a trailer may carry.

use base64::{Engine, engine::general_purpose::STANDARD};
use crc::{CRC_32_ISCSI, CRC_32_ISO_HDLC, CRC_64_NVME, Crc, Digest, Table};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use std::fmt;

/// A checksum of a payload, as S3 has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checksum {
    /// `x-amz-checksum-crc32`.
    Crc32,
    /// `x-amz-checksum-crc32c`.
    Crc32c,
    /// `x-amz-checksum-crc64nvme`.
    Crc64Nvme,
    /// `x-amz-checksum-sha1`.
    Sha1,
    /// `x-amz-checksum-sha256`.
    Sha256,
}

const CRC32: &Crc<u32, Table<1>> = &Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);
const CRC32C: &Crc<u32, Table<1>> = &Crc::<u32, Table<1>>::new(&CRC_32_ISCSI);
const CRC64: &Crc<u64, Table<1>> = &Crc::<u64, Table<1>>::new(&CRC_64_NVME);

impl Checksum {
    const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// The field that carries it.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The one that this field carries; `None` when it carries none.
    pub(crate) fn named(field: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|one| field.eq_ignore_ascii_case(one.field().as_bytes()))
    }

    pub(super) fn begin(self) -> Running {
        Running(match self {
            Self::Crc32 => State::Crc32(CRC32.digest()),
            Self::Crc32c => State::Crc32(CRC32C.digest()),
            Self::Crc64Nvme => State::Crc64(CRC64.digest()),
            Self::Sha1 => State::Hash(Box::new(Context::new(&SHA1_FOR_LEGACY_USE_ONLY))),
            Self::Sha256 => State::Hash(Box::new(Context::new(&SHA256))),
        })
    }
}

/// A checksum of what has come so far.
pub(super) struct Running(State);

enum State {
    Crc32(Digest<'static, u32, Table<1>>),
    Crc64(Digest<'static, u64, Table<1>>),
    Hash(Box<Context>),
}

impl Running {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Crc32(digest) => digest.update(bytes),
            State::Crc64(digest) => digest.update(bytes),
            State::Hash(context) => context.update(bytes),
        }
    }

    /// In Base64, most significant byte first.
    pub(super) fn finish(self) -> String {
        match self.0 {
            State::Crc32(digest) => STANDARD.encode(digest.finalize().to_be_bytes()),
            State::Crc64(digest) => STANDARD.encode(digest.finalize().to_be_bytes()),
            State::Hash(context) => STANDARD.encode(context.finish()),
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogue of CRCs and of FIPS 180, over `123456789`.
    #[test]
    fn checksums_are_those_of_their_catalogues() {
        for (checksum, expected) in [
            (Checksum::Crc32, "y/Q5Jg=="),
            (Checksum::Crc32c, "4waSgw=="),
            (Checksum::Crc64Nvme, "rosUhgp5mIg="),
            (Checksum::Sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="),
            (Checksum::Sha256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
        ] {
            let mut running = checksum.begin();
            b"123456789".chunks(4).for_each(|part| running.update(part));
            assert_eq!(running.finish(), expected, "{checksum:?}");
            assert_eq!(Checksum::named(checksum.field().as_bytes()), Some(checksum));
        }
        assert_eq!(Checksum::named(b"x-amz-checksum-md5"), None);
    }
}
