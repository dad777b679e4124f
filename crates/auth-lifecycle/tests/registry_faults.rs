//! The registry over a store that fails, under callers that give up, and under those that ask for what is not theirs.

#![allow(clippy::unwrap_used)]

use auth_core::{Error, Flow, Secret, TenantId};
use auth_lifecycle::{
    Actor, CommandName, CommandRefusal, Commands, CredentialId, EventName, FieldChange,
    GroupPolicy, Kind, LifecycleStore, MemoryLifecycleStore, NewSecret, NewService, Registry,
    RegistryKeys, RevokeGuard, Role, ServiceId, State, StepUpCheck, StepUpProof, Update, Wanted,
    store_suite::{Fault, Faulty},
};
use std::{
    collections::BTreeSet,
    fmt::Debug,
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

#[path = "registry_faults/shown.rs"]
mod shown;

type Store = Arc<Faulty<MemoryLifecycleStore>>;

struct Password;

impl StepUpCheck for Password {
    fn confirms(&self, _: &Actor, password: &Secret) -> Flow<'_, bool> {
        Flow::ready(password.matches(b"right"))
    }
}

fn registry() -> (Registry, Store) {
    let store = Arc::new(Faulty::new(MemoryLifecycleStore::new()));
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
    let four = GroupPolicy { max_total: 4, max_inactive: 2, ..GroupPolicy::two_in_rotation() };
    let builder = Registry::build(Arc::clone(&store), keys).with_step_up(Password);
    (builder.with_policy(Kind::ServiceKey, four).finish().unwrap(), store)
}

fn actor(tenant: &str, role: Role) -> Actor {
    Actor::new(TenantId::new(tenant), "alice", role)
}

fn owner(registry: &Registry) -> Commands {
    registry.by(&actor("acme", Role::Owner))
}

fn length(store: &Store) -> u64 {
    store.beneath().position().wait().unwrap()
}

fn events(store: &Store) -> Vec<EventName> {
    let page = store.beneath().changes_since(0, 10_000).wait().unwrap();
    page.events.into_iter().map(|event| event.what.name).collect()
}

fn is_chained(registry: &Registry) {
    registry.verify_chain().wait().unwrap();
}

/// A service with three keys: the first and the second active, the third inactive.
struct Stage {
    registry: Registry,
    store: Store,
    service: ServiceId,
    first: CredentialId,
    second: CredentialId,
    rested: CredentialId,
    /// That Alice may delete the third.
    proof: StepUpProof,
}

fn stage() -> Stage {
    let (registry, store) = registry();
    let by = owner(&registry);
    let NewService { service, key, .. } = by.create_service("alerts").wait().unwrap().unwrap();
    let more = || {
        let made = by.create(Some(&service.id), Kind::ServiceKey, Wanted::default());
        made.wait().unwrap().unwrap().credential.id
    };
    let (second, rested) = (more(), more());
    let version = by.dry_run(&rested).wait().unwrap().unwrap().version;
    by.discard(&rested, version).wait().unwrap().unwrap();
    let proof = by.step_up(&rested, CommandName::Delete, "right".into()).wait().unwrap().unwrap();
    let (service, first) = (service.id, key.credential.id);
    Stage { registry, store, service, first, second, rested, proof }
}

impl Stage {
    fn version(&self) -> u64 {
        owner(&self.registry).dry_run(&self.first).wait().unwrap().unwrap().version
    }
}

/// A command, as text of what came of it, without what differs from one registry to the next.
type Give = fn(&Stage, &Commands) -> Flow<'static, Result<String, CommandRefusal>>;

fn text<T: Debug + Send + 'static>(
    answer: auth_lifecycle::Answer<T>,
) -> Flow<'static, Result<String, CommandRefusal>> {
    answer.map(|answer| answer.map(|it| format!("{it:?}")))
}

/// Every command that changes a group, and how many events it writes.
const COMMANDS: &[(&str, Give, u64)] = &[
    ("create_service", |_, by| text(by.create_service("more")), 3),
    (
        "create",
        |stage, by| text(by.create(Some(&stage.service), Kind::ApiKey, Wanted::default())),
        1,
    ),
    (
        "import",
        |stage, by| {
            let secret = NewSecret::Given("a-token-that-callers-have-already-0123".into());
            let wanted = Wanted { secret, ..Wanted::default() };
            text(by.import(Some(&stage.service), Kind::ApiKey, wanted))
        },
        1,
    ),
    ("discard", |stage, by| text(by.discard(&stage.first, VERSION)), 1),
    ("reactivate", |stage, by| text(by.reactivate(&stage.rested)), 1),
    ("regenerate", |stage, by| text(by.regenerate(&stage.first, NewSecret::Generated)), 1),
    (
        "rotate",
        |stage, by| text(by.rotate(&stage.first, Duration::from_secs(60), Wanted::default())),
        2,
    ),
    ("delete", |stage, by| text(by.delete(&stage.rested, VERSION, Some(&stage.proof))), 1),
    ("revoke", |stage, by| text(by.revoke(&stage.first, RevokeGuard::KeepLast)), 1),
    (
        "update",
        |stage, by| {
            text(by.update(&stage.first, Update { label: Some("new".into()), ..Update::default() }))
        },
        1,
    ),
    ("bind", |stage, by| text(by.bind(&stage.first, "cron")), 1),
];

