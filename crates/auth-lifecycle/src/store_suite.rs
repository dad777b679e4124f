//! What every store has to keep, as claims that a store's tests run by name.

mod commits;
mod faulty;
mod finds;
mod ledger;
mod names;
mod races;
mod twins;
mod uses;

pub use faulty::{Fault, Faulty};
pub use twins::{Outcomes, same_outcomes};

use crate::{
    Commit, CommitOutcome, Credential, CredentialId, EventName, GroupChange, GroupId, Happening,
    Kept, Kind, LifecycleStore, Material, RememberedAnswer, Role, ServiceId, State,
};
use auth_core::{Flow, KeyDigest, Scopes, TenantId, Timestamp};
use std::{fmt::Debug, sync::Arc};

/// What a claim is checked with: the store under test, and threads.
///
/// ```
/// use auth_lifecycle::{MemoryLifecycleStore, store_suite::{Bench, CLAIMS}};
/// use std::{sync::Arc, thread};
///
/// let bench = Bench {
///     fresh: &|| Arc::new(MemoryLifecycleStore::new()),
///     together: &|many, work| thread::scope(|scope| (0..many).for_each(|one| {
///         scope.spawn(move || work(one));
///     })),
/// };
/// for claim in CLAIMS {
///     (claim.check)(&bench).map_err(|fault| format!("{}: {fault}", claim.name))?;
/// }
/// # Ok::<_, String>(())
/// ```
pub struct Bench<'a> {
    /// A store that nothing was ever written to.
    pub fresh: &'a dyn Fn() -> Arc<dyn LifecycleStore>,
    /// Runs the work on so many threads at once, each with its number from 0 on, and returns when all are done.
    pub together: &'a Together,
}

/// What runs work on so many threads at once: a library spawns none itself.
pub type Together = dyn Fn(usize, &(dyn Fn(usize) + Sync));

/// One promise of [`LifecycleStore`].
#[derive(Clone, Copy)]
pub struct Claim {
    /// The promise, as the name of a test.
    pub name: &'static str,
    /// Checks it on fresh stores. The error says what the store did instead.
    pub check: fn(&Bench<'_>) -> Result<(), String>,
}

macro_rules! claims {
    ($($module:ident: $($name:ident,)*;)*) => {
        /// Every promise of a store. Their order says nothing: each begins with a fresh store.
        pub const CLAIMS: &[Claim] =
            &[$($(Claim { name: stringify!($name), check: $module::$name },)*)*];
    };
}

claims! {
    commits:
        a_group_that_was_never_written_to_is_empty,
        a_commit_is_loaded_as_it_was_written,
        a_commit_over_several_groups_is_written_whole_or_not_at_all,
        a_group_that_changes_twice_in_a_commit_is_a_conflict,
        a_change_without_credentials_counts_the_version_up,
        a_remembered_answer_is_given_in_place_of_a_second_commit,
        a_remembered_answer_ends_at_its_moment,;
    names:
        a_name_of_a_credential_never_returns,
        a_fingerprint_never_returns,
        a_name_of_a_service_is_given_once,
        what_finds_one_group_finds_no_other,
        what_is_refused_as_taken_leaves_nothing_behind,
        a_service_without_a_name_has_no_group,
        a_service_without_a_name_is_refused_by_its_field,;
    finds:
        active_and_inactive_credentials_are_found_and_no_others,
        a_find_tells_the_position_at_which_it_is_true,
        a_fingerprint_finds_what_has_it_now,
        a_tenant_finds_nothing_of_another,
        services_are_listed_in_the_order_of_their_names,;
    ledger:
        events_are_chained_in_the_order_of_their_commits,
        the_ledger_is_read_in_parts_without_a_gap,
        a_tenant_reads_its_own_events_by_numbers_of_its_own,
        a_reader_that_follows_eight_writers_sees_each_event_once,;
    uses:
        the_last_use_only_grows,
        the_uses_of_the_latest_sources_are_kept,
        due_groups_come_the_earliest_first,
        a_lease_has_one_holder,
        a_lease_taken_under_a_clock_that_was_ahead_blocks_nobody_for_long,;
    races:
        of_many_commits_over_one_version_one_is_written,
        of_many_commits_under_one_name_one_is_written,
        a_find_beside_a_writer_is_true_at_its_position,
        two_discards_of_the_last_two_keys_leave_one,
        a_version_for_each_key_would_lose_groups,;
}

type Checked = Result<(), String>;

/// The answer of a store, or its error as text.
fn ask<T>(flow: Flow<'_, T>) -> Result<T, String> {
    flow.wait().map_err(|error| format!("the store failed: {error}"))
}

fn same<T: PartialEq + Debug>(what: &str, found: T, expected: T) -> Checked {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: found {found:?}, expected {expected:?}"))
}

fn holds(what: &str, it: bool) -> Checked {
    if it { Ok(()) } else { Err(format!("{what}: it does not hold")) }
}

fn is_done(store: &dyn LifecycleStore, commit: Commit) -> Result<u64, String> {
    match ask(store.commit(commit))? {
        CommitOutcome::Done { position } => Ok(position),
        other => Err(format!("a commit was not written: {other:?}")),
    }
}

fn moment(seconds: u64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name)
}

