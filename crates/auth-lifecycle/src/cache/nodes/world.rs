//! A store, its nodes, and the steps that they take.

use super::node::{BOUND, Filling, Node, Page, Planted, Polling, generation};
use crate::cache::Seen;
use std::collections::HashMap;

const MOST_EVENTS: usize = 4;

/// The store, whose only key is created and revoked in turn, and its nodes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct World<const N: usize> {
    pub(super) up: bool,
    /// How long ago each event was committed.
    pub(super) events: [u8; MOST_EVENTS],
    pub(super) count: u8,
    /// Events up to this one are no longer in the log.
    pub(super) cut: u8,
    pub(super) crashes: u8,
    pub(super) outages: u8,
    pub(super) nodes: [Node; N],
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Commit,
    Tick,
    StoreDown,
    StoreUp,
    CutLog,
    BeginFill(usize),
    /// The store, or a replica of it that is behind, answers.
    ReadKey(usize, u8),
    EndFill(usize),
    DropFill(usize),
    BeginPoll(usize),
    ReadLog(usize, Page),
    EndPoll(usize),
    DropPoll(usize),
    Crash(usize),
}

/// What is tried.
#[derive(Clone, Copy)]
pub(super) struct Scope {
    pub(super) events: u8,
    /// Fills and polls that are under way at the same time, of all nodes together.
    pub(super) in_flight: usize,
    pub(super) crashes: u8,
    pub(super) outages: u8,
    pub(super) cuts: u8,
    /// May a fill be answered by a replica that is so many events behind?
    pub(super) behind: u8,
    pub(super) planted: Planted,
}

#[derive(Debug)]
pub(super) enum Fault {
    /// A generation was accepted for a bound or longer after it was revoked.
    AcceptedRevoked(u8),
    /// A node says of the key what the store did not say when it was polled and read just now.
    NotAsTheStore { said: Option<u8>, store: Option<u8> },
}

impl<const N: usize> World<N> {
    pub(super) fn new() -> Self {
        let (events, nodes) = ([0; MOST_EVENTS], [Node::default(); N]);
        Self { up: true, events, count: 0, cut: 0, crashes: 0, outages: 0, nodes }
    }

    pub(super) fn steps(&self, scope: Scope) -> Vec<Step> {
        let mut steps = vec![Step::Tick];
        let mut add = |is_possible: bool, step| steps.extend(is_possible.then_some(step));
        add(self.up && self.count < scope.events, Step::Commit);
        add(self.up && self.outages < scope.outages, Step::StoreDown);
        add(!self.up, Step::StoreUp);
        add(scope.cuts > 0 && self.cut < self.count, Step::CutLog);
        let has_room = self.nodes.iter().map(Node::in_flight).sum::<usize>() < scope.in_flight;
        for (at, node) in self.nodes.iter().enumerate() {
            add(self.crashes < scope.crashes && node.position.is_some(), Step::Crash(at));
            match node.fill {
                None => add(has_room && node.reads(), Step::BeginFill(at)),
                Some(Filling { as_of: None, .. }) => {
                    add(true, Step::DropFill(at));
                    let oldest = self.count.saturating_sub(scope.behind);
                    (oldest..=self.count).for_each(|as_of| add(self.up, Step::ReadKey(at, as_of)));
                }
                Some(_) => add(true, Step::EndFill(at)),
            }
            match node.poll {
                None => add(has_room, Step::BeginPoll(at)),
                Some(Polling { page: None, .. }) => {
                    add(true, Step::DropPoll(at));
                    match node.position {
                        Some(position) if self.cut <= position => {
                            add(self.up, Step::ReadLog(at, Page::Last(self.count)));
                            let is_long = position + 1 < self.count;
                            add(self.up && is_long, Step::ReadLog(at, Page::Part(position + 1)));
                        }
                        _ => add(self.up, Step::ReadLog(at, Page::Gone(self.count))),
                    }
                }
                Some(_) => add(true, Step::EndPoll(at)),
            }
        }
        steps
    }

