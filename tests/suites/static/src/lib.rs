//! None, Basic, API key and Bearer: the examples of their RFCs, real clients against our verifiers, and our client
//! against real servers.

mod clients;
mod rfc;
mod servers;
mod start;

use clients::Scheme;
use conformance::{
    Compared, Missing, NotStarted, Outcome, Settings, Started, Suite, asked, broken, ran, suite,
};
use demo::server::Running;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use tokio::runtime::Runtime;

/// Every suite of these schemes. A new one is an entry here.
pub const SUITES: &[Suite] = &[
    suite("rfc9110", "Challenges", "RFC", |_| ran(rfc::rfc9110())),
    suite("rfc7617", "Basic", "RFC", |_| ran(rfc::rfc7617())),
    suite("rfc6750", "Bearer", "RFC", |_| ran(rfc::rfc6750())),
    suite("basic-nginx", "Basic", "nginx", |settings| server(settings, start::nginx)),
    suite("basic-apache", "Basic", "Apache", |settings| server(settings, start::apache)),
    suite("basic-curl", "Basic", "curl", |settings| curl(settings, Scheme::Basic)),
    suite("key-curl", "API key", "curl", |settings| curl(settings, Scheme::ApiKey)),
    suite("bearer-curl", "Bearer", "curl", |settings| curl(settings, Scheme::Bearer)),
    suite("choice-curl", "None, or a choice", "curl", |settings| curl(settings, Scheme::Choice)),
    suite("basic-wget", "Basic", "wget", |settings| wget(settings, Scheme::Basic)),
    suite("key-wget", "API key", "wget", |settings| wget(settings, Scheme::ApiKey)),
    suite("bearer-wget", "Bearer", "wget", |settings| wget(settings, Scheme::Bearer)),
    suite("choice-wget", "None, or a choice", "wget", |settings| wget(settings, Scheme::Choice)),
    suite("basic-requests", "Basic", "requests", |settings| requests(settings, Scheme::Basic)),
    suite("key-requests", "API key", "requests", |settings| requests(settings, Scheme::ApiKey)),
    suite("bearer-requests", "Bearer", "requests", |settings| requests(settings, Scheme::Bearer)),
    suite("choice-requests", "None, or a choice", "requests", |settings| {
        requests(settings, Scheme::Choice)
    }),
    suite("basic-httpx", "Basic", "httpx", |settings| httpx(settings, Scheme::Basic)),
    suite("key-httpx", "API key", "httpx", |settings| httpx(settings, Scheme::ApiKey)),
    suite("bearer-httpx", "Bearer", "httpx", |settings| httpx(settings, Scheme::Bearer)),
    suite("choice-httpx", "None, or a choice", "httpx", |settings| httpx(settings, Scheme::Choice)),
];

/// Our client against a real server.
fn server(settings: &Settings, start: fn(&Settings) -> Result<Started, NotStarted>) -> Outcome {
    asked(start(settings), async |started: &Started| servers::basic(&started.page).await)
}

fn curl(settings: &Settings, scheme: Scheme) -> Outcome {
    client(settings.peer("curl"), |curl, server| clients::curl(curl, scheme, server))
}

fn wget(settings: &Settings, scheme: Scheme) -> Outcome {
    client(settings.peer("wget"), |wget, server| clients::wget(wget, scheme, server))
}

fn requests(settings: &Settings, scheme: Scheme) -> Outcome {
    client(settings.python("requests"), |python, server| {
        clients::python(python, "requests", scheme, server)
    })
}

fn httpx(settings: &Settings, scheme: Scheme) -> Outcome {
    client(settings.python("httpx"), |python, server| {
        clients::python(python, "httpx", scheme, server)
    })
}

/// A real client against the demo's server.
fn client(
    peer: Result<PathBuf, Missing>,
    run: impl FnOnce(&Path, &Running) -> Vec<Compared>,
) -> Outcome {
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
