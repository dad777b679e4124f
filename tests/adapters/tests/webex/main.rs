//! Webex Connect over real connections: services, tenants and apps at the emulated platform, through every adapter.

#[path = "../sends/mod.rs"]
mod sends;

use auth_core::{Context, Timestamp};
use auth_emulator::{Endpoint, Fault, RunningWebex, Secret, WebexFamily};
use auth_testing::{ManualClock, ScriptedTransport};
use auth_webex::{
    AppApi, AppCredential, ServiceApi, ServiceCredential, TenantApi, Webex, WebexAnswer, WebexApi,
    WebexHosts, WebexOutcome, WebexService,
};
use http::{Method, StatusCode};
use sends::{Sends, Tower, reqwest, ureq};
use std::{sync::Arc, time::Duration};

const NOW: u64 = 1_700_000_000;
const KEY: &str = include_str!("../../../../crates/auth-emulator/tests/keys/bot.pem");
const PUBLIC: &str = include_str!("../../../../crates/auth-emulator/tests/keys/bot.pub.pem");
const MESSAGE: &str = r#"{"channel":"SMS","from":"a","to":[{"msisdn":["+447700900001"]}]}"#;
const EVENT: &str = r#"{"events":[{"evtid":"4451","correlationid":"c1"}]}"#;

/// The platform under a clock that the test moves, and the programs of its tenant.
struct Stage<S> {
    platform: RunningWebex,
    clock: ManualClock,
    webex: Webex,
    sends: S,
}

fn text(secret: &Secret) -> &str {
    secret.expose_text().unwrap()
}

impl<S: Sends> Stage<S> {
    async fn new(sends: S) -> Self {
        let clock = ManualClock::at(NOW);
        let platform = auth_emulator::Webex::builder()
            .with_service("alerts")
            .with_service("other")
            .with_event("alerts", "4451")
            .with_inbound_webhook("alerts", "AB12")
            .with_app("shop")
            .with_app_key("shop", "k1", PUBLIC)
            .with_clock(clock.clone());
        let platform = platform.start().await.unwrap();
        let webex = Webex::at(WebexHosts::at(&platform.base_url()).unwrap());
        Self { platform, clock, webex, sends }
    }

    /// JWTs are made without a question to anybody.
    fn context(&self) -> Context {
        let transport = ScriptedTransport::new(|_| panic!("nothing is fetched"));
        Context::new(transport).with_clock(self.clock.clone())
    }

    fn key_of(&self, service: &str) -> ServiceCredential {
        ServiceCredential::key(text(&self.platform.service(service).unwrap().key)).unwrap()
    }

    fn jwt_of(&self, service: &str) -> ServiceCredential {
        let of = self.platform.service(service).unwrap();
        ServiceCredential::jwt(&of.id, text(&of.jwt_secret), self.context()).unwrap()
    }

    async fn ask(&self, api: &WebexApi, body: &'static str) -> (u16, WebexOutcome) {
        let url = api.url().to_owned();
        let answered = self.sends.send(Arc::new(api.clone()), Method::POST, url, body).await;
        let status = StatusCode::from_u16(answered.status).unwrap();
        let read: WebexAnswer = api.read_answer(status, answered.body.to_string().as_bytes());
        let is_told_to_wait = answered.headers.contains_key("retry-after");
        assert_eq!(is_told_to_wait, read.outcome == WebexOutcome::RateLimited);
        (answered.status, read.outcome)
    }

    /// Everything, one after the other at one platform.
    async fn everything(&self) {
        self.services().await;
        self.tenant().await;
        self.apps().await;
        self.refused_tokens_are_renewed().await;
        self.tokens_end().await;
    }

    /// All APIs of services, under a key and under a JWT.
    async fn services(&self) {
        let apis = |service: &WebexService| {
            [
                (service.api(ServiceApi::MessagingV1), MESSAGE, 200),
                (service.api(ServiceApi::MessagingV2), MESSAGE, 201),
                (service.api(ServiceApi::CustomEvent), EVENT, 200),
                (service.api(ServiceApi::RcsCapability), "", 200),
                (service.api(ServiceApi::Sandbox), MESSAGE, 202),
                (service.inbound_webhook("AB12").unwrap(), "{}", 200),
            ]
        };
        for credential in [self.key_of("alerts"), self.jwt_of("alerts")] {
            for (api, body, status) in apis(&self.webex.service(credential)) {
                let told = self.ask(&api, body).await;
                assert_eq!(told, (status, WebexOutcome::Accepted), "{api:?}");
            }
        }
        let nobody = self.webex.service(ServiceCredential::key("sk_nobody").unwrap());
        for ((api, body, _), status) in
            apis(&nobody).into_iter().zip([400, 401, 200, 401, 403, 401])
        {
            let told = self.ask(&api, body).await;
            assert_eq!(told, (status, WebexOutcome::CredentialRefused), "{api:?}");
        }
        let other = self.webex.service(self.jwt_of("other")).api(ServiceApi::CustomEvent);
        assert_eq!(self.ask(&other, EVENT).await, (200, WebexOutcome::CredentialRefused));
        assert_eq!(self.platform.counts().flows_triggered, 4);
    }

