//! The server's end: the caller, by the token of its request.

mod decoy;

use crate::{
    Claims, JwtKeys, JwtPolicy, JwtRefused, KeyId, UnverifiedJws, claims::ReadClaims,
    keys::MOST_TRIED, reason,
};
use auth_core::{
    Accepted, Attempt, AttemptLimit, AttemptOutcome, BearerRealm, Clock, Flow, Lookup, Outcome,
    Presence, Rejection, ReplayRejections, RequestView, Result, Unique, one_field,
};
use decoy::Decoys;
use http::HeaderName;
use std::{fmt, hint::black_box, sync::Arc};

/// Verifies the token of a request: its signature by the keys that a look-up knows, its claims by a [`JwtPolicy`].
///
/// The principal is a [`JwtPrincipal`]; [`map`](auth_core::Verifier::map) makes it yours. The look-up is a map, a
/// [`RemoteJwkSet`](crate::RemoteJwkSet), or a database: it finds the [`JwtKeys`] of a [`KeyId`]. Under
/// [`once`](auth_core::Verifier::once) each `jti` (RFC 7519 section 4.1.7) of a key is taken once, and a token without
/// one is refused.
///
/// # Security
///
/// The token is only trusted for the name under which keys are looked up. Each key is for one algorithm, and a token
/// whose header names another is refused. All keys of the token's algorithm that were found are tried, whichever matches,
/// and more than four are a refusal of their own. Where none matches, at least two shared secrets are tried, so that an
/// unknown issuer, one with a single secret and one in the middle of a rotation cost the same. What is refused looks the
/// same outside, and has its reason inside.
pub struct JwtVerifier<L> {
    realm: BearerRealm,
    policy: JwtPolicy,
    keys: L,
    clock: Arc<dyn Clock>,
    limit: Option<AttemptLimit>,
    field: Option<HeaderName>,
    decoys: Decoys,
    refusals: Arc<ReplayRejections>,
    most_token_bytes: usize,
}

/// The caller that a token proved.
#[derive(Debug)]
#[non_exhaustive]
pub struct JwtPrincipal<P> {
    /// What the token says.
    pub claims: Claims,
    /// Whom the key that proved it stands for, as the look-up says.
    pub caller: P,
}

impl<L> JwtVerifier<L> {
    /// A verifier of tokens in the `Authorization` field.
    ///
    /// # Errors
    ///
    /// `Error::Config` when no field can hold the realm.
    pub fn new(
        realm: &str,
        policy: JwtPolicy,
        keys: L,
        clock: impl Clock + 'static,
    ) -> Result<Self> {
        let most_token_bytes = UnverifiedJws::MOST_BYTES;
        let realm = BearerRealm::new(realm)?.with_most_token_bytes(most_token_bytes);
        let refusals = ReplayRejections {
            missing: realm.invalid(reason::JTI_MISSING.into()),
            seen: realm.invalid(reason::REPLAYED.into()),
            too_old: realm.invalid(reason::EXP_PAST.into()),
        };
        Ok(Self {
            realm,
            policy,
            keys,
            clock: Arc::new(clock),
            limit: None,
            field: None,
            decoys: Decoys::new()?,
            refusals: Arc::new(refusals),
            most_token_bytes,
        })
    }

    /// With tokens of at most so many bytes, wherever they are read from; [8 KiB](UnverifiedJws::MOST_BYTES) unless set.
    ///
    /// A token that lists 180 roles has some 10 KB. The server in front has a limit to header fields of its own.
    #[must_use]
    pub fn with_most_token_bytes(self, bytes: usize) -> Self {
        let realm = self.realm.with_most_token_bytes(bytes);
        Self { realm, most_token_bytes: bytes, ..self }
    }

    /// With a limit to wrong signatures of each source: beyond it callers get a 429 with `Retry-After`, before a key is
    /// looked up.
    ///
    /// They are not counted for the name that a token claims to be signed by: an issuer signs for callers from
    /// everywhere, and everybody who knows its name could lock out all of them.
    ///
    /// Callers whose address is unknown are not counted, since anybody could lock out all of them: give the server layer
    /// the address, in auth-tower's `ConnectionInfo`. Callers of one source share its attempts: see [`AttemptLimit`].
    #[must_use]
    pub fn with_limit(self, limit: AttemptLimit) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Also reads a token from a field of its own when there is none in `Authorization`, bare, without a scheme.
    ///
    /// A value that is no token is left to other verifiers: an API key may use the same field.
    #[must_use]
    pub fn with_field(self, field: HeaderName) -> Self {
        Self { field: Some(field), ..self }
    }

