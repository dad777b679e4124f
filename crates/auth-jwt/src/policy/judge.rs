//! What a policy says of a token.

use super::{JwtPolicy, RequiredClaim, SubjectJsonType};
use crate::{
    JwsHeader, JwtRefused,
    claims::{ReadClaims, SubjectType},
    reason,
};
use auth_core::Timestamp;

impl JwtPolicy {
    /// When such claims die, if they may live now.
    pub(crate) fn judge(
        &self,
        header: &JwsHeader,
        claims: &ReadClaims,
        now: Timestamp,
    ) -> Result<Timestamp, JwtRefused> {
        header.key_headers().all_in(self.ignored)?;
        if !header.is_typed(&self.token_types) {
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

    fn judge_issuer(&self, claims: &ReadClaims) -> Result<(), JwtRefused> {
        if self.issuers.is_empty() {
            return Ok(());
        }
        let issuer = claims.issuer().ok_or(reason::ISS_MISSING)?;
        let known = self.issuers.iter().any(|known| **known == *issuer);
        if known { Ok(()) } else { Err(reason::ISS_OTHER) }
    }

    fn judge_audience(&self, claims: &ReadClaims) -> Result<(), JwtRefused> {
        if self.any_audience {
            return Ok(());
        }
        if self.audiences.is_empty() {
            return if claims.audience().is_absent() { Ok(()) } else { Err(reason::AUD_UNNAMED) };
        }
        RequiredClaim::Audience.required(claims)?;
        let ours = claims.audience().holds(claims.text(), &self.audiences);
        if ours { Ok(()) } else { Err(reason::AUD_OTHER) }
    }

    fn judge_subject(&self, claims: &ReadClaims) -> Result<(), JwtRefused> {
        match (self.subject, claims.subject_type()) {
            (SubjectJsonType::Text, Some(SubjectType::Number))
            | (SubjectJsonType::Number, Some(SubjectType::Text)) => Err(reason::SUB_TYPE),
            (SubjectJsonType::Digits, Some(SubjectType::Text)) => {
                let digits = claims.subject().unwrap_or_default().as_bytes();
                let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
                if is_number { Ok(()) } else { Err(reason::SUB_TYPE) }
            }
            _ => Ok(()),
        }
    }
}

impl RequiredClaim {
    fn required(self, claims: &ReadClaims) -> Result<(), JwtRefused> {
        let (there, missing) = match self {
            Self::Issuer => (claims.issuer().is_some(), reason::ISS_MISSING),
            Self::Subject => (claims.subject().is_some(), reason::SUB_MISSING),
            Self::Audience => (!claims.audience().is_empty(claims.text()), reason::AUD_MISSING),
            Self::NotBefore => (claims.not_before().is_some(), reason::NBF_MISSING),
            Self::IssuedAt => (claims.issued_at().is_some(), reason::IAT_MISSING),
            Self::Id => (claims.id().is_some(), reason::JTI_MISSING),
        };
        if there { Ok(()) } else { Err(missing) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyHeader, forged};

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
            (SubjectJsonType::Digits, Ok(()), Ok(())),
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
        for other in ["", "bob", "7a", "-7", "+7", "7.0", " 7", "\u{663}"] {
            let payload = format!("{{{EXP},\"sub\":\"{other}\"}}");
            for (subject, expected) in [
                (SubjectJsonType::Digits, Err(reason::SUB_TYPE)),
                (SubjectJsonType::TextOrNumber, Ok(())),
            ] {
                check(JwtPolicy::new().with_subject(subject), &payload, expected);
            }
        }
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

    /// One verifier for the tokens of two issuers, or of one that changes.
    #[test]
    fn a_token_may_be_of_any_type_that_was_named() {
        let payload = format!("{{{EXP}}}");
        let both = || JwtPolicy::new().with_token_type("JWT").with_token_type("at+jwt");
        for (typ, expected) in [
            (",\"typ\":\"JWT\"", Ok(())),
            (",\"typ\":\"application/at+jwt\"", Ok(())),
            (",\"typ\":\"dpop+jwt\"", Err(reason::TYP_OTHER)),
            ("", Err(reason::TYP_OTHER)),
        ] {
            check_typed(both(), &format!(r#"{{"alg":"HS256"{typ}}}"#), &payload, expected);
        }
    }

    /// ADFS and Entra v1 send thumbprints, SAP XSUAA sends `jku`, and a proof of DPoP has `jwk`.
    #[test]
    fn what_names_or_brings_a_key_is_refused_unless_it_is_ignored_by_name() {
        let payload = format!("{{{EXP}}}");
        let header = |member: &str| format!(r#"{{"alg":"HS256",{member}}}"#);
        let all = [
            (KeyHeader::Jku, reason::JKU, "\"jku\":\"https://example.com\""),
            (KeyHeader::Jku, reason::JKU, "\"\\u006aku\":null"),
            (KeyHeader::Jwk, reason::JWK, "\"jwk\":{\"kty\":\"oct\",\"k\":\"\"}"),
            (KeyHeader::X5u, reason::X5U, "\"x5u\":\"https://example.com\""),
            (KeyHeader::X5c, reason::X5C, "\"x5c\":[]"),
        ];
        for (one, refused, member) in all {
            check_typed(JwtPolicy::new(), &header(member), &payload, Err(refused));
            for (other, ..) in all {
                let policy = JwtPolicy::new().allowing_key_header(other);
                let expected = if other == one { Ok(()) } else { Err(refused) };
                check_typed(policy, &header(member), &payload, expected);
            }
        }
        let two = JwtPolicy::new().allowing_key_header(KeyHeader::Jku);
        let two = two.allowing_key_header(KeyHeader::X5c);
        check_typed(two, &header("\"jku\":1,\"x5c\":[]"), &payload, Ok(()));
        for thumbprint in ["\"x5t\":\"abc\"", "\"x5t#S256\":null,\"x5t\":7"] {
            check_typed(JwtPolicy::new(), &header(thumbprint), &payload, Ok(()));
        }
    }

    #[test]
    fn an_object_may_have_more_members_where_the_policy_says_so() {
        let object = |members: usize| {
            let all: Vec<_> = (0..members).map(|at| format!("\"{at}\":1")).collect();
            format!("{{{EXP},\"groups\":{{{}}}}}", all.join(","))
        };
        let wide = || JwtPolicy::new().with_most_members(180);
        check(JwtPolicy::new(), &object(64), Ok(()));
        check(JwtPolicy::new(), &object(65), Err(reason::CLAIMS_MEMBERS));
        check(wide(), &object(180), Ok(()));
        check(wide(), &object(181), Err(reason::CLAIMS_MEMBERS));
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
