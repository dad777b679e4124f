//! `cargo xtask bench strangers`.

use harness::Benchmarks;
use std::process::ExitCode;

fn main() -> ExitCode {
    harness::main(Benchmarks {
        groups: strangers::groups(),
        pairs: Vec::new(),
        processors: Vec::new(),
    })
}
