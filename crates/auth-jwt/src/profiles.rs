//! Ready policies for the tokens of two platforms, and the claims to sign them with.
//!
//! | | who signs | algorithm | claims | life |
//! |---|---|---|---|---|
//! | Webex Connect service | the service, by its ID in `iss` | HS256, secret given in Base64 | `iss`, `iat`; `exp` if wanted | 60 minutes from `iat` at most |
//! | Webex Connect app | the app, by its ID in `appId` | HS256, secret given in Base64; RS256 | `appId`, `exp`; `userId` if wanted | until `exp` |
//! | Symphony log-in | the bot or app, by its name in `sub` | RS512 | `sub`, `exp` | 5 minutes at most |
//!
//! The algorithm is that of the key: a service's secret is a key for HS256, a bot's public key one for RS512, and a token
//! that names another is refused.

use crate::{ClaimsToSign, DatePrecision, Expiry, JwtPolicy, RequiredClaim, SignerClaim};
use std::time::Duration;

const WEBEX_LIFE: Duration = Duration::from_secs(60 * 60);
const SYMPHONY_MOST: Duration = Duration::from_secs(5 * 60);
const SYMPHONY_LIFE: Duration = Duration::from_secs(4 * 60);

/// What a service of Webex Connect has to say: whole seconds, an `iat`, and dead an hour after it whatever `exp` says.
///
/// Keys are looked up by the Service ID, which is the `iss`. The platform defines no `aud`, and the key belongs to one
/// service, so that a token can be for nobody but the platform: an `aud` that a service adds is ignored.
#[must_use]
pub fn webex_service_policy() -> JwtPolicy {
    JwtPolicy::new()
        .allowing_any_audience()
        .with_required_claim(RequiredClaim::Issuer)
        .with_required_claim(RequiredClaim::IssuedAt)
        .with_expiry(Expiry::Optional)
        .with_exact_max_age(WEBEX_LIFE)
        .with_date_precision(DatePrecision::WholeSeconds)
}

/// What a service of Webex Connect signs: `iss`, `iat`, and an `exp` that is the end the platform sets anyway.
#[must_use]
pub fn webex_service_claims(service_id: &str) -> ClaimsToSign {
    ClaimsToSign::new(Some(WEBEX_LIFE.as_secs())).with_issuer(service_id)
}

/// What an app of Webex Connect has to say: its ID as `appId`, by which keys are looked up, and an `exp` in whole seconds.
///
/// The platform's pages let `exp` be left out. Here it is required, since a token without an end opens the door for
/// as long as its key lives. They define no `aud` and no `iss`, and the key belongs to one app: either is ignored.
#[must_use]
pub fn webex_app_policy() -> JwtPolicy {
    JwtPolicy::new()
        .allowing_any_audience()
        .with_date_precision(DatePrecision::WholeSeconds)
        .with_signer_claim(SignerClaim::Named("appId"))
}

/// What an app of Webex Connect signs: its ID as `appId`, and an `exp` in an hour.
///
/// # Errors
///
/// None: those of [`ClaimsToSign::with_claim`] are about values that no text is.
pub fn webex_app_claims(app_id: &str) -> auth_core::Result<ClaimsToSign> {
    ClaimsToSign::new(Some(WEBEX_LIFE.as_secs())).with_claim("appId", &app_id)
}

/// What a bot or app of Symphony has to say when it logs in: `sub`, and an `exp` at most five minutes ahead.
///
/// Keys are looked up by the name of the bot or app, which is the `sub`: it signs for itself. The platform defines no
/// `aud`, and the key belongs to one bot, so that a token can be for nobody but its pod: an `aud` that a bot adds is
/// ignored.
#[must_use]
pub fn symphony_login_policy() -> JwtPolicy {
    JwtPolicy::new()
        .allowing_any_audience()
        .with_required_claim(RequiredClaim::Subject)
        .with_most_ahead(SYMPHONY_MOST)
        .with_signer_claim(SignerClaim::Subject)
}

/// What a bot or app of Symphony signs to log in: `sub`, and an `exp` in four minutes, which leaves one for clocks that
/// differ.
#[must_use]
pub fn symphony_login_claims(name: &str) -> ClaimsToSign {
    ClaimsToSign::new(Some(SYMPHONY_LIFE.as_secs())).with_subject(name).without_issued_at()
}
