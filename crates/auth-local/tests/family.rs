//! Four processes share a file store and a refresh token that rotates, and one of them is killed again and again: the
//! family of tokens survives.
//!
//! `MESSAGING_AUTH_LONG=1` makes it a thousand renewals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use auth_core::{
    Cause, Clock, Context, Error, Exchange, Flow, Lifespan, Renewal, Result, Secret, SystemClock,
    Token, TokenSource, Transport,
};
use auth_local::FileTokenStore;
use auth_session::{StorableToken, Stored};
use auth_testing::SeededRandom;
use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

const PROCESSES: usize = 4;
const ISSUER: &str = "AUTH_LOCAL_TEST_ISSUER";
const DIRECTORY: &str = "AUTH_LOCAL_TEST_DIRECTORY";

/// Number `n` of a family: it can be renewed once, to `n + 1`.
#[derive(Clone)]
struct Member(u64);

impl Token for Member {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Unknown
    }
}

impl StorableToken for Member {
    fn to_rest(&self) -> Secret {
        Secret::new(self.0.to_string())
    }

    fn from_rest(bytes: &[u8]) -> Result<Self> {
        let read = std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
        let cause = || Cause::new("member_at_rest", "expected a number");
        read.map(Self).ok_or_else(|| Error::Protocol(cause()))
    }
}

/// The issuer's rule. A token that was renewed can be renewed again until its successor has been seen in use, since the
/// answer may have been lost on its way; after that it is a thief's, and the family is dead.
#[derive(Default)]
struct Family {
    newest: u64,
    newest_was_seen: bool,
    renewals: u64,
    dead: Option<String>,
}

impl Family {
    fn renew(&mut self, number: u64) -> u64 {
        let good = number == self.newest || (number + 1 == self.newest && !self.newest_was_seen);
        if !good {
            self.dead = Some(format!("{number} came, and {} is the newest", self.newest));
        }
        self.newest = number + 1;
        self.newest_was_seen = false;
        self.renewals += 1;
        self.newest
    }

    fn seen(&mut self, number: u64) {
        if number > self.newest {
            self.dead = Some(format!("{number} was used, and {} is the newest", self.newest));
        }
        self.newest_was_seen |= number == self.newest;
    }
}

type Shared = Arc<(Mutex<Family>, Condvar)>;

/// Answers `renew N` with the next number and `use N` with `ok`, a line each, a connection each.
fn serve(listener: &TcpListener, family: &Shared) {
    for connection in listener.incoming().map_while(std::result::Result::ok) {
        let family = Arc::clone(family);
        thread::spawn(move || {
            let mut line = String::new();
            let mut reader = BufReader::new(&connection);
            // Whoever was killed says nothing, and hears nothing.
            if reader.read_line(&mut line).is_err() {
                return;
            }
            let Some((verb, number)) = line.trim_end().split_once(' ') else { return };
            let number = number.parse().expect("a number");
            let mut state = family.0.lock().unwrap();
            let answer = match verb {
                "renew" => state.renew(number).to_string(),
                _ => {
                    state.seen(number);
                    String::from("ok")
                }
            };
            drop(state);
            family.1.notify_all();
            let _ = writeln!(&connection, "{answer}");
        });
    }
}

fn ask(issuer: SocketAddr, line: &str) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(issuer)?;
    connection.set_read_timeout(Some(Duration::from_secs(10)))?;
    writeln!(connection, "{line}")?;
    let mut answer = String::new();
    BufReader::new(connection).read_line(&mut answer)?;
    Ok(answer.trim_end().to_owned())
}

struct Issuer(SocketAddr);

impl TokenSource for Issuer {
    type Token = Member;

