//! What every handler shares.

use super::{
    oauth::Tokens,
    platform::{Account, ApiKeys, RegistrySessions, RememberedPasswords, Users, door, uuid},
    sessions::CountedSessions,
};
use crate::{Faults, record::Record};
use auth_core::{Caller, Clock, Random, Result, Verifier};
use auth_ibsso::SessionEndpoint;
use auth_static::{Argon2Concurrency, Argon2Cost};
use auth_tower::BlockingThreads;
use std::sync::Arc;
use tokio::runtime::Handle;

pub(super) type Door = Arc<dyn Verifier<Principal = Caller>>;
type Login = Users<Arc<RememberedPasswords>>;

pub(super) struct App {
    pub(super) account: Account,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) faults: Faults,
    pub(super) record: Record,
    pub(super) sessions: RegistrySessions,
    pub(super) endpoint: SessionEndpoint<CountedSessions, Login, Door>,
    pub(super) users: Login,
    pub(super) tokens: Tokens,
    pub(super) keys: ApiKeys,
    pub(super) door: Door,
    pub(super) random: Arc<dyn Random>,
}

impl App {
    /// Passwords are hashed on the blocking threads of the runtime that this is called on.
    pub(super) fn new(
        account: Account,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Arc<Self>> {
        let registry = &account.registry;
        let concurrency = Argon2Concurrency { running: 2, waiting: 10_000 };
        let workers = BlockingThreads::new(Handle::current());
        let passwords = registry.basic_passwords(Argon2Cost::default(), concurrency, workers)?;
        let passwords = Arc::new(RememberedPasswords::new(registry, passwords, &*random)?);
        let tokens = Tokens::new(Arc::clone(&clock), &*random)?;
        let door: Door = Arc::new(door(registry, Arc::clone(&passwords), tokens.verifier()?)?);
        let (record, users) = (Record::default(), Users(passwords));
        let sessions = RegistrySessions::new(registry.clone());
        let counted =
            CountedSessions::new(sessions.clone(), registry.token_hasher(), record.clone());
        let endpoint = SessionEndpoint::new(counted, users.clone(), Arc::clone(&door));
        let keys = ApiKeys::new(account.clone(), Arc::clone(&clock), Arc::clone(&random));
        let faults = Faults::default();
        Ok(Arc::new(Self {
            account,
            clock,
            faults,
            record,
            sessions,
            endpoint,
            users,
            tokens,
            keys,
            door,
            random,
        }))
    }

    /// A new identifier, in the form of a UUID.
    pub(super) fn identifier(&self) -> Result<String> {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes)?;
        Ok(uuid(bytes))
    }
}
