//! Names and fingerprints, which never return, and what credentials are found by.

use super::{
    Bench, Checked, answer, ask, change, commit, credential, digest, group, in_state, is_done,
    moment, same, tenant,
};
use crate::{
    Actor, CommandRefusal, Commit, CommitOutcome, Credential, CredentialId, Group, GroupId, Kept,
    Kind, LifecycleStore, Registry, RegistryKeys, Role, Service, ServiceId, State, Wanted,
};
use auth_core::Secret;
use std::sync::Arc;

fn is_taken(store: &dyn LifecycleStore, what: &str, commit: Commit) -> Checked {
    same(what, ask(store.commit(commit))?, CommitOutcome::Taken)
}

fn with_fingerprint(id: &str, fingerprint: &str) -> Credential {
    let plain = credential(id);
    let kept = Kept { fingerprint: digest(fingerprint), ..plain.kept.clone() };
    Credential { kept, ..plain }
}

fn found_by(id: &str, name: &str) -> Credential {
    let plain = credential(id);
    let kept = Kept { found_by: digest(name), ..plain.kept.clone() };
    Credential { kept, ..plain }
}

pub(super) fn a_name_of_a_credential_never_returns(bench: &Bench<'_>) -> Checked {
    let (store, one, other) = ((bench.fresh)(), group("s1"), group("s2"));
    let foreign = GroupId { tenant: tenant("globex"), ..one.clone() };
    is_done(&*store, commit(&one, 0, vec![credential("c1"), credential("c2")]))?;
    is_done(&*store, commit(&one, 1, vec![in_state(&credential("c2"), State::Deleted)]))?;
    for id in ["c1", "c2"] {
        let again = Credential { id: CredentialId::new(id), ..credential("new") };
        is_taken(&*store, "the name of another group's", commit(&other, 0, vec![again.clone()]))?;
        is_taken(
            &*store,
            "the name of another tenant's",
            commit(&foreign, 0, vec![again.clone()]),
        )?;
        if id == "c2" {
            is_taken(&*store, "the name of what was deleted", commit(&one, 2, vec![again]))?;
        }
    }
    let changes =
        vec![change(&other, 0, vec![credential("c3")]), change(&foreign, 0, vec![with_name("c3")])];
    is_taken(&*store, "a name twice in a commit", Commit { changes, ..Commit::default() })?;
    same("the group", ask(store.load(&one))?.credentials, vec![credential("c1")])
}

fn with_name(id: &str) -> Credential {
    Credential { id: CredentialId::new(id), ..credential("another") }
}

pub(super) fn a_fingerprint_never_returns(bench: &Bench<'_>) -> Checked {
    let (store, one, other) = ((bench.fresh)(), group("s1"), group("s2"));
    let first = with_fingerprint("c1", "first");
    is_done(&*store, commit(&one, 0, vec![first.clone(), with_fingerprint("c2", "second")]))?;
    let renewed = Credential { generation: 2, ..with_fingerprint("c1", "renewed") };
    is_done(&*store, commit(&one, 1, vec![renewed.clone()]))?;
    let deleted = in_state(&with_fingerprint("c2", "second"), State::Deleted);
    is_done(&*store, commit(&one, 2, vec![deleted]))?;
    for known in ["first", "renewed", "second"] {
        let (here, there) = (with_fingerprint("c3", known), with_fingerprint("c4", known));
        is_taken(&*store, "a fingerprint of the group", commit(&one, 3, vec![here]))?;
        is_taken(&*store, "a fingerprint of another group", commit(&other, 0, vec![there]))?;
    }
    let back = Credential { generation: 3, ..first };
    is_taken(&*store, "its own former fingerprint", commit(&one, 3, vec![back]))?;
    let twice = vec![with_fingerprint("c5", "same"), with_fingerprint("c6", "same")];
    is_taken(&*store, "a fingerprint twice in a commit", commit(&one, 3, twice))?;
    // What stays as it is keeps its fingerprint.
    let labelled = Credential { label: Arc::from("new"), ..renewed };
    is_done(&*store, commit(&one, 3, vec![labelled])).map(drop)
}

pub(super) fn a_name_of_a_service_is_given_once(bench: &Bench<'_>) -> Checked {
    let store = (bench.fresh)();
    let service = |of: &str| Service {
        id: ServiceId::new("s1"),
        tenant: tenant(of),
        label: Arc::from(of),
        created: moment(1000),
    };
    let make = |of| Commit { service: Some(service(of)), ..Commit::default() };
    is_done(&*store, make("acme"))?;
    is_taken(&*store, "the service of another tenant", make("globex"))?;
    is_taken(&*store, "the tenant's own service", make("acme"))?;
    same("the service", ask(store.service(&ServiceId::new("s1")))?, Some(service("acme")))
}

