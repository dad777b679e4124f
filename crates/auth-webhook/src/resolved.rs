//! The values that the fields of an authorization have at one send.

use crate::{OutboundAuthorization, SecretSources, field_value};
use auth_core::{Error, Flow, KeyDigest, KeyHasher, Result, Secret};
use std::{borrow::Cow, sync::Arc};
use zeroize::Zeroizing;

/// Each field that may come from a source, with its value.
pub(crate) struct Resolved(Vec<(Cow<'static, str>, Arc<Secret>)>);

impl Resolved {
    /// Asks the sources of an authorization. Nothing is sent unless all of them answer.
    pub(crate) fn of(
        authorization: &OutboundAuthorization,
        sources: &SecretSources,
    ) -> Flow<'static, Self> {
        let asked = authorization.values();
        if asked.iter().all(|(_, value)| value.source().is_none()) {
            let literal = |(field, value): (Cow<'static, str>, &crate::FieldValue)| {
                value.resolve(&field, sources).wait().map(|secret| (field, secret))
            };
            return Flow::from(asked.into_iter().map(literal).collect::<Result<_>>().map(Self));
        }
        let asked: Vec<_> =
            asked.into_iter().map(|(field, value)| (field, value.clone())).collect();
        let sources = sources.clone();
        Flow::new(async move {
            let mut found = Vec::with_capacity(asked.len());
            for (field, value) in asked {
                let secret = value.resolve(&field, &sources).await?;
                found.push((field, secret));
            }
            Ok(Self(found))
        })
    }

    fn get(&self, field: &str) -> Result<&Arc<Secret>> {
        let found = self.0.iter().find(|(name, _)| name == field);
        found.map(|(_, value)| value).ok_or_else(|| {
            Error::config("webhook_field_missing", format!("{field} is missing; fill it in"))
        })
    }

    /// A copy of the value.
    pub(crate) fn secret(&self, field: &str) -> Result<Secret> {
        Ok(Secret::new(self.get(field)?.expose()))
    }

    /// The value as text.
    pub(crate) fn text(&self, field: &str) -> Result<&str> {
        field_value::text(field, self.get(field)?)
    }

    /// Tells these values from others, without keeping them.
    pub(crate) fn digest(&self, hasher: &KeyHasher) -> KeyDigest {
        let mut all = Zeroizing::new(Vec::new());
        for (_, value) in &self.0 {
            let length = u64::try_from(value.expose().len()).unwrap_or(u64::MAX);
            all.extend_from_slice(&length.to_be_bytes());
            all.extend_from_slice(value.expose());
        }
        hasher.hash(&all)
    }
}
