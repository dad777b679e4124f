//! An emulated tenant, and credentials in the fields that its APIs take.

use super::{Answered, Caller, START};
use auth_core::Timestamp;
use auth_emulator::{RunningWebex, Secret, Webex, WebexBuilder};
use auth_jwt::{ClaimsToSign, JwsAlgorithm, SigningKey, profiles};
use auth_testing::ManualClock;
use http::Method;
use std::net::Ipv4Addr;

pub const MESSAGE: &str = r#"{"channel":"SMS","from":"a","to":[{"msisdn":["+447700900001"]}]}"#;
pub const EVENT: &str = r#"{"events":[{"evtid":"4451","correlationid":"c1"}]}"#;
pub const EVENT_PATH: &str = "/resources/v1/events/externalevent";

/// Two services and two apps under a clock that stands still.
pub struct Stage {
    pub webex: RunningWebex,
    pub clock: ManualClock,
    pub caller: Caller,
}

pub async fn stage() -> Stage {
    stage_of(|builder| builder).await
}

pub async fn stage_of(change: impl FnOnce(WebexBuilder) -> WebexBuilder) -> Stage {
    let clock = ManualClock::at(START);
    let builder = Webex::builder()
        .with_service("alerts")
        .with_service("other")
        .with_event("alerts", "4451")
        .with_event("other", "4452")
        .with_inbound_webhook("alerts", "AB12")
        .with_open_inbound_webhook("alerts", "OPEN")
        .with_app("shop")
        .with_app("game")
        .with_app_key("shop", "k1", super::symphony::PUBLIC)
        .with_clock(clock.clone());
    let webex = change(builder).start().await.unwrap();
    let caller = Caller::from(webex.base_url(), Ipv4Addr::LOCALHOST);
    Stage { webex, clock, caller }
}

pub fn text(secret: &Secret) -> &str {
    secret.expose_text().unwrap()
}

impl Stage {
    pub fn key(&self, service: &str) -> String {
        text(&self.webex.service(service).unwrap().key).to_owned()
    }

    pub fn now(&self) -> Timestamp {
        auth_core::Clock::now(&self.clock)
    }

    /// A JWT of this service.
    pub fn jwt(&self, service: &str) -> String {
        let service = self.webex.service(service).unwrap();
        let claims = profiles::webex_service_claims(&service.id);
        signed(claims, text(&service.jwt_secret), self.now())
    }

    /// A JWT of this app.
    pub fn app_jwt(&self, app: &str) -> String {
        let app = self.webex.app(app).unwrap();
        let claims = profiles::webex_app_claims(&app.id).unwrap();
        signed(claims.with_claim("userId", &"u1").unwrap(), text(&app.secret), self.now())
    }

    /// The path of an app's threads.
    pub fn threads(&self, app: &str) -> String {
        format!("/rtmsAPI/api/v1/apps/{}/threads", self.webex.app(app).unwrap().id)
    }

    pub async fn post(&self, path: &str, field: (&str, &str), body: &str) -> Answered {
        let fields: &[_] = if field.0.is_empty() { &[] } else { &[field] };
        self.caller.try_send(Method::POST, path, fields, body).await.expect("it was dropped")
    }
}

pub fn signed(claims: ClaimsToSign, secret: &str, now: Timestamp) -> String {
    let key = SigningKey::from_base64_secret(JwsAlgorithm::HS256, secret).unwrap();
    claims.sign(&key, now, None).unwrap().expose().to_owned()
}

pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

impl Answered {
    /// The status and the code of an answer, wherever its family has it.
    #[track_caller]
    pub fn code(&self) -> String {
        let response = &self.body["response"];
        let entry = if response.is_array() { &response[0] } else { response };
        let code = [&entry["code"], &self.body["code"]].into_iter().find_map(|it| it.as_str());
        format!("{} {}", self.status, code.unwrap_or("none"))
    }
}
