//! oidc-provider as the authorization server, and a receiver that asks it about each token.

use super::{Stage, case, receipt, recording::Recording, text};
use auth_core::{Exchange, Transport};
use auth_reqwest::ReqwestTransport;
use auth_webhook::SlotName;
use base64::{Engine, engine::general_purpose::STANDARD};
use conformance::{Compared, NotStarted, Place, Settings, Started, compare, script};
use http::{Request, Response};
use serde_json::{Value, json};
use std::{process::Command, sync::Arc};
use tokio::runtime::Handle;

const SECRET: &str = "a secret: of sufficient +%/?&= length";

/// A server that runs until it is dropped.
pub struct Provider {
    issuer: String,
    _started: Started,
}

impl Provider {
    pub fn start(settings: &Settings) -> Result<Self, NotStarted> {
        let (node, folder) = (settings.peer("node")?, settings.npm("oidc-provider")?);
        let place = Place::prepare(settings, "webhook-oidc-provider")?;
        let clients = ["client_secret_post", "client_secret_basic"].map(|method| {
            json!({
                "client_id": method, "client_secret": SECRET, "token_endpoint_auth_method": method,
                "grant_types": ["client_credentials"], "response_types": [], "redirect_uris": [],
                "scope": "sms:read sms:send",
            })
        });
        place.write("clients", Value::from(clients.to_vec()).to_string())?;
        let (port, clients) = (place.port.to_string(), place.folder.join("clients"));
        let issuer = format!("http://127.0.0.1:{port}");
        let started = place.start("", |_| {
            let mut command = Command::new(node);
            command.arg(script("oauth2_provider.mjs")).arg(folder).arg(port).arg(clients);
            command
        })?;
        Ok(Self { issuer, _started: started })
    }

    pub async fn cases(&self) -> Vec<Compared> {
        let mut cases = Vec::new();
        if let Err(why) = self.run(&mut cases).await {
            cases.push(compare("start", "started", why));
        }
        cases
    }

    async fn run(&self, cases: &mut Vec<Compared>) -> Result<(), String> {
        let at_provider = Arc::new(AtProvider::new(&self.issuer)?);
        let receiver = asking(Arc::clone(&at_provider)).await?;
        let stage = Stage::on_this_machine()?;
        let hook = format!("{}/hook", receiver.base);
        let off = json!({});
        let unused =
            json!({ "access_token_url_method": "GET", "access_token_url_parameter_type": "url" });
        let get = json!({
            "enabled": true, "access_token_url_method": "GET", "access_token_url_parameter_type": "url",
            "allow_secrets_in_url": true,
        });
        let post = json!({ "enabled": true, "access_token_url_headers": { "x-tenant": "7" } });
        let (of_body, of_basic) = ("client_secret_post", "client_secret_basic");
        let good = "delivered after 1: delivered 200";
        let invalid = "held after 1: no_token oauth2_invalid_client";
        for (id, client, method, secret, scope, advanced, expected) in [
            ("body", of_body, "body", SECRET, "", &off, good),
            ("basic", of_basic, "basic", SECRET, "", &off, good),
            ("scopes", of_body, "body", SECRET, "sms:read sms:send", &off, good),
            ("advanced-settings-off", of_body, "body", SECRET, "", &unused, good),
            ("advanced-settings-on", of_body, "body", SECRET, "", &post, good),
            ("wrong-secret", of_body, "body", "guess", "", &off, invalid),
            ("wrong-secret-basic", of_basic, "basic", "guess", "", &off, invalid),
            ("unknown-client", "nobody", "body", SECRET, "", &off, invalid),
            (
                "scope-not-permitted",
                of_body,
                "body",
                SECRET,
                "sms:delete",
                &off,
                "held after 1: no_token oauth2_invalid_scope",
            ),
            (
                "get",
                of_basic,
                "basic",
                SECRET,
                "",
                &get,
                // It has no such endpoint: 404, in plain text.
                "held after 1: no_token oauth2_other_error",
            ),
        ] {
            let authorization = self.authorization(client, method, secret, scope, advanced);
            let run = async {
                stage.subscribe(id, &hook, authorization)?;
                let end = stage.deliver(id, receipt()).await?;
                Ok(format!("{end}; {}", at_provider.told()))
            };
            let expected = match expected == good {
                true => format!("{expected}; {client} [{scope}]"),
                false => format!("{expected}; not asked"),
            };
            cases.push(case(id, &expected, run).await);
        }
        cases.extend(self.lives(&stage, &at_provider).await);
        Ok(())
    }

    fn authorization(
        &self,
        client: &str,
        method: &str,
        secret: &str,
        scope: &str,
        advanced: &Value,
    ) -> Value {
        let mut authorization = json!({
            "type": "oauth2", "grant_type": "client_credentials", "client_id": client, "client_secret": secret,
            "access_token_url": format!("{}/token", self.issuer), "client_authentication": method,
            "advanced_settings": advanced,
        });
        if !scope.is_empty() {
            authorization["scope"] = scope.into();
        }
        authorization
    }

