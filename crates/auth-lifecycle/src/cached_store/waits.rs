//! Readings that are under way, each for all who wait for it.

use super::{Found, Inner, LoggedStore, back_off, landing::Landing, stale, unread};
use crate::{
    already_hashed::AlreadyHashed,
    cache::{FillTicket, LogPage, PollTicket},
};
use auth_core::{Error, Flow, KeyDigest, Result};
use auth_session::Flight;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Instant,
};

/// What is under way. A reading that nobody waits for any more is given up, so that callers that come and go leave
/// nothing behind.
pub(super) struct Waits<T>(Mutex<State<T>>);

struct State<T> {
    fills: HashMap<KeyDigest, UnderWay<Filled<T>>, AlreadyHashed>,
    poll: Option<UnderWay<()>>,
    serials: u64,
    /// How many polls in a row have failed.
    failures: u32,
    failed: Option<Failed>,
}

struct UnderWay<T> {
    serial: u64,
    begun: Instant,
    flight: Flight<Result<T>>,
}

/// Why the last poll failed, and when the next one may begin.
struct Failed {
    again: Instant,
    why: Error,
}

/// What a store said of a key.
pub(super) struct Filled<T> {
    pub(super) value: Option<Arc<T>>,
    /// `None` when it may not be answered: the key was changed meanwhile, or polls are too old.
    pub(super) good_until: Option<Instant>,
}

impl<T> Clone for Filled<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), good_until: self.good_until }
    }
}

impl<S: LoggedStore + 'static> Inner<S> {
    /// The poll that is under way, or a new one.
    ///
    /// # Errors
    ///
    /// `lifecycle_stale` while it is too soon after a failure.
    pub(super) fn join_poll(self: &Arc<Self>) -> Result<Landing<S, ()>> {
        let (now, state) = (self.clock.steady(), self.waits.state());
        match self.useful_poll(&state, now) {
            Some(poll) => {
                let (serial, watch) = (poll.serial, poll.flight.watch());
                drop(state);
                Ok(Landing::new(self, None, serial, watch))
            }
            None => self.start_poll(state, now),
        }
    }

    /// A new poll, if one is still due, none is under way and it is not too soon after a failure. It is decided under one
    /// lock: of callers that come together one gets the poll, and none waits for that of another.
    pub(super) fn begin_poll(self: &Arc<Self>) -> Option<Landing<S, ()>> {
        let (now, state) = (self.clock.steady(), self.waits.state());
        if self.useful_poll(&state, now).is_some() || !self.cache.poll_due(now) {
            return None;
        }
        self.start_poll(state, now).ok()
    }

    fn useful_poll<'a>(
        &self,
        state: &'a State<S::Value>,
        now: Instant,
    ) -> Option<&'a UnderWay<()>> {
        state.poll.as_ref().filter(|poll| self.is_useful(poll.begun, now))
    }

    fn start_poll(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State<S::Value>>,
        now: Instant,
    ) -> Result<Landing<S, ()>> {
        if let Some(Failed { again, why }) = state.failed.as_ref().filter(|it| now < it.again) {
            return Err(unread(again.saturating_duration_since(now), why));
        }
        let Some(ticket) = self.cache.begin_poll(now) else {
            return Err(stale(self.poll_interval, "the last poll is about to end"));
        };
        state.serials += 1;
        let (serial, flight) = (state.serials, self.poll_flight(ticket, state.serials));
        let watch = flight.watch();
        let replaced = state.poll.replace(UnderWay { serial, begun: now, flight });
        drop(state);
        drop(replaced);
        Ok(Landing::new(self, None, serial, watch))
    }

    /// The reading of this key that is under way, or a new one.
    pub(super) fn join_fill(
        self: &Arc<Self>,
        key: KeyDigest,
        ticket: FillTicket,
        now: Instant,
    ) -> Landing<S, Filled<S::Value>> {
        let mut state = self.waits.state();
        let under_way = state
            .fills
            .get(&key)
            .filter(|fill| self.is_useful(fill.begun, now))
            .map(|fill| (fill.serial, fill.flight.watch()));
        let mut replaced = None;
        let (serial, watch) = under_way.unwrap_or_else(|| {
            state.serials += 1;
            let (serial, flight) = (state.serials, self.fill_flight(key, ticket, state.serials));
            let watch = flight.watch();
            replaced = state.fills.insert(key, UnderWay { serial, begun: now, flight });
            (serial, watch)
        });
        drop(state);
        drop(replaced);
        Landing::new(self, Some(key), serial, watch)
    }

    /// What takes longer than the bound brings nothing any more.
    fn is_useful(&self, begun: Instant, now: Instant) -> bool {
        now.saturating_duration_since(begun) < self.bound
    }

    fn poll_flight(self: &Arc<Self>, ticket: PollTicket, serial: u64) -> Flight<Result<()>> {
        // The flight is kept in here: owning what keeps it would be a circle.
        let owner = Arc::downgrade(self);
        let fallen = owner.clone();
        let work = async move {
            let outcome = read_log(&owner, ticket).await;
            owner.upgrade().ok_or_else(gone)?.land_poll(serial, outcome)
        };
        Flight::new(work, move || {
            fallen.upgrade().ok_or_else(gone)?.land_poll(serial, Err(panicked()))
        })
    }

    fn fill_flight(
        self: &Arc<Self>,
        key: KeyDigest,
        ticket: FillTicket,
        serial: u64,
    ) -> Flight<Result<Filled<S::Value>>> {
        let owner = Arc::downgrade(self);
        let fallen = owner.clone();
        let work = async move {
            let asked = ask(&owner, |store| store.find(&key));
            let found = asked.await;
            let inner = owner.upgrade().ok_or_else(gone)?;
            // What it brought first, the flight second: a caller that finds no flight finds what it brought.
            let filled = found.map(|Found { value, as_of }| {
                let now = inner.clock.steady();
                let good_until = inner.cache.insert(ticket, value.as_ref(), as_of, now);
                Filled { value, good_until }
            });
            inner.take_fill_down(&key, serial);
            filled
        };
        Flight::new(work, move || {
            let inner = fallen.upgrade().ok_or_else(gone)?;
            inner.take_fill_down(&key, serial);
            Err(panicked())
        })
    }

    fn land_poll(&self, serial: u64, outcome: Result<()>) -> Result<()> {
        let (now, drawn) = (self.clock.steady(), back_off::fraction(&*self.random));
        let mut state = self.waits.state();
        let landed = state.poll.take_if(|poll| poll.serial == serial);
        let mut pause = None;
        if landed.is_some() {
            state.failures = if outcome.is_ok() { 0 } else { state.failures.saturating_add(1) };
            if let Err(why) = &outcome {
                let step = back_off::step(self.poll_interval, state.failures, drawn);
                let again = now.checked_add(step).unwrap_or(now);
                state.failed = Some(Failed { again, why: why.clone() });
                pause = Some(again);
            }
        }
        drop(state);
        drop(landed);
        if let Some(again) = pause {
            self.cache.postpone_poll(again);
        }
        let pause = pause.map_or(self.poll_interval, |again| again.saturating_duration_since(now));
        outcome.map_err(|why| unread(pause, &why))
    }

    fn take_fill_down(&self, key: &KeyDigest, serial: u64) {
        let mut state = self.waits.state();
        let is_it = state.fills.get(key).is_some_and(|fill| fill.serial == serial);
        let landed = if is_it { state.fills.remove(key) } else { None };
        drop(state);
        drop(landed);
    }
}

