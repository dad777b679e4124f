//! A token of a store, which is presented as the token itself is.

use auth_core::{
    Answer, Credentials, Lifespan, Need, PresentableToken, Refusal, Result, Succession, Timestamp,
    Token,
};
use http::{HeaderMap, StatusCode};

/// A token from a store.
#[derive(Clone, Debug)]
pub struct StoredToken<T> {
    pub(super) token: T,
    pub(super) fence: u64,
}

impl<T> StoredToken<T> {
    /// The token itself.
    #[must_use]
    pub const fn token(&self) -> &T {
        &self.token
    }
}

impl<T: Token> Token for StoredToken<T> {
    fn lifespan(&self) -> Lifespan {
        self.token.lifespan()
    }

    fn renew_from(&self) -> Option<Timestamp> {
        self.token.renew_from()
    }

    fn succession(&self) -> Succession {
        self.token.succession()
    }
}

impl<T: PresentableToken> PresentableToken for StoredToken<T> {
    fn credentials(&self) -> Result<Credentials> {
        self.token.credentials()
    }

    fn refusal(answer: Answer<'_>) -> Option<Refusal> {
        T::refusal(answer)
    }

    fn reads(status: StatusCode, headers: &HeaderMap) -> Need {
        T::reads(status, headers)
    }
}
