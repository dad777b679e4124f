//! A node is a cache in some state, and what it is doing.

use crate::{
    CacheSettings,
    cache::{Cache, Change, FillTicket, LogPage, PollTicket, Seen, read, write},
};
use auth_core::{Clock, KeyDigest};
use auth_testing::ManualClock;
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
    time::{Duration, Instant},
};

/// In ticks of one second.
pub(super) const BOUND: u8 = 2;

pub(super) const KEY: KeyDigest = KeyDigest::from_bytes([7; 32]);

/// What a node keeps, and what it is doing.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Node {
    pub(super) position: Option<u8>,
    /// Of the last poll; `None` from the bound on.
    pub(super) age: Option<u8>,
    pub(super) last_change: u8,
    /// Nothing, a negative entry, or that of a generation of the key.
    pub(super) entry: Option<Option<u8>>,
    pub(super) poll: Option<Polling>,
    pub(super) fill: Option<Filling>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Polling {
    pub(super) age: u8,
    pub(super) page: Option<Page>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Page {
    Last(u8),
    Part(u8),
    Gone(u8),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Filling {
    /// Began before the log was taken up anew.
    pub(super) is_old: bool,
    pub(super) as_of: Option<u8>,
}

/// A cache, and the moment in which it is looked at.
pub(super) struct Seat {
    pub(super) cache: Cache<u8>,
    pub(super) now: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Planted {
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

/// The generation of the key that is good after so many events.
pub(super) fn generation(events: u8) -> Option<u8> {
    (events % 2 == 1).then_some(events.div_ceil(2))
}

pub(super) fn seconds(ticks: u8) -> Duration {
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
    pub(super) fn seat(&self) -> Seat {
        let now = ManualClock::at(0).steady() + Duration::from_secs(1000);
        let settings = CacheSettings::default().with_staleness_bound(seconds(BOUND));
        let cache = Cache::in_shards(1, settings, |_| 1, now - Duration::from_secs(100));
        let mut shard = write(&cache.shards[0]);
        shard.good_until = self.age.map(|age| now - seconds(age) + seconds(BOUND));
        shard.epoch = 1;
        shard.last_change.fill(self.last_change.into());
        if let Some(value) = self.entry {
            shard.insert(KEY, value.map(Arc::new), 1, &mut Vec::new());
        }
        drop(shard);
        cache.polls.state().position = self.position.map(u64::from);
        cache.polls.state().running = self.poll.map(|poll| (1, now - seconds(poll.age)));
        Seat { cache, now }
    }

    pub(super) fn look(&self) -> Seen<u8> {
        let Seat { cache, now } = self.seat();
        cache.look(&KEY, now)
    }

    /// What the cache keeps now.
    pub(super) fn learn(&mut self, Seat { cache, now }: &Seat) {
        let shard = read(&cache.shards[0]);
        self.age = shard.good_until.and_then(|until| {
            let left = until.saturating_duration_since(*now).as_secs();
            u8::try_from(left).ok().filter(|left| *left > 0).map(|left| BOUND - left)
        });
        let kept = shard.known.get(&KEY).or_else(|| shard.unknown.get(&KEY));
        self.entry = kept.map(|value| value.as_deref().copied());
        self.last_change = u8::try_from(shard.last_change.iter().max().copied().unwrap()).unwrap();
        drop(shard);
        self.position = cache.polls.state().position.map(|it| u8::try_from(it).unwrap());
    }

    pub(super) fn poll_ticket(&self, Seat { cache, now }: &Seat, polling: Polling) -> PollTicket {
        let (polls, position) = (Arc::clone(&cache.polls), self.position.map(u64::from));
        PollTicket { polls, serial: 1, begun: *now - seconds(polling.age), position }
    }

    pub(super) fn end_poll(&mut self, polling: Polling, page: Page, planted: Planted) {
        let seat = self.seat();
        let mut ticket = self.poll_ticket(&seat, polling);
        if planted == Planted::AgeFromThePollsEnd {
            ticket.begun = seat.now;
        }
        let logged = |reached: u8| {
            let events = self.position.unwrap_or_default() + 1..=reached;
            let change = |event: u8| {
                let is_left_out =
                    planted == Planted::CreationLogsNoKey && generation(event).is_some();
                let keys = if is_left_out { Vec::new() } else { vec![KEY] };
                Change { sequence: event.into(), keys }
            };
            events.map(change).collect()
        };
        let answered = match page {
            Page::Last(to) => LogPage::Last { changes: logged(to), reached: to.into() },
            Page::Part(to) => LogPage::Part { changes: logged(to), reached: to.into() },
            Page::Gone(to) => LogPage::Gone { reached: to.into() },
        };
        let more = seat.cache.end_poll(ticket, answered).unwrap();
        self.poll = more.as_ref().map(|_| Polling { age: polling.age, page: None });
        if let (Page::Gone(_), Some(fill)) = (page, &mut self.fill) {
            fill.is_old = true;
        }
        self.learn(&seat);
    }

    /// Inserts what the store said, and returns it if it may be answered.
    pub(super) fn end_fill(&mut self, fill: Filling, as_of: u8, stamp: u8) -> Option<Option<u8>> {
        let seat = self.seat();
        let ticket = FillTicket { key: KEY, epoch: u64::from(!fill.is_old) };
        let value = generation(as_of).map(Arc::new);
        let good_until = seat.cache.insert(ticket, value.as_ref(), stamp.into(), seat.now);
        self.fill = None;
        self.learn(&seat);
        good_until.filter(|until| seat.now < *until).map(|_| generation(as_of))
    }

    /// What it says of the key from what it keeps, and whether it takes the steps that are begun from here.
    pub(super) fn says(&self) -> Option<u8> {
        let Seat { cache, now } = self.seat();
        assert!(cache.begin_poll(now).is_some());
        match cache.look(&KEY, now) {
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
    pub(super) fn reads(&self) -> bool {
        self.age.is_some() && self.entry.is_none()
    }

    pub(super) fn in_flight(&self) -> usize {
        usize::from(self.poll.is_some()) + usize::from(self.fill.is_some())
    }
}
