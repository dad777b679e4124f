//! What a receiver is told of the authorization that its senders use.

use auth_core::{
    Accepted, Candidates, Error, Flow, KeyDigest, KeyHasher, Lookup, MemoryReplayStore, Need,
    Outcome, Presence, RequestView, Result, SystemClock, SystemRandom, Verifier,
};
use auth_digest::{DigestAlgorithm, DigestQuery, DigestUserRecord, DigestVerifier, Nonces};
use auth_jwt::{JwtKeys, JwtPolicy, JwtVerifier, KeyId};
use auth_sigv4::{AccessKeyRecord, AwsService, ScopedKeyId, SigV4Policy, SigV4Verifier};
use auth_static::{ApiKeyVerifier, BasicVerifier, Passwords, Placement};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// How the senders of webhooks prove who they are, as their receiver is told it: the counterpart of an
/// [`OutboundAuthorization`](crate::OutboundAuthorization). The secrets are in the [`InboundLookUps`].
///
/// ```
/// use auth_webhook::{InboundAuthorization, InboundLookUps};
/// use auth_static::BasicAccounts;
/// # use auth_core::{KeyHasher, SystemRandom};
/// let inbound: InboundAuthorization = serde_json::from_str(r#"{ "type": "basic", "realm": "hooks" }"#).unwrap();
/// let hasher = KeyHasher::random(&SystemRandom::new())?;
/// let accounts = BasicAccounts::new(&hasher, [("acme", "s3cret", "acme")]);
/// let verifier = inbound.verifier(InboundLookUps::new().with_passwords(accounts))?;
/// # let _ = verifier;
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum InboundAuthorization {
    /// Nothing is proved: everybody is the sender that the look-ups name. A signature over the body makes up for it.
    None {},
    /// Basic.
    Basic {
        /// The realm of the challenge.
        realm: String,
    },
    /// Digest.
    Digest {
        /// The realm that passwords are hashed with.
        realm: String,
        /// The algorithms that are offered, as RFC 7616 names them; SHA-256 alone unless some are named. The look-up has a
        /// secret for each. Under a `-sess` form it may be that of one session, which an authority gives. MD5 is taken only
        /// over TLS and within this machine.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        algorithms: Vec<String>,
    },
    /// AWS Signature Version 4.
    AwsSignature {
        /// The region.
        region: String,
        /// The service, such as `execute-api`.
        service_name: String,
    },
    /// A key in a header field.
    ApiKey {
        /// The name of the field.
        key: String,
    },
    /// A JWT as Bearer, of an issuer whose keys are known.
    Oauth2 {
        /// `iss`.
        issuer: String,
        /// `aud`.
        audience: String,
    },
}

type DigestUsers<P> = dyn for<'q> Lookup<DigestQuery<'q>, Found = Candidates<DigestUserRecord, P>>;
type AwsKeys<P> = dyn for<'k> Lookup<ScopedKeyId<'k>, Found = Candidates<AccessKeyRecord, P>>;
type ApiKeys<P> = dyn Lookup<KeyDigest, Found = Candidates<(), P>>;
type IssuerKeys<P> = dyn Lookup<KeyId, Found = JwtKeys<P>>;

/// What a receiver knows of its senders, for each type of authorization; `P` says who a sender is.
#[must_use]
pub struct InboundLookUps<P> {
    everybody: Option<P>,
    passwords: Option<Arc<dyn Passwords<Principal = P>>>,
    digest_users: Option<Arc<DigestUsers<P>>>,
    access_keys: Option<Arc<AwsKeys<P>>>,
    api_keys: Option<(KeyHasher, Arc<ApiKeys<P>>)>,
    issuer_keys: Option<Arc<IssuerKeys<P>>>,
}

impl<P> InboundLookUps<P> {
    /// Nobody.
    pub const fn new() -> Self {
        Self {
            everybody: None,
            passwords: None,
            digest_users: None,
            access_keys: None,
            api_keys: None,
            issuer_keys: None,
        }
    }

    /// Under `none`, everybody is this sender.
    pub fn with_everybody(self, sender: P) -> Self {
        Self { everybody: Some(sender), ..self }
    }

    /// The user names and passwords of `basic`.
    pub fn with_passwords(self, passwords: impl Passwords<Principal = P> + 'static) -> Self {
        Self { passwords: Some(Arc::new(passwords)), ..self }
    }

    /// The users of `digest`.
    pub fn with_digest_users(
        self,
        users: impl for<'q> Lookup<DigestQuery<'q>, Found = Candidates<DigestUserRecord, P>> + 'static,
    ) -> Self {
        Self { digest_users: Some(Arc::new(users)), ..self }
    }

    /// The access keys of `aws_signature`.
    pub fn with_access_keys(
        self,
        keys: impl for<'k> Lookup<ScopedKeyId<'k>, Found = Candidates<AccessKeyRecord, P>> + 'static,
    ) -> Self {
        Self { access_keys: Some(Arc::new(keys)), ..self }
    }

    /// The keys of `api_key`, by the digest that this hasher makes.
    pub fn with_api_keys(
        self,
        hasher: KeyHasher,
        keys: impl Lookup<KeyDigest, Found = Candidates<(), P>> + 'static,
    ) -> Self {
        Self { api_keys: Some((hasher, Arc::new(keys))), ..self }
    }

