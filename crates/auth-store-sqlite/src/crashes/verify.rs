//! What has to be there after a death.

use super::{
    reference::{self, Reference, groups},
    work::{REVEAL, STEPS, give, key, registry},
};
use crate::{SqliteDatabase, fault::Fault};
use auth_core::SystemClock;
use auth_lifecycle::Registry;
use std::path::Path;

/// Opens the file and looks for every command that was acknowledged, each of which told a line, and for the next one, which
/// was on its way: that one is there whole or not at all. Then repeats all of them, with the keys that they had: each gives
/// the line that it gave, and nothing is done twice.
///
/// The lines of all of them are given back, or what is wrong.
pub(super) fn verify(
    file: &Path,
    told: &[String],
    reference: &Reference,
) -> Result<Vec<String>, String> {
    let database = SqliteDatabase::open(file, SystemClock).map_err(|error| error.to_string())?;
    let integrity = database.read(|connection| {
        let sql = "PRAGMA integrity_check";
        Ok::<String, Fault>(connection.query_row(sql, [], |row| row.get(0))?)
    });
    let integrity = integrity.wait().unwrap().map_err(|fault| format!("{fault:?}"))?;
    if integrity != "ok" {
        return Err(integrity);
    }
    let registry = registry(database.credentials());
    let is_whole = check_ledger(&registry, told.len(), reference)?;
    let done = told.len() + usize::from(is_whole);
    check_groups(&registry, told, done, reference)?;
    let mut again = Vec::new();
    for n in 0..=told.len() {
        let line = give(&registry, &again, n)?;
        if told.get(n).is_some_and(|told| *told != line) {
            return Err(format!("command {n} told {:?} and now {line:?}", told[n]));
        }
        again.push(line);
    }
    if !check_ledger(&registry, told.len(), reference)? {
        return Err(format!("command {} was repeated and is not there", told.len()));
    }
    check_groups(&registry, &again, again.len(), reference)?;
    Ok(again)
}

/// Is the command there that was on its way?
fn check_ledger(registry: &Registry, told: usize, reference: &Reference) -> Result<bool, String> {
    registry.verify_chain().wait().map_err(|error| error.to_string())?;
    let mut events = reference::events(registry)?;
    for n in 0..told {
        let mut found = events.remove(&key(n)).unwrap_or_default();
        if n % STEPS == REVEAL {
            // Each showing of a secret is written down, those of a repetition too.
            found.dedup();
        }
        if found != reference.events[n] {
            let expected = &reference.events[n];
            return Err(format!("acknowledged command {n} has {found:?}, expected {expected:?}"));
        }
    }
    let mut next = events.remove(&key(told));
    if let (REVEAL, Some(found)) = (told % STEPS, &mut next) {
        found.dedup();
    }
    if !events.is_empty() {
        return Err(format!("commands that were never given: {:?}", events.keys()));
    }
    match next {
        None => Ok(false),
        Some(found) if found == reference.events[told] => Ok(true),
        Some(found) => Err(format!("command {told} is there by half: {found:?}")),
    }
}

/// The groups of each service after so many commands.
fn check_groups(
    registry: &Registry,
    told: &[String],
    done: usize,
    reference: &Reference,
) -> Result<(), String> {
    for first in (0..told.len()).step_by(STEPS) {
        let last = (first + STEPS).min(done) - 1;
        let (found, expected) =
            (groups(registry, reference::service(told, first))?, &reference.groups[last]);
        if found != *expected {
            return Err(format!("after command {last} there is {found:?}, expected {expected:?}"));
        }
    }
    Ok(())
}
