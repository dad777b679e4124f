//! One credential: what is stored of it, and what time makes of it.

use crate::{CredentialId, GroupPolicy, Kept};
use auth_core::{Scopes, Timestamp};
use auth_net::AddressList;
use std::{sync::Arc, time::Duration};

/// One credential as it is stored: its state, its times and what is kept of its secret, which is never the secret itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Credential {
    /// Its name, which is never used again.
    pub id: CredentialId,
    /// What commands made of it. Time alone never changes this; see [`status`](Self::status).
    pub state: State,
    /// Grows by one when its secret is replaced.
    pub generation: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When its secret was made, which is later where it was replaced.
    pub secret_since: Timestamp,
    /// The actor that made it.
    pub created_by: Arc<str>,
    /// It is good from this moment on; `None` from its creation on.
    pub not_before: Option<Timestamp>,
    /// It is good strictly before this moment; `None` if nothing but a command ends it.
    pub expires: Option<Timestamp>,
    /// It is good strictly before this moment, at which the overlap of its rotation is over; `None` while it is not being
    /// rotated.
    pub retire_at: Option<Timestamp>,
    /// It ends when it was not used for so long; `None` if it may rest.
    pub idle_timeout: Option<Duration>,
    /// When it was last used, as coarsely as [`GroupPolicy::USE_GRAIN`](crate::GroupPolicy::USE_GRAIN) says. It is
    /// recorded apart from changes.
    pub last_used: Option<Timestamp>,
    /// Time has ended it, and the ledger says so: it stays ended though a clock is set back.
    pub ended: bool,
    /// The thresholds before its end that its owner was told of.
    pub notices_told: u8,
    /// Its owner was told that it is due for rotation.
    pub rotation_told: bool,
    /// What it may be used for.
    pub scopes: Scopes,
    /// From where it may be used; `None` from everywhere.
    pub allowed_addresses: Option<AddressList>,
    /// What people call it.
    pub label: Arc<str>,
    /// What depends on it: schedulers, webhooks, by name.
    pub dependants: Vec<Arc<str>>,
    /// What is kept of its secret.
    pub kept: Kept,
}

/// What commands made of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// It may be used, if its times allow it.
    Active,
    /// It was discarded, and may be reactivated or deleted.
    Inactive,
    /// It was ended for good, and may be deleted.
    Revoked,
    /// Only its name is left.
    Deleted,
}

/// What a credential is at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It is accepted.
    Usable,
    /// It is accepted later.
    NotYet,
    /// Its end has come, or it was not used for too long.
    Expired,
    /// It was rotated, and the overlap is over, whether or not its successor is in use.
    Retired,
    /// It was discarded.
    Inactive,
    /// It was ended for good.
    Revoked,
    /// Only its name is left.
    Deleted,
}

impl Credential {
    /// What the credential is at this moment. It is good strictly before each of its ends.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        match self.state {
            State::Inactive => Status::Inactive,
            State::Revoked => Status::Revoked,
            State::Deleted => Status::Deleted,
            State::Active if self.has_passed(now) => Status::Expired,
            State::Active if self.retire_at.is_some_and(|at| now >= at) => Status::Retired,
            State::Active if self.not_before.is_some_and(|from| now < from) => Status::NotYet,
            State::Active => Status::Usable,
        }
    }

    /// The moment at which it ends if nobody uses it: the earlier of its expiry and of its idle timeout.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        let idle = self.idle_timeout.map(|span| self.unused_since().after(span));
        match (self.expires, idle) {
            (Some(expires), Some(idle)) => Some(expires.min(idle)),
            (one, other) => one.or(other),
        }
    }

    /// Does a store find it? What was revoked or deleted is looked for by nobody.
    pub(crate) const fn is_found(&self) -> bool {
        matches!(self.state, State::Active | State::Inactive)
    }

    /// The moment from which on its idle time counts: its last use, or its beginning.
    pub(crate) fn unused_since(&self) -> Timestamp {
        self.last_used.unwrap_or_default().max(self.starts())
    }

    /// The moment from which on it is good.
    pub(crate) fn starts(&self) -> Timestamp {
        self.not_before.map_or(self.created, |from| from.max(self.created))
    }

    /// Has its end come, whatever commands made of it?
    pub(crate) fn has_passed(&self, now: Timestamp) -> bool {
        self.ended || self.end().is_some_and(|end| now >= end)
    }

    /// Is it usable, and will it be for at least this span, as far as anybody can tell?
    #[must_use]
    pub fn is_lasting(&self, now: Timestamp, horizon: Duration) -> bool {
        let ends_soon = self.expires.is_some_and(|end| end <= now.after(horizon));
        self.status(now) == Status::Usable && self.retire_at.is_none() && !ends_soon
    }

    /// Has it ended for good, so that nothing but its deletion is left to be done?
    #[must_use]
    pub fn has_ended(&self, now: Timestamp) -> bool {
        matches!(self.status(now), Status::Expired | Status::Revoked | Status::Deleted)
    }

    /// The moment at which its secret is due for rotation, if the policy rotates and nothing retires it already.
    #[must_use]
    pub fn rotation_due_at(&self, policy: &GroupPolicy) -> Option<Timestamp> {
        let rotates = self.state == State::Active && self.retire_at.is_none();
        policy.rotate_every.filter(|_| rotates).map(|age| self.secret_since.after(age))
    }

    /// The moment at which time will next make something of it, for which there is a command.
    #[must_use]
    pub fn next_due(&self, policy: &GroupPolicy) -> Option<Timestamp> {
        if self.state != State::Active || self.ended {
            return None;
        }
        let told = usize::from(self.notices_told);
        let notice =
            self.expires.zip(policy.notices.get(told)).map(|(end, span)| end.before(*span));
        let rotation = self.rotation_due_at(policy).filter(|_| !self.rotation_told);
        [self.end(), self.retire_at, notice, rotation].into_iter().flatten().min()
    }
}

