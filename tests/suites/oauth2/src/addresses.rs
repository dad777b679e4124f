//! URLs that lead inside: token, refresh and metadata URLs as a tenant could type them, in a network that has an address of
//! every kind. What counts is to which of them a connection was made.

mod asking;
mod hosts;
mod inside;
mod names;

use crate::ours::text;
use conformance::{Compared, Missing, Outcome, Settings, broken, compare, output, ran, script};
use serde_json::{Value, json};
use std::{path::Path, process::Command, time::Duration};

/// Set for the program that runs in the network of its own: the file for what came out.
const INSIDE: &str = "CONFORMANCE_OWN_NETWORK";

pub const SUITE: &str = "oauth2-addresses";

/// This suite needs a network of its own, so the program runs itself in one.
pub fn cases(settings: &Settings) -> Outcome {
    if let Some(file) = std::env::var_os(INSIDE) {
        let said = inside::cases().and_then(|cases| {
            std::fs::write(file, lines(&cases)).map_err(text)?;
            Ok(cases)
        });
        return said.map_or_else(broken, ran);
    }
    let (unshare, folder) = match settings.peer("unshare").and_then(|unshare| {
        settings.peer("ip")?;
        Ok((unshare, settings.folder(SUITE)))
    }) {
        Ok((unshare, Ok(folder))) => (unshare, folder),
        Ok((_, Err(error))) => return broken(error.to_string()),
        Err(missing) => return Outcome::Skipped(missing),
    };
    let own = || {
        let mut command = Command::new(&unshare);
        command.args(["--map-root-user", "--mount", "--net"]);
        command
    };
    // Some systems keep this from programs.
    if !output(own().arg("true"), Duration::from_secs(10)).is_ok_and(|done| done.status.success()) {
        let what = "unshare, with the right to make a network of its own,";
        return Outcome::Skipped(Missing::Peer(what.into()));
    }
    run(own(), &folder).map_or_else(broken, ran)
}

fn run(mut own: Command, folder: &Path) -> Result<Vec<Compared>, String> {
    let file = folder.join("cases");
    own.env(INSIDE, &file).args(["sh", &script("own_network.sh"), names::SERVER]).arg(folder);
    own.arg(std::env::current_exe().map_err(text)?).args(["--suite", SUITE]);
    let done = output(&mut own, Duration::from_secs(240))?;
    let said = std::fs::read_to_string(&file).unwrap_or_default();
    let cases: Vec<Compared> = said.lines().filter_map(read).collect();
    if cases.is_empty() {
        return Err(String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned());
    }
    Ok(cases)
}

fn lines(cases: &[Compared]) -> String {
    let line = |case: &Compared| {
        let (id, expected, actual) = (&case.id, &case.expected, &case.actual);
        format!("{}\n", json!({ "id": id, "expected": expected, "actual": actual }))
    };
    cases.iter().map(line).collect()
}

fn read(line: &str) -> Option<Compared> {
    let line: Value = serde_json::from_str(line).ok()?;
    let field = |name: &str| line[name].as_str();
    Some(compare(field("id")?, field("expected")?, field("actual")?))
}
