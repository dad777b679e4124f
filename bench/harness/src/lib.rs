//! What the benchmarks are made with: cases, what counts them, and the tables.

pub mod case;
pub mod measure;
pub mod processor;
mod table;
pub mod threads;

use case::{Case, Group};
use processor::Processor;
use std::process::ExitCode;
use threads::Pair;

/// Everything that a program measures.
pub struct Benchmarks {
    pub groups: Vec<Group>,
    pub pairs: Vec<Pair>,
    pub processors: Vec<Processor>,
}

/// The program: prints a table for each group that is asked for, and fails when a target is missed.
pub fn main(benchmarks: Benchmarks) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--help" | "-h"] => {
            println!(
                "bench [--list] [NAME]..   groups whose name contains one of NAME; all without"
            );
            ExitCode::SUCCESS
        }
        ["--list"] => {
            for group in &benchmarks.groups {
                println!("{}: {}", group.name, group.input);
            }
            for pair in &benchmarks.pairs {
                println!("{}: {}", pair.name, pair.input);
            }
            for processor in &benchmarks.processors {
                println!("{}: for information", processor.name);
            }
            ExitCode::SUCCESS
        }
        ["--loop", id, count] => match (find(&benchmarks.groups, id), count.parse()) {
            (Some(case), Ok(count)) => {
                let mut call = (case.make)();
                measure::warm_up(&mut *call);
                measure::measured_loop(&mut *call, count);
                ExitCode::SUCCESS
            }
            _ => usage(&format!("no case {id}, or {count} is not a number")),
        },
        names if names.iter().all(|name| !name.starts_with('-')) => run(&benchmarks, names),
        _ => usage("unknown flag"),
    }
}

fn usage(what: &str) -> ExitCode {
    eprintln!("bench: {what}; see --help");
    ExitCode::from(2)
}

fn run(benchmarks: &Benchmarks, names: &[&str]) -> ExitCode {
    let wanted = |group: &str| names.is_empty() || names.iter().any(|name| group.contains(name));
    let groups: Vec<_> = benchmarks.groups.iter().filter(|group| wanted(group.name)).collect();
    let pairs: Vec<_> = benchmarks.pairs.iter().filter(|pair| wanted(pair.name)).collect();
    let processors: Vec<_> =
        benchmarks.processors.iter().filter(|processor| wanted(processor.name)).collect();
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

fn find<'a>(groups: &'a [Group], id: &str) -> Option<&'a Case> {
    let (group, name) = id.split_once('/')?;
    let group = groups.iter().find(|found| found.name == group)?;
    group.cases.iter().find(|case| case.name == name)
}
