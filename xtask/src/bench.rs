//! Us beside peers and floors. The benchmarks are a workspace of their own, so that peers never enter a user's build.

use crate::arguments::{Arguments, Failure, Flag, Verb};
use crate::{command, repository};
use std::process::Command;

pub const VERB: Verb = Verb {
    name: "bench",
    about: "count instructions and allocations beside peers and floors, in one run",
    operands: Some("[NAME].."),
    flags: &[Flag { name: "--list", value: None, about: "print the groups and run none" }],
    run,
};

/// The package that has no peers, and the groups that are in it.
const STRANGERS: &str = "strangers";
/// It alone, for ratios between our own cases: it builds in seconds.
const STRANGERS_ALONE: &[&str] = &["--package", STRANGERS, "--profile", "quick"];

fn run(arguments: &Arguments) -> Result<String, Failure> {
    if !arguments.has("--list") {
        has_valgrind()?;
    }
    let words = arguments.words();
    let build = if words == [STRANGERS] { STRANGERS_ALONE } else { &["--release"] };
    measure(build, &words)?;
    Ok(if arguments.has("--list") { "none was run" } else { "no target was missed" }.into())
}

/// What a caller that is refused costs: the same, whether it is known or not.
pub fn strangers() -> Result<(), String> {
    measure(STRANGERS_ALONE, &[])
}

/// Callgrind counts the instructions.
pub fn has_valgrind() -> Result<(), String> {
    command::capture(Command::new("valgrind").arg("--version")).map(|_| ()).map_err(|_| {
        "valgrind is not installed, and its callgrind counts the instructions; `cargo xtask peers install`".into()
    })
}

fn measure(build: &[&str], words: &[String]) -> Result<(), String> {
    let mut bench = command::cargo();
    bench.arg("run").args(build).arg("--manifest-path");
    bench.arg(repository::root().join("bench/Cargo.toml")).arg("--").args(words);
    command::run(&mut bench)
}
