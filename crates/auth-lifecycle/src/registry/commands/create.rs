//! Commands that make a secret: it is shown once, in their answer.

use super::{About, Answer, Commands};
use crate::{
    Command, CommandName, CommandRefusal, CredentialId, GroupId, Issued, Kept, Kind, LiveSession,
    NewCredential, NewSecret, Order, OwnerKind, ServiceId, Wanted,
    registry::{
        answers::{Asked, Made},
        run::Ran,
        secrets::parts_hash,
    },
};
use auth_core::{Error, Result, Secret};
use std::{sync::Arc, time::Duration};

/// A group that changes so often while a secret is sealed is asked too much of.
const MOST_ATTEMPTS: usize = 20;

impl Commands {
    /// Makes a credential of this kind for a service of the tenant, or for the tenant itself. What it may be, and when it
    /// ends, is what the [policy](crate::GroupPolicy) of the kind and [`Wanted`] say.
    pub fn create(
        &self,
        service: Option<&ServiceId>,
        kind: Kind,
        wanted: Wanted,
    ) -> Answer<Issued> {
        let service = service.cloned();
        self.flow(move |by| {
            by.begin(service, kind, wanted, CommandName::Create, |new| Command::Create {
                new: Box::new(new),
                live: LiveSession::Keep,
            })
        })
    }

    /// Makes a session in place of the one that is alive, which ends in the same step: for a user that has lost its token
    /// and has just proved its password.
    pub fn replace_session(
        &self,
        service: &ServiceId,
        kind: Kind,
        wanted: Wanted,
    ) -> Answer<Issued> {
        let service = Some(service.clone());
        self.flow(move |by| {
            by.begin(service, kind, wanted, CommandName::ReplaceSession, |new| Command::Create {
                new: Box::new(new),
                live: LiveSession::Replace,
            })
        })
    }

    /// Takes over a credential that callers have already: [`NewSecret`] has the forms in which a former registry may have
    /// kept it. It is not counted as a creation, so a whole database can be imported in a day.
    pub fn import(
        &self,
        service: Option<&ServiceId>,
        kind: Kind,
        wanted: Wanted,
    ) -> Answer<Issued> {
        let service = service.cloned();
        self.flow(move |by| {
            by.begin(service, kind, wanted, CommandName::Import, |new| {
                Command::Import(Box::new(new))
            })
        })
    }

