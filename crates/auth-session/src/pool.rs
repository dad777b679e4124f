//! Many sessions in bounded memory.

mod places;
mod queue;

use crate::{Session, remaining::Remaining};
use auth_core::{Error, Flow, Result, TenantId, TokenSource};
use places::{Found, Next, Places};
use std::{
    fmt,
    future::poll_fn,
    hash::Hash,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
};

/// One session for each key, made when it is first wanted: for a process that serves many tenants.
///
/// A key says which tenant it belongs to: a [`ConnectionId`](crate::ConnectionId) does, a [`TenantId`] does where each
/// tenant has one session, and any other type that implements `AsRef<TenantId>`.
///
/// # Limits
///
/// There are at most as many sessions as [`new`](Self::new) was told, and each tenant has at most a quarter of them,
/// rounded up: a tenant with many keys evicts no session of the others. When one more is needed, the session that was
/// wanted longest ago makes room: one of the same tenant if that tenant has its quarter, else one of any tenant. To find
/// it takes the same time however many there are.
///
/// The session that made room is handed to the retirement ([`with_retirement`](Self::with_retirement)), which can end
/// it. It goes on for those who still hold it, and what it obtains from then on is theirs alone to keep.
///
/// # What only memory has
///
/// A session makes no room while a renewal of it is under way, or while it has a token that its store could not take
/// ([`TokenSource::has_unsaved`]): a rotated refresh token would be lost with it, and the grant with that. The pool has
/// the token saved, and the next session in the order makes room meanwhile. A session that is held like this is wanted
/// under its key as before, and makes room once it has nothing to lose.
///
/// It counts among the sessions that there may be. So memory stays bounded when a store fails for long: once every
/// session that could make room is held, a caller with a new key waits until one of them (of eight at most) is saved. If
/// all of their stores fail again, the caller gets an `Error::Unavailable` with the code `session_pool_unsaved`, and
/// nothing is evicted. Callers whose keys have a session notice nothing of that.
///
/// ```
/// # use auth_session::{Context, Flow, Renewal, Result, TokenSource};
/// # #[derive(Clone)] struct Ticket;
/// # impl auth_session::Token for Ticket { fn lifespan(&self) -> auth_session::Lifespan { auth_session::Lifespan::Unknown } }
/// # struct Office;
/// # impl TokenSource for Office {
/// #     type Token = Ticket;
/// #     fn token<'a>(&'a self, _: &'a Context, _: Renewal<Ticket>) -> Flow<'a, Ticket> { Flow::ready(Ticket) }
/// # }
/// # fn office_of(_: &ConnectionId) -> Result<Office> { Ok(Office) }
/// use auth_session::{ConnectionId, Session, SessionPool, TenantId};
/// # fn with(context: Context) -> Result<()> {
/// let pool = SessionPool::new(10_000, move |connection: &ConnectionId| {
///     Ok(Session::new(office_of(connection)?, context.clone()))
/// });
/// let connection = ConnectionId::new(TenantId::new("acme"), "ticket office");
/// let session = pool.get(&connection).wait()?;
/// # Ok(())
/// # }
/// ```
pub struct SessionPool<K, S: TokenSource> {
    make: Box<Make<K, S>>,
    retire: Box<Retire<S>>,
    places: Mutex<Places<K, S>>,
}

type Make<K, S> = dyn Fn(&K) -> Result<Session<S>> + Send + Sync;
type Retire<S> = dyn Fn(Session<S>) -> Flow<'static, ()> + Send + Sync;

/// What a caller gets that wanted a place for its session.
enum Placed<S: TokenSource> {
    Given { session: Session<S>, left: Option<Session<S>> },
    Full(Vec<Session<S>>),
}

