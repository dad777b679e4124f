//! Our client as these suites use it: over a real transport to this machine, and what it makes of an answer.

use auth_core::{ConnectionId, Context, Exchange, TenantId, Timestamp};
use auth_jwt::{JwsAlgorithm, SigningKey};
use auth_oauth2::{
    ClientAuthentication, ClientRegistration, OAuthToken, TokenEndpoint, TokenError,
};
use auth_reqwest::ReqwestTransport;
use auth_testing::{Canary, CapturedOutput};
use auth_ureq::UreqTransport;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use conformance::{Compared, compare};
use http::Response;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use std::fmt;
use tokio::runtime::Handle;
use url::form_urlencoded::Serializer;

/// A context whose transport reaches this machine, as a program's own setting lets it.
pub fn context() -> Result<Context, String> {
    let transport = ReqwestTransport::builder(Handle::current()).allowing_loopback().build();
    Ok(Context::new(transport.map_err(text)?))
}

/// The same over the transport for blocking programs.
pub fn blocking_context() -> Result<Context, String> {
    let transport = UreqTransport::builder().allowing_loopback().build();
    Ok(Context::new(transport.map_err(text)?))
}

/// A client at this token endpoint.
pub fn registration(
    token_endpoint: &str,
    client: auth_core::Result<ClientAuthentication>,
) -> Result<ClientRegistration, String> {
    let endpoint = TokenEndpoint::new(token_endpoint).map_err(text)?;
    Ok(ClientRegistration::new(endpoint, client.map_err(text)?))
}

/// The connection of a tenant under this authorization, for this user.
pub fn connection(authorization: &str, user: &str) -> ConnectionId {
    ConnectionId::new(TenantId::new("acme"), authorization).on_behalf_of(user)
}

/// One case: what came out, or why nothing did.
pub async fn case(
    id: &str,
    expected: &str,
    run: impl Future<Output = Result<String, String>>,
) -> Compared {
    compare(id, expected, run.await.unwrap_or_else(|why| why))
}

/// A refusal as a program sees it: the code, what the token endpoint said, what is to be done, and each of these secrets
/// that the error shows.
pub fn refusal<T>(outcome: auth_core::Result<T>, secrets: &[&Canary]) -> String {
    let Err(error) = outcome else { return String::from("granted") };
    let shown = CapturedOutput::default();
    shown.debug(&error).text(&error.to_string());
    let mut said = error.code().to_owned();
    if let Some(refused) = TokenError::of(&error) {
        said.push_str(&format!(", {} {:?}", refused.status.as_u16(), refused.remedy()));
    }
    for leak in shown.leaks(secrets) {
        said.push_str(&format!(", shows {leak}"));
    }
    said
}

/// How long a token lasts, whether it can be refreshed, and its scopes.
pub fn shown(token: &OAuthToken, now: Timestamp) -> String {
    let ends = token.ends().map_or_else(
        || String::from("no end"),
        // What the exchange took does not count.
        |ends| format!("{} min", (ends.since(now).as_secs() + 5) / 60),
    );
    let refresh = if token.refresh_token().is_some() { ", refresh token" } else { "" };
    let scope = token.scope().map(|scope| format!(", {scope}")).unwrap_or_default();
    format!("{ends}{refresh}{scope}")
}

/// Posts a form as a program with Basic credentials does, and reads the JSON that comes back.
pub async fn posted(
    context: &Context,
    url: &str,
    basic: (&str, &str),
    form: &[(&str, &str)],
) -> Result<Value, String> {
    use base64::engine::general_purpose::STANDARD;
    let encoded =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", encoded(basic.0), encoded(basic.1)));
    let request = http::Request::post(url)
        .header("authorization", format!("Basic {pair}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Serializer::new(String::new()).extend_pairs(form).finish().into_bytes());
    json_of(&fetched(context, request.map_err(text)?).await?)
}

/// The answer to a request of this suite's own.
pub async fn fetched(
    context: &Context,
    request: http::Request<Vec<u8>>,
) -> Result<Response<Vec<u8>>, String> {
    context.transport.fetch(Exchange::new(request)).await.map_err(text)
}

pub fn json_of(answer: &Response<Vec<u8>>) -> Result<Value, String> {
    serde_json::from_slice(answer.body()).map_err(text)
}

/// What a JWT claims, unverified: only for looking at what a server issued.
pub fn claims_of(token: &str) -> Result<Value, String> {
    let payload = token.split('.').nth(1).ok_or("no JWT")?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).map_err(text)?).map_err(text)
}

/// A key pair of a client, and its public half as a JWK.
pub struct ClientKey {
    pub signing: SigningKey,
    pub public: Value,
}

impl ClientKey {
    pub fn new(kid: &str) -> Result<Self, String> {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(text)?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).map_err(text)?;
        let point = pair.public_key().as_ref();
        let coordinate =
            |from: usize| point.get(from..from + 32).map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        let public = json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid,
            "x": coordinate(1), "y": coordinate(33),
        });
        let signing = SigningKey::from_der(JwsAlgorithm::ES256, document.as_ref());
        Ok(Self { signing: signing.map_err(text)?, public })
    }
}

pub fn text(error: impl fmt::Display) -> String {
    error.to_string()
}