    fn token<'a>(&self, request: RequestView<'a>) -> Result<&'a str, Rejection> {
        let bearer = self.realm.token(request.headers)?;
        let bare = self.bare(request)?;
        match (bearer, bare) {
            (Some(_), Some(_)) => Err(self.realm.malformed(reason::SEVERAL.into())),
            (Some(token), None) | (None, Some(token)) => {
                std::str::from_utf8(token).map_err(|_| self.realm.invalid(reason::PARTS.into()))
            }
            (None, None) => Err(self.realm.missing(reason::MISSING.into())),
        }
    }

    fn bare<'a>(&self, request: RequestView<'a>) -> Result<Option<&'a [u8]>, Rejection> {
        let Some(field) = &self.field else { return Ok(None) };
        let value = one_field(request.headers, field)?;
        Ok(value.map(|value| value.as_bytes()).filter(|value| looks_like_a_token(value)))
    }

    /// Proves the signature with one of the keys, and says whose key it is.
    ///
    /// All keys of the algorithm are tried, whichever matches. Where none does, decoys make up for those that are fewer
    /// than two: a caller that is accepted has the secret, so none is spent on it.
    fn prove<P: Clone>(
        &self,
        token: &UnverifiedJws<'_>,
        found: Option<JwtKeys<P>>,
    ) -> Result<P, JwtRefused> {
        let algorithm = token.header().algorithm();
        let known = found.as_ref().map(JwtKeys::as_slice).unwrap_or_default();
        let fitting = || known.iter().filter(|known| known.secret.algorithm() == algorithm);
        let many = fitting().count();
        if many > MOST_TRIED {
            return Err(reason::KEY_MANY);
        }
        let keys = fitting().map(|known| (&known.principal, &known.secret));
        let refused = match token.proven_by(keys) {
            Ok(principal) => return Ok(principal.clone()),
            Err(refused) => refused,
        };
        // What comes of a decoy is thrown away.
        let _ = black_box(token.proven_by(self.decoys.beside(algorithm, many)));
        Err(match (refused, &found) {
            (reason::ALG_OTHER, None) => reason::KEY_UNKNOWN,
            (reason::ALG_OTHER, Some(_)) if known.is_empty() => reason::KEY_NONE,
            (refused, _) => refused,
        })
    }

    fn judge<P: Clone>(
        &self,
        token: &UnverifiedJws<'_>,
        claims: ReadClaims,
        id: &KeyId,
        found: Option<JwtKeys<P>>,
        attempt: Attempt,
        wants_unique: bool,
    ) -> Outcome<JwtPrincipal<P>> {
        let (judged, outcome) = match self.prove(token, found) {
            Err(refused) => (Err(refused), AttemptOutcome::Wrong),
            Ok(caller) => {
                match Claims::judged(token.header(), claims, &self.policy, self.clock.now()) {
                    Ok(claims) => (Ok(JwtPrincipal { claims, caller }), AttemptOutcome::Right),
                    // A caller with a captured token that has expired has guessed nothing, and proves nothing.
                    Err(refused) => (Err(refused), AttemptOutcome::Unknown),
                }
            }
        };
        attempt.settle(outcome);
        match judged {
            Err(refused) => Err(self.realm.invalid(refused.into())),
            Ok(principal) => {
                let unique = wants_unique.then(|| self.unique(id, &principal.claims));
                let accepted = Accepted::new(BearerRealm::SCHEME, principal);
                Ok(match unique {
                    Some(unique) => accepted.with_unique(unique, &self.refusals),
                    None => accepted,
                })
            }
        }
    }

    /// The `jti`, among those of the key that proved it.
    fn unique(&self, id: &KeyId, claims: &Claims) -> Option<Unique> {
        let jti = claims.id()?.as_bytes();
        let kid = id.kid.as_deref().unwrap_or_default().as_bytes();
        // A kid has at most 128 bytes, so its length is told in one.
        let length = [u8::try_from(kid.len()).unwrap_or(u8::MAX)];
        let issuer = id.issuer.as_deref().unwrap_or_default().as_bytes();
        let unique = Unique::new("jwt", issuer, &[&length, kid, jti].concat(), claims.dies());
        match self.policy.issued(claims) {
            Some(moment) => Some(unique.issued_at(moment)),
            None => Some(unique),
        }
    }
}

