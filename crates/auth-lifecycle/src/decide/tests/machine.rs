//! What holds for every step of a group, whoever decides it.

use super::super::*;
use crate::{Command, Holds, RevokeGuard, Status, StepUp};

/// What a step has to keep, and did not: the invariant, and what was seen.
pub(super) type Broken = (&'static str, String);

pub(super) type Decided = Result<Decision, CommandRefusal>;

/// Decides a command, as `decide` does, or with one guard undone.
pub(super) type Machine = fn(&Snapshot, &Order, Timestamp) -> Decided;

fn require(
    holds: bool,
    invariant: &'static str,
    seen: impl FnOnce() -> String,
) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err((invariant, seen())) }
}

/// The group as a store keeps it after this change.
pub(super) fn written(group: &Group, change: &GroupChange) -> Group {
    let mut group = group.clone();
    group.version = change.expected + 1;
    (group.latest, group.creations) = (change.latest, change.creations.clone());
    for it in &change.credentials {
        match group.credentials.iter_mut().find(|one| one.id == it.id) {
            Some(place) => *place = it.clone(),
            None => group.credentials.push(it.clone()),
        }
    }
    group.credentials.retain(|one| one.state != State::Deleted);
    group
}

/// Checks everything that one step can show.
pub(super) fn check(
    snapshot: &Snapshot,
    order: &Order,
    now: Timestamp,
    decided: &Decided,
) -> Result<(), Broken> {
    all(snapshot, order, now, decided).into_iter().collect()
}

/// Checks one invariant, or all of them.
pub(super) fn check_one(
    invariant: Option<&str>,
    snapshot: &Snapshot,
    order: &Order,
    now: Timestamp,
    decided: &Decided,
) -> Result<(), Broken> {
    let wanted = |found: &Result<(), Broken>| match (found, invariant) {
        (Err((broken, _)), Some(invariant)) => *broken == invariant,
        _ => true,
    };
    all(snapshot, order, now, decided).into_iter().filter(wanted).collect()
}

fn all(
    snapshot: &Snapshot,
    order: &Order,
    now: Timestamp,
    decided: &Decided,
) -> Vec<Result<(), Broken>> {
    let Ok(decision) = decided else { return Vec::new() };
    let (before, policy) = (&snapshot.group, &snapshot.policy);
    let time = now.max(before.latest);
    let after = decision.change.as_ref().map_or_else(|| before.clone(), |it| written(before, it));
    let step = Step { before, after: &after, policy, order, decision, told: now, time };
    vec![
        step.keeps_the_last(),
        step.keeps_the_caps(),
        step.deletes_with_proof(),
        step.ends_for_good(),
        step.has_one_session(),
        step.tells_everything(),
        step.never_goes_back(),
        step.is_audited(),
        step.is_done_once(),
    ]
}

struct Step<'a> {
    before: &'a Group,
    after: &'a Group,
    policy: &'a GroupPolicy,
    order: &'a Order,
    decision: &'a Decision,
    /// What the clock told.
    told: Timestamp,
    time: Timestamp,
}

