//! Many at once: one wins, and no group is left empty.

use super::{
    Bench, Checked, answer, ask, commit, credential, digest, group, holds, is_done, moment, same,
    tenant,
};
use crate::{
    Actor, Command, CommandRefusal, Commit, CommitOutcome, Credential, CredentialId, GroupId,
    GroupPolicy, Kind, LifecycleStore, Order, Role, ServiceId, Snapshot, State, decide,
};
use std::sync::{
    Barrier, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// What each of so many threads got.
fn each<T: Send>(
    bench: &Bench<'_>,
    many: usize,
    work: impl Fn(usize) -> Result<T, String> + Sync,
) -> Result<Vec<T>, String> {
    let (got, start) = (Mutex::new(Vec::new()), Barrier::new(many));
    (bench.together)(many, &|number| {
        start.wait();
        let one = work(number);
        got.lock().unwrap_or_else(PoisonError::into_inner).push(one);
    });
    got.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect()
}

const MANY: usize = 8;

pub(super) fn of_many_commits_over_one_version_one_is_written(bench: &Bench<'_>) -> Checked {
    let (store, group) = ((bench.fresh)(), group("s1"));
    for version in 0..20 {
        let outcomes = each(bench, MANY, |number| {
            let it = credential(&format!("c{version}-{number}"));
            ask(store.commit(commit(&group, version, vec![it])))
        })?;
        let conflicts = outcomes.iter().filter(|one| **one == CommitOutcome::Conflict).count();
        let done = outcomes.iter().filter(|one| matches!(one, CommitOutcome::Done { .. })).count();
        same("written, and conflicts", (done, conflicts), (1, MANY - 1))?;
        let loaded = ask(store.load(&group))?;
        let size = u64::try_from(loaded.credentials.len()).unwrap_or(u64::MAX);
        same("version and size", (loaded.version, size), (version + 1, version + 1))?;
    }
    same("the position", ask(store.position())?, 20)
}

pub(super) fn of_many_commits_under_one_name_one_is_written(bench: &Bench<'_>) -> Checked {
    let store = (bench.fresh)();
    for round in 0..20 {
        let name = answer(&format!("key {round}"), 1000, 2000);
        let outcomes = each(bench, MANY, |number| {
            let id = format!("{round}-{number}");
            let commit = commit(&group(&id), 0, vec![credential(&id)]);
            ask(store.commit(Commit { answer: Some(name.clone()), ..commit }))
        })?;
        let again = CommitOutcome::Duplicate(name);
        let duplicates = outcomes.iter().filter(|one| **one == again).count();
        let done = outcomes.iter().filter(|one| matches!(one, CommitOutcome::Done { .. })).count();
        same("written, and repetitions", (done, duplicates), (1, MANY - 1))?;
    }
    same("the position", ask(store.position())?, 20)
}

/// So many credentials are revoked while others look for them.
const REVOKED: u64 = 100;

/// A cache keeps what was found until the ledger passes the position of the find: if what was found is older than that
/// position, a revoked credential is accepted for ever.
pub(super) fn a_find_beside_a_writer_is_true_at_its_position(bench: &Bench<'_>) -> Checked {
    let (store, group) = ((bench.fresh)(), group("s1"));
    let name = |number: u64| format!("c{number}");
    let all = (0..REVOKED).map(|number| credential(&name(number))).collect();
    let first = is_done(&*store, commit(&group, 0, all))?;
    let (mut revoked, mut seen) = (Vec::new(), Vec::new());
    let done = AtomicBool::new(false);
    for (revocations, finds) in each(bench, 4, |thread| {
        let (mut revocations, mut finds) = (Vec::new(), Vec::new());
        if thread == 0 {
            for number in 0..REVOKED {
                let it = super::in_state(&credential(&name(number)), State::Revoked);
                let written = is_done(&*store, commit(&group, number.saturating_add(1), vec![it]));
                done.store(written.is_err(), Ordering::SeqCst);
                revocations.push(written?);
            }
            done.store(true, Ordering::SeqCst);
            return Ok((revocations, finds));
        }
        while !done.load(Ordering::SeqCst) {
            // Those that are about to be revoked are the ones to look for.
            let next = ask(store.position())?.saturating_sub(first);
            for number in [next.saturating_sub(1), next, next.saturating_add(1)] {
                let found = ask(store.find(&digest(&name(number))))?;
                finds.push((number, !found.credentials.is_empty(), found.as_of));
            }
        }
        Ok((revocations, finds))
    })? {
        revoked.extend(revocations);
        seen.extend(finds);
    }
    for (number, found, as_of) in seen {
        let ended = usize::try_from(number).ok().and_then(|number| revoked.get(number));
        let expected = ended.is_some_and(|ended| as_of < *ended);
        same(&format!("{} as of {as_of}, revoked at {ended:?}", name(number)), found, expected)?;
    }
    Ok(())
}

/// Two discards race for the last two keys so often.
const RACES: usize = 300;

fn two_keys(round: usize) -> (GroupId, [Credential; 2]) {
    let key = |number| credential(&format!("{round}-{number}"));
    (group(&format!("s{round}")), [key(0), key(1)])
}

fn active(store: &dyn LifecycleStore, group: &GroupId) -> Result<usize, String> {
    Ok(ask(store.load(group))?.in_state(State::Active))
}

pub(super) fn two_discards_of_the_last_two_keys_leave_one(bench: &Bench<'_>) -> Checked {
    let store = (bench.fresh)();
    for round in 0..RACES {
        let (group, keys) = two_keys(round);
        is_done(&*store, commit(&group, 0, keys.to_vec()))?;
        let ids = keys.map(|it| it.id);
        let won = each(bench, 2, |number| match ids.get(number) {
            Some(id) => discard(&*store, &group, id),
            None => Err(String::from("there are two keys")),
        })?;
        same("how many won", won.into_iter().filter(|won| *won).count(), 1)?;
        same("how many keys are left", active(&*store, &group)?, 1)?;
    }
    Ok(())
}

/// Decides and commits until it is written or refused.
fn discard(store: &dyn LifecycleStore, group: &GroupId, id: &CredentialId) -> Result<bool, String> {
    let actor = Actor::new(group.tenant.clone(), "alice", Role::Owner);
    loop {
        let group = ask(store.load(group))?;
        let confirmed = group.version;
        let snapshot = Snapshot { policy: GroupPolicy::two_in_rotation(), group };
        let command = Command::Discard { credential: id.clone(), confirmed };
        let decision = match decide(&snapshot, &Order::new(actor.clone(), command), moment(2000)) {
            Ok(decision) => decision,
            Err(CommandRefusal::LastActive) => return Ok(false),
            Err(refusal) => return Err(format!("a discard was refused: {refusal}")),
        };
        let changes = decision.change.into_iter().collect();
        match ask(store.commit(Commit { changes, events: decision.events, ..Commit::default() }))? {
            CommitOutcome::Done { .. } => return Ok(true),
            CommitOutcome::Conflict => {}
            other => return Err(format!("a discard was not written: {other:?}")),
        }
    }
}

/// What this suite is for: with a version for each key in place of the group's, both discards see two keys, both are
/// written, and none is left. If this ever holds, the race above proves nothing.
pub(super) fn a_version_for_each_key_would_lose_groups(bench: &Bench<'_>) -> Checked {
    let store = (bench.fresh)();
    let mut lost = 0_usize;
    for round in 0..RACES / 10 {
        // Each key has a version of its own, since it has a group of its own.
        let service = ServiceId::new(format!("s{round}"));
        let kinds = [Kind::ServiceKey, Kind::ApiKey];
        let places = kinds.map(|kind| GroupId::of_service(tenant("acme"), service.clone(), kind));
        let (_, keys) = two_keys(round);
        for (place, key) in places.iter().zip(&keys) {
            is_done(&*store, commit(place, 0, vec![key.clone()]))?;
        }
        let seen = Barrier::new(2);
        let written = each(bench, 2, |number| {
            let mut alive = 0;
            for place in &places {
                alive += active(&*store, place)?;
            }
            seen.wait();
            let (Some(place), Some(key)) = (places.get(number), keys.get(number)) else {
                return Err(String::from("there are two keys"));
            };
            if alive < 2 {
                return Ok(false);
            }
            let discarded = super::in_state(key, State::Inactive);
            is_done(&*store, commit(place, 1, vec![discarded])).map(|_| true)
        })?;
        holds("both saw two keys", written.into_iter().all(|written| written))?;
        let mut left = 0;
        for place in &places {
            left += active(&*store, place)?;
        }
        lost = lost.saturating_add(usize::from(left == 0));
    }
    same("groups that were lost", lost, RACES / 10)
}
