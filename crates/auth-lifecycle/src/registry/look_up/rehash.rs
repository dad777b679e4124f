//! Passwords that are hashed anew when their owner brings them.

use super::{BasicUsers, Kinds, Known, Opened};
use crate::{
    Actor, Command, CredentialId, Kind, Material, Order, Registry, Role, registry::answers::Made,
};
use auth_core::{Attempt, Caller, Error, Flow, Result, Secret, Workers};
use auth_static::{Argon2Concurrency, Argon2Cost, Argon2Passwords, Passwords, UserPass};
use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Checks the passwords of the [users of Basic](BasicUsers), and hashes anew those that are kept under another hash than
/// Argon2id of this cost: see [`Registry::basic_passwords`].
pub struct BasicPasswords {
    passwords: Argon2Passwords<BasicUsers>,
    registry: Registry,
    cost: Argon2Cost,
    /// Credentials that a caller is hashing anew.
    under_way: Mutex<HashSet<Arc<str>>>,
}

impl Registry {
    /// What checks the passwords of the users of Basic, for [`BasicVerifier`](auth_static::BasicVerifier): on these
    /// workers, so many at once.
    ///
    /// A password that is right, and whose hash was imported or has another cost, is kept under Argon2id of this cost from
    /// then on (the event `rehashed`). Its owner waits for that once. If it fails, or too many wait for the workers, the
    /// owner is let in all the same, the registry's observer is told
    /// ([`PasswordNotRehashed`](auth_core::Event::PasswordNotRehashed)), and the next use tries again.
    ///
    /// ```
    /// use auth_core::InlineWorkers;
    /// use auth_static::{Argon2Concurrency, Argon2Cost, BasicVerifier};
    /// # fn door(registry: &auth_lifecycle::Registry) -> auth_core::Result<impl auth_core::Verifier> {
    /// let concurrency = Argon2Concurrency { running: 2, waiting: 64 };
    /// let workers = InlineWorkers; // a server adapter has threads for this
    /// let passwords = registry.basic_passwords(Argon2Cost::default(), concurrency, workers)?;
    /// let door = registry.admit(BasicVerifier::new("accounts", passwords)?);
    /// # Ok(door)
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `Error::Config` when none may run at once; those of the registry's randomness.
    ///
    /// # Security
    ///
    /// bcrypt looks at 72 bytes of a password, so one of 72 bytes or more stays under its bcrypt hash: what was brought
    /// may go on otherwise than its owner's password does.
    pub fn basic_passwords(
        &self,
        cost: Argon2Cost,
        concurrency: Argon2Concurrency,
        workers: impl Workers + 'static,
    ) -> Result<BasicPasswords> {
        let (users, random) = (self.basic_users(), &*self.0.random);
        let passwords = Argon2Passwords::new(users, cost, concurrency, workers, random)?;
        Ok(BasicPasswords { passwords, registry: self.clone(), cost, under_way: Mutex::default() })
    }
}

impl Passwords for BasicPasswords {
    type Principal = Known;

    fn check(&self, presented: UserPass<'_>, attempt: Attempt) -> Flow<'_, Option<Known>> {
        let (user, password) = (presented.user().to_owned(), Secret::new(presented.password()));
        self.passwords.check(presented, attempt).and_then(move |found| match found {
            Some(known) if self.is_due(&known, &password) => Flow::new(async move {
                // Who is calling is proved, whatever becomes of this.
                if let Err(error) = self.rehash(&user, &known, password).await {
                    self.not_rehashed(&known, &error);
                }
                Ok(Some(known))
            }),
            found => Flow::ready(found),
        })
    }
}

impl BasicPasswords {
    fn is_due(&self, known: &Known, password: &Secret) -> bool {
        match known.opened() {
            Opened::Password(hash) => {
                hash.needs_rehash(self.cost) && hash.sees_all_of(password.expose())
            }
            _ => false,
        }
    }

    fn not_rehashed(&self, known: &Known, error: &Error) {
        let Caller { tenant, credential, .. } = known.caller();
        let event = auth_core::Event::PasswordNotRehashed { tenant, credential, error };
        self.registry.0.observer.observe(event);
    }

    /// Hashes anew, unless another caller does so or has done so.
    async fn rehash(&self, user: &str, known: &Known, password: Secret) -> Result<()> {
        let credential = Arc::clone(&known.caller().credential);
        let Some(_turn) = Turn::take(&self.under_way, &credential) else { return Ok(()) };
        let digest = self.registry.0.hashers.name(Kind::BasicPassword, &[user]);
        let now = self.registry.usable(digest, Kinds::of(&[Kind::BasicPassword])).await?;
        let same = |one: &&Known| one.caller().credential == credential;
        let Some(now) = now.iter().find(same) else { return Ok(()) };
        let Opened::Password(hash) = now.opened() else { return Ok(()) };
        let generation = now.generation();
        if known.generation() != generation || !hash.needs_rehash(self.cost) {
            return Ok(());
        }
        let made = self.passwords.hash(password, &*self.registry.0.random).await?;
        let material = Material::PasswordHash(Arc::new(Secret::new(made.to_phc())));
        let credential = CredentialId::new(credential);
        let command = Command::Rehash { credential: credential.clone(), generation, material };
        let tenant = known.caller().tenant.clone();
        let Some(group) = self.registry.0.store.group_of(&tenant, &credential).await? else {
            return Ok(());
        };
        let system = Actor::new(tenant, "system", Role::System);
        let asked = self.registry.0.asked(&system, None, b"rehash")?;
        let order = Order::new(system, command);
        // It is refused where the credential is gone by now, and nothing is lost then.
        let _ = self.registry.run(&group, &order, &asked, &Made::new()).await?;
        Ok(())
    }
}

/// The right to hash a credential's password anew, until it is dropped.
struct Turn<'a> {
    under_way: &'a Mutex<HashSet<Arc<str>>>,
    credential: Arc<str>,
}

impl<'a> Turn<'a> {
    fn take(under_way: &'a Mutex<HashSet<Arc<str>>>, credential: &Arc<str>) -> Option<Self> {
        let mut taken = under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let is_ours = taken.insert(Arc::clone(credential));
        is_ours.then(|| Self { under_way, credential: Arc::clone(credential) })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.credential);
    }
}

impl fmt::Debug for BasicPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BasicPasswords(..)")
    }
}
