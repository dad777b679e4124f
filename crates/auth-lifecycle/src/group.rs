//! A group as commands are decided over it.

use crate::{Credential, CredentialId, GroupId, GroupPolicy, State, Status};
use auth_core::Timestamp;

/// All credentials of a group that are not deleted, at one version.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Whose credentials these are, and of which kind.
    pub id: GroupId,
    /// Grows by one with each change; zero before the first.
    pub version: u64,
    /// The latest moment at which a command changed it: time never runs backwards here.
    pub latest: Timestamp,
    /// When the last credentials were created, for as long as the policy counts creations.
    pub creations: Vec<Timestamp>,
    /// The credentials, in the order of their creation.
    pub credentials: Vec<Credential>,
}

impl Group {
    /// A group that nothing was ever created in.
    #[must_use]
    pub const fn empty(id: GroupId) -> Self {
        let latest = Timestamp::from_unix(0);
        Self { id, version: 0, latest, creations: Vec::new(), credentials: Vec::new() }
    }

    /// The credential of this name.
    #[must_use]
    pub fn credential(&self, id: &CredentialId) -> Option<&Credential> {
        self.credentials.iter().find(|one| one.id == *id)
    }

    /// How many credentials are usable.
    #[must_use]
    pub fn usable(&self, now: Timestamp) -> usize {
        self.credentials.iter().filter(|one| one.status(now) == Status::Usable).count()
    }

    /// How many credentials are [lasting](Credential::is_lasting).
    #[must_use]
    pub fn lasting(&self, policy: &GroupPolicy, now: Timestamp) -> usize {
        self.credentials.iter().filter(|one| one.is_lasting(now, policy.guard_horizon)).count()
    }

    /// How many credentials are in this state.
    #[must_use]
    pub fn in_state(&self, state: State) -> usize {
        self.credentials.iter().filter(|one| one.state == state).count()
    }

    /// How many credentials take one of the places that the policy gives: all that are neither revoked nor deleted.
    #[must_use]
    pub fn places_taken(&self) -> usize {
        self.in_state(State::Active).saturating_add(self.in_state(State::Inactive))
    }

    /// The moment at which time will next make something of one of its credentials.
    #[must_use]
    pub fn next_due(&self, policy: &GroupPolicy) -> Option<Timestamp> {
        self.credentials.iter().filter_map(|one| one.next_due(policy)).min()
    }
}
