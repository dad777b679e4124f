//! Signing tokens: the claims that all of them have in common, signed with a time and an id.

mod front;
mod json;
mod sign;
mod signed;

pub use signed::SignedJwt;

use crate::{JwsHeader, json as strict};
use auth_core::{Error, Result};
use front::Front;
use serde::Serialize;
use std::{fmt, sync::OnceLock, time::Duration};

/// What tokens of one kind say; each that is signed adds its time and, where wanted, its id.
///
/// Claims are written in a fixed order: `iss`, `iat`, `exp`, `jti`, then `sub`, `aud` and those of the application. Dates
/// are whole seconds. What does not change is written once, when it is set.
///
/// ```
/// use auth_core::Timestamp;
/// use auth_jwt::{JwsAlgorithm, ClaimsToSign, SigningKey, dangerous};
/// use std::time::Duration;
///
/// let claims = ClaimsToSign::expiring_in(Duration::from_secs(300))?.with_issuer("service").with_claim("roleId", &2)?;
/// let key = SigningKey::from_secret(JwsAlgorithm::HS256, &[7; 32])?;
/// let signed = claims.sign(&key, Timestamp::from_unix(1_700_000_000), Some("one"))?;
///
/// let decoded = dangerous::decode_unverified(signed.expose())?;
/// let expected = r#"{"iss":"service","iat":1700000000,"exp":1700000300,"jti":"one","roleId":2}"#;
/// assert_eq!(decoded.payload(), expected.as_bytes());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ClaimsToSign {
    lifetime: Option<u64>,
    issued_at: bool,
    typ: String,
    kid: String,
    issuer: String,
    subject: String,
    audience: String,
    audiences: Vec<Box<str>>,
    custom: String,
    names: Vec<Box<str>>,
    /// What every token begins with, kept from the first that is signed.
    front: OnceLock<Front>,
}

impl ClaimsToSign {
    /// Tokens that expire so long after they are issued, rounded down to whole seconds.
    ///
    /// # Errors
    ///
    /// `Error::Config` when that is less than one second: `exp` would not be after `iat`.
    pub fn expiring_in(lifetime: Duration) -> Result<Self> {
        match lifetime.as_secs() {
            0 => Err(Error::config(
                "jwt_mint_lifetime",
                "lifetime is less than a second, expected more",
            )),
            seconds => Ok(Self::new(Some(seconds))),
        }
    }

    /// Tokens without `exp`: for verifiers that bound the age from `iat`, and none else.
    #[must_use]
    pub fn without_expiry() -> Self {
        Self::new(None)
    }

    pub(crate) fn new(lifetime: Option<u64>) -> Self {
        Self {
            lifetime,
            issued_at: true,
            typ: json::member("typ", "JWT"),
            kid: String::new(),
            issuer: String::new(),
            subject: String::new(),
            audience: String::new(),
            audiences: Vec::new(),
            custom: String::new(),
            names: Vec::new(),
            front: OnceLock::new(),
        }
    }

    /// `iss` (RFC 7519 section 4.1.1).
    #[must_use]
    pub fn with_issuer(mut self, issuer: &str) -> Self {
        self.issuer = json::member("iss", issuer);
        self.front = OnceLock::new();
        self
    }

    /// `sub` (section 4.1.2).
    #[must_use]
    pub fn with_subject(mut self, subject: &str) -> Self {
        self.subject = json::member("sub", subject);
        self
    }

    /// `sub` as a number, for platforms that have it so.
    #[must_use]
    pub fn with_subject_number(mut self, subject: u64) -> Self {
        self.subject = format!(",\"sub\":{subject}");
        self
    }

    /// `aud` (section 4.1.3): a string, and an array of all of them when it is set more than once.
    #[must_use]
    pub fn with_audience(mut self, audience: &str) -> Self {
        self.audiences.push(audience.into());
        self.audience = match &self.audiences[..] {
            [one] => json::member("aud", one),
            several => json::members("aud", several),
        };
        self
    }

    /// Leaves `iat` out, for platforms that do not have it.
    #[must_use]
    pub const fn without_issued_at(mut self) -> Self {
        self.issued_at = false;
        self
    }

