//! What every scheme that is sent as `Authorization: Bearer` reads and answers (RFC 6750 sections 2.1 and 3).

use crate::{
    Answer, Authorization, Challenge, Challenges, Error, Presence, Reason, Refusal, Rejection,
    RequestView, Result,
};
use http::{HeaderMap, StatusCode, header::WWW_AUTHENTICATE};
use std::fmt;

/// The realm that Bearer tokens open: the one place they are read from, and the three ways to refuse them.
///
/// Tokens that a map knows, tokens that are signed and tokens that an issuer is asked about differ in how they are
/// judged, and in nothing else.
///
/// # Security
///
/// The `Authorization` field is the only place that is read: not the form and query of RFC 6750 sections 2.2 and 2.3.
/// Without a token the challenge says no more than the realm (section 3.1).
#[derive(Clone)]
pub struct BearerRealm {
    realm: Box<str>,
    missing: Challenge,
    invalid: Challenge,
    malformed: Challenge,
    /// The most bytes that the whole field may have.
    most_bytes: usize,
}

impl BearerRealm {
    /// The name of the scheme.
    pub const SCHEME: &str = "Bearer";

    /// A realm of this name.
    ///
    /// # Errors
    ///
    /// `Error::Config` when no field can hold the name.
    pub fn new(realm: &str) -> Result<Self> {
        let begin = || Challenge::build(Self::SCHEME).quoted("realm", realm);
        Ok(Self {
            realm: realm.into(),
            missing: begin().finish()?,
            invalid: begin().quoted("error", "invalid_token").finish()?,
            malformed: begin().quoted("error", "invalid_request").finish()?,
            most_bytes: Authorization::MOST_BYTES,
        })
    }

    /// With tokens of at most so many bytes, where those that an issuer signs are longer than usual; unless set, the
    /// whole field has at most [`Authorization::MOST_BYTES`].
    #[must_use]
    pub fn with_most_token_bytes(self, bytes: usize) -> Self {
        let scheme = const { Self::SCHEME.len() + 1 };
        Self { most_bytes: bytes.saturating_add(scheme), ..self }
    }

    /// Did the caller bring a Bearer token, good or bad?
    #[must_use]
    pub fn presence(head: RequestView<'_>) -> Presence {
        Authorization::presence(head, Self::SCHEME)
    }

    /// The token, `None` when there is none.
    ///
    /// # Errors
    ///
    /// A 400 with `invalid_request` when the field cannot be read, or in more than one way.
    #[inline]
    pub fn token<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a [u8]>, Rejection> {
        let read = match Authorization::find(headers, Self::SCHEME, self.most_bytes) {
            Ok(Some(field)) => field.one_token68().map(Some),
            Ok(None) => Ok(None),
            Err(reason) => Err(reason),
        };
        read.map_err(|reason| self.malformed(*reason))
    }

    /// 401: there is no token.
    #[must_use]
    pub fn missing(&self, reason: Reason) -> Rejection {
        Rejection::unauthenticated(reason, self.missing.clone())
    }

    /// 401 with `invalid_token`: the token is unknown, wrong, expired or revoked, which looks the same outside.
    #[must_use]
    pub fn invalid(&self, reason: Reason) -> Rejection {
        Rejection::unauthenticated(reason, self.invalid.clone())
    }

    /// 403 with `insufficient_scope`: the token is good, and not for this; `scope` is what would be.
    ///
    /// For conditions that know what a principal may do: see [`Verifier::check`](crate::Verifier::check).
    ///
    /// # Errors
    ///
    /// `Error::Config` when `scope` is not a list of scopes with one space between two (RFC 6749 section 3.3).
    pub fn insufficient_scope(&self, scope: &str) -> Result<Rejection> {
        let of_scope = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        if !scope.split(' ').all(|one| !one.is_empty() && one.bytes().all(of_scope)) {
            let text = "scope is not a list of scopes, expected visible characters but \" and \\, \
                        with one space between two scopes";
            return Err(Error::config("bearer_scope", text));
        }
        let challenge = Challenge::build(Self::SCHEME)
            .quoted("realm", &self.realm)
            .quoted("error", "insufficient_scope")
            .quoted("scope", scope)
            .finish()?;
        Ok(Rejection::forbidden(SCOPE).with_challenge(challenge))
    }

    /// 400 with `invalid_request`: the request cannot be read, or in more than one way.
    #[cold]
    #[must_use]
    pub fn malformed(&self, reason: Reason) -> Rejection {
        Rejection::malformed(reason).with_challenge(self.malformed.clone())
    }
}

const SCOPE: Reason =
    Reason::new("bearer_insufficient_scope", "Bearer token is good, and not for this");

/// Does this answer refuse the Bearer token of its request (RFC 6750 section 3.1)? A 401 does, unless it says that the
/// token is good and its scope does not suffice.
#[must_use]
pub fn bearer_token_refusal(answer: Answer<'_>) -> Option<Refusal> {
    if answer.status != StatusCode::UNAUTHORIZED {
        return None;
    }
    let challenges = Challenges::of(answer.headers, &WWW_AUTHENTICATE);
    // A field that cannot be read says nothing, and hides nothing that the others say.
    let bearer = challenges.filter_map(Result::ok).find(|one| one.is(BearerRealm::SCHEME));
    let error = bearer.and_then(|bearer| bearer.parameter("error")?.text());
    match error {
        Some(error) if error == "insufficient_scope" => None,
        Some(error) => Some(Refusal::new(answer.status).with_code(error)),
        None => Some(Refusal::new(answer.status)),
    }
}

