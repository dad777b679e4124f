//! Our sender, at receivers of others and at servers that keep what arrives.

mod advanced;
mod certificates;
mod lighttpd;
mod moto;
mod provider;
mod recording;
mod stubborn;

pub use certificates::Nginx;
pub use lighttpd::Lighttpd;
pub use moto::Moto;
pub use provider::Provider;

use auth_reqwest::ReqwestTransport;
use auth_webhook::{
    AuthorizationSet, BodySigner, BodySigningKey, ConfiguredBy, DeliveryAttempt, DeliveryEnd,
    DeliveryOutcome, DeliveryPlan, Secret, SignatureForm, Subscription, TenantAuthorizations,
    TenantId, Transport, Transports, WebhookDelivery, WebhookSender, WebhookUrl,
};
use conformance::{Compared, Outcome, broken, ran};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::runtime::{Handle, Runtime};

/// The advanced settings as they arrive, redirects, and receivers that do not answer.
pub fn at_own_servers() -> Outcome {
    let run = || {
        let runtime = Runtime::new().map_err(text)?;
        runtime.block_on(async {
            let mut cases = advanced::cases().await?;
            cases.extend(stubborn::cases().await?);
            Ok::<_, String>(cases)
        })
    };
    run().map_or_else(broken, ran)
}

/// A tenant's authorizations, and what sends under them. An attempt may take two seconds.
pub struct Stage {
    pub acme: TenantAuthorizations,
    sender: WebhookSender,
}

impl Stage {
    /// Over a transport that reaches this machine.
    pub fn on_this_machine() -> Result<Self, String> {
        let transport = ReqwestTransport::builder(Handle::current()).allowing_loopback().build();
        let transport: Arc<dyn Transport> = Arc::new(transport.map_err(text)?);
        Self::over(move |_: &TenantId, _: Option<&str>| Ok(Arc::clone(&transport)))
    }

    pub fn over(transports: impl Transports + 'static) -> Result<Self, String> {
        let set = AuthorizationSet::builder(transports).build().map_err(text)?;
        let plan = DeliveryPlan::default().with_deadline(Duration::from_secs(2)).map_err(text)?;
        let acme = set.of_tenant(&TenantId::new("acme"));
        Ok(Self { acme, sender: WebhookSender::new(&set, plan) })
    }

    /// Has what goes to this URL sent under this authorization: both get this name.
    pub fn subscribe(&self, name: &str, url: &str, authorization: Value) -> Result<(), String> {
        let authorization = serde_json::from_value(authorization).map_err(text)?;
        self.acme.save(name, authorization, ConfiguredBy::Tenant).map_err(code)?;
        let url = WebhookUrl::parse(url).map_err(text)?;
        let subscription = Subscription::webhook(url).under(name);
        self.acme.subscribe(name, subscription.signed_by(hub_signer()?)).map_err(code)
    }

    /// One attempt: its outcome, and the status or why nothing was sent.
    pub async fn attempt(&self, name: &str, delivery: WebhookDelivery) -> Result<String, String> {
        let attempt = self.sender.attempt(self.acme.tenant(), name, delivery).await;
        attempt.map(|attempt| shown(&attempt)).map_err(code)
    }

    /// A whole delivery, which is not refused and then attempted again: its end, and each attempt.
    pub async fn deliver(&self, name: &str, delivery: WebhookDelivery) -> Result<String, String> {
        let report = self.sender.deliver(self.acme.tenant(), name, delivery);
        let in_time = tokio::time::timeout(Duration::from_secs(10), report).await;
        let report = in_time.map_err(|_| "is attempted again")?.map_err(code)?;
        let end = match report.end {
            DeliveryEnd::Delivered => "delivered",
            DeliveryEnd::Ended => "ended",
            DeliveryEnd::Exhausted => "exhausted",
            DeliveryEnd::Held(_) => "held",
        };
        let attempts: Vec<String> = report.attempts.iter().map(shown).collect();
        Ok(format!("{end} after {}: {}", report.spent + 1, attempts.join(", ")))
    }
}

fn shown(attempt: &DeliveryAttempt) -> String {
    let outcome = attempt.outcome.as_str();
    match (&attempt.outcome, attempt.status) {
        (DeliveryOutcome::NoToken(error), _) => format!("{outcome} {}", error.code()),
        (_, Some(status)) => format!("{outcome} {}", status.as_u16()),
        _ => outcome.to_owned(),
    }
}

fn hub_signer() -> Result<BodySigner, String> {
    let form = SignatureForm::HubSignature { algorithm: Default::default() };
    let key = BodySigningKey::read(&form, &Secret::from("hub secret")).map_err(text)?;
    BodySigner::new(form, key).map_err(text)
}

/// What is delivered.
fn receipt() -> WebhookDelivery {
    WebhookDelivery::json("4711", r#"{"channel":"message","status":"delivered"}"#)
}

/// One case: what came out, or why nothing did.
async fn case(
    id: &str,
    expected: &str,
    run: impl Future<Output = Result<String, String>>,
) -> Compared {
    conformance::compare(id, expected, run.await.unwrap_or_else(|why| why))
}

fn code(error: auth_core::Error) -> String {
    error.code().into()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
