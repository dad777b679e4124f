//! The last act: the five documents of the platforms, step by step, at the emulated platforms and at a receiver of webhooks.

mod infobip;
mod symphony;
mod webex_credentials;
mod webex_options;
mod webhooks;

use super::calls::Line;
use auth_core::{Authenticator, Context, Error, Secret};
use auth_reqwest::AuthClient;
use auth_testing::ManualClock;
use http::{HeaderMap, Method, StatusCode};
use std::{fmt::Display, future::Future, pin::Pin, time::Instant};

/// A document: its name, and what walks it.
pub struct Document {
    pub name: &'static str,
    walk: fn() -> Walking,
}

type Walking = Pin<Box<dyn Future<Output = Result<Vec<Line>, Error>> + Send>>;

/// The documents, in their order.
pub const DOCUMENTS: [Document; 5] = [
    Document {
        name: "Webex Connect: authentication options",
        walk: || Box::pin(webex_options::walk()),
    },
    Document {
        name: "Webex Connect: service keys and JWT",
        walk: || Box::pin(webex_credentials::walk()),
    },
    Document {
        name: "Webex Connect: authorizations of outbound webhooks",
        walk: || Box::pin(webhooks::walk()),
    },
    Document { name: "Infobip: API authentication", walk: || Box::pin(infobip::walk()) },
    Document { name: "Symphony: authentication of bots", walk: || Box::pin(symphony::walk()) },
];

impl Document {
    /// A line for each step.
    pub async fn run(&self) -> Result<Vec<Line>, String> {
        (self.walk)().await.map_err(|error| format!("{}: {error}", self.name))
    }
}

/// The steps of one document.
struct Steps {
    client: AuthClient,
    lines: Vec<Line>,
    began: Instant,
}

impl Steps {
    fn begin() -> Result<Self, Error> {
        let client = AuthClient::builder().build()?;
        Ok(Self { client, lines: Vec::new(), began: Instant::now() })
    }

    /// A step is over: what came of it, and what should have.
    fn is(&mut self, step: &'static str, came: impl Display, expected: &str) {
        let verdict = came.to_string();
        self.lines.push(Line {
            caller: "",
            path: "",
            sent: step,
            status: 0,
            challenge: String::new(),
            took: self.began.elapsed(),
            instead_of: (verdict != expected).then(|| expected.to_owned()),
            verdict,
        });
        self.began = Instant::now();
    }

    /// What a call was answered.
    async fn call(
        &self,
        who: &dyn Authenticator,
        (method, url): (Method, &str),
        body: impl Into<Vec<u8>>,
    ) -> Result<Answered, Error> {
        let request = self.client.http().request(method, url).body(body.into());
        let request = request.build().map_err(|error| Error::config("demo_request", error))?;
        let answer = self.client.send(who, request).await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.map_err(|error| Error::transport("demo_body", error))?;
        Ok(Answered { status, headers, body: body.to_vec() })
    }
}

/// An answer with all of its body.
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

fn text(secret: &Secret) -> String {
    secret.expose_text().unwrap_or_default().to_owned()
}

/// Something that the platform has made, or the error that it is missing.
fn there<T>(made: Option<T>) -> Result<T, Error> {
    made.ok_or_else(|| {
        Error::config("demo_missing", "the emulator has not what it was set up with")
    })
}

/// Log-ins through reqwest, under a clock that the walk moves.
fn context(clock: &ManualClock) -> Result<Context, Error> {
    let transport = super::sender::transport(super::callers::Adapter::Reqwest)?;
    Ok(Context::new(transport).with_clock(clock.clone()))
}
