//! What a command makes of a group: pure, so that tests, models and programs run the same.

mod alter;
mod begin;
pub(crate) mod bounds;
mod end;
mod time;

use crate::{
    Command, CommandName, CommandRefusal, Credential, CredentialId, EventName, Group, GroupId,
    GroupPolicy, Happening, Holds, Order, Role, State, Status,
};
use auth_core::Timestamp;

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
    let Snapshot { policy, group } = snapshot;
    let name = order.command.name();
    if order.actor.tenant != group.id.tenant {
        return Err(CommandRefusal::Unknown);
    }
    if !order.actor.role.may(name) {
        return Err(CommandRefusal::Forbidden);
    }
    let about = order.command.credential();
    let about = about.map(|id| group.credential(id).ok_or(CommandRefusal::Unknown)).transpose()?;
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
    let mut work = Work::new(snapshot, order, now);
    work.apply(about.cloned())?;
    Ok(work.finish())
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
    probe::commands(snapshot, credential, now)
        .into_iter()
        .filter(|order| decide(snapshot, order, now).is_ok())
        .map(|order| order.command.name())
        .collect()
}

mod probe;

/// A decision that is being made.
struct Work<'a> {
    policy: &'a GroupPolicy,
    order: &'a Order,
    before: &'a Group,
    /// What the clock told.
    told: Timestamp,
    /// The same, or the moment of the group's last change where that is later.
    now: Timestamp,
    after: Group,
    changed: Vec<Credential>,
    events: Vec<Happening>,
    /// The store has to hear when the group is due next, though no credential changes.
    moves_next_due: bool,
}

impl<'a> Work<'a> {
    fn new(snapshot: &'a Snapshot, order: &'a Order, now: Timestamp) -> Self {
        let Snapshot { policy, group } = snapshot;
        let (told, now) = (now, now.max(group.latest));
        let (changed, events) = (Vec::new(), Vec::new());
        let (after, moves_next_due) = (group.clone(), false);
        Self { policy, order, before: group, told, now, after, changed, events, moves_next_due }
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
        let before = self.after.credential(&it.id);
        let mut touched = vec![it.kept.found_by];
        touched.extend(before.map(|before| before.kept.found_by));
        touched.dedup();
        let states = (before.map_or(it.state, |before| before.state), it.state);
        self.tell(Some(it.id.clone()), name, Some(states), detail, touched);
        match self.after.credentials.iter_mut().find(|one| one.id == it.id) {
            Some(place) => place.clone_from(&it),
            None => self.after.credentials.push(it.clone()),
        }
        self.after.credentials.retain(|one| one.state != State::Deleted);
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

    /// Refuses what is over: its end has come, in whatever state it is.
    fn still_to_be_used(&self, it: &Credential) -> Result<(), CommandRefusal> {
        match it.status(self.now) {
            Status::Inactive if it.has_passed(self.now) => Err(CommandRefusal::Expired),
            Status::Usable | Status::NotYet | Status::Inactive => Ok(()),
            Status::Expired | Status::Retired => Err(CommandRefusal::Expired),
            status => Err(CommandRefusal::WrongState { status }),
        }
    }

    /// Refuses what leaves fewer lasting, or fewer usable, credentials than the policy wants, unless it was so before.
    fn guard(&self) -> Result<(), CommandRefusal> {
        if self.takes_the_last() { Err(CommandRefusal::LastActive) } else { Ok(()) }
    }

    fn takes_the_last(&self) -> bool {
        let least = usize::from(self.policy.min_active);
        let below = |before: usize, after: usize| after < before && after < least;
        let lasting = |group: &Group| group.lasting(self.policy, self.now);
        let kept = self.after.credentials.iter().filter(|one| self.keeps(one)).count();
        below(lasting(self.before), lasting(&self.after))
            || below(self.before.usable(self.now), kept)
    }

    /// Is it usable, and for as long as it was before, or lasting?
    fn keeps(&self, after: &Credential) -> bool {
        let end = |one: &Credential| [one.expires, one.retire_at].into_iter().flatten().min();
        let ends_earlier = |before: &Credential| {
            end(after).is_some_and(|end_after| end(before).is_none_or(|end| end_after < end))
        };
        let shortened = self.before.credential(&after.id).is_some_and(ends_earlier);
        after.status(self.now) == Status::Usable
            && (!shortened || after.is_lasting(self.now, self.policy.guard_horizon))
    }

    fn finish(mut self) -> Decision {
        let changes = !self.changed.is_empty() || self.moves_next_due;
        let version = self.before.version.saturating_add(u64::from(changes));
        for event in &mut self.events {
            event.group = Some((self.before.id.clone(), version));
        }
        let change = changes.then(|| GroupChange {
            id: self.before.id.clone(),
            expected: self.before.version,
            latest: self.now,
            next_due: self.after.next_due(self.policy),
            creations: self.after.creations,
            credentials: self.changed,
        });
        Decision { change, events: self.events }
    }
}

impl Holds {
    /// Sessions are created, end and are destroyed; all else is for keys.
    const fn allows(self, command: CommandName) -> bool {
        match command {
            CommandName::Create
            | CommandName::RetireDue
            | CommandName::Revoke
            | CommandName::ReportLeaked => true,
            CommandName::Destroy => !matches!(self, Self::Keys),
            _ => matches!(self, Self::Keys),
        }
    }
}

#[cfg(test)]
mod tests;
