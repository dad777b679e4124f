//! The client's own tokens at oidc-provider: every way to authenticate, what is refused, and the metadata.

use super::Provider;
use crate::ours::{
    ClientKey, case, claims_of, fetched, json_of, posted, refusal, registration, shown, text,
};
use auth_core::{Context, TokenSource};
use auth_oauth2::{
    AssertionAudience, AuthorizationServerMetadata, ClientAuthentication, ClientCredentials,
    IssuerParameter, MetadataLocation, OAuthToken, RemoteAuthorizationServerMetadata, Renewal,
    TokenEndpoint, TokenRequest,
};
use auth_testing::Canary;
use conformance::{Compared, compare};

/// Everything that needs no user.
pub async fn cases(provider: &Provider, context: &Context) -> Vec<Compared> {
    let mut cases = granted(provider, context).await;
    cases.extend(refused(provider, context).await);
    cases.extend(assertions(provider, context).await);
    cases.extend(metadata(provider, context).await);
    cases
}

/// The token is the client's own: nobody's subject.
async fn granted(provider: &Provider, context: &Context) -> Vec<Compared> {
    let mut cases = Vec::new();
    for method in
        ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"]
    {
        let run = async {
            let token = ask(provider, provider.client("service", method), "", context).await;
            let token = token?.map_err(text)?;
            let subject = subject(provider, &token, context).await?;
            Ok(format!("{}, {subject}", shown(&token, context.clock.now())))
        };
        cases.push(case(&format!("service-{method}"), "1 min, no subject", run).await);
    }
    // The same by what the server says about itself.
    let run = async {
        let server = RemoteAuthorizationServerMetadata::new(&provider.issuer, context.clone());
        let client = provider.client("service", "private_key_jwt").map_err(text)?;
        let metadata = server.map_err(text)?.metadata().await.map_err(text)?;
        let grant = ClientCredentials::new(metadata.registration(client).map_err(text)?);
        let token = grant.token(context, Renewal::First).await.map_err(text)?;
        subject(provider, &token, context).await
    };
    cases.push(case("service-discovered", "no subject", run).await);
    let run = async {
        let token = ask(
            provider,
            provider.client("service", "client_secret_basic"),
            "sms:read sms:send",
            context,
        );
        Ok(token.await?.map_err(text)?.scope().unwrap_or_default().to_owned())
    };
    cases.push(case("service-scopes", "sms:read sms:send", run).await);
    for resource in ["https://api.example/sms", "https://api.example/voice"] {
        let run = async {
            let client = provider.client("service", "client_secret_basic");
            let grant = ClientCredentials::new(registration(&provider.token_endpoint(), client)?);
            let grant = grant.with_resource(resource).map_err(text)?;
            let token = grant.token(context, Renewal::First).await.map_err(text)?;
            let claims = claims_of(token.access_token().expose_text().unwrap_or_default())?;
            Ok(claims["aud"].to_string())
        };
        let id = format!("service-resource-{}", resource.rsplit('/').next().unwrap_or_default());
        cases.push(case(&id, &format!("{resource:?}"), run).await);
    }
    cases
}

async fn refused(provider: &Provider, context: &Context) -> Vec<Compared> {
    let mut cases = Vec::new();
    let wrong = Canary::plant("a-wrong-secret-that-is-long-enough-", &*context.random);
    let (Ok(wrong), Ok(stranger)) = (wrong, ClientKey::new("one")) else {
        return vec![compare("start", "started", "no randomness")];
    };
    let invalid = "oauth2_invalid_client, 401 Fix";
    for method in
        ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"]
    {
        let run = async {
            let client = provider.client_with("service", method, wrong.text(), &stranger.signing);
            let outcome = ask(provider, client, "", context).await?;
            Ok(refusal(outcome, &[&wrong, &provider.secret]))
        };
        cases.push(case(&format!("wrong-{method}"), invalid, run).await);
    }
    let unknown = provider.client("nobody", "client_secret_basic");
    let other_method = ClientAuthentication::client_secret_post(
        "service-client_secret_jwt",
        provider.secret.text(),
    );
    let other_grant = provider.client("web", "client_secret_basic");
    let good = || provider.client("service", "client_secret_basic");
    for (id, client, scope, expected) in [
        ("unknown-client", unknown, "", invalid),
        ("other-method", other_method, "", invalid),
        // Its word for what RFC 6749 calls unauthorized_client.
        ("other-grant", other_grant, "", "oauth2_invalid_request, 400 Fix"),
        ("scope-not-permitted", good(), "sms:delete", "oauth2_invalid_scope, 400 Fix"),
    ] {
        let run = async {
            Ok(refusal(ask(provider, client, scope, context).await?, &[&provider.secret]))
        };
        cases.push(case(id, expected, run).await);
    }
    for (id, request, expected) in [
        (
            "unknown-resource",
            TokenRequest::new("client_credentials").with_resource("https://other.example/"),
            "oauth2_invalid_target, 400 Fix",
        ),
        (
            "unknown-grant",
            Ok(TokenRequest::new("telepathy")),
            "oauth2_unsupported_grant_type, 400 Fix",
        ),
    ] {
        let run = async {
            let registration = registration(&provider.token_endpoint(), good())?;
            let request = request.map_err(text)?;
            Ok(refusal(registration.obtain(&request, context).await, &[&provider.secret]))
        };
        cases.push(case(id, expected, run).await);
    }
    cases
}

