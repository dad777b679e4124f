//! How much text and how many scopes an actor may give: a group is loaded whole, and the ledger keeps causes for ever.

use crate::CommandRefusal;
use auth_core::{Scopes, Timestamp};

/// The most bytes of a label, of the name of a dependant and of a scope.
pub(crate) const MOST_BYTES: usize = 200;

const MOST_CAUSE_BYTES: usize = 1000;
const MOST_SCOPES: usize = 100;
const YEAR_10000: u64 = 253_402_300_800;

pub(crate) fn check_label(label: &str) -> Result<(), CommandRefusal> {
    check(label.len() <= MOST_BYTES, "label", "at most 200 bytes")
}

pub(crate) fn check_cause(cause: &str) -> Result<(), CommandRefusal> {
    check(cause.len() <= MOST_CAUSE_BYTES, "cause", "at most 1000 bytes")
}

pub(super) fn check_scopes(scopes: &Scopes) -> Result<(), CommandRefusal> {
    let within = scopes.iter().count() <= MOST_SCOPES
        && scopes.iter().all(|scope| (1..=MOST_BYTES).contains(&scope.len()));
    check(within, "scopes", "at most 100 names of 1 to 200 bytes")
}

/// Nobody means the year 10000, and everybody has taken milliseconds for seconds.
pub(super) fn check_expires(expires: Option<Timestamp>) -> Result<(), CommandRefusal> {
    let within = expires.is_none_or(|end| end.unix() < YEAR_10000);
    check(within, "expires", "a moment before the year 10000, in seconds since 1970")
}

fn check(holds: bool, field: &'static str, expected: &'static str) -> Result<(), CommandRefusal> {
    if holds { Ok(()) } else { Err(CommandRefusal::Invalid { field, expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(checked: Result<(), CommandRefusal>) -> Option<&'static str> {
        match checked {
            Err(CommandRefusal::Invalid { field, .. }) => Some(field),
            _ => None,
        }
    }

    #[test]
    fn text_and_scopes_are_bounded() {
        let long = |bytes| "x".repeat(bytes);
        assert_eq!(field(check_label(&long(200))), None);
        assert_eq!(field(check_label(&long(201))), Some("label"));
        assert_eq!(field(check_cause(&long(1000))), None);
        assert_eq!(field(check_cause(&long(1001))), Some("cause"));
        let scopes = |many: usize, bytes| (0..many).map(|_| long(bytes)).collect::<Scopes>();
        assert_eq!(field(check_scopes(&scopes(100, 200))), None);
        assert_eq!(field(check_scopes(&scopes(101, 1))), Some("scopes"));
        assert_eq!(field(check_scopes(&scopes(1, 201))), Some("scopes"));
        assert_eq!(field(check_scopes(&scopes(1, 0))), Some("scopes"));
    }

    #[test]
    fn milliseconds_are_not_taken_for_seconds() {
        let at = |seconds| field(check_expires(Some(Timestamp::from_unix(seconds))));
        assert_eq!(at(1_800_000_000), None);
        assert_eq!(at(253_402_300_799), None);
        assert_eq!(at(253_402_300_800), Some("expires"));
        assert_eq!(at(1_800_000_000_000), Some("expires"));
        assert_eq!(field(check_expires(None)), None);
    }
}