    /// Makes a successor of a credential. Both are good for the overlap, then the old one is retired, whether or not the
    /// successor is used.
    ///
    /// The successor has the label, the scopes and the addresses of the one before, unless it is given others. What it is to
    /// have no more is taken away by [`update`](Self::update).
    pub fn rotate(&self, id: &CredentialId, overlap: Duration, wanted: Wanted) -> Answer<Issued> {
        let old = id.clone();
        self.flow(move |by| async move {
            let group = match by.group_of(&old).await? {
                Ok(group) => group,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let (about, credential) = (format!("{old:?} {overlap:?}"), Some(old.clone()));
            let rotate = |new| Command::Rotate { credential: old, overlap, new: Box::new(new) };
            let target = Target { group, credential, name: CommandName::Rotate };
            by.make(target, about, wanted, rotate).await
        })
    }

    /// Replaces the secret of a credential. The old secret ends at once, the name stays.
    pub fn regenerate(&self, id: &CredentialId, secret: NewSecret) -> Answer<Issued> {
        let id = id.clone();
        self.flow(move |by| by.renew(id, secret))
    }

    async fn begin(
        self,
        service: Option<ServiceId>,
        kind: Kind,
        wanted: Wanted,
        name: CommandName,
        command: impl FnOnce(NewCredential) -> Command + Send,
    ) -> Result<Result<Issued, CommandRefusal>> {
        let group = match self.group(service, kind).await? {
            Ok(group) => group,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.make(Target { group, credential: None, name }, String::new(), wanted, command).await
    }

    /// The group of this service and kind, if the actor's tenant has the service.
    pub(super) async fn group(
        &self,
        service: Option<ServiceId>,
        kind: Kind,
    ) -> Result<Result<GroupId, CommandRefusal>> {
        let tenant = self.actor.tenant.clone();
        // A store keeps what is the tenant's own under no name.
        let is_nameless = service.as_ref().is_some_and(ServiceId::is_empty);
        let group = match (kind.row().owner, service) {
            (OwnerKind::Service, _) if is_nameless => {
                let expected = "the identifier of a service, which is not empty";
                return Ok(Err(CommandRefusal::Invalid { field: "service", expected }));
            }
            (OwnerKind::Tenant, None) => GroupId::of_tenant(tenant, kind),
            (OwnerKind::Service, Some(service)) => {
                if !self.has_service(&service).await? {
                    return Ok(Err(CommandRefusal::Unknown));
                }
                GroupId::of_service(tenant, service, kind)
            }
            (owner, _) => {
                let expected = match owner {
                    OwnerKind::Service => "a service, which credentials of this kind belong to",
                    OwnerKind::Tenant => "none, since credentials of this kind are the tenant's",
                };
                return Ok(Err(CommandRefusal::Invalid { field: "service", expected }));
            }
        };
        Ok(Ok(group))
    }

    async fn make(
        self,
        target: Target,
        about: String,
        wanted: Wanted,
        command: impl FnOnce(NewCredential) -> Command + Send,
    ) -> Result<Result<Issued, CommandRefusal>> {
        if let Err(refusal) = self.judged(&target).await? {
            return Ok(Err(refusal));
        }
        let (inner, Target { group, name, .. }) = (&self.registry.0, &target);
        let asked = self.asked(&format!("{name} {about} {group:?} {wanted:?}"), &wanted.secret)?;
        if let Some(made) = self.recalled(*name, &asked).await? {
            return self.again(group, made).await;
        }
        if !self.registry.policy(group.kind).holds.allows(*name) {
            return Ok(Err(CommandRefusal::NotForKind { command: *name }));
        }
        if let Err(refusal) = wanted.secret.check_for(*name) {
            return Ok(Err(refusal));
        }
        let id = CredentialId::random(&*inner.random)?;
        let prepared = match inner.prepare(group, &id, 1, &wanted.secret).await {
            Ok(prepared) => prepared,
            Err(unprepared) => return unprepared.answer(),
        };
        let order = self.order(command(new_credential(id.clone(), prepared.kept, &wanted)));
        self.finish(group, (id, prepared.shown), &order, &asked).await
    }

    /// Judges the role before a secret is made, sealed or looked at.
    async fn judged(&self, target: &Target) -> Result<Result<(), CommandRefusal>> {
        let Target { group, credential, name } = target;
        if self.actor.role.may(*name) {
            return Ok(Ok(()));
        }
        let about = About { group: Some(group), credential: credential.as_ref(), service: None };
        self.forbid(about, name.name()).await.map(Err)
    }

    async fn renew(
        self,
        id: CredentialId,
        secret: NewSecret,
    ) -> Result<Result<Issued, CommandRefusal>> {
        let (group, name) = match self.group_of(&id).await? {
            Ok(group) => (group, CommandName::Regenerate),
            Err(refusal) => return Ok(Err(refusal)),
        };
        let target = Target { group, credential: Some(id.clone()), name };
        if let Err(refusal) = self.judged(&target).await? {
            return Ok(Err(refusal));
        }
        let group = target.group;
        let asked = self.asked(&format!("{name} {id:?} {secret:?}"), &secret)?;
        if let Some(made) = self.recalled(name, &asked).await? {
            return self.again(&group, made).await;
        }
        if let Err(refusal) = secret.check_for(name) {
            return Ok(Err(refusal));
        }
        // The secret is sealed for its generation, so the group must not change in between; where it does, and the actor
        // expects no version, it is sealed anew.
        for _ in 0..MOST_ATTEMPTS {
            let snapshot = self.registry.snapshot(&group).await?;
            let Some(it) = snapshot.group.credential(&id) else {
                return Ok(Err(CommandRefusal::Unknown));
            };
            let generation = it.generation.saturating_add(1);
            let prepared = match self.registry.0.prepare(&group, &id, generation, &secret).await {
                Ok(prepared) => prepared,
                Err(unprepared) => return unprepared.answer(),
            };
            let command = Command::Regenerate { credential: id.clone(), kept: prepared.kept };
            let expected_version = self.expected.or(Some(snapshot.group.version));
            let order = Order { expected_version, ..self.order(command) };
            let made = (id.clone(), prepared.shown);
            match self.finish(&group, made, &order, &asked).await? {
                Err(CommandRefusal::VersionChanged { .. }) if self.expected.is_none() => {}
                done => return Ok(done),
            }
        }
        let text = "the group was changed by others again and again; try again";
        Err(Error::unavailable("lifecycle_contended", None, text))
    }

    async fn finish(
        &self,
        group: &GroupId,
        made: (CredentialId, Option<Secret>),
        order: &Order,
        asked: &Asked,
    ) -> Result<Result<Issued, CommandRefusal>> {
        let made: Made = vec![made];
        match self.registry.run(group, order, asked, &made).await? {
            Ok(Ran::Now) => self.again(group, Ok(made)).await,
            Ok(Ran::Before(made)) => self.again(group, Ok(made)).await,
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// The credential that was made, now or before, and its secret.
    async fn again(
        &self,
        group: &GroupId,
        made: Result<Made, CommandRefusal>,
    ) -> Result<Result<Issued, CommandRefusal>> {
        let made = match made {
            Ok(made) => made,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some((id, secret)) = made.into_iter().next() else {
            return Ok(Err(CommandRefusal::Unknown));
        };
        let credential = self.view(group, &id).await?;
        Ok(credential.map(|credential| Issued { credential, secret }))
    }

    /// Names the command by all that the actor asks for, so that another one under the same key is told from it.
    fn asked(&self, about: &str, secret: &NewSecret) -> Result<Asked> {
        let inner = &self.registry.0;
        let [one, other] = secret.names();
        let digest = secret.value().map(|value| inner.hashers.fingerprints.hash(value));
        let digest = digest.as_ref().map_or(&[][..], |digest| digest.as_bytes());
        let parts = [about.as_bytes(), one.as_bytes(), other.as_bytes(), digest];
        let command = parts_hash(&inner.hashers.answers, &parts);
        inner.asked(&self.actor, self.key.as_ref(), command.as_bytes())
    }
}

/// What a command that makes a secret is about.
struct Target {
    group: GroupId,
    credential: Option<CredentialId>,
    name: CommandName,
}

pub(super) fn new_credential(id: CredentialId, kept: Kept, wanted: &Wanted) -> NewCredential {
    NewCredential {
        id,
        kept,
        not_before: wanted.not_before,
        expires: wanted.expires,
        scopes: wanted.scopes.clone(),
        allowed_addresses: wanted.allowed_addresses.clone(),
        label: Arc::clone(&wanted.label),
    }
}
