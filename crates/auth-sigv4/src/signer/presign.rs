//! Presigned URLs: the signature in the query, for anybody who is given the URL.

use super::{SessionTokenPlacement, SigV4Signer, Urls};
use crate::{
    AmzDate, PresignedPayload, RawRequest,
    canonical::{ALGORITHM, Canonical, Fields, Parameters, encoded_path, split, to_sign},
    encode::{Slash, Text, encode_once},
};
use auth_core::{Error, Result, Timestamp};
use smallvec::SmallVec;
use std::time::Duration;

pub(crate) const PARAMETER_ALGORITHM: &str = "X-Amz-Algorithm";
pub(crate) const PARAMETER_CREDENTIAL: &str = "X-Amz-Credential";
pub(crate) const PARAMETER_DATE: &str = "X-Amz-Date";
pub(crate) const PARAMETER_EXPIRES: &str = "X-Amz-Expires";
pub(crate) const PARAMETER_SIGNED_HEADERS: &str = "X-Amz-SignedHeaders";
pub(crate) const PARAMETER_SECURITY_TOKEN: &str = "X-Amz-Security-Token";
pub(crate) const PARAMETER_SIGNATURE: &str = "X-Amz-Signature";

impl SigV4Signer {
    /// The longest that a presigned URL may be good for: seven days.
    pub const LONGEST_EXPIRES: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    /// The target of a presigned URL: that of the request with the signature in its query, good for `expires` from `now`
    /// on.
    ///
    /// The fields of the request have to be sent with it; usually that is `host` alone. S3 wants
    /// [`Payload::Unsigned`](crate::Payload::Unsigned), and its path is encoded as it is signed.
    ///
    /// # Errors
    ///
    /// Those of [`sign`](Self::sign), and `Error::Config` when `expires` is not 1 second to 7 days, when the query has an
    /// `X-Amz-` parameter already, when the payload is not signed though the rules want it to be, or when
    /// a temporary key ends before: the URL would be dead before its time, which
    /// [`allowing_urls_beyond_the_key`](Self::allowing_urls_beyond_the_key) allows.
    pub fn presign(
        &self,
        request: &RawRequest<'_>,
        now: Timestamp,
        expires: Duration,
    ) -> Result<String> {
        let seconds = expires.as_secs();
        if seconds == 0 || expires > Self::LONGEST_EXPIRES {
            let text = "expires is not 1 second to 7 days, expected a time that a URL may last";
            return Err(Error::config("sigv4_expires", text));
        }
        let ends_first = |end| end < now.after(Duration::from_secs(seconds));
        if self.settings.urls == Urls::WithinTheKey && self.key.expires().is_some_and(ends_first) {
            let text = "temporary key ends before the URL would; take one that lasts as long, or allow it with allowing_urls_beyond_the_key";
            return Err(Error::config("sigv4_key_ends_first", text));
        }
        let (date, said) = (AmzDate::from(now), request.payload.said());
        let rules = self.settings.rules;
        let (digits, start) = decimal(seconds);
        let expires = digits.get(start..).unwrap_or_default();
        // All values are encoded once, for both the canonical request and the target.
        let (mut credential, mut names, mut token) = (Text::new(), Text::new(), Text::new());
        self.scope(&date).write_credential(self.key.id(), &mut credential);
        encode_once(&signed_names(request)?, Slash::Encoded, &mut names);
        if let Some(raw) = self.key.session_token() {
            encode_once(raw.expose(), Slash::Encoded, &mut token);
        }
        let added: [(&str, &[u8]); 5] = [
            (PARAMETER_ALGORITHM, ALGORITHM.as_bytes()),
            (PARAMETER_CREDENTIAL, &credential),
            (PARAMETER_DATE, date.as_bytes()),
            (PARAMETER_SIGNED_HEADERS, &names),
            (PARAMETER_EXPIRES, expires),
        ];
        if request.payload.must_be_sent() && rules.presigned == PresignedPayload::Signed {
            let text =
                "payload is not signed, which a URL for this service cannot say; sign its bytes";
            return Err(Error::config("sigv4_payload_unsaid", text));
        }
        let (path, raw) = split(request.target);
        let mut query = Parameters::unsorted(raw);
        self.check_target(path, &query)?;
        if query.iter().any(|parameter| parameter.name.starts_with(b"X-Amz-")) {
            let text = "query has an X-Amz- parameter already, expected it to be set by the signer";
            return Err(Error::config("sigv4_parameter_taken", text));
        }
        added.iter().for_each(|(name, value)| query.push_encoded(name, value));
        if !token.is_empty() && self.settings.session_token == SessionTokenPlacement::Signed {
            query.push_encoded(PARAMETER_SECURITY_TOKEN, &token);
        }
        query.sort();
        let mut fields = Fields::of(request.headers.iter().copied());
        fields.sort();
        let canonical = Canonical {
            method: request.method,
            path,
            query,
            fields,
            payload: said.as_bytes(),
            rules,
        };
        let text = to_sign(date.as_bytes(), self.scope(&date), &canonical.hash());
        let signature = self.signature(&date, &text);
        let mut target = Text::new();
        let encoded = encoded_path(path, rules);
        let path = encoded.as_deref().map_or(path, str::as_bytes);
        target.extend_from_slice(if path.is_empty() { b"/" } else { path });
        target.push(b'?');
        if !raw.is_empty() {
            target.extend_from_slice(raw);
            target.push(b'&');
        }
        let token = (!token.is_empty()).then_some((PARAMETER_SECURITY_TOKEN, &*token));
        let signature: (&str, &[u8]) = (PARAMETER_SIGNATURE, &signature);
        for (name, value) in added.into_iter().chain(token).chain([signature]) {
            target.extend_from_slice(name.as_bytes());
            target.push(b'=');
            target.extend_from_slice(value);
            target.push(b'&');
        }
        target.pop();
        let text = std::str::from_utf8(&target).map(str::to_owned);
        text.map_err(|_| {
            Error::config("sigv4_target", "target is not UTF-8, expected a path and a query")
        })
    }
}

/// What is signed with it: the names of its fields.
fn signed_names(request: &RawRequest<'_>) -> Result<SmallVec<[u8; 512]>> {
    let mut fields = Fields::of(request.headers.iter().copied());
    super::check(&fields)?;
    fields.sort();
    let mut names = SmallVec::new();
    fields.write_names(&mut names);
    Ok(names)
}

/// The digits of a number, from the second index on.
fn decimal(value: u64) -> ([u8; 20], usize) {
    let (mut digits, mut left, mut start) = ([b'0'; 20], value, 20);
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(left % 10).unwrap_or_default();
        left /= 10;
        start -= 1;
        if left == 0 {
            break;
        }
    }
    (digits, start)
}
