//! The session itself: the hot path, and the flights.

use crate::{
    flight::Flight,
    kept::Kept,
    schedule::{Schedule, Stage, fraction},
    state::{Meanwhile, Next, Outcome, State, ended},
    sync::{ArcSwapOption, Mutex, MutexGuard},
};
use auth_core::{
    Answer, Authenticator, Context, Credentials, Flow, Need, Present, Refusal, Renewal,
    RequestView, Result, Stamp, Stamper, Timestamp, Token, TokenSource, Verdict,
};
use http::{HeaderMap, StatusCode};
use std::{
    fmt,
    sync::{Arc, PoisonError},
};

/// Keeps the token of a [`TokenSource`], for everybody who shares it.
///
/// - **One log-in for all.** However many callers find no token, one exchange is made, and its outcome, good or bad, goes
///   to all of them. It belongs to the session: a caller that gives up takes nothing with it.
/// - **Ahead of time.** Between 60 and 80 percent of a token's life it is renewed in the background while all keep using
///   it; only in the last tenth, or half minute, do they wait. Where the transport has no background, one caller carries
///   the renewal and the others do not notice.
/// - **Through outages.** A renewal that fails costs nothing while the old token is good. The next attempt comes after
///   a pause that doubles from one second to a minute, or when the peer said; and it always comes.
/// - **Compare and condemn.** A refused request condemns the token that it was sent with, and no newer one. Ten thousand
///   requests that are refused together cause one renewal.
///
/// A clone is the same session.
pub struct Session<S: TokenSource>(Arc<Inner<S>>);

struct Inner<S: TokenSource> {
    current: ArcSwapOption<Kept<S::Token>>,
    context: Context,
    stamper: Stamper,
    source: Arc<S>,
    state: Mutex<State<S::Token>>,
}

/// A token that somebody keeps using, with the generation that it may be [condemned](Session::condemn) by.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Held<T> {
    /// The token.
    pub token: T,
    /// Which of the session's tokens it is: they are numbered from 1.
    pub generation: u64,
}

impl<S> Session<S>
where
    S: TokenSource + 'static,
{
    /// A session over this source. Nothing is fetched before the first request.
    pub fn new(source: S, context: Context) -> Self {
        Self(Arc::new(Inner {
            current: ArcSwapOption::new(None),
            context,
            stamper: Stamper::new(),
            source: Arc::new(source),
            state: Mutex::new(State::default()),
        }))
    }

    /// The token, for schemes that compute with it: temporary signing keys, a token inside a body.
    pub fn token(&self) -> Flow<'_, Held<S::Token>> {
        let held =
            |kept: &Kept<S::Token>| Held { token: kept.token.clone(), generation: kept.generation };
        let now = self.0.context.clock.now();
        match &*self.0.current.load() {
            Some(kept) if kept.schedule.hand_out(now) => Flow::ready(held(kept)),
            _ => self.renewed(now).map(move |kept| held(&kept)),
        }
    }

    /// A token that lasts until `needed`, for what must not outlive it: a presigned URL, a long upload.
    ///
    /// One that ends earlier is renewed first. The new one may be as short: then that is what there is, and its
    /// [`lifespan`](Token::lifespan) says so.
    pub fn token_until(&self, needed: Timestamp) -> Flow<'_, Held<S::Token>> {
        let now = self.0.context.clock.now();
        self.obtained(now, Some(needed))
            .map(|kept| Held { token: kept.token.clone(), generation: kept.generation })
    }

    /// The mark for credentials that were computed with a token of this generation.
    #[must_use]
    pub fn stamp(&self, generation: u64) -> Stamp {
        self.0.stamper.stamp(generation)
    }

    /// The generation that made these credentials, if they are this session's.
    #[must_use]
    pub fn generation(&self, sent: &Credentials) -> Option<u64> {
        self.0.stamper.find(sent)
    }

    /// A server refused a token of this generation: if it is the current one, the next caller has another one made.
    pub fn condemn(&self, generation: u64, refusal: Refusal) {
        let (inner, now) = (&self.0, self.0.context.clock.now());
        let jitter = fraction(&*inner.context.random);
        let mut state = inner.state();
        let current = inner.current.load();
        if let Some(kept) = current.as_ref().filter(|kept| kept.generation == generation) {
            state.condemned(kept, refusal, now, jitter);
            inner.current.store(None);
        }
    }

    /// A server took a token of this generation.
    pub fn prove(&self, generation: u64) {
        if let Some(kept) = self.0.current.load().as_ref() {
            if kept.generation == generation {
                kept.prove();
            }
        }
    }

    /// Ends the session: no token is handed out or obtained any more. The last one is given back, for who can destroy it
    /// where it came from.
    pub fn end(&self) -> Flow<'_, Option<S::Token>> {
        let mut state = self.0.state();
        state.end();
        let (last, under_way) =
            (self.0.current.swap(None), state.flight.as_ref().map(Flight::watch));
        drop(state);
        let token = |kept: Arc<Kept<S::Token>>| kept.token.clone();
        match under_way {
            None => Flow::ready(last.map(token)),
            // What is being obtained is seen through, or it would be left behind.
            Some(watch) => Flow::new(async move { Ok(watch.await.ok().or(last).map(token)) }),
        }
    }

    /// The way of those who found no fresh token.
    #[cold]
    fn renewed(&self, now: Timestamp) -> Flow<'_, Arc<Kept<S::Token>>> {
        self.obtained(now, None)
    }

    fn obtained(&self, now: Timestamp, needed: Option<Timestamp>) -> Flow<'_, Arc<Kept<S::Token>>> {
        let inner = &self.0;
        let mut state = inner.state();
        let (watch, meanwhile) = match state.next(inner.current.load().as_ref(), now, needed) {
            Next::Use(kept) => return Flow::ready(kept),
            Next::Fail(error) => return Flow::failed(error),
            Next::Wait { flight, instead } => (flight, Meanwhile::Wait { instead }),
            Next::Renew { why, meanwhile } => {
                let flight = state.flight.insert(inner.begin(why));
                let (watch, carried) = (flight.watch(), flight.watch());
                drop(state);
                let seen_through = Flow::new(async move {
                    // Good or bad, it has landed.
                    let _ = carried.await;
                    Ok(())
                });
                match (inner.context.transport.detach(seen_through), meanwhile) {
                    (None, Meanwhile::Use(kept)) => return Flow::ready(kept),
                    // There is no background: this caller carries it.
                    (Some(_), Meanwhile::Use(kept)) => {
                        (watch, Meanwhile::Wait { instead: Some(kept) })
                    }
                    (_, wait) => (watch, wait),
                }
            }
        };
        Flow::new(async move {
            match (watch.await, meanwhile.token()) {
                (Err(_), Some(kept)) if inner.is_good(&kept) => Ok(kept),
                (outcome, _) => outcome,
            }
        })
    }
}

