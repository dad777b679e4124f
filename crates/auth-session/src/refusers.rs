//! Receivers that refuse one token after another: what they lack is not another token.

use crate::state::{LONGEST_PAUSE, back_off};
use auth_core::Origin;
use http::Uri;
use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

/// The receivers that have refused a token since they last took one.
///
/// A session serves many receivers with one token. One that refuses every token would cause an exchange with each
/// request that goes to it, however well the others are served.
#[derive(Default)]
pub(crate) struct Refusers {
    /// Is there any? Read with each good answer, without the lock.
    any: AtomicBool,
    known: Mutex<Vec<Refuser>>,
}

struct Refuser {
    origin: Origin,
    /// The last token that another one was obtained for.
    condemned: u64,
    /// When it last refused a token.
    last: Instant,
    /// How many tokens in a row it refused after another one was obtained for it.
    times: u32,
    /// Until when its refusals cause no exchange; `None` while the token that was obtained for it has not been tried.
    until: Option<Instant>,
}

/// So many receivers are known. One that is not known causes no exchange while all of these refused something lately, so
/// that a thousand receivers cost no more exchanges than these.
const MOST: usize = 64;

impl Refusers {
    /// Is it a reason to obtain another token that this receiver refused this one? It is for the first token that a
    /// receiver refuses, and after that for one at the end of each step of the back-off.
    pub(crate) fn condemn(&self, target: &Uri, generation: u64, now: Instant, jitter: f64) -> bool {
        let Ok(origin) = Origin::of(target) else { return true };
        let mut known = self.known();
        if let Some(refuser) = known.iter_mut().find(|refuser| refuser.origin == origin) {
            return refuser.condemn(generation, now, jitter);
        }
        if known.len() == MOST {
            let Some(past) = known.iter().position(|refuser| refuser.is_past(now)) else {
                return false;
            };
            known.swap_remove(past);
        }
        known.push(Refuser { origin, condemned: generation, last: now, times: 0, until: None });
        self.any.store(true, Ordering::Relaxed);
        true
    }

    /// This receiver took a token.
    #[inline]
    pub(crate) fn took(&self, target: &Uri) {
        if self.any.load(Ordering::Relaxed) {
            self.forget(target);
        }
    }

    #[cold]
    fn forget(&self, target: &Uri) {
        let mut known = self.known();
        known.retain(|refuser| !refuser.origin.covers(target));
        self.any.store(!known.is_empty(), Ordering::Relaxed);
    }

    fn known(&self) -> MutexGuard<'_, Vec<Refuser>> {
        // What is behind the lock is whole between any two statements.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Refuser {
    fn condemn(&mut self, generation: u64, now: Instant, jitter: f64) -> bool {
        let past = self.is_past(now);
        self.last = now;
        match self.until {
            // It was served for long, as far as we know: not every answer says that a token was taken.
            _ if past => {
                (self.condemned, self.times, self.until) = (generation, 0, None);
                true
            }
            // The requests that were on their way with one token are all sent again with the next.
            _ if generation == self.condemned => true,
            Some(until) if now < until => false,
            Some(_) => {
                (self.condemned, self.until) = (generation, None);
                true
            }
            None => {
                self.until = now.checked_add(back_off(self.times, jitter));
                self.times = self.times.saturating_add(1);
                false
            }
        }
    }

    fn is_past(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) >= LONGEST_PAUSE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn receiver(number: usize) -> Uri {
        format!("https://{number}.example/hook").parse().unwrap()
    }

    #[test]
    fn each_step_of_the_back_off_condemns_one_token() {
        let (refusers, start) = (Refusers::default(), Instant::now());
        let mut condemned = Vec::new();
        let mut generation = 1;
        // A request in each tenth of a second, and each is sent with the newest token.
        for tenth in 0..3000 {
            let now = start + Duration::from_millis(100 * tenth);
            if refusers.condemn(&receiver(1), generation, now, 1.0) {
                condemned.push(tenth / 10);
                generation += 1;
            }
        }
        assert_eq!(condemned, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
        refusers.took(&receiver(1));
        assert!(refusers.condemn(&receiver(1), generation, start, 1.0), "it took one since");
    }

    #[test]
    fn requests_of_one_token_are_all_sent_again() {
        let (refusers, now) = (Refusers::default(), Instant::now());
        for (generation, expected) in [(1, true), (1, true), (2, false), (2, false), (1, true)] {
            assert_eq!(refusers.condemn(&receiver(1), generation, now, 0.0), expected);
        }
    }

    #[test]
    fn what_one_refuses_is_not_held_against_another_and_all_are_bounded() {
        let (refusers, now) = (Refusers::default(), Instant::now());
        let condemns =
            |number, generation, now| refusers.condemn(&receiver(number), generation, now, 1.0);
        for number in 0..MOST {
            assert!(condemns(number, 1, now) && !condemns(number, 2, now));
        }
        assert!(!condemns(MOST, 3, now), "all who are known back off");
        refusers.took(&receiver(7));
        assert!(condemns(MOST, 3, now));
        assert!(!condemns(7, 3, now));
        assert!(condemns(7, 3, now + LONGEST_PAUSE), "one that refused nothing lately makes room");
        assert_eq!(refusers.known().len(), MOST);
    }
}
