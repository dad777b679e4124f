//! Members of a configuration, taken one by one, with errors that name where they stand.

use super::yaml::Node;
use auth_core::{Error, Result};
use std::{fmt, num::NonZeroU16, time::Duration};
use zeroize::Zeroizing;

/// The members of one object, and where it stands: `bot.privateKey`.
pub(super) struct Section {
    path: String,
    members: Vec<(String, Node)>,
}

/// The parts of a document that are sections.
pub(super) trait Sections {
    /// The object of this name; `None` where there is none, or it says nothing.
    fn section(&mut self, name: &str) -> Result<Option<Section>>;
}

impl Section {
    pub(super) fn root(node: Node) -> Result<Self> {
        match node {
            Node::Map(members) => Ok(Self { path: String::new(), members }),
            _ => Err(Error::config(
                "symphony_bdk_member",
                "configuration is no object, expected members such as `host` and `bot`",
            )),
        }
    }

    /// The members of a node that stands here.
    pub(super) fn of(node: Node, path: String) -> Result<Self> {
        match node {
            Node::Map(members) => Ok(Self { path, members }),
            _ => Err(Error::config(
                "symphony_bdk_member",
                format!("{path} is no object, expected members"),
            )),
        }
    }

    /// All members, where each is text: where it stands, its name and its value.
    pub(super) fn into_texts(self) -> Result<Vec<(String, String, Zeroizing<String>)>> {
        let mut texts = Vec::new();
        for (name, node) in self.members {
            let shown: String = format!("{}.{name}", self.path).escape_debug().take(100).collect();
            match node {
                Node::Text(text) => texts.push((shown, name, text)),
                Node::Null => {}
                _ => {
                    let text = format!("{shown} is no text");
                    return Err(Error::config("symphony_bdk_member", text));
                }
            }
        }
        Ok(texts)
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Node> {
        let at = self.members.iter().position(|(key, _)| key == name)?;
        Some(self.members.swap_remove(at).1)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<Zeroizing<String>>> {
        match self.take(name) {
            None | Some(Node::Null) => Ok(None),
            Some(Node::Text(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "is no text")),
        }
    }

    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>> {
        self.parsed(name, "is no whole number")
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<f64>> {
        self.parsed(name, "is no number")
    }

    pub(super) fn port(&mut self, name: &str) -> Result<Option<u16>> {
        let port: Option<NonZeroU16> =
            self.parsed(name, "is no port, expected a number from 1 to 65535")?;
        Ok(port.map(NonZeroU16::get))
    }

    /// As the core schema of YAML 1.2 spells them.
    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>> {
        match self.text(name)?.as_ref().map(|text| text.as_str()) {
            None => Ok(None),
            Some("true" | "True" | "TRUE") => Ok(Some(true)),
            Some("false" | "False" | "FALSE") => Ok(Some(false)),
            Some(_) => Err(self.wrong(name, "is neither true nor false")),
        }
    }

    pub(super) fn milliseconds(&mut self, name: &str) -> Result<Option<Duration>> {
        let span: Option<u64> = self.parsed(name, "is no number of milliseconds")?;
        Ok(span.map(Duration::from_millis))
    }

    fn parsed<T: std::str::FromStr>(&mut self, name: &str, what: &str) -> Result<Option<T>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.wrong(name, what))
    }

    /// An error about a member: it says where, and never what stands there.
    pub(super) fn wrong(&self, name: &str, what: impl fmt::Display) -> Error {
        Error::config("symphony_bdk_member", format!("{} {what}", self.path_of(name)))
    }

    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// What was not taken is told, since it may be misspelt.
    pub(super) fn end(self, warnings: &mut Vec<String>) {
        for (name, _) in &self.members {
            let shown: String = self.path_of(name).escape_debug().take(100).collect();
            warnings.push(format!("{shown} is unknown here, and nothing comes of it"));
        }
    }
}

impl Sections for Section {
    fn section(&mut self, name: &str) -> Result<Option<Self>> {
        match self.take(name) {
            None | Some(Node::Null) => Ok(None),
            Some(node) => Self::of(node, self.path_of(name)).map(Some),
        }
    }
}
