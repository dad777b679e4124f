//! Webex Connect on both ends: every credential at every API, answers that repeat all of them, and doors that refuse them.

use super::{ibsso::logged, plant};
use auth_core::{
    Answer, Authenticator, Context, Rejection, RequestView, Secret, TenantId, Verifier,
};
use auth_lifecycle::{
    Actor, Kind, MemoryLifecycleStore, NewSecret, Registry, RegistryKeys, Role, Wanted,
};
use auth_testing::{Canary, CapturedOutput, ScriptedTransport};
use auth_tower::{TracingObserver, VerifyLayer};
use auth_webex::{
    AppApi, AppCredential, ServiceApi, ServiceCredential, TenantApi, Webex, WebexAnswer, WebexApi,
    WebexDoors, WebexFamily, WebexHosts, refusal_answer,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use std::{convert::Infallible, sync::Arc};
use tower::{Layer, ServiceExt as _, service_fn};

struct Planted {
    key: Canary,
    profile: Canary,
    jwt: Canary,
    app: Canary,
}

impl Planted {
    fn new() -> Self {
        let (key, profile) = (plant("service-key"), plant("profile-key"));
        Self { key, profile, jwt: plant("jwt-secret"), app: plant("app-secret") }
    }

    fn all(&self) -> [&Canary; 4] {
        [&self.key, &self.profile, &self.jwt, &self.app]
    }

    /// As the platform shows a secret that signs: in Base64, of 32 bytes or more.
    fn base64(secret: &Canary) -> String {
        STANDARD.encode(format!("{}-as-long-as-its-hash-wants", secret.text()))
    }

    /// Every API, under every credential that it takes.
    fn apis(&self, shown: &CapturedOutput) -> Vec<WebexApi> {
        let context = Context::new(ScriptedTransport::new(|_| panic!("nothing is fetched")));
        let webex = Webex::at(WebexHosts::at("https://webex.example").unwrap());
        let secret = Self::base64(&self.jwt);
        let key = ServiceCredential::key(self.key.text()).unwrap();
        let jwt = ServiceCredential::jwt("S-1", &secret, context.clone()).unwrap();
        let tenant = webex.tenant(self.profile.text()).unwrap();
        let app = AppCredential::from_secret("A1", &Self::base64(&self.app), None, context);
        let app = app.unwrap();
        shown.debug(&webex).debug(&key).debug(&jwt).debug(&tenant).debug(&app);
        let (key, jwt, app) = (webex.service(key), webex.service(jwt), webex.app(app));
        shown.debug(&key).debug(&jwt).debug(&app);
        let apis = [
            key.api(ServiceApi::MessagingV1),
            key.api(ServiceApi::Sandbox),
            jwt.api(ServiceApi::CustomEvent),
            tenant.api(TenantApi::Profile),
            tenant.api(TenantApi::ContactPolicy),
            app.api(AppApi::Threads),
        ];
        apis.into()
    }
}

/// What a program may show of the calling end, whatever the platform answers.
#[test]
fn no_call_of_webex_shows_a_credential() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    for wrong in [format!("{} ", planted.key.text()), format!("{}\n", planted.key.text())] {
        shown.error(&ServiceCredential::key(&wrong).unwrap_err());
    }
    let context = Context::new(ScriptedTransport::new(|_| panic!("nothing is fetched")));
    shown.error(&ServiceCredential::jwt("S-1", planted.jwt.text(), context).unwrap_err());
    let secrets = planted.all().map(Canary::text).join(" ");
    for api in planted.apis(&shown) {
        let (mut uri, mut headers): (Uri, _) = (api.url().parse().unwrap(), HeaderMap::new());
        let view = RequestView::new(&Method::POST, &uri, &headers);
        let sent = api.credentials(view).wait().unwrap();
        shown.debug(&api).debug(&sent);
        let bodies = [
            format!(
                r#"{{"response":{{"code":"7001","description":"{secrets}","transid":"{secrets}"}}}}"#
            ),
            format!(r#"{{"code":"{secrets}","message":"{secrets}"}}"#),
            secrets.clone(),
        ];
        for body in &bodies {
            let answer_headers = HeaderMap::new();
            let answer = Answer::new(view, StatusCode::OK, &answer_headers);
            shown.debug(&api.assess(&sent, answer.with_body(body.as_bytes())));
            let read = api.read_answer(StatusCode::OK, body.as_bytes());
            shown.debug(&read).text(&read.to_string());
            for family in WebexFamily::ALL {
                shown.debug(&WebexAnswer::read(family, StatusCode::BAD_REQUEST, body.as_bytes()));
            }
        }
        sent.commit(&mut uri, &mut headers).unwrap();
        shown.debug(&headers);
    }
    assert!(shown.all().contains("7001") && shown.all().contains("Sensitive"));
    assert_eq!(shown.leaks(&planted.all()), [""; 0], "in\n{:.3000}", shown.all());
}

/// The platform's end, with good credentials and with those of nobody: its log, its answers, and what its types show.
#[test]
fn no_door_of_webex_shows_a_credential() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
    let registry = Registry::build(MemoryLifecycleStore::new(), keys).finish().unwrap();
    let by = registry.by(&Actor::new(TenantId::new("acme"), "alice", Role::Owner));
    let (service, _) = by.create_service_with("alerts", &[]).wait().unwrap().unwrap();
    let given = |secret: &str| Wanted {
        secret: NewSecret::Given(Secret::new(secret)),
        ..Wanted::default()
    };
    for (owner, kind, secret) in [
        (Some(&service.id), Kind::ServiceKey, planted.key.text().to_owned()),
        (None, Kind::ProfileKey, planted.profile.text().to_owned()),
        (Some(&service.id), Kind::ServiceJwtSecret, Planted::base64(&planted.jwt)),
        (Some(&service.id), Kind::AppJwtSecret, Planted::base64(&planted.app)),
    ] {
        shown.debug(&by.import(owner, kind, given(&secret)).wait().unwrap().unwrap());
    }
    let doors = WebexDoors::new(registry).allowing_jwt_in_key_field();
    let (service, sandbox) =
        (Arc::new(doors.service().unwrap()), Arc::new(doors.sandbox().unwrap()));
    let (profile, policy, app) = (
        Arc::new(doors.profile().unwrap()),
        Arc::new(doors.contact_policy().unwrap()),
        Arc::new(doors.app().unwrap()),
    );
    shown.debug(&doors).debug(&service).debug(&sandbox).debug(&app);
    logged(&shown, || {
        for api in planted.apis(&shown) {
            told(&shown, &api, &service);
            told(&shown, &api, &sandbox);
            told(&shown, &api, &profile);
            told(&shown, &api, &policy);
            told(&shown, &api, &app);
        }
    });
    assert!(shown.all().contains("request rejected") && shown.all().contains("service_key"));
    assert_eq!(shown.leaks(&planted.all()), [""; 0], "in\n{:.3000}", shown.all());
}