    /// `kid` in the header: which key of the issuer signs (RFC 7515 section 4.1.4).
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is longer than [`JwsHeader::MOST_KEY_ID_BYTES`].
    pub fn with_key_id(mut self, kid: &str) -> Result<Self> {
        if kid.len() > JwsHeader::MOST_KEY_ID_BYTES {
            return Err(Error::config("jwt_mint_kid", "kid is longer than 128 bytes"));
        }
        self.kid = json::member("kid", kid);
        self.front = OnceLock::new();
        Ok(self)
    }

    /// `typ` in the header, `JWT` unless set: what kind of token it is (RFC 8725 section 3.11).
    #[must_use]
    pub fn with_token_type(mut self, token_type: &str) -> Self {
        self.typ = json::member("typ", token_type);
        self.front = OnceLock::new();
        self
    }

    /// A claim of the application.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the name is one that is set otherwise or twice, or the value is none that our own verifier
    /// would read: beyond its bounds, or with two members of one name.
    pub fn with_claim(mut self, name: &str, value: &impl Serialize) -> Result<Self> {
        if OURS.contains(&name) {
            return Err(Error::config(
                "jwt_mint_claim_ours",
                "claim has a method of its own, expected that",
            ));
        }
        if self.names.iter().any(|known| **known == *name) {
            return Err(Error::config("jwt_mint_claim_twice", "claim is set twice, expected once"));
        }
        if self.names.len() + OURS.len() >= strict::MEMBERS {
            return Err(Error::config(
                "jwt_mint_claims",
                "too many claims, expected at most 64 with the seven of RFC 7519; sign a longer payload with SigningKey::sign",
            ));
        }
        let value =
            serde_json::to_string(value).map_err(|error| Error::config("jwt_mint_claim", error))?;
        let read = strict::object(format!("{{\"a\":{value}}}").as_bytes(), |_, _| {
            Ok::<_, strict::Fault>(())
        });
        if read.is_err() {
            let text = "claim is deeper than 8 levels, has more than 64 members in one object, or two of one name";
            return Err(Error::config("jwt_mint_claim_bounds", text));
        }
        json::name(name, &mut self.custom);
        self.custom.push_str(&value);
        self.names.push(name.into());
        Ok(self)
    }
}

impl fmt::Debug for ClaimsToSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimsToSign(..)")
    }
}

