//! How often a log-in is tried.

use auth_core::{Context, Error, Flow, Random, Result};
use std::time::Duration;

/// How often a log-in is tried, and what is waited for between.
///
/// A log-in that met no answer, a 429 or a 5xx is tried again; one that was refused is not, since a key that is not
/// imported will not be so in half a second. Each pause is the one before times the multiplier, by chance up to half as
/// long, and never shorter than what the server asked for with `Retry-After`.
///
/// The session that keeps the token has pauses of its own between log-ins that failed altogether.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogInRetry {
    attempts: u32,
    first: Duration,
    multiplier: f64,
    cap: Duration,
}

/// As the vendor's BDKs: ten attempts, half a second, doubling, at most five minutes.
impl Default for LogInRetry {
    fn default() -> Self {
        let (first, cap) = (Duration::from_millis(500), Duration::from_secs(300));
        Self { attempts: 10, first, multiplier: 2.0, cap }
    }
}

impl LogInRetry {
    /// A log-in is tried once.
    #[must_use]
    pub fn once() -> Self {
        Self { attempts: 1, ..Self::default() }
    }

    /// So many attempts, the first one included; then pauses from `first` on, each `multiplier` times as long as the one
    /// before, and none longer than `cap`. These are the members `maxAttempts`, `initialIntervalMillis`, `multiplier` and
    /// `maxIntervalMillis` of a BDK's configuration.
    ///
    /// # Errors
    ///
    /// `Error::Config` naming the member: no attempts, a first pause of less than a millisecond, a multiplier that is not
    /// from 1 to 100, or a longest pause that is shorter than the first.
    pub fn new(attempts: u32, first: Duration, multiplier: f64, cap: Duration) -> Result<Self> {
        let wrong = |text| Err(Error::config("symphony_retry", text));
        if attempts == 0 {
            return wrong("maxAttempts is zero, expected at least 1");
        }
        if first < Duration::from_millis(1) {
            return wrong("initialIntervalMillis is zero, expected at least 1");
        }
        if !(1.0..=100.0).contains(&multiplier) {
            return wrong("multiplier is not from 1 to 100");
        }
        if cap < first {
            return wrong("maxIntervalMillis is less than initialIntervalMillis");
        }
        Ok(Self { attempts, first, multiplier, cap })
    }

    /// Runs the log-in until it succeeds, is refused, or was tried often enough. Every attempt is made anew.
    pub(crate) async fn run<'a, T>(
        &self,
        context: &'a Context,
        mut attempt: impl FnMut() -> Flow<'a, T>,
    ) -> Result<T> {
        let mut pause = self.first;
        for _ in 1..self.attempts {
            let error = match attempt().await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let asked = match &error {
                Error::Transport(_) => None,
                Error::Unavailable { retry_after, .. } => *retry_after,
                _ => return Err(error),
            };
            let asked = asked.unwrap_or_default();
            if asked > self.cap {
                // The session comes again when the server said.
                return Err(error);
            }
            context.transport.pause(jittered(pause, &*context.random)?.max(asked)).await?;
            pause = self.after(pause);
        }
        attempt().await
    }

    fn after(&self, pause: Duration) -> Duration {
        Duration::try_from_secs_f64(pause.as_secs_f64() * self.multiplier)
            .map_or(self.cap, |next| next.min(self.cap))
    }
}

/// From half of it to all of it, so that bots that failed together do not come back together.
fn jittered(pause: Duration, random: &dyn Random) -> Result<Duration> {
    let mut bytes = [0; 2];
    random.fill(&mut bytes)?;
    let part = u32::from(u16::from_be_bytes(bytes));
    let half = pause / 2;
    Ok(half.saturating_add(half.saturating_mul(part) / u32::from(u16::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_testing::SeededRandom;

    #[test]
    fn settings_name_what_is_wrong_with_them() {
        let ms = Duration::from_millis;
        let check = |attempts, first, multiplier, cap, expected: &str| {
            let made = LogInRetry::new(attempts, ms(first), multiplier, ms(cap));
            let shown = made.map(|_| String::new()).unwrap_or_else(|error| error.to_string());
            assert!(shown.contains(expected) && shown.is_empty() == expected.is_empty(), "{shown}");
        };
        check(1, 1, 1.0, 1, "");
        check(10, 500, 2.0, 300_000, "");
        check(0, 500, 2.0, 300_000, "maxAttempts");
        check(10, 0, 2.0, 300_000, "initialIntervalMillis");
        check(10, 500, 0.5, 300_000, "multiplier");
        check(10, 500, f64::NAN, 300_000, "multiplier");
        check(10, 500, f64::INFINITY, 300_000, "multiplier");
        check(10, 500, 2.0, 499, "maxIntervalMillis");
    }

    #[test]
    fn pauses_grow_up_to_the_cap() {
        let retry = LogInRetry::new(9, Duration::from_secs(1), 3.0, Duration::from_secs(20));
        let retry = retry.unwrap();
        let grown = (0..4).scan(Duration::from_secs(1), |pause, _| {
            *pause = retry.after(*pause);
            Some(pause.as_secs())
        });
        assert_eq!(grown.collect::<Vec<_>>(), [3, 9, 20, 20]);
    }

    #[test]
    fn a_pause_is_from_half_of_it_to_all_of_it() {
        let (random, pause) = (SeededRandom::new(1), Duration::from_secs(10));
        let pauses: Vec<_> = (0..1000).map(|_| jittered(pause, &random).unwrap()).collect();
        let (least, most) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
        assert!(*least >= pause / 2 && *most <= pause, "{least:?} {most:?}");
        assert!(*most - *least > pause / 3, "{least:?} {most:?}");
    }
}
