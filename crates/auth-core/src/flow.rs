//! Work that may already be done.

use crate::{Error, Result};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread,
};

/// A future that may already be done: what everything that could need an exchange returns.
///
/// A scheme that only computes returns [`ready`](Flow::ready) and costs no allocation for it; one that must ask
/// somebody returns [`new`](Flow::new) over plain `async` code. Async callers `.await` it, blocking callers
/// [`wait`](Flow::wait) for it: there is one implementation for both.
///
/// [`map`](Flow::map), [`and_then`](Flow::and_then) and [`then`](Flow::then) run at once and box nothing while the
/// flow is ready. Dropping a flow abandons it. Polled again after it gave its result, it stays pending.
///
/// ```
/// use auth_core::Flow;
/// let flow = Flow::ready(20).and_then(|n| Flow::new(async move { Ok(n + 1) })).map(|n| n * 2);
/// assert_eq!(flow.wait().unwrap(), 42);
/// ```
#[must_use = "a flow does nothing until it is awaited or waited for"]
pub struct Flow<'a, T>(State<'a, T>);

type Running<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

enum State<'a, T> {
    Ready(Result<T>),
    Running(Running<'a, T>),
    Finished,
}

/// Nothing in a flow is pinned in place: a running future is in its own box.
impl<T> Unpin for Flow<'_, T> {}

impl<'a, T> Flow<'a, T> {
    /// Already done, and well.
    pub const fn ready(value: T) -> Self {
        Self(State::Ready(Ok(value)))
    }

    /// Already failed.
    pub const fn failed(error: Error) -> Self {
        Self(State::Ready(Err(error)))
    }

    /// Work that is still to do.
    pub fn new(work: impl Future<Output = Result<T>> + Send + 'a) -> Self {
        Self(State::Running(Box::pin(work)))
    }

    /// Is the result already here?
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self.0, State::Ready(_))
    }

    /// Goes on with the result, good or bad.
    #[inline]
    pub fn then<U>(self, next: impl FnOnce(Result<T>) -> Flow<'a, U> + Send + 'a) -> Flow<'a, U>
    where
        T: 'a,
        U: Send,
    {
        match self.0 {
            State::Ready(result) => next(result),
            State::Running(work) => Flow::new(async move { next(work.await).await }),
            State::Finished => Flow(State::Finished),
        }
    }

    /// Goes on with the value, if there is one.
    pub fn and_then<U>(self, next: impl FnOnce(T) -> Flow<'a, U> + Send + 'a) -> Flow<'a, U>
    where
        T: 'a,
        U: Send,
    {
        self.then(|result| match result {
            Ok(value) => next(value),
            Err(error) => Flow::failed(error),
        })
    }

    /// Changes the value, if there is one.
    #[inline]
    pub fn map<U>(self, change: impl FnOnce(T) -> U + Send + 'a) -> Flow<'a, U>
    where
        T: 'a,
        U: Send,
    {
        self.then(|result| Flow::from(result.map(change)))
    }

    /// Blocks this thread until the result is here.
    ///
    /// Never call it on a worker thread of an async runtime: that thread may be the one the work needs.
    ///
    /// # Errors
    ///
    /// Whatever the work ended with.
    #[inline]
    pub fn wait(self) -> Result<T> {
        match self.0 {
            State::Ready(result) => result,
            state => Self(state).parked(),
        }
    }

    #[cold]
    fn parked(mut self) -> Result<T> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match Pin::new(&mut self).poll(&mut context) {
                Poll::Ready(result) => return result,
                Poll::Pending => thread::park(),
            }
        }
    }
}

impl<T> Future for Flow<'_, T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        if let State::Running(work) = &mut self.0 {
            let result = std::task::ready!(work.as_mut().poll(context));
            self.0 = State::Finished;
            return Poll::Ready(result);
        }
        match std::mem::replace(&mut self.0, State::Finished) {
            State::Ready(result) => Poll::Ready(result),
            _ => Poll::Pending,
        }
    }
}

impl<T> From<Result<T>> for Flow<'_, T> {
    fn from(result: Result<T>) -> Self {
        Self(State::Ready(result))
    }
}

/// Shows how far it is, never what it holds.
impl<T> fmt::Debug for Flow<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Ready(_) => "Flow(ready)",
            State::Running(_) => "Flow(running)",
            State::Finished => "Flow(finished)",
        })
    }
}

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn failure() -> Error {
        Error::transport("test", "down")
    }

    #[test]
    fn combinators_leave_a_ready_flow_ready() {
        let flow = Flow::ready(1).map(|n| n + 1).and_then(|n| Flow::ready(n * 10));
        assert!(flow.is_ready());
        assert_eq!(flow.wait().unwrap(), 20);
    }

    #[test]
    fn a_failure_passes_by_the_steps_that_need_a_value() {
        let flow = Flow::<u8>::failed(failure())
            .map(|n| n + 1)
            .and_then(|_| -> Flow<'_, u8> { panic!("ran") });
        assert_eq!(flow.wait().unwrap_err().code(), "test");
    }

    #[test]
    fn then_may_recover() {
        let flow = Flow::new(async { Err::<u8, _>(failure()) })
            .then(|result| Flow::ready(result.is_err()));
        assert!(!flow.is_ready());
        assert!(flow.wait().unwrap());
    }

    #[test]
    fn wait_sleeps_until_another_thread_wakes_it() {
        let (send, receive) = mpsc::channel::<Waker>();
        let mut polls = 0;
        let flow = Flow::new(std::future::poll_fn(move |context| {
            polls += 1;
            if polls == 1 {
                send.send(context.waker().clone()).unwrap();
                return Poll::Pending;
            }
            Poll::Ready(Ok(polls))
        }));
        let waking = thread::spawn(move || receive.recv().unwrap().wake());
        assert_eq!(flow.wait().unwrap(), 2);
        waking.join().unwrap();
    }

    #[test]
    fn polled_after_its_end_it_stays_pending() {
        let mut flow = Flow::ready(1);
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut flow).poll(&mut context).is_ready());
        assert!(Pin::new(&mut flow).poll(&mut context).is_pending());
    }
}
