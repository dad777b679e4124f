//! Symphony over real connections: bots, apps and users at the emulated installation, which goes wrong on demand.

mod adapters;
mod common_jwt;
mod faults;
mod gateway;
#[path = "../sends/mod.rs"]
mod sends;

use auth_core::{Authenticator, Context, Error, Result, Transport};
use auth_emulator::{RunningSymphony, Secret, Symphony};
use auth_reqwest::{AuthClient, ReqwestTransport};
use auth_symphony::{App, Bot, LogInRetry, SymphonyEndpoints, SymphonyLogIn};
use auth_testing::{ManualClock, SeededRandom};
use http::Method;
use sends::Who;
use std::time::Duration;
use tokio::runtime::Handle;

const NOW: u64 = 1_700_000_000;
const KEY: &str = include_str!("../../../../crates/auth-emulator/tests/keys/bot.pem");
const PUBLIC: &str = include_str!("../../../../crates/auth-emulator/tests/keys/bot.pub.pem");
const APP_KEY: &str = include_str!("../../../../crates/auth-emulator/tests/keys/other.pem");
const APP_PUBLIC: &str = include_str!("../../../../crates/auth-emulator/tests/keys/other.pub.pem");
const MESSAGE: &str = "/agent/v4/stream/s1/message/create";
const SESSION_INFO: &str = "/pod/v2/sessioninfo";

/// Exchanges of log-ins end after so long.
const DEADLINE: Duration = Duration::from_secs(2);

/// The installation under a clock that the test moves, and a client under the same one.
struct Stage {
    symphony: RunningSymphony,
    clock: ManualClock,
    client: AuthClient,
}

/// `bot` and `app` have a key each; jane has installed the app, and a partner obtains tokens.
async fn stage() -> Stage {
    let clock = ManualClock::at(NOW);
    let symphony = Symphony::builder()
        .with_bot("bot", PUBLIC)
        .with_app("app", APP_PUBLIC)
        .with_user(7, "jane@acme.com", ["app"])
        .with_partner("acme", Secret::new("pa55:w$rd"), "https://partner.example")
        .with_clock(clock.clone());
    let symphony = symphony.start().await.unwrap();
    Stage { symphony, clock, client: AuthClient::builder().build().unwrap() }
}

/// The transport of log-ins.
fn transport() -> ReqwestTransport {
    let transport = ReqwestTransport::builder(Handle::current()).allowing_loopback();
    transport.with_deadline(DEADLINE).build().unwrap()
}

impl Stage {
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.symphony.base_url())
    }

    fn endpoints(&self) -> SymphonyEndpoints {
        SymphonyEndpoints::new(&self.symphony.base_url()).unwrap()
    }

    fn context(&self, transport: impl Transport + 'static) -> Context {
        Context::new(transport).with_clock(self.clock.clone()).with_random(SeededRandom::new(1))
    }

    /// A bot whose log-ins are tried once, so that each fault is met by one of them.
    fn bot(&self, context: Context) -> Bot {
        let log_in = SymphonyLogIn::rsa("bot", KEY).unwrap().with_retry(LogInRetry::once());
        Bot::new(self.endpoints(), log_in, context)
    }

    fn app(&self, context: Context) -> App {
        App::new(self.endpoints(), app_log_in(), context)
    }

    /// Sessions, key manager tokens, and how often the pod was asked for a session.
    fn log_ins(&self) -> [u64; 3] {
        let counts = self.symphony.counts();
        [counts.sessions_created, counts.key_manager_tokens, counts.session_infos]
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn app_log_in() -> SymphonyLogIn {
    SymphonyLogIn::rsa("app", APP_KEY).unwrap()
}

/// The status of a message.
async fn message(client: &AuthClient, who: &dyn Authenticator, url: &str) -> Result<u16> {
    let request = client.http().request(Method::POST, url).body("hello");
    let answer = client.send(who, request.build().unwrap()).await?;
    let status = answer.status().as_u16();
    // The connection is used again once the answer is read.
    let _ = answer.bytes().await;
    Ok(status)
}

fn code(error: Error) -> String {
    error.code().to_owned()
}
