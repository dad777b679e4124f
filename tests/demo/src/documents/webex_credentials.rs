//! Document 001: the credentials of a service, from their creation to their regeneration.

use super::{
    Steps, context, text, there,
    webex_options::{MESSAGE, outcome},
};
use crate::calls::Line;
use auth_core::{Authenticator, Error, RequestView};
use auth_emulator::RunningWebex;
use auth_lifecycle::{
    Answer, CommandRefusal, Commands, CredentialId, Kind, NewSecret, Role, ServiceId, Wanted,
};
use auth_static::Bearer;
use auth_testing::ManualClock;
use auth_webex::{ServiceApi, ServiceCredential, Webex, WebexApi, WebexHosts};
use http::{HeaderMap, Method, Uri, header::AUTHORIZATION};
use std::time::Duration;

pub async fn walk() -> Result<Vec<Line>, Error> {
    let clock = ManualClock::at(1_800_000_000);
    let platform = auth_emulator::Webex::builder().with_service("alerts").with_clock(clock.clone());
    let platform = platform.start().await?;
    let webex = Webex::at(WebexHosts::at(&platform.base_url())?);
    let mut steps = Steps::begin()?;
    shown(&mut steps, &platform).await?;
    signed(&mut steps, &platform, &webex, &clock).await?;
    rotated(&mut steps, &platform, &webex).await?;
    platform.stop().await;
    Ok(steps.lines)
}

fn id_of(platform: &RunningWebex) -> Result<ServiceId, Error> {
    Ok(ServiceId::new(&*there(platform.service("alerts"))?.id))
}

/// What a command made, or the error that it was refused.
async fn done<T>(answer: Answer<T>) -> Result<T, Error> {
    answer.await?.map_err(|refusal| Error::config("demo_command", refusal))
}

/// The code of its refusal; `done` where it was none.
async fn refused<T>(answer: Answer<T>) -> Result<&'static str, Error> {
    Ok(answer.await?.err().map_or("done", |refusal| refusal.code()))
}

/// The first service key of the service.
async fn first_key(by: &Commands, service: &ServiceId) -> Result<(CredentialId, String), Error> {
    let groups = done(by.list(Some(service))).await?;
    let keys = groups.iter().find(|group| group.id.kind == Kind::ServiceKey);
    let first = there(keys.and_then(|group| group.credentials.first()))?;
    Ok((first.id.clone(), first.mask.to_string()))
}

async fn shown(steps: &mut Steps, platform: &RunningWebex) -> Result<(), Error> {
    let (service, owner) = (id_of(platform)?, platform.by(Role::Owner));
    let groups = done(owner.list(Some(&service))).await?;
    let kinds: Vec<_> = groups.iter().map(|group| group.id.kind.name()).collect();
    let expected = "service_key and service_jwt";
    steps.is("a new service has both by itself", kinds.join(" and "), expected);
    let (id, mask) = first_key(&owner, &service).await?;
    let key = text(&there(platform.service("alerts"))?.key);
    let masked = if key.contains(&mask) { "shown" } else { "masked" };
    steps.is("a list masks them", masked, "masked");
    let mut told = Vec::new();
    for role in [Role::Owner, Role::FullAccess, Role::LimitedAccess, Role::ReadOnly] {
        let revealed = platform.by(role).reveal(&id).await?;
        told.push(match revealed {
            Ok(secret) if secret.matches(key.as_bytes()) => "shown",
            Ok(_) => "another",
            Err(CommandRefusal::Forbidden) => "forbidden",
            Err(_) => "refused",
        });
    }
    let expected = "shown, shown, shown, forbidden";
    steps.is("three roles see it, read only does not", told.join(", "), expected);
    Ok(())
}

