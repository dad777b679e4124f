//! How numbers, moments and digests are kept in columns.

use crate::fault::Fault;
use auth_core::{KeyDigest, Timestamp};
use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use std::time::Duration;

/// As SQLite keeps it: a number that is larger than any in a file is the largest.
pub(crate) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn read_number(number: i64) -> Result<u64, Fault> {
    u64::try_from(number).map_err(|_| Fault::Corrupt(format!("{number} is a number below zero")))
}

/// 8 bytes of seconds and 4 of nanoseconds, big-endian: nothing is rounded, and the order is that of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl Moment {
    pub(crate) const BYTES: usize = 12;

    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let since = self.0.since_epoch();
        let mut bytes = [0; Self::BYTES];
        let (seconds, nanos) = bytes.split_at_mut(8);
        seconds.copy_from_slice(&since.as_secs().to_be_bytes());
        nanos.copy_from_slice(&since.subsec_nanos().to_be_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (seconds, nanos) = bytes.split_first_chunk()?;
        let nanos = u32::from_be_bytes(nanos.try_into().ok()?);
        let whole = Timestamp::from_unix(u64::from_be_bytes(*seconds));
        Some(Self(whole.after(Duration::from_nanos(nanos.into()))))
    }

    /// Moments one after the other.
    pub(crate) fn list(moments: &[Timestamp]) -> Vec<u8> {
        moments.iter().flat_map(|at| Self(*at).to_bytes()).collect()
    }

    pub(crate) fn read_list(bytes: &[u8]) -> Result<Vec<Timestamp>, Fault> {
        let read = |bytes| Self::from_bytes(bytes).map(|moment| moment.0);
        let moments: Option<_> = bytes.chunks(Self::BYTES).map(read).collect();
        moments.ok_or_else(|| Fault::Corrupt(String::from("a list of moments has another length")))
    }
}

impl ToSql for Moment {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_bytes().to_vec().into())
    }
}

impl FromSql for Moment {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value.as_blob()?;
        let size = FromSqlError::InvalidBlobSize { expected_size: 12, blob_size: bytes.len() };
        Self::from_bytes(bytes).ok_or(size)
    }
}

/// Digests one after the other.
pub(crate) fn digests(digests: &[KeyDigest]) -> Vec<u8> {
    digests.iter().flat_map(|digest| *digest.as_bytes()).collect()
}

pub(crate) fn read_digests(bytes: &[u8]) -> Result<Vec<KeyDigest>, Fault> {
    let read = |bytes: &[u8]| bytes.try_into().ok().map(KeyDigest::from_bytes);
    let digests: Option<_> = bytes.chunks(32).map(read).collect();
    digests.ok_or_else(|| Fault::Corrupt(String::from("a list of digests has another length")))
}

/// Of a column that has another type than its table says.
pub(crate) fn corrupt(error: FromSqlError) -> Fault {
    Fault::Corrupt(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64, nanos: u64) -> Timestamp {
        Timestamp::from_unix(seconds).after(Duration::from_nanos(nanos))
    }

    #[test]
    fn moments_are_kept_whole_and_in_their_order() {
        let moments =
            [at(0, 0), at(0, 1), at(1, 0), at(255, 999_999_999), at(256, 0), at(1 << 40, 0)];
        let moments = [&moments[..], &[at(u64::MAX, 999_999_999)]].concat();
        assert!(moments.iter().map(|at| Moment(*at).to_bytes()).is_sorted());
        assert_eq!(Moment::read_list(&Moment::list(&moments)).unwrap(), moments);
        assert!(Moment::read_list(&[0; 13]).is_err());
        assert!(read_digests(&[0; 33]).is_err());
    }
}
