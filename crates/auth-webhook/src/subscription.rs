//! What is sent to a receiver, and under which authorization.

use crate::{BodySigner, FieldValue, OutboundAuthorization, OutboundScheme, WebhookUrl};
use auth_core::{Credentials, Error, Result};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::{fmt, sync::Arc};

/// A receiver that something is sent to: an outbound webhook, or the group subscription notification of Contact Policy.
///
/// It refers to an authorization by name, or leaves it to the [rules](crate::UrlRule) of its tenant.
#[derive(Clone)]
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
    signer: Option<Arc<BodySigner>>,
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
        Self {
            kind: SubscriptionKind::Webhook,
            url,
            authorization: None,
            headers: Vec::new(),
            signer: None,
        }
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

    /// Its bodies are signed, beside whatever the authorization adds.
    #[must_use]
    pub fn signed_by(self, signer: BodySigner) -> Self {
        Self { signer: Some(Arc::new(signer)), ..self }
    }

    /// With a header field of the receiver's choice.
    ///
    /// # Errors
    ///
    /// `Error::Config` with `webhook_header` when it is no header field, one that routes or frames messages, one that this
    /// library writes (`Content-Type`, `Content-Digest`, `Date`, the fields of signatures), or one that is there already; when
    /// its value is hidden, longer than 8 KiB or has a control character; when there are more than 32 fields.
    pub fn with_header(mut self, name: &str, value: impl Into<FieldValue>) -> Result<Self> {
        let value = value.into();
        let read = HeaderName::from_bytes(name.as_bytes());
        let wrong = |what: &str| Error::config("webhook_header", format!("header {name:?} {what}"));
        let read = read.map_err(|_| wrong("is no name of a field (RFC 9110 section 5.1)"))?;
        let frames = Credentials::header(read.clone(), HeaderValue::from_static("")).is_err();
        if frames || read.as_str().starts_with("proxy-") {
            return Err(wrong("routes or frames messages; remove it"));
        }
        if is_ours(read.as_str()) {
            return Err(wrong("is written by the sender of the webhook; remove it"));
        }
        if self.headers.iter().any(|(known, _)| *known == read) {
            return Err(wrong("is there twice; remove one of them"));
        }
        if self.headers.len() >= MOST_HEADERS {
            return Err(wrong(
                "is one too many: a subscription has at most 32; remove one of them",
            ));
        }
        if value.is_hidden() {
            return Err(wrong("has a hidden value; write it"));
        }
        if let Some(literal) = value.expose() {
            field(&read, literal)?;
        }
        self.headers.push((read, value));
        Ok(self)
    }

    /// What signs its bodies.
    #[must_use]
    pub fn signer(&self) -> Option<&BodySigner> {
        self.signer.as_deref()
    }

    /// The header fields that were typed.
    pub(crate) fn headers(&self) -> &[(HeaderName, FieldValue)] {
        &self.headers
    }

    /// Checks that no two of authorization, signature and the fields that were typed write one field.
    pub(crate) fn check_beside(&self, authorization: Option<&OutboundAuthorization>) -> Result<()> {
        let signs = self.signer.as_ref().map(|signer| signer.header());
        let typed = self.headers.iter().map(|(name, _)| name);
        let (kind, writes): (_, &dyn Fn(&HeaderName) -> bool) =
            match authorization.map(|it| &it.scheme) {
                None | Some(OutboundScheme::None) => ("none", &|_| false),
                Some(OutboundScheme::ApiKey(it)) => ("api_key", &|name| {
                    *name == header::AUTHORIZATION || it.key.eq_ignore_ascii_case(name.as_str())
                }),
                Some(OutboundScheme::AwsSignature(_)) => ("aws_signature", &|name| {
                    *name == header::AUTHORIZATION || name.as_str().starts_with("x-amz-")
                }),
                Some(_) => {
                    (authorization.map_or("none", OutboundAuthorization::scheme_name), &|name| {
                        *name == header::AUTHORIZATION
                    })
                }
            };
        let beside = |name: &HeaderName, what: &str| {
            let text = format!(
                "header {:?} stands beside {what}, which writes it; remove one of them",
                name.as_str()
            );
            Err(Error::config("webhook_header_beside", text))
        };
        for name in typed {
            if writes(name) {
                return beside(name, &format!("an authorization of type {kind}"));
            }
            if signs == Some(name) {
                return beside(name, "the signature of the body");
            }
        }
        match signs.filter(|name| writes(name)) {
            Some(name) => beside(
                name,
                &format!("an authorization of type {kind}, and the signature of the body"),
            ),
            None => Ok(()),
        }
    }
}

/// The most header fields that a subscription has, and the most bytes that the value of one has.
const MOST_HEADERS: usize = 32;
const MOST_VALUE_BYTES: usize = 8 * 1024;

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

/// Is it a field that the sender writes itself?
pub(crate) fn is_ours(name: &str) -> bool {
    OURS.iter().any(|ours| ours.eq_ignore_ascii_case(name))
}

/// The fields as they are sent; each is marked as sensitive, since nobody knows what a person typed.
pub(crate) fn fields<'a>(
    typed: impl Iterator<Item = (&'a HeaderName, &'a auth_core::Secret)>,
) -> Result<HeaderMap> {
    let mut fields = HeaderMap::new();
    for (name, value) in typed {
        fields.insert(name.clone(), field(name, value)?);
    }
    Ok(fields)
}

fn field(name: &HeaderName, value: &auth_core::Secret) -> Result<HeaderValue> {
    let wrong =
        |what| Error::config("webhook_header", format!("header {name:?} has a value {what}"));
    if value.expose().len() > MOST_VALUE_BYTES {
        return Err(wrong("longer than 8 KiB; shorten it"));
    }
    let read = HeaderValue::from_bytes(value.expose());
    let mut value = read.map_err(|_| wrong("with a control character; remove it"))?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Subscription")
            .field("kind", &self.kind)
            .field("url", &self.url)
            .field("authorization", &self.authorization)
            .field("headers", &names)
            .field("signer", &self.signer)
            .finish()
    }
}
