//! What a role does not include is refused before anything is made, and each attempt is written down, in bounded events.
#![allow(clippy::unwrap_used)]

mod common;

use auth_core::{Flow, Result, Secret, TenantId};
use auth_lifecycle::{
    Actor, Answer, CommandName, CommandRefusal, Commands, CredentialId, EventName, KeyWrapper,
    Kind, LedgerEvent, LifecycleStore, MemoryLifecycleStore, NewSecret, Registry, RegistryKeys,
    RevokeGuard, Role, ServiceId, Update, Wanted, WrappedKey,
};
use common::{Platform, alice};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

fn ledger(store: &MemoryLifecycleStore) -> Vec<LedgerEvent> {
    store.changes_since(0, usize::MAX).wait().unwrap().events
}

fn refused<T: Send + 'static>(answer: Answer<T>) -> Flow<'static, CommandRefusal> {
    answer.map(|answer| answer.map(|_| "it was done").unwrap_err())
}

type Attempt = fn(&Commands, &ServiceId, &CredentialId) -> Flow<'static, CommandRefusal>;

/// Every command and every view, as the ledger names the attempt, and a role that does not include it.
const ATTEMPTS: &[(&str, Role, Attempt)] = &[
    ("create_service", Role::ReadOnly, |by, _, _| refused(by.create_service("more"))),
    ("create", Role::ReadOnly, |by, service, _| {
        refused(by.create(Some(service), Kind::ApiKey, Wanted::default()))
    }),
    ("replace_session", Role::ReadOnly, |by, service, _| {
        refused(by.replace_session(service, Kind::IbssoSession, Wanted::default()))
    }),
    ("import", Role::LimitedAccess, |by, service, _| {
        let secret = NewSecret::Sha256([1; 32]);
        refused(by.import(Some(service), Kind::ApiKey, Wanted { secret, ..Wanted::default() }))
    }),
    ("rotate", Role::Auditor, |by, _, id| {
        refused(by.rotate(id, Duration::from_secs(60), Wanted::default()))
    }),
    ("regenerate", Role::System, |by, _, id| refused(by.regenerate(id, NewSecret::Generated))),
    ("discard", Role::ReadOnly, |by, _, id| refused(by.discard(id, 1))),
    ("reactivate", Role::ReadOnly, |by, _, id| refused(by.reactivate(id))),
    ("delete", Role::ReadOnly, |by, _, id| refused(by.delete(id, 1, None))),
    ("revoke", Role::ReadOnly, |by, _, id| refused(by.revoke(id, RevokeGuard::KeepLast))),
    ("cancel_retire", Role::ReadOnly, |by, _, id| refused(by.cancel_retire(id))),
    ("update", Role::ReadOnly, |by, _, id| refused(by.update(id, Update::default()))),
    ("destroy", Role::ReadOnly, |by, _, id| refused(by.destroy(id))),
    ("bind", Role::ReadOnly, |by, _, id| refused(by.bind(id, "cron"))),
    ("unbind", Role::ReadOnly, |by, _, id| refused(by.unbind(id, "cron"))),
    ("step_up", Role::ReadOnly, |by, _, id| {
        refused(by.step_up(id, CommandName::Delete, "right".into()))
    }),
    ("reveal", Role::ReadOnly, |by, _, id| refused(by.reveal(id))),
    ("credential", Role::Bearer, |by, _, id| refused(by.credential(id))),
    ("dry_run", Role::Bearer, |by, _, id| refused(by.dry_run(id))),
    ("list", Role::Bearer, |by, service, _| refused(by.list(Some(service)))),
    ("list", Role::Bearer, |by, _, _| refused(by.list(None))),
    ("services", Role::Bearer, |by, _, _| refused(by.services(None, 9))),
    ("bound", Role::Bearer, |by, service, _| {
        refused(by.bound(Some(service), Kind::ServiceKey, "cron"))
    }),
    ("events", Role::ReadOnly, |by, _, _| refused(by.events(0, 9))),
    ("act_as", Role::Owner, |by, service, _| refused(by.act_as(service))),
];

fn key(platform: &Platform) -> CredentialId {
    let groups = platform.by().list(Some(&platform.service)).wait().unwrap().unwrap();
    let first = groups.iter().flat_map(|group| &group.credentials).next();
    first.unwrap().id.clone()
}

#[test]
fn every_attempt_that_a_role_does_not_include_is_one_event() {
    let platform = Platform::new();
    let id = key(&platform);
    for (number, (name, role, attempt)) in ATTEMPTS.iter().enumerate() {
        let before = ledger(&platform.store).len();
        let actor: Arc<str> = format!("actor {number}").into();
        let actor = Actor::new(TenantId::new("acme"), actor, *role);
        let by = platform.registry.by(&actor).because("out of curiosity");
        let refusal = attempt(&by, &platform.service, &id).wait().unwrap();
        assert_eq!(refusal, CommandRefusal::Forbidden, "{name}");
        let events = ledger(&platform.store);
        assert_eq!(events.len(), before + 1, "{name}");
        let what = &events[before].what;
        assert_eq!((what.name, what.detail.as_str()), (EventName::Refused, *name));
        assert_eq!((&what.actor, what.role, &*what.cause), (&actor.id, *role, "out of curiosity"));
    }
    platform.registry.verify_chain().wait().unwrap();
}

