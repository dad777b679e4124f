//! The client's whole loop, over a transport.

use crate::{
    Answer, Authenticator, Body, Exchange, Flow, Need, NextStep, PlainHttp, RequestMemory,
    RequestView, Result, RetryBudget, Transport, authenticate,
};
use http::Response;

/// Sends a request under an authenticator, over as many attempts as it takes: what a client adapter does, for a scheme
/// or a store that has a [`Transport`] and no client.
///
/// Each attempt is authenticated afresh and assessed; the answer to the last one is given, whatever its status. At most
/// [`RetryBudget::MOST`] are made. A redirect is an answer, and not followed. Credentials go over https, or to loopback, and
/// to the origin: a proxy of the transport gets none ([`Hop::Origin`](crate::Hop::Origin)).
///
/// # Errors
///
/// Those of [`authenticate`], of the transport, and of a [`Verdict::Refused`](crate::Verdict::Refused).
///
/// ```
/// # use auth_core::{Answer, Authenticator, Credentials, Flow, RequestView, Stamper, Verdict};
/// # use std::sync::atomic::{AtomicU64, Ordering};
/// # struct Key(Stamper, AtomicU64);
/// # impl Authenticator for Key {
/// #   fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
/// #     let n = self.1.fetch_add(1, Ordering::Relaxed);
/// #     Credentials::header(http::HeaderName::from_static("key"), n.into()).map(|made| made.stamped(self.0.stamp(n))).into() }
/// #   fn assess(&self, _: &Credentials, answer: Answer<'_>) -> Verdict {
/// #     if answer.status == 401 { Verdict::Retry { after: None } } else { Verdict::Accept } } }
/// # let authenticator = Key(Stamper::new(), AtomicU64::new(0));
/// use auth_testing::ScriptedTransport;
/// use http::{Request, Response};
///
/// // A server that refuses key 0.
/// let transport = ScriptedTransport::new(|request: &Request<Vec<u8>>| {
///     let status = if request.headers()["key"] == "0" { 401 } else { 200 };
///     Ok(Response::builder().status(status).body(b"balance: 7".to_vec()).unwrap())
/// });
/// let request = Request::get("https://api.example/balance").body(Vec::new()).unwrap();
/// let answer = auth_core::send(&transport, &authenticator, request.into()).wait()?;
/// assert_eq!(answer.body(), b"balance: 7");
/// # Ok::<_, auth_core::Error>(())
/// ```
pub fn send<'a>(
    transport: &'a dyn Transport,
    authenticator: &'a dyn Authenticator,
    exchange: Exchange,
) -> Flow<'a, Response<Vec<u8>>> {
    Flow::new(attempts(transport, authenticator, exchange))
}

async fn attempts(
    transport: &dyn Transport,
    authenticator: &dyn Authenticator,
    exchange: Exchange,
) -> Result<Response<Vec<u8>>> {
    let (most_bytes, request) = (exchange.most_bytes(), exchange.into_request());
    let view = RequestView::new(request.method(), request.uri(), request.headers());
    let memory = RequestMemory::new();
    let view = view.with_body(Body::Bytes(request.body())).with_memory(&memory);
    let mut attempts = RetryBudget::default();
    loop {
        let (mut copy, body) = request.clone().into_parts();
        let (uri, headers) = (&mut copy.uri, &mut copy.headers);
        let sent = authenticate(authenticator, PlainHttp::ToLoopback, view, uri, headers).await?;
        let copy =
            Exchange::new(http::Request::from_parts(copy, body)).with_answer_limit(most_bytes);
        let answer = transport.fetch(copy).await?;
        let head = Answer::new(view.with_body(Body::Unread), answer.status(), answer.headers());
        let read = match authenticator.reads(answer.status(), answer.headers()) {
            Need::Nothing => head,
            Need::Bytes { limit } if answer.body().len() > limit => head,
            _ => head.with_body(answer.body()),
        };
        let verdict = authenticator.assess(&sent, read);
        match attempts.next(&sent, verdict)? {
            NextStep::Deliver => return Ok(answer),
            NextStep::Again { after: None } => {}
            NextStep::Again { after: Some(wait) } => transport.pause(wait).await?,
        }
    }
}
