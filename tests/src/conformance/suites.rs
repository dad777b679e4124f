//! Every suite there is. A new one is an entry here.

use super::{CaseResult, Missing, Outcome, Settings, Suite};
use crate::demo::server::Running;
use crate::suites::clients::Scheme;
use crate::suites::digest;
use crate::suites::jwt::differential::Peer;
use crate::suites::jwt::{attacks, cookbook, differential, rfc as jose, wycheproof};
use crate::suites::start::{self, NotStarted, Started};
use crate::suites::{Compared, clients, rfc, servers, sigv4};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use tokio::runtime::Runtime;

pub(super) const SUITES: &[Suite] = &[
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
    suite("jwt-rfc7515", "JWT", "RFC", |_| ran(jose::rfc7515())),
    suite("jwt-rfc8037", "JWT", "RFC", |_| ran(jose::rfc8037())),
    suite("jwt-cookbook", "JWT", "JOSE cookbook", |settings| cookbook::cases(settings).into()),
    suite("jwt-wycheproof", "JWT", "Wycheproof", |settings| wycheproof::cases(settings).into()),
    suite("jwt-attacks", "JWT", "attacks", |_| ran(attacks::attacks())),
    suite("jwt-generated", "JWT", "generated", |_| ran(differential::meant())),
    suite("jwt-jsonwebtoken", "JWT", "jsonwebtoken", |_| ran(differential::jsonwebtoken())),
    suite("jwt-pyjwt", "JWT", "PyJWT", |settings| judged(settings, Peer::PyJwt)),
    suite("jwt-joserfc", "JWT", "joserfc", |settings| judged(settings, Peer::Joserfc)),
    suite("jwt-jwcrypto", "JWT", "jwcrypto", |settings| judged(settings, Peer::Jwcrypto)),
    suite("jwt-jose", "JWT", "jose", |settings| judged(settings, Peer::Jose)),
    suite("digest-rfc", "Digest", "RFC", |_| ran(digest::rfc::examples())),
    suite("digest-apache", "Digest", "Apache", |settings| {
        asked(digest::start::apache(settings), digest::servers::apache)
    }),
    suite("digest-lighttpd", "Digest", "lighttpd", |settings| {
        asked(digest::start::lighttpd(settings), digest::servers::lighttpd)
    }),
    suite("digest-httpbin", "Digest", "httpbin", |settings| {
        asked(digest::start::httpbin(settings), digest::servers::httpbin)
    }),
    suite("digest-flask", "Digest", "Flask-HTTPAuth", |settings| {
        asked(digest::start::flask(settings), digest::servers::flask)
    }),
    suite("digest-squid", "Digest", "squid", |settings| {
        asked(digest::start::squid(settings), digest::servers::squid)
    }),
    suite("digest-curl", "Digest", "curl", |settings| {
        asking(settings.peer("curl").map(digest::clients::Client::Curl))
    }),
    suite("digest-wget", "Digest", "wget", |settings| {
        asking(settings.peer("wget").map(digest::clients::Client::Wget))
    }),
    suite("digest-requests", "Digest", "requests", |settings| python(settings, "requests")),
    suite("digest-httpx", "Digest", "httpx", |settings| python(settings, "httpx")),
    suite("sigv4-suite", "AWS SigV4", "AWS", |settings| {
        sigv4::suite::from_vectors(settings).into()
    }),
    suite("sigv4-crate", "AWS SigV4", "AWS, in aws-sigv4", |_| {
        sigv4::suite::from_crate().map_or_else(broken, Outcome::Ran)
    }),
    suite("sigv4-aws-sigv4", "AWS SigV4", "aws-sigv4", |_| ran(sigv4::differential::aws_sigv4())),
    suite("sigv4-botocore", "AWS SigV4", "botocore", |settings| {
        sigv4::differential::botocore(settings).map_or_else(Outcome::Skipped, ran)
    }),
    suite("sigv4-moto", "AWS SigV4", "moto", |settings| {
        asked(sigv4::moto::start(settings), sigv4::moto::cases)
    }),
    suite("sigv4-boto3", "AWS SigV4", "boto3", |settings| {
        let peers = settings.own_python("boto3").map_err(|_| Missing::Peer("boto3".into()));
        let peers = peers.and_then(|python| Ok((python, settings.peer("curl")?)));
        signing(settings, peers, |client, (python, curl)| client.boto3(python, curl))
    }),
    suite("sigv4-curl", "AWS SigV4", "curl", |settings| {
        signing(settings, settings.peer("curl"), |client, curl| client.curl(curl))
    }),
    suite("sigv4-s3cmd", "AWS SigV4", "s3cmd", |settings| {
        signing(settings, settings.peer("s3cmd"), |client, s3cmd| client.s3cmd(s3cmd))
    }),
    suite("sigv4-chromium", "AWS SigV4", "Chromium", |settings| {
        let started = settings.peer("chromium").map_err(NotStarted::from).and_then(|chromium| {
            let folder = settings.folder("sigv4-chromium").map_err(|error| error.to_string())?;
            Ok((chromium, folder))
        });
        asked(started, async |(chromium, folder)| sigv4::browser::cases(chromium, folder).await)
    }),
    suite("sigv4-own-port", "AWS SigV4", "port 80", |_| {
        asked(sigv4::own_port::start(), sigv4::own_port::cases)
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

/// Our client against a real server that was started.
fn asked<S>(started: Result<S, NotStarted>, ask: impl AsyncFnOnce(&S) -> Vec<Compared>) -> Outcome {
    let server = match started {
        Err(NotStarted::Missing(missing)) => return Outcome::Skipped(missing),
        Err(NotStarted::Failed(what)) => return broken(what),
        Ok(server) => server,
    };
    match Runtime::new() {
        Ok(runtime) => ran(runtime.block_on(ask(&server))),
        Err(error) => broken(error.to_string()),
    }
}

fn python(settings: &Settings, library: &'static str) -> Outcome {
    let python = settings.python(library);
    asking(python.map(|python| digest::clients::Client::Python(python, library)))
}

/// A real client with Digest against our verifier.
fn asking(client: Result<digest::clients::Client, Missing>) -> Outcome {
    let client = match client {
        Ok(client) => client,
        Err(missing) => return Outcome::Skipped(missing),
    };
    let started = Runtime::new().map_err(|error| error.to_string()).and_then(|runtime| {
        let doors = runtime.block_on(digest::doors::Doors::open())?;
        Ok((runtime, doors))
    });
    match started {
        // The runtime lives until the client is done.
        Ok((_runtime, doors)) => ran(client.run(&doors)),
        Err(what) => broken(what),
    }
}

/// A real client with AWS signatures against our verifier.
fn signing<P>(
    settings: &Settings,
    peer: Result<P, Missing>,
    run: impl FnOnce(&sigv4::clients::Client<'_>, &P) -> Vec<Compared>,
) -> Outcome {
    let peer = match peer {
        Ok(peer) => peer,
        Err(missing) => return Outcome::Skipped(missing),
    };
    let started = settings.folder("sigv4-doors").map_err(|error| error.to_string());
    let started = started.and_then(|folder| {
        let runtime = Runtime::new().map_err(|error| error.to_string())?;
        let certificate = folder.join("certificate");
        let doors = runtime.block_on(sigv4::doors::Doors::open(&certificate))?;
        Ok((runtime, doors, folder))
    });
    match started {
        // The runtime lives until the client is done.
        Ok((_runtime, doors, folder)) => {
            ran(run(&sigv4::clients::Client { doors: &doors, folder }, &peer))
        }
        Err(what) => broken(what),
    }
}

/// Tokens of every kind before us and before another library.
fn judged(settings: &Settings, peer: Peer) -> Outcome {
    differential::peer(peer, settings).map_or_else(Outcome::Skipped, ran)
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
