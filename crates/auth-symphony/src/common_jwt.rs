//! The common JWT, which is sent as Bearer in place of the session token.

use crate::{
    SessionToken,
    claims::Hints,
    endpoints::Component,
    exchange::{self, UNAUTHORIZED},
    log_in::LogIn,
};
use auth_core::{
    Answer, Context, Credentials, Error, Flow, Lifespan, PresentableToken, Refusal, Renewal,
    Result, Secret, Timestamp, Token, TokenSource,
};
use auth_session::{CurrentToken, Session};
use http::{HeaderValue, StatusCode, header::AUTHORIZATION};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use zeroize::Zeroizing;

/// A common JWT: it lives for some minutes, and another one is had for the session token.
///
/// # Security
///
/// Its `Debug` shows no secret.
#[derive(Clone)]
pub struct CommonJwt {
    token: Arc<Secret>,
    expires: Timestamp,
}

/// A token that ends within this time is not worth being sent.
const LEAST_LEFT: Duration = Duration::from_secs(5);

impl CommonJwt {
    /// Pods write the scheme word in front of it in one place, and not in another one.
    pub(crate) fn read(text: &str, expires: Timestamp) -> Result<Self> {
        let word = text.split_once(' ').filter(|(word, _)| word.eq_ignore_ascii_case("Bearer"));
        let token = word.map_or(text, |(_, token)| token).trim_ascii();
        exchange::is_token(token)?;
        Ok(Self { token: Arc::new(Secret::new(token.as_bytes())), expires })
    }

    /// The token itself, without a scheme word.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.token
    }

    /// The field `Authorization` with it.
    pub(crate) fn field(&self) -> Result<HeaderValue> {
        let field = Zeroizing::new([b"Bearer ", self.token.expose()].concat());
        let mut field = HeaderValue::from_bytes(&field).map_err(|_| {
            Error::protocol("symphony_token", "token holds a character that no field may have")
        })?;
        field.set_sensitive(true);
        Ok(field)
    }
}

impl Token for CommonJwt {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Until(self.expires)
    }
}

impl PresentableToken for CommonJwt {
    fn credentials(&self) -> Result<Credentials> {
        Credentials::header(AUTHORIZATION, self.field()?)
    }

    fn refusal(answer: Answer<'_>) -> Option<Refusal> {
        (answer.status == StatusCode::UNAUTHORIZED).then(|| Refusal::new(answer.status))
    }
}

/// Common JWTs for the session token of a bot. A log-in brings one along.
pub(crate) struct ByBot {
    session: Session<LogIn<SessionToken>>,
    pod: Component,
    /// The last generation of the session whose token was looked at for what it brought along: that is good once.
    opened: AtomicU64,
}

impl ByBot {
    pub(crate) const fn new(session: Session<LogIn<SessionToken>>, pod: Component) -> Self {
        Self { session, pod, opened: AtomicU64::new(0) }
    }

    async fn obtained(&self, context: &Context) -> Result<CommonJwt> {
        let first = self.session.token().await?;
        match self.attempt(context, &first).await {
            Err(error) if error.code() == UNAUTHORIZED => {}
            other => return other,
        }
        self.session.condemn(first.generation, Refusal::new(StatusCode::UNAUTHORIZED));
        let next = self.session.token().await?;
        self.attempt(context, &next).await
    }

    async fn attempt(
        &self,
        context: &Context,
        session: &CurrentToken<SessionToken>,
    ) -> Result<CommonJwt> {
        let now = context.clock.now();
        if self.opened.swap(session.generation, Ordering::Relaxed) != session.generation {
            if let Some(brought) = brought_along(&session.token, now) {
                return Ok(brought);
            }
        }
        let exchange = exchange::common_jwt(&self.pod, &session.token)?;
        let answer = context.transport.fetch(exchange).await?;
        if answer.status().is_success() {
            exchange::common_jwt_of(&answer, now)
        } else {
            Err(exchange::refused(&answer, "common JWT of the bot", now))
        }
    }
}

/// The token that came with the log-in, if it is good for a while.
fn brought_along(session: &SessionToken, now: Timestamp) -> Option<CommonJwt> {
    let text = session.authorization()?.expose_text()?;
    let token = CommonJwt::read(text, now).ok()?;
    let expires = Hints::of(token.secret().expose()).expires()?;
    (expires > now.after(LEAST_LEFT)).then(|| CommonJwt { expires, ..token })
}

impl TokenSource for ByBot {
    type Token = CommonJwt;

    fn token<'a>(&'a self, context: &'a Context, _: Renewal<CommonJwt>) -> Flow<'a, CommonJwt> {
        Flow::new(self.obtained(context))
    }
}

impl fmt::Debug for CommonJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommonJwt").field("expires", &self.expires).finish_non_exhaustive()
    }
}
