//! What claims have to say to be accepted.

mod times;

use crate::{
    JwsHeader, JwtRefused,
    claims::{Registered, Subject},
    reason,
};
use auth_core::Timestamp;
use std::time::Duration;

/// What claims have to say to be accepted; strict where nothing was said.
///
/// | | unless said otherwise |
/// |---|---|
/// | every registered claim | is of the type of RFC 7519 section 4.1, wanted or not |
/// | `iss` | any, or none; required and compared once one was named |
/// | `aud` | none; once one was named, required and compared. A token for an audience that the policy does not name is for somebody else (RFC 7519 section 4.1.3), unless [any is allowed](JwtPolicy::allowing_any_audience) |
/// | `sub` | a string, if any |
/// | `exp` | required; refused from `exp` + leeway on |
/// | `exp` and `iat` | `exp` is after `iat` |
/// | `nbf`, `iat` | not in the future, beyond the leeway |
/// | dates | seconds since 1970, up to 10^10, with a fraction if need be |
/// | `typ` | `JWT` or nothing |
/// | who signs | the issuer |
/// | leeway | 60 s |
///
/// ```
/// use auth_jwt::{RequiredClaim, DatePrecision, Expiry, JwtPolicy};
/// use std::time::Duration;
///
/// let policy = JwtPolicy::new()
///     .with_issuer("3fa85f64-5717-4562-b3fc-2c963f66afa6")
///     .with_expiry(Expiry::Optional)
///     .with_max_age(Duration::from_secs(3600))
///     .with_date_precision(DatePrecision::WholeSeconds)
///     .with_required_claim(RequiredClaim::Id)
///     .with_leeway(Duration::ZERO);
/// ```
#[derive(Clone, Debug)]
pub struct JwtPolicy {
    issuers: Vec<Box<str>>,
    audiences: Vec<Box<str>>,
    any_audience: bool,
    token_type: Option<Box<str>>,
    subject: SubjectJsonType,
    required: Vec<RequiredClaim>,
    expiry: Expiry,
    dates: DatePrecision,
    max_age: Option<Duration>,
    most_ahead: Option<Duration>,
    leeway: Duration,
    signer: SignerClaim,
}

/// A claim that may be required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequiredClaim {
    /// `iss`, whoever it is.
    Issuer,
    /// `sub`.
    Subject,
    /// `aud`, whoever it is.
    Audience,
    /// `nbf`.
    NotBefore,
    /// `iat`.
    IssuedAt,
    /// `jti`.
    Id,
}

/// Of which type `sub` has to be, if it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectJsonType {
    /// A string (RFC 7519 section 4.1.2).
    Text,
    /// A number in digits alone, as some platforms send it.
    Number,
    /// Either.
    TextOrNumber,
}

/// Whether `exp` may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It may not.
    Required,
    /// It may, where [`JwtPolicy::with_max_age`] bounds the life of the token instead: no token lives for ever.
    Optional,
}

/// Which claim names the signer of a token, whose keys are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerClaim {
    /// `iss`: an issuer signs for many subjects.
    Issuer,
    /// `sub`: a subject signs for itself.
    Subject,
}

/// How exact dates may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatePrecision {
    /// Whole seconds alone. `1700000000.0` is whole.
    WholeSeconds,
    /// Any number (RFC 7519 section 2). What is finer than a nanosecond is rounded against the token.
    Fractional,
}

impl JwtPolicy {
    /// No policy may have a larger leeway.
    pub const MOST_LEEWAY: Duration = Duration::from_secs(15 * 60);