/// What the server makes of assertions that differ from the usual.
async fn assertions(provider: &Provider, context: &Context) -> Vec<Compared> {
    let for_audience = |audience| {
        let key = provider.key.signing.clone();
        ClientAuthentication::private_key_jwt("service-private_key_jwt", key, audience)
    };
    let issuer = || for_audience(AssertionAudience::issuer(&provider.issuer));
    let with_kid = |kid: &str| issuer().and_then(|client| client.with_key_id(kid));
    let elsewhere = AssertionAudience::issuer("https://elsewhere.example");
    let mut cases = Vec::new();
    for (id, client, expected) in [
        ("for-the-endpoint", for_audience(AssertionAudience::Endpoint), "granted"),
        (
            "without-token-type",
            issuer().and_then(ClientAuthentication::without_token_type),
            "granted",
        ),
        ("key-id", with_kid("one"), "granted"),
        ("unknown-key-id", with_kid("two"), "oauth2_invalid_client, 401 Fix"),
        ("for-another-server", for_audience(elsewhere), "oauth2_invalid_client, 401 Fix"),
    ] {
        let run = async { Ok(refusal(ask(provider, client, "", context).await?, &[])) };
        cases.push(case(&format!("assertion-{id}"), expected, run).await);
    }
    // The server takes each assertion once: each attempt has to have its own.
    let run = async {
        let registration = registration(&provider.token_endpoint(), issuer())?;
        let request = TokenRequest::new("client_credentials");
        for _ in 0..3 {
            registration.obtain(&request, context).await.map_err(text)?;
        }
        Ok("three tokens".into())
    };
    cases.push(case("assertion-each-attempt", "three tokens", run).await);
    let run = async {
        let endpoint = TokenEndpoint::new(&provider.token_endpoint()).map_err(text)?;
        let exchange = TokenRequest::new("client_credentials").exchange(
            &endpoint,
            &issuer().map_err(text)?,
            context,
        );
        let request = exchange.map_err(text)?.into_request();
        let first = fetched(context, request.clone()).await?.status();
        let second = fetched(context, request).await?;
        Ok(format!(
            "{}, {} {}",
            first.as_u16(),
            second.status().as_u16(),
            json_of(&second)?["error"]
        ))
    };
    cases.push(case("assertion-replayed", "200, 401 \"invalid_client\"", run).await);
    cases
}

/// Both places, an issuer that is another, and a place where there is none.
async fn metadata(provider: &Provider, context: &Context) -> Vec<Compared> {
    let mut cases = Vec::new();
    let port = provider.issuer.rsplit(':').next().unwrap_or_default();
    let alias = format!("http://localhost:{port}");
    let below = format!("{}/tenant", provider.issuer);
    for (place, location) in
        [("oauth", MetadataLocation::OAuth), ("openid", MetadataLocation::OpenId)]
    {
        for (id, issuer, expected) in [
            ("own", &provider.issuer, "/token, /auth, promised"),
            ("another-issuer", &alias, "oauth2_metadata"),
            ("trailing-slash", &format!("{}/", provider.issuer), "oauth2_metadata"),
            ("nowhere", &below, "oauth2_metadata_status"),
        ] {
            let run = async {
                let exchange =
                    AuthorizationServerMetadata::exchange(issuer, location).map_err(text)?;
                let answer = context.transport.fetch(exchange).await.map_err(text)?;
                Ok(match AuthorizationServerMetadata::read(&answer, issuer) {
                    Err(error) => error.code().to_owned(),
                    Ok(read) => told(&read, &provider.issuer),
                })
            };
            cases.push(case(&format!("metadata-{place}-{id}"), expected, run).await);
        }
    }
    cases
}

fn told(metadata: &AuthorizationServerMetadata, issuer: &str) -> String {
    let below = |url: &str| url.strip_prefix(issuer).unwrap_or(url).to_owned();
    let authorization = metadata.authorization_endpoint.as_deref().map(below);
    let promised = match metadata.issuer_parameter {
        IssuerParameter::Promised => "promised",
        IssuerParameter::Optional => "optional",
    };
    format!(
        "{}, {}, {promised}",
        below(metadata.token_endpoint.url()),
        authorization.unwrap_or_default()
    )
}

async fn ask(
    provider: &Provider,
    client: auth_core::Result<ClientAuthentication>,
    scope: &str,
    context: &Context,
) -> Result<auth_core::Result<OAuthToken>, String> {
    let grant = ClientCredentials::new(registration(&provider.token_endpoint(), client)?);
    let grant = grant.with_scope(scope).map_err(text)?;
    Ok(grant.token(context, Renewal::First).await)
}

/// Whose the token is, as the server says of it.
pub async fn subject(
    provider: &Provider,
    token: &OAuthToken,
    context: &Context,
) -> Result<String, String> {
    let url = format!("{}/token/introspection", provider.issuer);
    let basic = ("service-client_secret_basic", provider.secret.text());
    let token = token.access_token().expose_text().unwrap_or_default().to_owned();
    let said = posted(context, &url, basic, &[("token", &token)]).await?;
    Ok(match (&said["active"], said["sub"].as_str()) {
        (serde_json::Value::Bool(true), Some(subject)) => format!("of {subject}"),
        (serde_json::Value::Bool(true), None) => "no subject".into(),
        _ => "ended".into(),
    })
}
