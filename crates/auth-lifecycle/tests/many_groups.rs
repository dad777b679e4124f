//! What a registry does to many groups at once: a group that fails holds up no other, and every secret that is reported is
//! found, however it is kept.
#![allow(clippy::unwrap_used)]

use auth_core::{Secret, TenantId};
use auth_lifecycle::{
    Actor, CommandRefusal, Commands, CredentialId, GroupId, Issued, Kind, LifecycleStore,
    MemoryLifecycleStore, NewSecret, Registry, RegistryKeys, RevokeGuard, Role, ServiceId, State,
    Wanted, store_suite::Faulty,
};
use auth_testing::ManualClock;
use std::{sync::Arc, time::Duration};

type Store = Arc<Faulty<MemoryLifecycleStore>>;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn platform() -> (Registry, Store, ManualClock) {
    let (store, clock) =
        (Arc::new(Faulty::new(MemoryLifecycleStore::new())), ManualClock::at(1_800_000_000));
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
    let builder = Registry::build(Arc::clone(&store), keys).with_clock(clock.clone());
    (builder.finish().unwrap(), store, clock)
}

fn by(registry: &Registry, tenant: &str) -> Commands {
    registry.by(&Actor::new(TenantId::new(tenant), "alice", Role::Owner))
}

fn service(by: &Commands) -> ServiceId {
    by.create_service("alerts").wait().unwrap().unwrap().service.id
}

fn make(by: &Commands, service: &ServiceId, kind: Kind, secret: NewSecret) -> Issued {
    let wanted = Wanted { secret, ..Wanted::default() };
    by.import(Some(service), kind, wanted).wait().unwrap().unwrap()
}

fn state(by: &Commands, id: &CredentialId) -> State {
    by.credential(id).wait().unwrap().unwrap().state
}

/// A second credential beside the first, so that a report may revoke it.
fn second(by: &Commands, service: &ServiceId, kind: Kind) -> (CredentialId, Secret) {
    let made = by.create(Some(service), kind, Wanted::default()).wait().unwrap().unwrap();
    (made.credential.id, made.secret.unwrap())
}

#[test]
fn a_reported_secret_is_found_however_it_is_kept() {
    let (registry, _, _) = platform();
    let by = by(&registry, "acme");
    let service = service(&by);
    let former = b"a-token-of-the-former-registry-0123";
    let hash = ring::digest::digest(&ring::digest::SHA256, former);
    let sha256 = NewSecret::Sha256(hash.as_ref().try_into().unwrap());
    let imported = make(&by, &service, Kind::ApiKey, sha256).credential.id;
    let (key, key_text) = second(&by, &service, Kind::ServiceKey);
    let (jwt, jwt_text) = second(&by, &service, Kind::ServiceJwtSecret);
    second(&by, &service, Kind::WebhookSecret);
    let (webhook, webhook_text) = second(&by, &service, Kind::WebhookSecret);
    let reported = [
        Secret::from("nobody has this one"),
        Secret::new(former),
        key_text,
        jwt_text,
        webhook_text,
    ];
    registry.report_leaked(&reported, "a scanner").wait().unwrap();
    for id in [imported, key, jwt, webhook] {
        assert_eq!(state(&by, &id), State::Revoked);
    }
}

#[test]
fn a_reporter_without_bounds_is_refused_and_a_secret_that_comes_often_is_one_report() {
    let (registry, store, _) = platform();
    let by = by(&registry, "acme");
    let service = service(&by);
    let (key, text) = second(&by, &service, Kind::ServiceKey);
    let reported = |many: usize| (0..many).map(|_| Secret::new(text.expose())).collect::<Vec<_>>();
    let refused = registry.report_leaked(&reported(1), &"x".repeat(1001)).wait().unwrap_err();
    assert_eq!(refused.code(), "lifecycle_reporter");
    assert_eq!(state(&by, &key), State::Active);
    let before = store.position().wait().unwrap();
    registry.report_leaked(&reported(1000), &"x".repeat(1000)).wait().unwrap();
    assert_eq!(state(&by, &key), State::Revoked);
    let events = store.changes_since(before, 100).wait().unwrap().events;
    let names: Vec<_> = events.iter().map(|event| event.what.name).collect();
    assert!(names.len() <= 2, "{names:?}");
}

/// A refused attempt is kept for ever with what its actor wrote.
#[test]
fn a_cause_without_bounds_is_refused_whatever_is_attempted() {
    let (registry, store, _) = platform();
    let before = store.position().wait().unwrap();
    let reader = Actor::new(TenantId::new("acme"), "bob", Role::ReadOnly);
    for actor in [reader, Actor::new(TenantId::new("acme"), "alice", Role::Owner)] {
        let by = registry.by(&actor).because("x".repeat(1001));
        let refused = by.create_service_with("alerts", &[]).wait().unwrap().unwrap_err();
        assert!(matches!(refused, CommandRefusal::Invalid { field: "cause", .. }), "{refused}");
        let refused = by.create(None, Kind::ProfileKey, Wanted::default()).wait().unwrap();
        assert!(matches!(refused, Err(CommandRefusal::Invalid { field: "cause", .. })));
    }
    assert_eq!(store.position().wait().unwrap(), before);
}

