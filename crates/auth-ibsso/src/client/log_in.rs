//! How sessions are obtained: a user name and a password at the account's base URL.

use crate::{
    SessionLifetime, SessionToken,
    exchange::{self, Binding},
};
use auth_core::{Context, Error, Flow, Origin, Renewal, Result, Secret, Timestamp, TokenSource};
use std::fmt;

/// Creates sessions with a user name and a password, and destroys them.
///
/// It is the source of an [`IbssoSession`](crate::IbssoSession), and can be used alone where a program keeps tokens
/// itself.
///
/// ```
/// use auth_ibsso::LogIn;
/// let log_in = LogIn::new("https://xyz123.api.infobip.com", "acme", "pa55word")?;
/// # Ok::<_, auth_ibsso::Error>(())
/// ```
pub struct LogIn {
    origin: Origin,
    user: Box<str>,
    password: Secret,
    lifetime: SessionLifetime,
    binding: Binding,
}

impl LogIn {
    /// For this user, at the base URL of the account: scheme and host alone, `https://xyz123.api.infobip.com`.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the base URL has a path or a user, is not `https` (`http` for this machine alone), or when
    /// the user name or the password is empty.
    pub fn new(base_url: &str, user: &str, password: &str) -> Result<Self> {
        let origin: Origin = base_url.parse()?;
        if !origin.is_confidential() {
            let text = "base URL is http, expected https: the password and the token would be readable on the way";
            return Err(Error::config("ibsso_plain_http", text));
        }
        for (field, value) in [("user name", user), ("password", password)] {
            if value.is_empty() {
                let text = format!("{field} is empty, expected that of the account");
                return Err(Error::config("ibsso_empty", text));
            }
        }
        let (user, password) = (user.into(), Secret::new(password));
        let (lifetime, binding) = (SessionLifetime::default(), Binding::default());
        Ok(Self { origin, user, password, lifetime, binding })
    }

    /// How long sessions are taken to live; 60 minutes from their creation unless set.
    #[must_use]
    pub fn with_lifetime(self, lifetime: SessionLifetime) -> Self {
        Self { lifetime, ..self }
    }

    /// Creates sessions that are not bound to the address that creates them: the member `unsafe` of the protocol. For
    /// programs whose requests leave through several addresses.
    ///
    /// # Security
    ///
    /// Whoever reads the token of such a session can use it from anywhere, for as long as the session lives.
    #[must_use]
    pub fn with_unsafe_sessions(self) -> Self {
        Self { binding: Binding::Unbound, ..self }
    }

    /// Creates a session: `POST /auth/1/session`. The exchange is made once; what it means that its answer is lost is for
    /// the caller to judge.
    ///
    /// # Errors
    ///
    /// | code | what happened |
    /// |---|---|
    /// | `ibsso_log_in` (`Error::Refused`) | the user name or the password is wrong |
    /// | `ibsso_session_not_created` (`Error::Refused`) | the request was refused: another session of the user is alive, for example |
    /// | `ibsso_busy` (`Error::Unavailable`) | 429 or 503, with the pause that the platform asks for |
    /// | `ibsso_failed` (`Error::Transport`) | another 5xx: a session may have been created |
    /// | `ibsso_session_answer`, `ibsso_token` (`Error::Protocol`) | the answer has no token that can be used |
    ///
    /// Beside these, those of the transport.
    pub fn create<'a>(&'a self, context: &'a Context) -> Flow<'a, SessionToken> {
        let exchange = exchange::create(&self.origin, &self.user, &self.password, self.binding);
        Flow::new(async move {
            let answer = context.transport.fetch(exchange?).await?;
            exchange::created(&answer, &self.password, context.clock.now(), self.lifetime)
        })
    }

    /// Destroys the session of this token: `DELETE /auth/1/session`, which the token itself authorises.
    ///
    /// # Errors
    ///
    /// | code | what happened |
    /// |---|---|
    /// | `ibsso_not_destroyed` (`Error::Refused`) | the session has ended before, or is bound to another address (401, 403) |
    /// | `ibsso_busy` (`Error::Unavailable`) | 429 or 503, with the pause that the platform asks for |
    /// | `ibsso_failed` (`Error::Transport`) | another status: the session may live |
    ///
    /// Beside these, those of the transport.
    pub fn destroy<'a>(&self, context: &'a Context, token: &SessionToken) -> Flow<'a, ()> {
        let exchange = exchange::destroy(&self.origin, token);
        let (token, now) = (token.clone(), context.clock.now());
        Flow::new(async move {
            let answer = context.transport.fetch(exchange?).await?;
            exchange::destroyed(&answer, &token, now)
        })
    }

    /// How long a session lives whose token nobody has.
    pub(crate) const fn life(&self) -> std::time::Duration {
        self.lifetime.span()
    }

    pub(crate) const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Destroys the old session and creates the next one.
    async fn renew(&self, context: &Context, old: SessionToken) -> Result<SessionToken> {
        let now = context.clock.now();
        let undestroyed = match self.destroy(context, &old).await {
            Ok(()) => return self.create(context).await,
            Err(undestroyed) => undestroyed,
        };
        // Without any answer a creation would have none either. What it made would keep everybody out for as long as it
        // lives, so it is not tried while the old session may be alive. Whatever the platform answers, it is tried.
        let is_unanswered =
            matches!(undestroyed, Error::Transport(_)) && undestroyed.code() != exchange::FAILED;
        if is_unanswered && now < old.ends_at_latest(now) {
            let text = format!(
                "session before could not be destroyed, so no other one is asked for yet: {undestroyed}"
            );
            return Err(Error::unavailable("ibsso_unreachable", None, text));
        }
        self.create(context).await.map_err(|error| match (undestroyed.code(), error.code()) {
            // One whose time is over has ended: another one of the user is alive.
            (exchange::NOT_DESTROYED, exchange::NOT_CREATED) if now < old.ends_at_latest(now) => {
                bound_elsewhere(&undestroyed, &error, &old, now)
            }
            // The session before lives on, since the platform had no time to end it: its pause is what to wait for.
            (exchange::BUSY, exchange::NOT_CREATED) => undestroyed,
            _ => error,
        })
    }
}

impl TokenSource for LogIn {
    type Token = SessionToken;

    fn token<'a>(
        &'a self,
        context: &'a Context,
        why: Renewal<SessionToken>,
    ) -> Flow<'a, SessionToken> {
        match why {
            Renewal::First => self.create(context),
            Renewal::Due(old) | Renewal::Refused(old, _) => Flow::new(self.renew(context, old)),
        }
    }
}

/// The old session can be neither used nor destroyed, and keeps another one from being created.
fn bound_elsewhere(
    undestroyed: &Error,
    error: &Error,
    old: &SessionToken,
    now: Timestamp,
) -> Error {
    let end = old.ends_at_latest(now);
    let text = format!(
        "a session is alive that can be neither used nor destroyed from here: either it is bound to the address that \
         created it and this client now calls from another egress address, or another program has created it for the \
         same user. Call from the former address, or wait until it ends (by {end}, seconds since 1970, if it is that of \
         this client), or create sessions that are not bound (with_unsafe_sessions), and give each program a user of \
         its own. Destroying: {undestroyed}; creating: {error}"
    );
    Error::refused("ibsso_bound_to_other_address", text)
}

impl fmt::Debug for LogIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogIn")
            .field("origin", &self.origin)
            .field("user", &self.user)
            .field("lifetime", &self.lifetime)
            .field("binding", &self.binding)
            .finish_non_exhaustive()
    }
}
