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
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    refusers: Vec<Refuser>,
    /// The newest token that another one was obtained for.
    condemned: u64,
}

struct Refuser {
    /// None for all whose target names no origin, as behind a connection that was made beforehand.
    origin: Option<Origin>,
    /// When another token was last obtained for it.
    renewed: Instant,
    /// When it last refused a token.
    last: Instant,
    /// How many tokens in a row it refused after another one was obtained for it.
    times: u32,
    /// Has it taken a token since?
    took: bool,
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
        let origin = Origin::of(target).ok();
        let mut known = self.known();
        // Then the next token is there or under way, whoever was refused first. Requests that were on their way with this
        // one are all sent again with it, whatever receivers they went to.
        let is_condemned = generation <= known.condemned;
        if known.condemns(origin, is_condemned, now, jitter) {
            known.condemned = known.condemned.max(generation);
            self.any.store(true, Ordering::Relaxed);
            return true;
        }
        is_condemned
    }

    /// This receiver took a token.
    #[inline]
    pub(crate) fn took(&self, target: &Uri, now: impl FnOnce() -> Instant) {
        if self.any.load(Ordering::Relaxed) {
            self.note(target, now());
        }
    }

    #[cold]
    fn note(&self, target: &Uri, now: Instant) {
        let mut known = self.known();
        known.refusers.retain(|refuser| !refuser.is_past(now));
        known.refusers.iter_mut().filter(|refuser| refuser.is_at(target)).for_each(Refuser::took);
        self.any.store(!known.refusers.is_empty(), Ordering::Relaxed);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // What is behind the lock is whole between any two statements.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn condemns(
        &mut self,
        origin: Option<Origin>,
        is_condemned: bool,
        now: Instant,
        jitter: f64,
    ) -> bool {
        let refusers = &mut self.refusers;
        if let Some(refuser) = refusers.iter_mut().find(|refuser| refuser.origin == origin) {
            return refuser.condemns(is_condemned, now, jitter);
        }
        if refusers.len() == MOST {
            let Some(past) = refusers.iter().position(|refuser| refuser.makes_room(now)) else {
                return false;
            };
            refusers.swap_remove(past);
        }
        refusers.push(Refuser::new(origin, now));
        true
    }
}

impl Refuser {
    fn new(origin: Option<Origin>, now: Instant) -> Self {
        Self { origin, renewed: now, last: now, times: 0, took: false, until: None }
    }

    /// One that takes tokens and refuses them in turn waits no shorter than one that takes none.
    fn took(&mut self) {
        self.took = true;
        if self.until.is_none() {
            self.until = self.renewed.checked_add(back_off(self.times, 1.0));
            self.times = self.times.saturating_add(1);
        }
    }

    fn condemns(&mut self, is_condemned: bool, now: Instant, jitter: f64) -> bool {
        let past = self.is_past(now);
        self.last = now;
        match self.until {
            // It was served for long, as far as we know: not every answer says that a token was taken.
            _ if past => {
                (self.renewed, self.times, self.took, self.until) = (now, 0, false, None);
                true
            }
            // It says nothing about the token that was obtained since.
            _ if is_condemned => true,
            Some(until) if now < until => false,
            Some(_) => {
                (self.renewed, self.took, self.until) = (now, false, None);
                true
            }
            None => {
                self.until = now.checked_add(back_off(self.times, jitter));
                self.times = self.times.saturating_add(1);
                false
            }
        }
    }

    fn is_at(&self, target: &Uri) -> bool {
        match &self.origin {
            Some(origin) => origin.covers(target),
            None => Origin::of(target).is_err(),
        }
    }

    /// It refused nothing for long; or it did so once, has taken a token since, and its step is over.
    fn makes_room(&self, now: Instant) -> bool {
        let is_over = self.until.is_some_and(|until| until <= now);
        self.is_past(now) || (self.took && self.times <= 1 && is_over)
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
        let end = start + Duration::from_secs(300);
        refusers.took(&receiver(1), || end);
        assert!(!refusers.condemn(&receiver(1), generation, end, 1.0), "of all it takes one");
        let later = end + LONGEST_PAUSE;
        refusers.took(&receiver(2), || later);
        assert!(refusers.known().refusers.is_empty(), "it refused nothing for long");
        assert!(refusers.condemn(&receiver(1), generation, later, 1.0));
    }

