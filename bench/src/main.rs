//! Us beside peers and floors, in one run.
//!
//! `messaging-auth-bench [--list] [NAME]..` prints a table for each group whose name contains one of NAME, and fails
//! when a target is missed. `messaging-auth-bench --loop CASE N` is what callgrind watches.

mod cases;

use harness::Benchmarks;
use std::process::ExitCode;

fn main() -> ExitCode {
    harness::main(Benchmarks {
        groups: cases::all(),
        pairs: cases::pairs(),
        processors: cases::processors(),
    })
}