impl Step<'_> {
    fn changed(&self) -> &[Credential] {
        self.decision.change.as_ref().map_or(&[], |change| &change.credentials)
    }

    /// I1.
    fn keeps_the_last(&self) -> Result<(), Broken> {
        let glass = RevokeGuard::BreakGlass;
        let broken =
            matches!(&self.order.command, Command::Revoke { guard, .. } if *guard == glass);
        if self.order.command.name() == CommandName::RetireDue || broken {
            return Ok(());
        }
        let least = usize::from(self.policy.min_active);
        let lasting = |group: &Group| group.lasting(self.policy, self.time);
        let usable = |group: &Group| group.usable(self.time);
        for (before, after) in
            [(lasting(self.before), lasting(self.after)), (usable(self.before), usable(self.after))]
        {
            require(after >= least.min(before), "I1", || format!("{before} became {after}"))?;
        }
        Ok(())
    }

    /// I2.
    fn keeps_the_caps(&self) -> Result<(), Broken> {
        let inactive = |group: &Group| group.in_state(State::Inactive);
        for (before, after, most) in [
            (inactive(self.before), inactive(self.after), self.policy.max_inactive),
            (self.before.places_taken(), self.after.places_taken(), self.policy.max_total),
        ] {
            let kept = after <= usize::from(most).max(before);
            require(kept, "I2", || format!("{before} became {after} of {most}"))?;
        }
        Ok(())
    }

    /// I3.
    fn deletes_with_proof(&self) -> Result<(), Broken> {
        for it in self.changed().iter().filter(|it| it.state == State::Deleted) {
            let before = self.before.credential(&it.id).map(|before| before.state);
            let removed = matches!(before, Some(State::Inactive | State::Revoked));
            let proved = match &self.order.command {
                Command::Delete { proof: Some(proof), .. } => {
                    proof.actor == self.order.actor.id
                        && proof.credential == it.id
                        && proof.command == CommandName::Delete
                        && proof.at.since(self.told) <= StepUp::MOST_AHEAD
                        && self.told.since(proof.at) < StepUp::LIFETIME
                }
                _ => false,
            };
            // What is left of a session that has ended goes by itself.
            let session = self.policy.holds != Holds::Keys;
            require(session || (removed && proved), "I3", || format!("{} was {before:?}", it.id))?;
        }
        Ok(())
    }

    /// I4.
    fn ends_for_good(&self) -> Result<(), Broken> {
        if let Some(change) = &self.decision.change {
            require(change.expected == self.before.version, "I4", || "a version".into())?;
        }
        for it in self.changed() {
            let Some(before) = self.before.credential(&it.id) else {
                let same = |one: &Credential| one.kept.fingerprint == it.kept.fingerprint;
                let taken = self.before.credentials.iter().any(same);
                require(!taken, "I4", || format!("{} has the secret of another", it.id))?;
                continue;
            };
            let revived = before.state == State::Revoked
                && matches!(it.state, State::Active | State::Inactive);
            require(!revived, "I4", || format!("{} was revoked", it.id))?;
            let renewed = before.kept.fingerprint != it.kept.fingerprint;
            let grew = it.generation == before.generation + u64::from(renewed)
                && it.created == before.created;
            require(grew, "I4", || format!("generation {} of {}", it.generation, it.id))?;
        }
        Ok(())
    }

    /// I5.
    fn has_one_session(&self) -> Result<(), Broken> {
        let most = if self.policy.holds == Holds::OneSession { 1 } else { usize::MAX };
        let usable = self.after.usable(self.time);
        require(usable <= most, "I5", || format!("{usable} sessions are alive"))
    }

    /// I6: the events of each credential lead from its state before to its state after, each with the version that is
    /// written.
    fn tells_everything(&self) -> Result<(), Broken> {
        let events = &self.decision.events;
        for event in events {
            let group = Some((self.before.id.clone(), self.after.version));
            require(event.group == group, "I6", || format!("{:?}", event.group))?;
        }
        for it in self.changed() {
            let told = events.iter().filter(|event| event.credential.as_ref() == Some(&it.id));
            let path: Vec<_> = told.filter_map(|event| event.states).collect();
            let mut at = self.before.credential(&it.id).map_or(it.state, |before| before.state);
            for (from, to) in &path {
                require(*from == at, "I6", || format!("{from:?} after {at:?}"))?;
                at = *to;
            }
            let told = !path.is_empty() && at == it.state;
            require(told, "I6", || format!("{} became {:?}, told {path:?}", it.id, it.state))?;
            let steps = path.iter().filter(|(from, to)| from != to).count();
            // A session that is replaced is destroyed, and then its place is freed.
            let most = 1 + usize::from(self.policy.holds == Holds::OneSession);
            require(steps <= most, "I6", || format!("{} has {steps} events", it.id))?;
            let touched = events.iter().any(|event| event.touched.contains(&it.kept.found_by));
            require(touched, "I6", || format!("caches keep {}", it.id))?;
        }
        Ok(())
    }

    /// I9.
    fn never_goes_back(&self) -> Result<(), Broken> {
        require(self.after.latest >= self.before.latest, "I9", || "latest".into())?;
        let then = |event: &Happening| event.at == self.time;
        require(self.decision.events.iter().all(then), "I9", || "an event".into())?;
        for it in &self.after.credentials {
            let before = self.before.credential(&it.id).map(|one| one.status(self.time));
            let usable = matches!(it.status(self.time), Status::Usable | Status::NotYet);
            let revived = before == Some(Status::Expired) && usable;
            require(!revived, "I9", || format!("{} is good again", it.id))?;
        }
        Ok(())
    }

    /// I10: every secret that comes into being or is shown again has its event, with the actor and its role.
    fn is_audited(&self) -> Result<(), Broken> {
        use EventName::{Created, Imported, Regenerated, Revealed};
        let actor = &self.order.actor;
        let by = |event: &Happening| event.actor == actor.id && event.role == actor.role;
        require(self.decision.events.iter().all(by), "I10", || "another actor".into())?;
        let says = |id: &CredentialId, names: &[EventName]| {
            let about = |event: &&Happening| event.credential.as_ref() == Some(id);
            self.decision.events.iter().filter(about).any(|event| names.contains(&event.name))
        };
        for it in self.changed() {
            let before = self.before.credential(&it.id).map(|before| before.kept.fingerprint);
            let new = before != Some(it.kept.fingerprint);
            let told = says(&it.id, &[Created, Imported, Regenerated]);
            require(told || !new, "I10", || format!("the secret of {}", it.id))?;
        }
        if let Command::Reveal(id) = &self.order.command {
            require(says(id, &[Revealed]), "I10", || format!("{id} was shown"))?;
        }
        Ok(())
    }

    /// I11, as far as the machine keeps it: what time does is done once, and the group is not due again at once.
    fn is_done_once(&self) -> Result<(), Broken> {
        if self.order.command.name() != CommandName::RetireDue || self.before.version == 0 {
            return Ok(());
        }
        let Some(change) = &self.decision.change else {
            return Err(("I11", "nobody hears when it is due".into()));
        };
        let later = change.next_due.is_none_or(|next| next > self.time);
        require(later, "I11", || format!("due at {:?} again", change.next_due))?;
        let snapshot = Snapshot { policy: self.policy.clone(), group: self.after.clone() };
        let again = decide(&snapshot, self.order, self.time);
        let nothing = again.as_ref().is_ok_and(|again| again.events.is_empty());
        require(nothing, "I11", || format!("{again:?}"))
    }
}
