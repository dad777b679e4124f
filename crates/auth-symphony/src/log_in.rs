//! By what a bot or an app logs in, and its log-ins as sources of tokens.

use crate::{
    LogInRetry,
    endpoints::Component,
    exchange::{self, Path},
    signer::Signer,
    token::PairToken,
};
use auth_core::{Context, Error, Flow, Renewal, Result, TokenSource};
use auth_jwt::{JwsAlgorithm, SigningKey};
use std::{fmt, marker::PhantomData, sync::Arc};

/// By what a bot or an app logs in: a key, or the certificate of its connections.
///
/// ```
/// use auth_symphony::SymphonyLogIn;
/// # fn with(pem: &str) -> Result<(), auth_symphony::Error> {
/// let log_in = SymphonyLogIn::rsa("my-bot", pem)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SymphonyLogIn {
    pub(crate) by: By,
    pub(crate) retry: LogInRetry,
}

#[derive(Clone)]
pub(crate) enum By {
    Key { name: Arc<str>, key: SigningKey },
    Certificate,
}

impl SymphonyLogIn {
    /// By an RSA key: each log-in signs a token with RS512 that says who logs in and is good for four minutes, which
    /// leaves one of the pod's five for clocks that differ.
    ///
    /// The name is that of the bot's account, in its case, or the id of the app. The key is a private one in PEM, in PKCS#8
    /// or PKCS#1; the two characters `\n`, as variables of an environment have them, are taken for the end of a line.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the name is empty, or has a colon, which pods refuse; and those of [`SigningKey::from_pem`].
    pub fn rsa(name: &str, private_key: &str) -> Result<Self> {
        if name.is_empty() || name.contains(':') {
            let text = "name is empty or has a colon, expected the user name of the bot or the id of the app";
            return Err(Error::config("symphony_name", text));
        }
        let lines = zeroize::Zeroizing::new(private_key.replace("\\n", "\n"));
        let key = SigningKey::from_pem(JwsAlgorithm::RS512, &lines)?;
        Ok(Self { by: By::Key { name: name.into(), key }, retry: LogInRetry::default() })
    }

    /// By a client certificate, whose common name is the user name of the bot. The transport presents it: give the context
    /// a transport with a client identity for the hosts and ports of the log-ins by certificate.
    #[must_use]
    pub fn certificate() -> Self {
        Self { by: By::Certificate, retry: LogInRetry::default() }
    }

    /// With other settings of how often a log-in is tried.
    #[must_use]
    pub const fn with_retry(mut self, retry: LogInRetry) -> Self {
        self.retry = retry;
        self
    }

    /// The source of one token: where it is obtained by a key, and where by a certificate.
    pub(crate) fn source<T>(
        &self,
        by_key: (&Component, Path),
        by_certificate: (&Component, Path),
        context: &Context,
    ) -> LogIn<T> {
        let (how, (at, path)) = match &self.by {
            By::Key { name, key } => {
                (How::Signed(Signer::new(name, key, &context.clock).into()), by_key)
            }
            By::Certificate => (How::Certificate, by_certificate),
        };
        LogIn { how, at: at.clone(), path, retry: self.retry, token: PhantomData }
    }
}

/// One of the two log-ins, as the source of a session.
pub(crate) struct LogIn<T> {
    how: How,
    at: Component,
    path: Path,
    retry: LogInRetry,
    token: PhantomData<fn() -> T>,
}

enum How {
    Signed(Box<Signer>),
    Certificate,
}

impl<T: PairToken> LogIn<T> {
    /// One attempt, with a token that is signed for it.
    fn attempt<'a>(&'a self, context: &'a Context) -> Flow<'a, T> {
        let exchange = match &self.how {
            How::Signed(signer) => {
                signer.sign().and_then(|jwt| exchange::with_jwt(&self.at, self.path, jwt.expose()))
            }
            How::Certificate => exchange::with_certificate(&self.at, self.path),
        };
        Flow::new(async move {
            let answer = context.transport.fetch(exchange?).await?;
            if answer.status().is_success() {
                return exchange::token(&answer);
            }
            let refused = match self.how {
                How::Signed(_) => exchange::refused,
                How::Certificate => exchange::refused_certificate,
            };
            Err(refused(&answer, self.path.what, context.clock.now()))
        })
    }
}

impl<T: PairToken> TokenSource for LogIn<T> {
    type Token = T;

    fn token<'a>(&'a self, context: &'a Context, _: Renewal<T>) -> Flow<'a, T> {
        Flow::new(self.retry.run(context, || self.attempt(context)))
    }
}

impl fmt::Debug for SymphonyLogIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            By::Key { name, .. } => write!(f, "SymphonyLogIn(key of {name:?})"),
            By::Certificate => f.write_str("SymphonyLogIn(certificate)"),
        }
    }
}
