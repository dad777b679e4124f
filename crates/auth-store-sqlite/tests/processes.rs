//! Four processes on one file, of which one is killed again and again in the middle of what it does.
//!
//! `MESSAGING_AUTH_LONG=1` kills 500 of them.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use auth_core::{Random, Secret, SystemClock, SystemRandom};
use auth_session::{SaveOutcome, TokenStore};
use common::{Directory, tokens};
use std::{
    env, fs,
    fs::File,
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const PROCESSES: usize = 4;
const DIRECTORY: &str = "AUTH_STORE_SQLITE_TEST_DIRECTORY";

/// Short, since a process that is killed keeps its lease for so long.
const HOLD: Duration = Duration::from_millis(200);

/// What one of the four does: counts on from the number that is kept, under a lease, and writes down each number that it
/// was told is kept, with the fence and how long its slowest call took.
fn count_on(directory: &Path) {
    let over = directory.join("over");
    let mut told = File::create(directory.join(format!("told-{}", std::process::id()))).unwrap();
    let database = auth_store_sqlite::SqliteDatabase::open(&directory.join("auth.db"), SystemClock);
    let store = tokens(&database.unwrap(), "acme", 1);
    while !over.exists() {
        let began = Instant::now();
        let Some(lease) = store.lease("counter", HOLD).wait().unwrap() else {
            thread::sleep(Duration::from_millis(1));
            continue;
        };
        let kept = store.load("counter").wait().unwrap().and_then(|entry| entry.token);
        let last = kept.map_or(0, |token| number(&token));
        let next = Secret::from((last + 1).to_string());
        let saved = store.save("counter", lease, Some(&next)).wait().unwrap();
        if saved == SaveOutcome::Kept {
            let millis = began.elapsed().as_millis();
            told.write_all(format!("{} {} {millis}\n", lease.fence, last + 1).as_bytes()).unwrap();
        }
        store.release("counter", lease).wait().unwrap();
    }
}

fn number(token: &Secret) -> u64 {
    token.expose_text().unwrap().parse().unwrap()
}

/// Does nothing unless this process was started by the test below.
#[test]
fn one_of_the_processes() {
    if let Some(directory) = env::var_os(DIRECTORY) {
        count_on(Path::new(&directory));
    }
}

fn start(directory: &Directory) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    let command = command.args(["--exact", "one_of_the_processes"]).env(DIRECTORY, &directory.0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

/// Every number that a process was told is kept was kept, once, in the order of the fences; and who is killed keeps nobody
/// from going on.
#[test]
fn no_number_is_lost_or_counted_twice_whichever_process_is_killed() {
    let kills = if env::var_os("MESSAGING_AUTH_LONG").is_some() { 500 } else { 30 };
    let (directory, random) = (Directory::new(), SystemRandom::new());
    let mut processes: Vec<_> = (0..PROCESSES).map(|_| start(&directory)).collect();
    for kill in 0..kills {
        let mut drawn = [0; 2];
        random.fill(&mut drawn).unwrap();
        thread::sleep(Duration::from_millis(20 + u64::from(drawn[0]) / 4));
        thread::sleep(Duration::from_micros(u64::from(drawn[1]) * 4));
        let victim = &mut processes[kill % PROCESSES];
        assert!(victim.try_wait().unwrap().is_none(), "a process ended by itself");
        victim.kill().unwrap();
        victim.wait().unwrap();
        *victim = start(&directory);
    }
    // Long enough for the leases of the dead to run out, and for each of the four to have its turn.
    thread::sleep(HOLD * 5);
    fs::write(directory.0.join("over"), "").unwrap();
    let living: Vec<_> = processes.iter().map(Child::id).collect();
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    let mut told = Vec::new();
    for file in directory.files() {
        let Some(process) = file.to_str().and_then(|path| path.rsplit_once("told-")) else {
            continue;
        };
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            !text.is_empty() || !living.contains(&process.1.parse().unwrap()),
            "{file:?} never had a turn"
        );
        told.extend(text.lines().map(|line| {
            let numbers: Vec<u64> = line.split(' ').map(|number| number.parse().unwrap()).collect();
            (numbers[0], numbers[1], numbers[2])
        }));
    }
    told.sort_unstable();
    assert!(
        told.is_sorted_by(|one, next| one.0 < next.0 && one.1 < next.1),
        "a fence or a number was given twice"
    );
    let store = tokens(&directory.open(SystemClock), "acme", 1);
    let entry = store.load("counter").wait().unwrap().unwrap();
    let (fence, last, _) = *told.last().unwrap();
    let kept = number(&entry.token.unwrap());
    assert!(kept >= last && entry.fence >= fence, "{last} was told and {kept} is kept");
    // What was kept and not told was kept by one that was killed before it could write that down.
    assert!(kept - u64::try_from(told.len()).unwrap() <= u64::try_from(kills).unwrap());
    let slowest = told.iter().map(|told| told.2).max().unwrap();
    println!("{kept} numbers, {kills} processes killed, slowest turn {slowest} ms");
}
