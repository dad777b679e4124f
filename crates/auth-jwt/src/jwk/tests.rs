//! Keys of the RFCs, and what is wrong with others.

use super::{Jwk, JwkSet};
use crate::{JwsAlgorithm, SigningKey, VerifyingKey};

/// RFC 7515 appendix A.1.1.
const SECRET: &str = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
/// RFC 7515 appendix A.3.1.
const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
/// RFC 8037 appendix A.1.
const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// The key with more members.
fn with(jwk: &str, members: &str) -> String {
    jwk.replacen('{', &format!("{{{members},"), 1)
}

#[track_caller]
fn refused(jwk: &str, assumed: Option<JwsAlgorithm>, code: &str, says: &str) {
    let verifying =
        Jwk::parse(jwk.as_bytes()).and_then(|jwk| VerifyingKey::from_jwk(&jwk, assumed));
    let error = verifying.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

#[test]
fn keys_of_the_rfcs_sign_and_verify() {
    for (jwk, algorithm) in
        [(SECRET, JwsAlgorithm::HS256), (P256, JwsAlgorithm::ES256), (ED25519, JwsAlgorithm::EdDSA)]
    {
        let jwk = Jwk::parse(jwk.as_bytes()).unwrap();
        assert_eq!(jwk.algorithm(), None);
        let signing = SigningKey::from_jwk(&jwk, Some(algorithm)).unwrap();
        let verifying = VerifyingKey::from_jwk(&jwk, Some(algorithm)).unwrap();
        let mut signature = vec![0; signing.signature_len()];
        signing.sign(b"message", &mut signature).unwrap();
        assert!(verifying.verify(b"message", &signature).is_ok());
        assert!(verifying.verify(b"massage", &signature).is_err());
    }
}

#[test]
fn the_key_decides_the_algorithm() {
    let named = with(P256, r#""alg":"ES256","kid":"a b""#);
    let jwk = Jwk::parse(named.as_bytes()).unwrap();
    assert_eq!((jwk.algorithm(), jwk.kid()), (Some(JwsAlgorithm::ES256), Some("a b")));
    assert_eq!(VerifyingKey::from_jwk(&jwk, None).unwrap().algorithm(), JwsAlgorithm::ES256);
    refused(P256, None, "jwk_alg_missing", "alg of the JWK is missing");
    refused(&named, Some(JwsAlgorithm::ES384), "jwk_alg_other", "is ES256, expected ES384");
    refused(&with(P256, r#""alg":"ES512""#), None, "jwk_alg_unknown", "not implemented");
    refused(&with(P256, r#""alg":"es256""#), None, "jwk_alg_unknown", "not implemented");
    refused(P256, Some(JwsAlgorithm::ES384), "jwk_curve", "is for ES256, expected one for ES384");
    refused(P256, Some(JwsAlgorithm::HS256), "jwk_curve", "for HS256");
    refused(ED25519, Some(JwsAlgorithm::ES256), "jwk_curve", "is for EdDSA");
    refused(SECRET, Some(JwsAlgorithm::ES256), "jwt_key_algorithm", "ES256 has no secret");
}

#[test]
fn it_is_used_for_what_it_is_for() {
    let may = |members: &str| {
        let jwk = Jwk::parse(with(P256, members).as_bytes()).unwrap();
        let assumed = Some(JwsAlgorithm::ES256);
        (SigningKey::from_jwk(&jwk, assumed).is_ok(), VerifyingKey::from_jwk(&jwk, assumed).is_ok())
    };
    assert_eq!(may(r#""use":"sig""#), (true, true));
    assert_eq!(may(r#""use":"enc""#), (false, false));
    assert_eq!(may(r#""key_ops":["verify"]"#), (false, true));
    assert_eq!(may(r#""key_ops":["sign"]"#), (true, false));
    assert_eq!(may(r#""key_ops":["sign","verify","wrapKey"]"#), (true, true));
    assert_eq!(may(r#""key_ops":[]"#), (false, false));
    assert_eq!(may(r#""use":"enc","key_ops":["verify"]"#), (false, false));
    assert_eq!(may(r#""key_ops":["verify"],"use":"enc""#), (false, false));
}

#[test]
fn says_which_member_is_wrong() {
    let any = Some(JwsAlgorithm::ES256);
    refused("[]", any, "jwk_json", "JSON object");
    refused(&with(P256, r#""kid":"a","kid":"a""#), any, "jwk_duplicate", "two members");
    refused(&with(P256, r#""kid":1"#), any, "jwk_member", "kid of the JWK");
    refused(&with(P256, r#""key_ops":"verify""#), any, "jwk_member", "key_ops of the JWK");
    refused(&P256.replace("f83OJ", "f83O"), any, "jwk_member", "x of the JWK");
    refused(&P256.replace("RVEU\"", "RVEV\""), any, "jwk_member", "x of the JWK");
    refused(&P256.replace("RVEU\"", "RVEU=\""), any, "jwk_member", "x of the JWK");
    refused(
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}"#,
        any,
        "jwk_missing",
        "y of the JWK",
    );
    refused(&P256.replace("\"crv\":\"P-256\",", ""), any, "jwk_missing", "crv of the JWK");
    refused(&P256.replace("P-256", "secp256k1"), any, "jwk_kind", "crv of the JWK");
    refused(&P256.replace("\"kty\":\"EC\",", ""), any, "jwk_missing", "kty of the JWK");
    refused(&P256.replace("\"EC\"", "\"ec\""), any, "jwk_kind", "kty of the JWK");
    refused(r#"{"kty":"oct"}"#, Some(JwsAlgorithm::HS256), "jwk_missing", "k of the JWK");
    refused(r#"{"kty":"oct","k":""}"#, Some(JwsAlgorithm::HS256), "jwt_key_short", "0 bytes");
    refused(
        r#"{"kty":"RSA","n":"AQAB"}"#,
        Some(JwsAlgorithm::RS256),
        "jwk_missing",
        "e of the JWK",
    );
    refused(
        r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#,
        Some(JwsAlgorithm::RS256),
        "jwt_key_rsa_size",
        "17 bits",
    );
    refused(
        r#"{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"}"#,
        Some(JwsAlgorithm::RS256),
        "jwk_missing",
        "p of the JWK",
    );
    refused(
        r#"{"kty":"RSA","n":"AQAB","e":"AQAB","oth":[]}"#,
        Some(JwsAlgorithm::RS256),
        "jwk_kind",
        "oth of the JWK",
    );
    let public = P256.replace(r#","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI""#, "");
    let jwk = Jwk::parse(public.as_bytes()).unwrap();
    assert_eq!(SigningKey::from_jwk(&jwk, any).unwrap_err().code(), "jwk_public");
}

/// Exponents and moduli that ring would refuse with every signature are refused when the key is read.
#[test]
fn rsa_numbers_are_those_of_a_key() {
    let modulus = |bytes: &[u8]| {
        let mut text = Vec::new();
        crate::base64url::encode_into(bytes, &mut text);
        String::from_utf8(text).unwrap()
    };
    let mut odd = vec![0xff; 256];
    let jwk = |n: &[u8], e: &str| format!(r#"{{"kty":"RSA","n":"{}","e":"{e}"}}"#, modulus(n));
    let any = Some(JwsAlgorithm::RS256);
    assert!(
        VerifyingKey::from_jwk(&Jwk::parse(jwk(&odd, "AQAB").as_bytes()).unwrap(), any).is_ok()
    );
    for e in ["", "AQ", "Ag", "BA", "AAEAAQ", "AgAAAAE", "AQAAAAAB"] {
        refused(&jwk(&odd, e), any, "jwt_key_rsa", "odd exponent");
    }
    odd[255] = 0xfe;
    refused(&jwk(&odd, "AQAB"), any, "jwt_key_rsa", "odd modulus");
    refused(&jwk(&[0xff; 1025], "AQAB"), any, "jwt_key_rsa_size", "8200 bits");
    refused(&jwk(&[&[0][..], &[0xff; 256]].concat(), "AQAB"), any, "jwt_key_rsa", "leading zeros");
}

#[test]
fn a_set_leaves_out_what_it_does_not_understand() {
    let set = format!(
        r#"{{"more":1,"keys":[{P256},{{"kty":"AKP","pub":"a"}},{{"kty":"EC","crv":"P-521"}},{},{{}}]}}"#,
        with(ED25519, r#""kid":"b""#)
    );
    let set = JwkSet::parse(set.as_bytes()).unwrap();
    assert_eq!(set.keys().iter().map(Jwk::kid).collect::<Vec<_>>(), [None, Some("b")]);
    assert_eq!(format!("{set:?}"), "[Jwk(EC, alg None), Jwk(OKP, alg None)]");
}

#[test]
fn a_set_has_its_limits() {
    let check = |text: &str, code: &str| {
        assert_eq!(JwkSet::parse(text.as_bytes()).unwrap_err().code(), code, "{text:.40}");
    };
    let keys = |count: usize| format!(r#"{{"keys":[{}]}}"#, vec!["{}"; count].join(","));
    assert!(JwkSet::parse(keys(100).as_bytes()).unwrap().keys().is_empty());
    check(&keys(101), "jwks_many");
    check("{}", "jwk_missing");
    check(r#"{"keys":{}}"#, "jwk_member");
    check(r#"{"keys":[1]}"#, "jwk_member");
    check(r#"{"keys":[],"keys":[]}"#, "jwk_duplicate");
    check(r#"{"keys":[{"kid":"a","kid":"b"}]}"#, "jwk_duplicate");
    check("<html>", "jwk_json");
    check(&format!(r#"{{"a":"{}"}}"#, "a".repeat(JwkSet::MOST_BYTES)), "jwks_size");
}

#[test]
fn no_private_member_is_shown() {
    for jwk in [SECRET, P256, ED25519] {
        let shown = format!("{:?}", Jwk::parse(jwk.as_bytes()).unwrap());
        assert!(shown.starts_with("Jwk(") && shown.len() < 30, "{shown}");
    }
}
