//! The accounts that the pod knows: bots, extension apps and users.

use auth_core::{Caller, Error, Result};
use auth_lifecycle::ServiceId;
use std::sync::Arc;

/// What an account is, and what its sessions open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::symphony) enum Role {
    /// A service account, which logs in with a key or a certificate.
    Bot,
    /// A service account that may change the keys of others.
    Administrator,
    /// An extension app, which logs in as bots do. Its session opens the log-ins of users, and nothing else.
    App,
    /// A person, on whose behalf apps call.
    User,
}

impl Role {
    /// As sessions carry it.
    pub(super) const fn scope(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Administrator => "administrator",
            Self::App => "app",
            Self::User => "user",
        }
    }

    /// Has it keys, and logs in with them?
    pub(super) const fn logs_in(self) -> bool {
        !matches!(self, Self::User)
    }

    /// The role of a caller.
    pub(in crate::symphony) fn of(caller: &Caller) -> Option<Self> {
        [Self::Bot, Self::Administrator, Self::App, Self::User]
            .into_iter()
            .find(|role| caller.scopes.contains(role.scope()))
    }
}

/// An account that is to be made.
pub(in crate::symphony) struct NewAccount {
    pub(in crate::symphony) id: i64,
    pub(in crate::symphony) name: Box<str>,
    pub(in crate::symphony) role: Role,
    pub(in crate::symphony) apps: Vec<Box<str>>,
    pub(in crate::symphony) by: LogsInBy,
}

/// By what an account logs in.
pub(in crate::symphony) enum LogsInBy {
    /// A key, of which this is the public one in PEM.
    Key(Box<str>),
    /// A certificate, whose common name is that of the account.
    Certificate,
    /// It does not.
    Nothing,
}

/// An account, which is a service of the registry.
#[derive(Debug)]
pub(in crate::symphony) struct Account {
    pub(in crate::symphony) id: i64,
    pub(in crate::symphony) name: Box<str>,
    pub(in crate::symphony) role: Role,
    /// The apps that a user has installed.
    pub(in crate::symphony) apps: Vec<Box<str>>,
    /// May it log in by certificate?
    pub(in crate::symphony) has_certificate: bool,
    pub(in crate::symphony) service: ServiceId,
}

/// All accounts. A clone is the same ones.
#[derive(Clone, Debug)]
pub(in crate::symphony) struct Accounts(Arc<[Account]>);

impl Accounts {
    pub(super) fn new(all: Vec<Account>) -> Self {
        Self(all.into())
    }

    pub(in crate::symphony) fn iter(&self) -> impl Iterator<Item = &Account> {
        self.0.iter()
    }

    pub(in crate::symphony) fn named(&self, role: Role, name: &str) -> Option<&Account> {
        self.iter().find(|it| it.role == role && *it.name == *name)
    }

    /// The service account of this id.
    pub(in crate::symphony) fn bot(&self, id: i64) -> Option<&Account> {
        let is_bot = |role| matches!(role, Role::Bot | Role::Administrator);
        self.iter().find(|it| it.id == id && is_bot(it.role))
    }

    pub(in crate::symphony) fn user(&self, id: i64) -> Option<&Account> {
        self.iter().find(|it| it.role == Role::User && it.id == id)
    }

    /// Whose credentials a caller has.
    pub(in crate::symphony) fn of(&self, caller: &Caller) -> Option<&Account> {
        let service = caller.service.as_deref()?;
        self.iter().find(|it| it.service.as_str() == service)
    }
}

/// Can these be the accounts of one installation?
///
/// # Errors
///
/// `Error::Config` when two have one name or one id, an app that a user has installed is none, or a name is empty or has a
/// colon.
pub(super) fn check(all: &[NewAccount]) -> Result<()> {
    let wrong = |name: &str, what: &str| {
        Err(Error::config("emulator_account", format!("account {name:?} {what}")))
    };
    for (at, one) in all.iter().enumerate() {
        if one.name.is_empty() || one.name.contains(':') {
            return wrong(&one.name, "is empty or has ':', which no name may");
        }
        let before = all.iter().take(at);
        if before.clone().any(|it| it.name == one.name) {
            return wrong(&one.name, "is given twice, expected once");
        }
        if before.clone().any(|it| it.id == one.id) {
            return wrong(&one.name, "has the id of another account");
        }
        let apps = all.iter().filter(|it| it.role == Role::App).map(|it| &it.name);
        if !one.apps.iter().all(|name| apps.clone().any(|app| app == name)) {
            return wrong(&one.name, "has installed an app that there is not");
        }
    }
    Ok(())
}
