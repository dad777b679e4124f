//! A service and its first credentials, in one step.

use super::{About, Answer, Commands, create::new_credential};
use crate::decide::bounds::check_label;
use crate::{
    Command, CommandName, CommandRefusal, Commit, CommitOutcome, CredentialId, Decision, EventName,
    Group, GroupId, Issued, Kind, LiveSession, NewSecret, NewService, OwnerKind, Service,
    ServiceId, Snapshot, Wanted, decide, registry::answers::Made,
};
use auth_core::{Error, Result};
use std::{collections::HashSet, sync::Arc};

impl Commands {
    /// Makes a service with its first service key and its first JWT secret, in one step, as Webex Connect does.
    ///
    /// [`create_service_with`](Self::create_service_with) makes one with other credentials, or with none.
    pub fn create_service(&self, label: &str) -> Answer<NewService> {
        let label: Arc<str> = label.into();
        self.flow(|by| async move {
            let made = by.new_service(label, &[Kind::ServiceKey, Kind::ServiceJwtSecret]).await?;
            Ok(made.and_then(|(service, first)| {
                let mut first = first.into_iter();
                let (key, jwt) = (first.next(), first.next());
                let new = key.zip(jwt).map(|(key, jwt)| NewService { service, key, jwt });
                new.ok_or(CommandRefusal::Unknown)
            }))
        })
    }

    /// Makes a service with one new credential of each of these kinds, in this order, in one step: with none for a service
    /// whose credentials are [imported](Self::import).
    ///
    /// A kind that is named twice, one that belongs to a tenant, or one whose secrets the registry cannot make (passwords,
    /// public keys) is [`Invalid`](CommandRefusal::Invalid).
    pub fn create_service_with(
        &self,
        label: &str,
        first: &[Kind],
    ) -> Answer<(Service, Vec<Issued>)> {
        let (label, first) = (Arc::<str>::from(label), first.to_vec());
        self.flow(|by| async move { by.new_service(label, &first).await })
    }

    async fn new_service(
        self,
        label: Arc<str>,
        first: &[Kind],
    ) -> Result<Result<(Service, Vec<Issued>), CommandRefusal>> {
        let inner = &self.registry.0;
        let about = format!("create_service {label:?} {first:?}");
        let asked = inner.asked(&self.actor, self.key.as_ref(), about.as_bytes())?;
        match self.recalled(CommandName::Create, &asked).await? {
            Some(Ok(made)) => return self.service_again(made).await,
            Some(Err(refusal)) => return Ok(Err(refusal)),
            None => {}
        }
        if !self.actor.role.may(CommandName::Create) {
            return self.forbid(About::default(), "create_service").await.map(Err);
        }
        if let Err(refusal) = check_label(&label).and(check_kinds(first)) {
            return Ok(Err(refusal));
        }
        let tenant = self.actor.tenant.clone();
        let now = inner.clock.read().moment();
        let id = ServiceId::random(&*inner.random)?;
        let service = Service { id: id.clone(), tenant: tenant.clone(), label, created: now };
        let mut commit = Commit {
            service: Some(service),
            events: vec![self.happening(EventName::ServiceCreated, Some(&id), "")],
            ..Commit::default()
        };
        // Its first part names the service, so that a repetition finds one that has no credentials.
        let mut made: Made = vec![(CredentialId::new(id.as_str()), None)];
        for &kind in first {
            let group = GroupId::of_service(tenant.clone(), id.clone(), kind);
            let credential = CredentialId::random(&*inner.random)?;
            let prepared = match inner.prepare(&group, &credential, 1, &NewSecret::Generated).await
            {
                Ok(prepared) => prepared,
                Err(unprepared) => return unprepared.answer(),
            };
            let new = new_credential(credential.clone(), prepared.kept, &Wanted::default());
            let command = Command::Create { new: Box::new(new), live: LiveSession::Keep };
            let snapshot =
                Snapshot { policy: self.registry.policy(kind), group: Group::empty(group) };
            match decide(&snapshot, &self.order(command), now) {
                Ok(Decision { change, events }) => {
                    commit.changes.extend(change);
                    commit.events.extend(events);
                }
                Err(refusal) => return Ok(Err(refusal)),
            }
            made.push((credential, prepared.shown));
        }
        commit.answer = Some(inner.remember(&self.actor, &asked, &made, now).await?);
        match self.registry.commit(commit).await? {
            CommitOutcome::Done { .. } => self.service_again(made).await,
            CommitOutcome::Duplicate(answer) => {
                match inner.recall(&self.actor, &asked, &answer).await? {
                    Some(made) => self.service_again(made).await,
                    None => Ok(Err(CommandRefusal::IdempotencyKeyReused)),
                }
            }
            CommitOutcome::Taken | CommitOutcome::Conflict | CommitOutcome::Unknown => {
                let text = "128 random bits came twice; see that randomness works on this machine";
                Err(Error::config("lifecycle_id_taken", text))
            }
        }
    }

    async fn service_again(
        &self,
        made: Made,
    ) -> Result<Result<(Service, Vec<Issued>), CommandRefusal>> {
        let mut made = made.into_iter();
        let Some((id, _)) = made.next() else { return Ok(Err(CommandRefusal::Unknown)) };
        let service = self.registry.0.store.service(&ServiceId::new(id.as_str())).await?;
        let Some(service) = service else { return Ok(Err(CommandRefusal::Unknown)) };
        let mut first = Vec::new();
        for (id, secret) in made {
            match self.see(&id).await? {
                Ok(credential) => first.push(Issued { credential, secret }),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        Ok(Ok((service, first)))
    }
}

/// Each kind once, each one a service's, and each one made without more being known.
fn check_kinds(first: &[Kind]) -> Result<(), CommandRefusal> {
    let expected = if first.iter().any(|kind| kind.row().owner == OwnerKind::Tenant) {
        "kinds of credentials that belong to a service"
    } else if first.iter().collect::<HashSet<_>>().len() < first.len() {
        "each kind once"
    } else if first.iter().any(|kind| !kind.row().is_generated()) {
        "kinds whose secret the registry makes; create the others with what they need, such as a user name"
    } else {
        return Ok(());
    };
    Err(CommandRefusal::Invalid { field: "first", expected })
}