/// Whoever came second would be the caller from then on, and what was revoked would be back.
#[test]
fn one_token_is_never_two_credentials_however_each_is_kept() {
    let (registry, _, _) = platform();
    let (acme, other) = (by(&registry, "acme"), by(&registry, "other"));
    let token = b"a-token-of-the-former-registry-0123";
    let hash = ring::digest::digest(&ring::digest::SHA256, token);
    let hashed = || NewSecret::Sha256(hash.as_ref().try_into().unwrap());
    let given = || NewSecret::Given(Secret::new(token));
    let (service, elsewhere) = (service(&acme), service(&other));
    let imported = make(&acme, &service, Kind::ApiKey, hashed()).credential.id;
    let again = |by: &Commands, service: &ServiceId, kind, secret| {
        let wanted = Wanted { secret, ..Wanted::default() };
        by.import(Some(service), kind, wanted).wait().unwrap().err()
    };
    for revoked in [false, true] {
        if revoked {
            acme.revoke(&imported, RevokeGuard::KeepLast).wait().unwrap().unwrap();
        }
        for kind in [Kind::ApiKey, Kind::ServiceKey] {
            let taken = Some(CommandRefusal::SecretTaken);
            assert_eq!(again(&other, &elsewhere, kind, given()), taken, "{kind:?} {revoked}");
            assert_eq!(again(&acme, &service, kind, given()), taken, "{kind:?} {revoked}");
            assert_eq!(again(&other, &elsewhere, kind, hashed()), taken, "{kind:?} {revoked}");
        }
    }
    let made = acme.create(Some(&service), Kind::ApiKey, Wanted::default()).wait();
    let new = made.unwrap().unwrap().secret.unwrap();
    let hash = ring::digest::digest(&ring::digest::SHA256, new.expose());
    let theirs = NewSecret::Sha256(hash.as_ref().try_into().unwrap());
    let taken = Some(CommandRefusal::SecretTaken);
    assert_eq!(again(&other, &elsewhere, Kind::ApiKey, theirs), taken, "made here");
}

#[test]
fn a_session_of_which_the_sha256_was_kept_is_destroyed_by_its_holder() {
    let (registry, _, _) = platform();
    let by = by(&registry, "acme");
    let (service, token) = (service(&by), b"a-session-of-the-former-registry-0123");
    let hash = ring::digest::digest(&ring::digest::SHA256, token);
    let secret = NewSecret::Sha256(hash.as_ref().try_into().unwrap());
    let wanted = Wanted { secret, ..Wanted::default() };
    let made = by.create(Some(&service), Kind::IbssoSession, wanted).wait().unwrap().unwrap();
    registry.destroy_session(&Secret::new(token)).wait().unwrap().unwrap();
    assert_eq!(state(&by, &made.credential.id), State::Revoked);
}

#[test]
fn a_report_goes_on_after_a_group_that_fails() {
    let (registry, store, _) = platform();
    let (acme, globex) = (by(&registry, "acme"), by(&registry, "globex"));
    let (theirs, mine) = (service(&acme), service(&globex));
    let (_, first) = second(&acme, &theirs, Kind::ServiceKey);
    let (id, other) = second(&globex, &mine, Kind::ServiceKey);
    store.break_group(GroupId::of_service(TenantId::new("acme"), theirs, Kind::ServiceKey));
    let error = registry.report_leaked(&[first, other], "a scanner").wait().unwrap_err();
    assert_eq!(error.code(), "store_faulty");
    assert_eq!(state(&globex, &id), State::Revoked);
}

/// So many groups with a key that ends in a day, in the order of their ends.
fn ending(registry: &Registry, many: u64) -> Vec<GroupId> {
    let by = by(registry, "acme");
    let now = auth_core::Timestamp::from_unix(1_800_000_000);
    (0..many)
        .map(|number| {
            let service = service(&by);
            let expires = Some(now.after(DAY / 2).after(Duration::from_secs(number)));
            let wanted = Wanted { expires, ..Wanted::default() };
            by.create(Some(&service), Kind::ApiKey, wanted).wait().unwrap().unwrap();
            GroupId::of_service(TenantId::new("acme"), service, Kind::ApiKey)
        })
        .collect()
}

fn has_ended(store: &Store, group: &GroupId) -> bool {
    let group = store.beneath().load(group).wait().unwrap();
    group.credentials.iter().all(|it| it.ended)
}

#[test]
fn a_group_that_fails_keeps_no_other_from_being_retired() {
    let (registry, store, clock) = platform();
    let groups = ending(&registry, 3);
    // What was to be told of their ends is told.
    registry.retire_due().wait().unwrap();
    store.break_group(groups[0].clone());
    clock.advance(DAY - Duration::from_secs(60));
    assert_eq!(registry.retire_due().wait().unwrap_err().code(), "store_faulty");
    assert!(groups[1..].iter().all(|group| has_ended(&store, group)));
}

#[test]
fn groups_that_always_fail_do_not_fill_every_round() {
    for broken in [99, 100, 101, 250] {
        let (registry, store, clock) = platform();
        let groups = ending(&registry, broken + 120);
        (0..8).for_each(|_| {
            registry.retire_due().wait().unwrap();
        });
        let (fail, healthy) = groups.split_at(broken.try_into().unwrap());
        fail.iter().for_each(|group| store.break_group(group.clone()));
        clock.advance(DAY - Duration::from_secs(60));
        // Each due group is reached once in as many rounds as it takes to go through all.
        for _ in 0..8 {
            let _ = registry.retire_due().wait();
            clock.advance(Duration::from_secs(1));
        }
        let left = healthy.iter().filter(|group| !has_ended(&store, group)).count();
        assert_eq!(left, 0, "of the groups behind {broken} that fail");
    }
}
