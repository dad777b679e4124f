//! A commit: all of it or nothing, and once.

use super::{
    Bench, Checked, answer, ask, change, commit, credential, digest, group, happening, holds,
    is_done, moment, same, tenant,
};
use crate::{
    Commit, CommitOutcome, Credential, Group, LifecycleStore, Material, RememberedAnswer, Service,
    ServiceId,
};

use std::{sync::Arc, time::Duration};

pub(super) fn a_group_that_was_never_written_to_is_empty(bench: &Bench<'_>) -> Checked {
    let (store, group) = ((bench.fresh)(), group("s1"));
    same("the group", ask(store.load(&group))?, Group::empty(group))?;
    same("the position", ask(store.position())?, 0)
}

pub(super) fn a_commit_is_loaded_as_it_was_written(bench: &Bench<'_>) -> Checked {
    let (store, group) = ((bench.fresh)(), group("s1"));
    let full = full()?;
    // The second is older: the order is that in which they came.
    let second = Credential { created: moment(900), ..credential("c0") };
    let mut whole = commit(&group, 0, vec![full.clone(), second.clone()]);
    for change in &mut whole.changes {
        change.latest = moment(1234).after(Duration::from_nanos(7));
        change.creations = vec![moment(1000), moment(1200)];
    }
    same("the position after two events", is_done(&*store, whole)?, 2)?;
    let expected = Group {
        id: group.clone(),
        version: 1,
        latest: moment(1234).after(Duration::from_nanos(7)),
        creations: vec![moment(1000), moment(1200)],
        credentials: vec![full.clone(), second.clone()],
    };
    same("the group", ask(store.load(&group))?, expected)?;
    let later = Credential { label: Arc::from("new"), ..full };
    is_done(&*store, commit(&group, 1, vec![later.clone()]))?;
    let loaded = ask(store.load(&group))?;
    same("the version after two changes", loaded.version, 2)?;
    same("the credentials after a change of one", loaded.credentials, vec![later, second])
}

/// A credential of which every field says something.
fn full() -> Result<Credential, String> {
    let plain = credential("c1");
    let mut kept = plain.kept.clone();
    kept.found_by = digest("a name");
    kept.name = Some(Arc::from("a \"name\"\n\u{e9}"));
    kept.material = Material::Sealed(Arc::from([0, 255, 10]));
    let addresses = "10.0.0.0/8, 2001:db8::/32".split(", ");
    Ok(Credential {
        generation: 3,
        secret_since: moment(1500).after(Duration::from_millis(1)),
        not_before: Some(moment(900)),
        expires: Some(moment(9000)),
        retire_at: Some(moment(8000)),
        idle_timeout: Some(Duration::from_secs(600)),
        notices_told: 2,
        rotation_told: true,
        ended: true,
        scopes: ["read", "send"].into_iter().collect(),
        allowed_addresses: Some(addresses_of(addresses)?),
        label: Arc::from("main"),
        dependants: vec![Arc::from("a scheduler"), Arc::from("a webhook")],
        kept,
        ..plain
    })
}

fn addresses_of<'a>(texts: impl Iterator<Item = &'a str>) -> Result<auth_net::AddressList, String> {
    let texts: Vec<_> = texts.collect();
    auth_net::AddressList::new(texts).map_err(|error| error.to_string())
}

pub(super) fn a_commit_over_several_groups_is_written_whole_or_not_at_all(
    bench: &Bench<'_>,
) -> Checked {
    let (store, one, other) = ((bench.fresh)(), group("s1"), group("s2"));
    is_done(&*store, commit(&one, 0, vec![credential("c1")]))?;
    is_done(&*store, commit(&other, 0, vec![credential("c2")]))?;
    let service = Service {
        id: ServiceId::new("s9"),
        tenant: tenant("acme"),
        label: Arc::from("late"),
        created: moment(1000),
    };
    let both = |second| Commit {
        changes: vec![
            change(&one, 1, vec![credential("c3")]),
            change(&other, second, vec![credential("c4")]),
        ],
        service: Some(service.clone()),
        events: vec![happening(&one, 2, None), happening(&other, 2, None)],
        answer: Some(answer("key", 1000, 2000)),
    };
    for stale in [0, 2] {
        let outcome = ask(store.commit(both(stale)))?;
        same("a commit with one stale group", outcome, CommitOutcome::Conflict)?;
        nothing_is_there(&*store)?;
    }
    same("the position of a whole commit", is_done(&*store, both(1))?, 4)?;
    for group in [&one, &other] {
        let loaded = ask(store.load(group))?;
        same("version and size", (loaded.version, loaded.credentials.len()), (2, 2))?;
    }
    same("the service", ask(store.service(&service.id))?, Some(service))?;
    let remembered = ask(store.answer(&digest("key"), moment(1000)))?;
    same("the answer", remembered, Some(answer("key", 1000, 2000)))
}

