//! The canonical header fields.

use crate::encode::Text;
use smallvec::SmallVec;
use std::cmp::Ordering;

/// The fields to be signed: by name, without case; several with one name in their order.
#[derive(Clone, Default)]
pub(crate) struct Fields<'a>(SmallVec<[(&'a str, &'a [u8]); 64]>);

impl<'a> Fields<'a> {
    /// No more fields than this are signed.
    pub(crate) const MOST: usize = 64;

    pub(crate) fn of<'b: 'a>(fields: impl Iterator<Item = (&'b str, &'b [u8])>) -> Self {
        let shorter = |(name, value): (&'b str, &'b [u8])| -> (&'a str, &'a [u8]) { (name, value) };
        Self(fields.map(shorter).collect())
    }

    pub(crate) fn add(&mut self, name: &'a str, value: &'a [u8]) {
        self.0.push((name, value));
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
    }

    /// How many different names there are, once they are sorted.
    pub(crate) fn names(&self) -> usize {
        let again = |pair: &&[(&str, &[u8])]| matches!(pair, [(one, _), (next, _)] if one == next);
        self.0.len() - self.0.windows(2).filter(again).count()
    }

    /// Puts a value in the place of all that this name has.
    pub(crate) fn replace(&mut self, name: &str, value: &'a [u8]) {
        self.0.iter_mut().filter(|(other, _)| *other == name).for_each(|field| field.1 = value);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// In place, and those with one name stay in their order: few fields, mostly sorted already.
    pub(crate) fn sort(&mut self) {
        for end in 1..self.0.len() {
            let mut at = end;
            while let Some(before) = at.checked_sub(1) {
                let (Some((one, _)), Some((next, _))) = (self.0.get(before), self.0.get(at)) else {
                    break;
                };
                if order(one, next) != Ordering::Greater {
                    break;
                }
                self.0.swap(before, at);
                at = before;
            }
        }
    }

    /// `name:value` lines; the values of one name are joined by commas.
    pub(super) fn write(&self, out: &mut Text) {
        let mut last = None;
        for (name, value) in &self.0 {
            if last.is_some_and(|last: &str| last.eq_ignore_ascii_case(name)) {
                // Over the end of the line before.
                out.pop();
                out.push(b',');
            } else {
                write_lower(name, out);
                out.push(b':');
            }
            write_trimmed(value, out);
            out.push(b'\n');
            last = Some(*name);
        }
    }

    /// The names, each once: `host;x-amz-date`.
    pub(crate) fn write_names<const N: usize>(&self, out: &mut SmallVec<[u8; N]>)
    where
        [u8; N]: smallvec::Array<Item = u8>,
    {
        let mut last = None;
        for (name, _) in &self.0 {
            match last {
                Some(last) if name.eq_ignore_ascii_case(last) => continue,
                Some(_) => out.push(b';'),
                None => {}
            }
            write_lower(name, out);
            last = Some(*name);
        }
    }
}

/// As the names compare in lower case.
fn order(one: &str, other: &str) -> Ordering {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    one.bytes().map(lower).cmp(other.bytes().map(lower))
}

fn write_lower<const N: usize>(name: &str, out: &mut SmallVec<[u8; N]>)
where
    [u8; N]: smallvec::Array<Item = u8>,
{
    let start = out.len();
    out.extend_from_slice(name.as_bytes());
    out.get_mut(start..).unwrap_or_default().make_ascii_lowercase();
}

/// Without space at either end, and one space for several, line ends included.
fn write_trimmed(value: &[u8], out: &mut Text) {
    if value.iter().fold(true, |plain, byte| plain & (*byte > b' ')) {
        return out.extend_from_slice(value);
    }
    let words = value.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fields: &[(&str, &str)], lines: &str, names: &str) {
        let mut all = Fields::default();
        fields.iter().for_each(|(name, value)| all.add(name, value.as_bytes()));
        all.sort();
        let (mut out, mut listed) = (Text::new(), Text::new());
        all.write(&mut out);
        all.write_names(&mut listed);
        assert_eq!(std::str::from_utf8(&out).unwrap(), lines);
        assert_eq!(std::str::from_utf8(&listed).unwrap(), names);
    }

    #[test]
    fn one_line_for_each_name() {
        check(&[("Host", "a")], "host:a\n", "host");
        check(&[("X-B", "2"), ("x-a", "1"), ("x-B", " 1 ")], "x-a:1\nx-b:2,1\n", "x-a;x-b");
        check(&[("a", "  x   \"y  z\"\t")], "a:x \"y z\"\n", "a");
        check(&[("a", "1\r\n  2\n\t3")], "a:1 2 3\n", "a");
        check(&[("a", "")], "a:\n", "a");
        check(&[("a-b", "1"), ("a", "2"), ("A.c", "3")], "a:2\na-b:1\na.c:3\n", "a;a-b;a.c");
    }
}
