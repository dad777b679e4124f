//! A delivery that is handled once at a time, and never again once it was.

use super::{Delivery, WebhookReceiver};
use auth_core::{
    Accepted, Completion, Error, Flow, HandlerReply, Need, Outcome, Presence, Reason, Rejection,
    ReplayStore, RequestView, ReservationOutcome, ReservationTicket, Result, Transport, Unique,
    Verifier, finish_even_if_dropped,
};
use http::HeaderMap;
use std::{
    fmt,
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

/// Hands a delivery to the handler again only where the handler has not handled it: a sender that got no answer delivers
/// again.
///
/// A delivery is reserved when it is verified, used when the handler has replied with success (2xx), and free again when
/// it replied something else, panicked, or its connection went away. A repetition gets 503 while the delivery is being
/// handled, and 200, without the handler, after that.
///
/// That is at least once: where the process dies between the handler's work and this note, the delivery comes again. Once in
/// effect takes an inbox in the handler's own transaction, which [`Delivery::unique`] is for.
pub struct OncePerDelivery<P> {
    receiver: WebhookReceiver<P>,
    store: Arc<dyn ReplayStore>,
    hold: Duration,
    background: Option<Arc<dyn Transport>>,
}

const HANDLED: Reason = Reason::new("webhook_handled", "delivery was handled before");
const UNDER_WAY: Reason = Reason::new("webhook_under_way", "delivery is being handled");

impl<P> OncePerDelivery<P>
where
    P: Clone + PartialEq + Send + Sync + 'static,
{
    pub(super) fn new(receiver: WebhookReceiver<P>, store: impl ReplayStore + 'static) -> Self {
        let hold = Duration::from_secs(60);
        Self { receiver, store: Arc::new(store), hold, background: None }
    }

    /// A handler has so long; a repetition that comes later is handed to it too. A minute unless set.
    #[must_use]
    pub fn with_hold(self, hold: Duration) -> Self {
        Self { hold, ..self }
    }

    /// Notes are seen through here, for a store that does not answer at once.
    #[must_use]
    pub fn with_background(self, transport: Arc<dyn Transport>) -> Self {
        Self { background: Some(transport), ..self }
    }

    async fn reserve(&self, accepted: Accepted<Delivery<P>>) -> Result<Outcome<Delivery<P>>> {
        let unique = accepted.principal.unique().clone();
        Ok(match self.store.reserve(&unique, self.hold).await? {
            ReservationOutcome::Reserved(ticket) => {
                let (store, background) = (Arc::clone(&self.store), self.background.clone());
                Ok(accepted.with_completion(Reserved {
                    store,
                    background,
                    unique,
                    ticket: Some(ticket),
                }))
            }
            ReservationOutcome::Done => Err(Rejection::served(HANDLED)),
            ReservationOutcome::Held => {
                Err(Rejection::under_way(UNDER_WAY, Duration::from_secs(5)))
            }
            ReservationOutcome::Full | ReservationOutcome::TooOld => {
                let text = "replay store has no room for deliveries; raise its limit";
                return Err(Error::unavailable(
                    "webhook_store_full",
                    Some(Duration::from_secs(60)),
                    text,
                ));
            }
        })
    }
}

impl<P> Verifier for OncePerDelivery<P>
where
    P: Clone + PartialEq + Send + Sync + 'static,
{
    type Principal = Delivery<P>;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        self.receiver.presence(head)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.receiver.needs(head)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<Delivery<P>>> {
        self.receiver.verify(request).and_then(move |outcome| match outcome {
            Ok(accepted) => Flow::new(self.reserve(accepted)),
            Err(rejection) => Flow::ready(Err(rejection)),
        })
    }
}

/// A delivery whose handler is at work.
struct Reserved {
    store: Arc<dyn ReplayStore>,
    background: Option<Arc<dyn Transport>>,
    unique: Unique,
    ticket: Option<ReservationTicket>,
}

impl Reserved {
    fn note(&self, ticket: ReservationTicket, handled: Handled) -> Flow<'static, bool> {
        let (store, unique) = (Arc::clone(&self.store), self.unique.clone());
        let work = Flow::new(async move {
            match handled {
                Handled::Yes => store.confirm(&unique, ticket).await,
                Handled::No => store.release(&unique, ticket).await,
            }
        });
        match &self.background {
            Some(transport) => finish_even_if_dropped(&**transport, work),
            None => work,
        }
    }
}

#[derive(Clone, Copy)]
enum Handled {
    Yes,
    No,
}

impl Completion for Reserved {
    fn complete<'r>(mut self: Box<Self>, reply: HandlerReply<'r>) -> Flow<'r, HeaderMap> {
        match self.ticket.take_if(|_| reply.status.is_success()) {
            Some(ticket) => self.note(ticket, Handled::Yes).map(|_| HeaderMap::new()),
            None => Flow::ready(HeaderMap::new()),
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take() else { return };
        let mut note = pin!(self.note(ticket, Handled::No));
        // A store in memory is done with it now. Another one is asked in the background, or the reservation runs out.
        let _ = note.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
}

impl<P> fmt::Debug for OncePerDelivery<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OncePerDelivery({:?})", self.receiver)
    }
}
