//! Secrets of every kind are planted, and looked for in the file, in what is written ahead of it, and in what is shown.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use auth_core::{Flow, Secret, SystemClock, SystemRandom, TenantId};
use auth_lifecycle::{
    Actor, CommandName, Commands, Kind, LifecycleStore, NewSecret, Registry, RegistryKeys,
    RevokeGuard, Role, ServiceId, StepUpCheck, Wanted,
};
use auth_store_sqlite::{SqliteDatabase, SqliteLifecycleStore};
use auth_testing::{Canary, CapturedOutput};
use common::{Directory, bytes, close};
use std::fs;

struct Password(Secret);

impl StepUpCheck for Password {
    fn confirms(&self, _: &Actor, password: &Secret) -> Flow<'_, bool> {
        Flow::ready(password.matches(self.0.expose()))
    }
}

fn plant(place: &str) -> Canary {
    Canary::plant(place, &SystemRandom::new()).unwrap()
}

fn secret(canary: &Canary) -> Secret {
    Secret::from(canary.text())
}

/// All that are planted. A key of 32 bytes, and Base64 of 33, are 16 letters behind a place of this length.
struct Planted {
    master: Canary,
    password: Canary,
    given: Vec<(Kind, Canary)>,
}

impl Planted {
    fn new() -> Self {
        let given = Kind::ALL.map(|kind| {
            let place: String =
                kind.name().replace(|letter: char| !letter.is_ascii_alphabetic(), "");
            (kind, plant(&format!("{place:a<28.28}")))
        });
        Self { master: plant("thismasterkeyis1"), password: plant("password"), given: given.into() }
    }

    fn all(&self) -> Vec<&Canary> {
        let given = self.given.iter().map(|(_, canary)| canary);
        given.chain([&self.master, &self.password]).collect()
    }

    /// Public keys, and hashes of passwords that were made elsewhere, are kept as they are.
    fn new_secret(kind: Kind, canary: &Canary) -> NewSecret {
        let (user, value) = ("alice".into(), secret(canary));
        match kind {
            Kind::AppJwtKey | Kind::BotPublicKey => {
                NewSecret::PublicKey { name: "bot".into(), key: PUBLIC_KEY.into() }
            }
            Kind::BasicPassword => NewSecret::Password { user, hash: ARGON2ID.into() },
            Kind::DigestHa1 => {
                let ha1 = format!("MD5:{}", ha1_of(canary)).into();
                NewSecret::Ha1 { user, realm: "acme".into(), ha1 }
            }
            Kind::SigV4Key => NewSecret::AccessKey { id: "AKALICE".into(), secret: value },
            _ => NewSecret::Given(value),
        }
    }
}

/// Hexadecimal digits that are found nowhere else.
fn ha1_of(canary: &Canary) -> String {
    canary.text().bytes().rev().take(16).map(|byte| format!("{byte:02x}")).collect()
}

const ARGON2ID: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBmaXhlZCBzYWx0$\
                        HKxlXYs5TpkcDbuV3gKMnGNdFEuRUo2XgLE4zLZg4P4";
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

fn registry(store: SqliteLifecycleStore, planted: &Planted) -> Registry {
    let keys = RegistryKeys::from_master(&secret(&planted.master)).unwrap();
    let check = Password(secret(&planted.password));
    Registry::build(store, keys).with_step_up(check).finish().unwrap()
}

