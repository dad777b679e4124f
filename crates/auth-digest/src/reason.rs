//! Why credentials are refused: one code for each reason, and what the caller is told.

use crate::parameters::Fault;
use auth_core::Reason;
use std::{error, fmt};

/// Credentials that are refused, and why: small, `Copy`, and nothing of the credentials is in it.
///
/// # Security
///
/// The reason is for the log alone. To the outside an unknown user, a wrong password and a replay are one refusal.
///
/// ```
/// use auth_digest::DigestResponse;
/// let refused = DigestResponse::parse(br#"username="a", nonce="b""#).unwrap_err();
/// assert_eq!(refused.reason().code, "digest_realm_missing");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestRefused {
    reason: &'static Reason,
    kind: DigestRefusalKind,
}

/// What a caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestRefusalKind {
    /// 400: the credentials cannot be read, or can be read in more than one way.
    Malformed,
    /// 401: the credentials can be read, and are not accepted.
    Unauthenticated,
    /// 401 with `stale=true`: all is well but the nonce, so nobody needs to be asked for a password again.
    Stale,
}

impl DigestRefused {
    const fn of(reason: &'static Reason, kind: DigestRefusalKind) -> Self {
        Self { reason, kind }
    }

    /// The code, `digest_` and what happened, and a sentence that names the parameter and what was expected.
    #[must_use]
    pub const fn reason(self) -> Reason {
        *self.reason
    }

    /// What the caller is told.
    #[must_use]
    pub const fn kind(self) -> DigestRefusalKind {
        self.kind
    }
}

impl fmt::Display for DigestRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl error::Error for DigestRefused {}

impl From<Fault> for DigestRefused {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Syntax => SYNTAX,
            Fault::Twice => TWICE,
            Fault::Many => MANY,
            Fault::Long => LONG,
        }
    }
}

auth_core::reasons! { DigestRefused, DigestRefusalKind;
    Malformed {
        SYNTAX "digest_syntax" "credentials are not a list of parameters (RFC 9110 section 11.2)";
        TWICE "digest_twice" "a parameter comes twice, expected each once";
        MANY "digest_many" "more than 32 parameters";
        LONG "digest_long" "a parameter has more than 4 KiB";
        QUOTED "digest_quoted" "nc, userhash or username* is quoted, expected a token (RFC 7616 section 3.4)";
        UNQUOTED "digest_unquoted" "username, realm, nonce, uri, response, cnonce or opaque is not quoted (RFC 7616 section 3.4)";
        USERNAME_MISSING "digest_username_missing" "neither username nor username*, expected one";
        USERNAME_SEVERAL "digest_username_several" "username and username*, expected one (RFC 7616 section 3.4)";
        USERNAME_TEXT "digest_username_text" "username is not UTF-8 without control characters";
        USERNAME_EXT "digest_username_ext" "username* is not UTF-8 in the notation of RFC 8187";
        USERHASH_VALUE "digest_userhash_value" "userhash is neither true nor false";
        USERHASH_FORM "digest_userhash_form" "username is not a hash, expected one since userhash is true";
        REALM_MISSING "digest_realm_missing" "realm is missing, expected that of the challenge";
        NONCE_MISSING "digest_nonce_missing" "nonce is missing, expected that of the challenge";
        URI_MISSING "digest_uri_missing" "uri is missing, expected the target of the request";
        URI_OTHER "digest_uri_other" "uri is not the target of the request (RFC 7616 section 3.4.6)";
        RESPONSE_MISSING "digest_response_missing" "response is missing, expected a hash";
        RESPONSE_FORM "digest_response_form" "response is not as many lower-case hexadecimal digits as the hash has";
        QOP_UNKNOWN "digest_qop_unknown" "qop is neither auth nor auth-int";
        NC_MISSING "digest_nc_missing" "nc is missing, expected one beside qop";
        NC_FORM "digest_nc_form" "nc is not eight lower-case hexadecimal digits above zero";
        NC_WITHOUT_QOP "digest_nc_without_qop" "nc without qop, expected both or neither";
        CNONCE_MISSING "digest_cnonce_missing" "cnonce is missing or empty, expected one beside qop";
        CNONCE_WITHOUT_QOP "digest_cnonce_without_qop" "cnonce without qop, expected both or neither";
        SESSION_WITHOUT_QOP "digest_session_without_qop" "a -sess algorithm without qop, which has no cnonce for its session";
    }
    Unauthenticated {
        MISSING "digest_missing" "no Digest credentials, expected some";
        ALGORITHM_UNKNOWN "digest_algorithm_unknown" "algorithm is not one that is implemented";
        ALGORITHM_OTHER "digest_algorithm_other" "algorithm is not one that was offered";
        QOP_OTHER "digest_qop_other" "qop is not one that was offered";
        REALM_OTHER "digest_realm_other" "realm is not that of the challenge";
        OPAQUE_OTHER "digest_opaque_other" "opaque is missing or not that of the challenge";
        USERHASH_OTHER "digest_userhash_other" "username is hashed, which was not offered";
        USER_UNKNOWN "digest_user_unknown" "user is unknown, or has no secret for this algorithm";
        RESPONSE_WRONG "digest_response_wrong" "response is not that of the password";
        NONCE_UNPROVEN "digest_nonce_unproven" "nonce is not of ours, and the response cannot be checked without the body";
        REPLAYED "digest_replayed" "nc was used before under this nonce, or is too far behind the highest one";
    }
    Stale {
        NONCE_FOREIGN "digest_nonce_foreign" "nonce is not one that was issued here to this caller";
        NONCE_OLD "digest_nonce_old" "nonce is older than it may get";
        NONCE_FUTURE "digest_nonce_future" "nonce is of the future, which another node's clock may be in";
        NONCE_USED "digest_nonce_used" "nonce was used before, and without qop it serves once";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_reason_has_its_own_code_and_text() {
        let codes: BTreeSet<_> = ALL.iter().map(|refused| refused.reason().code).collect();
        let texts: BTreeSet<_> = ALL.iter().map(|refused| refused.reason().text).collect();
        assert_eq!((codes.len(), texts.len()), (ALL.len(), ALL.len()));
        for refused in ALL {
            let Reason { code, text, .. } = refused.reason();
            let plain = |byte: u8| byte == b'_' || byte.is_ascii_lowercase();
            assert!(code.starts_with("digest_") && code.bytes().all(plain), "{code}");
            assert!(!text.ends_with('.') && !text.is_empty(), "{text}");
        }
    }

    #[test]
    fn only_what_is_right_but_for_its_nonce_is_stale() {
        let stale = ALL.iter().filter(|refused| refused.kind() == DigestRefusalKind::Stale);
        assert!(stale.clone().all(|refused| refused.reason().code.starts_with("digest_nonce_")));
        assert_eq!(stale.count(), 4);
    }
}
