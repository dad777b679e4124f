//! A replay store in this process's memory.

mod entry;
mod owners;
mod second;
mod shard;
mod table;
mod undated;

use super::{ReplayOutcome, ReplayStore, ReservationOutcome, ReservationTicket, Unique};
use crate::{Clock, Event, Flow, Observer};
use entry::{Kind, Now, Settled};
use shard::{Shard, Shards};
use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

/// Remembers in this process, within a limit of bytes: right for one node, and for tests.
///
/// What is kept of an identifier is a keyed hash, so an entry costs the same whatever the length of its identifier, and
/// memory grows with what is remembered. At its limit the store behaves as [`ReplayStore`] says: it forgets what was
/// issued longest ago, by whole seconds, and its horizon rises. The default limit holds 1,000 new Digest sessions a
/// second for the life of a nonce and the allowance for clocks.
///
/// One owner's identifiers take at most a quarter of the limit unless [`with_share`](Self::with_share) says otherwise.
/// Identifiers without a moment of issue take at most a quarter of the limit together, and a quarter of that for one
/// tenant (or for one owner, where there are no tenants).
///
/// A store has a part for each 4 MiB of its limit, at least one and at most sixteen, each with a lock of its own, so that
/// threads do not wait for each other. An identifier belongs to one part, by its hash: limits, shares and horizons hold
/// in each part, and an owner's identifiers are spread over all of them.
///
/// # Security
///
/// An identifier is forgotten when its end has passed and as much time has passed as it had left when it was used, so a
/// clock that is ahead for a moment forgets nothing. When a clock is set back, identifiers that were already forgotten
/// are refused as too old.
///
/// ```
/// use auth_core::{Clock, MemoryReplayStore, ReplayOutcome, ReplayStore, SystemClock, Unique};
/// use std::time::Duration;
/// let store = MemoryReplayStore::new(SystemClock);
/// let now = SystemClock.now();
/// let jti = Unique::new("jwt", b"issuer", b"1", now.after(Duration::from_secs(60))).issued_at(now);
/// assert_eq!(store.check_and_set(&jti).wait()?, ReplayOutcome::Fresh);
/// assert_eq!(store.check_and_set(&jti).wait()?, ReplayOutcome::Seen);
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct MemoryReplayStore {
    clock: Box<dyn Clock>,
    observer: Arc<dyn Observer>,
    /// Two secret keys of a keyed hash: nobody outside can make two identifiers collide, and a collision would only
    /// refuse.
    hashers: [RandomState; 2],
    limit: usize,
    one_part_in: usize,
    shards: Shards,
}

/// What is kept of an identifier: 128 bits of a keyed hash.
type Key = [u64; 2];

/// What is kept of an owner or a tenant.
type Share = u64;

impl MemoryReplayStore {
    /// The most bytes that the store takes unless another limit is set: 96 MiB.
    pub const LIMIT: usize = 96 * 1024 * 1024;

    /// An empty store of at most [`LIMIT`](Self::LIMIT) bytes.
    pub fn new(clock: impl Clock + 'static) -> Self {
        let clock = Box::new(clock);
        let (limit, one_part_in) = (Self::LIMIT, 4);
        Self {
            shards: Shards::new(clock.steady(), limit, one_part_in),
            clock,
            observer: Arc::new(()),
            hashers: [RandomState::new(), RandomState::new()],
            limit,
            one_part_in,
        }
    }

    /// With another limit, in bytes.
    #[must_use]
    pub fn with_limit(self, bytes: usize) -> Self {
        let shards = Shards::new(self.clock.steady(), bytes, self.one_part_in);
        Self { shards, limit: bytes, ..self }
    }

    /// One owner's identifiers take at most one part in so many of the limit: 4 unless set; 1 lets one owner fill it.
    #[must_use]
    pub fn with_share(self, one_part_in: usize) -> Self {
        let shards = Shards::new(self.clock.steady(), self.limit, one_part_in);
        Self { shards, one_part_in, ..self }
    }

    /// Tells an observer when a horizon rises ([`Event::HorizonRaised`]): the limit is too low for what comes, or one
    /// owner uses more than its share.
    #[must_use]
    pub fn with_observer(self, observer: impl Observer + 'static) -> Self {
        Self { observer: Arc::new(observer), ..self }
    }