pub(super) fn what_finds_one_group_finds_no_other(bench: &Bench<'_>) -> Checked {
    let (store, one, other) = ((bench.fresh)(), group("s1"), group("s2"));
    let (bob, second) = (found_by("c1", "bob"), found_by("c2", "bob"));
    is_done(&*store, commit(&one, 0, vec![bob.clone()]))?;
    is_done(&*store, commit(&one, 1, vec![second.clone()]))?;
    let there = |expected| commit(&other, expected, vec![found_by("c3", "bob")]);
    is_taken(&*store, "what finds active ones", there(0))?;
    is_done(&*store, commit(&one, 2, vec![in_state(&second, State::Revoked)]))?;
    is_done(&*store, commit(&one, 3, vec![in_state(&bob, State::Inactive)]))?;
    is_taken(&*store, "what finds an inactive one", there(0))?;
    is_done(&*store, commit(&one, 4, vec![in_state(&bob, State::Revoked)]))?;
    is_done(&*store, there(0))?;
    // What was revoked before is deleted all the same.
    is_done(&*store, commit(&one, 5, vec![in_state(&bob, State::Deleted)]))?;
    let found = ask(store.find(&digest("bob")))?.credentials;
    let found: Vec<_> = found.into_iter().map(|(group, it)| (group, it.id)).collect();
    same("who is found", found, vec![(other.clone(), CredentialId::new("c3"))])?;
    let mine = found_by("c4", "eve");
    let theirs = GroupId::of_tenant(tenant("acme"), Kind::ProfileKey);
    let changes =
        vec![change(&one, 6, vec![mine]), change(&theirs, 0, vec![found_by("c5", "eve")])];
    is_taken(&*store, "two groups of one commit", Commit { changes, ..Commit::default() })
}

pub(super) fn what_is_refused_as_taken_leaves_nothing_behind(bench: &Bench<'_>) -> Checked {
    let (store, one, other) = ((bench.fresh)(), group("s1"), group("s2"));
    is_done(&*store, commit(&one, 0, vec![credential("c1")]))?;
    let mut both = commit(&other, 0, vec![credential("c2")]);
    both.changes.push(change(&one, 1, vec![with_fingerprint("c3", "c1")]));
    both.answer = Some(answer("key", 1000, 2000));
    is_taken(&*store, "a fingerprint", both)?;
    same("the position", ask(store.position())?, 1)?;
    same("the first group", ask(store.load(&one))?.version, 1)?;
    same("the second group", ask(store.load(&other))?.version, 0)?;
    same("the answer", ask(store.answer(&digest("key"), moment(1000)))?, None)?;
    // Neither its names nor its fingerprints are spent.
    is_done(&*store, commit(&other, 0, vec![credential("c2"), credential("c3")])).map(drop)
}

/// A store may keep what is the tenant's own under an empty name of a service: it is nobody else's all the same.
pub(super) fn a_service_without_a_name_has_no_group(bench: &Bench<'_>) -> Checked {
    let store = (bench.fresh)();
    let own = GroupId::of_tenant(tenant("acme"), Kind::ProfileKey);
    let nameless = GroupId::of_service(tenant("acme"), ServiceId::new(""), Kind::ProfileKey);
    let name = ServiceId::new("");
    for version in 0..2 {
        let id = format!("c{version}");
        is_taken(
            &*store,
            "a group without a name",
            commit(&nameless, version, vec![credential(&id)]),
        )?;
        is_done(&*store, commit(&own, version, vec![credential(&id)]))?;
        same("its group", ask(store.load(&nameless))?, Group::empty(nameless.clone()))?;
        let groups = ask(store.groups_of(&tenant("acme"), Some(&name)))?;
        same("its groups", groups, Vec::new())?;
    }
    same("the tenant's own", ask(store.load(&own))?.version, 2)
}

/// What the registry says of it, over any store.
pub(super) fn a_service_without_a_name_is_refused_by_its_field(bench: &Bench<'_>) -> Checked {
    let keys =
        RegistryKeys::from_master(&Secret::new([7; 32])).map_err(|error| error.to_string())?;
    let registry = Registry::build((bench.fresh)(), keys).finish();
    let registry = registry.map_err(|error| error.to_string())?;
    let by = registry.by(&Actor::new(tenant("acme"), "alice", Role::Owner));
    let own = ask(by.create(None, Kind::ProfileKey, Wanted::default()))?;
    let own = own.map_err(|refusal| refusal.to_string())?.credential.id;
    ask(by.bind(&own, "cron"))?.map_err(|refusal| refusal.to_string())?;
    let name = ServiceId::new("");
    for kind in Kind::ALL {
        let bound = ask(by.bound(Some(&name), kind, "cron"))?.map(|it| it.id);
        let made = ask(by.create(Some(&name), kind, Wanted::default()))?.map(|it| it.credential.id);
        for said in [bound, made] {
            let field = match said {
                Err(CommandRefusal::Invalid { field, .. }) => field,
                other => return Err(format!("{kind} of a service without a name: {other:?}")),
            };
            same("the field", field, "service")?;
        }
    }
    let bound = ask(by.bound(None, Kind::ProfileKey, "cron"))?.map(|it| it.id);
    same("the tenant's own", bound, Ok(own))
}
