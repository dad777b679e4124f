//! What is noted apart from changes: uses, what is due, leases.

use super::{Bench, Checked, ask, commit, credential, digest, group, holds, is_done, moment, same};
use crate::{CredentialId, LifecycleStore, MOST_SOURCES, Use};
use auth_core::Timestamp;
use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

fn used(id: &str, at: u64, source: Option<u8>) -> Use {
    let source = source.map(|last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)));
    Use { credential: CredentialId::new(id), at: moment(at), source }
}

fn last_uses(
    store: &dyn LifecycleStore,
    id: &str,
) -> Result<(Option<Timestamp>, Option<Timestamp>), String> {
    let loaded = ask(store.load(&group("s1")))?;
    let found = ask(store.find(&digest(id)))?;
    let loaded = loaded.credential(&CredentialId::new(id)).and_then(|it| it.last_used);
    Ok((loaded, found.credentials.first().and_then(|(_, it)| it.last_used)))
}

pub(super) fn the_last_use_only_grows(bench: &Bench<'_>) -> Checked {
    let (store, group) = ((bench.fresh)(), group("s1"));
    is_done(&*store, commit(&group, 0, vec![credential("c1"), credential("c2")]))?;
    same("before its first use", last_uses(&*store, "c1")?, (None, None))?;
    let mut latest = 0;
    for (at, source) in [(2000, Some(1)), (1500, Some(1)), (1800, Some(2)), (2500, None), (1, None)]
    {
        ask(store.touch(vec![used("c1", at, source)]))?;
        latest = latest.max(at);
        let expected = Some(moment(latest));
        same("its last use", last_uses(&*store, "c1")?, (expected, expected))?;
    }
    same("of another", last_uses(&*store, "c2")?, (None, None))?;
    // A change says nothing of uses, and loses none.
    is_done(&*store, commit(&group, 1, vec![credential("c1")]))?;
    let expected = Some(moment(2500));
    same("after a change", last_uses(&*store, "c1")?, (expected, expected))?;
    same("the version", ask(store.load(&group))?.version, 2)
}

pub(super) fn the_uses_of_the_latest_sources_are_kept(bench: &Bench<'_>) -> Checked {
    let (store, group) = ((bench.fresh)(), group("s1"));
    is_done(&*store, commit(&group, 0, vec![credential("c1")]))?;
    let uses = |id| ask(store.uses(&CredentialId::new(id)));
    same("before its first use", uses("c1")?, Vec::new())?;
    let sources = u8::try_from(MOST_SOURCES).unwrap_or(u8::MAX).saturating_add(3);
    let touches = (1..=sources).map(|source| used("c1", 1000 + u64::from(source), Some(source)));
    ask(store.touch(touches.collect()))?;
    let latest: Vec<_> = (1..=sources)
        .rev()
        .take(MOST_SOURCES)
        .map(|source| used("c1", 1000 + u64::from(source), Some(source)))
        .collect();
    same("the latest first", uses("c1")?, latest)?;
    let again =
        vec![used("c1", 5000, Some(sources)), used("c1", 4000, None), used("c1", 1, Some(99))];
    ask(store.touch(again))?;
    let kept = uses("c1")?;
    same("how many are kept", kept.len(), MOST_SOURCES)?;
    let first: Vec<_> = kept.into_iter().take(2).collect();
    same(
        "one of each source",
        first,
        vec![used("c1", 5000, Some(sources)), used("c1", 4000, None)],
    )?;
    // A use that is noted late, of what is gone or never was, does no harm.
    ask(store.touch(vec![used("never", 1000, None)]))?;
    ask(store.touch(Vec::new()))
}

pub(super) fn due_groups_come_the_earliest_first(bench: &Bench<'_>) -> Checked {
    let store = (bench.fresh)();
    let set = |name: &str, version, due: Option<u64>| {
        let id = format!("{name}-{version}");
        let mut whole = commit(&group(name), version, vec![credential(&id)]);
        for change in &mut whole.changes {
            change.next_due = due.map(moment);
        }
        is_done(&*store, whole)
    };
    for (name, due) in [("s1", Some(3000)), ("s2", Some(1000)), ("s3", None), ("s4", Some(2000))] {
        set(name, 0, due)?;
    }
    let due = |now, most| ask(store.due(moment(now), most));
    same("before the first", due(999, 9)?, Vec::new())?;
    same("at its moment", due(1000, 9)?, vec![group("s2")])?;
    same("all of them", due(9000, 9)?, vec![group("s2"), group("s4"), group("s1")])?;
    same("the first two", due(9000, 2)?, vec![group("s2"), group("s4")])?;
    set("s2", 1, Some(5000))?;
    set("s4", 1, None)?;
    same("when they have moved", due(9000, 9)?, vec![group("s1"), group("s2")])?;
    for name in ["s9", "s8", "s7"] {
        set(name, 0, Some(4000))?;
    }
    let all = ["s1", "s9", "s8", "s7", "s2"].map(group);
    for most in 0..=all.len() {
        let first: Vec<_> = all.iter().take(most).cloned().collect();
        same("a longer answer begins with a shorter one", due(9000, most)?, first)?;
    }
    Ok(())
}

const MINUTE: Duration = Duration::from_secs(60);

pub(super) fn a_lease_has_one_holder(bench: &Bench<'_>) -> Checked {
    let store = (bench.fresh)();
    let lease = |name, now, hold| ask(store.lease(name, moment(now), hold));
    let first = lease("rotation", 1000, MINUTE)?;
    holds("the first is taken", first.is_some())?;
    holds("another name is another lease", lease("sweep", 1000, MINUTE)?.is_some())?;
    for (now, hold) in [(1000, MINUTE), (1059, MINUTE), (1001, MINUTE / 60), (1001, MINUTE * 60)] {
        same("while it is held", lease("rotation", now, hold)?, None)?;
    }
    same("under a clock that is a little behind", lease("rotation", 990, MINUTE)?, None)?;
    let mut fence = first;
    for now in [1060, 1120, 9000] {
        let next = lease("rotation", now, MINUTE)?;
        holds("each fence is higher than all before", next > fence)?;
        fence = next;
    }
    let (held, taken) = (std::sync::Mutex::new(Vec::new()), 20_000);
    (bench.together)(8, &|_| {
        let one = ask(store.lease("rotation", moment(taken), MINUTE));
        held.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(one);
    });
    let held = held.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let held = held.into_iter().collect::<Result<Vec<_>, _>>()?;
    same("of eight at once", held.into_iter().flatten().count(), 1)
}

pub(super) fn a_lease_taken_under_a_clock_that_was_ahead_blocks_nobody_for_long(
    bench: &Bench<'_>,
) -> Checked {
    let store = (bench.fresh)();
    let lease = |now| ask(store.lease("rotation", moment(now), MINUTE));
    let ahead = lease(1_000_000)?;
    holds("it is taken under a clock that is ahead", ahead.is_some())?;
    let back = lease(1000)?;
    holds("it is taken again when the clock is back, with a higher fence", back > ahead)?;
    same("it is held", lease(1001)?, None)?;
    holds("it is taken at 5000", lease(5000)?.is_some())?;
    same("ahead by its own length, it is held", lease(4940)?, None)?;
    holds("ahead by more, it is not", lease(4939)?.is_some())
}
