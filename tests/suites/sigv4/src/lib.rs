//! AWS Signature Version 4: the official suite, generated requests before us and before others, a server that verifies
//! what we sign, clients that sign for us, a browser with a URL of ours, and our clients on the scheme's own port.

mod browser;
mod clients;
mod differential;
mod doors;
mod generated;
mod moto;
mod official;
mod own_port;
mod rust;

use conformance::{Compared, Missing, NotStarted, Outcome, Settings, Suite, asked, broken, ran};
use tokio::runtime::Runtime;

/// Every suite of signatures. A new one is an entry here.
pub const SUITES: &[Suite] = &[
    conformance::suite("sigv4-suite", "AWS SigV4", "AWS", |settings| {
        official::from_vectors(settings).into()
    }),
    conformance::suite("sigv4-crate", "AWS SigV4", "AWS, in aws-sigv4", |_| {
        official::from_crate().map_or_else(broken, Outcome::Ran)
    }),
    conformance::suite("sigv4-aws-sigv4", "AWS SigV4", "aws-sigv4", |_| {
        ran(differential::aws_sigv4())
    }),
    conformance::suite("sigv4-botocore", "AWS SigV4", "botocore", |settings| {
        differential::botocore(settings).map_or_else(Outcome::Skipped, ran)
    }),
    conformance::suite("sigv4-moto", "AWS SigV4", "moto", |settings| {
        asked(moto::start(settings), moto::cases)
    }),
    conformance::suite("sigv4-boto3", "AWS SigV4", "boto3", |settings| {
        let peers = settings.own_python("boto3").map_err(|_| Missing::Peer("boto3".into()));
        let peers = peers.and_then(|python| Ok((python, settings.peer("curl")?)));
        signing(settings, peers, |client, (python, curl)| client.boto3(python, curl))
    }),
    conformance::suite("sigv4-curl", "AWS SigV4", "curl", |settings| {
        signing(settings, settings.peer("curl"), |client, curl| client.curl(curl))
    }),
    conformance::suite("sigv4-s3cmd", "AWS SigV4", "s3cmd", |settings| {
        signing(settings, settings.peer("s3cmd"), |client, s3cmd| client.s3cmd(s3cmd))
    }),
    conformance::suite("sigv4-chromium", "AWS SigV4", "Chromium", |settings| {
        let started = settings.peer("chromium").map_err(NotStarted::from).and_then(|chromium| {
            let folder = settings.folder("sigv4-chromium").map_err(|error| error.to_string())?;
            Ok((chromium, folder))
        });
        asked(started, async |(chromium, folder)| browser::cases(chromium, folder).await)
    }),
    conformance::suite("sigv4-own-port", "AWS SigV4", "port 80", |_| {
        asked(own_port::start(), own_port::cases)
    }),
];

/// A real client with AWS signatures against our verifier.
fn signing<P>(
    settings: &Settings,
    peer: Result<P, Missing>,
    run: impl FnOnce(&clients::Client<'_>, &P) -> Vec<Compared>,
) -> Outcome {
    let peer = match peer {
        Ok(peer) => peer,
        Err(missing) => return Outcome::Skipped(missing),
    };
    let started = settings.folder("sigv4-doors").map_err(|error| error.to_string());
    let started = started.and_then(|folder| {
        let runtime = Runtime::new().map_err(|error| error.to_string())?;
        let certificate = folder.join("certificate");
        let doors = runtime.block_on(doors::Doors::open(&certificate))?;
        Ok((runtime, doors, folder))
    });
    match started {
        // The runtime lives until the client is done.
        Ok((_runtime, doors, folder)) => {
            ran(run(&clients::Client { doors: &doors, folder }, &peer))
        }
        Err(what) => broken(what),
    }
}
