//! A replay store in this process's memory.

use super::{Replay, ReplayStore, Reservation, Ticket};
use crate::{Clock, Flow, HashAlgorithm, Timestamp};
use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Remembers in this process, within a limit of bytes: right for one node, and for tests.
///
/// Every entry costs at most [`ENTRY_BYTES`](Self::ENTRY_BYTES), whatever its identifier's length, since a hash of it
/// is kept. What has expired makes room; when all is still wanted the store is full and refuses. Nothing is ever
/// forgotten early.
///
/// ```
/// use auth_core::{MemoryReplayStore, Replay, ReplayStore, SystemClock, Timestamp, Clock};
/// use std::time::Duration;
/// let store = MemoryReplayStore::new(64 * 1024, SystemClock);
/// let until = SystemClock.now().after(Duration::from_secs(60));
/// assert_eq!(store.check_and_set("jti", b"1", until).wait()?, Replay::Fresh);
/// assert_eq!(store.check_and_set("jti", b"1", until).wait()?, Replay::Seen);
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct MemoryReplayStore {
    clock: Box<dyn Clock>,
    most: usize,
    state: Mutex<State>,
}

/// The first half of the SHA-256 of scope and identifier: a second one for a known entry is out of reach.
type Key = [u8; 16];

#[derive(Default)]
struct State {
    entries: HashMap<Key, Entry>,
    by_end: BTreeSet<(Timestamp, Key)>,
    tickets: u64,
}

struct Entry {
    until: Timestamp,
    kind: Kind,
}

enum Kind {
    Used,
    Held(Ticket),
    /// Bit n is the counter that is n below the highest.
    Window {
        highest: u64,
        seen: u128,
    },
}

impl MemoryReplayStore {
    /// What one entry costs at most, in bytes, map and order included.
    pub const ENTRY_BYTES: usize = 320;

    /// A store that takes at most `limit` bytes.
    pub fn new(limit: usize, clock: impl Clock + 'static) -> Self {
        Self { clock: Box::new(clock), most: limit / Self::ENTRY_BYTES, state: Mutex::default() }
    }

    /// How many entries it holds now, expired ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Is it empty?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change of the state is whole before anything can panic, so a poisoned lock still guards a sound state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state without what has expired.
    fn current(&self) -> MutexGuard<'_, State> {
        let now = self.clock.now();
        let mut state = self.lock();
        while let Some(&(until, key)) = state.by_end.first().filter(|(until, _)| *until <= now) {
            state.remove(key, until);
        }
        state
    }
}

impl State {
    fn insert(&mut self, key: Key, entry: Entry) {
        self.by_end.insert((entry.until, key));
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: Key, until: Timestamp) {
        self.by_end.remove(&(until, key));
        self.entries.remove(&key);
    }

    /// The end of a claim, if it is still this ticket's.
    fn held_until(&self, key: Key, ticket: Ticket) -> Option<Timestamp> {
        match self.entries.get(&key) {
            Some(Entry { until, kind: Kind::Held(held) }) if *held == ticket => Some(*until),
            _ => None,
        }
    }
}

fn key(scope: &str, id: &[u8]) -> Key {
    let mut hasher = HashAlgorithm::Sha256.begin();
    hasher.update(&scope.len().to_be_bytes());
    hasher.update(scope.as_bytes());
    hasher.update(id);
    hasher.finish().as_bytes().first_chunk().copied().unwrap_or_default()
}

