//! Calls that wait for a thread.

use super::job::{ReadJob, WriteJob};
use crate::fault::Fault;
use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// No more calls of a kind wait than this.
pub(super) const MOST_WAITING: usize = 1024;

/// What waits for the thread that writes, and for those that read.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    writes: Condvar,
    reads: Condvar,
}

#[derive(Default)]
struct State {
    writes: VecDeque<Box<dyn WriteJob>>,
    reads: VecDeque<Box<dyn ReadJob>>,
    /// Nothing is added any more; what waits is still done.
    is_closed: bool,
}

impl Queue {
    pub(super) fn push_write(&self, job: Box<dyn WriteJob>) -> Result<(), Fault> {
        push(&mut self.state().writes, job)?;
        self.writes.notify_one();
        Ok(())
    }

    pub(super) fn push_read(&self, job: Box<dyn ReadJob>) -> Result<(), Fault> {
        push(&mut self.state().reads, job)?;
        self.reads.notify_one();
        Ok(())
    }

    /// Sleeps until there is something to write; false when there never will be.
    pub(super) fn has_write(&self) -> bool {
        let mut state = self.state();
        while state.writes.is_empty() {
            if state.is_closed {
                return false;
            }
            state = self.writes.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        true
    }

    /// The next that waits to be written, if one does now.
    pub(super) fn next_write(&self) -> Option<Box<dyn WriteJob>> {
        self.state().writes.pop_front()
    }

    pub(super) fn is_without_writes(&self) -> bool {
        self.state().writes.is_empty()
    }

    /// Sleeps until there is something to read; none when there never will be.
    pub(super) fn next_read(&self) -> Option<Box<dyn ReadJob>> {
        let mut state = self.state();
        loop {
            if let Some(job) = state.reads.pop_front() {
                return Some(job);
            }
            if state.is_closed {
                return None;
            }
            state = self.reads.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.writes.notify_all();
        self.reads.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn push<J>(waiting: &mut VecDeque<J>, job: J) -> Result<(), Fault> {
    if waiting.len() >= MOST_WAITING {
        return Err(Fault::QueueFull);
    }
    waiting.push_back(job);
    Ok(())
}
