//! Work that is done once for all who wait for it.

use crate::sync::{Mutex, MutexGuard};
use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A flight: work that belongs to nobody who watches it. Whoever polls drives it, dropping a watcher drops nothing, and
/// its outcome goes to all.
pub(crate) struct Flight<T>(Arc<Shared<T>>);

/// One who waits for the outcome.
pub(crate) struct Watch<T> {
    flight: Arc<Shared<T>>,
    /// The ticket under which this watcher's waker is kept.
    ticket: Option<u64>,
}

struct Shared<T>(Mutex<State<T>>);

struct State<T> {
    /// Gone while somebody is polling it, and when it is done.
    work: Option<Work<T>>,
    outcome: Option<T>,
    /// The work got on while somebody was polling it: who looked meanwhile found nothing to drive.
    woken: bool,
    watchers: BTreeMap<u64, Waker>,
    tickets: u64,
}

impl<T: Clone + Send + 'static> Flight<T> {
    pub(crate) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Arc::new(Shared(Mutex::new(State {
            work: Some(Box::pin(work)),
            outcome: None,
            woken: false,
            watchers: BTreeMap::new(),
            tickets: 0,
        }))))
    }

    pub(crate) fn watch(&self) -> Watch<T> {
        Watch { flight: Arc::clone(&self.0), ticket: None }
    }
}

impl<T: Clone + Send + 'static> Future for Watch<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let flight = Arc::clone(&self.flight);
        let mut state = flight.state();
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(outcome.clone());
        }
        let ticket = *self.ticket.get_or_insert_with(|| {
            state.tickets += 1;
            state.tickets
        });
        state.watchers.insert(ticket, context.waker().clone());
        let Some(work) = state.work.take() else { return Poll::Pending };
        drop(state);
        let mut turn = Turn { flight: &flight, work: Some(work) };
        let waker = Waker::from(Arc::clone(&flight));
        turn.poll(&mut Context::from_waker(&waker))
    }
}

/// One poll of the work, outside the lock. Even when the work panics it is put back, so that the panic reaches every
/// watcher rather than leaving them asleep.
struct Turn<'a, T: Send + 'static> {
    flight: &'a Arc<Shared<T>>,
    work: Option<Work<T>>,
}

impl<T: Clone + Send + 'static> Turn<'_, T> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<T> {
        let Some(work) = &mut self.work else { return Poll::Pending };
        let outcome = std::task::ready!(work.as_mut().poll(context));
        self.work = None;
        let mut state = self.flight.state();
        state.outcome = Some(outcome.clone());
        let watchers = std::mem::take(&mut state.watchers);
        drop(state);
        watchers.into_values().for_each(Waker::wake);
        Poll::Ready(outcome)
    }
}

impl<T: Send + 'static> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            let mut state = self.flight.state();
            state.work = Some(work);
            let woken = std::mem::take(&mut state.woken);
            drop(state);
            if woken || std::thread::panicking() {
                Arc::clone(self.flight).wake();
            }
        }
    }
}

/// The work has got on: all are woken, since any of them may be the only one that is still polled.
impl<T: Send + 'static> Wake for Shared<T> {
    fn wake(self: Arc<Self>) {
        let mut state = self.state();
        state.woken = state.work.is_none();
        let watchers: Vec<_> = state.watchers.values().cloned().collect();
        drop(state);
        watchers.into_iter().for_each(Waker::wake);
    }
}

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        // Nothing that can panic runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Watch<T> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let left = self.flight.state().watchers.remove(&ticket);
            drop(left);
        }
    }
}
