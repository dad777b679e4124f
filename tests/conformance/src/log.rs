//! What a verifier of ours decided about a peer's request.

use auth_core::{Event, Observer};
use auth_tower::TracingObserver;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

/// What the server decided last.
#[derive(Clone, Debug)]
pub enum Told {
    Accepted(String),
    Refused(&'static str),
}

/// Hears what verifiers decide.
#[derive(Clone, Default)]
pub struct Log {
    told: Arc<Mutex<Option<Told>>>,
    served: Arc<AtomicUsize>,
}

impl Log {
    /// What was decided since it was last asked.
    pub fn told(&self) -> Option<Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// How many requests were judged.
    pub fn served(&self) -> usize {
        self.served.load(Ordering::SeqCst)
    }

    /// Takes down what was decided last.
    pub fn note(&self, told: Told) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
    }
}

impl Observer for Log {
    fn observe(&self, event: Event<'_>) {
        TracingObserver.observe(event);
        if !matches!(event, Event::BodyRejected(_)) {
            self.served.fetch_add(1, Ordering::SeqCst);
        }
        match event {
            Event::Rejected(rejection) | Event::BodyRejected(rejection) => {
                self.note(Told::Refused(rejection.reason().code))
            }
            Event::Failed(error) => self.note(Told::Refused(error.code())),
            _ => {}
        }
    }
}
