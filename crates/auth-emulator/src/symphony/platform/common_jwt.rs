//! What the pod signs: the common JWT, and what a client says of its user.

use super::{Account, Installation, POD_KEY, POD_KEY_ID};
use auth_core::{
    Caller, Challenge, Clock, Flow, Reason, Rejection, Result, Secret, Timestamp, Verifier,
};
use auth_jwt::{
    ClaimsToSign, JwsAlgorithm, JwtKeys, JwtPolicy, JwtPrincipal, JwtVerifier, KeyId, SigningKey,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Signs common JWTs, and verifies them.
pub(in crate::symphony) struct CommonJwts {
    key: SigningKey,
    clock: Arc<dyn Clock>,
    installation: Installation,
    /// Tokens of an earlier generation have ended.
    generation: Arc<AtomicU64>,
}

/// What a token says for this emulator alone.
#[derive(Deserialize, Serialize)]
struct Said {
    service: Box<str>,
    role: Box<str>,
    generation: u64,
}

#[derive(Deserialize)]
struct Claimed {
    emulator: Said,
}

impl CommonJwts {
    /// The lifetime of the vendor's samples.
    pub(in crate::symphony) const LIFETIME: Duration = Duration::from_secs(300);

    pub(in crate::symphony) fn new(
        installation: Installation,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let key = SigningKey::from_pem(JwsAlgorithm::RS256, POD_KEY)?;
        Ok(Self { key, clock, installation, generation: Arc::default() })
    }

    /// A token for this account, with the claims of the vendor's sample.
    pub(in crate::symphony) fn issue(&self, account: &Account) -> Result<Secret> {
        let said = Said {
            service: account.service.as_str().into(),
            role: account.role.scope().into(),
            generation: self.generation.load(Ordering::SeqCst),
        };
        let claims = ClaimsToSign::expiring_in(Self::LIFETIME)?
            .with_issuer(ISSUER)
            .with_subject(&account.id.to_string())
            .with_key_id(POD_KEY_ID)?
            .with_claim("ext_pod_id", &0)?
            .with_claim("policy_id", &"app")?
            .with_claim("entitlements", &"")?
            .with_claim("emulator", &said)?;
        Ok(Secret::new(claims.sign(&self.key, self.clock.now(), None)?.expose()))
    }

    /// Ends every token that was issued.
    pub(in crate::symphony) fn end_all(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn verifier(&self) -> Result<impl Verifier<Principal = Caller> + 'static> {
        let name = KeyId { issuer: Some(ISSUER.into()), kid: Some(POD_KEY_ID.into()) };
        let keys: HashMap<KeyId, JwtKeys> = HashMap::from([(name, self.key.verifying().into())]);
        let policy = JwtPolicy::new().with_issuer(ISSUER).with_leeway(Duration::ZERO);
        let door = JwtVerifier::new("symphony", policy, keys, Arc::clone(&self.clock))?;
        let (generation, tenant) = (Arc::clone(&self.generation), self.installation.tenant.clone());
        let claimed = |principal: JwtPrincipal<()>| principal.claims.read::<Claimed>().ok();
        Ok(door
            .map(claimed)
            .check(move |claimed: &Option<Claimed>, _| {
                let now = generation.load(Ordering::SeqCst);
                let lives = claimed.as_ref().is_some_and(|it| it.emulator.generation == now);
                let challenge = Challenge::without_parameters("Bearer");
                let ended = || Err(Rejection::unauthenticated(ENDED, challenge));
                Flow::ready(if lives { Ok(()) } else { ended() })
            })
            .map(move |claimed| {
                let caller = Caller::new(tenant.clone(), "", "common_jwt");
                match claimed.map(|it| it.emulator) {
                    Some(Said { service, role, .. }) => {
                        caller.with_service(&*service).with_scopes([role].into_iter().collect())
                    }
                    // Never reached: claims that cannot be read have no generation that lives.
                    None => caller,
                }
            }))
    }
}

/// As pods write it, with its full stop.
const ISSUER: &str = "Symphony Communication Services LLC.";

const ENDED: Reason = Reason::new("symphony_jwt_ended", "common JWT was ended before its time");

/// What the client of this user hands an app: signed with RS512 by the key of the pod's certificate, for five minutes.
pub(in crate::symphony) fn user_jwt(app: &str, user: &Account, now: Timestamp) -> Result<Secret> {
    let key = SigningKey::from_pem(JwsAlgorithm::RS512, POD_KEY)?;
    let said = json!({ "id": user.id, "username": &*user.name, "displayName": &*user.name });
    let claims = ClaimsToSign::expiring_in(CommonJwts::LIFETIME)?
        .with_issuer(ISSUER)
        .with_audience(app)
        .with_subject_number(user.id.unsigned_abs())
        .with_claim("user", &said)?;
    Ok(Secret::new(claims.sign(&key, now, None)?.expose()))
}
