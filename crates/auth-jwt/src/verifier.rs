//! Who is calling, by the token of the request.

mod decoy;

use crate::{Candidates, Claims, KeyId, Policy, Refused, Signed, Unverified, reason};
use auth_core::{
    Accepted, BearerRealm, Cause, Clock, Error, Flow, Lookup, Outcome, Presence, Rejection, Replay,
    ReplayStore, RequestView, Result, one_field,
};
use decoy::Decoys;
use http::HeaderName;
use std::{fmt, sync::Arc};

/// Verifies the token of a request: its signature by the keys that a look-up knows, its claims by a [`Policy`].
///
/// The principal is the [`Claims`]; [`map`](auth_core::Verifier::map) makes it yours. The look-up is a map, a
/// [`Jwks`](crate::Jwks), or a database: it finds the [`Candidates`] of a [`KeyId`].
///
/// # Security
///
/// The token is only trusted for the name under which keys are looked up. Each key is for one algorithm, and a token
/// whose header names another is refused. All keys that were found are tried, whichever matches; under a shared secret
/// at least two are, so that an unknown issuer, one with a single secret and one in the middle of a rotation cost the
/// same. What is refused looks the same outside, and has its reason inside. The replay store is asked last.
pub struct Verifier<L> {
    realm: BearerRealm,
    policy: Policy,
    keys: L,
    clock: Arc<dyn Clock>,
    replay: Option<Arc<dyn ReplayStore>>,
    field: Option<HeaderName>,
    decoys: Decoys,
}

impl<L> Verifier<L>
where
    L: Lookup<KeyId>,
    L::Found: Into<Candidates>,
{
    /// A verifier of tokens in the `Authorization` field.
    ///
    /// # Errors
    ///
    /// `Error::Config` when no field can hold the realm.
    pub fn new(realm: &str, policy: Policy, keys: L, clock: impl Clock + 'static) -> Result<Self> {
        Ok(Self {
            realm: BearerRealm::new(realm)?,
            policy,
            keys,
            clock: Arc::new(clock),
            replay: None,
            field: None,
            decoys: Decoys::new()?,
        })
    }

    /// Takes every token once: its `jti` is remembered until it is dead (RFC 7519 section 4.1.7). A token without one
    /// is then refused.
    #[must_use]
    pub fn once(self, replay: impl ReplayStore + 'static) -> Self {
        Self { replay: Some(Arc::new(replay)), ..self }
    }

    /// Also reads a token from a field of its own when there is none in `Authorization`, bare, without a scheme.
    ///
    /// What is there and is no token is left to whoever it is for: an API key may use the same field.
    #[must_use]
    pub fn or_in(self, field: HeaderName) -> Self {
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

    /// Proves the signature with one of the keys, among decoys that prove nothing.
    fn prove(&self, token: Unverified<'_>, found: Option<Candidates>) -> Result<Signed, Refused> {
        let algorithm = token.header().algorithm();
        let keys = found.as_ref().map(Candidates::keys).unwrap_or_default();
        let fitting = keys.iter().filter(|key| key.algorithm() == algorithm).count();
        let otherwise = match &found {
            None => reason::KEY_UNKNOWN,
            Some(_) if keys.is_empty() => reason::KEY_NONE,
            Some(_) if fitting == 0 => reason::ALG_OTHER,
            Some(_) => reason::SIGNATURE,
        };
        let decoys = self.decoys.beside(algorithm, fitting);
        match token.verify_any(keys.iter().chain(decoys)) {
            Ok((key, signed)) if key < keys.len() => Ok(signed),
            Err(malformed) if ![reason::ALG_OTHER, reason::SIGNATURE].contains(&malformed) => {
                Err(malformed)
            }
            Ok(_) | Err(_) => Err(otherwise),
        }
    }

    fn accept(&self, claims: Claims) -> Flow<'_, Outcome<Claims>> {
        let Some(replay) = &self.replay else {
            return Flow::ready(Ok(Accepted::new(BearerRealm::SCHEME, claims)));
        };
        let Some(id) = claims.id() else {
            return Flow::ready(Err(self.realm.invalid(reason::JTI_MISSING.into())));
        };
        let scope = claims.issuer().unwrap_or_default();
        replay.check_and_set(scope, id.as_bytes(), claims.dies()).then(|told| {
            Flow::from(match told {
                Ok(Replay::Fresh) => Ok(Ok(Accepted::new(BearerRealm::SCHEME, claims))),
                Ok(Replay::Seen) => Ok(Err(self.realm.invalid(reason::REPLAYED.into()))),
                Ok(Replay::Full | Replay::Unavailable) => Err(Error::Unavailable {
                    retry_after: None,
                    cause: Cause::new("jwt_replay_store", "replay store could not tell"),
                }),
                Err(error) => Err(error),
            })
        })
    }
}

