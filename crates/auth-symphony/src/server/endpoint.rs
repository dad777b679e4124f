//! `POST /login/pubkey/authenticate` and its like, for any server framework.

use super::LogInAnswer;
use crate::json::read_object;
use auth_core::{
    AttemptLimit, Body, Clock, Error, Flow, Lookup, Reason, ReplayOutcome, ReplayStore,
    RequestView, Result, Secret, Unique, Verifier,
};
use auth_jwt::{JwtKeys, JwtPrincipal, JwtVerifier, KeyId, profiles::symphony_login_policy};
use http::{HeaderMap, HeaderValue, StatusCode, header::AUTHORIZATION};
use serde::Deserialize;
use std::{fmt, sync::Arc, time::Duration};
use zeroize::Zeroizing;

/// Judges the signed tokens that bots and apps log in with, and issues what they log in for.
///
/// A log-in is accepted if a key of the account that its `sub` names has signed it with RS512, it ends within five minutes
/// (a minute more on either side, for clocks that differ), and it was not accepted before. An account has its current key
/// and, while that is replaced, the one before: the look-up gives both.
///
/// # Security
///
/// The protocol has no `jti`, so the signature is what is good once, at a pod and at a key manager each. RSA signs alike what
/// is alike: two log-ins of one account that end in the same second are one token, and the second is refused. A bot of this
/// crate signs no two such; the vendor's programs do when they log in twice within a second, as do two programs of one
/// account. Unknown accounts, wrong keys, expired tokens and repeated ones are the same 401 outside. For an account that is
/// unknown no signature is verified, so it costs some microseconds less: the name of an account is no secret.
pub struct LogInEndpoint<L, I> {
    verifier: JwtVerifier<L>,
    issuer: I,
    replays: Arc<dyn ReplayStore>,
    name: TokenName,
}

/// Issues tokens to accounts that have logged in.
pub trait TokenIssuer: Send + Sync {
    /// An account, as the look-up of keys finds it.
    type Account: Send;

    /// A token for this account: visible ASCII, of at most 8 KiB.
    ///
    /// # Errors
    ///
    /// When it is not known whether one was issued.
    fn issue(&self, account: Self::Account) -> Flow<'_, Secret>;
}

/// Which token a component issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenName {
    /// A pod's: `sessionToken`.
    Session,
    /// A key manager's: `keyManagerToken`.
    KeyManager,
}

impl TokenName {
    const fn text(self) -> &'static str {
        match self {
            Self::Session => "sessionToken",
            Self::KeyManager => "keyManagerToken",
        }
    }
}

impl<L, I> LogInEndpoint<L, I>
where
    L: Lookup<KeyId, Found = JwtKeys<I::Account>>,
    I: TokenIssuer,
    I::Account: Clone + 'static,
{
    /// The endpoint over these keys, which are looked up by the name of the account (`KeyId::issuer`); tokens that were
    /// accepted are remembered in `replays`.
    ///
    /// # Errors
    ///
    /// Those of [`JwtVerifier::new`].
    pub fn new(
        name: TokenName,
        keys: L,
        issuer: I,
        replays: impl ReplayStore + 'static,
        clock: impl Clock + 'static,
    ) -> Result<Self> {
        let verifier = JwtVerifier::new("symphony", symphony_login_policy(), keys, clock)?;
        Ok(Self { verifier, issuer, replays: Arc::new(replays), name })
    }

    /// With a limit to wrong log-ins of each source: beyond it callers get a 429 with `Retry-After`.
    #[must_use]
    pub fn with_limit(self, limit: AttemptLimit) -> Self {
        Self { verifier: self.verifier.with_limit(limit), ..self }
    }

    /// `POST`: a token for the signed token of the body, `{"token":".."}`.
    ///
    /// # Errors
    ///
    /// Those of the keys, the issuer and the replay store; `Error::Config` when the adapter did not give the body.
    pub fn log_in<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, LogInAnswer> {
        Flow::new(async move {
            let jwt = match read(request)? {
                Ok(jwt) => jwt,
                Err(reason) => return LogInAnswer::refused(StatusCode::BAD_REQUEST, reason),
            };
            // Where the verifier of requests reads tokens from.
            let Ok(field) = HeaderValue::from_str(&Zeroizing::new(["Bearer ", &*jwt].concat()))
            else {
                return LogInAnswer::refused(StatusCode::UNAUTHORIZED, NO_TOKEN);
            };
            let headers = HeaderMap::from_iter([(AUTHORIZATION, field)]);
            let bearing =
                RequestView::new(request.method, request.uri, &headers).with_peer(request.peer);
            let JwtPrincipal { claims, caller, .. } = match self.verifier.verify(bearing).await? {
                Ok(accepted) => accepted.principal,
                Err(rejection) => return LogInAnswer::rejected(&rejection),
            };
            let owner = claims.subject().unwrap_or_default().as_bytes();
            let signature = jwt.rsplit('.').next().unwrap_or_default().as_bytes();
            let unique = Unique::new(self.name.text(), owner, signature, claims.dies());
            // No log-in ends later than this after it was signed, so a store that is full can forget the oldest.
            let signed = claims.expires().map(|end| end.before(MOST_AHEAD));
            let unique = signed.into_iter().fold(unique, Unique::issued_at);
            Ok(match self.replays.check_and_set(&unique).await? {
                ReplayOutcome::Fresh => {
                    LogInAnswer::token(self.name.text(), &self.issuer.issue(caller).await?)?
                }
                _ => LogInAnswer::refused(StatusCode::UNAUTHORIZED, REPEATED)?,
            })
        })
    }
}

/// The signed token of a body; the inner error is the caller's.
fn read(request: RequestView<'_>) -> Result<Result<Zeroizing<String>, Reason>> {
    #[derive(Deserialize)]
    struct LogInBody {
        token: Zeroizing<String>,
    }

    let Body::Bytes(body) = request.body else {
        let text =
            "body of the request was not given to the endpoint, expected at most 16 KiB of it";
        return Err(Error::config("symphony_body_unread", text));
    };
    if body.len() > MOST_BODY_BYTES {
        return Ok(Err(TOO_LONG));
    }
    Ok(read_object::<LogInBody>(body).map(|read| read.token).map_err(|_| BODY))
}

/// As the policy has it.
const MOST_AHEAD: Duration = Duration::from_secs(5 * 60);

const MOST_BODY_BYTES: usize = 16 * 1024;

const BODY: Reason =
    Reason::new("symphony_log_in_body", "body is not JSON with the text \"token\"");
const TOO_LONG: Reason = Reason::new("symphony_log_in_long", "body is longer than 16 KiB");
const NO_TOKEN: Reason =
    Reason::new("symphony_log_in_token", "token holds what no token may, expected a signed JWT");
const REPEATED: Reason = Reason::new(
    "symphony_log_in_repeated",
    "token was accepted before: a log-in signs one for each attempt",
);

impl<L, I> fmt::Debug for LogInEndpoint<L, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogInEndpoint").field("name", &self.name).finish_non_exhaustive()
    }
}
