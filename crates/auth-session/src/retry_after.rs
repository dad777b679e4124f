//! The pause that a peer asks for.

use auth_core::Timestamp;
use http::{HeaderMap, header::RETRY_AFTER};
use std::time::{Duration, UNIX_EPOCH};

/// The pause that an answer asks for with `Retry-After`, in seconds or as a date (RFC 9110 section 10.2.3); `None` when
/// it asks for none that can be read.
///
/// For sources, which put it into an [`Error::Unavailable`](auth_core::Error::Unavailable): the
/// [`Session`](crate::Session) then asks the source again after this pause, of at least a second and at most an hour.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let said = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !said.is_empty() && said.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has are for ever.
        return Some(said.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let date = httpdate::parse_http_date(said).ok()?;
    let then = Timestamp::default().after(date.duration_since(UNIX_EPOCH).ok()?);
    Some(then.since(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[track_caller]
    fn check(said: &str, expected: Option<u64>) {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(said).unwrap())]);
        // Nine seconds before the date of RFC 9110 section 5.6.7.
        let now = Timestamp::from_unix(784_111_768);
        assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{said:?}");
    }

    #[test]
    fn reads_seconds_and_dates_and_nothing_else() {
        check("120", Some(120));
        check("0", Some(0));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(9));
        check("Sunday, 06-Nov-94 08:49:37 GMT", Some(9));
        check("Sun, 06 Nov 1994 08:49:00 GMT", Some(0));
        for nothing in ["", "+5", "-5", "1.5", "5 s", "soon"] {
            check(nothing, None);
        }
        assert_eq!(retry_after(&HeaderMap::new(), Timestamp::default()), None);
    }

    #[test]
    fn more_digits_than_a_number_has_are_for_ever() {
        let many = HeaderValue::from_static("99999999999999999999999");
        let headers = HeaderMap::from_iter([(RETRY_AFTER, many)]);
        assert_eq!(retry_after(&headers, Timestamp::default()), Some(Duration::MAX));
    }
}