impl<L> auth_core::Verifier for Verifier<L>
where
    L: Lookup<KeyId>,
    L::Found: Into<Candidates>,
{
    type Principal = Claims;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        // Two of one field are there, and are refused when they are read.
        match self.bare(head) {
            Ok(None) => BearerRealm::presence(head),
            Ok(Some(_)) | Err(_) => Presence::Present,
        }
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<Claims>> {
        let token = match self.token(request) {
            Ok(token) => token,
            Err(rejection) => return Flow::ready(Err(rejection)),
        };
        let read = Unverified::parse(token)
            .and_then(|token| Ok((token.key_id_by(self.policy.signer())?, token)));
        let (id, token) = match read {
            Ok(read) => read,
            Err(refused) => return Flow::ready(Err(self.realm.invalid(refused.into()))),
        };
        self.keys.lookup(&id).and_then(move |found| {
            let now = self.clock.now();
            let judged = self
                .prove(token, found.map(Into::into))
                .and_then(|signed| signed.claims(&self.policy, now));
            match judged {
                Ok(claims) => self.accept(claims),
                Err(refused) => Flow::ready(Err(self.realm.invalid(refused.into()))),
            }
        })
    }
}

impl<L> fmt::Debug for Verifier<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({:?})", self.realm)
    }
}

