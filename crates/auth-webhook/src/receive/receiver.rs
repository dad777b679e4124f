//! Authorization, signature and address list together.

use super::OncePerDelivery;
use crate::{BodySignatureVerifier, DeliveryId};
use auth_core::{
    AllOf, Body, Clock, ConnectionId, Error, Flow, Need, Outcome, Presence, Reason, Rejection,
    ReplayStore, RequestView, SystemClock, Timestamp, Unique, Verifier,
};
use auth_net::AddressList;
use ring::digest;
use std::{fmt, sync::Arc, time::Duration};

/// Verifies webhooks of one sender's authorization: who sent one, by the authorization, the signature over the body, or
/// both, and from where.
///
/// All that is configured has to hold. Where authorization and signature each name a sender, they have to name the same.
/// An axum handler behind `VerifyLayer` takes the [`Delivery`] as `Authenticated<Delivery<P>>`.
///
/// | answer | when |
/// |---|---|
/// | 200 | the delivery was handled before ([`once`](Self::once)) |
/// | 400 | the request is malformed |
/// | 401 | credentials or signature are missing or wrong |
/// | 403 | the address is not on the list |
/// | 413 | the body is larger than the limit |
/// | 503 | the delivery is being handled, or a store cannot tell |
///
/// A sender that keeps to the plan of Webex Connect comes back after 401, 403, 413 and 503, and never after 400.
///
/// ```
/// use auth_core::{ConnectionId, MemoryReplayStore, SystemClock, TenantId};
/// use auth_webhook::{BodySignatureVerifier, BodyVerifyingKey, Secret, SignatureForm, WebhookReceiver};
/// let form = SignatureForm::HubSignature { algorithm: Default::default() };
/// let key = BodyVerifyingKey::read(&form, &Secret::from("hub secret"))?;
/// let signature = BodySignatureVerifier::new(form, auth_core::Candidates::one(key, "webex"))?;
/// let connection = ConnectionId::new(TenantId::new("acme"), "receipts");
/// let door = WebhookReceiver::signed(connection, signature).once(MemoryReplayStore::new(SystemClock));
/// # let _ = door;
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct WebhookReceiver<P> {
    proof: Box<dyn Verifier<Principal = Proven<P>>>,
    connection: ConnectionId,
    addresses: Option<AddressList>,
    clock: Arc<dyn Clock>,
    most_bytes: usize,
    is_signed: bool,
}

/// The sender of a delivery, and what its signature covers.
struct Proven<P> {
    sender: P,
    id: Option<DeliveryId>,
    sent_at: Option<Timestamp>,
}

/// A verified delivery: the principal of webhooks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delivery<P> {
    /// The sender, as the keys and accounts of the receiver name it.
    pub sender: P,
    /// Its id, where the signature covers one.
    pub id: Option<DeliveryId>,
    /// When it was sent, where the signature covers that.
    pub sent_at: Option<Timestamp>,
    /// What tells this delivery from every other: see [`unique`](Self::unique).
    unique: Unique,
}

impl<P> Delivery<P> {
    /// What tells this delivery from every other of the same connection, for an inbox in the handler's own transaction: the
    /// id where the signature covers it, else the hash of the body.
    ///
    /// # Security
    ///
    /// An id that is not signed tells nothing: whoever has captured a delivery sends it again under another id, or under
    /// none. So two deliveries with the same body are one where no id is signed.
    #[must_use]
    pub const fn unique(&self) -> &Unique {
        &self.unique
    }
}

const ELSEWHERE: Reason =
    Reason::new("webhook_address", "client address is not on the list of the sender");
const NOWHERE: Reason = Reason::new(
    "webhook_address_unknown",
    "client address is unknown and there is a list: the server has to know its connections, and behind a proxy which field it writes",
);
const SENDERS: Reason =
    Reason::new("webhook_senders_differ", "authorization and signature name different senders");

