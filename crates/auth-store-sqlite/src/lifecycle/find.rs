//! What is found by a digest or a name.

use super::{
    ledger,
    load::{credential, group_id},
};
use crate::{column::Moment, fault::Fault};
use auth_core::{KeyDigest, TenantId, Timestamp};
use auth_lifecycle::{CredentialId, Found, GroupId, RememberedAnswer};
use rusqlite::{Connection, OptionalExtension, params};

/// The credentials and the position of the ledger, which are of one moment.
pub(super) fn found(connection: &Connection, found_by: &KeyDigest) -> Result<Found, Fault> {
    let sql = "SELECT tenant, service, kind, rest, uses
        FROM credentials JOIN credential_groups AS of_group ON of_group.number = group_number
        LEFT JOIN uses ON credential = id WHERE found_by = ?";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([found_by.as_bytes()])?;
    let mut credentials = Vec::new();
    while let Some(row) = rows.next()? {
        credentials.push((group_id(row)?, credential(row, 3)?));
    }
    credentials
        .sort_by(|(_, one), (_, other)| (one.created, &one.id).cmp(&(other.created, &other.id)));
    let (as_of, _) = ledger::end(connection)?;
    Ok(Found { credentials, as_of })
}

/// The credential whose fingerprint it is now.
pub(super) fn fingerprint(
    connection: &Connection,
    fingerprint: &KeyDigest,
) -> Result<Option<(GroupId, CredentialId)>, Fault> {
    let sql = "SELECT tenant, service, kind, id
        FROM fingerprints AS known JOIN credentials AS it ON it.number = known.credential
        JOIN credential_groups AS of_group ON of_group.number = group_number
        WHERE known.fingerprint = ?1 AND it.fingerprint = ?1 AND state <> 'deleted'";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([fingerprint.as_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some((group_id(row)?, CredentialId::new(row.get::<_, String>(3)?))))
}

/// The group of a credential of this tenant that is not deleted.
pub(super) fn group_of(
    connection: &Connection,
    tenant: &TenantId,
    credential: &CredentialId,
) -> Result<Option<GroupId>, Fault> {
    let sql = "SELECT tenant, service, kind
        FROM credentials JOIN credential_groups AS of_group ON of_group.number = group_number
        WHERE id = ? AND tenant = ? AND state <> 'deleted'";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([credential.as_str(), tenant.as_str()])?;
    rows.next()?.map(group_id).transpose()
}

/// What is remembered under this name, unless it has ended.
pub(super) fn answer(
    connection: &Connection,
    name: &KeyDigest,
    now: Timestamp,
) -> Result<Option<RememberedAnswer>, Fault> {
    let sql = "SELECT command, answer, given, ends FROM answers WHERE name = ? AND ends > ?";
    let mut select = connection.prepare_cached(sql)?;
    let answer = select.query_row(params![name.as_bytes(), Moment(now)], |row| {
        Ok(RememberedAnswer {
            name: *name,
            command: KeyDigest::from_bytes(row.get(0)?),
            answer: row.get(1)?,
            now: row.get::<_, Moment>(2)?.0,
            until: row.get::<_, Moment>(3)?.0,
        })
    });
    Ok(answer.optional()?)
}
