//! The server's end of Basic.

use super::{BasicRefused, Passwords, SCHEME, UserPass, UserPassBuffer};
use auth_core::{
    Accepted, Attempt, AttemptLimit, Authorization, Challenge, Flow, Outcome, Presence, Reason,
    Rejection, RequestView, Result, Secret,
};
use std::fmt;

/// Verifies Basic credentials (RFC 7617).
///
/// Its challenge asks for UTF-8 (section 2.1). Two fields, or two values in one, are a 400; credentials that cannot be
/// decoded are a 401 with the challenge, like a wrong password.
///
/// # Security
///
/// Unknown user and wrong password are one refusal outside, and one reason inside: a log that told them apart would
/// hold what people type into the wrong field. Give it an [`AttemptLimit`] wherever people choose the passwords.
pub struct BasicVerifier<W> {
    passwords: W,
    challenge: Challenge,
    limit: Option<AttemptLimit>,
}

impl<W: Passwords> BasicVerifier<W> {
    /// A verifier that asks `passwords`.
    ///
    /// # Errors
    ///
    /// `Error::Config` when no field can hold the realm.
    pub fn new(realm: &str, passwords: W) -> Result<Self> {
        let challenge = Challenge::build(SCHEME).quoted("realm", realm).quoted("charset", "UTF-8");
        Ok(Self { passwords, challenge: challenge.finish()?, limit: None })
    }

    /// With a limit to wrong passwords: beyond it callers get a 429 with `Retry-After`, before anything is hashed.
    #[must_use]
    pub fn with_limit(self, limit: AttemptLimit) -> Self {
        Self { limit: Some(limit), ..self }
    }

    fn unauthenticated(&self, reason: Reason) -> Rejection {
        Rejection::unauthenticated(reason, self.challenge.clone())
    }

    fn check<'a>(
        &'a self,
        request: RequestView<'_>,
    ) -> Result<Flow<'a, Outcome<W::Principal>>, Rejection> {
        let Some(field) = Authorization::of_scheme(request.headers, SCHEME)? else {
            return Err(self.unauthenticated(MISSING));
        };
        let mut buffer = UserPassBuffer::new();
        let presented = UserPass::parse(&field, &mut buffer).map_err(|refused| match refused {
            BasicRefused::Ambiguous(rejection) => rejection,
            BasicRefused::Malformed(reason) => self.unauthenticated(reason),
        })?;
        let user = presented.user().as_bytes();
        let begun = Attempt::begin(self.limit.as_ref(), request, SCHEME, Some(user));
        if !begun.is_ready() {
            // The limits are far away: what was decoded here has to outlive the answer.
            let user = presented.user().to_owned();
            let password = Secret::new(presented.password());
            return Ok(begun.and_then(move |attempt| match attempt {
                Ok(attempt) => self.attempt(UserPass::of(&user, password.expose()), attempt),
                Err(rejection) => Flow::ready(Err(rejection)),
            }));
        }
        Ok(match begun.wait() {
            Ok(Ok(attempt)) => self.attempt(presented, attempt),
            Ok(Err(rejection)) => Flow::ready(Err(rejection)),
            Err(error) => Flow::failed(error),
        })
    }

    fn attempt<'a>(
        &'a self,
        presented: UserPass<'_>,
        attempt: Attempt,
    ) -> Flow<'a, Outcome<W::Principal>> {
        self.passwords.check(presented, attempt).map(|found| match found {
            Some(principal) => Ok(Accepted::new(SCHEME, principal)),
            None => Err(self.unauthenticated(WRONG)),
        })
    }
}

impl<W: Passwords> auth_core::Verifier for BasicVerifier<W> {
    type Principal = W::Principal;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        Authorization::presence(head, SCHEME)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<W::Principal>> {
        self.check(request).unwrap_or_else(|rejection| Flow::ready(Err(rejection)))
    }
}

impl<W> fmt::Debug for BasicVerifier<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BasicVerifier({}, limit: {:?})", self.challenge, self.limit)
    }
}

