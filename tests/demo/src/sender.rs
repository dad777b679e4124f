//! A sender of messages at the emulated Infobip: its session ends behind its back in the first half, and in time in the
//! second.

use super::{
    callers::{Adapter, Callers, Failed},
    calls::Line,
};
use auth_core::{Authenticator, Context, Error, Secret, Transport};
use auth_emulator::{Endpoint, Fault, Infobip};
use auth_ibsso::{IbssoSession, LogIn};
use auth_testing::ManualClock;
use auth_tower::{AuthenticateLayer, OutgoingBody};
use auth_ureq::UreqTransport;
use http::{Request, header::CONTENT_TYPE};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime::Handle;
use tower::{Layer, ServiceExt};

pub const PATH: &str = "/sms/3/messages";

const MESSAGES: u32 = 60;
/// The message that finds the session ended, and the one before which it is due.
const ENDED: u32 = 20;
const DUE: u32 = 40;
/// The session at the beginning, and one after each end.
const LOG_INS: u64 = 3;
const USER: &str = "acme";
const PASSWORD: &str = "the:password of the account";
const MESSAGE: &str = r#"{"messages":[{"destinations":[{"to":"41793026727"}]}]}"#;

/// A sender through each adapter, and how each went.
pub async fn run(callers: &Callers) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    for adapter in [Adapter::Reqwest, Adapter::Tower, Adapter::Ureq] {
        lines.push(send_all(callers, adapter).await.map_err(|error| error.to_string())?);
    }
    Ok(lines)
}

async fn send_all(callers: &Callers, adapter: Adapter) -> Result<Line, Error> {
    let (clock, began) = (ManualClock::at(1_800_000_000), Instant::now());
    let platform = Infobip::builder().with_user(USER, Secret::new(PASSWORD));
    let platform = platform.with_clock(clock.clone()).start().await?;
    let log_in = LogIn::new(&platform.base_url(), USER, PASSWORD)?;
    let context = Context::new(transport(adapter)?).with_clock(clock.clone());
    let session: Arc<dyn Authenticator> = Arc::new(IbssoSession::new(log_in, context));
    let url = format!("{}{PATH}", platform.base_url());
    let mut worst: (u16, Option<Failed>) = (0, None);
    for number in 1..=MESSAGES {
        match number {
            ENDED => platform.faults().arm(Fault::ExpireNow, Endpoint::Messages, 1),
            DUE => clock.advance(Duration::from_secs(3580)),
            _ => {}
        }
        let request = Request::post(&url).header(CONTENT_TYPE, "application/json").body(MESSAGE);
        let request = request.map_err(|error| Error::config("demo_request", error))?;
        match callers.sent(adapter, &session, request).await {
            Ok(status) => worst.0 = worst.0.max(status),
            Err(failed) => worst.1 = Some(failed),
        }
    }
    let counts = platform.counts();
    let (accepted, log_ins) = (counts.messages_accepted, counts.sessions_created);
    platform.stop().await;
    let verdict = match &worst.1 {
        Some(failed) => failed.code.to_owned(),
        None => format!("{accepted} accepted, {log_ins} log-ins"),
    };
    let expected = format!("{MESSAGES} accepted, {LOG_INS} log-ins");
    Ok(Line {
        caller: adapter.name(),
        path: PATH,
        sent: "60 messages, the session ends midway",
        status: worst.0,
        challenge: String::new(),
        took: began.elapsed(),
        instead_of: (verdict != expected || worst.0 != 200).then_some(expected),
        verdict,
    })
}

/// The session logs in through the same adapter as it is used with.
pub(super) fn transport(adapter: Adapter) -> Result<Arc<dyn Transport>, Error> {
    Ok(match adapter {
        Adapter::Reqwest | Adapter::Tower => {
            let transport = auth_reqwest::ReqwestTransport::builder(Handle::current());
            Arc::new(transport.allowing_loopback().build()?)
        }
        Adapter::Ureq => Arc::new(UreqTransport::builder().allowing_loopback().build()?),
    })
}

impl Callers {
    /// The status of one request.
    pub(super) async fn sent(
        &self,
        adapter: Adapter,
        session: &Arc<dyn Authenticator>,
        request: Request<&'static str>,
    ) -> Result<u16, Failed> {
        let session = Arc::clone(session);
        Ok(match adapter {
            Adapter::Reqwest => {
                let request = reqwest::Request::try_from(request).map_err(Failed::of)?;
                self.reqwest.send(&*session, request).await?.status()
            }
            Adapter::Tower => {
                let service = AuthenticateLayer::new(session).layer(self.hyper.clone());
                service.oneshot(request.map(OutgoingBody::from)).await.map_err(Failed::of)?.status()
            }
            Adapter::Ureq => {
                let client = self.ureq.clone();
                let sending = tokio::task::spawn_blocking(move || client.send(&*session, request));
                sending.await.map_err(Failed::of)??.status()
            }
        }
        .as_u16())
    }
}
