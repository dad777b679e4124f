//! One generation of a token.

use crate::{
    schedule::{Schedule, Stage, Time},
    uses::{InUse, Uses},
};
use auth_core::{
    Credentials, Error, PresentableToken, Refusal, Result, Stamp, Succession, Timestamp, Token,
};
use std::{
    array,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

pub(crate) struct KeptToken<T> {
    pub(crate) token: T,
    pub(crate) generation: u64,
    pub(crate) schedule: Schedule,
    /// When it was obtained.
    since: Instant,
    /// It had ended by our clock when the issuer gave it to us: then our clock is not the issuer's.
    came_dead: bool,
    /// The uses of a token whose successor ends it. Others are not counted.
    uses: Option<Arc<Uses>>,
    presented: OnceLock<Result<[Credentials; COPIES]>>,
    proven: AtomicBool,
    /// How a receiver refused it, though others may take it.
    pub(crate) refusal: Option<Refusal>,
}

/// Why a kept token cannot be used.
pub(crate) enum Unusable {
    /// A renewal that ends it has begun.
    BeingReplaced,
    /// No field can hold it.
    Broken(Error),
}

/// The reference count of credentials that two threads share is a cache line that they fight for, and costs ten times
/// what the rest of handing them out does. So there are several.
const COPIES: usize = 8;

const MOMENT: Duration = Duration::from_secs(10);

/// A token that was used for longer than this was taken by somebody, though no answer may have said so.
const TRIAL: Duration = Duration::from_secs(60);

impl<T: Token> KeptToken<T> {
    /// A token that has no generation yet.
    pub(crate) fn new(token: T, schedule: Schedule, since: Instant) -> Self {
        let uses = match token.succession() {
            Succession::Overlapping => None,
            Succession::Exclusive { .. } => Some(Arc::default()),
        };
        let (presented, proven) = (OnceLock::new(), AtomicBool::new(false));
        let (generation, came_dead, refusal) = (0, false, None);
        Self { token, generation, schedule, since, came_dead, uses, presented, proven, refusal }
    }

    /// The same token, refused by a receiver: another one is obtained, and this one is used where there is none. None for
    /// one that its successor ends.
    pub(crate) fn refused(&self, refusal: &Refusal) -> Option<Self> {
        if self.uses.is_some() {
            return None;
        }
        let mut refused = Self::new(self.token.clone(), self.schedule.refused(), self.since);
        refused.generation = self.generation;
        refused.proven = AtomicBool::new(self.proven.load(Ordering::Relaxed));
        refused.refusal = Some(refusal.clone());
        Some(refused)
    }
}

impl<T> KeptToken<T> {
    /// Just given to us by the issuer.
    pub(crate) fn obtained(self, time: Time) -> Self {
        Self { came_dead: self.schedule.stage(time) == Stage::Dead, ..self }
    }

    /// How good it is for what has to last until then. What was obtained a moment ago is as good as it gets: another
    /// one would not live longer.
    pub(crate) fn stage(&self, time: Time, needed: Option<Timestamp>) -> Stage {
        let stage = match self.schedule.stage(time) {
            // Otherwise every request would cause an exchange, for a token that is no better.
            Stage::Dead if self.came_dead && self.age(time) < MOMENT => Stage::Fresh,
            stage => stage,
        };
        let lasts = needed.is_none_or(|needed| self.schedule.lasts_until(needed));
        let may_do_better = self.age(time) >= MOMENT;
        if lasts || !may_do_better { stage } else { stage.max(Stage::Late) }
    }

    /// Some server has taken it.
    pub(crate) fn prove(&self) {
        if !self.proven.load(Ordering::Relaxed) {
            self.proven.store(true, Ordering::Relaxed);
        }
    }

    /// Was it good for something? It was if a server took it, or if it was in use for long without being refused.
    pub(crate) fn was_fruitful(&self, time: Time) -> bool {
        self.proven.load(Ordering::Relaxed) || self.age(time) >= TRIAL
    }

    fn age(&self, time: Time) -> Duration {
        time.steady.saturating_duration_since(self.since)
    }

    /// The uses to wait for before its successor is obtained, if that ends it.
    pub(crate) const fn uses(&self) -> Option<&Arc<Uses>> {
        self.uses.as_ref()
    }

    /// Begins a use. There is nothing to count for a token that its successor does not end.
    pub(crate) fn begin_use(&self) -> Result<Option<Arc<InUse>>, Unusable> {
        let begun = self.counted()?;
        Ok(begun.map(|uses| Arc::new(InUse::of(Arc::clone(uses)))))
    }

    /// The counter that a use has begun with.
    fn counted(&self) -> Result<Option<&Arc<Uses>>, Unusable> {
        match &self.uses {
            None => Ok(None),
            Some(uses) if uses.begin() => Ok(Some(uses)),
            Some(_) => Err(Unusable::BeingReplaced),
        }
    }
}

impl<T: PresentableToken> KeptToken<T> {
    /// What to add to a request, when it was made before and there is nothing to count: lent to each thread from a copy
    /// that is likely its own.
    #[inline]
    pub(crate) fn lent(&self) -> Option<&Credentials> {
        match self.presented.get() {
            Some(Ok(copies)) if self.uses.is_none() => Some(own(copies)),
            _ => None,
        }
    }

    /// What to add to a request: made once, and with the use that this is if uses are counted.
    pub(crate) fn credentials(
        &self,
        stamp: impl FnOnce() -> Stamp,
    ) -> Result<Credentials, Unusable> {
        let lent = own(self.first(stamp)?);
        Ok(match self.counted()? {
            None => lent.clone(),
            Some(uses) => lent.clone().counted(Arc::<Uses>::clone(uses)),
        })
    }

    fn first(&self, stamp: impl FnOnce() -> Stamp) -> Result<&[Credentials; COPIES], Unusable> {
        let made = self.presented.get_or_init(|| {
            let made = self.token.credentials()?.stamped(stamp());
            Ok(array::from_fn(|_| made.kept()))
        });
        made.as_ref().map_err(|error| Unusable::Broken(error.clone()))
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
