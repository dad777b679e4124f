//! Symphony's rules over a registry of credentials, without a server framework.
//!
//! Nothing here knows axum, faults or records: a platform that issues such tokens itself can take it as it is.

mod accounts;
mod common_jwt;
mod doors;
mod installation;
mod keys;
mod log_ins;

pub(super) use accounts::{Account, Accounts, LogsInBy, NewAccount, Role};
pub(super) use common_jwt::{CommonJwts, user_jwt};
pub(super) use doors::Doors;
pub(super) use installation::{Installation, InstallationSettings};
pub(super) use keys::{AccountKey, KeyChange};
pub(super) use log_ins::LogIns;

/// The certificate of the pod, in PEM.
pub(super) const POD_CERTIFICATE: &str = include_str!("pod_keys/certificate.pem");

/// The key set of the common JWT.
pub(super) const POD_KEY_SET: &str = include_str!("pod_keys/jwks.json");

/// The key of both. Everybody knows it.
const POD_KEY: &str = include_str!("pod_keys/key.pem");

/// Its name in the key set.
const POD_KEY_ID: &str = "emulated-pod";
