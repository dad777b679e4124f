//! Every state that one store and its nodes can reach, breadth-first. The nodes are the cache itself: each step takes one
//! from its state, does what the step does, and reads its state again.
//!
//! Time passes in ticks. An age is counted up to the bound, since all that is older is alike: so the states are finite
//! in number though time is not bounded.

use super::{Cache, Change, FillTicket, LogPage, PollTicket, Seen, read, write};
use crate::{CacheSettings, ledger::key};
use auth_core::KeyDigest;
use std::{
    collections::{HashMap, HashSet},
    hash::{Hash, Hasher},
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

/// In ticks of one second.
const BOUND: u8 = 2;
const MOST_EVENTS: usize = 4;

static KEY: LazyLock<KeyDigest> = LazyLock::new(|| key(1));
/// The reading of the clock now. It stands still: ages grow instead.
static NOW: LazyLock<Instant> = LazyLock::new(|| Instant::now() + Duration::from_secs(1000));

/// The store, whose only key is created and revoked in turn, and its nodes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct World<const N: usize> {
    up: bool,
    /// How long ago each event was committed.
    events: [u8; MOST_EVENTS],
    count: u8,
    /// Events up to this one are no longer in the log.
    cut: u8,
    crashes: u8,
    outages: u8,
    nodes: [Node; N],
}

/// What a node keeps, and what it is doing.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Node {
    position: Option<u8>,
    /// Of the last poll; `None` from the bound on.
    age: Option<u8>,
    last_change: u8,
    /// Nothing, a negative entry, or that of a generation of the key.
    entry: Option<Option<u8>>,
    poll: Option<Polling>,
    fill: Option<Filling>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
struct Polling {
    age: u8,
    page: Option<Page>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
enum Page {
    Last(u8),
    Part(u8),
    Gone(u8),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
struct Filling {
    /// Began before the log was taken up anew.
    is_old: bool,
    as_of: Option<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Planted {
    Nothing,
    /// A fill is taken for as new as the moment in which it is inserted.
    FillStampedWhenInserted,
    AgeFromThePollsEnd,
    /// A node that restarts keeps its entries, and goes on from the position that the store tells it.
    RestartKeepsEntries,
    /// A node that restarts keeps all that it knew, as if it were new.
    RestartKeepsAge,
    /// A creation is not in the log for those who have asked for the key before.
    CreationLogsNoKey,
}

/// What is tried.
#[derive(Clone, Copy)]
struct Scope {
    events: u8,
    /// Fills and polls that are under way at the same time, of all nodes together.
    in_flight: usize,
    crashes: u8,
    outages: u8,
    cuts: u8,
    /// May a fill be answered by a replica that is so many events behind?
    behind: u8,
    planted: Planted,
}

#[derive(Debug)]
enum Fault {
    /// A generation was accepted for a bound or longer after it was revoked.
    AcceptedRevoked(u8),
    /// A node says of the key what the store did not say when it was polled and read just now.
    NotAsTheStore { said: Option<u8>, store: Option<u8> },
}

/// The generation of the key that is good after so many events.
fn generation(events: u8) -> Option<u8> {
    (events % 2 == 1).then_some(events.div_ceil(2))
}

fn seconds(ticks: u8) -> Duration {
    Duration::from_secs(ticks.into())
}

/// In one number: millions of them are hashed.
impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let small = |value: Option<u8>| value.map_or(0, |value| u64::from(value) + 1);
        let poll = self.poll.map_or(0, |Polling { age, page }| {
            let page = match page {
                None => 0,
                Some(Page::Last(to)) => 16 + u64::from(to),
                Some(Page::Part(to)) => 32 + u64::from(to),
                Some(Page::Gone(to)) => 48 + u64::from(to),
            };
            1 + u64::from(age) + 16 * page
        });
        let fill = self.fill.map_or(0, |it| 1 + u64::from(it.is_old) + 2 * small(it.as_of));
        let entry = self.entry.map_or(0, |entry| 1 + small(entry));
        let parts = [small(self.position), small(self.age), self.last_change.into(), entry, fill];
        state.write_u64(parts.into_iter().fold(poll, |all, part| all << 8 | part));
    }
}

impl Node {
    /// A cache in this state.
    fn cache(&self) -> Cache<u8> {
        let settings = CacheSettings::default().with_staleness_bound(seconds(BOUND));
        let cache = Cache::in_shards(1, settings, |_| 1, *NOW - Duration::from_secs(100));
        let mut shard = write(&cache.shards[0]);
        shard.good_until = self.age.map(|age| *NOW - seconds(age) + seconds(BOUND));
        shard.epoch = 1;
        shard.last_change.fill(self.last_change.into());
        if let Some(value) = self.entry {
            shard.insert(*KEY, value.map(Arc::new), 1, &mut Vec::new());
        }
        drop(shard);
        cache.polls.state().position = self.position.map(u64::from);
        cache.polls.state().running = self.poll.map(|poll| (1, *NOW - seconds(poll.age)));
        cache
    }

    /// What the cache keeps now.
    fn learn(&mut self, cache: &Cache<u8>) {
        let shard = read(&cache.shards[0]);
        self.age = shard.good_until.and_then(|until| {
            let left = until.saturating_duration_since(*NOW).as_secs();
            u8::try_from(left).ok().filter(|left| *left > 0).map(|left| BOUND - left)
        });
        let kept = shard.known.get(&KEY).or_else(|| shard.unknown.get(&KEY));
        self.entry = kept.map(|value| value.as_deref().copied());
        self.last_change = u8::try_from(shard.last_change.iter().max().copied().unwrap()).unwrap();
        drop(shard);
        self.position = cache.polls.state().position.map(|it| u8::try_from(it).unwrap());
    }

