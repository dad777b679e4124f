//! No public type shows a secret that is planted in it.

use super::{Password, actor};
use auth_core::{Secret, SystemRandom};
use auth_lifecycle::{
    Command, Commit, EnvelopePlace, EnvelopeSealer, GroupPolicy, Kind, LifecycleStore,
    LocalKeyWrapper, Material, MemoryLifecycleStore, NewSecret, Order, Registry, RegistryKeys,
    Role, Snapshot, StepUpCheck, TokenFormat, Wanted,
};
use auth_testing::{Canary, CapturedOutput, SeededRandom};
use std::sync::Arc;

fn plant(place: &str, seed: u64) -> Canary {
    Canary::plant(place, &SeededRandom::new(seed)).unwrap()
}

#[test]
fn a_planted_secret_is_shown_by_no_type() {
    let shown = CapturedOutput::default();
    let canary = plant("given", 1);
    let names: Vec<_> = ["hash", "ha1", "key", "master"]
        .into_iter()
        .zip(2..)
        .map(|(place, seed)| plant(place, seed))
        .collect();
    let [hash, ha1, key, master] = <[Canary; 4]>::try_from(names).unwrap();
    let secret = |canary: &Canary| Secret::new(canary.text());
    let new = || {
        let user: Arc<str> = "u".into();
        [
            NewSecret::Given(secret(&canary)),
            NewSecret::Password { user: Arc::clone(&user), hash: secret(&hash) },
            NewSecret::Ha1 { user: Arc::clone(&user), realm: "r".into(), ha1: secret(&ha1) },
            NewSecret::AccessKey { id: user, secret: secret(&key) },
        ]
    };
    for secret in new() {
        shown.debug(&secret).debug(&Wanted { secret, ..Wanted::default() });
    }
    let mut bytes = master.text().as_bytes().to_vec();
    bytes.resize(32, b'.');
    let master_key = Secret::new(bytes);
    let keys = RegistryKeys::from_master(&master_key).unwrap();
    shown.debug(&keys).debug(&master_key);
    let store = MemoryLifecycleStore::new();
    let builder = Registry::build(store.clone(), keys).with_step_up(Password);
    shown.debug(&builder);
    let registry = builder.finish().unwrap();
    let by = registry.by(&actor("acme", Role::Owner));
    shown.debug(&registry).debug(&by).debug(&store);
    let made = by.create_service("alerts").wait().unwrap().unwrap();
    shown.debug(&made);
    let token = made.key.secret.as_ref().unwrap().expose();
    let tokens = [
        String::from_utf8(token.to_vec()).unwrap(),
        made.jwt.secret.as_ref().unwrap().expose_text().unwrap().to_owned(),
    ];
    let service = Some(&made.service.id);
    let kinds = [Kind::ApiKey, Kind::BasicPassword, Kind::DigestHa1, Kind::SigV4Key];
    for (kind, secret) in kinds.into_iter().zip(new()) {
        let wanted = Wanted { secret, ..Wanted::default() };
        match by.import(service, kind, wanted).wait() {
            Ok(answer) => {
                shown.debug(&answer);
            }
            Err(error) => {
                shown.error(&error);
            }
        }
    }
    let id = &made.key.credential.id;
    let proof = by.step_up(id, auth_lifecycle::CommandName::Delete, "right".into()).wait();
    let proof = proof.unwrap().unwrap();
    shown.debug(&proof).debug(&by.dry_run(id).wait()).debug(&by.list(service).wait());
    for view in by.list(service).wait().unwrap().unwrap() {
        let group = store.load(&view.id).wait().unwrap();
        for it in &group.credentials {
            let command = Command::Regenerate { credential: it.id.clone(), kept: it.kept.clone() };
            let order = Order::new(actor("acme", Role::Owner), command);
            shown.debug(it).debug(&it.kept).debug(&it.kept.material).debug(&order);
            shown.debug(&store.find(&it.kept.found_by).wait());
            shown.text(&it.to_rest()); // What stores see.
        }
        let policy = GroupPolicy::of(view.id.kind);
        shown.debug(&Snapshot { policy, group });
    }
    shown.debug(&store.changes_since(0, 99).wait()).debug(&Commit::default());
    shown.debug(&Material::PasswordHash(Arc::new(secret(&hash))));
    let format = TokenFormat::new("sk", "live").unwrap();
    shown.debug(&format);
    let envelope = || {
        let wrapper = LocalKeyWrapper::new("k", &master_key, SystemRandom::new()).unwrap();
        shown.debug(&wrapper);
        EnvelopeSealer::new(wrapper, SystemRandom::new())
    };
    let tenant = auth_core::TenantId::new("acme");
    let place = EnvelopePlace {
        tenant: &tenant,
        group: &["s"],
        credential: "c",
        generation: 1,
        purpose: "secret",
    };
    let sealed = envelope().seal(place, &secret(&canary)).wait().unwrap();
    shown.debug(&sealed).debug(&envelope());
    let confirmed = Password.confirms(&actor("acme", Role::Owner), &secret(&canary)).wait();
    shown.debug(&confirmed);
    let leaks = shown.leaks(&[&canary, &ha1, &key, &master]);
    assert!(leaks.is_empty(), "{leaks:?}");
    // What stores see of a password is its hash; no type shows it otherwise.
    for token in &tokens {
        assert!(!shown.all().contains(token.as_str()), "a token that was made is shown");
    }
    assert!(shown.all().len() > 5000, "little was shown");
}