impl State {
    /// Its name in events and views.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Revoked => "revoked",
            Self::Deleted => "deleted",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Inactive, Self::Revoked, Self::Deleted]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::credential;

    #[track_caller]
    fn check(change: impl FnOnce(&mut Credential), now: u64, expected: Status) {
        let mut it = credential("c1", 1000);
        change(&mut it);
        assert_eq!(it.status(Timestamp::from_unix(now)), expected);
    }

    fn at(seconds: u64) -> Option<Timestamp> {
        Some(Timestamp::from_unix(seconds))
    }

    #[test]
    fn is_good_strictly_before_its_end() {
        check(|it| it.expires = at(2000), 1999, Status::Usable);
        check(|it| it.expires = at(2000), 2000, Status::Expired);
        check(|it| it.retire_at = at(2000), 1999, Status::Usable);
        check(|it| it.retire_at = at(2000), 2000, Status::Retired);
        check(|it| it.not_before = at(2000), 1999, Status::NotYet);
        check(|it| it.not_before = at(2000), 2000, Status::Usable);
    }

    #[test]
    fn an_idle_timeout_counts_from_the_last_use_or_the_creation() {
        let hour = Duration::from_secs(3600);
        check(|it| it.idle_timeout = Some(hour), 4599, Status::Usable);
        check(|it| it.idle_timeout = Some(hour), 4600, Status::Expired);
        let used = |it: &mut Credential| (it.idle_timeout, it.last_used) = (Some(hour), at(2000));
        check(used, 5599, Status::Usable);
        check(used, 5600, Status::Expired);
    }

    #[test]
    fn what_has_ended_stays_ended_though_the_clock_is_set_back() {
        check(|it| (it.expires, it.ended) = (at(2000), true), 1500, Status::Expired);
    }

    #[test]
    fn a_state_that_is_not_active_is_never_usable() {
        for (state, status) in [
            (State::Inactive, Status::Inactive),
            (State::Revoked, Status::Revoked),
            (State::Deleted, Status::Deleted),
        ] {
            check(|it| it.state = state, 1500, status);
            assert_eq!(State::from_name(state.name()), Some(state));
        }
    }

    #[test]
    fn what_ends_soon_or_retires_is_not_lasting() {
        let (now, horizon) = (Timestamp::from_unix(1500), Duration::from_secs(100));
        let mut it = credential("c1", 1000);
        assert!(it.is_lasting(now, horizon));
        it.expires = at(1601);
        assert!(it.is_lasting(now, horizon));
        it.expires = at(1600);
        assert!(!it.is_lasting(now, horizon));
        (it.expires, it.retire_at) = (None, at(9000));
        assert!(!it.is_lasting(now, horizon));
    }

    #[test]
    fn is_looked_for_until_it_is_revoked() {
        let states = [State::Active, State::Inactive, State::Revoked, State::Deleted];
        let found = states.map(|state| Credential { state, ..credential("c1", 1000) }.is_found());
        assert_eq!(found, [true, true, false, false]);
    }

    #[test]
    fn what_retires_or_is_not_active_is_due_for_no_rotation() {
        let rotate_every = Some(Duration::from_secs(50));
        let policy = GroupPolicy { rotate_every, ..GroupPolicy::two_in_rotation() };
        let mut it = credential("c1", 1000);
        assert_eq!(it.rotation_due_at(&policy), at(1050));
        it.retire_at = at(9000);
        assert_eq!(it.rotation_due_at(&policy), None);
        (it.retire_at, it.state) = (None, State::Inactive);
        assert_eq!(it.rotation_due_at(&policy), None);
    }

    #[test]
    fn is_due_at_the_first_moment_at_which_time_makes_something_of_it() {
        let notices = vec![Duration::from_secs(300), Duration::from_secs(100)];
        let policy = GroupPolicy { notices, ..GroupPolicy::two_in_rotation() };
        let rotating =
            GroupPolicy { rotate_every: Some(Duration::from_secs(50)), ..policy.clone() };
        let mut it = credential("c1", 1000);
        assert_eq!(it.next_due(&policy), None);
        assert_eq!(it.next_due(&rotating), at(1050));
        it.secret_since = Timestamp::from_unix(1100);
        assert_eq!(it.next_due(&rotating), at(1150));
        it.rotation_told = true;
        assert_eq!(it.next_due(&rotating), None);
        it.expires = at(2000);
        assert_eq!(it.next_due(&policy), at(1700));
        it.notices_told = 1;
        assert_eq!(it.next_due(&policy), at(1900));
        it.notices_told = 2;
        assert_eq!(it.next_due(&policy), at(2000));
        it.retire_at = at(1500);
        assert_eq!(it.next_due(&policy), at(1500));
        it.ended = true;
        assert_eq!(it.next_due(&policy), None);
    }
}
