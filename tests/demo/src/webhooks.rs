//! A platform sends one webhook under each of the six authorizations to a receiver that verifies each, and one more with
//! wrong credentials. Bodies are signed beside whatever the authorization adds.

use super::{callers::Adapter, calls::Line, sender::transport};
use auth_core::{
    Candidates, Clock, ConnectionId, Error, Flow, KeyHasher, Lookup, MemoryReplayStore, Secret,
    SystemClock, SystemRandom, TenantId,
};
use auth_digest::{DigestQuery, DigestUserRecord, Ha1, HashFunction, UserSecret};
use auth_jwt::{ClaimsToSign, JwsAlgorithm, JwtKeys, KeyId, SigningKey};
use auth_sigv4::{AccessKey, AccessKeys};
use auth_static::{BasicAccounts, FixedKeys};
use auth_tower::{Authenticated, VerifyLayer};
use auth_webhook::{
    AuthorizationSet, BodySignatureVerifier, BodySigner, BodySigningKey, BodyVerifyingKey,
    ConfiguredBy, Delivery, DeliveryPlan, InboundAuthorization, InboundLookUps, Receipt,
    SignatureForm, Subscription, TenantAuthorizations, WebhookDelivery, WebhookReceiver,
    WebhookSender, WebhookUrl,
};
use axum::{Json, Router, routing::post};
use http::StatusCode;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, task::JoinHandle};

pub const PATH: &str = "/hooks";

pub(super) const SECRET: &str = "s3cret-of-the-receiver";
const HUB_SECRET: &str = "the hub secret";
const MESSAGE: &str = r#"{"channel":"message","transaction_id":"4711","status":"delivered"}"#;
const VOICE: &str = r#"{"channel":"voice","transaction_id":"4712","status":"answered"}"#;

/// What both ends are told of one authorization: its name, what the sender fills in, and what the receiver is told.
pub(super) const KINDS: [(&str, &str, &str); 6] = [
    ("none", r#"{"type":"none"}"#, r#"{"type":"none"}"#),
    (
        "basic",
        r#"{"type":"basic","username":"u","password":"SECRET"}"#,
        r#"{"type":"basic","realm":"hooks"}"#,
    ),
    (
        "digest",
        r#"{"type":"digest","username":"u","password":"SECRET"}"#,
        r#"{"type":"digest","realm":"hooks"}"#,
    ),
    (
        "aws_signature",
        r#"{"type":"aws_signature","access_key":"AKIDEXAMPLE","secret_key":"SECRET","region":"eu-west-1","service_name":"execute-api"}"#,
        r#"{"type":"aws_signature","region":"eu-west-1","service_name":"execute-api"}"#,
    ),
    (
        "api_key",
        r#"{"type":"api_key","key":"X-Customer-Key","key_value":"SECRET"}"#,
        r#"{"type":"api_key","key":"x-customer-key"}"#,
    ),
    (
        "oauth2",
        r#"{"type":"oauth2","grant_type":"client_credentials","client_id":"id","client_secret":"SECRET","access_token_url":"BASE/token"}"#,
        r#"{"type":"oauth2","issuer":"https://login.example","audience":"hooks"}"#,
    ),
];

/// One line for each authorization, good and wrong, over each transport.
pub async fn run() -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    for adapter in [Adapter::Reqwest, Adapter::Ureq] {
        let platform = Platform::start(adapter).await.map_err(|error| error.to_string())?;
        for (kind, ..) in KINDS {
            lines.push(platform.deliver(kind, SECRET, "delivered").await?);
            if kind != "none" {
                let wrong = if kind == "oauth2" { "no_token" } else { "refused" };
                lines.push(platform.deliver(kind, "a-guess", wrong).await?);
            }
        }
        platform.stop();
    }
    Ok(lines)
}

pub(super) struct Platform {
    adapter: Adapter,
    set: AuthorizationSet,
    base: String,
    receiver: JoinHandle<()>,
    /// What the handler was given last.
    handled: Arc<Mutex<Option<String>>>,
}

impl Platform {
    pub(super) async fn start(adapter: Adapter) -> Result<Self, Error> {
        let broken = |error: std::io::Error| Error::transport("demo_listen", error);
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(broken)?;
        let base = format!("http://{}", listener.local_addr().map_err(broken)?);
        let handled = Arc::default();
        let app = receiver(&handled)?;
        let serving = async move { axum::serve(listener, app).await.unwrap_or_default() };
        let transport = transport(adapter)?;
        let set = AuthorizationSet::builder(move |_: &TenantId, _: Option<&str>| {
            Ok(Arc::clone(&transport))
        })
        .build()?;
        Ok(Self { adapter, set, base, receiver: tokio::spawn(serving), handled })
    }

    /// The authorizations of the one tenant.
    pub(super) fn of_tenant(&self) -> TenantAuthorizations {
        self.set.of_tenant(&TenantId::new("acme"))
    }

    pub(super) fn stop(&self) {
        self.receiver.abort();
    }