/// Counts the keys that it is asked to wrap: a secret that was made and sealed.
struct Counting(Arc<AtomicUsize>);

impl KeyWrapper for Counting {
    fn newest_key_id(&self) -> Arc<str> {
        Arc::from("plain")
    }

    fn wrap_key(&self, data_key: &Secret) -> Flow<'_, WrappedKey> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let bytes = data_key.expose().to_vec();
        Flow::ready(WrappedKey { key_id: self.newest_key_id(), bytes })
    }

    fn unwrap_key(&self, wrapped: &WrappedKey) -> Flow<'_, Secret> {
        Flow::ready(Secret::new(wrapped.bytes.clone()))
    }
}

#[test]
fn no_secret_is_made_for_a_role_that_may_not_have_it() -> Result<()> {
    let (wrapped, store) = (Arc::new(AtomicUsize::new(0)), MemoryLifecycleStore::new());
    let keys = RegistryKeys::new(Secret::new([7; 32]), Counting(Arc::clone(&wrapped)))?;
    let registry = Registry::build(store, keys).finish()?;
    let made = registry.by(&alice()).create_service("alerts").wait()?.unwrap();
    let (service, id) = (made.service.id, made.key.credential.id);
    let before = wrapped.load(Ordering::SeqCst);
    let by = registry.by(&Actor::new(TenantId::new("acme"), "eve", Role::ReadOnly));
    for (name, _, attempt) in &ATTEMPTS[..6] {
        assert_eq!(attempt(&by, &service, &id).wait()?, CommandRefusal::Forbidden, "{name}");
        assert_eq!(wrapped.load(Ordering::SeqCst), before, "{name}");
    }
    Ok(())
}

fn told(store: &MemoryLifecycleStore, name: EventName) -> Vec<String> {
    let of = |event: LedgerEvent| (event.what.name == name).then_some(event.what.detail);
    ledger(store).into_iter().filter_map(of).collect()
}

#[test]
fn an_actor_that_tries_again_and_again_fills_no_ledger() {
    let platform = Platform::new();
    let id = key(&platform);
    let eve = Actor::new(TenantId::new("acme"), "eve", Role::ReadOnly);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..125 {
                    let refusal = platform.registry.by(&eve).reveal(&id).wait().unwrap();
                    assert_eq!(refusal.unwrap_err(), CommandRefusal::Forbidden);
                }
            });
        }
    });
    let counts = || {
        let refused = told(&platform.store, EventName::Refused).len();
        (refused, told(&platform.store, EventName::RefusalsLeftOut))
    };
    assert_eq!(counts(), (10, vec![]));
    // Another actor is counted by itself.
    let mallory = Actor::new(TenantId::new("acme"), "mallory", Role::ReadOnly);
    let _ = platform.registry.by(&mallory).reveal(&id).wait().unwrap();
    assert_eq!(counts(), (11, vec![]));
    platform.registry.retire_due().wait().unwrap();
    assert_eq!(counts(), (11, vec![]));
    platform.clock.advance(Duration::from_secs(60));
    platform.registry.retire_due().wait().unwrap();
    assert_eq!(counts(), (11, vec![String::from("990 more in one minute")]));
    // The next minute begins with the next attempt, and nothing is told twice.
    let _ = platform.registry.by(&eve).reveal(&id).wait().unwrap();
    platform.clock.advance(Duration::from_secs(61));
    let _ = platform.registry.by(&eve).reveal(&id).wait().unwrap();
    platform.registry.retire_due().wait().unwrap();
    assert_eq!(counts(), (13, vec![String::from("990 more in one minute")]));
    platform.registry.verify_chain().wait().unwrap();
}

#[test]
fn a_session_is_replaced_only_where_one_alone_is_alive() {
    let platform = Platform::new();
    for kind in Kind::ALL {
        let replaced = platform.by().replace_session(&platform.service, kind, Wanted::default());
        match kind {
            Kind::IbssoSession => drop(replaced.wait().unwrap().unwrap()),
            Kind::ProfileKey => {
                let refusal = replaced.wait().unwrap().unwrap_err();
                assert_eq!(refusal.code(), "lifecycle_invalid", "{kind}");
            }
            _ => {
                let refusal = replaced.wait().unwrap().unwrap_err();
                let command = CommandName::ReplaceSession;
                assert_eq!(refusal, CommandRefusal::NotForKind { command }, "{kind}");
            }
        }
    }
}
