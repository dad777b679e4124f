//! A client that does what it is told, and no more.

#![allow(dead_code, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

pub mod symphony;
pub mod webex;

use auth_emulator::{Infobip, InfobipBuilder, RunningInfobip, Secret};
use auth_testing::ManualClock;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};

pub const USER: &str = "acme";
pub const PASSWORD: &str = "pa55:word";
pub const START: u64 = 1_700_000_000;
pub const LOG_IN: &str = r#"{"username":"acme","password":"pa55:word"}"#;
pub const MESSAGE: &str = r#"{"messages":[{"destinations":[{"to":"41793026727"}]}]}"#;

/// An emulator under a clock that stands still, and its client.
pub struct Stage {
    pub infobip: RunningInfobip,
    pub clock: ManualClock,
    pub client: Caller,
}

pub async fn stage() -> Stage {
    stage_of(|builder| builder).await
}

pub async fn stage_of(change: impl FnOnce(InfobipBuilder) -> InfobipBuilder) -> Stage {
    let clock = ManualClock::at(START);
    let builder =
        Infobip::builder().with_user(USER, Secret::new(PASSWORD)).with_clock(clock.clone());
    let infobip = change(builder).start().await.unwrap();
    let client = Caller::from(infobip.base_url(), Ipv4Addr::LOCALHOST);
    Stage { infobip, clock, client }
}

/// Sends requests to one base URL from one address.
#[derive(Clone)]
pub struct Caller {
    base: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// What came back.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Caller {
    pub fn from(base: String, address: Ipv4Addr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_local_address(Some(IpAddr::V4(address)));
        Self { base, client: Client::builder(TokioExecutor::new()).build(connector) }
    }

    /// None where the connection was dropped.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
        body: &str,
    ) -> Option<Answered> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let response = self.client.request(request).await.ok()?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        let body = serde_json::from_slice(&body)
            .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&body)));
        Some(Answered { status: head.status.as_u16(), headers: head.headers, body })
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        authorization: &str,
        body: &str,
    ) -> Answered {
        let fields: &[_] = match authorization {
            "" => &[],
            field => &[("authorization", field)],
        };
        self.try_send(method, path, fields, body).await.expect("the connection was dropped")
    }

    pub async fn post(&self, path: &str, authorization: &str, body: &str) -> Answered {
        self.send(Method::POST, path, authorization, body).await
    }

    pub async fn get(&self, path: &str, authorization: &str) -> Answered {
        self.send(Method::GET, path, authorization, "").await
    }

    /// The status of a message that is sent with this.
    pub async fn message(&self, authorization: &str) -> u16 {
        self.post("/sms/3/messages", authorization, MESSAGE).await.status
    }

    pub async fn put(&self, path: &str, authorization: &str, body: &str) -> Answered {
        self.send(Method::PUT, path, authorization, body).await
    }

    /// The field of a session that is created.
    pub async fn log_in(&self) -> String {
        self.post("/auth/1/session", "", LOG_IN).await.session()
    }

    pub async fn log_out(&self, session: &str) -> u16 {
        self.send(Method::DELETE, "/auth/1/session", session, "").await.status
    }
}

impl Answered {
    /// The field of the session that was created.
    #[track_caller]
    pub fn session(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        format!("IBSSO {}", self.body["token"].as_str().unwrap())
    }

    /// The text of a member, or of several below one another.
    #[track_caller]
    pub fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{self:?}"))
    }

    /// The status and the code of an error of either form, and its text.
    #[track_caller]
    pub fn error(&self) -> String {
        let older = &self.body["requestError"]["serviceException"];
        let (code, text) = match self.body["errorCode"].as_str() {
            Some(code) => (code, &self.body["description"]),
            None => (older["messageId"].as_str().unwrap_or("none"), &older["text"]),
        };
        format!("{} {code} {}", self.status, text.as_str().unwrap_or_default())
    }
}

pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

pub fn app(key: &Secret) -> String {
    format!("App {}", key.expose_text().unwrap())
}
