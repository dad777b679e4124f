//! Which process may renew.

use super::row::{Key, millis, stored};
use crate::{column::read_number, fault::Fault};
use auth_core::Clock;
use auth_session::Lease;
use rusqlite::{Connection, OptionalExtension, params};
use std::time::Duration;

/// Takes the lease, with the next fence; none while it is taken.
pub(super) fn take(
    connection: &Connection,
    key: &Key,
    clock: &dyn Clock,
    hold: Duration,
) -> Result<Option<Lease>, Fault> {
    let sql = "SELECT fence, leased_until, hold FROM tokens WHERE tenant = ? AND name = ?";
    let kept = connection
        .prepare_cached(sql)?
        .query_row(params![key.tenant.as_str(), key.name], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let (fence, until, span) = kept.unwrap_or((0_i64, 0, 0));
    let (now, hold) = (millis(clock.now().since_epoch()), millis(hold));
    if now < until {
        // No lease was taken for longer than that: the clock was set back since. Its span begins again, once.
        let latest = now.saturating_add(span);
        if latest < until {
            let sql = "UPDATE tokens SET leased_until = ? WHERE tenant = ? AND name = ?";
            connection.prepare_cached(sql)?.execute(params![
                latest,
                key.tenant.as_str(),
                key.name
            ])?;
        }
        return Ok(None);
    }
    let next = fence.checked_add(1);
    let next =
        next.ok_or_else(|| Fault::Corrupt(format!("{fence} is a fence that none follows")))?;
    let sql =
        "INSERT INTO tokens (tenant, name, fence, leased_until, hold) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT DO UPDATE SET fence = ?3, leased_until = ?4, hold = ?5";
    let until = now.saturating_add(hold);
    connection.prepare_cached(sql)?.execute(params![
        key.tenant.as_str(),
        key.name,
        next,
        until,
        hold
    ])?;
    Ok(Some(Lease { fence: read_number(next)? }))
}

/// Gives it back, if this is the last one.
pub(super) fn release(connection: &Connection, key: &Key, lease: Lease) -> Result<(), Fault> {
    let sql = "UPDATE tokens SET leased_until = 0 WHERE tenant = ? AND name = ? AND fence = ?";
    connection.prepare_cached(sql)?.execute(params![
        key.tenant.as_str(),
        key.name,
        stored(lease)
    ])?;
    Ok(())
}