impl<P> WebhookReceiver<P>
where
    P: Clone + PartialEq + Send + Sync + 'static,
{
    /// How long a delivery is remembered: longer than the longest plan of repetitions, that of Standard Webhooks (75 h 35 min).
    pub const REMEMBERED: Duration = Duration::from_secs(80 * 3600);

    /// A body may have so many bytes, unless another limit was set.
    pub const MOST_BODY_BYTES: usize = 1024 * 1024;

    /// Verifies deliveries of this connection by their authorization, such as an
    /// [`InboundVerifier`](crate::InboundVerifier).
    pub fn authorized(
        connection: ConnectionId,
        authorization: impl Verifier<Principal = P> + 'static,
    ) -> Self {
        let proof = authorization.map(|sender| Proven { sender, id: None, sent_at: None });
        Self::over(connection, Box::new(proof), false)
    }

    /// Verifies deliveries of this connection by the signature over their body.
    #[must_use]
    pub fn signed(connection: ConnectionId, signature: BodySignatureVerifier<P>) -> Self {
        let proof = signature.map(|signed| Proven {
            sender: signed.sender,
            id: signed.id,
            sent_at: signed.sent_at,
        });
        Self::over(connection, Box::new(proof), true)
    }

    /// Verifies both.
    pub fn authorized_and_signed(
        connection: ConnectionId,
        authorization: impl Verifier<Principal = P> + 'static,
        signature: BodySignatureVerifier<P>,
    ) -> Self {
        let both = AllOf(authorization, signature).check(|(sender, signed), _| {
            let is_same = *sender == signed.sender;
            Flow::ready(if is_same { Ok(()) } else { Err(Rejection::forbidden(SENDERS)) })
        });
        let proof =
            both.map(|(sender, signed)| Proven { sender, id: signed.id, sent_at: signed.sent_at });
        Self::over(connection, Box::new(proof), true)
    }

    fn over(
        connection: ConnectionId,
        proof: Box<dyn Verifier<Principal = Proven<P>>>,
        is_signed: bool,
    ) -> Self {
        let (clock, most_bytes) = (Arc::new(SystemClock), Self::MOST_BODY_BYTES);
        Self { proof, connection, addresses: None, clock, most_bytes, is_signed }
    }

    fn is_from_elsewhere(&self, head: RequestView<'_>) -> bool {
        let address = head.peer.address;
        let is_on = |list: &AddressList| address.is_some_and(|address| list.contains(address));
        self.addresses.as_ref().is_some_and(|list| !is_on(list))
    }

    /// Takes deliveries from these addresses alone. The address is that which the server layer knows, behind the proxies
    /// that it trusts; an unknown one is on no list.
    #[must_use]
    pub fn with_addresses(self, addresses: AddressList) -> Self {
        Self { addresses: Some(addresses), ..self }
    }

    /// Reads bodies of at most so many bytes, whatever the signature's verifier was told. The server layer has a limit of
    /// its own (`VerifyLayer::with_buffer_limit` of auth-tower), and so may the handler's extractor.
    #[must_use]
    pub fn with_most_body_bytes(self, bytes: usize) -> Self {
        Self { most_bytes: bytes, ..self }
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Holds repetitions back: see [`OncePerDelivery`].
    pub fn once(self, store: impl ReplayStore + 'static) -> OncePerDelivery<P> {
        OncePerDelivery::new(self, store)
    }

    fn delivery(&self, proven: Proven<P>, body: &[u8]) -> Delivery<P> {
        let Proven { sender, id, sent_at } = proven;
        let hash;
        let told = match &id {
            Some(id) => id.as_str().as_bytes(),
            None => {
                hash = digest::digest(&digest::SHA256, body);
                hash.as_ref()
            }
        };
        let ConnectionId { tenant, authorization, .. } = &self.connection;
        let last = self.clock.now().after(Self::REMEMBERED);
        let unique =
            Unique::new(SCHEME, authorization.as_bytes(), told, last).with_tenant(tenant.clone());
        Delivery { sender, id, sent_at, unique }
    }
}

const SCHEME: &str = "webhook";

fn unread<'a, T>() -> Flow<'a, T> {
    let text = "body was not read and tells one delivery from another; ask the receiver through a layer that asks needs()";
    Flow::failed(Error::config("webhook_unread_body", text))
}

impl<P> Verifier for WebhookReceiver<P>
where
    P: Clone + PartialEq + Send + Sync + 'static,
{
    type Principal = Delivery<P>;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        self.proof.presence(head)
    }

    /// The body tells one delivery from another. None is read for a request that is refused without it: from an address
    /// that is not on the list, or without a signature that could be judged.
    fn needs(&self, head: RequestView<'_>) -> Need {
        if self.is_from_elsewhere(head) {
            return Need::Nothing;
        }
        match self.proof.needs(head) {
            Need::Bytes { .. } => Need::Bytes { limit: self.most_bytes },
            _ if self.is_signed => Need::Nothing,
            _ => Need::Bytes { limit: self.most_bytes },
        }
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<Delivery<P>>> {
        // Before anything is read of a stranger, or computed.
        if self.is_from_elsewhere(request) {
            let reason = if request.peer.address.is_some() { ELSEWHERE } else { NOWHERE };
            return Flow::ready(Err(Rejection::forbidden(reason)));
        }
        let Body::Bytes(body) = request.body else {
            let is_read = matches!(self.presence(request), Presence::Present)
                && !matches!(self.needs(request), Need::Nothing);
            return if is_read {
                unread()
            } else {
                self.proof.verify(request).and_then(|outcome| match outcome {
                    Ok(_) => unread(),
                    Err(rejection) => Flow::ready(Err(rejection)),
                })
            };
        };
        let judged = self.proof.verify(request);
        judged.map(move |outcome| {
            outcome.map(|accepted| accepted.map(|proven| self.delivery(proven, body)))
        })
    }
}

impl<P> fmt::Debug for WebhookReceiver<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookReceiver({:?})", self.connection)
    }
}
