//! The parts that credentials consist of.

use crate::{Error, Result, encode::percent_encode};
use http::{HeaderName, HeaderValue, Uri, header, uri::PathAndQuery};
use std::sync::Arc;

/// One part is inline, several are shared: neither is copied when kept credentials are handed out.
#[derive(Clone, Default)]
pub(super) enum Parts {
    #[default]
    None,
    One(Part),
    Several(Arc<[Part]>),
}

#[derive(Clone)]
pub(super) enum Part {
    Header(HeaderName, HeaderValue),
    /// `name=value`, encoded.
    Query(Arc<str>),
    /// The request's own path in another percent-encoding.
    Path(Arc<str>),
}

impl Part {
    pub(super) fn is_repeated_in(&self, text: &[u8]) -> bool {
        /// Shorter words are no secrets: `Bearer`, `Basic`, the name of a parameter.
        const LEAST: usize = 8;
        const PART: usize = 16;
        let (value, border) = match self {
            Self::Header(_, value) => (value.as_bytes(), b' '),
            Self::Query(pair) => (pair.as_bytes(), b'='),
            Self::Path(_) => return false,
        };
        let words = value.split(|byte| *byte == border).filter(|word| word.len() >= LEAST);
        let mut parts = words.flat_map(|word| word.chunks(PART)).filter(|part| part.len() >= LEAST);
        parts.any(|part| text.windows(part.len()).any(|window| window == part))
    }
}

impl Parts {
    /// Several of them; no header field twice, and one path at most.
    pub(super) fn several(parts: Vec<Part>) -> Result<Self> {
        for (index, part) in parts.iter().enumerate() {
            let again = |other: &Part| match (part, other) {
                (Part::Header(name, _), Part::Header(other, _)) => name == other,
                (Part::Path(_), Part::Path(_)) => true,
                _ => false,
            };
            if parts.iter().skip(index + 1).any(again) {
                return Err(part.taken());
            }
        }
        Ok(Self::Several(parts.into()))
    }

    /// Header fields, none twice, in one allocation.
    pub(super) fn headers<const N: usize>(fields: [(HeaderName, HeaderValue); N]) -> Result<Self> {
        for (index, (name, _)) in fields.iter().enumerate() {
            permit(name)?;
            if fields.iter().skip(index + 1).any(|(other, _)| other == name) {
                return Err(taken(name));
            }
        }
        let parts = fields.map(|(name, mut value)| {
            value.set_sensitive(true);
            Part::Header(name, value)
        });
        Ok(Self::Several(Arc::new(parts)))
    }

    pub(super) fn as_slice(&self) -> &[Part] {
        match self {
            Self::None => &[],
            Self::One(part) => std::slice::from_ref(part),
            Self::Several(parts) => parts,
        }
    }

    /// The same in memory of their own.
    pub(super) fn apart(&self) -> Self {
        match self {
            Self::None => Self::None,
            Self::One(part) => Self::One(part.apart()),
            Self::Several(parts) => Self::Several(parts.iter().map(Part::apart).collect()),
        }
    }
}

impl Part {
    pub(super) fn header(name: HeaderName, mut value: HeaderValue) -> Result<Self> {
        permit(&name)?;
        value.set_sensitive(true);
        Ok(Self::Header(name, value))
    }

    pub(super) fn query(name: &str, value: &str) -> Self {
        let mut text = String::with_capacity(name.len() + value.len() + 1);
        percent_encode(name, &mut text);
        text.push('=');
        percent_encode(value, &mut text);
        Self::Query(text.into())
    }

    fn apart(&self) -> Self {
        match self {
            Self::Header(name, value) => {
                let copied = HeaderValue::from_bytes(value.as_bytes());
                let mut copy = copied.unwrap_or_else(|_| value.clone());
                copy.set_sensitive(true);
                Self::Header(name.clone(), copy)
            }
            Self::Query(text) => Self::Query(Arc::from(&**text)),
            Self::Path(path) => Self::Path(Arc::from(&**path)),
        }
    }

