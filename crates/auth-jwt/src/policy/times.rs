//! When a token lives.

use super::{DatePrecision, Expiry, JwtPolicy};
use crate::{Claims, JwtRefused, claims::ReadClaims, reason};
use auth_core::Timestamp;

impl JwtPolicy {
    /// When the token dies, if it lives now.
    pub(super) fn judge_times(
        &self,
        claims: &ReadClaims,
        now: Timestamp,
    ) -> Result<Timestamp, JwtRefused> {
        self.judge_fractions(claims)?;
        let latest = now.after(self.leeway);
        if claims.issued_at().is_some_and(|iat| iat.rounded_up() > latest) {
            return Err(reason::IAT_FUTURE);
        }
        if claims.not_before().is_some_and(|nbf| nbf.rounded_up() > latest) {
            return Err(reason::NBF_FUTURE);
        }
        let too_old = self.too_old(claims)?;
        let expired = self.expired(claims, latest)?;
        match (expired, too_old) {
            (Some(expired), _) if now >= expired => Err(reason::EXP_PAST),
            (_, Some(too_old)) if now >= too_old => Err(reason::IAT_OLD),
            (Some(expired), Some(too_old)) => Ok(expired.min(too_old)),
            (expired, too_old) => expired.or(too_old).ok_or(reason::EXP_MISSING),
        }
    }

    /// The moment of issue, by `iat` or, where the policy bounds how far `exp` may be ahead, the earliest that `exp` allows.
    pub(crate) fn issued(&self, claims: &Claims) -> Option<Timestamp> {
        claims.issued_at().or_else(|| Some(claims.expires()?.before(self.most_ahead?)))
    }

    fn judge_fractions(&self, claims: &ReadClaims) -> Result<(), JwtRefused> {
        if self.dates == DatePrecision::Fractional {
            return Ok(());
        }
        for (date, refused) in [
            (claims.expires(), reason::EXP_FRACTION),
            (claims.not_before(), reason::NBF_FRACTION),
            (claims.issued_at(), reason::IAT_FRACTION),
        ] {
            if date.is_some_and(|date| !date.is_whole()) {
                return Err(refused);
            }
        }
        Ok(())
    }

    /// From when on `iat` is too long ago.
    fn too_old(&self, claims: &ReadClaims) -> Result<Option<Timestamp>, JwtRefused> {
        let Some(age) = self.max_age else { return Ok(None) };
        let issued_at = claims.issued_at().ok_or(reason::IAT_MISSING)?;
        let oldest = issued_at.rounded_down().after(age);
        Ok(Some(if self.exact_age { oldest } else { oldest.after(self.leeway) }))
    }

