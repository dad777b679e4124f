//! Work that is done once for all who wait for it.

use crate::sync::{Mutex, MutexGuard};
use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::{Arc, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Fallback<T> = Box<dyn FnOnce() -> T + Send>;

/// Work that is done once, and whose outcome goes to everybody who waits for it: a log-in, the fetch of a discovery
/// document or a key set, a question to an introspection endpoint, a probe.
///
/// The work belongs to the flight, not to a caller that waits. Each [`FlightWatch`] that is polled drives it, from whatever
/// thread or runtime, and a watch that is dropped takes nothing with it: as long as the flight itself is kept, the next
/// watch goes on where the last one stopped. Where a [`Transport`](auth_core::Transport) has a background, a watch can be
/// handed to it, and the work is seen through without a caller.
///
/// If the work panics, `fallback` is called in its stead: its outcome goes to every watch but the one that was driving the
/// work, which the panic reaches. If the fallback panics as well there is no outcome: every watch then ends with a panic,
/// those that come later too, and [`has_landed`](Flight::has_landed).
///
/// # Taking a flight down
///
/// The owner of shared work keeps the flight that is under way behind a lock, and takes it down when it has landed. The
/// work has to leave what it found **first** and take the flight down **second**: a caller that finds no flight must find
/// what it brought, or it begins another one for the same question. A probe, for example, condemns the token that
/// turned out dead, and then removes itself. The fallback does the same, or a flight whose work panicked is never taken
/// down.
///
/// ```
/// use auth_core::Flow;
/// use auth_session::Flight;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// static ASKED: AtomicU32 = AtomicU32::new(0);
///
/// let flight = Flight::new(async { ASKED.fetch_add(1, Ordering::Relaxed) + 41 }, || 0);
/// let (one, other) = (flight.watch(), flight.watch());
/// let both = Flow::new(async move { Ok((one.await, other.await)) });
/// assert_eq!(both.wait()?, (41, 41));
/// assert_eq!(ASKED.load(Ordering::Relaxed), 1);
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct Flight<T>(Arc<Shared<T>>);

/// A future of a flight's outcome: one for each caller that waits.
pub struct FlightWatch<T> {
    flight: Arc<Shared<T>>,
    /// The ticket under which this watch's waker is kept.
    ticket: Option<u64>,
}

struct Shared<T>(Mutex<State<T>>);

struct State<T> {
    /// Gone while somebody is polling it, and when it is done.
    work: Option<Work<T>>,
    /// What is called if the work panics.
    fallback: Option<Fallback<T>>,
    landed: Option<Landed<T>>,
    /// The work got on while somebody was polling it: a watch that looked meanwhile found nothing to drive.
    woken: bool,
    wakers: BTreeMap<u64, Waker>,
    tickets: u64,
    watches: usize,
}

/// What all who watch get.
enum Landed<T> {
    /// Shared, so that it is cloned outside the lock: what clones it is foreign code.
    Outcome(Arc<T>),
    /// The work and its fallback panicked: nobody waits for what does not come.
    Nothing,
}

impl<T: Clone + Send + Sync + 'static> Flight<T> {
    /// Work that is under way from now on, and what is called for its outcome if it panics. It does nothing before
    /// somebody polls a [`watch`](Self::watch).
    pub fn new(
        work: impl Future<Output = T> + Send + 'static,
        fallback: impl FnOnce() -> T + Send + 'static,
    ) -> Self {
        Self(Arc::new(Shared(Mutex::new(State {
            work: Some(Box::pin(work)),
            fallback: Some(Box::new(fallback)),
            landed: None,
            woken: false,
            wakers: BTreeMap::new(),
            tickets: 0,
            watches: 0,
        }))))
    }

    /// Waits for the outcome, and drives the work meanwhile.
    #[must_use]
    pub fn watch(&self) -> FlightWatch<T> {
        self.0.state().watches += 1;
        FlightWatch { flight: Arc::clone(&self.0), ticket: None }
    }

    /// Is there a watch? A flight that has neither landed nor a watch stands still, until the next watch drives it on.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.0.state().watches > 0
    }

    /// Is the outcome known, or is it known that there will be none?
    #[must_use]
    pub fn has_landed(&self) -> bool {
        self.0.state().landed.is_some()
    }
}

