//! A bot at the emulated Symphony: its session ends behind its back, and then its app calls on behalf of a user.

use super::{
    accounts::{BOT, BOT_KEY},
    callers::{Adapter, Callers, Failed},
    calls::Line,
    sender::transport,
};
use auth_core::{Authenticator, Context, Error};
use auth_emulator::{Endpoint, Fault, RunningSymphony, Symphony};
use auth_symphony::{App, Bot, SymphonyEndpoints, SymphonyLogIn, SymphonyUser};
use http::{Method, Request};
use std::{sync::Arc, time::Instant};

pub const PATH: &str = "/agent/v4/stream/s1/message/create";
pub const SESSION: &str = "/pod/v2/sessioninfo";

const PUBLIC_KEY: &str = include_str!("bot.pub.pem");
const APP: &str = "demo-app";
const USER: i64 = 7;
const MESSAGES: u32 = 40;
/// The message that finds the session ended.
const ENDED: u32 = 20;

/// A bot through each adapter, and how each went.
pub async fn run(callers: &Callers) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    for adapter in [Adapter::Reqwest, Adapter::Tower, Adapter::Ureq] {
        lines.extend(live(callers, adapter).await.map_err(|error| error.to_string())?);
    }
    Ok(lines)
}

async fn live(callers: &Callers, adapter: Adapter) -> Result<[Line; 2], Error> {
    let platform = Symphony::builder().with_bot(BOT, PUBLIC_KEY).with_app(APP, PUBLIC_KEY);
    let platform = platform.with_user(USER, "jane.doe", [APP]).start().await?;
    let endpoints = SymphonyEndpoints::new(&platform.base_url())?;
    let context = Context::new(transport(adapter)?);
    let app = SymphonyLogIn::rsa(APP, BOT_KEY)?;
    let app = App::new(endpoints.clone(), app, context.clone());
    let bot = Bot::new(endpoints, SymphonyLogIn::rsa(BOT, BOT_KEY)?, context).with_app(app);
    let stage = Stage { callers, adapter, platform };

    let mut trip = Trip::begin("40 messages, the session ends midway");
    let agent: Arc<dyn Authenticator> = Arc::new(bot.agent());
    for number in 1..=MESSAGES {
        if number == ENDED {
            stage.platform.faults().arm(Fault::ExpireSessions, Endpoint::Agent, 1);
        }
        trip.note(stage.call(&agent, Method::POST, PATH).await);
    }
    // One more session after the end; the key manager token is kept.
    let sent = stage.line(trip, PATH, [MESSAGES.into(), 2, 1]);

    let mut trip = Trip::begin("on behalf of a user");
    let user: Arc<dyn Authenticator> = Arc::new(bot.on_behalf_of(SymphonyUser::Id(USER))?);
    trip.note(stage.call(&user, Method::GET, SESSION).await);
    trip.note(stage.call(&user, Method::POST, PATH).await);
    // The sessions of the app and of the user, and no key manager token.
    let on_behalf = stage.line(trip, SESSION, [u64::from(MESSAGES) + 1, 4, 1]);
    stage.platform.stop().await;
    Ok([sent, on_behalf])
}

struct Stage<'a> {
    callers: &'a Callers,
    adapter: Adapter,
    platform: RunningSymphony,
}

/// The calls of one line.
struct Trip {
    sent: &'static str,
    began: Instant,
    worst: u16,
    failed: Option<Failed>,
}

impl Trip {
    fn begin(sent: &'static str) -> Self {
        Self { sent, began: Instant::now(), worst: 0, failed: None }
    }

    fn note(&mut self, called: Result<u16, Failed>) {
        match called {
            Ok(status) => self.worst = self.worst.max(status),
            Err(failed) => self.failed = Some(failed),
        }
    }
}

impl Stage<'_> {
    async fn call(
        &self,
        session: &Arc<dyn Authenticator>,
        method: Method,
        path: &str,
    ) -> Result<u16, Failed> {
        let body = if method == Method::POST { "<messageML>hello</messageML>" } else { "" };
        let request = Request::builder().method(method);
        let request = request.uri(format!("{}{path}", self.platform.base_url())).body(body);
        self.callers.sent(self.adapter, session, request.map_err(Failed::of)?).await
    }

    /// How it went, by what the platform counted until now.
    fn line(&self, trip: Trip, path: &'static str, expected: [u64; 3]) -> Line {
        let told = |[accepted, sessions, keys]: [u64; 3]| {
            format!("{accepted} sent, {sessions} sessions, {keys} key")
        };
        let counts = self.platform.counts();
        let verdict = match &trip.failed {
            Some(failed) => failed.code.to_owned(),
            None => {
                let keys = counts.key_manager_tokens;
                told([counts.messages_accepted, counts.sessions_created, keys])
            }
        };
        let expected = told(expected);
        Line {
            caller: self.adapter.name(),
            path,
            sent: trip.sent,
            status: trip.worst,
            challenge: String::new(),
            took: trip.began.elapsed(),
            instead_of: (verdict != expected || trip.worst != 200).then_some(expected),
            verdict,
        }
    }
}
