//! What bots, apps and their users do, through every adapter.

use super::{
    MESSAGE, SESSION_INFO, Stage, app_log_in, code,
    sends::{Answered, Sends, Tower, Who, reqwest, ureq},
    stage, transport,
};
use auth_core::{Authenticator, Context, RequestView, Transport, Verifier};
use auth_emulator::{Endpoint, Fault};
use auth_oauth2::{
    ClientAuthentication, ClientCredentials, ClientRegistration, ParameterPlacement, Session,
    TokenEndpoint,
};
use auth_symphony::{CircleOfTrust, CommonJwtVerifier, SymphonyUser, UserJwtVerifier};
use auth_ureq::UreqTransport;
use http::{HeaderMap, Method, Uri};
use serde_json::Value;
use std::sync::Arc;

/// A stage, a client, and the context of all log-ins.
struct Through<S> {
    stage: Stage,
    sends: S,
    context: Context,
}

impl<S: Sends> Through<S> {
    async fn new(transport: impl Transport + 'static, sends: S) -> Self {
        let stage = stage().await;
        let context = stage.context(transport);
        Self { stage, sends, context }
    }

    async fn ask(&self, who: &Who, method: Method, path: &str, body: &'static str) -> Answered {
        self.sends.send(Arc::clone(who), method, self.stage.url(path), body).await
    }

    async fn message(&self, who: &Who) -> u16 {
        self.ask(who, Method::POST, MESSAGE, "hello").await.status
    }

    async fn info(&self, who: &Who) -> (u16, Value) {
        let answered = self.ask(who, Method::GET, SESSION_INFO, "").await;
        (answered.status, answered.body["username"].clone())
    }

    /// Everything, one after the other at one installation.
    async fn everything(&self) {
        self.bot().await;
        self.datafeed().await;
        self.deprecated().await;
        self.on_behalf_of().await;
        self.common_jwt().await;
        self.circle_of_trust().await;
        self.partner().await;
    }

    async fn bot(&self) {
        let bot = self.stage.bot(self.context.clone());
        let (pod, agent): (Who, Who) = (Arc::new(bot.pod()), Arc::new(bot.agent()));
        assert_eq!(self.info(&pod).await, (200, "bot".into()));
        assert_eq!((self.message(&agent).await, self.message(&agent).await), (200, 200));
        assert_eq!(self.stage.log_ins(), [1, 1, 1]);
        self.stage.symphony.faults().arm(Fault::ExpireSessions, Endpoint::Agent, 1);
        assert_eq!(self.message(&agent).await, 200);
        // The session alone, after one question to the pod.
        assert_eq!(self.stage.log_ins(), [2, 1, 2]);
        self.stage.pass(60);
        self.stage.symphony.faults().arm(Fault::ExpireSessions, Endpoint::Pod, 1);
        assert_eq!(self.info(&pod).await, (200, "bot".into()));
        assert_eq!(self.stage.log_ins(), [3, 1, 4]);
        self.stage.pass(60);
    }

