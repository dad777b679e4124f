//! The two sides that ask a client for Digest, and the fields that each of them uses.

use auth_core::Hop;
use http::{HeaderName, StatusCode, header};

/// The side that asks for credentials: the server, or a proxy on the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Server,
    Proxy,
}

impl Side {
    /// Can this side ask where the request goes next? An origin can be asked for through a proxy that it is behind, a
    /// proxy only by what is handed to it.
    pub(super) fn is_asked_at(self, hop: Hop) -> bool {
        self == Self::Server || hop == Hop::Proxy
    }

    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Server => StatusCode::UNAUTHORIZED,
            Self::Proxy => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        }
    }

    pub(super) const fn asks(self) -> HeaderName {
        match self {
            Self::Server => header::WWW_AUTHENTICATE,
            Self::Proxy => header::PROXY_AUTHENTICATE,
        }
    }

    pub(super) const fn answers(self) -> HeaderName {
        match self {
            Self::Server => header::AUTHORIZATION,
            Self::Proxy => header::PROXY_AUTHORIZATION,
        }
    }

    pub(super) const fn info(self) -> HeaderName {
        match self {
            Self::Server => HeaderName::from_static("authentication-info"),
            Self::Proxy => HeaderName::from_static("proxy-authentication-info"),
        }
    }
}

#[cfg(test)]
mod tests;
