//! Makes a call in every way there is, and says how it went.

use super::server::{Running, Told};
use auth_core::{Authenticator, Error};
use auth_reqwest::Client;
use auth_tower::{AuthenticateLayer, ClientBody};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use reqwest::header::{HeaderName, HeaderValue};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tower::{Layer, ServiceExt};

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
                let began = Instant::now();
                let request = client.http().get(&url).build().map_err(|error| error.to_string())?;
                let answer =
                    client.send(authenticator, request).await.map_err(|error| error.to_string())?;
                lines.push(self.line(
                    "auth-reqwest",
                    server,
                    answer.status().as_u16(),
                    answer.headers(),
                    began,
                ));
                let began = Instant::now();
                let answer = callers.through_tower(authenticator, &url).await?;
                lines.push(self.line(
                    "auth-tower",
                    server,
                    answer.status().as_u16(),
                    answer.headers(),
                    began,
                ));
            }
            With::Many(authenticator, times) => {
                lines.push(self.together(client, authenticator, *times, &url, server).await?);
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
        }
        Ok(lines)
    }

    /// All calls are on their way before the first answer is read; the line is that of the worst.
    async fn together(
        &self,
        client: &Client,
        authenticator: &Arc<dyn Authenticator>,
        times: usize,
        url: &str,
        server: &Running,
    ) -> Result<Line, String> {
        let began = Instant::now();
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..times {
            let (client, authenticator) = (client.clone(), Arc::clone(authenticator));
            let request = client.http().get(url).build().map_err(|error| error.to_string())?;
            calls.spawn(async move { client.send(&*authenticator, request).await });
        }
        let mut worst = None;
        for answer in calls.join_all().await {
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => return Ok(self.failed("auth-reqwest", &error, began)),
            };
            let status = answer.status().as_u16();
            if worst.as_ref().is_none_or(|(worst, _)| status > *worst) {
                worst = Some((status, answer.headers().clone()));
            }
        }
        let (status, headers) = worst.ok_or("no call was made")?;
        Ok(self.line("auth-reqwest", server, status, &headers, began))
    }

    /// No request was sent: the line says why, and has no status.
    fn failed(&self, caller: &'static str, error: &Error, began: Instant) -> Line {
        let good = self.expected.0 == 0 && self.verdict == error.code();
        Line {
            caller,
            path: self.path,
            sent: self.sent,
            verdict: error.code().to_owned(),
            status: 0,
            challenge: String::new(),
            took: began.elapsed(),
            instead_of: (!good).then(|| format!("{} {}", self.verdict, self.expected.0)),
        }
    }

    async fn plainly(
        &self,
        client: &Client,
        request: reqwest::Request,
        server: &Running,
    ) -> Result<Line, String> {
        let began = Instant::now();
        let answer = client.http().execute(request).await.map_err(|error| error.to_string())?;
        Ok(self.line("by hand", server, answer.status().as_u16(), answer.headers(), began))
    }

    fn line(
        &self,
        caller: &'static str,
        server: &Running,
        status: u16,
        headers: &http::HeaderMap,
        began: Instant,
    ) -> Line {
        let took = began.elapsed();
        let verdict = match server.told() {
            Some(Told::Accepted(principal)) => principal,
            Some(Told::Refused(code)) => code.to_owned(),
            None => String::from("the server saw nothing"),
        };
        let challenge = headers
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

/// The clients that make the calls, kept from one to the next.
pub struct Callers {
    reqwest: Client,
    hyper: legacy::Client<HttpConnector, ClientBody>,
}

impl Callers {
    pub fn new() -> Result<Self, Error> {
        let hyper = legacy::Client::builder(TokioExecutor::new()).build_http();
        Ok(Self { reqwest: Client::builder().build()?, hyper })
    }

    async fn through_tower(
        &self,
        authenticator: &Arc<dyn Authenticator>,
        url: &str,
    ) -> Result<http::Response<()>, String> {
        let service = AuthenticateLayer::new(Arc::clone(authenticator)).layer(self.hyper.clone());
        let request =
            http::Request::get(url).body(ClientBody::empty()).map_err(|error| error.to_string())?;
        let answer = service.oneshot(request).await.map_err(|error| error.to_string())?;
        Ok(answer.map(|_| ()))
    }
}
