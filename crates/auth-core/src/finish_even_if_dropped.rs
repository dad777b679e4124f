//! Work that goes on though its caller goes away.

use crate::{Error, Flow, Result, Transport};
use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// Does this work to its end, though the caller that waits for it may give up: the confirmation of something that has
/// happened, the end of a session.
///
/// The work is handed to the transport's [`detach`](Transport::detach) at once, before the flow is polled; the flow gives
/// its outcome. A transport that has nothing to run it on gives it back: then it is the flow that does the work, and a
/// flow that is dropped gives it up. Work that is done already is not handed over.
///
/// # Errors
///
/// Whatever the work ended with; `Error::Transport` when it was given up because it panicked, or because what ran it is
/// shutting down: how much of it was done by then is not known.
pub fn finish_even_if_dropped<T: Send + 'static>(
    transport: &dyn Transport,
    work: Flow<'static, T>,
) -> Flow<'static, T> {
    if work.is_ready() {
        return work;
    }
    let slot = Arc::new(Mutex::new(Slot { outcome: Outcome::Awaited, waiting: None }));
    let delivery = Delivery(Arc::clone(&slot));
    let carried = transport.detach(Flow::new(async move {
        let outcome = work.await;
        delivery.deliver(outcome);
        Ok(())
    }));
    match carried {
        None => Flow::new(poll_fn(move |context| poll(&slot, context))),
        Some(work) => Flow::new(async move {
            work.await?;
            poll_fn(move |context| poll(&slot, context)).await
        }),
    }
}

/// Where the outcome is put.
struct Slot<T> {
    outcome: Outcome<T>,
    waiting: Option<Waker>,
}

enum Outcome<T> {
    Awaited,
    There(Result<T>),
    Taken,
}

fn poll<T>(slot: &Mutex<Slot<T>>, context: &Context<'_>) -> Poll<Result<T>> {
    let waker = context.waker().clone();
    let mut slot = lock(slot);
    match std::mem::replace(&mut slot.outcome, Outcome::Taken) {
        Outcome::There(outcome) => Poll::Ready(outcome),
        outcome => {
            slot.outcome = outcome;
            let before = slot.waiting.replace(waker);
            drop(slot);
            // A waker may own what locks this slot again when it is dropped.
            drop(before);
            Poll::Pending
        }
    }
}

/// Puts an outcome there, whatever happens to the work.
struct Delivery<T>(Arc<Mutex<Slot<T>>>);

impl<T> Delivery<T> {
    fn deliver(&self, outcome: Result<T>) {
        let mut slot = lock(&self.0);
        let Outcome::Awaited = slot.outcome else { return };
        slot.outcome = Outcome::There(outcome);
        let waiting = slot.waiting.take();
        drop(slot);
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
}

impl<T> Drop for Delivery<T> {
    fn drop(&mut self) {
        let error = Error::transport("detached_work_gone", "work was given up before its end");
        self.deliver(Err(error));
    }
}

fn lock<T>(slot: &Mutex<Slot<T>>) -> MutexGuard<'_, Slot<T>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exchange;
    use std::{sync::mpsc, thread, time::Duration};

    /// Runs what is detached on threads of its own, unless it gives it back.
    enum Runs {
        There,
        Nowhere,
    }

    impl Transport for Runs {
        fn fetch(&self, _: Exchange) -> Flow<'_, http::Response<Vec<u8>>> {
            panic!("fetched")
        }

        fn pause(&self, _: Duration) -> Flow<'_, ()> {
            panic!("paused")
        }

        fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
            match self {
                Self::Nowhere => Some(work),
                Self::There => {
                    thread::spawn(move || work.wait());
                    None
                }
            }
        }
    }

    /// Work that goes on when it is told to, and what says that it has ended.
    fn work() -> (mpsc::Sender<u8>, mpsc::Receiver<u8>, Flow<'static, u8>) {
        let ((go, goes), (done, ends)) = (mpsc::channel(), mpsc::channel());
        let work = Flow::new(async move {
            let told = goes.recv().map_err(|error| Error::transport("test_gone", error))?;
            done.send(told).unwrap();
            Ok(told)
        });
        (go, ends, work)
    }

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn the_outcome_comes_whether_or_not_something_runs_it() {
        for transport in [Runs::There, Runs::Nowhere] {
            let (go, _ends, work) = work();
            let flow = finish_even_if_dropped(&transport, work);
            go.send(7).unwrap();
            assert_eq!(flow.wait().unwrap(), 7);
        }
    }

    #[test]
    fn work_ends_though_its_flow_is_dropped_unpolled() {
        let (go, ends, work) = work();
        drop(finish_even_if_dropped(&Runs::There, work));
        go.send(7).unwrap();
        assert_eq!(ends.recv_timeout(SOON), Ok(7));
    }

    #[test]
    fn work_that_was_given_back_is_given_up_with_its_flow() {
        let (go, ends, work) = work();
        drop(finish_even_if_dropped(&Runs::Nowhere, work));
        assert!(go.send(7).is_err() && ends.recv().is_err());
    }

    #[test]
    fn work_that_panics_is_an_error_and_no_endless_wait() {
        let work = Flow::new(async { if true { panic!("bug") } else { Ok(()) } });
        let (told, tells) = mpsc::channel();
        let flow = finish_even_if_dropped(&Runs::There, work);
        thread::spawn(move || told.send(flow.wait()));
        let error = tells.recv_timeout(SOON).expect("told").unwrap_err();
        assert_eq!(error.code(), "detached_work_gone");
        assert!(matches!(error, Error::Transport(_)), "it says that nothing was done: {error}");
    }

    #[test]
    fn what_is_done_already_is_handed_to_nobody() {
        let flow = finish_even_if_dropped(&Runs::Nowhere, Flow::ready(7));
        assert!(flow.is_ready());
    }
}
