//! Document 004: bots and apps of Symphony at the emulated installation. One test for each statement; `docs/coverage.md`
//! lists them all.

use auth_core::{Authenticator, Context, RequestView, Secret, Stack};
use auth_emulator::{Endpoint, Fault, RunningSymphony, Symphony, SymphonyBuilder};
use auth_reqwest::{AuthClient, ClientIdentity, ReqwestTransport, TlsSettings};
use auth_static::{ApiKey, NoAuth, Placement};
use auth_symphony::{
    App, Bot, CircleOfTrust, LogInRetry, SymphonyEndpoints, SymphonyLogIn, SymphonyUser,
    TokenLifetime,
};
use auth_testing::ManualClock;
use http::{HeaderMap, Method, Uri};
use serde_json::Value;
use std::time::Duration;
use tokio::runtime::Handle;

const KEY: &str = include_str!("../../demo/src/bot.pem");
const PUBLIC: &str = include_str!("symphony/bot.pub.pem");
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const INFO: &str = "/pod/v2/sessioninfo";
const MESSAGE: &str = "/agent/v4/stream/s1/message/create";

struct Stage {
    symphony: RunningSymphony,
    clock: ManualClock,
    client: AuthClient,
}

async fn stage() -> Stage {
    stage_of(|builder| builder).await
}

async fn stage_of(change: impl FnOnce(SymphonyBuilder) -> SymphonyBuilder) -> Stage {
    let clock = ManualClock::at(1_700_000_000);
    let symphony = Symphony::builder()
        .with_bot("bot", PUBLIC)
        .with_certificate_bot("my-bot")
        .with_app("app", PUBLIC)
        .with_user(7, "jane@acme.com", ["app"])
        .with_clock(clock.clone());
    let symphony = change(symphony).start().await.unwrap();
    Stage { symphony, clock, client: AuthClient::builder().build().unwrap() }
}

impl Stage {
    fn endpoints(&self) -> SymphonyEndpoints {
        SymphonyEndpoints::new(&self.symphony.base_url()).unwrap()
    }

    fn context(&self) -> Context {
        let transport = ReqwestTransport::builder(Handle::current()).allowing_loopback();
        Context::new(transport.build().unwrap()).with_clock(self.clock.clone())
    }

    fn bot(&self) -> Bot {
        Bot::new(self.endpoints(), SymphonyLogIn::rsa("bot", KEY).unwrap(), self.context())
    }

