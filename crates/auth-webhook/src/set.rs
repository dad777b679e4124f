//! The authorizations of all tenants, and the state that their webhooks share.

mod authorizations;
mod build;
mod choose;
mod connection;
mod preview;
mod probe;
mod rotation;
mod slots;
mod subscriptions;

pub use authorizations::AuthorizationSummary;
pub use build::AuthorizationSetBuilder;
pub(crate) use choose::late;
pub use choose::{Chosen, MatchedBy};
pub use preview::{Preview, PreviewField};
pub use probe::ProbeOutcome;
pub use rotation::{SlotName, SlotTurn};
pub use subscriptions::Dependant;

use crate::{SecretSources, Subscription, Transports, built::Tokens, url_rule::Rules};
use auth_core::{
    Clock, Context, Error, Event, KeyHasher, Limits, Observer, Random, Result, TenantId,
};
use auth_oauth2::PendingAuthorizations;
use slots::Slots;
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The authorizations under which the tenants of a platform have webhooks sent: named, saved, listed, associated with
/// subscriptions, edited, rotated, deleted.
///
/// All webhooks of one authorization share its state: a thousand of them under OAuth 2.0 cause one token request, under
/// Digest one challenge. An edit begins a new state, a deletion ends it. Tokens are in the
/// [token store](AuthorizationSetBuilder::with_token_store), under a keyed hash of the tenant, the name and all that they are
/// obtained with, so they outlive the process where the store does.
///
/// The configurations themselves are held in memory: the platform keeps them where it keeps its other settings, and saves
/// them here when it starts. A clone is the same set.
///
/// # Security
///
/// Nothing of one tenant is found by another: the names of another tenant are unknown names.
///
/// An authorization does not say which receivers it is for. Whoever subscribes under it, or sets rules that name it, has
/// its credentials sent to a URL of their choice: a password under Basic and a key under API key as they are, a token
/// under OAuth 2.0, something to guess the password by under Digest. So let only those subscribe and set rules who may
/// see the secret. Whoever edits an authorization without seeing its secrets, on the other hand, cannot have them sent to
/// another URL: see [`keeping_hidden`](crate::OutboundAuthorization::keeping_hidden).
///
/// ```
/// use auth_core::{TenantId, Transport};
/// use auth_webhook::{AuthorizationSet, ConfiguredBy, Subscription, WebhookUrl};
/// # use std::sync::Arc;
/// # fn example(transport: Arc<dyn Transport>) -> auth_core::Result<()> {
/// let set = AuthorizationSet::builder(transport).build()?;
/// let acme = set.of_tenant(&TenantId::new("acme"));
/// let basic = serde_json::from_str(r#"{ "type": "basic", "username": "acme", "password": "s3cret" }"#).unwrap();
/// acme.save("crm", basic, ConfiguredBy::Tenant)?;
///
/// let url = WebhookUrl::parse("https://hooks.example/receipts")?;
/// acme.subscribe("receipts", Subscription::webhook(url).under("crm"))?;
/// assert_eq!(acme.delete("crm").wait().unwrap_err().code(), "webhook_authorization_in_use");
///
/// let chosen = acme.choose("receipts", "delivery-4711").wait()?;
/// assert_eq!(chosen.authorization(), Some("crm"));
/// # Ok(()) }
/// # example(Arc::new(auth_testing::ScriptedTransport::new(|_| panic!("nothing is sent")))).unwrap();
/// ```
#[derive(Clone)]
pub struct AuthorizationSet(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    transports: Arc<dyn Transports>,
    sources: SecretSources,
    tokens: Tokens,
    pending: Arc<dyn PendingAuthorizations>,
    hasher: KeyHasher,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    observer: Arc<dyn Observer>,
    probes: Arc<dyn Limits>,
    /// Each under a lock of its own: what one tenant has done to thousands of rules does not hold up the others.
    tenants: Mutex<HashMap<TenantId, Arc<Mutex<Tenant>>>>,
}