    /// The strictest that knows nobody.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            issuers: Vec::new(),
            audiences: Vec::new(),
            any_audience: false,
            token_type: None,
            subject: SubjectJsonType::Text,
            required: Vec::new(),
            expiry: Expiry::Required,
            dates: DatePrecision::Fractional,
            max_age: None,
            most_ahead: None,
            leeway: Duration::from_secs(60),
            signer: SignerClaim::Issuer,
        }
    }

    /// `iss` is required and must be this, or one of those that were named.
    #[must_use]
    pub fn with_issuer(mut self, issuer: impl Into<Box<str>>) -> Self {
        self.issuers.push(issuer.into());
        self
    }

    /// `aud` is required and must be or hold this, or one of those that were named.
    #[must_use]
    pub fn with_audience(mut self, audience: impl Into<Box<str>>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// `aud` may be anything or missing, whatever audiences were named.
    ///
    /// # Security
    ///
    /// RFC 7519 section 4.1.3 has a token refused by all that its `aud` does not name, so that a service cannot use what
    /// it receives at another service of the issuer. Allow any audience only where the key is for one service alone.
    #[must_use]
    pub const fn allowing_any_audience(mut self) -> Self {
        self.any_audience = true;
        self
    }

    /// `typ` is required and must be this (RFC 8725 section 3.11), for example `at+jwt` (RFC 9068).
    #[must_use]
    pub fn with_token_type(mut self, token_type: impl Into<Box<str>>) -> Self {
        self.token_type = Some(token_type.into());
        self
    }

    /// `sub`, if it is there, is of this type.
    #[must_use]
    pub const fn with_subject(mut self, subject: SubjectJsonType) -> Self {
        self.subject = subject;
        self
    }

    /// This claim must be there.
    #[must_use]
    pub fn with_required_claim(mut self, claim: RequiredClaim) -> Self {
        self.required.push(claim);
        self
    }

    /// Whether `exp` may be missing.
    #[must_use]
    pub const fn with_expiry(mut self, expiry: Expiry) -> Self {
        self.expiry = expiry;
        self
    }

    /// How exact dates may be.
    #[must_use]
    pub const fn with_date_precision(mut self, dates: DatePrecision) -> Self {
        self.dates = dates;
        self
    }

    /// A token lives no longer than this from its `iat`, which is then required, whatever its `exp` says.
    #[must_use]
    pub const fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// `exp` may be no further ahead than this, and the leeway.
    #[must_use]
    pub const fn with_most_ahead(mut self, span: Duration) -> Self {
        self.most_ahead = Some(span);
        self
    }

    /// How far the clocks of both sides may be apart. More than [`MOST_LEEWAY`](Self::MOST_LEEWAY) counts as that.
    #[must_use]
    pub fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.min(Self::MOST_LEEWAY);
        self
    }

    /// Whose keys are looked up; the issuer's unless set.
    #[must_use]
    pub const fn with_signer_claim(mut self, signer: SignerClaim) -> Self {
        self.signer = signer;
        self
    }

    pub(crate) const fn signer(&self) -> SignerClaim {
        self.signer
    }

    /// When such claims die, if they may live now.
    pub(crate) fn judge(
        &self,
        header: &JwsHeader,
        claims: &Registered<'_>,
        now: Timestamp,
    ) -> Result<Timestamp, JwtRefused> {
        if !header.is_typed(self.token_type.as_deref()) {
            return Err(reason::TYP_OTHER);
        }
        for claim in &self.required {
            claim.required(claims)?;
        }
        self.judge_issuer(claims)?;
        self.judge_audience(claims)?;
        self.judge_subject(claims)?;
        self.judge_times(claims, now)
    }

    fn judge_issuer(&self, claims: &Registered<'_>) -> Result<(), JwtRefused> {
        if self.issuers.is_empty() {
            return Ok(());
        }
        let issuer = claims.issuer.ok_or(reason::ISS_MISSING)?;
        let known = self.issuers.iter().any(|known| issuer.means(known));
        if known { Ok(()) } else { Err(reason::ISS_OTHER) }
    }

    fn judge_audience(&self, claims: &Registered<'_>) -> Result<(), JwtRefused> {
        if self.any_audience {
            return Ok(());
        }
        if self.audiences.is_empty() {
            return if claims.audience.is_none() { Ok(()) } else { Err(reason::AUD_UNNAMED) };
        }
        RequiredClaim::Audience.required(claims)?;
        let ours = claims.audience.is_some_and(|audience| audience.holds(&self.audiences));
        if ours { Ok(()) } else { Err(reason::AUD_OTHER) }
    }

    fn judge_subject(&self, claims: &Registered<'_>) -> Result<(), JwtRefused> {
        match (self.subject, &claims.subject) {
            (SubjectJsonType::Text, Some(Subject::Number(_)))
            | (SubjectJsonType::Number, Some(Subject::Text(_))) => Err(reason::SUB_TYPE),
            _ => Ok(()),
        }
    }
}

