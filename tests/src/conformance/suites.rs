//! Every suite there is. A new one is an entry here.

use super::{CaseResult, Missing, Outcome, Settings, Suite};
use crate::demo::server::Running;
use crate::suites::start::{self, NotStarted, Started};
use crate::suites::{Compared, clients, rfc, servers};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::runtime::Runtime;

pub(super) const SUITES: &[Suite] = &[
    suite("rfc9110", "Challenges", "RFC", |_| ran(rfc::rfc9110())),
    suite("rfc7617", "Basic", "RFC", |_| ran(rfc::rfc7617())),
    suite("rfc6750", "Bearer", "RFC", |_| ran(rfc::rfc6750())),
    suite("basic-nginx", "Basic", "nginx", |settings| server(settings, start::nginx)),
    suite("basic-apache", "Basic", "Apache", |settings| server(settings, start::apache)),
    suite("static-curl", "Basic, API key, Bearer", "curl", |settings| {
        client(settings.peer("curl"), |curl, server| clients::curl(curl, server))
    }),
    suite("static-wget", "Basic, API key, Bearer", "wget", |settings| {
        client(settings.peer("wget"), |wget, server| clients::wget(wget, server))
    }),
    suite("static-requests", "Basic, API key, Bearer", "requests", |settings| {
        client(settings.python("requests"), |python, server| {
            clients::python(python, "requests", server)
        })
    }),
    suite("static-httpx", "Basic, API key, Bearer", "httpx", |settings| {
        client(settings.python("httpx"), |python, server| clients::python(python, "httpx", server))
    }),
];

const fn suite(
    name: &'static str,
    scheme: &'static str,
    source: &'static str,
    run: fn(&Settings) -> Outcome,
) -> Suite {
    Suite { name, scheme, source, run }
}

/// Our client against a real server.
fn server(settings: &Settings, start: fn(&Settings) -> Result<Started, NotStarted>) -> Outcome {
    match start(settings) {
        Err(NotStarted::Missing(missing)) => Outcome::Skipped(missing),
        Err(NotStarted::Failed(what)) => broken(what),
        Ok(started) => match Runtime::new() {
            Ok(runtime) => ran(runtime.block_on(servers::basic(&started.page))),
            Err(error) => broken(error.to_string()),
        },
    }
}

/// A real client against the demo's server.
fn client<P>(peer: Result<P, Missing>, run: impl FnOnce(&P, &Running) -> Vec<Compared>) -> Outcome {
    let peer = match peer {
        Ok(peer) => peer,
        Err(missing) => return Outcome::Skipped(missing),
    };
    let started = Runtime::new().map_err(|error| error.to_string()).and_then(|runtime| {
        let server =
            runtime.block_on(Running::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))?;
        Ok((runtime, server))
    });
    match started {
        // The runtime lives until the client is done.
        Ok((_runtime, server)) => ran(run(&peer, &server)),
        Err(what) => broken(what),
    }
}

fn ran(compared: Vec<Compared>) -> Outcome {
    let cases =
        compared.into_iter().map(|case| CaseResult::compare(case.id, case.expected, case.actual));
    Outcome::Ran(cases.collect())
}

/// A peer that is installed and does not start is a failure, not a skip.
fn broken(what: String) -> Outcome {
    Outcome::Ran(vec![CaseResult::compare("start", "started", what)])
}
