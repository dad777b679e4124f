//! The names of the members of one object.

use super::{Fault, MEMBERS, Text};
use std::{borrow::Cow, collections::BTreeSet};

/// The names of the members of one object, so that none comes twice (compared unescaped), and no more than allowed.
pub(super) struct Names<'a> {
    first: [Option<&'a str>; MEMBERS],
    count: usize,
    most: usize,
    /// Whether one of them has to be unescaped to be compared.
    escaped: bool,
    /// All of them, once there are more than usual: comparing each with each would take long.
    many: Option<BTreeSet<Cow<'a, str>>>,
}

impl<'a> Names<'a> {
    pub(super) const fn at_most(most: usize) -> Self {
        Self { first: [None; MEMBERS], count: 0, most, escaped: false, many: None }
    }

    pub(super) fn add(&mut self, name: Text<'a>) -> Result<(), Fault> {
        if self.count >= self.most {
            return Err(Fault::Members);
        }
        let twice = match self.first.get_mut(self.count) {
            Some(free) => {
                *free = Some(name.raw());
                self.escaped |= name.plain().is_none();
                self.is_among_first(name)
            }
            None => self.is_among_many(name),
        };
        self.count += 1;
        if twice { Err(Fault::Duplicate) } else { Ok(()) }
    }

    fn is_among_first(&self, name: Text<'a>) -> bool {
        let mut known = self.first.iter().take(self.count).flatten().copied();
        if self.escaped {
            return known.any(|known| Text::new(known, 0, true).is(name));
        }
        known.any(|known| known == name.raw())
    }

    fn is_among_many(&mut self, name: Text<'a>) -> bool {
        let (first, escaped) = (&self.first, self.escaped);
        let all = || {
            let first = first.iter().flatten();
            first.map(|name| Text::new(name, 0, escaped).to_str()).collect()
        };
        !self.many.get_or_insert_with(all).insert(name.to_str())
    }
}