/// Makes credentials of every kind, each with an idempotency key: made here, given, replaced, shown again, deleted. The
/// secrets that were made here are given back.
fn live(registry: &Registry, planted: &Planted, shown: &CapturedOutput) -> Vec<Secret> {
    let alice = Actor::new(TenantId::new("acme"), "alice", Role::Owner);
    let by = registry.by(&alice);
    let made = by.clone().once("service").create_service("alerts").wait().unwrap().unwrap();
    shown.debug(&made);
    let service = made.service.id.clone();
    let mut secrets = vec![made.key.secret.unwrap(), made.jwt.secret.unwrap()];
    for (kind, canary) in &planted.given {
        let service = (*kind != Kind::ProfileKey).then_some(&service);
        let wanted = Wanted { secret: Planted::new_secret(*kind, canary), ..Wanted::default() };
        shown.debug(&wanted);
        let made = by.clone().once(format!("given {kind}")).create(service, *kind, wanted);
        let made = made.wait().unwrap().unwrap();
        shown.debug(&made);
        if *kind == Kind::DigestHa1 {
            secrets.push(Secret::from(ha1_of(canary)));
        }
        let id = &made.credential.id;
        if let Ok(secret) = by.reveal(id).wait().unwrap() {
            assert!(secret.matches(canary.text().as_bytes()));
            shown.debug(&secret);
        }
        // The same secret again is refused.
        let wanted = Wanted { secret: Planted::new_secret(*kind, canary), ..Wanted::default() };
        let refused = by.create(service, *kind, wanted).wait().unwrap();
        shown.debug(&refused.map(drop).unwrap_err());
        let renewed = by.clone().once(format!("renewed {kind}"));
        // Some kinds have no secret that is made here.
        match renewed.regenerate(id, NewSecret::Generated).wait() {
            Ok(Ok(renewed)) => {
                shown.debug(&renewed);
                secrets.extend(renewed.secret);
            }
            // Sessions are made anew.
            Ok(Err(refusal)) => drop(shown.debug(&refusal)),
            Err(error) => drop(shown.error(&error)),
        }
    }
    delete(&by, &service, planted, shown);
    secrets
}

/// Deletes an API key, with the password of its owner.
fn delete(by: &Commands, service: &ServiceId, planted: &Planted, shown: &CapturedOutput) {
    let made = by.create(Some(service), Kind::ApiKey, Wanted::default()).wait().unwrap().unwrap();
    let id = made.credential.id;
    by.revoke(&id, RevokeGuard::KeepLast).wait().unwrap().unwrap();
    let version = by.dry_run(&id).wait().unwrap().unwrap().version;
    let proof = by.step_up(&id, CommandName::Delete, secret(&planted.password));
    let proof = proof.wait().unwrap().unwrap();
    shown.debug(&proof);
    by.clone().once("deleted").delete(&id, version, Some(&proof)).wait().unwrap().unwrap();
}

/// All files of the directory, as text.
fn files(directory: &Directory, found: &CapturedOutput) -> usize {
    let files = directory.files();
    files.iter().for_each(|file| {
        found.text(&String::from_utf8_lossy(&bytes(file)));
    });
    files.len()
}

#[test]
fn no_secret_is_in_a_file_or_in_what_is_shown() {
    let (directory, planted) = (Directory::new(), Planted::new());
    let (found, shown) = (CapturedOutput::default(), CapturedOutput::default());
    let database = directory.open(SystemClock);
    let store = database.credentials();
    let registry = registry(store.clone(), &planted);
    let secrets = live(&registry, &planted, &shown);
    shown.debug(&registry).debug(&store).debug(&store.changes_since(0, 1000).wait().unwrap());
    assert_eq!(files(&directory, &found), 3, "the file, what was written ahead, and its index");
    drop((registry, store));
    close(database, &directory);
    assert_eq!(files(&directory, &found), 1);
    // What a damaged file makes the library say.
    let mut damaged = fs::read(directory.file()).unwrap();
    damaged.iter_mut().skip(4096).for_each(|byte| *byte ^= u8::from(*byte == b'"'));
    fs::write(directory.file(), damaged).unwrap();
    match SqliteDatabase::open(&directory.file(), SystemClock) {
        Ok(database) => {
            let registry = crate::registry(database.credentials(), &planted);
            shown.error(&registry.verify_chain().wait().unwrap_err());
        }
        Err(error) => drop(shown.error(&error)),
    }
    for output in [&found, &shown] {
        assert_eq!(output.leaks(&planted.all()), [""; 0]);
        let all = output.all();
        for secret in &secrets {
            let text = secret.expose_text().unwrap();
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            assert!(!all.contains(text) && !all.contains(&hex));
        }
    }
    assert!(secrets.len() > 8, "{}", secrets.len());
    // What is kept in plain is found, so the search finds.
    for plain in ["alerts", "-----BEGIN", "AKALICE"] {
        let hex: String = plain.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(found.all().contains(plain) || found.all().contains(&hex), "{plain}");
    }
}
