//! What a look-up costs among more and more keys, and what a key weighs in the cache.
//!
//! `cargo test --release -p auth-lifecycle --test growth -- --ignored --nocapture`, up to 10,000,000 keys with
//! `MESSAGING_AUTH_LONG=1`, which takes four gigabytes.
#![allow(clippy::unwrap_used)]

use auth_core::{Error, Flow, KeyDigest, Lookup, Scopes, Secret, TenantId, Timestamp};
use auth_lifecycle::{
    CacheSettings, Commit, CommitOutcome, Credential, CredentialId, Found, Group, GroupId, Kept,
    Kind, LifecycleStore, LogPage, Material, Registry, RegistryKeys, RememberedAnswer, Service,
    ServiceId, State, TenantEvent, Use,
};
use std::time::{Duration, Instant};

/// Knows every digest that was made of a number, and makes its credential when it is asked.
struct Numbers;

fn digest(number: u64) -> KeyDigest {
    // Spread over the whole width, as a keyed hash is.
    let mut bytes = [0; 32];
    for (at, part) in (1..).zip(bytes.chunks_exact_mut(8)) {
        let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(13 * at);
        part.copy_from_slice(&spread.to_le_bytes());
    }
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    KeyDigest::from_bytes(bytes)
}

fn credential(number: u64, found_by: KeyDigest) -> (GroupId, Credential) {
    let service = ServiceId::new(format!("s{number:032x}"));
    let group = GroupId::of_service(TenantId::new("acme"), service, Kind::ServiceKey);
    let begin = Timestamp::from_unix(1_800_000_000);
    let kept = Kept { found_by, fingerprint: found_by, name: None, material: Material::Nothing };
    let it = Credential {
        id: CredentialId::new(format!("c{number:032x}")),
        state: State::Active,
        generation: 1,
        created: begin,
        secret_since: begin,
        created_by: "alice".into(),
        not_before: None,
        expires: None,
        retire_at: None,
        idle_timeout: None,
        last_used: None,
        ended: false,
        notices_told: 0,
        rotation_told: false,
        scopes: Scopes::default(),
        allowed_addresses: None,
        label: "".into(),
        dependants: Vec::new(),
        kept,
    };
    (group, it)
}

fn never<T>() -> Flow<'static, T> {
    Flow::failed(Error::config("never", "nobody asks this"))
}

impl LifecycleStore for Numbers {
    fn find(&self, found_by: &KeyDigest) -> Flow<'_, Found> {
        let number = u64::from_le_bytes(found_by.as_bytes()[8..16].try_into().unwrap());
        Flow::ready(Found { credentials: vec![credential(number, *found_by)], as_of: 0 })
    }

    fn position(&self) -> Flow<'_, u64> {
        Flow::ready(0)
    }

    fn changes_since(&self, position: u64, _: usize) -> Flow<'_, LogPage> {
        Flow::ready(LogPage { events: Vec::new(), position, is_last: true })
    }

    fn events_of(&self, _: &TenantId, _: u64, _: usize) -> Flow<'_, Vec<TenantEvent>> {
        never()
    }

    fn load(&self, _: &GroupId) -> Flow<'_, Group> {
        never()
    }

    fn group_of(&self, _: &TenantId, _: &CredentialId) -> Flow<'_, Option<GroupId>> {
        never()
    }

    fn groups_of(&self, _: &TenantId, _: Option<&ServiceId>) -> Flow<'_, Vec<GroupId>> {
        never()
    }

    fn service(&self, _: &ServiceId) -> Flow<'_, Option<Service>> {
        never()
    }

    fn services(&self, _: &TenantId, _: Option<&ServiceId>, _: usize) -> Flow<'_, Vec<Service>> {
        never()
    }

    fn commit(&self, _: Commit) -> Flow<'_, CommitOutcome> {
        never()
    }

    fn answer(&self, _: &KeyDigest, _: Timestamp) -> Flow<'_, Option<RememberedAnswer>> {
        never()
    }

    fn find_fingerprint(&self, _: &KeyDigest) -> Flow<'_, Option<(GroupId, CredentialId)>> {
        never()
    }

    fn watch(&self, _: u64) -> Flow<'static, ()> {
        never()
    }

    fn touch(&self, _: Vec<Use>) -> Flow<'_, ()> {
        never()
    }

    fn uses(&self, _: &CredentialId) -> Flow<'_, Vec<Use>> {
        never()
    }

    fn due(&self, _: Timestamp, _: usize) -> Flow<'_, Vec<GroupId>> {
        never()
    }

    fn lease(&self, _: &str, _: Timestamp, _: Duration) -> Flow<'_, Option<u64>> {
        never()
    }
}

#[test]
#[ignore = "takes gigabytes, and measures time"]
fn prints_what_a_look_up_costs_and_what_a_key_weighs() {
    let long = std::env::var_os("MESSAGING_AUTH_LONG").is_some();
    let sizes: &[u64] = if long {
        &[1_000, 10_000, 100_000, 1_000_000, 10_000_000]
    } else {
        &[1_000, 10_000, 100_000, 1_000_000]
    };
    println!("{:>10} {:>14} {:>14}", "keys", "ns a look-up", "bytes a key");
    for &keys in sizes {
        let day = Duration::from_secs(24 * 3600);
        let cache = CacheSettings::default()
            .with_poll_interval(day)
            .with_staleness_bound(day * 2)
            .with_most_bytes(16 << 30);
        let keys_of = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
        let registry = Registry::build(Numbers, keys_of).with_cache(cache).finish().unwrap();
        let tokens = registry.tokens(&[Kind::ServiceKey]);
        let filled = allocation_counter::measure(|| {
            for number in 0..keys {
                assert!(tokens.lookup(&digest(number)).wait().unwrap().is_some());
            }
        });
        let bytes = filled.bytes_current / i64::try_from(keys).unwrap();
        let (rounds, mut number) = (1_000_000_u32, 1_u64);
        let begun = Instant::now();
        for _ in 0..rounds {
            // A walk that the processor's caches do not foresee.
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let one = tokens.lookup(&digest((number >> 20) % keys));
            assert!(one.wait().unwrap().is_some());
        }
        let nanos = begun.elapsed().as_nanos() / u128::from(rounds);
        println!("{keys:>10} {nanos:>14} {bytes:>14}");
    }
}
