//! The pod admits a caller with one token, the agent a caller with two.

use super::{CommonJwts, Installation, Role};
use auth_core::{
    AnyOf, Caller, Challenge, Flow, Need, Outcome, Presence, Reason, Rejection, RequestView,
    Result, Verifier,
};
use auth_lifecycle::Kind;
use auth_static::{ApiKeyVerifier, Placement};
use std::sync::Arc;

pub(in crate::symphony) type Door = Arc<dyn Verifier<Principal = Caller>>;

/// The doors of an installation.
pub(in crate::symphony) struct Doors {
    /// For calls of the pod: the session of a bot or of a user, or a common JWT.
    pub(in crate::symphony) pod: Door,
    /// For calls of an agent: the same, and beside the session of a bot its key manager token.
    pub(in crate::symphony) agent: Door,
    /// For log-ins on behalf of users: any session, since nobody installs what is no app.
    pub(in crate::symphony) app: Door,
}

impl Doors {
    pub(in crate::symphony) fn new(
        installation: &Installation,
        common: &CommonJwts,
    ) -> Result<Self> {
        let token = |name, kind| {
            let registry = &installation.registry;
            let (hasher, tokens) = (registry.token_hasher(), registry.tokens(&[kind]));
            let verifier =
                ApiKeyVerifier::new("symphony", Placement::header(name)?, hasher, tokens)?;
            Ok::<_, auth_core::Error>(registry.admit(verifier))
        };
        let session = || token("sessionToken", Kind::SymphonySession);
        let first = AnyOf::new(session()?).or(common.verifier()?);
        let pod: Door = Arc::new(first.check(|caller: &Caller, _| {
            let is_app = Role::of(caller) == Some(Role::App);
            Flow::ready(if is_app { Err(Rejection::forbidden(OF_APP)) } else { Ok(()) })
        }));
        let keys = token("keyManagerToken", Kind::KeyManagerToken)?;
        let agent = Arc::new(AgentDoor { first: Arc::clone(&pod), keys });
        let app = Arc::new(session()?);
        Ok(Self { pod, agent, app })
    }
}

/// Two tokens of one bot, or one of a user.
struct AgentDoor<K> {
    first: Door,
    keys: K,
}

impl<K: Verifier<Principal = Caller>> Verifier for AgentDoor<K> {
    type Principal = Caller;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        self.first.presence(head)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.first.needs(head)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<Caller>> {
        self.first.verify(request).and_then(move |outcome| {
            let first = match outcome {
                Ok(first) if Role::of(&first.principal) != Some(Role::User) => first,
                other => return Flow::ready(other),
            };
            self.keys.verify(request).map(move |outcome| {
                let keys = outcome?;
                let is_same = keys.principal.service == first.principal.service;
                if is_same { Ok(first) } else { Err(refused(OTHER_BOT)) }
            })
        })
    }
}

fn refused(reason: Reason) -> Rejection {
    Rejection::unauthenticated(reason, Challenge::without_parameters("ApiKey"))
}

const OF_APP: Reason =
    Reason::new("symphony_app_session", "session is that of an app, which only logs users in");
const OTHER_BOT: Reason =
    Reason::new("symphony_other_bot", "session and key manager token are of two bots");
