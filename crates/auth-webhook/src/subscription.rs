//! What is sent to a receiver, and under which authorization.

use crate::{FieldValue, WebhookUrl};
use auth_core::{Credentials, Error, Result};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::fmt;

/// A receiver that something is sent to: an outbound webhook, or the group subscription notification of Contact Policy.
///
/// It refers to an authorization by name, or leaves it to the [rules](crate::UrlRule) of its tenant.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Subscription {
    /// What is sent.
    pub kind: SubscriptionKind,
    /// Where it goes.
    pub url: WebhookUrl,
    /// The name of the authorization that it is sent under.
    pub authorization: Option<String>,
    /// Further header fields that a person typed.
    headers: Vec<(HeaderName, FieldValue)>,
}

/// What a platform sends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionKind {
    /// An outbound webhook: receipts, messages, events.
    Webhook,
    /// The group subscription notification of Contact Policy.
    ContactPolicy,
}

impl Subscription {
    /// An outbound webhook to this URL.
    #[must_use]
    pub const fn webhook(url: WebhookUrl) -> Self {
        Self { kind: SubscriptionKind::Webhook, url, authorization: None, headers: Vec::new() }
    }

    /// The group subscription notification of Contact Policy, to this URL.
    #[must_use]
    pub fn contact_policy(url: WebhookUrl) -> Self {
        Self { kind: SubscriptionKind::ContactPolicy, ..Self::webhook(url) }
    }

    /// Under the authorization of this name.
    #[must_use]
    pub fn under(self, authorization: &str) -> Self {
        Self { authorization: Some(authorization.to_owned()), ..self }
    }

    /// With a header field of the receiver's choice.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is no header field, one that routes or frames messages, one that this library writes
    /// (`Content-Type`, `Content-Digest`, the fields of signatures), or one that is there already.
    pub fn with_header(mut self, name: &str, value: impl Into<FieldValue>) -> Result<Self> {
        let read = HeaderName::from_bytes(name.as_bytes());
        let wrong = |what: &str| Error::config("webhook_header", format!("header {name:?} {what}"));
        let read = read.map_err(|_| wrong("is no name of a field (RFC 9110 section 5.1)"))?;
        let frames = Credentials::header(read.clone(), HeaderValue::from_static("")).is_err();
        if frames || read.as_str().starts_with("proxy-") {
            return Err(wrong("routes or frames messages; remove it"));
        }
        if OURS.contains(&read.as_str()) {
            return Err(wrong("is written by the sender of the webhook; remove it"));
        }
        if self.headers.iter().any(|(known, _)| *known == read) {
            return Err(wrong("is there twice; remove one of them"));
        }
        self.headers.push((read, value.into()));
        Ok(self)
    }

    /// The header fields that were typed.
    pub(crate) fn headers(&self) -> &[(HeaderName, FieldValue)] {
        &self.headers
    }

    /// Checks that no field which was typed stands where the authorization writes.
    pub(crate) fn check_beside(&self, authorization: &crate::OutboundAuthorization) -> Result<()> {
        let writes = |name: &HeaderName| match &authorization.scheme {
            crate::OutboundScheme::None => false,
            crate::OutboundScheme::ApiKey(it) => {
                *name == header::AUTHORIZATION || it.key.eq_ignore_ascii_case(name.as_str())
            }
            crate::OutboundScheme::AwsSignature(_) => {
                *name == header::AUTHORIZATION || name.as_str().starts_with("x-amz-")
            }
            _ => *name == header::AUTHORIZATION,
        };
        match self.headers.iter().find(|(name, _)| writes(name)) {
            None => Ok(()),
            Some((name, _)) => {
                let text = format!(
                    "header {:?} stands beside an authorization of type {}, which writes it; remove one of them",
                    name.as_str(),
                    authorization.scheme_name()
                );
                Err(Error::config("webhook_header_beside", text))
            }
        }
    }
}

/// What the sender writes itself.
const OURS: &[&str] = &[
    "content-type",
    "content-digest",
    "date",
    "x-hub-signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "x-twilio-signature",
    "x-wx-gtrid",
];

/// The fields as they are sent; each is marked as sensitive, since nobody knows what a person typed.
pub(crate) fn fields<'a>(
    typed: impl Iterator<Item = (&'a HeaderName, &'a auth_core::Secret)>,
) -> Result<HeaderMap> {
    let mut fields = HeaderMap::new();
    for (name, value) in typed {
        let read = HeaderValue::from_bytes(value.expose());
        let mut value = read.map_err(|_| {
            let text = format!("header {name:?} has a value with a control character; remove it");
            Error::config("webhook_header", text)
        })?;
        value.set_sensitive(true);
        fields.insert(name.clone(), value);
    }
    Ok(fields)
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Subscription")
            .field("kind", &self.kind)
            .field("url", &self.url)
            .field("authorization", &self.authorization)
            .field("headers", &names)
            .finish()
    }
}
