//! A long random walk of commands, under a clock that jumps.

use super::{
    super::*,
    DAY, HOUR,
    machine::{self, Broken, Machine},
    moment,
    planted::PLANTED,
    sealed,
};
use crate::{
    Command, FieldChange, Kind, LiveSession, Material, NewCredential, RevokeGuard, ServiceId,
    Status, StepUp, Update,
    testing::{kept, new, owner},
};
use auth_core::TenantId;
use std::{collections::HashSet, sync::Arc, time::Duration};

/// Chance that repeats (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 8).unwrap() % most
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

fn policies() -> Vec<GroupPolicy> {
    let (two, ends) = (GroupPolicy::two_in_rotation(), GroupPolicy::keys_with_an_end());
    vec![
        two.clone(),
        GroupPolicy { max_total: 3, rotate_every: Some(DAY * 30), ..two.clone() },
        GroupPolicy { min_active: 2, max_total: 5, max_inactive: 2, ..two.clone() },
        GroupPolicy { max_total: 4, max_inactive: 2, creations_a_day: Some(3), ..ends },
        GroupPolicy {
            max_total: 3,
            lifetime: Some(DAY * 20),
            longest_lifetime: Some(DAY * 40),
            idle_timeout: Some(DAY * 5),
            notices: vec![DAY * 10, DAY * 3, HOUR],
            ..two
        },
        GroupPolicy { max_total: 3, idle_timeout: Some(HOUR), ..GroupPolicy::sessions(DAY) },
        GroupPolicy { idle_timeout: Some(HOUR * 4), ..GroupPolicy::one_session() },
    ]
}

struct Walk {
    dice: Dice,
    snapshot: Snapshot,
    now: Timestamp,
    made: usize,
    /// Every name and every fingerprint that there ever was.
    ids: HashSet<CredentialId>,
    fingerprints: HashSet<KeyDigestBytes>,
}

type KeyDigestBytes = [u8; 32];

const START: u64 = 2_000_000_000;

impl Walk {
    fn new(seed: u64, policy: GroupPolicy) -> Self {
        let service = ServiceId::new("s1");
        let id = GroupId::of_service(TenantId::new("acme"), service, Kind::ServiceKey);
        let snapshot = Snapshot { policy, group: Group::empty(id) };
        let (ids, fingerprints) = (HashSet::new(), HashSet::new());
        let dice = Dice(seed);
        Self { dice, snapshot, now: moment(START), made: 0, ids, fingerprints }
    }

    fn pass_time(&mut self) {
        let span = self.dice.of(&[1, 60, 3600, 3600 * 5, 3600 * 26, 3600 * 24 * 9]);
        let jump = Duration::from_secs(span);
        self.now = match self.dice.below(200) {
            0 => self.now.after(HOUR),
            1 => self.now.before(HOUR),
            2 => self.now.after(DAY * 365),
            3 => self.now.before(DAY * 365),
            4 => moment(START),
            5..100 => self.now.after(jump),
            _ => self.now,
        };
        for it in &mut self.snapshot.group.credentials {
            let used = it.status(self.now) == Status::Usable && self.dice.one_in(4);
            it.last_used = it.last_used.max(used.then_some(self.now));
        }
    }

    fn id(&mut self) -> CredentialId {
        let there: Vec<_> =
            self.snapshot.group.credentials.iter().map(|it| it.id.clone()).collect();
        if there.is_empty() || self.dice.one_in(20) {
            return CredentialId::new("never");
        }
        self.dice.of(&there)
    }

    fn moment(&mut self) -> Timestamp {
        let span =
            self.dice.of(&[0, 1, 3600, 3600 * 23, 3600 * 25, 3600 * 24 * 15, 3600 * 24 * 39]);
        self.now.after(Duration::from_secs(span))
    }

    fn new_one(&mut self) -> NewCredential {
        self.made += 1;
        let mut it = new(&format!("c{}", self.made));
        it.kept = sealed(it.clone().into_credential(&owner(), self.now, None)).kept;
        if self.dice.one_in(4) {
            it.not_before = Some(self.moment());
        }
        if self.dice.one_in(3) {
            it.expires = Some(self.moment());
        }
        let known = self.id();
        if self.dice.one_in(20) && self.snapshot.group.credential(&known).is_some() {
            it.id = known;
        }
        it
    }

