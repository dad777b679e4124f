//! One request to one place, over as many attempts as it takes.

use crate::{
    AuthClient,
    failure::transport,
    http::url,
    read::{answer_to, read},
};
use auth_core::{
    Answer, Authenticator, Body, Event, Hop, NextStep, RequestMemory, RequestView, Result,
    RetryBudget, authenticate,
};
use auth_outbound::ConnectionPath;
use http::Uri;
use reqwest::{Request, Response};

impl AuthClient {
    /// Sends a copy of the request for each attempt. The request stays what it was, without its body if that can be
    /// read only once.
    pub(crate) async fn exchange(
        &self,
        authenticator: &dyn Authenticator,
        request: &mut Request,
        uri: &Uri,
    ) -> Result<Response> {
        let (mut attempts, memory) = (RetryBudget::default(), RequestMemory::new());
        loop {
            let repeatable = is_repeatable(request);
            let mut copy = copy(request);
            let head = RequestView::new(request.method(), uri, request.headers());
            let head = head.with_hop(self.hop(uri)).with_memory(&memory);
            let body = match request.body().map(reqwest::Body::as_bytes) {
                _ if !repeatable => Body::Unread,
                None => Body::Bytes(&[]),
                Some(bytes) => bytes.map_or(Body::Unread, Body::Bytes),
            };
            let (mut to, whole) = (uri.clone(), head.with_body(body));
            let plain_http = self.settings.plain_http_to(uri);
            let sent =
                authenticate(authenticator, plain_http, whole, &mut to, copy.headers_mut()).await?;
            let in_url = to.path_and_query() != uri.path_and_query();
            if in_url {
                *copy.url_mut() = url(&to)?;
            }
            let answer = self.http.execute(copy).await;
            let answer = answer.map_err(|error| transport(self.path(uri), request.url(), error))?;
            let answer = if in_url { answer_to(request.url(), answer) } else { answer };
            let need = authenticator.reads(answer.status(), answer.headers());
            let (answer, read) = read(answer, need).await?;
            let mut seen = Answer::new(head, answer.status(), answer.headers());
            (seen.body, seen.trailers) = (read.body.as_deref(), read.trailers.as_ref());
            let verdict = authenticator.assess(&sent, seen);
            match attempts.next(&sent, verdict)? {
                NextStep::Again { after } if repeatable => {
                    // Its connection serves others while this request waits.
                    drop(answer);
                    self.settings.observer.observe(Event::Retried);
                    if let Some(wait) = after {
                        tokio::time::sleep(wait).await;
                    }
                }
                _ => return Ok(answer),
            }
        }
    }

    /// reqwest hands what is http to a proxy as it is; to https it makes a tunnel.
    fn hop(&self, uri: &Uri) -> Hop {
        match self.path(uri) {
            ConnectionPath::ThroughProxy if uri.scheme_str() == Some("http") => Hop::Proxy,
            ConnectionPath::ThroughProxy | ConnectionPath::Direct => Hop::Origin,
        }
    }

    pub(crate) fn path(&self, uri: &Uri) -> ConnectionPath {
        ConnectionPath::to(uri.host().unwrap_or_default(), self.settings.proxy.as_ref())
    }
}

/// Can it be sent more than once?
pub(crate) fn is_repeatable(request: &Request) -> bool {
    request.body().is_none_or(|body| body.as_bytes().is_some())
}

/// A copy to be sent. A body that can be read only once goes with it.
pub(crate) fn copy(request: &mut Request) -> Request {
    request.try_clone().unwrap_or_else(|| {
        let mut head = Request::new(request.method().clone(), request.url().clone());
        *head.headers_mut() = request.headers().clone();
        std::mem::replace(request, head)
    })
}
