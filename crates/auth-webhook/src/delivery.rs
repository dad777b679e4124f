//! Sending webhooks: attempts, pauses, and what came of them.

mod deadline;
mod plan;
mod report;

pub(crate) use deadline::within;
pub use plan::{DeliveryPlan, RetryPauses};
pub use report::{DeliveryAttempt, DeliveryEnd, DeliveryOutcome, DeliveryReport};

use crate::{
    AuthorizationSet, Chosen, SignableDelivery, TenantAuthorizations, set::late,
    signature::is_form_type,
};
use auth_core::{Error, Event, Exchange, Flow, Result, TenantId, Timestamp, send};
use http::{HeaderValue, Method, Request, StatusCode, header};
use std::{fmt, sync::Arc};

/// Sends webhooks as a [`DeliveryPlan`] says: each attempt under the authorization that is there at that moment, and signed
/// anew.
///
/// It is a loop over a transport and no queue: it tells what came of a delivery, and the program, which has the delivery,
/// decides what becomes of it. [`attempt`](Self::attempt) makes one attempt, for programs with a queue of their own.
///
/// ```
/// # use auth_core::{TenantId, Transport};
/// # use auth_webhook::{AuthorizationSet, Subscription, WebhookUrl};
/// use auth_webhook::{DeliveryEnd, DeliveryPlan, WebhookDelivery, WebhookSender};
/// # use std::sync::Arc;
/// # fn example(set: AuthorizationSet, acme: TenantId) -> auth_core::Result<()> {
/// let sender = WebhookSender::new(&set, DeliveryPlan::default());
/// let delivery = WebhookDelivery::json("4711", r#"{"event":"delivered"}"#);
/// let report = sender.deliver(&acme, "receipts", delivery).wait()?;
/// assert_eq!(report.end, DeliveryEnd::Delivered);
/// # Ok(()) }
/// # let transport: Arc<dyn Transport> = Arc::new(auth_testing::ScriptedTransport::new(|_| Ok(http::Response::new(Vec::new()))));
/// # let set = AuthorizationSet::builder(transport).build().unwrap();
/// # let acme = TenantId::new("acme");
/// # set.of_tenant(&acme).subscribe("receipts", Subscription::webhook(WebhookUrl::parse("https://hooks.example").unwrap())).unwrap();
/// # example(set, acme).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct WebhookSender {
    set: AuthorizationSet,
    plan: DeliveryPlan,
}

/// What is delivered.
#[derive(Clone)]
pub struct WebhookDelivery {
    id: Arc<str>,
    content_type: HeaderValue,
    body: Arc<[u8]>,
    spent: u32,
}

impl WebhookDelivery {
    /// A body of this media type, under an id that all attempts share. The id has no dot and no blank.
    pub fn new(id: &str, content_type: HeaderValue, body: impl Into<Vec<u8>>) -> Self {
        Self { id: id.into(), content_type, body: body.into().into(), spent: 0 }
    }

    /// A body of JSON.
    pub fn json(id: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new(id, HeaderValue::from_static("application/json"), body)
    }

    /// A body of a form.
    pub fn form(id: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new(id, HeaderValue::from_static(FORM), body)
    }

    /// Of its attempts so many were made before: for a delivery that was held, or that outlived its process.
    #[must_use]
    pub fn with_attempts_spent(self, attempts: u32) -> Self {
        Self { spent: attempts, ..self }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

impl WebhookSender {
    /// A sender for the tenants of a set.
    #[must_use]
    pub fn new(set: &AuthorizationSet, plan: DeliveryPlan) -> Self {
        Self { set: set.clone(), plan }
    }

    /// Attempts a delivery until it is taken, or the plan is at its end.
    ///
    /// A delivery for which there are no credentials is held: it spends no attempt, and the report says why and when to try
    /// again.
    ///
    /// # Errors
    ///
    /// `Error::Config` with `webhook_subscription_unknown`, and where the body cannot be signed. What a receiver or an
    /// authorization server does is in the report.
    pub fn deliver(
        &self,
        tenant: &TenantId,
        subscription: &str,
        delivery: WebhookDelivery,
    ) -> Flow<'static, DeliveryReport> {
        let (sender, of, subscription) =
            (self.clone(), self.set.of_tenant(tenant), subscription.to_owned());
        Flow::new(async move {
            let mut attempts = Vec::new();
            let mut spent = delivery.spent;
            loop {
                let (attempt, chosen) =
                    sender.attempt_once(&of, &subscription, &delivery, spent).await?;
                let outcome = attempt.outcome.clone();
                attempts.push(attempt);
                let end = match outcome {
                    DeliveryOutcome::Delivered => DeliveryEnd::Delivered,
                    DeliveryOutcome::Ended => DeliveryEnd::Ended,
                    DeliveryOutcome::NoToken(error) => DeliveryEnd::Held(error),
                    DeliveryOutcome::Refused | DeliveryOutcome::NotReached(_) => {
                        spent = spent.saturating_add(1);
                        match (sender.plan.pause_after(spent), chosen) {
                            (Some(pause), Some(chosen)) => {
                                match chosen.transport().pause(pause).await {
                                    Ok(()) => continue,
                                    // The attempts that were made are not forgotten for it.
                                    Err(error) => DeliveryEnd::Held(error),
                                }
                            }
                            _ => DeliveryEnd::Exhausted,
                        }
                    }
                };
                return Ok(DeliveryReport { attempts, end, spent });
            }
        })
    }

    /// Makes one attempt.
    ///
    /// # Errors
    ///
    /// Those of [`deliver`](Self::deliver).
    pub fn attempt(
        &self,
        tenant: &TenantId,
        subscription: &str,
        delivery: WebhookDelivery,
    ) -> Flow<'static, DeliveryAttempt> {
        let (sender, of, subscription) =
            (self.clone(), self.set.of_tenant(tenant), subscription.to_owned());
        Flow::new(async move {
            let made = sender.attempt_once(&of, &subscription, &delivery, delivery.spent).await;
            made.map(|(attempt, _)| attempt)
        })
    }

