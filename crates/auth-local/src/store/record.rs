//! What a file says.

use auth_core::{Error, Result, Timestamp};
use std::path::Path;

/// One name: who may renew, and what is kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// The number of the last lease.
    pub(super) fence: u64,
    /// Until when it is good, unless its holder is dead.
    pub(super) leased_until: Timestamp,
    /// The lease under which the token was saved.
    pub(super) saved: u64,
    /// As the seal left it.
    pub(super) token: Option<Vec<u8>>,
}

/// What every file begins with; the digit is the version of its form.
const MAGIC: &[u8; 8] = b"mauth-1\n";

impl Record {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for number in [self.fence, self.leased_until.unix(), self.saved] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        match &self.token {
            None => bytes.push(0),
            Some(token) => {
                bytes.push(1);
                bytes.extend_from_slice(token);
            }
        }
        bytes
    }

    pub(super) fn read(bytes: &[u8], path: &Path) -> Result<Self> {
        Self::parse(bytes).ok_or_else(|| {
            let path = path.display();
            let text = format!(
                "{path} is not what a token store writes, expected another directory or, to log in anew, no file"
            );
            Error::config("token_store_corrupt", text)
        })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (fence, rest) = number(rest)?;
        let (until, rest) = number(rest)?;
        let (saved, rest) = number(rest)?;
        let token = match rest.split_first()? {
            (0, []) => None,
            (1, token) => Some(token.to_vec()),
            _ => return None,
        };
        let leased_until = Timestamp::from_unix(until);
        (saved <= fence).then_some(Self { fence, leased_until, saved, token })
    }
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    bytes.split_first_chunk().map(|(number, rest)| (u64::from_be_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(token: Option<&[u8]>) -> Record {
        let leased_until = Timestamp::from_unix(1_700_000_000);
        Record { fence: 7, leased_until, saved: 6, token: token.map(<[u8]>::to_vec) }
    }

    #[test]
    fn what_is_written_is_read() {
        for token in [None, Some(&b""[..]), Some(b"\x00secret\xff")] {
            let record = record(token);
            assert_eq!(Record::parse(&record.write()), Some(record));
        }
    }

    #[test]
    fn nothing_else_is_read() {
        let whole = record(None).write();
        for end in 0..whole.len() {
            assert_eq!(Record::parse(&whole[..end]), None, "cut at {end}");
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert_eq!(Record::parse(&longer), None);
        for at in 0..MAGIC.len() {
            let mut other = whole.clone();
            other[at] ^= 1;
            assert_eq!(Record::parse(&other), None, "changed at {at}");
        }
        let mut ahead = record(None);
        ahead.saved = 8;
        assert_eq!(Record::parse(&ahead.write()), None, "saved under a lease that never was");
    }
}
