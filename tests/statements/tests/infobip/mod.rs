//! The emulated platform, with what goes over the wire to it.
#![allow(dead_code, reason = "each file of tests uses a part of it")]

use auth_core::{Authenticator, Context, Result, Secret};
use auth_emulator::{Infobip, InfobipBuilder};
use auth_ibsso::LogIn;
use auth_reqwest::{AuthClient, ReqwestTransport};
use auth_static::{ApiKey, Basic, Placement};
use auth_testing::ManualClock;
use axum::{
    extract::Request,
    middleware::{Next, from_fn},
};
use http::{Method, header::AUTHORIZATION};
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Handle};

pub const NOW: u64 = 1_700_000_000;
pub const USER: &str = "acme";
pub const PASSWORD: &str = "pa55:word";
pub const SMS: &str = "/sms/3/messages";
pub const KEYS: &str = "/settings/2/api-keys";
pub const DAY: u64 = 24 * 3600;

/// The platform, and programs that call it, under one clock.
pub struct Stage {
    pub infobip: Infobip,
    pub clock: ManualClock,
    pub context: Context,
    pub base: String,
    client: AuthClient,
    wire: Arc<Mutex<Vec<String>>>,
}

/// What came back.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub body: Value,
}

pub async fn stage() -> Stage {
    stage_of(|builder| builder).await
}

pub async fn stage_of(change: impl FnOnce(InfobipBuilder) -> InfobipBuilder) -> Stage {
    let clock = ManualClock::at(NOW);
    let builder = Infobip::builder().with_user(USER, Secret::new(PASSWORD));
    let infobip = change(builder.with_clock(clock.clone())).build().await.unwrap();
    let wire = Arc::new(Mutex::new(Vec::new()));
    let noting = Arc::clone(&wire);
    let app = infobip.router().layer(from_fn(move |request: Request, next: Next| {
        let field =
            request.headers().get(AUTHORIZATION).map_or("-", |field| field.to_str().unwrap());
        let line = format!("{} {} {field}", request.method(), request.uri());
        noting.lock().unwrap().push(line);
        next.run(request)
    }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    let transport = ReqwestTransport::builder(Handle::current()).allowing_loopback().build();
    let context = Context::new(transport.unwrap()).with_clock(clock.clone());
    let client = AuthClient::builder().build().unwrap();
    Stage { infobip, clock, context, base, client, wire }
}

impl Stage {
    pub fn log_in(&self) -> LogIn {
        LogIn::new(&self.base, USER, PASSWORD).unwrap()
    }

    /// What has come over the wire since this was last asked: method, path and `Authorization`.
    pub fn wire(&self) -> Vec<String> {
        std::mem::take(&mut self.wire.lock().unwrap())
    }

    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub async fn send(
        &self,
        by: &dyn Authenticator,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Answered> {
        let request = self.client.http().request(method, format!("{}{path}", self.base));
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = self.client.send(by, request.build().unwrap()).await?;
        let status = answer.status().as_u16();
        let body = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
        Ok(Answered { status, body })
    }

    /// The status of a message.
    pub async fn message(&self, by: &dyn Authenticator) -> u16 {
        let message = serde_json::json!({"messages": [{"destinations": [{"to": "41793026727"}]}]});
        self.send(by, Method::POST, SMS, &message).await.unwrap().status
    }

    /// The identifier of a new key of these members, and the key.
    pub async fn key(&self, by: &dyn Authenticator, members: &Value) -> (String, ApiKey) {
        let made = self.send(by, Method::POST, KEYS, members).await.unwrap();
        assert_eq!(made.status, 200, "{made:?}");
        let id = made.body["id"].as_str().unwrap().to_owned();
        (id, app(made.body["apiKeySecret"].as_str().unwrap()))
    }
}

pub fn basic() -> Basic {
    Basic::new(USER, PASSWORD).unwrap()
}

pub fn app(key: &str) -> ApiKey {
    ApiKey::new(Placement::scheme("App").unwrap(), key).unwrap()
}
