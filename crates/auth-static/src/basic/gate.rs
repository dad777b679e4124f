//! Bounds how many do something at once, and how many wait for it.

use auth_core::{Cause, Error, Result};
use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// Lets so many in at once, in the order they came; some more wait, and whoever comes then is sent away.
pub(super) struct Gate {
    most_inside: usize,
    most_waiting: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    inside: usize,
    last: u64,
    waiting: VecDeque<(u64, Waker)>,
    /// Called in, but not yet come.
    called: Vec<u64>,
}

impl Gate {
    pub(super) fn new(most_inside: usize, most_waiting: usize) -> Arc<Self> {
        Arc::new(Self { most_inside: most_inside.max(1), most_waiting, state: Mutex::default() })
    }

    /// Waits to be let in; whoever stops waiting makes room.
    pub(super) fn enter(self: &Arc<Self>) -> Entering {
        Entering { gate: Arc::clone(self), number: None }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One has left: the next is called in, in its place.
    fn leave(&self, mut state: MutexGuard<'_, State>) {
        match state.waiting.pop_front() {
            None => state.inside = state.inside.saturating_sub(1),
            Some((number, waker)) => {
                state.called.push(number);
                drop(state);
                waker.wake();
            }
        }
    }
}

/// Being inside; leaves when dropped.
pub(super) struct Permit(Arc<Gate>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.leave(self.0.lock());
    }
}

/// On the way in.
pub(super) struct Entering {
    gate: Arc<Gate>,
    number: Option<u64>,
}

impl Future for Entering {
    type Output = Result<Permit>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<Permit>> {
        let gate = Arc::clone(&self.gate);
        let mut state = gate.lock();
        let Some(number) = self.number else {
            if state.inside < gate.most_inside {
                state.inside += 1;
                return Poll::Ready(Ok(Permit(Arc::clone(&gate))));
            }
            if state.waiting.len() >= gate.most_waiting {
                return Poll::Ready(Err(busy()));
            }
            state.last += 1;
            let number = state.last;
            state.waiting.push_back((number, context.waker().clone()));
            self.number = Some(number);
            return Poll::Pending;
        };
        if let Some(index) = state.called.iter().position(|called| *called == number) {
            state.called.swap_remove(index);
            self.number = None;
            return Poll::Ready(Ok(Permit(Arc::clone(&gate))));
        }
        if let Some((_, waker)) = state.waiting.iter_mut().find(|(waiting, _)| *waiting == number) {
            waker.clone_from(context.waker());
        }
        Poll::Pending
    }
}

impl Drop for Entering {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let mut state = self.gate.lock();
        state.waiting.retain(|(waiting, _)| *waiting != number);
        if let Some(index) = state.called.iter().position(|called| *called == number) {
            state.called.swap_remove(index);
            self.gate.leave(state);
        }
    }
}

fn busy() -> Error {
    Error::Unavailable {
        retry_after: Some(Duration::from_secs(1)),
        cause: Cause::new(
            "basic_busy",
            "as many passwords are being hashed, and wait to be, as may",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(entering: &mut Entering) -> Poll<Result<Permit>> {
        Pin::new(entering).poll(&mut Context::from_waker(Waker::noop()))
    }

    fn inside(poll: Poll<Result<Permit>>) -> Permit {
        match poll {
            Poll::Ready(Ok(permit)) => permit,
            _ => panic!("not let in"),
        }
    }

    #[test]
    fn so_many_inside_so_many_waiting_and_the_rest_is_sent_away() {
        let gate = Gate::new(1, 1);
        let permit = inside(poll(&mut gate.enter()));
        let mut waits = gate.enter();
        assert!(poll(&mut waits).is_pending());
        let Poll::Ready(Err(error)) = poll(&mut gate.enter()) else { panic!("a third one waits") };
        assert_eq!(error.code(), "basic_busy");
        drop(permit);
        let mut late = gate.enter();
        assert!(poll(&mut late).is_pending(), "a late one overtook the one that waits");
        let permit = inside(poll(&mut waits));
        assert!(poll(&mut late).is_pending());
        drop(permit);
        inside(poll(&mut late));
    }

    #[test]
    fn whoever_stops_waiting_makes_room() {
        let gate = Gate::new(1, 2);
        let permit = inside(poll(&mut gate.enter()));
        let (mut first, mut second) = (gate.enter(), gate.enter());
        assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
        drop(permit);
        drop(first);
        let permit = inside(poll(&mut second));
        assert!(poll(&mut gate.enter()).is_pending());
        drop(permit);
        assert_eq!(gate.lock().inside, 0);
    }
}
