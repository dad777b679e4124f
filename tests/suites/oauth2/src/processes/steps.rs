//! The steps of a refresh, and a process that kills itself at one of them.

use auth_core::{Exchange, Flow, Secret, Transport};
use auth_oauth2::TokenStore;
use auth_session::{Intent, Lease, SaveOutcome, StoredEntry};
use http::Response;
use serde::{Deserialize, Serialize};
use std::{
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

/// A step of a refresh: the process dies when it has come so far.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub enum Step {
    /// It is about to ask for the lease.
    Begun,
    /// It has the lease.
    Leased,
    /// It has noted that it is about to ask.
    Noted,
    /// The request is made, and not sent.
    Asking,
    /// The server has answered, and nothing is saved.
    Answered,
    /// The token is saved.
    Saved,
    /// The lease is given back.
    Released,
}

impl Step {
    pub const ALL: [Self; 7] = [
        Self::Begun,
        Self::Leased,
        Self::Noted,
        Self::Asking,
        Self::Answered,
        Self::Saved,
        Self::Released,
    ];

    pub fn name(self) -> String {
        format!("{self:?}").to_ascii_lowercase()
    }
}

/// Where this process dies, if it does.
#[derive(Clone)]
pub struct Death(Arc<Mutex<Option<(Step, u32)>>>);

impl Death {
    pub fn at(kill_at: Option<(Step, u32)>) -> Self {
        Self(Arc::new(Mutex::new(kill_at)))
    }

    fn pass(&self, step: Step) {
        let mut kill_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, left)) = kill_at.as_mut().filter(|(at, _)| *at == step) else { return };
        *left = left.saturating_sub(1);
        if *left == 0 {
            let own = std::process::id().to_string();
            let _ = Command::new("kill").args(["-KILL", &own]).status();
            thread::sleep(Duration::from_secs(60));
        }
    }
}

/// A store or a transport that is watched step by step.
pub struct Watched<T> {
    pub inner: T,
    pub death: Death,
}

impl<T: Sync> Watched<T> {
    fn after<'a, V: Send + 'a>(&'a self, step: Step, flow: Flow<'a, V>) -> Flow<'a, V> {
        flow.map(move |value| {
            self.death.pass(step);
            value
        })
    }
}

impl<K: TokenStore> TokenStore for Watched<K> {
    fn load(&self, name: &str) -> Flow<'_, Option<StoredEntry>> {
        self.inner.load(name)
    }

    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
        self.death.pass(Step::Begun);
        self.inner.lease(name, hold).map(|lease| lease.inspect(|_| self.death.pass(Step::Leased)))
    }

    fn save(&self, name: &str, lease: Lease, token: Option<&Secret>) -> Flow<'_, SaveOutcome> {
        self.after(Step::Saved, self.inner.save(name, lease, token))
    }

    fn intend(&self, name: &str, lease: Lease, intent: Option<Intent>) -> Flow<'_, SaveOutcome> {
        self.after(Step::Noted, self.inner.intend(name, lease, intent))
    }

    fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()> {
        self.after(Step::Released, self.inner.release(name, lease))
    }
}

impl<T: Transport> Transport for Watched<T> {
    fn fetch(&self, request: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        self.death.pass(Step::Asking);
        self.after(Step::Answered, self.inner.fetch(request))
    }

    fn pause(&self, duration: Duration) -> Flow<'_, ()> {
        self.inner.pause(duration)
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        self.inner.detach(work)
    }
}