impl ReplayStore for MemoryReplayStore {
    fn check_and_set(&self, scope: &str, id: &[u8], until: Timestamp) -> Flow<'_, Replay> {
        let key = key(scope, id);
        let mut state = self.current();
        Flow::ready(if state.entries.contains_key(&key) {
            Replay::Seen
        } else if state.entries.len() >= self.most {
            Replay::Full
        } else {
            state.insert(key, Entry { until, kind: Kind::Used });
            Replay::Fresh
        })
    }

    fn window(
        &self,
        scope: &str,
        id: &[u8],
        counter: u64,
        width: u32,
        until: Timestamp,
    ) -> Flow<'_, Replay> {
        let key = key(scope, id);
        let mut state = self.current();
        let room = state.entries.len() < self.most;
        Flow::ready(match state.entries.get_mut(&key) {
            Some(Entry { kind: Kind::Window { highest, seen }, .. }) => {
                slide(highest, seen, counter, width)
            }
            Some(_) => Replay::Seen,
            None if !room => Replay::Full,
            None => {
                state
                    .insert(key, Entry { until, kind: Kind::Window { highest: counter, seen: 1 } });
                Replay::Fresh
            }
        })
    }

    fn reserve(&self, scope: &str, id: &[u8], hold: Timestamp) -> Flow<'_, Reservation> {
        let key = key(scope, id);
        let mut state = self.current();
        Flow::ready(match state.entries.get(&key) {
            Some(Entry { kind: Kind::Held(_), .. }) => Reservation::Held,
            Some(_) => Reservation::Done,
            None if state.entries.len() >= self.most => Reservation::Full,
            None => {
                state.tickets += 1;
                let ticket = Ticket(state.tickets);
                state.insert(key, Entry { until: hold, kind: Kind::Held(ticket) });
                Reservation::Reserved(ticket)
            }
        })
    }

    fn confirm(&self, scope: &str, id: &[u8], ticket: Ticket, until: Timestamp) -> Flow<'_, bool> {
        let key = key(scope, id);
        let mut state = self.current();
        let held = state.held_until(key, ticket);
        if let Some(end) = held {
            state.remove(key, end);
            state.insert(key, Entry { until, kind: Kind::Used });
        }
        Flow::ready(held.is_some())
    }

    fn release(&self, scope: &str, id: &[u8], ticket: Ticket) -> Flow<'_, bool> {
        let key = key(scope, id);
        let mut state = self.current();
        let held = state.held_until(key, ticket);
        if let Some(end) = held {
            state.remove(key, end);
        }
        Flow::ready(held.is_some())
    }
}

/// Uses one value of the counter; the window moves up when it is the highest yet.
fn slide(highest: &mut u64, seen: &mut u128, counter: u64, width: u32) -> Replay {
    if let Some(up) = counter.checked_sub(*highest).filter(|up| *up > 0) {
        *seen = u32::try_from(up).ok().and_then(|up| seen.checked_shl(up)).unwrap_or(0) | 1;
        *highest = counter;
        return Replay::Fresh;
    }
    let below = u32::try_from(highest.saturating_sub(counter)).unwrap_or(u32::MAX);
    let bit = 1_u128.checked_shl(below).filter(|_| below < width);
    match bit {
        Some(bit) if *seen & bit == 0 => {
            *seen |= bit;
            Replay::Fresh
        }
        _ => Replay::Seen,
    }
}