    /// One attempt, and what came of it on both ends.
    pub(super) async fn deliver(
        &self,
        kind: &'static str,
        secret: &str,
        expected: &'static str,
    ) -> Result<Line, String> {
        let text = |error: Error| error.to_string();
        let (began, tenant) = (Instant::now(), TenantId::new("acme"));
        let (_, outbound, _) =
            KINDS.iter().find(|known| known.0 == kind).ok_or("an unknown kind")?;
        let outbound = outbound.replace("SECRET", secret).replace("BASE", &self.base);
        let outbound = serde_json::from_str(&outbound).map_err(|error| error.to_string())?;
        let name = format!("{kind} with {secret}");
        let acme = self.of_tenant();
        acme.save(&name, outbound, ConfiguredBy::Tenant).map_err(text)?;
        let url = WebhookUrl::parse(&format!("{}{PATH}/{kind}", self.base)).map_err(text)?;
        let form = hub();
        let key = BodySigningKey::read(&form, &Secret::from(HUB_SECRET)).map_err(text)?;
        let signer = BodySigner::new(form, key).map_err(text)?;
        let subscription = Subscription::webhook(url).under(&name).signed_by(signer);
        acme.subscribe(&name, subscription).map_err(text)?;
        let body = if secret == SECRET { MESSAGE } else { VOICE };
        let sender = WebhookSender::new(&self.set, DeliveryPlan::default());
        let attempt = sender
            .attempt(&tenant, &name, WebhookDelivery::json("d1", body))
            .await
            .map_err(text)?;
        let handled = self.handled.lock().unwrap_or_else(PoisonError::into_inner).take();
        let verdict = match handled {
            Some(receipt) => receipt,
            None => attempt.outcome.as_str().to_owned(),
        };
        let wanted =
            if expected == "delivered" { "acme: message 4711 delivered" } else { expected };
        Ok(Line {
            caller: self.adapter.name(),
            path: PATH,
            sent: if secret == SECRET { kind } else { "the same, with wrong credentials" },
            status: attempt.status.map_or(0, |status| status.as_u16()),
            challenge: String::new(),
            took: began.elapsed(),
            instead_of: (verdict != wanted).then(|| wanted.to_owned()),
            verdict,
        })
    }
}

/// A receiver with a path for each kind, and a token endpoint beside them.
fn receiver(handled: &Arc<Mutex<Option<String>>>) -> Result<Router, Error> {
    let mut app = Router::new().route("/token", post(token));
    for (kind, _, inbound) in KINDS {
        let inbound: InboundAuthorization =
            serde_json::from_str(inbound).map_err(|error| Error::config("demo_inbound", error))?;
        let form = hub();
        let key = BodyVerifyingKey::read(&form, &Secret::from(HUB_SECRET))?;
        let signature = BodySignatureVerifier::new(form, Candidates::one(key, "acme"))?;
        let connection = ConnectionId::new(TenantId::new("acme"), kind);
        let door = WebhookReceiver::authorized_and_signed(
            connection,
            inbound.verifier(senders()?)?,
            signature,
        )
        .once(MemoryReplayStore::new(SystemClock));
        let handled = Arc::clone(handled);
        let handler = move |sender: Authenticated<Delivery<&'static str>>,
                            Json(receipt): Json<Receipt>| async move {
            let told = format!(
                "{}: {:?} {} {}",
                sender.principal.sender, receipt.channel, receipt.transaction_id, receipt.status
            );
            *handled.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(told.replace("Message", "message"));
            StatusCode::OK
        };
        app = app.route(&format!("{PATH}/{kind}"), post(handler).layer(VerifyLayer::new(door)));
    }
    Ok(app)
}

fn hub() -> SignatureForm {
    SignatureForm::HubSignature { algorithm: Default::default() }
}

/// What the receiver knows of its one sender.
fn senders() -> Result<InboundLookUps<&'static str>, Error> {
    let hasher = KeyHasher::random(&SystemRandom::new())?;
    Ok(InboundLookUps::new()
        .with_everybody("acme")
        .with_passwords(BasicAccounts::new(&hasher, [("u", SECRET, "acme")]))
        .with_digest_users(DigestUser(Ha1::new(
            HashFunction::Sha256,
            "u",
            b"hooks",
            SECRET.as_bytes(),
        )))
        .with_access_keys(AccessKeys::new([(AccessKey::new("AKIDEXAMPLE", SECRET)?, "acme")]))
        .with_api_keys(hasher.clone(), FixedKeys::new(&hasher, [(SECRET, "acme")]))
        .with_issuer_keys(Issuer(issuer()?)))
}

struct DigestUser(Ha1);

impl Lookup<DigestQuery<'_>> for DigestUser {
    type Found = Candidates<DigestUserRecord, &'static str>;

    fn lookup(&self, _: &DigestQuery<'_>) -> Flow<'_, Option<Self::Found>> {
        let record = DigestUserRecord { user: "u".into(), secret: UserSecret::Ha1(self.0.clone()) };
        Flow::ready(Some(Candidates::one(record, "acme")))
    }
}

struct Issuer(SigningKey);

impl Lookup<KeyId> for Issuer {
    type Found = JwtKeys<&'static str>;

    fn lookup(&self, _: &KeyId) -> Flow<'_, Option<Self::Found>> {
        Flow::ready(Some(Candidates::one(self.0.verifying(), "acme")))
    }
}

fn issuer() -> Result<SigningKey, Error> {
    SigningKey::from_secret(JwsAlgorithm::HS256, &[7; 32])
}

/// The token endpoint: one client, and tokens that the receiver verifies by itself.
async fn token(form: String) -> (StatusCode, String) {
    let refused = (StatusCode::UNAUTHORIZED, String::from(r#"{"error":"invalid_client"}"#));
    if !form.contains(&format!("client_secret={SECRET}")) {
        return refused;
    }
    let signed = issuer().and_then(|key| {
        let claims = ClaimsToSign::expiring_in(Duration::from_secs(300))?;
        claims.with_issuer("https://login.example").with_audience("hooks").sign(
            &key,
            SystemClock.now(),
            None,
        )
    });
    match signed {
        Ok(token) => {
            let body = format!(
                r#"{{"access_token":"{}","token_type":"Bearer","expires_in":300}}"#,
                token.expose()
            );
            (StatusCode::OK, body)
        }
        Err(_) => refused,
    }
}
