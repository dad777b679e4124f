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

fn run(arguments: &Arguments) -> Result<String, Failure> {
    let manifest = repository::root().join("bench/Cargo.toml");
    if !manifest.is_file() {
        return Err(Failure::Failed("there is no bench/Cargo.toml".into()));
    }
    if !arguments.has("--list") {
        command::capture(Command::new("valgrind").arg("--version")).map_err(|_| {
            "valgrind is not installed, and its callgrind counts the instructions; `cargo xtask peers install`"
                .to_string()
        })?;
    }
    let mut bench = command::cargo();
    bench.args(["run", "--release", "--manifest-path"]).arg(manifest).arg("--");
    command::run(bench.args(arguments.words()))?;
    Ok(if arguments.has("--list") { "none was run" } else { "no target was missed" }.into())
}
