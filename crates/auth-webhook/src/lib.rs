//! Webhooks under six kinds of authorization, on both ends.
//!
//! For platforms whose tenants say how their webhooks are to be authenticated, and for receivers of such webhooks.
//!
//! | | |
//! |---|---|
//! | what a person fills in | [`OutboundAuthorization`]: none, Basic, Digest, AWS signature, API key, OAuth 2.0 |
//! | the authorizations of all tenants, and their state | [`AuthorizationSet`], [`TenantAuthorizations`] |
//! | what is sent, and where | [`Subscription`], [`WebhookUrl`], [`UrlRule`] |
//! | secrets that a configuration names | [`SecretSources`], [`FieldValue`] |
//! | what would be sent; whether it would be taken | [`TenantAuthorizations::preview`], [`TenantAuthorizations::probe`] |
//!
//! # What it does not do
//!
//! It opens no connection, and keeps no configuration: [`Transports`] bring the one, the platform the other. It is no
//! queue: it tells what came of a delivery, and the program, which has the delivery, decides what becomes of it.

mod built;
mod delivery;
mod duration;
mod field_value;
mod outbound;
mod receive;
mod resolved;
mod secret_sources;
mod set;
mod signature;
mod subscription;
mod transports;
mod url_rule;
mod webhook_url;

// What the signatures of this crate need of other crates of ours, so that a program can depend on this crate alone.
pub use auth_core::{
    Authenticator, Candidates, Clock, ConnectionId, Context, Error, Flow, KeyHasher, Limits,
    Observer, Random, Result, Secret, SecretSource, SystemClock, TenantId, Timestamp, Transport,
};
pub use auth_oauth2::{MaskedToken, OAuthToken, PendingAuthorizations};
pub use auth_session::TokenStore;

pub use delivery::{
    DeliveryAttempt, DeliveryEnd, DeliveryOutcome, DeliveryPlan, DeliveryReport, RetryPauses,
    WebhookDelivery, WebhookSender,
};
pub use field_value::FieldValue;
pub use outbound::{
    ApiKeyFields, AwsSignatureFields, BasicFields, ClientAuthenticationMethod, DigestFields,
    OAuth2AdvancedSettings, OAuth2Fields, OAuth2Grant, OutboundAuthorization, OutboundScheme,
    RevealedAuthorization, TokenRequestMethod, TokenRequestParameters,
};
pub use receive::{
    Delivery, InboundAuthorization, InboundLookUps, InboundVerifier, OncePerDelivery, Receipt,
    ReceiptChannel, WebhookReceiver,
};
pub use secret_sources::{ConfiguredBy, SecretSources};
pub use set::{
    AuthorizationSet, AuthorizationSetBuilder, AuthorizationSummary, Chosen, Dependant, MatchedBy,
    Preview, PreviewField, ProbeOutcome, SlotName, SlotTurn, TenantAuthorizations,
};
pub use signature::{
    BodySignatureVerifier, BodySigner, BodySigningKey, BodyVerifyingKey, DeliveryId, MacAlgorithm,
    SignableDelivery, SignatureAlgorithm, SignatureEncoding, SignatureForm, SignedDelivery,
    symphony_signed_text,
};
pub use subscription::{Subscription, SubscriptionKind};
pub use transports::Transports;
pub use url_rule::{RuleUrls, UrlRule};
pub use webhook_url::WebhookUrl;
