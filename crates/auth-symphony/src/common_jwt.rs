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
use auth_session::Session;
use http::{HeaderValue, StatusCode, header::AUTHORIZATION};
use std::{fmt, sync::Arc, time::Duration};
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
    pub(crate) fn new(token: &[u8], expires: Timestamp) -> Self {
        let word = token.first_chunk::<7>().filter(|word| word.eq_ignore_ascii_case(b"Bearer "));
        let token = word.map_or(token, |word| token.get(word.len()..).unwrap_or_default());
        Self { token: Arc::new(Secret::new(token.trim_ascii())), expires }
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
    pub(crate) session: Session<LogIn<SessionToken>>,
    pub(crate) pod: Component,
}

impl ByBot {
    async fn obtained(&self, context: &Context, refused: Option<CommonJwt>) -> Result<CommonJwt> {
        let first = self.session.token().await?;
        match self.attempt(context, &first.token, refused.as_ref()).await {
            Err(error) if error.code() == UNAUTHORIZED => {}
            other => return other,
        }
        self.session.condemn(first.generation, Refusal::new(StatusCode::UNAUTHORIZED));
        let next = self.session.token().await?;
        self.attempt(context, &next.token, refused.as_ref()).await
    }

    async fn attempt(
        &self,
        context: &Context,
        session: &SessionToken,
        refused: Option<&CommonJwt>,
    ) -> Result<CommonJwt> {
        let now = context.clock.now();
        if let Some(brought) = brought_along(session, now, refused) {
            return Ok(brought);
        }
        let exchange = exchange::common_jwt(&self.pod, session)?;
        let answer = context.transport.fetch(exchange).await?;
        if answer.status().is_success() {
            exchange::common_jwt_of(&answer, now)
        } else {
            Err(exchange::refused(&answer, "common JWT of the bot", now))
        }
    }
}

/// The token that came with the log-in, if it is good for a while and is not the one that was refused.
fn brought_along(
    session: &SessionToken,
    now: Timestamp,
    refused: Option<&CommonJwt>,
) -> Option<CommonJwt> {
    let token = CommonJwt::new(session.authorization()?.expose(), now);
    let expires = Hints::of(token.secret().expose()).expires()?;
    let is_refused = refused.is_some_and(|it| it.secret().matches(token.secret().expose()));
    (expires > now.after(LEAST_LEFT) && !is_refused).then(|| CommonJwt { expires, ..token })
}

impl TokenSource for ByBot {
    type Token = CommonJwt;

    fn token<'a>(&'a self, context: &'a Context, why: Renewal<CommonJwt>) -> Flow<'a, CommonJwt> {
        let refused = match why {
            Renewal::Refused(old, _) | Renewal::Due(old) => Some(old),
            Renewal::First => None,
        };
        Flow::new(self.obtained(context, refused))
    }
}

impl fmt::Debug for CommonJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommonJwt").field("expires", &self.expires).finish_non_exhaustive()
    }
}
