//! Dates as the vendor writes them: `2023-09-01T10:00:00`, `...988+00:00`, `...988+0000`.

use auth_core::Timestamp;
use std::time::Duration;
use time::{
    OffsetDateTime, PrimitiveDateTime, format_description::BorrowedFormatItem,
    macros::format_description,
};

const SECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");

/// How many characters a date without a fraction and a zone has.
const SECONDS_LENGTH: usize = 19;

/// The moment of a date in any of the three forms. One without a zone is UTC.
pub(in crate::infobip) fn parse(text: &str) -> Option<Timestamp> {
    let (seconds, rest) = text.split_at_checked(SECONDS_LENGTH)?;
    let moment = PrimitiveDateTime::parse(seconds, SECONDS).ok()?.assume_utc().unix_timestamp();
    let (nanoseconds, zone) = match rest.strip_prefix('.') {
        None => (0, rest),
        Some(rest) => {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (fraction, zone) = rest.split_at_checked(digits)?;
            (fraction_in_nanoseconds(fraction)?, zone)
        }
    };
    let moment = u64::try_from(moment.checked_sub(offset(zone)?)?).ok()?;
    Some(Timestamp::from_unix(moment).after(Duration::from_nanos(nanoseconds)))
}

fn fraction_in_nanoseconds(digits: &str) -> Option<u64> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    format!("{digits:0<9}").parse().ok()
}

/// Seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z") {
        return Some(0);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
    let number = |text: &str, most: i64| {
        let is_two_digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|number| is_two_digits && *number <= most)
    };
    Some(sign * (number(hours, 23)? * 3600 + number(minutes, 59)? * 60))
}

/// The date in the form without a zone, in whole seconds; `None` after the year 9999.
pub(in crate::infobip) fn format(moment: Timestamp) -> Option<String> {
    let seconds = i64::try_from(moment.unix()).ok()?;
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(SECONDS).ok()
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
            "2023-02-29T10:00:00",
            "2023-09-01T24:00:00",
            "2023-09-01T10:00:00.",
            "2023-09-01T10:00:00.1234567890",
            "2023-09-01T10:00:00+",
            "2023-09-01T10:00:00+1",
            "2023-09-01T10:00:00+24:00",
            "2023-09-01T10:00:00+00:60",
            "2023-09-01T10:00:00+00:000",
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
        for seconds in [0, 951_782_400, 1_693_562_400, 253_402_300_799] {
            let moment = Timestamp::from_unix(seconds);
            assert_eq!(parse(&format(moment).unwrap()), Some(moment));
        }
        assert_eq!(format(Timestamp::from_unix(1_693_562_400)).unwrap(), "2023-09-01T10:00:00");
        assert_eq!(format(Timestamp::from_unix(u64::MAX)), None);
    }
}
