//! Views: what an actor sees without changing anything, and secrets that are shown again.

use super::{About, Answer, Commands};
use crate::{
    Command, CommandRefusal, Commit, CredentialId, CredentialView, DryRun, EventHash, EventName,
    GroupId, GroupView, Kind, Material, Service, ServiceId, Status, TenantEvent, decide,
};
use auth_core::{Caller, Error, Flow, Result, Secret};
use std::sync::Arc;

impl Commands {
    /// The groups of a service of the tenant, or of the tenant itself, with masks in place of secrets.
    pub fn list(&self, service: Option<&ServiceId>) -> Answer<Vec<GroupView>> {
        let service = service.cloned();
        self.flow(|by| async move {
            let store = &by.registry.0.store;
            if let Some(id) = &service {
                if !by.has_service(id).await? {
                    return Ok(Err(CommandRefusal::Unknown));
                }
            }
            if !by.actor.role.may_list() {
                let about = About { service: service.as_ref(), ..About::default() };
                return by.forbid(about, "list").await.map(Err);
            }
            let mut views = Vec::new();
            for group in store.groups_of(&by.actor.tenant, service.as_ref()).await? {
                let snapshot = by.registry.snapshot(&group).await?;
                views.push(GroupView::of(&snapshot, by.registry.0.clock.read().moment()));
            }
            Ok(Ok(views))
        })
    }

    /// The services of the tenant, at most so many, in the order of their names after this one.
    pub fn services(&self, after: Option<&ServiceId>, most: usize) -> Answer<Vec<Service>> {
        let after = after.cloned();
        self.flow(|by| async move {
            if !by.actor.role.may_list() {
                return by.forbid(About::default(), "services").await.map(Err);
            }
            by.registry.0.store.services(&by.actor.tenant, after.as_ref(), most).await.map(Ok)
        })
    }

    /// One credential, with a mask in place of its secret.
    pub fn credential(&self, id: &CredentialId) -> Answer<CredentialView> {
        let id = id.clone();
        self.flow(|by| async move {
            match by.listed(&id, "credential").await? {
                Ok(group) => by.view(&group, &id).await,
                Err(refusal) => Ok(Err(refusal)),
            }
        })
    }

