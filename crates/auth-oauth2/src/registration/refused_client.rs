//! A client that the server does not know, or that authenticates wrongly: asking again does not help for long.

use auth_core::{Error, Result};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Remembers `invalid_client`. It is final until the configuration changes, which makes another registration; but the
/// fault may be the server's, so one request asks again after 5 minutes, and then after twice as long, up to an hour.
///
/// All grants and sessions of a registration share it: a hundred users' sessions ask once.
#[derive(Default)]
pub(super) struct RefusedClient(Mutex<Option<Refused>>);

struct Refused {
    error: Error,
    times: u32,
    until: Instant,
    /// One request asks again.
    trial: Trial,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Trial {
    UnderWay,
    NotYet,
}

const FIRST_PAUSE: Duration = Duration::from_secs(5 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// So long the others wait for the one that asks again.
const TRIAL_LASTS: Duration = Duration::from_secs(60);

impl RefusedClient {
    /// May the server be asked now?
    ///
    /// # Errors
    ///
    /// The error that the client was refused with, while it is too early to ask again.
    pub(super) fn may_ask(&self, now: Instant) -> Result<()> {
        match &mut *self.state() {
            Some(refused) if now < refused.until => Err(refused.error.clone()),
            Some(refused) => {
                (refused.until, refused.trial) = (after(now, TRIAL_LASTS), Trial::UnderWay);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// What came of asking.
    pub(super) fn answered<T>(&self, answer: &Result<T>, now: Instant) {
        let mut state = self.state();
        match answer {
            Err(error) if error.code() == "oauth2_invalid_client" => {
                // Requests that were under way together are refused together, and that is one refusal.
                let times = match &*state {
                    None => 0,
                    Some(Refused { times, trial: Trial::UnderWay, .. }) => times.saturating_add(1),
                    Some(Refused { trial: Trial::NotYet, .. }) => return,
                };
                let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(times));
                let until = after(now, pause.min(LONGEST_PAUSE));
                *state = Some(Refused { error: error.clone(), times, until, trial: Trial::NotYet });
            }
            Ok(_) => *state = None,
            // It says nothing about the client.
            Err(_) => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, Option<Refused>> {
        // What is behind the lock is whole between any two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn after(now: Instant, pause: Duration) -> Instant {
    now.checked_add(pause).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invalid() -> Result<()> {
        Err(Error::config("oauth2_invalid_client", "unknown client"))
    }

    #[test]
    fn one_asks_again_after_five_minutes_doubling_to_an_hour() {
        let (client, mut now) = (RefusedClient::default(), Instant::now());
        for minutes in [5, 10, 20, 40, 60, 60] {
            assert!(client.may_ask(now).is_ok());
            client.answered(&invalid(), now);
            now += Duration::from_secs(minutes * 60 - 1);
            assert_eq!(client.may_ask(now).unwrap_err().code(), "oauth2_invalid_client");
            now += Duration::from_secs(1);
        }
        assert!(client.may_ask(now).is_ok());
        assert!(client.may_ask(now).is_err(), "the others wait for the one that asks");
        now += TRIAL_LASTS;
        assert!(client.may_ask(now).is_ok(), "and not for ever");
        client.answered(&Err::<(), _>(Error::transport("down", "nobody answers")), now);
        assert!(client.may_ask(now).is_err(), "an outage says nothing about the client");
        client.answered(&Ok(()), now);
        assert!(client.may_ask(now).is_ok() && client.may_ask(now).is_ok());
    }

    #[test]
    fn a_hundred_that_are_refused_together_are_one_refusal() {
        let (client, now) = (RefusedClient::default(), Instant::now());
        for _ in 0..100 {
            assert!(client.may_ask(now).is_ok());
        }
        (0..100).for_each(|_| client.answered(&invalid(), now));
        let later = now + FIRST_PAUSE;
        assert!(client.may_ask(now + FIRST_PAUSE / 2).is_err());
        assert!(client.may_ask(later).is_ok());
        (0..2).for_each(|_| client.answered(&invalid(), later));
        assert!(client.may_ask(later + FIRST_PAUSE).is_err());
        assert!(client.may_ask(later + 2 * FIRST_PAUSE).is_ok());
    }
}
