//! The engine of `cargo xtask conformance`: official vectors and real peers, in one table.
//!
//! A [`Suite`] runs its cases and says what came out. The engine holds that against `tests/conformance/`: the cases that
//! are excepted, with the reason of each, and how many cases each suite has had. A suite that shrinks fails, and so does
//! an exception that no longer describes what happens.

mod arguments;
mod exceptions;
mod html;
mod json;
mod judge;
mod log;
pub mod peers;
mod process;
mod run;
mod sizes;
mod start;
mod suite;
mod table;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

pub use log::{Log, Told};
pub use peers::{Server, free_port, output};
pub use run::main;
pub use start::{NotStarted, Place, Started, apache_on};
pub use suite::{Compared, asked, broken, compare, ran, script, suite};

/// Cases of one scheme from one source.
pub struct Suite {
    /// Unique, and the name of its file of exceptions.
    pub name: &'static str,
    /// The column of the page: `Basic`.
    pub scheme: &'static str,
    /// The row of the page: `RFC 7617`, `curl`.
    pub source: &'static str,
    /// Runs all cases. One that panics fails, and does not keep the next suite from running.
    pub run: fn(&Settings) -> Outcome,
}

/// What came out of a suite.
pub enum Outcome {
    /// Every case, in a stable order, each under an id of its own.
    Ran(Vec<CaseResult>),
    /// It could not run.
    Skipped(Missing),
}

/// What a suite did not find.
#[derive(Clone, Debug, PartialEq)]
pub enum Missing {
    /// A program or a library, which `cargo xtask peers install` installs. With `--require-peers` this is a failure.
    Peer(String),
    /// A set of vectors that cannot be shipped. This is never a failure: no command of ours can install it.
    Vectors(String),
}

/// One case and its verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseResult {
    /// Unique within its suite, and stable: exceptions name it.
    pub id: String,
    /// What came out.
    pub verdict: Verdict,
}

/// Whether a case came out as it should.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed {
        /// What the source says should come out.
        expected: String,
        /// What did.
        actual: String,
    },
}

/// What a run gives its suites.
pub struct Settings {
    vectors: Option<PathBuf>,
    peers: PathBuf,
    scratch: PathBuf,
}

impl CaseResult {
    /// Passed if what should come out is what did.
    pub fn compare(
        id: impl Into<String>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> Self {
        let (expected, actual) = (expected.into(), actual.into());
        let verdict =
            if expected == actual { Verdict::Passed } else { Verdict::Failed { expected, actual } };
        Self { id: id.into(), verdict }
    }
}

impl Settings {
    /// The program of this name: from our own environment of peers, or the system's.
    ///
    /// # Errors
    ///
    /// [`Missing::Peer`] if it is not installed.
    pub fn peer(&self, program: &str) -> Result<PathBuf, Missing> {
        let own = [self.peers.join("venv/bin"), self.peers.join("bin")];
        peers::find(program, &own).ok_or_else(|| Missing::Peer(program.into()))
    }

    /// The interpreter that has this library.
    ///
    /// # Errors
    ///
    /// [`Missing::Peer`] if none has.
    pub fn python(&self, library: &str) -> Result<PathBuf, Missing> {
        let python = self.peer("python").or_else(|_| self.peer("python3"))?;
        self.importing(python, library)
    }

    /// The interpreter of our own environment, if it has this library: the system's may have another version than the
    /// one whose every verdict was reviewed.
    ///
    /// # Errors
    ///
    /// [`Missing::Peer`] if it has not.
    pub fn own_python(&self, library: &str) -> Result<PathBuf, Missing> {
        self.importing(self.peers.join("venv/bin/python"), library)
    }

    fn importing(&self, python: PathBuf, library: &str) -> Result<PathBuf, Missing> {
        let mut import = Command::new(&python);
        let found =
            output(import.args(["-c", &format!("import {library}")]), Duration::from_secs(30));
        let found = found.is_ok_and(|output| output.status.success());
        found.then_some(python).ok_or_else(|| Missing::Peer(library.into()))
    }

    /// The folder whose `node_modules` has this package.
    ///
    /// # Errors
    ///
    /// [`Missing::Peer`] if it is not installed.
    pub fn npm(&self, package: &str) -> Result<PathBuf, Missing> {
        let folder = self.peers.join("npm");
        let found = folder.join("node_modules").join(package).is_dir();
        found.then_some(folder).ok_or_else(|| Missing::Peer(package.into()))
    }

    /// The folder of a set of vectors.
    ///
    /// # Errors
    ///
    /// [`Missing::Vectors`] if it is not there.
    pub fn vectors(&self, set: &str) -> Result<PathBuf, Missing> {
        let folder =
            self.vectors.as_ref().map(|folder| folder.join(set)).filter(|folder| folder.is_dir());
        folder.ok_or_else(|| Missing::Vectors(set.into()))
    }

    /// An empty folder for a suite's configuration and logs, gone after the run. Servers that give up root's rights can
    /// reach it.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn folder(&self, suite: &str) -> std::io::Result<PathBuf> {
        let folder = self.scratch.join(suite);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        // What cannot be removed lies where the system keeps such things.
        let _ = std::fs::remove_dir_all(&self.scratch);
    }
}

impl From<Result<Vec<CaseResult>, Missing>> for Outcome {
    fn from(result: Result<Vec<CaseResult>, Missing>) -> Self {
        result.map_or_else(Self::Skipped, Self::Ran)
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(name) => write!(f, "{name} not installed"),
            Self::Vectors(set) => write!(f, "no vectors ({set}); see README"),
        }
    }
}

/// The folder that holds the root `Cargo.toml`.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own).to_path_buf()
}
