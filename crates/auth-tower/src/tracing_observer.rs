//! The bridge to `tracing`.

use auth_core::{Event, Observer};

/// Tells `tracing` what happened: one event each, with a counter that metrics exporters understand.
///
/// Field names are those of the OpenTelemetry conventions (`error.type`, `http.response.status_code`) and
/// `auth.scheme`; counters are `monotonic_counter.auth.*`. What it tells of a request stands inside the span `auth.verify`
/// that the server layer opens, with the method, the path without its query, and the address of the client.
///
/// # Security
///
/// Codes and fixed sentences only. The text of an error ([`Failed`](Event::Failed),
/// [`CompletionFailed`](Event::CompletionFailed)) is the one its scheme wrote, which names fields and never holds a
/// secret.
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingObserver;

impl Observer for TracingObserver {
    fn observe(&self, event: Event<'_>) {
        match event {
            Event::Accepted { scheme } => {
                tracing::debug!(
                    monotonic_counter.auth.accepted = 1_u64,
                    auth.scheme = scheme,
                    "request accepted"
                );
            }
            Event::Rejected(rejection) => tracing::info!(
                monotonic_counter.auth.rejected = 1_u64,
                http.response.status_code = rejection.status().as_u16(),
                error.type = rejection.reason().code,
                reason = rejection.reason().text,
                "request rejected"
            ),
            Event::BodyRejected(rejection) => tracing::warn!(
                monotonic_counter.auth.body_rejected = 1_u64,
                error.type = rejection.reason().code,
                reason = rejection.reason().text,
                "body rejected after its request was accepted"
            ),
            Event::CompletionFailed(error) => tracing::error!(
                monotonic_counter.auth.completion_failed = 1_u64,
                error.type = error.code(),
                reason = %error,
                "handler has replied, and what was to be done then failed"
            ),
            Event::Failed(error) => tracing::error!(
                monotonic_counter.auth.failed = 1_u64,
                error.type = error.code(),
                reason = %error,
                "authentication could not be decided"
            ),
            Event::Retried => {
                tracing::debug!(
                    monotonic_counter.auth.retried = 1_u64,
                    "request authenticated afresh and sent again"
                );
            }
            Event::Renewed { session } => tracing::info!(
                monotonic_counter.auth.renewed = 1_u64,
                auth.session = session,
                "session obtained a token"
            ),
            Event::RenewalFailed { session, error } => tracing::warn!(
                monotonic_counter.auth.renewal_failed = 1_u64,
                auth.session = session,
                error.type = error.code(),
                reason = %error,
                "session could not obtain a token"
            ),
            Event::Condemned { session, refusal } => tracing::info!(
                monotonic_counter.auth.condemned = 1_u64,
                auth.session = session,
                http.response.status_code = refusal.status.as_u16(),
                error.type = refusal.code.as_deref(),
                "server refused the token of a session"
            ),
            Event::FellBack { session, error } => tracing::warn!(
                monotonic_counter.auth.fell_back = 1_u64,
                auth.session = session,
                error.type = error.code(),
                reason = %error,
                "session has no token, its fallback is sent"
            ),
            Event::HorizonRaised { horizon, until } => tracing::warn!(
                monotonic_counter.auth.horizon_raised = 1_u64,
                auth.horizon = ?horizon,
                auth.until = %until,
                "replay store was full and refuses what was issued before its horizon"
            ),
            Event::InactiveCredentialUsed { tenant, credential } => tracing::warn!(
                monotonic_counter.auth.inactive_credential_used = 1_u64,
                auth.tenant = tenant.as_str(),
                auth.credential = credential,
                "caller was refused that still uses a discarded credential"
            ),
            Event::PasswordNotRehashed { tenant, credential, error } => tracing::warn!(
                monotonic_counter.auth.password_not_rehashed = 1_u64,
                auth.tenant = tenant.as_str(),
                auth.credential = credential,
                error.type = error.code(),
                reason = %error,
                "password was right and could not be hashed anew"
            ),
            Event::WebhookAttempted { tenant, subscription, slot, outcome, status, error } => {
                tracing::info!(
                    monotonic_counter.auth.webhook_attempted = 1_u64,
                    auth.tenant = tenant.as_str(),
                    auth.subscription = subscription,
                    auth.slot = slot,
                    auth.outcome = outcome,
                    http.response.status_code = status.map(|status| status.as_u16()),
                    error.type = error.map(auth_core::Error::code),
                    "one attempt at delivering a webhook has ended"
                );
            }
            Event::KeyLeftOut { issuer, kid, error } => tracing::info!(
                monotonic_counter.auth.key_left_out = 1_u64,
                auth.issuer = issuer,
                auth.kid = kid,
                error.type = error.code(),
                reason = %error,
                "published key cannot be used"
            ),
            _ => {}
        }
    }
}
