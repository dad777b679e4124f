//! The claims of a token (RFC 7519 section 4).

mod audience;
mod date;
mod read;

pub(crate) use date::Date;
pub(crate) use read::{ReadClaims, SubjectType};

use crate::{JwsHeader, JwtPolicy, JwtRefused, json::Text, reason};
use auth_core::Timestamp;
use serde::de::DeserializeOwned;
use std::{borrow::Cow, fmt, ops::Range};

/// Claims that are verified: a key signed them, and a [`JwtPolicy`] accepted them.
///
/// They own their memory, which is the decoded payload and no more. There is no other way to them than
/// [`UnverifiedJws`](crate::UnverifiedJws), and no way to make them up. `Debug` shows none of it.
pub struct Claims {
    read: ReadClaims,
    dies: Timestamp,
}

impl Claims {
    /// The signature is proven: the claims of a key's owner, if the policy accepts them.
    pub(crate) fn judged(
        header: &JwsHeader,
        read: ReadClaims,
        policy: &JwtPolicy,
        now: Timestamp,
    ) -> Result<Self, JwtRefused> {
        let dies = policy.judge(header, &read, now)?;
        Ok(Self { read, dies })
    }

    /// `iss`: who issued the token (RFC 7519 section 4.1.1).
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.read.issuer()
    }

    /// `sub`: whom it is about (section 4.1.2). A number is given in its digits.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.read.subject()
    }

    /// `aud`: for whom it is (section 4.1.3), none when the claim is missing.
    pub fn audience(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.read.audience().within(&self.read.text).into_iter()
    }

    /// `exp`: when it expires (section 4.1.4), whatever else lets it die earlier.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        self.read.expires().map(Date::rounded_down)
    }

    /// `nbf`: before when it must not be accepted (section 4.1.5).
    #[must_use]
    pub fn not_before(&self) -> Option<Timestamp> {
        self.read.not_before().map(Date::rounded_up)
    }

    /// `iat`: when it was issued (section 4.1.6).
    #[must_use]
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.read.issued_at().map(Date::rounded_down)
    }

    /// `jti`: its id (section 4.1.7).
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.read.id()
    }

    /// From when on the policy refuses the token: by `exp` or by its age, whichever comes first, leeway included.
    ///
    /// So long its id has to be remembered where a token is good for one use.
    #[must_use]
    pub const fn dies(&self) -> Timestamp {
        self.dies
    }

    /// Reads the claims as a type of the application.
    ///
    /// ```
    /// # use auth_core::Timestamp;
    /// # use auth_jwt::{JwsAlgorithm, ClaimsToSign, JwtPolicy, SigningKey, UnverifiedJws};
    /// # let (key, now) = (SigningKey::from_secret(JwsAlgorithm::HS256, &[7; 32])?, Timestamp::from_unix(1_700_000_000));
    /// # let lifetime = std::time::Duration::from_secs(300);
    /// # let signed = ClaimsToSign::expiring_in(lifetime)?.with_claim("roleId", &2)?.sign(&key, now, None)?;
    /// # let claims = UnverifiedJws::parse(signed.expose())?.verify(&key.verifying())?.claims(&JwtPolicy::new(), now)?;
    /// #[derive(serde::Deserialize)]
    /// struct Role {
    ///     #[serde(rename = "roleId")]
    ///     id: u8,
    /// }
    /// assert_eq!(claims.read::<Role>()?.id, 2);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `jwt_claims_shape` when they are not of that type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, JwtRefused> {
        serde_json::from_str(&self.read.text).map_err(|_| reason::CLAIMS_SHAPE)
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims(..)")
    }
}

/// A string of the payload: where it stands, or what it means when something in it is escaped.
#[derive(Default)]
pub(crate) enum Part {
    #[default]
    Absent,
    At(Range<usize>),
    Unescaped(Box<str>),
}

impl Part {
    fn of(text: Text<'_>) -> Self {
        text.span().map_or_else(|| Self::Unescaped(text.to_str().into()), Self::At)
    }

    const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    fn within<'a>(&'a self, text: &'a str) -> Option<&'a str> {
        match self {
            Self::Absent => None,
            Self::At(span) => text.get(span.clone()),
            Self::Unescaped(unescaped) => Some(unescaped),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SubjectJsonType, UnverifiedJws, forged};

    fn claims(payload: &str) -> Claims {
        let token = forged::token(forged::HS256, payload);
        let signed =
            UnverifiedJws::parse(&token).unwrap().verify(&forged::key().verifying()).unwrap();
        let policy =
            JwtPolicy::new().with_subject(SubjectJsonType::TextOrNumber).allowing_any_audience();
        signed.claims(&policy, Timestamp::from_unix(1000)).unwrap()
    }

    #[test]
    fn gives_what_is_meant_however_it_is_written() {
        let written = r#" { "iss" : "a é" , "sub":"s", "jti":"j","aud":"x", "iat":1, "nbf":2.5, "exp":2000 } "#;
        let escaped = r#"{"\u0069ss":"\u0061 \u00e9","sub":"\u0073","jti":"\u006a","aud":"\u0078","iat":1e0,"nbf":25e-1,"exp":2e3}"#;
        for payload in [written, escaped] {
            let claims = claims(payload);
            let texts = [claims.issuer(), claims.subject(), claims.id()];
            assert_eq!(texts, [Some("a é"), Some("s"), Some("j")], "{payload}");
            assert_eq!(claims.audience().collect::<Vec<_>>(), ["x"]);
            assert_eq!(claims.issued_at(), Some(Timestamp::from_unix(1)));
            assert_eq!(claims.not_before().unwrap().since_epoch().as_millis(), 2500);
            assert_eq!(claims.expires(), Some(Timestamp::from_unix(2000)));
            assert_eq!(claims.dies(), Timestamp::from_unix(2060));
        }
    }

    #[test]
    fn what_is_not_there_is_none() {
        let claims = claims("{\"exp\":2000}");
        assert_eq!([claims.issuer(), claims.subject(), claims.id()], [None; 3]);
        assert_eq!([claims.issued_at(), claims.not_before()], [None; 2]);
        assert_eq!(claims.audience().count(), 0);
    }

    #[test]
    fn a_number_is_a_subject_in_its_digits() {
        assert_eq!(
            claims("{\"exp\":2000,\"sub\":12345678901234567890123}").subject(),
            Some("12345678901234567890123")
        );
    }

    #[test]
    fn an_audience_of_several_is_each_of_them() {
        let claims = claims(r#"{"x":"é","aud":[ "a", "\u0062" ,"é"],"exp":2000}"#);
        assert_eq!(claims.audience().collect::<Vec<_>>(), ["a", "b", "é"]);
    }

    #[test]
    fn an_application_reads_its_own_claims() {
        #[derive(serde::Deserialize)]
        struct Role {
            role: u8,
        }
        assert_eq!(claims("{\"exp\":2000,\"role\":2}").read::<Role>().unwrap().role, 2);
        for other in
            ["{\"exp\":2000}", "{\"exp\":2000,\"role\":1e400}", "{\"exp\":2000,\"role\":256}"]
        {
            assert_eq!(claims(other).read::<Role>().map(|_| ()).unwrap_err(), reason::CLAIMS_SHAPE);
        }
    }

    #[test]
    fn shows_nothing_of_them() {
        assert_eq!(format!("{:?}", claims("{\"exp\":2000,\"iss\":\"secret\"}")), "Claims(..)");
    }
}