    async fn attempt_once(
        &self,
        of: &TenantAuthorizations,
        subscription: &str,
        delivery: &WebhookDelivery,
        spent: u32,
    ) -> Result<(DeliveryAttempt, Option<Chosen>)> {
        let slot = of.find(subscription, &delivery.id)?.slot;
        let context = of.context(None)?;
        let begun = context.clock.steady();
        let mut attempt = DeliveryAttempt::new(spent, slot, silent());
        let mut kept = None;
        let tried = delivery.tried(of, subscription, context.clock.now(), &mut kept);
        let deadline = self.plan.deadline();
        let tried = within(&*context.transport, deadline, Flow::new(tried)).await.transpose()?;
        let without = kept.as_ref().and_then(Chosen::credentials_error);
        (attempt.status, attempt.outcome) = match (tried, without) {
            (_, Some(error)) | (Some(Tried::Without(error)), _) => {
                (None, DeliveryOutcome::NoToken(error))
            }
            (Some(Tried::Sent(Ok(status))), None) => (Some(status), DeliveryOutcome::of(status)),
            (Some(Tried::Sent(Err(Error::Refused(_)))), None) => (None, DeliveryOutcome::Refused),
            (Some(Tried::Sent(Err(error))), None) => (None, DeliveryOutcome::NotReached(error)),
            (None, None) if kept.is_none() => {
                let text = "a secret source did not answer in time; try again later";
                (None, DeliveryOutcome::NoToken(late(text)))
            }
            (None, None) => (None, silent()),
        };
        if let Some(chosen) = &kept {
            attempt.authorization = chosen.authorization().map(Arc::from);
            attempt.slot = chosen.slot();
        }
        attempt.took = context.clock.steady().saturating_duration_since(begun);
        attempt.tell(of, subscription);
        Ok((attempt, kept))
    }
}

/// Until an answer is there, or something else is known.
fn silent() -> DeliveryOutcome {
    let text = "receiver did not answer before the deadline of the attempt";
    DeliveryOutcome::NotReached(Error::transport("webhook_receiver_silent", text))
}

/// What came of sending something once.
pub(crate) enum Tried {
    /// There was nothing to send it under.
    Without(Error),
    /// It was sent, or its credentials were not there: see [`Chosen::credentials_error`].
    Sent(Result<StatusCode>),
}

impl WebhookDelivery {
    /// Sends it once, from the secrets to the answer. What it was sent under is in `kept`, even where nobody waits for the
    /// answer any more.
    ///
    /// # Errors
    ///
    /// When it cannot be signed.
    pub(crate) async fn tried(
        &self,
        of: &TenantAuthorizations,
        subscription: &str,
        now: Timestamp,
        kept: &mut Option<Chosen>,
    ) -> Result<Tried> {
        let chosen = match of.choose(subscription, &self.id).await {
            Ok(chosen) => &*kept.insert(chosen),
            Err(error) => return Ok(Tried::Without(error)),
        };
        let exchange =
            Exchange::new(self.request(chosen, now)?).with_answer_limit(MOST_ANSWER_BYTES);
        let sent = send(chosen.transport(), chosen, exchange).await;
        Ok(Tried::Sent(sent.map(|answer| answer.status())))
    }

    pub(crate) fn request(&self, chosen: &Chosen, now: Timestamp) -> Result<Request<Vec<u8>>> {
        let mut request = Request::new(self.body.to_vec());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = chosen.subscription().url.uri()?;
        let mut fields = chosen.fields().clone();
        fields.insert(header::CONTENT_TYPE, self.content_type.clone());
        if let Some(signer) = chosen.subscription().signer() {
            let signable = SignableDelivery::new(&self.id, now, request.uri(), &self.body);
            let is_form = is_form_type(&self.content_type);
            fields.extend(signer.sign(if is_form { signable.of_form() } else { signable })?);
        }
        *request.headers_mut() = fields;
        Ok(request)
    }
}

/// Nothing of an answer but its status is used.
const MOST_ANSWER_BYTES: usize = 64 * 1024;

impl DeliveryAttempt {
    fn tell(&self, of: &TenantAuthorizations, subscription: &str) {
        let error = match &self.outcome {
            DeliveryOutcome::NoToken(error) | DeliveryOutcome::NotReached(error) => Some(error),
            _ => None,
        };
        of.observe(Event::WebhookAttempted {
            tenant: of.tenant(),
            subscription,
            slot: self.slot.as_str(),
            outcome: self.outcome.as_str(),
            status: self.status,
            error,
        });
    }
}

/// Shows the id, and nothing of the body.
impl fmt::Debug for WebhookDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookDelivery({:?})", self.id)
    }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
