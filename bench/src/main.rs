//! Us beside peers and floors, in one run.
//!
//! `messaging-auth-bench [--list] [NAME]..` prints a table for each group whose name contains one of NAME, and fails
//! when a target is missed. `messaging-auth-bench --loop CASE N` is what callgrind watches.

mod case;
mod cases;
mod measure;
mod processor;
mod table;
mod threads;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--help" | "-h"] => {
            println!(
                "messaging-auth-bench [--list] [NAME]..   groups whose name contains one of NAME; all without"
            );
            ExitCode::SUCCESS
        }
        ["--list"] => {
            for group in cases::all() {
                println!("{}: {}", group.name, group.input);
            }
            for pair in cases::pairs() {
                println!("{}: {}", pair.name, pair.input);
            }
            for processor in cases::processors() {
                println!("{}: for information", processor.name);
            }
            ExitCode::SUCCESS
        }
        ["--loop", id, count] => match (case::find(id), count.parse()) {
            (Some(case), Ok(count)) => {
                let mut call = (case.make)();
                measure::warm_up(&mut *call);
                measure::measured_loop(&mut *call, count);
                ExitCode::SUCCESS
            }
            _ => usage(&format!("no case {id}, or {count} is not a number")),
        },
        names if names.iter().all(|name| !name.starts_with('-')) => run(names),
        _ => usage("unknown flag"),
    }
}

fn usage(what: &str) -> ExitCode {
    eprintln!("messaging-auth-bench: {what}; see --help");
    ExitCode::from(2)
}

fn run(names: &[&str]) -> ExitCode {
    let wanted = |group: &str| names.is_empty() || names.iter().any(|name| group.contains(name));
    let groups: Vec<_> = cases::all().into_iter().filter(|group| wanted(group.name)).collect();
    let pairs: Vec<_> = cases::pairs().into_iter().filter(|pair| wanted(pair.name)).collect();
    let processors: Vec<_> =
        cases::processors().into_iter().filter(|processor| wanted(processor.name)).collect();
    let total = groups.len() + pairs.len() + processors.len();
    if total == 0 {
        return usage("no group has such a name; see --list");
    }
    println!(
        "instructions: callgrind, inside the measured loop alone; allocations: calls of the Rust allocator; per call;\n\
         ns: of the best round, two threads at once\n"
    );
    let mut missed = Vec::new();
    for group in &groups {
        match measure::group(group) {
            Ok(rows) => missed.extend(table::print(group, &rows)),
            Err(error) => return usage(&error),
        }
    }
    for pair in &pairs {
        missed.extend(threads::run(pair));
    }
    for processor in &processors {
        if let Err(error) = processor::run(processor) {
            return usage(&error);
        }
    }
    for target in &missed {
        println!("missed: {target}");
    }
    println!("{total} groups, {} targets missed", missed.len());
    ExitCode::from(u8::from(!missed.is_empty()))
}
