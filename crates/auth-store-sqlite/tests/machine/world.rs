//! Two registries, each over a store of its own.

use super::{
    common::{Directory, close},
    step::{Step, What},
};
use auth_core::{Clock, Error, Flow, Secret, TenantId};
use auth_lifecycle::{
    Actor, Answer, CommandName, CommandRefusal, Commands, CredentialId, FieldChange, GroupId,
    Issued, Kind, LifecycleStore, MemoryLifecycleStore, NewSecret, Registry, RegistryKeys,
    RevokeGuard, Role, ServiceId, StepUpCheck, Update, Use, Wanted,
};
use auth_store_sqlite::SqliteDatabase;
use auth_testing::{ManualClock, SeededRandom};
use std::{fmt::Debug, net::IpAddr, sync::Arc, time::Duration};

struct Password;

impl StepUpCheck for Password {
    fn confirms(&self, _: &Actor, password: &Secret) -> Flow<'_, bool> {
        Flow::ready(password.matches(b"right"))
    }
}

/// One registry, the clock that it reads, and its store.
struct World {
    clock: ManualClock,
    store: Arc<dyn LifecycleStore>,
    registry: Registry,
}

/// Both, and what was made so far, whose names are the same in both.
pub(crate) struct Worlds {
    memory: World,
    sqlite: World,
    database: Option<SqliteDatabase>,
    directory: Option<Directory>,
    services: Vec<ServiceId>,
    made: Vec<(Option<ServiceId>, CredentialId)>,
    secrets: Vec<Secret>,
    starts: u64,
    position: u64,
}

/// What an answer says, the secret included, and what its command made.
#[derive(PartialEq)]
struct Said {
    text: String,
    /// In short, for the count of what was met.
    code: &'static str,
    made: Vec<Made>,
}

#[derive(Clone, PartialEq)]
struct Made {
    service: Option<ServiceId>,
    id: CredentialId,
    secret: Option<Vec<u8>>,
}

fn registry(store: &Arc<dyn LifecycleStore>, clock: &ManualClock, seed: u64) -> Registry {
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
    let builder = Registry::build(Arc::clone(store), keys).with_step_up(Password);
    let builder = builder.with_clock(clock.clone()).with_random(SeededRandom::new(seed));
    builder.finish().unwrap()
}

impl World {
    fn new(store: Arc<dyn LifecycleStore>) -> Self {
        let clock = ManualClock::at(1_800_000_000);
        let registry = registry(&store, &clock, 0);
        Self { clock, store, registry }
    }

    fn position(&self) -> u64 {
        self.store.position().wait().unwrap()
    }
}

impl Worlds {
    pub(crate) fn new(is_file: bool) -> Self {
        let directory = is_file.then(Directory::new);
        let database = match &directory {
            Some(directory) => directory.open(auth_core::SystemClock),
            None => SqliteDatabase::in_memory(auth_core::SystemClock).unwrap(),
        };
        Self {
            memory: World::new(Arc::new(MemoryLifecycleStore::new())),
            sqlite: World::new(Arc::new(database.credentials())),
            database: Some(database),
            directory,
            services: Vec::new(),
            made: Vec::new(),
            secrets: Vec::new(),
            starts: 0,
            position: 0,
        }
    }