/// The version of the group of service keys, when it is staged.
const VERSION: u64 = 4;

#[test]
fn a_reply_that_was_lost_after_the_commit_comes_with_the_repetition() {
    for (name, give, many) in COMMANDS {
        let stage = stage();
        assert_eq!(stage.version(), VERSION);
        let (before, by) = (length(&stage.store), owner(&stage.registry).once("req-1"));
        stage.store.next_commit(Fault::FailsAfter);
        assert!(give(&stage, &by).wait().is_err(), "{name}");
        assert_eq!(length(&stage.store), before + many, "{name}");
        let again = give(&stage, &by).wait().unwrap();
        assert!(again.is_ok(), "{name}: {again:?}");
        assert_eq!(give(&stage, &by).wait().unwrap(), again, "{name}");
        assert_eq!(length(&stage.store), before + many, "{name}");
        is_chained(&stage.registry);
    }
}

#[test]
fn a_commit_of_which_nobody_knows_is_done_once() {
    for fault in [Fault::UnknownBefore, Fault::UnknownAfter] {
        for (name, give, many) in COMMANDS {
            let stage = stage();
            let (before, by) = (length(&stage.store), owner(&stage.registry));
            stage.store.next_commit(fault);
            let done = give(&stage, &by).wait().unwrap();
            assert!(done.is_ok(), "{name} after {fault:?}: {done:?}");
            assert_eq!(length(&stage.store), before + many, "{name} after {fault:?}");
            is_chained(&stage.registry);
        }
    }
}

#[test]
fn a_store_that_never_knows_is_an_error_and_the_repetition_tells() {
    for fault in [Fault::UnknownBefore, Fault::UnknownAfter] {
        let stage = stage();
        let revoked = owner(&stage.registry).once("req-1");
        (0..3).for_each(|_| stage.store.next_commit(fault));
        let guard = RevokeGuard::KeepLast;
        let error = revoked.revoke(&stage.first, guard).wait().unwrap_err();
        assert_eq!(error.code(), "lifecycle_commit_unknown", "{fault:?}");
        let before = length(&stage.store);
        let done = revoked.revoke(&stage.first, guard).wait().unwrap().unwrap();
        assert_eq!(done.state, State::Revoked);
        let more = u64::from(fault == Fault::UnknownBefore);
        assert_eq!(length(&stage.store), before + more, "{fault:?}");
    }
}

#[test]
fn a_store_that_fails_after_it_did_not_know_tells_that_nobody_knows() {
    for fault in [Fault::UnknownBefore, Fault::UnknownAfter] {
        for (name, give, many) in COMMANDS {
            let stage = stage();
            let (before, by) = (length(&stage.store), owner(&stage.registry).once("req-1"));
            [fault, Fault::Fails].into_iter().for_each(|fault| stage.store.next_commit(fault));
            let error = give(&stage, &by).wait().unwrap_err();
            assert_eq!(error.code(), "lifecycle_commit_unknown", "{name} after {fault:?}");
            assert!(give(&stage, &by).wait().unwrap().is_ok(), "{name} after {fault:?}");
            assert_eq!(length(&stage.store), before + many, "{name} after {fault:?}");
            is_chained(&stage.registry);
        }
    }
}

#[test]
fn an_event_of_which_nobody_knows_is_written_once() {
    let shown = |store: &Store, name| events(store).into_iter().filter(|it| *it == name).count();
    let stage = stage();
    stage.store.next_commit(Fault::UnknownAfter);
    owner(&stage.registry).reveal(&stage.first).wait().unwrap().unwrap();
    assert_eq!(shown(&stage.store, EventName::Revealed), 1);
    stage.store.next_commit(Fault::UnknownAfter);
    let by = stage.registry.by(&actor("acme", Role::ReadOnly));
    let refused = by.revoke(&stage.first, RevokeGuard::KeepLast).wait().unwrap();
    assert_eq!(refused.unwrap_err(), CommandRefusal::Forbidden);
    assert_eq!(shown(&stage.store, EventName::Refused), 1);
}