    /// The status and the body of a `POST`.
    async fn sent(&self, who: &dyn Authenticator, path: &str) -> (u16, Value) {
        let url = format!("{}{path}", self.symphony.base_url());
        let request = self.client.http().post(url).body("hello").build().unwrap();
        let answer = self.client.send(who, request).await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    /// The status of a `GET`.
    async fn get(&self, who: &dyn Authenticator, path: &str) -> u16 {
        let url = format!("{}{path}", self.symphony.base_url());
        let request = self.client.http().get(url).build().unwrap();
        self.client.send(who, request).await.unwrap().status().as_u16()
    }

    async fn message(&self, who: &dyn Authenticator) -> u16 {
        self.sent(who, MESSAGE).await.0
    }

    /// Log-ins at the pod and at the key manager.
    fn log_ins(&self) -> [u64; 2] {
        let counts = self.symphony.counts();
        [counts.sessions_created, counts.key_manager_tokens]
    }
}

/// Without a log-in an agent answers 401 in the platform's form; a bot with its RSA key logs in at the endpoints of both
/// components, and sends.
#[tokio::test]
async fn s004_01_s004_07_s004_08_a_bot_logs_in_with_its_key_at_both_endpoints_before_it_calls() {
    let stage = stage().await;
    let (status, said) = stage.sent(&NoAuth, MESSAGE).await;
    assert_eq!(
        (status, said["code"].as_u64(), said["message"].is_string()),
        (401, Some(401), true)
    );
    assert_eq!(stage.message(&stage.bot().agent()).await, 200);
    let paths: Vec<_> =
        stage.symphony.requests().into_iter().map(|request| request.path.to_string()).collect();
    let log_ins = ["/login/pubkey/authenticate", "/relay/pubkey/authenticate"];
    assert_eq!(paths, [&[MESSAGE], &log_ins[..], &[MESSAGE]].concat());
}

/// A bot sends its session token to the pod, and both tokens to the agent; the pod takes the one, and the agent takes
/// neither without the other.
#[tokio::test]
async fn s004_02_s004_03_a_bot_sends_the_pod_one_token_and_the_agent_both() {
    let stage = stage().await;
    let bot = stage.bot();
    let text = |secret: &Secret| secret.expose_text().unwrap().to_owned();
    let session = text(bot.session_token().await.unwrap().token.secret());
    let manager = text(bot.key_manager_token().await.unwrap().token.secret());
    let fields = async |who: &dyn Authenticator, path: &str| {
        let url = format!("{}{path}", stage.symphony.base_url()).parse::<Uri>().unwrap();
        let (mut uri, mut headers) = (url.clone(), HeaderMap::new());
        let made = who.credentials(RequestView::new(&Method::POST, &url, &headers)).await.unwrap();
        made.commit(&mut uri, &mut headers).unwrap();
        assert_eq!(uri, url);
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        let mut fields: Vec<_> = headers.iter().map(text).collect();
        fields.sort_unstable();
        fields
    };
    let of_session = format!("sessiontoken: {session}");
    let of_both = [format!("keymanagertoken: {manager}"), of_session.clone()];
    assert_eq!(fields(&bot.pod(), INFO).await, [of_session]);
    assert_eq!(fields(&bot.agent(), MESSAGE).await, of_both);

    let sent = |field: &str, token: &str| -> Box<dyn Authenticator> {
        Box::new(ApiKey::new(Placement::header(field).unwrap(), token).unwrap())
    };
    let (session, manager) =
        (|| sent("sessionToken", &session), || sent("keyManagerToken", &manager));
    let callers: [(&str, Box<dyn Authenticator>, [u16; 2]); 4] = [
        ("both", Box::new(Stack(session(), manager())), [200, 200]),
        ("session token alone", session(), [200, 401]),
        ("key manager token alone", manager(), [401, 401]),
        ("nothing", Box::new(NoAuth), [401, 401]),
    ];
    for (who, authenticator, expected) in callers {
        let at_pod = stage.get(&*authenticator, INFO).await;
        assert_eq!([at_pod, stage.message(&*authenticator).await], expected, "{who}");
    }
}

/// From an hour to two weeks, whatever an administrator would like; and it ends when the administrator said.
#[tokio::test]
async fn s004_04_a_session_lives_from_an_hour_to_two_weeks() {
    let hour = Duration::from_secs(60 * 60);
    for lifetime in [hour, 14 * DAY] {
        let lives = TokenLifetime::new(lifetime).unwrap();
        let stage = stage_of(|builder| builder.with_token_lifetime(lives)).await;
        let token = stage.bot().session_token().await.unwrap().token;
        let token = token.secret().expose_text().unwrap();
        let token = ApiKey::new(Placement::header("sessionToken").unwrap(), token).unwrap();
        stage.clock.advance(lifetime - Duration::from_secs(1));
        assert_eq!(stage.get(&token, INFO).await, 200, "{lifetime:?}");
        stage.clock.advance(Duration::from_secs(1));
        assert_eq!(stage.get(&token, INFO).await, 401, "{lifetime:?}");
    }
    for (minutes, is_good) in [(59, false), (60, true), (14 * 24 * 60, true), (15 * 24 * 60, false)]
    {
        let made = TokenLifetime::new(Duration::from_secs(minutes * 60));
        assert_eq!(made.is_ok(), is_good, "{minutes}");
    }
}

/// Nobody logs in for a fortnight; after a 401 each dead token costs one log-in, and the datafeed is the one of before.
#[tokio::test]
async fn s004_05_s004_06_tokens_are_kept_until_a_401_and_a_datafeed_outlives_them() {
    let stage = stage().await;
    let agent = stage.bot().agent();
    let (_, made) = stage.sent(&agent, "/agent/v5/datafeeds").await;
    let read = format!("/agent/v5/datafeeds/{}/read", made["id"].as_str().unwrap());
    for _ in 0..13 {
        stage.clock.advance(DAY);
        assert_eq!(stage.message(&agent).await, 200);
    }
    assert_eq!(stage.log_ins(), [1, 1]);
    stage.symphony.faults().arm(Fault::ExpireSessions, Endpoint::Agent, 1);
    assert_eq!(stage.sent(&agent, &read).await.0, 200);
    assert_eq!(stage.log_ins(), [2, 1]);
}

/// A certificate in place of a key is the one or the other, each with log-ins of its own, over mutual TLS.
#[tokio::test(flavor = "multi_thread")]
async fn s004_09_a_certificate_takes_the_place_of_the_key() {
    let stage = stage().await;
    let issued = stage.symphony.issue_certificate("my-bot").unwrap();
    let (certificate, key) = (issued.certificate().as_bytes(), issued.key().expose());
    let tls = TlsSettings::system().with_authorities(stage.symphony.authority().as_bytes());
    let tls = tls.unwrap().with_identity(ClientIdentity::from_pem(certificate, key).unwrap());
    let transport = ReqwestTransport::builder(Handle::current()).allowing_loopback();
    let context = Context::new(transport.with_tls(tls).build().unwrap());
    let url = stage.symphony.certificate_url();
    let endpoints = stage.endpoints().with_session_auth(&url).unwrap();
    let endpoints = endpoints.with_certificate_key_manager(&url).unwrap();
    let by_key = SymphonyLogIn::rsa("bot", KEY).unwrap();
    for (log_in, expected) in [
        (by_key, ["/login/pubkey/authenticate", "/relay/pubkey/authenticate"]),
        (
            SymphonyLogIn::certificate(),
            ["/sessionauth/v1/authenticate", "/keyauth/v1/authenticate"],
        ),
    ] {
        let before = stage.symphony.requests().len();
        let context = context.clone().with_clock(stage.clock.clone());
        let bot = Bot::new(endpoints.clone(), log_in, context);
        assert_eq!(stage.message(&bot.agent()).await, 200);
        let asked = stage.symphony.requests().split_off(before);
        let mut paths: Vec<_> = asked.iter().map(|request| &*request.path).collect();
        paths.sort_unstable_by_key(|path| expected.iter().position(|it| it == path));
        assert_eq!(paths, [MESSAGE, expected[0], expected[1]]);
    }
}

/// By id and by name, and by a pair of tokens that the pod and the app's backend share.
#[tokio::test]
async fn s004_10_an_app_acts_for_users_and_proves_itself_in_a_circle_of_trust() {
    let stage = stage().await;
    let log_in = SymphonyLogIn::rsa("app", KEY).unwrap();
    let app = App::new(stage.endpoints(), log_in.clone(), stage.context());
    let bot = stage.bot().with_app(app);
    for user in [SymphonyUser::Id(7), SymphonyUser::Name("jane@acme.com".into())] {
        assert_eq!(stage.message(&bot.on_behalf_of(user).unwrap()).await, 200);
    }
    let circle = CircleOfTrust::new(&stage.endpoints(), &log_in, stage.context()).unwrap();
    let ours = circle.begin().await.unwrap();
    let theirs = stage.symphony.symphony_token(ours.expose()).unwrap();
    assert!(circle.is_trusted(ours.expose(), theirs.expose()));
    assert!(!circle.is_trusted(ours.expose(), b"another"));
}

/// A log-in that meets a 429 waits as long as it is told. A call that meets one has it delivered, as it has a 403: neither
/// causes a log-in.
#[tokio::test]
async fn s004_12_a_throttled_log_in_waits_and_a_missing_permission_logs_nobody_in() {
    let stage = stage().await;
    let faults = stage.symphony.faults();
    let once = SymphonyLogIn::rsa("bot", KEY).unwrap().with_retry(LogInRetry::once());
    let bot = Bot::new(stage.endpoints(), once, stage.context());
    let (pause, agent) = (Duration::from_secs(7), bot.agent());
    faults.arm(Fault::TooManyRequests(pause), Endpoint::SessionLogIn, 1);
    assert_eq!(bot.session_token().await.unwrap_err().code(), "symphony_busy");
    for _ in 0..6 {
        stage.clock.advance(Duration::from_secs(1));
        assert_eq!(bot.session_token().await.unwrap_err().code(), "symphony_busy");
    }
    assert_eq!(stage.symphony.counts().requests, 1, "nobody asks before the pause is over");
    stage.clock.advance(Duration::from_secs(2));
    assert_eq!(stage.message(&agent).await, 200);
    for (fault, status) in [(Fault::Forbidden, 403), (Fault::TooManyRequests(pause), 429)] {
        let before = stage.symphony.counts().requests;
        faults.arm(fault, Endpoint::Agent, 1);
        assert_eq!(stage.message(&agent).await, status, "it is delivered");
        assert_eq!((stage.symphony.counts().requests, stage.log_ins()), (before + 1, [1, 1]));
    }
}
