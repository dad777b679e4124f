//! One way to send a request through each of the adapters.

use auth_core::Authenticator;
use auth_tower::{AuthenticateLayer, OutgoingBody};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::BodyExt;
use hyper_util::{client::legacy, rt::TokioExecutor};
use serde_json::Value;
use std::sync::Arc;
use tower::{Layer, ServiceExt as _};

pub type Who = Arc<dyn Authenticator>;

/// What came back.
pub struct Answered {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

/// Sends a request under these credentials.
pub trait Sends {
    async fn send(&self, who: Who, method: Method, url: String, body: &'static str) -> Answered;
}

pub struct Reqwest(pub auth_reqwest::AuthClient);
pub struct Ureq(pub auth_ureq::AuthClient);
pub struct Tower;

pub fn reqwest() -> Reqwest {
    Reqwest(auth_reqwest::AuthClient::builder().build().unwrap())
}

pub fn ureq() -> Ureq {
    Ureq(auth_ureq::AuthClient::builder().build().unwrap())
}

impl Answered {
    fn of<B>(head: &Response<B>, body: &[u8]) -> Self {
        Self {
            status: head.status().as_u16(),
            headers: head.headers().clone(),
            body: serde_json::from_slice(body).unwrap_or_default(),
        }
    }
}

impl Sends for Reqwest {
    async fn send(&self, who: Who, method: Method, url: String, body: &'static str) -> Answered {
        let request = self.0.http().request(method, url).body(body).build().unwrap();
        let answer: Response<reqwest::Body> = self.0.send(&who, request).await.unwrap().into();
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answered::of(&Response::from_parts(head, ()), &body)
    }
}

impl Sends for Ureq {
    async fn send(&self, who: Who, method: Method, url: String, body: &'static str) -> Answered {
        let client = self.0.clone();
        // It blocks the thread that it is called on.
        let sending = tokio::task::spawn_blocking(move || {
            let request = Request::builder().method(method).uri(url).body(body).unwrap();
            let mut answer = client.send(&who, request).unwrap();
            let body = answer.body_mut().read_to_vec().unwrap();
            Answered::of(&answer, &body)
        });
        sending.await.unwrap()
    }
}

impl Sends for Tower {
    async fn send(&self, who: Who, method: Method, url: String, body: &'static str) -> Answered {
        let http = legacy::Client::builder(TokioExecutor::new()).build_http::<OutgoingBody>();
        let request = Request::builder().method(method).uri(url);
        let request = request.body(OutgoingBody::from(body)).unwrap();
        let answer = AuthenticateLayer::new(who).layer(http).oneshot(request).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answered::of(&Response::from_parts(head, ()), &body)
    }
}