#[test]
fn uses_of_which_the_writing_was_given_up_or_failed_are_written_later() {
    use auth_core::{Peer, RequestView, Verifier};
    let (registry, store) = registry();
    let made = owner(&registry).create_service("alerts").wait().unwrap().unwrap();
    let text = made.key.secret.unwrap().expose_text().unwrap().to_owned();
    let placement = auth_static::Placement::header("key").unwrap();
    let (hasher, keys) = (registry.token_hasher(), registry.tokens(&[Kind::ServiceKey]));
    let verifier = auth_static::ApiKeyVerifier::new("api", placement, hasher, keys).unwrap();
    let door = registry.admit(verifier);
    let (uri, mut headers) = (http::Uri::from_static("/"), http::HeaderMap::new());
    headers.insert("key", text.parse().unwrap());
    let peer = Peer { address: "192.0.2.7".parse().ok(), ..Peer::UNKNOWN };
    let request = RequestView::new(&http::Method::GET, &uri, &headers).with_peer(peer);
    assert!(door.verify(request).wait().unwrap().is_ok());
    store.next(Fault::Late(3));
    assert!(!give_up(registry.flush_uses(), 2));
    let id = &made.key.credential.id;
    assert!(store.beneath().uses(id).wait().unwrap().is_empty());
    store.next(Fault::Fails);
    registry.flush_uses().wait().unwrap_err();
    registry.flush_uses().wait().unwrap();
    assert_eq!(store.beneath().uses(id).wait().unwrap().len(), 1);
}

#[test]
fn a_store_that_fails_is_an_error_and_changes_nothing() {
    for (name, give, _) in COMMANDS {
        let stage = stage();
        let (before, by) = (length(&stage.store), owner(&stage.registry));
        stage.store.next(Fault::Fails);
        let error = give(&stage, &by).wait().unwrap_err();
        assert!(matches!(error, Error::Transport { .. }), "{name}: {error:?}");
        assert_eq!(length(&stage.store), before, "{name}");
    }
}

/// Polls a flow so often, and gives it up then; tells whether it was done.
fn give_up<T>(flow: Flow<'static, T>, polls: usize) -> bool {
    let mut flow = pin!(flow);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).any(|_| matches!(flow.as_mut().poll(&mut context), Poll::Ready(_)))
}

#[test]
fn a_caller_that_gives_up_leaves_a_whole_change_or_none() {
    for (name, give, many) in COMMANDS {
        let (mut none, mut whole, mut done) = (0, 0, false);
        for polls in 0..40 {
            let stage = stage();
            let (before, by) = (length(&stage.store), owner(&stage.registry).once("req-1"));
            (0..20).for_each(|_| stage.store.next(Fault::Late(1)));
            done = give_up(give(&stage, &by), polls);
            match length(&stage.store) - before {
                0 => none += 1,
                written => {
                    assert_eq!(written, *many, "{name} after {polls} polls");
                    whole += 1;
                }
            }
            is_chained(&stage.registry);
            // Whoever asks again gets the answer, and it is done once.
            (0..20).for_each(|_| stage.store.next(Fault::Late(0)));
            assert!(give(&stage, &by).wait().unwrap().is_ok(), "{name} after {polls} polls");
            assert_eq!(length(&stage.store), before + many, "{name} after {polls} polls");
            if done {
                break;
            }
        }
        assert!(done && none > 1 && whole > 0, "{name}: {none} without, {whole} with a change");
    }
}

