//! What can be told of a request from its head alone.

use super::{DigestQuery, DigestUserName, DigestVerifier, target::is_target};
use crate::{
    DigestRefused, DigestResponse, OfferedQop, Username, challenge::SCHEME, nonce::Issued, reason,
};
use auth_core::{Authorization, Error, Rejection, RequestView, Result};
use std::str;

/// Credentials whose head is in order.
pub(super) struct Head<'a> {
    pub(super) response: DigestResponse<'a>,
    /// `None` when it is not one of ours.
    pub(super) nonce: Option<Issued>,
}

impl<L> DigestVerifier<L> {
    /// Reads the credentials and holds them against what was offered and what was asked for.
    pub(super) fn head<'a>(&self, request: RequestView<'a>) -> Result<Head<'a>, Stop> {
        let Some(field) = Authorization::of_scheme(request.headers, SCHEME)? else {
            return Err(reason::MISSING.into());
        };
        let response = DigestResponse::parse(field.credentials())?;
        let algorithm = response.algorithm();
        if !self.offer.has(algorithm, request.peer) {
            return Err(reason::ALGORITHM_OTHER.into());
        }
        if *response.realm != *self.realm.as_bytes() {
            return Err(reason::REALM_OTHER.into());
        }
        if response.opaque != Some(self.opaque.as_bytes()) {
            return Err(reason::OPAQUE_OTHER.into());
        }
        let fits = match response.qop() {
            None => self.offer.protection == OfferedQop::Legacy,
            Some(qop) => self.offer.protection.has(qop),
        };
        if !fits {
            return Err(reason::QOP_OTHER.into());
        }
        if matches!(response.username, Username::Hashed(_)) && !self.offer.userhash {
            return Err(reason::USERHASH_OTHER.into());
        }
        if !is_target(&response.uri, request) {
            return Err(reason::URI_OTHER.into());
        }
        let nonce = self.nonces.judge(&response.nonce, request.peer.address);
        Ok(Head { response, nonce })
    }

    /// What the look-up is asked.
    pub(super) fn query<'q>(&'q self, response: &'q DigestResponse<'_>) -> DigestQuery<'q> {
        DigestQuery {
            name: match &response.username {
                Username::Plain(name) | Username::Extended(name) => DigestUserName::Plain(name),
                Username::Hashed(hash) => {
                    DigestUserName::Hashed(str::from_utf8(hash).unwrap_or_default())
                }
            },
            realm: &self.realm,
            algorithm: response.algorithm(),
            nonce: &response.nonce,
            cnonce: response.cnonce(),
        }
    }
}

/// Why a request goes no further.
pub(super) enum Stop {
    Refused(DigestRefused),
    Rejected(Rejection),
    Failed(Error),
}

impl From<DigestRefused> for Stop {
    fn from(refused: DigestRefused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Rejection> for Stop {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

#[cfg(test)]
mod tests;