impl Default for JwtPolicy {
    fn default() -> Self {
        Self::new()
    }
}

impl RequiredClaim {
    fn required(self, claims: &Registered<'_>) -> Result<(), JwtRefused> {
        let (there, missing) = match self {
            Self::Issuer => (claims.issuer.is_some(), reason::ISS_MISSING),
            Self::Subject => (claims.subject.is_some(), reason::SUB_MISSING),
            Self::Audience => {
                let there = claims.audience.is_some_and(|audience| !audience.is_empty());
                (there, reason::AUD_MISSING)
            }
            Self::NotBefore => (claims.not_before.is_some(), reason::NBF_MISSING),
            Self::IssuedAt => (claims.issued_at.is_some(), reason::IAT_MISSING),
            Self::Id => (claims.id.is_some(), reason::JTI_MISSING),
        };
        if there { Ok(()) } else { Err(missing) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forged;

    const EXP: &str = "\"exp\":1000";

    #[track_caller]
    fn check(policy: JwtPolicy, payload: &str, expected: Result<(), JwtRefused>) {
        check_typed(policy, forged::HS256, payload, expected);
    }

    #[track_caller]
    fn check_typed(
        policy: JwtPolicy,
        header: &str,
        payload: &str,
        expected: Result<(), JwtRefused>,
    ) {
        let token = forged::token(header, payload);
        let signed =
            crate::UnverifiedJws::parse(&token).unwrap().verify(&forged::key().verifying());
        let claims = signed.unwrap().claims(&policy, Timestamp::from_unix(500));
        assert_eq!(claims.map(|_| ()), expected, "{payload}");
    }

    #[test]
    fn any_issuer_or_none_will_do_until_one_is_named() {
        for payload in
            ["{\"exp\":1000}", "{\"exp\":1000,\"iss\":\"a\",\"sub\":\"c\",\"jti\":\"d\"}"]
        {
            check(JwtPolicy::new(), payload, Ok(()));
            check(JwtPolicy::default(), payload, Ok(()));
        }
    }

    /// RFC 7519 section 4.1.3: nobody identified himself with it, so it is for somebody else.
    #[test]
    fn an_audience_that_nobody_named_is_refused_unless_any_is_allowed() {
        for audience in ["\"a\"", "[\"a\"]", "[]", "\"\""] {
            let payload = format!("{{{EXP},\"aud\":{audience}}}");
            check(JwtPolicy::new(), &payload, Err(reason::AUD_UNNAMED));
            let required = JwtPolicy::new().with_required_claim(RequiredClaim::Issuer);
            check(required, &payload, Err(reason::ISS_MISSING));
            for open in [JwtPolicy::new(), JwtPolicy::new().with_audience("b")] {
                check(open.allowing_any_audience(), &payload, Ok(()));
            }
        }
        let none = format!("{{{EXP}}}");
        check(JwtPolicy::new().with_audience("b").allowing_any_audience(), &none, Ok(()));
        check(
            JwtPolicy::new().with_required_claim(RequiredClaim::Audience).allowing_any_audience(),
            &none,
            Err(reason::AUD_MISSING),
        );
    }

    #[test]
    fn the_issuer_is_required_and_compared_once_it_is_named() {
        let policy = || JwtPolicy::new().with_issuer("a").with_issuer("b");
        for good in ["\"a\"", "\"b\"", "\"\\u0061\""] {
            check(policy(), &format!("{{{EXP},\"iss\":{good}}}"), Ok(()));
        }
        check(policy(), &format!("{{{EXP}}}"), Err(reason::ISS_MISSING));
        for other in ["\"c\"", "\"A\"", "\"\"", "\"a \"", "\"a\\u0000\""] {
            check(policy(), &format!("{{{EXP},\"iss\":{other}}}"), Err(reason::ISS_OTHER));
        }
    }

    #[test]
    fn the_issuer_is_a_string_whether_it_is_named_or_not() {
        for policy in [JwtPolicy::new, || JwtPolicy::new().with_issuer("1")] {
            for other in ["1", "null", "[\"1\"]", "{}", "true"] {
                check(policy(), &format!("{{{EXP},\"iss\":{other}}}"), Err(reason::ISS_TYPE));
            }
        }
    }

    #[test]
    fn the_audience_is_required_and_one_of_it_is_ours_once_it_is_named() {
        let policy = || JwtPolicy::new().with_audience("a").with_audience("b");
        for good in [
            "\"a\"",
            "\"b\"",
            "[\"a\"]",
            "[\"x\",\"b\"]",
            "[\"x\",\"\\u0062\"]",
            "[ \"b\" , \"a\" ]",
        ] {
            check(policy(), &format!("{{{EXP},\"aud\":{good}}}"), Ok(()));
        }
        check(policy(), &format!("{{{EXP}}}"), Err(reason::AUD_MISSING));
        check(policy(), &format!("{{{EXP},\"aud\":[]}}"), Err(reason::AUD_MISSING));
        for other in ["\"c\"", "\"\"", "[\"A\"]", "[\"ab\",\"\"]"] {
            check(policy(), &format!("{{{EXP},\"aud\":{other}}}"), Err(reason::AUD_OTHER));
        }
    }

    #[test]
    fn the_audience_is_a_string_or_an_array_of_them_whether_it_is_named_or_not() {
        for policy in [JwtPolicy::new, || JwtPolicy::new().with_audience("a")] {
            for other in
                ["1", "null", "{}", "[\"a\",1]", "[[\"a\"]]", "[\"a\",null]", "{\"a\":\"a\"}"]
            {
                check(policy(), &format!("{{{EXP},\"aud\":{other}}}"), Err(reason::AUD_TYPE));
            }
        }
    }

    #[test]
    fn the_subject_is_a_string_unless_a_number_is_chosen() {
        let (text, number) = (format!("{{{EXP},\"sub\":\"7\"}}"), format!("{{{EXP},\"sub\":7}}"));
        for (subject, of_text, of_number) in [
            (SubjectJsonType::Text, Ok(()), Err(reason::SUB_TYPE)),
            (SubjectJsonType::Number, Err(reason::SUB_TYPE), Ok(())),
            (SubjectJsonType::TextOrNumber, Ok(()), Ok(())),
        ] {
            check(JwtPolicy::new().with_subject(subject), &text, of_text);
            check(JwtPolicy::new().with_subject(subject), &number, of_number);
            check(JwtPolicy::new().with_subject(subject), &format!("{{{EXP}}}"), Ok(()));
            for other in ["7.0", "7e0", "-7", "null", "[]", "true"] {
                let payload = format!("{{{EXP},\"sub\":{other}}}");
                check(JwtPolicy::new().with_subject(subject), &payload, Err(reason::SUB_TYPE));
            }
        }
        check(JwtPolicy::new(), &number, Err(reason::SUB_TYPE));
    }

    #[test]
    fn what_is_required_must_be_there() {
        for (claim, member, missing) in [
            (RequiredClaim::Issuer, "\"iss\":\"\"", reason::ISS_MISSING),
            (RequiredClaim::Subject, "\"sub\":\"\"", reason::SUB_MISSING),
            (RequiredClaim::Audience, "\"aud\":\"\"", reason::AUD_MISSING),
            (RequiredClaim::NotBefore, "\"nbf\":0", reason::NBF_MISSING),
            (RequiredClaim::IssuedAt, "\"iat\":0", reason::IAT_MISSING),
            (RequiredClaim::Id, "\"jti\":\"\"", reason::JTI_MISSING),
        ] {
            let policy = || JwtPolicy::new().with_required_claim(claim).allowing_any_audience();
            check(policy(), &format!("{{{EXP},{member}}}"), Ok(()));
            check(policy(), &format!("{{{EXP}}}"), Err(missing));
        }
        let empty = format!("{{{EXP},\"aud\":[]}}");
        check(
            JwtPolicy::new().with_required_claim(RequiredClaim::Audience),
            &empty,
            Err(reason::AUD_MISSING),
        );
    }

    #[test]
    fn the_id_is_a_string() {
        for other in ["1", "null", "[]"] {
            check(JwtPolicy::new(), &format!("{{{EXP},\"jti\":{other}}}"), Err(reason::JTI_TYPE));
        }
    }

    #[test]
    fn the_type_of_the_token_is_that_of_the_policy() {
        let payload = format!("{{{EXP}}}");
        let header = |typ: &str| format!(r#"{{"alg":"HS256"{typ}}}"#);
        let access = || JwtPolicy::new().with_token_type("at+jwt");
        check_typed(JwtPolicy::new(), &header(""), &payload, Ok(()));
        check_typed(
            JwtPolicy::new(),
            &header(",\"typ\":\"at+jwt\""),
            &payload,
            Err(reason::TYP_OTHER),
        );
        check_typed(access(), &header(",\"typ\":\"at+jwt\""), &payload, Ok(()));
        check_typed(access(), &header(",\"typ\":\"JWT\""), &payload, Err(reason::TYP_OTHER));
        check_typed(access(), &header(""), &payload, Err(reason::TYP_OTHER));
    }

    #[test]
    fn the_payload_is_one_strict_json_object() {
        check(JwtPolicy::new(), "{\"exp\":1000,\"exp\":1000}", Err(reason::CLAIMS_DUPLICATE));
        check(JwtPolicy::new(), "{\"exp\":1000,\"\\u0065xp\":1000}", Err(reason::CLAIMS_DUPLICATE));
        check(
            JwtPolicy::new(),
            "{\"exp\":1000,\"x\":[{\"a\":1,\"a\":1}]}",
            Err(reason::CLAIMS_DUPLICATE),
        );
        check(JwtPolicy::new(), "{\"exp\":1000,\"x\":[[[[[[[[]]]]]]]]}", Err(reason::CLAIMS_DEPTH));
        check(JwtPolicy::new(), "{\"exp\":01000}", Err(reason::CLAIMS_JSON));
        check(JwtPolicy::new(), "{\"exp\":1000}{}", Err(reason::CLAIMS_JSON));
        check(
            JwtPolicy::new(),
            "{\"exp\":\"\",\"iss\":1,\"a\":1,\"a\":1}",
            Err(reason::CLAIMS_DUPLICATE),
        );
        check(JwtPolicy::new(), "{\"exp\":\"\",\"iss\":1}", Err(reason::EXP_TYPE));
        check(JwtPolicy::new(), "[]", Err(reason::CLAIMS_OBJECT));
        check(JwtPolicy::new(), "", Err(reason::CLAIMS_OBJECT));
        let wide: Vec<_> = (0..64).map(|at| format!("\"{at}\":1")).collect();
        check(
            JwtPolicy::new(),
            &format!("{{{EXP},{}}}", wide.join(",")),
            Err(reason::CLAIMS_MEMBERS),
        );
    }
}