    async fn tenant(&self) {
        let tenant = self.webex.tenant(text(self.platform.profile_key())).unwrap();
        let key = self.platform.service("alerts").unwrap();
        let service = self.webex.tenant(text(&key.key)).unwrap();
        for api in [TenantApi::Profile, TenantApi::ContactPolicy] {
            let accepted = (200, WebexOutcome::Accepted);
            assert_eq!(self.ask(&tenant.api(api), "{}").await, accepted, "{api:?}");
            let refused = (401, WebexOutcome::CredentialRefused);
            assert_eq!(self.ask(&service.api(api), "{}").await, refused, "{api:?}");
        }
    }

    /// Under HS256 and under RS256.
    async fn apps(&self) {
        let app = self.platform.app("shop").unwrap();
        let (id, context) = (&*app.id, || self.context());
        let secret = AppCredential::from_secret(id, text(&app.secret), Some("u1"), context());
        let key = AppCredential::from_private_key(id, KEY, "k1", None, context());
        let stranger = AppCredential::from_private_key(id, KEY, "k2", None, context());
        for (credential, expected) in [
            (secret, (200, WebexOutcome::Accepted)),
            (key, (200, WebexOutcome::Accepted)),
            (stranger, (401, WebexOutcome::CredentialRefused)),
        ] {
            let app = self.webex.app(credential.unwrap());
            for api in [AppApi::Threads, AppApi::Segments, AppApi::Topics] {
                assert_eq!(self.ask(&app.api(api), "{}").await, expected, "{api:?}");
            }
        }
    }

    /// Whatever status a refusal comes with: the token is made anew, and the request is sent once more. A key is not.
    async fn refused_tokens_are_renewed(&self) {
        let (jwt, key) = (self.jwt_of("alerts"), self.key_of("alerts"));
        let (jwt, key) = (self.webex.service(jwt), self.webex.service(key));
        for (api, family, body, status, good) in [
            (ServiceApi::CustomEvent, WebexFamily::CustomEvent, EVENT, 200, 200),
            (ServiceApi::MessagingV1, WebexFamily::MessagingV1, MESSAGE, 400, 200),
            (ServiceApi::MessagingV2, WebexFamily::MessagingV2, MESSAGE, 401, 201),
            (ServiceApi::Sandbox, WebexFamily::Sandbox, MESSAGE, 403, 202),
        ] {
            let family = Endpoint::Webex(family);
            let before = self.platform.counts().requests;
            // A session does not believe that its tokens are refused one after the other within a minute.
            self.clock.advance(Duration::from_secs(60));
            self.platform.faults().arm(Fault::Unauthorized, family, 1);
            assert_eq!(self.ask(&jwt.api(api), body).await, (good, WebexOutcome::Accepted));
            self.platform.faults().arm(Fault::Unauthorized, family, 1);
            let refused = (status, WebexOutcome::CredentialRefused);
            assert_eq!(self.ask(&key.api(api), body).await, refused, "{api:?}");
            self.platform.faults().arm(Fault::TooManyRequests(Duration::from_secs(1)), family, 1);
            let (_, outcome) = self.ask(&key.api(api), body).await;
            assert_eq!(outcome, WebexOutcome::RateLimited, "{api:?}");
            assert_eq!(self.platform.counts().requests, before + 4, "{api:?}");
        }
    }

    /// A JWT is made anew before the platform would refuse it, and again after a day.
    async fn tokens_end(&self) {
        let api = self.webex.service(self.jwt_of("alerts")).api(ServiceApi::MessagingV1);
        let before = self.platform.counts();
        for seconds in [0, 3500, 99, 1, 86_400] {
            self.clock
                .set(Timestamp::from_unix(auth_core::Clock::now(&self.clock).unix() + seconds));
            assert_eq!(self.ask(&api, MESSAGE).await, (200, WebexOutcome::Accepted), "{seconds}");
        }
        let after = self.platform.counts();
        assert_eq!((after.requests - before.requests, after.refused - before.refused), (5, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_tenants_and_apps_work_through_reqwest() {
    Stage::new(reqwest()).await.everything().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_tenants_and_apps_work_through_ureq() {
    Stage::new(ureq()).await.everything().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_tenants_and_apps_work_through_tower() {
    Stage::new(Tower).await.everything().await;
}
