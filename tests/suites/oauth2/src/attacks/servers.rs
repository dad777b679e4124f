//! Servers that answer so that secrets go elsewhere, or come back.

use super::{Done, Stage, secrets};
use crate::{
    double::{CONFIDENTIAL, PUBLIC, SECRET},
    ours::{ClientKey, case, claims_of, refusal, registration, text},
    recording::Arrived,
};
use auth_core::{Renewal, TokenSource};
use auth_oauth2::{
    AssertionAudience, AuthorizationServerMetadata, ClientAuthentication, ClientCredentials,
    ClientRegistration, MetadataLocation, Session, TokenRequest,
};
use auth_reqwest::AuthClient;
use conformance::Compared;

const METHODS: [&str; 4] = ["client_secret_post", "client_secret_basic", "private_key_jwt", "none"];

pub async fn cases(stage: &Stage) -> Vec<Compared> {
    let mut cases = redirected(stage).await;
    cases.extend(challenged(stage).await);
    cases.extend(metadata(stage).await);
    cases
}

pub fn client(method: &str, secret: &str, issuer: &str) -> Done<ClientAuthentication> {
    match method {
        "client_secret_post" => ClientAuthentication::client_secret_post(CONFIDENTIAL, secret),
        "client_secret_basic" => ClientAuthentication::client_secret_basic(CONFIDENTIAL, secret),
        "private_key_jwt" => {
            let key = ClientKey::new("one")?.signing;
            let audience = AssertionAudience::issuer(issuer);
            ClientAuthentication::private_key_jwt(CONFIDENTIAL, key, audience)
        }
        _ => ClientAuthentication::none(PUBLIC),
    }
    .map_err(text)
}

/// A token endpoint that sends its callers on to the attacker's.
async fn redirected(stage: &Stage) -> Vec<Compared> {
    let mut cases = Vec::new();
    for status in [301, 302, 303, 307, 308] {
        for method in METHODS {
            for (grant, request) in requests() {
                let run = async {
                    let client = client(method, SECRET, &stage.moved.base)?;
                    let url = format!("{}/{status}/token", stage.moved.base);
                    let registration = registration(&url, Ok(client))?;
                    let request = request.map_err(text)?;
                    let said = refusal(registration.obtain(&request, &stage.context).await, &[]);
                    let attacker = stage.attacker.arrived();
                    Ok(format!("{said}, {} arrived", attacker.len()))
                };
                let expected = format!("oauth2_other_error, {status} Fix, 0 arrived");
                cases.push(
                    case(&format!("redirect-{status}-{grant}-{method}"), &expected, run).await,
                );
            }
        }
    }
    cases
}

