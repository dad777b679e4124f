//! Commands that change a credential and make no secret.

use super::{About, Answer, Commands};
use crate::{
    Command, CommandName, CommandRefusal, CredentialId, CredentialView, RevokeGuard, StepUpProof,
    Update,
};
use auth_core::{Error, Flow, Secret};
use std::sync::Arc;

impl Commands {
    /// Makes an active credential inactive: it is refused from now on, and can be reactivated.
    ///
    /// `confirmed` is the version of the [dry run](Self::dry_run) that the actor has seen.
    pub fn discard(&self, id: &CredentialId, confirmed: u64) -> Answer<CredentialView> {
        let id = id.clone();
        let command = Command::Discard { credential: id.clone(), confirmed };
        self.flow(|by| by.changed(id, format!("{confirmed}"), command))
    }

    /// Makes an inactive credential active.
    pub fn reactivate(&self, id: &CredentialId) -> Answer<CredentialView> {
        let id = id.clone();
        self.flow(|by| by.changed(id.clone(), String::new(), Command::Reactivate(id)))
    }

    /// Deletes an inactive or revoked credential for good.
    ///
    /// `confirmed` is the version of the [dry run](Self::dry_run) that the actor has seen; the proof is that of
    /// [`step_up`](Self::step_up).
    pub fn delete(
        &self,
        id: &CredentialId,
        confirmed: u64,
        proof: Option<&StepUpProof>,
    ) -> Answer<()> {
        let proof = self.registry.0.proven(&self.actor, proof);
        let id = id.clone();
        let command = Command::Delete { credential: id.clone(), confirmed, proof };
        self.flow(|by| async move { by.change(&id, &format!("{confirmed}"), command).await })
    }

    /// Ends a credential for good, in time of need even the last one of its group.
    pub fn revoke(&self, id: &CredentialId, guard: RevokeGuard) -> Answer<CredentialView> {
        let id = id.clone();
        let command = Command::Revoke { credential: id.clone(), guard };
        self.flow(|by| by.changed(id, format!("{guard:?}"), command))
    }

    /// Ends a rotation without retiring the old credential.
    pub fn cancel_retire(&self, id: &CredentialId) -> Answer<CredentialView> {
        let id = id.clone();
        self.flow(|by| by.changed(id.clone(), String::new(), Command::CancelRetire(id)))
    }

    /// Changes what a credential may be used for.
    pub fn update(&self, id: &CredentialId, update: Update) -> Answer<CredentialView> {
        let (id, fields) = (id.clone(), format!("{update:?}"));
        let command = Command::Update { credential: id.clone(), update: Box::new(update) };
        self.flow(|by| by.changed(id, fields, command))
    }

    /// Ends a session.
    pub fn destroy(&self, id: &CredentialId) -> Answer<CredentialView> {
        let id = id.clone();
        self.flow(|by| by.changed(id.clone(), String::new(), Command::Destroy(id)))
    }

    /// Notes that a scheduler or a webhook uses the credential, and no other of its group any more.
    pub fn bind(&self, id: &CredentialId, dependant: &str) -> Answer<CredentialView> {
        let (id, dependant): (_, Arc<str>) = (id.clone(), dependant.into());
        let fields = dependant.to_string();
        let command = Command::Bind { credential: id.clone(), dependant };
        self.flow(|by| by.changed(id, fields, command))
    }

    /// Notes that it no longer does.
    pub fn unbind(&self, id: &CredentialId, dependant: &str) -> Answer<CredentialView> {
        let (id, dependant): (_, Arc<str>) = (id.clone(), dependant.into());
        let fields = dependant.to_string();
        let command = Command::Unbind { credential: id.clone(), dependant };
        self.flow(|by| by.changed(id, fields, command))
    }

    /// Proves with the actor's password that it is the actor who gives this command on this credential.
    ///
    /// A wrong password is [`StepUpRequired`](CommandRefusal::StepUpRequired); a command that the actor's role does not
    /// include is [`Forbidden`](CommandRefusal::Forbidden), whatever the password is.
    pub fn step_up(
        &self,
        id: &CredentialId,
        command: CommandName,
        password: Secret,
    ) -> Answer<StepUpProof> {
        let id = id.clone();
        self.flow(|by| async move {
            let group = match by.group_of(&id).await? {
                Ok(group) => group,
                Err(refusal) => return Ok(Err(refusal)),
            };
            if !by.actor.role.may(command) {
                let about = About { group: Some(&group), credential: Some(&id), service: None };
                return by.forbid(about, "step_up").await.map(Err);
            }
            let Some(check) = &by.registry.0.step_up else {
                let text = "nothing checks passwords; give the registry a check with with_step_up";
                return Err(Error::config("lifecycle_no_step_up", text));
            };
            if !check.confirms(&by.actor, &password).await? {
                return Ok(Err(CommandRefusal::StepUpRequired));
            }
            Ok(Ok(by.registry.0.sign(&by.actor, &id, command)))
        })
    }
}

impl super::Registry {
    /// Ends the session of this token, as its holder may. An unknown token is [`Unknown`](CommandRefusal::Unknown).
    pub fn destroy_session(&self, token: &Secret) -> Flow<'static, Result<(), CommandRefusal>> {
        let hashers = &self.0.hashers;
        let digests = [&hashers.tokens, &hashers.sha256_tokens].map(|one| one.hash(token.expose()));
        let registry = self.clone();
        Flow::new(async move {
            let mut found = Vec::new();
            for digest in &digests {
                found.extend(registry.0.store.find(digest).await?.credentials);
            }
            let Some((group, it)) = found.into_iter().next() else {
                return Ok(Err(CommandRefusal::Unknown));
            };
            let bearer = crate::Actor::new(group.tenant, it.id.as_str(), crate::Role::Bearer);
            registry.by(&bearer).change(&it.id, "", Command::Destroy(it.id.clone())).await
        })
    }
}
