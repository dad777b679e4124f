//! When a kept token is to be renewed.

use auth_core::{Lifespan, Random, Timestamp};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

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
        /// The second in which it was last handed out.
        used: AtomicU64,
    },
    Unknown,
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
    /// Nothing.
    Dead,
}

/// No more than this before the end do all wait, however long a token lives.
const LONGEST_LATE: Duration = Duration::from_secs(30);

impl Schedule {
    /// Renewal begins between 60 and 80 percent of a life, at random, so that a fleet whose tokens end together does
    /// not renew them together; everybody waits for it in the last tenth, or half minute.
    pub(crate) fn new(lifespan: Lifespan, now: Timestamp, random: &dyn Random) -> Self {
        match lifespan {
            Lifespan::Until(dead) => {
                let life = dead.since(now);
                let early = now.after(life.mul_f64(0.6 + 0.2 * fraction(random)));
                let late = dead.before(LONGEST_LATE.min(life / 10));
                Self::Until { early, late, dead }
            }
            Lifespan::Idle(span) => Self::Idle { span, used: AtomicU64::new(now.unix()) },
            Lifespan::Unknown => Self::Unknown,
        }
    }

    /// The token is handed out at `now`, if it is fresh.
    #[inline]
    pub(crate) fn hand_out(&self, now: Timestamp) -> bool {
        match self {
            Self::Until { early, .. } => now < *early,
            Self::Idle { used, .. } => {
                let fresh = self.stage(now) == Stage::Fresh;
                // Once a second is enough, and leaves the line to those who only read it.
                if fresh && used.load(Ordering::Relaxed) < now.unix() {
                    used.store(now.unix(), Ordering::Relaxed);
                }
                fresh
            }
            Self::Unknown => true,
        }
    }

    /// Will it live then? Where nothing is known, it will.
    pub(crate) fn lasts_until(&self, then: Timestamp) -> bool {
        match self {
            Self::Until { dead, .. } => then < *dead,
            Self::Idle { .. } | Self::Unknown => true,
        }
    }

    pub(crate) fn stage(&self, now: Timestamp) -> Stage {
        match self {
            Self::Until { early, .. } if now < *early => Stage::Fresh,
            Self::Until { late, .. } if now < *late => Stage::Early,
            Self::Until { dead, .. } if now < *dead => Stage::Late,
            Self::Until { .. } => Stage::Dead,
            // It slides on use: what nobody used for most of its span may be gone when it gets there.
            Self::Idle { span, used } => {
                let idle = now.since(Timestamp::from_unix(used.load(Ordering::Relaxed)));
                match () {
                    () if idle < *span / 10 * 9 => Stage::Fresh,
                    () if idle < *span => Stage::Late,
                    () => Stage::Dead,
                }
            }
            Self::Unknown => Stage::Fresh,
        }
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

    struct Drawn(u8);

    impl Random for Drawn {
        fn fill(&self, bytes: &mut [u8]) -> auth_core::Result<()> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    const AT: Timestamp = Timestamp::from_unix(1_000_000);

    #[track_caller]
    fn check(schedule: &Schedule, stages: &[(u64, Stage)]) {
        for (seconds, expected) in stages {
            let now = AT.after(Duration::from_secs(*seconds));
            assert_eq!(schedule.stage(now), *expected, "after {seconds} s");
        }
    }

    #[test]
    fn a_life_has_four_stages() {
        let hour = Lifespan::Until(AT.after(Duration::from_secs(3600)));
        let drawn = |byte| Schedule::new(hour, AT, &Drawn(byte));
        let late = [(3569, Stage::Early), (3570, Stage::Late), (3599, Stage::Late)];
        check(&drawn(0), &[(0, Stage::Fresh), (2159, Stage::Fresh), (2160, Stage::Early)]);
        check(&drawn(255), &[(2879, Stage::Fresh), (2880, Stage::Early)]);
        check(&drawn(0), &late);
        check(&drawn(0), &[(3600, Stage::Dead), (9999, Stage::Dead)]);
    }

    #[test]
    fn a_short_life_has_them_too() {
        let ten = Lifespan::Until(AT.after(Duration::from_secs(10)));
        let schedule = Schedule::new(ten, AT, &Drawn(0));
        check(&schedule, &[(5, Stage::Fresh), (6, Stage::Early), (9, Stage::Late)]);
        check(&schedule, &[(10, Stage::Dead)]);
        let over = Schedule::new(Lifespan::Until(AT), AT, &Drawn(0));
        check(&over, &[(0, Stage::Dead)]);
    }

    #[test]
    fn an_idle_life_slides_on_use() {
        let schedule = Schedule::new(Lifespan::Idle(Duration::from_secs(100)), AT, &Drawn(0));
        check(&schedule, &[(89, Stage::Fresh), (90, Stage::Late), (100, Stage::Dead)]);
        assert!(schedule.hand_out(AT.after(Duration::from_secs(89))));
        check(&schedule, &[(100, Stage::Fresh), (178, Stage::Fresh), (179, Stage::Late)]);
        assert!(!schedule.hand_out(AT.after(Duration::from_secs(179))), "too late to slide");
        check(&schedule, &[(189, Stage::Dead)]);
    }

    #[test]
    fn without_a_word_it_lives_until_it_is_refused() {
        let schedule = Schedule::new(Lifespan::Unknown, AT, &Drawn(0));
        check(&schedule, &[(u64::from(u32::MAX), Stage::Fresh)]);
    }
}
