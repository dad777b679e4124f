//! What a deletion needs beside a role.

use super::CommandName;
use crate::{CredentialId, decide::CLOCKS_APART};
use auth_core::Timestamp;
use std::{sync::Arc, time::Duration};

/// That an actor has proved anew who it is, for one command on one credential.
///
/// The registry makes it when the platform has checked the actor's password, and signs it; a command that reaches
/// [`decide`](crate::decide()) holds one that the registry made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepUp {
    /// The actor.
    pub actor: Arc<str>,
    /// The credential that the proof is for.
    pub credential: CredentialId,
    /// The command that the proof is for.
    pub command: CommandName,
    /// When the actor proved it.
    pub at: Timestamp,
}

impl StepUp {
    /// A proof is good strictly before this age.
    pub const LIFETIME: Duration = Duration::from_secs(5 * 60);

    /// The clock of the process that made a proof may be this much ahead of the one that judges it.
    pub const MOST_AHEAD: Duration = CLOCKS_APART;
}
