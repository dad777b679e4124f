//! OAuth 2.0: our client against a certified authorization server, and against servers that attack it.

mod browser;
mod ours;
mod provider;
mod provider_code;
mod provider_service;

use conformance::{Suite, asked, suite};
use provider::Provider;

/// Every suite of OAuth 2.0. A new one is an entry here.
pub const SUITES: &[Suite] =
    &[suite("oauth2-oidc-provider", "OAuth 2.0", "oidc-provider", |settings| {
        asked(Provider::start(settings), async |provider: &Provider| {
            let mut cases = provider_service::cases(provider).await;
            cases.extend(provider_code::cases(provider).await);
            cases
        })
    })];
