//! What every handler shares.

use super::{passwords::RememberedPasswords, sessions::CountedSessions, tokens::EndableTokens};
use crate::{Faults, record::Record};
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
    pub(super) clock: Arc<dyn Clock>,
    pub(super) faults: Faults,
    pub(super) record: Record,
    pub(super) endpoint: SessionEndpoint<CountedSessions, InfobipUsers, InfobipDoor>,
    pub(super) users: InfobipUsers,
    pub(super) tokens: EndableTokens,
    pub(super) keys: ApiKeyEndpoint,
    pub(super) door: InfobipDoor,
    random: Arc<dyn Random>,
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
        let record = Record::default();
        let counted =
            CountedSessions::new(platform.sessions(), registry.token_hasher(), record.clone());
        let endpoint = SessionEndpoint::new(counted, users.clone(), door.clone());
        let keys = platform.api_key_endpoint();
        let faults = Faults::default();
        Ok(Arc::new(Self {
            platform,
            account,
            clock,
            faults,
            record,
            endpoint,
            users,
            tokens,
            keys,
            door,
            random,
        }))
    }

    /// Ends every OAuth token.
    pub(super) fn end_tokens(&self) -> Result<()> {
        self.tokens.end_all(&self.platform, &secret(&*self.random)?)
    }

    /// A new identifier, in the form of a UUID.
    pub(super) fn identifier(&self) -> Result<String> {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes)?;
        let digits = format!("{:032x}", u128::from_be_bytes(bytes));
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
        Ok([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"))
    }
}

/// What tokens are signed with.
fn secret(random: &dyn Random) -> Result<Secret> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes)?;
    Ok(Secret::new(bytes))
}
