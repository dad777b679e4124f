//! The registry as a platform uses it.
#![allow(clippy::unwrap_used)]

use auth_core::{Flow, Secret, TenantId};
use auth_lifecycle::{
    Actor, CommandName, CommandRefusal, EventHash, Kind, MemoryLifecycleStore, NewSecret, Registry,
    RegistryKeys, Role, State, StepUpCheck, Wanted,
};
use std::time::Duration;

struct Password;

impl StepUpCheck for Password {
    fn confirms(&self, _: &Actor, password: &Secret) -> Flow<'_, bool> {
        Flow::ready(password.matches(b"right"))
    }
}

fn registry() -> Registry {
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
    Registry::build(MemoryLifecycleStore::new(), keys).with_step_up(Password).finish().unwrap()
}

fn alice() -> Actor {
    Actor::new(TenantId::new("acme"), "alice", Role::Owner)
}

fn chain(registry: &Registry) -> (u64, EventHash) {
    registry.verify_chain().wait().unwrap()
}

#[test]
fn a_service_begins_with_a_key_and_a_jwt_secret() {
    let registry = registry();
    let by = registry.by(&alice());
    let made = by.create_service("alerts").wait().unwrap().unwrap();
    let groups = by.list(Some(&made.service.id)).wait().unwrap().unwrap();
    let kinds: Vec<_> =
        groups.iter().map(|group| (group.id.kind, group.credentials.len())).collect();
    assert_eq!(kinds, [(Kind::ServiceKey, 1), (Kind::ServiceJwtSecret, 1)]);
    for issued in [made.key, made.jwt] {
        let revealed = by.reveal(&issued.credential.id).wait().unwrap().unwrap();
        assert!(revealed.matches(issued.secret.unwrap().expose()));
    }
    assert_eq!(chain(&registry).0, 5);
}

#[test]
fn a_service_begins_with_the_credentials_that_its_platform_wants() {
    let registry = registry();
    let by = registry.by(&alice());
    for kinds in [
        [].as_slice(),
        &[Kind::ApiKey],
        &[Kind::WebhookSecret, Kind::ServiceKey, Kind::SymphonySession],
    ] {
        let before = chain(&registry).0;
        let once = by.clone().once(format!("{kinds:?}"));
        let (service, first) = once.create_service_with("app", kinds).wait().unwrap().unwrap();
        assert_eq!(&*service.label, "app");
        let made: Vec<_> = first.iter().map(|issued| issued.credential.group.kind).collect();
        assert_eq!(made, kinds);
        assert!(first.iter().all(|issued| issued.secret.is_some()));
        let events = usize::try_from(chain(&registry).0 - before).unwrap();
        assert_eq!(events, 1 + kinds.len(), "one event each");
        let groups = by.list(Some(&service.id)).wait().unwrap().unwrap();
        assert_eq!(groups.len(), kinds.len());

        let (same, again) = once.create_service_with("app", kinds).wait().unwrap().unwrap();
        assert_eq!(same, service, "a repetition gets the same service");
        for (one, other) in first.iter().zip(&again) {
            let secret = one.secret.as_ref().unwrap();
            assert!(other.secret.as_ref().unwrap().matches(secret.expose()));
        }
        let other = once.create_service_with("app", &[Kind::SigV4Key]).wait().unwrap();
        assert_eq!(other.unwrap_err(), CommandRefusal::IdempotencyKeyReused);
    }
}

#[test]
fn a_service_does_not_begin_with_what_cannot_be_made_for_it() {
    let registry = registry();
    let by = registry.by(&alice());
    for second in
        [Kind::ApiKey, Kind::ProfileKey, Kind::BasicPassword, Kind::DigestHa1, Kind::BotPublicKey]
    {
        let kinds = [Kind::ApiKey, second];
        let refused = by.create_service_with("app", &kinds).wait().unwrap().unwrap_err();
        let CommandRefusal::Invalid { field: wrong, .. } = refused else { panic!("{refused:?}") };
        assert_eq!(wrong, "first", "{kinds:?}");
    }
    assert_eq!(chain(&registry).0, 0);
    let auditor = registry.by(&Actor::new(TenantId::new("acme"), "eve", Role::Auditor));
    let refused = auditor.create_service_with("app", &[]).wait().unwrap().unwrap_err();
    assert_eq!(refused, CommandRefusal::Forbidden);
    assert!(by.services(None, 10).wait().unwrap().unwrap().is_empty());
}

#[test]
fn customers_keep_their_keys_and_get_none_that_nobody_asked_for() {
    let registry = registry();
    let by = registry.by(&alice());
    let (service, _) = by.create_service_with("customer 1", &[]).wait().unwrap().unwrap();
    let secret = NewSecret::Given("a-key-of-the-former-platform".into());
    let wanted = Wanted { secret, ..Wanted::default() };
    by.import(Some(&service.id), Kind::ApiKey, wanted).wait().unwrap().unwrap();
    let groups = by.list(Some(&service.id)).wait().unwrap().unwrap();
    let kinds: Vec<_> = groups.iter().map(|group| group.id.kind).collect();
    assert_eq!(kinds, [Kind::ApiKey]);
}

