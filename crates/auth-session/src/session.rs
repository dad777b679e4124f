//! The session itself: what callers ask, and the hot path.

use crate::{
    kept_token::{KeptToken, Unusable},
    refusers::Refusers,
    schedule::{Schedule, Time, fraction},
    state::{State, ended},
    sync::{ArcSwapOption, Mutex, MutexGuard},
    uses::InUse,
};
use auth_core::{
    Context, Credentials, Event, Flow, Refusal, Result, Stamp, Stamper, Timestamp, TokenSource,
};
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock, PoisonError},
};

/// Keeps the token of a [`TokenSource`], for everybody who shares it.
///
/// - **One log-in for all.** However many callers find no token, one exchange is made, and its outcome, good or bad, goes
///   to all of them. It belongs to the session: a caller that gives up takes nothing with it.
/// - **Ahead of time.** Between 60 and 80 percent of a token's life it is renewed in the background while all keep using
///   it; only in the last tenth, or half minute, do they wait. Where the transport has no background, one caller carries
///   the renewal and the others do not notice.
/// - **Through outages.** A renewal that fails costs nothing while the old token is good. The next attempt comes after
///   a pause that doubles from one second to a minute, or when the peer said; and it always comes, also after a source
///   that panicked, and also when somebody sets the clock back.
/// - **Compare and condemn.** A refused request condemns the token that it was sent with, and no newer one. Ten thousand
///   requests that are refused together cause one renewal. Where that renewal fails, the token is used on while it lives:
///   one receiver has refused it, and others may take it.
/// - **One receiver does not rule.** A receiver that refuses one token after another causes one exchange in each step of a
///   back-off of its own (from one second, doubling to a minute), however many requests go to it, and though it takes
///   some of them. In between its answers are delivered as they are, and the token goes on serving the others. A minute
///   without a refusal ends the back-off.
/// - **One at a time.** A token that its successor ends ([`Succession`](auth_core::Succession)) is renewed when every
///   request that was made with it has its answer, and is not handed out from the moment at which the renewal begins.
///
/// The observer of the context is told when a token was obtained, could not be obtained, or was refused. Of an error that
/// somebody has to do something about (`Error::Refused`, `Error::Config`) it is told once, not again with each attempt; so
/// it is of a [`SessionHeldElsewhere`](crate::SessionHeldElsewhere), which says itself when it is over.
///
/// A clone is the same session.
pub struct Session<S: TokenSource>(pub(crate) Arc<Inner<S>>);

pub(crate) struct Inner<S: TokenSource> {
    pub(crate) current: ArcSwapOption<KeptToken<S::Token>>,
    pub(crate) context: Context,
    pub(crate) source: Arc<S>,
    pub(crate) refusers: Refusers,
    stamper: Stamper,
    name: OnceLock<Box<str>>,
    state: Mutex<State<S::Token>>,
}

/// A token that somebody keeps using, with the generation that it may be [condemned](Session::condemn) by.
///
/// If the next token ends this one, the renewal waits (for as long as the token's
/// [`Succession`](auth_core::Succession) says at most) until this value and its clones are dropped: keep it until the
/// answer to the request is here.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CurrentToken<T> {
    /// The token.
    pub token: T,
    /// Which of the session's tokens it is: they are numbered from 1.
    pub generation: u64,
    /// For its drop alone.
    _in_use: Option<Arc<InUse>>,
}

