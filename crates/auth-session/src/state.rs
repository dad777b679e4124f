//! What a session decides under its lock: renew or not, wait or not. No I/O and no clock, so that a test is a table.

use crate::{
    SessionHeldElsewhere,
    flight::{Flight, FlightWatch},
    kept_token::KeptToken,
    schedule::{Stage, Time},
    uses::Uses,
};
use auth_core::{Error, Refusal, Renewal, Succession, Timestamp, Token};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// What all who watch a flight get; no token if another one was put into the session meanwhile, which they then find
/// there.
pub(crate) type Outcome<T> = Result<Option<Arc<KeptToken<T>>>, Error>;

pub(crate) struct State<T> {
    pub(crate) generation: u64,
    pub(crate) flight: Option<Flight<Outcome<T>>>,
    /// The last token when it is handed out no more, kept for its renewal.
    last: Option<Last<T>>,
    failure: Option<Failure>,
    /// Generations in a row that were of no use to anybody.
    fruitless: u32,
    ended: bool,
}

struct Last<T> {
    token: T,
    generation: u64,
    /// None if it was not refused: a renewal that ends it has begun, or no field can hold it.
    refusal: Option<Refusal>,
}

impl<T: Clone> Last<T> {
    fn of(kept: &KeptToken<T>, refusal: Option<Refusal>) -> Self {
        Self { token: kept.token.clone(), generation: kept.generation, refusal }
    }
}

struct Failure {
    error: Error,
    times: u32,
    /// A span has to pass, not a moment to come: a clock that is set back makes no pause longer.
    until: Instant,
}

impl Failure {
    /// The error, with what is left of the time for which its peer asked for patience.
    fn error_at(&self, time: Time) -> Error {
        let mut error = self.error.clone();
        if let Error::Unavailable { retry_after: Some(left), .. } = &mut error {
            *left = self.until.saturating_duration_since(time.steady);
        }
        error
    }
}

/// The requests that a renewal waits for, since it ends their token, and for how long at most.
pub(crate) struct Settling {
    pub(crate) uses: Arc<Uses>,
    pub(crate) most: Duration,
}

/// What to do for a caller that found no fresh token.
pub(crate) enum Next<T> {
    /// Use this one.
    Use(Arc<KeptToken<T>>),
    /// There is none, and it is too early to try again.
    Fail(Error),
    /// Wait for the flight, and use this one if it brings nothing and this one is still good.
    Wait { watch: FlightWatch<Outcome<T>>, instead: Option<Arc<KeptToken<T>>> },
    /// Begin a flight, and wait for it likewise; or use what there is `meanwhile`.
    Renew { why: Renewal<T>, meanwhile: Meanwhile<T> },
}

pub(crate) enum Meanwhile<T> {
    /// Everybody uses this one; nobody waits.
    Use(Arc<KeptToken<T>>),
    /// Everybody waits.
    Wait { instead: Option<Arc<KeptToken<T>>> },
}

impl<T> Meanwhile<T> {
    /// What is used if the flight brings nothing.
    pub(crate) fn token(self) -> Option<Arc<KeptToken<T>>> {
        match self {
            Self::Use(kept) => Some(kept),
            Self::Wait { instead } => instead,
        }
    }
}

/// After failures we wait 1, 2, 4 and at most this many seconds before the next attempt.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A peer that asks for more patience than this is asked again all the same.
const LONGEST_PATIENCE: Duration = Duration::from_secs(3600);

/// One that asks for less, for none at all for example, is not asked in a tight loop.
const LEAST_PATIENCE: Duration = Duration::from_secs(1);

impl<T> Default for State<T> {
    fn default() -> Self {
        Self { generation: 0, flight: None, last: None, failure: None, fruitless: 0, ended: false }
    }
}

impl<T: Token> State<T> {
    /// What to do for a caller who needs a token now, perhaps one that lasts until some moment.
    pub(crate) fn next(
        &self,
        current: Option<&Arc<KeptToken<T>>>,
        time: Time,
        needed: Option<Timestamp>,
    ) -> Next<T> {
        if self.ended {
            return Next::Fail(ended());
        }
        let stage = current.map_or(Stage::Dead, |kept| kept.stage(time, needed));
        let usable = current.filter(|_| stage != Stage::Dead).cloned();
        let pause = self.failure.as_ref().filter(|failure| time.steady < failure.until);
        match (usable, pause, &self.flight) {
            (Some(kept), _, _) if stage == Stage::Fresh => Next::Use(kept),
            (Some(kept), Some(_), _) => Next::Use(kept),
            // One that nobody carries any more is carried on by this caller.
            (Some(kept), None, Some(flight)) if stage == Stage::Early && flight.is_watched() => {
                Next::Use(kept)
            }
            (instead, _, Some(flight)) => Next::Wait { watch: flight.watch(), instead },
            (None, Some(failure), None) => Next::Fail(failure.error_at(time)),
            (Some(kept), None, None) if stage == Stage::Early => {
                Next::Renew { why: self.why(current), meanwhile: Meanwhile::Use(kept) }
            }
            (instead, None, None) => {
                Next::Renew { why: self.why(current), meanwhile: Meanwhile::Wait { instead } }
            }
        }
    }

    fn why(&self, current: Option<&Arc<KeptToken<T>>>) -> Renewal<T> {
        match (current, &self.last) {
            (Some(kept), _) => match &kept.refusal {
                Some(refusal) => Renewal::Refused(kept.token.clone(), refusal.clone()),
                None => Renewal::Due(kept.token.clone()),
            },
            (None, Some(Last { token, refusal: Some(refusal), .. })) => {
                Renewal::Refused(token.clone(), refusal.clone())
            }
            (None, Some(Last { token, refusal: None, .. })) => Renewal::Due(token.clone()),
            (None, None) => Renewal::First,
        }
    }

