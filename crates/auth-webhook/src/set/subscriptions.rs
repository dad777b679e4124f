//! Subscriptions and rules, and what depends on an authorization.

use super::{
    Tenant, TenantAuthorizations,
    authorizations::{check_name, too_many},
    unknown,
};
use crate::{
    ConfiguredBy, OutboundAuthorization, Subscription, SubscriptionKind, UrlRule, url_rule::Rules,
};
use auth_core::Result;
use std::{collections::HashMap, fmt, sync::Arc};

/// What refers to an authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependant {
    /// An outbound webhook, by its name.
    Webhook(Arc<str>),
    /// A group subscription notification of Contact Policy, by its name.
    ContactPolicy(Arc<str>),
    /// A rule.
    Rule(Box<UrlRule>),
}

impl TenantAuthorizations {
    /// Saves a subscription under this name, in place of one that is there.
    ///
    /// # Errors
    ///
    /// `Error::Config`: `webhook_subscription_name` for a name that is empty, longer than 128 bytes or has a control
    /// character, `webhook_authorization_unknown`, `webhook_source_unknown` for a typed field whose source was not granted
    /// to this tenant, `webhook_header_beside` for a field that was typed beside the authorization that writes it,
    /// `webhook_too_many`. What was there before stays then.
    pub fn subscribe(&self, name: &str, subscription: Subscription) -> Result<()> {
        check_name("a subscription", name)?;
        for (header, value) in subscription.headers() {
            if let Some(source) = value.source() {
                let field = format!("header {header:?}");
                self.set.sources.check(&field, source, &self.tenant, ConfiguredBy::Tenant)?;
            }
        }
        self.change(|tenant| {
            subscription.check_beside(None)?;
            if let Some((slots, _)) = tenant.authorization_for(&subscription)? {
                for slot in slots.all() {
                    subscription.check_beside(Some(&slot.authorization))?;
                }
            }
            let is_new = !tenant.subscriptions.contains_key(name);
            if is_new && tenant.subscriptions.len() >= Self::MOST_SUBSCRIPTIONS {
                return Err(too_many("subscriptions", Self::MOST_SUBSCRIPTIONS));
            }
            tenant.subscriptions.insert(name.into(), Arc::new(subscription));
            Ok(())
        })
    }

    /// Removes a subscription; whether there was one.
    pub fn unsubscribe(&self, name: &str) -> bool {
        let Some(tenant) = self.known() else { return false };
        super::lock(&tenant).subscriptions.remove(name).is_some()
    }

    /// Sets which authorizations are for which URLs, in place of all rules before.
    ///
    /// # Errors
    ///
    /// `Error::Config`: `webhook_rule` when two rules are for the same URLs, a prefix has a query, or the default names an
    /// authorization that is sent as it is; `webhook_authorization_unknown`, `webhook_header_beside`, `webhook_too_many`.
    pub fn set_rules(&self, rules: Vec<UrlRule>) -> Result<()> {
        if rules.len() > Self::MOST_SUBSCRIPTIONS {
            return Err(too_many("rules", Self::MOST_SUBSCRIPTIONS));
        }
        let rules = Rules::new(rules)?;
        self.change(|tenant| {
            for rule in rules.iter() {
                for slot in tenant.slots(&rule.authorization)?.all() {
                    rule.check(&slot.authorization)?;
                }
            }
            for subscription in
                tenant.subscriptions.values().filter(|it| it.authorization.is_none())
            {
                if let Some(rule) = rules.choose(&subscription.url) {
                    let slots = tenant.slots(&rule.authorization)?;
                    slots.all().try_for_each(|slot| {
                        subscription.check_beside(Some(&slot.authorization))
                    })?;
                }
            }
            tenant.rules = rules;
            Ok(())
        })
    }

    /// What refers to the authorization of this name, to show before it is deleted or edited.
    ///
    /// # Errors
    ///
    /// `webhook_authorization_unknown`.
    pub fn dependants(&self, name: &str) -> Result<Vec<Dependant>> {
        self.look(|tenant| tenant.slots(name).map(|_| dependants(tenant, name)))
    }
}

impl Tenant {
    /// Checks that whatever refers to an authorization of this name can live with another configuration of it.
    pub(super) fn check_references(
        &self,
        name: &str,
        authorization: &OutboundAuthorization,
    ) -> Result<()> {
        for rule in self.rules.iter().filter(|rule| rule.authorization == name) {
            rule.check(authorization)?;
        }
        for subscription in self.subscriptions.values() {
            let chosen = self.authorization_for(subscription)?;
            if chosen.is_some_and(|(_, chosen)| chosen == name) {
                subscription.check_beside(Some(authorization))?;
            }
        }
        Ok(())
    }

    /// The authorization of a subscription with its name; `None` where neither it nor a rule names one.
    pub(super) fn authorization_for<'a>(
        &'a self,
        subscription: &'a Subscription,
    ) -> Result<Option<(&'a super::Slots, &'a str)>> {
        let rule = || self.rules.choose(&subscription.url);
        let named = subscription.authorization.as_deref();
        let Some(name) = named.or_else(|| rule().map(|rule| &*rule.authorization)) else {
            return Ok(None);
        };
        let slots = self.authorizations.get(name).ok_or_else(|| unknown(name))?;
        Ok(Some((slots, name)))
    }
}

/// How many refer to each authorization that anything refers to.
pub(super) fn dependant_counts(tenant: &Tenant) -> HashMap<&str, usize> {
    let subscriptions = tenant.subscriptions.values().filter_map(|it| it.authorization.as_deref());
    let rules = tenant.rules.iter().map(|rule| &*rule.authorization);
    let mut counts = HashMap::new();
    for name in subscriptions.chain(rules) {
        let count: &mut usize = counts.entry(name).or_default();
        *count = count.saturating_add(1);
    }
    counts
}

pub(super) fn dependants(tenant: &Tenant, name: &str) -> Vec<Dependant> {
    let refers = |subscription: &Subscription| subscription.authorization.as_deref() == Some(name);
    let subscriptions = tenant.subscriptions.iter().filter(|(_, it)| refers(it));
    let subscriptions = subscriptions.map(|(own, it)| match it.kind {
        SubscriptionKind::Webhook => Dependant::Webhook(Arc::clone(own)),
        SubscriptionKind::ContactPolicy => Dependant::ContactPolicy(Arc::clone(own)),
    });
    let rules = tenant.rules.iter().filter(|rule| rule.authorization == name);
    subscriptions.chain(rules.map(|rule| Dependant::Rule(Box::new(rule.clone())))).collect()
}

impl fmt::Display for Dependant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Webhook(name) => write!(f, "the webhook {name:?}"),
            Self::ContactPolicy(name) => write!(f, "the Contact Policy subscription {name:?}"),
            Self::Rule(rule) => write!(f, "the rule for {}", rule.urls),
        }
    }
}