impl fmt::Debug for MemoryReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryReplayStore({} of {} entries)", self.len(), self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{
        collections::HashSet,
        sync::Arc,
        sync::atomic::{AtomicU64, Ordering},
    };

    #[derive(Clone, Default)]
    struct Hands(Arc<AtomicU64>);

    impl Clock for Hands {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix(self.0.load(Ordering::Relaxed))
        }

        fn steady(&self) -> std::time::Instant {
            std::time::Instant::now()
        }
    }

    fn store(entries: usize) -> (MemoryReplayStore, Hands) {
        let clock = Hands::default();
        (MemoryReplayStore::new(entries * MemoryReplayStore::ENTRY_BYTES, clock.clone()), clock)
    }

    const LATER: Timestamp = Timestamp::from_unix(100);

    #[test]
    fn is_fresh_once_until_it_expires() {
        let (store, clock) = store(9);
        let check = |scope, id: &[u8], expected| {
            assert_eq!(store.check_and_set(scope, id, LATER).wait().unwrap(), expected);
        };
        check("a", b"1", Replay::Fresh);
        check("a", b"1", Replay::Seen);
        check("b", b"1", Replay::Fresh);
        check("a", b"", Replay::Fresh);
        check("", b"a", Replay::Fresh);
        clock.0.store(99, Ordering::Relaxed);
        check("a", b"1", Replay::Seen);
        clock.0.store(100, Ordering::Relaxed);
        check("a", b"1", Replay::Fresh);
    }

    #[test]
    fn refuses_when_full_and_forgets_nothing_early() {
        let (store, clock) = store(2);
        for (id, until) in [(b"1", 10), (b"2", 20)] {
            assert_eq!(
                store.check_and_set("", id, Timestamp::from_unix(until)).wait().unwrap(),
                Replay::Fresh
            );
        }
        assert_eq!(store.check_and_set("", b"3", LATER).wait().unwrap(), Replay::Full);
        assert_eq!(store.window("", b"3", 1, 128, LATER).wait().unwrap(), Replay::Full);
        assert_eq!(store.reserve("", b"3", LATER).wait().unwrap(), Reservation::Full);
        assert_eq!(store.check_and_set("", b"1", LATER).wait().unwrap(), Replay::Seen);
        clock.0.store(10, Ordering::Relaxed);
        assert_eq!(store.check_and_set("", b"3", LATER).wait().unwrap(), Replay::Fresh);
        assert_eq!(store.len(), 2);
    }

    #[test]
    fn counters_pass_once_in_any_order_within_the_window() {
        let (store, _) = store(1);
        let check = |counter, expected| {
            assert_eq!(
                store.window("n", b"", counter, 4, LATER).wait().unwrap(),
                expected,
                "counter {counter}"
            );
        };
        for (counter, expected) in [
            (3, Replay::Fresh),
            (1, Replay::Fresh),
            (1, Replay::Seen),
            (3, Replay::Seen),
            (5, Replay::Fresh),
            (2, Replay::Fresh),
            (1, Replay::Seen),
            (u64::MAX, Replay::Fresh),
            (5, Replay::Seen),
            (u64::MAX - 3, Replay::Fresh),
            (u64::MAX - 4, Replay::Seen),
            (u64::MAX, Replay::Seen),
        ] {
            check(counter, expected);
        }
    }

    #[test]
    fn an_effect_happens_once_and_a_slow_holder_cannot_undo_it() {
        let (store, clock) = store(9);
        let reserve = |hold| store.reserve("w", b"1", Timestamp::from_unix(hold)).wait().unwrap();
        let Reservation::Reserved(slow) = reserve(10) else { panic!("not reserved") };
        assert_eq!(reserve(10), Reservation::Held);
        clock.0.store(10, Ordering::Relaxed);
        let Reservation::Reserved(next) = reserve(20) else {
            panic!("a claim that ran out still holds")
        };
        assert!(next > slow);
        assert!(!store.release("w", b"1", slow).wait().unwrap());
        assert!(!store.confirm("w", b"1", slow, LATER).wait().unwrap());
        assert!(store.release("w", b"1", next).wait().unwrap());
        let Reservation::Reserved(last) = reserve(30) else {
            panic!("a released claim still holds")
        };
        assert!(store.confirm("w", b"1", last, LATER).wait().unwrap());
        assert_eq!(reserve(40), Reservation::Done);
        assert!(!store.release("w", b"1", last).wait().unwrap());
    }

    proptest! {
        /// Whatever the order, what is fresh was never fresh before, and the newest `width` are never refused unseen.
        #[test]
        fn a_window_agrees_with_a_set(counters in proptest::collection::vec(0_u64..300, 0..200), width in 1_u32..=128) {
            let (store, _) = store(1);
            let (mut used, mut highest) = (HashSet::new(), None::<u64>);
            for counter in counters {
                let old = highest.is_some_and(|highest| counter + u64::from(width) <= highest);
                let expected = if old || used.contains(&counter) { Replay::Seen } else { Replay::Fresh };
                prop_assert_eq!(store.window("", b"", counter, width, LATER).wait().unwrap(), expected);
                used.insert(counter);
                highest = highest.max(Some(counter));
            }
        }
    }
}
