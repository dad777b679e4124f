//! A service and its first credentials, in one step.

use super::{About, Answer, Commands, create::new_credential};
use crate::decide::bounds::check_label;
use crate::{
    Command, CommandName, CommandRefusal, Commit, CommitOutcome, CredentialId, Decision, EventName,
    Group, GroupId, Issued, Kind, LiveSession, NewSecret, NewService, Service, ServiceId, Snapshot,
    Wanted, decide, registry::answers::Made,
};
use auth_core::{Error, Result};
use std::sync::Arc;

impl Commands {
    /// Makes a service with its first service key and its first JWT secret, in one step.
    pub fn create_service(&self, label: &str) -> Answer<NewService> {
        let label: Arc<str> = label.into();
        self.flow(|by| by.new_service(label))
    }

    async fn new_service(self, label: Arc<str>) -> Result<Result<NewService, CommandRefusal>> {
        let inner = &self.registry.0;
        let asked = inner.asked(
            &self.actor,
            self.key.as_ref(),
            format!("create_service {label:?}").as_bytes(),
        )?;
        match self.recalled(CommandName::Create, &asked).await? {
            Some(Ok(made)) => return self.service_again(made).await,
            Some(Err(refusal)) => return Ok(Err(refusal)),
            None => {}
        }
        if !self.actor.role.may(CommandName::Create) {
            return self.forbid(About::default(), "create_service").await.map(Err);
        }
        if let Err(refusal) = check_label(&label) {
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
        let mut made: Made = Vec::new();
        for kind in [Kind::ServiceKey, Kind::ServiceJwtSecret] {
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

    async fn service_again(&self, made: Made) -> Result<Result<NewService, CommandRefusal>> {
        let mut made = made.into_iter();
        let (Some(key), Some(jwt)) = (made.next(), made.next()) else {
            return Ok(Err(CommandRefusal::Unknown));
        };
        let key = match self.see(&key.0).await? {
            Ok(credential) => Issued { credential, secret: key.1 },
            Err(refusal) => return Ok(Err(refusal)),
        };
        let jwt = match self.see(&jwt.0).await? {
            Ok(credential) => Issued { credential, secret: jwt.1 },
            Err(refusal) => return Ok(Err(refusal)),
        };
        let service = match &key.credential.group.service {
            Some(service) => self.registry.0.store.service(service).await?,
            None => None,
        };
        Ok(service.map(|service| NewService { service, key, jwt }).ok_or(CommandRefusal::Unknown))
    }
}
