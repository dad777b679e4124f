//! A commit: compared, then written whole.

mod taken;

use super::{find, ledger, load::key};
use crate::{
    column::{Moment, number, read_number},
    fault::Fault,
};
use auth_lifecycle::{
    Commit, CommitOutcome, Credential, GroupChange, GroupId, RememberedAnswer, Service, State,
};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashSet;

/// Writes all of it, or nothing. Everything is compared before anything is written, in the transaction that writes.
pub(super) fn write(transaction: &Connection, commit: &Commit) -> Result<CommitOutcome, Fault> {
    #[cfg(all(test, target_os = "linux"))]
    crate::crashes::at("after BEGIN");
    if let Some(asked) = &commit.answer {
        if let Some(known) = find::answer(transaction, &asked.name, asked.now)? {
            return Ok(CommitOutcome::Duplicate(known));
        }
    }
    // The tenant's own groups are kept under the empty name.
    if commit.changes.iter().any(|change| change.id.is_nameless()) {
        return Ok(CommitOutcome::Taken);
    }
    let (mut groups, mut ids) = (Vec::new(), HashSet::new());
    for change in &commit.changes {
        let group = StoredGroup::load(transaction, &change.id)?;
        if group.version != change.expected || !ids.insert(&change.id) {
            return Ok(CommitOutcome::Conflict);
        }
        groups.push((group.number, change));
    }
    if taken::is_taken(transaction, commit.service.as_ref(), &groups)? {
        return Ok(CommitOutcome::Taken);
    }
    if let Some(service) = &commit.service {
        insert_service(transaction, service)?;
        #[cfg(all(test, target_os = "linux"))]
        crate::crashes::at("after the service");
    }
    for (number, change) in groups {
        let number = write_group(transaction, number, change)?;
        #[cfg(all(test, target_os = "linux"))]
        crate::crashes::at("after the groups");
        for it in &change.credentials {
            write_credential(transaction, number, it)?;
            #[cfg(all(test, target_os = "linux"))]
            crate::crashes::at("after the credentials");
        }
    }
    let position = ledger::add(transaction, &commit.events)?;
    #[cfg(all(test, target_os = "linux"))]
    crate::crashes::at("after the events");
    if let Some(answer) = &commit.answer {
        remember(transaction, answer)?;
        #[cfg(all(test, target_os = "linux"))]
        crate::crashes::at("after the answer");
    }
    Ok(CommitOutcome::Done { position })
}

/// What is compared of a group. One that was never written to has no number.
struct StoredGroup {
    number: Option<i64>,
    version: u64,
}

impl StoredGroup {
    fn load(transaction: &Connection, id: &GroupId) -> Result<Self, Fault> {
        let sql = "SELECT number, version FROM credential_groups
            WHERE tenant = ? AND service = ? AND kind = ?";
        let known = transaction
            .prepare_cached(sql)?
            .query_row(key(id), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((number, version)) = known else { return Ok(Self { number: None, version: 0 }) };
        Ok(Self { number: Some(number), version: read_number(version)? })
    }
}

fn insert_service(transaction: &Connection, service: &Service) -> Result<(), Fault> {
    let sql = "INSERT INTO services (id, tenant, label, created) VALUES (?, ?, ?, ?)";
    let Service { id, tenant, label, created } = service;
    let row = params![id.as_str(), tenant.as_str(), &**label, Moment(*created)];
    transaction.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// Writes what is kept of the group itself, and gives its number.
fn write_group(
    transaction: &Connection,
    known: Option<i64>,
    change: &GroupChange,
) -> Result<i64, Fault> {
    let version = number(change.expected.saturating_add(1));
    let (latest, creations) = (Moment(change.latest), Moment::list(&change.creations));
    let next_due = change.next_due.map(Moment);
    if let Some(known) = known {
        let sql =
            "UPDATE credential_groups SET version = ?, latest = ?, creations = ?, next_due = ?
            WHERE number = ?";
        let row = params![version, latest, creations, next_due, known];
        transaction.prepare_cached(sql)?.execute(row)?;
        return Ok(known);
    }
    let sql = "INSERT INTO credential_groups
        (tenant, service, kind, version, latest, creations, next_due) VALUES (?, ?, ?, ?, ?, ?, ?)";
    let [tenant, service, kind] = key(&change.id);
    let row = params![tenant, service, kind, version, latest, creations, next_due];
    Ok(transaction.prepare_cached(sql)?.insert(row)?)
}

fn write_credential(transaction: &Connection, group: i64, it: &Credential) -> Result<(), Fault> {
    // One that is there keeps its number, and with it its place.
    let sql = "INSERT INTO credentials (id, group_number, state, found_by, fingerprint, rest)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id)
        DO UPDATE SET state = ?3, found_by = ?4, fingerprint = ?5, rest = ?6 RETURNING number";
    let fingerprint = it.kept.fingerprint.as_bytes();
    let found_by = is_found(it).then_some(it.kept.found_by.as_bytes());
    let row = params![it.id.as_str(), group, it.state.name(), found_by, fingerprint, it.to_rest()];
    let number: i64 = transaction.prepare_cached(sql)?.query_row(row, |row| row.get(0))?;
    let sql = "INSERT INTO fingerprints (fingerprint, credential) VALUES (?, ?)
        ON CONFLICT DO NOTHING";
    transaction.prepare_cached(sql)?.execute(params![fingerprint, number])?;
    Ok(())
}

/// Do look-ups find it?
const fn is_found(it: &Credential) -> bool {
    matches!(it.state, State::Active | State::Inactive)
}

/// Keeps the answer, and forgets those that have ended by then.
fn remember(transaction: &Connection, answer: &RememberedAnswer) -> Result<(), Fault> {
    transaction
        .prepare_cached("DELETE FROM answers WHERE ends <= ?")?
        .execute([Moment(answer.now)])?;
    // None of this name is there: it would have been given in place of the commit, or has just been forgotten.
    let sql = "INSERT INTO answers (name, command, answer, given, ends) VALUES (?, ?, ?, ?, ?)";
    let RememberedAnswer { name, command, answer, now, until } = answer;
    let row = params![name.as_bytes(), command.as_bytes(), answer, Moment(*now), Moment(*until)];
    transaction.prepare_cached(sql)?.execute(row)?;
    Ok(())
}