    /// What discarding this credential would do, whom it would hit, and the version that the discard confirms.
    pub fn dry_run(&self, id: &CredentialId) -> Answer<DryRun> {
        let id = id.clone();
        self.flow(|by| async move {
            let group = match by.listed(&id, "dry_run").await? {
                Ok(group) => group,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let snapshot = by.registry.snapshot(&group).await?;
            let Some(it) = snapshot.group.credential(&id) else {
                return Ok(Err(CommandRefusal::Unknown));
            };
            let now = by.registry.0.clock.read().moment();
            let version = snapshot.group.version;
            let discard = Command::Discard { credential: id.clone(), confirmed: version };
            Ok(Ok(DryRun {
                version,
                credential: CredentialView::of(&snapshot, it, now),
                uses: by.registry.0.store.uses(&id).await?,
                dependants: it.dependants.clone(),
                refused: decide(&snapshot, &by.order(discard), now).err(),
            }))
        })
    }

    /// Shows a secret again, to roles that may see it. Each time is written down before it is shown, whether or not it
    /// comes with an idempotency key.
    pub fn reveal(&self, id: &CredentialId) -> Answer<Secret> {
        let id = id.clone();
        self.flow(|by| async move {
            let group = match by.group_of(&id).await? {
                Ok(group) => group,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let by = Self { key: None, ..by };
            if let Err(refusal) = by.change(&id, "", Command::Reveal(id.clone())).await? {
                return Ok(Err(refusal));
            }
            let loaded = by.registry.0.store.load(&group).await?;
            let Some(it) = loaded.credential(&id) else { return Ok(Err(CommandRefusal::Unknown)) };
            let Material::Sealed(sealed) = &it.kept.material else {
                return Ok(Err(CommandRefusal::NotRecoverable));
            };
            by.registry.0.open(&group, &id, it.generation, sealed).await.map(Ok)
        })
    }

    /// The credential that a scheduler or a webhook is bound to, for it to be used now.
    ///
    /// One that cannot be used is [`DependantStranded`](CommandRefusal::DependantStranded), which names the dependant.
    pub fn bound(
        &self,
        service: Option<&ServiceId>,
        kind: Kind,
        dependant: &str,
    ) -> Answer<CredentialView> {
        let (service, dependant): (_, Arc<str>) = (service.cloned(), dependant.into());
        self.flow(move |by| async move {
            let group = match by.group(service, kind).await? {
                Ok(group) => group,
                Err(refusal) => return Ok(Err(refusal)),
            };
            if !by.actor.role.may_list() {
                let about = About { group: Some(&group), ..About::default() };
                return by.forbid(about, "bound").await.map(Err);
            }
            let snapshot = by.registry.snapshot(&group).await?;
            let bound = |it: &&crate::Credential| it.dependants.contains(&dependant);
            let Some(it) = snapshot.group.credentials.iter().find(bound) else {
                return Ok(Err(CommandRefusal::Unknown));
            };
            let now = by.registry.0.clock.read().moment();
            Ok(match it.status(now) {
                Status::Usable => Ok(CredentialView::of(&snapshot, it, now)),
                status => Err(CommandRefusal::DependantStranded { dependant, status }),
            })
        })
    }

    /// Acts as a service of the tenant without one of its credentials, which is a permission of its own and is written
    /// down.
    pub fn act_as(&self, service: &ServiceId) -> Answer<Caller> {
        let service = service.clone();
        self.flow(|by| async move {
            if !by.has_service(&service).await? {
                return Ok(Err(CommandRefusal::Unknown));
            }
            if !by.actor.may_act_as_services() {
                let about = About { service: Some(&service), ..About::default() };
                return by.forbid(about, "act_as").await.map(Err);
            }
            let what = by.happening(EventName::ActedAsService, Some(&service), "act_as");
            by.registry.commit(Commit { events: vec![what], ..Commit::default() }).await?;
            let tenant = by.actor.tenant.clone();
            let caller = Caller::new(tenant, Arc::clone(&by.actor.id), "actor");
            Ok(Ok(caller.with_service(service.as_str())))
        })
    }

    /// What happened to the credentials of the tenant after its event of this number, at most so many of them, and the
    /// number that was reached, to go on after: for auditors.
    pub fn events(&self, after: u64, most: usize) -> Answer<(Vec<TenantEvent>, u64)> {
        self.flow(move |by| async move {
            if !by.actor.role.may_audit() {
                return by.forbid(About::default(), "events").await.map(Err);
            }
            let events = by.registry.0.store.events_of(&by.actor.tenant, after, most).await?;
            let reached = events.last().map_or(after, |event| event.number);
            Ok(Ok((events, reached)))
        })
    }

    /// The group of a credential of the tenant, for a role that may see it.
    async fn listed(
        &self,
        id: &CredentialId,
        view: &str,
    ) -> Result<Result<GroupId, CommandRefusal>> {
        let found = self.group_of(id).await?;
        match &found {
            Ok(group) if !self.actor.role.may_list() => {
                let (group, credential) = (Some(group), Some(id));
                self.forbid(About { group, credential, ..About::default() }, view).await.map(Err)
            }
            _ => Ok(found),
        }
    }

    /// Does the actor's tenant have this service?
    pub(super) async fn has_service(&self, id: &ServiceId) -> Result<bool> {
        let known = self.registry.0.store.service(id).await?;
        Ok(known.is_some_and(|known| known.tenant == self.actor.tenant))
    }
}

const PAGE: usize = 500;

impl super::Registry {
    /// Reads the whole ledger and checks that nothing of it was changed, moved or taken out; gives its end.
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `lifecycle_chain_broken`, which names the first event that does not follow the one
    /// before it.
    pub fn verify_chain(&self) -> Flow<'static, (u64, EventHash)> {
        let store = Arc::clone(&self.0.store);
        Flow::new(async move {
            let (mut seq, mut hash) = (0, [0; 32]);
            loop {
                let page = store.changes_since(seq, PAGE).await?;
                for event in page.events {
                    if !event.follows(seq, &hash) {
                        let text = format!(
                            "event {} of the ledger does not follow event {seq}: the ledger was changed; compare it \
                             with a backup",
                            event.seq
                        );
                        return Err(Error::config("lifecycle_chain_broken", text));
                    }
                    (seq, hash) = (event.seq, event.hash);
                }
                if page.is_last {
                    return Ok((seq, hash));
                }
            }
        })
    }
}
