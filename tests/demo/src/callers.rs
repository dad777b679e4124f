//! The clients that make the calls, one for each adapter.

use auth_core::{Authenticator, Error};
use auth_reqwest::AuthClient;
use auth_tower::{AuthenticateLayer, OutgoingBody};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::sync::Arc;
use tower::{Layer, ServiceExt};

/// The clients that make the calls, kept from one to the next.
pub struct Callers {
    pub(super) reqwest: AuthClient,
    pub(super) hyper: legacy::Client<HttpConnector, OutgoingBody>,
    pub(super) ureq: auth_ureq::AuthClient,
}

impl Callers {
    pub fn new() -> Result<Self, Error> {
        let hyper = legacy::Client::builder(TokioExecutor::new()).build_http();
        let ureq = auth_ureq::AuthClient::builder().build()?;
        Ok(Self { reqwest: AuthClient::builder().build()?, hyper, ureq })
    }

    /// One request through one adapter.
    pub async fn through(
        &self,
        adapter: Adapter,
        authenticator: &Arc<dyn Authenticator>,
        url: &str,
    ) -> Answered {
        match adapter {
            Adapter::Reqwest => self.through_reqwest(authenticator, url).await,
            Adapter::Tower => self.through_tower(authenticator, url).await,
            Adapter::Ureq => self.through_ureq(authenticator, url).await,
        }
    }

    pub(super) fn through_reqwest(
        &self,
        authenticator: &Arc<dyn Authenticator>,
        url: &str,
    ) -> impl Future<Output = Answered> + Send + 'static {
        let (client, authenticator) = (self.reqwest.clone(), Arc::clone(authenticator));
        let request = client.http().get(url).build();
        async move {
            let answer = client.send(&*authenticator, request.map_err(Failed::of)?).await;
            Ok(http::Response::from(answer.map_err(Failed::from)?).map(drop))
        }
    }

    async fn through_tower(&self, authenticator: &Arc<dyn Authenticator>, url: &str) -> Answered {
        let service = AuthenticateLayer::new(Arc::clone(authenticator)).layer(self.hyper.clone());
        let request = http::Request::get(url).body(OutgoingBody::empty()).map_err(Failed::of)?;
        let answer = service.oneshot(request).await.map_err(Failed::of)?;
        Ok(answer.map(|_| ()))
    }

    /// On a thread that may block.
    pub(super) fn through_ureq(
        &self,
        authenticator: &Arc<dyn Authenticator>,
        url: &str,
    ) -> impl Future<Output = Answered> + Send + 'static {
        let (client, authenticator) = (self.ureq.clone(), Arc::clone(authenticator));
        let request = http::Request::get(url).body(());
        let sent = tokio::task::spawn_blocking(move || {
            let answer = client.send(&*authenticator, request.map_err(Failed::of)?);
            Ok(answer.map_err(Failed::from)?.map(drop))
        });
        async move { sent.await.map_err(Failed::of)? }
    }
}

/// The head of an answer, or what kept it from coming.
pub type Answered = Result<http::Response<()>, Failed>;

/// Why no answer came.
pub struct Failed {
    pub(super) code: &'static str,
    text: String,
}

impl Failed {
    pub(super) fn of(error: impl std::fmt::Display) -> Self {
        Self { code: "no answer", text: error.to_string() }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { code: error.code(), text: error.to_string() }
    }
}

impl From<Failed> for String {
    fn from(failed: Failed) -> Self {
        failed.text
    }
}

/// Which adapter sends.
#[derive(Clone, Copy)]
pub enum Adapter {
    Reqwest,
    Tower,
    Ureq,
}

impl Adapter {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reqwest => "auth-reqwest",
            Self::Tower => "auth-tower",
            Self::Ureq => "auth-ureq",
        }
    }
}
