//! The door of every API: one of four kinds of credentials.

use super::RegistrySessions;
use auth_core::{
    AnyOf, Caller, Challenge, Flow, Need, Outcome, Presence, Rejection, RequestView, Result,
    Verifier,
};
use auth_ibsso::IbssoVerifier;
use auth_lifecycle::{Kind, Known, Registry};
use auth_static::{ApiKeyVerifier, BasicVerifier, Passwords, Placement};

const REALM: &str = "infobip";

/// Whoever is proved by a session, an API key, a user name and password, or an OAuth token.
pub(in crate::infobip) fn door(
    registry: &Registry,
    passwords: impl Passwords<Principal = Known> + 'static,
    bearer: impl Verifier<Principal = Caller> + 'static,
) -> Result<AnyOf<Caller>> {
    let sessions = IbssoVerifier::new(RegistrySessions::new(registry.clone()));
    let keys = registry.tokens(&[Kind::ApiKey]);
    let keys =
        ApiKeyVerifier::new(REALM, Placement::scheme("App")?, registry.token_hasher(), keys)?;
    let basic = BasicVerifier::new(REALM, passwords)?;
    Ok(AnyOf::new(BoundToAddress {
        verifier: registry.admit(sessions),
        scheme: auth_ibsso::SCHEME,
    })
    .or(BoundToAddress { verifier: registry.admit(keys), scheme: "App" })
    .or(registry.admit(basic))
    .or(bearer))
}

/// Credentials that are used from another address than theirs are a 401.
///
/// The vendor says of keys that authentication fails then, and nothing of sessions; here they are alike.
struct BoundToAddress<V> {
    verifier: V,
    scheme: &'static str,
}

impl<V: Verifier<Principal = Caller>> Verifier for BoundToAddress<V> {
    type Principal = Caller;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        self.verifier.presence(head)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.verifier.needs(head)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<Caller>> {
        self.verifier.verify(request).map(|outcome| {
            outcome.map_err(|rejection| {
                let reason = rejection.reason();
                let is_address = reason.code == "lifecycle_address";
                let challenge = Challenge::without_parameters(self.scheme);
                if is_address { Rejection::unauthenticated(reason, challenge) } else { rejection }
            })
        })
    }
}