const MISSING: Reason = Reason::new("basic_missing", "no Basic credentials, expected some");
const WRONG: Reason = Reason::new("basic_wrong", "user is unknown or password is wrong");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Basic, KeyHasher, basic::BasicAccounts, shown::outcome};
    use auth_core::SystemRandom;
    use http::{HeaderMap, HeaderValue, Method, Uri, header::AUTHORIZATION};
    use proptest::prelude::*;

    fn door(user: &str, password: &str) -> BasicVerifier<BasicAccounts<&'static str>> {
        let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
        BasicVerifier::new("Wally\"World", BasicAccounts::new(&hasher, [(user, password, "known")]))
            .unwrap()
    }

    fn fields(values: &[&[u8]]) -> HeaderMap {
        let value = |value: &&[u8]| (AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        values.iter().map(value).collect()
    }

    #[track_caller]
    fn check(values: &[&str], expected: &str) {
        let values: Vec<_> = values.iter().map(|value| value.as_bytes()).collect();
        assert_eq!(outcome(&door("Aladdin", "open sesame"), "/", &fields(&values)), expected);
    }

    /// Realm and challenge are always there: peers leave out the one or the other.
    #[test]
    fn answers_as_rfc_7617_has_it() {
        let challenged =
            |code| format!(r#"401 {code} Basic realm="Wally\"World", charset="UTF-8""#);
        check(&["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="], "known");
        check(&["bAsIC  QWxhZGRpbjpvcGVuIHNlc2FtZQ=="], "known");
        check(&[], &challenged("basic_missing"));
        check(&["Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ=="], &challenged("basic_missing"));
        check(&["undefined"], &challenged("basic_missing"));
        check(&["Basic QWxhZGRpbjpvcGVuIHNlc2FtZR=="], &challenged("basic_malformed"));
        check(&["Basic undefined"], &challenged("basic_malformed"));
        check(&["Basic Og=="], &challenged("basic_wrong"));
        check(&["Basic QWxhZGRpbjpvcGVu"], &challenged("basic_wrong"));
        check(&["Basic"], "400 authorization_credentials");
        check(&["Basic =="], "400 authorization_credentials");
        check(&["Basic YTpi YTpi"], "400 authorization_credentials");
        check(&["Basic YTpi, Basic YTpi"], "400 authorization_joined");
        check(&["Basic YTpi", "Bearer x"], "400 authorization_several");
        check(&[""], "400 authorization_no_scheme");
        check(&["Basic\tYTpi"], "400 authorization_no_scheme");
    }

    #[test]
    fn refuses_a_realm_that_no_field_can_hold() {
        let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
        let accounts = BasicAccounts::new(&hasher, [("a", "b", ())]);
        assert_eq!(
            BasicVerifier::new("a\nb", accounts).unwrap_err().code(),
            "challenge_unprintable"
        );
    }

    fn sent(user: &str, password: &str) -> HeaderMap {
        let (mut uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
        let credentials = Basic::new(user, password).unwrap().present();
        credentials.commit(&mut uri, &mut headers).unwrap();
        headers
    }

    proptest! {
        #[test]
        fn what_our_client_sends_our_verifier_accepts(user in "[^:\\p{Cc}]{0,60}", password in "\\P{Cc}{0,200}") {
            let headers = sent(&user, &password);
            prop_assert_eq!(outcome(&door(&user, &password), "/", &headers), "known");
            let (uri, other) = (Uri::from_static("/"), sent("", ""));
            let head = RequestView::new(&Method::GET, &uri, &other);
            prop_assert_eq!(auth_core::Verifier::presence(&door(&user, &password), head), Presence::Present);
        }

        /// In the credentials: the scheme is the same in any case, see above.
        #[test]
        fn a_flipped_bit_is_refused(user in "[^:\\p{Cc}]{0,20}", password in "\\P{Cc}{0,40}", at: prop::sample::Index, bit in 0..8) {
            let headers = sent(&user, &password);
            let mut value = headers[AUTHORIZATION].as_bytes().to_vec();
            let credentials = "Basic ".len();
            let at = credentials + at.index(value.len() - credentials);
            value[at] ^= 1_u8 << bit;
            if HeaderValue::from_bytes(&value).is_ok() {
                let told = outcome(&door(&user, &password), "/", &fields(&[&value]));
                prop_assert!(told.starts_with("40"), "{}", told);
            }
        }
    }
}
