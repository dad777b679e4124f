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
    /// All of them, once there are more than usual, or more than a few of which one is escaped: comparing each with each
    /// would take long.
    many: Option<BTreeSet<Cow<'a, str>>>,
}

/// So many names are compared each with each although they have to be unescaped.
const FEW: usize = 4;

impl<'a> Names<'a> {
    pub(super) const fn at_most(most: usize) -> Self {
        Self { first: [None; MEMBERS], count: 0, most, escaped: false, many: None }
    }

    pub(super) fn add(&mut self, name: Text<'a>) -> Result<(), Fault> {
        if self.count >= self.most {
            return Err(Fault::Members);
        }
        self.escaped |= name.plain().is_none();
        let twice = match self.first.get_mut(self.count) {
            Some(free) if !self.escaped || self.count < FEW => {
                *free = Some(name.raw());
                self.is_among_first(name)
            }
            _ => self.is_among_many(name),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_twice_wherever_the_first_escape_stands() {
        for escaped in 0..12 {
            for again in 0..12 {
                let mut names = Names::at_most(MEMBERS);
                let written = |at: usize| match at == escaped {
                    true => format!("\\u006e{at}"),
                    false => format!("n{at}"),
                };
                let all: Vec<_> = (0..12).map(written).collect();
                for (at, name) in all.iter().enumerate() {
                    assert_eq!(names.add(Text::new(name, 0, at == escaped)), Ok(()));
                }
                for (name, escaped) in
                    [(format!("n{again}"), false), (format!("\\u006e{again}"), true)]
                {
                    let mut names = Names::at_most(MEMBERS);
                    for (at, name) in all.iter().enumerate() {
                        let _ = names.add(Text::new(name, 0, written(at).starts_with('\\')));
                    }
                    let twice = names.add(Text::new(&name, 0, escaped));
                    assert_eq!(twice, Err(Fault::Duplicate), "{escaped} {again}");
                }
            }
        }
    }
}
