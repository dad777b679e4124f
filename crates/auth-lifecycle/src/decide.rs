//! What a command makes of a group: pure, so that tests, models and programs run the same.

mod alter;
mod begin;
pub(crate) mod bounds;
mod end;
mod guard;
mod tally;
mod time;

pub(crate) use tally::Tally;

use crate::{
    Command, CommandName, CommandRefusal, Credential, CredentialId, EventName, Group, GroupId,
    GroupPolicy, Happening, Order, Role, State,
};
use auth_core::Timestamp;
use std::{borrow::Cow, time::Duration};

/// What is known before a command is decided: a group, and its rules.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The rules.
    pub policy: GroupPolicy,
    /// The group.
    pub group: Group,
}

/// What a command makes of a group. A store writes all of it or nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What changes; `None` where nothing does.
    pub change: Option<GroupChange>,
    /// What happened, in order.
    pub events: Vec<Happening>,
}

/// How a group changes.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupChange {
    /// The group.
    pub id: GroupId,
    /// The version that the group has to have. It has the next one afterwards.
    pub expected: u64,
    /// The moment of the change.
    pub latest: Timestamp,
    /// When the last credentials were created.
    pub creations: Vec<Timestamp>,
    /// When time will next make something of the group.
    pub next_due: Option<Timestamp>,
    /// The credentials that are new or have changed, as they are from now on. None, where only
    /// [`next_due`](Self::next_due) moves.
    pub credentials: Vec<Credential>,
}

/// Decides a command: what changes and what happened, or why it is refused.
///
/// A moment before the group's [`latest`](Group::latest) counts as that one, so a clock that was set back neither ends
/// nor revives anything.
///
/// # Errors
///
/// A [`CommandRefusal`]. Nothing has changed then.
pub fn decide(
    snapshot: &Snapshot,
    order: &Order,
    now: Timestamp,
) -> Result<Decision, CommandRefusal> {
    let group = &snapshot.group;
    let about = || order.command.credential().and_then(|id| group.credential(id));
    decided(snapshot, order, now, about, || Tally::of(snapshot, now)).map(Work::finish)
}

/// Decides with the credential that the command is about and the counts of the group, where they are known already.
fn decided<'a>(
    snapshot: &'a Snapshot,
    order: &'a Order,
    now: Timestamp,
    about: impl FnOnce() -> Option<&'a Credential>,
    tally: impl FnOnce() -> Tally,
) -> Result<Work<'a>, CommandRefusal> {
    let Snapshot { policy, group } = snapshot;
    let name = order.command.name();
    if order.actor.tenant != group.id.tenant {
        return Err(CommandRefusal::Unknown);
    }
    if !order.actor.role.may(name) {
        return Err(CommandRefusal::Forbidden);
    }
    let about = about();
    if order.command.credential().is_some() && about.is_none() {
        return Err(CommandRefusal::Unknown);
    }
    if let (Some(about), Role::Bearer) = (about, order.actor.role) {
        if *about.id.as_str() != *order.actor.id {
            return Err(CommandRefusal::Unknown);
        }
    }
    if order.expected_version.is_some_and(|version| version != group.version) {
        return Err(CommandRefusal::VersionChanged { current: group.version });
    }
    bounds::check_cause(&order.cause)?;
    if !policy.holds.allows(name) {
        return Err(CommandRefusal::NotForKind { command: name });
    }
    let mut work = Work::new(snapshot, order, now, about, tally());
    work.apply(about.cloned())?;
    Ok(work)
}

/// The commands on this credential that would not be refused now, whatever the actor's role is: what a screen enables.
///
/// A deletion counts as permitted though it still needs its proof. An update and a binding count where nothing is changed.
#[must_use]
pub fn permitted(
    snapshot: &Snapshot,
    credential: &CredentialId,
    now: Timestamp,
) -> Vec<CommandName> {
    let about = snapshot.group.credential(credential);
    about.map_or_else(Vec::new, |it| permitted_on(snapshot, Tally::of(snapshot, now), it, now))
}

/// The same of a credential of the group, whose counts are known already: a screen asks for each credential of it.
pub(crate) fn permitted_on(
    snapshot: &Snapshot,
    tally: Tally,
    it: &Credential,
    now: Timestamp,
) -> Vec<CommandName> {
    let accepted = |order: &Order| decided(snapshot, order, now, || Some(it), || tally).is_ok();
    let orders = probe::commands(snapshot, &it.id, now).into_iter();
    orders.filter(accepted).map(|order| order.command.name()).collect()
}

mod probe;

/// The clocks of two processes may differ by this much.
pub(crate) const CLOCKS_APART: Duration = Duration::from_secs(30);

/// A decision that is being made.
struct Work<'a> {
    policy: &'a GroupPolicy,
    order: &'a Order,
    before: &'a Group,
    /// What the clock told.
    told: Timestamp,
    /// The same, or the moment of the group's last change where that is later.
    now: Timestamp,
    about: Option<&'a Credential>,
    /// The counts of the group before the command.
    was: Tally,
    /// And with what has changed.
    tally: Tally,
    creations: Cow<'a, [Timestamp]>,
    changed: Vec<Credential>,
    events: Vec<Happening>,
    /// The store has to hear when the group is due next, though no credential changes.
    moves_next_due: bool,
}

