//! One call that waits for a thread, and where its answer goes.

use crate::fault::Fault;
use futures_channel::oneshot::{self, Receiver, Sender};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Work that reads, answered as soon as it is done.
pub(super) trait ReadJob: Send {
    fn run(self: Box<Self>, snapshot: Result<&Connection, Fault>);
}

/// Work that writes, answered when it is known what became of its transaction.
pub(super) trait WriteJob: Send {
    /// Does the work; a fault of it has to be rolled back.
    fn run(&mut self, transaction: &Connection) -> Result<(), Fault>;

    /// Tells the caller: its own outcome when the transaction was committed, else what became of that.
    fn answer(self: Box<Self>, committed: Result<(), Fault>);
}

/// Where the answer of a job comes; it breaks off when the job is dropped.
pub(super) type Answer<T> = Receiver<Result<T, Fault>>;

pub(super) fn job<T, F>(work: F) -> (Box<Job<T, F>>, Answer<T>)
where
    F: FnOnce(&Connection) -> Result<T, Fault>,
{
    let (send, receive) = oneshot::channel();
    (Box::new(Job { work: Some(work), outcome: Err(Fault::Panicked), send }), receive)
}

pub(super) struct Job<T, F> {
    work: Option<F>,
    /// What the work came to. Until then, and for good if it panics, that it panicked.
    outcome: Result<T, Fault>,
    send: Sender<Result<T, Fault>>,
}

impl<T: Send, F> Job<T, F>
where
    F: FnOnce(&Connection) -> Result<T, Fault> + Send,
{
    fn work(&mut self, connection: &Connection) {
        if let Some(work) = self.work.take() {
            if let Ok(outcome) = catch_unwind(AssertUnwindSafe(|| work(connection))) {
                self.outcome = outcome;
            }
        }
    }

    /// Nobody may be waiting any more; and the waker of a caller may panic.
    fn send(self, outcome: Result<T, Fault>) {
        let Self { send, work, .. } = self;
        let _ = catch_unwind(AssertUnwindSafe(|| {
            drop(work);
            let _ = send.send(outcome);
        }));
    }
}

impl<T: Send, F> ReadJob for Job<T, F>
where
    F: FnOnce(&Connection) -> Result<T, Fault> + Send,
{
    fn run(mut self: Box<Self>, snapshot: Result<&Connection, Fault>) {
        match snapshot {
            Ok(connection) => {
                self.work(connection);
                let outcome = std::mem::replace(&mut self.outcome, Err(Fault::Panicked));
                self.send(outcome);
            }
            Err(fault) => self.send(Err(fault)),
        }
    }
}

impl<T: Send, F> WriteJob for Job<T, F>
where
    F: FnOnce(&Connection) -> Result<T, Fault> + Send,
{
    fn run(&mut self, transaction: &Connection) -> Result<(), Fault> {
        self.work(transaction);
        self.outcome.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    fn answer(mut self: Box<Self>, committed: Result<(), Fault>) {
        let outcome = std::mem::replace(&mut self.outcome, Err(Fault::Panicked));
        self.send(committed.and(outcome));
    }
}
