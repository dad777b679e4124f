//! The error of a token that was obtained and could not be kept.

use auth_core::Error;
use std::{error, fmt};

/// A token was obtained and the store did not save it, so it was given to nobody. It is kept in memory, and the next
/// attempt saves it first.
///
/// It is the cause of an `Error::Unavailable` with the code `session_token_not_saved`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenNotSaved {
    /// What the store said.
    pub store: Error,
}

impl TokenNotSaved {
    pub(super) fn error(store: Error) -> Error {
        Error::unavailable("session_token_not_saved", None, Self { store })
    }
}

impl fmt::Display for TokenNotSaved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = &self.store;
        write!(
            f,
            "token was obtained and the store did not save it ({store}); mend the store, the token is saved then"
        )
    }
}

impl error::Error for TokenNotSaved {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.store)
    }
}
