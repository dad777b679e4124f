//! What the head of a request tells, before any key is known.

use super::{Allowed, SigV4Verifier, presented::Presented};
use crate::{
    canonical::{ALGORITHM, Canonical, Fields, Parameters, is_folded},
    reason::{self, Refused},
    signer::{PARAMETER_SIGNATURE, Targets},
};
use auth_core::{Authorization, RequestView, Timestamp};
use http::{HeaderMap, HeaderName};
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
        self.check_target(request.uri.path().as_bytes(), query)?;
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

    /// Refuses what a handler could read in another way than it was signed.
    fn check_target(&self, path: &[u8], query: &Parameters<'_>) -> Result<(), Refused> {
        let (targets, rules) = (self.policy.targets, self.policy.rules);
        if targets == Targets::Unambiguous && (is_folded(path, rules) || query.has_plus()) {
            return Err(reason::AMBIGUOUS_TARGET);
        }
        Ok(())
    }

    /// The fields that were signed, each as it arrived: all that must be are among them, and all of them are there.
    pub(super) fn fields<'a>(
        &self,
        request: RequestView<'a>,
        presented: &Presented<'a>,
    ) -> Result<Fields<'a>, Refused> {
        let mut fields = Fields::default();
        if presented.is_signed("host") {
            let host = request.authority().ok().flatten().ok_or(reason::HOST)?;
            fields.add("host", host.as_bytes());
        } else {
            return Err(reason::NOT_SIGNED);
        }
        let mut last = "";
        for (name, value) in request.headers {
            let name = name.as_str();
            match presented.place(name) {
                None if self.must_be_signed(name, presented) => return Err(reason::NOT_SIGNED),
                None => {}
                Some("host") => {}
                Some(_) if name == last && name.starts_with(PREFIX) => return Err(reason::SEVERAL),
                Some(_) if fields.len() >= Fields::MOST => return Err(reason::SIGNED_HEADERS),
                Some(signed) => fields.add(signed, value.as_bytes()),
            }
            // Values of one field come one after the other.
            last = name;
        }
        fields.sort();
        if fields.names() == presented.signed.len() { Ok(fields) } else { Err(reason::NOT_THERE) }
    }

    fn must_be_signed(&self, name: &str, presented: &Presented<'_>) -> bool {
        let is_among = |names: &[HeaderName]| names.iter().any(|other| other == name);
        // A URL says nothing of the content type, as S3 has it.
        let typed = name == "content-type" && presented.expires.is_none();
        ((typed || name.starts_with(PREFIX)) && !is_among(&self.policy.unsigned))
            || is_among(&self.policy.signed)
    }

    /// The canonical request, as the signer must have made it.
    pub(super) fn canonical<'a, 'q, 'f>(
        &self,
        request: RequestView<'a>,
        mut query: Parameters<'q>,
        fields: Fields<'f>,
        payload: &'a [u8],
    ) -> Canonical<'a, 'q, 'f> {
        query.retain(|parameter| parameter.name != PARAMETER_SIGNATURE.as_bytes());
        query.sort();
        let (method, path) = (request.method.as_str(), request.uri.path().as_bytes());
        Canonical { method, path, query, fields, payload, rules: self.policy.rules }
    }
}

/// The host without the port that is https's own, where the client named it and the connection is encrypted: clients
/// leave it out of what they sign, and some of them send it in `:authority`.
pub(super) fn without_own_port<'a>(request: RequestView<'a>) -> Option<&'a str> {
    let host = request.authority().ok().flatten()?;
    if request.peer.encrypted { host.strip_suffix(":443") } else { None }
}

/// Fields behind it belong to AWS, and are always signed.
const PREFIX: &str = "x-amz-";

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
