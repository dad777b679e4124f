//! Is a name or a fingerprint of a commit that of something else?

use super::is_found;
use crate::fault::Fault;
use auth_core::KeyDigest;
use auth_lifecycle::{Credential, GroupChange, Service, ServiceId};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{HashMap, HashSet};

/// The store and the commit itself are asked. The changes come with the numbers of their groups.
pub(super) fn is_taken(
    transaction: &Connection,
    service: Option<&Service>,
    changes: &[(Option<i64>, &GroupChange)],
) -> Result<bool, Fault> {
    if let Some(service) = service {
        if has_service(transaction, &service.id)? {
            return Ok(true);
        }
    }
    let (mut ids, mut fingerprints, mut names) = (HashSet::new(), HashSet::new(), HashMap::new());
    for (number, change) in changes {
        for it in &change.credentials {
            if !ids.insert(&it.id) || !fingerprints.insert(it.kept.fingerprint) {
                return Ok(true);
            }
            if is_found(it) {
                let other = names.insert(it.kept.found_by, &change.id);
                if other.is_some_and(|other| *other != change.id)
                    || finds_another_group(transaction, &it.kept.found_by, *number)?
                {
                    return Ok(true);
                }
            }
            if is_that_of_another(transaction, it, *number)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn has_service(transaction: &Connection, id: &ServiceId) -> Result<bool, Fault> {
    let mut select = transaction.prepare_cached("SELECT 1 FROM services WHERE id = ?")?;
    Ok(select.exists([id.as_str()])?)
}

fn finds_another_group(
    transaction: &Connection,
    found_by: &KeyDigest,
    group: Option<i64>,
) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM credentials WHERE found_by = ? AND group_number IS NOT ?";
    Ok(transaction.prepare_cached(sql)?.exists(params![found_by.as_bytes(), group])?)
}

/// Its name is that of a credential of this group which is not deleted, or new; its fingerprint is the one that it has, or
/// new.
fn is_that_of_another(
    transaction: &Connection,
    it: &Credential,
    group: Option<i64>,
) -> Result<bool, Fault> {
    let sql = "SELECT group_number IS ?2 AND state <> 'deleted', fingerprint FROM credentials
        WHERE id = ?1";
    let known: Option<(bool, [u8; 32])> = transaction
        .prepare_cached(sql)?
        .query_row(params![it.id.as_str(), group], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let fingerprint = it.kept.fingerprint;
    match known {
        Some((false, _)) => return Ok(true),
        Some((true, now)) if KeyDigest::from_bytes(now) == fingerprint => return Ok(false),
        Some((true, _)) | None => {}
    }
    let sql = "SELECT 1 FROM fingerprints WHERE fingerprint = ?";
    Ok(transaction.prepare_cached(sql)?.exists([fingerprint.as_bytes()])?)
}
