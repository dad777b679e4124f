//! Makes a call in every way there is, and says how it went.

use super::{
    callers::{Adapter, Answered, Callers, Failed},
    server::Running,
};
use auth_core::Authenticator;
use auth_reqwest::AuthClient;
use conformance::Told;
use reqwest::header::{HeaderName, HeaderValue};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// One call, and how it should end.
pub struct Call {
    pub path: &'static str,
    /// What is sent, without secrets.
    pub sent: &'static str,
    pub with: With,
    /// The status, and how the challenge begins; 0 when there is nothing to send.
    pub expected: (u16, &'static str),
    /// The server's own verdict: the principal, or the reason that only its log has.
    pub verdict: &'static str,
}

pub enum With {
    /// Our client, through every adapter.
    Ours(Arc<dyn Authenticator>),
    /// Our client, that often at once.
    Many(Arc<dyn Authenticator>, usize),
    /// Fields as somebody else might write them.
    Fields(Vec<(&'static str, Vec<u8>)>),
    /// A query as somebody else might write it.
    Query(String),
    /// An upload as somebody else might send it.
    Upload(Vec<(HeaderName, HeaderValue)>, Vec<u8>),
}

/// How a call went.
pub struct Line {
    pub caller: &'static str,
    pub path: &'static str,
    pub sent: &'static str,
    pub verdict: String,
    pub status: u16,
    pub challenge: String,
    pub took: Duration,
    /// What should have been, when it was not.
    pub instead_of: Option<String>,
}

impl Call {
    /// Makes the call in every way there is, and says how each went.
    pub async fn run(&self, callers: &Callers, server: &Running) -> Result<Vec<Line>, String> {
        let client = &callers.reqwest;
        let url = format!("{}{}", server.base(), self.path);
        let mut lines = Vec::new();
        match &self.with {
            With::Ours(authenticator) => {
                for adapter in [Adapter::Reqwest, Adapter::Tower, Adapter::Ureq] {
                    let began = Instant::now();
                    let answer = callers.through(adapter, authenticator, &url).await?;
                    lines.push(self.line(adapter.name(), server, &answer, began));
                }
            }
            With::Many(authenticator, times) => {
                for adapter in [Adapter::Reqwest, Adapter::Ureq] {
                    let line = self.together(adapter, authenticator, *times, callers, server);
                    lines.push(line.await?);
                }
            }
            With::Fields(fields) => {
                let mut request =
                    client.http().get(&url).build().map_err(|error| error.to_string())?;
                for (name, value) in fields {
                    let name: HeaderName = name.parse().map_err(|_| "a field's name")?;
                    request.headers_mut().append(
                        name,
                        HeaderValue::from_bytes(value).map_err(|_| "a field's value")?,
                    );
                }
                lines.push(self.plainly(client, request, server).await?);
            }
            With::Query(query) => {
                let request = client
                    .http()
                    .get(format!("{url}?{query}"))
                    .build()
                    .map_err(|error| error.to_string())?;
                lines.push(self.plainly(client, request, server).await?);
            }
            With::Upload(fields, body) => {
                let request = client.http().put(&url).headers(fields.iter().cloned().collect());
                let request = request.body(body.clone()).build();
                let request = request.map_err(|error| error.to_string())?;
                lines.push(self.plainly(client, request, server).await?);
            }
        }
        Ok(lines)
    }

    /// All calls are on their way before the first answer is read; the line is that of the worst.
    pub async fn together(
        &self,
        adapter: Adapter,
        authenticator: &Arc<dyn Authenticator>,
        times: usize,
        callers: &Callers,
        server: &Running,
    ) -> Result<Line, String> {
        let (began, url) = (Instant::now(), format!("{}{}", server.base(), self.path));
        let caller = adapter.name();
        let calls: tokio::task::JoinSet<Answered> = match adapter {
            Adapter::Reqwest => {
                (0..times).map(|_| callers.through_reqwest(authenticator, &url)).collect()
            }
            Adapter::Ureq => {
                (0..times).map(|_| callers.through_ureq(authenticator, &url)).collect()
            }
            Adapter::Tower => return Err(String::from("a layer is called one by one")),
        };
        let mut worst = None;
        for answer in calls.join_all().await {
            let answer = match answer {
                Ok(answer) => answer,
                Err(failed) => return Ok(self.failed(caller, &failed, began)),
            };
            if worst
                .as_ref()
                .is_none_or(|worst: &http::Response<()>| answer.status() > worst.status())
            {
                worst = Some(answer);
            }
        }
        let worst = worst.ok_or("no call was made")?;
        Ok(self.line(caller, server, &worst, began))
    }

    /// No request was sent: the line says why, and has no status.
    fn failed(&self, caller: &'static str, failed: &Failed, began: Instant) -> Line {
        let good = self.expected.0 == 0 && self.verdict == failed.code;
        Line {
            caller,
            path: self.path,
            sent: self.sent,
            verdict: failed.code.to_owned(),
            status: 0,
            challenge: String::new(),
            took: began.elapsed(),
            instead_of: (!good).then(|| format!("{} {}", self.verdict, self.expected.0)),
        }
    }

    async fn plainly(
        &self,
        client: &AuthClient,
        request: reqwest::Request,
        server: &Running,
    ) -> Result<Line, String> {
        let began = Instant::now();
        let answer = client.http().execute(request).await.map_err(|error| error.to_string())?;
        Ok(self.line("by hand", server, &http::Response::from(answer).map(drop), began))
    }

    /// How it went, and whether that is as it should be.
    pub fn line(
        &self,
        caller: &'static str,
        server: &Running,
        answer: &http::Response<()>,
        began: Instant,
    ) -> Line {
        let (took, status) = (began.elapsed(), answer.status().as_u16());
        let verdict = match server.told() {
            Some(Told::Accepted(principal)) => principal,
            Some(Told::Refused(code)) => code.to_owned(),
            None => String::from("the server saw nothing"),
        };
        let challenge = answer
            .headers()
            .get("www-authenticate")
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let challenge = challenge.unwrap_or_default();
        let (wanted, begins) = self.expected;
        let challenged =
            if begins.is_empty() { status != 401 } else { challenge.starts_with(begins) };
        let good = status == wanted && verdict == self.verdict && challenged;
        let instead_of = (!good).then(|| format!("{} {wanted} {begins}", self.verdict));
        Line {
            caller,
            path: self.path,
            sent: self.sent,
            verdict,
            status,
            challenge,
            took,
            instead_of,
        }
    }
}
