//! What is found, and by whom.

use super::{
    Bench, Checked, ask, commit, credential, digest, group, in_state, is_done, moment, same, tenant,
};
use crate::{
    Commit, Credential, CredentialId, Found, GroupId, Kept, Kind, LifecycleStore, Service,
    ServiceId, State,
};
use std::sync::Arc;

/// The names of what is found by `name`, in order.
fn found(store: &dyn LifecycleStore, name: &str) -> Result<Vec<String>, String> {
    let found = ask(store.find(&digest(name)))?.credentials;
    Ok(found.into_iter().map(|(_, it)| it.id.to_string()).collect())
}

fn made(id: &str, name: &str, created: u64) -> Credential {
    let plain = credential(id);
    let kept = Kept { found_by: digest(name), ..plain.kept.clone() };
    Credential { kept, created: moment(created), ..plain }
}

pub(super) fn active_and_inactive_credentials_are_found_and_no_others(
    bench: &Bench<'_>,
) -> Checked {
    let (store, group) = ((bench.fresh)(), group("s1"));
    let one = made("c9", "bob", 1000);
    is_done(&*store, commit(&group, 0, vec![one.clone()]))?;
    is_done(&*store, commit(&group, 1, vec![made("c1", "bob", 1001), made("c5", "eve", 1002)]))?;
    same("two of one name", found(&*store, "bob")?, vec!["c9".into(), "c1".into()])?;
    let whole = ask(store.find(&digest("eve")))?;
    let expected = vec![(group.clone(), made("c5", "eve", 1002))];
    same("all of it", whole, Found { credentials: expected, as_of: 3 })?;
    let states = [(State::Inactive, true), (State::Active, true), (State::Revoked, false)];
    for (version, (state, there)) in (2..).zip(states) {
        is_done(&*store, commit(&group, version, vec![in_state(&one, state)]))?;
        let is_there = found(&*store, "bob")?.contains(&"c9".into());
        same(state.name(), is_there, there)?;
    }
    is_done(&*store, commit(&group, 5, vec![in_state(&one, State::Deleted)]))?;
    same("without what was deleted", found(&*store, "bob")?, vec!["c1".into()])?;
    let renewed = made("c1", "carol", 1001);
    is_done(&*store, commit(&group, 6, vec![renewed]))?;
    same("its former name", found(&*store, "bob")?, Vec::new())?;
    same("its new name", found(&*store, "carol")?, vec!["c1".into()])
}

pub(super) fn a_find_tells_the_position_at_which_it_is_true(bench: &Bench<'_>) -> Checked {
    let (store, one, other) = ((bench.fresh)(), group("s1"), group("s2"));
    let as_of = |name| ask(store.find(&digest(name))).map(|found| found.as_of);
    same("in an empty store", as_of("c1")?, 0)?;
    let position = is_done(&*store, commit(&one, 0, vec![credential("c1")]))?;
    same("of what is there", as_of("c1")?, position)?;
    same("of what is not there", as_of("c2")?, position)?;
    let position = is_done(&*store, commit(&other, 0, vec![credential("c2"), credential("c3")]))?;
    same("after a change of others", as_of("c1")?, position)
}

pub(super) fn a_fingerprint_finds_what_has_it_now(bench: &Bench<'_>) -> Checked {
    let (store, group) = ((bench.fresh)(), group("s1"));
    let plain = credential("c1");
    is_done(&*store, commit(&group, 0, vec![plain.clone()]))?;
    let holder = |fingerprint| ask(store.find_fingerprint(&digest(fingerprint)));
    let expected = Some((group.clone(), CredentialId::new("c1")));
    same("the first", holder("c1")?, expected.clone())?;
    let kept = Kept { fingerprint: digest("renewed"), ..plain.kept.clone() };
    let renewed = Credential { kept, generation: 2, ..plain };
    is_done(&*store, commit(&group, 1, vec![renewed.clone()]))?;
    same("the former", holder("c1")?, None)?;
    same("the present", holder("renewed")?, expected.clone())?;
    is_done(&*store, commit(&group, 2, vec![in_state(&renewed, State::Revoked)]))?;
    same("of what was revoked", holder("renewed")?, expected)?;
    is_done(&*store, commit(&group, 3, vec![in_state(&renewed, State::Deleted)]))?;
    same("of what was deleted", holder("renewed")?, None)?;
    let loaded = ask(store.load(&group))?;
    same("what is left", (loaded.version, loaded.credentials), (4, Vec::new()))
}

