//! Document 001: service keys and JWT credentials that are discarded, reactivated and deleted. One test for each
//! statement; `docs/coverage.md` lists them all.

mod platform;

use auth_lifecycle::{
    CommandName, CommandRefusal, GroupPolicy, Kind, LifecycleStore, MemoryLifecycleStore,
    NewSecret, RevokeGuard, Role, State, Status, StepUpProof, Wanted,
};
use auth_testing::ManualClock;
use platform::{BEGIN, Held, KINDS, MINUTE, Platform, actor, registry};
use std::{
    sync::{Arc, Barrier},
    thread,
    time::Duration,
};

/// What a call with an inactive credential is told: as with one that never was.
fn refused(kind: Kind) -> &'static str {
    if kind == Kind::ServiceKey { "401 api_key_unknown" } else { "401 jwt_signature" }
}

/// Discarded it is inactive, and is refused; reactivated, however much later, it is accepted. An active one cannot be
/// reactivated.
async fn is_reactivated_at_any_time_and_only_when_inactive(kind: Kind) {
    let platform = Platform::start().await;
    let old = platform.first(kind).await;
    let new = platform.second(&old).await;
    let by = platform.by();
    let wrong = by.reactivate(&old.id).await.unwrap().unwrap_err();
    assert_eq!(wrong, CommandRefusal::WrongState { status: Status::Usable });
    for later in [Duration::ZERO, MINUTE, MINUTE * 60 * 24 * 400] {
        platform.discard(&old).await;
        let seen = by.credential(&old.id).await.unwrap().unwrap();
        assert_eq!((seen.state, seen.status), (State::Inactive, Status::Inactive));
        assert_eq!(platform.everywhere(&old).await, [refused(kind)]);
        platform.clock.advance(later);
        assert_eq!(platform.everywhere(&old).await, [refused(kind)], "{later:?} later");
        let seen = by.reactivate(&old.id).await.unwrap().unwrap();
        assert_eq!((seen.state, seen.status), (State::Active, Status::Usable));
        for held in [&old, &new] {
            assert_eq!(platform.everywhere(held).await, [held.id.as_str()]);
        }
    }
}

#[tokio::test]
async fn s001_23_s001_31_an_inactive_credential_is_reactivated_at_any_time() {
    is_reactivated_at_any_time_and_only_when_inactive(Kind::ServiceKey).await;
}

/// Inactive, it fails every family of calls, on every process of the platform.
async fn fails_every_call_while_inactive(kind: Kind) {
    let platform = Platform::start().await;
    let (old, other) = (platform.first(kind).await, platform.another_node().await);
    let new = platform.second(&old).await;
    assert_eq!(platform.everywhere(&old).await, [old.id.as_str()]);
    assert_eq!(other.says(&old, "events").await, old.id.as_str());
    platform.discard(&old).await;
    platform.clock.advance(Duration::from_secs(5));
    for node in [&platform.node, &other] {
        for family in platform::FAMILIES {
            assert_eq!(node.says(&old, family).await, refused(kind), "{family}");
            assert_eq!(node.says(&new, family).await, new.id.as_str(), "{family}");
        }
    }
}

#[tokio::test]
async fn s001_24_an_inactive_credential_fails_every_call() {
    fails_every_call_while_inactive(Kind::ServiceKey).await;
}

/// A scheduler of the platform: it was saved with a credential, and runs with that one or not at all.
struct Scheduler<'a> {
    platform: &'a Platform,
    name: &'static str,
    /// What schedulers are saved with: all credentials of the service.
    credentials: Vec<Held>,
}

impl Scheduler<'_> {
    async fn save_with(&self, held: &Held) {
        self.platform.by().bind(&held.id, self.name).await.unwrap().unwrap();
    }

    /// Runs: what its call is answered, or why it cannot call.
    async fn run(&self) -> Result<String, CommandRefusal> {
        let (service, kind) = (self.credentials[0].service.as_ref(), self.credentials[0].kind);
        let bound = self.platform.by().bound(service, kind, self.name).await.unwrap()?;
        let held = self.credentials.iter().find(|held| held.id == bound.id).unwrap();
        Ok(self.platform.says(held, "events").await)
    }
}

/// The dry run of a discard names the scheduler; discarded, it fails by its name; saved with the other one, it runs.
async fn schedulers_fail_until_they_are_saved_again(kind: Kind) {
    let platform = Platform::start().await;
    let old = platform.first(kind).await;
    let new = platform.second(&old).await;
    let name = "birthday wishes";
    let scheduler =
        Scheduler { platform: &platform, name, credentials: vec![old.clone(), new.clone()] };
    scheduler.save_with(&old).await;
    assert_eq!(scheduler.run().await.unwrap(), old.id.as_str());
    let seen = platform.by().dry_run(&old.id).await.unwrap().unwrap();
    assert_eq!(seen.dependants, [Arc::from(name)]);
    platform.discard(&old).await;
    let failed = scheduler.run().await.unwrap_err();
    let status = Status::Inactive;
    assert_eq!(failed, CommandRefusal::DependantStranded { dependant: name.into(), status });
    assert!(failed.to_string().contains(name), "{failed}");
    scheduler.save_with(&new).await;
    assert_eq!(scheduler.run().await.unwrap(), new.id.as_str());
    let seen = platform.by().dry_run(&old.id).await.unwrap().unwrap();
    assert!(seen.dependants.is_empty(), "nothing depends on the old one any more");
}