/// Each grant's request, with what the victim has.
fn requests() -> [(&'static str, auth_core::Result<TokenRequest>); 3] {
    let code = TokenRequest::new("authorization_code")
        .with_parameter("code", "code-of-the-victim")
        .and_then(|request| request.with_parameter("code_verifier", "v".repeat(43)));
    let refresh =
        TokenRequest::new("refresh_token").with_parameter("refresh_token", "refresh-of-the-victim");
    [("own", Ok(TokenRequest::new("client_credentials"))), ("code", code), ("refresh", refresh)]
}

/// A receiver whose challenges name an authorization server of his own, and one that sends callers on to him.
async fn challenged(stage: &Stage) -> Vec<Compared> {
    let mut cases = Vec::new();
    for (id, api, expected) in [
        // He gets the token and the one after it, since he is whom they are for: nothing else.
        (
            "challenge-names-a-server",
            format!("{}/api", stage.attacker.base),
            "401, [/api 1, /api 1], 2 tokens",
        ),
        ("receiver-redirects", format!("{}/307/api", stage.moved.base), "401, [/api 0], 1 tokens"),
    ] {
        let run = async {
            let client = client("client_secret_post", SECRET, "")?;
            let grant =
                ClientCredentials::new(registration(&stage.honest.at("/token"), Ok(client))?);
            let session = Session::new(grant, stage.context.clone());
            let http = AuthClient::builder().build().map_err(text)?;
            let request = http.http().post(&api).body("receipt").build().map_err(text)?;
            let said = match http.send(&session, request).await {
                Ok(answer) => answer.status().as_u16().to_string(),
                Err(error) => error.code().to_owned(),
            };
            let arrived: Vec<String> = stage
                .attacker
                .arrived()
                .chunks(1)
                .map(|one| format!("{} {}", one[0].uri.path(), secrets(one)))
                .collect();
            let tokens = stage.honest.server.arrived().len();
            Ok(format!("{said}, [{}], {tokens} tokens", arrived.join(", ")))
        };
        cases.push(case(id, expected, run).await);
    }
    cases
}

/// Metadata that names what is another's.
async fn metadata(stage: &Stage) -> Vec<Compared> {
    let mut cases = Vec::new();
    let (victim, attacker) = (&stage.honest.server.base, &stage.attacker.base);
    for (place, location) in
        [("oauth", MetadataLocation::OAuth), ("openid", MetadataLocation::OpenId)]
    {
        // He says that he is the victim's server.
        let run = async {
            let exchange =
                AuthorizationServerMetadata::exchange(attacker, location).map_err(text)?;
            let mut request = exchange.into_request();
            let claimed = format!("{}?issuer={victim}", request.uri());
            *request.uri_mut() = claimed.parse().map_err(text)?;
            let answer = crate::ours::fetched(&stage.context, request).await?;
            let read = AuthorizationServerMetadata::read(&answer, attacker);
            Ok(refusal(read, &[]))
        };
        cases.push(case(&format!("metadata-{place}-of-another"), "oauth2_metadata", run).await);
        // The victim's place sends the browser on to his.
        let run = async {
            let issuer = &stage.moved.base;
            let exchange = AuthorizationServerMetadata::exchange(issuer, location).map_err(text)?;
            stage.attacker.arrived();
            let answer = stage.context.transport.fetch(exchange).await.map_err(text)?;
            let read = AuthorizationServerMetadata::read(&answer, issuer);
            Ok(format!("{}, {} arrived", refusal(read, &[]), stage.attacker.arrived().len()))
        };
        let expected = "oauth2_metadata_status, 0 arrived";
        cases.push(case(&format!("metadata-{place}-redirected"), expected, run).await);
    }
    // His own metadata, as a challenge of his could name it, finds no client that is for him.
    for (id, issuer) in [("for-another", Some(victim)), ("for-nobody", None)] {
        for method in METHODS {
            let run = async {
                let exchange =
                    AuthorizationServerMetadata::exchange(attacker, MetadataLocation::OAuth);
                let answer = stage.context.transport.fetch(exchange.map_err(text)?).await;
                let read = AuthorizationServerMetadata::read(&answer.map_err(text)?, attacker);
                let mut client = client(method, SECRET, victim)?;
                if let Some(issuer) = issuer {
                    client = client.with_issuer(issuer);
                }
                Ok(refusal(read.map_err(text)?.registration(client), &[]))
            };
            // A client without a secret has nothing to lose, unless it is another server's.
            let expected = match (issuer, method) {
                (None, "none") => "granted",
                _ => "oauth2_client_issuer",
            };
            cases.push(case(&format!("metadata-client-{id}-{method}"), expected, run).await);
        }
    }
    // Who is a client of his too: an assertion that he gets serves at no other server.
    for (id, audience) in
        [("issuer", AssertionAudience::issuer(attacker)), ("endpoint", AssertionAudience::Endpoint)]
    {
        let run = async {
            let exchange = AuthorizationServerMetadata::exchange(attacker, MetadataLocation::OAuth);
            let answer =
                stage.context.transport.fetch(exchange.map_err(text)?).await.map_err(text)?;
            let read = AuthorizationServerMetadata::read(&answer, attacker).map_err(text)?;
            let key = ClientKey::new("one")?.signing;
            let client = ClientAuthentication::private_key_jwt(CONFIDENTIAL, key, audience);
            let registration = ClientRegistration::new(read.token_endpoint, client.map_err(text)?);
            let grant = ClientCredentials::new(registration);
            stage.attacker.arrived();
            grant.token(&stage.context, Renewal::First).await.map_err(text)?;
            let arrived = stage.attacker.arrived();
            let form = arrived.first().map(Arrived::form).unwrap_or_default();
            let assertion = form.iter().find(|pair| pair.0 == "client_assertion");
            let claims = claims_of(assertion.map_or("", |pair| &pair.1))?;
            let audience = claims["aud"].as_str().unwrap_or("a list");
            Ok(audience.strip_prefix(attacker.as_str()).map_or("of another", |_| "his").into())
        };
        cases.push(case(&format!("assertion-for-the-attacker-{id}"), "his", run).await);
    }
    cases
}