pub(super) fn a_tenant_finds_nothing_of_another(bench: &Bench<'_>) -> Checked {
    let store = (bench.fresh)();
    let of =
        |tenant_of: &str, kind| GroupId::of_service(tenant(tenant_of), ServiceId::new("s1"), kind);
    let own = GroupId::of_tenant(tenant("acme"), Kind::ProfileKey);
    let groups = [of("acme", Kind::ServiceJwtSecret), of("acme", Kind::ServiceKey), own.clone()];
    for (number, group) in groups.iter().enumerate() {
        is_done(&*store, commit(group, 0, vec![credential(&format!("c{number}"))]))?;
    }
    let foreign = of("globex", Kind::ServiceKey);
    is_done(&*store, commit(&foreign, 0, vec![credential("c9")]))?;
    let group_of = |of, id| ask(store.group_of(&tenant(of), &CredentialId::new(id)));
    same("its own", group_of("acme", "c1")?, Some(of("acme", Kind::ServiceKey)))?;
    for (tenant, id) in [("acme", "c9"), ("globex", "c1"), ("acme", "never"), ("", "c1")] {
        same("of another tenant, or of none", group_of(tenant, id)?, None)?;
    }
    is_done(&*store, commit(&own, 1, vec![in_state(&credential("c2"), State::Deleted)]))?;
    same("what was deleted", group_of("acme", "c2")?, None)?;
    let service = ServiceId::new("s1");
    let groups_of = |of, service| ask(store.groups_of(&tenant(of), service));
    let expected = vec![of("acme", Kind::ServiceKey), of("acme", Kind::ServiceJwtSecret)];
    same("by kind", groups_of("acme", Some(&service))?, expected)?;
    same("of the tenant itself", groups_of("acme", None)?, vec![own])?;
    same("of the other tenant", groups_of("globex", Some(&service))?, vec![foreign])?;
    same("of no service of the other", groups_of("globex", None)?, Vec::new())
}

pub(super) fn services_are_listed_in_the_order_of_their_names(bench: &Bench<'_>) -> Checked {
    let store = (bench.fresh)();
    for (id, of) in [("s3", "acme"), ("s1", "acme"), ("s2", "globex"), ("s4", "acme")] {
        let (id, tenant) = (ServiceId::new(id), tenant(of));
        let service = Some(Service { id, tenant, label: Arc::from("a"), created: moment(1000) });
        is_done(&*store, Commit { service, ..Commit::default() })?;
    }
    let listed = |of: &str, after: Option<&str>, most| {
        let after = after.map(ServiceId::new);
        let listed = ask(store.services(&tenant(of), after.as_ref(), most))?;
        Ok::<Vec<String>, String>(listed.into_iter().map(|one| one.id.to_string()).collect())
    };
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    same("all", listed("acme", None, 9)?, names(&["s1", "s3", "s4"]))?;
    same("the first two", listed("acme", None, 2)?, names(&["s1", "s3"]))?;
    same("the rest", listed("acme", Some("s3"), 2)?, names(&["s4"]))?;
    same("after one of others", listed("acme", Some("s2"), 1)?, names(&["s3"]))?;
    same("of the other tenant", listed("globex", None, 9)?, names(&["s2"]))?;
    same("of no tenant", listed("initech", None, 9)?, Vec::new())
}
