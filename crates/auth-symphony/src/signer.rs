//! What signs the tokens of log-ins.

use auth_core::{Clock, Result, Timestamp};
use auth_jwt::{ClaimsToSign, SignedJwt, SigningKey, profiles::symphony_login_claims};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Signs a token for each log-in of one bot or app.
///
/// A token has no id, and RSA signs alike what is alike: what would be a log-in of the same second as the one before ends a
/// second later than that. So a log-in whose answer was lost is another one when it is tried again, and a server that takes
/// each token once takes both.
pub(crate) struct Signer {
    key: SigningKey,
    claims: ClaimsToSign,
    clock: Arc<dyn Clock>,
    /// The second as of which the last one was signed.
    last: AtomicU64,
}

/// No token is signed as of more seconds ahead: they end in 290 seconds then, of the 300 that a pod allows.
const MOST_AHEAD: u64 = 50;

impl Signer {
    pub(crate) fn new(name: &str, key: &SigningKey, clock: &Arc<dyn Clock>) -> Self {
        let (key, clock) = (key.clone(), Arc::clone(clock));
        Self { key, claims: symphony_login_claims(name), clock, last: AtomicU64::new(0) }
    }

    /// Signs one, as of now or of some seconds later.
    pub(crate) fn sign(&self) -> Result<SignedJwt> {
        let now = self.clock.now().unix();
        let mut at = now;
        // What the closure returns is what is stored: this never fails.
        let _ = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
            at = next(last, now);
            Some(at)
        });
        self.claims.sign(&self.key, Timestamp::from_unix(at), None)
    }
}

const fn next(last: u64, now: u64) -> u64 {
    let next = last.saturating_add(1);
    if next > now && next <= now.saturating_add(MOST_AHEAD) { next } else { now }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_of_one_second_unless_there_are_too_many_or_the_clock_is_set_back() {
        let check = |last, now, expected| assert_eq!(next(last, now), expected, "{last} {now}");
        check(0, 1000, 1000);
        check(999, 1000, 1000);
        check(1000, 1000, 1001);
        check(1049, 1000, 1050);
        check(1050, 1000, 1000);
        check(1010, 1001, 1011);
        check(9000, 1000, 1000);
        check(u64::MAX, 1000, 1000);
    }
}
