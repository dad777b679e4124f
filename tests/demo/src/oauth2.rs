//! The calls under OAuth 2.0: both grants, on the form by which people describe them.

use super::{
    accounts::{CALLBACK, CLIENT, CLIENT_SECRET},
    authorization_server::AGREES,
    callers::Callers,
    calls::{Call, Line, With},
    server::Running,
};
use auth_core::{Authenticator, ConnectionId, Context, Error, SystemClock, TenantId};
use auth_oauth2::{
    AdvancedSettings, AuthorizationCode, AuthorizationCodeForm, ClientCredentialsForm,
    MemoryPendingAuthorizations, RedirectionEndpoint,
};
use auth_session::Session;
use auth_static::{Bearer, NoAuth};
use std::sync::Arc;
use tokio::runtime::Handle;

pub const PATH: &str = "/oauth2";
const CHALLENGE: &str = "Bearer realm=\"demo\"";
const INVALID: &str = "Bearer realm=\"demo\", error=\"invalid_token\"";

/// The calls under each grant, and how each went.
pub async fn run(callers: &Callers, server: &Running) -> Result<Vec<Line>, String> {
    let text = |error: Error| error.to_string();
    let basic = AdvancedSettings::new().with_client_secret_basic();
    let in_body = client(server, CLIENT_SECRET, AdvancedSettings::new()).map_err(text)?;
    let in_field = client(server, CLIENT_SECRET, basic).map_err(text)?;
    let guess = client(server, "guess", AdvancedSettings::new()).map_err(text)?;
    let alone = user(server).map_err(text)?;
    let agreed = user(server).map_err(text)?;
    agree(callers, &agreed).await?;
    let stranger: Arc<dyn Authenticator> = Arc::new(Bearer::new("token-of-nobody").map_err(text)?);
    let ok = (200, "");
    let sent_nothing = |with: Arc<dyn Authenticator>| With::Many(with, 1);
    let mut lines = Vec::new();
    for (sent, with, expected, verdict) in [
        ("client credentials, in the body", With::Ours(in_body), ok, CLIENT),
        ("client credentials, as Basic", With::Ours(in_field), ok, CLIENT),
        (
            "client credentials, a wrong secret",
            sent_nothing(guess),
            (0, ""),
            "oauth2_invalid_client",
        ),
        (
            "a user who has not agreed",
            sent_nothing(Arc::new(alone)),
            (0, ""),
            "oauth2_consent_needed",
        ),
        ("a user who has agreed", With::Ours(Arc::new(agreed)), ok, AGREES),
        ("a token that nobody was granted", With::Ours(stranger), (401, INVALID), "bearer_unknown"),
        ("nothing", With::Ours(Arc::new(NoAuth)), (401, CHALLENGE), "bearer_missing"),
    ] {
        let call = Call { path: PATH, sent, with, expected, verdict };
        lines.extend(call.run(callers, server).await?);
    }
    Ok(lines)
}

fn context() -> Result<Context, Error> {
    let transport = auth_reqwest::ReqwestTransport::builder(Handle::current());
    Ok(Context::new(transport.allowing_loopback().build()?))
}

/// The client itself.
fn client(
    server: &Running,
    secret: &str,
    settings: AdvancedSettings,
) -> Result<Arc<dyn Authenticator>, Error> {
    let grant = ClientCredentialsForm::new()
        .with_client_id(CLIENT)
        .with_client_secret(secret)
        .with_access_token_url(&format!("{}{PATH}/token", server.base()))
        .with_advanced_settings(settings)
        .build()?;
    Ok(Arc::new(Session::new(grant, context()?)))
}

/// The client on behalf of a user, who has not agreed yet.
fn user(server: &Running) -> Result<Session<AuthorizationCode>, Error> {
    let grant = AuthorizationCodeForm::new()
        .with_consumer_id(CLIENT)
        .with_consumer_secret(CLIENT_SECRET)
        .with_callback_url(CALLBACK)
        .with_authorization_url(&format!("{}{PATH}/authorize", server.base()))
        .with_access_token_url(&format!("{}{PATH}/token", server.base()))
        .build()?;
    Ok(Session::new(grant, context()?))
}

/// The user's browser goes to the authorization server, and comes back to the redirection endpoint.
async fn agree(callers: &Callers, session: &Session<AuthorizationCode>) -> Result<(), String> {
    let text = |error: Error| error.to_string();
    let (grant, context) = (session.source().clone(), session.context().clone());
    let connection = ConnectionId::new(TenantId::new("acme"), "crm");
    let waiting = MemoryPendingAuthorizations::new(SystemClock);
    let endpoint = RedirectionEndpoint::new(grant, connection, waiting, context);
    let url = endpoint.begin(AGREES).await.map_err(text)?;
    // The client of the adapter follows no redirect by itself.
    let browser = callers.reqwest.http();
    let answer = browser.get(url).send().await.map_err(|error| error.to_string())?;
    let location = answer.headers().get("location").and_then(|to| to.to_str().ok());
    let (_, query) = location.and_then(|to| to.split_once('?')).ok_or("nobody was sent back")?;
    let keeping = session.clone();
    let keep = move |token| keeping.put(token).map(drop).into();
    endpoint.redeem(query, AGREES, keep).await.map_err(text)
}