/// The JWT: HS256 under the decoded secret, with the Service ID as issuer, dead after an hour.
async fn signed(
    steps: &mut Steps,
    platform: &RunningWebex,
    webex: &Webex,
    clock: &ManualClock,
) -> Result<(), Error> {
    let alerts = there(platform.service("alerts"))?;
    let jwt = |issuer: &str| {
        let credential = ServiceCredential::jwt(issuer, &text(&alerts.jwt_secret), context(clock)?);
        Ok::<WebexApi, Error>(webex.service(credential?).api(ServiceApi::MessagingV1))
    };
    let api = jwt(&alerts.id)?;
    let told = outcome(steps, &api, &api, MESSAGE).await?;
    steps.is("iss is the Service ID", told, "Accepted");
    let alias = jwt(&text(&alerts.key))?;
    let told = outcome(steps, &alias, &alias, MESSAGE).await?;
    steps.is("iss is the service key, as in the sample", told, "CredentialRefused");
    let kept = Bearer::new(&token_of(&api).await?)?;
    clock.advance(Duration::from_secs(59 * 60));
    let early = outcome(steps, &api, &kept, MESSAGE).await?;
    clock.advance(Duration::from_secs(3 * 60));
    let late = outcome(steps, &api, &kept, MESSAGE).await?;
    let expected = "Accepted, CredentialRefused";
    steps.is("a token after 59 and after 62 minutes", format!("{early}, {late}"), expected);
    let told = outcome(steps, &api, &api, MESSAGE).await?;
    steps.is("the client has made a new one by itself", told, "Accepted");
    Ok(())
}

/// The token that a call would carry.
async fn token_of(api: &WebexApi) -> Result<String, Error> {
    let uri: Uri = api.url().parse().map_err(|error| Error::config("demo_url", error))?;
    let headers = HeaderMap::new();
    let made = api.credentials(RequestView::new(&Method::POST, &uri, &headers)).await?;
    let field = made.field(&AUTHORIZATION).and_then(|field| field.to_str().ok());
    Ok(there(field.and_then(|field| field.strip_prefix("Bearer ")))?.to_owned())
}

/// A second key, the first one discarded, reactivated and regenerated.
async fn rotated(steps: &mut Steps, platform: &RunningWebex, webex: &Webex) -> Result<(), Error> {
    let (service, by) = (id_of(platform)?, platform.by(Role::Owner));
    let (first, _) = first_key(&by, &service).await?;
    let make = || by.create(Some(&service), Kind::ServiceKey, Wanted::default());
    let second = done(make()).await?;
    let api = |key: &str| {
        let credential = ServiceCredential::key(key)?;
        Ok::<WebexApi, Error>(webex.service(credential).api(ServiceApi::MessagingV1))
    };
    let old = api(&text(&there(platform.service("alerts"))?.key))?;
    let new = api(&text(&there(second.secret)?))?;
    let told = both(steps, &old, &new).await?;
    steps.is("a second key: both are good", told, "Accepted, Accepted");
    let told = refused(make()).await?;
    steps.is("a third is refused", told, "lifecycle_cap_reached");
    let told = refused(by.discard(&first, 0)).await?;
    steps.is("to discard has to be confirmed", told, "lifecycle_version_changed");
    let version = done(by.dry_run(&first)).await?.version;
    done(by.discard(&first, version)).await?;
    let told = both(steps, &old, &new).await?;
    steps.is("the old one is discarded", told, "CredentialRefused, Accepted");
    let offered = done(by.dry_run(&second.credential.id)).await?.refused;
    let told = offered.map_or("done", |refusal| refusal.code());
    steps.is("the last active one offers no discard", told, "lifecycle_last_active");
    let version = done(by.dry_run(&first)).await?.version;
    let told = refused(by.delete(&first, version, None)).await?;
    steps.is("to delete it takes the password", told, "lifecycle_step_up_required");
    done(by.reactivate(&first)).await?;
    let told = both(steps, &old, &new).await?;
    steps.is("the old one is reactivated", told, "Accepted, Accepted");
    let renewed = done(by.regenerate(&first, NewSecret::Generated)).await?;
    let renewed = api(&text(&there(renewed.secret)?))?;
    let told = both(steps, &old, &renewed).await?;
    steps.is("regenerated: old value, new value", told, "CredentialRefused, Accepted");
    Ok(())
}

async fn both(steps: &Steps, one: &WebexApi, other: &WebexApi) -> Result<String, Error> {
    let first = outcome(steps, one, one, MESSAGE).await?;
    Ok(format!("{first}, {}", outcome(steps, other, other, MESSAGE).await?))
}