#[tokio::test]
async fn s001_25_s001_26_schedulers_fail_until_they_are_saved_again() {
    schedulers_fail_until_they_are_saved_again(Kind::ServiceKey).await;
}

/// A discard confirms what its actor has seen. A deletion needs a password, given for this credential, this command and
/// this actor, not long ago.
async fn is_confirmed_and_deleted_with_the_password(kind: Kind) {
    let platform = Platform::start().await;
    let old = platform.first(kind).await;
    let seen = platform.by().dry_run(&old.id).await.unwrap().unwrap().version;
    let new = platform.second(&old).await;
    let by = platform.by();
    let changed = by.discard(&old.id, seen).await.unwrap().unwrap_err();
    assert_eq!(changed, CommandRefusal::VersionChanged { current: seen + 1 });
    platform.discard(&old).await;
    let version = by.dry_run(&old.id).await.unwrap().unwrap().version;
    let proof = async |role: Role, held: &Held, command: CommandName| {
        let by = platform.node.registry.by(&actor(role));
        by.step_up(&held.id, command, "right".into()).await.unwrap().unwrap()
    };
    let wrong = by.step_up(&old.id, CommandName::Delete, "wrong".into()).await.unwrap();
    assert_eq!(wrong.unwrap_err(), CommandRefusal::StepUpRequired);
    let stale = proof(Role::Owner, &old, CommandName::Delete).await;
    platform.clock.advance(MINUTE * 5);
    let proofs: [Option<StepUpProof>; 5] = [
        None,
        Some(stale),
        Some(proof(Role::Owner, &new, CommandName::Delete).await),
        Some(proof(Role::Owner, &old, CommandName::Reveal).await),
        Some(proof(Role::FullAccess, &old, CommandName::Delete).await),
    ];
    for proof in &proofs {
        let refused = by.delete(&old.id, version, proof.as_ref()).await.unwrap().unwrap_err();
        assert_eq!(refused, CommandRefusal::StepUpRequired, "{proof:?}");
    }
    let right = proof(Role::Owner, &old, CommandName::Delete).await;
    platform.clock.advance(MINUTE * 5 - Duration::from_secs(1));
    by.delete(&old.id, version, Some(&right)).await.unwrap().unwrap();
}

#[tokio::test]
async fn s001_27_s001_33_discarding_is_confirmed_and_deleting_asks_for_the_password() {
    is_confirmed_and_deleted_with_the_password(Kind::ServiceKey).await;
}

/// Of three, one is inactive at most.
async fn no_second_is_inactive(kind: Kind) {
    let three = GroupPolicy { max_total: 3, ..GroupPolicy::two_in_rotation() };
    let platform = Platform::with(&[(kind, three)]).await;
    let first = platform.first(kind).await;
    let second = platform.second(&first).await;
    platform.second(&first).await;
    platform.discard(&first).await;
    let seen = platform.by().dry_run(&second.id).await.unwrap().unwrap();
    assert_eq!(seen.refused, Some(CommandRefusal::InactiveSlotTaken { most: 1 }));
    let refused = platform.by().discard(&second.id, seen.version).await.unwrap().unwrap_err();
    assert_eq!(refused, CommandRefusal::InactiveSlotTaken { most: 1 });
}

#[tokio::test]
async fn s001_28_at_most_one_is_inactive() {
    no_second_is_inactive(Kind::ServiceKey).await;
}

/// Two processes discard the last two at once, again and again: one wins each time, and one credential is left active.
fn one_is_always_active(kind: Kind) {
    // Both might be inactive, so that nothing but the last one's guard is in the way.
    let policy = GroupPolicy { max_inactive: 2, ..GroupPolicy::two_in_rotation() };
    let store: Arc<dyn LifecycleStore> = Arc::new(MemoryLifecycleStore::new());
    let clock = ManualClock::at(BEGIN);
    let nodes = [(); 2].map(|()| registry(&store, &clock, &[(kind, policy.clone())]));
    for round in 0..300 {
        let by = nodes[0].by(&actor(Role::Owner));
        let made = by.create_service("alerts").wait().unwrap().unwrap();
        let service = Some(&made.service.id);
        let second = by.create(service, kind, Wanted::default()).wait().unwrap().unwrap();
        let first = if kind == Kind::ServiceKey { made.key } else { made.jwt };
        let both = [first.credential.id, second.credential.id];
        let barrier = Barrier::new(2);
        let outcomes = thread::scope(|scope| {
            let discard = |(node, id): (usize, _)| {
                let (by, barrier) = (nodes[node].by(&actor(Role::Owner)), &barrier);
                scope.spawn(move || {
                    let seen = by.dry_run(id).wait().unwrap().unwrap().version;
                    barrier.wait();
                    by.discard(id, seen).wait().unwrap()
                })
            };
            let threads = [discard((0, &both[0])), discard((1, &both[1]))];
            threads.map(|thread| thread.join().unwrap())
        });
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(won, 1, "round {round}: {outcomes:?}");
        let loser = if outcomes[0].is_ok() { &both[1] } else { &both[0] };
        let seen = nodes[1].by(&actor(Role::Owner)).dry_run(loser).wait().unwrap().unwrap();
        assert_eq!(seen.credential.state, State::Active, "round {round}");
        assert_eq!(seen.refused, Some(CommandRefusal::LastActive), "round {round}");
    }
}

