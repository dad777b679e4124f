//! Infobip's rules over a registry of credentials, without a server framework.
//!
//! Nothing here knows axum, faults or records: a platform that issues such sessions and keys itself can take it as it is.

mod account;
mod door;
mod passwords;
mod scopes;
mod sessions;

pub(super) use account::{Account, AccountSettings, uuid};
pub(super) use door::door;
pub(super) use passwords::{RememberedPasswords, Users};
pub(super) use scopes::{FULL_ROLE, covers};
pub(super) use sessions::RegistrySessions;
