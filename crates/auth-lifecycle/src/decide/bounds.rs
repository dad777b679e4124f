//! How much text and how many scopes an actor may give: a group is loaded whole, and the ledger keeps causes for ever.

use crate::CommandRefusal;
use auth_core::Scopes;

/// The most bytes of a label, of the name of a dependant and of a scope.
pub(crate) const MOST_BYTES: usize = 200;

const MOST_CAUSE_BYTES: usize = 1000;
const MOST_SCOPES: usize = 100;

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
}