    fn token<'a>(&'a self, _: &'a Context, why: Renewal<Member>) -> Flow<'a, Member> {
        let number = match why {
            Renewal::First => 0,
            Renewal::Due(old) | Renewal::Refused(old, _) => old.0,
        };
        let answer = ask(self.0, &format!("renew {number}"));
        let member = answer.ok().and_then(|answer| answer.parse().ok()).map(Member);
        let lost = || Error::transport("issuer_lost", "no answer");
        Flow::from(member.ok_or_else(lost))
    }
}

/// Pauses its thread; nothing else is asked of it.
struct Threads;

impl Transport for Threads {
    fn fetch(&self, _: Exchange) -> Flow<'_, http::Response<Vec<u8>>> {
        Flow::failed(Error::transport("no_network", "nobody asks"))
    }

    fn pause(&self, duration: Duration) -> Flow<'_, ()> {
        thread::sleep(duration.min(Duration::from_millis(2)));
        Flow::ready(())
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}

/// What each of the processes does until it is killed: renew, use, renew.
#[test]
#[ignore = "one of the processes of the test below"]
fn process() {
    let issuer = env::var(ISSUER).unwrap().parse().unwrap();
    let directory = PathBuf::from(env::var(DIRECTORY).unwrap());
    let store = FileTokenStore::open(&directory, SystemClock).unwrap();
    let context = Context::new(Threads);
    let stored = Stored::new(Issuer(issuer), store, "family");
    let mut why = Renewal::First;
    loop {
        let member = stored.token(&context, why).wait().unwrap();
        assert_eq!(ask(issuer, &format!("use {}", member.token().0)).unwrap(), "ok");
        why = Renewal::Due(member);
    }
}

fn spawn(issuer: SocketAddr, directory: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "process", "--ignored", "--quiet"])
        .env(ISSUER, issuer.to_string())
        .env(DIRECTORY, directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_family_survives_the_death_of_its_members_processes() {
    let long = env::var_os("MESSAGING_AUTH_LONG").is_some();
    let (kills, deadline) = if long { (1000, 1200) } else { (40, 120) };
    let seed = SystemClock.now().unix();
    let random = SeededRandom::new(seed);
    let drawn = || {
        let mut byte = [0];
        auth_core::Random::fill(&random, &mut byte).unwrap();
        usize::from(byte[0])
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = listener.local_addr().unwrap();
    let family: Shared = Arc::default();
    let serving = Arc::clone(&family);
    thread::spawn(move || serve(&listener, &serving));
    let directory = env::temp_dir().join(format!("auth-local-family-{}", std::process::id()));
    let mut processes: Vec<_> = (0..PROCESSES).map(|_| spawn(issuer, &directory)).collect();
    let (began, mut seen) = (Instant::now(), 0);
    for _ in 0..kills {
        let state = family.0.lock().unwrap();
        let waited = Duration::from_secs(30);
        let none_since = |state: &mut Family| state.renewals <= seen && state.dead.is_none();
        let (state, late) = family.1.wait_timeout_while(state, waited, none_since).unwrap();
        assert_eq!(state.dead, None, "seed {seed}, after {} renewals", state.renewals);
        assert!(!late.timed_out(), "nobody renews any more: seed {seed}, {}", state.renewals);
        assert!(began.elapsed().as_secs() < deadline, "too slow: {} renewals", state.renewals);
        seen = state.renewals;
        drop(state);
        thread::sleep(Duration::from_micros(u64::try_from(drawn()).unwrap() * 20));
        let index = drawn() % PROCESSES;
        let process = processes.get_mut(index).unwrap();
        // The system kills it at once, wherever it is.
        process.kill().unwrap();
        process.wait().unwrap();
        *process = spawn(issuer, &directory);
    }
    for mut process in processes {
        process.kill().unwrap();
        process.wait().unwrap();
    }
    let state = family.0.lock().unwrap();
    assert_eq!(state.dead, None, "seed {seed}");
    assert!(state.renewals >= kills);
    println!("{} renewals, {kills} kills, {:?}, seed {seed}", state.renewals, began.elapsed());
    drop(fs::remove_dir_all(&directory));
}
