//! Each command: what comes of it, and each of its refusals.

mod figures;
mod machine;
mod planted;
mod screen;
mod states;
mod walk;
mod written;

use super::*;
use crate::{
    Actor, Command, FieldChange, Kept, Kind, LiveSession, Material, NewCredential, RevokeGuard,
    ServiceId, Status, StepUp, Update,
    testing::{credential, digest, kept, new, owner},
};
use auth_core::TenantId;
use std::{sync::Arc, time::Duration};

const NOW: u64 = 100_000;
const VERSION: u64 = 7;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn moment(seconds: u64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

fn at(seconds: u64) -> Option<Timestamp> {
    Some(moment(seconds))
}

fn snapshot(policy: &GroupPolicy, credentials: Vec<Credential>) -> Snapshot {
    let service = ServiceId::new("s1");
    let id = GroupId::of_service(TenantId::new("acme"), service, Kind::ServiceKey);
    let creations = Vec::new();
    let group = Group { id, version: VERSION, latest: moment(1000), creations, credentials };
    Snapshot { policy: policy.clone(), group }
}

fn active(id: &str) -> Credential {
    credential(id, 1000)
}

fn sealed(it: Credential) -> Credential {
    let kept = Kept { material: Material::Sealed(Arc::from([1])), ..it.kept.clone() };
    Credential { kept, ..it }
}

fn in_state(id: &str, state: State) -> Credential {
    Credential { state, ..active(id) }
}

fn inactive(id: &str) -> Credential {
    in_state(id, State::Inactive)
}

fn ending(id: &str, end: u64) -> Credential {
    Credential { expires: at(end), ..active(id) }
}

fn retiring(id: &str, end: u64) -> Credential {
    Credential { retire_at: at(end), ..active(id) }
}

fn later(id: &str, start: u64) -> Credential {
    Credential { not_before: at(start), ..active(id) }
}

fn id(name: &str) -> CredentialId {
    CredentialId::new(name)
}

fn create(name: &str) -> Command {
    Command::Create { new: Box::new(new(name)), live: LiveSession::Keep }
}

fn discard(name: &str) -> Command {
    Command::Discard { credential: id(name), confirmed: VERSION }
}

fn proof(name: &str) -> StepUp {
    let (actor, command) = (owner().id, CommandName::Delete);
    StepUp { actor, credential: id(name), command, at: moment(NOW) }
}

fn delete(name: &str, proof: Option<StepUp>) -> Command {
    Command::Delete { credential: id(name), confirmed: VERSION, proof }
}

fn regenerate(name: &str) -> Command {
    Command::Regenerate { credential: id(name), kept: kept("renewed") }
}

fn rotate(name: &str, successor: NewCredential) -> Command {
    Command::Rotate { credential: id(name), overlap: HOUR, new: Box::new(successor) }
}

fn revoke(name: &str, guard: RevokeGuard) -> Command {
    Command::Revoke { credential: id(name), guard }
}

fn update(name: &str, update: Update) -> Command {
    Command::Update { credential: id(name), update: Box::new(update) }
}

fn ends(name: &str, end: FieldChange<Timestamp>) -> Command {
    update(name, Update { expires: end, ..Update::default() })
}

fn bind(name: &str, dependant: &str) -> Command {
    Command::Bind { credential: id(name), dependant: dependant.into() }
}

/// Alice, with this role.
fn actor(role: Role) -> Actor {
    Actor::new(TenantId::new("acme"), owner().id, role)
}

fn by(role: Role, command: Command) -> Order {
    Order::new(actor(role), command)
}

/// What a decision says, in short: each event with its credential and states, where they differ.
fn said(decision: &Decision) -> String {
    let say = |event: &Happening| {
        let about = event.credential.as_ref().map_or("group", CredentialId::as_str);
        match event.states {
            Some((before, after)) if before != after => {
                format!("{} {about} {}>{}", event.name.name(), before.name(), after.name())
            }
            _ => format!("{} {about}", event.name.name()),
        }
    };
    decision.events.iter().map(say).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check_order(
    policy: &GroupPolicy,
    credentials: Vec<Credential>,
    order: &Order,
    expected: Result<&str, CommandRefusal>,
) -> Option<Decision> {
    let snapshot = snapshot(policy, credentials);
    let decided = decide(&snapshot, order, moment(NOW));
    machine::check(&snapshot, order, moment(NOW), &decided).unwrap();
    assert_eq!(decided.as_ref().map(said).map_err(Clone::clone), expected.map(String::from));
    decided.ok()
}

#[track_caller]
fn check_in(
    policy: &GroupPolicy,
    credentials: Vec<Credential>,
    command: Command,
    expected: Result<&str, CommandRefusal>,
) -> Option<Decision> {
    check_order(policy, credentials, &by(Role::Owner, command), expected)
}

/// Two keys, of which one is active and one at most inactive.
#[track_caller]
fn check(
    credentials: Vec<Credential>,
    command: Command,
    expected: Result<&str, CommandRefusal>,
) -> Option<Decision> {
    check_in(&GroupPolicy::two_in_rotation(), credentials, command, expected)
}

fn three() -> GroupPolicy {
    GroupPolicy { max_total: 3, ..GroupPolicy::two_in_rotation() }
}

const fn wrong(status: Status) -> CommandRefusal {
    CommandRefusal::WrongState { status }
}

fn invalid(field: &'static str, expected: &'static str) -> CommandRefusal {
    CommandRefusal::Invalid { field, expected }
}

const AFTER_THE_BEGINNING: &str = "a moment after the beginning";
const WITHIN_THE_LONGEST: &str = "a moment within the longest lifetime of the policy";
const YET_TO_COME: &str = "a moment that is yet to come; revoke ends a credential now";

#[test]
fn creates_until_the_group_is_full() {
    check(vec![], create("c1"), Ok("created c1"));
    check(vec![active("c1")], create("c2"), Ok("created c2"));
    let full = CommandRefusal::CapReached { most: 2 };
    check(vec![active("c1"), inactive("c2")], create("c3"), Err(full.clone()));
    // What time has ended takes its place until somebody removes it.
    check(vec![active("c1"), ending("c2", NOW)], create("c3"), Err(full));
    let revoked = in_state("c2", State::Revoked);
    check(vec![active("c1"), revoked.clone()], create("c3"), Ok("created c3"));
    check(vec![revoked], create("c2"), Err(CommandRefusal::SecretTaken));
    let many: Vec<_> =
        (0..1000).map(|number| in_state(&format!("c{number}"), State::Revoked)).collect();
    check(many, create("new"), Err(CommandRefusal::CapReached { most: 1000 }));
}

#[test]
fn a_new_credential_lives_as_long_as_its_policy_says() {
    let policy = GroupPolicy {
        lifetime: Some(DAY * 30),
        longest_lifetime: Some(DAY * 60),
        idle_timeout: Some(HOUR),
        ..GroupPolicy::two_in_rotation()
    };
    let made = |change: fn(&mut NewCredential), expected| {
        let mut it = new("c1");
        change(&mut it);
        let command = Command::Create { new: Box::new(it), live: LiveSession::Keep };
        let made = check_in(&policy, vec![], command, expected);
        made.and_then(|made| made.change).map(|change| change.credentials[0].clone())
    };
    let it = made(|_| {}, Ok("created c1")).unwrap();
    assert_eq!(it.expires, Some(moment(NOW).after(DAY * 30)));
    assert_eq!(it.idle_timeout, Some(HOUR + GroupPolicy::USE_GRAIN));
    assert_eq!((it.created, it.generation), (moment(NOW), 1));
    let it = made(|it| it.not_before = at(NOW + 50), Ok("created c1")).unwrap();
    assert_eq!(it.expires, Some(moment(NOW + 50).after(DAY * 30)));
    made(|it| it.expires = Some(moment(NOW).after(DAY * 60)), Ok("created c1"));
    made(
        |it| it.expires = Some(moment(NOW).after(DAY * 60 + Duration::from_nanos(1))),
        Err(invalid("expires", WITHIN_THE_LONGEST)),
    );
    made(|it| it.expires = at(NOW), Err(invalid("expires", AFTER_THE_BEGINNING)));
    let backwards =
        |it: &mut NewCredential| (it.not_before, it.expires) = (at(NOW + 9), at(NOW + 9));
    made(backwards, Err(invalid("expires", AFTER_THE_BEGINNING)));
}

#[test]
fn counts_the_creations_of_a_day() {
    let policy = GroupPolicy { creations_a_day: Some(2), ..GroupPolicy::keys_with_an_end() };
    let after = |creations: &[u64]| {
        let mut snapshot = snapshot(&policy, vec![]);
        snapshot.group.creations = creations.iter().copied().map(moment).collect();
        let decided = decide(&snapshot, &by(Role::Owner, create("c1")), moment(NOW));
        decided.map(|decision| decision.change.unwrap().creations)
    };
    let day = DAY.as_secs();
    assert_eq!(after(&[]), Ok(vec![moment(NOW)]));
    assert_eq!(after(&[NOW - day, NOW - 5]), Ok(vec![moment(NOW - 5), moment(NOW)]));
    let rate = |seconds| CommandRefusal::CreationRate { retry_after: Duration::from_secs(seconds) };
    assert_eq!(after(&[NOW - day + 1, NOW - 5]), Err(rate(1)));
    // The policy was three a day before: two of them have to be a day old.
    assert_eq!(after(&[NOW - day + 1, NOW - 100, NOW - 5]), Err(rate(day - 100)));
    let import = Command::Import(Box::new(new("c1")));
    let mut full = snapshot(&policy, vec![]);
    full.group.creations = vec![moment(NOW); 2];
    assert!(
        decide(&full, &by(Role::Owner, import), moment(NOW)).is_ok(),
        "imports are not counted"
    );
    full.group.credentials = vec![active("c1")];
    let rotation = decide(&full, &by(Role::Owner, rotate("c1", new("c2"))), moment(NOW));
    assert_eq!(rotation.unwrap_err(), rate(day), "a successor is counted");
}

#[test]
fn discards_all_but_the_last() {
    check(vec![active("c1"), active("c2")], discard("c1"), Ok("discarded c1 active>inactive"));
    let last = CommandRefusal::LastActive;
    check(vec![active("c1")], discard("c1"), Err(last.clone()));
    check(vec![active("c1"), inactive("c2")], discard("c1"), Err(last.clone()));
    let rotating = CommandRefusal::LastBesideRotation;
    check(vec![active("c1"), retiring("c2", NOW + 9)], discard("c1"), Err(rotating.clone()));
    check(vec![active("c1"), retiring("c2", NOW)], discard("c1"), Err(last.clone()));
    let keep = revoke("c1", RevokeGuard::KeepLast);
    check(vec![active("c1"), retiring("c2", NOW + 9)], keep, Err(rotating));
    check(vec![active("c1"), ending("c2", NOW + DAY.as_secs())], discard("c1"), Err(last.clone()));
    check(vec![active("c1"), later("c2", NOW + 1)], discard("c1"), Err(last.clone()));
    // Nothing is lasting, but one of them still works.
    check(vec![ending("c1", NOW + 9)], discard("c1"), Err(last));
    let two = vec![ending("c1", NOW + 9), ending("c2", NOW + 9)];
    check(two, discard("c1"), Ok("discarded c1 active>inactive"));
    let slot = CommandRefusal::InactiveSlotTaken { most: 1 };
    check_in(&three(), vec![active("c1"), active("c2"), inactive("c3")], discard("c1"), Err(slot));
    check(vec![active("c1"), inactive("c2")], discard("c2"), Err(wrong(Status::Inactive)));
    let spent = vec![active("c1"), ending("c2", NOW)];
    check(spent, discard("c2"), Ok("discarded c2 active>inactive"));
    let unseen = Command::Discard { credential: id("c1"), confirmed: VERSION - 1 };
    let current = CommandRefusal::VersionChanged { current: VERSION };
    check(vec![active("c1"), active("c2")], unseen, Err(current));
    let used = Credential { dependants: vec!["cron".into(), "hook".into()], ..active("c1") };
    let told = check(vec![used, active("c2")], discard("c1"), Ok("discarded c1 active>inactive"));
    let told = told.unwrap().events.remove(0);
    assert_eq!((told.detail.as_str(), told.touched), ("used by cron, hook", vec![digest("c1")]));
}

#[test]
fn reactivates_what_has_not_ended() {
    let again = |name| Command::Reactivate(id(name));
    check(vec![active("c1"), inactive("c2")], again("c2"), Ok("reactivated c2 inactive>active"));
    check(vec![active("c1")], again("c1"), Err(wrong(Status::Usable)));
    let revoked = in_state("c2", State::Revoked);
    check(vec![active("c1"), revoked], again("c2"), Err(wrong(Status::Revoked)));
    let ended = Credential { expires: at(NOW), ..inactive("c2") };
    check(vec![ended.clone()], again("c2"), Err(CommandRefusal::Expired));
    let noted = Credential { ended: true, ..inactive("c2") };
    check(vec![noted], again("c2"), Err(CommandRefusal::Expired));
    let idle = Credential { idle_timeout: Some(HOUR), ..inactive("c2") };
    check(vec![idle], again("c2"), Err(CommandRefusal::Expired));
    let retired = Credential { retire_at: at(NOW - 5), ..inactive("c2") };
    let back = check(vec![retired], again("c2"), Ok("reactivated c2 inactive>active")).unwrap();
    assert_eq!(back.change.unwrap().credentials[0].retire_at, None);
    // Its end cannot be moved while nobody looks.
    let later = FieldChange::Set(moment(NOW + 9));
    check(vec![ended.clone()], ends("c2", later), Err(CommandRefusal::Expired));
    check(vec![ended], regenerate("c2"), Err(CommandRefusal::Expired));
}

#[test]
fn deletes_with_a_proof_for_this_and_nothing_else() {
    let group = || vec![active("c1"), inactive("c2"), in_state("c3", State::Revoked)];
    let at_most_three = three();
    #[track_caller]
    fn refused(policy: &GroupPolicy, group: Vec<Credential>, proof: Option<StepUp>) {
        check_in(policy, group, delete("c2", proof), Err(CommandRefusal::StepUpRequired));
    }
    let (right, five) = (proof("c2"), StepUp::LIFETIME.as_secs());
    let done = "deleted c2 inactive>deleted";
    check_in(&at_most_three, group(), delete("c2", Some(right.clone())), Ok(done));
    let old = StepUp { at: moment(NOW - five + 1), ..right.clone() };
    check_in(&at_most_three, group(), delete("c2", Some(old)), Ok(done));
    let done = "deleted c3 revoked>deleted";
    check_in(&at_most_three, group(), delete("c3", Some(proof("c3"))), Ok(done));
    refused(&at_most_three, group(), None);
    refused(&at_most_three, group(), Some(StepUp { at: moment(NOW - five), ..right.clone() }));
    let ahead = StepUp::MOST_AHEAD.as_secs();
    refused(&at_most_three, group(), Some(StepUp { at: moment(NOW + ahead + 1), ..right.clone() }));
    let of_another_process = StepUp { at: moment(NOW + ahead), ..right.clone() };
    let done = "deleted c2 inactive>deleted";
    check_in(&at_most_three, group(), delete("c2", Some(of_another_process)), Ok(done));
    refused(&at_most_three, group(), Some(StepUp { actor: "bob".into(), ..right.clone() }));
    refused(&at_most_three, group(), Some(proof("c3")));
    refused(
        &at_most_three,
        group(),
        Some(StepUp { command: CommandName::Revoke, ..right.clone() }),
    );
    check(group(), delete("c1", Some(proof("c1"))), Err(wrong(Status::Usable)));
    let unseen = Command::Delete { credential: id("c2"), confirmed: 6, proof: Some(right) };
    check(group(), unseen, Err(CommandRefusal::VersionChanged { current: VERSION }));
    let decision =
        check(group(), delete("c2", Some(proof("c2"))), Ok("deleted c2 inactive>deleted"));
    let gone = decision.unwrap().change.unwrap().credentials[0].clone();
    assert_eq!((gone.kept, gone.state), (kept("c2"), State::Deleted));
}

#[test]
fn regenerates_what_is_still_to_be_used() {
    for it in [active("c1"), inactive("c1"), later("c1", NOW + 9)] {
        let group = vec![it, active("c2")];
        let change = check(group, regenerate("c1"), Ok("regenerated c1")).unwrap().change.unwrap();
        let it = &change.credentials[0];
        assert_eq!((it.generation, it.secret_since), (2, moment(NOW)));
        assert_eq!(it.kept, kept("renewed"));
        assert_eq!((change.expected, change.latest), (VERSION, moment(NOW)));
    }
    check(vec![ending("c1", NOW)], regenerate("c1"), Err(CommandRefusal::Expired));
    check(vec![retiring("c1", NOW)], regenerate("c1"), Err(CommandRefusal::Expired));
    let revoked = in_state("c1", State::Revoked);
    check(vec![revoked], regenerate("c1"), Err(wrong(Status::Revoked)));
    let same = Command::Regenerate { credential: id("c1"), kept: kept("c1") };
    check(vec![active("c1")], same, Err(CommandRefusal::SecretTaken));
    let told = Credential { rotation_told: true, ..active("c1") };
    let decision = check(vec![told], regenerate("c1"), Ok("regenerated c1")).unwrap();
    assert!(!decision.change.unwrap().credentials[0].rotation_told);
    let touched = [digest("c1"), digest("renewed")];
    assert!(touched.iter().all(|one| decision.events[0].touched.contains(one)), "both look-ups");
}

#[test]
fn rotates_what_is_usable_and_one_at_a_time() {
    let started = "created c2, rotation_started c1";
    let retires = |group: Vec<Credential>| {
        let decision = check(group, rotate("c1", new("c2")), Ok(started)).unwrap();
        decision.change.unwrap().credentials[1].retire_at
    };
    assert_eq!(retires(vec![active("c1")]), at(NOW + 3600));
    assert_eq!(retires(vec![ending("c1", NOW + 99)]), at(NOW + 99), "no life is lengthened");
    let no = |group, refusal| check_in(&three(), group, rotate("c1", new("c2")), Err(refusal));
    no(vec![ending("c1", NOW)], CommandRefusal::Expired);
    no(vec![retiring("c1", NOW)], CommandRefusal::Expired);
    no(vec![inactive("c1")], wrong(Status::Inactive));
    no(vec![in_state("c1", State::Revoked)], wrong(Status::Revoked));
    no(vec![later("c1", NOW + 9)], wrong(Status::NotYet));
    no(vec![active("c1"), retiring("c9", NOW + 9)], CommandRefusal::RotationInProgress);
    no(vec![retiring("c1", NOW + 9)], CommandRefusal::RotationInProgress);
    // It ended before it was retired: nothing is being rotated any more.
    let over = Credential { retire_at: at(NOW), ..ending("c9", NOW) };
    check_in(&three(), vec![active("c1"), over], rotate("c1", new("c2")), Ok(started));
    let full = CommandRefusal::CapReached { most: 2 };
    check(vec![active("c1"), inactive("c3")], rotate("c1", new("c2")), Err(full));
    let at_once =
        Command::Rotate { credential: id("c1"), overlap: Duration::ZERO, new: Box::new(new("c2")) };
    let text = "more than zero; regenerate ends the old secret at once";
    check(vec![active("c1")], at_once, Err(invalid("overlap", text)));
    // A successor that begins too late, or ends too soon, leaves nothing behind it.
    let last = CommandRefusal::LastActive;
    let late = NewCredential { not_before: at(NOW + 7200), ..new("c2") };
    check(vec![active("c1")], rotate("c1", late.clone()), Err(last.clone()));
    check(vec![ending("c1", NOW + 9000)], rotate("c1", late), Err(last.clone()));
    let short = NewCredential { expires: at(NOW + 60), ..new("c2") };
    check(vec![active("c1")], rotate("c1", short), Err(last));
}

#[test]
fn a_rotation_is_cancelled_before_it_ends() {
    let cancel = || Command::CancelRetire(id("c1"));
    let group = vec![retiring("c1", NOW + 1), active("c2")];
    let kept = check(group, cancel(), Ok("retire_cancelled c1")).unwrap();
    assert_eq!(kept.change.unwrap().credentials[0].retire_at, None);
    check(vec![active("c1")], cancel(), Err(wrong(Status::Usable)));
    check(vec![retiring("c1", NOW)], cancel(), Err(wrong(Status::Retired)));
    check(
        vec![Credential { retire_at: at(NOW + 9), ..ending("c1", NOW) }],
        cancel(),
        Err(wrong(Status::Expired)),
    );
}

#[test]
fn revokes_all_but_the_last_unless_glass_is_broken() {
    let keep = || revoke("c1", RevokeGuard::KeepLast);
    check(vec![active("c1"), active("c2")], keep(), Ok("revoked c1 active>revoked"));
    check(vec![active("c1"), inactive("c2")], keep(), Err(CommandRefusal::LastActive));
    check(vec![inactive("c1"), active("c2")], keep(), Ok("revoked c1 inactive>revoked"));
    check(vec![in_state("c1", State::Revoked)], keep(), Err(wrong(Status::Revoked)));
    let broken = || revoke("c1", RevokeGuard::BreakGlass);
    check(vec![active("c1")], broken(), Err(CommandRefusal::Forbidden));
    let allowed = Order::new(owner().allowing_break_glass(), broken());
    let policy = GroupPolicy::two_in_rotation();
    let all = Ok("revoked c1 active>revoked, break_glass c1");
    check_order(&policy, vec![active("c1")], &allowed, all);
    let needless = Ok("revoked c1 active>revoked");
    check_order(&policy, vec![active("c1"), active("c2")], &allowed, needless);
}

#[test]
fn reveals_what_is_kept_in_a_form_that_can_be_shown() {
    let reveal = || Command::Reveal(id("c1"));
    for state in [State::Active, State::Inactive, State::Revoked] {
        let it = sealed(in_state("c1", state));
        let shown = check(vec![it], reveal(), Ok("revealed c1")).unwrap();
        assert_eq!(shown.change, None);
        assert_eq!(shown.events[0].group.as_ref().unwrap().1, VERSION);
    }
    check(vec![active("c1")], reveal(), Err(CommandRefusal::NotRecoverable));
    let mut never = snapshot(&GroupPolicy::two_in_rotation(), vec![sealed(active("c1"))]);
    never.group.id.kind = Kind::SigV4Key;
    let refused = decide(&never, &by(Role::Owner, reveal()), moment(NOW)).unwrap_err();
    assert_eq!(refused, CommandRefusal::NotRecoverable);
}

#[test]
fn updates_what_is_still_to_be_used() {
    let label = |text: &str| Update { label: Some(text.into()), ..Update::default() };
    for it in [active("c1"), inactive("c1"), later("c1", NOW + 9)] {
        let done = check(vec![it], update("c1", label("new")), Ok("updated c1")).unwrap();
        assert_eq!(done.events[0].detail, "label");
    }
    let nothing = check(vec![active("c1")], update("c1", label("")), Ok("")).unwrap();
    assert_eq!(nothing.change, None);
    check(vec![ending("c1", NOW)], update("c1", label("new")), Err(CommandRefusal::Expired));
    check(vec![retiring("c1", NOW)], update("c1", label("new")), Err(CommandRefusal::Expired));
    let revoked = in_state("c1", State::Revoked);
    check(vec![revoked], update("c1", label("new")), Err(wrong(Status::Revoked)));
    let long = invalid("label", "at most 200 bytes");
    check(vec![active("c1")], update("c1", label(&"x".repeat(201))), Err(long));
    check(vec![active("c1")], update("c1", label(&"x".repeat(200))), Ok("updated c1"));
    let all = Update {
        scopes: Some(["read"].into_iter().collect()),
        allowed_addresses: FieldChange::Set("10.0.0.0/8".parse().unwrap()),
        expires: FieldChange::Set(moment(NOW).after(DAY * 9)),
        ..label("new")
    };
    let done = check(vec![active("c1")], update("c1", all), Ok("updated c1")).unwrap();
    assert_eq!(done.events[0].detail, "expires, label, scopes, allowed_addresses");
}

#[test]
fn an_update_of_the_end_stays_within_the_policy_and_leaves_a_lasting_one() {
    let set = |end| ends("c1", FieldChange::Set(moment(end)));
    let (last, day) = (CommandRefusal::LastActive, DAY.as_secs());
    check(vec![active("c1")], set(NOW + day + 1), Ok("updated c1"));
    check(vec![active("c1")], set(NOW + day), Err(last.clone()));
    check(vec![active("c1"), active("c2")], set(NOW + 1), Ok("updated c1"));
    check(vec![active("c1")], set(NOW), Err(invalid("expires", YET_TO_COME)));
    // What is not lasting any more is not shortened further, unless another one stays as long as it is.
    check(vec![ending("c1", NOW + 500)], set(NOW + 1), Err(last));
    check(vec![ending("c1", NOW + 500)], set(NOW + 501), Ok("updated c1"));
    check(vec![ending("c1", NOW + 500), ending("c2", NOW + 9)], set(NOW + 1), Ok("updated c1"));
    let waiting = later("c1", NOW + 50);
    check(vec![waiting, active("c2")], set(NOW + 50), Err(invalid("expires", AFTER_THE_BEGINNING)));
    let longest = GroupPolicy { longest_lifetime: Some(DAY * 9), ..GroupPolicy::two_in_rotation() };
    let created = Credential { created: moment(NOW), ..ending("c1", NOW + 3 * day) };
    let to = |end| ends("c1", end);
    let limit = moment(NOW + 9 * day);
    check_in(&longest, vec![created.clone()], to(FieldChange::Set(limit)), Ok("updated c1"));
    let over = Err(invalid("expires", WITHIN_THE_LONGEST));
    check_in(&longest, vec![created.clone()], set(NOW + 9 * day + 1), over.clone());
    check_in(&longest, vec![created.clone()], to(FieldChange::Clear), over);
    let starts_later = Credential { not_before: at(NOW + day), ..created };
    check_in(&longest, vec![starts_later], set(NOW + 10 * day), Ok("updated c1"));
    let told = Credential { notices_told: 2, ..ending("c1", NOW + 3 * day) };
    let decision = check(vec![told], set(NOW + 9 * day), Ok("updated c1")).unwrap();
    assert_eq!(decision.change.unwrap().credentials[0].notices_told, 0);
}

#[test]
fn one_session_is_alive_at_a_time() {
    let policy = GroupPolicy::one_session();
    let alive = CommandRefusal::SessionAlreadyActive;
    let replace = || Command::Create { new: Box::new(new("c2")), live: LiveSession::Replace };
    check_in(&policy, vec![], create("c2"), Ok("created c2"));
    check_in(&policy, vec![active("c1")], create("c2"), Err(alive.clone()));
    check_in(&policy, vec![later("c1", NOW + 9)], create("c2"), Err(alive));
    let replaced = "session_destroyed c1 active>revoked, deleted c1 revoked>deleted, created c2";
    check_in(&policy, vec![active("c1")], replace(), Ok(replaced));
    check_in(&policy, vec![later("c1", NOW + 9)], replace(), Ok(replaced));
    check_in(&policy, vec![], replace(), Ok("created c2"));
    let ended = vec![ending("c1", NOW)];
    check_in(&policy, ended, create("c2"), Ok("expired c1 active>deleted, created c2"));
    let destroyed = vec![in_state("c1", State::Revoked)];
    check_in(&policy, destroyed, create("c2"), Ok("deleted c1 revoked>deleted, created c2"));
    let many = || (0..1000).map(|number| in_state(&format!("s{number}"), State::Revoked)).collect();
    let freed = decide(&snapshot(&policy, many()), &by(Role::Owner, create("c2")), moment(NOW));
    assert_eq!(freed.unwrap().events.len(), 1001, "what has ended makes room");
    let sessions = GroupPolicy { max_total: 1, ..GroupPolicy::sessions(HOUR) };
    let full = CommandRefusal::CapReached { most: 1 };
    check_in(&sessions, vec![active("c1")], create("c2"), Err(full));
}

#[test]
fn a_session_is_destroyed_by_its_holder_or_an_owner() {
    let policy = GroupPolicy::sessions(HOUR);
    let destroy = || Command::Destroy(id("c1"));
    let bearer = |name: &str| Actor::new(TenantId::new("acme"), name, Role::Bearer);
    let done = "session_destroyed c1 active>revoked";
    check_in(&policy, vec![active("c1")], destroy(), Ok(done));
    check_order(&policy, vec![active("c1")], &Order::new(bearer("c1"), destroy()), Ok(done));
    let other = Order::new(bearer("c2"), destroy());
    let two = vec![active("c1"), active("c2")];
    check_order(&policy, two, &other, Err(CommandRefusal::Unknown));
    check_in(&policy, vec![ending("c1", NOW)], destroy(), Err(wrong(Status::Expired)));
    let again = vec![in_state("c1", State::Revoked)];
    check_in(&policy, again, destroy(), Err(wrong(Status::Revoked)));
}

#[test]
fn a_report_revokes_or_alarms_and_never_empties_a_group() {
    let report = |name| Command::ReportLeaked(id(name));
    let revoked = Ok("revoked c1 active>revoked, leak_reported c1");
    check(vec![active("c1"), active("c2")], report("c1"), revoked);
    let alarmed = check(vec![active("c1"), inactive("c2")], report("c1"), Ok("leak_reported c1"));
    assert_eq!(alarmed.unwrap().change, None);
    let revoked = Ok("revoked c2 inactive>revoked, leak_reported c2");
    check(vec![active("c1"), inactive("c2")], report("c2"), revoked);
    let over = in_state("c1", State::Revoked);
    check(vec![over, active("c2")], report("c1"), Ok("leak_reported c1"));
    let alarm =
        GroupPolicy { when_leaked: crate::WhenLeaked::Alarm, ..GroupPolicy::two_in_rotation() };
    check_in(&alarm, vec![active("c1"), active("c2")], report("c1"), Ok("leak_reported c1"));
    let session = GroupPolicy::one_session();
    let revoked = Ok("revoked c1 active>revoked, leak_reported c1");
    check_in(&session, vec![active("c1")], report("c1"), revoked);
}

#[test]
fn a_dependant_uses_one_credential_of_a_group() {
    let used = |name: &str| Credential { dependants: vec!["cron".into()], ..active(name) };
    check(vec![active("c1")], bind("c1", "cron"), Ok("bound c1"));
    let moved = Ok("unbound c2, bound c1");
    let bound = check(vec![active("c1"), used("c2")], bind("c1", "cron"), moved).unwrap();
    let of = |name| move |it: &Credential| (it.id == id(name)).then(|| it.dependants.clone());
    let changed = bound.change.unwrap().credentials;
    assert_eq!(changed.iter().find_map(of("c1")), Some(vec!["cron".into()]));
    assert_eq!(changed.iter().find_map(of("c2")), Some(vec![]));
    check(vec![used("c1")], bind("c1", "cron"), Ok(""));
    check(vec![inactive("c1")], bind("c1", "cron"), Err(wrong(Status::Inactive)));
    let name = invalid("dependant", "a name of 1 to 200 bytes");
    check(vec![active("c1")], bind("c1", ""), Err(name.clone()));
    check(vec![active("c1")], bind("c1", &"x".repeat(201)), Err(name));
    check(vec![active("c1")], bind("c1", &"x".repeat(200)), Ok("bound c1"));
    let almost = (0..99).map(|number| number.to_string().into()).collect();
    let almost = Credential { dependants: almost, ..active("c1") };
    check(vec![almost], bind("c1", "cron"), Ok("bound c1"));
    let many = (0..100).map(|number| number.to_string().into()).collect();
    let full = Credential { dependants: many, ..active("c1") };
    let most = invalid("dependant", "at most 100 of one credential");
    check(vec![full], bind("c1", "cron"), Err(most));
    let unbind = || Command::Unbind { credential: id("c1"), dependant: "cron".into() };
    check(vec![used("c1")], unbind(), Ok("unbound c1"));
    check(vec![active("c1")], unbind(), Ok(""));
}

#[test]
fn a_password_is_hashed_anew_while_it_is_the_same() {
    let rehash = |generation| {
        let material = Material::PasswordHash(Arc::new("new".into()));
        by(Role::System, Command::Rehash { credential: id("c1"), generation, material })
    };
    let policy = GroupPolicy::two_in_rotation();
    let done = check_order(&policy, vec![active("c1")], &rehash(1), Ok("rehashed c1")).unwrap();
    assert_eq!(done.change.unwrap().credentials[0].generation, 1);
    check_order(&policy, vec![Credential { generation: 2, ..active("c1") }], &rehash(1), Ok(""));
    check_order(&policy, vec![in_state("c1", State::Revoked)], &rehash(1), Ok(""));
}

#[test]
fn time_expires_retires_and_tells_what_comes() {
    let due = by(Role::System, Command::RetireDue);
    let policy =
        GroupPolicy { notices: vec![DAY * 2, DAY], rotate_every: Some(DAY * 10), ..three() };
    let (far, day) = (NOW + 90 * DAY.as_secs(), DAY.as_secs());
    #[track_caller]
    fn time(
        policy: &GroupPolicy,
        group: Vec<Credential>,
        order: &Order,
        expected: &str,
    ) -> GroupChange {
        check_order(policy, group, order, Ok(expected)).unwrap().change.unwrap()
    }
    let alone = time(&policy, vec![ending("c1", NOW)], &due, "expired c1, too_few_lasting group");
    assert!(alone.credentials[0].ended);
    assert_eq!(alone.next_due, None);
    time(&policy, vec![ending("c1", NOW), ending("c2", far)], &due, "expired c1");
    let successor = ending("c2", far);
    let two = vec![retiring("c1", NOW), successor.clone()];
    time(&policy, two, &due, "retired c1 active>inactive");
    let three = vec![retiring("c1", NOW), successor.clone(), inactive("c3")];
    time(&policy, three, &due, "retired c1 active>revoked");
    let soon = time(
        &policy,
        vec![ending("c1", NOW + 2 * day), successor.clone()],
        &due,
        "expiring_soon c1",
    );
    assert_eq!((soon.credentials[0].notices_told, soon.next_due), (1, at(NOW + day)));
    let both =
        time(&policy, vec![ending("c1", NOW + day), successor.clone()], &due, "expiring_soon c1");
    assert_eq!((both.credentials[0].notices_told, both.next_due), (2, at(NOW + day)));
    // A credential that is good only later is told of too: else its group would be due until then.
    let waiting = Credential { not_before: at(NOW + 50), ..ending("c1", NOW + day) };
    let told = time(&policy, vec![waiting, successor.clone()], &due, "expiring_soon c1");
    assert_eq!(told.next_due, at(NOW + day));
    let old = Credential { secret_since: moment(NOW - day), ..ending("c1", far) };
    let aged = GroupPolicy { rotate_every: Some(DAY), ..policy.clone() };
    let aged = time(&aged, vec![old], &due, "rotation_due c1");
    assert!(aged.credentials[0].rotation_told);
    let sessions = GroupPolicy::sessions(HOUR);
    let over = vec![ending("c1", NOW), in_state("c2", State::Revoked), active("c3")];
    time(&sessions, over, &due, "expired c1 active>deleted, deleted c2 revoked>deleted");
}

#[test]
fn a_group_that_was_used_is_due_later() {
    let due = by(Role::System, Command::RetireDue);
    let idle = GroupPolicy { idle_timeout: Some(HOUR), ..GroupPolicy::sessions(DAY) };
    let used = Credential {
        idle_timeout: Some(HOUR),
        last_used: at(NOW - 100),
        ..ending("c1", NOW + DAY.as_secs())
    };
    let moved = check_order(&idle, vec![used], &due, Ok("")).unwrap().change.unwrap();
    assert_eq!((moved.credentials, moved.next_due), (vec![], at(NOW - 100 + 3600)));
    assert_eq!(moved.expected, VERSION);
    let mut never = snapshot(&idle, vec![]);
    never.group = Group::empty(never.group.id);
    let nothing = decide(&never, &due, moment(NOW)).unwrap();
    assert_eq!(nothing, Decision { change: None, events: vec![] }, "nothing was ever written");
    // It begins late: nobody could have used it before.
    let waiting = Credential { idle_timeout: Some(HOUR), ..later("c1", NOW - 10) };
    assert_eq!(waiting.status(moment(NOW)), Status::Usable);
}

#[test]
fn what_is_no_command_of_a_kind_a_role_or_a_tenant_is_refused() {
    let policy = GroupPolicy::two_in_rotation();
    let not_for = |command| Err(CommandRefusal::NotForKind { command });
    check(vec![active("c1")], Command::Destroy(id("c1")), not_for(CommandName::Destroy));
    for command in [discard("c1"), regenerate("c1"), rotate("c1", new("c2")), bind("c1", "cron")] {
        let refused = not_for(command.name());
        check_in(&GroupPolicy::sessions(HOUR), vec![active("c1")], command, refused);
    }
    let import = Command::Import(Box::new(new("c2")));
    check_in(&GroupPolicy::one_session(), vec![], import, not_for(CommandName::Import));
    check(vec![active("c1")], discard("c9"), Err(CommandRefusal::Unknown));
    for role in Role::ALL {
        for command in [create("c2"), discard("c1"), Command::RetireDue] {
            let expected = !role.may(command.name());
            let group = snapshot(&policy, vec![active("c1"), active("c3")]);
            let refused = decide(&group, &by(role, command), moment(NOW));
            assert_eq!(refused == Err(CommandRefusal::Forbidden), expected, "{role}");
        }
    }
    let foreign = Actor::new(TenantId::new("globex"), "mallory", Role::Owner);
    for command in [create("c2"), discard("c1"), discard("never")] {
        let order = Order::new(foreign.clone(), command);
        check_order(&policy, vec![active("c1")], &order, Err(CommandRefusal::Unknown));
    }
    let mut order = by(Role::Owner, create("c2"));
    order.expected_version = Some(VERSION - 1);
    let changed = CommandRefusal::VersionChanged { current: VERSION };
    check_order(&policy, vec![], &order, Err(changed));
    order.expected_version = Some(VERSION);
    check_order(&policy, vec![], &order, Ok("created c2"));
}

/// Another process may have written a moment that is ahead of this one's clock.
#[test]
fn a_proof_is_as_old_as_this_process_knows_it_to_be() {
    let mut group = snapshot(&GroupPolicy::two_in_rotation(), vec![active("c1"), inactive("c2")]);
    group.group.latest = moment(NOW + 3600);
    let order = by(Role::Owner, delete("c2", Some(proof("c2"))));
    assert!(decide(&group, &order, moment(NOW)).is_ok());
    let late = moment(NOW).after(StepUp::LIFETIME);
    assert_eq!(decide(&group, &order, late).unwrap_err(), CommandRefusal::StepUpRequired);
}

#[test]
fn a_clock_that_was_set_back_ends_and_revives_nothing() {
    let mut group =
        snapshot(&GroupPolicy::two_in_rotation(), vec![ending("c1", NOW), active("c2")]);
    group.group.latest = moment(NOW);
    let order = by(Role::Owner, rotate("c1", new("c3")));
    assert_eq!(decide(&group, &order, moment(5)).unwrap_err(), CommandRefusal::Expired);
    let discarded = decide(&group, &by(Role::Owner, discard("c1")), moment(5)).unwrap();
    assert_eq!(discarded.change.unwrap().latest, moment(NOW));
    assert_eq!(discarded.events[0].at, moment(NOW));
}
