//! What every handler shares.

use super::{passwords::RememberedPasswords, sessions::CountedSessions, tokens::EndableTokens};
use crate::shared::Shared;
use auth_core::{Clock, Random, Result, Secret, TenantId};
use auth_ibsso::SessionEndpoint;
use auth_infobip::{ApiKeyEndpoint, InfobipDoor, InfobipPlatform, InfobipUsers};
use auth_static::{Argon2Concurrency, Argon2Cost};
use auth_tower::BlockingThreads;
use std::sync::Arc;
use tokio::runtime::Handle;

pub(super) struct App {
    pub(super) platform: InfobipPlatform,
    pub(super) account: TenantId,
    pub(super) endpoint: SessionEndpoint<CountedSessions, InfobipUsers, InfobipDoor>,
    pub(super) users: InfobipUsers,
    pub(super) tokens: EndableTokens,
    pub(super) keys: ApiKeyEndpoint,
    pub(super) door: InfobipDoor,
    pub(super) shared: Shared,
}

impl App {
    /// Passwords are hashed on the blocking threads of the runtime that this is called on.
    pub(super) fn new(
        platform: InfobipPlatform,
        account: TenantId,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Arc<Self>> {
        let registry = platform.registry();
        let concurrency = Argon2Concurrency { running: 2, waiting: 10_000 };
        let workers = BlockingThreads::new(Handle::current());
        let passwords = registry.basic_passwords(Argon2Cost::default(), concurrency, workers)?;
        let users = InfobipUsers::new(RememberedPasswords::new(registry, passwords, &*random)?);
        let tokens = EndableTokens::new(&platform, &secret(&*random)?)?;
        let door = platform.door(&users, tokens.clone())?;
        let shared = Shared::new(clock, random);
        let (sessions, hasher) = (platform.sessions(), registry.token_hasher());
        let counted = CountedSessions::new(sessions, hasher, shared.record.clone());
        let endpoint = SessionEndpoint::new(counted, users.clone(), door.clone());
        let keys = platform.api_key_endpoint();
        Ok(Arc::new(Self { platform, account, endpoint, users, tokens, keys, door, shared }))
    }

    /// Ends every OAuth token.
    pub(super) fn end_tokens(&self) -> Result<()> {
        self.tokens.end_all(&self.platform, &secret(&*self.shared.random)?)
    }
}

/// What tokens are signed with.
fn secret(random: &dyn Random) -> Result<Secret> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes)?;
    Ok(Secret::new(bytes))
}
