//! The row of one name.

use crate::{column::read_number, fault::Fault};
use auth_core::{Error, Result, Secret, TenantId, Timestamp};
use auth_session::{Intent, Lease, SaveOutcome};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::time::Duration;

/// Whose row it is.
pub(super) struct Key {
    pub(super) tenant: TenantId,
    pub(super) name: Box<str>,
}

/// What is kept in it.
pub(super) struct Kept {
    pub(super) token: Option<Note>,
    pub(super) intent: Option<Note>,
}

/// A token or an intent.
pub(super) struct Note {
    /// The lease under which it was written.
    pub(super) fence: u64,
    pub(super) sealed: Vec<u8>,
}

pub(super) fn load(connection: &Connection, key: &Key) -> Result<Option<Kept>, Fault> {
    let sql =
        "SELECT token, token_fence, intent, intent_fence FROM tokens WHERE tenant = ? AND name = ?";
    let kept = connection
        .prepare_cached(sql)?
        .query_row(params![key.tenant.as_str(), key.name], |row| {
            Ok((note(row, 0, 1)?, note(row, 2, 3)?))
        })
        .optional()?;
    let Some((token, intent)) = kept else { return Ok(None) };
    Ok(Some(Kept {
        token: token.map(Note::read).transpose()?,
        intent: intent.map(Note::read).transpose()?,
    }))
}

/// Keeps the token and removes the intent, if this is the last lease.
pub(super) fn save(
    connection: &Connection,
    key: &Key,
    lease: Lease,
    token: &Note,
) -> Result<SaveOutcome, Fault> {
    let sql = "UPDATE tokens SET token = ?4, token_fence = ?3, intent = NULL, intent_fence = NULL
        WHERE tenant = ?1 AND name = ?2 AND fence = ?3";
    let fence = stored(lease);
    let changed = connection.prepare_cached(sql)?.execute(params![
        key.tenant.as_str(),
        key.name,
        fence,
        token.sealed
    ])?;
    Ok(outcome(changed))
}

/// Keeps the intent, or removes the one that is there, if this is the last lease.
pub(super) fn intend(
    connection: &Connection,
    key: &Key,
    lease: Lease,
    intent: Option<&Note>,
) -> Result<SaveOutcome, Fault> {
    let sql = "UPDATE tokens SET intent = ?4, intent_fence = iif(?4 IS NULL, NULL, ?3)
        WHERE tenant = ?1 AND name = ?2 AND fence = ?3";
    let (fence, sealed) = (stored(lease), intent.map(|note| &note.sealed));
    let changed = connection.prepare_cached(sql)?.execute(params![
        key.tenant.as_str(),
        key.name,
        fence,
        sealed
    ])?;
    Ok(outcome(changed))
}

fn outcome(changed: usize) -> SaveOutcome {
    if changed == 1 { SaveOutcome::Kept } else { SaveOutcome::Lost }
}

fn note(row: &Row<'_>, sealed: usize, fence: usize) -> rusqlite::Result<Option<(i64, Vec<u8>)>> {
    let sealed: Option<Vec<u8>> = row.get(sealed)?;
    sealed.map(|sealed| Ok((row.get(fence)?, sealed))).transpose()
}

impl Note {
    fn read((fence, sealed): (i64, Vec<u8>)) -> Result<Self, Fault> {
        Ok(Self { fence: read_number(fence)?, sealed })
    }
}

/// As it is kept; zero, which no lease has, for a fence that none can have.
pub(super) fn stored(lease: Lease) -> i64 {
    i64::try_from(lease.fence).unwrap_or(0)
}

/// Milliseconds, as many as fit: a span or a moment beyond them is as good as for ever.
pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// As it is sealed: two times in milliseconds, 8 bytes each, big-endian.
pub(super) fn write_intent(intent: &Intent) -> Secret {
    let times = [intent.since, intent.retry_at].map(|time| millis(time.since_epoch()));
    Secret::new(times.map(i64::to_be_bytes).concat())
}

pub(super) fn read_intent(plain: &Secret, name: &str) -> Result<Intent> {
    let read = || {
        let (since, rest) = time(plain.expose())?;
        let (retry_at, rest) = time(rest)?;
        rest.is_empty().then_some(Intent { since, retry_at })
    };
    read().ok_or_else(|| {
        let text = format!("intent of {name:?} is not one, expected two times");
        Error::config("sqlite_intent", text)
    })
}

fn time(bytes: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (millis, rest) = bytes.split_first_chunk()?;
    let millis = u64::try_from(i64::from_be_bytes(*millis)).ok()?;
    Some((Timestamp::default().after(Duration::from_millis(millis)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_is_two_times() {
        let intent = Intent {
            since: Timestamp::from_unix(1_700_000_000),
            retry_at: Timestamp::default().after(Duration::from_millis(1_700_003_600_001)),
        };
        let written = write_intent(&intent);
        assert_eq!(read_intent(&written, "n").unwrap(), intent);
        let longer = Secret::new([written.expose(), b"\0"].concat());
        for bytes in [longer, Secret::from("short"), Secret::new([0xff; 16])] {
            assert_eq!(read_intent(&bytes, "n").unwrap_err().code(), "sqlite_intent");
        }
    }
}