    /// From when on `exp` is past.
    fn expired(
        &self,
        claims: &ReadClaims,
        latest: Timestamp,
    ) -> Result<Option<Timestamp>, JwtRefused> {
        let Some(expires) = claims.expires() else {
            return match self.expiry {
                Expiry::Required => Err(reason::EXP_MISSING),
                Expiry::Optional => Ok(None),
            };
        };
        if claims.issued_at().is_some_and(|iat| expires.rounded_down() <= iat.rounded_up()) {
            return Err(reason::EXP_BEFORE_IAT);
        }
        if self.most_ahead.is_some_and(|span| expires.rounded_up() > latest.after(span)) {
            return Err(reason::EXP_FAR);
        }
        Ok(Some(expires.rounded_down().after(self.leeway)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RequiredClaim, UnverifiedJws, forged};
    use std::time::Duration;

    /// At this many milliseconds; how many milliseconds after the epoch it dies.
    #[track_caller]
    fn check(policy: JwtPolicy, payload: &str, now: u64, expected: Result<u64, JwtRefused>) {
        let token = forged::token(forged::HS256, payload);
        let signed =
            UnverifiedJws::parse(&token).unwrap().verify(&forged::key().verifying()).unwrap();
        let now = Timestamp::default().after(Duration::from_millis(now));
        let claims = signed.claims(&policy, now);
        let dies = Timestamp::default().after(Duration::from_millis(expected.unwrap_or_default()));
        assert_eq!(claims.map(|claims| claims.dies()), expected.map(|_| dies), "{payload} {now}");
    }

    fn exact() -> JwtPolicy {
        JwtPolicy::new().with_leeway(Duration::ZERO)
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn exp_is_required_and_refused_from_exp_and_leeway_on() {
        check(exact(), "{}", 0, Err(reason::EXP_MISSING));
        check(exact(), "{\"exp\":3600}", 3_599_999, Ok(3_600_000));
        check(exact(), "{\"exp\":3600}", 3_600_000, Err(reason::EXP_PAST));
        check(exact(), "{\"exp\":3600.5}", 3_600_499, Ok(3_600_500));
        check(exact(), "{\"exp\":3600.5}", 3_600_500, Err(reason::EXP_PAST));
        check(exact(), "{\"exp\":0}", 0, Err(reason::EXP_PAST));
        let lenient = || JwtPolicy::new().with_leeway(seconds(10));
        check(lenient(), "{\"exp\":3600}", 3_609_999, Ok(3_610_000));
        check(lenient(), "{\"exp\":3600}", 3_610_000, Err(reason::EXP_PAST));
        check(JwtPolicy::new(), "{\"exp\":3600}", 3_659_999, Ok(3_660_000));
        check(JwtPolicy::new(), "{\"exp\":3600}", 3_660_000, Err(reason::EXP_PAST));
    }

    #[test]
    fn leeway_has_a_limit() {
        let policy = || JwtPolicy::new().with_leeway(seconds(3600));
        check(policy(), "{\"exp\":3600}", 4_499_999, Ok(4_500_000));
        check(policy(), "{\"exp\":3600}", 4_500_000, Err(reason::EXP_PAST));
    }

    #[test]
    fn exp_is_after_iat() {
        check(exact(), "{\"iat\":10,\"exp\":11}", 10_000, Ok(11_000));
        check(exact(), "{\"iat\":10,\"exp\":10.001}", 10_000, Ok(10_001));
    }

    #[test]
    fn exp_not_after_iat_is_refused() {
        for exp in ["10", "9", "10.0", "10.0000000001"] {
            let payload = format!("{{\"iat\":10,\"exp\":{exp}}}");
            check(exact(), &payload, 10_000, Err(reason::EXP_BEFORE_IAT));
        }
    }

    /// 60 minutes from `iat`, whatever `exp` says.
    #[test]
    fn a_token_lives_to_exp_or_its_greatest_age_whichever_comes_first() {
        let aged = || exact().with_max_age(seconds(3600));
        check(aged(), "{\"iat\":1000,\"exp\":8200}", 4_599_999, Ok(4_600_000));
        check(aged(), "{\"iat\":1000,\"exp\":8200}", 4_600_000, Err(reason::IAT_OLD));
        check(aged(), "{\"iat\":1000,\"exp\":2000}", 1_999_999, Ok(2_000_000));
        check(aged(), "{\"iat\":1000,\"exp\":2000}", 2_000_000, Err(reason::EXP_PAST));
        check(aged(), "{\"exp\":2000}", 1_000_000, Err(reason::IAT_MISSING));
        check(aged(), "{\"iat\":1000}", 1_000_000, Err(reason::EXP_MISSING));
        let lenient = || aged().with_leeway(seconds(60));
        check(lenient(), "{\"iat\":1000,\"exp\":8200}", 4_659_999, Ok(4_660_000));
        check(lenient(), "{\"iat\":1000,\"exp\":8200}", 4_660_000, Err(reason::IAT_OLD));
    }

    #[test]
    fn leeway_does_not_lengthen_an_exact_age() {
        let aged = || JwtPolicy::new().with_exact_max_age(seconds(3600));
        check(aged(), "{\"iat\":1000,\"exp\":8200}", 4_599_999, Ok(4_600_000));
        check(aged(), "{\"iat\":1000,\"exp\":8200}", 4_600_000, Err(reason::IAT_OLD));
        // It counts at `exp` and at `iat` as before.
        check(aged(), "{\"iat\":1000,\"exp\":2000}", 2_059_999, Ok(2_060_000));
        check(aged(), "{\"iat\":1000,\"exp\":4600}", 940_000, Ok(4_600_000));
        let (again, payload) = (aged().with_max_age(seconds(3600)), "{\"iat\":1000,\"exp\":8200}");
        check(again, payload, 4_659_999, Ok(4_660_000));
    }

    #[test]
    fn exp_may_be_optional_where_the_age_is_bounded() {
        let optional = || exact().with_expiry(Expiry::Optional).with_max_age(seconds(3600));
        check(optional(), "{\"iat\":1000}", 4_599_999, Ok(4_600_000));
        check(optional(), "{\"iat\":1000}", 4_600_000, Err(reason::IAT_OLD));
        check(optional(), "{\"iat\":1000,\"exp\":2000}", 2_000_000, Err(reason::EXP_PAST));
        check(optional(), "{}", 1_000_000, Err(reason::IAT_MISSING));
    }

    #[test]
    fn no_token_lives_for_ever() {
        let optional = || exact().with_expiry(Expiry::Optional);
        check(optional(), "{\"iat\":1}", 1_000, Err(reason::EXP_MISSING));
        check(
            optional().with_required_claim(RequiredClaim::IssuedAt),
            "{\"iat\":1}",
            1_000,
            Err(reason::EXP_MISSING),
        );
    }

    #[test]
    fn exp_may_be_bounded_from_now() {
        let near = || exact().with_most_ahead(seconds(300));
        check(near(), "{\"exp\":1300}", 1_000_000, Ok(1_300_000));
        check(near(), "{\"exp\":1300}", 999_999, Err(reason::EXP_FAR));
        check(near(), "{\"exp\":1301}", 1_000_000, Err(reason::EXP_FAR));
        check(near().with_leeway(seconds(5)), "{\"exp\":1305}", 1_000_000, Ok(1_310_000));
        check(near().with_leeway(seconds(5)), "{\"exp\":1306}", 1_000_000, Err(reason::EXP_FAR));
    }

    #[test]
    fn nbf_and_iat_are_not_in_the_future_beyond_the_leeway() {
        for (claim, future) in [("nbf", reason::NBF_FUTURE), ("iat", reason::IAT_FUTURE)] {
            let payload = format!("{{\"exp\":2000,\"{claim}\":1000}}");
            check(exact(), &payload, 1_000_000, Ok(2_000_000));
            check(exact(), &payload, 999_999, Err(future));
            check(exact().with_leeway(seconds(10)), &payload, 990_000, Ok(2_010_000));
            check(exact().with_leeway(seconds(10)), &payload, 989_999, Err(future));
            let beyond = format!("{{\"exp\":2000,\"{claim}\":1000.0000000001}}");
            check(exact(), &beyond, 1_000_000, Err(future));
            check(exact(), &beyond, 1_000_001, Ok(2_000_000));
        }
    }

    #[test]
    fn dates_are_whole_seconds_where_the_policy_says_so() {
        let whole = || exact().with_date_precision(DatePrecision::WholeSeconds);
        check(whole(), "{\"exp\":2000,\"nbf\":1000,\"iat\":1000}", 1_000_000, Ok(2_000_000));
        check(whole(), "{\"exp\":2000.0,\"nbf\":1e3,\"iat\":10000e-1}", 1_000_000, Ok(2_000_000));
        for (claim, refused) in [
            ("exp", reason::EXP_FRACTION),
            ("nbf", reason::NBF_FRACTION),
            ("iat", reason::IAT_FRACTION),
        ] {
            for date in ["1500.5", "1500.0000000001", "15000000001e-7"] {
                let others: String = ["exp", "nbf", "iat"]
                    .into_iter()
                    .filter(|other| *other != claim)
                    .map(|other| {
                        format!(",\"{other}\":{}", if other == "exp" { 2000 } else { 1000 })
                    })
                    .collect();
                let payload = format!("{{\"{claim}\":{date}{others}}}");
                check(whole(), &payload, 1_600_000, Err(refused));
            }
        }
    }

    #[test]
    fn a_date_is_a_number_of_seconds_and_says_what_else_it_is() {
        for (claim, of_type, negative, unit) in [
            ("exp", reason::EXP_TYPE, reason::EXP_NEGATIVE, reason::EXP_UNIT),
            ("nbf", reason::NBF_TYPE, reason::NBF_NEGATIVE, reason::NBF_UNIT),
            ("iat", reason::IAT_TYPE, reason::IAT_NEGATIVE, reason::IAT_UNIT),
        ] {
            let refused = |date: &str, expected| {
                check(exact(), &format!("{{\"{claim}\":{date}}}"), 0, Err(expected));
            };
            for other in ["\"1000\"", "null", "true", "[1000]", "{}", "\"\"", "\"NaN\""] {
                refused(other, of_type);
            }
            for before in ["-1", "-0.5", "-1e400"] {
                refused(before, negative);
            }
            for milliseconds in
                ["1500000000000", "16112812000", "10000000001", "1e400", "1e11", "10000000000.5"]
            {
                refused(milliseconds, unit);
            }
        }
        check(exact(), "{\"exp\":10000000000}", 0, Ok(10_000_000_000_000));
    }
}
