//! The door of every API: one of four kinds of credentials.

use super::{InfobipUsers, RegistrySessions, scopes::covers};
use auth_core::{
    AnyOf, AttemptLimit, Caller, Challenge, Error, Flow, Need, Outcome, Presence, Reason,
    Rejection, RequestView, Result, Verifier,
};
use auth_ibsso::IbssoVerifier;
use auth_lifecycle::{Kind, Known, Registry};
use auth_static::{ApiKeyVerifier, BasicVerifier, Placement};
use std::{fmt, sync::Arc};

/// The door of every API: callers that are proved by a session, an API key, a user name and password, or an OAuth token.
///
/// Exactly one of the four may be there. The principal is a [`Caller`]: its tenant is the account, its kind says which of the
/// four it was (`ibsso_session`, `api_key`, `basic_password`, `oauth_token`). A clone is the same door.
///
/// ```
/// # fn of(door: auth_infobip::InfobipDoor) -> impl auth_core::Verifier<Principal = auth_core::Caller> {
/// let messages = door.needing(&["sms:message:send"]);
/// // `VerifyLayer::new(messages)` of auth-tower stands before the handlers of that API.
/// # messages
/// # }
/// ```
///
/// # Security
///
/// Sessions and API keys that are used from another address than theirs are a 401, as unknown ones are. The platform says so
/// of keys, and nothing of sessions.
#[derive(Clone)]
pub struct InfobipDoor(Arc<AnyOf<Caller>>);

impl InfobipDoor {
    pub(super) fn new(
        registry: &Registry,
        users: &InfobipUsers,
        tokens: impl Verifier<Principal = Known> + 'static,
        limit: Option<&AttemptLimit>,
        in_query: Option<&Placement>,
    ) -> Result<Self> {
        let mut sessions = IbssoVerifier::new(RegistrySessions::new(registry.clone()));
        let mut basic = BasicVerifier::new(super::REALM, users.clone())?;
        if let Some(limit) = limit {
            sessions = sessions.with_limit(limit.clone());
            basic = basic.with_limit(limit.clone());
        }
        let keys = |placement: Placement| {
            let (hasher, keys) = (registry.token_hasher(), registry.tokens(&[Kind::ApiKey]));
            let keys = ApiKeyVerifier::new(super::REALM, placement, hasher, keys)?;
            let keys = limit.into_iter().fold(keys, |keys, limit| keys.with_limit(limit.clone()));
            Ok::<_, Error>(BoundToAddress { verifier: registry.admit(keys), scheme: APP })
        };
        let sessions =
            BoundToAddress { verifier: registry.admit(sessions), scheme: auth_ibsso::SCHEME };
        let bearer = registry.admit(tokens).map(by_token);
        let door = AnyOf::new(sessions).or(keys(Placement::scheme(APP)?)?);
        let door = door.or(registry.admit(basic)).or(bearer);
        Ok(Self(Arc::new(match in_query {
            None => door,
            Some(placement) => door.or(keys(placement.clone())?),
        })))
    }

    /// The door of an API that needs one of these scopes: a caller that is proved and has none of them is a 403.
    ///
    /// `product:manage` allows everything of its product, `message:send` and `inbound-message:read` that of every channel. A
    /// key that is for clients alone, by its permissions, allows nothing.
    #[must_use]
    pub fn needing(
        &self,
        scopes: &'static [&'static str],
    ) -> impl Verifier<Principal = Caller> + Clone + use<> {
        let door = self.clone().check(move |caller: &Caller, _| {
            let covered = covers(&caller.scopes, scopes);
            Flow::ready(if covered { Ok(()) } else { Err(Rejection::forbidden(SCOPE)) })
        });
        Arc::new(door)
    }
}

const APP: &str = "App";

const SCOPE: Reason =
    Reason::new("infobip_scope_missing", "caller has none of the scopes of this endpoint");

/// The registry knows the password that the token stands for.
fn by_token(mut caller: Caller) -> Caller {
    caller.kind = "oauth_token";
    caller
}

impl Verifier for InfobipDoor {
    type Principal = Caller;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        self.0.presence(head)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.0.needs(head)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<Caller>> {
        self.0.verify(request)
    }
}

impl fmt::Debug for InfobipDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InfobipDoor(..)")
    }
}

/// Credentials that are used from another address than theirs are a 401.
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
