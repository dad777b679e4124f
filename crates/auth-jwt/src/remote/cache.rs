//! What is known of an issuer's keys, and when to ask again. No I/O and no clock, so that a test is a table of times. All
//! times are steady readings: what is kept or waited for here are spans.

use super::Published;
use crate::JwtKeys;
use auth_core::Error;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// A set is asked for again when it is older.
    pub(super) keep: Duration,
    /// And still used for so much longer when nobody answers.
    pub(super) outlast: Duration,
}

/// An unknown `kid` makes us ask again, and not more often than this.
pub(super) const COOLDOWN: Duration = Duration::from_secs(30);

/// A `kid` that was asked for and is not there is not asked for again so soon.
const UNKNOWN_FOR: Duration = Duration::from_secs(300);
const MOST_UNKNOWN: usize = 64;

/// After a failure we wait one second, then two, four, and so on up to this; or what the issuer says, up to ten times
/// this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(super) struct Cache {
    kept: Option<KeptKeys>,
    failure: Option<Failure>,
    unknown: Vec<(Box<str>, Instant)>,
}

struct KeptKeys {
    set: Arc<Published>,
    since: Instant,
}

struct Failure {
    error: Error,
    times: u32,
    since: Instant,
    pause: Duration,
}

/// What to do about a look-up.
#[derive(Debug)]
pub(super) enum Next {
    /// It is known that these are the keys, or that there are none.
    Known(Option<JwtKeys>),
    /// The issuer did not answer, and it is too early to ask again.
    Failed(Error),
    /// Ask the issuer; these keys may be used though nobody has answered yet.
    Ask { meanwhile: Option<JwtKeys> },
}

impl Cache {
    pub(super) fn next(&self, kid: Option<&str>, now: Instant, rules: Rules) -> Next {
        let pause = self.failure.as_ref().filter(|failure| age(failure.since, now) < failure.pause);
        match (self.usable(now, rules), pause) {
            (None, None) => Next::Ask { meanwhile: None },
            (None, Some(failure)) => Next::Failed(failure.error.clone()),
            (Some(kept), pause) => {
                let found = kept.set.find(kid);
                let old = age(kept.since, now) >= rules.keep;
                let wanted = old || (found.is_none() && self.is_news(kid, kept, now));
                if wanted && pause.is_none() {
                    Next::Ask { meanwhile: found }
                } else {
                    Next::Known(found)
                }
            }
        }
    }

    /// May the issuer have added this key since the set was fetched?
    fn is_news(&self, kid: Option<&str>, kept: &KeptKeys, now: Instant) -> bool {
        let Some(kid) = kid else { return false };
        let refuted = |(unknown, since): &(Box<str>, Instant)| {
            **unknown == *kid && age(*since, now) < UNKNOWN_FOR
        };
        age(kept.since, now) >= COOLDOWN && !self.unknown.iter().any(refuted)
    }

    /// The keys now that somebody has asked, with what came of it.
    pub(super) fn answer(
        &mut self,
        kid: Option<&str>,
        now: Instant,
        rules: Rules,
    ) -> Result<Option<JwtKeys>, Error> {
        let failure = self.failure.as_ref().map(|failure| failure.error.clone());
        let found = match (self.usable(now, rules), failure.clone()) {
            (Some(kept), _) => kept.set.find(kid),
            (None, Some(error)) => return Err(error),
            (None, None) => None,
        };
        if let (None, None, Some(kid)) = (&found, failure, kid) {
            self.unknown.retain(|(other, since)| **other != *kid && age(*since, now) < UNKNOWN_FOR);
            self.unknown.truncate(MOST_UNKNOWN - 1);
            self.unknown.push((kid.into(), now));
        }
        Ok(found)
    }

    /// The issuer, asked at `asked`, has answered or failed by `now`.
    pub(super) fn learn(
        &mut self,
        answered: Result<Published, Error>,
        asked: Instant,
        now: Instant,
    ) {
        let error = match answered {
            Ok(set) => {
                self.kept = Some(KeptKeys { set: Arc::new(set), since: asked });
                self.failure = None;
                return;
            }
            Err(error) => error,
        };
        let times = self.failure.as_ref().map_or(0, |failure| failure.times.saturating_add(1));
        let own = Duration::from_secs(1).saturating_mul(2_u32.saturating_pow(times));
        let pause = match &error {
            Error::Unavailable { retry_after: Some(said), .. } => {
                (*said).clamp(Duration::from_secs(1), LONGEST_PAUSE.saturating_mul(10))
            }
            _ => own.min(LONGEST_PAUSE),
        };
        self.failure = Some(Failure { error, times, since: now, pause });
    }

    fn usable(&self, now: Instant, rules: Rules) -> Option<&KeptKeys> {
        let last = rules.keep.saturating_add(rules.outlast);
        self.kept.as_ref().filter(|kept| age(kept.since, now) < last)
    }
}

