//! HTTP Digest: the examples of its RFCs, our client against servers, and clients against our verifier.

mod clients;
mod doors;
mod rfc;
mod servers;
mod start;
mod tunnel;
mod wire;

use conformance::{Missing, Outcome, Settings, Suite, asked, broken, ran, suite};
use tokio::runtime::Runtime;

/// Every suite of Digest. A new one is an entry here.
pub const SUITES: &[Suite] = &[
    suite("digest-rfc", "Digest", "RFC", |_| ran(rfc::examples())),
    suite("digest-apache", "Digest", "Apache", |settings| {
        asked(start::apache(settings), servers::apache)
    }),
    suite("digest-lighttpd", "Digest", "lighttpd", |settings| {
        asked(start::lighttpd(settings), servers::lighttpd)
    }),
    suite("digest-httpbin", "Digest", "httpbin", |settings| {
        asked(start::httpbin(settings), servers::httpbin)
    }),
    suite("digest-flask", "Digest", "Flask-HTTPAuth", |settings| {
        asked(start::flask(settings), servers::flask)
    }),
    suite("digest-squid", "Digest", "squid", |settings| {
        asked(start::squid(settings), servers::squid)
    }),
    suite("digest-curl", "Digest", "curl", |settings| {
        asking(settings.peer("curl").map(clients::Client::Curl))
    }),
    suite("digest-wget", "Digest", "wget", |settings| {
        asking(settings.peer("wget").map(clients::Client::Wget))
    }),
    suite("digest-requests", "Digest", "requests", |settings| python(settings, "requests")),
    suite("digest-httpx", "Digest", "httpx", |settings| python(settings, "httpx")),
];

/// The account, everywhere.
const USER: &str = "alice";
const PASSWORD: &str = "s3cret";
const REALM: &str = "realm1";

fn python(settings: &Settings, library: &'static str) -> Outcome {
    let python = settings.python(library);
    asking(python.map(|python| clients::Client::Python(python, library)))
}

/// A real client with Digest against our verifier.
fn asking(client: Result<clients::Client, Missing>) -> Outcome {
    let client = match client {
        Ok(client) => client,
        Err(missing) => return Outcome::Skipped(missing),
    };
    let started = Runtime::new().map_err(|error| error.to_string()).and_then(|runtime| {
        let doors = runtime.block_on(doors::Doors::open())?;
        Ok((runtime, doors))
    });
    match started {
        // The runtime lives until the client is done.
        Ok((_runtime, doors)) => ran(client.run(&doors)),
        Err(what) => broken(what),
    }
}
