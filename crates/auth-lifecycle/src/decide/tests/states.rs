//! Every state that a group of up to five credentials can be in, and every command in each of them.

use super::{
    super::*,
    HOUR, NOW, active, actor, at, by, ending, id, in_state, inactive, kept, later,
    machine::{self, Broken, Machine},
    moment, new,
    planted::PLANTED,
    retiring, sealed, snapshot,
};
use crate::{
    Command, FieldChange, LiveSession, NewCredential, RevokeGuard, Status, StepUp, Update,
    testing::owner,
};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

/// What a credential of a group is, as far as commands tell one from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Lasting,
    EndsSoon,
    NotYet,
    Retiring,
    Retired,
    Expired,
    Ended,
    Inactive,
    InactiveExpired,
    Revoked,
}

use Sort::{
    Ended, EndsSoon, Expired, Inactive, InactiveExpired, Lasting, NotYet, Retired, Retiring,
    Revoked,
};

/// A group, whatever its credentials are called: how many of each sort it has.
type Shape = Vec<Sort>;

const SOON: u64 = NOW + 3600;

fn of_sort(number: usize, sort: Sort) -> Credential {
    let name = &format!("c{number}");
    sealed(match sort {
        Lasting => active(name),
        EndsSoon => ending(name, SOON),
        NotYet => later(name, SOON),
        Retiring => retiring(name, SOON),
        Retired => retiring(name, NOW),
        Expired => ending(name, NOW),
        Ended => Credential { ended: true, ..ending(name, NOW) },
        Inactive => inactive(name),
        InactiveExpired => Credential { expires: at(NOW), ..inactive(name) },
        Revoked => in_state(name, State::Revoked),
    })
}

fn sort_of(policy: &GroupPolicy, it: &Credential) -> Sort {
    match it.status(moment(NOW)) {
        Status::Usable if it.is_lasting(moment(NOW), policy.guard_horizon) => Lasting,
        Status::Usable if it.retire_at.is_some() => Retiring,
        Status::Usable => EndsSoon,
        Status::NotYet => NotYet,
        Status::Retired => Retired,
        Status::Expired if it.ended => Ended,
        Status::Expired => Expired,
        Status::Inactive if it.has_passed(moment(NOW)) => InactiveExpired,
        Status::Inactive => Inactive,
        Status::Revoked | Status::Deleted => Revoked,
    }
}

fn shape(policy: &GroupPolicy, group: &Group) -> Shape {
    let mut shape: Shape = group.credentials.iter().map(|it| sort_of(policy, it)).collect();
    shape.sort();
    // The revoked take no place: one of them stands for all.
    let revoked = shape.iter().position(|sort| *sort == Revoked);
    shape.truncate(revoked.map_or(shape.len(), |first| first + 1));
    shape
}

/// What time alone makes of a credential.
fn aged(sort: Sort) -> Option<Sort> {
    match sort {
        Lasting => Some(EndsSoon),
        EndsSoon => Some(Expired),
        NotYet => Some(Lasting),
        Retiring => Some(Retired),
        Inactive => Some(InactiveExpired),
        Retired | Expired | Ended | InactiveExpired | Revoked => None,
    }
}

/// The commands that are given for one credential.
fn about(one: &CredentialId, version: u64) -> Vec<Command> {
    let credential = || one.clone();
    let by = |actor: Arc<str>| StepUp {
        actor,
        credential: credential(),
        command: CommandName::Delete,
        at: moment(NOW),
    };
    let confirmed = version;
    let proofs = [None, Some(by(owner().id)), Some(by("bob".into()))];
    let delete = |proof| Command::Delete { credential: credential(), confirmed, proof };
    let mut commands: Vec<_> = proofs.into_iter().map(delete).collect();
    let rotate = |change: fn(&mut NewCredential)| {
        let mut successor = new("new");
        change(&mut successor);
        Command::Rotate { credential: credential(), overlap: HOUR, new: Box::new(successor) }
    };
    let ends = |expires| {
        let update = Box::new(Update { expires, ..Update::default() });
        Command::Update { credential: credential(), update }
    };
    commands.extend([
        Command::Discard { credential: credential(), confirmed },
        Command::Reactivate(credential()),
        Command::Regenerate { credential: credential(), kept: kept("renewed") },
        rotate(|_| {}),
        rotate(|it| it.expires = at(SOON)),
        rotate(|it| it.not_before = at(SOON)),
        Command::CancelRetire(credential()),
        Command::Revoke { credential: credential(), guard: RevokeGuard::KeepLast },
        Command::Reveal(credential()),
        ends(FieldChange::Clear),
        ends(FieldChange::Set(moment(SOON))),
        ends(FieldChange::Set(moment(SOON - 9))),
        Command::Destroy(credential()),
        Command::ReportLeaked(credential()),
        Command::Bind { credential: credential(), dependant: "cron".into() },
        Command::Unbind { credential: credential(), dependant: "cron".into() },
    ]);
    commands
}

fn orders(snapshot: &Snapshot) -> Vec<Order> {
    let create = |live, change: fn(&mut NewCredential)| {
        let mut it = new("new");
        change(&mut it);
        Command::Create { new: Box::new(it), live }
    };
    let mut commands = vec![
        create(LiveSession::Keep, |_| {}),
        create(LiveSession::Replace, |_| {}),
        create(LiveSession::Keep, |it| it.expires = at(SOON)),
        create(LiveSession::Keep, |it| it.not_before = at(SOON)),
        create(LiveSession::Keep, |it| it.id = id("c0")),
        Command::Import(Box::new(new("new"))),
    ];
    for it in &snapshot.group.credentials {
        commands.extend(about(&it.id, snapshot.group.version));
    }
    let mut orders: Vec<_> =
        commands.into_iter().map(|command| Order::new(owner(), command)).collect();
    orders.push(Order::new(actor(Role::System), Command::RetireDue));
    orders
}

