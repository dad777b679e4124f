//! Credentials that a registry has issued: finding whose a key is, through the cache that says how old it is.

use super::api_key::{KEY, MANY, keyed_look_up, verifying};
use auth_core::{Secret, TenantId};
use auth_lifecycle::{
    Actor, CacheSettings, GroupPolicy, Kind, MemoryLifecycleStore, NewSecret, Registry,
    RegistryKeys, Role, Wanted,
};
use auth_static::{ApiKeyVerifier, Placement};
use harness::case::{Call, Group, ours};
use std::time::Duration;

pub fn verify() -> Group {
    Group {
        name: "lifecycle-verify",
        input: "a service key of 40 bytes among 1,001 of a registry; through dyn Verifier and map",
        cases: vec![keyed_look_up(), ours("auth-lifecycle", Some(1.1), 0, admitted)],
    }
}

fn admitted() -> Call {
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).expect("keys");
    // No poll is due while instructions are counted.
    let hour = Duration::from_secs(3600);
    let cache = CacheSettings::default().with_poll_interval(hour).with_staleness_bound(hour * 2);
    let policy = GroupPolicy { max_total: 1000, ..GroupPolicy::two_in_rotation() };
    let registry = Registry::build(MemoryLifecycleStore::new(), keys)
        .with_cache(cache)
        .with_policy(Kind::ServiceKey, policy)
        .finish()
        .expect("a registry");
    let alice = Actor::new(TenantId::new("acme"), "alice", Role::Owner);
    let by = registry.by(&alice);
    let service = by.create_service("alerts").wait().expect("done").expect("allowed").service.id;
    let texts = (2..MANY).map(|n| format!("a-key-with-the-number-{n:08}")).chain([KEY.to_owned()]);
    for text in texts {
        let wanted = Wanted { secret: NewSecret::Given(text.into()), ..Wanted::default() };
        let made = by.import(Some(&service), Kind::ServiceKey, wanted);
        made.wait().expect("done").expect("allowed");
    }
    let keys = registry.tokens(&[Kind::ServiceKey]);
    let placement = Placement::header("key").expect("a placement");
    let door = ApiKeyVerifier::new("r", placement, registry.token_hasher(), keys);
    let door = registry.admit(door.expect("a verifier"));
    let door = auth_core::Verifier::map(door, |caller| u64::from(caller.retiring.is_none()));
    verifying(Box::new(door), ("key", KEY.to_owned()), "/")
}
