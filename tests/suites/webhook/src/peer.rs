//! Programs that sign and verify as others do: a script, what it is asked, and what it says.

use conformance::{Missing, NotStarted, Settings, output, script};
use serde_json::Value;
use std::{path::PathBuf, process::Command, time::Duration};

/// A script, and what runs it.
pub struct Peer {
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
}

impl Peer {
    /// Python with this library, of which `name` is the distribution's.
    pub fn python(settings: &Settings, library: &str, name: &str) -> Result<Self, NotStarted> {
        let program = settings.own_python(library).map_err(|_| Missing::Peer(name.into()))?;
        let folder = settings.folder(&format!("webhook-{name}"));
        let folder = folder.map_err(|error| error.to_string())?;
        Ok(Self { program, arguments: vec![script("webhook_signatures.py")], folder })
    }

    /// Node with the packages of our own.
    pub fn node(settings: &Settings, package: &str) -> Result<Self, NotStarted> {
        let (program, packages) = (settings.peer("node")?, settings.npm(package));
        let packages = packages.map_err(|_| Missing::Peer(format!("{package} for node")))?;
        let folder = settings.folder("webhook-node").map_err(|error| error.to_string())?;
        let packages = packages.display().to_string();
        Ok(Self { program, arguments: vec![script("webhook_signatures.mjs"), packages], folder })
    }

    /// What it says to each of these, in one run.
    pub fn answers(&self, asked: &[Value]) -> Result<Vec<Value>, String> {
        let file = self.folder.join("asked");
        std::fs::write(&file, Value::from(asked).to_string()).map_err(|error| error.to_string())?;
        let said = run(Command::new(&self.program).args(&self.arguments).arg(&file))?;
        let answers: Vec<Value> =
            serde_json::from_str(&said).map_err(|error| format!("{error}: {said}"))?;
        if answers.len() == asked.len() {
            return Ok(answers);
        }
        Err(format!("{} were asked and {} answered", asked.len(), answers.len()))
    }
}

/// What a program prints, that ends well.
pub fn run(command: &mut Command) -> Result<String, String> {
    let ended = output(command, Duration::from_secs(30))?;
    if ended.status.success() {
        return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&ended.stderr).into_owned())
}

/// An answer as text, `failed: ` and why included.
pub fn said(answer: &Value) -> String {
    answer.as_str().map_or_else(|| answer.to_string(), str::to_owned)
}
