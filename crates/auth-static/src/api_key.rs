//! API keys: one secret, in a field of its own, behind a scheme word, or in the query.

mod placement;
mod verifier;

pub use placement::Placement;
pub use verifier::Verifier;

use crate::config;
use auth_core::{Authenticator, Credentials, Flow, RequestView, Result};
use http::{HeaderValue, header::AUTHORIZATION};
use placement::Place;
use std::fmt;

/// Sends a key where the platform wants it.
///
/// ```
/// use auth_static::{ApiKey, Placement};
/// let infobip = ApiKey::new(Placement::scheme("App")?, "003026bb-8f4b")?;      // Authorization: App 003026bb-8f4b
/// let webex = ApiKey::new(Placement::header("key")?, "b7c2d1e0-55aa")?;        // key: b7c2d1e0-55aa
/// # let _: [&dyn auth_core::Authenticator; 2] = [&infobip, &webex];
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct ApiKey(Credentials);

impl ApiKey {
    /// The most bytes of a key.
    pub const MOST_BYTES: usize = 4096;

    /// A key, as it is.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the key is empty, too long, or has anything but visible ASCII; behind a scheme word, commas
    /// and quotes cannot be part of it either.
    pub fn new(placement: Placement, key: &str) -> Result<Self> {
        let opaque = |byte: u8| byte != b',' && byte != b'"';
        let possible = match &placement.0 {
            Place::Scheme(_) => is_key(key.as_bytes()) && key.bytes().all(opaque),
            _ => is_key(key.as_bytes()),
        };
        if !possible {
            return Err(config(
                "api_key_malformed",
                "key: expected 1 to 4096 visible ASCII characters that can go there",
            ));
        }
        let value = |text: String| {
            HeaderValue::from_maybe_shared(text)
                .map_err(|_| config("api_key_malformed", "key: expected visible ASCII"))
        };
        Ok(Self(match placement.0 {
            Place::Header(name) => Credentials::header(name, value(key.to_owned())?)?,
            Place::Scheme(word) => {
                Credentials::header(AUTHORIZATION, value(format!("{word} {key}"))?)?
            }
            Place::Query(name) => Credentials::query(&name, key),
        }))
    }
}

/// Visible ASCII, at least one and not too many.
fn is_key(key: &[u8]) -> bool {
    (1..=ApiKey::MOST_BYTES).contains(&key.len())
        && key.iter().fold(true, |visible, byte| visible & byte.is_ascii_graphic())
}

impl Authenticator for ApiKey {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        Flow::ready(self.0.clone())
    }
}

/// Shows where the key goes, and nothing of it.
impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({:?})", self.0)
    }
}