    async fn datafeed(&self) {
        let bot = self.stage.bot(self.context.clone());
        let agent: Who = Arc::new(bot.agent());
        let made = self.ask(&agent, Method::POST, "/agent/v5/datafeeds", "").await;
        let id = made.body["id"].as_str().unwrap();
        let path = format!("/agent/v5/datafeeds/{id}/read");
        for reads in 1..4 {
            let read = self.ask(&agent, Method::POST, &path, r#"{"ackId":""}"#).await;
            let expected = (200, Value::from(format!("ack-{reads}")));
            assert_eq!((read.status, read.body["ackId"].clone()), expected);
            // It is the bot's, and not of the session that has ended.
            self.stage.symphony.faults().arm(Fault::ExpireNow, Endpoint::Agent, 1);
            self.stage.pass(3600);
        }
        self.stage.symphony.faults().clear();
    }

    async fn deprecated(&self) {
        let agent: Who = Arc::new(self.stage.bot(self.context.clone()).agent());
        let ask = async || self.ask(&agent, Method::POST, "/agent/v4/datafeed/create", "").await;
        let warned = ask().await;
        let warning = warned.headers["warning"].to_str().unwrap();
        assert!(warned.status == 200 && warning.starts_with("299 - "), "{warning}");
        self.stage.symphony.switch_off_deprecated();
        let before = self.stage.log_ins();
        let gone = ask().await;
        assert_eq!((gone.status, &gone.body["code"]), (410, &410.into()));
        assert!(!gone.headers.contains_key("warning"));
        assert_eq!(self.stage.log_ins(), before, "a 410 is no reason to log in");
        self.stage.pass(60);
    }

    async fn on_behalf_of(&self) {
        let bot = self.stage.bot(self.context.clone());
        let bot = bot.with_app(self.stage.app(self.context.clone()));
        for user in [SymphonyUser::Id(7), SymphonyUser::Name("jane@acme.com".into())] {
            let user: Who = Arc::new(bot.on_behalf_of(user).unwrap());
            assert_eq!(self.info(&user).await, (200, "jane@acme.com".into()));
            assert_eq!(self.message(&user).await, 200);
        }
        let (agent, before): (Who, _) = (Arc::new(bot.agent()), self.stage.log_ins());
        assert_eq!(self.message(&agent).await, 200);
        let after = self.stage.log_ins();
        assert_eq!([after[0] - before[0], after[1] - before[1]], [1, 1], "the bot is another one");
        let schemes = self.stage.symphony.requests().into_iter().rev().skip(3);
        let of_user = schemes.filter(|one| &*one.path == MESSAGE).map(|one| one.scheme).next();
        assert_eq!(of_user, Some(Some("sessionToken")), "a user has no key manager token");
        self.stage.pass(60);
    }

    async fn common_jwt(&self) {
        let bot = self.stage.bot(self.context.clone()).with_common_jwt();
        let (pod, agent): (Who, Who) = (Arc::new(bot.pod()), Arc::new(bot.agent()));
        assert_eq!(self.info(&pod).await.0, 200);
        assert_eq!(self.message(&agent).await, 200);
        let requests = self.stage.symphony.requests();
        let schemes: Vec<_> = requests.iter().rev().take(3).map(|one| one.scheme).collect();
        // The message, the log-in at the key manager, and the question to the pod.
        assert_eq!(schemes, [Some("Bearer, keyManagerToken"), None, Some("Bearer")]);
        let door = CommonJwtVerifier::new(&self.stage.endpoints(), self.context.clone()).unwrap();
        let verified = async |headers: &HeaderMap| {
            let (method, uri) = (Method::GET, Uri::from_static("/"));
            let judged = door.verify(RequestView::new(&method, &uri, headers)).await.unwrap();
            judged.map(|it| it.principal.claims.subject().unwrap().to_owned())
        };
        let mut headers = HeaderMap::new();
        let mut url: Uri = self.stage.url(SESSION_INFO).parse().unwrap();
        let view = RequestView::new(&Method::GET, &url, &headers);
        let credentials = pod.credentials(view).await.unwrap();
        credentials.commit(&mut url, &mut headers).unwrap();
        let id = self.ask(&pod, Method::GET, SESSION_INFO, "").await.body["id"].to_string();
        assert_eq!(verified(&headers).await.unwrap(), id);
        self.stage.pass(361);
        assert!(verified(&headers).await.is_err(), "it has ended");
        let fetched = self.stage.symphony.requests();
        let keys = fetched.iter().filter(|one| &*one.path == "/login/idm/keys").count();
        assert_eq!(keys, 1, "the keys are kept");
    }

    async fn circle_of_trust(&self) {
        let (endpoints, context) = (self.stage.endpoints(), self.context.clone());
        let circle = CircleOfTrust::new(&endpoints, &app_log_in(), context.clone()).unwrap();
        let app_token = circle.begin().await.unwrap();
        let symphony_token = self.stage.symphony.symphony_token(app_token.expose()).unwrap();
        assert!(circle.is_trusted(app_token.expose(), symphony_token.expose()));
        assert!(!circle.is_trusted(symphony_token.expose(), app_token.expose()));
        let users = UserJwtVerifier::new(&endpoints, "app", context);
        let jwt = self.stage.symphony.user_jwt("app", 7).unwrap();
        let claims = users.verify(jwt.expose_text().unwrap()).await.unwrap();
        assert_eq!(claims.unwrap().subject(), Some("7"));
        self.stage.pass(361);
        let late = users.verify(jwt.expose_text().unwrap()).await.unwrap();
        assert_eq!(late.unwrap_err().reason().code, "jwt_exp_past");
    }

    /// Partners obtain tokens with a JSON body, and are not told when a token ends.
    async fn partner(&self) {
        let client = ClientAuthentication::client_secret_post("acme", "pa55:w$rd").unwrap();
        let url = self.stage.url("/partner/oauth/token");
        let placed = |placement| {
            let endpoint = TokenEndpoint::new(&url).unwrap().with_placement(placement);
            let grant = ClientCredentials::new(ClientRegistration::new(endpoint, client.clone()));
            let grant = grant.with_audience("https://partner.example").unwrap();
            Session::new(grant, self.context.clone())
        };
        let partner: Who = Arc::new(placed(ParameterPlacement::JsonBody));
        let issued = || self.stage.symphony.counts().tokens_issued;
        let before = issued();
        let status =
            async || self.ask(&partner, Method::GET, "/partner/v1/status", "").await.status;
        assert_eq!((status().await, status().await, issued() - before), (200, 200, 1));
        self.stage.pass(3600);
        assert_eq!((status().await, issued() - before), (200, 2), "a 401 says that it has ended");
        let in_form = placed(ParameterPlacement::FormBody).token().await.map(drop);
        assert_eq!(in_form.map_err(code), Err("oauth2_invalid_request".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bots_apps_and_users_work_through_reqwest() {
    Through::new(transport(), reqwest()).await.everything().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bots_apps_and_users_work_through_ureq() {
    let transport = UreqTransport::builder().allowing_loopback().build().unwrap();
    Through::new(transport, ureq()).await.everything().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bots_apps_and_users_work_through_tower() {
    Through::new(transport(), Tower).await.everything().await;
}