/// The pages of the log, to its end.
async fn read_log<S: LoggedStore>(owner: &Weak<Inner<S>>, ticket: PollTicket) -> Result<()> {
    let mut ticket = ticket;
    loop {
        let position = ticket.position();
        let asked = ask(owner, |store| match position {
            Some(position) => store.changes_since(position),
            None => store.position().map(|reached| LogPage::Gone { reached }),
        });
        let page = asked.await?;
        let inner = owner.upgrade().ok_or_else(gone)?;
        match inner.cache.end_poll(ticket, page)? {
            None => return Ok(()),
            Some(more) => ticket = more,
        }
    }
}

fn ask<S: LoggedStore, T>(
    owner: &Weak<Inner<S>>,
    question: impl FnOnce(&S) -> Flow<'static, T>,
) -> Flow<'static, T> {
    owner.upgrade().map_or_else(|| Flow::failed(gone()), |inner| question(&inner.store))
}

fn gone() -> Error {
    Error::config("lifecycle_store_dropped", "store was dropped while it was read")
}

fn panicked() -> Error {
    let text = "store panicked while it was read, expected an answer or an error";
    Error::unavailable("lifecycle_store_panicked", None, text)
}

impl<T: Clone + Send + Sync + 'static> UnderWay<T> {
    /// Is it this one, and does nobody wait for it?
    fn is_left(&self, serial: u64) -> bool {
        self.serial == serial && !self.flight.is_watched()
    }
}

impl<T: Send + Sync + 'static> Waits<T> {
    /// A caller has left this poll: was it the last one?
    pub(super) fn leave_poll(&self, serial: u64) {
        let left = self.state().poll.take_if(|poll| poll.is_left(serial));
        // Without the lock: what a store gave us is foreign code.
        drop(left);
    }

    /// A caller has left this reading of a key: was it the last one?
    pub(super) fn leave_fill(&self, key: &KeyDigest, serial: u64) {
        let mut state = self.state();
        let is_left = state.fills.get(key).is_some_and(|fill| fill.is_left(serial));
        let left = if is_left { state.fills.remove(key) } else { None };
        drop(state);
        drop(left);
    }
}

impl<T> Waits<T> {
    /// How many polls and fills are under way.
    #[cfg(test)]
    pub(super) fn count(&self) -> (usize, usize) {
        let state = self.state();
        (usize::from(state.poll.is_some()), state.fills.len())
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        // Nothing that can panic runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Waits<T> {
    fn default() -> Self {
        let fills = HashMap::default();
        Self(Mutex::new(State { fills, poll: None, serials: 0, failures: 0, failed: None }))
    }
}
