//! What a session decides under its lock: renew or not, wait or not. No I/O and no clock, so that a test is a table.

use crate::{
    flight::{Flight, Watch},
    kept::Kept,
    schedule::Stage,
};
use auth_core::{Error, Refusal, Renewal, Timestamp, Token};
use std::{sync::Arc, time::Duration};

/// What all who watch a flight get.
pub(crate) type Outcome<T> = Result<Arc<Kept<T>>, Error>;

pub(crate) struct State<T> {
    pub(crate) generation: u64,
    pub(crate) flight: Option<Flight<Outcome<T>>>,
    /// The last token, kept for its renewal when it was refused.
    condemned: Option<(T, Refusal)>,
    failure: Option<Failure>,
    /// Generations in a row that were refused before anybody took them.
    fruitless: u32,
    ended: bool,
}

struct Failure {
    error: Error,
    times: u32,
    until: Timestamp,
}

/// What to do for a caller that found no fresh token.
pub(crate) enum Next<T> {
    /// Use this one.
    Use(Arc<Kept<T>>),
    /// There is none, and it is too early to try again.
    Fail(Error),
    /// Wait for the flight, and use this one if it brings nothing and this one is still good.
    Wait { flight: Watch<Outcome<T>>, instead: Option<Arc<Kept<T>>> },
    /// Begin a flight, and wait for it likewise; or use what there is `meanwhile`.
    Renew { why: Renewal<T>, meanwhile: Meanwhile<T> },
}

pub(crate) enum Meanwhile<T> {
    /// Everybody uses this one; nobody waits.
    Use(Arc<Kept<T>>),
    /// Everybody waits.
    Wait { instead: Option<Arc<Kept<T>>> },
}

impl<T> Meanwhile<T> {
    /// What is used if the flight brings nothing.
    pub(crate) fn token(self) -> Option<Arc<Kept<T>>> {
        match self {
            Self::Use(kept) => Some(kept),
            Self::Wait { instead } => instead,
        }
    }
}

/// After failures we wait 1, 2, 4 and at most this many seconds before the next attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A peer that asks for more patience than this is asked again all the same.
const LONGEST_PATIENCE: Duration = Duration::from_secs(3600);

impl<T> Default for State<T> {
    fn default() -> Self {
        Self {
            generation: 0,
            flight: None,
            condemned: None,
            failure: None,
            fruitless: 0,
            ended: false,
        }
    }
}

impl<T: Token> State<T> {
    /// What to do for a caller who needs a token now, perhaps one that lasts until some moment.
    pub(crate) fn next(
        &self,
        current: Option<&Arc<Kept<T>>>,
        now: Timestamp,
        needed: Option<Timestamp>,
    ) -> Next<T> {
        if self.ended {
            return Next::Fail(ended());
        }
        let stage = current.map_or(Stage::Dead, |kept| kept.stage(now, needed));
        let usable = current.filter(|_| stage != Stage::Dead).cloned();
        let pause = self.failure.as_ref().filter(|failure| now < failure.until);
        match (usable, pause, &self.flight) {
            (Some(kept), _, _) if stage == Stage::Fresh => Next::Use(kept),
            (Some(kept), Some(_), _) => Next::Use(kept),
            (Some(kept), None, Some(_)) if stage == Stage::Early => Next::Use(kept),
            (instead, _, Some(flight)) => Next::Wait { flight: flight.watch(), instead },
            (None, Some(failure), None) => Next::Fail(failure.error.clone()),
            (Some(kept), None, None) if stage == Stage::Early => {
                Next::Renew { why: self.why(current), meanwhile: Meanwhile::Use(kept) }
            }
            (instead, None, None) => {
                Next::Renew { why: self.why(current), meanwhile: Meanwhile::Wait { instead } }
            }
        }
    }

    fn why(&self, current: Option<&Arc<Kept<T>>>) -> Renewal<T> {
        match (current, &self.condemned) {
            (Some(kept), _) => Renewal::Due(kept.token.clone()),
            (None, Some((token, refusal))) => Renewal::Refused(token.clone(), refusal.clone()),
            (None, None) => Renewal::First,
        }
    }

    /// A flight brought a token.
    pub(crate) fn landed(&mut self) -> u64 {
        self.generation = self.generation.saturating_add(1);
        (self.flight, self.condemned, self.failure) = (None, None, None);
        self.generation
    }

    /// A flight brought an error. However permanent it looks, the next attempt is only a matter of time.
    pub(crate) fn failed(&mut self, error: &Error, now: Timestamp, jitter: f64) {
        self.flight = None;
        let times = self.failure.as_ref().map_or(0, |failure| failure.times.saturating_add(1));
        self.pause(error.clone(), times, now, jitter);
    }

    /// A server refused the generation that is current. True when it did so before any server took it, twice in a row:
    /// then another token is not what is missing.
    pub(crate) fn condemned(
        &mut self,
        kept: &Kept<T>,
        refusal: Refusal,
        now: Timestamp,
        jitter: f64,
    ) {
        self.fruitless = if kept.is_proven() { 0 } else { self.fruitless.saturating_add(1) };
        if let Some(times) = self.fruitless.checked_sub(2) {
            let error = Error::refused("session_refused", refused(&refusal));
            self.pause(error, times, now, jitter);
        }
        self.condemned = Some((kept.token.clone(), refusal));
    }

    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    pub(crate) const fn is_ended(&self) -> bool {
        self.ended
    }

    /// Between half and all of the time, so that those who failed together do not come back together.
    fn pause(&mut self, error: Error, times: u32, now: Timestamp, jitter: f64) {
        let longest = Duration::from_secs(1).saturating_mul(2_u32.saturating_pow(times));
        let pause = match &error {
            Error::Unavailable { retry_after: Some(said), .. } => {
                said.min(&LONGEST_PATIENCE).mul_f64(1.0 + 0.1 * jitter)
            }
            _ => longest.min(LONGEST_PAUSE).mul_f64(0.5 + 0.5 * jitter),
        };
        self.failure = Some(Failure { error, times, until: now.after(pause) });
    }
}

fn refused(refusal: &Refusal) -> String {
    let Refusal { status, code, .. } = refusal;
    let code = code.as_deref().unwrap_or("no code");
    format!("a new token was refused with {status} ({code}), expected it to be taken")
}

pub(crate) fn ended() -> Error {
    Error::config("session_ended", "session was ended, expected no use after that")
}
