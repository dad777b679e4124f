//! One generation of a token.

use crate::schedule::{Schedule, Stage};
use auth_core::{Credentials, Flow, Present, Result, Stamp, Timestamp};
use std::{
    array,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

pub(crate) struct Kept<T> {
    pub(crate) token: T,
    pub(crate) generation: u64,
    /// When it was obtained.
    since: Timestamp,
    pub(crate) schedule: Schedule,
    presented: OnceLock<Result<[Credentials; COPIES]>>,
    proven: AtomicBool,
}

/// The reference count of credentials that two threads share is a cache line that they fight for, and costs ten times
/// what the rest of handing them out does. So there are several.
const COPIES: usize = 8;

const MOMENT: Duration = Duration::from_secs(10);

impl<T> Kept<T> {
    pub(crate) fn new(token: T, generation: u64, schedule: Schedule, since: Timestamp) -> Self {
        let (presented, proven) = (OnceLock::new(), AtomicBool::new(false));
        Self { token, generation, since, schedule, presented, proven }
    }

    /// How good it is for what has to last until then. What was obtained a moment ago is as good as it gets: another
    /// one would not live longer.
    pub(crate) fn stage(&self, now: Timestamp, needed: Option<Timestamp>) -> Stage {
        let stage = self.schedule.stage(now);
        let lasts = needed.is_none_or(|needed| self.schedule.lasts_until(needed));
        let may_do_better = now >= self.since.after(MOMENT);
        if lasts || !may_do_better { stage } else { stage.max(Stage::Late) }
    }

    /// Some server has taken it.
    pub(crate) fn prove(&self) {
        if !self.is_proven() {
            self.proven.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }
}

impl<T: Present> Kept<T> {
    /// What to add to a request: made once, and lent to each thread from a copy that is likely its own.
    #[inline]
    pub(crate) fn credentials(&self, stamp: impl FnOnce() -> Stamp) -> Flow<'static, Credentials> {
        match self.presented.get() {
            Some(Ok(copies)) => Flow::ready(own(copies).clone()),
            _ => self.first(stamp).map(|copies| own(copies).clone()).into(),
        }
    }

    #[cold]
    fn first(&self, stamp: impl FnOnce() -> Stamp) -> Result<&[Credentials; COPIES]> {
        let made = self.presented.get_or_init(|| {
            let made = self.token.credentials()?.stamped(stamp());
            Ok(array::from_fn(|_| made.kept()))
        });
        made.as_ref().map_err(Clone::clone)
    }
}

/// The copy of this thread.
#[inline]
fn own(copies: &[Credentials; COPIES]) -> &Credentials {
    let [first, ..] = copies;
    copies.get(lane()).unwrap_or(first)
}

/// Threads have their stacks megabytes apart, so where this one's is tells it from most others.
#[inline]
fn lane() -> usize {
    let here = 0_u8;
    (std::ptr::from_ref(&here).addr() >> 21) % COPIES
}
