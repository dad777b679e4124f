//! Two stores that are given the same commands give the same answers.

use super::{Checked, answer, ask, credential, digest, moment, same, tenant};
use crate::{
    Actor, Command, Commit, CommitOutcome, CredentialId, FieldChange, Group, GroupId, GroupPolicy,
    Kind, LifecycleStore, LiveSession, NewCredential, Order, RevokeGuard, Role, ServiceId,
    Snapshot, State, StepUp, Update, Use, decide,
};
use std::time::Duration;

/// What became of the commits of a walk: a walk that meets too few of one sort shows little of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Written.
    pub done: usize,
    /// Refused, since a group had changed.
    pub conflicts: usize,
    /// Done before.
    pub duplicates: usize,
    /// Refused, since a name or a fingerprint was given before.
    pub taken: usize,
}

/// Gives two fresh stores the same commands, so many of them, chosen by this seed; after each, both have to say the same.
///
/// Among the commands are stale ones, repeated ones, and some whose names and secrets were given before.
///
/// # Errors
///
/// What the two said differently, with the step.
pub fn same_outcomes(
    one: &dyn LifecycleStore,
    other: &dyn LifecycleStore,
    seed: u64,
    steps: usize,
) -> Result<Outcomes, String> {
    let outcomes = Outcomes::default();
    let mut walk = Walk { dice: seed | 1, now: 10_000, made: 0, outcomes };
    for step in 0..steps {
        walk.step(one, other).map_err(|fault| format!("seed {seed}, step {step}: {fault}"))?;
    }
    let ledger = |store: &dyn LifecycleStore| ask(store.changes_since(0, 1_000_000));
    same("the ledger", ledger(one)?, ledger(other)?)?;
    let audit = |store: &dyn LifecycleStore| ask(store.events_of(&tenant("acme"), 3, 1_000_000));
    same("the events of the tenant", audit(one)?, audit(other)?)?;
    Ok(walk.outcomes)
}

struct Walk {
    dice: u64,
    now: u64,
    made: u64,
    outcomes: Outcomes,
}

impl Walk {
    /// A number below this one (xorshift).
    fn below(&mut self, most: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice >> 8).checked_rem(most).unwrap_or(0)
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    fn group(&mut self) -> GroupId {
        let service = ServiceId::new(format!("s{}", self.below(3)));
        let kind = if self.one_in(2) { Kind::ServiceKey } else { Kind::ApiKey };
        GroupId::of_service(tenant("acme"), service, kind)
    }

    /// A name, mostly a new one.
    fn name(&mut self) -> String {
        if !self.one_in(10) {
            self.made = self.made.saturating_add(1);
        }
        format!("c{}", self.made)
    }

    fn new_one(&mut self) -> NewCredential {
        let name = self.name();
        let mut kept = credential(&name).kept;
        if self.one_in(10) {
            kept.fingerprint = digest(&format!("c{}", self.below(self.made.saturating_add(1))));
        }
        if self.one_in(4) {
            kept.found_by = digest(&format!("user {}", self.below(4)));
        }
        NewCredential {
            id: CredentialId::new(name),
            kept,
            not_before: None,
            expires: self.one_in(3).then(|| moment(self.now).after(Duration::from_secs(90_000))),
            scopes: ["send"].into_iter().collect(),
            allowed_addresses: None,
            label: "a key".into(),
        }
    }

    fn command(&mut self, group: &Group) -> Command {
        let number = self.below(8);
        let there = u64::try_from(group.credentials.len()).unwrap_or(0);
        let place = usize::try_from(self.below(there)).unwrap_or(0);
        let Some(it) = group.credentials.get(place).filter(|_| number > 1) else {
            return Command::Create { new: Box::new(self.new_one()), live: LiveSession::Keep };
        };
        let (credential, confirmed) = (it.id.clone(), group.version);
        match (number, it.state) {
            (2, State::Active) => Command::Discard { credential, confirmed },
            (2, State::Inactive) => Command::Reactivate(credential),
            (3, State::Inactive | State::Revoked) => {
                let (actor, command) = (Role::Owner.name().into(), crate::CommandName::Delete);
                let at = moment(self.now).max(group.latest);
                let proof = Some(StepUp { actor, credential: credential.clone(), command, at });
                Command::Delete { credential, confirmed, proof }
            }
            (3, _) => Command::Revoke { credential, guard: RevokeGuard::KeepLast },
            (4, _) => Command::Regenerate { credential, kept: self.new_one().kept },
            (5, _) => {
                let (overlap, new) = (Duration::from_secs(600), Box::new(self.new_one()));
                Command::Rotate { credential, overlap, new }
            }
            (6, _) => {
                let end = moment(self.now).after(Duration::from_secs(100_000));
                let update = Update { expires: FieldChange::Set(end), ..Update::default() };
                Command::Update { credential, update: Box::new(update) }
            }
            _ => Command::RetireDue,
        }
    }

