//! What a kept token is named by.

use auth_core::{ConnectionId, KeyHasher};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// All that a token is obtained with, part by part. Each part has its length before it, so that no two configurations
/// are written alike.
pub(crate) struct NameParts(Zeroizing<Vec<u8>>);

impl NameParts {
    pub(crate) fn of(connection: &ConnectionId) -> Self {
        let mut parts = Self(Zeroizing::default());
        parts.add(connection.tenant.as_str());
        parts.add(&*connection.authorization);
        parts.add_or_none(connection.user.as_deref());
        parts
    }

    pub(crate) fn add(&mut self, part: impl AsRef<[u8]>) {
        let part = part.as_ref();
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(part);
    }

    pub(crate) fn add_or_none(&mut self, part: Option<&str>) {
        self.add([u8::from(part.is_some())]);
        self.add(part.unwrap_or_default());
    }

    /// A keyed hash of the parts, as text that any store takes for a name.
    pub(crate) fn name(&self, hasher: &KeyHasher) -> String {
        format!("oauth2-{}", URL_SAFE_NO_PAD.encode(hasher.hash(&self.0).as_bytes()))
    }
}
