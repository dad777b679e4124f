//! The scope of a signing key.

use crate::encode::Text;
use auth_core::{Error, Result};
use smallvec::SmallVec;
use std::fmt;

/// What a signing key is good for: one day, one region, one service.
///
/// It prints as the credential scope does: `20150830/us-east-1/iam/aws4_request`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CredentialScope<'a> {
    /// `YYYYMMDD`, in UTC.
    pub day: &'a str,
    /// `us-east-1` and the like.
    pub region: &'a str,
    /// The name of the service, as [`AwsService::name`](crate::AwsService::name) has it.
    pub service: &'a str,
}

/// The last part of every scope.
pub(crate) const TERMINATOR: &str = "aws4_request";

impl<'a> CredentialScope<'a> {
    /// A scope.
    #[must_use]
    pub const fn new(day: &'a str, region: &'a str, service: &'a str) -> Self {
        Self { day, region, service }
    }

    pub(crate) fn write(&self, out: &mut SmallVec<[u8; 256]>) {
        for part in [self.day, self.region, self.service] {
            out.extend_from_slice(part.as_bytes());
            out.push(b'/');
        }
        out.extend_from_slice(TERMINATOR.as_bytes());
    }
}

impl CredentialScope<'_> {
    /// The value of `X-Amz-Credential`, encoded: nothing in it is but the slashes.
    pub(crate) fn write_credential(&self, id: &str, out: &mut Text) {
        for part in [id, self.day, self.region, self.service] {
            out.extend_from_slice(part.as_bytes());
            out.extend_from_slice(b"%2F");
        }
        out.extend_from_slice(TERMINATOR.as_bytes());
    }
}

impl fmt::Display for CredentialScope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{TERMINATOR}", self.day, self.region, self.service)
    }
}

impl fmt::Debug for CredentialScope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Will this region or service do, which somebody has configured?
pub(crate) fn check_scope_part(what: &str, part: &str) -> Result<()> {
    if is_scope_part(part) {
        return Ok(());
    }
    let text = format!("{what} is no name, expected 1 to 64 letters, digits and -_.");
    Err(Error::config("sigv4_scope", text))
}

/// A part of a scope: what AWS puts there, and nothing that could end it.
pub(crate) fn is_scope_part(part: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !part.is_empty() && part.len() <= 64 && part.bytes().all(allowed)
}