impl<T: Clone + Send + Sync + 'static> Future for FlightWatch<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Wakers are foreign code: cloned before the lock is taken, and dropped after it is given back.
        let waker = context.waker().clone();
        let flight = Arc::clone(&self.flight);
        let mut state = flight.state();
        if let Some(landed) = state.landed.as_ref().map(Landed::share) {
            drop(state);
            return Poll::Ready(landed.outcome());
        }
        let ticket = *self.ticket.get_or_insert_with(|| {
            state.tickets += 1;
            state.tickets
        });
        let replaced = state.wakers.insert(ticket, waker);
        drop(state);
        drop(replaced);
        // Taken last: a waker that panics when it is dropped takes no work along.
        let work = flight.state().work.take();
        work.map_or(Poll::Pending, |work| flight.drive(work))
    }
}

impl<T: Clone + Send + Sync + 'static> Shared<T> {
    /// One poll of the work, outside the lock.
    fn drive(self: &Arc<Self>, mut work: Work<T>) -> Poll<T> {
        let waker = Waker::from(Arc::clone(self));
        let mut context = Context::from_waker(&waker);
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut context))) {
            Ok(Poll::Ready(outcome)) => {
                let landed = Landed::Outcome(Arc::new(outcome));
                self.land(landed.share());
                Poll::Ready(landed.outcome())
            }
            Ok(Poll::Pending) => {
                let mut state = self.state();
                state.work = Some(work);
                let woken = std::mem::take(&mut state.woken);
                drop(state);
                if woken {
                    Arc::clone(self).wake();
                }
                Poll::Pending
            }
            Err(panic) => {
                let fallback = self.state().fallback.take();
                let outcome =
                    catch_unwind(AssertUnwindSafe(|| fallback.map(|fallback| fallback())));
                let outcome = outcome.ok().flatten().map(Arc::new);
                self.land(outcome.map_or(Landed::Nothing, Landed::Outcome));
                resume_unwind(panic)
            }
        }
    }

    fn land(&self, landed: Landed<T>) {
        let mut state = self.state();
        state.landed = Some(landed);
        let wakers = std::mem::take(&mut state.wakers);
        let fallback = state.fallback.take();
        drop(state);
        wake_all(wakers);
        // Last: what it owns is foreign code.
        drop(fallback);
    }
}

impl<T> Landed<T> {
    fn share(&self) -> Self {
        match self {
            Self::Outcome(outcome) => Self::Outcome(Arc::clone(outcome)),
            Self::Nothing => Self::Nothing,
        }
    }
}

impl<T: Clone> Landed<T> {
    /// The outcome; a panic, if there is none.
    fn outcome(&self) -> T {
        match self {
            Self::Outcome(outcome) => T::clone(outcome),
            // Both panics were reported where they began.
            Self::Nothing => {
                resume_unwind(Box::new("the work of a flight and its fallback panicked"))
            }
        }
    }
}

/// The work has got on: all are woken, since any of them may be the only one that is still polled. Each registers
/// again when it is polled.
impl<T: Send + Sync + 'static> Wake for Shared<T> {
    fn wake(self: Arc<Self>) {
        let mut state = self.state();
        state.woken = state.work.is_none();
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wake_all(wakers);
    }
}

/// A waker that panics leaves none of the others asleep, and does not reach the caller that happens to drive the work.
fn wake_all(wakers: BTreeMap<u64, Waker>) {
    for waker in wakers.into_values() {
        // The panic was reported where it began.
        let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
    }
}

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        // Nothing that can panic runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for FlightWatch<T> {
    fn drop(&mut self) {
        let mut state = self.flight.state();
        state.watches = state.watches.saturating_sub(1);
        let left = self.ticket.and_then(|ticket| state.wakers.remove(&ticket));
        drop(state);
        drop(left);
    }
}

impl<T> fmt::Debug for Flight<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state();
        let landed = if state.landed.is_some() { "landed" } else { "under way" };
        write!(f, "Flight({landed}, {} watches)", state.watches)
    }
}

impl<T> fmt::Debug for FlightWatch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let landed = self.flight.state().landed.is_some();
        write!(f, "FlightWatch({})", if landed { "landed" } else { "under way" })
    }
}
