//! What clients do at our double: the same flows, with the same outcomes, for foreign clients and for ours.

mod own;

pub use own::agreed_at;

use crate::{
    double::{Double, PreviousToken, REDIRECT_URI, SECRET},
    ours::text,
};
use conformance::{Compared, Missing, Outcome, Settings, broken, compare, output, ran, script};
use serde_json::Value;
use std::{collections::HashMap, path::Path, process::Command, time::Duration};
use tokio::runtime::Runtime;

/// The flows: names and outcomes.
const FLOWS: &[(&str, &str)] = &[
    ("own-basic", "the client"),
    ("own-post", "the client"),
    ("wrong-basic", "invalid_client"),
    ("wrong-post", "invalid_client"),
    ("code-basic", "alice, 60, sms:read"),
    ("code-post", "alice, 60, sms:read"),
    ("code-none", "alice, 60, sms:read"),
    ("refresh-basic", "alice, rotated: true"),
    ("refresh-post", "alice, rotated: true"),
    ("refresh-none", "alice, rotated: true"),
    ("wrong-verifier", "invalid_grant"),
    ("code-replayed", "invalid_grant, 401"),
    ("wrong-state", "refused"),
    ("refresh-replayed", "invalid_grant, invalid_grant"),
    ("refresh-once-more", "granted, invalid_grant"),
    ("refresh-after-its-successor", "invalid_grant"),
];

/// What our client can say besides.
const OWN_FLOWS: &[(&str, &str)] = &[
    ("own-json", "the client"),
    ("own-url", "the client"),
    ("own-get", "the client"),
    ("own-assertion", "the client"),
    ("code-json", "alice, 60, sms:read"),
    ("code-get", "alice, 60, sms:read"),
    ("refresh-json", "alice, rotated: true"),
    ("refresh-get", "alice, rotated: true"),
];

/// Both servers: one that ends a family at the second use of a token, and one that takes it once more.
pub struct Doubles {
    strict: Double,
    lenient: Double,
}

impl Doubles {
    async fn open() -> Result<Self, String> {
        Ok(Self {
            strict: Double::open(PreviousToken::EndsTheFamily).await?,
            lenient: Double::open(PreviousToken::TakenOnceMore).await?,
        })
    }
}

/// A client from Python.
pub fn python(settings: &Settings, library: &str) -> Outcome {
    let python = settings.own_python(library).map_err(|_| Missing::Peer(library.into()));
    match python {
        Err(missing) => Outcome::Skipped(missing),
        Ok(python) => judged(&[FLOWS], |runtime, doubles| {
            let _entered = runtime.enter();
            said_by(&python, library, doubles)
        }),
    }
}

/// Our client.
pub fn ours() -> Outcome {
    judged(&[FLOWS, OWN_FLOWS], |runtime, doubles| runtime.block_on(own::said(doubles)))
}

fn judged(
    flows: &[&[(&str, &str)]],
    said: impl FnOnce(&Runtime, &Doubles) -> Result<HashMap<String, String>, String>,
) -> Outcome {
    let run = || {
        let runtime = Runtime::new().map_err(text)?;
        let doubles = runtime.block_on(Doubles::open())?;
        let said = said(&runtime, &doubles)?;
        Ok::<_, String>(
            flows.concat().iter().map(|(id, expected)| judge(&said, id, expected)).collect(),
        )
    };
    run().map_or_else(broken, |cases: Vec<Compared>| ran(cases))
}

fn judge(said: &HashMap<String, String>, id: &str, expected: &str) -> Compared {
    compare(id, expected, said.get(id).map_or("nothing", String::as_str))
}

fn said_by(
    python: &Path,
    library: &str,
    doubles: &Doubles,
) -> Result<HashMap<String, String>, String> {
    let mut command = Command::new(python);
    command.arg(script("oauth2_client.py")).arg(library);
    command.args([&doubles.strict.server.base, &doubles.lenient.server.base]);
    let output = output(command.args([SECRET, REDIRECT_URI]), Duration::from_secs(60))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let read = lines.lines().map(|line| {
        let line: Value = serde_json::from_str(line).map_err(text)?;
        let field = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        Ok((field("id"), field("said")))
    });
    read.collect()
}
