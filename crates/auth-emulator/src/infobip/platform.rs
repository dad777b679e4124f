//! Infobip's rules over a registry of credentials, without a server framework.
//!
//! Nothing here knows axum, faults or records: a platform that issues such sessions and keys itself can take it as it is.

mod account;
mod dates;
mod door;
mod keys;
mod passwords;
mod scopes;
mod sessions;

pub(super) use account::{Account, AccountSettings, uuid};
pub(super) use door::door;
pub(super) use keys::{ApiKeys, KeyFields, KeyFilter, KeyPage, KeyRefusal, KeyView};
pub(super) use passwords::{RememberedPasswords, Users};
pub(super) use scopes::{EVERYTHING, covers};
pub(super) use sessions::RegistrySessions;
