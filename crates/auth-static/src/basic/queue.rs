//! At most so many at once, and at most so many waiting.

use auth_core::{Error, Flow};
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// Lets a bounded number of computations run; the next ones wait in order, and those beyond are sent away.
#[derive(Clone)]
pub(super) struct Queue(Arc<Shared>);

struct Shared {
    running: usize,
    waiting: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: usize,
    next: u64,
    /// Tickets that wait, in order.
    waiting: BTreeMap<u64, Waker>,
    /// Tickets whose permit was not fetched yet: each counts as running.
    called: BTreeSet<u64>,
}

impl Queue {
    pub(super) fn new(running: usize, waiting: usize) -> Self {
        Self(Arc::new(Shared { running, waiting, state: Mutex::default() }))
    }

    /// A permit: now, when it is our turn, or `Error::Unavailable` when too many wait already.
    pub(super) fn enter(&self) -> Flow<'static, Permit> {
        let mut state = self.0.lock();
        if state.running < self.0.running {
            state.running += 1;
            return Flow::ready(Permit(Arc::clone(&self.0)));
        }
        if state.waiting.len() >= self.0.waiting {
            return Flow::failed(Error::unavailable(
                "basic_busy",
                Some(Duration::from_secs(1)),
                "too many passwords are being checked",
            ));
        }
        let ticket = state.next;
        state.next += 1;
        state.waiting.insert(ticket, Waker::noop().clone());
        Flow::new(Turn { shared: Arc::clone(&self.0), ticket })
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change of the state is whole before anything can panic, so a poisoned lock still guards a sound state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One is through: the first that waits is next.
    fn leave(&self) {
        let mut state = self.lock();
        let next = state.waiting.pop_first();
        match next {
            None => state.running = state.running.saturating_sub(1),
            Some((ticket, waker)) => {
                state.called.insert(ticket);
                drop(state);
                waker.wake();
            }
        }
    }
}

/// The right to run, given back when it is dropped.
pub(super) struct Permit(Arc<Shared>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// A place in the queue, given up when it is dropped.
struct Turn {
    shared: Arc<Shared>,
    ticket: u64,
}

impl Future for Turn {
    type Output = auth_core::Result<Permit>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.shared.lock();
        if state.called.remove(&self.ticket) {
            return Poll::Ready(Ok(Permit(Arc::clone(&self.shared))));
        }
        let before = state.waiting.insert(self.ticket, context.waker().clone());
        drop(state);
        // A waker may own another turn: it is dropped outside the lock.
        drop(before);
        Poll::Pending
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        let waker = state.waiting.remove(&self.ticket);
        let called = state.called.remove(&self.ticket);
        drop(state);
        drop(waker);
        if called {
            self.shared.leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(turn: &mut Flow<'static, Permit>) -> Option<Permit> {
        match Pin::new(turn).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(permit) => Some(permit.unwrap()),
            Poll::Pending => None,
        }
    }

    fn now(queue: &Queue) -> Permit {
        poll(&mut queue.enter()).expect("there is room")
    }

    fn is_full(queue: &Queue) -> bool {
        let mut next = queue.enter();
        let polled = Pin::new(&mut next).poll(&mut Context::from_waker(Waker::noop()));
        matches!(polled, Poll::Ready(Err(Error::Unavailable { retry_after: Some(_), .. })))
    }

    #[test]
    fn the_next_wait_in_order_and_those_beyond_are_sent_away() {
        let queue = Queue::new(2, 2);
        let (first, second) = (now(&queue), now(&queue));
        let (mut third, mut fourth) = (queue.enter(), queue.enter());
        assert!(is_full(&queue));
        assert!(poll(&mut third).is_none() && poll(&mut fourth).is_none());
        drop(first);
        assert!(poll(&mut fourth).is_none(), "overtook");
        let third = poll(&mut third).expect("it is the third's turn");
        drop(second);
        let fourth = poll(&mut fourth).expect("it is the fourth's turn");
        drop((third, fourth));
        let (_fifth, _sixth) = (now(&queue), now(&queue));
        assert_eq!(queue.0.lock().running, 2);
    }

    #[test]
    fn a_caller_that_gives_up_takes_no_place_and_no_permit_along() {
        let queue = Queue::new(1, 1);
        let first = now(&queue);
        drop(queue.enter()); // while waiting
        let called = queue.enter();
        assert!(is_full(&queue));
        drop(first);
        drop(called); // with a permit that was never fetched
        drop(now(&queue));
        let state = queue.0.lock();
        assert_eq!((state.running, state.waiting.len(), state.called.len()), (0, 0, 0));
    }

    /// A waker that owns another turn, as that of a task that waits for both does.
    #[test]
    fn a_waker_that_owns_another_turn_does_not_dead_lock() {
        struct Owner {
            _turn: Mutex<Flow<'static, Permit>>,
        }
        impl std::task::Wake for Owner {
            fn wake(self: Arc<Self>) {}
        }
        let (send, done) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let queue = Queue::new(1, 9);
            let _held = now(&queue);
            for replaced in [true, false] {
                let (mut one, other) = (queue.enter(), queue.enter());
                let owner = Waker::from(Arc::new(Owner { _turn: Mutex::new(other) }));
                let _ = Pin::new(&mut one).poll(&mut Context::from_waker(&owner));
                drop(owner);
                if replaced {
                    let _ = Pin::new(&mut one).poll(&mut Context::from_waker(Waker::noop()));
                }
                drop(one);
            }
            send.send(()).unwrap();
        });
        assert!(done.recv_timeout(Duration::from_secs(5)).is_ok(), "dead lock");
    }

    #[test]
    fn a_permit_wakes_a_caller_that_waits_on_another_thread() {
        let queue = Queue::new(1, 1);
        let first = now(&queue);
        let second = queue.enter();
        let waiting = std::thread::spawn(move || second.wait().is_ok());
        drop(first);
        assert!(waiting.join().unwrap());
    }
}
