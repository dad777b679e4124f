//! Why a request is refused: one code for each reason.

use crate::canonical;
use auth_core::{Challenge, Reason, Rejection};

/// A refusal: small, and nothing of the request is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) &'static Reason, RefusalKind);

/// What the outside sees of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefusalKind {
    /// 401 with a challenge: there is no signature.
    Missing,
    /// 400: it cannot be read, or in more than one way.
    Malformed,
    /// 403, whatever was wrong.
    Forbidden,
}

impl Refused {
    pub(crate) const fn of(reason: &'static Reason, kind: RefusalKind) -> Self {
        Self(reason, kind)
    }

    #[cold]
    pub(crate) fn rejection(self) -> Rejection {
        match self.1 {
            RefusalKind::Missing => {
                let challenge = Challenge::without_parameters(canonical::ALGORITHM);
                Rejection::unauthenticated(*self.0, challenge)
            }
            RefusalKind::Malformed => Rejection::malformed(*self.0),
            RefusalKind::Forbidden => self.forbidden(),
        }
    }

    /// For a body that is on its way, when it is too late for any other kind of refusal.
    #[cold]
    pub(crate) fn forbidden(self) -> Rejection {
        Rejection::forbidden(*self.0)
    }
}

auth_core::reasons! { Refused, RefusalKind;
    MISSING Missing "sigv4_missing" "request has no signature, expected one in Authorization or the query";
    TWICE Malformed "sigv4_twice" "request is signed in Authorization and in the query, expected one of them";
    PARAMETERS Malformed "sigv4_parameters" "Authorization has not exactly Credential, SignedHeaders and Signature";
    QUERY Malformed "sigv4_query" "query has not exactly one of each X-Amz- parameter that a presigned URL needs";
    ALGORITHM Malformed "sigv4_algorithm" "X-Amz-Algorithm is not AWS4-HMAC-SHA256";
    CREDENTIAL Malformed "sigv4_credential" "Credential is not id/day/region/service/aws4_request";
    SIGNED_HEADERS Malformed "sigv4_signed_headers" "SignedHeaders is not a sorted list of different lower-case names, expected at most 64 fields";
    SIGNATURE_FORM Malformed "sigv4_signature_form" "Signature is not 64 lower-case hexadecimal digits";
    DATE Malformed "sigv4_date" "x-amz-date is not there once as YYYYMMDDTHHMMSSZ";
    EXPIRES Malformed "sigv4_expires" "X-Amz-Expires is not a number of seconds from 1 to 604800";
    AMBIGUOUS_TARGET Malformed "sigv4_ambiguous_target" "target may be read in another way than it is signed: it has a raw + in its query, a backslash in its path, or a segment that the rules fold";
    HOST Malformed "sigv4_host" "request names no host, or two";
    PAYLOAD_FIELD Malformed "sigv4_payload_field" "x-amz-content-sha256 is not there once as a hash or a name of a payload";
    PRESIGNED Forbidden "sigv4_presigned" "request is presigned, which is not allowed here";
    SCOPE_DAY Forbidden "sigv4_scope_day" "day of Credential is not that of x-amz-date";
    SCOPE_REGION Forbidden "sigv4_scope_region" "region of Credential is not one that is served here";
    SCOPE_SERVICE Forbidden "sigv4_scope_service" "service of Credential is not the one here";
    DATE_PAST Forbidden "sigv4_date_past" "x-amz-date is too long ago";
    DATE_FUTURE Forbidden "sigv4_date_future" "x-amz-date is in the future";
    URL_EXPIRED Forbidden "sigv4_url_expired" "presigned URL has expired";
    NOT_SIGNED Forbidden "sigv4_not_signed" "a header field that must be signed is not among SignedHeaders; allowing_unsigned_field lets one through";
    NOT_THERE Forbidden "sigv4_not_there" "a field of SignedHeaders is not in the request";
    SEVERAL Malformed "sigv4_several" "an x-amz- field comes more than once";
    UNSIGNED_PAYLOAD Forbidden "sigv4_unsigned_payload" "payload is not signed, which is not allowed here";
    PAYLOAD Forbidden "sigv4_payload" "payload is not the one whose hash is signed";
    KEY Forbidden "sigv4_key" "access key is not known";
    KEY_EXPIRED Forbidden "sigv4_key_expired" "temporary access key has expired";
    TOKEN Forbidden "sigv4_token" "session token is not that of the access key";
    SIGNATURE Forbidden "sigv4_signature" "signature does not match";
    REPLAYED Forbidden "sigv4_replayed" "signature was used before";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_reason_has_a_code_of_its_own() {
        let all = ALL.iter();
        #[cfg(feature = "aws-chunked")]
        let all = all.chain(crate::stream::reason::ALL);
        let codes: Vec<_> = all.map(|refused| refused.0.code).collect();
        assert_eq!(codes.iter().collect::<HashSet<_>>().len(), codes.len());
        assert!(codes.iter().all(|code| code.starts_with("sigv4_")));
    }
}
