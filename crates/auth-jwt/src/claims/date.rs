//! Dates (the NumericDate of RFC 7519 section 2).

use crate::{
    JwtRefused,
    json::{Moment, Rest, Value},
    reason,
};
use auth_core::Timestamp;
use std::time::Duration;

/// A date that was checked, exact to the nanosecond; what is beyond is rounded against the token.
#[derive(Clone, Copy)]
pub(crate) struct Date {
    since_epoch: Duration,
    rest: Rest,
}

/// Why a claim is no date.
pub(crate) struct Faults {
    pub(crate) of_type: JwtRefused,
    pub(crate) negative: JwtRefused,
    pub(crate) unit: JwtRefused,
}

pub(crate) const EXP: Faults =
    Faults { of_type: reason::EXP_TYPE, negative: reason::EXP_NEGATIVE, unit: reason::EXP_UNIT };
pub(crate) const NBF: Faults =
    Faults { of_type: reason::NBF_TYPE, negative: reason::NBF_NEGATIVE, unit: reason::NBF_UNIT };
pub(crate) const IAT: Faults =
    Faults { of_type: reason::IAT_TYPE, negative: reason::IAT_NEGATIVE, unit: reason::IAT_UNIT };

impl Date {
    pub(crate) fn read(value: Value<'_>, faults: &Faults) -> Result<Self, JwtRefused> {
        let Value::Number(number) = value else { return Err(faults.of_type) };
        match number.moment() {
            Moment::At { since_epoch, rest } => Ok(Self { since_epoch, rest }),
            Moment::Negative => Err(faults.negative),
            Moment::TooLarge => Err(faults.unit),
        }
    }

    pub(crate) fn is_whole(self) -> bool {
        self.since_epoch.subsec_nanos() == 0 && self.rest == Rest::Nothing
    }

    pub(crate) fn rounded_down(self) -> Timestamp {
        Timestamp::default().after(self.since_epoch)
    }

    pub(crate) fn rounded_up(self) -> Timestamp {
        match self.rest {
            Rest::Nothing => self.rounded_down(),
            Rest::Something => self.rounded_down().after(Duration::from_nanos(1)),
        }
    }
}