#[test]
fn a_key_is_rotated_discarded_and_deleted_with_the_password() {
    let registry = registry();
    let by = registry.by(&alice());
    let old = by.create_service("alerts").wait().unwrap().unwrap().key.credential.id;
    let overlap = Duration::from_secs(3600);
    let rotate = |id| by.rotate(id, overlap, Wanted::default()).wait().unwrap();
    let new = rotate(&old).unwrap();
    assert!(new.secret.is_some());
    assert_eq!(rotate(&new.credential.id).unwrap_err(), CommandRefusal::RotationInProgress);
    let seen = by.dry_run(&old).wait().unwrap().unwrap();
    assert_eq!(seen.refused, None);
    let discarded = by.discard(&old, seen.version).wait().unwrap().unwrap();
    assert_eq!(discarded.state, State::Inactive);
    let version = by.dry_run(&old).wait().unwrap().unwrap().version;
    let refused = by.delete(&old, version, None).wait().unwrap().unwrap_err();
    assert_eq!(refused, CommandRefusal::StepUpRequired);
    let prove = |word: &str| by.step_up(&old, CommandName::Delete, word.into()).wait().unwrap();
    assert_eq!(prove("wrong").unwrap_err(), CommandRefusal::StepUpRequired);
    by.delete(&old, version, Some(&prove("right").unwrap())).wait().unwrap().unwrap();
    assert_eq!(by.credential(&old).wait().unwrap().unwrap_err(), CommandRefusal::Unknown);
}

#[test]
fn a_repetition_with_the_same_key_gets_the_same_answer_and_does_nothing() {
    let registry = registry();
    let by = registry.by(&alice()).once("req-1");
    let first = by.create_service("alerts").wait().unwrap().unwrap();
    let second = by.create_service("alerts").wait().unwrap().unwrap();
    assert_eq!(first.service, second.service);
    assert!(second.key.secret.unwrap().matches(first.key.secret.unwrap().expose()));
    let other = by.create_service("other").wait().unwrap().unwrap_err();
    assert_eq!(other, CommandRefusal::IdempotencyKeyReused);
    assert_eq!(chain(&registry).0, 3);
}

#[test]
fn every_kind_is_made_in_its_form() {
    let registry = registry();
    let by = registry.by(&alice());
    let service = by.create_service("alerts").wait().unwrap().unwrap().service.id;
    for kind in Kind::ALL {
        let service = (kind != Kind::ProfileKey).then_some(&service);
        let (user, realm) = ("u".into(), "r".into());
        let secret = match kind {
            Kind::AppJwtKey => NewSecret::PublicKey { name: "k1".into(), key: PUBLIC_KEY.into() },
            Kind::BotPublicKey => {
                NewSecret::PublicKey { name: "bot".into(), key: PUBLIC_KEY.into() }
            }
            Kind::BasicPassword => NewSecret::Password { user, hash: ARGON2ID.into() },
            Kind::DigestHa1 => NewSecret::Ha1 { user, realm, ha1: HA1.into() },
            _ => NewSecret::Generated,
        };
        let wanted = Wanted { secret, ..Wanted::default() };
        let made = by.create(service, kind, wanted).wait().unwrap();
        let made = made.unwrap_or_else(|refusal| panic!("{kind}: {refusal}"));
        assert_eq!(made.credential.group.kind, kind);
    }
}

#[test]
fn an_actor_that_has_lost_its_role_gets_no_answer_again() {
    let registry = registry();
    registry.by(&alice()).once("req-1").create_service("alerts").wait().unwrap().unwrap();
    let demoted = Actor::new(TenantId::new("acme"), "alice", Role::ReadOnly);
    let refused = registry.by(&demoted).once("req-1").create_service("alerts").wait().unwrap();
    assert_eq!(refused.unwrap_err(), CommandRefusal::Forbidden);
}

#[test]
fn a_secret_is_regenerated_by_many_at_once_and_one_after_the_other() {
    let registry = registry();
    let id = registry.by(&alice()).create_service("alerts").wait().unwrap().unwrap().key;
    let id = id.credential.id;
    let regenerate = || {
        let by = registry.by(&alice());
        by.regenerate(&id, NewSecret::Generated).wait().unwrap().unwrap().credential.generation
    };
    let mut generations: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(regenerate)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    generations.sort_unstable();
    assert_eq!(registry.by(&alice()).credential(&id).wait().unwrap().unwrap().generation, 9);
    let revealed = registry.by(&alice()).reveal(&id).wait().unwrap().unwrap();
    assert!(revealed.expose().starts_with(b"sk_live_"));
    assert_eq!(chain(&registry).0, 3 + 8 + 1);
}