impl<L, P> auth_core::Verifier for JwtVerifier<L>
where
    L: Lookup<KeyId, Found = JwtKeys<P>>,
    P: Clone + Send + 'static,
{
    type Principal = JwtPrincipal<P>;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        // Two of one field are there, and are refused when they are read.
        match self.bare(head) {
            Ok(None) => BearerRealm::presence(head),
            Ok(Some(_)) | Err(_) => Presence::Present,
        }
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<JwtPrincipal<P>>> {
        let token = match self.token(request) {
            Ok(token) => token,
            Err(rejection) => return Flow::ready(Err(rejection)),
        };
        let read = UnverifiedJws::parse_at_most(token, self.most_token_bytes)
            .and_then(|token| Ok((token.read_claims(&self.policy)?, token)));
        let (claims, token) = match read {
            Ok(read) => read,
            Err(refused) => return Flow::ready(Err(self.realm.invalid(refused.into()))),
        };
        let id = token.key_id_of(&claims, &self.policy);
        let begun = Attempt::begin(self.limit.as_ref(), request, "jwt", None);
        begun.and_then(move |begun| match begun {
            Ok(attempt) => self.keys.lookup(&id).then(move |found| match found {
                Ok(found) => {
                    let wants_unique = request.wants_unique();
                    Flow::ready(self.judge(&token, claims, &id, found, attempt, wants_unique))
                }
                Err(error) => {
                    attempt.settle(AttemptOutcome::Unknown);
                    Flow::failed(error)
                }
            }),
            Err(rejection) => Flow::ready(Err(rejection)),
        })
    }
}

impl<P> JwtPrincipal<P> {
    /// The same claims, with what is made of the caller.
    pub fn map_caller<Q>(self, f: impl FnOnce(P) -> Q) -> JwtPrincipal<Q> {
        JwtPrincipal { claims: self.claims, caller: f(self.caller) }
    }
}

impl<P> AsRef<Claims> for JwtPrincipal<P> {
    fn as_ref(&self) -> &Claims {
        &self.claims
    }
}

impl<L> fmt::Debug for JwtVerifier<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JwtVerifier({:?})", self.realm)
    }
}

