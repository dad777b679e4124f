//! What text and `cargo metadata` can check of the design's rules. It is a test as well.

mod arrows;
mod doors;
mod facade;
pub mod manifests;
mod readme;
mod silenced;
mod sizes;
mod source;
mod statics;
mod texts;
mod weight;

use crate::arguments::{Arguments, Failure, Flag, Verb};
use crate::coverage;
use crate::metadata::Metadata;

pub const VERB: Verb = Verb {
    name: "tidy",
    about: "check arrows between crates, invariants that text can show, sizes, and generated tables",
    operands: None,
    flags: &[Flag {
        name: "--fix",
        value: None,
        about: "write the README's tables and docs/coverage.md first",
    }],
    run,
};

/// A rule, and what breaks it: one line for each finding.
struct Check {
    rule: &'static str,
    find: fn(&Metadata) -> Result<Vec<String>, String>,
}

const CHECKS: &[Check] = &[
    Check { rule: "crates depend only where the design's rows allow", find: arrows::find },
    Check {
        rule: "published crates inherit lints, licence and oldest Rust",
        find: manifests::inherited,
    },
    Check { rule: "dependencies compile with our oldest Rust", find: manifests::rust_versions },
    Check { rule: "rows 0 to 3 bring no HTTP client and no runtime", find: weight::forbidden },
    Check { rule: "rows 0 to 2 stay small", find: weight::counted },
    Check { rule: "rows 0 to 3 do no I/O, spawn nothing, and read no clock", find: doors::find },
    Check { rule: "no library has process-global state", find: statics::find },
    Check { rule: "no library silences a lint of the workspace", find: silenced::find },
    Check { rule: "files have at most 300 lines before their tests", find: sizes::find },
    Check { rule: "the facade only re-exports, in at most 80 lines", find: facade::find },
    Check { rule: "no machine paths and no registry hosts", find: texts::places },
    Check { rule: "decision records are numbered without gaps", find: texts::decisions },
    Check { rule: "the README's tables are in step", find: readme::find },
    Check { rule: "docs/coverage.md is in step", find: |_| coverage::find() },
];

fn run(arguments: &Arguments) -> Result<String, Failure> {
    if arguments.has("--fix") {
        readme::fix(&Metadata::load()?)?;
        coverage::fix()?;
    }
    check()?;
    Ok(format!("{} rules hold", CHECKS.len()))
}

/// Prints each rule and what breaks it.
pub fn check() -> Result<(), String> {
    let metadata = Metadata::load()?;
    let mut total = 0;
    for check in CHECKS {
        let found = (check.find)(&metadata).unwrap_or_else(|error| vec![error]);
        eprintln!("  {}  {}", if found.is_empty() { "ok " } else { "NOT" }, check.rule);
        for finding in &found {
            eprintln!("         {finding}");
        }
        total += found.len();
    }
    match total {
        0 => Ok(()),
        1 => Err("1 finding".into()),
        _ => Err(format!("{total} findings")),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_is_tidy() {
        super::check().unwrap();
    }
}