    pub(super) fn take(&self, step: Step, planted: Planted) -> Result<Self, Fault> {
        let mut next = *self;
        let older = |age: &mut u8| *age = (*age + 1).min(BOUND);
        match step {
            Step::Commit => {
                next.events[usize::from(next.count)] = 0;
                next.count += 1;
            }
            Step::Tick => {
                next.events[..usize::from(next.count)].iter_mut().for_each(older);
                for node in &mut next.nodes {
                    node.age = node.age.map(|age| age + 1).filter(|age| *age < BOUND);
                    node.poll.iter_mut().for_each(|poll| older(&mut poll.age));
                }
            }
            Step::StoreDown => (next.up, next.outages) = (false, next.outages + 1),
            Step::StoreUp => next.up = true,
            Step::CutLog => next.cut = next.count,
            Step::BeginFill(at) => {
                next.nodes[at].fill = Some(Filling { is_old: false, as_of: None });
            }
            Step::ReadKey(at, as_of) => {
                next.nodes[at].fill =
                    self.nodes[at].fill.map(|it| Filling { as_of: Some(as_of), ..it });
            }
            Step::EndFill(at) => {
                let fill = self.nodes[at].fill.unwrap();
                let as_of = fill.as_of.unwrap();
                let stamp =
                    if planted == Planted::FillStampedWhenInserted { self.count } else { as_of };
                let given = next.nodes[at].end_fill(fill, as_of, stamp);
                next.judge(given.flatten())?;
            }
            Step::DropFill(at) => next.nodes[at].fill = None,
            Step::BeginPoll(at) => {
                next.nodes[at].poll = Some(Polling { age: 0, page: None });
            }
            Step::ReadLog(at, page) => {
                next.nodes[at].poll =
                    self.nodes[at].poll.map(|it| Polling { page: Some(page), ..it });
            }
            Step::EndPoll(at) => {
                let polling = self.nodes[at].poll.unwrap();
                next.nodes[at].end_poll(polling, polling.page.unwrap(), planted);
            }
            Step::DropPoll(at) => next.nodes[at].poll = None,
            Step::Crash(at) => {
                let Node { position, entry, last_change, .. } = self.nodes[at];
                next.crashes += 1;
                let kept = Node { position, entry, last_change, ..Node::default() };
                next.nodes[at] = match planted {
                    Planted::RestartKeepsEntries => Node { position: Some(self.count), ..kept },
                    Planted::RestartKeepsAge => Node { age: Some(0), ..kept },
                    _ => Node::default(),
                };
            }
        }
        // Nodes have no names: worlds that differ in their order are one.
        next.nodes.sort_unstable();
        Ok(next)
    }

    /// May a node accept this generation now?
    pub(super) fn judge(&self, accepted: Option<u8>) -> Result<(), Fault> {
        let Some(generation) = accepted else { return Ok(()) };
        let revoked = usize::from(generation * 2 - 1);
        let is_over = revoked < usize::from(self.count) && self.events[revoked] >= BOUND;
        if is_over { Err(Fault::AcceptedRevoked(generation)) } else { Ok(()) }
    }

    /// What the nodes say of the key from what they keep. Nodes that keep the same say the same, and are asked once.
    pub(super) fn check_safety(&self, said: &mut HashMap<Node, Option<u8>>) -> Result<(), Fault> {
        self.nodes.iter().try_for_each(|node| {
            let kept = Node { fill: None, poll: None, ..*node };
            let said = said.entry(kept).or_insert_with(|| kept.says());
            self.judge(*said)
        })
    }

    /// With the store up, a node that polls and reads says what the store says.
    pub(super) fn check_liveness(&self, mut node: Node, planted: Planted) -> Result<(), Fault> {
        let store = generation(self.count);
        node.fill = None;
        node.poll = Some(Polling { age: 0, page: None });
        let gone = node.position.is_none_or(|position| position < self.cut);
        let page = if gone { Page::Gone(self.count) } else { Page::Last(self.count) };
        node.end_poll(Polling { age: 0, page: Some(page) }, page, planted);
        let said = match node.look() {
            Seen::Hit(value) => value.as_deref().copied(),
            Seen::Miss(_) => {
                let fill = Filling { is_old: false, as_of: None };
                node.end_fill(fill, self.count, self.count).flatten()
            }
            Seen::TooOld => None,
        };
        if said == store { Ok(()) } else { Err(Fault::NotAsTheStore { said, store }) }
    }
}