impl<K, S> SessionPool<K, S>
where
    K: Clone + Eq + Hash + AsRef<TenantId> + Send + Sync,
    S: TokenSource + 'static,
{
    /// A pool of at most so many sessions (at least one), which `make` makes. A tenant that is alone has a quarter of them
    /// too, since sessions that are held could not be taken from it when a second tenant comes: a program for one tenant
    /// gives four times what it needs.
    pub fn new(
        most: usize,
        make: impl Fn(&K) -> Result<Session<S>> + Send + Sync + 'static,
    ) -> Self {
        let retire = |_| Flow::ready(());
        let places = Mutex::new(Places::new(most));
        Self { make: Box::new(make), retire: Box::new(retire), places }
    }

    /// What becomes of a session that made room for another: ending it, for example. The flow is run by the session's own
    /// transport; where that has no background, the caller that needed the room carries it. What it ends with is not
    /// looked at.
    #[must_use]
    pub fn with_retirement(
        self,
        retire: impl Fn(Session<S>) -> Flow<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        Self { retire: Box::new(retire), ..self }
    }

    /// The session of this key. It is there at once unless every session that could make room for it is held.
    ///
    /// While one is made others are not waited for; if several callers make the session of one key at once, all get the
    /// same one.
    ///
    /// # Errors
    ///
    /// Whatever `make` says, and `Error::Unavailable` (`session_pool_unsaved`) when no session could make room because
    /// their tokens could not be saved. Nothing is kept and nothing is evicted then.
    pub fn get<'a>(&'a self, key: &K) -> Flow<'a, Session<S>>
    where
        K: 'a,
    {
        let known = self.places().find(key);
        if let Some(session) = known {
            return Flow::ready(session);
        }
        // Never under the lock: `make` is foreign code, and one key's must not hold up the others.
        let made = match (self.make)(key) {
            Ok(made) => made,
            Err(error) => return Flow::failed(error),
        };
        match self.place(key, &made) {
            Placed::Given { session, left } => self.given(session, left),
            Placed::Full(held) => Flow::new(self.placed_later(key.clone(), made, held)),
        }
    }

    /// Takes all sessions out, for an orderly shutdown: what only their memory has is saved by
    /// [`Session::save_unsaved`].
    pub fn drain(&self) -> Vec<Session<S>> {
        self.places().drain()
    }

    /// Puts a session in its place.
    fn place(&self, key: &K, made: &Session<S>) -> Placed<S> {
        let (mut found, mut looks) = (None, 0_usize);
        loop {
            let next = self.places().next(key, made, found.as_ref(), looks);
            let candidate = match next {
                Next::Given { session, left } => return Placed::Given { session, left },
                Next::Full(held) => return Placed::Full(held),
                Next::Ask(candidate) => candidate,
            };
            // Never under the lock: a source is foreign code.
            let remaining = candidate.session.remaining();
            if remaining == Remaining::Saving {
                candidate.session.begin_saving();
            }
            let answer = match remaining {
                Remaining::Nothing => Found::NothingToLose,
                Remaining::Renewal | Remaining::Saving => Found::SomethingToLose,
            };
            found = Some((candidate, answer));
            looks = looks.saturating_add(1);
        }
    }

    /// The way of a caller that found no room.
    async fn placed_later(
        &self,
        key: K,
        made: Session<S>,
        mut held: Vec<Session<S>>,
    ) -> Result<Session<S>> {
        loop {
            one_is_saved(&held).await?;
            match self.place(&key, &made) {
                Placed::Given { session, left } => return self.given(session, left).await,
                Placed::Full(others) => held = others,
            }
        }
    }

    /// Sees to the retirement of the session that left, and gives the one that there is.
    fn given(&self, session: Session<S>, left: Option<Session<S>>) -> Flow<'_, Session<S>> {
        let carried = left.and_then(|left| {
            let transport = left.context().transport.clone();
            let retirement = (self.retire)(left);
            if retirement.is_ready() { None } else { transport.detach(retirement) }
        });
        match carried {
            None => Flow::ready(session),
            Some(retirement) => Flow::new(async move {
                // What it ends with is for the retirement itself to tell.
                let _ = retirement.await;
                Ok(session)
            }),
        }
    }
}

/// Waits until one of these has nothing to lose; the first error if none of them can be saved.
async fn one_is_saved<S: TokenSource + 'static>(held: &[Session<S>]) -> Result<()> {
    let mut flows: Vec<_> = held.iter().map(Session::save_unsaved).collect();
    let mut failed = None;
    poll_fn(|task| {
        let mut saved = false;
        flows.retain_mut(|flow| match Pin::new(flow).poll(task) {
            Poll::Pending => true,
            Poll::Ready(Ok(())) => {
                saved = true;
                false
            }
            Poll::Ready(Err(error)) => {
                failed.get_or_insert(error);
                false
            }
        });
        if saved || flows.is_empty() { Poll::Ready(saved) } else { Poll::Pending }
    })
    .await
    .then_some(())
    .ok_or_else(|| full(failed))
}

fn full(error: Option<Error>) -> Error {
    let why = error.map_or_else(String::new, |error| format!(": {error}"));
    let text = format!("no session can make room, expected a store that takes their tokens{why}");
    Error::unavailable("session_pool_unsaved", None, text)
}

impl<K, S: TokenSource> SessionPool<K, S> {
    /// How many sessions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places().sessions.len()
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn places(&self) -> MutexGuard<'_, Places<K, S>> {
        // What is behind the lock is whole between any two statements.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, S: TokenSource> fmt::Debug for SessionPool<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.places();
        write!(f, "SessionPool({} of {} sessions)", places.sessions.len(), places.most)
    }
}
