//! Dates as the platform writes them: `2023-09-01T10:00:00`, `...988+00:00`, `...988+0000`.

use auth_core::Timestamp;
use jiff::{civil::DateTime, tz::TimeZone};
use std::time::Duration;

/// The moment of a date in any of the three forms, from 1970 on. One without a zone is UTC.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    if text.as_bytes().get(DAY_LENGTH) != Some(&b'T') {
        return None;
    }
    let moment: jiff::Timestamp = match text.parse() {
        Ok(moment) => moment,
        Err(_) => TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?,
    };
    let seconds = u64::try_from(moment.as_second()).ok()?;
    let nanoseconds = u64::try_from(moment.subsec_nanosecond()).ok()?;
    Some(Timestamp::from_unix(seconds).after(Duration::from_nanos(nanoseconds)))
}

/// How many characters a day has: other forms of ISO 8601 are none of the platform's.
const DAY_LENGTH: usize = 10;

/// The date in the form without a zone, in whole seconds; `None` after the year 9999.
pub(super) fn format(moment: Timestamp) -> Option<String> {
    let moment = jiff::Timestamp::from_second(i64::try_from(moment.unix()).ok()?).ok()?;
    Some(moment.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u64>) {
        let read = parse(text).map(|moment| moment.since_epoch().as_millis());
        assert_eq!(read, expected.map(u128::from), "{text}");
    }

    #[test]
    fn reads_all_three_forms() {
        check("2023-09-01T10:00:00", Some(1_693_562_400_000));
        check("2023-09-01T10:00:00.988+00:00", Some(1_693_562_400_988));
        check("2023-09-01T10:00:00.988+0000", Some(1_693_562_400_988));
        check("2023-09-01T10:00:00.988", Some(1_693_562_400_988));
        check("2023-09-01T10:00:00+0000", Some(1_693_562_400_000));
        check("2023-09-01T10:00:00Z", Some(1_693_562_400_000));
        check("2023-09-01T12:30:00+02:30", Some(1_693_562_400_000));
        check("2023-09-01T09:00:00-0100", Some(1_693_562_400_000));
        check("2024-02-29T00:00:00", Some(1_709_164_800_000));
    }

    #[test]
    fn what_is_no_such_date_is_none() {
        for text in [
            "",
            "2023-09-01",
            "2023-09-01 10:00:00",
            "20230901T100000",
            "2023-W35-5T10:00:00",
            "2023-02-29T10:00:00",
            "2023-09-01T24:00:00",
            "2023-09-01T10:00:00.",
            "2023-09-01T10:00:00.1234567890",
            "2023-09-01T10:00:00+",
            "2023-09-01T10:00:00+1",
            "2023-09-01T10:00:00+26:00",
            "2023-09-01T10:00:00+00:60",
            "2023-09-01T10:00:00+-1:00",
            "2023-09-01T10:00:00 UTC",
            "1969-12-31T23:59:59",
            "2023-09-01T10:00:0\u{e9}",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for seconds in [0, 951_782_400, 1_693_562_400, 253_402_207_199] {
            let moment = Timestamp::from_unix(seconds);
            assert_eq!(parse(&format(moment).unwrap()), Some(moment));
        }
        assert_eq!(format(Timestamp::from_unix(1_693_562_400)).unwrap(), "2023-09-01T10:00:00");
        assert_eq!(format(Timestamp::from_unix(u64::MAX)), None);
    }
}
