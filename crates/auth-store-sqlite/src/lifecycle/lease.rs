//! Leases of the registry's processes, by their own moments.

use crate::{
    column::{Moment, number, read_number},
    fault::Fault,
};
use auth_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::time::Duration;

/// Takes the lease, with the next fence; none while it is taken.
pub(super) fn take(
    transaction: &Connection,
    name: &str,
    now: Timestamp,
    hold: Duration,
) -> Result<Option<u64>, Fault> {
    let last = transaction
        .prepare_cached("SELECT fence, taken, ends FROM leases WHERE name = ?")?
        .query_row([name], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let mut before = 0;
    if let Some((fence, Moment(taken), Moment(ends))) = last {
        // Taken later than now by more than its own length, it was taken under a clock that was ahead.
        if now < ends && taken.since(now) <= ends.since(taken) {
            return Ok(None);
        }
        before = read_number(fence)?;
    }
    let fence = before.saturating_add(1);
    let sql = "INSERT INTO leases (name, fence, taken, ends) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET fence = ?2, taken = ?3, ends = ?4";
    let row = params![name, number(fence), Moment(now), Moment(now.after(hold))];
    transaction.prepare_cached(sql)?.execute(row)?;
    Ok(Some(fence))
}