/// What has a method or an argument of its own.
const OURS: [&str; 6] = ["iss", "sub", "aud", "iat", "exp", "jti"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{JwsAlgorithm, SigningKey, dangerous, forged};
    use auth_core::Timestamp;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

    fn claims() -> ClaimsToSign {
        ClaimsToSign::expiring_in(Duration::from_millis(300_999)).unwrap()
    }

    #[track_caller]
    fn check(claims: &ClaimsToSign, id: Option<&str>, header: &str, payload: &str) {
        let signed = claims.sign(&forged::key(), NOW, id).unwrap();
        assert_eq!(signed.expose(), forged::token(header, payload), "{payload}");
    }

    #[test]
    fn writes_claims_in_a_fixed_order() {
        check(&claims(), None, forged::HS256, r#"{"iat":1700000000,"exp":1700000300}"#);
        for issuer in ["", "i", "is", "iss", "\"", "é"] {
            let payload = json!({ "iss": issuer }).to_string().replace('}', ",");
            let payload = payload + r#""iat":1700000000,"exp":1700000300}"#;
            check(&claims().with_issuer(issuer), None, forged::HS256, &payload);
        }
        let all = claims()
            .with_audience("a")
            .with_claim("z", &1)
            .unwrap()
            .with_subject("s")
            .with_issuer("i");
        let all = all.with_claim("nbf", &json!([{ "a": null }])).unwrap();
        check(
            &all,
            Some("j\""),
            forged::HS256,
            r#"{"iss":"i","iat":1700000000,"exp":1700000300,"jti":"j\"","sub":"s","aud":"a","z":1,"nbf":[{"a":null}]}"#,
        );
        check(
            &all.with_audience("b").with_issuer("k"),
            None,
            forged::HS256,
            r#"{"iss":"k","iat":1700000000,"exp":1700000300,"sub":"s","aud":["a","b"],"z":1,"nbf":[{"a":null}]}"#,
        );
    }

    #[test]
    fn leaves_out_what_a_platform_does_not_have() {
        let symphony = claims().with_subject("bot").without_issued_at();
        check(&symphony, None, forged::HS256, r#"{"exp":1700000300,"sub":"bot"}"#);
        check(
            &symphony.with_subject_number(7),
            None,
            forged::HS256,
            r#"{"exp":1700000300,"sub":7}"#,
        );
        let unbounded = ClaimsToSign::without_expiry().with_issuer("i");
        check(&unbounded, None, forged::HS256, r#"{"iss":"i","iat":1700000000}"#);
        check(&ClaimsToSign::without_expiry().without_issued_at(), None, forged::HS256, "{}");
        assert_eq!(unbounded.sign(&forged::key(), NOW, None).unwrap().expires(), None);
    }

    #[test]
    fn names_the_key_and_the_type_in_the_header() {
        let named = claims().with_key_id("k\n").unwrap().with_token_type("at+jwt");
        let header = r#"{"alg":"HS256","typ":"at+jwt","kid":"k\u000a"}"#;
        check(&named, None, header, r#"{"iat":1700000000,"exp":1700000300}"#);
        let key = SigningKey::from_secret(JwsAlgorithm::HS512, &[7; 64]).unwrap();
        let signed = named.sign(&key, NOW, None).unwrap();
        let decoded = dangerous::decode_unverified(signed.expose()).unwrap();
        assert_eq!(decoded.header().algorithm(), JwsAlgorithm::HS512);
        assert_eq!(signed.expires(), Some(Timestamp::from_unix(1_700_000_300)));
    }

    #[test]
    fn a_long_token_is_minted_as_a_short_one() {
        let long = "a".repeat(5000);
        let payload = format!(r#"{{"iss":"{long}","iat":1700000000,"exp":1700000300,"sub":"s"}}"#);
        check(&claims().with_issuer(&long).with_subject("s"), None, forged::HS256, &payload);
    }

    #[track_caller]
    fn refuses(refused: Result<impl fmt::Debug>, code: &str) {
        assert_eq!(refused.unwrap_err().code(), code);
    }

    #[test]
    fn refuses_to_mint_what_no_verifier_accepts() {
        for lifetime in [Duration::ZERO, Duration::from_millis(999)] {
            refuses(ClaimsToSign::expiring_in(lifetime), "jwt_mint_lifetime");
        }
        let endless = ClaimsToSign::expiring_in(Duration::MAX).unwrap();
        refuses(endless.sign(&forged::key(), NOW, None), "jwt_mint_lifetime");
        assert!(claims().with_key_id(&"k".repeat(128)).is_ok());
        refuses(claims().with_key_id(&"k".repeat(129)), "jwt_mint_kid");
        for ours in OURS {
            refuses(claims().with_claim(ours, &1), "jwt_mint_claim_ours");
        }
        refuses(claims().with_claim("a", &1).unwrap().with_claim("a", &2), "jwt_mint_claim_twice");
        refuses(
            claims().with_claim("a", &std::collections::HashMap::from([((1, 2), 3)])),
            "jwt_mint_claim",
        );
        refuses(claims().with_claim("a", &json!([[[[[[[[]]]]]]]])), "jwt_mint_claim_bounds");
        let most = 64 - OURS.len();
        let many =
            (0..most).try_fold(claims(), |claims, at| claims.with_claim(&at.to_string(), &at));
        refuses(many.unwrap().with_claim("one more", &1), "jwt_mint_claims");
    }

    #[test]
    fn shows_nothing_of_a_token() {
        let signed = claims().with_issuer("secret").sign(&forged::key(), NOW, None).unwrap();
        assert_eq!(
            format!("{signed:?}"),
            "SignedJwt { expires: Some(Timestamp(1700000300s)), .. }"
        );
        assert_eq!(format!("{:?}", claims().with_issuer("secret")), "ClaimsToSign(..)");
    }
}