fn nothing_is_there(store: &dyn LifecycleStore) -> Checked {
    for name in ["s1", "s2"] {
        let loaded = ask(store.load(&group(name)))?;
        same("the version after a conflict", loaded.version, 1)?;
        same("the credentials after a conflict", loaded.credentials.len(), 1)?;
    }
    same("the position after a conflict", ask(store.position())?, 2)?;
    same("the service after a conflict", ask(store.service(&ServiceId::new("s9")))?, None)?;
    same("the answer after a conflict", ask(store.answer(&digest("key"), moment(1000)))?, None)
}

pub(super) fn a_group_that_changes_twice_in_a_commit_is_a_conflict(bench: &Bench<'_>) -> Checked {
    let (store, group) = ((bench.fresh)(), group("s1"));
    let (one, other) = (credential("c1"), credential("c2"));
    for second in [0, 1] {
        let changes =
            vec![change(&group, 0, vec![one.clone()]), change(&group, second, vec![other.clone()])];
        let outcome = ask(store.commit(Commit { changes, ..Commit::default() }))?;
        same("a group twice", outcome, CommitOutcome::Conflict)?;
        same("the group", ask(store.load(&group))?.version, 0)?;
    }
    Ok(())
}

pub(super) fn a_change_without_credentials_counts_the_version_up(bench: &Bench<'_>) -> Checked {
    let (store, group) = ((bench.fresh)(), group("s1"));
    is_done(&*store, commit(&group, 0, vec![credential("c1")]))?;
    let mut moved = commit(&group, 1, Vec::new());
    for change in &mut moved.changes {
        (change.latest, change.next_due) = (moment(2000), Some(moment(3000)));
    }
    same("the position without an event", is_done(&*store, moved)?, 1)?;
    let loaded = ask(store.load(&group))?;
    same("version and moment", (loaded.version, loaded.latest), (2, moment(2000)))?;
    same("the credentials", loaded.credentials, vec![credential("c1")])?;
    same("what is due", ask(store.due(moment(3000), 9))?, vec![group])
}

pub(super) fn a_remembered_answer_is_given_in_place_of_a_second_commit(
    bench: &Bench<'_>,
) -> Checked {
    let (store, group) = ((bench.fresh)(), group("s1"));
    let first = answer("key", 1000, 2000);
    let under = |expected, id: &str, answer: &RememberedAnswer| Commit {
        answer: Some(answer.clone()),
        ..commit(&group, expected, vec![credential(id)])
    };
    is_done(&*store, under(0, "c1", &first))?;
    let other = RememberedAnswer {
        command: digest("another"),
        answer: vec![9],
        ..answer("key", 1999, 9999)
    };
    for second in [&first, &other] {
        // The repetition is recognized whether its version is stale, right or wrong, and whatever the command is.
        for expected in [0, 1, 7] {
            let outcome = ask(store.commit(under(expected, "c2", second)))?;
            same("a repetition", outcome, CommitOutcome::Duplicate(first.clone()))?;
        }
    }
    same("the version", ask(store.load(&group))?.version, 1)?;
    same("the position", ask(store.position())?, 1)?;
    is_done(&*store, under(1, "c2", &answer("another key", 1000, 2000))).map(drop)
}

pub(super) fn a_remembered_answer_ends_at_its_moment(bench: &Bench<'_>) -> Checked {
    let (store, group) = ((bench.fresh)(), group("s1"));
    let first = answer("key", 1000, 2000);
    let under = |expected, id: &str, answer: &RememberedAnswer| Commit {
        answer: Some(answer.clone()),
        ..commit(&group, expected, vec![credential(id)])
    };
    is_done(&*store, under(0, "c1", &first))?;
    let at = |now| ask(store.answer(&digest("key"), moment(now)));
    same("before its end", at(1999)?, Some(first))?;
    same("at its end", at(2000)?, None)?;
    same("another name", ask(store.answer(&digest("other"), moment(1000)))?, None)?;
    let second = answer("key", 2000, 3000);
    is_done(&*store, under(1, "c2", &second))?;
    same("what took its name", at(2999)?, Some(second))?;
    holds("both were done", ask(store.load(&group))?.credentials.len() == 2)
}
