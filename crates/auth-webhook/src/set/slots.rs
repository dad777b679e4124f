//! The two slots of an authorization, and what each is made into.

use super::{Inner, SlotName, SlotTurn, TenantAuthorizations};
use crate::{
    ConfiguredBy, OutboundAuthorization,
    built::{Built, Means},
    resolved::Resolved,
};
use auth_core::{ConnectionId, Flow, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An authorization: what is sent now, and what is being changed to.
#[derive(Clone)]
pub(super) struct Slots {
    pub(super) current: Arc<Slot>,
    pub(super) next: Option<(Arc<Slot>, SlotTurn)>,
}

/// One configuration with its state.
pub(super) struct Slot {
    pub(super) authorization: OutboundAuthorization,
    /// Made again only where a source gives another secret.
    built: Mutex<Option<Arc<Built>>>,
}

impl Slots {
    pub(super) const fn of(slot: Arc<Slot>) -> Self {
        Self { current: slot, next: None }
    }

    /// The slot for this delivery.
    pub(super) fn for_delivery(&self, set: &Inner, delivery: &str) -> (SlotName, Arc<Slot>) {
        match &self.next {
            Some((next, turn)) if turn.has_come(set, delivery) => {
                (SlotName::Next, Arc::clone(next))
            }
            _ => (SlotName::Current, Arc::clone(&self.current)),
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Slot>> {
        std::iter::once(&self.current).chain(self.next.iter().map(|(next, _)| next))
    }
}

impl Slot {
    /// Checks a configuration, and makes it where it holds its values.
    ///
    /// # Errors
    ///
    /// All that can be known before a source is asked.
    pub(super) fn checked(
        of: &TenantAuthorizations,
        name: &str,
        authorization: OutboundAuthorization,
        by: ConfiguredBy,
    ) -> Result<Arc<Self>> {
        authorization.check_sources(&of.set.sources, &of.tenant, by)?;
        let slot = Arc::new(Self { authorization, built: Mutex::default() });
        if slot.has_sources() {
            // Of what it will be made with, the transport is known.
            of.context(slot.authorization.client_certificate.as_deref())?;
        } else {
            slot.built(of, name).wait()?;
        }
        Ok(slot)
    }

    /// What it is made into, with the secrets that its sources give now.
    pub(super) fn built(
        self: &Arc<Self>,
        of: &TenantAuthorizations,
        name: &str,
    ) -> Flow<'static, Arc<Built>> {
        if !self.has_sources() {
            if let Some(kept) = &*self.kept() {
                return Flow::ready(Arc::clone(kept));
            }
        }
        let resolved = Resolved::of(&self.authorization, &of.set.sources);
        let (slot, of, name) = (Arc::clone(self), of.clone(), name.to_owned());
        resolved.and_then(move |resolved| slot.made_of(&resolved, &of, &name).into())
    }

    /// What it was made into last; nothing is asked or made.
    pub(super) fn last_built(&self) -> Option<Arc<Built>> {
        self.kept().clone()
    }

    fn made_of(
        &self,
        resolved: &Resolved,
        of: &TenantAuthorizations,
        name: &str,
    ) -> Result<Arc<Built>> {
        let secrets = resolved.digest(&of.set.hasher);
        let is_it = |kept: &Arc<Built>| kept.secrets == secrets;
        let kept = self.kept().as_ref().filter(|kept| is_it(kept)).map(Arc::clone);
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let set = &of.set;
        let means = Means {
            context: of.context(self.authorization.client_certificate.as_deref())?,
            tokens: &set.tokens,
            pending: &set.pending,
            hasher: &set.hasher,
            id: &ConnectionId::new(of.tenant.clone(), name),
        };
        let made = Arc::new(Built::of(&self.authorization, resolved, &means)?);
        let mut kept = self.kept();
        // Of two that came at once, all take what the first one made: its session is shared.
        if let Some(first) = kept.as_ref().filter(|kept| is_it(kept)) {
            return Ok(Arc::clone(first));
        }
        let replaced = kept.replace(Arc::clone(&made));
        drop(kept);
        drop(replaced);
        Ok(made)
    }

    fn has_sources(&self) -> bool {
        self.authorization.values().iter().any(|(_, value)| value.source().is_some())
    }

    fn kept(&self) -> MutexGuard<'_, Option<Arc<Built>>> {
        self.built.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
