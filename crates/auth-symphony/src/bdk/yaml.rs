//! YAML and JSON as a tree of text, in bounded memory.

use auth_core::{Error, Result};
use saphyr_parser::{Event, Parser, ScalarStyle};
use std::{collections::HashMap, fmt};
use zeroize::Zeroizing;

/// A value: every scalar is text, since what it means is for its reader to say.
#[derive(Clone)]
pub(super) enum Node {
    Null,
    Text(Zeroizing<String>),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Nothing is nested deeper.
const MOST_DEPTH: usize = 16;

/// So much at most, with what aliases repeat.
const MOST: Size = Size { nodes: 10_000, bytes: 1024 * 1024 };

/// How many values there are, and how many bytes their texts have.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
}

impl Size {
    const fn plus(self, other: Self) -> Self {
        let nodes = self.nodes.saturating_add(other.nodes);
        Self { nodes, bytes: self.bytes.saturating_add(other.bytes) }
    }

    const fn minus(self, other: Self) -> Self {
        let nodes = self.nodes.saturating_sub(other.nodes);
        Self { nodes, bytes: self.bytes.saturating_sub(other.bytes) }
    }
}

/// Reads one document. JSON is YAML.
pub(super) fn read(text: &str) -> Result<Node> {
    let mut reader = Reader::default();
    let mut documents = 0;
    let mut parser = Parser::new_from_str(text);
    let mut root = Node::Null;
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            let marker = error.marker();
            // Its own text may quote what stands there.
            wrong(marker.line(), marker.col(), &"is no YAML")
        })?;
        let (line, column) = (span.start.line(), span.start.col());
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                return Err(wrong(line, column, &"begins a second document, expected one"));
            }
        }
        let done = reader.take(event).map_err(|what| wrong(line, column, &what))?;
        root = done.unwrap_or(root);
    }
    Ok(root)
}

fn wrong(line: usize, column: usize, what: &dyn fmt::Display) -> Error {
    let text = format!("configuration {what} (line {line}, column {})", column.saturating_add(1));
    Error::config("symphony_bdk_yaml", text)
}

#[derive(Default)]
struct Reader {
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, Size)>,
    size: Size,
}

/// A collection that has not ended.
struct Open {
    anchor: usize,
    before: Size,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    /// The members, and the key whose value is still to come.
    Map(Vec<(String, Node)>, Option<String>),
}

impl Reader {
    /// The document, when it has ended.
    fn take(&mut self, event: Event<'_>) -> Result<Option<Node>, &'static str> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let size = Size { nodes: 1, bytes: text.len() };
                self.count(size)?;
                let is_plain = style == ScalarStyle::Plain;
                let node = match &*text {
                    "" | "~" | "null" | "Null" | "NULL" if is_plain => Node::Null,
                    text => Node::Text(Zeroizing::new(text.to_owned())),
                };
                self.put(node, anchor, size)
            }
            Event::SequenceStart(anchor, _) => self.begin(anchor, Content::List(Vec::new())),
            Event::MappingStart(anchor, _) => self.begin(anchor, Content::Map(Vec::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { anchor, before, content }) = self.open.pop() else {
                    return Err("ends what has not begun");
                };
                let node = match content {
                    Content::List(items) => Node::List(items),
                    Content::Map(members, _) => Node::Map(members),
                };
                self.put(node, anchor, self.size.minus(before))
            }
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
                    return Err("repeats what has not been named, or contains itself");
                };
                self.count(size)?;
                self.put(node, 0, size)
            }
            _ => Ok(None),
        }
    }

    fn begin(&mut self, anchor: usize, content: Content) -> Result<Option<Node>, &'static str> {
        if self.open.len() >= MOST_DEPTH {
            return Err("is nested deeper than 16 levels");
        }
        let before = self.size;
        self.count(Size { nodes: 1, bytes: 0 })?;
        self.open.push(Open { anchor, before, content });
        Ok(None)
    }

    fn count(&mut self, size: Size) -> Result<(), &'static str> {
        self.size = self.size.plus(size);
        let Size { nodes, bytes } = self.size;
        if nodes > MOST.nodes || bytes > MOST.bytes {
            return Err("has more than 10,000 values or a megabyte of text, aliases included");
        }
        Ok(())
    }

    fn put(&mut self, node: Node, anchor: usize, size: Size) -> Result<Option<Node>, &'static str> {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => return Ok(Some(node)),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map(members, key)) => match key.take() {
                Some(key) => members.push((key, node)),
                None => {
                    let Node::Text(name) = node else { return Err("has a key that is no text") };
                    if members.iter().any(|(other, _)| *other == **name) {
                        return Err("has a key twice");
                    }
                    *key = Some(name.to_string());
                }
            },
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(node: &Node) -> String {
        match node {
            Node::Null => "-".into(),
            Node::Text(text) => format!("{:?}", **text),
            Node::List(items) => format!("{:?}", items.iter().map(shown).collect::<Vec<_>>()),
            Node::Map(members) => {
                let members = members.iter().map(|(key, node)| format!("{key}={}", shown(node)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(" "))
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let read = read(text).map(|node| shown(&node)).map_err(|error| error.to_string());
        match (&read, expected) {
            (Ok(read), Ok(expected)) => assert_eq!(read, expected),
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            _ => panic!("{read:?}"),
        }
    }

    #[test]
    fn scalars_are_text_and_null_is_plain() {
        check(
            "a: 1\nb: '1'\nc: ~\nd: null\ne:\nf: 'null'\ng: Null\nh: NULL",
            Ok(r#"{a="1" b="1" c=- d=- e=- f="null" g=- h=-}"#),
        );
        check(
            r#"{"a": {"b": ["c", true, 1.5]}}"#,
            Ok(r#"{a={b=["\"c\"", "\"true\"", "\"1.5\""]}}"#),
        );
        check("", Ok("-"));
        check("a: &x {b: c}\nd: *x", Ok(r#"{a={b="c"} d={b="c"}}"#));
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_place_and_not_by_its_text() {
        check("a: secret\n b: c", Err("is no YAML (line 2"));
        check("a: 1\na: 2", Err("has a key twice (line 2, column 1)"));
        check("? [a]\n: b", Err("has a key that is no text"));
        check("a: 1\n---\nb: 2", Err("second document"));
        check("a: *x", Err("YAML"));
        check("a: &x [*x]", Err("contains itself"));
        assert!(!read("a: secret\n b: c").err().unwrap().to_string().contains("secret"));
        check(&"[".repeat(17), Err("deeper than 16"));
        let most = format!("{}a{}", "[".repeat(16), "]".repeat(16));
        assert!(read(&most).is_ok());
    }

    #[test]
    fn aliases_that_multiply_are_bounded() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for n in 1..9 {
            let before = format!("*a{}", n - 1);
            text += &format!("a{n}: &a{n} [{}]\n", vec![before; 9].join(", "));
        }
        let counted = allocation_counter::measure(|| check(&text, Err("more than 10,000 values")));
        assert!(counted.bytes_max < 8_000_000, "{}", counted.bytes_max);
        let long = format!("a: &a {}\nb: [{}]", "x".repeat(100_000), vec!["*a"; 5000].join(", "));
        let counted = allocation_counter::measure(|| check(&long, Err("a megabyte of text")));
        assert!(counted.bytes_max < 8_000_000, "{}", counted.bytes_max);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z:&*?!|>{}\\[\\]'\"\\-# \n]{0,200}") {
            let _ = read(&text);
        }
    }
}
