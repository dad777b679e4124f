//! Running programs, and saying so. All that xtask says goes to standard error; standard output is for what was asked.

use crate::repository;
use std::process::Command;
use std::time::{Duration, Instant};

/// Numbered steps of long work, each printed when it begins and when it ends.
pub struct Steps {
    total: usize,
    begun: usize,
    done: Vec<(String, Duration, Ended)>,
}

/// How a step ended when it did not fail.
#[derive(Clone, Debug, PartialEq)]
pub enum Done {
    Ran,
    Skipped(String),
}

enum Ended {
    Ok,
    Skipped(String),
    Failed(String),
}

impl Steps {
    pub fn new(total: usize) -> Self {
        Self { total, begun: 0, done: Vec::new() }
    }

    /// Runs one step; one that fails does not keep the next from running.
    pub fn step(&mut self, name: &str, work: impl FnOnce() -> Result<Done, String>) {
        self.begun += 1;
        let (n, total) = (self.begun, self.total);
        eprintln!("\n[{n}/{total}] {name}");
        let start = Instant::now();
        let result = work();
        let took = start.elapsed();
        let ended = match result {
            Ok(Done::Ran) => Ended::Ok,
            Ok(Done::Skipped(reason)) => Ended::Skipped(reason),
            Err(what) => Ended::Failed(what),
        };
        eprintln!("[{n}/{total}] {name}: {} in {}", ended.text(), seconds(took));
        self.done.push((name.to_string(), took, ended));
    }

    /// Prints the table of all steps; the summary line, or what failed.
    pub fn finish(self) -> Result<String, String> {
        eprintln!();
        let width = self.done.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        for (name, took, ended) in &self.done {
            eprintln!("  {name:width$}  {:>9}  {}", seconds(*took), ended.text());
        }
        let failed: Vec<&str> = self
            .done
            .iter()
            .filter(|(_, _, ended)| matches!(ended, Ended::Failed(_)))
            .map(|(name, ..)| name.as_str())
            .collect();
        if !failed.is_empty() {
            return Err(format!("{} of {} steps: {}", failed.len(), self.total, failed.join(", ")));
        }
        let skipped =
            self.done.iter().filter(|(_, _, ended)| matches!(ended, Ended::Skipped(_))).count();
        let all: Duration = self.done.iter().map(|(_, took, _)| *took).sum();
        Ok(format!("{} steps ok, {skipped} skipped, in {}", self.total - skipped, seconds(all)))
    }
}

impl Ended {
    fn text(&self) -> String {
        match self {
            Self::Ok => "ok".into(),
            Self::Skipped(reason) => format!("skipped: {reason}"),
            Self::Failed(what) => format!("FAILED: {what}"),
        }
    }
}

/// `cargo`, the one that runs us.
///
/// Without what it told us about our own package: build scripts that look at those variables would run again whenever
/// one types `cargo` after `cargo xtask`, and the other way round.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let own = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os() {
        if own(&name.to_string_lossy()) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Prints the command and runs it with our own input and output.
pub fn run(command: &mut Command) -> Result<(), String> {
    let shown = shown(command);
    eprintln!("  $ {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` ended with {status}")),
        Err(error) => Err(format!("`{shown}` did not start: {error}")),
    }
}

/// Builds the program of a member, showing cargo's progress, then runs it in the caller's folder.
pub fn run_program(package: &str, words: &[String]) -> Result<(), String> {
    let manifest = repository::root().join("Cargo.toml");
    let mut build = cargo();
    build.arg("build").args(["--package", package, "--bins"]);
    run(build.arg("--manifest-path").arg(&manifest))?;
    let mut program = cargo();
    program.arg("run").args(["--quiet", "--package", package]);
    run(program.arg("--manifest-path").arg(&manifest).arg("--").args(words))
}

/// Runs a command quietly; what it wrote to standard output.
pub fn capture(command: &mut Command) -> Result<String, String> {
    let shown = shown(command);
    match command.output() {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("`{shown}` ended with {}: {}", output.status, said.trim()))
        }
        Err(error) => Err(format!("`{shown}` did not start: {error}")),
    }
}

/// Tries again after a pause: registries hiccup.
pub fn retrying(mut work: impl FnMut() -> Result<(), String>) -> Result<(), String> {
    for pause in [5, 20] {
        match work() {
            Ok(()) => return Ok(()),
            Err(what) => eprintln!("  {what}; trying again in {pause} s"),
        }
        std::thread::sleep(Duration::from_secs(pause));
    }
    work()
}

/// The command as one would type it, the program without its folder.
fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program());
    let words = command.get_args().map(|word| word.to_string_lossy());
    std::iter::once(program.to_string_lossy()).chain(words).collect::<Vec<_>>().join(" ")
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_fails_the_whole_and_is_named() {
        let mut steps = Steps::new(3);
        steps.step("one", || Ok(Done::Ran));
        steps.step("two", || Err("no".into()));
        steps.step("three", || Ok(Done::Skipped("x not installed".into())));
        assert_eq!(steps.finish(), Err("1 of 3 steps: two".into()));
    }

    #[test]
    fn a_skipped_step_is_counted_apart() {
        let mut steps = Steps::new(2);
        steps.step("one", || Ok(Done::Ran));
        steps.step("two", || Ok(Done::Skipped("x not installed".into())));
        let summary = steps.finish().unwrap();
        assert!(summary.starts_with("1 steps ok, 1 skipped"), "{summary}");
    }

    #[test]
    fn a_command_that_fails_or_does_not_exist_is_an_error() {
        assert!(capture(cargo().arg("no-such-subcommand")).is_err());
        assert!(run(&mut Command::new("no-such-program-at-all")).is_err());
    }
}
