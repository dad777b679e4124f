//! Header fields that go with every request to a component.

use auth_core::{Credentials, RequestView, Result, Secret};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::{fmt, sync::Arc};

/// What a gateway in front of a component asks for, with log-ins and calls alike. A field that a request has already is
/// left as it is.
#[derive(Clone, Default)]
pub(crate) struct ComponentFields(Option<Arc<[(HeaderName, HeaderValue)]>>);

impl ComponentFields {
    #[cfg(feature = "bdk-config")]
    pub(crate) fn new(fields: Vec<(HeaderName, HeaderValue)>) -> Self {
        Self(if fields.is_empty() { None } else { Some(fields.into()) })
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        for (name, value) in self.0.as_deref().unwrap_or_default() {
            if !headers.contains_key(name) {
                headers.insert(name, value.clone());
            }
        }
    }

    /// With what authenticates a call.
    pub(crate) fn beside(
        &self,
        made: Credentials,
        request: RequestView<'_>,
    ) -> Result<Credentials> {
        let fields = self.0.as_deref().unwrap_or_default().iter();
        let mut missing = fields.filter(|(name, _)| !request.headers.contains_key(name)).cloned();
        missing.try_fold(made, |made, (name, value)| made.and(Credentials::header(name, value)?))
    }
}

impl PartialEq for ComponentFields {
    fn eq(&self, other: &Self) -> bool {
        let [one, other] = [self, other].map(|it| it.0.as_deref().unwrap_or_default());
        one.len() == other.len()
            && one.iter().zip(other).all(|((name, value), (other_name, other))| {
                name == other_name && Secret::new(value.as_bytes()).matches(other.as_bytes())
            })
    }
}

impl Eq for ComponentFields {}

/// Shows their names.
impl fmt::Debug for ComponentFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.as_deref().unwrap_or_default().iter().map(|(name, _)| name.as_str());
        f.debug_list().entries(names).finish()
    }
}
