//! When a token lives.

use super::{Dates, Expiry, Policy};
use crate::{Refused, claims::Registered, reason};
use auth_core::Timestamp;

impl Policy {
    /// When the token dies, if it lives now.
    pub(super) fn judge_times(
        &self,
        claims: &Registered<'_>,
        now: Timestamp,
    ) -> Result<Timestamp, Refused> {
        self.judge_fractions(claims)?;
        let latest = now.after(self.leeway);
        if claims.issued_at.is_some_and(|iat| iat.rounded_up() > latest) {
            return Err(reason::IAT_FUTURE);
        }
        if claims.not_before.is_some_and(|nbf| nbf.rounded_up() > latest) {
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

    fn judge_fractions(&self, claims: &Registered<'_>) -> Result<(), Refused> {
        if self.dates == Dates::Fractional {
            return Ok(());
        }
        for (date, refused) in [
            (claims.expires, reason::EXP_FRACTION),
            (claims.not_before, reason::NBF_FRACTION),
            (claims.issued_at, reason::IAT_FRACTION),
        ] {
            if date.is_some_and(|date| !date.is_whole()) {
                return Err(refused);
            }
        }
        Ok(())
    }

    /// From when on `iat` is too long ago.
    fn too_old(&self, claims: &Registered<'_>) -> Result<Option<Timestamp>, Refused> {
        let Some(age) = self.max_age else { return Ok(None) };
        let issued_at = claims.issued_at.ok_or(reason::IAT_MISSING)?;
        Ok(Some(issued_at.rounded_down().after(age).after(self.leeway)))
    }

    /// From when on `exp` is past.
    fn expired(
        &self,
        claims: &Registered<'_>,
        latest: Timestamp,
    ) -> Result<Option<Timestamp>, Refused> {
        let Some(expires) = claims.expires else {
            return match self.expiry {
                Expiry::Required => Err(reason::EXP_MISSING),
                Expiry::Optional => Ok(None),
            };
        };
        if claims.issued_at.is_some_and(|iat| expires.rounded_down() <= iat.rounded_up()) {
            return Err(reason::EXP_BEFORE_IAT);
        }
        if self.most_ahead.is_some_and(|span| expires.rounded_up() > latest.after(span)) {
            return Err(reason::EXP_FAR);
        }
        Ok(Some(expires.rounded_down().after(self.leeway)))
    }
}
