//! User names and passwords: of Basic, of the creation of sessions, and of OAuth clients.

use auth_core::{Attempt, Caller, Flow, Lookup};
use auth_ibsso::UserPassword;
use auth_lifecycle::Known;
use auth_static::{Passwords, UserPass};
use std::{fmt, sync::Arc};

/// The users of all accounts: tells whose a user name and a password are.
///
/// It is made of what checks the passwords of a registry, which hashes slowly, on threads that may block. A clone shares
/// it.
///
/// ```
/// use auth_core::InlineWorkers;
/// use auth_infobip::{InfobipPlatform, InfobipUsers};
/// use auth_static::{Argon2Concurrency, Argon2Cost};
/// # fn of(platform: &InfobipPlatform) -> auth_core::Result<InfobipUsers> {
/// let concurrency = Argon2Concurrency { running: 2, waiting: 64 };
/// let workers = InlineWorkers; // a server takes `BlockingThreads` of auth-tower
/// let passwords = platform.registry().basic_passwords(Argon2Cost::default(), concurrency, workers)?;
/// let users = InfobipUsers::new(passwords);
/// # Ok(users)
/// # }
/// ```
#[derive(Clone)]
pub struct InfobipUsers(Arc<dyn Passwords<Principal = Known>>);

impl InfobipUsers {
    /// The users whose passwords are checked by this: `BasicPasswords` of auth-lifecycle, or what stands around it.
    pub fn new(passwords: impl Passwords<Principal = Known> + 'static) -> Self {
        Self(Arc::new(passwords))
    }
}

impl InfobipUsers {
    /// The password that this log-in has proved. The endpoint that asks counts the attempts.
    pub(super) fn proved(&self, login: &UserPassword) -> Flow<'_, Option<Known>> {
        match login.password.expose_text() {
            Some(password) => self.check(UserPass::new(&login.user, password), Attempt::UNLIMITED),
            None => Flow::ready(None),
        }
    }
}

impl Passwords for InfobipUsers {
    type Principal = Known;

    fn check(&self, presented: UserPass<'_>, attempt: Attempt) -> Flow<'_, Option<Known>> {
        self.0.check(presented, attempt)
    }
}

impl Lookup<UserPassword> for InfobipUsers {
    type Found = Caller;

    fn lookup(&self, login: &UserPassword) -> Flow<'_, Option<Caller>> {
        self.proved(login).map(|known| known.map(|known| known.caller().clone()))
    }
}

impl fmt::Debug for InfobipUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InfobipUsers(..)")
    }
}
