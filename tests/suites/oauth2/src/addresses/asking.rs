//! Asking by each URL that can be typed.

use crate::ours::text;
use auth_core::{Context, Renewal, TokenSource};
use auth_oauth2::{
    AuthorizationServerMetadata, ClientAuthentication, ClientCredentials, ClientRegistration,
    MetadataLocation, OAuthToken, TokenEndpoint, TokenRequest,
};
use auth_testing::ScriptedTransport;
use http::Response;
use serde_json::json;

type Done<T> = Result<T, String>;

/// The URLs that can be typed.
pub const KINDS: [Kind; 5] =
    [Kind::Token, Kind::Refresh, Kind::OAuthMetadata, Kind::OpenIdMetadata, Kind::Named];

#[derive(Clone, Copy)]
pub enum Kind {
    Token,
    Refresh,
    OAuthMetadata,
    OpenIdMetadata,
    /// The token endpoint that the metadata of an honest server's issuer names.
    Named,
}

/// The code of the error that comes of it.
pub async fn ask(kind: Kind, url: &str, context: &Context) -> Done<&'static str> {
    let client = || ClientAuthentication::client_secret_post("acme", "s3cret");
    let endpoint = TokenEndpoint::new(&format!("{url}/token"));
    let outcome = match kind {
        Kind::Token => match endpoint {
            Err(error) => Err(error),
            Ok(endpoint) => {
                let registration = ClientRegistration::new(endpoint, client().map_err(text)?);
                let request = TokenRequest::new("client_credentials");
                registration.obtain(&request, context).await.map(drop)
            }
        },
        Kind::Refresh => match endpoint {
            Err(error) => Err(error),
            Ok(endpoint) => {
                let elsewhere = TokenEndpoint::new("https://login.example/token").map_err(text)?;
                let registration = ClientRegistration::new(elsewhere, client().map_err(text)?);
                let registration = registration.with_refresh_endpoint(endpoint);
                registration.refresh(&kept()?, context).await.map(drop)
            }
        },
        Kind::OAuthMetadata => metadata(url, MetadataLocation::OAuth, context).await,
        Kind::OpenIdMetadata => metadata(url, MetadataLocation::OpenId, context).await,
        Kind::Named => match named(url) {
            Err(error) => Err(error),
            Ok(endpoint) => {
                let registration = ClientRegistration::new(endpoint, client().map_err(text)?);
                let request = TokenRequest::new("client_credentials");
                registration.obtain(&request, context).await.map(drop)
            }
        },
    };
    Ok(outcome.err().map_or("answered", |error| error.code()))
}

async fn metadata(
    issuer: &str,
    location: MetadataLocation,
    context: &Context,
) -> auth_core::Result<()> {
    let exchange = AuthorizationServerMetadata::exchange(issuer, location)?;
    let answer = context.transport.fetch(exchange).await?;
    AuthorizationServerMetadata::read(&answer, issuer).map(drop)
}

fn named(url: &str) -> auth_core::Result<TokenEndpoint> {
    // An issuer that is not on this machine names nothing there.
    let issuer = if url.starts_with("http:") { url } else { "https://login.example" };
    let metadata = json!({ "issuer": issuer, "token_endpoint": format!("{url}/token") });
    let answer = Response::new(metadata.to_string().into_bytes());
    Ok(AuthorizationServerMetadata::read(&answer, issuer)?.token_endpoint)
}

/// A token that can be refreshed.
fn kept() -> Done<OAuthToken> {
    let granting = ScriptedTransport::new(|_| {
        Ok(Response::new(br#"{"access_token":"t","refresh_token":"r"}"#.to_vec()))
    });
    let endpoint = TokenEndpoint::new("https://login.example/token").map_err(text)?;
    let client = ClientAuthentication::none("acme").map_err(text)?;
    let grant = ClientCredentials::new(ClientRegistration::new(endpoint, client));
    grant.token(&Context::new(granting), Renewal::First).wait().map_err(text)
}
