//! The one thing that is read of a body: the code of an answer, in one of two envelopes.

use serde::Deserialize;
use std::borrow::Cow;

/// `{"response": {..}}`, `{"response": [{..}]}`, or the members themselves.
#[derive(Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow, default)]
    response: Option<Response<'a>>,
    #[serde(borrow, flatten)]
    bare: Entry<'a>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Response<'a> {
    #[serde(borrow)]
    One(Entry<'a>),
    Several(Vec<Entry<'a>>),
}

#[derive(Default, Deserialize)]
pub(crate) struct Entry<'a> {
    #[serde(borrow, default)]
    pub(crate) code: Option<Code<'a>>,
    #[serde(borrow, default)]
    pub(crate) description: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) message: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) transid: Option<Cow<'a, str>>,
}

/// A code is a string everywhere, and a number in some samples.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Code<'a> {
    Number(u32),
    #[serde(borrow)]
    Text(Cow<'a, str>),
}

impl<'a> Envelope<'a> {
    /// What is said of the request as a whole: of several entries the first.
    pub(crate) fn read(body: &'a [u8]) -> Option<Entry<'a>> {
        let Self { response, bare } = serde_json::from_slice(body).ok()?;
        match response {
            Some(Response::One(entry)) => Some(entry),
            Some(Response::Several(entries)) => entries.into_iter().next(),
            None => Some(bare),
        }
    }
}

impl Code<'_> {
    pub(crate) fn number(&self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) if text.len() <= 8 => text.parse().ok(),
            Self::Text(_) => None,
        }
    }
}
