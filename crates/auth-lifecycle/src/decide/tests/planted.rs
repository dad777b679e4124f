//! Machines in which one guard is undone: what looks for faults has to find each of them.

use super::{
    super::*,
    machine::{Decided, Machine},
    moment,
};
use crate::{Command, Holds, StepUp};
use std::{collections::HashSet, time::Duration};

/// A machine with a fault, and the invariant that it breaks.
pub(super) struct Planted {
    pub(super) name: &'static str,
    pub(super) breaks: &'static str,
    pub(super) machine: Machine,
}

macro_rules! planted {
    ($($machine:ident breaks $invariant:literal,)*) => {
        /// One machine for each guard that holds an invariant up.
        pub(super) const PLANTED: &[Planted] = &[$(
            Planted { name: stringify!($machine), breaks: $invariant, machine: $machine },
        )*];
    };
}

planted! {
    the_last_one_is_discarded breaks "I1",
    what_ends_soon_counts_as_lasting breaks "I1",
    one_is_inactive_more breaks "I2",
    one_is_there_more breaks "I2",
    any_proof_deletes breaks "I3",
    active_ones_are_deleted breaks "I3",
    revoked_ones_come_back breaks "I4",
    the_generation_stays breaks "I4",
    a_name_is_given_twice breaks "I4",
    two_sessions_are_alive breaks "I5",
    an_event_is_lost breaks "I6",
    an_event_has_the_former_version breaks "I6",
    time_runs_backwards breaks "I9",
    expired_ones_are_extended breaks "I9",
    another_actor_is_written_down breaks "I10",
    a_secret_is_shown_in_silence breaks "I10",
    a_notice_is_told_again breaks "I11",
    a_group_stays_due breaks "I11",
}

/// Decides over something else than there is.
fn over(
    snapshot: &Snapshot,
    order: &Order,
    now: Timestamp,
    change: impl FnOnce(&mut Snapshot),
) -> Decided {
    let mut snapshot = snapshot.clone();
    change(&mut snapshot);
    decide(&snapshot, order, now)
}

/// Decides over the credential of the command in another state.
fn seen_as(
    snapshot: &Snapshot,
    order: &Order,
    now: Timestamp,
    (name, from, to): (CommandName, State, State),
) -> Decided {
    let about = order.command.credential().filter(|_| order.command.name() == name);
    over(snapshot, order, now, |it| {
        let theirs = |one: &&mut Credential| Some(&one.id) == about && one.state == from;
        it.group.credentials.iter_mut().filter(theirs).for_each(|one| one.state = to);
    })
}

fn each_event(decided: Decided, change: impl FnMut(&mut Happening)) -> Decided {
    let mut decision = decided?;
    decision.events.iter_mut().for_each(change);
    Ok(decision)
}

fn each_credential(decided: Decided, change: impl FnMut(&mut Credential)) -> Decided {
    let mut decision = decided?;
    decision.change.iter_mut().flat_map(|change| &mut change.credentials).for_each(change);
    Ok(decision)
}

fn the_last_one_is_discarded(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    over(snapshot, order, now, |it| it.policy.min_active = 0)
}

fn what_ends_soon_counts_as_lasting(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    over(snapshot, order, now, |it| it.policy.guard_horizon = Duration::ZERO)
}

fn one_is_inactive_more(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    over(snapshot, order, now, |it| it.policy.max_inactive += 1)
}

fn one_is_there_more(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    over(snapshot, order, now, |it| it.policy.max_total += 1)
}

fn any_proof_deletes(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    let mut order = order.clone();
    if let Command::Delete { credential, proof, .. } = &mut order.command {
        let (actor, command) = (order.actor.id.clone(), CommandName::Delete);
        *proof = Some(StepUp { actor, credential: credential.clone(), command, at: now });
    }
    decide(snapshot, &order, now)
}

fn active_ones_are_deleted(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    seen_as(snapshot, order, now, (CommandName::Delete, State::Active, State::Inactive))
}

fn revoked_ones_come_back(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    seen_as(snapshot, order, now, (CommandName::Reactivate, State::Revoked, State::Inactive))
}

fn the_generation_stays(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    each_credential(decide(snapshot, order, now), |it| it.generation = 1)
}

fn a_name_is_given_twice(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    let Command::Create { new, .. } = &order.command else { return decide(snapshot, order, now) };
    over(snapshot, order, now, |it| it.group.credentials.retain(|one| one.id != new.id))
}

fn two_sessions_are_alive(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    over(snapshot, order, now, |it| {
        if it.policy.holds == Holds::OneSession {
            (it.policy.holds, it.policy.max_total) = (Holds::Sessions, 2);
        }
    })
}

fn an_event_is_lost(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    let mut decision = decide(snapshot, order, now)?;
    decision.events.pop();
    Ok(decision)
}

fn an_event_has_the_former_version(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    let former = (snapshot.group.id.clone(), snapshot.group.version);
    each_event(decide(snapshot, order, now), |event| event.group = Some(former.clone()))
}

fn time_runs_backwards(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    over(snapshot, order, now, |it| it.group.latest = moment(0))
}

fn expired_ones_are_extended(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    let Command::Update { credential, .. } = &order.command else {
        return decide(snapshot, order, now);
    };
    over(snapshot, order, now, |it| {
        let theirs = |one: &&mut Credential| one.id == *credential;
        for one in it.group.credentials.iter_mut().filter(theirs) {
            (one.ended, one.expires) = (false, None);
        }
    })
}

fn another_actor_is_written_down(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    each_event(decide(snapshot, order, now), |event| event.actor = "somebody".into())
}

fn a_secret_is_shown_in_silence(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    let mut decision = decide(snapshot, order, now)?;
    decision.events.retain(|event| event.name != EventName::Revealed);
    Ok(decision)
}

fn a_notice_is_told_again(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    each_credential(decide(snapshot, order, now), |it| it.notices_told = 0)
}

fn a_group_stays_due(snapshot: &Snapshot, order: &Order, now: Timestamp) -> Decided {
    let mut decision = decide(snapshot, order, now)?;
    decision.change = decision.change.filter(|change| !change.credentials.is_empty());
    Ok(decision)
}

#[test]
fn every_invariant_of_the_machine_has_a_planted_fault() {
    let broken: HashSet<_> = PLANTED.iter().map(|planted| planted.breaks).collect();
    for invariant in ["I1", "I2", "I3", "I4", "I5", "I6", "I9", "I10", "I11"] {
        assert!(broken.contains(invariant), "{invariant}");
    }
}
