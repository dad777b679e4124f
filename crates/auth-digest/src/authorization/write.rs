//! Writing credentials: what is the same under one nonce, and what is different for each request.

use super::Username;
use crate::{DigestAlgorithm, NonceCount, Qop, parameters::write_escaped, username::write_ext};

/// What all credentials under one nonce begin with, up to the target.
pub(crate) struct Front<'a> {
    pub(crate) username: &'a Username<'a>,
    pub(crate) realm: &'a [u8],
    pub(crate) nonce: &'a [u8],
    pub(crate) algorithm: Option<DigestAlgorithm>,
    /// As it stands between the quotes.
    pub(crate) opaque: Option<&'a [u8]>,
    pub(crate) counted: Option<(Qop, &'a [u8])>,
}

impl Front<'_> {
    /// How many bytes [`write`](Self::write) writes, where nothing has to be escaped.
    pub(crate) fn length(&self) -> usize {
        let username = match self.username {
            Username::Plain(name) => r#"username="", "#.len().saturating_add(name.len()),
            Username::Extended(name) => "username*=UTF-8'', ".len().saturating_add(name.len()),
            Username::Hashed(hash) => {
                r#"username="", userhash=true, "#.len().saturating_add(hash.len())
            }
        };
        let algorithm = self.algorithm.map_or(0, |it| ", algorithm=".len() + it.name().len());
        let opaque = self.opaque.map_or(0, |it| r#", opaque="""#.len().saturating_add(it.len()));
        let counted = self.counted.map_or(0, |(qop, cnonce)| {
            let around = r#", qop=, cnonce="""#.len() + qop.name().len();
            around.saturating_add(cnonce.len())
        });
        let around = r#"Digest realm="", nonce="", uri=""#.len();
        [self.realm.len(), self.nonce.len(), username, algorithm, opaque, counted]
            .iter()
            .fold(around, |sum, length| sum.saturating_add(*length))
    }

    /// Writes it, the scheme included, up to the quote in front of the target.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"Digest ");
        match self.username {
            Username::Plain(name) => {
                out.extend_from_slice(b"username=\"");
                write_escaped(name.as_bytes(), out);
                out.extend_from_slice(b"\", realm=\"");
            }
            Username::Extended(name) => {
                out.extend_from_slice(b"username*=");
                write_ext(name, out);
                out.extend_from_slice(b", realm=\"");
            }
            Username::Hashed(hash) => {
                out.extend_from_slice(b"username=\"");
                out.extend_from_slice(hash);
                out.extend_from_slice(b"\", userhash=true, realm=\"");
            }
        }
        write_escaped(self.realm, out);
        out.extend_from_slice(b"\", nonce=\"");
        write_escaped(self.nonce, out);
        out.push(b'"');
        if let Some(algorithm) = self.algorithm {
            out.extend_from_slice(b", algorithm=");
            out.extend_from_slice(algorithm.name().as_bytes());
        }
        if let Some(opaque) = self.opaque {
            out.extend_from_slice(b", opaque=\"");
            out.extend_from_slice(opaque);
            out.push(b'"');
        }
        if let Some((qop, cnonce)) = self.counted {
            out.extend_from_slice(b", qop=");
            out.extend_from_slice(qop.name().as_bytes());
            out.extend_from_slice(b", cnonce=\"");
            write_escaped(cnonce, out);
            out.push(b'"');
        }
        out.extend_from_slice(b", uri=\"");
    }
}

/// How many bytes [`write_rest`] writes, where nothing has to be escaped.
#[inline]
pub(crate) fn rest_length(uri: &[u8], nc: Option<NonceCount>, response: &[u8]) -> usize {
    let around = if nc.is_some() { r#"", nc=00000000, response="""# } else { r#"", response="""# };
    uri.len().saturating_add(around.len()).saturating_add(response.len())
}

/// Writes what is different for each request, from the target on.
#[inline]
pub(crate) fn write_rest(uri: &[u8], nc: Option<NonceCount>, response: &[u8], out: &mut Vec<u8>) {
    write_escaped(uri, out);
    if let Some(nc) = nc {
        out.extend_from_slice(b"\", nc=");
        out.extend_from_slice(&nc.digits());
        out.extend_from_slice(b", response=\"");
    } else {
        out.extend_from_slice(b"\", response=\"");
    }
    out.extend_from_slice(response);
    out.push(b'"');
}
