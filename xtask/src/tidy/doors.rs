//! What the libraries of rows 0 to 3 call, as clippy resolves it: `xtask/purity/clippy.toml` lists what they may not.

use super::arrows::{Row, row};
use crate::metadata::Metadata;
use crate::{command, repository};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// The lints that read that file.
pub const LINTS: &[&str] = &["disallowed_methods", "disallowed_types"];

/// The few files that are such a door. ring signs with no randomness but its own.
const DOORS: &[(&str, &str)] = &[
    ("std::time::SystemTime::now", "crates/auth-core/src/clock.rs"),
    ("std::time::Instant::now", "crates/auth-core/src/clock.rs"),
    ("std::thread::park", "crates/auth-core/src/flow.rs"),
    ("ring::rand::SystemRandom::new", "crates/auth-core/src/random.rs"),
    ("ring::rand::SystemRandom::new", "crates/auth-jwt/src/key/signing.rs"),
];

pub fn find(metadata: &Metadata) -> Result<Vec<String>, String> {
    let pure = metadata.published().filter(|package| row(&package.name).is_some_and(is_pure));
    let mut clippy = clippy(&repository::root());
    clippy.arg("--all-features").args(pure.flat_map(|package| ["--package", &package.name]));
    Ok(judge(&calls(clippy)?))
}

fn is_pure(row: Row) -> bool {
    row <= Row::Three
}

/// One call of what may not be called.
struct Call {
    path: String,
    file: String,
    line: u64,
}

/// The calls outside the doors, and the doors that nothing needs.
fn judge(calls: &[Call]) -> Vec<String> {
    let is = |call: &Call, door: &(&str, &str)| (&*call.path, &*call.file) == *door;
    let elsewhere = calls.iter().filter(|call| !DOORS.iter().any(|door| is(call, door)));
    let unused = DOORS.iter().filter(|door| !calls.iter().any(|call| is(call, door)));
    elsewhere
        .map(|call| format!("{}:{}: `{}`", call.file, call.line, call.path))
        .chain(unused.map(|(path, file)| format!("{file} calls no `{path}`: it is no door")))
        .collect()
}

fn clippy(folder: &Path) -> Command {
    let mut clippy = command::cargo();
    clippy.current_dir(folder).env("CLIPPY_CONF_DIR", repository::root().join("xtask/purity"));
    clippy.args(["clippy", "--quiet", "--lib", "--message-format=json"]);
    clippy
}

fn calls(mut clippy: Command) -> Result<Vec<Call>, String> {
    clippy.arg("--").args(LINTS.iter().map(|lint| format!("-Wclippy::{lint}")));
    let said = command::capture(&mut clippy)?;
    let mut calls: Vec<Call> =
        said.lines().filter_map(|line| call(&serde_json::from_str(line).ok()?)).collect();
    calls.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
    Ok(calls)
}

/// The call that a message of the compiler is about.
fn call(said: &Value) -> Option<Call> {
    let message = said.get("message")?;
    let code = message.get("code")?.get("code")?.as_str()?;
    LINTS.iter().find(|lint| code.strip_prefix("clippy::") == Some(lint))?;
    let place = message.get("spans")?.as_array()?.first()?;
    Some(Call {
        path: message.get("message")?.as_str()?.split('`').nth(1)?.to_string(),
        file: place.get("file_name")?.as_str()?.to_string(),
        line: place.get("line_start")?.as_u64()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line that ends so has to be found, and no other.
    const PLANTED: &str = r#"
        use std::{fs, io, thread, time};
        use std::time::SystemTime as Moment;
        use std::net::ToSocketAddrs;
        pub fn a() -> io::Result<Vec<u8>> { fs::read("x") } // planted
        pub fn b() -> bool { std::env::var("HOME").is_ok() } // planted
        pub fn c() -> thread::Builder { // planted
            thread::Builder::new() // planted
        }
        pub fn d() -> Moment { Moment::now() } // planted
        pub fn e() -> fn() -> time::Instant { time::Instant::now } // planted
        pub fn f(path: &std::path::Path) -> bool { path.exists() } // planted
        pub fn g() -> bool { "a.example:1".to_socket_addrs().is_ok() } // planted
        pub fn h() { thread::scope(|_| ()) } // planted
        macro_rules! now { () => { time::SystemTime::now() }; } // planted
        pub fn i() -> time::SystemTime { now!() }
        type Socket = std::net::TcpStream; // planted
        pub fn j() -> Option<std::net::SocketAddr> { None }
        pub fn k(path: &std::path::Path) -> bool { path.is_absolute() }
        pub fn l(_: Socket, moment: time::SystemTime) -> bool { moment > time::UNIX_EPOCH }
    "#;

    #[test]
    fn finds_each_call_that_was_planted() {
        let folder = repository::target().join("planted/doors");
        let manifest = "[package]\nname = \"planted\"\nedition = \"2024\"\n[workspace]\n";
        repository::write(&folder.join("Cargo.toml"), manifest).unwrap();
        repository::write(&folder.join("src/lib.rs"), PLANTED).unwrap();
        let mut found: Vec<u64> =
            calls(clippy(&folder)).unwrap().iter().map(|call| call.line).collect();
        found.dedup();
        let planted = PLANTED.lines().zip(1..).filter(|(line, _)| line.ends_with("// planted"));
        assert_eq!(found, planted.map(|(_, number)| number).collect::<Vec<u64>>());
    }

    #[test]
    fn a_door_is_one_file_and_one_call() {
        let call = |path: &str, file: &str| Call { path: path.into(), file: file.into(), line: 7 };
        let doors = || DOORS.iter().map(|(path, file)| call(path, file));
        assert!(judge(&doors().collect::<Vec<_>>()).is_empty());
        let clock = "crates/auth-core/src/clock.rs";
        for (path, file) in
            [("std::time::Instant::now", "crates/auth-core/src/token.rs"), ("std::fs::read", clock)]
        {
            let calls: Vec<Call> = doors().chain([call(path, file)]).collect();
            assert_eq!(judge(&calls), [format!("{file}:7: `{path}`")]);
        }
        let but_one: Vec<Call> = doors().skip(1).collect();
        assert_eq!(
            judge(&but_one),
            [format!("{clock} calls no `std::time::SystemTime::now`: it is no door")]
        );
    }
}