    #[test]
    fn each_step_condemns_one_token_though_every_other_request_takes_it() {
        let (refusers, start) = (Refusers::default(), Instant::now());
        let mut condemned = Vec::new();
        let mut generation = 1;
        for tenth in 0..3000 {
            let now = start + Duration::from_millis(100 * tenth);
            if tenth % 2 == 1 {
                refusers.took(&receiver(1), || now);
            } else if refusers.condemn(&receiver(1), generation, now, 1.0) {
                condemned.push(tenth / 10);
                generation += 1;
            }
        }
        assert_eq!(condemned, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
    }

    /// An issuer revokes tokens twice, the second time when the first step is over.
    #[test]
    fn a_receiver_that_took_the_next_token_condemns_that_one_after_a_second() {
        let (refusers, now) = (Refusers::default(), Instant::now());
        assert!(refusers.condemn(&receiver(1), 1, now, 1.0));
        refusers.took(&receiver(1), || now);
        assert!(refusers.condemn(&receiver(1), 2, now + Duration::from_secs(1), 1.0));
    }

    #[test]
    fn requests_of_one_token_are_all_sent_again() {
        let (refusers, now) = (Refusers::default(), Instant::now());
        for (generation, expected) in [(1, true), (1, true), (2, false), (2, false), (1, true)] {
            assert_eq!(refusers.condemn(&receiver(1), generation, now, 0.0), expected);
        }
    }

    #[test]
    fn one_token_that_a_thousand_refuse_is_condemned_for_all_of_them() {
        let (refusers, now) = (Refusers::default(), Instant::now());
        for number in 0..1000 {
            assert!(refusers.condemn(&receiver(number), 2, now, 1.0), "{number}");
        }
        assert!(refusers.condemn(&receiver(7), 1, now, 1.0), "and an older one is over anyway");
        for number in 0..1000 {
            assert!(!refusers.condemn(&receiver(number), 3, now, 1.0), "each backs off: {number}");
        }
    }

    #[test]
    fn targets_without_an_origin_are_one_receiver() {
        let (refusers, now) = (Refusers::default(), Instant::now());
        let (one, other) = (Uri::from_static("/hook"), Uri::from_static("/other"));
        assert!(refusers.condemn(&one, 1, now, 1.0));
        assert!(!refusers.condemn(&other, 2, now, 1.0));
        let later = now + Duration::from_secs(1);
        refusers.took(&receiver(1), || later);
        assert!(!refusers.known().refusers.iter().any(|refuser| refuser.took));
        refusers.took(&other, || later);
        assert!(refusers.known().refusers.iter().all(|refuser| refuser.took));
    }

    /// Sixty-four receivers refused a token that was revoked, and took the next.
    #[test]
    fn those_who_took_the_next_token_keep_nobody_from_condemning_that_one() {
        let (refusers, now) = (Refusers::default(), Instant::now());
        for number in 0..MOST {
            assert!(refusers.condemn(&receiver(number), 1, now, 1.0));
            refusers.took(&receiver(number), || now);
        }
        assert!(!refusers.condemn(&receiver(MOST), 2, now, 1.0));
        assert!(refusers.condemn(&receiver(MOST), 2, now + Duration::from_secs(1), 1.0));
    }

    #[test]
    fn what_one_refuses_is_not_held_against_another_and_all_are_bounded() {
        let (refusers, now) = (Refusers::default(), Instant::now());
        let condemns =
            |number, generation, now| refusers.condemn(&receiver(number), generation, now, 1.0);
        for (number, generation) in (0..MOST).zip(1..) {
            assert!(condemns(number, generation, now) && !condemns(number, generation + 1, now));
        }
        assert!(!condemns(MOST, 100, now), "all who are known back off");
        let later = now + Duration::from_secs(1);
        refusers.took(&receiver(7), || later);
        assert!(condemns(MOST, 100, later), "one that has taken a token makes room");
        assert!(!condemns(7, 101, later));
        let later = later + LONGEST_PAUSE;
        assert!(condemns(7, 101, later), "so does one that refused nothing lately");
        assert_eq!(refusers.known().refusers.len(), MOST);
    }
}