    /// Tokens that are kept, shown, replaced when they end, and ended with their authorization.
    async fn lives(&self, stage: &Stage, at_provider: &Arc<AtProvider>) -> Vec<Compared> {
        let token = async |name: &str| {
            let token = stage.acme.reveal_token(name, SlotName::Current).await.map_err(text)?;
            let token = token.ok_or("no token")?;
            Ok::<_, String>(token.access_token().expose_text().unwrap_or_default().to_owned())
        };
        let mut cases = Vec::new();
        let run = async {
            let before = token("body").await?;
            let end = stage.deliver("body", receipt()).await?;
            let same = if token("body").await? == before { "same" } else { "another" };
            Ok(format!("{end}, {same} token"))
        };
        cases
            .push(case("token-is-kept", "delivered after 1: delivered 200, same token", run).await);
        let run = async {
            let before = token("body").await?;
            at_provider.revoke(&before).await?;
            at_provider.told();
            let end = stage.deliver("body", receipt()).await?;
            let same = if token("body").await? == before { "same" } else { "another" };
            Ok(format!("{end}, {same} token"))
        };
        let expected = "delivered after 1: delivered 200, another token";
        cases.push(case("token-revoked-at-the-server", expected, run).await);
        let run = async {
            let before = token("body").await?;
            let masked = stage.acme.fetch_token("body", SlotName::Current).await.map_err(text)?;
            let after = token("body").await?;
            let shown = format!("{masked:?}").contains(&after);
            let same = if after == before { "same" } else { "another" };
            Ok(format!("{same} token, shown: {shown}"))
        };
        cases.push(case("token-fetched-at-once", "another token, shown: false", run).await);
        let run = async {
            let revoking = json!({
                "enabled": true, "revocation_url": format!("{}/token/revocation", self.issuer),
            });
            let authorization =
                self.authorization("client_secret_post", "body", SECRET, "", &revoking);
            stage.subscribe("deleted", "https://hooks.example/", authorization)?;
            stage.acme.fetch_token("deleted", SlotName::Current).await.map_err(text)?;
            let token = token("deleted").await?;
            let before = at_provider.ask(&token).await?["active"].to_string();
            let used = stage.acme.delete("deleted").await.err();
            let used = used.map(|error| error.code()).unwrap_or_default();
            stage.acme.unsubscribe("deleted");
            stage.acme.delete("deleted").await.map_err(text)?;
            let after = at_provider.ask(&token).await?["active"].to_string();
            Ok(format!("{before}, {used}, {after}"))
        };
        let expected = "true, webhook_authorization_in_use, false";
        cases.push(case("token-of-a-deleted-authorization", expected, run).await);
        cases
    }
}

/// A receiver that takes what the server says is active.
async fn asking(at_provider: Arc<AtProvider>) -> Result<Recording, String> {
    let runtime = Handle::current();
    Recording::open(move |request| {
        let token = request.field("authorization").strip_prefix("Bearer ").unwrap_or_default();
        let (at_provider, token) = (Arc::clone(&at_provider), token.to_owned());
        let asked = async move { at_provider.ask(&token).await };
        // The handler is not async, and other threads of the runtime go on.
        let said = tokio::task::block_in_place(|| runtime.block_on(asked));
        let said = said.is_ok_and(|said| said["active"] == true);
        let made = match said {
            true => Response::builder(),
            false => Response::builder()
                .status(401)
                .header("www-authenticate", "Bearer error=\"invalid_token\""),
        };
        made.body(String::new()).unwrap_or_default()
    })
    .await
}

/// Whoever asks the server about tokens.
struct AtProvider {
    issuer: String,
    transport: ReqwestTransport,
    told: std::sync::Mutex<Option<Value>>,
}

impl AtProvider {
    fn new(issuer: &str) -> Result<Self, String> {
        let transport = ReqwestTransport::builder(Handle::current()).allowing_loopback().build();
        let transport = transport.map_err(text)?;
        Ok(Self { issuer: issuer.into(), transport, told: Default::default() })
    }

    /// What it says of a token.
    async fn ask(&self, token: &str) -> Result<Value, String> {
        let said = self.post("introspection", token).await?;
        let said: Value = serde_json::from_slice(&said).map_err(text)?;
        *self.kept() = Some(said.clone());
        Ok(said)
    }

    async fn revoke(&self, token: &str) -> Result<(), String> {
        self.post("revocation", token).await.map(drop)
    }

    async fn post(&self, what: &str, token: &str) -> Result<Vec<u8>, String> {
        let encoded = "a+secret%3A+of+sufficient+%2B%25%2F%3F%26%3D+length";
        let method =
            if what == "revocation" { "client_secret_post" } else { "client_secret_basic" };
        let mut request = Request::post(format!("{}/token/{what}", self.issuer))
            .header("content-type", "application/x-www-form-urlencoded");
        let mut body = format!("token={token}");
        if method == "client_secret_basic" {
            let pair = STANDARD.encode(format!("{method}:{encoded}"));
            request = request.header("authorization", format!("Basic {pair}"));
        } else {
            body.push_str(&format!("&client_id={method}&client_secret={encoded}"));
        }
        let exchange = Exchange::new(request.body(body.into_bytes()).map_err(text)?);
        let answer = self.transport.fetch(exchange).await.map_err(text)?;
        if answer.status() == 200 {
            return Ok(answer.into_body());
        }
        Err(format!("{what}: {} {}", answer.status(), String::from_utf8_lossy(answer.body())))
    }

    /// Whose the token was that was asked about last, and its scopes.
    fn told(&self) -> String {
        match self.kept().take() {
            Some(said) => format!(
                "{} [{}]",
                said["client_id"].as_str().unwrap_or("nobody"),
                said["scope"].as_str().unwrap_or_default()
            ),
            None => "not asked".into(),
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<Value>> {
        self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
