//! The canonical request: one text for all the ways to write a request.

mod fields;
mod path;
mod query;

pub(crate) use fields::Fields;
pub(crate) use path::{encoded_path, has_backslash, is_folded};
pub(crate) use query::Parameters;

use crate::{
    AmzDate, RawRequest, SigningRules,
    encode::{Text, hex},
    request::sha256,
    scope::CredentialScope,
};
use smallvec::SmallVec;

/// The canonical request of `request`, all of whose header fields are signed.
///
/// For a person who looks for the difference between two signatures; a [`SigV4Signer`](crate::SigV4Signer) makes it by
/// itself.
///
/// # Security
///
/// It holds what the signed fields hold, a session token perhaps.
#[must_use]
pub fn canonical_request(request: &RawRequest<'_>, rules: SigningRules) -> Vec<u8> {
    let said = request.payload.said();
    let mut fields = Fields::of(request.headers.iter().copied());
    fields.sort();
    let (path, query) = split(request.target);
    let canonical = Canonical {
        method: request.method,
        path,
        query: Parameters::of(query),
        fields,
        payload: said.as_bytes(),
        rules,
    };
    let mut text = Text::new();
    canonical.write(&mut text);
    text.into_vec()
}

/// The string to sign: the date, the scope, and the hash of a canonical request.
///
/// ```
/// use auth_sigv4::{AmzDate, CredentialScope, string_to_sign};
/// let date = AmzDate::parse("20150830T123600Z").unwrap();
/// let text = string_to_sign(date, CredentialScope::new(date.day(), "us-east-1", "iam"), b"..");
/// assert!(text.starts_with("AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n"));
/// ```
#[must_use]
pub fn string_to_sign(
    date: AmzDate,
    scope: CredentialScope<'_>,
    canonical_request: &[u8],
) -> String {
    let text = to_sign(date.as_bytes(), scope, &hex(&sha256(canonical_request)));
    String::from_utf8_lossy(&text).into_owned()
}

/// What a canonical request is written from.
pub(crate) struct Canonical<'a, 'q, 'f> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a [u8],
    pub(crate) query: Parameters<'q>,
    pub(crate) fields: Fields<'f>,
    pub(crate) payload: &'a [u8],
    pub(crate) rules: SigningRules,
}

impl Canonical<'_, '_, '_> {
    pub(crate) fn write(&self, out: &mut Text) {
        out.extend_from_slice(self.method.as_bytes());
        out.push(b'\n');
        path::write(self.path, self.rules, out);
        out.push(b'\n');
        self.query.write(out);
        out.push(b'\n');
        self.fields.write(out);
        out.push(b'\n');
        self.fields.write_names(out);
        out.push(b'\n');
        out.extend_from_slice(self.payload);
    }

    pub(crate) fn hash(&self) -> [u8; 64] {
        let mut text = Text::new();
        self.write(&mut text);
        hex(&sha256(&text))
    }
}

pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The string to sign, from the hash of a canonical request.
pub(crate) fn to_sign(
    date: &[u8; 16],
    scope: CredentialScope<'_>,
    canonical: &[u8; 64],
) -> SmallVec<[u8; 256]> {
    let mut text = SmallVec::new();
    text.extend_from_slice(ALGORITHM.as_bytes());
    text.push(b'\n');
    text.extend_from_slice(date);
    text.push(b'\n');
    scope.write(&mut text);
    text.push(b'\n');
    text.extend_from_slice(canonical);
    text
}

/// A target's path, and its query without the question mark.
pub(crate) fn split(target: &[u8]) -> (&[u8], &[u8]) {
    let end = target.iter().position(|byte| *byte == b'?').unwrap_or(target.len());
    let (path, rest) = target.split_at(end);
    (path, rest.get(1..).unwrap_or_default())
}
