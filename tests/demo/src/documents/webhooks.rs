//! Document 002: the six authorizations of outbound webhooks, as a tenant sets them up.

use super::Steps;
use crate::{
    callers::Adapter,
    calls::Line,
    webhooks::{KINDS, Platform, SECRET},
};
use auth_core::Error;
use auth_webhook::{SlotName, WebhookDelivery};

pub async fn walk() -> Result<Vec<Line>, Error> {
    let platform = Platform::start(Adapter::Reqwest).await?;
    let mut steps = Steps::begin()?;
    for ((kind, ..), step) in KINDS.into_iter().zip([
        "No Auth",
        "Basic Auth: username and password",
        "Digest Auth: the nonce of the challenge",
        "AWS Signature: over the body",
        "API Key: key and key value",
        "OAuth 2.0: client credentials",
    ]) {
        let line = platform.deliver(kind, SECRET, "delivered").await;
        let line = line.map_err(|error| Error::config("demo_webhook", error))?;
        steps.is(step, line.verdict, "acme: message 4711 delivered");
    }
    let acme = platform.of_tenant();
    let saved = format!("{:?}", acme.authorization(&named("basic"))?);
    let hidden = saved.contains("Basic") && !saved.contains(SECRET);
    steps.is("saved settings show no secret", if hidden { "hidden" } else { "shown" }, "hidden");
    let wrong = r#"{"type":"basic","username":"u","pasword":"p"}"#;
    let told = match serde_json::from_str::<auth_webhook::OutboundAuthorization>(wrong) {
        Ok(_) => "taken".to_owned(),
        Err(error) if error.to_string().contains("pasword") => "refused, by its name".to_owned(),
        Err(error) => error.to_string(),
    };
    steps.is("a field that is spelt wrong", told, "refused, by its name");
    // A subscription has the name of its authorization here.
    let (basic, delivery) = (named("basic"), WebhookDelivery::json("d2", "{}"));
    let preview = acme.preview(&basic, &delivery).await?;
    let field = preview.fields.iter().find(|field| field.name == "authorization");
    let told = field.map_or("no field", |field| &*field.value);
    steps.is("a preview of what will be sent", told, "Basic ****");
    let dependants = acme.dependants(&basic)?.len();
    steps.is("dependants, before a deletion", dependants, "1");
    let token = acme.fetch_token(&named("oauth2"), SlotName::Current).await?;
    let told = format!("{}, {} characters shown", token.token_type, token.access_token.len());
    steps.is("Get Access Token shows it masked", told, "Bearer, 4 characters shown");
    platform.stop();
    Ok(steps.lines)
}

/// The authorization of this kind with the right secret.
fn named(kind: &str) -> String {
    format!("{kind} with {SECRET}")
}
