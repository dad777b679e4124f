//! Programs that watch the ledger are woken when this process commits.

use futures_channel::oneshot::{self, Sender};
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Those who wait.
#[derive(Default)]
pub(crate) struct Watchers(Mutex<Vec<Sender<()>>>);

impl Watchers {
    /// Is done when [`wake`](Self::wake) is called after this.
    pub(super) fn next(&self) -> impl Future<Output = ()> + Send + use<> {
        let (send, receive) = oneshot::channel();
        let mut waiting = self.waiting();
        // Nobody else removes those who wait no more while nothing is committed.
        waiting.retain(|one| !one.is_canceled());
        waiting.push(send);
        async { receive.await.unwrap_or(()) }
    }

    /// Tells all who wait. The thread that writes calls it: a waker that panics stops neither that thread nor the others.
    pub(crate) fn wake(&self) {
        // Outside of the lock: a waker may run its task here and now.
        let waiting = std::mem::take(&mut *self.waiting());
        for one in waiting {
            let _ = catch_unwind(AssertUnwindSafe(|| one.send(())));
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::Arc,
        task::{Context, Wake, Waker},
    };

    struct Panics;

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("a bug of the runtime")
        }
    }

    #[test]
    fn a_waker_that_panics_keeps_nobody_from_being_told() {
        let (watchers, panics) = (Watchers::default(), Waker::from(Arc::new(Panics)));
        let mut waiting = [(); 3].map(|()| Box::pin(watchers.next()));
        for one in &mut waiting {
            assert!(one.as_mut().poll(&mut Context::from_waker(&panics)).is_pending());
        }
        watchers.wake();
        for one in &mut waiting {
            assert!(one.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        }
    }

    #[test]
    fn those_who_wait_no_more_are_forgotten() {
        let watchers = Watchers::default();
        for _ in 0..1000 {
            drop(watchers.next());
        }
        assert!(watchers.waiting().len() <= 1);
    }
}