    /// Does it in both, compares, and says in short what came of it.
    pub(crate) fn give(&mut self, step: &Step) -> &'static str {
        if matches!(step.what, What::Restart) {
            self.restart();
            return "restarted";
        }
        let (said, other) = (self.said(&self.memory, step), self.said(&self.sqlite, step));
        assert_eq!(said.text, other.text, "{step:?}");
        assert!(said == other, "other secrets after {step:?}");
        for Made { service, id, secret } in said.made {
            self.services.extend(service.clone().filter(|id| !self.services.contains(id)));
            self.made.push((service, id));
            self.secrets.extend(secret.map(Secret::new));
        }
        self.compare();
        said.code
    }

    /// What is in memory only is gone in both.
    fn restart(&mut self) {
        self.starts += 1;
        self.memory.registry = registry(&self.memory.store, &self.memory.clock, self.starts);
        if let Some(directory) = &self.directory {
            let nothing = Arc::new(MemoryLifecycleStore::new());
            let clock = self.sqlite.clock.clone();
            self.sqlite = World { clock, ..World::new(nothing) };
            close(self.database.take().unwrap(), directory);
            let database = directory.open(auth_core::SystemClock);
            self.sqlite.store = Arc::new(database.credentials());
            self.database = Some(database);
        }
        self.sqlite.registry = registry(&self.sqlite.store, &self.sqlite.clock, self.starts);
        self.compare();
    }

    fn compare(&mut self) {
        let (one, other) = (&*self.memory.store, &*self.sqlite.store);
        // The events with their hashes, and so all before them.
        let page = one.changes_since(self.position, 1000).wait().unwrap();
        assert_eq!(page, other.changes_since(self.position, 1000).wait().unwrap());
        self.position = page.position;
        let now = self.memory.clock.now();
        assert_eq!(one.due(now, 100).wait().unwrap(), other.due(now, 100).wait().unwrap());
        // As the owner of either tenant sees them.
        for owner in [0, 4] {
            for service in self.services.iter().map(Some).chain([None]) {
                let list =
                    |world: &World| world.registry.by(&actor(owner)).list(service).wait().unwrap();
                assert_eq!(list(&self.memory), list(&self.sqlite));
            }
        }
        if let Some((_, id)) = self.made.last() {
            let uses = |store: &dyn LifecycleStore| store.uses(id).wait().unwrap();
            assert_eq!(uses(one), uses(other));
        }
        if let Some(secret) = self.secrets.last() {
            let digest = self.memory.registry.token_hasher().hash(secret.expose());
            let find = |store: &dyn LifecycleStore| {
                let found = store.find(&digest).wait().unwrap();
                // What is sealed is sealed with other random bytes.
                let names: Vec<_> = found
                    .credentials
                    .into_iter()
                    .map(|(group, it)| (group, it.id, it.state, it.generation, it.last_used))
                    .collect();
                (names, found.as_of, store.find_fingerprint(&digest).wait().unwrap())
            };
            assert_eq!(find(one), find(other));
        }
    }

    fn service(&self, which: usize) -> ServiceId {
        let number = which.checked_rem(self.services.len());
        number.map_or_else(|| ServiceId::new("s0"), |number| self.services[number].clone())
    }

    /// One of the last that were made: those before have ended mostly.
    fn credential(&self, which: usize) -> CredentialId {
        let last = self.made.iter().rev().take(8);
        let number = which.checked_rem(last.len()).unwrap_or(0);
        last.map(|(_, id)| id).nth(number).cloned().unwrap_or_else(|| CredentialId::new("c0"))
    }

    fn said(&self, world: &World, step: &Step) -> Said {
        let by = world.registry.by(&actor(step.actor));
        let by = match step.key {
            Some(key) => by.once(format!("key {key}")),
            None => by,
        };
        let (id, service) = (self.credential(step.which), self.service(step.which));
        let version = version(&by, &id);
        match &step.what {
            What::CreateService => said(by.create_service("alerts"), |made| {
                let service = made.service.id.clone();
                vec![issued(Some(&service), &made.key), issued(Some(&service), &made.jwt)]
            }),
            What::Create(kind) => {
                let service = (*kind != Kind::ProfileKey).then_some(&service);
                said(by.create(service, *kind, Wanted::default()), |it| vec![issued(service, it)])
            }
            What::ReplaceSession => {
                let session = by.replace_session(&service, Kind::IbssoSession, Wanted::default());
                said(session, |it| vec![issued(Some(&service), it)])
            }
            What::Import => {
                let hash = [u8::try_from(step.which % 5).unwrap(); 32];
                let wanted = Wanted { secret: NewSecret::Sha256(hash), ..Wanted::default() };
                let imported = by.import(Some(&service), Kind::ServiceKey, wanted);
                said(imported, |it| vec![issued(Some(&service), it)])
            }
            What::Discard { is_stale } => {
                let seen = version.saturating_sub(u64::from(*is_stale));
                said(by.discard(&id, seen), |_| Vec::new())
            }
            What::Reactivate => said(by.reactivate(&id), |_| Vec::new()),
            What::Delete => {
                let proof = by.step_up(&id, CommandName::Delete, "right".into()).wait().unwrap();
                said(by.delete(&id, version, proof.ok().as_ref()), |()| Vec::new())
            }
            What::Regenerate => {
                said(by.regenerate(&id, NewSecret::Generated), |it| vec![issued(None, it)])
            }
            What::Rotate { overlap_s } => {
                let overlap = Duration::from_secs(*overlap_s);
                said(by.rotate(&id, overlap, Wanted::default()), |it| vec![issued(None, it)])
            }
            What::CancelRetire => said(by.cancel_retire(&id), |_| Vec::new()),
            What::Revoke { breaks_glass } => {
                let guard = [RevokeGuard::KeepLast, RevokeGuard::BreakGlass];
                said(by.revoke(&id, guard[usize::from(*breaks_glass)]), |_| Vec::new())
            }
            What::Reveal => said(by.reveal(&id).map(|told| told.map(Exposed::of)), |_| Vec::new()),
            What::Update(n) => {
                let end = world.clock.now().after(Duration::from_secs(u64::from(*n) * 86_400));
                let update = Update {
                    label: Some(format!("label {n}").into()),
                    expires: if *n > 1 { FieldChange::Set(end) } else { FieldChange::Keep },
                    ..Update::default()
                };
                said(by.update(&id, update), |_| Vec::new())
            }
            What::Bind(n) => said(by.bind(&id, &format!("job {n}")), |_| Vec::new()),
            What::Unbind(n) => said(by.unbind(&id, &format!("job {n}")), |_| Vec::new()),
            What::Destroy => said(by.destroy(&id), |_| Vec::new()),
            What::ActAs => said(by.act_as(&service), |_| Vec::new()),
            What::ReportLeaked => {
                let number = step.which.checked_rem(self.secrets.len());
                let secret = number.map(|number| Secret::new(self.secrets[number].expose()));
                let secrets: Vec<_> = secret.into_iter().collect();
                plain(&world.registry.report_leaked(&secrets, "a scanner").wait().unwrap())
            }
            What::RetireDue => plain(&world.registry.retire_due().wait().unwrap()),
            What::Use { ago_s, source } => {
                let at = world.clock.now().before(Duration::from_secs(*ago_s));
                let source = (*source > 0).then(|| IpAddr::from([10, 0, 0, *source]));
                plain(&world.store.touch(vec![Use { credential: id, at, source }]).wait().unwrap())
            }
            What::Pass { span_s } => {
                world.clock.advance(Duration::from_secs(*span_s));
                plain(&())
            }
            What::Leap { by_s } => {
                let (now, span) = (world.clock.now(), Duration::from_secs(by_s.unsigned_abs()));
                world.clock.set(if *by_s < 0 { now.before(span) } else { now.after(span) });
                plain(&world.registry.clock_suspicion().is_some())
            }
            What::TrustClock => {
                world.registry.trust_clock();
                plain(&world.position())
            }
            What::Restart => plain(&()),
        }
    }
}

