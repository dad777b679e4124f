//! The service of the server layer, from a request to its reply.

use crate::{
    Authenticated, BoxError, BufferedBody, CheckedBody, ReplyBody,
    admit::admit,
    checked::Check,
    complete::complete,
    judge::Door,
    reply::{closing, refusal},
};
use auth_core::{Accepted, Obligations, Verifier};
use bytes::Bytes;
use http::{Request, Response, request::Parts};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;

/// The service that [`VerifyLayer`](crate::VerifyLayer) makes.
pub struct Verify<S, V> {
    inner: S,
    door: Arc<Door<V>>,
}

impl<S, V> Verify<S, V> {
    pub(crate) const fn new(inner: S, door: Arc<Door<V>>) -> Self {
        Self { inner, door }
    }
}

impl<S: Clone, V> Clone for Verify<S, V> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), door: Arc::clone(&self.door) }
    }
}

impl<S, V> fmt::Debug for Verify<S, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verify(..)")
    }
}

impl<S, V, B, R> Service<Request<B>> for Verify<S, V>
where
    V: Verifier + 'static,
    V::Principal: Clone + Sync + 'static,
    S: Service<Request<CheckedBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<ReplyBody<R>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let fresh = self.inner.clone();
        // The clone may not be ready; the one that was polled is.
        let inner = std::mem::replace(&mut self.inner, fresh);
        let (head, body) = request.into_parts();
        Box::pin(serve(inner, Arc::clone(&self.door), head, BufferedBody::untouched(body)))
    }
}

/// A request on its way to the handler, and the reply on its way back.
///
/// Every request allocates this future, and allocators are quick up to 1 KiB: so it is a block, which holds once what an
/// `async fn` holds twice, and what few requests need is in boxes of its own.
fn serve<S, V, B, R>(
    mut inner: S,
    door: Arc<Door<V>>,
    head: Parts,
    body: BufferedBody<B>,
) -> impl Future<Output = Result<Response<ReplyBody<R>>, S::Error>>
where
    V: Verifier,
    V::Principal: Clone + Sync + 'static,
    S: Service<Request<CheckedBody<B>>, Response = Response<R>>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    R: http_body::Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    let (mut head, mut body) = (head, body);
    async move {
        let mut accepted = match door.judge(&head, &mut body).await {
            Ok(accepted) => accepted,
            Err(refused) => {
                return Ok(refusal(door.answer(&refused, &head), head, body, door.drain).await);
            }
        };
        let Obligations { body: check, completions, .. } = accepted.take_obligations();
        let Accepted { principal, scheme, .. } = accepted;
        let (check, late) = match check {
            None => {
                // They were read with a body that the verifier judged, and it did not judge them.
                body.drop_trailers();
                (None, None)
            }
            Some(check) => match admit(&door, &mut head, &mut body, check).await {
                Ok(check) => {
                    let late = check.as_ref().map(Check::late);
                    (check, late)
                }
                Err(rejection) => {
                    let answer = door.rejected(&rejection, Some(&head));
                    return Ok(refusal(answer, head, body, door.drain).await);
                }
            },
        };
        let version = head.version;
        // The platform's own answer to a body that breaks later is asked with the head, which the handler has then.
        let kept =
            (late.is_some() && door.rejection_answer.is_some()).then(|| Box::new(head.clone()));
        head.extensions.insert(Authenticated { principal, scheme });
        let request = Request::from_parts(head, CheckedBody::new(body, check));
        let replied = inner.call(request).await;
        if let Some(rejection) = late.as_ref().and_then(|late| late.get()) {
            // Whatever the handler made of the broken body, the caller is told what was wrong with it. The completions
            // are dropped unasked: this is not the handler's reply. What is still to come of the body nobody will read.
            let mut answer = door.rejected(rejection, kept.as_deref());
            closing(&mut answer, version);
            return Ok(answer.map(ReplyBody::new));
        }
        let response = replied?;
        #[cfg(feature = "axum")]
        crate::extract::explain::<V::Principal, R>(&response);
        if completions.is_empty() {
            return Ok(response.map(|body| ReplyBody::new(BufferedBody::untouched(body))));
        }
        Ok(complete(completions, response, &*door.observer).await.map(ReplyBody::new))
    }
}