/// The group of service keys of a service of the tenant `acme`.
fn group(service: &str) -> GroupId {
    GroupId::of_service(tenant("acme"), ServiceId::new(service), Kind::ServiceKey)
}

fn digest(of: &str) -> KeyDigest {
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(of.bytes()).for_each(|(to, from)| *to = from);
    KeyDigest::from_bytes(bytes)
}

/// An active credential that is found by its name, and whose secret has its name as fingerprint.
fn credential(id: &str) -> Credential {
    Credential {
        id: CredentialId::new(id),
        state: State::Active,
        generation: 1,
        created: moment(1000),
        secret_since: moment(1000),
        created_by: Arc::from("alice"),
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
        label: Arc::from(""),
        dependants: Vec::new(),
        kept: Kept {
            found_by: digest(id),
            fingerprint: digest(id),
            name: None,
            material: Material::Nothing,
        },
    }
}

fn in_state(it: &Credential, state: State) -> Credential {
    Credential { state, ..it.clone() }
}

fn change(group: &GroupId, expected: u64, credentials: Vec<Credential>) -> GroupChange {
    GroupChange {
        id: group.clone(),
        expected,
        latest: moment(1000),
        creations: Vec::new(),
        next_due: None,
        credentials,
    }
}

/// A change of one group, with an event for each credential.
fn commit(group: &GroupId, expected: u64, credentials: Vec<Credential>) -> Commit {
    let about = |it: &Credential| happening(group, expected.saturating_add(1), Some(&it.id));
    let events = credentials.iter().map(about).collect();
    Commit { changes: vec![change(group, expected, credentials)], events, ..Commit::default() }
}

fn happening(group: &GroupId, version: u64, credential: Option<&CredentialId>) -> Happening {
    Happening {
        tenant: group.tenant.clone(),
        service: group.service.clone(),
        group: Some((group.clone(), version)),
        credential: credential.cloned(),
        name: EventName::Updated,
        at: moment(1000),
        actor: Arc::from("alice"),
        role: Role::Owner,
        cause: Arc::from("a claim is checked"),
        states: Some((State::Active, State::Active)),
        detail: String::from("label"),
        touched: credential.map(|id| digest(id.as_str())).into_iter().collect(),
    }
}

fn answer(name: &str, now: u64, until: u64) -> RememberedAnswer {
    RememberedAnswer {
        name: digest(name),
        command: digest("a command"),
        answer: vec![1, 2, 3],
        now: moment(now),
        until: moment(until),
    }
}

impl Debug for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Debug for Bench<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bench(..)")
    }
}