#[test]
fn s001_29_one_is_always_active_though_two_nodes_discard_at_once() {
    one_is_always_active(Kind::ServiceKey);
}

/// What a screen enables: no discard of the last active one; of the inactive one to reactivate and to delete it.
async fn the_last_one_offers_no_discard(kind: Kind) {
    let platform = Platform::start().await;
    let old = platform.first(kind).await;
    let offers = async |held: &Held, command: CommandName| {
        platform.by().credential(&held.id).await.unwrap().unwrap().permitted.contains(&command)
    };
    assert!(!offers(&old, CommandName::Discard).await, "it is alone");
    let new = platform.second(&old).await;
    for held in [&old, &new] {
        assert!(offers(held, CommandName::Discard).await);
        assert!(!offers(held, CommandName::Reactivate).await);
        assert!(!offers(held, CommandName::Delete).await);
    }
    platform.discard(&old).await;
    assert!(!offers(&new, CommandName::Discard).await, "the other one's is disabled by itself");
    assert!(offers(&old, CommandName::Reactivate).await);
    assert!(offers(&old, CommandName::Delete).await);
    assert!(!offers(&old, CommandName::Discard).await);
    let seen = platform.by().dry_run(&new.id).await.unwrap().unwrap();
    assert!(platform.by().discard(&new.id, seen.version).await.unwrap().is_err());
    let last = platform.by().revoke(&new.id, RevokeGuard::KeepLast).await.unwrap().unwrap_err();
    assert_eq!(last, CommandRefusal::LastActive);
}

#[tokio::test]
async fn s001_30_the_last_active_one_offers_no_discard() {
    the_last_one_offers_no_discard(Kind::ServiceKey).await;
}

/// An active one is not deleted. An inactive one is: it is gone, and neither its id nor its value returns.
async fn is_deleted_only_when_inactive_and_then_gone(kind: Kind) {
    let platform = Platform::start().await;
    let old = platform.first(kind).await;
    platform.second(&old).await;
    let by = platform.by();
    let delete = async || {
        let version = by.dry_run(&old.id).await.unwrap().unwrap().version;
        let proof = by.step_up(&old.id, CommandName::Delete, "right".into()).await;
        by.delete(&old.id, version, Some(&proof.unwrap().unwrap())).await.unwrap()
    };
    let wrong = delete().await.unwrap_err();
    assert_eq!(wrong, CommandRefusal::WrongState { status: Status::Usable });
    platform.discard(&old).await;
    delete().await.unwrap();
    assert_eq!(platform.everywhere(&old).await, [refused(kind)]);
    assert_eq!(by.credential(&old.id).await.unwrap().unwrap_err(), CommandRefusal::Unknown);
    assert_eq!(by.reactivate(&old.id).await.unwrap().unwrap_err(), CommandRefusal::Unknown);
    let groups = by.list(old.service.as_ref()).await.unwrap().unwrap();
    let mut listed = groups.iter().flat_map(|group| &group.credentials);
    assert!(listed.all(|one| one.id != old.id));
    let secret = NewSecret::Given((&*old.secret).into());
    let again = by.import(old.service.as_ref(), kind, Wanted { secret, ..Wanted::default() });
    assert_eq!(again.await.unwrap().unwrap_err(), CommandRefusal::SecretTaken);
    for _ in 0..20 {
        let new = platform.first(kind).await;
        assert!(new.id != old.id && new.secret != old.secret);
    }
}

#[tokio::test]
async fn s001_32_s001_34_only_an_inactive_one_is_deleted_and_never_returns() {
    is_deleted_only_when_inactive_and_then_gone(Kind::ServiceKey).await;
}

/// All that this file says of keys holds for JWT credentials.
#[tokio::test]
async fn s001_35_all_of_it_holds_for_jwt_credentials_that_end() {
    let kind = KINDS[1];
    is_reactivated_at_any_time_and_only_when_inactive(kind).await;
    fails_every_call_while_inactive(kind).await;
    schedulers_fail_until_they_are_saved_again(kind).await;
    is_confirmed_and_deleted_with_the_password(kind).await;
    no_second_is_inactive(kind).await;
    the_last_one_offers_no_discard(kind).await;
    is_deleted_only_when_inactive_and_then_gone(kind).await;
    tokio::task::spawn_blocking(move || one_is_always_active(kind)).await.unwrap();
}
