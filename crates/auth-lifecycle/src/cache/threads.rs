//! Threads that look, fill, poll and revoke at once, as fast as they can.

use super::{Cache, LogPage, Seen};
use crate::{
    CacheSettings,
    cached_store::{Found, LoggedStore},
    ledger::{Ledger, key},
};
use auth_core::Clock;
use auth_testing::ManualClock;
use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const THREADS: u64 = 8;
const STEPS: usize = 100_000;
const KEYS: u64 = 256;
const BOUND: Duration = Duration::from_secs(5);

struct Crowd {
    ledger: Ledger,
    clock: ManualClock,
    cache: Cache<u64>,
    /// When each generation was revoked, and how many there are.
    revoked: Mutex<HashMap<u64, Instant>>,
    generations: AtomicU64,
    polls: AtomicU64,
    hits: AtomicU64,
    faults: AtomicU64,
    fills: Fills,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fills {
    /// As of their reading.
    Sound,
    /// Planted: as of the moment in which they are inserted.
    StampedWhenInserted,
}

impl Crowd {
    fn run(fills: Fills) -> Self {
        let clock = ManualClock::at(1_000_000);
        let settings = CacheSettings::default().with_staleness_bound(BOUND);
        let crowd = Self {
            ledger: Ledger::default(),
            cache: Cache::in_shards(2, settings, |_| 8, clock.steady()),
            clock,
            revoked: Mutex::default(),
            generations: AtomicU64::new(0),
            polls: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            fills,
        };
        thread::scope(|scope| {
            for seed in 1..=THREADS {
                let crowd = &crowd;
                scope.spawn(move || crowd.work(seed));
            }
        });
        crowd
    }

    fn work(&self, seed: u64) {
        let mut drawn = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for _ in 0..STEPS {
            // Xorshift.
            drawn ^= drawn << 13;
            drawn ^= drawn >> 7;
            drawn ^= drawn << 17;
            let number = drawn % KEYS;
            match (drawn >> 32) % 1000 {
                0..850 => self.look(number, drawn),
                850..930 => self.poll(),
                930..940 => self.commit(number, None),
                940..950 => {
                    let generation = self.generations.fetch_add(1, Ordering::Relaxed);
                    self.commit(number, Some(generation));
                }
                _ if drawn >> 52 == 0 => self.ledger.cut(),
                _ if drawn >> 52 == 1 => self.clock.advance(BOUND),
                _ => self.cache.hint(),
            }
        }
    }

    fn look(&self, number: u64, drawn: u64) {
        let (key, now) = (key(number), self.clock.steady());
        match self.cache.look(&key, now) {
            Seen::Hit(value) => self.judge(value.as_deref().copied(), now),
            Seen::Miss(ticket) => {
                let Found { value, as_of } = self.ledger.find(&key).wait().unwrap();
                if drawn >> 60 == 0 {
                    self.overtake(number);
                }
                let as_of = match self.fills {
                    Fills::Sound => as_of,
                    Fills::StampedWhenInserted => self.ledger.position().wait().unwrap(),
                };
                let now = self.clock.steady();
                if self.cache.insert(ticket, value.as_ref(), as_of, now).is_some() {
                    self.judge(value.as_deref().copied(), now);
                }
            }
            Seen::TooOld => self.poll(),
        }
    }

    /// The key is revoked and others poll, while this thread has read it and not yet inserted it.
    fn overtake(&self, number: u64) {
        self.commit(number, None);
        let polls = || self.polls.load(Ordering::Relaxed);
        let before = polls();
        for _ in 0..1000 {
            if polls() >= before + 2 {
                break;
            }
            thread::yield_now();
        }
    }

    fn poll(&self) {
        let mut ticket = self.cache.begin_poll(self.clock.steady());
        if ticket.is_none() {
            // Somebody else polls.
            thread::yield_now();
        }
        while let Some(polling) = ticket {
            let page = match polling.position() {
                Some(position) => self.ledger.changes_since(position),
                None => self.ledger.position().map(|reached| LogPage::Gone { reached }),
            };
            let page = page.wait().unwrap();
            thread::yield_now();
            // It may have been overtaken by another one.
            ticket = self.cache.end_poll(polling, page).ok().flatten();
            // Time passes with polls, so that threads that are not run for long do not make all too old.
            self.clock.advance(Duration::from_millis(100));
            self.polls.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn commit(&self, number: u64, value: Option<u64>) {
        let (_, had) = self.ledger.commit(number, value);
        if let Some(generation) = had {
            // After the commit, so that it is never too early.
            self.revoked.lock().unwrap().insert(*generation, self.clock.steady());
        }
    }

    /// A generation was accepted at this moment.
    fn judge(&self, generation: Option<u64>, now: Instant) {
        let Some(generation) = generation else { return };
        self.hits.fetch_add(1, Ordering::Relaxed);
        let revoked = self.revoked.lock().unwrap().get(&generation).copied();
        if revoked.is_some_and(|revoked| now >= revoked + BOUND) {
            self.faults.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn eight_threads_accept_no_revoked_key_beyond_the_bound() {
    let crowd = Crowd::run(Fills::Sound);
    let (hits, faults) = (crowd.hits.into_inner(), crowd.faults.into_inner());
    println!("threads={THREADS} accepted={hits} faults={faults}");
    assert_eq!(faults, 0);
    assert!(hits > 50_000, "{hits}");
}

#[test]
fn eight_threads_catch_fills_that_are_stamped_when_they_are_inserted() {
    let faults = Crowd::run(Fills::StampedWhenInserted).faults.into_inner();
    println!("planted faults={faults}");
    assert!(faults > 0);
}