/// What a door says of a call, and what its server logs and answers.
fn told<V>(shown: &CapturedOutput, api: &WebexApi, door: &Arc<V>)
where
    V: Verifier<Principal: std::fmt::Debug + Clone + Sync> + 'static,
{
    let (mut uri, mut headers): (Uri, _) = (api.url().parse().unwrap(), HeaderMap::new());
    let made = api.credentials(RequestView::new(&Method::POST, &uri, &headers)).wait().unwrap();
    made.commit(&mut uri, &mut headers).unwrap();
    match door.verify(RequestView::new(&Method::POST, &uri, &headers)).wait().unwrap() {
        Ok(accepted) => {
            shown.debug(&accepted.principal);
        }
        Err(rejection) => {
            shown.debug(&rejection).text(&rejection.reason().to_string());
            answered(shown, &rejection);
        }
    }
    let layer = VerifyLayer::new(Arc::clone(door)).with_observer(TracingObserver);
    let served = layer.layer(service_fn(|_: Request<_>| async {
        Ok::<_, Infallible>(Response::new(Empty::<bytes::Bytes>::new()))
    }));
    let mut request = Request::post(uri).body(Empty::<bytes::Bytes>::new()).unwrap();
    *request.headers_mut() = headers;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let answer = served.oneshot(request).await.unwrap();
        shown.debug(answer.headers());
        let body = answer.into_body().collect().await.map(|body| body.to_bytes());
        shown.debug(&body.unwrap_or_default());
    });
}

fn answered(shown: &CapturedOutput, rejection: &Rejection) {
    for family in WebexFamily::ALL {
        let answer = refusal_answer(family, rejection, "4711");
        shown.debug(answer.headers()).text(std::str::from_utf8(answer.body()).unwrap());
    }
}
