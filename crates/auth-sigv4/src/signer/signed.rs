//! The fields of a signed request.

use crate::{
    AmzDate, CredentialScope,
    canonical::{ALGORITHM, Fields},
    signer::{CONTENT_SHA256, DATE, SECURITY_TOKEN},
};
use auth_core::{Credentials, Error, Result};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header::AUTHORIZATION};
use smallvec::SmallVec;
use std::ops::Range;

/// What is added to a request so that it is signed. The values share one piece of memory.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignedFields {
    /// `Authorization`.
    pub authorization: HeaderValue,
    /// `x-amz-date`.
    pub date: HeaderValue,
    /// `x-amz-content-sha256`, where it is sent.
    pub content_sha256: Option<HeaderValue>,
    /// `x-amz-security-token`, with a temporary key.
    pub security_token: Option<HeaderValue>,
    /// The path to send in place of the request's own, where that is not encoded as it is signed: servers that do as S3
    /// does take both, others verify the path as it stands.
    pub path: Option<String>,
}

impl SignedFields {
    pub(super) fn new(
        id: &str,
        scope: CredentialScope<'_>,
        fields: &Fields<'_>,
        signature: &[u8; 64],
        date: &AmzDate,
        content_sha256: Option<&[u8]>,
        token: Option<&[u8]>,
    ) -> Result<Self> {
        let mut names: SmallVec<[u8; 512]> = SmallVec::new();
        fields.write_names(&mut names);
        let (hash, token) = (content_sha256.unwrap_or_default(), token.unwrap_or_default());
        let parts: [&[u8]; 15] = [
            ALGORITHM.as_bytes(),
            b" Credential=",
            id.as_bytes(),
            b"/",
            scope.day.as_bytes(),
            b"/",
            scope.region.as_bytes(),
            b"/",
            scope.service.as_bytes(),
            b"/aws4_request, SignedHeaders=",
            &names,
            b", Signature=",
            signature,
            date.as_bytes(),
            hash,
        ];
        let length = parts.iter().map(|part| part.len()).sum::<usize>() + token.len();
        let mut all = Vec::with_capacity(length);
        parts.iter().for_each(|part| all.extend_from_slice(part));
        all.extend_from_slice(token);
        let (token_at, hash_at) = (length - token.len(), length - token.len() - hash.len());
        let date_at = hash_at - date.as_bytes().len();
        let all = Bytes::from(all);
        let value = |range: Range<usize>| {
            let value = HeaderValue::from_maybe_shared(all.slice(range));
            value.map_err(|error| Error::config("sigv4_field", error))
        };
        Ok(Self {
            authorization: value(0..date_at)?,
            date: value(date_at..hash_at)?,
            content_sha256: content_sha256.map(|_| value(hash_at..token_at)).transpose()?,
            security_token: (!token.is_empty()).then(|| value(token_at..length)).transpose()?,
            path: None,
        })
    }

    /// As credentials, which mark the values sensitive and commit themselves to a request.
    ///
    /// # Errors
    ///
    /// None that these fields have: it is the signature of [`Credentials::headers`].
    pub fn into_credentials(self) -> Result<Credentials> {
        let first = (AUTHORIZATION, self.authorization);
        let date = (HeaderName::from_static(DATE), self.date);
        let hash = |value| (HeaderName::from_static(CONTENT_SHA256), value);
        let token = |value| (HeaderName::from_static(SECURITY_TOKEN), value);
        let fields = match (self.content_sha256, self.security_token) {
            (None, None) => Credentials::headers([first, date]),
            (Some(value), None) => Credentials::headers([first, date, hash(value)]),
            (None, Some(value)) => Credentials::headers([first, date, token(value)]),
            (Some(one), Some(other)) => {
                Credentials::headers([first, date, hash(one), token(other)])
            }
        }?;
        match self.path {
            Some(path) => fields.and(Credentials::encoded_path(&path)),
            None => Ok(fields),
        }
    }
}