    fn command(&mut self) -> Command {
        let (version, credential) = (self.snapshot.group.version, self.id());
        let confirmed = if self.dice.one_in(20) { version + 1 } else { version };
        match self.dice.below(20) {
            0..3 => Command::Create {
                new: Box::new(self.new_one()),
                live: self.dice.of(&[LiveSession::Keep, LiveSession::Replace]),
            },
            3 => Command::Import(Box::new(self.new_one())),
            4..6 => Command::Discard { credential, confirmed },
            6 => Command::Reactivate(credential),
            7 => Command::Delete { proof: self.proof(&credential), credential, confirmed },
            8 => {
                self.made += 1;
                Command::Regenerate { credential, kept: kept(&format!("k{}", self.made)) }
            }
            9..11 => Command::Rotate {
                credential,
                overlap: self.dice.of(&[Duration::ZERO, HOUR, DAY * 2]),
                new: Box::new(self.new_one()),
            },
            11 => Command::CancelRetire(credential),
            12 => Command::RetireDue,
            13 => Command::Revoke {
                credential,
                guard: self.dice.of(&[RevokeGuard::KeepLast, RevokeGuard::BreakGlass]),
            },
            14 => Command::Reveal(credential),
            15 | 16 => {
                let expires = match self.dice.below(3) {
                    0 => FieldChange::Clear,
                    _ => FieldChange::Set(self.moment()),
                };
                let update = Update { expires, ..Update::default() };
                Command::Update { credential, update: Box::new(update) }
            }
            17 => Command::Destroy(credential),
            18 => Command::ReportLeaked(credential),
            _ => match self.dice.below(3) {
                0 => Command::Bind { credential, dependant: "cron".into() },
                1 => Command::Unbind { credential, dependant: "cron".into() },
                _ => {
                    let material = Material::PasswordHash(Arc::new("new".into()));
                    Command::Rehash { credential, generation: 1, material }
                }
            },
        }
    }

    fn proof(&mut self, credential: &CredentialId) -> Option<StepUp> {
        let (actor, command) = (owner().id, CommandName::Delete);
        let right = StepUp { actor, credential: credential.clone(), command, at: self.now };
        match self.dice.below(6) {
            0 => None,
            1 => Some(StepUp { at: self.now.before(StepUp::LIFETIME), ..right }),
            2 => Some(StepUp { credential: CredentialId::new("another"), ..right }),
            _ => Some(right),
        }
    }

    fn order(&mut self) -> Order {
        let command = self.command();
        let system = matches!(command.name(), CommandName::RetireDue | CommandName::Rehash);
        let role = match self.dice.below(20) {
            0 => self.dice.of(&Role::ALL),
            _ if system => Role::System,
            _ => Role::Owner,
        };
        let mut actor = super::actor(role);
        if self.dice.one_in(10) {
            actor = actor.allowing_break_glass();
        }
        Order::new(actor, command)
    }

    /// One command; what is broken, if something is.
    fn step(&mut self, machine: Machine, invariant: Option<&str>) -> Result<bool, Broken> {
        self.pass_time();
        let order = self.order();
        let decided = machine(&self.snapshot, &order, self.now);
        machine::check_one(invariant, &self.snapshot, &order, self.now, &decided)?;
        let Ok(decision) = decided else { return Ok(false) };
        if let Some(change) = decision.change {
            let after = machine::written(&self.snapshot.group, &change);
            for it in &change.credentials {
                let fingerprint = *it.kept.fingerprint.as_bytes();
                let before = self.snapshot.group.credential(&it.id);
                let known = before.map(|before| *before.kept.fingerprint.as_bytes());
                let new_id = before.is_some() || self.ids.insert(it.id.clone());
                let new_secret =
                    known == Some(fingerprint) || self.fingerprints.insert(fingerprint);
                if invariant.is_none() && !(new_id && new_secret) {
                    return Err(("I4", format!("{} came twice", it.id)));
                }
            }
            self.snapshot.group = after;
        }
        Ok(true)
    }
}

/// So many commands of one group, before the next begins.
const STEPS: usize = 250;

/// Walks with this machine, and gives how many commands were accepted; or the seed and the step at which it broke.
fn walk(
    machine: Machine,
    invariant: Option<&str>,
    commands: usize,
    seed: u64,
) -> Result<usize, (Broken, String)> {
    let policies = policies();
    let mut accepted = 0;
    for round in 0..commands.div_ceil(STEPS) {
        let seed = (seed + u64::try_from(round).unwrap()).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut one = Walk::new(seed, policies[round % policies.len()].clone());
        for step in 0..STEPS {
            let done = one.step(machine, invariant);
            accepted += usize::from(done.map_err(|broken| {
                (broken, format!("seed {seed}, step {step}, policy {}", round % policies.len()))
            })?);
        }
    }
    Ok(accepted)
}

/// So many commands in each run of the tests; a release walks longer, with `LIFECYCLE_WALK=100000000`.
fn commands() -> usize {
    std::env::var("LIFECYCLE_WALK").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000)
}

#[test]
fn no_walk_breaks_an_invariant_though_the_clock_jumps() {
    let commands = commands();
    let accepted = walk(decide, None, commands, 1).unwrap_or_else(|broken| panic!("{broken:?}"));
    assert!(accepted > commands / 5, "{accepted} of {commands} commands were accepted");
}

#[test]
fn a_walk_finds_each_planted_fault() {
    for planted in PLANTED {
        let broken = walk(planted.machine, Some(planted.breaks), 100_000, 1).err();
        let found = broken.as_ref().map(|((invariant, _), _)| *invariant);
        assert_eq!(found, Some(planted.breaks), "{}: {broken:?}", planted.name);
    }
}
