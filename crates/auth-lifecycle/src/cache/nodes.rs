//! Every state that one store and its nodes can reach, breadth-first. The nodes are the cache itself: each step takes one
//! from its state, does what the step does, and reads its state again.
//!
//! Time passes in ticks. An age is counted up to the bound, since all that is older is alike: so the states are finite
//! in number though time is not bounded.

mod node;
mod world;

use node::{Node, Planted};
use std::collections::{HashMap, HashSet, hash_map::Entry};
use world::{Fault, Scope, Step, World};

/// Goes through all worlds, and returns how many there are; or the first fault of the kind that is sought, with the way to it.
fn explore<const N: usize>(
    scope: Scope,
    is_sought: fn(&Fault) -> bool,
) -> Result<usize, (Fault, Vec<Step>)> {
    let mut worlds = vec![(World::<N>::new(), None)];
    let mut known: HashMap<_, _> = [(worlds[0].0, 0)].into();
    let (mut said, mut lively) = (HashMap::new(), HashSet::new());
    let mut at = 0;
    while let Some((world, _)) = worlds.get(at).copied() {
        let found = world.check_safety(&mut said).and_then(|()| {
            let fresh = |node: &Node| {
                lively.insert((Node { fill: None, poll: None, ..*node }, world.count, world.cut))
            };
            let mut nodes = world.nodes.to_vec();
            nodes.retain(fresh);
            nodes.into_iter().try_for_each(|node| world.check_liveness(node, scope.planted))
        });
        if let Some(fault) = found.err().filter(is_sought) {
            return Err((fault, way(&worlds, at)));
        }
        for step in world.steps(scope) {
            match world.take(step, scope.planted) {
                Ok(next) => {
                    if let Entry::Vacant(place) = known.entry(next) {
                        place.insert(worlds.len());
                        worlds.push((next, Some((at, step))));
                    }
                }
                Err(fault) if is_sought(&fault) => {
                    let mut way = way(&worlds, at);
                    way.push(step);
                    return Err((fault, way));
                }
                Err(_) => {}
            }
        }
        at += 1;
    }
    Ok(worlds.len())
}

fn way<const N: usize>(worlds: &[(World<N>, Option<(usize, Step)>)], to: usize) -> Vec<Step> {
    let mut way = Vec::new();
    let mut at = to;
    while let Some((from, step)) = worlds[at].1 {
        way.push(step);
        at = from;
    }
    way.reverse();
    way
}

const SCOPE: Scope = Scope {
    events: 2,
    in_flight: 2,
    crashes: 1,
    outages: 1,
    cuts: 0,
    behind: 0,
    planted: Planted::Nothing,
};

#[track_caller]
fn check_sound<const N: usize>(scope: Scope) {
    match explore::<N>(scope, |_| true) {
        Ok(states) => println!("nodes={N} states={states}"),
        Err((fault, way)) => panic!("{fault:?} after {way:#?}"),
    }
}

/// The same worlds with a bug hold a fault.
#[track_caller]
fn check_caught(planted: Planted, expected: fn(&Fault) -> bool) {
    let (fault, way) = explore::<3>(Scope { planted, ..SCOPE }, expected).unwrap_err();
    println!("{fault:?} after {way:?}");
}

const fn accepts_revoked(fault: &Fault) -> bool {
    matches!(fault, Fault::AcceptedRevoked(1..))
}

#[test]
fn one_node_accepts_no_revoked_key_beyond_the_bound_and_every_good_one() {
    check_sound::<1>(Scope { events: 3, cuts: 1, behind: 2, ..SCOPE });
}

#[test]
fn two_nodes_accept_no_revoked_key_beyond_the_bound_and_every_good_one() {
    check_sound::<2>(Scope { outages: 0, ..SCOPE });
}

#[test]
fn three_nodes_accept_no_revoked_key_beyond_the_bound_and_every_good_one() {
    check_sound::<3>(Scope { in_flight: 1, behind: 1, ..SCOPE });
}

#[test]
fn catches_a_fill_that_read_before_a_revocation_and_inserts_after_it() {
    check_caught(Planted::FillStampedWhenInserted, accepts_revoked);
}

#[test]
fn catches_an_age_that_counts_from_a_polls_end() {
    check_caught(Planted::AgeFromThePollsEnd, accepts_revoked);
}

#[test]
fn catches_a_node_that_restarts_and_keeps_its_entries() {
    check_caught(Planted::RestartKeepsEntries, accepts_revoked);
}

#[test]
fn catches_a_node_that_restarts_and_keeps_its_age() {
    check_caught(Planted::RestartKeepsAge, accepts_revoked);
}

#[test]
fn catches_a_negative_entry_that_outlives_a_creation() {
    let unavailable =
        |fault: &Fault| matches!(fault, Fault::NotAsTheStore { said: None, store: Some(_) });
    check_caught(Planted::CreationLogsNoKey, unavailable);
}