#[test]
fn eight_callers_at_once_lose_nothing() {
    let stage = stage();
    let before = length(&stage.store);
    let made: Vec<_> = thread::scope(|scope| {
        let one = || {
            let by = owner(&stage.registry);
            let make = |_| {
                let made = by.create(Some(&stage.service), Kind::ApiKey, Wanted::default());
                made.wait().unwrap().unwrap().credential.id
            };
            (0..5).map(make).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(made.iter().map(ToString::to_string).collect::<BTreeSet<_>>().len(), 40);
    assert_eq!(length(&stage.store), before + 40);
    let groups = owner(&stage.registry).list(Some(&stage.service)).wait().unwrap().unwrap();
    let keys = groups.iter().find(|group| group.id.kind == Kind::ApiKey).unwrap();
    assert_eq!((keys.version, keys.credentials.len()), (40, 40));
    let forty_first =
        owner(&stage.registry).create(Some(&stage.service), Kind::ApiKey, Wanted::default());
    assert_eq!(forty_first.wait().unwrap().unwrap_err().code(), "lifecycle_creation_rate");
    is_chained(&stage.registry);
}

#[test]
fn eight_callers_that_discard_and_bring_back_never_empty_a_group() {
    let stage = stage();
    let ids = [&stage.first, &stage.second, &stage.rested];
    thread::scope(|scope| {
        for number in 0..8 {
            let (by, stage) = (owner(&stage.registry), &stage);
            scope.spawn(move || {
                for step in 0..25 {
                    let id = ids[(number + step) % 3];
                    let seen = by.dry_run(id).wait().unwrap().unwrap();
                    if seen.credential.state == State::Active {
                        let _ = by.discard(id, seen.version).wait().unwrap();
                    } else {
                        let _ = by.reactivate(id).wait().unwrap();
                    }
                    let groups = by.list(Some(&stage.service)).wait().unwrap().unwrap();
                    let active = |state| {
                        let of = |it: &&auth_lifecycle::CredentialView| it.state == state;
                        groups[0].credentials.iter().filter(of).count()
                    };
                    assert!(active(State::Active) >= 1 && active(State::Inactive) <= 2);
                }
            });
        }
    });
    is_chained(&stage.registry);
}

/// What came of every command and look-up that names something, in bytes: an error or a refusal, as people and programs
/// see it.
fn asked(by: &Commands, service: &ServiceId, id: &CredentialId) -> Vec<(&'static str, String)> {
    fn said<T>(answer: auth_lifecycle::Answer<T>) -> String {
        match answer.wait() {
            Ok(Ok(_)) => "done".into(),
            Ok(Err(refusal)) => format!("{refusal:?} {refusal} {}", refusal.code()),
            Err(error) => format!("{error:?} {error}"),
        }
    }
    let (wanted, some) = (Wanted::default, Some(service));
    let hour = Duration::from_secs(3600);
    let prove = |command| by.step_up(id, command, "right".into());
    let proof = prove(CommandName::Delete).wait().unwrap().ok();
    let ends = Update { expires: FieldChange::Clear, ..Update::default() };
    vec![
        ("create", said(by.create(some, Kind::ServiceKey, wanted()))),
        ("create a session", said(by.create(some, Kind::IbssoSession, wanted()))),
        ("replace_session", said(by.replace_session(service, Kind::IbssoSession, wanted()))),
        ("import", said(by.import(some, Kind::ServiceKey, wanted()))),
        ("rotate", said(by.rotate(id, hour, wanted()))),
        ("regenerate", said(by.regenerate(id, NewSecret::Generated))),
        ("discard", said(by.discard(id, VERSION))),
        ("reactivate", said(by.reactivate(id))),
        ("delete", said(by.delete(id, VERSION, proof.as_ref()))),
        ("delete without a proof", said(by.delete(id, VERSION, None))),
        ("revoke", said(by.revoke(id, RevokeGuard::KeepLast))),
        ("revoke the last", said(by.revoke(id, RevokeGuard::BreakGlass))),
        ("cancel_retire", said(by.cancel_retire(id))),
        ("update", said(by.update(id, ends))),
        ("destroy", said(by.destroy(id))),
        ("bind", said(by.bind(id, "cron"))),
        ("unbind", said(by.unbind(id, "cron"))),
        ("step_up", said(prove(CommandName::Delete))),
        (
            "step_up with a wrong password",
            said(by.step_up(id, CommandName::Delete, "wrong".into())),
        ),
        ("reveal", said(by.reveal(id))),
        ("credential", said(by.credential(id))),
        ("dry_run", said(by.dry_run(id))),
        ("list", said(by.list(some))),
        ("bound", said(by.bound(some, Kind::ServiceKey, "cron"))),
        ("act_as", said(by.act_as(service))),
    ]
}

#[test]
fn what_belongs_to_another_tenant_is_as_unknown_as_what_never_was() {
    let stage = stage();
    owner(&stage.registry).bind(&stage.first, "cron").wait().unwrap().unwrap();
    let (never, nowhere) = (CredentialId::new("c-never"), ServiceId::new("s-never"));
    let before = length(&stage.store);
    for role in Role::ALL {
        let mallory = actor("globex", role).allowing_break_glass().allowing_acting_as_services();
        for by in [stage.registry.by(&mallory), stage.registry.by(&mallory).expecting(VERSION)] {
            for id in [&stage.first, &stage.rested] {
                let theirs = asked(&by, &stage.service, id);
                let unknown = asked(&by, &nowhere, &never);
                assert_eq!(theirs, unknown, "{role}");
                for (name, said) in theirs {
                    assert!(!said.contains("done"), "{role}: {name}: {said}");
                }
            }
        }
        let by = stage.registry.by(&mallory);
        if role.may_list() {
            let page = by.services(Some(&ServiceId::new("")), 9).wait().unwrap().unwrap();
            assert!(page.is_empty(), "{role}");
            assert!(by.list(None).wait().unwrap().unwrap().is_empty(), "{role}");
        }
        if role.may_audit() {
            let (seen, _) = by.events(0, 9).wait().unwrap().unwrap();
            assert!(seen.is_empty(), "{role}: {seen:?}");
        }
    }
    assert_eq!(length(&stage.store), before, "nothing was written down for another tenant");
    let mine = asked(&owner(&stage.registry), &stage.service, &stage.first);
    assert!(mine.iter().any(|(_, said)| said == "done"), "the tenant's own is known");
}

#[test]
fn an_idempotency_key_of_another_tenant_or_actor_is_another_key() {
    let stage = stage();
    let revoke = |by: Actor| {
        let by = stage.registry.by(&by).once("req-1");
        by.revoke(&stage.first, RevokeGuard::KeepLast).wait().unwrap().map(|it| it.state)
    };
    assert_eq!(revoke(actor("acme", Role::Owner)), Ok(State::Revoked));
    assert_eq!(revoke(actor("acme", Role::Owner)), Ok(State::Revoked));
    assert_eq!(revoke(actor("globex", Role::Owner)), Err(CommandRefusal::Unknown));
    let bob = Actor::new(TenantId::new("acme"), "bob", Role::Owner);
    assert!(matches!(revoke(bob), Err(CommandRefusal::WrongState { .. })));
}

#[test]
fn three_roles_reveal_and_the_attempt_of_any_other_is_written_down() {
    let stage = stage();
    for role in Role::ALL {
        let before = length(&stage.store);
        let by = stage.registry.by(&actor("acme", role));
        let shown = by.reveal(&stage.first).wait().unwrap();
        let event = stage.store.beneath().changes_since(before, 9).wait().unwrap().events;
        assert_eq!(event.len(), 1, "{role}");
        let what = &event[0].what;
        assert_eq!((what.role, what.credential.as_ref()), (role, Some(&stage.first)));
        if [Role::Owner, Role::FullAccess, Role::LimitedAccess].contains(&role) {
            assert!(shown.is_ok(), "{role}");
            assert_eq!(what.name, EventName::Revealed);
        } else {
            assert_eq!(shown.unwrap_err(), CommandRefusal::Forbidden);
            assert_eq!((what.name, what.detail.as_str()), (EventName::Refused, "reveal"));
        }
    }
    assert!(events(&stage.store).contains(&EventName::Refused));
    is_chained(&stage.registry);
}

#[test]
fn every_showing_is_written_down_though_it_comes_with_the_same_key() {
    let stage = stage();
    let by = owner(&stage.registry).once("req-1");
    let shown = || events(&stage.store).into_iter().filter(|it| *it == EventName::Revealed).count();
    for times in 1..4 {
        by.reveal(&stage.first).wait().unwrap().unwrap();
        assert_eq!(shown(), times);
    }
}

#[test]
fn a_role_that_was_taken_away_gets_nothing_by_repeating() {
    for (name, give, _) in COMMANDS {
        let stage = stage();
        let with = |role| stage.registry.by(&actor("acme", role)).once("req-1");
        assert!(give(&stage, &with(Role::Owner)).wait().unwrap().is_ok(), "{name}");
        let again = give(&stage, &with(Role::ReadOnly)).wait().unwrap();
        let refused = Err(CommandRefusal::Forbidden);
        // What was deleted is nowhere for anybody.
        let gone = *name == "delete" && again == Err(CommandRefusal::Unknown);
        assert!(again == refused || gone, "{name}: {again:?}");
    }
    let stage = stage();
    let with = |role| stage.registry.by(&actor("acme", role)).once("req-1");
    with(Role::Owner).reveal(&stage.first).wait().unwrap().unwrap();
    let again = with(Role::ReadOnly).reveal(&stage.first).wait().unwrap();
    assert_eq!(again.unwrap_err(), CommandRefusal::Forbidden);
}

#[test]
fn a_secret_is_not_shown_when_the_audit_cannot_be_written() {
    let stage = stage();
    stage.store.next_commit(Fault::Fails);
    assert!(owner(&stage.registry).reveal(&stage.first).wait().is_err());
    assert!(!events(&stage.store).contains(&EventName::Revealed));
}
