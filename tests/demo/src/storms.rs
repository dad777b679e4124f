//! The storms: a thousand callers who share one session, in the moments in which token caches fail.

use super::{
    callers::{Adapter, Callers},
    calls::{Call, Line, With},
    issuer::{HOLDER, Issuer},
    server::Running,
};
use auth_core::{
    Answer, Authenticator, Context, Credentials, Error, Exchange, Flow, Lifespan, PresentableToken,
    Refusal, Renewal, Result, Timestamp, Token, TokenSource, Transport, bearer_token_refusal,
};
use auth_session::{Session, retry_after};
use auth_static::{Bearer, NoAuth};
use auth_testing::ManualClock;
use http::{Request, Response};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime::Handle;

pub const PATH: &str = "/session";
const CHALLENGE: &str = "Bearer realm=\"demo\"";

/// One storm, and how it should end.
struct Storm {
    what: &'static str,
    /// What happens before.
    seconds: u64,
    event: Event,
    callers: usize,
    /// The verdict, the status, how often the issuer is asked, and which token is kept in the end.
    expected: (&'static str, u16, usize, u64),
}

enum Event {
    Nothing,
    IssuerGoesDown,
    IssuerComesBack,
    TokensRevoked,
}

const STORMS: [Storm; 6] = [
    storm("1,000 callers, none has a token", 0, Event::Nothing, 1000, (HOLDER, 200, 1, 1)),
    storm(
        "1,000 callers, their token is refused",
        0,
        Event::TokensRevoked,
        1000,
        (HOLDER, 200, 1, 2),
    ),
    storm("1,000 callers, their token is due", 2900, Event::Nothing, 1000, (HOLDER, 200, 1, 3)),
    storm(
        "1,000 callers, due and the issuer down",
        2900,
        Event::IssuerGoesDown,
        1000,
        (HOLDER, 200, 1, 3),
    ),
    storm(
        "16 callers, dead and the issuer down",
        700,
        Event::Nothing,
        16,
        ("issuer_busy", 0, 1, 0),
    ),
    storm(
        "1,000 callers, the issuer is back",
        60,
        Event::IssuerComesBack,
        1000,
        (HOLDER, 200, 1, 4),
    ),
];

const fn storm(
    what: &'static str,
    seconds: u64,
    event: Event,
    callers: usize,
    expected: (&'static str, u16, usize, u64),
) -> Storm {
    Storm { what, seconds, event, callers, expected }
}

/// The calls under a session, and then the storms over another one.
pub async fn run(callers: &Callers, server: &Running) -> std::result::Result<Vec<Line>, String> {
    let text = |error: Error| error.to_string();
    let mut lines = Vec::new();
    let nothing: Arc<dyn Authenticator> = Arc::new(NoAuth);
    let kept: Arc<dyn Authenticator> = Arc::new(session(server, Adapter::Reqwest).map_err(text)?.0);
    for (sent, with, expected, verdict) in [
        ("a token of the session", kept, (200, ""), HOLDER),
        ("nothing", nothing, (401, CHALLENGE), "bearer_missing"),
    ] {
        let call = Call { path: PATH, sent, with: With::Ours(with), expected, verdict };
        lines.extend(call.run(callers, server).await?);
    }
    for adapter in [Adapter::Reqwest, Adapter::Ureq] {
        let (session, clock) = session(server, adapter).map_err(text)?;
        for storm in &STORMS {
            clock.advance(Duration::from_secs(storm.seconds));
            storm.event.happens(&server.issuer);
            lines.push(storm.run(adapter, callers, server, &session).await?);
        }
    }
    Ok(lines)
}

impl Event {
    fn happens(&self, issuer: &Issuer) {
        match self {
            Self::Nothing => {}
            Self::IssuerGoesDown => issuer.goes_down(),
            Self::IssuerComesBack => issuer.comes_back(),
            Self::TokensRevoked => issuer.revokes_all(),
        }
    }
}

impl Storm {
    /// All calls are on their way before the first answer is read; the line is that of the worst.
    async fn run(
        &self,
        adapter: Adapter,
        callers: &Callers,
        server: &Running,
        session: &Session<LogIn>,
    ) -> std::result::Result<Line, String> {
        let authenticator: Arc<dyn Authenticator> = Arc::new(session.clone());
        let (began, before) = (Instant::now(), server.issuer.asked());
        let call = Call {
            path: PATH,
            sent: self.what,
            with: With::Many(Arc::clone(&authenticator), self.callers),
            expected: (self.expected.1, ""),
            verdict: self.expected.0,
        };
        let mut line =
            call.together(adapter, &authenticator, self.callers, callers, server).await?;
        let asked = || server.issuer.asked() - before;
        // A renewal that nobody waits for may still be under way.
        while asked() < self.expected.2 && began.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.settles(session).await;
        line.verdict = format!("{}, {} log-in", line.verdict, asked());
        if asked() != self.expected.2 && line.instead_of.is_none() {
            line.instead_of = Some(format!("{} log-in", self.expected.2));
        }
        Ok(line)
    }

    /// The issuer was asked; what it said has to arrive before time goes on.
    async fn settles(&self, session: &Session<LogIn>) {
        let began = Instant::now();
        let generation = || async { session.token().await.map_or(0, |held| held.generation) };
        tokio::time::sleep(Duration::from_millis(100)).await;
        while generation().await != self.expected.3 && began.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A session that logs in through the same adapter as it is used with.
fn session(server: &Running, adapter: Adapter) -> Result<(Session<LogIn>, ManualClock)> {
    let clock = ManualClock::at(1_000_000);
    let transport: Arc<dyn Transport> = match adapter {
        Adapter::Reqwest | Adapter::Tower => {
            let transport = auth_reqwest::ReqwestTransport::builder(Handle::current());
            Arc::new(transport.allowing_loopback().build()?)
        }
        Adapter::Ureq => Arc::new(auth_ureq::UreqTransport::builder().allowing_loopback().build()?),
    };
    let context = Context::new(transport).with_clock(clock.clone());
    let url = format!("{}{PATH}/token", server.base());
    Ok((Session::new(LogIn { url }, context), clock))
}

/// Asks the issuer for tokens.
struct LogIn {
    url: String,
}

#[derive(Clone)]
struct Obtained {
    token: Bearer,
    end: Timestamp,
}

impl Token for Obtained {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Until(self.end)
    }
}

impl PresentableToken for Obtained {
    fn credentials(&self) -> Result<Credentials> {
        Ok(self.token.present())
    }

    fn refusal(answer: Answer<'_>) -> Option<Refusal> {
        bearer_token_refusal(answer)
    }
}

impl TokenSource for LogIn {
    type Token = Obtained;

    fn token<'a>(&'a self, context: &'a Context, _: Renewal<Obtained>) -> Flow<'a, Obtained> {
        let request = Request::post(&self.url).body(Vec::new());
        let now = context.clock.now();
        match request {
            Ok(request) => context
                .transport
                .fetch(Exchange::new(request))
                .and_then(move |answer| Flow::from(obtained(&answer, now))),
            Err(error) => Flow::failed(Error::config("issuer_url", error)),
        }
    }
}

fn obtained(answer: &Response<Vec<u8>>, now: Timestamp) -> Result<Obtained> {
    let strange = || Error::protocol("issuer_answer", "expected a token");
    if !answer.status().is_success() {
        let retry_after = retry_after(answer.headers(), now);
        let text = format!("issuer answered {}", answer.status());
        return Err(Error::unavailable("issuer_busy", retry_after, text));
    }
    let said: serde_json::Value = serde_json::from_slice(answer.body()).map_err(|_| strange())?;
    let token = said["access_token"].as_str().ok_or_else(strange)?;
    let seconds = said["expires_in"].as_u64().ok_or_else(strange)?;
    Ok(Obtained { token: Bearer::new(token)?, end: now.after(Duration::from_secs(seconds)) })
}
