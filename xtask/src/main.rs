//! Every command of the project. `cargo xtask` lists them.

mod arguments;
mod bench;
mod command;
mod conformance;
mod coverage;
mod demo;
mod emulate;
mod fuzz;
mod metadata;
mod peers;
mod programs;
mod release;
mod repository;
mod test;
mod tidy;

use arguments::{Failure, Reading, Verb};
use std::process::ExitCode;

const VERBS: &[Verb] = &[
    demo::VERB,
    emulate::VERB,
    test::VERB,
    tidy::VERB,
    conformance::VERB,
    coverage::VERB,
    programs::VERB,
    peers::VERB,
    bench::VERB,
    fuzz::VERB,
    release::VERB,
];

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    match given.split_first() {
        Some((name, _)) if matches!(name.as_str(), "--help" | "-h" | "help") => {
            println!("{}", list());
            ExitCode::SUCCESS
        }
        Some((name, rest)) => match VERBS.iter().find(|verb| verb.name == name) {
            Some(verb) => run(verb, rest),
            None => usage(&format!("unknown verb `{name}`"), &list()),
        },
        None => usage("which verb?", &list()),
    }
}

fn run(verb: &Verb, rest: &[String]) -> ExitCode {
    let arguments = match verb.read(rest) {
        Ok(Reading::Run(arguments)) => arguments,
        Ok(Reading::Help) => {
            println!("{}", verb.help());
            return ExitCode::SUCCESS;
        }
        Err(what) => return usage(&what, &verb.help()),
    };
    match (verb.run)(&arguments) {
        Ok(summary) => {
            eprintln!("xtask {}: {summary}", verb.name);
            ExitCode::SUCCESS
        }
        Err(Failure::Failed(what)) => {
            eprintln!("xtask {}: failed: {what}", verb.name);
            ExitCode::FAILURE
        }
        Err(Failure::Usage(what)) => usage(&what, &verb.help()),
    }
}

fn usage(what: &str, help: &str) -> ExitCode {
    eprintln!("xtask: {what}\n\n{help}");
    ExitCode::from(2)
}

fn list() -> String {
    let width = VERBS.iter().map(|verb| verb.name.len()).max().unwrap_or(0);
    let mut text = "cargo xtask VERB [--help]\n".to_string();
    for verb in VERBS {
        text.push_str(&format!("\n  {:width$}  {}", verb.name, verb.about));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_every_verb_once() {
        let list = list();
        for verb in VERBS {
            assert_eq!(list.matches(&format!("\n  {} ", verb.name)).count(), 1, "{}", verb.name);
        }
    }
}
