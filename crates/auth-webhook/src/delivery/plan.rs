//! How often a delivery is attempted, and when.

use auth_core::{Error, Result};
use std::time::Duration;

/// How long a receiver has for its answer, and after which pauses a delivery is attempted again.
///
/// The plan that Webex Connect documents, unless set: ten seconds, and three further attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryPlan {
    deadline: Duration,
    pauses: RetryPauses,
}

/// The pauses before the second, the third and the fourth attempt.
///
/// The documentation of Webex Connect has both: 60 s each time in the text on webhooks, and 30, 60 and 120 s in its answers
/// on mutual TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetryPauses {
    /// 60, 60 and 60 s: what the text on all webhooks says, and so the default.
    #[default]
    Even,
    /// 30, 60 and 120 s: a receiver that was gone for a moment is reached sooner, one that is down is asked less.
    Growing,
}

impl DeliveryPlan {
    /// With these pauses.
    #[must_use]
    pub const fn with_pauses(self, pauses: RetryPauses) -> Self {
        Self { pauses, ..self }
    }

    /// With another deadline for each attempt, token and challenge included.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is shorter than a second or longer than five minutes.
    pub fn with_deadline(self, deadline: Duration) -> Result<Self> {
        if (Duration::from_secs(1)..=Duration::from_secs(300)).contains(&deadline) {
            return Ok(Self { deadline, ..self });
        }
        let text = "deadline of a delivery is shorter than 1 s or longer than 300 s; the usual one is 10 s";
        Err(Error::config("webhook_deadline", text))
    }

    /// The pause after so many attempts; `None` after the last one.
    #[must_use]
    pub const fn pause_after(self, attempts: u32) -> Option<Duration> {
        let seconds = match (self.pauses, attempts) {
            (_, 0 | 4..) => return None,
            (RetryPauses::Even, _) | (RetryPauses::Growing, 2) => 60,
            (RetryPauses::Growing, 1) => 30,
            (RetryPauses::Growing, _) => 120,
        };
        Some(Duration::from_secs(seconds))
    }

    /// How long one attempt may take.
    #[must_use]
    pub const fn deadline(self) -> Duration {
        self.deadline
    }
}

impl Default for DeliveryPlan {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(10), pauses: RetryPauses::Even }
    }
}
