//! Bearer tokens (RFC 6750), in the `Authorization` field.

use crate::{field, keys};
use auth_core::{
    Accepted, AttemptLimit, Authenticator, Authorization, BearerRealm, Candidates, Credentials,
    Error, Flow, KeyDigest, KeyHasher, Lookup, Outcome, Presence, Reason, RequestView, Result,
};
use std::fmt;
use zeroize::Zeroizing;

/// A token that is sent as it is (RFC 6750 section 2.1). Any program that has it is taken for the
/// client, so it goes over TLS alone.
///
/// ```
/// use auth_static::Bearer;
/// let bearer = Bearer::new("mF_9.B5f-4.1JqM")?;
/// assert_eq!(Bearer::new("two words").unwrap_err().code(), "bearer_token");
/// # let _: &dyn auth_core::Authenticator = &bearer;
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Bearer(Credentials);

impl Bearer {
    /// With this token.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is not a `b64token` (RFC 6750 section 2.1), or its field would be longer than
    /// [`Authorization::MOST_BYTES`].
    pub fn new(token: &str) -> Result<Self> {
        field::check_end("bearer_token", "token", token)?;
        let field = Zeroizing::new([BearerRealm::SCHEME, " ", token].concat());
        let read = Authorization::parse(field.as_bytes()).and_then(|field| field.token68());
        if !read.is_ok_and(|read| read == token.as_bytes()) {
            let text = "token is empty, too long or holds a character it may not, \
                        expected letters, digits and -._~+/ with = at the end alone";
            return Err(Error::config("bearer_token", text));
        }
        field::authorization(BearerRealm::SCHEME, token).map(Self)
    }

    /// What it adds to every request.
    #[must_use]
    pub fn present(&self) -> Credentials {
        self.0.clone()
    }
}

impl Authenticator for Bearer {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        Flow::ready(self.present())
    }
}

/// Verifies Bearer tokens that a look-up knows by their digest.
///
/// Without a token the challenge says no more than the realm (RFC 6750 section 3.1); an unknown token is a 401 with
/// `invalid_token`; what cannot be read, or in more than one way, is a 400 with `invalid_request`.
///
/// # Security
///
/// The `Authorization` field is the only place that is read. Whether a token is unknown, expired or revoked is for the
/// look-up to know and looks the same outside: it finds what is good now, or nothing.
pub struct BearerVerifier<L> {
    hasher: KeyHasher,
    older: Option<Box<KeyHasher>>,
    tokens: L,
    realm: BearerRealm,
    limit: Option<AttemptLimit>,
}

impl<L> BearerVerifier<L> {
    /// A verifier of the tokens whose digests under `hasher` are in `tokens`.
    ///
    /// # Errors
    ///
    /// `Error::Config` when no field can hold the realm.
    pub fn new(realm: &str, hasher: KeyHasher, tokens: L) -> Result<Self> {
        let (older, realm, limit) = (None, BearerRealm::new(realm)?, None);
        Ok(Self { hasher, older, tokens, realm, limit })
    }

    /// With a limit to wrong tokens of each source: beyond it callers get a 429 with `Retry-After`, before anything is
    /// looked up.
    ///
    /// Callers whose address is unknown are not counted, since anybody could lock out all of them: give the server layer
    /// the address, in auth-tower's `ConnectionInfo`. Callers of one source share what it has: see [`AttemptLimit`].
    #[must_use]
    pub fn with_limit(self, limit: AttemptLimit) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Also finds keys whose digests were made by this hasher, where the first finds none: those that were imported from a
    /// registry that kept their SHA-256 ([`KeyHasher::over_sha256`]).
    #[must_use]
    pub fn with_older_hasher(self, older: KeyHasher) -> Self {
        Self { older: Some(Box::new(older)), ..self }
    }

    fn outcome<P: Clone>(&self, found: Option<Candidates<(), P>>) -> Outcome<P> {
        match found.and_then(|found| found.principal(0)) {
            Some(principal) => Ok(Accepted::new(BearerRealm::SCHEME, principal)),
            None => Err(self.realm.invalid(UNKNOWN)),
        }
    }
}

impl<L, P> auth_core::Verifier for BearerVerifier<L>
where
    L: Lookup<KeyDigest, Found = Candidates<(), P>>,
    P: Clone + Send + 'static,
{
    type Principal = P;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        BearerRealm::presence(head)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<P>> {
        let (digest, older) = match self.realm.token(request.headers) {
            Ok(Some(token)) => (self.hasher.hash(token), keys::older(self.older.as_deref(), token)),
            Ok(None) => return Flow::ready(Err(self.realm.missing(MISSING))),
            Err(rejection) => return Flow::ready(Err(rejection)),
        };
        let (scheme, judge) = (BearerRealm::SCHEME, |found| self.outcome(found));
        keys::find(&self.tokens, digest, older, self.limit.as_ref(), request, scheme, judge)
    }
}

impl<L> fmt::Debug for BearerVerifier<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BearerVerifier({:?})", self.realm)
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(..)")
    }
}