struct Explored {
    states: usize,
    accepted: usize,
}

/// Breadth-first, from the empty group on; each step is checked, for one invariant or for all.
fn explore(
    policy: &GroupPolicy,
    machine: Machine,
    invariant: Option<&str>,
) -> Result<Explored, Broken> {
    let mut explored = Explored { states: 0, accepted: 0 };
    let (mut seen, mut front) = (BTreeSet::from([Shape::new()]), VecDeque::from([Shape::new()]));
    while let Some(state) = front.pop_front() {
        explored.states += 1;
        let group = state.iter().enumerate().map(|(number, sort)| of_sort(number, *sort));
        let before = snapshot(policy, group.collect());
        let mut next = BTreeSet::new();
        for order in orders(&before) {
            let decided = machine(&before, &order, moment(NOW));
            machine::check_one(invariant, &before, &order, moment(NOW), &decided)?;
            if let Ok(decision) = decided {
                explored.accepted += 1;
                let after = decision.change.map(|change| machine::written(&before.group, &change));
                next.extend(after.map(|after| shape(policy, &after)));
            }
        }
        for number in 0..state.len() {
            let mut older = state.clone();
            if let Some(aged) = aged(state[number]) {
                older[number] = aged;
                older.sort();
                next.insert(older);
            }
        }
        let new: Vec<_> = next.into_iter().filter(|state| seen.insert(state.clone())).collect();
        front.extend(new);
    }
    Ok(explored)
}

fn capped(cap: u16) -> GroupPolicy {
    GroupPolicy { max_total: cap, ..GroupPolicy::two_in_rotation() }
}

fn policies(most: u16) -> Vec<GroupPolicy> {
    let mut policies: Vec<_> = (1..=most).map(capped).collect();
    policies.push(GroupPolicy { min_active: 2, max_inactive: 2, ..capped(3) });
    policies.push(GroupPolicy { max_total: 2, ..GroupPolicy::keys_with_an_end() });
    policies.push(GroupPolicy { max_total: 2, ..GroupPolicy::sessions(HOUR * 24) });
    policies.push(GroupPolicy::one_session());
    policies
}

#[test]
fn no_command_in_any_state_breaks_an_invariant() {
    let mut reached = Vec::new();
    for policy in policies(5) {
        let explored = explore(&policy, decide, None)
            .unwrap_or_else(|broken| panic!("{policy:?}: {broken:?}"));
        reached.push((explored.states, explored.accepted));
    }
    assert!(reached.windows(2).take(4).all(|two| two[0].0 < two[1].0), "{reached:?}");
}

/// Faults that show only over time, which a random walk finds.
const OVER_TIME: &[&str] = &["time_runs_backwards", "a_notice_is_told_again", "a_group_stays_due"];

#[test]
fn each_planted_fault_is_found_in_some_state() {
    for planted in PLANTED.iter().filter(|planted| !OVER_TIME.contains(&planted.name)) {
        let look = |policy: &GroupPolicy| explore(policy, planted.machine, Some(planted.breaks));
        let broken = policies(3).iter().find_map(|policy| look(policy).err());
        let found = broken.as_ref().map(|(invariant, _)| *invariant);
        assert_eq!(found, Some(planted.breaks), "{}: {broken:?}", planted.name);
    }
}

/// A screen enables exactly what would be done.
#[test]
fn what_is_permitted_is_what_is_accepted() {
    for policy in policies(4) {
        for number in 0..4_usize {
            let mut front = vec![Shape::new()];
            for _ in 0..number {
                let longer = |shape: &Shape| {
                    let first = shape.last().copied();
                    SORTS.into_iter().filter(move |sort| first.is_none_or(|first| *sort >= first))
                };
                front = front
                    .iter()
                    .flat_map(|shape| {
                        longer(shape).map(|sort| [shape.as_slice(), &[sort]].concat())
                    })
                    .collect();
            }
            front.iter().for_each(|state| permitted_is_accepted(&policy, state));
        }
    }
}

const SORTS: [Sort; 10] = [
    Lasting,
    EndsSoon,
    NotYet,
    Retiring,
    Retired,
    Expired,
    Ended,
    Inactive,
    InactiveExpired,
    Revoked,
];

fn permitted_is_accepted(policy: &GroupPolicy, state: &Shape) {
    let group = state.iter().enumerate().map(|(number, sort)| of_sort(number, *sort));
    let before = snapshot(policy, group.collect());
    for it in &before.group.credentials {
        let permitted = permitted(&before, &it.id, moment(NOW));
        // The first command of each name is the plainest one; a deletion has its proof.
        let plain = |command: &Command| match command {
            Command::Delete { proof, .. } => {
                proof.as_ref().is_some_and(|proof| proof.actor == owner().id)
            }
            Command::Rotate { new, .. } => new.expires.is_none() && new.not_before.is_none(),
            Command::Update { .. } => false,
            _ => true,
        };
        for command in about(&it.id, before.group.version).into_iter().filter(plain) {
            let name = command.name();
            let accepted = decide(&before, &by(Role::Owner, command), moment(NOW)).is_ok();
            assert_eq!(permitted.contains(&name), accepted, "{name} in {state:?}");
        }
        let unchanged =
            Command::Update { credential: it.id.clone(), update: Box::new(Update::default()) };
        let accepted = decide(&before, &by(Role::Owner, unchanged), moment(NOW)).is_ok();
        assert_eq!(permitted.contains(&CommandName::Update), accepted, "update in {state:?}");
    }
}
