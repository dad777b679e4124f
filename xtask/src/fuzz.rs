//! Fuzzing by hand, with a ledger of what was run. The checks replay the committed seeds; the long runs are here.

use crate::arguments::{Arguments, Failure, Flag, Verb};
use crate::command::{self, Done, Steps};
use crate::repository;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

pub const VERB: Verb = Verb {
    name: "fuzz",
    about: "run fuzz targets, and note runs of ten minutes and findings in fuzz/LEDGER.md",
    operands: Some("[TARGET].."),
    flags: &[Flag {
        name: "--seconds",
        value: Some("N"),
        about: "how long each target runs; 60 unless given",
    }],
    run,
};

/// Shorter runs that find nothing are no evidence, and are not noted.
const NOTED_FROM: u32 = 600;

const LEDGER: &str = "# Ledger of fuzzing runs

Runs of ten minutes or more, newest last.

| date | target | commit | executions | seconds | findings |
|---|---|---|---|---|---|
";

fn run(arguments: &Arguments) -> Result<String, Failure> {
    let seconds: u32 = match arguments.value("--seconds").unwrap_or("60").parse() {
        Ok(0) | Err(_) => return Err(Failure::Usage("--seconds needs a number of seconds".into())),
        Ok(seconds) => seconds,
    };
    let known = targets()?;
    if let Some(wrong) = arguments.operands.iter().find(|name| !known.contains(name)) {
        return Err(Failure::Usage(format!(
            "no target `{wrong}`; there are: {}",
            known.join(", ")
        )));
    }
    command::capture(command::cargo().args(["fuzz", "--version"]))
        .map_err(|_| "cargo-fuzz is not installed: `cargo install cargo-fuzz`".to_string())?;
    let chosen = if arguments.operands.is_empty() { &known } else { &arguments.operands };
    let commit = commit()?;
    let mut steps = Steps::new(chosen.len());
    for target in chosen {
        steps.step(target, || fuzz(target, seconds, &commit));
    }
    Ok(steps.finish()?)
}

fn targets() -> Result<Vec<String>, String> {
    let sources = repository::files(&repository::root().join("fuzz/fuzz_targets"), ".rs")?;
    if sources.is_empty() {
        return Err("there are no targets in fuzz/fuzz_targets".into());
    }
    let stems = sources.iter().filter_map(|path| path.file_stem());
    Ok(stems.map(|stem| stem.to_string_lossy().into_owned()).collect())
}

fn fuzz(target: &str, seconds: u32, commit: &str) -> Result<Done, String> {
    let root = repository::root();
    for folder in ["corpus", "seeds"] {
        let folder = root.join("fuzz").join(folder).join(target);
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    command::run(&mut cargo_fuzz("build", target))?;
    let mut cargo = cargo_fuzz("run", target);
    cargo.args([format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"), "--".into()]);
    cargo.args([format!("-max_total_time={seconds}"), "-print_final_stats=1".into()]);
    let started = Instant::now();
    let (succeeded, said) = watch(&mut cargo)?;
    let tried = executions(&said).ok_or("the target did not run, so nothing was noted")?;
    if seconds >= NOTED_FROM || !succeeded {
        let findings = if succeeded { "none" } else { "one" };
        let ran = started.elapsed().as_secs();
        note(&format!("| {} | `{target}` | {commit} | {tried} | {ran} | {findings} |\n", date()?))?;
    }
    if succeeded { Ok(Done::Ran) } else { Err("a finding: see fuzz/artifacts".into()) }
}

fn cargo_fuzz(verb: &str, target: &str) -> Command {
    let mut cargo = command::cargo();
    // libFuzzer's instrumentation is behind unstable flags, and fuzzing changes nothing that is published.
    cargo.current_dir(repository::root()).env("RUSTC_BOOTSTRAP", "1");
    cargo.args(["fuzz", verb, "-s", "none", "--features", "fuzzing", target]);
    cargo
}

/// Runs a command, showing and keeping what it writes to standard error.
fn watch(command: &mut Command) -> Result<(bool, String), String> {
    let mut child =
        command.stderr(Stdio::piped()).spawn().map_err(|error| format!("cargo fuzz: {error}"))?;
    let mut said = String::new();
    if let Some(stream) = child.stderr.take() {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).map_err(|error| format!("cargo fuzz: {error}"))?
            > 0
        {
            std::io::stderr()
                .write_all(&line)
                .map_err(|error| format!("standard error: {error}"))?;
            said.push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    }
    let status = child.wait().map_err(|error| format!("cargo fuzz: {error}"))?;
    Ok((status.success(), said))
}

fn executions(said: &str) -> Option<u64> {
    let line =
        said.lines().rev().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))?;
    line.trim().parse().ok()
}

fn note(line: &str) -> Result<(), String> {
    let path = repository::root().join("fuzz/LEDGER.md");
    let ledger = if path.is_file() { repository::read(&path)? } else { LEDGER.to_string() };
    repository::write(&path, &(ledger + line))
}

fn date() -> Result<String, String> {
    Ok(command::capture(Command::new("date").args(["-u", "+%Y-%m-%d"]))?.trim().to_string())
}

fn commit() -> Result<String, String> {
    let mut git = Command::new("git");
    git.current_dir(repository::root()).args(["describe", "--always", "--dirty"]);
    Ok(command::capture(&mut git)?.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_number_of_inputs_from_the_closing_statistics() {
        assert_eq!(
            executions("Done 7 runs\nstat::number_of_executed_units: 71\nstat::x: 1\n"),
            Some(71)
        );
        assert_eq!(executions("error: could not compile\n"), None);
    }
}
