//! Who waits for the next commit of this process.

use futures_channel::oneshot::{self, Sender};
use std::{
    future::Future,
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

    pub(super) fn wake(&self) {
        // Outside of the lock: a waker may run its task here and now.
        let waiting = std::mem::take(&mut *self.waiting());
        for one in waiting {
            let _ = one.send(());
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_wait_no_more_are_forgotten() {
        let watchers = Watchers::default();
        for _ in 0..1000 {
            drop(watchers.next());
        }
        assert!(watchers.waiting().len() <= 1);
    }
}
