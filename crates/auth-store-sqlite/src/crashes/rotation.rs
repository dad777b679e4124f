//! A rotation, from the new key to the retirement of the old one, is killed at each named point of its commits.

use super::{ABORT_AT, points::POINTS, process::Directory, work::alice};
use crate::SqliteDatabase;
use auth_core::Secret;
use auth_lifecycle::{
    CredentialId, CredentialView, EventName, GroupView, Kind, Registry, RegistryKeys, ServiceId,
    State, Status, Wanted,
};
use auth_testing::ManualClock;
use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    io::Write,
    process::{Command, ExitStatus, Stdio},
    time::Duration,
};

const DIRECTORY: &str = "AUTH_STORE_SQLITE_ROTATES_IN";

/// When the rotation begins.
const BEGIN: u64 = 1_800_000_000;

const OVERLAP: Duration = Duration::from_secs(3600);

/// What is done after the key is made: the rotation is begun, and its overlap ends.
const STEPS: usize = 2;

/// The registry after so many of the steps, when the overlap of those has passed.
fn registry(directory: &Directory, steps: usize) -> (Registry, ManualClock) {
    let clock = ManualClock::at(BEGIN);
    (0..steps).for_each(|_| clock.advance(OVERLAP));
    let database = SqliteDatabase::open(&directory.file(), clock.clone()).unwrap();
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
    let registry = Registry::build(database.credentials(), keys).with_clock(clock.clone());
    (registry.finish().unwrap(), clock)
}

/// Does nothing unless this process was started to rotate: it goes on where the one before it was killed.
#[test]
fn one_that_rotates() {
    let Some(directory) = env::var_os(DIRECTORY) else { return };
    // Nobody else holds it; it is dropped by the process that started this one.
    let directory = std::mem::ManuallyDrop::new(Directory(directory.into()));
    let told = directory.told();
    let path = directory.0.join("told");
    let mut file = File::options().append(true).open(path).unwrap();
    // The first line names the key.
    let (old, done) = (CredentialId::new(told[0].as_str()), told.len() - 1);
    let (registry, clock) = registry(&directory, done);
    if done == 0 {
        let by = registry.by(&alice()).once("the rotation");
        let made = by.rotate(&old, OVERLAP, Wanted::default()).wait().unwrap().unwrap();
        // In one call, so that it is told whole or not at all.
        file.write_all(format!("{}\n", made.credential.id).as_bytes()).unwrap();
        clock.advance(OVERLAP);
    }
    if done < STEPS {
        registry.retire_due().wait().unwrap();
        file.write_all(b"retired\n").unwrap();
    }
    drop(registry);
    directory.wait_until_closed();
}

/// Runs it until it ends or is killed.
fn run(directory: &Directory, kill: Option<&str>) -> ExitStatus {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "crashes::rotation::one_that_rotates"]);
    command.env(DIRECTORY, &directory.0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(kill) = kill {
        command.env(ABORT_AT, kill);
    }
    command.status().unwrap()
}

/// The keys of the service, and how often something happened to them.
struct Seen {
    keys: Vec<CredentialView>,
    events: BTreeMap<&'static str, usize>,
}

impl Seen {
    fn of(directory: &Directory, service: &ServiceId) -> Self {
        let (registry, _) = registry(directory, directory.told().len() - 1);
        registry.verify_chain().wait().unwrap();
        let by = registry.by(&alice());
        let groups = by.list(Some(service)).wait().unwrap().unwrap();
        let keys = |group: &GroupView| group.id.kind == Kind::ServiceKey;
        let keys = groups.into_iter().find(keys).unwrap().credentials;
        let mut events = BTreeMap::new();
        for event in by.events(0, usize::MAX).wait().unwrap().unwrap().0 {
            *events.entry(event.what.name.name()).or_default() += 1;
        }
        drop((by, registry));
        directory.wait_until_closed();
        Self { keys, events }
    }

    fn times(&self, name: EventName) -> usize {
        self.events.get(name.name()).copied().unwrap_or_default()
    }

    /// Those that are good and that nothing ends.
    fn lasting(&self) -> usize {
        let is_lasting = |it: &&CredentialView| {
            it.status == Status::Usable && it.retire_at.is_none() && it.expires.is_none()
        };
        self.keys.iter().filter(is_lasting).count()
    }
}

/// "Rotation interrupted at every step by kill -9: resumes; never zero lasting keys; never two rotations."
#[test]
fn a_rotation_interrupted_at_every_step_by_kill_9_resumes_with_a_lasting_key_and_never_twice() {
    let mut deaths = 0;
    for point in POINTS {
        for times in 0.. {
            let directory = Directory::new();
            let service = {
                let (registry, _) = registry(&directory, 0);
                let made = registry.by(&alice()).create_service("alerts").wait().unwrap().unwrap();
                let line = format!("{}\n", made.key.credential.id);
                fs::write(directory.0.join("told"), line).unwrap();
                made.service.id
            };
            directory.wait_until_closed();
            let kill = format!("{point} {times}");
            if run(&directory, Some(&kill)).success() {
                break;
            }
            deaths += 1;
            // It may be killed again while it resumes.
            for kill in [Some(kill.as_str()), None, None] {
                let seen = Seen::of(&directory, &service);
                assert!(seen.lasting() >= 1, "killed at {point} {times}: {:?}", seen.keys);
                assert!(seen.keys.len() <= 2, "killed at {point} {times}: {:?}", seen.keys);
                assert!(seen.times(EventName::RotationStarted) <= 1, "killed at {point} {times}");
                assert!(run(&directory, kill).success() || kill.is_some());
            }
            let seen = Seen::of(&directory, &service);
            let states: Vec<_> = seen.keys.iter().map(|it| it.state).collect();
            assert_eq!(states, [State::Inactive, State::Active], "killed at {point} {times}");
            let events =
                [EventName::RotationStarted, EventName::Retired].map(|name| seen.times(name));
            assert_eq!((seen.lasting(), events), (1, [1, 1]), "killed at {point} {times}");
        }
    }
    println!("{deaths} killed");
    // Each commit passes all points but one, which is that of a new service.
    assert!(deaths >= STEPS * (POINTS.len() - 1), "{deaths}");
}