/// Three parts with dots between them: no API key of any platform has them.
fn looks_like_a_token(value: &[u8]) -> bool {
    value.iter().filter(|byte| **byte == b'.').count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ClaimsToSign, JwsAlgorithm, JwtAuthenticator, SignerClaim, SigningKey, VerifyingKey,
    };
    use auth_core::{Error, MemoryReplayStore, Peer, Timestamp, Verifier as _};
    use auth_testing::{ManualClock, SeededRandom};
    use http::{HeaderMap, HeaderValue, Method, Uri, header::AUTHORIZATION};
    use std::{collections::HashMap, time::Duration};

    const KEY: HeaderName = HeaderName::from_static("key");
    const NOW: u64 = 1_700_000_000;

    fn key(byte: u8) -> SigningKey {
        SigningKey::from_secret(JwsAlgorithm::HS256, &[byte; 32]).unwrap()
    }

    fn claims(issuer: &str) -> ClaimsToSign {
        ClaimsToSign::expiring_in(Duration::from_secs(300)).unwrap().with_issuer(issuer)
    }

    fn token(issuer: &str, key: &SigningKey) -> String {
        let signed = claims(issuer).sign(key, Timestamp::from_unix(NOW), Some("once")).unwrap();
        signed.expose().to_owned()
    }

    fn id(issuer: &str) -> KeyId {
        KeyId { issuer: Some(issuer.into()), kid: None }
    }

    /// `one` has a single secret, `two` is rotating, `none` was known.
    fn door() -> JwtVerifier<HashMap<KeyId, JwtKeys>> {
        let keys = HashMap::from([
            (id("one"), key(1).verifying().into()),
            (id("two"), [2, 3].into_iter().map(|byte| key(byte).verifying()).collect()),
            (id("none"), JwtKeys::none()),
        ]);
        let clock = ManualClock::at(NOW);
        JwtVerifier::new("r", JwtPolicy::new().with_leeway(Duration::ZERO), keys, clock).unwrap()
    }

    fn fields(fields: &[(HeaderName, &str)]) -> HeaderMap {
        let value = |(name, value): &(HeaderName, &str)| {
            (name.clone(), HeaderValue::from_str(value).unwrap())
        };
        let mut headers = HeaderMap::new();
        headers.extend(fields.iter().map(value));
        headers
    }

    fn told(
        door: &dyn auth_core::Verifier<Principal = JwtPrincipal<()>>,
        sent: &[(HeaderName, &str)],
    ) -> String {
        let (uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
        for (name, value) in sent {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let outcome = door.verify(RequestView::new(&Method::GET, &uri, &headers)).wait();
        match outcome {
            Err(error) => error.code().to_owned(),
            Ok(Ok(accepted)) => accepted.principal.claims.issuer().unwrap_or("nobody").to_owned(),
            Ok(Err(rejection)) => {
                let shown: Vec<_> =
                    rejection.challenges().iter().map(ToString::to_string).collect();
                let (status, code) = (rejection.status().as_u16(), rejection.reason().code);
                format!("{status} {code} {}", shown.join(" "))
            }
        }
    }

    #[track_caller]
    fn check(token: &str, expected: &str) {
        let told = told(&door(), &[(AUTHORIZATION, &format!("Bearer {token}"))]);
        let refused = format!("401 {expected} Bearer realm=\"r\", error=\"invalid_token\"");
        assert!(told == expected || told == refused, "{told}, expected {expected}");
    }

    #[test]
    fn every_live_key_of_the_issuer_is_good() {
        check(&token("one", &key(1)), "one");
        check(&token("two", &key(2)), "two");
        check(&token("two", &key(3)), "two");
    }

    /// All of them are the same 401 outside.
    #[test]
    fn what_is_refused_has_a_reason_inside() {
        check(&token("one", &key(2)), "jwt_signature");
        check(&token("two", &key(1)), "jwt_signature");
        check(&token("none", &key(1)), "jwt_key_none");
        check(&token("mallory", &key(1)), "jwt_key_unknown");
        let other = SigningKey::from_secret(JwsAlgorithm::HS512, &[1; 64]).unwrap();
        check(&token("one", &other), "jwt_alg_other");
        check("opaque", "jwt_parts");
        check("a.b.c", "jwt_header_base64url");
        let old = Timestamp::from_unix(NOW - 300);
        let dead = claims("one").sign(&key(1), old, None).unwrap();
        check(dead.expose(), "jwt_exp_past");
        check(
            claims("one").sign(&key(1), old.after(Duration::from_secs(1)), None).unwrap().expose(),
            "one",
        );
    }

    /// A caller that signs with the decoy's secret is as unknown as before.
    #[test]
    fn a_decoy_accepts_nobody() {
        let decoy = SigningKey::from_secret(JwsAlgorithm::HS256, &[0; 64]).unwrap();
        check(&token("mallory", &decoy), "jwt_key_unknown");
        check(&token("one", &decoy), "jwt_signature");
    }

    /// Else the time would tell which issuers are known, and which of them are in the middle of a rotation.
    #[test]
    fn what_is_refused_costs_two_secrets_whoever_is_said_to_have_signed_it() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let asked = Arc::new(AtomicUsize::new(0));
        let secret = |algorithm| VerifyingKey::counting(algorithm, &asked);
        let hmacs = [JwsAlgorithm::HS256, JwsAlgorithm::HS384, JwsAlgorithm::HS512];
        let mut door = door();
        door.decoys = Decoys(hmacs.map(secret));
        for algorithm in hmacs {
            let wrong = SigningKey::from_secret(algorithm, &[9; 64]).unwrap();
            let text = token("one", &wrong);
            for (known, tried) in [
                (None, 2),
                (Some(JwtKeys::none()), 2),
                (Some(secret(JwsAlgorithm::EdDSA).into()), 2),
                (Some(secret(algorithm).into()), 2),
                (Some([(); 2].map(|()| secret(algorithm)).into_iter().collect()), 2),
                (Some([(); 3].map(|()| secret(algorithm)).into_iter().collect()), 3),
            ] {
                let token = UnverifiedJws::parse(&text).unwrap();
                assert!(door.prove(&token, known.clone()).is_err());
                assert_eq!(asked.swap(0, Ordering::Relaxed), tried, "{algorithm} {known:?}");
            }
        }
    }

    /// A caller that is accepted has the secret, and learns nothing from the time.
    #[test]
    fn what_is_accepted_pays_for_no_decoy() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let asked = Arc::new(AtomicUsize::new(0));
        let mut door = door();
        door.decoys = Decoys([(); 3].map(|()| VerifyingKey::counting(JwsAlgorithm::HS256, &asked)));
        let good = token("one", &key(1));
        assert_eq!(told(&door, &[(AUTHORIZATION, &format!("Bearer {good}"))]), "one");
        assert_eq!(asked.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn unknown_wrong_and_retired_are_told_the_same() {
        let all = ["one", "two", "none", "mallory"].map(|issuer| {
            let told =
                told(&door(), &[(AUTHORIZATION, &format!("Bearer {}", token(issuer, &key(9))))]);
            let (status, rest) = told.split_once(' ').unwrap();
            (status.to_owned(), rest.split_once(' ').unwrap().1.to_owned())
        });
        let same = ("401".to_owned(), "Bearer realm=\"r\", error=\"invalid_token\"".to_owned());
        assert_eq!(all, [(); 4].map(|()| same.clone()));
    }

    #[test]
    fn nothing_and_too_much_are_told_apart() {
        let good = token("one", &key(1));
        let bearer = format!("Bearer {good}");
        assert_eq!(told(&door(), &[]), "401 jwt_missing Bearer realm=\"r\"");
        let malformed = |code| format!("400 {code} Bearer realm=\"r\", error=\"invalid_request\"");
        let twice = [(AUTHORIZATION, &*bearer), (AUTHORIZATION, &*bearer)];
        assert_eq!(told(&door(), &twice), malformed("authorization_several"));
        assert_eq!(told(&door(), &[(AUTHORIZATION, "")]), malformed("authorization_no_scheme"));
        assert_eq!(told(&door(), &[(KEY, &good)]), "401 jwt_missing Bearer realm=\"r\"");
    }

    #[test]
    fn a_field_of_its_own_is_read_when_it_was_switched_on() {
        let (good, door) = (token("one", &key(1)), door().with_field(KEY));
        let bearer = format!("Bearer {good}");
        assert_eq!(told(&door, &[(KEY, &good)]), "one");
        assert_eq!(told(&door, &[(AUTHORIZATION, &bearer)]), "one");
        assert_eq!(told(&door, &[(AUTHORIZATION, &bearer), (KEY, "an-api-key")]), "one");
        assert_eq!(told(&door, &[(KEY, "an-api-key")]), "401 jwt_missing Bearer realm=\"r\"");
        let both = told(&door, &[(AUTHORIZATION, &bearer), (KEY, &good)]);
        assert_eq!(both, "400 jwt_several Bearer realm=\"r\", error=\"invalid_request\"");
        let uri = Uri::from_static("/");
        for (sent, expected) in [
            (vec![], Presence::Absent),
            (vec![(KEY, "an-api-key")], Presence::Absent),
            (vec![(KEY, &*good)], Presence::Present),
            (vec![(AUTHORIZATION, &*bearer)], Presence::Present),
            (vec![(AUTHORIZATION, "Basic YTpi")], Presence::Absent),
        ] {
            let headers = fields(&sent);
            let head = RequestView::new(&Method::GET, &uri, &headers);
            assert_eq!(door.presence(head), expected, "{sent:?}");
        }
    }

    #[test]
    fn a_token_that_is_for_one_use_is_taken_once() {
        let clock = ManualClock::at(NOW);
        let door = door().once(MemoryReplayStore::new(clock));
        let authenticator = JwtAuthenticator::new(key(1), claims("one"), Timestamp::from_unix(NOW))
            .with_ids(SeededRandom::new(7));
        let [first, second] =
            [(); 2].map(|()| format!("Bearer {}", authenticator.sign().unwrap().expose()));
        assert_eq!(told(&door, &[(AUTHORIZATION, &first)]), "one");
        assert_eq!(told(&door, &[(AUTHORIZATION, &second)]), "one");
        let refused = |code| format!("401 {code} Bearer realm=\"r\", error=\"invalid_token\"");
        assert_eq!(told(&door, &[(AUTHORIZATION, &first)]), refused("jwt_replayed"));
        let without = claims("one").sign(&key(1), Timestamp::from_unix(NOW), None).unwrap();
        let without = format!("Bearer {}", without.expose());
        assert_eq!(told(&door, &[(AUTHORIZATION, &without)]), refused("jwt_jti_missing"));
    }

    /// A store that cannot tell is our fault, and nobody passes; strangers do not come so far.
    #[test]
    fn a_store_that_cannot_tell_refuses_with_an_error_of_ours() {
        let store = MemoryReplayStore::new(ManualClock::at(NOW)).with_limit(0);
        let door = door().once(store);
        let of = |key: &SigningKey| {
            let claims = claims("one").without_issued_at();
            let signed = claims.sign(key, Timestamp::from_unix(NOW), Some("once")).unwrap();
            format!("Bearer {}", signed.expose())
        };
        assert_eq!(told(&door, &[(AUTHORIZATION, &of(&key(1)))]), "replay_store_full");
        let forged = told(&door, &[(AUTHORIZATION, &of(&key(9)))]);
        assert!(forged.starts_with("401"), "it was asked too early");
    }

    /// Two subjects that sign for themselves may choose the same id, and so may two keys of one issuer.
    #[test]
    fn an_id_is_used_once_for_each_key() {
        let clock = ManualClock::at(NOW);
        let policy = JwtPolicy::new().with_signer_claim(SignerClaim::Subject);
        let named = |subject: &str, kid: Option<&str>| KeyId {
            issuer: Some(subject.into()),
            kid: kid.map(Into::into),
        };
        let keys = HashMap::from([
            (named("alice", None), JwtKeys::from(key(1).verifying())),
            (named("bob", None), key(2).verifying().into()),
            (named("bob", Some("2")), key(3).verifying().into()),
        ]);
        let door = JwtVerifier::new("r", policy, keys, clock.clone()).unwrap();
        let door = door.once(MemoryReplayStore::new(clock.clone()));
        let said_as = |subject: &str, key: SigningKey, kid: Option<&str>| {
            let claims = ClaimsToSign::expiring_in(Duration::from_secs(300)).unwrap();
            let claims = match kid {
                Some(kid) => claims.with_key_id(kid).unwrap(),
                None => claims,
            };
            let signed =
                claims.with_subject(subject).sign(&key, Timestamp::from_unix(NOW), Some("1"));
            told(&door, &[(AUTHORIZATION, &format!("Bearer {}", signed.unwrap().expose()))])
        };
        let said = |subject, key| said_as(subject, key, None);
        for expected in ["nobody", "401 jwt_replayed Bearer realm=\"r\", error=\"invalid_token\""] {
            assert_eq!(said("alice", key(1)), expected);
            assert_eq!(said("bob", key(2)), expected);
            assert_eq!(said_as("bob", key(3), Some("2")), expected);
        }
        clock.advance(Duration::from_secs(359));
        assert!(said("alice", key(1)).contains("jwt_replayed"), "the last second of the leeway");
    }

    /// What a store is asked about names the key by issuer and `kid`, and neither runs into the other or into the `jti`.
    #[test]
    fn what_is_used_once_is_named_by_issuer_kid_and_jti_and_lasts_as_long_as_the_token() {
        let door = door();
        let claims = |jti: &str| {
            let issuer = claims("one").sign(&key(1), Timestamp::from_unix(NOW), Some(jti)).unwrap();
            let token = UnverifiedJws::parse(issuer.expose()).unwrap();
            let signed = token.verify(&key(1).verifying()).unwrap();
            signed.claims(&JwtPolicy::new(), Timestamp::from_unix(NOW)).unwrap()
        };
        let mut all = Vec::new();
        for issuer in ["a", "ab"] {
            for (kid, jti) in [
                (None, "b1"),
                (Some("b"), "1"),
                (Some("c"), "1"),
                (Some("b1"), ""),
                (Some("b1"), "1"),
            ] {
                let id = KeyId { issuer: Some(issuer.into()), kid: kid.map(Into::into) };
                let unique = door.unique(&id, &claims(jti)).unwrap();
                assert_eq!((unique.scheme(), unique.owner()), ("jwt", issuer.as_bytes()));
                assert_eq!(unique.issued(), Some(Timestamp::from_unix(NOW)));
                let dies = Timestamp::from_unix(NOW + 360).after(Unique::NODES_APART);
                assert_eq!(unique.until(), dies);
                assert!(!all.contains(&unique), "{issuer} {kid:?} {jti}");
                all.push(unique);
            }
        }
    }

    /// 180 roles are some 10 KB. The bare field has the same limit as `Authorization`.
    #[test]
    fn a_token_is_as_long_as_the_verifier_allows_wherever_it_is_read_from() {
        let signed = |roles: usize| {
            let roles: Vec<_> =
                (0..roles).map(|n| format!("https://roles.example/{n:019}")).collect();
            let claims = claims("one").with_claim("roles", &roles).unwrap();
            claims.sign(&key(1), Timestamp::from_unix(NOW), None).unwrap().expose().to_owned()
        };
        let (usual, long, longer) = (signed(100), signed(180), signed(360));
        assert!((9_600..16_384).contains(&long.len()) && longer.len() > 16_384);
        let door = |most: Option<usize>| {
            let door = door().with_field(KEY);
            match most {
                Some(most) => door.with_most_token_bytes(most),
                None => door,
            }
        };
        for (most, token, bearer, bare) in [
            (None, &usual, "one", "one"),
            (None, &long, "400 authorization_too_long", "401 jwt_size"),
            (Some(16 * 1024), &long, "one", "one"),
            (Some(long.len()), &long, "one", "one"),
            (Some(long.len() - 1), &long, "400 authorization_too_long", "401 jwt_size"),
            (Some(16 * 1024), &longer, "400 authorization_too_long", "401 jwt_size"),
        ] {
            let said = told(&door(most), &[(AUTHORIZATION, &format!("Bearer {token}"))]);
            assert!(said.starts_with(bearer), "{said} {most:?}");
            let said = told(&door(most), &[(KEY, token)]);
            assert!(said.starts_with(bare), "{said} {most:?}");
        }
    }

    #[test]
    fn a_verifier_reads_as_many_members_as_its_policy_allows() {
        let groups: Vec<_> = (0..65).map(|n| format!("\"{n}\":1")).collect();
        let payload =
            format!(r#"{{"iss":"one","exp":{},"groups":{{{}}}}}"#, NOW + 9, groups.join(","));
        let bearer = format!("Bearer {}", crate::forged::token(crate::forged::HS256, payload));
        for (policy, expected) in [
            (JwtPolicy::new(), "401 jwt_claims_members"),
            (JwtPolicy::new().with_most_members(65), "one"),
        ] {
            let keys = HashMap::from([(id("one"), crate::forged::key().verifying().into())]);
            let door: JwtVerifier<HashMap<_, JwtKeys>> =
                JwtVerifier::new("r", policy, keys, ManualClock::at(NOW)).unwrap();
            assert!(told(&door, &[(AUTHORIZATION, &bearer)]).starts_with(expected));
        }
    }

    /// As Entra v1 and ADFS sign them.
    #[test]
    fn a_token_with_a_thumbprint_of_its_key_is_taken() {
        let header = r#"{"typ":"JWT","alg":"HS256","x5t":"a-thumb","kid":"a-thumb"}"#;
        let signed = crate::forged::token(header, format!(r#"{{"iss":"idp","exp":{}}}"#, NOW + 9));
        let known = KeyId { issuer: Some("idp".into()), kid: Some("a-thumb".into()) };
        let keys = HashMap::from([(known, JwtKeys::from(crate::forged::key().verifying()))]);
        let door = JwtVerifier::new("r", JwtPolicy::new(), keys, ManualClock::at(NOW)).unwrap();
        assert_eq!(told(&door, &[(AUTHORIZATION, &format!("Bearer {signed}"))]), "idp");
    }

    #[test]
    fn more_keys_than_are_tried_are_told_apart_by_kid_or_refused() {
        let keys = |algorithm, most: u8| {
            (1..=most).map(move |byte| {
                SigningKey::from_secret(algorithm, &[byte; 64]).unwrap().verifying()
            })
        };
        let four = keys(JwsAlgorithm::HS256, 4).chain(keys(JwsAlgorithm::HS512, 4));
        let known = HashMap::from([
            (id("four"), four.collect::<JwtKeys>()),
            (id("five"), keys(JwsAlgorithm::HS256, 5).collect()),
        ]);
        let clock = ManualClock::at(NOW);
        let door = JwtVerifier::new("r", JwtPolicy::new(), known, clock).unwrap();
        let signing = SigningKey::from_secret(JwsAlgorithm::HS256, &[4; 64]).unwrap();
        let said = |issuer| {
            told(&door, &[(AUTHORIZATION, &format!("Bearer {}", token(issuer, &signing)))])
        };
        assert_eq!(said("four"), "four");
        assert!(said("five").contains("jwt_key_many"));
    }

    /// The limit counts wrong signatures of a source, before keys are looked up, and no name is locked out from others.
    #[test]
    fn wrong_signatures_run_out_for_their_source_and_lock_out_nobody_else() {
        use auth_core::{AttemptRate, MemoryAttemptLimits};
        let rate = AttemptRate::new(3, Duration::from_secs(60)).unwrap();
        let limits = MemoryAttemptLimits::new(ManualClock::at(NOW)).with_source_rate(rate);
        let door = door().with_limit(AttemptLimit::new(limits));
        let said = |from: &str, issuer: &str, signing: SigningKey| {
            let headers =
                fields(&[(AUTHORIZATION, &format!("Bearer {}", token(issuer, &signing)))]);
            let (uri, address) = (Uri::from_static("/"), from.parse().ok());
            let peer = Peer { address, ..Peer::UNKNOWN };
            let request = RequestView::new(&Method::GET, &uri, &headers).with_peer(peer);
            match door.verify(request).wait().unwrap() {
                Ok(accepted) => accepted.principal.claims.issuer().unwrap_or_default().to_owned(),
                Err(rejection) => rejection.reason().code.to_owned(),
            }
        };
        for _ in 0..9 {
            assert_eq!(said("192.0.2.1", "one", key(1)), "one");
        }
        for _ in 0..3 {
            assert_eq!(said("192.0.2.1", "two", key(9)), "jwt_signature");
        }
        assert_eq!(said("192.0.2.1", "one", key(1)), "limit_attempts");
        for source in 0..20 {
            let from = format!("198.51.{source}.1");
            assert_eq!(said(&from, "two", key(9)), "jwt_signature");
        }
        assert_eq!(said("203.0.113.1", "two", key(2)), "two");
    }

    /// A caller with a captured token that has expired proves nothing by it, and has guessed nothing.
    #[test]
    fn a_right_signature_counts_for_nothing_when_its_claims_are_refused() {
        use auth_core::{AttemptKey, Limits};
        use std::sync::Mutex;

        #[derive(Clone, Default)]
        struct Settled(Arc<Mutex<Vec<AttemptOutcome>>>);

        impl Limits for Settled {
            fn may_try(&self, _: AttemptKey) -> Flow<'_, Result<(), Duration>> {
                Flow::ready(Ok(()))
            }

            fn note(&self, _: AttemptKey, settled: AttemptOutcome) {
                self.0.lock().unwrap().push(settled);
            }
        }

        let settled = Settled::default();
        let door = door().with_limit(AttemptLimit::new(settled.clone()));
        let old = Timestamp::from_unix(NOW - 300);
        let signed = |at, key: SigningKey| claims("one").sign(&key, at, None).unwrap();
        for (token, outcome) in [
            (signed(Timestamp::from_unix(NOW), key(1)), AttemptOutcome::Right),
            (signed(old, key(1)), AttemptOutcome::Unknown),
            (signed(old, key(9)), AttemptOutcome::Wrong),
        ] {
            let headers = fields(&[(AUTHORIZATION, &format!("Bearer {}", token.expose()))]);
            let (uri, address) = (Uri::from_static("/"), "192.0.2.1".parse().ok());
            let peer = Peer { address, ..Peer::UNKNOWN };
            let request = RequestView::new(&Method::GET, &uri, &headers).with_peer(peer);
            let _ = door.verify(request).wait().unwrap();
            assert_eq!(std::mem::take(&mut *settled.0.lock().unwrap()), [outcome]);
        }
    }

    #[test]
    fn a_look_up_that_fails_is_our_fault() {
        struct Down;
        impl Lookup<KeyId> for Down {
            type Found = JwtKeys;
            fn lookup(&self, _: &KeyId) -> Flow<'_, Option<JwtKeys>> {
                Flow::failed(Error::transport("down", "nobody answers"))
            }
        }
        let door = JwtVerifier::new("r", JwtPolicy::new(), Down, ManualClock::at(NOW)).unwrap();
        let good = format!("Bearer {}", token("one", &key(1)));
        assert_eq!(told(&door, &[(AUTHORIZATION, &good)]), "down");
        assert!(told(&door, &[(AUTHORIZATION, "Bearer a.b.c")]).starts_with("401"));
    }

    /// One key is a look-up's answer too, and the signer may be the subject.
    #[test]
    fn keys_are_found_by_the_signer() {
        let keys: HashMap<KeyId, JwtKeys> = HashMap::from([(id("bot"), key(1).verifying().into())]);
        let policy = JwtPolicy::new().with_signer_claim(SignerClaim::Subject);
        let door = JwtVerifier::new("r", policy, keys, ManualClock::at(NOW)).unwrap();
        let claims =
            ClaimsToSign::expiring_in(Duration::from_secs(300)).unwrap().with_subject("bot");
        let signed = claims.sign(&key(1), Timestamp::from_unix(NOW), None).unwrap();
        assert_eq!(
            told(&door, &[(AUTHORIZATION, &format!("Bearer {}", signed.expose()))]),
            "nobody"
        );
        let other = format!("Bearer {}", token("bot", &key(1)));
        assert!(told(&door, &[(AUTHORIZATION, &other)]).contains("jwt_key_unknown"));
    }

    /// Some platforms name the signer in a claim of their own.
    #[test]
    fn the_signer_may_be_named_by_any_claim_which_is_a_string_then() {
        let keys: HashMap<KeyId, JwtKeys> =
            HashMap::from([(id("app"), crate::forged::key().verifying().into())]);
        let check = |signer, member: &str, expected: &str| {
            let policy = JwtPolicy::new().with_signer_claim(SignerClaim::Named(signer));
            let door = JwtVerifier::new("r", policy, keys.clone(), ManualClock::at(NOW)).unwrap();
            let payload = format!("{{\"exp\":{}{member}}}", NOW + 9);
            let bearer = format!("Bearer {}", crate::forged::token(crate::forged::HS256, payload));
            let said = told(&door, &[(AUTHORIZATION, &bearer)]);
            assert!(said.contains(expected), "{signer} {member}: {said}");
        };
        check("appId", r#","appId":"app""#, "nobody");
        check("appId", r#","\u0061ppId":"\u0061pp","iss":"other""#, "other");
        check("iss", r#","iss":"app""#, "app");
        check("appId", r#","appId":"other""#, "jwt_key_unknown");
        check("appId", r#","iss":"app""#, "jwt_signer_missing");
        check("appId", r#","appid":"app""#, "jwt_signer_missing");
        check("appId", r#","x":{"appId":"app"}"#, "jwt_signer_missing");
        for other in ["null", "7", "[\"app\"]", "{}"] {
            check("appId", &format!(r#","appId":{other}"#), "jwt_signer_type");
        }
    }
}
