//! npm oidc-provider as authorization server, and the clients that are registered there.

mod code;
mod processes;
mod refresh;
mod service;

use crate::ours::{ClientKey, context, text};
use auth_core::SystemRandom;
use auth_jwt::SigningKey;
use auth_oauth2::{AssertionAudience, ClientAuthentication};
use auth_testing::Canary;
use conformance::{Compared, NotStarted, Place, Settings, Started, compare, script};
use serde_json::{Value, json};
use std::{path::PathBuf, process::Command};

/// Where the server sends browsers back to: one place for each connection, as each tenant has its own.
const REDIRECT_URI: &str = "http://127.0.0.1:9/callback/crm";
const OTHER_REDIRECT_URI: &str = "http://127.0.0.1:9/callback/erp";

/// A server that runs until it is dropped.
pub struct Provider {
    issuer: String,
    secret: Canary,
    key: ClientKey,
    folder: PathBuf,
    _started: Started,
}

/// How the clients authenticate, which is also a part of their names.
const METHODS: [&str; 5] =
    ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"];

impl Provider {
    pub fn start(settings: &Settings) -> Result<Self, NotStarted> {
        let (node, folder) = (settings.peer("node")?, settings.npm("oidc-provider")?);
        let place = Place::prepare(settings, "oauth2-oidc-provider")?;
        let issuer = format!("http://127.0.0.1:{}", place.port);
        // With characters that Basic has to encode.
        let secret = Canary::plant("a se: +%/?&=cret-", &SystemRandom::new()).map_err(text)?;
        let key = ClientKey::new("one")?;
        let clients: Vec<Value> = METHODS
            .iter()
            .flat_map(|method| [service(method, &secret, &key), web(method, &secret, &key)])
            .collect();
        place.write("clients", Value::from(clients).to_string())?;
        let (port, clients) = (place.port.to_string(), place.folder.join("clients"));
        let kept = place.folder.clone();
        let started = place.start("", |_| {
            let mut command = Command::new(node);
            command.arg(script("oauth2_provider.mjs")).arg(folder).arg(port).arg(clients);
            command
        })?;
        Ok(Self { issuer, secret, key, folder: kept, _started: started })
    }

    pub async fn cases(&self) -> Vec<Compared> {
        let context = match context() {
            Ok(context) => context,
            Err(why) => return vec![compare("start", "started", why)],
        };
        let mut cases = service::cases(self, &context).await;
        cases.extend(code::cases(self, &context).await);
        cases
    }

    fn token_endpoint(&self) -> String {
        format!("{}/token", self.issuer)
    }

    /// How the client of this name authenticates, as it is registered.
    fn client(&self, kind: &str, method: &str) -> auth_core::Result<ClientAuthentication> {
        self.client_with(kind, method, self.secret.text(), &self.key.signing)
    }

    /// The same with another secret and another key.
    fn client_with(
        &self,
        kind: &str,
        method: &str,
        secret: &str,
        key: &SigningKey,
    ) -> auth_core::Result<ClientAuthentication> {
        let (id, audience) = (format!("{kind}-{method}"), AssertionAudience::issuer(&self.issuer));
        match method {
            "client_secret_basic" => ClientAuthentication::client_secret_basic(&id, secret),
            "client_secret_post" => ClientAuthentication::client_secret_post(&id, secret),
            "client_secret_jwt" => ClientAuthentication::client_secret_jwt(&id, secret, audience),
            "private_key_jwt" => ClientAuthentication::private_key_jwt(&id, key.clone(), audience),
            _ => ClientAuthentication::none(&id),
        }
    }
}

/// A client that acts for itself.
fn service(method: &str, secret: &Canary, key: &ClientKey) -> Value {
    let grants: &[&str] = if method == "none" { &[] } else { &["client_credentials"] };
    registered("service", method, secret, key, grants, &[])
}

/// A client that acts for users.
fn web(method: &str, secret: &Canary, key: &ClientKey) -> Value {
    let grants = &["authorization_code", "refresh_token"];
    registered("web", method, secret, key, grants, &["code"])
}

fn registered(
    kind: &str,
    method: &str,
    secret: &Canary,
    key: &ClientKey,
    grants: &[&str],
    responses: &[&str],
) -> Value {
    let uris: &[&str] =
        if responses.is_empty() { &[] } else { &[REDIRECT_URI, OTHER_REDIRECT_URI] };
    let mut client = json!({
        "client_id": format!("{kind}-{method}"),
        "token_endpoint_auth_method": method,
        "grant_types": grants,
        "response_types": responses,
        "redirect_uris": uris,
        "scope": "sms:read sms:send",
    });
    match method {
        "none" => client["application_type"] = "native".into(),
        "private_key_jwt" => client["jwks"] = json!({ "keys": [key.public] }),
        _ => client["client_secret"] = secret.text().into(),
    }
    client
}
