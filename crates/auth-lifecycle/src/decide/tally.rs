//! How many credentials of a group are what: counted once, and kept up with each change.

use super::Snapshot;
use crate::{Credential, GroupPolicy, State, Status};
use auth_core::Timestamp;

/// The counts that the guards of commands compare, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// All that are not deleted.
    pub(super) present: usize,
    /// Active or inactive: they take one of the places that the policy gives.
    pub(super) places: usize,
    pub(super) inactive: usize,
    pub(super) usable: usize,
    pub(super) lasting: usize,
    /// Usable, and to be retired.
    pub(super) rotating: usize,
}

impl Tally {
    pub(crate) fn of(snapshot: &Snapshot, now: Timestamp) -> Self {
        let now = now.max(snapshot.group.latest);
        let credentials = snapshot.group.credentials.iter();
        credentials.fold(Self::default(), |tally, one| tally.with(one, &snapshot.policy, now))
    }

    /// With one more.
    pub(super) fn with(self, one: &Credential, policy: &GroupPolicy, now: Timestamp) -> Self {
        self.each(one, policy, now, usize::saturating_add)
    }

    /// Without one that was counted.
    pub(super) fn without(self, one: &Credential, policy: &GroupPolicy, now: Timestamp) -> Self {
        self.each(one, policy, now, usize::saturating_sub)
    }

    fn each(
        self,
        one: &Credential,
        policy: &GroupPolicy,
        now: Timestamp,
        change: fn(usize, usize) -> usize,
    ) -> Self {
        let by = |count, counts| change(count, usize::from(counts));
        let is_usable = one.status(now) == Status::Usable;
        Self {
            present: by(self.present, one.state != State::Deleted),
            places: by(self.places, matches!(one.state, State::Active | State::Inactive)),
            inactive: by(self.inactive, one.state == State::Inactive),
            usable: by(self.usable, is_usable),
            lasting: by(self.lasting, one.is_lasting(now, policy.guard_horizon)),
            rotating: by(self.rotating, is_usable && one.retire_at.is_some()),
        }
    }
}
