//! What came of a delivery.

use crate::SlotName;
use auth_core::Error;
use http::StatusCode;
use std::{sync::Arc, time::Duration};

/// What came of a delivery, attempt by attempt.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeliveryReport {
    /// The attempts that were made now.
    pub attempts: Vec<DeliveryAttempt>,
    /// How it ended.
    pub end: DeliveryEnd,
    /// How many attempts failed and are spent, those before included: see
    /// [`with_attempts_spent`](crate::WebhookDelivery::with_attempts_spent).
    pub spent: u32,
}

/// How a delivery ended.
#[derive(Clone, Debug)]
pub enum DeliveryEnd {
    /// The receiver took it.
    Delivered,
    /// The receiver answered with a status after which it is not attempted again.
    Ended,
    /// The last attempt of the plan failed.
    Exhausted,
    /// There are no credentials now, or a pause could not be waited for, for this reason: deliver it again later. No
    /// attempt was spent for it.
    Held(Error),
}

/// One attempt.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeliveryAttempt {
    /// Which one it was, counted from one. One without credentials is not counted: the next has the same number.
    pub number: u32,
    /// The name of the authorization; `None` where nothing was added.
    pub authorization: Option<Arc<str>>,
    /// Which of its slots it was.
    pub slot: SlotName,
    /// What came of it.
    pub outcome: DeliveryOutcome,
    /// The status of the answer, if one came.
    pub status: Option<StatusCode>,
    /// How long it took, token and challenge included.
    pub took: Duration,
}

/// What came of one attempt.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DeliveryOutcome {
    /// 200.
    Delivered,
    /// A status that ends the delivery: 202 to 208, 226, 300 to 308, 400, 402, 404 to 411, 414 to 416, 418, 505.
    Ended,
    /// Any other status, 401 and 403 included: it is attempted again.
    Refused,
    /// No answer came, or none in time, for this reason.
    NotReached(Error),
    /// There were no credentials to send, for this reason.
    NoToken(Error),
}

impl DeliveryOutcome {
    /// What an answer of this status means, as Webex Connect documents it.
    #[must_use]
    pub fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            200 => Self::Delivered,
            202..=208 | 226 | 300..=308 | 400 | 402 | 404..=411 | 414..=416 | 418 | 505 => {
                Self::Ended
            }
            _ => Self::Refused,
        }
    }

    /// `delivered`, `ended`, `refused`, `not_reached` or `no_token`: for logs and metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Ended => "ended",
            Self::Refused => "refused",
            Self::NotReached(_) => "not_reached",
            Self::NoToken(_) => "no_token",
        }
    }
}

impl DeliveryAttempt {
    pub(super) const fn new(spent: u32, slot: SlotName, outcome: DeliveryOutcome) -> Self {
        Self {
            number: spent.saturating_add(1),
            authorization: None,
            slot,
            outcome,
            status: None,
            took: Duration::ZERO,
        }
    }
}

/// Two ends are equal when they are of one kind; of two that are held, when their errors have one code.
impl PartialEq for DeliveryEnd {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Held(one), Self::Held(two)) => one.code() == two.code(),
            (one, two) => std::mem::discriminant(one) == std::mem::discriminant(two),
        }
    }
}