    /// The keys that the issuer of `oauth2` signs with.
    pub fn with_issuer_keys(self, keys: impl Lookup<KeyId, Found = JwtKeys<P>> + 'static) -> Self {
        Self { issuer_keys: Some(Arc::new(keys)), ..self }
    }
}

/// What verifies the authorization of a webhook.
pub struct InboundVerifier<P> {
    verifier: Box<dyn Verifier<Principal = P>>,
    asks: Asks,
}

/// Does it ask for credentials?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Credentials,
    Nothing,
}

impl InboundAuthorization {
    /// The verifier of this type over what is known of senders.
    ///
    /// Nonces of `digest` are of this process, and their counts are kept in its memory: for a receiver of several nodes
    /// make a [`DigestVerifier`] with a key and a store that they share.
    ///
    /// # Errors
    ///
    /// `Error::Config` with `webhook_look_up` when the look-ups have nothing for this type; else those of the scheme.
    pub fn verifier<P>(&self, known: InboundLookUps<P>) -> Result<InboundVerifier<P>>
    where
        P: Clone + Send + Sync + 'static,
    {
        let verifier: Box<dyn Verifier<Principal = P>> = match self {
            Self::None {} => {
                let sender = needed("none", "with_everybody", known.everybody)?;
                Box::new(Everybody(sender))
            }
            Self::Basic { realm } => Box::new(BasicVerifier::new(
                realm,
                needed("basic", "with_passwords", known.passwords)?,
            )?),
            Self::Digest { realm, algorithms } => {
                let users = needed("digest", "with_digest_users", known.digest_users)?;
                let nonces = Nonces::of_this_process(SystemRandom::new(), SystemClock)?;
                let replay = MemoryReplayStore::new(SystemClock);
                let verifier = DigestVerifier::new(realm, users, nonces, replay)?;
                let verifier = verifier.with_algorithms(&named(algorithms)?)?;
                Box::new(verifier.map(|proven| proven.caller))
            }
            Self::AwsSignature { region, service_name } => {
                let keys = needed("aws_signature", "with_access_keys", known.access_keys)?;
                let policy = SigV4Policy::new(AwsService::named(service_name), region)?;
                Box::new(SigV4Verifier::new(policy, keys, SystemClock))
            }
            Self::ApiKey { key } => {
                let (hasher, keys) = needed("api_key", "with_api_keys", known.api_keys)?;
                Box::new(ApiKeyVerifier::new("webhooks", Placement::header(key)?, hasher, keys)?)
            }
            Self::Oauth2 { issuer, audience } => {
                let keys = needed("oauth2", "with_issuer_keys", known.issuer_keys)?;
                let policy =
                    JwtPolicy::new().with_issuer(issuer.as_str()).with_audience(audience.as_str());
                let verifier = JwtVerifier::new("webhooks", policy, keys, SystemClock)?;
                Box::new(verifier.map(|proven| proven.caller))
            }
        };
        let asks = if matches!(self, Self::None {}) { Asks::Nothing } else { Asks::Credentials };
        Ok(InboundVerifier { verifier, asks })
    }
}

/// The algorithms of these names.
fn named(algorithms: &[String]) -> Result<Vec<DigestAlgorithm>> {
    if algorithms.is_empty() {
        return Ok(vec![DigestAlgorithm::Sha256]);
    }
    let known = |name: &String| {
        DigestAlgorithm::named(name.as_bytes()).ok_or_else(|| {
            let expected = "MD5, SHA-256 or SHA-512-256, or one of them with -sess";
            let text = format!("algorithms has {name:?}, expected {expected}");
            Error::config("webhook_digest_algorithm", text)
        })
    };
    algorithms.iter().map(known).collect()
}

fn needed<T>(kind: &str, method: &str, known: Option<T>) -> Result<T> {
    known.ok_or_else(|| {
        let text = format!("look-ups know no senders for the type {kind}; give them with {method}");
        Error::config("webhook_look_up", text)
    })
}

/// Accepts every request, and so is present in every one: its body is asked for.
struct Everybody<P>(P);

impl<P: Clone + Send + Sync> Verifier for Everybody<P> {
    type Principal = P;

    fn presence(&self, _: RequestView<'_>) -> Presence {
        Presence::Present
    }

    fn verify<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Outcome<P>> {
        Flow::ready(Ok(Accepted::new("none", self.0.clone())))
    }
}

impl<P: Send> Verifier for InboundVerifier<P> {
    type Principal = P;

    /// Every request has all that `none` asks for: the receiver reads its body.
    fn presence(&self, head: RequestView<'_>) -> Presence {
        match self.asks {
            Asks::Nothing => Presence::Present,
            Asks::Credentials => self.verifier.presence(head),
        }
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.verifier.needs(head)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<P>> {
        self.verifier.verify(request)
    }
}

impl<P> Default for InboundLookUps<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> fmt::Debug for InboundLookUps<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InboundLookUps(..)")
    }
}

impl<P> fmt::Debug for InboundVerifier<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InboundVerifier(..)")
    }
}
