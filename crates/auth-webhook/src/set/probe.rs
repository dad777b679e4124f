//! A whole authorization tried against its receiver, without live data.

use super::TenantAuthorizations;
use crate::{
    DeliveryPlan, WebhookDelivery,
    delivery::{Tried, within},
};
use auth_core::{AttemptKey, AttemptOutcome, Error, Flow, Result};
use http::StatusCode;

/// What came of a probe: no more than what its tenant may learn of a network that is not its own.
///
/// # Security
///
/// A receiver that is blocked, one that refuses the connection and one that does not answer in time look alike, and
/// nothing of an answer is shown: else the probe would tell a tenant what stands behind an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// The receiver answered with success (2xx).
    Accepted,
    /// It does not take these credentials (401, 403).
    Refused,
    /// There are no credentials to send: no token could be obtained, or a secret source gave nothing.
    NoToken,
    /// No answer came.
    NotReached,
    /// It answered something else.
    OtherAnswer,
}

impl TenantAuthorizations {
    /// Sends an empty JSON object to the receiver of a subscription, under its whole authorization: token, challenge,
    /// signature, client certificate and header fields are those of a delivery whose id is `probe`. It takes ten seconds
    /// at most.
    ///
    /// # Errors
    ///
    /// `Error::Config` with `webhook_subscription_unknown`; `Error::Unavailable` with `webhook_probe_limit` when the tenant
    /// has probed too often; those of a body that cannot be signed.
    pub fn probe(&self, subscription: &str) -> Flow<'static, ProbeOutcome> {
        let found = self.find(subscription, "probe").map(drop);
        let (of, subscription) = (self.clone(), subscription.to_owned());
        Flow::new(async move {
            found?;
            of.may_probe().await?;
            let context = of.context(None)?;
            let (delivery, mut kept) = (WebhookDelivery::json("probe", "{}"), None);
            let tried = delivery.tried(&of, &subscription, context.clock.now(), &mut kept);
            let deadline = DeliveryPlan::default().deadline();
            let tried = within(&*context.transport, deadline, Flow::new(tried)).await;
            let is_without =
                kept.as_ref().is_none_or(|chosen| chosen.credentials_error().is_some());
            Ok(match tried.transpose()? {
                _ if is_without => ProbeOutcome::NoToken,
                Some(Tried::Sent(answered)) => outcome(answered),
                Some(Tried::Without(_)) => ProbeOutcome::NoToken,
                None => ProbeOutcome::NotReached,
            })
        })
    }

    async fn may_probe(&self) -> Result<()> {
        let key = AttemptKey::new(Some(&self.tenant), "probe", None, Some(b"probe"));
        match self.set.probes.may_try(key).await? {
            Ok(()) => {
                self.set.probes.note(key, AttemptOutcome::Wrong);
                Ok(())
            }
            Err(wait) => {
                let text = "this tenant has probed too often; try again later";
                Err(Error::unavailable("webhook_probe_limit", Some(wait), text))
            }
        }
    }
}

fn outcome(answered: Result<StatusCode>) -> ProbeOutcome {
    match answered {
        Ok(status) if status.is_success() => ProbeOutcome::Accepted,
        Ok(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) | Err(Error::Refused(_)) => {
            ProbeOutcome::Refused
        }
        Ok(_) | Err(Error::Protocol(_)) => ProbeOutcome::OtherAnswer,
        Err(_) => ProbeOutcome::NotReached,
    }
}
