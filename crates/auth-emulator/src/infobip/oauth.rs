//! OAuth tokens: JWTs that are signed here and verified at the door.

use super::platform;
use auth_core::{
    Caller, Clock, Flow, Random, Reason, Rejection, Result, Scopes, Secret, TenantId, Verifier,
};
use auth_jwt::{
    ClaimsToSign, JwsAlgorithm, JwtKeys, JwtPolicy, JwtPrincipal, JwtVerifier, KeyId, SigningKey,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Signs tokens, and knows those that it has signed.
pub(super) struct Tokens {
    key: SigningKey,
    clock: Arc<dyn Clock>,
    /// Tokens of an earlier generation have ended.
    generation: Arc<AtomicU64>,
}

/// What a token says of its user, beside what the vendor's sample has.
#[derive(Deserialize, Serialize)]
struct Said {
    account: Box<str>,
    service: Box<str>,
    scopes: Vec<Box<str>>,
    generation: u64,
}

#[derive(Deserialize)]
struct Claimed {
    jti: Box<str>,
    emulator: Said,
}

const ISSUER: &str = "infobip.com";
const KEY_ID: &str = "emulator";

/// The lifetime of the vendor's sample.
pub(super) const LIFETIME: Duration = Duration::from_secs(3600);

impl Tokens {
    pub(super) fn new(clock: Arc<dyn Clock>, random: &dyn Random) -> Result<Self> {
        let mut secret = [0; 32];
        random.fill(&mut secret)?;
        let key = SigningKey::from_secret(JwsAlgorithm::HS256, &secret)?;
        Ok(Self { key, clock, generation: Arc::default() })
    }

    /// A token of this user, good for an hour.
    pub(super) fn issue(&self, user: &str, caller: &Caller, random: &dyn Random) -> Result<Secret> {
        let mut id = [0; 16];
        random.fill(&mut id)?;
        let said = Said {
            account: caller.tenant.as_str().into(),
            service: caller.service.as_deref().unwrap_or_default().into(),
            scopes: caller.scopes.iter().map(Into::into).collect(),
            generation: self.generation.load(Ordering::SeqCst),
        };
        let claims = ClaimsToSign::expiring_in(LIFETIME)?
            .with_issuer(ISSUER)
            .with_subject(user)
            .with_key_id(KEY_ID)?
            .with_claim("emulator", &said)?;
        let signed = claims.sign(&self.key, self.clock.now(), Some(&platform::uuid(id)))?;
        Ok(Secret::new(signed.expose()))
    }

    /// Ends every token that was issued.
    pub(super) fn end_all(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Verifies tokens, and says whose they are.
    pub(super) fn verifier(&self) -> Result<impl Verifier<Principal = Caller> + 'static> {
        let name = KeyId { issuer: Some(ISSUER.into()), kid: Some(KEY_ID.into()) };
        let keys: HashMap<KeyId, JwtKeys> = HashMap::from([(name, self.key.verifying().into())]);
        let policy = JwtPolicy::new().with_issuer(ISSUER).with_leeway(Duration::ZERO);
        let generation = Arc::clone(&self.generation);
        let door = JwtVerifier::new("infobip", policy, keys, Arc::clone(&self.clock))?;
        Ok(door
            .map(claimed)
            .check(move |claimed: &Option<Claimed>, _| {
                let now = generation.load(Ordering::SeqCst);
                let lives = claimed.as_ref().is_some_and(|it| it.emulator.generation == now);
                Flow::ready(if lives { Ok(()) } else { Err(ended()) })
            })
            .map(|claimed| claimed.map_or_else(nobody, caller)))
    }
}

fn claimed(principal: JwtPrincipal<()>) -> Option<Claimed> {
    principal.claims.read().ok()
}

fn caller(claimed: Claimed) -> Caller {
    let Claimed { jti, emulator: Said { account, service, scopes, .. } } = claimed;
    Caller::new(TenantId::new(&*account), &*jti, "oauth_token")
        .with_service(&*service)
        .with_scopes(scopes.into_iter().collect::<Scopes>())
}

/// Never reached: claims that cannot be read have no generation that lives.
fn nobody() -> Caller {
    Caller::new(TenantId::new(""), "", "oauth_token")
}

fn ended() -> Rejection {
    let challenge = auth_core::Challenge::without_parameters("Bearer");
    Rejection::unauthenticated(ENDED, challenge)
}

const ENDED: Reason = Reason::new("infobip_token_ended", "OAuth token was ended before its time");
