//! The ledger: chained, without a gap, and followed by readers while others write.

use super::{
    Bench, Checked, ask, commit, credential, group, happening, holds, is_done, same, tenant,
};
use crate::{
    Commit, CommitOutcome, CredentialId, GroupId, Happening, Kind, LedgerEvent, LifecycleStore,
    LogPage, TenantEvent,
};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// The whole ledger, read in parts of this size, each of them checked.
fn read(store: &dyn LifecycleStore, most: usize) -> Result<Vec<LedgerEvent>, String> {
    let (mut events, mut position) = (Vec::new(), 0);
    loop {
        let page = ask(store.changes_since(position, most))?;
        holds("a part is no longer than asked", page.events.len() <= most)?;
        holds("a part moves on, or is the last", page.position > position || page.is_last)?;
        if let Some(last) = page.events.last() {
            same("the position reached", page.position, last.seq)?;
        }
        position = page.position;
        events.extend(page.events);
        if page.is_last {
            return Ok(events);
        }
    }
}

fn chain(events: &[LedgerEvent]) -> Checked {
    let (mut seq, mut hash) = (0, [0; 32]);
    for event in events {
        holds(&format!("event {} follows event {seq}", event.seq), event.follows(seq, &hash))?;
        (seq, hash) = (event.seq, event.hash);
    }
    Ok(())
}

pub(super) fn events_are_chained_in_the_order_of_their_commits(bench: &Bench<'_>) -> Checked {
    let (store, group) = ((bench.fresh)(), group("s1"));
    let mut written = Vec::new();
    for version in 0..5 {
        let many = (0..=version).map(|number| credential(&format!("c{version}-{number}")));
        let commit = commit(&group, version, many.collect());
        written.extend(commit.events.clone());
        is_done(&*store, commit)?;
    }
    // An event may come without a change.
    let note = happening(&group, 5, None);
    let alone = Commit { events: vec![note.clone()], ..Commit::default() };
    written.push(note);
    let end = is_done(&*store, alone)?;
    same("the position", (end, ask(store.position())?), (16, 16))?;
    let events = read(&*store, 1000)?;
    chain(&events)?;
    let read: Vec<_> = events.into_iter().map(|event| event.what).collect();
    same("what happened", read, written)
}

pub(super) fn the_ledger_is_read_in_parts_without_a_gap(bench: &Bench<'_>) -> Checked {
    let (store, group) = ((bench.fresh)(), group("s1"));
    let empty = |position| LogPage { events: Vec::new(), position, is_last: true };
    same("of an empty ledger", ask(store.changes_since(0, 9))?, empty(0))?;
    for version in 0..10 {
        is_done(&*store, commit(&group, version, vec![credential(&format!("c{version}"))]))?;
    }
    let whole = read(&*store, 1000)?;
    same("its length", whole.len(), 10)?;
    for most in [1, 3, 5, 9, 10, 11] {
        same("read in parts", read(&*store, most)?, whole.clone())?;
    }
    same("from its end on", ask(store.changes_since(10, 9))?, empty(10))?;
    // A reader that knows more than there is comes to an end all the same.
    let beyond = ask(store.changes_since(11, 9))?;
    same("from beyond its end on", (beyond.events, beyond.is_last), (Vec::new(), true))?;
    let last = ask(store.changes_since(9, 1))?;
    same("the last one", (last.events.len(), last.is_last), (1, true))
}

/// A number says how many events the tenant itself has, whatever happens to others, and no digest of a look-up comes along.
pub(super) fn a_tenant_reads_its_own_events_by_numbers_of_its_own(bench: &Bench<'_>) -> Checked {
    let store = (bench.fresh)();
    let of = |name: &str, number: u64| {
        let id = GroupId::of_tenant(tenant(name), Kind::ProfileKey);
        let credential = CredentialId::new(format!("c{name}{number}"));
        happening(&id, number, Some(&credential))
    };
    let mut acme = Vec::new();
    for number in 0..20 {
        // Many events of another tenant between those of this one.
        let theirs = (0..number % 3).map(|one| of("globex", number * 10 + one));
        let mine = of("acme", number);
        acme.push(mine.clone());
        let events = theirs.chain([mine]).collect();
        is_done(&*store, Commit { events, ..Commit::default() })?;
    }
    let numbered: Vec<_> = (1..)
        .zip(acme)
        .map(|(number, what)| TenantEvent {
            number,
            what: Happening { touched: Vec::new(), ..what },
        })
        .collect();
    for after in [0, 1, 7, 19, 20, 21, u64::MAX] {
        for most in [0, 1, 5, 20, 99, usize::MAX] {
            let skipped = usize::try_from(after).unwrap_or(usize::MAX);
            let expected: Vec<_> = numbered.iter().skip(skipped).take(most).cloned().collect();
            let read = ask(store.events_of(&tenant("acme"), after, most))?;
            same(&format!("{most} after {after}"), read, expected)?;
        }
    }
    same("of a tenant without events", ask(store.events_of(&tenant("none"), 0, 9))?, Vec::new())
}

const WRITERS: usize = 8;
const COMMITS: u64 = 40;

/// A commit that takes its place in the ledger before it is seen there lets a reader pass it over: nobody would ever hear
/// of a revocation.
pub(super) fn a_reader_that_follows_eight_writers_sees_each_event_once(
    bench: &Bench<'_>,
) -> Checked {
    let store = (bench.fresh)();
    let (written, seen, faults) = (Mutex::new(0), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let failed = AtomicBool::new(false);
    (bench.together)(WRITERS.saturating_add(1), &|number| {
        let done = if number < WRITERS {
            let done = write(&*store, number);
            *written.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            done
        } else {
            follow(&*store, &|| {
                let written = *written.lock().unwrap_or_else(PoisonError::into_inner);
                written == WRITERS || failed.load(Ordering::SeqCst)
            })
            .map(|events| {
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = events;
            })
        };
        if let Err(fault) = done {
            failed.store(true, Ordering::SeqCst);
            faults.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
        }
    });
    let faults = faults.into_inner().unwrap_or_else(PoisonError::into_inner);
    same("what failed", faults, Vec::new())?;
    let seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    chain(&seen)?;
    same("what the reader saw", seen, read(&*store, 1000)?)
}

fn write(store: &dyn LifecycleStore, number: usize) -> Checked {
    let group = group(&format!("s{number}"));
    for version in 0..COMMITS {
        let many = (0..=version % 3).map(|one| credential(&format!("c{number}-{version}-{one}")));
        let outcome = ask(store.commit(commit(&group, version, many.collect())))?;
        let CommitOutcome::Done { position } = outcome else {
            return Err(format!("a commit of writer {number} was not written: {outcome:?}"));
        };
        holds("an acknowledged commit is in the ledger", ask(store.position())? >= position)?;
    }
    Ok(())
}

/// Follows the ledger by its positions until all writers are done and its end is reached.
fn follow(store: &dyn LifecycleStore, done: &dyn Fn() -> bool) -> Result<Vec<LedgerEvent>, String> {
    let (mut events, mut position) = (Vec::new(), 0);
    loop {
        let last_round = done();
        let page = ask(store.changes_since(position, 7))?;
        holds("a position never goes back", page.position >= position)?;
        position = page.position;
        events.extend(page.events);
        if page.is_last && last_round {
            return Ok(events);
        }
    }
}
