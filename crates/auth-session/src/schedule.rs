//! When a kept token is to be renewed.

use auth_core::{Clock, Lifespan, Random, Succession, Timestamp, Token};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// What a clock says: the moment, and a reading for spans.
#[derive(Clone, Copy)]
pub(crate) struct Time {
    pub(crate) now: Timestamp,
    pub(crate) steady: Instant,
}

impl Time {
    pub(crate) fn of(clock: &dyn Clock) -> Self {
        Self { now: clock.now(), steady: clock.steady() }
    }
}

/// The times of one token, drawn when it was obtained.
pub(crate) enum Schedule {
    Until {
        /// From here on it is renewed while all keep using it.
        early: Timestamp,
        /// From here on all wait for the new one.
        late: Timestamp,
        /// From here on it is of no use.
        dead: Timestamp,
    },
    Idle {
        span: Duration,
        /// When it was obtained.
        since: Instant,
        /// The second in which it was last handed out, counted from then.
        used: AtomicU64,
    },
    Unknown,
    /// A receiver has refused it: all wait for another one, and use this one where there is none.
    Refused {
        /// From here on it is of no use, if it has an end.
        dead: Option<Timestamp>,
    },
}

/// What a token is good for at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Use it.
    Fresh,
    /// Use it, and have another one made.
    Early,
    /// Wait for another one, and use it if there is none.
    Late,
    /// Do not use it.
    Dead,
}

/// No more than this before the end do all wait, however long a token lives.
const LONGEST_LATE: Duration = Duration::from_secs(30);

impl Schedule {
    /// Renewal begins between 60 and 80 percent of a life, at random, so that a fleet whose tokens end together does
    /// not renew them together; everybody waits for it in the last tenth, or half minute. A token that its successor
    /// ends is not renewed before all have to wait. Where the issuer wants an earlier renewal, that begins in the first
    /// fifth of the time between then and the end.
    pub(crate) fn of(token: &impl Token, time: Time, random: &dyn Random) -> Self {
        let succession = token.succession();
        match token.lifespan() {
            Lifespan::Until(dead) => {
                let life = dead.since(time.now);
                let late = dead.before(LONGEST_LATE.min(life / 10));
                let early = match succession {
                    Succession::Overlapping => {
                        let drawn = fraction(random);
                        let ours = time.now.after(life.mul_f64(0.6 + 0.2 * drawn));
                        let theirs = token.renew_from().map_or(ours, |wanted| {
                            wanted.after(dead.since(wanted).mul_f64(0.2 * drawn))
                        });
                        ours.min(theirs)
                    }
                    Succession::Exclusive { .. } => late,
                };
                Self::Until { early, late, dead }
            }
            Lifespan::Idle(span) => {
                Self::Idle { span, since: time.steady, used: AtomicU64::new(0) }
            }
            Lifespan::Unknown => Self::Unknown,
        }
    }

    /// The token is handed out now, if it is fresh. Only the clock that it needs is read.
    #[inline]
    pub(crate) fn hand_out(&self, clock: &dyn Clock) -> bool {
        match self {
            Self::Until { early, .. } => clock.now() < *early,
            Self::Idle { span, since, used } => {
                let lived = clock.steady().saturating_duration_since(*since);
                let fresh = idle_stage(*span, lived, used) == Stage::Fresh;
                // Once a second is enough, and leaves the line to those who only read it.
                if fresh && used.load(Ordering::Relaxed) < lived.as_secs() {
                    used.store(lived.as_secs(), Ordering::Relaxed);
                }
                fresh
            }
            Self::Unknown => true,
            Self::Refused { .. } => false,
        }
    }

    /// That of the same token when a receiver has refused it.
    pub(crate) const fn refused(&self) -> Self {
        match self {
            Self::Until { dead, .. } => Self::Refused { dead: Some(*dead) },
            Self::Refused { dead } => Self::Refused { dead: *dead },
            Self::Idle { .. } | Self::Unknown => Self::Refused { dead: None },
        }
    }

    /// Will it live then? Where nothing is known, it will.
    pub(crate) fn lasts_until(&self, then: Timestamp) -> bool {
        match self {
            Self::Until { dead, .. } | Self::Refused { dead: Some(dead) } => then < *dead,
            Self::Idle { .. } | Self::Unknown | Self::Refused { dead: None } => true,
        }
    }

    pub(crate) fn stage(&self, time: Time) -> Stage {
        match self {
            Self::Until { early, .. } if time.now < *early => Stage::Fresh,
            Self::Until { late, .. } if time.now < *late => Stage::Early,
            Self::Until { dead, .. } if time.now < *dead => Stage::Late,
            Self::Until { .. } => Stage::Dead,
            Self::Idle { span, since, used } => {
                idle_stage(*span, time.steady.saturating_duration_since(*since), used)
            }
            Self::Unknown => Stage::Fresh,
            Self::Refused { dead } if dead.is_some_and(|dead| dead <= time.now) => Stage::Dead,
            Self::Refused { .. } => Stage::Late,
        }
    }
}

/// It slides on use: what nobody used for most of its span may be gone when it gets there.
fn idle_stage(span: Duration, lived: Duration, used: &AtomicU64) -> Stage {
    let idle = lived.saturating_sub(Duration::from_secs(used.load(Ordering::Relaxed)));
    if idle < span / 10 * 9 {
        Stage::Fresh
    } else if idle < span {
        Stage::Late
    } else {
        Stage::Dead
    }
}

