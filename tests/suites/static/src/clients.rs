//! Real clients against our verifiers: each makes the same calls at the demo's server, and gets the same statuses.

use conformance::{Compared, compare};
use demo::{
    accounts::{KEY, PASSWORD, TOKEN, USER},
    server::Running,
};
use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

/// What a client is to be told to send.
enum Sent {
    Nothing,
    Basic(&'static str, &'static str),
    Field(&'static str, String),
    Parameter(&'static str, &'static str),
}

/// Which of the demo's doors are asked.
#[derive(Clone, Copy)]
pub enum Scheme {
    Basic,
    ApiKey,
    Bearer,
    /// No scheme, or several at one door.
    Choice,
}

/// The calls, and the status of each.
fn calls(scheme: Scheme) -> Vec<(&'static str, &'static str, Sent, u16)> {
    let authorization = |value: String| Sent::Field("Authorization", value);
    match scheme {
        Scheme::Basic => vec![
            ("good", "/basic", Sent::Basic(USER, PASSWORD), 200),
            ("wrong", "/basic", Sent::Basic(USER, "guess"), 401),
            ("missing", "/basic", Sent::Nothing, 401),
            ("argon2", "/basic/argon2", Sent::Basic(USER, PASSWORD), 200),
        ],
        Scheme::ApiKey => vec![
            ("header", "/key/header", Sent::Field("key", KEY.into()), 200),
            ("header-wrong", "/key/header", Sent::Field("key", "guess".into()), 401),
            ("scheme", "/key/scheme", authorization(format!("App {KEY}")), 200),
            ("scheme-lower", "/key/scheme", authorization(format!("app {KEY}")), 200),
            ("scheme-wrong", "/key/scheme", authorization("App guess".into()), 401),
            ("query", "/key/query", Sent::Parameter("apikey", KEY), 200),
            ("query-wrong", "/key/query", Sent::Parameter("apikey", "guess"), 401),
        ],
        Scheme::Bearer => vec![
            ("good", "/bearer", authorization(format!("Bearer {TOKEN}")), 200),
            ("wrong", "/bearer", authorization("Bearer guess".into()), 401),
        ],
        Scheme::Choice => vec![
            ("none", "/none", Sent::Nothing, 200),
            ("any-basic", "/any", Sent::Basic(USER, PASSWORD), 200),
            ("any-nothing", "/any", Sent::Nothing, 401),
        ],
    }
}

/// curl, with its own `-u` for Basic.
pub fn curl(curl: &Path, scheme: Scheme, server: &Running) -> Vec<Compared> {
    let command = |sent: Sent, url: &str| {
        let mut command = Command::new(curl);
        command.args([
            "--silent",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
            "--noproxy",
            "*",
        ]);
        match sent {
            Sent::Nothing => command.arg(url),
            Sent::Basic(user, password) => {
                command.args(["--user", &format!("{user}:{password}"), url])
            }
            Sent::Field(name, value) => {
                command.args(["--header", &format!("{name}: {value}"), url])
            }
            Sent::Parameter(name, value) => {
                command.args(["--get", "--data-urlencode", &format!("{name}={value}"), url])
            }
        };
        command
    };
    run(scheme, server, command, printed)
}

/// wget, which first asks without credentials and answers the challenge.
pub fn wget(wget: &Path, scheme: Scheme, server: &Running) -> Vec<Compared> {
    let command = |sent: Sent, url: &str| {
        let mut command = Command::new(wget);
        command.args([
            "--no-proxy",
            "--tries=1",
            "--server-response",
            "--output-document=/dev/null",
        ]);
        match sent {
            Sent::Nothing => command.arg(url),
            Sent::Basic(user, password) => {
                command.args([&format!("--user={user}"), &format!("--password={password}"), url])
            }
            Sent::Field(name, value) => command.args([&format!("--header={name}: {value}"), url]),
            Sent::Parameter(name, value) => command.arg(format!("{url}?{name}={value}")),
        };
        command
    };
    // The status of the last attempt, in the header lines that wget shows on its standard error.
    run(scheme, server, command, |output| {
        let shown = String::from_utf8_lossy(&output.stderr);
        let status =
            shown.lines().rev().find_map(|line| line.trim().strip_prefix("HTTP/1.1 ")?.get(..3));
        status.unwrap_or(&shown).to_owned()
    })
}

/// requests or httpx, with their own `auth=` for Basic.
pub fn python(python: &Path, library: &str, scheme: Scheme, server: &Running) -> Vec<Compared> {
    let command = |sent: Sent, url: &str| {
        let mut command = Command::new(python);
        let arguments = match sent {
            Sent::Nothing => serde_json::json!({}),
            Sent::Basic(user, password) => serde_json::json!({ "auth": [user, password] }),
            Sent::Field(name, value) => serde_json::json!({ "headers": { name: value } }),
            Sent::Parameter(name, value) => serde_json::json!({ "params": { name: value } }),
        };
        // requests encodes a text password as Latin-1; bytes go as they are.
        let script = "import sys, json\n\
            library = __import__(sys.argv[1])\n\
            a = json.loads(sys.argv[3])\n\
            if 'auth' in a: a['auth'] = tuple(x.encode() for x in a['auth'])\n\
            print(library.get(sys.argv[2], **a).status_code, end='')";
        command.args(["-c", script, library, url, &arguments.to_string()]);
        command.env("NO_PROXY", "*");
        command
    };
    run(scheme, server, command, printed)
}

/// What the client printed: a status, or what it complained about.
fn printed(output: &Output) -> String {
    let status = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if status.is_empty() {
        String::from_utf8_lossy(&output.stderr).trim().to_owned()
    } else {
        status
    }
}

fn run(
    scheme: Scheme,
    server: &Running,
    command: impl Fn(Sent, &str) -> Command,
    status: impl Fn(&Output) -> String,
) -> Vec<Compared> {
    calls(scheme)
        .into_iter()
        .map(|(id, path, sent, expected)| {
            let output =
                command(sent, &format!("{}{path}", server.base())).stdin(Stdio::null()).output();
            compare(
                id,
                expected,
                output.map_or_else(|error| error.to_string(), |output| status(&output)),
            )
        })
        .collect()
}
