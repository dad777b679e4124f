//! The sources that configurations may name.

use auth_core::{Error, Flow, Result, Secret, SecretSource, TenantId};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

/// The secret sources of a program, by name, and which tenants may name each of them.
///
/// The operator's configuration may name every source; that of a tenant names only what was granted to it. `auth-local`
/// has sources for files and environment variables.
///
/// # Security
///
/// A source reads with the rights of the program. To a tenant a source that was not granted is what one that does not
/// exist is: the same error.
///
/// ```
/// use auth_core::{Secret, TenantId};
/// use auth_webhook::SecretSources;
/// let sources = SecretSources::new()
///     .with("crm-password", Secret::from("s3cret"))
///     .granting("crm-password", &TenantId::new("acme"));
/// # let _ = sources;
/// ```
#[derive(Clone, Default)]
pub struct SecretSources(BTreeMap<Arc<str>, Named>);

#[derive(Clone)]
struct Named {
    source: Arc<dyn SecretSource>,
    granted: BTreeSet<TenantId>,
}

/// The author of a configuration, which decides what sources it may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfiguredBy {
    /// The operator of the program: it may name every source.
    Operator,
    /// A tenant: it may name what was granted to it.
    Tenant,
}

impl SecretSources {
    /// No source: configurations hold literals.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With this source under this name.
    #[must_use]
    pub fn with(mut self, name: &str, source: impl SecretSource + 'static) -> Self {
        let named = Named { source: Arc::new(source), granted: BTreeSet::new() };
        self.0.insert(name.into(), named);
        self
    }

    /// This tenant may name this source. A name that is not there is passed over.
    #[must_use]
    pub fn granting(mut self, name: &str, tenant: &TenantId) -> Self {
        if let Some(named) = self.0.get_mut(name) {
            named.granted.insert(tenant.clone());
        }
        self
    }

    /// May this configuration name this source?
    pub(crate) fn check(
        &self,
        field: &str,
        name: &str,
        tenant: &TenantId,
        by: ConfiguredBy,
    ) -> Result<()> {
        let known = self.0.get(name);
        let may = |named: &Named| by == ConfiguredBy::Operator || named.granted.contains(tenant);
        if known.is_some_and(may) { Ok(()) } else { Err(unknown(field, name)) }
    }

    /// What the source gives now.
    pub(crate) fn ask(&self, field: &str, name: &str) -> Flow<'_, Arc<Secret>> {
        let Some(named) = self.0.get(name) else { return Flow::failed(unknown(field, name)) };
        let (field, name) = (field.to_owned(), name.to_owned());
        let told =
            move |read: Result<_>| read.map_err(|error| of_field(&field, &name, &error)).into();
        named.source.secret().then(told)
    }
}

fn unknown(field: &str, name: &str) -> Error {
    let text = format!(
        "{field} names the secret source {name:?}, which does not exist or was not granted to this tenant; write a literal, \
         or have it granted"
    );
    Error::config("webhook_source_unknown", text)
}

/// The kind of the error is kept: what cannot be read now may be read later.
fn of_field(field: &str, name: &str, error: &Error) -> Error {
    let text =
        format!("{field} could not be had from the secret source {name:?}: {}", error.cause());
    match error {
        Error::Transport(_) => Error::transport(error.code(), text),
        Error::Unavailable { retry_after, .. } => {
            Error::unavailable(error.code(), *retry_after, text)
        }
        _ => Error::config(error.code(), text),
    }
}

/// Shows the names.
impl fmt::Debug for SecretSources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
