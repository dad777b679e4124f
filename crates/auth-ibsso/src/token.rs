//! The token of a session, as a client keeps and presents it.

use auth_core::{
    Answer, Credentials, Error, Lifespan, PresentableToken, Refusal, Result, Secret, Succession,
    Timestamp, Token,
};
use auth_session::StorableToken;
use http::{HeaderValue, StatusCode, header::AUTHORIZATION};
use std::{fmt, sync::Arc, time::Duration};
use zeroize::Zeroizing;

/// The scheme word. The platform's own documentation once prints it as "IBBSO", which no server takes.
pub const SCHEME: &str = "IBSSO";

/// How long the client takes a session to live.
///
/// The platform says "60 minutes by default" in one place and "after 60 minutes of inactivity" in another. Whichever a
/// client assumes, a 401 ends the session earlier: the token is renewed then, whatever the timer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionLifetime {
    /// So long from its creation. Assumed unless set, with 60 minutes.
    Fixed(Duration),
    /// Until it was not used for so long.
    Sliding(Duration),
}

impl SessionLifetime {
    /// How long a session of which nobody has the token lives: that is never used, so both are the same.
    pub(crate) const fn span(self) -> Duration {
        match self {
            Self::Fixed(span) | Self::Sliding(span) => span,
        }
    }
}

/// Sixty minutes from the creation.
impl Default for SessionLifetime {
    fn default() -> Self {
        Self::Fixed(Duration::from_secs(3600))
    }
}

/// The token of one session. A clone shares it.
///
/// Its successor ends it: the platform lets one session of a user live at a time.
///
/// # Security
///
/// Its `Debug` shows no secret.
#[derive(Clone)]
pub struct SessionToken(Arc<Inner>);

struct Inner {
    token: Secret,
    created: Timestamp,
    lifetime: SessionLifetime,
}

impl SessionToken {
    /// The most bytes of a token: the platform's are UUIDs of 36.
    pub const MOST_BYTES: usize = 1024;

    /// A token that was created at this moment.
    ///
    /// # Errors
    ///
    /// `Error::Protocol` when it is empty, longer than [`MOST_BYTES`](Self::MOST_BYTES), or holds a character other than
    /// visible ASCII.
    pub fn new(token: Secret, created: Timestamp, lifetime: SessionLifetime) -> Result<Self> {
        let bytes = token.expose();
        let is_visible = |byte: &u8| matches!(byte, 0x21..=0x7e);
        if bytes.is_empty() || bytes.len() > Self::MOST_BYTES || !bytes.iter().all(is_visible) {
            let text = "session token is not of 1 to 1024 visible ASCII characters, as a header field needs it";
            return Err(Error::protocol("ibsso_token", text));
        }
        Ok(Self(Arc::new(Inner { token, created, lifetime })))
    }

    /// The token itself.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0.token
    }

    /// When it was created, by the client's clock.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        self.0.created
    }

    /// When it has ended for sure if nobody uses it from now on; of a fixed lifetime, its end.
    pub(crate) fn ends_at_latest(&self, now: Timestamp) -> Timestamp {
        match self.0.lifetime {
            SessionLifetime::Fixed(span) => self.0.created.after(span),
            SessionLifetime::Sliding(span) => now.after(span),
        }
    }

    /// The `Authorization` field with this token.
    pub(crate) fn field(&self) -> Result<HeaderValue> {
        let field = Zeroizing::new([SCHEME.as_bytes(), b" ", self.0.token.expose()].concat());
        let mut field = HeaderValue::from_bytes(&field).map_err(|_| {
            Error::protocol("ibsso_token", "session token holds a character that no field may have")
        })?;
        field.set_sensitive(true);
        Ok(field)
    }
}

impl Token for SessionToken {
    fn lifespan(&self) -> Lifespan {
        match self.0.lifetime {
            SessionLifetime::Fixed(span) => Lifespan::Until(self.0.created.after(span)),
            SessionLifetime::Sliding(span) => Lifespan::Idle(span),
        }
    }

    fn succession(&self) -> Succession {
        Succession::Exclusive { settle: SETTLE }
    }
}

/// Requests that were made with the old token are waited for so long before it is destroyed.
const SETTLE: Duration = Duration::from_secs(10);

impl PresentableToken for SessionToken {
    fn credentials(&self) -> Result<Credentials> {
        Credentials::header(AUTHORIZATION, self.field()?)
    }

    /// A 401. A 403 says that the user lacks a scope: another session would lack it too.
    fn refusal(answer: Answer<'_>) -> Option<Refusal> {
        (answer.status == StatusCode::UNAUTHORIZED).then(|| Refusal::new(answer.status))
    }
}

/// The version of the form, the kind of the lifetime, its seconds, the second of the creation, the token.
impl StorableToken for SessionToken {
    fn to_rest(&self) -> Secret {
        let kind = match self.0.lifetime {
            SessionLifetime::Fixed(_) => FIXED,
            SessionLifetime::Sliding(_) => SLIDING,
        };
        let span = self.0.lifetime.span().as_secs().to_be_bytes();
        let created = self.0.created.unix().to_be_bytes();
        Secret::new([&[VERSION, kind], &span[..], &created, self.0.token.expose()].concat())
    }

