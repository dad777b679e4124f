//! What would be sent, without sending or spending anything.

use super::{MatchedBy, SlotName, TenantAuthorizations};
use crate::{DigestFields, OutboundScheme, WebhookDelivery, built::Built, field_value};
use auth_core::{Authenticator, Body, Flow, RequestView, Result};
use std::sync::Arc;

/// What a delivery would be sent under: which authorization, why, and the fields that it adds, with secrets, signatures
/// and assertions masked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preview {
    /// The name of the authorization; `None` where nothing is added.
    pub authorization: Option<Arc<str>>,
    /// Why it is this one.
    pub matched_by: MatchedBy,
    /// Which of its slots it is.
    pub slot: SlotName,
    /// The `type` of its scheme.
    pub scheme: &'static str,
    /// Where it goes, as it is sent.
    pub url: String,
    /// The client certificate that the connection shows, by name.
    pub client_certificate: Option<String>,
    /// The header fields that are added.
    pub fields: Vec<PreviewField>,
    /// What would happen before, in plain words.
    pub notes: Vec<String>,
}

/// A header field that would be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewField {
    /// Its name.
    pub name: String,
    /// Its value; `****` stands for what is not shown.
    pub value: String,
}

const MASK: &str = "****";

impl TenantAuthorizations {
    /// What this delivery would be sent under. Nothing is sent, and nothing is spent: no token is obtained or refreshed, no
    /// nonce is counted. Secret sources are asked, since what they give decides what is sent.
    ///
    /// # Errors
    ///
    /// Those of [`choose`](Self::choose), and those of a body that cannot be signed.
    pub fn preview(
        &self,
        subscription: &str,
        delivery: &WebhookDelivery,
    ) -> Flow<'static, Preview> {
        let chosen = self.choose(subscription, delivery.id());
        let (clock, delivery) = (Arc::clone(&self.set.clock), delivery.clone());
        Flow::new(async move {
            let chosen = chosen.await?;
            let subscription = chosen.subscription();
            let mut preview = Preview {
                authorization: chosen.authorization().map(Arc::from),
                matched_by: chosen.matched_by().clone(),
                slot: chosen.slot(),
                scheme: "none",
                url: subscription.url.as_str().to_owned(),
                client_certificate: None,
                fields: Vec::new(),
                notes: Vec::new(),
            };
            // What is signed is the request as it would be sent.
            let request = delivery.request(&chosen, clock.now())?;
            if let Some((authorization, built)) = chosen.configured() {
                preview.scheme = authorization.scheme_name();
                preview.client_certificate.clone_from(&authorization.client_certificate);
                let view = RequestView::new(request.method(), request.uri(), request.headers())
                    .with_body(Body::Bytes(request.body()));
                preview.show(&authorization.scheme, built, view).await?;
            }
            if let Some(signer) = subscription.signer() {
                preview.field(signer.header().as_str(), MASK);
            }
            for (name, _) in subscription.headers() {
                preview.field(name.as_str(), MASK);
            }
            Ok(preview)
        })
    }
}

impl Preview {
    fn field(&mut self, name: &str, value: impl Into<String>) {
        self.fields.push(PreviewField { name: name.to_owned(), value: value.into() });
    }

    async fn show(
        &mut self,
        scheme: &OutboundScheme,
        built: &Built,
        view: RequestView<'_>,
    ) -> Result<()> {
        match scheme {
            OutboundScheme::None => {}
            OutboundScheme::Basic(_) => self.field("authorization", format!("Basic {MASK}")),
            OutboundScheme::ApiKey(fields) => self.field(&fields.key.to_ascii_lowercase(), MASK),
            OutboundScheme::Digest(fields) => self.show_digest(fields),
            // Signing only computes.
            OutboundScheme::AwsSignature(_) => {
                let signed = built.authenticator.credentials(view).await?;
                for name in ["x-amz-date", "x-amz-content-sha256", "authorization"] {
                    let value = signed.field(&http::HeaderName::from_static(name));
                    if let Some(value) = value.and_then(|value| value.to_str().ok()) {
                        self.field(name, without_signature(value));
                    }
                }
            }
            OutboundScheme::OAuth2(fields) => {
                let masked = match &built.connection {
                    Some(connection) => connection.masked().await?,
                    None => None,
                };
                match masked {
                    Some(token) => {
                        self.field("authorization", format!("Bearer {MASK}{}", token.access_token))
                    }
                    None => {
                        self.field("authorization", format!("Bearer {MASK}"));
                        let url = &fields.access_token_url;
                        self.notes.push(format!("a token would be obtained first, from {url}"));
                    }
                }
            }
        }
        Ok(())
    }

    fn show_digest(&mut self, fields: &DigestFields) {
        let user =
            fields.username.expose().and_then(|name| field_value::text("username", name).ok());
        let user = user.unwrap_or(MASK);
        match (&fields.realm, &fields.nonce) {
            (Some(realm), Some(nonce)) => {
                let value = format!(
                    "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", response=\"{MASK}\""
                );
                self.field("authorization", value);
            }
            _ => {
                self.field(
                    "authorization",
                    format!("Digest username=\"{user}\", response=\"{MASK}\""),
                );
                let first = if fields.proving_first {
                    "the receiver is asked for a challenge first, without the body"
                } else {
                    "where no challenge of the receiver is known yet, the first request goes out without this field, and the \
                     challenge is answered"
                };
                self.notes.push(first.to_owned());
            }
        }
    }
}

/// A field of AWS Signature with its signature masked.
fn without_signature(value: &str) -> String {
    match value.split_once("Signature=") {
        Some((before, _)) => format!("{before}Signature={MASK}"),
        None => value.to_owned(),
    }
}
