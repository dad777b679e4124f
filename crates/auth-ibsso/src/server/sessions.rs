//! What the server side needs of a platform: its sessions, and its users.

use auth_core::{Flow, Secret};
use std::{fmt, net::IpAddr, sync::Arc};

/// The sessions of a platform: created, found and destroyed.
///
/// The platform decides how long a session lives. Where it ends when it was not used for a while, and several nodes note
/// uses in intervals, a node counts the idle time with the interval added: it must not end a session that another node has
/// seen used.
pub trait Sessions: Send + Sync {
    /// A user, as the look-up of user names and passwords finds it.
    type User: Send;

    /// What the token of a session proves.
    type Principal: Send;

    /// Creates a session of this user, unless one is alive: of those who ask at once, one gets it.
    ///
    /// # Errors
    ///
    /// `Error::Unavailable` when no session was created; any other when that is not known.
    fn create(&self, user: Self::User, new: NewSession) -> Flow<'_, CreateOutcome>;

    /// What the session of this token proves, if it is alive. It is not told who presents the token: the address that
    /// the session is bound to belongs into the principal, for the check around the
    /// [`IbssoVerifier`](crate::IbssoVerifier).
    ///
    /// # Errors
    ///
    /// When nobody could tell.
    fn find(&self, token: &[u8]) -> Flow<'_, Option<Self::Principal>>;

    /// Ends the session of this token; false if none was alive.
    ///
    /// # Errors
    ///
    /// `Error::Unavailable` when the session was not ended; any other when that is not known.
    fn destroy(&self, token: &[u8]) -> Flow<'_, bool>;
}

/// What is asked for with a session.
///
/// [`SessionEndpoint`](crate::SessionEndpoint) makes it of a request. The default, for tests of [`Sessions`], asks for a
/// session that is bound to no address and replaces none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewSession {
    /// The session may be used from this address alone; from anywhere if `None`. It is the `Peer::address` of the
    /// request that the endpoint was given: an adapter gives `IpAddr::to_canonical`, as `VerifyLayer` of auth-tower does,
    /// or an IPv4 address of a listener for both families has two forms that are not equal.
    pub bound_to: Option<IpAddr>,
    /// A session that is alive ends in the same step, though its token is lost.
    pub replaces: bool,
    /// A creation with the same key gets the same token for a while, since its answer may have been lost.
    pub idempotency_key: Option<Box<str>>,
}

/// What became of a creation.
#[derive(Debug)]
pub enum CreateOutcome {
    /// There is a session, with this token.
    Created(Secret),
    /// A session of the user is alive: it has to be destroyed first.
    AlreadyAlive,
    /// The idempotency key was given with another request.
    KeyReused,
}

/// A user name and a password, as a log-in has them.
#[derive(Clone)]
pub struct UserPassword {
    /// The user name.
    pub user: Arc<str>,
    /// The password.
    pub password: Arc<Secret>,
}

impl fmt::Debug for UserPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserPassword({:?}, ..)", self.user)
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<S: Sessions + ?Sized> Sessions for $pointer<S> {
            type User = S::User;
            type Principal = S::Principal;

            fn create(&self, user: Self::User, new: NewSession) -> Flow<'_, CreateOutcome> {
                (**self).create(user, new)
            }

            fn find(&self, token: &[u8]) -> Flow<'_, Option<Self::Principal>> {
                (**self).find(token)
            }

            fn destroy(&self, token: &[u8]) -> Flow<'_, bool> {
                (**self).destroy(token)
            }
        }
    )*};
}

forward!(Arc, Box);