fn age(since: Instant, now: Instant) -> Duration {
    now.saturating_duration_since(since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{JwsAlgorithm, VerifyingKey};
    use auth_core::Cause;
    use std::sync::LazyLock;

    const RULES: Rules =
        Rules { keep: Duration::from_secs(600), outlast: Duration::from_secs(3600) };

    /// Readings of one clock.
    fn at(seconds: u64) -> Instant {
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        *BEGAN + Duration::from_secs(seconds)
    }

    fn set(kids: &[&str]) -> Published {
        let key = VerifyingKey::from_secret(JwsAlgorithm::HS256, &[7; 32]).unwrap();
        Published::new(kids.iter().map(|kid| (Some((*kid).into()), key.clone())).collect())
    }

    fn down() -> Error {
        Error::transport("down", "nobody answers")
    }

    fn holding(kids: &[&str]) -> Cache {
        let mut cache = Cache::default();
        cache.learn(Ok(set(kids)), at(0), at(1));
        cache
    }

    #[track_caller]
    fn check(cache: &Cache, kid: &str, now: u64, expected: &str) {
        let told = match cache.next(Some(kid), at(now), RULES) {
            Next::Known(Some(_)) => "known",
            Next::Known(None) => "unknown",
            Next::Failed(_) => "failed",
            Next::Ask { meanwhile: Some(_) } => "ask, and use the old one",
            Next::Ask { meanwhile: None } => "ask",
        };
        assert_eq!(told, expected, "{kid} at {now}");
    }

    #[test]
    fn asks_when_nothing_is_known() {
        check(&Cache::default(), "a", 0, "ask");
    }

    #[test]
    fn a_set_is_kept_and_then_fetched_while_it_is_still_used() {
        let cache = holding(&["a"]);
        check(&cache, "a", 599, "known");
        check(&cache, "a", 600, "ask, and use the old one");
        check(&cache, "a", 4199, "ask, and use the old one");
        check(&cache, "a", 4200, "ask");
    }

    #[test]
    fn an_unknown_kid_asks_again_but_not_within_the_cooldown() {
        let mut cache = holding(&["a"]);
        check(&cache, "b", 29, "unknown");
        check(&cache, "b", 30, "ask");
        cache.learn(Ok(set(&["a", "b"])), at(30), at(31));
        assert!(cache.answer(Some("b"), at(31), RULES).unwrap().is_some());
        check(&cache, "b", 31, "known");
        check(&cache, "c", 59, "unknown");
    }

    #[test]
    fn a_kid_that_was_just_found_missing_is_not_asked_for_again() {
        let mut cache = holding(&["a"]);
        cache.learn(Ok(set(&["a"])), at(30), at(31));
        assert!(cache.answer(Some("b"), at(31), RULES).unwrap().is_none());
        check(&cache, "b", 330, "unknown");
        check(&cache, "other", 330, "ask");
        check(&cache, "b", 331, "ask");
    }

    #[test]
    fn remembers_only_so_many_missing_kids() {
        let mut cache = holding(&["a"]);
        for n in 0..1000 {
            assert!(cache.answer(Some(&n.to_string()), at(31), RULES).unwrap().is_none());
        }
        assert_eq!(cache.unknown.len(), MOST_UNKNOWN);
    }

    #[test]
    fn the_last_good_set_outlasts_an_outage() {
        let mut cache = holding(&["a"]);
        cache.learn(Err(down()), at(600), at(601));
        check(&cache, "a", 601, "known");
        check(&cache, "a", 602, "ask, and use the old one");
        assert!(cache.answer(Some("a"), at(602), RULES).unwrap().is_some());
        assert!(cache.answer(Some("b"), at(602), RULES).unwrap().is_none(), "old, and good enough");
        check(&cache, "b", 602, "ask");
        assert_eq!(cache.answer(Some("a"), at(4200), RULES).unwrap_err().code(), "down");
    }

    #[test]
    fn waits_longer_after_each_failure_up_to_half_a_minute() {
        let (mut cache, mut now) = (Cache::default(), 0);
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            cache.learn(Err(down()), at(now), at(now));
            check(&cache, "a", now + pause - 1, "failed");
            now += pause;
            check(&cache, "a", now, "ask");
        }
        cache.learn(Ok(set(&["a"])), at(now), at(now));
        cache.learn(Err(down()), at(now), at(now));
        check(&cache, "b", now + 40, "ask");
    }

    #[test]
    fn waits_as_long_as_the_issuer_says_but_not_for_ever() {
        for (said, expected) in [(0, 1), (90, 90), (86_400, 300)] {
            let retry_after = Some(Duration::from_secs(said));
            let error = Error::Unavailable { retry_after, cause: Cause::new("busy", "busy") };
            let mut cache = Cache::default();
            cache.learn(Err(error), at(0), at(0));
            check(&cache, "a", expected - 1, "failed");
            check(&cache, "a", expected, "ask");
        }
    }
}
