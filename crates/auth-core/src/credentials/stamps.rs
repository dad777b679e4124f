//! What schemes leave on credentials.

use super::use_counter::CountedUse;
use crate::Stamp;

/// Almost always one stamp and no use that is counted: then it is inline.
#[derive(Clone, Default)]
pub(super) struct Stamps {
    pub(super) first: Option<Stamp>,
    pub(super) rest: Vec<Left>,
}

/// What a scheme left on credentials.
#[derive(Clone)]
pub(super) enum Left {
    Stamp(Stamp),
    Use(CountedUse),
}

impl Stamps {
    pub(super) const NONE: Self = Self { first: None, rest: Vec::new() };

    pub(super) fn uses(&self) -> impl Iterator<Item = &CountedUse> {
        self.rest.iter().filter_map(|left| match left {
            Left::Use(counted) => Some(counted),
            Left::Stamp(_) => None,
        })
    }

    pub(super) fn push(&mut self, stamp: Stamp) {
        match self.first {
            None => self.first = Some(stamp),
            Some(_) => self.rest.push(Left::Stamp(stamp)),
        }
    }
}
