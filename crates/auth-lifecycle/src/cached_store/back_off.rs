//! When a store that did not answer is asked again.

use auth_core::Random;
use std::time::Duration;

/// Between half and all of a step. Steps double from the poll interval on, to two seconds: however long an outage was, it
/// is noticed so soon that it is over.
pub(super) fn step(poll_interval: Duration, failures: u32, drawn: f64) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    LONGEST_STEP.min(poll_interval.saturating_mul(doubled)).mul_f64(0.5 + 0.5 * drawn)
}

const LONGEST_STEP: Duration = Duration::from_secs(2);

/// A number from 0 to 1; the middle when there is no randomness.
pub(super) fn fraction(random: &dyn Random) -> f64 {
    let mut bytes = [0; 4];
    match random.fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}