#[cfg(all(feature = "basic", feature = "digest", feature = "jwt"))]
#[test]
fn what_no_verifier_could_read_is_refused() {
    let registry = registry();
    let by = registry.by(&alice());
    let service = by.create_service("alerts").wait().unwrap().unwrap().service.id;
    let (user, realm) = (std::sync::Arc::<str>::from("u"), std::sync::Arc::<str>::from("r"));
    let long = "x".repeat(201);
    for (kind, secret, field) in [
        (Kind::ServiceKey, NewSecret::Given("too short".into()), "secret"),
        (Kind::ServiceKey, NewSecret::Given("with a blank in the middle".into()), "secret"),
        (Kind::ServiceJwtSecret, NewSecret::Given("c2hvcnQ=".into()), "secret"),
        (Kind::ServiceJwtSecret, NewSecret::Sha256([0; 32]), "secret"),
        (
            Kind::AppJwtKey,
            NewSecret::PublicKey { name: "k1".into(), key: b"PEM".to_vec() },
            "secret",
        ),
        (Kind::BotPublicKey, NewSecret::PublicKey { name: "b".into(), key: vec![0xff] }, "secret"),
        (
            Kind::BasicPassword,
            NewSecret::Password { user: user.clone(), hash: "x".into() },
            "secret",
        ),
        (
            Kind::BasicPassword,
            NewSecret::Password { user: long.into(), hash: ARGON2ID.into() },
            "user",
        ),
        (
            Kind::BasicPassword,
            NewSecret::Password { user: "a:b".into(), hash: ARGON2ID.into() },
            "user",
        ),
        (
            Kind::DigestHa1,
            NewSecret::Ha1 { user: "a:b".into(), realm: realm.clone(), ha1: HA1.into() },
            "user",
        ),
        (Kind::DigestHa1, NewSecret::Ha1 { user, realm, ha1: "MD5:00".into() }, "secret"),
        (Kind::SigV4Key, NewSecret::Given("a secret without its id".into()), "secret"),
    ] {
        let wanted = Wanted { secret, ..Wanted::default() };
        let refused = by.create(Some(&service), kind, wanted).wait().unwrap().unwrap_err();
        let CommandRefusal::Invalid { field: found, .. } = refused else {
            panic!("{kind}: {refusal}", refusal = refused)
        };
        assert_eq!(found, field, "{kind}");
    }
}

const ARGON2ID: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBmaXhlZCBzYWx0$\
                        HKxlXYs5TpkcDbuV3gKMnGNdFEuRUo2XgLE4zLZg4P4";
const HA1: &str = "MD5:cb0aa14dd5b713da9a0a21b85347f3e5";
const PUBLIC_KEY: &str = "\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEArUXKzNTX/JHVEiC8+7lG
96j/W0vH0YcqJmwF+9PAg+VK3QFgSSQ4oPGjr5Z0sfm4jhShr5oRI9JL5RaeI0PM
1rfyimyiXoCPRO+LdRG4F4JRnHEVFU22RxHMP5K79uDgzBJ3HinUMFTVl5oRQRnM
Lbb3epo+6PVOeNuoSS88j1AgU10AELU8/Jv9f4Iq72yANFI1QRr/WzIbOu6gzk0Y
wesgmmbiwgCUo1NKJowaRMtpFvO1zndrSjWY465zXIsFB3RkJc/lutJEOqCFKtH6
3dQ3wLJOe6klhWCkmbUAQH/HEnPk2Qwcu9M03av2D/Ya6GK/E7m3JOb8ZmmlkGM7
DwIDAQAB
-----END PUBLIC KEY-----
";

#[test]
fn what_an_actor_types_is_bounded_wherever_it_is_typed() {
    let registry = registry();
    let by = registry.by(&alice());
    let service = by.create_service("alerts").wait().unwrap().unwrap().service.id;
    let long = || "x".repeat(1001);
    let field = |refusal: CommandRefusal| match refusal {
        CommandRefusal::Invalid { field, .. } => field,
        refusal => panic!("{refusal}"),
    };
    assert_eq!(field(by.create_service(&long()).wait().unwrap().unwrap_err()), "label");
    let make = |by: &auth_lifecycle::Commands, wanted| {
        field(by.create(Some(&service), Kind::ApiKey, wanted).wait().unwrap().unwrap_err())
    };
    assert_eq!(make(&by, Wanted { label: long().into(), ..Wanted::default() }), "label");
    let scopes = [long()].into_iter().collect();
    assert_eq!(make(&by, Wanted { scopes, ..Wanted::default() }), "scopes");
    assert_eq!(make(&by.clone().because(long()), Wanted::default()), "cause");
    assert_eq!(field(by.because(long()).create_service("b").wait().unwrap().unwrap_err()), "cause");
}

#[test]
fn what_was_forgotten_in_a_request_is_named() {
    let registry = registry();
    let by = registry.by(&alice()).once("");
    let refused = by.create(None, Kind::ProfileKey, Wanted::default()).wait().unwrap();
    let field = |refused: CommandRefusal| match refused {
        CommandRefusal::Invalid { field, .. } => field,
        other => other.code(),
    };
    assert_eq!(refused.map(drop).map_err(field), Err("idempotency-key"));
    let by = registry.by(&alice());
    let refused = by.import(None, Kind::ProfileKey, Wanted::default()).wait().unwrap();
    assert_eq!(refused.map(drop).map_err(field), Err("secret"), "an import makes nothing new");
}