fn version(by: &Commands, id: &CredentialId) -> u64 {
    by.dry_run(id).wait().unwrap().map_or(0, |seen| seen.version)
}

/// The owner first, and those who may less.
fn actor(number: usize) -> Actor {
    let acme = |id: &str, role| Actor::new(TenantId::new("acme"), id, role);
    match number {
        0 => acme("alice", Role::Owner),
        1 => acme("bob", Role::LimitedAccess),
        2 => acme("carol", Role::ReadOnly),
        3 => acme("dora", Role::Owner).allowing_break_glass(),
        _ => Actor::new(TenantId::new("other"), "alice", Role::Owner),
    }
}

struct Exposed(Vec<u8>);

impl Exposed {
    fn of(secret: Secret) -> Self {
        Self(secret.expose().to_vec())
    }
}

impl Debug for Exposed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", String::from_utf8_lossy(&self.0))
    }
}

fn issued(service: Option<&ServiceId>, it: &Issued) -> Made {
    let of: &GroupId = &it.credential.group;
    let secret = it.secret.as_ref().map(|secret| secret.expose().to_vec());
    let service = service.cloned().or_else(|| of.service.clone());
    Made { service, id: it.credential.id.clone(), secret }
}

fn said<T: Debug>(answer: Answer<T>, made: impl FnOnce(&T) -> Vec<Made>) -> Said {
    match answer.wait() {
        Ok(Ok(answer)) => Said { text: format!("{answer:?}"), code: "done", made: made(&answer) },
        Ok(Err(refusal)) => {
            let code = CommandRefusal::code(&refusal);
            Said { text: format!("{refusal:?}"), code, made: Vec::new() }
        }
        Err(error) => {
            let code = Error::code(&error);
            Said { text: error.to_string(), code, made: Vec::new() }
        }
    }
}

fn plain(told: &impl Debug) -> Said {
    Said { text: format!("{told:?}"), code: "told", made: Vec::new() }
}
