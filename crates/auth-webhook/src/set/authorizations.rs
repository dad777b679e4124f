//! Authorizations saved, listed, read, edited and deleted.

use super::{
    SlotTurn, TenantAuthorizations,
    slots::{Slot, Slots},
    subscriptions::{dependant_counts, dependants},
    unknown,
};
use crate::{ConfiguredBy, OutboundAuthorization};
use auth_core::{Error, Flow, Result};
use std::sync::Arc;

/// An authorization in a list.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AuthorizationSummary {
    /// Its name.
    pub name: Arc<str>,
    /// The `type` of its scheme.
    pub scheme: &'static str,
    /// How many subscriptions and rules refer to it.
    pub dependants: usize,
    /// When, or for how many deliveries, what is being changed to is sent; `None` while nothing is changed.
    pub rotation: Option<SlotTurn>,
}

impl TenantAuthorizations {
    /// Saves an authorization under a name that is not taken. Whatever is wrong with it is told now; nothing is sent.
    ///
    /// # Errors
    ///
    /// `Error::Config`: `webhook_authorization_name` for a name that is empty, longer than 128 bytes or has a control
    /// character, `webhook_authorization_name_taken`, `webhook_too_many`, `webhook_source_unknown`, and those of the
    /// scheme's own fields.
    pub fn save(
        &self,
        name: &str,
        authorization: OutboundAuthorization,
        by: ConfiguredBy,
    ) -> Result<()> {
        check_name("an authorization", name)?;
        let slot =
            Slot::checked(self, name, authorization, by).map_err(|error| of(name, &error))?;
        self.change(|tenant| {
            if tenant.authorizations.contains_key(name) {
                let text = format!(
                    "an authorization of the name {name:?} exists; edit it, or choose another name"
                );
                return Err(Error::config("webhook_authorization_name_taken", text));
            }
            if tenant.authorizations.len() >= Self::MOST_AUTHORIZATIONS {
                return Err(too_many("authorizations", Self::MOST_AUTHORIZATIONS));
            }
            tenant.authorizations.insert(name.into(), Slots::of(slot));
            Ok(())
        })
    }

    /// Puts another configuration in place of the one that is there, at once and for all of its webhooks. Secrets that are
    /// hidden stay as they are, where the type does and they go [nowhere else](OutboundAuthorization::keeping_hidden):
    /// those of the configuration that is replaced, however many edit it at once. A rotation that was under way is over.
    ///
    /// # Errors
    ///
    /// `webhook_authorization_unknown`, and those of [`save`](Self::save) and of the subscriptions and rules that refer to
    /// it. The former one stays then.
    pub fn edit(
        &self,
        name: &str,
        authorization: OutboundAuthorization,
        by: ConfiguredBy,
    ) -> Result<()> {
        self.replace(name, &authorization, by, |slots, slot| {
            *slots = Slots::of(slot);
            Ok(())
        })
    }

    /// Makes a configuration that keeps what is hidden, and puts it where `put` says, unless the one whose secrets it keeps
    /// was replaced meanwhile: then it begins again with that.
    pub(super) fn replace(
        &self,
        name: &str,
        authorization: &OutboundAuthorization,
        by: ConfiguredBy,
        put: impl Fn(&mut Slots, Arc<Slot>) -> Result<()>,
    ) -> Result<()> {
        loop {
            let before = self.look(|tenant| tenant.slots(name).cloned())?;
            let kept = authorization.clone().keeping_hidden(&before.current.authorization);
            let slot = Slot::checked(self, name, kept, by).map_err(|error| of(name, &error))?;
            let is_put = self.change(|tenant| {
                tenant.check_references(name, &slot.authorization)?;
                let slots = tenant.authorizations.get_mut(name).ok_or_else(|| unknown(name))?;
                if !Arc::ptr_eq(&slots.current, &before.current) {
                    return Ok(false);
                }
                put(slots, slot).map(|()| true)
            })?;
            // What was replaced ends here, outside of the lock.
            drop(before);
            if is_put {
                return Ok(());
            }
        }
    }

    /// The configuration, whose secrets are not written unless it is [revealed](OutboundAuthorization::revealed).
    ///
    /// # Errors
    ///
    /// `webhook_authorization_unknown`.
    pub fn authorization(&self, name: &str) -> Result<OutboundAuthorization> {
        self.look(|tenant| Ok(tenant.slots(name)?.current.authorization.clone()))
    }

    /// All authorizations of the tenant, by name.
    #[must_use]
    pub fn list(&self) -> Vec<AuthorizationSummary> {
        let listed = self.look(|tenant| {
            let counts = dependant_counts(tenant);
            let summary = |(name, slots): (&Arc<str>, &Slots)| AuthorizationSummary {
                name: Arc::clone(name),
                scheme: slots.current.authorization.scheme_name(),
                dependants: counts.get(&**name).copied().unwrap_or_default(),
                rotation: slots.next.as_ref().map(|(_, turn)| *turn),
            };
            Ok(tenant.authorizations.iter().map(summary).collect())
        });
        listed.unwrap_or_default()
    }

    /// Deletes an authorization that nothing refers to. Its tokens are revoked, where the configuration says where, and
    /// removed from the store; no process that shares the store uses them any more.
    ///
    /// The authorization is gone when this returns; the flow ends the tokens, and is seen through though its caller gives
    /// up, where the transport has a background.
    ///
    /// # Errors
    ///
    /// `webhook_authorization_unknown`; `webhook_authorization_in_use`, which names what refers to it: see
    /// [`dependants`](Self::dependants). Of the flow: those of the token store and of the server that revokes.
    pub fn delete(&self, name: &str) -> Flow<'static, ()> {
        let removed = self.change(|tenant| {
            tenant.slots(name)?;
            let used = dependants(tenant, name);
            if !used.is_empty() {
                let by: Vec<_> = used.iter().take(10).map(ToString::to_string).collect();
                let more = used.len().saturating_sub(by.len());
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let text = format!(
                    "authorization {name:?} is used by {}{more}; have them use another one first",
                    by.join(", ")
                );
                return Err(Error::config("webhook_authorization_in_use", text));
            }
            tenant.authorizations.remove(name).ok_or_else(|| unknown(name))
        });
        match removed {
            Ok(slots) => self.end(name, slots),
            Err(error) => Flow::failed(error),
        }
    }
}

pub(super) fn check_name(what: &str, name: &str) -> Result<()> {
    if (1..=128).contains(&name.len()) && !name.contains(char::is_control) && name.trim() == name {
        return Ok(());
    }
    let text = format!(
        "name of {what} is empty, longer than 128 bytes, has a control character, or a blank at an end; choose another"
    );
    let is_of_subscription = what == "a subscription";
    Err(Error::config(
        if is_of_subscription { "webhook_subscription_name" } else { "webhook_authorization_name" },
        text,
    ))
}

/// An error of the fields, with the name of the authorization before it.
pub(super) fn of(name: &str, error: &Error) -> Error {
    let text = format!("authorization {name:?}: {}", error.cause());
    match error {
        Error::Config(_) => Error::config(error.code(), text),
        other => other.clone(),
    }
}

pub(super) fn too_many(what: &str, most: usize) -> Error {
    Error::config("webhook_too_many", format!("the tenant has {most} {what}; delete some first"))
}