impl<S> Inner<S>
where
    S: TokenSource + 'static,
{
    fn begin(self: &Arc<Self>, why: Renewal<S::Token>) -> Flight<Outcome<S::Token>> {
        // The flight is kept in here: owning what keeps it would be a circle.
        let (source, owner) = (Arc::clone(&self.source), Arc::downgrade(self));
        Flight::new(async move {
            let obtained = source.token(why).await;
            owner.upgrade().map_or_else(|| Err(ended()), |owner| owner.land(obtained))
        })
    }

    fn land(&self, obtained: Result<S::Token>) -> Outcome<S::Token> {
        let (now, random) = (self.context.clock.now(), &*self.context.random);
        match obtained {
            Ok(token) => {
                let schedule = Schedule::new(token.lifespan(), now, random);
                let mut state = self.state();
                let kept = Arc::new(Kept::new(token, state.landed(), schedule, now));
                if !state.is_ended() {
                    self.current.store(Some(Arc::clone(&kept)));
                }
                Ok(kept)
            }
            Err(error) => {
                let jitter = fraction(random);
                self.state().failed(&error, now, jitter);
                Err(error)
            }
        }
    }

    /// Neither dead nor condemned by now.
    fn is_good(&self, kept: &Kept<S::Token>) -> bool {
        let current = self.current.load();
        let same = current.as_ref().is_some_and(|current| current.generation == kept.generation);
        same && kept.schedule.stage(self.context.clock.now()) != Stage::Dead
    }

    fn state(&self) -> MutexGuard<'_, State<S::Token>> {
        // What is behind the lock is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The token is presented on every request; what an answer means for it is for its scheme to say.
impl<S> Authenticator for Session<S>
where
    S: TokenSource + 'static,
    S::Token: Present,
{
    #[inline]
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        let now = self.0.context.clock.now();
        let present = |kept: &Kept<S::Token>| kept.credentials(|| self.stamp(kept.generation));
        match &*self.0.current.load() {
            Some(kept) if kept.schedule.hand_out(now) => present(kept),
            _ => self.renewed(now).and_then(move |kept| present(&kept)),
        }
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        let Some(generation) = self.generation(sent) else { return Verdict::Accept };
        match S::Token::refusal(answer) {
            Some(refusal) => {
                self.condemn(generation, refusal);
                Verdict::Retry { after: None }
            }
            None => {
                if answer.status.is_success() {
                    self.prove(generation);
                }
                Verdict::Accept
            }
        }
    }

    fn reads(&self, status: StatusCode, headers: &HeaderMap) -> Need {
        S::Token::reads(status, headers)
    }
}

impl<S: TokenSource> Clone for Session<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: TokenSource> fmt::Debug for Session<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let generation = self.0.current.load().as_ref().map(|kept| kept.generation);
        write!(f, "Session(generation {generation:?})")
    }
}
