//! Every interleaving of three nodes that discard the two keys of a group, breadth-first: why the version that a commit
//! compares is that of the group, and not that of a key.

#![allow(clippy::indexing_slicing, clippy::print_stdout)]

use std::collections::{HashSet, VecDeque};

const NODES: usize = 3;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct World {
    active: [bool; 2],
    /// Of the group, which every commit raises.
    group: u8,
    /// Of each key.
    keys: [u8; 2],
    /// What each node is about to commit.
    nodes: [Option<Discard>; NODES],
    crashes: u8,
}

/// A node has seen that two keys are active, and wants to discard one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Discard {
    key: usize,
    /// The version that was read with the keys.
    seen: u8,
}

#[derive(Clone, Copy)]
enum Compared {
    Group,
    /// Planted.
    Key,
}

impl World {
    fn version(&self, compared: Compared, key: usize) -> u8 {
        match compared {
            Compared::Group => self.group,
            Compared::Key => self.keys[key],
        }
    }

    fn commit(&mut self, key: usize, active: bool) {
        self.active[key] = active;
        self.group += 1;
        self.keys[key] += 1;
    }

    fn next(&self, compared: Compared) -> Vec<Self> {
        let mut next = Vec::new();
        for node in 0..NODES {
            let mut idle = *self;
            idle.nodes[node] = None;
            let Some(Discard { key, seen }) = self.nodes[node] else {
                // The command is decided: refused unless another key stays active.
                for key in (0..2).filter(|_| self.active == [true, true]) {
                    let mut begun = *self;
                    begun.nodes[node] = Some(Discard { key, seen: self.version(compared, key) });
                    next.push(begun);
                }
                continue;
            };
            if self.crashes < 2 {
                next.push(Self { crashes: self.crashes + 1, ..idle });
            }
            if self.version(compared, key) == seen {
                idle.commit(key, false);
            }
            next.push(idle);
        }
        // Somebody reactivates.
        for key in (0..2).filter(|key| !self.active[*key] && self.group < 6) {
            let mut reactivated = *self;
            reactivated.commit(key, true);
            next.push(reactivated);
        }
        next
    }
}

/// How many worlds there are, and whether the group is without a key in one of them.
fn explore(compared: Compared) -> (usize, bool) {
    let (active, nodes) = ([true, true], [None; NODES]);
    let first = World { active, group: 0, keys: [0, 0], nodes, crashes: 0 };
    let (mut known, mut open) = (HashSet::from([first]), VecDeque::from([first]));
    let mut is_emptied = false;
    while let Some(world) = open.pop_front() {
        is_emptied |= world.active == [false, false];
        open.extend(world.next(compared).into_iter().filter(|next| known.insert(*next)));
    }
    println!("states={} emptied={is_emptied}", known.len());
    (known.len(), is_emptied)
}

#[test]
fn a_version_of_the_group_leaves_a_key_in_every_interleaving() {
    let (states, is_emptied) = explore(Compared::Group);
    assert!(!is_emptied && states > 1000, "{states}");
}

#[test]
fn catches_a_version_for_each_key_instead_of_the_group() {
    assert!(explore(Compared::Key).1);
}
