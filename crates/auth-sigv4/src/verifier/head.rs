//! What the head of a request tells, before any key is known.

use super::{Allowed, SigV4Verifier, presented::Presented};
use crate::{
    canonical::{ALGORITHM, Canonical, Fields, Parameters},
    reason::{self, Refused},
    signer::PARAMETER_SIGNATURE,
};
use auth_core::{Authorization, RequestView, Timestamp};
use http::HeaderMap;
use smallvec::SmallVec;
use std::time::Duration;

impl<L> SigV4Verifier<L> {
    /// All that the head tells.
    pub(super) fn read<'a>(
        &self,
        request: RequestView<'a>,
        query: &Parameters<'a>,
        buffer: &'a mut SmallVec<[u8; 1024]>,
    ) -> Result<Presented<'a>, Refused> {
        let presented = match (field(request.headers)?, is_presigned(query)) {
            (Some(_), true) => return Err(reason::TWICE),
            (None, false) => return Err(reason::MISSING),
            (Some(credentials), false) => Presented::in_field(credentials, request.headers)?,
            (None, true) if self.policy.presigned == Allowed::No => return Err(reason::PRESIGNED),
            (None, true) => Presented::in_query(query, buffer)?,
        };
        self.check_scope(&presented)?;
        self.check_time(&presented)?;
        self.check_names(&presented, request.headers)?;
        Ok(presented)
    }

    fn check_scope(&self, presented: &Presented<'_>) -> Result<(), Refused> {
        let scope = &presented.scope;
        if scope.day != presented.date.day() {
            return Err(reason::SCOPE_DAY);
        }
        if !self.policy.regions.iter().any(|region| **region == *scope.region) {
            return Err(reason::SCOPE_REGION);
        }
        if scope.service != self.policy.service.name() {
            return Err(reason::SCOPE_SERVICE);
        }
        Ok(())
    }

    fn check_time(&self, presented: &Presented<'_>) -> Result<(), Refused> {
        let (now, date) = (self.clock.now(), presented.date.timestamp());
        if date > now.after(self.policy.skew) {
            return Err(reason::DATE_FUTURE);
        }
        match presented.expires {
            None if now > date.after(self.policy.skew) => Err(reason::DATE_PAST),
            Some(_) if now > self.end(presented) => Err(reason::URL_EXPIRED),
            _ => Ok(()),
        }
    }

    /// The last moment at which it is good.
    pub(super) fn end(&self, presented: &Presented<'_>) -> Timestamp {
        let span = presented.expires.map_or(self.policy.skew, Duration::from_secs);
        presented.date.timestamp().after(span)
    }

    /// Is signed what must be?
    fn check_names(&self, presented: &Presented<'_>, headers: &HeaderMap) -> Result<(), Refused> {
        let is_signed = |name: &str| presented.signed.binary_search(&name).is_ok();
        if !is_signed("host") {
            return Err(reason::NOT_SIGNED);
        }
        for name in headers.keys() {
            let name = name.as_str();
            let must = name.starts_with("x-amz-")
                || name == "content-type"
                || self.policy.signed.iter().any(|required| required == name);
            if must && !is_signed(name) {
                return Err(reason::NOT_SIGNED);
            }
            let counts = name.starts_with("x-amz-");
            if counts && headers.get_all(name).iter().nth(1).is_some() {
                return Err(reason::SEVERAL);
            }
        }
        Ok(())
    }

    /// Gives the canonical request, as the signer must have made it, to `take`.
    pub(super) fn canonical<R>(
        &self,
        request: RequestView<'_>,
        presented: &Presented<'_>,
        mut query: Parameters<'_>,
        payload: &[u8],
        take: impl FnOnce(&Canonical<'_, '_, '_>) -> R,
    ) -> Result<R, Refused> {
        let host = request.authority().ok().flatten().ok_or(reason::HOST)?;
        let mut fields = Fields::default();
        for name in presented.signed.iter().copied() {
            if name == "host" {
                fields.add(name, host.as_bytes());
                continue;
            }
            let before = fields.len();
            for value in request.headers.get_all(name) {
                fields.add(name, value.as_bytes());
            }
            if fields.len() == before {
                return Err(reason::NOT_THERE);
            }
        }
        query.retain(|parameter| parameter.name != PARAMETER_SIGNATURE.as_bytes());
        query.sort();
        let (method, path) = (request.method.as_str(), request.uri.path().as_bytes());
        let canonical =
            Canonical { method, path, query, fields, payload, rules: self.policy.rules };
        Ok(take(&canonical))
    }
}

/// What is behind the scheme in `Authorization`.
fn field(headers: &HeaderMap) -> Result<Option<&[u8]>, Refused> {
    match Authorization::of_scheme(headers, ALGORITHM) {
        Ok(found) => Ok(found.map(|field| field.credentials())),
        Err(_) => Err(reason::PARAMETERS),
    }
}

fn is_presigned(query: &Parameters<'_>) -> bool {
    query.iter().any(|parameter| parameter.name == PARAMETER_SIGNATURE.as_bytes())
}
