//! Threads that are there while there is work.

use auth_core::{Error, Flow, Result};
use futures_channel::oneshot;
use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// Runs work that opens files, so that whoever polls a flow is not blocked by a disk or by the lock of a process that
/// hangs.
#[derive(Default)]
pub(crate) struct Threads(Arc<Queue>);

#[derive(Default)]
struct Queue(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    running: usize,
}

/// What is to be done, as far as it gets without waiting for another process.
type Job = Box<dyn FnMut() -> Progress + Send>;

#[derive(PartialEq)]
enum Progress {
    Done,
    /// Another process is in the way: the others go first.
    Later,
}

/// No more threads than this.
const MOST: usize = 4;

/// How long a thread sleeps when another process was in the way.
const NAP: Duration = Duration::from_millis(1);

impl Threads {
    /// Runs `step` until it gives a result, and tells it for how long it has been waiting. It begins when the flow is first
    /// polled, and is seen through though nobody polls any more.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        step: impl FnMut(Duration) -> Option<Result<T>> + Send + 'static,
    ) -> Flow<'static, T> {
        let queue = Arc::clone(&self.0);
        Flow::new(async move {
            let (send, receive) = oneshot::channel();
            let (mut work, mut began) = (Some((step, send)), None);
            let job = move || {
                let waited = began.get_or_insert_with(Instant::now).elapsed();
                let Some((step, _)) = &mut work else { return Progress::Done };
                let Some(result) = step(waited) else { return Progress::Later };
                if let Some((step, send)) = work.take() {
                    // What the work held is free before anybody learns that it is done.
                    drop(step);
                    // Nobody may be waiting any more.
                    let _ = send.send(result);
                }
                Progress::Done
            };
            queue.push(Box::new(job))?;
            receive.await.unwrap_or_else(|_| Err(broke_off()))
        })
    }
}

impl Queue {
    fn push(self: &Arc<Self>, job: Job) -> Result<()> {
        let mut state = self.state();
        if state.running < MOST {
            let queue = Arc::clone(self);
            let spawned =
                thread::Builder::new().name("auth-local".into()).spawn(move || queue.work());
            match spawned {
                Ok(_) => state.running += 1,
                // Those that run already get there.
                Err(_) if state.running > 0 => {}
                Err(error) => return Err(Error::transport("local_no_thread", error)),
            }
        }
        state.waiting.push_back(job);
        Ok(())
    }

    /// The life of one thread.
    fn work(&self) {
        while let Some(mut job) = self.next() {
            // Whoever waits for a job that panicked learns it from the channel.
            let progress = catch_unwind(AssertUnwindSafe(&mut job)).unwrap_or(Progress::Done);
            if progress == Progress::Later {
                self.state().waiting.push_back(job);
                thread::sleep(NAP);
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        let job = state.waiting.pop_front();
        if job.is_none() {
            state.running = state.running.saturating_sub(1);
        }
        job
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn broke_off() -> Error {
    let text = "thread that reads and writes files ended before its work did";
    Error::transport("local_thread_gone", text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn work_that_panics_is_an_error_and_stops_no_other_work() {
        let threads = Threads::default();
        for _ in 0..2 * MOST {
            let panics = threads.run(|_| -> Option<Result<()>> { panic!("a bug") });
            assert_eq!(panics.wait().unwrap_err().code(), "local_thread_gone");
        }
        assert_eq!(threads.run(|_| Some(Ok(7))).wait().unwrap(), 7);
    }

    #[test]
    fn who_waits_for_a_lock_holds_up_nobody() {
        let threads = Threads::default();
        let (open, gate) = mpsc::channel::<()>();
        let (gate, many) = (Arc::new(Mutex::new(gate)), 3 * MOST);
        let waiting: Vec<_> = (0..many)
            .map(|_| {
                let gate = Arc::clone(&gate);
                let passed = move |_| gate.lock().unwrap().try_recv().ok().map(Ok);
                let flow = threads.run(passed);
                thread::spawn(move || flow.wait())
            })
            .collect();
        for n in 0..50 {
            assert_eq!(threads.run(move |_| Some(Ok(n))).wait().unwrap(), n);
        }
        (0..many).for_each(|_| open.send(()).unwrap());
        assert!(waiting.into_iter().all(|waiting| waiting.join().unwrap().is_ok()));
    }

    #[test]
    fn threads_go_when_there_is_no_work() {
        let threads = Threads::default();
        threads.run(|_| Some(Ok(()))).wait().unwrap();
        let began = Instant::now();
        while threads.0.state().running > 0 {
            assert!(began.elapsed() < Duration::from_secs(10));
            thread::yield_now();
        }
    }
}
