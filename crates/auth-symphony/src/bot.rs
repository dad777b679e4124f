//! A bot: its two tokens, for all who send.

mod agent;
mod first;
mod key_delivery;
mod pod;
mod probe;

pub use agent::Agent;
pub use pod::Pod;

use crate::{
    App, KeyManagerToken, OnBehalfOf, SessionToken, SymphonyEndpoints, SymphonyLogIn, SymphonyUser,
    common_jwt::ByBot, exchange, log_in::LogIn,
};
use auth_core::{Context, Credentials, Error, Flow, OriginBound, Result};
use auth_session::{CurrentToken, Session};
use first::First;
use key_delivery::KeyDelivery;
use probe::{Pair, Probes};
use std::{
    fmt,
    sync::{Arc, Mutex},
};

/// A bot, logged in when its first request is made.
///
/// - [`pod`](Self::pod) and [`agent`](Self::agent) authenticate its requests: which headers go follows from which of the two
///   is used. Each sends tokens to its own component alone.
/// - Both tokens are kept until they are refused, which may take two weeks: no timer renews them. They are renewed apart, by
///   one exchange for all who wait.
/// - A pod's 401 says that the session token is dead. An agent's does not say which of the two is: the pod is asked once for
///   all callers, and the dead one is renewed.
/// - A 403 says that a permission is missing, and never causes a log-in.
///
/// A clone is the same bot.
#[derive(Clone)]
pub struct Bot(Arc<Inner>);

struct Inner {
    endpoints: SymphonyEndpoints,
    session: Session<LogIn<SessionToken>>,
    /// What pod and agent both get.
    first: First,
    keys: Session<LogIn<KeyManagerToken>>,
    delivery: KeyDelivery,
    probes: Probes,
    /// What agents get, with the generations of both tokens.
    kept: Mutex<Option<(Pair, Credentials)>>,
    app: Option<App>,
}

impl Bot {
    /// A bot at these endpoints. Nothing is sent before the first request.
    pub fn new(endpoints: SymphonyEndpoints, log_in: SymphonyLogIn, context: Context) -> Self {
        let session = log_in.source(
            (&endpoints.pod, exchange::BOT_SESSION),
            (&endpoints.session_auth, exchange::CERTIFICATE_BOT_SESSION),
            &context,
        );
        let keys = log_in.source(
            (&endpoints.key_manager, exchange::BOT_KEY_MANAGER),
            (&endpoints.certificate_key_manager, exchange::CERTIFICATE_KEY_MANAGER),
            &context,
        );
        let keys = Session::new(keys, context.clone()).with_name("symphony key manager");
        let session = Session::new(session, context).with_name("symphony session");
        let (first, delivery) = (First::Session(session.clone()), KeyDelivery::KeyManager);
        let (probes, kept, app) = (Probes::default(), Mutex::default(), None);
        Self(Arc::new(Inner { endpoints, session, first, keys, delivery, probes, kept, app }))
    }

    /// With an extension app, for calls [on behalf of](Self::on_behalf_of) users.
    #[must_use]
    pub fn with_app(self, app: App) -> Self {
        Self(Arc::new(Inner { app: Some(app), ..self.parts() }))
    }

    /// With the common JWT in place of the session token: `Authorization: Bearer` for pod, agent and datafeed alike. It lives
    /// for some minutes, and is renewed ahead of its end for the session token.
    ///
    /// Calls on behalf of users are not possible then.
    #[must_use]
    pub fn with_common_jwt(self) -> Self {
        let Inner { endpoints, session, .. } = &*self.0;
        let source = ByBot::new(session.clone(), endpoints.pod.clone());
        let first = Session::new(source, session.context().clone());
        let first = First::Jwt(first.with_name("symphony common jwt"));
        Self(Arc::new(Inner { first, ..self.parts() }))
    }

    /// With simplified key delivery: agents get no key manager token where they can do without, and then none is obtained.
    ///
    /// They can if the session token says so (its claim `canUseSimplifiedKeyDelivery`) and the agent, if one was
    /// [named](SymphonyEndpoints::with_agent), is newer than 24.12. An agent that does not tell its version gets both tokens.
    #[must_use]
    pub fn with_simplified_key_delivery(self) -> Self {
        let delivery = KeyDelivery::Simplified(Arc::default());
        Self(Arc::new(Inner { delivery, ..self.parts() }))
    }

    fn parts(&self) -> Inner {
        let Inner { endpoints, session, first, keys, delivery, app, .. } = &*self.0;
        let delivery = delivery.clone();
        let (endpoints, session, first) = (endpoints.clone(), session.clone(), first.clone());
        let (keys, app) = (keys.clone(), app.clone());
        let (probes, kept) = (Probes::default(), Mutex::default());
        Inner { endpoints, session, first, keys, delivery, probes, kept, app }
    }

    /// For requests to the pod: the header field `sessionToken`, or the common JWT.
    #[must_use]
    pub fn pod(&self) -> OriginBound<Pod> {
        let (first, pod) = (self.0.first.clone(), &self.0.endpoints.pod);
        OriginBound::new([pod.origin.clone()], Pod { first, fields: pod.fields.clone() })
    }

    /// For requests to an agent: the header field `keyManagerToken` beside `sessionToken` or the common JWT.
    #[must_use]
    pub fn agent(&self) -> OriginBound<Agent> {
        OriginBound::new([self.0.endpoints.agent().origin.clone()], Agent(self.clone()))
    }

    /// For requests to pod and agent on behalf of this user: see [`App::on_behalf_of`].
    ///
    /// # Errors
    ///
    /// `Error::Config` when the bot has no app, or sends the common JWT.
    pub fn on_behalf_of(&self, user: SymphonyUser) -> Result<OriginBound<OnBehalfOf>> {
        if matches!(self.0.first, First::Jwt(_)) {
            let text = "bot sends the common JWT, which calls on behalf of users cannot: use another bot without it, or \
                        the app itself";
            return Err(Error::config("symphony_common_jwt", text));
        }
        match &self.0.app {
            Some(app) => Ok(app.on_behalf_of(user)),
            None => {
                let text = "bot has no extension app, expected one (with_app): it is the app that calls on behalf of users";
                Err(Error::config("symphony_no_app", text))
            }
        }
    }

    /// The session token that is current, obtained if there is none: for requests that no authenticator makes.
    pub fn session_token(&self) -> Flow<'_, CurrentToken<SessionToken>> {
        self.0.session.token()
    }

    /// The key manager token that is current, obtained if there is none.
    pub fn key_manager_token(&self) -> Flow<'_, CurrentToken<KeyManagerToken>> {
        self.0.keys.token()
    }
}

impl fmt::Debug for Bot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bot").field("endpoints", &self.0.endpoints).finish_non_exhaustive()
    }
}
