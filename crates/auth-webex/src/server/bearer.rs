//! A Bearer token that is a JWT or a service key, told apart by its form.

use super::issuers::ServiceIssuers;
use auth_core::{Flow, Need, Outcome, Presence, RequestView, Verifier, one_field};
use auth_jwt::JwtVerifier;
use auth_lifecycle::{Known, Tokens};
use auth_static::BearerVerifier;
use http::header::AUTHORIZATION;
use std::fmt;

/// The verifier of the sandbox's Bearer tokens.
pub struct BearerDoor {
    jwt: JwtVerifier<ServiceIssuers>,
    key: BearerVerifier<Tokens>,
}

impl BearerDoor {
    pub(super) const fn new(jwt: JwtVerifier<ServiceIssuers>, key: BearerVerifier<Tokens>) -> Self {
        Self { jwt, key }
    }
}

impl Verifier for BearerDoor {
    type Principal = Known;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        self.key.presence(head)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.key.needs(head)
    }

    /// Exactly one of the two judges.
    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<Known>> {
        if has_form_of_jwt(request) {
            return self
                .jwt
                .verify(request)
                .map(|outcome| outcome.map(|accepted| accepted.map(|proven| proven.caller)));
        }
        self.key.verify(request)
    }
}

/// Three parts of base64url, neither of which is empty.
fn has_form_of_jwt(request: RequestView<'_>) -> bool {
    let Ok(Some(field)) = one_field(request.headers, &AUTHORIZATION) else { return false };
    let Some(token) = field.as_bytes().rsplit(|byte| *byte == b' ').next() else { return false };
    let is_part = |part: &[u8]| {
        !part.is_empty()
            && part.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
    };
    let mut parts = token.split(|byte| *byte == b'.');
    let three = [parts.next(), parts.next(), parts.next()];
    parts.next().is_none() && three.iter().all(|part| part.is_some_and(is_part))
}

impl fmt::Debug for BearerDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerDoor(..)")
    }
}
