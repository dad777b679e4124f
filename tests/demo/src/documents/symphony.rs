//! Document 004: the two tokens of a bot, by key and by certificate, and what outlives them.

use super::{Steps, context};
use crate::{accounts::BOT_KEY, calls::Line};
use auth_core::{Authenticator, Context, Error};
use auth_emulator::{Endpoint, Fault, RunningSymphony, Symphony};
use auth_reqwest::{ClientIdentity, ReqwestTransport, TlsSettings};
use auth_static::{ApiKey, NoAuth, Placement};
use auth_symphony::{Bot, SymphonyEndpoints, SymphonyLogIn};
use auth_testing::ManualClock;
use http::Method;
use std::time::Duration;
use tokio::runtime::Handle;

const PUBLIC_KEY: &str = include_str!("../bot.pub.pem");
const INFO: &str = "/pod/v2/sessioninfo";
const SEND: &str = "/agent/v4/stream/s1/message/create";
const FEEDS: &str = "/agent/v5/datafeeds";

pub async fn walk() -> Result<Vec<Line>, Error> {
    let clock = ManualClock::at(1_800_000_000);
    let platform = Symphony::builder().with_bot("bot", PUBLIC_KEY);
    let platform = platform.with_certificate_bot("old-bot").with_clock(clock.clone());
    let mut it = Walk { platform: platform.start().await?, clock, steps: Steps::begin()? };
    it.tokens().await?;
    it.sessions().await?;
    it.certificates().await?;
    it.platform.stop().await;
    Ok(it.steps.lines)
}

struct Walk {
    platform: RunningSymphony,
    clock: ManualClock,
    steps: Steps,
}

impl Walk {
    async fn ask(
        &self,
        who: &dyn Authenticator,
        method: Method,
        path: &str,
    ) -> Result<super::Answered, Error> {
        let url = format!("{}{path}", self.platform.base_url());
        let body = if method == Method::GET { "" } else { "<messageML>hello</messageML>" };
        self.steps.call(who, (method, &url), body).await
    }

    /// The statuses of one call of the pod, and one of the agent.
    async fn both(
        &self,
        pod: &dyn Authenticator,
        agent: &dyn Authenticator,
    ) -> Result<String, Error> {
        let pod = self.ask(pod, Method::GET, INFO).await?.status.as_u16();
        let agent = self.ask(agent, Method::POST, SEND).await?.status.as_u16();
        Ok(format!("pod {pod}, agent {agent}"))
    }

    fn bot(&self) -> Result<Bot, Error> {
        let endpoints = SymphonyEndpoints::new(&self.platform.base_url())?;
        Ok(Bot::new(endpoints, SymphonyLogIn::rsa("bot", BOT_KEY)?, context(&self.clock)?))
    }

    /// What each component takes.
    async fn tokens(&mut self) -> Result<(), Error> {
        let bot = self.bot()?;
        let told = self.both(&NoAuth, &NoAuth).await?;
        self.steps.is("a bot first authenticates", told, "pod 401, agent 401");
        let (pod, agent) = (bot.pod(), bot.agent());
        let told = self.both(&pod, &agent).await?;
        self.steps.is("RSA: one log-in at each component", told, "pod 200, agent 200");
        let counts = self.platform.counts();
        let told = format!("{} and {}", counts.sessions_created, counts.key_manager_tokens);
        self.steps.is("a session token, a key manager token", told, "1 and 1");
        let told = self.ask(&pod, Method::POST, SEND).await?.status.as_u16();
        self.steps.is("the agent takes both, not one", told, "401");
        let wrong = ApiKey::new(Placement::header("sessionToken")?, "wrong")?;
        let told = self.both(&wrong, &wrong).await?;
        self.steps.is("a wrong session token", told, "pod 401, agent 401");
        Ok(())
    }

    /// The same token until a 401, and then a new session; a datafeed outlives it.
    async fn sessions(&mut self) -> Result<(), Error> {
        // A signed token is good once, and one of the same second is the same.
        self.clock.advance(Duration::from_secs(60));
        let bot = self.bot()?;
        let agent = bot.agent();
        let before = self.platform.counts().sessions_created;
        for _ in 0..20 {
            self.ask(&agent, Method::POST, SEND).await?;
        }
        let made = self.platform.counts().sessions_created - before;
        self.steps.is("20 calls under the same token", format!("{made} session"), "1 session");
        let feed = self.ask(&agent, Method::POST, FEEDS).await?;
        let feed: serde_json::Value = serde_json::from_slice(&feed.body).unwrap_or_default();
        let read = format!("{FEEDS}/{}/read", feed["id"].as_str().unwrap_or_default());
        self.clock.advance(Duration::from_secs(60));
        self.platform.faults().arm(Fault::ExpireSessions, Endpoint::Agent, 1);
        let told = self.ask(&agent, Method::POST, &read).await?.status.as_u16();
        self.steps.is("a datafeed survives its session", told, "200");
        let made = self.platform.counts().sessions_created - before;
        self.steps.is("a 401, and one new session", format!("{made} sessions"), "2 sessions");
        self.clock.advance(Duration::from_secs(14 * 24 * 3600));
        let told = self.ask(&agent, Method::POST, SEND).await?.status.as_u16();
        self.steps.is("after two weeks, again", told, "200");
        Ok(())
    }

    async fn certificates(&mut self) -> Result<(), Error> {
        let issued = self.platform.issue_certificate("old-bot")?;
        let identity =
            ClientIdentity::from_pem(issued.certificate().as_bytes(), issued.key().expose())?;
        let authority = self.platform.authority();
        let tls = TlsSettings::system().with_authorities(authority.as_bytes())?;
        let transport = ReqwestTransport::builder(Handle::current()).allowing_loopback();
        let transport = transport.with_tls(tls.with_identity(identity)).build()?;
        let url = self.platform.certificate_url();
        let endpoints = SymphonyEndpoints::new(&self.platform.base_url())?
            .with_session_auth(&url)?
            .with_certificate_key_manager(&url)?;
        let context = Context::new(transport).with_clock(self.clock.clone());
        let bot = Bot::new(endpoints, SymphonyLogIn::certificate(), context);
        let told = self.both(&bot.pod(), &bot.agent()).await?;
        self.steps.is("certificate: the same two tokens", told, "pod 200, agent 200");
        Ok(())
    }
}