impl fmt::Debug for BearerRealm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BearerRealm({})", self.missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderValue, header::AUTHORIZATION};

    const WHY: Reason = Reason::new("test", "because");

    #[track_caller]
    fn check(fields: &[&'static str], expected: Result<Option<&str>, &str>) {
        let headers = fields.iter().map(|field| (AUTHORIZATION, HeaderValue::from_static(field)));
        let headers = HeaderMap::from_iter(headers);
        let read = BearerRealm::new("example").unwrap().token(&headers).map_err(|refused| {
            assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
            refused.challenges().iter().map(Challenge::to_string).collect::<String>()
        });
        let expected = expected.map(|token| token.map(str::as_bytes)).map_err(str::to_owned);
        assert_eq!(read, expected);
    }

    #[test]
    fn reads_one_token_from_the_authorization_field() {
        let malformed = "Bearer realm=\"example\", error=\"invalid_request\"";
        check(&["Bearer mF_9.B5f-4.1JqM"], Ok(Some("mF_9.B5f-4.1JqM")));
        check(&["bearer a"], Ok(Some("a")));
        check(&[], Ok(None));
        check(&["Basic a"], Ok(None));
        check(&["Bearer"], Err(malformed));
        check(&["Bearer a b"], Err(malformed));
        check(&["Bearer a", "Basic b"], Err(malformed));
    }

    #[test]
    fn a_token_has_at_most_as_many_bytes_as_the_realm_is_told() {
        let usual = Authorization::MOST_BYTES - "Bearer ".len();
        for (most, length, accepted) in [
            (None, usual, true),
            (None, usual + 1, false),
            (Some(20_000), 20_000, true),
            (Some(20_000), 20_001, false),
            (Some(9), 9, true),
            (Some(9), 10, false),
        ] {
            let realm = BearerRealm::new("example").unwrap();
            let realm = match most {
                Some(most) => realm.with_most_token_bytes(most),
                None => realm,
            };
            let field = HeaderValue::from_str(&format!("Bearer {}", "a".repeat(length))).unwrap();
            let headers = HeaderMap::from_iter([(AUTHORIZATION, field)]);
            let read = realm.token(&headers).map(|read| assert_eq!(read.unwrap().len(), length));
            let expected = if accepted { Ok(()) } else { Err("authorization_too_long") };
            assert_eq!(read.map_err(|refused| refused.reason().code), expected, "{length}");
        }
    }

    /// RFC 6750 section 3.1.
    #[test]
    fn says_no_more_than_the_realm_to_a_caller_without_credentials() {
        let realm = BearerRealm::new("example").unwrap();
        let shown = |rejection: Rejection| rejection.challenges()[0].to_string();
        assert_eq!(shown(realm.missing(WHY)), "Bearer realm=\"example\"");
        assert_eq!(shown(realm.invalid(WHY)), "Bearer realm=\"example\", error=\"invalid_token\"");
        assert!(BearerRealm::new("a\nb").is_err());
    }

    #[test]
    fn a_scope_that_does_not_suffice_is_forbidden() {
        let realm = BearerRealm::new("example").unwrap();
        let refused = realm.insufficient_scope("sms:send sms:read").unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        let expected =
            "Bearer realm=\"example\", error=\"insufficient_scope\", scope=\"sms:send sms:read\"";
        assert_eq!(refused.challenges()[0].to_string(), expected);
        for scope in ["", " ", "a  b", "a ", "a\"b", "a\\b", "a\nb", "é"] {
            assert_eq!(realm.insufficient_scope(scope).unwrap_err().code(), "bearer_scope");
        }
    }

    #[track_caller]
    fn check_answer(status: u16, fields: &'static str, expected: Option<Option<&str>>) {
        let uri = http::Uri::from_static("/");
        let (sent, mut headers) = (HeaderMap::new(), HeaderMap::new());
        for field in fields.lines() {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(field));
        }
        let request = RequestView::new(&http::Method::GET, &uri, &sent);
        let status = StatusCode::from_u16(status).unwrap();
        let refusal = bearer_token_refusal(Answer::new(request, status, &headers));
        assert_eq!(refusal.as_ref().map(|refusal| refusal.code.as_deref()), expected);
    }

    #[test]
    fn a_401_refuses_the_token_unless_it_is_the_scope() {
        check_answer(200, "", None);
        check_answer(403, "Bearer error=\"invalid_token\"", None);
        check_answer(401, "", Some(None));
        check_answer(401, "Bearer realm=\"r\"", Some(None));
        check_answer(
            401,
            "Basic realm=\"r\", bearer error=invalid_token",
            Some(Some("invalid_token")),
        );
        check_answer(401, "Bearer error=\"insufficient_scope\", scope=\"a\"", None);
        check_answer(401, "Basic error=\"insufficient_scope\"", Some(None));
        check_answer(401, "Bearer \"", Some(None));
        check_answer(401, "Basic \"\nBearer error=\"insufficient_scope\"", None);
    }
}
