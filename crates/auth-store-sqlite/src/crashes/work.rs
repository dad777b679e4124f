//! The commands that are given one after the other, each with an idempotency key of its own.

use auth_core::{Secret, TenantId};
use auth_lifecycle::{
    Actor, Answer, CommandRefusal, CredentialId, Issued, Kind, LifecycleStore, Registry,
    RegistryKeys, RevokeGuard, Role, ServiceId, Update, Wanted,
};
use std::time::Duration;

/// So many commands are given for a service, and then for the next one.
pub(super) const STEPS: usize = 7;

/// Of these, the one that shows a secret.
pub(super) const REVEAL: usize = 5;

pub(super) fn registry(store: impl LifecycleStore + 'static) -> Registry {
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
    Registry::build(store, keys).finish().unwrap()
}

pub(super) fn alice() -> Actor {
    Actor::new(TenantId::new("acme"), "alice", Role::Owner)
}

pub(super) fn key(n: usize) -> String {
    format!("k{n}")
}

/// Gives the command of this number, and says in one line what came of it. The lines before it hold the names of what was
/// made.
pub(super) fn give(registry: &Registry, told: &[String], n: usize) -> Result<String, String> {
    let by = registry.by(&alice()).because(key(n)).once(key(n));
    let word = |step: usize, word: usize| {
        told[n - n % STEPS + step].split(' ').nth(word).unwrap().to_owned()
    };
    let name = |step, at| CredentialId::new(word(step, at));
    let service = || ServiceId::new(word(0, 0));
    let label = Update { label: Some(key(n).into()), ..Update::default() };
    match n % STEPS {
        0 => ask(by.create_service(&key(n))).map(|made| {
            format!("{} {} {}", made.service.id, told_of(&made.key), told_of(&made.jwt))
        }),
        1 => ask(by.update(&name(0, 1), label)).map(|_| String::from("updated")),
        2 => ask(by.rotate(&name(0, 1), Duration::from_secs(3600), Wanted::default()))
            .map(|issued| told_of(&issued)),
        3 => ask(by.discard(&name(0, 1), 3)).map(|_| String::from("discarded")),
        4 => ask(by.create(Some(&service()), Kind::ApiKey, Wanted::default()))
            .map(|issued| told_of(&issued)),
        REVEAL => ask(by.reveal(&name(2, 0))).map(|secret| text(&secret)),
        _ => ask(by.revoke(&name(4, 0), RevokeGuard::KeepLast)).map(|_| String::from("revoked")),
    }
}

fn ask<T>(answer: Answer<T>) -> Result<T, String> {
    match answer.wait() {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(refusal)) => Err(CommandRefusal::to_string(&refusal)),
        Err(error) => Err(error.to_string()),
    }
}

fn told_of(issued: &Issued) -> String {
    format!("{} {}", issued.credential.id, text(issued.secret.as_ref().unwrap()))
}

fn text(secret: &Secret) -> String {
    secret.expose_text().unwrap().to_owned()
}
