//! An idempotency key belongs to one command: another one under it is refused, and never gets the first one's answer.
#![allow(clippy::unwrap_used)]

mod common;

use auth_core::Secret;
use auth_lifecycle::{
    Answer, CommandRefusal, Commands, CredentialId, Issued, Kind, NewSecret, ServiceId, Wanted,
};
use common::Platform;
use std::{sync::Arc, time::Duration};

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

/// Those of a command: an import makes no secret.
fn pairs_of(command: &str) -> impl Iterator<Item = (Kind, NewSecret, NewSecret)> {
    let makes = command != "import";
    pairs().into_iter().filter(move |(_, one, _)| makes || !matches!(one, NewSecret::Generated))
}

/// Every form of a secret, and the same with another name or another value.
fn pairs() -> Vec<(Kind, NewSecret, NewSecret)> {
    let text = |text: &str| Arc::<str>::from(text);
    let password = |user| NewSecret::Password { user: text(user), hash: ARGON2ID.into() };
    let ha1 =
        |user, realm| NewSecret::Ha1 { user: text(user), realm: text(realm), ha1: HA1.into() };
    let access = |id, secret: &str| NewSecret::AccessKey { id: text(id), secret: secret.into() };
    let public = |name| NewSecret::PublicKey { name: text(name), key: PUBLIC_KEY.into() };
    let given = |token: &str| NewSecret::Given(Secret::from(token));
    vec![
        (Kind::BasicPassword, password("alice"), password("bob")),
        (Kind::DigestHa1, ha1("alice", "r"), ha1("bob", "r")),
        (Kind::DigestHa1, ha1("alice", "r"), ha1("alice", "other")),
        (Kind::DigestHa1, ha1("ab", "c"), ha1("a", "bc")),
        (Kind::SigV4Key, access("AK1", "the-same-secret"), access("AK2", "the-same-secret")),
        (Kind::SigV4Key, access("AK1", "one-secret"), access("AK1", "other-secret")),
        (Kind::AppJwtKey, public("k1"), public("k2")),
        (Kind::BotPublicKey, public("bot"), public("another")),
        (Kind::ApiKey, given("a-token-of-the-platform-1"), given("a-token-of-the-platform-2")),
        (Kind::ApiKey, NewSecret::Sha256([1; 32]), NewSecret::Sha256([2; 32])),
        (Kind::ApiKey, NewSecret::Generated, given("a-token-of-the-platform-1")),
    ]
}

fn wanted(secret: NewSecret) -> Wanted {
    Wanted { secret, ..Wanted::default() }
}

/// A command that makes a secret; regeneration and rotation are of the credential.
type Make = fn(&Commands, &ServiceId, Kind, &CredentialId, NewSecret) -> Answer<Issued>;

const MAKE: [(&str, Make); 4] = [
    ("create", |by, service, kind, _, secret| by.create(Some(service), kind, wanted(secret))),
    ("import", |by, service, kind, _, secret| by.import(Some(service), kind, wanted(secret))),
    ("rotate", |by, _, _, id, secret| by.rotate(id, Duration::from_secs(60), wanted(secret))),
    ("regenerate", |by, _, _, id, secret| by.regenerate(id, secret)),
];

/// A first credential of the kind, to be rotated or regenerated.
fn first(platform: &Platform, kind: Kind) -> CredentialId {
    let name = Arc::<str>::from("the first");
    let secret = match kind {
        Kind::BasicPassword => NewSecret::Password { user: name, hash: ARGON2ID.into() },
        Kind::DigestHa1 => NewSecret::Ha1 { user: name, realm: "r".into(), ha1: HA1.into() },
        Kind::AppJwtKey | Kind::BotPublicKey => {
            NewSecret::PublicKey { name, key: PUBLIC_KEY.into() }
        }
        _ => NewSecret::Generated,
    };
    platform.make(kind, secret).credential.id
}

#[test]
fn a_key_that_comes_again_with_another_secret_is_refused() {
    for (name, make) in MAKE {
        for (kind, one, other) in pairs_of(name) {
            let platform = Platform::new();
            let id = first(&platform, kind);
            let (by, service) = (platform.by().once("req-1"), &platform.service);
            let about = format!("{name} {kind} {one:?}");
            make(&by, service, kind, &id, one).wait().unwrap().unwrap();
            let again = make(&by, service, kind, &id, other).wait().unwrap();
            let refusal = again.map(|it| it.credential.id).unwrap_err();
            assert_eq!(refusal, CommandRefusal::IdempotencyKeyReused, "{about}");
        }
    }
}

#[test]
fn a_key_that_comes_again_with_the_same_secret_gets_the_same_answer() {
    for (name, make) in MAKE {
        for ((kind, one, _), (_, same, _)) in pairs_of(name).zip(pairs_of(name)) {
            let platform = Platform::new();
            let id = first(&platform, kind);
            let (by, service) = (platform.by().once("req-1"), &platform.service);
            let made = make(&by, service, kind, &id, one).wait().unwrap().unwrap();
            let again = make(&by, service, kind, &id, same).wait().unwrap().unwrap();
            assert_eq!(made.credential, again.credential, "{name} {kind}");
            assert_eq!(made.secret.is_some(), again.secret.is_some(), "{name} {kind}");
        }
    }
}

#[test]
fn a_key_that_comes_again_with_another_command_is_refused() {
    let platform = Platform::new();
    let (by, service) = (platform.by().once("req-1"), &platform.service);
    by.create(Some(service), Kind::IbssoSession, Wanted::default()).wait().unwrap().unwrap();
    let replaced = by.replace_session(service, Kind::IbssoSession, Wanted::default());
    let refusal = replaced.wait().unwrap().map(|it| it.credential.id).unwrap_err();
    assert_eq!(refusal, CommandRefusal::IdempotencyKeyReused);
}
