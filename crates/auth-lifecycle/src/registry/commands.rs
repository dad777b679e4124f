//! Commands and views, as an actor gives them and asks for them.

mod change;
mod create;
mod look;
mod service;

use super::{
    Registry,
    answers::{Asked, Made},
};
use crate::{
    Actor, Command, CommandName, CommandRefusal, CredentialId, CredentialView, EventName, GroupId,
    Happening, Order, ServiceId, decide::bounds::check_cause,
};
use auth_core::{Flow, Result};
use std::{fmt, future::Future, sync::Arc};

/// What an actor asks of a registry: commands and views.
///
/// Every method gives a flow of a result: an outer error when the registry or its store failed, an inner
/// [`CommandRefusal`] when the command is refused. A flow that is dropped after its command has begun leaves a whole
/// change or none.
///
/// # Security
///
/// Nothing of another tenant is found: its identifiers are [`Unknown`](CommandRefusal::Unknown).
///
/// A command or view that the actor's role does not include is [`Forbidden`](CommandRefusal::Forbidden), and the attempt is
/// an event of the ledger. Of many attempts of one actor in a minute the first ten are events of their own, in each process,
/// and the event `refusals_left_out` says how many more there were.
#[derive(Clone)]
pub struct Commands {
    registry: Registry,
    actor: Actor,
    cause: Arc<str>,
    key: Option<Arc<str>>,
    expected: Option<u64>,
}

/// What a command gives: an outer error when the registry failed, a refusal of the command inside.
pub type Answer<T> = Flow<'static, Result<T, CommandRefusal>>;

/// What an attempt was about, as far as the actor's tenant has it.
#[derive(Clone, Copy, Default)]
struct About<'a> {
    service: Option<&'a ServiceId>,
    group: Option<&'a GroupId>,
    credential: Option<&'a CredentialId>,
}

impl Commands {
    pub(super) fn new(registry: Registry, actor: Actor) -> Self {
        Self { registry, actor, cause: Arc::from(""), key: None, expected: None }
    }

    /// With the reason, in the actor's words, which the audit keeps.
    #[must_use]
    pub fn because(self, cause: impl Into<Arc<str>>) -> Self {
        Self { cause: cause.into(), ..self }
    }

    /// With an idempotency key: the same command of the same actor with the same key is done once, and every repetition
    /// within 24 hours gets the same answer, the secret included.
    #[must_use]
    pub fn once(self, key: impl Into<Arc<str>>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// Only if the group still has this version (`If-Match` of RFC 9110 section 13.1.1).
    #[must_use]
    pub fn expecting(self, version: u64) -> Self {
        Self { expected: Some(version), ..self }
    }

    fn flow<T, F, W>(&self, work: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(Self) -> W,
        W: Future<Output = Result<Result<T, CommandRefusal>>> + Send + 'static,
    {
        // A refused attempt is written down with its cause too.
        match check_cause(&self.cause).and(self.check_key()) {
            Ok(()) => Flow::new(work(self.clone())),
            Err(refusal) => Flow::ready(Err(refusal)),
        }
    }

    /// An empty header field is not a key: every command with it would be one repetition.
    fn check_key(&self) -> Result<(), CommandRefusal> {
        let (field, expected) = ("idempotency-key", "text that is not empty, or none");
        let is_empty = self.key.as_ref().is_some_and(|key| key.is_empty());
        if is_empty { Err(CommandRefusal::Invalid { field, expected }) } else { Ok(()) }
    }

    fn order(&self, command: Command) -> Order {
        let (actor, cause) = (self.actor.clone(), Arc::clone(&self.cause));
        Order { actor, command, expected_version: self.expected, cause }
    }

    /// The group of a credential of the actor's tenant.
    async fn group_of(&self, id: &CredentialId) -> Result<Result<GroupId, CommandRefusal>> {
        let found = self.registry.0.store.group_of(&self.actor.tenant, id).await?;
        Ok(found.ok_or(CommandRefusal::Unknown))
    }

    /// What the command made when the actor gave it with this key before, if its role still includes it.
    async fn recalled(
        &self,
        command: CommandName,
        asked: &Asked,
    ) -> Result<Option<Result<Made, CommandRefusal>>> {
        if self.key.is_none() || !self.actor.role.may(command) {
            return Ok(None);
        }
        self.registry.recalled(&self.actor, asked).await
    }

    /// Refuses what the actor's role does not include, and writes the attempt down.
    async fn forbid(&self, about: About<'_>, attempt: &str) -> Result<CommandRefusal> {
        let group = match about.group {
            Some(group) => Some((group.clone(), self.registry.0.store.load(group).await?.version)),
            None => None,
        };
        let service = about.service.or(about.group.and_then(|group| group.service.as_ref()));
        let mut what = self.happening(EventName::Refused, service, attempt);
        (what.group, what.credential) = (group, about.credential.cloned());
        self.registry.note_refused(what).await?;
        Ok(CommandRefusal::Forbidden)
    }

    /// What the actor did, or tried, outside of a group.
    fn happening(&self, name: EventName, service: Option<&ServiceId>, detail: &str) -> Happening {
        Happening {
            tenant: self.actor.tenant.clone(),
            service: service.cloned(),
            group: None,
            credential: None,
            name,
            at: self.registry.0.clock.read().moment(),
            actor: Arc::clone(&self.actor.id),
            role: self.actor.role,
            cause: Arc::clone(&self.cause),
            states: None,
            detail: detail.into(),
            touched: Vec::new(),
        }
    }

    /// Runs a command that makes no secret.
    async fn change(
        &self,
        id: &CredentialId,
        fields: &str,
        command: Command,
    ) -> Result<Result<(), CommandRefusal>> {
        let about = format!("{} {id:?} {fields}", command.name());
        let asked = self.registry.0.asked(&self.actor, self.key.as_ref(), about.as_bytes())?;
        if let Some(made) = self.recalled(command.name(), &asked).await? {
            return Ok(made.map(drop));
        }
        let group = match self.group_of(id).await? {
            Ok(group) => group,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let made: Made = vec![(id.clone(), None)];
        let ran = self.registry.run(&group, &self.order(command), &asked, &made).await?;
        Ok(ran.map(drop))
    }

    /// Runs a command that makes no secret, and gives the credential as it is then.
    async fn changed(
        self,
        id: CredentialId,
        fields: String,
        command: Command,
    ) -> Result<Result<CredentialView, CommandRefusal>> {
        match self.change(&id, &fields, command).await? {
            Ok(()) => self.see(&id).await,
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    async fn see(&self, id: &CredentialId) -> Result<Result<CredentialView, CommandRefusal>> {
        match self.group_of(id).await? {
            Ok(group) => self.view(&group, id).await,
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    async fn view(
        &self,
        group: &GroupId,
        id: &CredentialId,
    ) -> Result<Result<CredentialView, CommandRefusal>> {
        let snapshot = self.registry.snapshot(group).await?;
        let now = self.registry.0.clock.read().moment();
        let it = snapshot.group.credential(id);
        Ok(it.map(|it| CredentialView::of(&snapshot, it, now)).ok_or(CommandRefusal::Unknown))
    }
}

impl fmt::Debug for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Commands(of {:?})", self.actor.id)
    }
}