/// Three parts with dots between them: no API key of any platform has them.
fn looks_like_a_token(value: &[u8]) -> bool {
    value.iter().filter(|byte| **byte == b'.').count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Algorithm, ClaimsToSign, Mint, SigningKey, VerifyingKey};
    use auth_core::{MemoryReplayStore, Timestamp, Verifier as _};
    use auth_testing::{ManualClock, SeededRandom};
    use http::{HeaderMap, HeaderValue, Method, Uri, header::AUTHORIZATION};
    use std::{collections::HashMap, time::Duration};

    const KEY: HeaderName = HeaderName::from_static("key");
    const NOW: u64 = 1_700_000_000;

    fn key(byte: u8) -> SigningKey {
        SigningKey::from_secret(Algorithm::HS256, &[byte; 32]).unwrap()
    }

    fn claims(issuer: &str) -> ClaimsToSign {
        ClaimsToSign::expiring_in(Duration::from_secs(300)).unwrap().issuer(issuer)
    }

    fn token(issuer: &str, key: &SigningKey) -> String {
        let minted = claims(issuer).mint(key, Timestamp::from_unix(NOW), Some("once")).unwrap();
        minted.expose().to_owned()
    }

    fn id(issuer: &str) -> KeyId {
        KeyId { issuer: Some(issuer.into()), kid: None }
    }

    /// `one` has a single secret, `two` is rotating, `none` was known.
    fn door() -> Verifier<HashMap<KeyId, Candidates>> {
        let keys = HashMap::from([
            (id("one"), key(1).verifying().into()),
            (id("two"), [2, 3].into_iter().map(|byte| key(byte).verifying()).collect()),
            (id("none"), std::iter::empty().collect()),
        ]);
        let clock = ManualClock::at(NOW);
        Verifier::new("r", Policy::new().leeway(Duration::ZERO), keys, clock).unwrap()
    }

    fn fields(fields: &[(HeaderName, &str)]) -> HeaderMap {
        let value = |(name, value): &(HeaderName, &str)| {
            (name.clone(), HeaderValue::from_str(value).unwrap())
        };
        let mut headers = HeaderMap::new();
        headers.extend(fields.iter().map(value));
        headers
    }

    fn told<L>(door: &Verifier<L>, sent: &[(HeaderName, &str)]) -> String
    where
        L: Lookup<KeyId>,
        L::Found: Into<Candidates>,
    {
        let (uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
        for (name, value) in sent {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let outcome = door.verify(RequestView::new(&Method::GET, &uri, &headers)).wait();
        match outcome {
            Err(error) => error.code().to_owned(),
            Ok(Ok(accepted)) => accepted.principal.issuer().unwrap_or("nobody").to_owned(),
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
        let other = SigningKey::from_secret(Algorithm::HS512, &[1; 64]).unwrap();
        check(&token("one", &other), "jwt_alg_other");
        check("opaque", "jwt_parts");
        check("a.b.c", "jwt_header_base64url");
        let old = Timestamp::from_unix(NOW - 300);
        let dead = claims("one").mint(&key(1), old, None).unwrap();
        check(dead.expose(), "jwt_exp_past");
        check(
            claims("one").mint(&key(1), old.after(Duration::from_secs(1)), None).unwrap().expose(),
            "one",
        );
    }

    /// Whoever tries the decoy's secret is as unknown as before.
    #[test]
    fn a_decoy_accepts_nobody() {
        let decoy = SigningKey::from_secret(Algorithm::HS256, &[0; 64]).unwrap();
        check(&token("mallory", &decoy), "jwt_key_unknown");
        check(&token("one", &decoy), "jwt_signature");
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
        let (good, door) = (token("one", &key(1)), door().or_in(KEY));
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
        let door = door().once(MemoryReplayStore::new(10_000, clock));
        let mint = Mint::new(key(1), claims("one"), Timestamp::from_unix(NOW))
            .with_ids(SeededRandom::new(7));
        let [first, second] = [(); 2].map(|()| format!("Bearer {}", mint.mint().unwrap().expose()));
        assert_eq!(told(&door, &[(AUTHORIZATION, &first)]), "one");
        assert_eq!(told(&door, &[(AUTHORIZATION, &second)]), "one");
        let refused = |code| format!("401 {code} Bearer realm=\"r\", error=\"invalid_token\"");
        assert_eq!(told(&door, &[(AUTHORIZATION, &first)]), refused("jwt_replayed"));
        let without = claims("one").mint(&key(1), Timestamp::from_unix(NOW), None).unwrap();
        let without = format!("Bearer {}", without.expose());
        assert_eq!(told(&door, &[(AUTHORIZATION, &without)]), refused("jwt_jti_missing"));
    }

    /// A store that cannot tell is our fault, and nobody passes.
    #[test]
    fn a_full_replay_store_refuses_with_an_error_of_ours() {
        let door = door().once(MemoryReplayStore::new(0, ManualClock::at(NOW)));
        let good = format!("Bearer {}", token("one", &key(1)));
        assert_eq!(told(&door, &[(AUTHORIZATION, &good)]), "jwt_replay_store");
        let forged = format!("Bearer {}", token("one", &key(9)));
        assert!(
            told(&door, &[(AUTHORIZATION, &forged)]).starts_with("401"),
            "it was asked too early"
        );
    }

    #[test]
    fn a_look_up_that_fails_is_our_fault() {
        struct Down;
        impl Lookup<KeyId> for Down {
            type Found = Candidates;
            fn lookup(&self, _: &KeyId) -> Flow<'_, Option<Candidates>> {
                Flow::failed(Error::transport("down", "nobody answers"))
            }
        }
        let door = Verifier::new("r", Policy::new(), Down, ManualClock::at(NOW)).unwrap();
        let good = format!("Bearer {}", token("one", &key(1)));
        assert_eq!(told(&door, &[(AUTHORIZATION, &good)]), "down");
        assert!(told(&door, &[(AUTHORIZATION, "Bearer a.b.c")]).starts_with("401"));
    }

    /// One key is a look-up's answer too, and the subject may be who signed.
    #[test]
    fn keys_are_found_by_who_signed() {
        let keys: HashMap<KeyId, VerifyingKey> = HashMap::from([(id("bot"), key(1).verifying())]);
        let policy = Policy::new().signed_by(crate::Signer::Subject);
        let door = Verifier::new("r", policy, keys, ManualClock::at(NOW)).unwrap();
        let claims = ClaimsToSign::expiring_in(Duration::from_secs(300)).unwrap().subject("bot");
        let minted = claims.mint(&key(1), Timestamp::from_unix(NOW), None).unwrap();
        assert_eq!(
            told(&door, &[(AUTHORIZATION, &format!("Bearer {}", minted.expose()))]),
            "nobody"
        );
        let other = format!("Bearer {}", token("bot", &key(1)));
        assert!(told(&door, &[(AUTHORIZATION, &other)]).contains("jwt_key_unknown"));
    }
}
