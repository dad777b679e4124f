//! An emulated installation, and our own bot at it.

use super::{Answered, Caller, START};
use auth_core::{Authenticator, Context, Result, Timestamp};
use auth_emulator::{RunningSymphony, Symphony, SymphonyBuilder};
use auth_jwt::{ClaimsToSign, JwsAlgorithm, SigningKey};
use auth_reqwest::{AuthClient, ReqwestTransport};
use auth_symphony::{App, Bot, SymphonyEndpoints, SymphonyLogIn};
use auth_testing::ManualClock;
use http::Method;
use serde_json::Value;
use std::{net::Ipv4Addr, time::Duration};
use tokio::runtime::Handle;

pub const KEY: &str = include_str!("../keys/bot.pem");
pub const PUBLIC: &str = include_str!("../keys/bot.pub.pem");
pub const OTHER_KEY: &str = include_str!("../keys/other.pem");
pub const OTHER_PUBLIC: &str = include_str!("../keys/other.pub.pem");
pub const THIRD_KEY: &str = include_str!("../keys/third.pem");
pub const THIRD_PUBLIC: &str = include_str!("../keys/third.pub.pem");
pub const MESSAGE: &str = "/agent/v4/stream/s1/message/create";

/// An installation under a clock that stands still.
pub struct Stage {
    pub symphony: RunningSymphony,
    pub clock: ManualClock,
    pub caller: Caller,
    pub client: AuthClient,
}

pub async fn stage() -> Stage {
    stage_of(|builder| builder).await
}

/// `bot` has a key, and `app` another one, which jane has installed and john has not.
pub async fn stage_of(change: impl FnOnce(SymphonyBuilder) -> SymphonyBuilder) -> Stage {
    let clock = ManualClock::at(START);
    let builder = Symphony::builder()
        .with_bot("bot", PUBLIC)
        .with_app("app", OTHER_PUBLIC)
        .with_user(7, "jane@acme.com", ["app"])
        .with_user(8, "john@acme.com", [])
        .with_clock(clock.clone());
    let symphony = change(builder).start().await.unwrap();
    let caller = Caller::from(symphony.base_url(), Ipv4Addr::LOCALHOST);
    Stage { symphony, clock, caller, client: AuthClient::builder().build().unwrap() }
}

impl Stage {
    pub fn endpoints(&self) -> SymphonyEndpoints {
        SymphonyEndpoints::new(&self.symphony.base_url()).unwrap()
    }

    pub fn context(&self) -> Context {
        let transport = ReqwestTransport::builder(Handle::current()).allowing_loopback();
        Context::new(transport.build().unwrap()).with_clock(self.clock.clone())
    }

    pub fn bot(&self) -> Bot {
        self.bot_with("bot", KEY)
    }

    pub fn bot_with(&self, name: &str, key: &str) -> Bot {
        let log_in = SymphonyLogIn::rsa(name, key).unwrap();
        Bot::new(self.endpoints(), log_in, self.context())
    }

    pub fn app(&self) -> App {
        App::new(self.endpoints(), self.app_log_in(), self.context())
    }

    pub fn app_log_in(&self) -> SymphonyLogIn {
        SymphonyLogIn::rsa("app", OTHER_KEY).unwrap()
    }

    /// What a request under these credentials is answered.
    pub async fn try_send(
        &self,
        who: &dyn Authenticator,
        method: Method,
        path: &str,
        body: &'static str,
    ) -> Result<(u16, Value)> {
        send(&self.client, &self.symphony.base_url(), who, method, path, body).await
    }

    /// The status of a message that is sent with these.
    pub async fn message(&self, who: &dyn Authenticator) -> u16 {
        self.try_send(who, Method::POST, MESSAGE, "hello").await.unwrap().0
    }

    pub async fn session_info(&self, who: &dyn Authenticator) -> (u16, Value) {
        self.try_send(who, Method::GET, "/pod/v2/sessioninfo", "").await.unwrap()
    }

    /// Sessions, key manager tokens, and how often the pod was asked for a session.
    pub fn log_ins(&self) -> [u64; 3] {
        let counts = self.symphony.counts();
        [counts.sessions_created, counts.key_manager_tokens, counts.session_infos]
    }

    /// A request with these header fields and no client of ours between.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
        body: &str,
    ) -> Answered {
        self.caller.try_send(method, path, fields, body).await.unwrap()
    }

    /// The token of a log-in with this signed token.
    pub async fn log_in(&self, path: &str, jwt: &str) -> Answered {
        let body = serde_json::json!({ "token": jwt }).to_string();
        self.ask(Method::POST, path, &[], &body).await
    }
}

pub async fn send(
    client: &AuthClient,
    base: &str,
    who: &dyn Authenticator,
    method: Method,
    path: &str,
    body: &'static str,
) -> Result<(u16, Value)> {
    let request = client.http().request(method, format!("{base}{path}")).body(body);
    let answered = client.send(who, request.build().unwrap()).await?;
    let status = answered.status().as_u16();
    let body = answered.bytes().await.unwrap();
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}

/// A signed token of a log-in, which ends so many seconds from the beginning on.
pub fn jwt(name: &str, key: &str, seconds: u64) -> String {
    let key = SigningKey::from_pem(JwsAlgorithm::RS512, key).unwrap();
    let claims = ClaimsToSign::expiring_in(Duration::from_secs(seconds)).unwrap();
    let claims = claims.with_subject(name).without_issued_at();
    claims.sign(&key, Timestamp::from_unix(START), None).unwrap().expose().to_owned()
}