    fn poll_ticket(&self, cache: &Cache<u8>, polling: Polling) -> PollTicket {
        let (polls, position) = (Arc::clone(&cache.polls), self.position.map(u64::from));
        PollTicket { polls, serial: 1, begun: *NOW - seconds(polling.age), position }
    }

    fn end_poll(&mut self, polling: Polling, page: Page, planted: Planted) {
        let cache = self.cache();
        let mut ticket = self.poll_ticket(&cache, polling);
        if planted == Planted::AgeFromThePollsEnd {
            ticket.begun = *NOW;
        }
        let logged = |reached: u8| {
            let events = self.position.unwrap_or_default() + 1..=reached;
            let change = |event: u8| {
                let is_left_out =
                    planted == Planted::CreationLogsNoKey && generation(event).is_some();
                let keys = if is_left_out { Vec::new() } else { vec![*KEY] };
                Change { sequence: event.into(), keys }
            };
            events.map(change).collect()
        };
        let answered = match page {
            Page::Last(to) => LogPage::Last { changes: logged(to), reached: to.into() },
            Page::Part(to) => LogPage::Part { changes: logged(to), reached: to.into() },
            Page::Gone(to) => LogPage::Gone { reached: to.into() },
        };
        let more = cache.end_poll(ticket, answered).unwrap();
        self.poll = more.as_ref().map(|_| Polling { age: polling.age, page: None });
        if let (Page::Gone(_), Some(fill)) = (page, &mut self.fill) {
            fill.is_old = true;
        }
        self.learn(&cache);
    }

    /// Inserts what the store said, and returns it if it may be answered.
    fn end_fill(&mut self, fill: Filling, as_of: u8, stamp: u8) -> Option<Option<u8>> {
        let cache = self.cache();
        let ticket = FillTicket { key: *KEY, epoch: u64::from(!fill.is_old) };
        let value = generation(as_of).map(Arc::new);
        let good_until = cache.insert(ticket, value.as_ref(), stamp.into(), *NOW);
        self.fill = None;
        self.learn(&cache);
        good_until.filter(|until| *NOW < *until).map(|_| generation(as_of))
    }

    /// What it says of the key from what it keeps, and whether it takes the steps that are begun from here.
    fn says(&self) -> Option<u8> {
        let cache = self.cache();
        assert!(cache.begin_poll(*NOW).is_some());
        match cache.look(&KEY, *NOW) {
            Seen::Hit(value) => value.as_deref().copied(),
            Seen::Miss(_) => {
                assert!(self.reads());
                None
            }
            Seen::TooOld => {
                assert!(self.age.is_none() && !self.reads());
                None
            }
        }
    }

    /// May it begin to read the key?
    fn reads(&self) -> bool {
        self.age.is_some() && self.entry.is_none()
    }

    fn in_flight(&self) -> usize {
        usize::from(self.poll.is_some()) + usize::from(self.fill.is_some())
    }
}

impl<const N: usize> World<N> {
    fn new() -> Self {
        let (events, nodes) = ([0; MOST_EVENTS], [Node::default(); N]);
        Self { up: true, events, count: 0, cut: 0, crashes: 0, outages: 0, nodes }
    }

    fn steps(&self, scope: Scope) -> Vec<Step> {
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

    fn take(&self, step: Step, planted: Planted) -> Result<Self, Fault> {
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
    fn judge(&self, accepted: Option<u8>) -> Result<(), Fault> {
        let Some(generation) = accepted else { return Ok(()) };
        let revoked = usize::from(generation * 2 - 1);
        let is_over = revoked < usize::from(self.count) && self.events[revoked] >= BOUND;
        if is_over { Err(Fault::AcceptedRevoked(generation)) } else { Ok(()) }
    }

    /// What the nodes say of the key from what they keep. Nodes that keep the same say the same, and are asked once.
    fn check_safety(&self, said: &mut HashMap<Node, Option<u8>>) -> Result<(), Fault> {
        self.nodes.iter().try_for_each(|node| {
            let kept = Node { fill: None, poll: None, ..*node };
            let said = said.entry(kept).or_insert_with(|| kept.says());
            self.judge(*said)
        })
    }

    /// With the store up, a node that polls and reads says what the store says.
    fn check_liveness(&self, mut node: Node, planted: Planted) -> Result<(), Fault> {
        let store = generation(self.count);
        node.fill = None;
        node.poll = Some(Polling { age: 0, page: None });
        let gone = node.position.is_none_or(|position| position < self.cut);
        let page = if gone { Page::Gone(self.count) } else { Page::Last(self.count) };
        node.end_poll(Polling { age: 0, page: Some(page) }, page, planted);
        let said = match node.cache().look(&KEY, *NOW) {
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
                    if let std::collections::hash_map::Entry::Vacant(place) = known.entry(next) {
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
    matches!(fault, Fault::AcceptedRevoked(_))
}

#[test]
fn one_node_accepts_no_revoked_key_beyond_the_bound_and_every_good_one() {
    check_sound::<1>(Scope { events: 3, cuts: 1, behind: 2, ..SCOPE });
}

#[test]
fn two_nodes_accept_no_revoked_key_beyond_the_bound_and_every_good_one() {
    check_sound::<2>(SCOPE);
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
