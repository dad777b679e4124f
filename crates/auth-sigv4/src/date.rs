//! Dates as AWS writes them.

use auth_core::Timestamp;
use std::fmt;

/// A moment as `x-amz-date` has it: `20150830T123600Z`, ISO 8601 in its basic form, to the second, in UTC.
///
/// ```
/// use auth_core::Timestamp;
/// use auth_sigv4::AmzDate;
/// let date = AmzDate::from(Timestamp::from_unix(1_440_938_160));
/// assert_eq!(date.as_str(), "20150830T123600Z");
/// assert_eq!(date.day(), "20150830");
/// assert_eq!(AmzDate::parse("20150830T123600Z").unwrap().timestamp().unix(), 1_440_938_160);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AmzDate {
    text: [u8; 16],
    unix: u64,
}

impl AmzDate {
    /// Reads a date; `None` unless it is one of the calendar, in exactly this form, from 1970 on.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text: [u8; 16] = text.as_bytes().try_into().ok()?;
        let [y0, y1, y2, y3, m0, m1, d0, d1, b'T', h0, h1, i0, i1, s0, s1, b'Z'] = text else {
            return None;
        };
        let year = number(&[y0, y1, y2, y3])?;
        let (month, day) = (number(&[m0, m1])?, number(&[d0, d1])?);
        let (hour, minute, second) = (number(&[h0, h1])?, number(&[i0, i1])?, number(&[s0, s1])?);
        if year < 1970 || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let days = days_of(year, month, day)?;
        Some(Self { text, unix: days * 86_400 + hour * 3600 + minute * 60 + second })
    }

    /// The whole date.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// The first eight digits: the day of a credential scope.
    #[must_use]
    pub fn day(&self) -> &str {
        self.as_str().get(..8).unwrap_or_default()
    }

    /// The moment.
    #[must_use]
    pub const fn timestamp(&self) -> Timestamp {
        Timestamp::from_unix(self.unix)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 16] {
        &self.text
    }
}

/// Whole seconds, rounded down. There is none after the year 9999: the last second of it stands for what is later.
impl From<Timestamp> for AmzDate {
    fn from(moment: Timestamp) -> Self {
        let unix = moment.unix().min(253_402_300_799);
        let (year, month, day) = date_of(unix / 86_400);
        let second = unix % 86_400;
        let mut text = *b"00000000T000000Z";
        let fields = [
            (0, 4, year),
            (4, 2, month),
            (6, 2, day),
            (9, 2, second / 3600),
            (11, 2, second / 60 % 60),
            (13, 2, second % 60),
        ];
        for (start, width, value) in fields {
            let mut left = value;
            for digit in text.iter_mut().skip(start).take(width).rev() {
                *digit = b'0' + u8::try_from(left % 10).unwrap_or_default();
                left /= 10;
            }
        }
        Self { text, unix }
    }
}

impl fmt::Debug for AmzDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Decimal digits and nothing else.
fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |value, digit| {
        digit.is_ascii_digit().then(|| value * 10 + u64::from(digit - b'0'))
    })
}

/// Days since 1970-01-01, in the calendar that repeats every 400 years and begins its years in March.
fn days_of(year: u64, month: u64, day: u64) -> Option<u64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u64::from(leap),
        _ => return None,
    };
    if day == 0 || day > longest {
        return None;
    }
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let before = year * 365 + year / 4 - year / 100 + year / 400;
    (before + (month * 153 + 2) / 5 + day - 1).checked_sub(719_468)
}

/// The year, month and day of a day since 1970-01-01.
const fn date_of(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, in_era) = (shifted / 146_097, shifted % 146_097);
    let in_era_years = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (in_era_years * 365 + in_era_years / 4 - in_era_years / 100);
    let month = (in_year * 5 + 2) / 153;
    let day = in_year - (month * 153 + 2) / 5 + 1;
    let year = era * 400 + in_era_years;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, unix: u64) {
        assert_eq!(AmzDate::from(Timestamp::from_unix(unix)).as_str(), text);
        assert_eq!(AmzDate::parse(text).map(|date| date.timestamp().unix()), Some(unix));
    }

    #[test]
    fn dates_of_the_calendar() {
        check("19700101T000000Z", 0);
        check("20000229T235959Z", 951_868_799);
        check("20150830T123600Z", 1_440_938_160);
        check("21000301T000000Z", 4_107_542_400);
        check("99991231T235959Z", 253_402_300_799);
        let later = AmzDate::from(Timestamp::from_unix(u64::MAX));
        assert_eq!(later.as_str(), "99991231T235959Z");
    }

    /// Every day of 150 years is the one after the day before, there and back.
    #[test]
    fn days_follow_each_other() {
        for day in 0..150 * 366_u64 {
            let date = AmzDate::from(Timestamp::from_unix(day * 86_400 + 1));
            assert_eq!(AmzDate::parse(date.as_str()), Some(date));
            assert_eq!(date.timestamp().unix(), day * 86_400 + 1);
        }
    }

    #[test]
    fn nothing_else_is_a_date() {
        for text in [
            "",
            "20150830",
            "20150830T123600",
            "20150830t123600z",
            "2015-08-30T12:36:00Z",
            "20150230T000000Z",
            "20150001T000000Z",
            "20151301T000000Z",
            "20150100T000000Z",
            "20150132T000000Z",
            "20150101T240000Z",
            "20150101T006000Z",
            "20150101T000060Z",
            "19691231T235959Z",
            "21000229T000000Z",
            "+0150830T123600Z",
            "2015083\u{661}T12360Z",
        ] {
            assert!(AmzDate::parse(text).is_none(), "{text}");
        }
    }
}