const MISSING: Reason = Reason::new("bearer_missing", "no Bearer token, expected one");
const UNKNOWN: Reason = Reason::new("bearer_unknown", "Bearer token is not a known one");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FixedKeys, shown::outcome};
    use auth_core::SystemRandom;
    use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
    use proptest::prelude::*;

    /// The token of RFC 6750 section 2.1.
    const TOKEN: &str = "mF_9.B5f-4.1JqM";

    fn door(token: &str) -> BearerVerifier<FixedKeys<&'static str>> {
        let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
        let keys = FixedKeys::new(&hasher, [(token, "client")]);
        BearerVerifier::new("example", hasher, keys).unwrap()
    }

    fn fields(values: &[&[u8]]) -> HeaderMap {
        let value = |value: &&[u8]| (AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        values.iter().map(value).collect()
    }

    #[track_caller]
    fn check(values: &[&str], expected: &str) {
        let values: Vec<_> = values.iter().map(|value| value.as_bytes()).collect();
        assert_eq!(outcome(&door(TOKEN), "/", &fields(&values)), expected);
    }

    /// The fields of RFC 6750 section 3, and what section 3.1 says of each error.
    #[test]
    fn answers_as_rfc_6750_has_it() {
        let missing = "401 bearer_missing Bearer realm=\"example\"";
        let unknown = "401 bearer_unknown Bearer realm=\"example\", error=\"invalid_token\"";
        let malformed =
            |code| format!("400 {code} Bearer realm=\"example\", error=\"invalid_request\"");
        check(&["Bearer mF_9.B5f-4.1JqM"], "client");
        check(&["bEARER mF_9.B5f-4.1JqM"], "client");
        check(&[], missing);
        check(&["Basic bUZfOS5CNWYtNC4xSnFN"], missing);
        check(&["undefined"], missing);
        check(&["Bearer mF_9.B5f-4.1JqN"], unknown);
        check(&["Bearer undefined"], unknown);
        check(&["Bearer mF_9.B5f-4.1JqM="], unknown);
        check(&["Bearer mF_9 B5f"], &malformed("authorization_credentials"));
        check(&["Bearer"], &malformed("authorization_credentials"));
        check(&["Bearer \"mF_9\""], &malformed("authorization_credentials"));
        check(&["Bearer a, Bearer b"], &malformed("authorization_joined"));
        check(&["Bearer a", "Bearer a"], &malformed("authorization_several"));
        check(&[""], &malformed("authorization_no_scheme"));
    }

    /// RFC 6750 section 2: the other two methods of sending a token are not read.
    #[test]
    fn reads_no_token_from_the_query() {
        let told = outcome(&door(TOKEN), "/?access_token=mF_9.B5f-4.1JqM", &HeaderMap::new());
        assert_eq!(told, "401 bearer_missing Bearer realm=\"example\"");
    }

    #[test]
    fn a_field_that_cannot_be_read_counts_as_present() {
        let uri = http::Uri::from_static("/");
        for (value, expected) in [
            (&b"Bearer"[..], Presence::Present),
            (b"BEARER x", Presence::Present),
            (b"", Presence::Present),
            (b"Basic x", Presence::Absent),
        ] {
            let headers = fields(&[value]);
            let head = RequestView::new(&http::Method::GET, &uri, &headers);
            assert_eq!(auth_core::Verifier::presence(&door(TOKEN), head), expected);
        }
    }

    #[test]
    fn refuses_a_token_that_is_none() {
        let long = "a".repeat(Authorization::MOST_BYTES - "Bearer ".len() + 1);
        for token in ["", " a", "a ", "a b", "a,b", "=a", "a=b", "a\r\nb", "é", &long] {
            assert_eq!(Bearer::new(token).unwrap_err().code(), "bearer_token", "{token:.9}");
        }
        let ended = Bearer::new("canary\n").unwrap_err().to_string();
        assert_eq!(ended, "configuration: token ends with a line break; remove it");
        assert!(Bearer::new(long.strip_prefix('a').unwrap()).is_ok());
    }

    proptest! {
        #[test]
        fn what_our_client_sends_our_verifier_accepts(token in "[A-Za-z0-9._~+/-]{1,300}={0,2}") {
            let headers = sent(&Bearer::new(&token).unwrap());
            prop_assert_eq!(outcome(&door(&token), "/", &headers), "client");
        }

        #[test]
        fn a_flipped_bit_is_refused(token in "[A-Za-z0-9._~+/-]{1,80}={0,2}", at: prop::sample::Index, bit in 0..8) {
            let headers = sent(&Bearer::new(&token).unwrap());
            let mut value = headers[AUTHORIZATION].as_bytes().to_vec();
            let credentials = "Bearer ".len();
            let at = credentials + at.index(value.len() - credentials);
            value[at] ^= 1_u8 << bit;
            if let Ok(flipped) = HeaderValue::from_bytes(&value) {
                let headers = HeaderMap::from_iter([(AUTHORIZATION, flipped)]);
                let told = outcome(&door(&token), "/", &headers);
                prop_assert!(told.starts_with("40"), "{}", told);
            }
        }
    }

    fn sent(client: &Bearer) -> HeaderMap {
        let (mut uri, mut headers) = (http::Uri::from_static("/"), HeaderMap::new());
        client.present().commit(&mut uri, &mut headers).unwrap();
        headers
    }
}
