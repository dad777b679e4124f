//! Dates as the platform writes them: `2023-09-01T10:00:00`, `...988+00:00`, `...988+0000`.

use auth_core::Timestamp;
use jiff::{SignedDuration, civil::DateTime};
use std::time::Duration;

/// The moment of a date in any of the three forms, from 1970 on. One without a zone is UTC.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let (local, zone) = local_and_zone(text)?;
    let since = match zone {
        // A `Timestamp` of jiff ends before the year 9999 does, and a `DateTime` with it.
        "" | "Z" | "+00:00" | "+0000" => local.parse::<DateTime>().ok()?.duration_since(EPOCH),
        _ => text.parse::<jiff::Timestamp>().ok()?.duration_since(jiff::Timestamp::UNIX_EPOCH),
    };
    Some(Timestamp::default().after(Duration::try_from(since).ok()?))
}

/// The date in the form without a zone, in whole seconds; `None` after the year 9999.
pub(super) fn format(moment: Timestamp) -> Option<String> {
    let since = SignedDuration::from_secs(i64::try_from(moment.unix()).ok()?);
    Some(EPOCH.checked_add(since).ok()?.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// The two parts of a date. All other forms of ISO 8601 are none of the platform's: without seconds, with the name of a zone.
fn local_and_zone(text: &str) -> Option<(&str, &str)> {
    let zone =
        text.get(SECONDS.len()..)?.trim_start_matches(|it: char| it == '.' || it.is_ascii_digit());
    let local = text.strip_suffix(zone)?;
    let hours = zone.strip_prefix(['+', '-']);
    let is_zone = hours.is_some_and(|it| has_form(it, "00:00") || has_form(it, "0000"));
    let is_date = has_form(local.get(..SECONDS.len())?, SECONDS);
    (is_date && (is_zone || matches!(zone, "" | "Z"))).then_some((local, zone))
}

/// A date without a fraction and a zone, as [`has_form`] compares it.
const SECONDS: &str = "0000-00-00T00:00:00";

/// Has it a digit for each zero of the form, and is it the same elsewhere?
fn has_form(text: &str, form: &str) -> bool {
    let fits = |(it, of): (u8, u8)| if of == b'0' { it.is_ascii_digit() } else { it == of };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
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
        check("1970-01-01T00:00:00", Some(0));
        check("1970-01-01T00:00:00-01:00", Some(3_600_000));
    }

    /// What callers write who mean that a key has no end.
    #[test]
    fn the_last_second_of_the_year_9999_is_read_in_all_three_forms() {
        for zone in ["", "Z", "+00:00", ".000+0000"] {
            check(&format!("9999-12-31T23:59:59{zone}"), Some(253_402_300_799_000));
        }
        check("10000-01-01T00:00:00", None);
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
            "2023-09-01T10:00:00[America/New_York]",
            "2023-09-01T10:00:00Z[Europe/Paris]",
            "2023-09-01T10:00:00[u-ca=japanese]",
            "2023-09-01T10",
            "2023-09-01T1000",
            "2023-09-01T10:00",
            "2023-09-01T10:00:00,5",
            "2023-09-01T10:00:00+02",
            "2023-09-01T10:00:00+02:00:30",
            "1970-01-01T00:00:00+00:01",
            "1969-12-31T23:59:59",
            "2023-09-01T10:00:0\u{e9}",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for seconds in [0, 951_782_400, 1_693_562_400, 253_402_207_199, 253_402_300_799] {
            let moment = Timestamp::from_unix(seconds);
            assert_eq!(parse(&format(moment).unwrap()), Some(moment));
        }
        assert_eq!(format(Timestamp::from_unix(1_693_562_400)).unwrap(), "2023-09-01T10:00:00");
        assert_eq!(format(Timestamp::from_unix(253_402_300_800)), None);
        assert_eq!(format(Timestamp::from_unix(u64::MAX)), None);
    }
}
