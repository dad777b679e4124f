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

/// Three parts of base64url, none of which is empty. The token is looked through once.
fn has_form_of_jwt(request: RequestView<'_>) -> bool {
    let Ok(Some(field)) = one_field(request.headers, &AUTHORIZATION) else { return false };
    let mut words = field.as_bytes().splitn(2, |byte| *byte == b' ');
    let (Some(_scheme), Some(token)) = (words.next(), words.next()) else { return false };
    // Most service keys have no dot, which is found out faster than what else they are of.
    if !token.contains(&b'.') {
        return false;
    }
    let (mut dots, mut is_part_empty) = (0_u32, true);
    for byte in token.trim_ascii() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => is_part_empty = false,
            b'.' if !is_part_empty && dots < 2 => (dots, is_part_empty) = (dots + 1, true),
            _ => return false,
        }
    }
    dots == 2 && !is_part_empty
}

impl fmt::Debug for BearerDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerDoor(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue, Method, Uri};

    #[track_caller]
    fn check(field: &str, expected: bool) {
        let headers =
            HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(field).unwrap())]);
        let uri = Uri::from_static("/v1/sms/messages");
        let request = RequestView::new(&Method::POST, &uri, &headers);
        assert_eq!(has_form_of_jwt(request), expected, "{field}");
    }

    #[test]
    fn a_jwt_is_told_by_its_three_parts() {
        for jwt in ["Bearer a.b.c", "bearer  eyJ-_0.e30.AA_-", "Bearer a.b.c "] {
            check(jwt, true);
        }
        for other in ["", "a.b.c", "Bearer", "Bearer ", "Bearer a", "Bearer a.b", "Bearer a.b.c.d"]
        {
            check(other, false);
        }
        for odd in ["Bearer .b.c", "Bearer a..c", "Bearer a.b.", "Bearer a.b.c=", "Bearer a b.c.d"]
        {
            check(odd, false);
        }
    }
}