    fn from_rest(bytes: &[u8]) -> Result<Self> {
        read_rest(bytes).unwrap_or_else(|| {
            let text = "session in the store is not of a form that this version knows; destroy it with the program \
                        that wrote it, or wait until it has ended and remove it from the store";
            Err(Error::config("ibsso_stored_session", text))
        })
    }
}

const VERSION: u8 = 1;
const FIXED: u8 = 0;
const SLIDING: u8 = 1;

/// None when the form is another one.
fn read_rest(bytes: &[u8]) -> Option<Result<SessionToken>> {
    let ([version, kind], rest) = bytes.split_first_chunk()?;
    let (span, rest) = rest.split_first_chunk()?;
    let (created, token) = rest.split_first_chunk()?;
    let span = Duration::from_secs(u64::from_be_bytes(*span));
    let lifetime = match (*version, *kind) {
        (VERSION, FIXED) => SessionLifetime::Fixed(span),
        (VERSION, SLIDING) => SessionLifetime::Sliding(span),
        _ => return None,
    };
    let created = Timestamp::from_unix(u64::from_be_bytes(*created));
    Some(SessionToken::new(Secret::new(token), created, lifetime))
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionToken")
            .field("created", &self.0.created)
            .field("lifetime", &self.0.lifetime)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::RequestView;
    use http::{HeaderMap, Method, Uri};

    const CREATED: Timestamp = Timestamp::from_unix(1_700_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn token(text: &str, lifetime: SessionLifetime) -> Result<SessionToken> {
        SessionToken::new(Secret::new(text), CREATED, lifetime)
    }

    #[test]
    fn sends_the_bytes_of_the_vendors_sample() {
        let token = token("2f9b4d31-2d0d-49a8-85f0-9b862bdca394", SessionLifetime::default());
        let (mut uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
        token.unwrap().credentials().unwrap().commit(&mut uri, &mut headers).unwrap();
        assert_eq!(headers[AUTHORIZATION], "IBSSO 2f9b4d31-2d0d-49a8-85f0-9b862bdca394");
        assert!(headers[AUTHORIZATION].is_sensitive());
    }

    #[test]
    fn a_token_that_no_field_can_hold_is_refused() {
        let long = "x".repeat(SessionToken::MOST_BYTES + 1);
        for wrong in ["", "a b", "a\r\nb", "\u{e9}", &long] {
            let refused = token(wrong, SessionLifetime::default());
            assert_eq!(refused.unwrap_err().code(), "ibsso_token", "{wrong:?}");
        }
        token(&"x".repeat(SessionToken::MOST_BYTES), SessionLifetime::default()).unwrap();
    }

    #[track_caller]
    fn check(lifetime: SessionLifetime, lifespan: Lifespan, latest: Timestamp) {
        let token = token("t", lifetime).unwrap();
        let kept = SessionToken::from_rest(token.to_rest().expose()).unwrap();
        for token in [&token, &kept] {
            assert_eq!((token.lifespan(), token.created()), (lifespan, CREATED));
            assert_eq!(token.ends_at_latest(CREATED.after(HOUR / 2)), latest);
            assert!(token.secret().matches(b"t"));
            assert_eq!(
                token.succession(),
                Succession::Exclusive { settle: Duration::from_secs(10) }
            );
        }
    }

    #[test]
    fn lives_as_it_is_configured_and_so_it_does_when_it_comes_from_a_store() {
        let end = CREATED.after(HOUR);
        check(SessionLifetime::default(), Lifespan::Until(end), end);
        let idle = end.after(HOUR / 2);
        check(SessionLifetime::Sliding(HOUR), Lifespan::Idle(HOUR), idle);
    }

    #[test]
    fn what_another_version_wrote_is_an_error_and_is_not_replaced() {
        let rest = token("t", SessionLifetime::default()).unwrap().to_rest();
        let newer = [&[2], &rest.expose()[1..]].concat();
        let unknown = [&[1, 7], &rest.expose()[2..]].concat();
        for bytes in [&newer[..], &unknown, &rest.expose()[..17], b""] {
            let refused = SessionToken::from_rest(bytes).unwrap_err();
            assert_eq!(refused.code(), "ibsso_stored_session", "{bytes:?}");
        }
        // Of the right form, without a token.
        let refused = SessionToken::from_rest(&rest.expose()[..18]).unwrap_err();
        assert_eq!(refused.code(), "ibsso_token");
    }

    #[test]
    fn a_401_condemns_it_and_nothing_else_does() {
        let (uri, headers) = (Uri::from_static("/"), HeaderMap::new());
        let view = RequestView::new(&Method::GET, &uri, &headers);
        for (status, condemned) in
            [(401, true), (403, false), (200, false), (500, false), (429, false)]
        {
            let status = StatusCode::from_u16(status).unwrap();
            let refusal = SessionToken::refusal(Answer::new(view, status, &headers));
            assert_eq!(refusal.is_some(), condemned, "{status}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", token("s3cret-token", SessionLifetime::default()).unwrap());
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
