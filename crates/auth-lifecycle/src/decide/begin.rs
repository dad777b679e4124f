//! Credentials and secrets that begin: created, imported, regenerated, rotated.

use super::{
    CLOCKS_APART, Work,
    bounds::{check_expires, check_label, check_scopes},
};
use crate::{
    CommandRefusal, Credential, EventName, GroupPolicy, Holds, Kept, LiveSession, Material,
    NewCredential, State, Status,
};
use auth_core::Timestamp;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Work<'_> {
    pub(super) fn create(
        &mut self,
        new: &NewCredential,
        live: LiveSession,
    ) -> Result<(), CommandRefusal> {
        self.count_creation()?;
        if self.policy.holds == Holds::OneSession {
            // By either clock, where they differ.
            let alive = |one: &&Credential| {
                [self.now, self.told]
                    .iter()
                    .any(|now| matches!(one.status(*now), Status::Usable | Status::NotYet))
            };
            if let Some(alive) = self.before.credentials.iter().find(alive).cloned() {
                if live == LiveSession::Keep {
                    return Err(CommandRefusal::SessionAlreadyActive);
                }
                let revoked = Credential { state: State::Revoked, ..alive };
                self.put(revoked, EventName::SessionDestroyed, "replaced".into());
            }
        }
        self.forget_ended_sessions();
        self.add(new, EventName::Created, String::new())
    }

    pub(super) fn import(&mut self, new: &NewCredential) -> Result<(), CommandRefusal> {
        self.add(new, EventName::Imported, String::new())
    }

    /// The credential keeps its name; the old secret ends in the same step.
    pub(super) fn regenerate(&mut self, it: Credential, kept: &Kept) -> Result<(), CommandRefusal> {
        self.still_to_be_used(&it)?;
        if kept.fingerprint == it.kept.fingerprint {
            return Err(CommandRefusal::SecretTaken);
        }
        let generation = it.generation.saturating_add(1);
        let renewed = Credential {
            generation,
            kept: kept.clone(),
            secret_since: self.now,
            rotation_told: false,
            ..it
        };
        self.put(renewed, EventName::Regenerated, format!("generation {generation}"));
        Ok(())
    }

    /// The old one is good until the overlap is over, whether or not its successor is used, and never longer than it was
    /// before.
    pub(super) fn rotate(
        &mut self,
        it: Credential,
        overlap: Duration,
        new: &NewCredential,
    ) -> Result<(), CommandRefusal> {
        match it.status(self.now) {
            Status::Usable => {}
            Status::Expired | Status::Retired => return Err(CommandRefusal::Expired),
            status => return Err(CommandRefusal::WrongState { status }),
        }
        if overlap.is_zero() {
            let (field, expected) =
                ("overlap", "more than zero; regenerate ends the old secret at once");
            return Err(CommandRefusal::Invalid { field, expected });
        }
        // What has ended before it was retired is no rotation any more.
        if self.tally.rotating > 0 {
            return Err(CommandRefusal::RotationInProgress);
        }
        let ends = self.now.after(overlap);
        let retire_at = Some(it.expires.map_or(ends, |expires| expires.min(ends)));
        self.count_creation()?;
        let new = successor(new, &it);
        self.add(&new, EventName::Created, format!("successor of {}", it.id))?;
        let detail = format!("successor {}", new.id);
        self.put(Credential { retire_at, ..it }, EventName::RotationStarted, detail);
        self.guard()
    }

    /// Keeps a password under the registry's own hash. The password is the same, and so is its generation.
    pub(super) fn rehash(
        &mut self,
        it: Credential,
        generation: u64,
        material: &Material,
    ) -> Result<(), CommandRefusal> {
        let may_be_used = matches!(it.state, State::Active | State::Inactive);
        if may_be_used && it.generation == generation && it.kept.material != *material {
            let kept = Kept { material: material.clone(), ..it.kept.clone() };
            self.put(Credential { kept, ..it }, EventName::Rehashed, String::new());
        }
        Ok(())
    }

    fn add(
        &mut self,
        new: &NewCredential,
        name: EventName,
        detail: String,
    ) -> Result<(), CommandRefusal> {
        if self.original(&new.id).is_some() {
            return Err(CommandRefusal::SecretTaken);
        }
        let most = self.policy.max_total;
        if self.tally.places >= usize::from(most) {
            return Err(CommandRefusal::CapReached { most });
        }
        if self.tally.present >= usize::from(GroupPolicy::MOST) {
            return Err(CommandRefusal::CapReached { most: GroupPolicy::MOST });
        }
        check_label(&new.label)?;
        check_scopes(&new.scopes)?;
        check_expires(new.expires)?;
        let now = self.begins();
        let starts = new.not_before.unwrap_or(now).max(now);
        let lifetime = self.policy.lifetime.map(|life| starts.after(life));
        let expires = new.expires.or(lifetime);
        let latest = self.policy.longest_lifetime.map(|life| starts.after(life));
        let invalid = |field, expected| Err(CommandRefusal::Invalid { field, expected });
        if expires.is_some_and(|end| end <= starts) {
            return invalid("expires", "a moment after the beginning");
        }
        if latest.is_some_and(|latest| expires.is_none_or(|end| end > latest)) {
            return invalid("expires", "a moment within the longest lifetime of the policy");
        }
        let new = NewCredential { expires, ..new.clone() };
        let it = new.into_credential(&self.order.actor, now, self.policy.idle_timeout);
        self.put(it, name, detail);
        Ok(())
    }

    /// When what is created now begins. Another process may have written the group's last moment under a clock that was
    /// ahead: a life that was counted from there would be as much longer.
    fn begins(&self) -> Timestamp {
        let is_apart = self.now.since(self.told) > CLOCKS_APART;
        if is_apart { self.told } else { self.now }
    }

    /// Counts a creation, and forgets those of more than 24 hours ago.
    fn count_creation(&mut self) -> Result<(), CommandRefusal> {
        let Some(most) = self.policy.creations_a_day else { return Ok(()) };
        let creations = self.creations.to_mut();
        creations.retain(|at| self.now.since(*at) < DAY);
        if let Some(surplus) = creations.len().checked_sub(usize::from(most)) {
            // When this one is a day old, there is room for the next.
            let one = creations.get(surplus).copied().unwrap_or(self.now);
            let retry_after = one.after(DAY).since(self.now);
            return Err(CommandRefusal::CreationRate { retry_after });
        }
        creations.push(self.now);
        Ok(())
    }
}

/// What a successor is not given of its own it has from the one before: without that, a rotation would open a key to
/// addresses from which nobody might use it, and take away what it is used for.
fn successor(new: &NewCredential, before: &Credential) -> NewCredential {
    let mut new = new.clone();
    if new.label.is_empty() {
        new.label.clone_from(&before.label);
    }
    if new.scopes.iter().next().is_none() {
        new.scopes.clone_from(&before.scopes);
    }
    if new.allowed_addresses.is_none() {
        new.allowed_addresses.clone_from(&before.allowed_addresses);
    }
    new
}