impl<'a> Work<'a> {
    fn new(
        snapshot: &'a Snapshot,
        order: &'a Order,
        now: Timestamp,
        about: Option<&'a Credential>,
        was: Tally,
    ) -> Self {
        let Snapshot { policy, group: before } = snapshot;
        Self {
            policy,
            order,
            before,
            told: now,
            now: now.max(before.latest),
            about,
            was,
            tally: was,
            creations: Cow::Borrowed(&before.creations),
            changed: Vec::new(),
            events: Vec::new(),
            moves_next_due: false,
        }
    }

    /// The credential of this name as it was.
    fn original(&self, id: &CredentialId) -> Option<&'a Credential> {
        self.about.filter(|about| about.id == *id).or_else(|| self.before.credential(id))
    }

    /// The credential of this name with what has changed.
    fn newest(&self, id: &CredentialId) -> Option<&Credential> {
        let changed = self.changed.iter().find(|one| one.id == *id);
        changed.or_else(|| self.original(id)).filter(|one| one.state != State::Deleted)
    }

    /// All credentials that are not deleted, with what has changed.
    fn present(&self) -> impl Iterator<Item = &Credential> {
        let is_changed = |one: &&Credential| self.changed.iter().any(|other| other.id == one.id);
        let unchanged = self.before.credentials.iter().filter(move |one| !is_changed(one));
        unchanged.chain(&self.changed).filter(|one| one.state != State::Deleted)
    }

    fn apply(&mut self, about: Option<Credential>) -> Result<(), CommandRefusal> {
        match (&self.order.command, about) {
            (Command::Create { new, live }, None) => self.create(new, *live),
            (Command::Import(new), None) => self.import(new),
            (Command::RetireDue, None) => {
                self.retire_due();
                Ok(())
            }
            (Command::Discard { confirmed, .. }, Some(it)) => self.discard(it, *confirmed),
            (Command::Reactivate(_), Some(it)) => self.reactivate(it),
            (Command::Delete { confirmed, proof, .. }, Some(it)) => {
                self.delete(it, *confirmed, proof.as_ref())
            }
            (Command::Regenerate { kept, .. }, Some(it)) => self.regenerate(it, kept),
            (Command::Rotate { overlap, new, .. }, Some(it)) => self.rotate(it, *overlap, new),
            (Command::CancelRetire(_), Some(it)) => self.cancel_retire(it),
            (Command::Revoke { guard, .. }, Some(it)) => self.revoke(it, *guard),
            (Command::Reveal(_), Some(it)) => self.reveal(&it),
            (Command::Update { update, .. }, Some(it)) => self.update(it, update),
            (Command::Destroy(_), Some(it)) => self.destroy(it),
            (Command::ReportLeaked(_), Some(it)) => {
                self.report_leaked(it);
                Ok(())
            }
            (Command::Bind { dependant, .. }, Some(it)) => self.bind(it, dependant),
            (Command::Unbind { dependant, .. }, Some(it)) => self.unbind(it, dependant),
            (Command::Rehash { generation, material, .. }, Some(it)) => {
                self.rehash(it, *generation, material)
            }
            // A command is about a credential or it is not; the two cannot disagree.
            (_, _) => Err(CommandRefusal::Unknown),
        }
    }

    /// Puts a credential, new or changed, in its place, and tells what happened.
    fn put(&mut self, it: Credential, name: EventName, detail: String) {
        let before = self.newest(&it.id);
        let mut touched = vec![it.kept.found_by];
        touched.extend(before.map(|before| before.kept.found_by));
        touched.dedup();
        let states = (before.map_or(it.state, |before| before.state), it.state);
        let (policy, now) = (self.policy, self.now);
        let without = before.map_or(self.tally, |one| self.tally.without(one, policy, now));
        self.tally = without.with(&it, policy, now);
        self.tell(Some(it.id.clone()), name, Some(states), detail, touched);
        self.changed.retain(|one| one.id != it.id);
        self.changed.push(it);
    }

    fn tell(
        &mut self,
        credential: Option<CredentialId>,
        name: EventName,
        states: Option<(State, State)>,
        detail: String,
        touched: Vec<auth_core::KeyDigest>,
    ) {
        let actor = &self.order.actor;
        self.events.push(Happening {
            tenant: actor.tenant.clone(),
            service: self.before.id.service.clone(),
            group: None,
            credential,
            name,
            at: self.now,
            actor: actor.id.clone(),
            role: actor.role,
            cause: self.order.cause.clone(),
            states,
            detail,
            touched,
        });
    }

    fn finish(mut self) -> Decision {
        let changes = !self.changed.is_empty() || self.moves_next_due;
        let version = self.before.version.saturating_add(u64::from(changes));
        for event in &mut self.events {
            event.group = Some((self.before.id.clone(), version));
        }
        let next_due = self.present().filter_map(|one| one.next_due(self.policy)).min();
        let change = changes.then(|| GroupChange {
            id: self.before.id.clone(),
            expected: self.before.version,
            latest: self.now,
            next_due,
            creations: self.creations.into_owned(),
            credentials: self.changed,
        });
        Decision { change, events: self.events }
    }
}

#[cfg(test)]
mod tests;
