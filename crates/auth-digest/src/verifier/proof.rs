//! The server's own proof, in the reply (RFC 7616 section 3.5).

use crate::{
    AuthenticationInfo, BodyHash, DigestProtection, DigestResponse, NonceCount, NonceUse, Qop,
    nonce::Text, response::UnderNonce,
};
use auth_core::{Completion, Flow, HandlerReply, Need, Result};
use http::{HeaderMap, HeaderName, StatusCode};

/// What `Authentication-Info` is made of once the reply is there.
pub(super) struct Proof {
    /// The hash of the user's secret and the nonce, which the response began with too.
    under: UnderNonce,
    said: Said,
    counted: Option<(Qop, NonceCount)>,
    nextnonce: Option<Text>,
    limit: usize,
}

impl Proof {
    pub(super) fn new(
        under: UnderNonce,
        response: &DigestResponse<'_>,
        nextnonce: Option<Text>,
        limit: usize,
    ) -> Self {
        let counted = response.counted.as_ref();
        Self {
            under,
            said: Said::of(&response.uri, response.cnonce()),
            counted: counted.map(|it| (it.qop, it.nc)),
            nextnonce,
            limit,
        }
    }
}

/// What the response said, in one allocation: the uri and the cnonce.
struct Said {
    bytes: Box<[u8]>,
    uri: usize,
}

impl Said {
    fn of(uri: &[u8], cnonce: &[u8]) -> Self {
        Self { bytes: [uri, cnonce].concat().into(), uri: uri.len() }
    }

    fn parts(&self) -> (&[u8], &[u8]) {
        self.bytes.split_at_checked(self.uri).unwrap_or_default()
    }
}

impl Completion for Proof {
    fn needs(&self, _: StatusCode, _: &HeaderMap) -> Need {
        match self.counted {
            Some((Qop::AuthInt, ..)) => Need::Bytes { limit: self.limit },
            _ => Need::Nothing,
        }
    }

    /// A client may demand `rspauth`, and no request says whether it does.
    fn is_relied_on(&self) -> bool {
        self.counted.is_some()
    }

    fn complete<'r>(self: Box<Self>, reply: HandlerReply<'r>) -> Flow<'r, HeaderMap> {
        self.fields(reply).into()
    }
}

impl Proof {
    /// Under `auth-int` the body is covered when it is within the limit; a longer one is not, and `qop` says so.
    fn fields(&self, reply: HandlerReply<'_>) -> Result<HeaderMap> {
        let mut info = AuthenticationInfo {
            nextnonce: self.nextnonce.as_ref().map(|text| text[..].into()),
            ..AuthenticationInfo::default()
        };
        let rspauth;
        if let Some((qop, nc)) = &self.counted {
            let (uri, cnonce) = self.said.parts();
            let count = NonceUse { nc: *nc, cnonce };
            let body = BodyHash::read(self.under.function(), reply.body);
            let protection = match (qop, body) {
                (Qop::AuthInt, Some(body)) => DigestProtection::AuthInt(count, body),
                _ => DigestProtection::Auth(count),
            };
            info.qop = Some(match protection {
                DigestProtection::AuthInt(..) => Qop::AuthInt,
                _ => Qop::Auth,
            });
            rspauth = self.under.rspauth(uri, &protection);
            info.rspauth = Some(rspauth.as_bytes().into());
            (info.nc, info.cnonce) = (Some(*nc), Some(cnonce.into()));
        }
        let mut headers = HeaderMap::new();
        if info != AuthenticationInfo::default() {
            headers.insert(HeaderName::from_static("authentication-info"), info.write()?);
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests;
