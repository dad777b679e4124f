//! The circle of trust of an extension app: a pair of tokens that its backend and the user's client both know.

mod pairs;

use crate::{
    SymphonyEndpoints, SymphonyLogIn, endpoints::Component, exchange, log_in::By, signer::Signer,
};
use auth_core::{Context, Error, Flow, KeyHasher, Result, Secret};
use pairs::Pairs;
use std::{
    fmt,
    fmt::Write,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The first two steps of the circle of trust of an extension app, at its backend.
///
/// - [`begin`](Self::begin), when the app is opened: makes the app's token, has the pod answer it with the Symphony token, and
///   remembers the pair until it expires, which is after five minutes at most.
/// - [`is_trusted`](Self::is_trusted), when the app has been given a Symphony token by the user's client: is it the one?
///
/// What the client says of its user afterwards is verified by a [`UserJwtVerifier`](crate::UserJwtVerifier).
///
/// # Security
///
/// Pairs are compared in constant time, kept in bounded memory, and forgotten when they expire. Whoever may call the route
/// behind `begin` can take up that memory: when it is full of live pairs, others wait.
pub struct CircleOfTrust {
    how: How,
    at: Component,
    retry: crate::LogInRetry,
    context: Context,
    pairs: Mutex<Pairs>,
}

enum How {
    Signed(Box<Signer>),
    Certificate,
}

/// The token of an app for one opening of it: 64 random bytes in hexadecimal digits.
const APP_TOKEN_BYTES: usize = 64;

impl CircleOfTrust {
    /// Of the app that this log-in is of.
    ///
    /// # Errors
    ///
    /// Those of the context's randomness.
    pub fn new(
        endpoints: &SymphonyEndpoints,
        log_in: &SymphonyLogIn,
        context: Context,
    ) -> Result<Self> {
        let (how, at) = match &log_in.by {
            By::Key { name, key } => {
                (How::Signed(Signer::new(name, key, &context.clock).into()), &endpoints.pod)
            }
            By::Certificate => (How::Certificate, &endpoints.session_auth),
        };
        let (at, retry) = (at.clone(), log_in.retry);
        let pairs = Mutex::new(Pairs::new(KeyHasher::random(&*context.random)?));
        Ok(Self { how, at, retry, context, pairs })
    }

    /// A token of the app, for which the pod has made a Symphony token: give it to the app's front end.
    ///
    /// # Errors
    ///
    /// `Error::Unavailable` with the code `symphony_pairs_full` when ten thousand pairs are alive; those of a log-in; and
    /// `Error::Protocol` when the pod answers something else.
    pub fn begin(&self) -> Flow<'_, Secret> {
        Flow::new(async move {
            self.pairs().make_room(self.context.clock.steady())?;
            let app_token = self.app_token()?;
            let answered = self.retry.run(&self.context, || self.attempt(&app_token)).await?;
            self.pairs().insert(app_token.expose(), answered, self.context.clock.steady())?;
            Ok(app_token)
        })
    }

    /// Is this the Symphony token of this token of the app, and has it not expired?
    #[must_use]
    pub fn is_trusted(&self, app_token: &[u8], symphony_token: &[u8]) -> bool {
        let now = self.context.clock.steady();
        self.pairs().has(app_token, symphony_token, now)
    }

    fn attempt<'a>(&'a self, app_token: &Secret) -> Flow<'a, exchange::TokenPair> {
        let exchange = match &self.how {
            How::Signed(signer) => signer
                .sign()
                .and_then(|jwt| exchange::circle_of_trust(&self.at, app_token, Some(jwt.expose()))),
            How::Certificate => exchange::circle_of_trust(&self.at, app_token, None),
        };
        let sent = Secret::new(app_token.expose());
        Flow::new(async move {
            let answer = self.context.transport.fetch(exchange?).await?;
            let now = self.context.clock.now();
            if answer.status().is_success() {
                return exchange::token_pair(&answer, &sent, now);
            }
            let refused = match self.how {
                How::Signed(_) => exchange::refused,
                How::Certificate => exchange::refused_certificate,
            };
            Err(refused(&answer, "circle of trust of the app", now))
        })
    }

    fn app_token(&self) -> Result<Secret> {
        let mut bytes = zeroize::Zeroizing::new([0; APP_TOKEN_BYTES]);
        self.context.random.fill(&mut *bytes)?;
        let mut text = zeroize::Zeroizing::new(String::with_capacity(2 * APP_TOKEN_BYTES));
        for byte in bytes.iter() {
            write!(text, "{byte:02x}")
                .map_err(|error| Error::config("symphony_app_token", error))?;
        }
        Ok(Secret::new(text.as_bytes()))
    }

    fn pairs(&self) -> MutexGuard<'_, Pairs> {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CircleOfTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircleOfTrust").field("at", &self.at).finish_non_exhaustive()
    }
}
