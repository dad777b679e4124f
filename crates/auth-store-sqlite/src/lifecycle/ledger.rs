//! The ledger: events, each chained to all before it.

use crate::{
    column::{corrupt, digests, number, read_digests, read_number},
    fault::Fault,
};
use auth_core::TenantId;
use auth_lifecycle::{EventHash, Happening, LedgerEvent, LogPage, TenantEvent};
use rusqlite::{Connection, OptionalExtension, params};

/// The place and the hash of the last event; zeros before the first.
pub(super) fn end(connection: &Connection) -> Result<(u64, EventHash), Fault> {
    let last = connection
        .prepare_cached("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((seq, hash)) = last else { return Ok((0, [0; 32])) };
    Ok((read_number(seq)?, hash))
}

/// Adds what happened, and gives the place of the last event.
pub(super) fn add(transaction: &Connection, events: &[Happening]) -> Result<u64, Fault> {
    let (mut seq, mut hash) = end(transaction)?;
    let sql = "INSERT INTO events (seq, text, hash, touched) VALUES (?, ?, ?, ?)";
    let mut insert = transaction.prepare_cached(sql)?;
    let sql = "INSERT INTO tenant_events (tenant, number, seq)
        SELECT ?1, coalesce(max(number), 0) + 1, ?2 FROM tenant_events WHERE tenant = ?1";
    let mut number_it = transaction.prepare_cached(sql)?;
    for what in events {
        // As `LedgerEvent::after` has it, without writing the text twice.
        let text = what.to_text();
        seq = seq.saturating_add(1);
        hash = LedgerEvent::link(seq, &hash, &text);
        insert.execute(params![number(seq), text, hash, digests(&what.touched)])?;
        number_it.execute(params![what.tenant.as_str(), number(seq)])?;
    }
    Ok(seq)
}

/// The events of a tenant, by numbers of its own.
pub(super) fn of_tenant(
    connection: &Connection,
    tenant: &TenantId,
    after: u64,
    most: usize,
) -> Result<Vec<TenantEvent>, Fault> {
    let sql = "SELECT number, text FROM tenant_events JOIN events USING (seq)
        WHERE tenant = ? AND number > ? ORDER BY number LIMIT ?";
    let mut select = connection.prepare_cached(sql)?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = select.query(params![tenant.as_str(), number(after), most])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let what = Happening::from_text(row.get_ref(1)?.as_str().map_err(corrupt)?)?;
        events.push(TenantEvent { number: read_number(row.get(0)?)?, what });
    }
    Ok(events)
}

pub(super) fn page(connection: &Connection, position: u64, most: usize) -> Result<LogPage, Fault> {
    let (end, _) = end(connection)?;
    let sql = "SELECT seq, text, hash, touched FROM events WHERE seq > ? ORDER BY seq LIMIT ?";
    let mut select = connection.prepare_cached(sql)?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = select.query(params![number(position), most])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let mut what = Happening::from_text(row.get_ref(1)?.as_str().map_err(corrupt)?)?;
        what.touched = read_digests(row.get_ref(3)?.as_blob().map_err(corrupt)?)?;
        events.push(LedgerEvent { seq: read_number(row.get(0)?)?, hash: row.get(2)?, what });
    }
    let position = events.last().map_or(position.min(end), |event| event.seq);
    Ok(LogPage { events, position, is_last: position == end })
}
