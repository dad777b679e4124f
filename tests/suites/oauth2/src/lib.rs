//! OAuth 2.0: our client against a certified authorization server, and against servers that attack it.

mod addresses;
mod assertions;
mod attacks;
mod browser;
mod double;
mod flows;
mod ours;
mod processes;
mod provider;
mod recording;
mod requests;

use conformance::{Suite, asked, suite};
use provider::Provider;

pub use processes::run_if_asked;

/// Every suite of OAuth 2.0. A new one is an entry here.
pub const SUITES: &[Suite] = &[
    suite("oauth2-oidc-provider", "OAuth 2.0", "oidc-provider", |settings| {
        asked(Provider::start(settings), async |provider: &Provider| provider.cases().await)
    }),
    suite("oauth2-authlib", "OAuth 2.0", "Authlib", |settings| flows::python(settings, "authlib")),
    suite("oauth2-requests-oauthlib", "OAuth 2.0", "requests-oauthlib", |settings| {
        flows::python(settings, "requests_oauthlib")
    }),
    suite("oauth2-double", "OAuth 2.0", "our own server", |_| flows::ours()),
    suite("oauth2-processes", "OAuth 2.0", "processes of ours", processes::cases),
    suite("oauth2-attacks", "OAuth 2.0", "attacks", |_| attacks::cases()),
    suite(addresses::SUITE, "OAuth 2.0", "denied addresses", addresses::cases),
    suite("oauth2-requests", "OAuth 2.0", "our own server", |_| requests::cases()),
    suite("oauth2-pyjwt", "OAuth 2.0", "PyJWT", |settings| assertions::judged(settings, "jwt")),
    suite("oauth2-joserfc", "OAuth 2.0", "joserfc", |settings| {
        assertions::judged(settings, "joserfc")
    }),
];