    /// How many identifiers it remembers now, those included whose end has just passed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.all().map(Shard::len).fold(0, usize::saturating_add)
    }

    /// Does it remember nothing?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes it takes, as it counts them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.shards.all().map(Shard::bytes).fold(0, usize::saturating_add)
    }

    fn now(&self) -> Now {
        Now { moment: self.clock.now(), steady: self.clock.steady() }
    }

    fn key(&self, unique: &Unique) -> Key {
        let parts = (unique.tenant(), unique.scheme(), unique.owner(), unique.id());
        self.hashers.each_ref().map(|hasher| hasher.hash_one(parts))
    }

    /// Whose share an identifier takes from: the owner's, and without a moment of issue the whole tenant's.
    fn share(&self, unique: &Unique) -> Share {
        let [hasher, _] = &self.hashers;
        match (unique.issued(), unique.tenant()) {
            (None, Some(tenant)) => hasher.hash_one((1_u8, tenant)),
            _ => hasher.hash_one((0_u8, unique.tenant(), unique.scheme(), unique.owner())),
        }
    }

    /// Changes the entry of an identifier, or makes one.
    fn with(
        &self,
        unique: &Unique,
        change: impl FnOnce(Option<&mut Kind>, &mut u64) -> Told,
    ) -> Told {
        let (now, key, share) = (self.now(), self.key(unique), self.share(unique));
        if unique.until() <= now.moment {
            return Told::TooOld;
        }
        self.shards.sweep(now);
        let (told, raised) = self.shards.of(key).with(unique, (key, share), now, change);
        for (horizon, until) in raised.into_iter().flatten() {
            self.observer.observe(Event::HorizonRaised { horizon, until });
        }
        told
    }

    fn settle(&self, unique: &Unique, ticket: ReservationTicket, becomes: Settled) -> bool {
        let (now, key) = (self.now(), self.key(unique));
        self.shards.of(key).settle(unique, key, ticket, now, becomes)
    }
}

/// What became of a change.
enum Told {
    /// There is no entry yet: this is the new one.
    New(Kind),
    Fresh,
    Seen,
    Held,
    Reserved(ReservationTicket),
    TooOld,
    Full,
}

impl Told {
    /// What the entry is told about, when it could be made.
    fn of_new(kind: &Kind) -> Self {
        kind.ticket().map_or(Self::Fresh, Self::Reserved)
    }

    fn replay(self) -> ReplayOutcome {
        match self {
            Self::Fresh => ReplayOutcome::Fresh,
            Self::TooOld => ReplayOutcome::TooOld,
            Self::Full => ReplayOutcome::Full,
            // What is held will be used, or is free again later: it is not this caller's.
            Self::Seen | Self::Held | Self::Reserved(_) | Self::New(_) => ReplayOutcome::Seen,
        }
    }
}

impl ReplayStore for MemoryReplayStore {
    fn check_and_set(&self, unique: &Unique) -> Flow<'_, ReplayOutcome> {
        let told = self.with(unique, |kind, _| match kind {
            None => Told::New(Kind::Used),
            Some(_) => Told::Seen,
        });
        Flow::ready(told.replay())
    }

    fn window(&self, unique: &Unique, counter: u64, width: u32) -> Flow<'_, ReplayOutcome> {
        let told = self.with(unique, |kind, _| match kind {
            None => Told::New(Kind::window(counter)),
            Some(kind) => kind.slide(counter, width),
        });
        Flow::ready(told.replay())
    }

    fn reserve(&self, unique: &Unique, hold: Duration) -> Flow<'_, ReservationOutcome> {
        let steady = self.clock.steady();
        let end = steady.checked_add(hold);
        let told = self.with(unique, |kind, tickets| {
            let mut claim = || {
                *tickets = tickets.saturating_add(1);
                Kind::held(ReservationTicket(*tickets), end)
            };
            match kind {
                None => Told::New(claim()),
                Some(kind) if kind.is_free(steady) => {
                    *kind = claim();
                    Told::of_new(kind)
                }
                Some(kind) if kind.ticket().is_some() => Told::Held,
                Some(_) => Told::Seen,
            }
        });
        Flow::ready(match told {
            Told::Reserved(ticket) => ReservationOutcome::Reserved(ticket),
            Told::Held => ReservationOutcome::Held,
            Told::TooOld => ReservationOutcome::TooOld,
            Told::Full => ReservationOutcome::Full,
            Told::New(_) | Told::Fresh | Told::Seen => ReservationOutcome::Done,
        })
    }

    fn confirm(&self, unique: &Unique, ticket: ReservationTicket) -> Flow<'_, bool> {
        Flow::ready(self.settle(unique, ticket, Settled::Used))
    }

    fn release(&self, unique: &Unique, ticket: ReservationTicket) -> Flow<'_, bool> {
        Flow::ready(self.settle(unique, ticket, Settled::Free))
    }
}

impl fmt::Debug for MemoryReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryReplayStore({} identifiers)", self.len())
    }
}
