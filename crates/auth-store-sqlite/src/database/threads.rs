//! The threads that have the connections: one writes, the others read.

use super::{
    file::DatabaseFile,
    job::{WriteJob, job},
    queue::Queue,
    schema,
};
use crate::{fault::Fault, lifecycle::Watchers};
use auth_core::{Error, Result};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::{
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Runs work on threads of its own, which end when it is dropped and what waits is done.
pub(super) struct Threads {
    queue: Arc<Queue>,
    /// Where none reads, the thread that writes does it.
    has_readers: bool,
}

/// No more changes share one commit than this, so that none waits for long and other processes get their turn.
const MOST_TOGETHER: usize = 128;

/// For how long a process writes without a gap. SQLite gives a lock to whoever happens to ask while it is free; another
/// process asks only once in a while, and would wait for long for one that is never idle.
const TURN: Duration = Duration::from_millis(50);

/// Long enough for every process that waits to ask.
const GAP: Duration = Duration::from_millis(2);

impl Threads {
    pub(super) fn start(
        file: Option<DatabaseFile>,
        writer: Connection,
        readers: Vec<Connection>,
        watchers: &Arc<Watchers>,
    ) -> Result<Self> {
        let file = file.map(Arc::new);
        // From here on what was started ends if the rest cannot be.
        let threads = Self { queue: Arc::default(), has_readers: !readers.is_empty() };
        let mut reading = Vec::new();
        for connection in readers {
            let (queue, own) = (Arc::clone(&threads.queue), Own { connection, file: file.clone() });
            reading.push(spawn("sqlite-reader", move || read(&queue, &own))?);
        }
        let (queue, own) = (Arc::clone(&threads.queue), Own { connection: writer, file });
        let watchers = Arc::clone(watchers);
        spawn("sqlite-writer", move || {
            write(&queue, &own, &watchers);
            // Closed as the last, its connection brings what was written ahead into the file.
            reading.into_iter().for_each(|reader| drop(reader.join()));
        })?;
        Ok(threads)
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        if !self.has_readers {
            return self.write(work).await;
        }
        let (job, answer) = job(work);
        self.queue.push_read(job)?;
        answer.await.unwrap_or(Err(Fault::Panicked))
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (job, answer) = job(work);
        self.queue.push_write(job)?;
        let broke_off = || Fault::CommitUnknown(String::from("the thread that writes broke off"));
        answer.await.unwrap_or_else(|_| Err(broke_off()))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.queue.close();
    }
}

fn spawn(name: &str, life: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    let spawned = thread::Builder::new().name(name.into()).spawn(life);
    spawned.map_err(|error| Error::transport("sqlite_no_thread", error))
}

/// What belongs to one thread.
struct Own {
    connection: Connection,
    file: Option<Arc<DatabaseFile>>,
}

impl Own {
    /// A transaction on the file that was opened, with tables that this program knows: since the last transaction the file
    /// may have been replaced, and a newer program may have changed its tables.
    fn begin(&self, behavior: TransactionBehavior) -> Result<Transaction<'_>, Fault> {
        if self.file.as_ref().is_some_and(|file| !file.is_in_place()) {
            return Err(Fault::Replaced);
        }
        let transaction = Transaction::new_unchecked(&self.connection, behavior)?;
        schema::refuse_newer(&transaction)?;
        Ok(transaction)
    }
}

fn read(queue: &Queue, own: &Own) {
    while let Some(job) = queue.next_read() {
        match own.begin(TransactionBehavior::Deferred) {
            // It ends when it is dropped: there is nothing to commit.
            Ok(snapshot) => job.run(Ok(&snapshot)),
            Err(fault) => job.run(Err(fault)),
        }
    }
}

fn write(queue: &Queue, own: &Own, watchers: &Watchers) {
    let mut turn = Instant::now();
    while queue.has_write() {
        #[cfg(all(test, target_os = "linux"))]
        crate::crashes::at("before BEGIN");
        match own.begin(TransactionBehavior::Immediate) {
            Ok(transaction) => write_together(queue, transaction, watchers),
            Err(fault) => {
                // Those that waited for it, and none that comes when the first of them is told.
                let waited = std::iter::from_fn(|| queue.next_write()).take(MOST_TOGETHER);
                let waited = waited.collect::<Vec<_>>();
                waited.into_iter().for_each(|job| job.answer(Err(fault.clone())));
            }
        }
        if own.file.is_some() && turn.elapsed() >= TURN {
            if !queue.is_without_writes() {
                thread::sleep(GAP);
            }
            turn = Instant::now();
        }
    }
}

/// All that wait, in one transaction with one sync. None is told anything before the commit, since what it read may have
/// been another's change.
fn write_together(queue: &Queue, mut transaction: Transaction<'_>, watchers: &Watchers) {
    let mut done = Vec::new();
    let before = transaction.total_changes();
    let mut so_far = Ok(());
    while so_far.is_ok() && done.len() < MOST_TOGETHER {
        let Some(mut job) = queue.next_write() else { break };
        so_far = write_one(&mut transaction, &mut *job);
        done.push(job);
    }
    #[cfg(all(test, target_os = "linux"))]
    crate::crashes::at("before COMMIT");
    let is_changed = transaction.total_changes() != before;
    // Dropped, a transaction is rolled back. All pages but one are written before the COMMIT, so that a disk without room
    // is found while it is certain that nothing is committed.
    let committed = so_far
        .and_then(|()| Ok(transaction.cache_flush()?))
        .and_then(|()| transaction.commit().map_err(|error| Fault::of_commit(&error)));
    #[cfg(all(test, target_os = "linux"))]
    crate::crashes::at("after COMMIT");
    // Here, since a caller that gave up is not there to do it; and where the commit is unknown it may have been done.
    if is_changed && matches!(committed, Ok(()) | Err(Fault::CommitUnknown(_))) {
        watchers.wake();
    }
    done.into_iter().for_each(|job| job.answer(committed.clone()));
}

/// A fault of the job is its own, and rolled back alone; what is returned is a fault of the whole transaction.
fn write_one(transaction: &mut Transaction<'_>, job: &mut dyn WriteJob) -> Result<(), Fault> {
    let mut savepoint = transaction.savepoint()?;
    if let Err(fault) = job.run(&savepoint) {
        // A full disk or a failed write has rolled back all of it.
        if savepoint.is_autocommit() {
            return Err(fault);
        }
        savepoint.rollback()?;
    }
    Ok(savepoint.commit()?)
}
