//! Why a token is refused: one code for each reason.

use crate::json::Fault;
use auth_core::Reason;
use std::{error, fmt};

/// A token that is refused, and why: small, `Copy`, and nothing of the token is in it.
///
/// # Security
///
/// The reason is for the log alone. To the outside a forged, an expired and an unknown token are one refusal.
///
/// ```
/// use auth_jwt::UnverifiedJws;
/// let refused = UnverifiedJws::parse("e30.e30.").unwrap_err();
/// assert_eq!(refused.reason().code, "jwt_alg_missing");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JwtRefused(&'static Reason);

impl JwtRefused {
    const fn of(reason: &'static Reason) -> Self {
        Self(reason)
    }

    /// The code, `jwt_` and what happened, and a sentence that names the member and what was expected.
    #[must_use]
    pub const fn reason(self) -> Reason {
        *self.0
    }
}

impl fmt::Display for JwtRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl error::Error for JwtRefused {}

impl From<JwtRefused> for Reason {
    fn from(refused: JwtRefused) -> Self {
        *refused.0
    }
}

auth_core::reasons! { JwtRefused;
    SIZE "jwt_size" "token is longer than its limit, 8 KiB unless with_most_token_bytes sets another";
    PARTS "jwt_parts" "token has not three parts, expected header, payload and signature with a dot between two";
    ENCRYPTED "jwt_encrypted" "token has five parts and is a JWE, expected a JWS of three";
    HEADER_BASE64URL "jwt_header_base64url" "header is not canonical base64url without padding (RFC 7515 section 2)";
    PAYLOAD_BASE64URL "jwt_payload_base64url" "payload is not canonical base64url without padding (RFC 7515 section 2)";
    SIGNATURE_BASE64URL "jwt_signature_base64url" "signature is not canonical base64url without padding (RFC 7515 section 2)";
    SIGNATURE "jwt_signature" "signature is not of this key";

    MISSING "jwt_missing" "no token, expected one";
    SEVERAL "jwt_several" "a token in Authorization and another one in the field that may have it instead";
    SIGNER_MISSING "jwt_signer_missing" "claim that names the signer is missing, expected the one that the policy names";
    SIGNER_TYPE "jwt_signer_type" "claim that names the signer is not a string";
    KEY_UNKNOWN "jwt_key_unknown" "no key is known of this issuer and kid";
    KEY_NONE "jwt_key_none" "issuer and kid are known, and have no key";
    KEY_MANY "jwt_key_many" "issuer and kid have more than 4 keys of the algorithm of the token; publish a kid with each key";
    REPLAYED "jwt_replayed" "jti was used before";

    HEADER_UTF8 "jwt_header_utf8" "header is not UTF-8";
    HEADER_OBJECT "jwt_header_object" "header is not a JSON object";
    HEADER_JSON "jwt_header_json" "header is not JSON (RFC 8259)";
    HEADER_DUPLICATE "jwt_header_duplicate" "header has two members of one name (RFC 7515 section 4)";
    HEADER_DEPTH "jwt_header_depth" "header is deeper than 8 levels";
    HEADER_MEMBERS "jwt_header_members" "header has an object of more than 64 members";

    ALG_MISSING "jwt_alg_missing" "alg is missing, expected that of the key (RFC 7515 section 4.1.1)";
    ALG_TYPE "jwt_alg_type" "alg is not a string";
    ALG_NONE "jwt_alg_none" "alg is none, expected a signature (RFC 8725 section 3.2)";
    ALG_UNKNOWN "jwt_alg_unknown" "alg is not one that is implemented, in this spelling";
    ALG_OTHER "jwt_alg_other" "alg is not that of the key (RFC 8725 section 3.1)";
    TYP_TYPE "jwt_typ_type" "typ is not a string";
    TYP_OTHER "jwt_typ_other" "typ is not one that the policy names, or JWT or nothing where it names none (RFC 8725 section 3.11)";
    KID_TYPE "jwt_kid_type" "kid is not a string";
    KID_LONG "jwt_kid_long" "kid is longer than 128 bytes";
    CRIT "jwt_crit" "crit demands extensions, of which none is understood (RFC 7515 section 4.1.11)";
    B64 "jwt_b64" "b64 is there, expected a payload in base64url (RFC 7797)";
    JKU "jwt_jku" "jku refers to keys, and keys come from the look-up alone (RFC 8725 section 3.10); allowing_key_header(KeyHeader::Jku) ignores it";
    JWK "jwt_jwk" "jwk brings a key, and keys come from the look-up alone (RFC 8725 section 3.10); allowing_key_header(KeyHeader::Jwk) ignores it";
    X5U "jwt_x5u" "x5u refers to a certificate, and keys come from the look-up alone (RFC 8725 section 3.10); allowing_key_header(KeyHeader::X5u) ignores it";
    X5C "jwt_x5c" "x5c brings certificates, and keys come from the look-up alone (RFC 8725 section 3.10); allowing_key_header(KeyHeader::X5c) ignores it";

    CLAIMS_UTF8 "jwt_claims_utf8" "payload is not UTF-8 (RFC 8725 section 3.7)";
    CLAIMS_OBJECT "jwt_claims_object" "payload is not a JSON object (RFC 7519 section 7.2)";
    CLAIMS_JSON "jwt_claims_json" "payload is not JSON (RFC 8259)";
    CLAIMS_DUPLICATE "jwt_claims_duplicate" "payload has two members of one name (RFC 7519 section 4)";
    CLAIMS_DEPTH "jwt_claims_depth" "payload is deeper than 8 levels";
    CLAIMS_MEMBERS "jwt_claims_members" "payload has an object of more members than its limit, 64 unless with_most_members sets another";
    CLAIMS_SHAPE "jwt_claims_shape" "claims are not of the shape that the application reads";

    ISS_TYPE "jwt_iss_type" "iss is not a string";
    ISS_MISSING "jwt_iss_missing" "iss is missing, expected an issuer";
    ISS_OTHER "jwt_iss_other" "iss is not an issuer of the policy";
    AUD_TYPE "jwt_aud_type" "aud is neither a string nor an array of strings";
    AUD_MISSING "jwt_aud_missing" "aud is missing or empty, expected an audience";
    AUD_OTHER "jwt_aud_other" "aud holds no audience of the policy";
    AUD_UNNAMED "jwt_aud_unnamed" "aud is there and the policy names no audience; name the audience of this service by with_audience(), or use allowing_any_audience() if the key is for this service alone";
    SUB_TYPE "jwt_sub_type" "sub is not of the type of the policy, expected a string unless it says a number in digits";
    SUB_MISSING "jwt_sub_missing" "sub is missing, expected a subject";
    JTI_TYPE "jwt_jti_type" "jti is not a string";
    JTI_MISSING "jwt_jti_missing" "jti is missing, expected an id";

    EXP_TYPE "jwt_exp_type" "exp is not a number";
    EXP_NEGATIVE "jwt_exp_negative" "exp is negative, expected seconds since 1970";
    EXP_UNIT "jwt_exp_unit" "exp looks like milliseconds, expected seconds";
    EXP_FRACTION "jwt_exp_fraction" "exp has a fraction, expected whole seconds";
    EXP_MISSING "jwt_exp_missing" "exp is missing, expected one, or an iat that bounds the age";
    EXP_PAST "jwt_exp_past" "exp is past";
    EXP_BEFORE_IAT "jwt_exp_before_iat" "exp is not after iat";
    EXP_FAR "jwt_exp_far" "exp is further ahead than the policy lets it be";
    NBF_TYPE "jwt_nbf_type" "nbf is not a number";
    NBF_NEGATIVE "jwt_nbf_negative" "nbf is negative, expected seconds since 1970";
    NBF_UNIT "jwt_nbf_unit" "nbf looks like milliseconds, expected seconds";
    NBF_FRACTION "jwt_nbf_fraction" "nbf has a fraction, expected whole seconds";
    NBF_MISSING "jwt_nbf_missing" "nbf is missing, expected one";
    NBF_FUTURE "jwt_nbf_future" "nbf is in the future";
    IAT_TYPE "jwt_iat_type" "iat is not a number";
    IAT_NEGATIVE "jwt_iat_negative" "iat is negative, expected seconds since 1970";
    IAT_UNIT "jwt_iat_unit" "iat looks like milliseconds, expected seconds";
    IAT_FRACTION "jwt_iat_fraction" "iat has a fraction, expected whole seconds";
    IAT_MISSING "jwt_iat_missing" "iat is missing, expected one";
    IAT_FUTURE "jwt_iat_future" "iat is in the future";
    IAT_OLD "jwt_iat_old" "iat is longer ago than the policy lets a token live";
}

/// A fault of the header.
pub(crate) const fn in_header(fault: Fault) -> JwtRefused {
    match fault {
        Fault::Utf8 => HEADER_UTF8,
        Fault::NotAnObject => HEADER_OBJECT,
        Fault::Syntax => HEADER_JSON,
        Fault::Duplicate => HEADER_DUPLICATE,
        Fault::Depth => HEADER_DEPTH,
        Fault::Members => HEADER_MEMBERS,
    }
}

/// A fault of the payload.
pub(crate) const fn in_claims(fault: Fault) -> JwtRefused {
    match fault {
        Fault::Utf8 => CLAIMS_UTF8,
        Fault::NotAnObject => CLAIMS_OBJECT,
        Fault::Syntax => CLAIMS_JSON,
        Fault::Duplicate => CLAIMS_DUPLICATE,
        Fault::Depth => CLAIMS_DEPTH,
        Fault::Members => CLAIMS_MEMBERS,
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
            assert!(
                code.starts_with("jwt_")
                    && code.bytes().all(|b| b"_0123456789".contains(&b) || b.is_ascii_lowercase()),
                "{code}"
            );
            assert!(!text.ends_with('.') && !text.is_empty(), "{text}");
        }
    }
}
