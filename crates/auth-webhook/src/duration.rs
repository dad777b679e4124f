//! Spans of time as configurations have them: `"90s"`, `"15m"`, `"2h"`, `"7d"`.

use serde::{Deserialize, Deserializer, Serializer, de};
use std::{borrow::Cow, time::Duration};

pub(crate) fn write(span: Duration) -> String {
    match span.as_millis() {
        whole if whole % 1000 == 0 => format!("{}s", span.as_secs()),
        milliseconds => format!("{milliseconds}ms"),
    }
}

fn read(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no span of time; write \"90s\", \"15m\", \"2h\" or \"7d\"");
    let digits = text.trim_end_matches(|unit: char| !unit.is_ascii_digit());
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let unit = match text.strip_prefix(digits) {
        Some("ms") => return Ok(Duration::from_millis(number)),
        Some("s") => 1,
        Some("m") => 60,
        Some("h") => 3600,
        Some("d") => 86_400,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).map(Duration::from_secs).ok_or_else(wrong)
}

/// For a field that may be left out.
pub(crate) mod optional {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        span: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match span {
            Some(span) => serializer.serialize_str(&write(*span)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let expected = |_| {
            de::Error::custom("a span of time is text such as \"90s\", \"15m\", \"2h\" or \"7d\"")
        };
        let text = Cow::<str>::deserialize(deserializer).map_err(expected)?;
        read(&text).map(Some).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(read(text).ok(), expected.map(Duration::from_millis));
    }

    #[test]
    fn a_span_has_a_number_and_a_unit() {
        check("90s", Some(90_000));
        check("15m", Some(900_000));
        check("2h", Some(7_200_000));
        check("7d", Some(604_800_000));
        check("250ms", Some(250));
        for wrong in ["", "s", "90", "-1s", "1.5s", "90 s", "90S", "1h30m", "99999999999999999999s"]
        {
            check(wrong, None);
        }
        check("9999999999999999999d", None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for milliseconds in [0, 1, 999, 1000, 90_000, 86_400_000] {
            let span = Duration::from_millis(milliseconds);
            assert_eq!(read(&write(span)), Ok(span));
        }
    }
}