/// A number from 0 to 1; the middle when there is no randomness.
pub(crate) fn fraction(random: &dyn Random) -> f64 {
    let mut bytes = [0; 4];
    match random.fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_testing::ManualClock;

    struct Drawn(u8);

    impl Random for Drawn {
        fn fill(&self, bytes: &mut [u8]) -> auth_core::Result<()> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    const AT: Timestamp = Timestamp::from_unix(1_000_000);

    /// A schedule made at `AT`, the clock that it was made by, and its stages after so many seconds.
    struct Life(Schedule, ManualClock);

    #[derive(Clone)]
    struct Timed {
        lifespan: Lifespan,
        succession: Succession,
        renew_from: Option<Timestamp>,
    }

    impl Token for Timed {
        fn lifespan(&self) -> Lifespan {
            self.lifespan
        }

        fn renew_from(&self) -> Option<Timestamp> {
            self.renew_from
        }

        fn succession(&self) -> Succession {
            self.succession
        }
    }

    fn life(lifespan: Lifespan, succession: Succession, drawn: u8) -> Life {
        scheduled(&Timed { lifespan, succession, renew_from: None }, drawn)
    }

    fn scheduled(token: &Timed, drawn: u8) -> Life {
        let clock = ManualClock::at(AT.unix());
        let schedule = Schedule::of(token, Time::of(&clock), &Drawn(drawn));
        Life(schedule, clock)
    }

    fn until(seconds: u64, drawn: u8) -> Life {
        let end = AT.after(Duration::from_secs(seconds));
        life(Lifespan::Until(end), Succession::Overlapping, drawn)
    }

    impl Life {
        #[track_caller]
        fn check(&self, stages: &[(u64, Stage)]) {
            let begun = Time::of(&self.1);
            for (seconds, expected) in stages {
                let span = Duration::from_secs(*seconds);
                let time = Time { now: AT.after(span), steady: begun.steady + span };
                assert_eq!(self.0.stage(time), *expected, "after {seconds} s");
            }
        }
    }

    #[test]
    fn a_life_has_four_stages() {
        until(3600, 0).check(&[(0, Stage::Fresh), (2159, Stage::Fresh), (2160, Stage::Early)]);
        until(3600, 255).check(&[(2879, Stage::Fresh), (2880, Stage::Early)]);
        until(3600, 0).check(&[(3569, Stage::Early), (3570, Stage::Late), (3599, Stage::Late)]);
        until(3600, 0).check(&[(3600, Stage::Dead), (9999, Stage::Dead)]);
    }

    #[test]
    fn a_short_life_has_them_too() {
        until(10, 0).check(&[(5, Stage::Fresh), (6, Stage::Early), (9, Stage::Late)]);
        until(10, 0).check(&[(10, Stage::Dead)]);
        until(0, 0).check(&[(0, Stage::Dead)]);
    }

    /// A day, to be renewed after `wanted` seconds: begins between then and a fifth of the rest later.
    #[track_caller]
    fn check_wanted(wanted: u64, drawn: u8, early: u64) {
        let after = |seconds| AT.after(Duration::from_secs(seconds));
        let lifespan = Lifespan::Until(after(86_400));
        let (succession, renew_from) = (Succession::Overlapping, Some(after(wanted)));
        let life = scheduled(&Timed { lifespan, succession, renew_from }, drawn);
        life.check(&[(early - 1, Stage::Fresh), (early, Stage::Early)]);
    }

    #[test]
    fn an_issuer_may_want_an_earlier_renewal_and_gets_no_later_one() {
        check_wanted(43_200, 0, 43_200);
        check_wanted(43_200, 255, 43_200 + 8640);
        check_wanted(80_000, 0, 51_840);
        check_wanted(90_000, 255, 69_120);
    }

    #[test]
    fn a_token_that_its_successor_ends_has_no_early_stage() {
        let end = Lifespan::Until(AT.after(Duration::from_secs(3600)));
        let exclusive = Succession::Exclusive { settle: Duration::from_secs(10) };
        let stages = [(3569, Stage::Fresh), (3570, Stage::Late), (3600, Stage::Dead)];
        life(end, exclusive, 0).check(&stages);
    }

    #[test]
    fn an_idle_life_slides_on_use_and_not_on_a_clock_that_is_set() {
        let hundred = Lifespan::Idle(Duration::from_secs(100));
        let Life(schedule, clock) = life(hundred, Succession::Overlapping, 0);
        let check = |seconds: u64, expected| {
            clock.advance(Duration::from_secs(seconds));
            assert_eq!(schedule.stage(Time::of(&clock)), expected);
        };
        check(89, Stage::Fresh);
        assert!(schedule.hand_out(&clock));
        clock.set(AT.before(Duration::from_secs(86_400)));
        check(89, Stage::Fresh);
        clock.set(AT.after(Duration::from_secs(86_400)));
        check(1, Stage::Late);
        assert!(!schedule.hand_out(&clock), "too late to slide");
        check(10, Stage::Dead);
    }

    #[test]
    fn without_a_word_it_lives_until_it_is_refused() {
        let unknown = life(Lifespan::Unknown, Succession::Overlapping, 0);
        unknown.check(&[(u64::from(u32::MAX), Stage::Fresh)]);
    }
}
