//! What an answer that is no refusal tells: the nonce serves, and the server knows the password too (RFC 7616 section
//! 3.5).

use super::{
    Digest,
    given::Given,
    spaces::{KeptSession, Standing},
};
use crate::{
    AuthenticationInfo, BodyHash, DigestMessage, DigestProtection, DigestResponse, NonceUse, Qop,
    SessionHa1,
};
use auth_core::{Answer, Credentials, Error, Result};
use http::{HeaderMap, HeaderValue, header::TRAILER};
use std::sync::Arc;

impl Digest {
    /// A request with our credentials was not refused.
    ///
    /// Only an `rspauth` that is not that of the password is an error. A field that cannot be read makes no answer an error,
    /// since an attacker who can spoil the field can also take it away, and an answer without it is good.
    pub(super) fn served(
        &self,
        serial: u64,
        given: Option<&Given>,
        sent: &Credentials,
        answer: Answer<'_>,
    ) -> Result<()> {
        let kept = match given {
            Some(given) => Some(Arc::clone(&given.kept)),
            None => self.spaces.with_serial(serial),
        };
        let info = self.said(answer.headers).or_else(|| self.said(answer.trailers?));
        if let Some(info) = info.as_ref().filter(|info| info.rspauth.is_some()) {
            self.check_rspauth(kept.as_deref(), sent, info, answer.body)?;
        }
        let Some(kept) = kept else { return Ok(()) };
        kept.set(Standing::Proven);
        if let Some(given) = given {
            self.spaces.keep_proven(Arc::clone(&kept), given.refused, answer.request.uri);
        }
        if let Some(nextnonce) = info.and_then(|info| info.nextnonce) {
            let session = self.begin(Arc::clone(&kept.session.terms), &nextnonce)?;
            let next = self.spaces.enter(session, kept.place.clone(), Standing::Proven);
            self.spaces.keep(next, None);
        }
        Ok(())
    }

    /// What the server says about itself. What cannot be read is reported.
    fn said<'a>(&self, headers: &'a HeaderMap) -> Option<AuthenticationInfo<'a>> {
        let name = self.side.info();
        let read = AuthenticationInfo::parse(headers.get(&name)?.as_bytes());
        read.inspect_err(|error| self.report(&name, error)).ok()
    }

    /// Will the body be needed to check what the server says about itself, now or behind the body?
    pub(super) fn promises_integrity(&self, headers: &HeaderMap) -> bool {
        let name = self.side.info();
        let announced = |value: &HeaderValue| {
            let mut names = value.as_bytes().split(|byte| *byte == b',');
            names.any(|other| other.trim_ascii().eq_ignore_ascii_case(name.as_str().as_bytes()))
        };
        let said = headers.get(&name).map(|field| AuthenticationInfo::parse(field.as_bytes()));
        matches!(said, Some(Ok(info)) if info.qop == Some(Qop::AuthInt) && info.rspauth.is_some())
            || headers.get_all(TRAILER).iter().any(announced)
    }

    /// Is `rspauth` that of the password, for the request that was sent? Count and cnonce are in it, so those that the
    /// field repeats are not looked at.
    fn check_rspauth(
        &self,
        kept: Option<&KeptSession>,
        sent: &Credentials,
        info: &AuthenticationInfo<'_>,
        body: Option<&[u8]>,
    ) -> Result<()> {
        let sent = self.response_of(sent).ok_or_else(wrong_rspauth)?;
        let session = match kept {
            Some(kept) => kept.session.ha1.clone(),
            None => self.session_of(&sent),
        };
        let message = DigestMessage {
            method: "",
            uri: &sent.uri,
            nonce: &sent.nonce,
            protection: protection(info, &sent, &session, body)?,
        };
        let rspauth = session.rspauth(&message);
        match &info.rspauth {
            Some(presented) if rspauth.matches(presented) => Ok(()),
            _ => Err(wrong_rspauth()),
        }
    }

    /// What was sent is older than what is kept: its secret is made again.
    fn session_of(&self, sent: &DigestResponse<'_>) -> SessionHa1 {
        let algorithm = sent.algorithm();
        let ha1 = self.user.ha1(algorithm.function(), &sent.realm);
        ha1.session(algorithm, &sent.nonce, sent.cnonce())
    }
}

/// What an `rspauth` is about.
fn protection<'a>(
    info: &AuthenticationInfo<'_>,
    sent: &'a DigestResponse<'_>,
    session: &SessionHa1,
    body: Option<&[u8]>,
) -> Result<DigestProtection<'a>> {
    let Some(counted) = &sent.counted else { return Ok(DigestProtection::Legacy) };
    let count = NonceUse { nc: counted.nc, cnonce: &counted.cnonce };
    match info.qop.unwrap_or(counted.qop) {
        Qop::Auth => Ok(DigestProtection::Auth(count)),
        Qop::AuthInt => {
            let body = body.ok_or_else(|| {
                let text = "body of the answer was not read, or is longer than what may be read, \
                            expected it for rspauth under auth-int";
                Error::protocol("digest_rspauth_body", text)
            })?;
            Ok(DigestProtection::AuthInt(count, BodyHash::of(session.function(), body)))
        }
    }
}

fn wrong_rspauth() -> Error {
    let text = "rspauth is not that of the password: the server does not know it, or somebody \
                changed its answer";
    Error::protocol("digest_rspauth", text)
}

#[cfg(test)]
mod tests;
