//! How old and how large a cache may be.

use auth_core::{Error, Result};
use std::time::Duration;

/// How often the log is polled, how old an answer may be, and how much memory is used.
///
/// ```
/// use auth_lifecycle::CacheSettings;
/// use std::time::Duration;
/// let settings = CacheSettings::default().with_poll_interval(Duration::from_millis(200));
/// assert_eq!(settings.staleness_bound(), Duration::from_secs(5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    pub(super) poll_interval: Duration,
    pub(super) staleness_bound: Duration,
    pub(super) most_bytes: usize,
}

impl CacheSettings {
    /// The least memory that a cache can be given.
    pub const LEAST_BYTES: usize = 1024 * 1024;

    /// A poll is due so long after the last one began; one second unless set.
    #[must_use]
    pub const fn with_poll_interval(mut self, span: Duration) -> Self {
        self.poll_interval = span;
        self
    }

    /// A credential that was revoked is accepted for less than this span afterwards; five seconds unless set.
    #[must_use]
    pub const fn with_staleness_bound(mut self, span: Duration) -> Self {
        self.staleness_bound = span;
        self
    }

    /// The most bytes that the cache holds, as memory counts them; 64 MiB unless set. A key is charged 192 bytes and the
    /// weight of its value. An eighth is for keys of which the store knows nothing.
    #[must_use]
    pub const fn with_most_bytes(mut self, bytes: usize) -> Self {
        self.most_bytes = bytes;
        self
    }

    /// A credential that was revoked is accepted for less than this span afterwards.
    #[must_use]
    pub const fn staleness_bound(&self) -> Duration {
        self.staleness_bound
    }

    /// A poll is due so long after the last one began.
    #[must_use]
    pub const fn poll_interval(&self) -> Duration {
        self.poll_interval
    }

    pub(super) fn check(self) -> Result<Self> {
        let Self { poll_interval, staleness_bound, most_bytes } = self;
        if poll_interval.is_zero() {
            let text = "poll_interval is zero, expected a span such as one second";
            return Err(Error::config("lifecycle_poll_interval", text));
        }
        if staleness_bound < poll_interval {
            let text = format!(
                "staleness_bound is {staleness_bound:?}, expected at least the poll_interval of {poll_interval:?}"
            );
            return Err(Error::config("lifecycle_staleness_bound", text));
        }
        if most_bytes < Self::LEAST_BYTES {
            let text =
                format!("most_bytes is {most_bytes}, expected at least {}", Self::LEAST_BYTES);
            return Err(Error::config("lifecycle_cache_bytes", text));
        }
        Ok(self)
    }
}

impl Default for CacheSettings {
    fn default() -> Self {
        let (poll_interval, staleness_bound) = (Duration::from_secs(1), Duration::from_secs(5));
        Self { poll_interval, staleness_bound, most_bytes: 64 * 1024 * 1024 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(settings: CacheSettings, expected: &str) {
        let code = settings.check().map_or_else(|error| error.code(), |_| "taken");
        assert_eq!(code, expected);
    }

    #[test]
    fn refuses_what_cannot_be_kept_and_names_the_field() {
        let (settings, second) = (CacheSettings::default(), Duration::from_secs(1));
        check(settings, "taken");
        check(settings.with_poll_interval(Duration::ZERO), "lifecycle_poll_interval");
        check(settings.with_staleness_bound(second), "taken");
        let shorter = second - Duration::from_nanos(1);
        check(settings.with_staleness_bound(shorter), "lifecycle_staleness_bound");
        check(settings.with_most_bytes(CacheSettings::LEAST_BYTES), "taken");
        check(settings.with_most_bytes(CacheSettings::LEAST_BYTES - 1), "lifecycle_cache_bytes");
        let text = settings.with_staleness_bound(shorter).check().unwrap_err().to_string();
        assert!(text.contains("staleness_bound") && text.contains("poll_interval"), "{text}");
    }
}