    fn taken(&self) -> Error {
        match self {
            Self::Header(name, _) => taken(name),
            _ => {
                let text = "two authenticators encode the path, expected one of them to";
                Error::config("credentials_path_taken", text)
            }
        }
    }
}

fn permit(name: &HeaderName) -> Result<()> {
    if !is_framing(name) {
        return Ok(());
    }
    let text = format!(
        "header {name} routes or frames messages, expected a field that only carries credentials"
    );
    Err(Error::config("credentials_framing_header", text))
}

/// Host, what frames a message, and what is dropped or acted on at the next hop (RFC 9110 sections 7.6.1 and 7.8).
fn is_framing(name: &HeaderName) -> bool {
    const NAMES: [HeaderName; 9] = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
        header::TE,
        header::TRAILER,
        header::UPGRADE,
        header::EXPECT,
        header::CONTENT_ENCODING,
    ];
    NAMES.contains(name)
        || ["keep-alive", "proxy-connection", "http2-settings"].contains(&name.as_str())
}

/// The target with the path and the parameters that are among the parts; `None` when there are none.
pub(super) fn new_target(uri: &Uri, parts: &[Part]) -> Result<Option<Uri>> {
    if parts.iter().all(|part| matches!(part, Part::Header(..))) {
        return Ok(None);
    }
    let own = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let (own_path, own_query) = own.split_at(own.find('?').unwrap_or(own.len()));
    let path = parts.iter().find_map(|part| match part {
        Part::Path(path) => Some(&**path),
        _ => None,
    });
    if path.is_some_and(|path| !is_same_path(own_path, path)) {
        let text = "path is not the one of the request in another encoding, expected the same one";
        return Err(Error::config("credentials_path", text));
    }
    let mut target = [path.unwrap_or(own_path), own_query].concat();
    for part in parts {
        if let Part::Query(text) = part {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(text);
        }
    }
    let mut whole = uri.clone().into_parts();
    whole.path_and_query = Some(
        PathAndQuery::from_maybe_shared(target)
            .map_err(|error| Error::config("credentials_target", error))?,
    );
    Uri::from_parts(whole).map(Some).map_err(|error| Error::config("credentials_target", error))
}

/// Do both consist of the same segments once they are decoded?
///
/// A slash that is escaped parts nothing, so it is no slash, and what ends a path is never in one; and what was no segment
/// of dots does not become one, since somebody on the way would walk it. Nor does a backslash appear, which clients that
/// read URLs as browsers do take for a slash.
fn is_same_path(one: &str, other: &str) -> bool {
    let mut segments = one.split('/').zip(other.split('/'));
    one.split('/').count() == other.split('/').count()
        && segments.all(|(one, other)| {
            let plain = !other.contains(['?', '#', '\\']) && ![".", ".."].contains(&other);
            one == other || (plain && decoded(one).eq(decoded(other)))
        })
}

/// The bytes that a segment of a path stands for; what is no escape stands for itself.
fn decoded(segment: &str) -> impl Iterator<Item = u8> + '_ {
    let mut rest = segment.as_bytes();
    std::iter::from_fn(move || {
        let digit = |digit: &u8| char::from(*digit).to_digit(16);
        let (first, mut tail) = rest.split_first()?;
        let mut byte = *first;
        if let (b'%', [high, low, after @ ..]) = (first, tail) {
            if let (Some(high), Some(low)) = (digit(high), digit(low)) {
                byte = u8::try_from(high << 4 | low).unwrap_or_default();
                tail = after;
            }
        }
        rest = tail;
        Some(byte)
    })
}

pub(super) fn taken(name: &HeaderName) -> Error {
    let text =
        format!("header {name} is already there, expected it to be set by the authenticator alone");
    Error::config("credentials_header_taken", text)
}
