//! Document 000: which credential each API takes, and which of two decides.

use super::{Steps, context, text, there};
use crate::calls::Line;
use auth_core::{Authenticator, Error, Stack};
use auth_emulator::{AddressList, RunningWebex, WebexFamily};
use auth_static::{ApiKey, Bearer, NoAuth, Placement};
use auth_testing::ManualClock;
use auth_webex::{
    AppApi, AppCredential, ServiceApi, ServiceCredential, TenantApi, Webex, WebexApi, WebexHosts,
};
use http::Method;

pub const MESSAGE: &str = r#"{"channel":"SMS","from":"a","to":[{"msisdn":["+447700900001"]}]}"#;
const EVENT: &str = r#"{"events":[{"evtid":"4451"}]}"#;

pub async fn walk() -> Result<Vec<Line>, Error> {
    let clock = ManualClock::at(1_800_000_000);
    let list: AddressList =
        "192.0.2.0/24".parse().map_err(|error| Error::config("demo_list", error))?;
    let platform = auth_emulator::Webex::builder()
        .with_service("alerts")
        .with_service("other")
        .with_event("alerts", "4451")
        .with_inbound_webhook("alerts", "AB12")
        .with_app("shop")
        .with_allowed_addresses(WebexFamily::RcsCapability, list)
        .with_clock(clock.clone());
    let platform = platform.start().await?;
    let webex = Webex::at(WebexHosts::at(&platform.base_url())?);
    let alerts = there(platform.service("alerts"))?;
    let key = webex.service(ServiceCredential::key(&text(&alerts.key))?);
    let jwt = ServiceCredential::jwt(&alerts.id, &text(&alerts.jwt_secret), context(&clock)?)?;
    let jwt = webex.service(jwt);
    let mut steps = Steps::begin()?;

    let accepted = "Accepted, Accepted";
    for (step, api, body) in [
        ("Messaging v1: service key, then JWT", ServiceApi::MessagingV1, MESSAGE),
        ("Messaging v2: service key, then JWT", ServiceApi::MessagingV2, MESSAGE),
        ("Custom Event: service key, then JWT", ServiceApi::CustomEvent, EVENT),
        ("sandbox: key, then JWT, both as Bearer", ServiceApi::Sandbox, MESSAGE),
    ] {
        let told = both(&steps, [key.api(api), jwt.api(api)], body).await?;
        steps.is(step, told, accepted);
    }
    let webhook = [key.inbound_webhook("AB12")?, jwt.inbound_webhook("AB12")?];
    let told = both(&steps, webhook, "{}").await?;
    steps.is("inbound webhook: service key, then JWT", told, accepted);
    let tenant = webex.tenant(&text(platform.profile_key()))?;
    let tenant = [tenant.api(TenantApi::ContactPolicy), tenant.api(TenantApi::Profile)];
    let told = both(&steps, tenant, "{}").await?;
    steps.is("Contact Policy, Profile: profile key", told, accepted);
    apps(&mut steps, &platform, &webex, &clock).await?;

    let api = key.api(ServiceApi::MessagingV1);
    let told = outcome(&steps, &api, &NoAuth, MESSAGE).await?;
    steps.is("a call with neither is refused", told, "CredentialMissing");
    let good = ApiKey::new(Placement::header("key")?, &text(&alerts.key))?;
    let told = outcome(&steps, &api, &Stack(Bearer::new("a.wrong.jwt")?, good), MESSAGE).await?;
    steps.is("a wrong JWT decides beside a good key", told, "CredentialRefused");
    let other = there(platform.service("other"))?;
    let event = webex.service(ServiceCredential::key(&text(&other.key))?);
    let event = event.api(ServiceApi::CustomEvent);
    let told = outcome(&steps, &event, &event, EVENT).await?;
    steps.is("the key of another service is refused", told, "CredentialRefused");
    let rcs = [key.api(ServiceApi::RcsCapability), jwt.api(ServiceApi::RcsCapability)];
    let told = both(&steps, rcs, "{}").await?;
    steps.is("an address that is not listed, RCS", told, "AddressNotListed, AddressNotListed");
    platform.stop().await;
    Ok(steps.lines)
}

/// Thread, Segment and Topic take the JWT of the app.
async fn apps(
    steps: &mut Steps,
    platform: &RunningWebex,
    webex: &Webex,
    clock: &ManualClock,
) -> Result<(), Error> {
    let app = there(platform.app("shop"))?;
    let credential =
        AppCredential::from_secret(&app.id, &text(&app.secret), Some("u1"), context(clock)?)?;
    let app = webex.app(credential);
    for (step, api) in [
        ("Thread: JWT of the app", AppApi::Threads),
        ("Segment: JWT of the app", AppApi::Segments),
        ("Topic: JWT of the app", AppApi::Topics),
    ] {
        let api = app.api(api);
        let told = outcome(steps, &api, &api, "{}").await?;
        steps.is(step, told, "Accepted");
    }
    Ok(())
}

/// What two calls come to.
async fn both(steps: &Steps, apis: [WebexApi; 2], body: &'static str) -> Result<String, Error> {
    let [one, other] = &apis;
    let (first, second) =
        (outcome(steps, one, one, body).await?, outcome(steps, other, other, body).await?);
    Ok(format!("{first}, {second}"))
}

/// What a call of an API comes to, under these credentials.
pub async fn outcome(
    steps: &Steps,
    api: &WebexApi,
    who: &dyn Authenticator,
    body: &'static str,
) -> Result<String, Error> {
    let answered = steps.call(who, (Method::POST, api.url()), body).await?;
    Ok(format!("{:?}", api.read_answer(answered.status, &answered.body).outcome))
}