/// What one tenant has configured.
#[derive(Default)]
struct Tenant {
    authorizations: BTreeMap<Arc<str>, Slots>,
    subscriptions: BTreeMap<Arc<str>, Arc<Subscription>>,
    rules: Rules,
}

/// The authorizations of one tenant: [`AuthorizationSet::of_tenant`].
#[derive(Clone)]
pub struct TenantAuthorizations {
    set: Arc<Inner>,
    tenant: TenantId,
}

impl AuthorizationSet {
    /// Begins a set whose requests go over these transports.
    pub fn builder(transports: impl Transports + 'static) -> AuthorizationSetBuilder {
        AuthorizationSetBuilder::new(Arc::new(transports))
    }

    /// The authorizations of this tenant.
    #[must_use]
    pub fn of_tenant(&self, tenant: &TenantId) -> TenantAuthorizations {
        TenantAuthorizations { set: Arc::clone(&self.0), tenant: tenant.clone() }
    }
}

impl TenantAuthorizations {
    /// The most authorizations that a tenant may have.
    pub const MOST_AUTHORIZATIONS: usize = 1_000;

    /// The most subscriptions that a tenant may have; as many rules.
    pub const MOST_SUBSCRIPTIONS: usize = 10_000;

    /// Changes what the tenant has, whole or not at all: `change` does nothing before it has checked everything.
    fn change<T>(&self, change: impl FnOnce(&mut Tenant) -> Result<T>) -> Result<T> {
        if let Some(tenant) = self.known() {
            return change(&mut lock(&tenant));
        }
        let mut tenants = self.set.tenants();
        if let Some(tenant) = tenants.get(&self.tenant).map(Arc::clone) {
            drop(tenants);
            return change(&mut lock(&tenant));
        }
        // The tenant has nothing yet, so the change is small and may be made under the lock of all tenants.
        let mut tenant = Tenant::default();
        let changed = change(&mut tenant)?;
        tenants.insert(self.tenant.clone(), Arc::new(Mutex::new(tenant)));
        Ok(changed)
    }

    fn known(&self) -> Option<Arc<Mutex<Tenant>>> {
        self.set.tenants().get(&self.tenant).map(Arc::clone)
    }

    fn look<T>(&self, look: impl FnOnce(&Tenant) -> Result<T>) -> Result<T> {
        match self.known() {
            Some(tenant) => look(&lock(&tenant)),
            None => look(&Tenant::default()),
        }
    }

    /// The tenant.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    pub(crate) fn observe(&self, event: Event<'_>) {
        self.set.observer.observe(event);
    }

    /// The context of an exchange of this tenant.
    pub(crate) fn context(&self, client_certificate: Option<&str>) -> Result<Context> {
        let set = &self.set;
        let transport = set.transports.transport(&self.tenant, client_certificate)?;
        Ok(Context::new(transport)
            .with_clock(Arc::clone(&set.clock))
            .with_random(Arc::clone(&set.random))
            .with_observer(Arc::clone(&set.observer)))
    }
}

impl Tenant {
    fn slots(&self, name: &str) -> Result<&Slots> {
        self.authorizations.get(name).ok_or_else(|| unknown(name))
    }
}

impl Inner {
    fn tenants(&self) -> MutexGuard<'_, HashMap<TenantId, Arc<Mutex<Tenant>>>> {
        lock(&self.tenants)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A change checks everything before it changes anything.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unknown(name: &str) -> Error {
    let text = format!("there is no authorization of the name {name:?}; save it first");
    Error::config("webhook_authorization_unknown", text)
}

impl fmt::Debug for AuthorizationSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthorizationSet({} tenants)", self.0.tenants().len())
    }
}

impl fmt::Debug for TenantAuthorizations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantAuthorizations({})", self.tenant)
    }
}

#[cfg(test)]
pub(crate) use tests::for_tests;

#[cfg(test)]
mod tests;
