//! What a file says.

use auth_core::{Error, Result, Secret, Timestamp};
use auth_session::Intent;
use std::{path::Path, time::Duration};

/// One name: who may renew, and what is kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// The number of the last lease.
    pub(super) fence: u64,
    /// Until when it is good, unless its holder is dead.
    pub(super) leased_until: Timestamp,
    /// How long it was good for when it was taken.
    pub(super) hold: Duration,
    pub(super) token: Option<Note>,
    pub(super) intent: Option<Note>,
}

/// A token or an intent, sealed or not.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Note {
    /// The lease under which it was written.
    pub(super) fence: u64,
    pub(super) bytes: Vec<u8>,
}

/// What every file begins with, before the version of its form in digits and a line feed.
const MAGIC: &[u8] = b"mauth-";
const VERSION: &[u8] = b"1";

impl Record {
    /// Magic, version and line feed; fence, end of the lease, its span (each 8 bytes, big-endian, times in
    /// milliseconds); then the token and the intent, each either a zero byte or a one byte, the fence, the length and
    /// the bytes.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = [MAGIC, VERSION, b"\n"].concat();
        for number in [self.fence, millis(self.leased_until.since_epoch()), millis(self.hold)] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        for note in [&self.token, &self.intent] {
            let Some(note) = note else {
                bytes.push(0);
                continue;
            };
            bytes.push(1);
            bytes.extend_from_slice(&note.fence.to_be_bytes());
            let length = u64::try_from(note.bytes.len()).unwrap_or(u64::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(&note.bytes);
        }
        bytes
    }

    /// # Errors
    ///
    /// `Error::Config`: what cannot be read is never taken for nothing, because logging in anew could end a session that
    /// another program uses.
    pub(super) fn read(bytes: &[u8], path: &Path) -> Result<Self> {
        let path = path.display();
        let corrupt = || {
            let text = format!(
                "{path} is not what a token store writes, expected another directory or, to log in anew, no file"
            );
            Error::config("token_store_corrupt", text)
        };
        let (version, rest) = version(bytes).ok_or_else(corrupt)?;
        if version != VERSION {
            let (version, ours) =
                (String::from_utf8_lossy(version), String::from_utf8_lossy(VERSION));
            let text = format!(
                "{path} has format version {version}, expected {ours}; use the version of the program that wrote it"
            );
            return Err(Error::config("token_store_version", text));
        }
        Self::parse(rest).ok_or_else(corrupt)
    }

    fn parse(rest: &[u8]) -> Option<Self> {
        let (fence, rest) = number(rest)?;
        let (until, rest) = number(rest)?;
        let (hold, rest) = number(rest)?;
        let (token, rest) = note(rest, fence)?;
        let (intent, rest) = note(rest, fence)?;
        let leased_until = Timestamp::default().after(Duration::from_millis(until));
        let hold = Duration::from_millis(hold);
        rest.is_empty().then_some(Self { fence, leased_until, hold, token, intent })
    }
}

/// As it is sealed or written.
pub(super) fn write_intent(intent: &Intent) -> Secret {
    let times = [intent.since, intent.retry_at].map(|time| millis(time.since_epoch()));
    Secret::new(times.map(u64::to_be_bytes).concat())
}

pub(super) fn read_intent(bytes: &Secret, path: &Path) -> Result<Intent> {
    let read = || {
        let time = |millis| Timestamp::default().after(Duration::from_millis(millis));
        let (since, rest) = number(bytes.expose())?;
        let (retry_at, rest) = number(rest)?;
        rest.is_empty().then_some(Intent { since: time(since), retry_at: time(retry_at) })
    };
    read().ok_or_else(|| {
        let text = format!("intent in {} is not one, expected two times", path.display());
        Error::config("token_store_corrupt", text)
    })
}

fn version(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    let (version, rest) = rest.split_at_checked(end)?;
    Some((version, rest.strip_prefix(b"\n")?)).filter(|_| !version.is_empty())
}

/// A note, or none; written under no later lease than the last.
fn note(bytes: &[u8], last: u64) -> Option<(Option<Note>, &[u8])> {
    match bytes.split_first()? {
        (0, rest) => Some((None, rest)),
        (1, rest) => {
            let (fence, rest) = number(rest)?;
            let (length, rest) = number(rest)?;
            let (bytes, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            (fence <= last).then_some((Some(Note { fence, bytes: bytes.to_vec() }), rest))
        }
        _ => None,
    }
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    bytes.split_first_chunk().map(|(number, rest)| (u64::from_be_bytes(*number), rest))
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Note(fence {})", self.fence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(token: Option<&[u8]>, intent: Option<&[u8]>) -> Record {
        let note = |fence, bytes: &[u8]| Note { fence, bytes: bytes.to_vec() };
        Record {
            fence: 7,
            leased_until: Timestamp::default().after(Duration::from_millis(1_700_000_000_123)),
            hold: Duration::from_secs(60),
            token: token.map(|bytes| note(6, bytes)),
            intent: intent.map(|bytes| note(7, bytes)),
        }
    }

    fn code(bytes: &[u8]) -> std::result::Result<Record, &'static str> {
        Record::read(bytes, Path::new("f")).map_err(|error| error.code())
    }

    const NOTES: [Option<&[u8]>; 3] = [None, Some(b""), Some(b"\x00secret\xff")];

    #[test]
    fn what_is_written_is_read() {
        for (token, intent) in NOTES.iter().flat_map(|one| NOTES.map(|other| (*one, other))) {
            let record = record(token, intent);
            assert_eq!(code(&record.write()), Ok(record));
        }
    }

    #[test]
    fn nothing_else_is_read() {
        let whole = record(Some(b"token"), Some(b"intent")).write();
        for end in 0..whole.len() {
            assert_eq!(code(&whole[..end]), Err("token_store_corrupt"), "cut at {end}");
        }
        assert_eq!(code(&[&whole[..], b"\0"].concat()), Err("token_store_corrupt"));
        for at in (0..MAGIC.len()).chain([MAGIC.len() + 1]) {
            let mut other = whole.clone();
            other[at] ^= 1;
            assert_eq!(code(&other), Err("token_store_corrupt"), "changed at {at}");
        }
        let mut ahead = record(Some(b"token"), None);
        ahead.token.as_mut().unwrap().fence = 8;
        assert_eq!(code(&ahead.write()), Err("token_store_corrupt"), "a lease that never was");
    }

    #[test]
    fn a_version_that_is_not_known_is_named() {
        for version in ["2", "10", "0"] {
            let bytes = [b"mauth-", version.as_bytes(), b"\nwhatever"].concat();
            let error = Record::read(&bytes, Path::new("dir/a.token")).unwrap_err();
            assert_eq!(error.code(), "token_store_version");
            let expected = format!("dir/a.token has format version {version}, expected 1");
            assert!(error.to_string().contains(&expected), "{error}");
        }
        assert_eq!(code(b"mauth-\nwhatever"), Err("token_store_corrupt"));
    }

    #[test]
    fn an_intent_is_two_times() {
        let intent = Intent {
            since: Timestamp::from_unix(1_700_000_000),
            retry_at: Timestamp::default().after(Duration::from_millis(1_700_003_600_001)),
        };
        let written = write_intent(&intent);
        assert_eq!(read_intent(&written, Path::new("f")).unwrap(), intent);
        let longer = Secret::new([written.expose(), b"\0"].concat());
        for bytes in [longer, Secret::from("short")] {
            let error = read_intent(&bytes, Path::new("f")).unwrap_err();
            assert_eq!(error.code(), "token_store_corrupt");
        }
    }
}
