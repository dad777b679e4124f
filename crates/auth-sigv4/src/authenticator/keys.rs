//! Where the keys of an authenticator come from.

use crate::AccessKey;
use auth_core::{Credentials, Flow, Refusal, Stamp, Timestamp, TokenSource};
use auth_session::Session;

/// A key that is used now.
pub(super) struct CurrentKey {
    pub(super) key: AccessKey,
    pub(super) generation: u64,
}

/// Where keys come from.
pub(super) trait Keys: Send + Sync {
    fn current(&self) -> Flow<'_, CurrentKey>;

    /// One that lasts until then.
    fn until(&self, needed: Timestamp) -> Flow<'_, CurrentKey>;

    fn stamp(&self, generation: u64) -> Option<Stamp>;

    /// True when there may be another one.
    fn condemn(&self, sent: &Credentials, refusal: Refusal) -> bool;

    fn prove(&self, sent: &Credentials);
}

impl Keys for AccessKey {
    fn current(&self) -> Flow<'_, CurrentKey> {
        Flow::ready(CurrentKey { key: self.clone(), generation: 0 })
    }

    fn until(&self, _: Timestamp) -> Flow<'_, CurrentKey> {
        self.current()
    }

    fn stamp(&self, _: u64) -> Option<Stamp> {
        None
    }

    fn condemn(&self, _: &Credentials, _: Refusal) -> bool {
        false
    }

    fn prove(&self, _: &Credentials) {}
}

impl<S> Keys for Session<S>
where
    S: TokenSource<Token = AccessKey> + 'static,
{
    fn current(&self) -> Flow<'_, CurrentKey> {
        self.token().map(|held| CurrentKey { key: held.token, generation: held.generation })
    }

    fn until(&self, needed: Timestamp) -> Flow<'_, CurrentKey> {
        let held = self.token_until(needed);
        held.map(|held| CurrentKey { key: held.token, generation: held.generation })
    }

    fn stamp(&self, generation: u64) -> Option<Stamp> {
        Some(Self::stamp(self, generation))
    }

    fn condemn(&self, sent: &Credentials, refusal: Refusal) -> bool {
        let generation = self.generation(sent);
        if let Some(generation) = generation {
            Self::condemn(self, generation, refusal);
        }
        generation.is_some()
    }

    fn prove(&self, sent: &Credentials) {
        if let Some(generation) = self.generation(sent) {
            Self::prove(self, generation);
        }
    }
}
