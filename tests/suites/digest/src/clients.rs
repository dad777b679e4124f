//! Real clients with Digest against our verifier: what it decided last, and how many requests that took.

use super::{
    PASSWORD, USER,
    doors::{DOORS, Door, Doors},
};
use conformance::{Compared, Told, compare, output, script};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// A client, and where it is.
pub enum Client {
    Curl(PathBuf),
    Wget(PathBuf),
    Python(PathBuf, &'static str),
}

/// What it is told to do.
#[derive(Clone, Copy)]
struct Call {
    id: &'static str,
    user: &'static str,
    password: &'static str,
    /// How often it gets the page, in one process.
    times: usize,
    /// What it posts instead.
    body: Option<&'static str>,
}

const CALLS: [Call; 5] = [
    Call { id: "good", user: USER, password: PASSWORD, times: 1, body: None },
    Call { id: "twice", user: USER, password: PASSWORD, times: 2, body: None },
    Call { id: "post", user: USER, password: PASSWORD, times: 1, body: Some("a=1&b=2") },
    Call { id: "wrong", user: USER, password: "guess", times: 1, body: None },
    Call { id: "unknown", user: "mallory", password: PASSWORD, times: 1, body: None },
];

impl Client {
    /// Every call at every door: one case for each door.
    pub fn run(&self, doors: &Doors) -> Vec<Compared> {
        DOORS.iter().map(|door| self.knock(door, doors)).collect()
    }

    fn knock(&self, door: &Door, doors: &Doors) -> Compared {
        let said = |say: &dyn Fn(&Call) -> String| {
            CALLS
                .iter()
                .map(|call| format!("{}: {}", call.id, say(call)))
                .collect::<Vec<_>>()
                .join("; ")
        };
        let expected = said(&|call| self.expected(door, call));
        compare(door.name, expected, said(&|call| self.call(door, call, doors)))
    }

    /// What is decided last, and how many requests it takes.
    fn expected(&self, door: &Door, call: &Call) -> String {
        match (call.user, call.password) {
            (USER, PASSWORD) => {
                // One that asks, and then one for each page; or both for each page.
                let kept = door.counts() && self.keeps();
                let requests = if kept { 1 + call.times } else { 2 * call.times };
                format!("{} in {requests}", door.best())
            }
            (USER, _) => String::from("digest_response_wrong in 2"),
            _ => String::from("digest_user_unknown in 2"),
        }
    }

    /// Does it answer a second request before it is asked? Of curl and wget each request begins anew.
    const fn keeps(&self) -> bool {
        matches!(self, Self::Python(..))
    }

    fn call(&self, door: &Door, call: &Call, doors: &Doors) -> String {
        let before = doors.log.served();
        doors.log.told();
        let url = format!("{}/{}?q=%22a%22,b", doors.base, door.name);
        let ended = output(&mut self.command(call, &url), Duration::from_secs(30));
        let decided = match (ended, doors.log.told()) {
            (Err(error), _) => error,
            (Ok(_), Some(Told::Accepted(who))) => who,
            (Ok(_), Some(Told::Refused(code))) => String::from(code),
            (Ok(output), None) => String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        format!("{decided} in {}", doors.log.served() - before)
    }

    fn command(&self, call: &Call, url: &str) -> Command {
        match self {
            Self::Curl(curl) => call.curl(curl, url),
            Self::Wget(wget) => call.wget(wget, url),
            Self::Python(python, library) => {
                let mut command = Command::new(python);
                command.args([
                    &*script("digest_client.py"),
                    library,
                    call.user,
                    call.password,
                    url,
                ]);
                command.args([call.times.to_string().as_str(), call.body.unwrap_or_default()]);
                command.env("NO_PROXY", "*");
                command
            }
        }
    }
}

impl Call {
    fn curl(&self, curl: &Path, url: &str) -> Command {
        let mut command = Command::new(curl);
        command.args(["--silent", "--show-error", "--noproxy", "*", "--digest"]);
        command.args(["--user", &format!("{}:{}", self.user, self.password)]);
        if let Some(body) = self.body {
            command.args(["--data", body]);
        }
        for _ in 0..self.times {
            command.args(["--output", "/dev/null", url]);
        }
        command
    }

    fn wget(&self, wget: &Path, url: &str) -> Command {
        let mut command = Command::new(wget);
        command.args(["--no-proxy", "--tries=1", "--no-verbose", "--output-document=/dev/null"]);
        command.args([format!("--user={}", self.user), format!("--password={}", self.password)]);
        command.args(self.body.map(|body| format!("--post-data={body}")));
        command.args(vec![url; self.times]);
        command
    }
}