impl<S> Session<S>
where
    S: TokenSource + 'static,
{
    /// A session over this source, which is asked with this context. Nothing is fetched before the first request.
    pub fn new(source: S, context: Context) -> Self {
        Self(Arc::new(Inner {
            current: ArcSwapOption::new(None),
            context,
            source: Arc::new(source),
            refusers: Refusers::default(),
            stamper: Stamper::new(),
            name: OnceLock::new(),
            state: Mutex::new(State::default()),
        }))
    }

    /// Names it for the observer: the tenant and the platform, for example. The first name stays.
    #[must_use]
    pub fn with_name(self, name: impl Into<Box<str>>) -> Self {
        // The name that it has already stays.
        let _ = self.0.name.set(name.into());
        self
    }

    /// The token, for schemes that compute with it: temporary signing keys, a token inside a body.
    pub fn token(&self) -> Flow<'_, CurrentToken<S::Token>> {
        match &*self.0.current.load() {
            Some(kept) if kept.schedule.hand_out(&*self.0.context.clock) => {
                self.current(kept).map_or_else(|_| self.current_later(None), Flow::ready)
            }
            _ => self.current_later(None),
        }
    }

    /// A token that lasts until `needed`, for what must not outlive it: a presigned URL, a long upload.
    ///
    /// One that ends earlier is renewed first. The new one may be as short: then that is what there is, and its
    /// [`lifespan`](auth_core::Token::lifespan) says so.
    pub fn token_until(&self, needed: Timestamp) -> Flow<'_, CurrentToken<S::Token>> {
        self.current_later(Some(needed))
    }

    /// Adopts a token that was obtained elsewhere, such as one that an authorization code was redeemed for, and returns
    /// its generation.
    ///
    /// A renewal that began before is seen through, and its outcome is not taken: every caller that waits for it gets the
    /// token that was put here. A token of a [`Stored`](crate::Stored) source goes to its
    /// [`put`](crate::Stored::put) first.
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `session_ended` when the session was ended.
    pub fn put(&self, token: S::Token) -> Result<u64> {
        let kept = self.0.kept(token, Time::of(&*self.0.context.clock));
        let mut state = self.0.state();
        if state.is_ended() {
            return Err(ended());
        }
        // The flight that may be under way stays: it is seen through, and finds that its generation is over.
        let kept = state.renewed(kept);
        let generation = kept.generation;
        self.0.current.store(Some(kept));
        Ok(generation)
    }

    /// Where its tokens come from.
    #[must_use]
    pub fn source(&self) -> &S {
        &self.0.source
    }

    /// What the source is asked with.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.0.context
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
        let (inner, told, late) = (&self.0, refusal.clone(), refusal.clone());
        let condemned = inner.retire(generation, |state, kept, time, jitter| {
            state.condemned(kept, refusal, time, jitter);
        });
        if condemned || inner.state().condemned_late(generation, late) {
            inner.tell(Event::Condemned { session: inner.name(), refusal: &told });
        }
    }

    /// One of the receivers refused a token of this generation, which others may still take: another one is obtained, and
    /// this one is used where there is none. True when the request is worth another try.
    pub(crate) fn refused(&self, generation: u64, refusal: Refusal) -> bool {
        let (inner, told) = (&self.0, refusal.clone());
        let time = Time::of(&*inner.context.clock);
        let mut state = inner.state();
        let current = inner.current.load();
        let is_new = match current.as_ref().filter(|kept| kept.generation == generation) {
            // The renewal has been tried, and this is the token that there is.
            Some(kept) if kept.refusal.is_some() => return !state.is_paused(time),
            Some(kept) => {
                let refused = kept.refused(&refusal).map(Arc::new);
                if refused.is_none() {
                    state.refused(kept, refusal);
                }
                inner.current.store(refused);
                true
            }
            None => state.condemned_late(generation, refusal),
        };
        drop(state);
        if is_new {
            inner.tell(Event::Condemned { session: inner.name(), refusal: &told });
        }
        true
    }

    /// A server took a token of this generation.
    pub fn prove(&self, generation: u64) {
        if let Some(kept) = self.0.current.load().as_ref() {
            if kept.generation == generation {
                kept.prove();
            }
        }
    }

    /// Ends the session: no token is handed out or obtained any more. The last one is given back, so that the caller can
    /// destroy it at its issuer.
    pub fn end(&self) -> Flow<'_, Option<S::Token>> {
        let mut state = self.0.state();
        let retired = state.end();
        let current = self.0.current.swap(None).map(|kept| kept.token.clone());
        let under_way = state.flight.as_ref().map(crate::flight::Flight::watch);
        drop(state);
        let last = current.or(retired);
        match under_way {
            None => Flow::ready(last),
            // What is being obtained is seen through, or it would be left behind.
            Some(watch) => Flow::new(async move {
                let landed = watch.await.ok().flatten().map(|kept| kept.token.clone());
                Ok(landed.or(last))
            }),
        }
    }

    fn current(&self, kept: &KeptToken<S::Token>) -> Result<CurrentToken<S::Token>, Unusable> {
        let in_use = kept.begin_use()?;
        Ok(CurrentToken { token: kept.token.clone(), generation: kept.generation, _in_use: in_use })
    }

    /// The way of a caller that found no fresh token, or needs one that lasts.
    #[cold]
    fn current_later(&self, needed: Option<Timestamp>) -> Flow<'_, CurrentToken<S::Token>> {
        self.obtained(needed).and_then(move |kept| {
            // Its own renewal may have begun meanwhile.
            self.current(&kept).map_or_else(|_| self.current_later(needed), Flow::ready)
        })
    }
}

impl<S> Inner<S>
where
    S: TokenSource + 'static,
{
    /// A token as of this time, with all that can be known of it before it has its turn. Never under the lock: tokens, clocks
    /// and randomness are foreign code.
    pub(crate) fn kept(&self, token: S::Token, time: Time) -> KeptToken<S::Token> {
        let schedule = Schedule::of(&token, time, &*self.context.random);
        KeptToken::new(token, schedule, time.steady)
    }

    /// Hands a generation out no more, if it is the current one; `why` says what becomes of it. False if it is not.
    pub(crate) fn retire(
        &self,
        generation: u64,
        why: impl FnOnce(&mut State<S::Token>, &KeptToken<S::Token>, Time, f64),
    ) -> bool {
        let (time, jitter) = (Time::of(&*self.context.clock), fraction(&*self.context.random));
        let mut state = self.state();
        let current = self.current.load();
        let Some(kept) = current.as_ref().filter(|kept| kept.generation == generation) else {
            return false;
        };
        why(&mut state, kept, time, jitter);
        self.current.store(None);
        true
    }

    pub(crate) fn name(&self) -> &str {
        self.name.get().map_or("unnamed", |name| name)
    }

    /// Never under the lock: an observer is foreign code. If it panics, those who wait for a token are not left asleep.
    pub(crate) fn tell(&self, event: Event<'_>) {
        // The panic was reported where it began.
        let _ = catch_unwind(AssertUnwindSafe(|| self.context.observer.observe(event)));
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State<S::Token>> {
        // What is behind the lock is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