    /// A renewal takes off. If it ends the token that there is, that one is closed: it is not handed out from here on,
    /// not even if the renewal fails, and the renewal waits for its uses.
    pub(crate) fn take_off(&mut self, current: Option<&Arc<KeptToken<T>>>) -> Option<Settling> {
        let kept = current?;
        let Succession::Exclusive { settle: most } = kept.token.succession() else { return None };
        let uses = Arc::clone(kept.uses()?);
        uses.close();
        self.last = Some(Last::of(kept, None));
        Some(Settling { uses, most })
    }

    /// There is a new token, which a flight brought or somebody put here: it is the next generation.
    pub(crate) fn renewed(&mut self, mut kept: KeptToken<T>) -> Arc<KeptToken<T>> {
        self.generation = self.generation.saturating_add(1);
        (self.last, self.failure) = (None, None);
        kept.generation = self.generation;
        Arc::new(kept)
    }

    /// A flight brought an error. However permanent it looks, the next attempt is only a matter of time.
    pub(crate) fn failed(&mut self, error: &Error, time: Time, jitter: f64) {
        let times = self.failure.as_ref().map_or(0, |failure| failure.times.saturating_add(1));
        self.pause(error.clone(), times, time, jitter);
    }

    /// Did the attempt before end for the same reason? Somebody has to do something about it, or knows when it is over, and
    /// has been told.
    pub(crate) fn is_known(&self, error: &Error) -> bool {
        let is_final =
            matches!(error, Error::Refused(_) | Error::Config(_)) || is_held_elsewhere(error);
        let before = self.failure.as_ref().map(|failure| failure.error.code());
        is_final && before == Some(error.code())
    }

    /// A server refused the generation that is current. When it did so before any server took it, and twice in a row,
    /// another token is not what is missing: then there is a pause.
    pub(crate) fn condemned(
        &mut self,
        kept: &KeptToken<T>,
        refusal: Refusal,
        time: Time,
        jitter: f64,
    ) {
        self.fruitless = if kept.was_fruitful(time) { 0 } else { self.fruitless.saturating_add(1) };
        if let Some(times) = self.fruitless.checked_sub(2) {
            let error = Error::refused("session_refused", refused(&refusal));
            self.pause(error, times, time, jitter);
        }
        self.refused(kept, refusal);
    }

    /// Is it too early to try again after an attempt that failed?
    pub(crate) fn is_paused(&self, time: Time) -> bool {
        self.failure.as_ref().is_some_and(|failure| time.steady < failure.until)
    }

    /// A receiver refused the generation that is current. It backs off by itself when it refuses one after another.
    pub(crate) fn refused(&mut self, kept: &KeptToken<T>, refusal: Refusal) {
        self.last = Some(Last::of(kept, Some(refusal)));
    }

    /// A server refused a generation that is handed out no more, since its renewal has begun: the next attempt at that
    /// takes it for dead.
    pub(crate) fn condemned_late(&mut self, generation: u64, refusal: Refusal) -> bool {
        let late = |last: &&mut Last<T>| last.generation == generation && last.refusal.is_none();
        let last = self.last.as_mut().filter(late);
        last.map(|last| last.refusal = Some(refusal)).is_some()
    }

    /// No field can hold the token that is current: it is of no use, and neither is it to ask for the next one at once.
    pub(crate) fn broken(&mut self, kept: &KeptToken<T>, error: &Error, time: Time, jitter: f64) {
        let times = self.fruitless;
        self.fruitless = times.saturating_add(1);
        self.pause(error.clone(), times, time, jitter);
        self.last = Some(Last::of(kept, None));
    }

    /// Ends the session; the last token if it may still be alive though it was not handed out any more.
    pub(crate) fn end(&mut self) -> Option<T> {
        self.ended = true;
        self.last.take().filter(|last| last.refusal.is_none()).map(|last| last.token)
    }

    pub(crate) const fn is_ended(&self) -> bool {
        self.ended
    }

    /// Between half and all of the time, so that those who failed together do not come back together.
    fn pause(&mut self, error: Error, times: u32, time: Time, jitter: f64) {
        let pause = match &error {
            // Another process may save a token before that time is over, and the issuer is not asked.
            error if is_held_elsewhere(error) => back_off(times, jitter),
            Error::Unavailable { retry_after: Some(said), .. } => {
                (*said).clamp(LEAST_PATIENCE, LONGEST_PATIENCE).mul_f64(1.0 + 0.1 * jitter)
            }
            _ => back_off(times, jitter),
        };
        let until = time.steady.checked_add(pause).unwrap_or(time.steady);
        self.failure = Some(Failure { error, times, until });
    }
}

/// A step of the back-off: between half and all of 1, 2, 4 and so on seconds.
pub(crate) fn back_off(times: u32, jitter: f64) -> Duration {
    let longest = Duration::from_secs(1).saturating_mul(2_u32.saturating_pow(times));
    longest.min(LONGEST_PAUSE).mul_f64(0.5 + 0.5 * jitter)
}

/// Does it say that a lost token keeps everybody from asking?
fn is_held_elsewhere(error: &Error) -> bool {
    error.cause().error().is::<SessionHeldElsewhere>()
}

fn refused(refusal: &Refusal) -> String {
    let Refusal { status, code, .. } = refusal;
    let code = code.as_deref().unwrap_or("no code");
    format!("a new token was refused with {status} ({code}), expected it to be taken")
}

pub(crate) fn ended() -> Error {
    Error::config("session_ended", "session was ended, expected no use after that")
}
