//! How long tokens live.

use auth_core::{Error, Result};
use std::time::Duration;

/// How long the sessions and key manager tokens of a pod live: from an hour to two weeks, as an administrator decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenLifetime(Duration);

impl TokenLifetime {
    const LEAST: Duration = Duration::from_secs(60 * 60);
    const MOST: Duration = Duration::from_secs(14 * 24 * 60 * 60);

    /// This long.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is shorter than an hour or longer than two weeks.
    pub fn new(lifetime: Duration) -> Result<Self> {
        if (Self::LEAST..=Self::MOST).contains(&lifetime) {
            return Ok(Self(lifetime));
        }
        let text = format!(
            "lifetime of tokens is {} s, expected from an hour (3600 s) to two weeks (1209600 s)",
            lifetime.as_secs()
        );
        Err(Error::config("symphony_token_lifetime", text))
    }

    /// The span.
    #[must_use]
    pub const fn span(self) -> Duration {
        self.0
    }
}

/// Two weeks.
impl Default for TokenLifetime {
    fn default() -> Self {
        Self(Self::MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lives_from_an_hour_to_two_weeks() {
        let (minute, day) = (Duration::from_secs(60), Duration::from_secs(24 * 60 * 60));
        for (span, is_good) in [
            (59 * minute, false),
            (60 * minute - Duration::from_nanos(1), false),
            (60 * minute, true),
            (14 * day, true),
            (14 * day + Duration::from_nanos(1), false),
            (15 * day, false),
        ] {
            let made = TokenLifetime::new(span);
            assert_eq!(made.map(TokenLifetime::span).ok(), is_good.then_some(span), "{span:?}");
        }
        assert_eq!(TokenLifetime::default().span(), 14 * day);
    }
}