    fn step(&mut self, one: &dyn LifecycleStore, other: &dyn LifecycleStore) -> Checked {
        self.now = self.now.saturating_add(self.below(1000));
        let id = self.group();
        let mut group = ask(one.load(&id))?;
        let command = self.command(&group);
        let role = if matches!(command, Command::RetireDue) { Role::System } else { Role::Owner };
        let order = Order::new(Actor::new(id.tenant.clone(), role.name(), role), command);
        if self.one_in(10) {
            group.version = group.version.saturating_add(1);
        }
        let policy =
            GroupPolicy { max_total: 4, max_inactive: 2, ..GroupPolicy::two_in_rotation() };
        let decided = decide(&Snapshot { policy, group }, &order, moment(self.now));
        if let Ok(decision) = decided {
            let name = format!("key {}", self.below(60));
            let commit = Commit {
                changes: decision.change.into_iter().collect(),
                events: decision.events,
                answer: self.one_in(2).then(|| answer(&name, self.now, self.now + 5000)),
                service: None,
            };
            let used = self.one_in(3).then(|| commit.clone());
            let outcome = ask(one.commit(commit.clone()))?;
            self.count(&outcome);
            same("a commit", outcome, ask(other.commit(commit))?)?;
            if let Some(again) = used {
                let outcome = ask(one.commit(again.clone()))?;
                self.count(&outcome);
                same("it again", outcome, ask(other.commit(again))?)?;
            }
        }
        if self.one_in(4) {
            let credential = CredentialId::new(format!("c{}", self.below(self.made + 1)));
            let uses = vec![Use { credential, at: moment(self.now), source: None }];
            ask(one.touch(uses.clone()))?;
            ask(other.touch(uses))?;
        }
        self.look(&id, one, other)
    }

    fn count(&mut self, outcome: &CommitOutcome) {
        let place = match outcome {
            CommitOutcome::Done { .. } => &mut self.outcomes.done,
            CommitOutcome::Conflict => &mut self.outcomes.conflicts,
            CommitOutcome::Duplicate(_) => &mut self.outcomes.duplicates,
            CommitOutcome::Taken => &mut self.outcomes.taken,
            CommitOutcome::Unknown => return,
        };
        *place = place.saturating_add(1);
    }

    fn look(
        &mut self,
        id: &GroupId,
        one: &dyn LifecycleStore,
        other: &dyn LifecycleStore,
    ) -> Checked {
        let now = moment(self.now);
        same("a group", ask(one.load(id))?, ask(other.load(id))?)?;
        same("what is due", ask(one.due(now, 9))?, ask(other.due(now, 9))?)?;
        same("the position", ask(one.position())?, ask(other.position())?)?;
        let name = format!("c{}", self.below(self.made.saturating_add(1)));
        let names = [name.clone(), format!("user {}", self.below(4))];
        for found_by in names.iter().map(|name| digest(name)) {
            same("a find", ask(one.find(&found_by))?, ask(other.find(&found_by))?)?;
        }
        let of = |store: &dyn LifecycleStore| ask(store.find_fingerprint(&digest(&name)));
        same("a fingerprint", of(one)?, of(other)?)?;
        let id = CredentialId::new(name);
        let of = |store: &dyn LifecycleStore| ask(store.group_of(&tenant("acme"), &id));
        same("the group of a credential", of(one)?, of(other)?)
    }
}
