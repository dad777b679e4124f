//! Everything that must hold before a change is taken.

use crate::arguments::{Arguments, Failure, Flag, Verb};
use crate::command::{self, Done, Steps};
use crate::metadata::{Metadata, Package};
use crate::{bench, peers, programs, repository, tidy};
use std::process::Command;

const REQUIRE_PEERS: &str = "--require-peers";

pub const VERB: Verb = Verb {
    name: "test",
    about: "format, lints, tests, features one by one, oldest Rust, docs, programs, tidy, conformance",
    operands: None,
    flags: &[Flag {
        name: REQUIRE_PEERS,
        value: None,
        about: "a peer that is not installed is a failure",
    }],
    run,
};

/// What to do about a peer that is not installed.
#[derive(Clone, Copy, PartialEq)]
enum Absent {
    Skip,
    Fail,
}

impl Absent {
    /// What becomes of a step that needs a peer, and why it is not run.
    fn without(self, why: &str) -> Result<Done, String> {
        match self {
            Self::Skip => Ok(Done::Skipped(why.into())),
            Self::Fail => Err(why.into()),
        }
    }
}

fn run(arguments: &Arguments) -> Result<String, Failure> {
    let absent = if arguments.has(REQUIRE_PEERS) { Absent::Fail } else { Absent::Skip };
    let metadata = Metadata::load()?;
    let mut steps = Steps::new(13);
    steps.step("format", || cargo(&["fmt", "--all", "--check"]));
    steps.step("lints", || {
        cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"])
    });
    steps.step("tests", || cargo(&["test", "--workspace", "--all-features", "--no-fail-fast"]));
    steps.step("features one by one", || features(&metadata));
    steps.step("oldest Rust", || oldest_rust(&metadata, absent));
    steps.step("docs", || {
        let words = ["doc", "--workspace", "--no-deps", "--all-features"];
        done(command::run(in_root(&words).env("RUSTDOCFLAGS", "-Dwarnings")))
    });
    steps.step("programs of README and guide", || done(programs::build(&metadata).map(drop)));
    steps.step("tidy", || done(tidy::check()));
    steps.step("conformance", || {
        let words =
            if absent == Absent::Fail { vec![REQUIRE_PEERS.to_string()] } else { Vec::new() };
        done(command::run_program("conformance-all", &words))
    });
    steps.step("fuzz seeds", fuzz_seeds);
    steps.step("benchmarks build", || benchmarks(absent));
    steps.step("refusals cost the same", || strangers(absent));
    steps.step("licences, sources, duplicates", || deny(absent));
    Ok(steps.finish()?)
}

fn done(result: Result<(), String>) -> Result<Done, String> {
    result.map(|()| Done::Ran)
}

fn in_root(words: &[&str]) -> Command {
    let mut cargo = command::cargo();
    cargo.current_dir(repository::root()).args(words);
    cargo
}

fn cargo(words: &[&str]) -> Result<Done, String> {
    done(command::run(&mut in_root(words)))
}

/// Each published crate without features, and with each feature alone.
fn features(metadata: &Metadata) -> Result<Done, String> {
    let chosen: Vec<(&Package, Option<&str>)> = metadata
        .published()
        .flat_map(|package| {
            let alone = package.features.iter().map(|feature| Some(feature.as_str()));
            std::iter::once(None).chain(alone).map(move |feature| (package, feature))
        })
        .collect();
    let mut failed = Vec::new();
    for (n, (package, feature)) in chosen.iter().enumerate() {
        let with = feature.map(|feature| format!(" with {feature}")).unwrap_or_default();
        eprintln!("  [{}/{}] {}{with}", n + 1, chosen.len(), package.name);
        let mut words =
            vec!["clippy", "--quiet", "--package", &package.name, "--no-default-features"];
        words.extend(feature.iter().flat_map(|feature| ["--features", *feature]));
        words.extend(["--", "-D", "warnings"]);
        if command::run(&mut in_root(&words)).is_err() {
            failed.push(format!("{}{with}", package.name));
        }
    }
    if failed.is_empty() { Ok(Done::Ran) } else { Err(failed.join(", ")) }
}

/// The published crates with the Rust that their manifests promise.
fn oldest_rust(metadata: &Metadata, absent: Absent) -> Result<Done, String> {
    let Some(rustc) = peers::oldest_rust() else {
        let what = "the oldest Rust is not installed; `cargo xtask peers install`";
        return absent.without(what);
    };
    let mut words = vec!["check", "--lib"];
    words.extend(metadata.published().flat_map(|package| ["--package", package.name.as_str()]));
    let newer = |package: &Package, feature: &str| {
        tidy::manifests::NEWER_RUST
            .iter()
            .any(|(name, needs, _)| *name == package.name && *needs == feature)
    };
    let features = metadata.published().flat_map(|package| {
        let old = package.features.iter().filter(move |feature| !newer(package, feature));
        old.map(move |feature| format!("{}/{feature}", package.name))
    });
    let features = features.collect::<Vec<_>>().join(",");
    words.extend(["--features", features.as_str()]);
    let mut cargo = in_root(&words);
    // A folder of its own: what two compilers build does not mix.
    cargo.env("RUSTC", rustc).env("CARGO_TARGET_DIR", repository::target().join("oldest-rust"));
    done(command::run(&mut cargo))
}

/// Replays the seeds of fuzzing: a workspace of its own, and without the target's C++.
fn fuzz_seeds() -> Result<Done, String> {
    cargo(&["test", "--manifest-path", "fuzz/Cargo.toml"])
}

/// A workspace of its own, one of whose peers is linked with OpenSSL.
fn benchmarks(absent: Absent) -> Result<Done, String> {
    let headers = ["--exists", "openssl"];
    if command::capture(Command::new("pkg-config").args(headers)).is_err() {
        let what = "OpenSSL's headers are not installed; `cargo xtask peers install`";
        return absent.without(what);
    }
    cargo(&["check", "--workspace", "--manifest-path", "bench/Cargo.toml"])
}

/// Whether a server knows a caller does not show in what its refusal costs.
fn strangers(absent: Absent) -> Result<Done, String> {
    match bench::has_valgrind() {
        Ok(()) => done(bench::strangers()),
        Err(what) => absent.without(&what),
    }
}

/// What the published crates bring, held against `deny.toml`; an entry there that nothing needs is a failure too.
fn deny(absent: Absent) -> Result<Done, String> {
    let Some(program) = peers::cargo_deny() else {
        let what = "cargo-deny is not installed; `cargo xtask peers install`";
        return absent.without(what);
    };
    let mut deny = Command::new(program);
    deny.current_dir(repository::root());
    deny.args(["--all-features", "check", "--deny", "warnings", "bans", "licenses", "sources"]);
    done(command::run(&mut deny))
}
