//! Numbers as they are written: no rounding that nobody asked for.

use std::time::Duration;

/// A number that was checked, in the digits of its sender.
#[derive(Clone, Copy)]
pub(crate) struct Number<'a>(&'a str);

impl<'a> Number<'a> {
    pub(super) const fn new(raw: &'a str) -> Self {
        Self(raw)
    }

    /// What is written.
    pub(crate) const fn raw(self) -> &'a str {
        self.0
    }

    /// Whether it is written as digits alone: no sign, no fraction, no exponent.
    pub(crate) fn is_digits(self) -> bool {
        self.0.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// The number as seconds since the epoch.
    pub(crate) fn moment(self) -> Moment {
        if self.0.len() <= MOST_DIGITS && self.is_digits() {
            let seconds = self.0.bytes().fold(0, |sum, byte| sum * 10 + u64::from(byte - b'0'));
            return Moment::new(seconds, 0, Rest::Nothing);
        }
        self.decimal()
    }

    /// Digit by digit, wherever the exponent puts the point.
    fn decimal(self) -> Moment {
        let unsigned = self.0.strip_prefix('-').unwrap_or(self.0);
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = || integer.bytes().chain(fraction.bytes());
        let zeros = digits().take_while(|digit| *digit == b'0').count();
        if zeros == integer.len() + fraction.len() {
            return Moment::new(0, 0, Rest::Nothing);
        }
        if unsigned.len() < self.0.len() {
            return Moment::Negative;
        }
        // How many digits stand before the point, from the first that is not zero; negative when zeros follow the point.
        let point =
            signed(integer.len()).saturating_sub(signed(zeros)).saturating_add(shift(exponent));
        if point > signed(MOST_DIGITS) {
            return Moment::TooLarge;
        }
        let whole = usize::try_from(point).unwrap_or(0);
        let leading = usize::try_from(point.saturating_neg()).unwrap_or(0).min(NANO_DIGITS);
        let leading = std::iter::repeat_n(b'0', leading);
        let mut written = leading.chain(digits().skip(zeros)).map(|digit| u64::from(digit - b'0'));
        let mut read =
            |count| (0..count).fold(0_u64, |sum, _| sum * 10 + written.next().unwrap_or_default());
        let (seconds, nanos) = (read(whole), read(NANO_DIGITS));
        let rest = if written.any(|digit| digit != 0) { Rest::Something } else { Rest::Nothing };
        Moment::new(seconds, u32::try_from(nanos).unwrap_or_default(), rest)
    }
}

/// Seconds since the epoch, or why a number is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Negative,
    /// Above [`Moment::MOST`].
    TooLarge,
    At {
        /// Rounded down to nanoseconds.
        since_epoch: Duration,
        /// What was rounded off.
        rest: Rest,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    Nothing,
    Something,
}

impl Moment {
    /// The year 2286. A sender of a larger number counts something else than seconds.
    pub(crate) const MOST: u64 = 10_000_000_000;

    fn new(seconds: u64, nanos: u32, rest: Rest) -> Self {
        let since_epoch = Duration::new(seconds, nanos);
        let above = since_epoch > Duration::from_secs(Self::MOST)
            || (since_epoch == Duration::from_secs(Self::MOST) && rest == Rest::Something);
        if above { Self::TooLarge } else { Self::At { since_epoch, rest } }
    }
}

/// The digits of [`Moment::MOST`].
const MOST_DIGITS: usize = 11;
const NANO_DIGITS: usize = 9;

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// An exponent; beyond what fits, the most there is: no document has so many digits.
fn shift(exponent: &str) -> i64 {
    let least = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
    exponent.parse().unwrap_or(least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64, nanos: u32, rest: Rest) -> Moment {
        Moment::At { since_epoch: Duration::new(seconds, nanos), rest }
    }

    #[track_caller]
    fn check(written: &str, expected: Moment) {
        assert_eq!(Number::new(written).moment(), expected, "{written}");
    }

    #[test]
    fn a_moment_is_what_the_number_says_however_it_is_written() {
        for zero in ["0", "-0", "0.0", "-0.0e5", "0e999999999999999999999", "0e-9", "0.000"] {
            check(zero, at(0, 0, Rest::Nothing));
        }
        for same in ["1500000000", "1500000000.0", "1.5e9", "15E+8", "15000000000e-1", "0.0015e12"]
        {
            check(same, at(1_500_000_000, 0, Rest::Nothing));
        }
        check("1500000000.5", at(1_500_000_000, 500_000_000, Rest::Nothing));
        check("0.000000001", at(0, 1, Rest::Nothing));
        check("1e-9", at(0, 1, Rest::Nothing));
        check("1.0000000009", at(1, 0, Rest::Something));
        check("0.0000000009", at(0, 0, Rest::Something));
        check("1e-10", at(0, 0, Rest::Something));
        check("1e-99999999999999999999", at(0, 0, Rest::Something));
        check("12.3456789012", at(12, 345_678_901, Rest::Something));
        check("10000000000", at(10_000_000_000, 0, Rest::Nothing));
        check("1e10", at(10_000_000_000, 0, Rest::Nothing));
    }

    #[test]
    fn a_number_that_counts_no_seconds_says_why() {
        for large in [
            "10000000001",
            "1500000000000",
            "1e400",
            "1e99999999999999999999",
            "10000000000.00000000001",
            "10000000000.5",
            "100000000000",
            "99999999999999999999999",
        ] {
            check(large, Moment::TooLarge);
        }
        for negative in ["-1", "-0.5", "-1e-400", "-1e400", "-1500000000"] {
            check(negative, Moment::Negative);
        }
    }

    proptest! {
        /// Moving the point and the exponent against each other changes nothing.
        #[test]
        fn the_place_of_the_point_does_not_matter(seconds in 0..Moment::MOST, nanos in 0..1_000_000_000_u32, left in 0..25_usize) {
            let digits = format!("{seconds:020}{nanos:09}");
            let (whole, fraction) = digits.split_at(left + 1);
            let whole = match whole.trim_start_matches('0') { "" => "0", digits => digits };
            let exponent = 19 - i64::try_from(left).unwrap();
            let written = format!("{whole}.{fraction}e{exponent}");
            prop_assert_eq!(Number::new(&written).moment(), at(seconds, nanos, Rest::Nothing));
        }
    }
}
