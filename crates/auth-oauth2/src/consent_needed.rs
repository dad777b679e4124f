//! The error that only a user can resolve.

use crate::TokenError;
use auth_core::Error;
use std::{error, fmt};

/// A user has to consent: nobody has yet, or what they agreed to has ended.
///
/// It is the cause of an `Error::Refused` with the code `oauth2_consent_needed`. A session tells its observer of it once,
/// and asks the server nothing more until a token is [put](auth_session::Session::put) there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConsentNeeded {
    /// How the server refused the refresh token; `None` when there was none that could be used.
    pub refused: Option<TokenError>,
}

impl ConsentNeeded {
    pub(crate) const CODE: &str = "oauth2_consent_needed";

    /// The error in place of one that a refresh was refused with.
    pub(crate) fn after(refused: &Error) -> Error {
        let refused = TokenError::of(refused).cloned();
        Error::refused(Self::CODE, Self { refused })
    }

    pub(crate) fn at_first() -> Error {
        Error::refused(Self::CODE, Self { refused: None })
    }
}

impl fmt::Display for ConsentNeeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the user has to consent; begin an authorization, and put its token into the session",
        )?;
        match &self.refused {
            Some(refused) => write!(f, " (the refresh token was refused with {})", refused.error),
            None => Ok(()),
        }
    }
}

impl error::Error for ConsentNeeded {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        let refused: &(dyn error::Error + 'static) = self.refused.as_ref()?;
        Some(refused)
    }
}
