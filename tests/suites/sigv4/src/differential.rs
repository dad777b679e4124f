//! The same requests before us and before another signer. One case is one kind of request under one family of rules.
//!
//! Where signatures differ, the case says of how many and shows the first. An exception that was reviewed holds exactly
//! that sentence, so one request more fails the suite.

use super::{
    generated::{self, Family, Generated, Place},
    rust,
};
use auth_core::Timestamp;
use auth_sigv4::{AccessKey, AwsService, Payload, RawRequest, SigV4Signer};
use conformance::{Compared, Missing, Settings, compare, output, script};
use serde_json::json;
use std::{collections::BTreeMap, fmt::Write, path::Path, process::Command, time::Duration};

pub(super) const ID: &str = "AKIDEXAMPLE";
pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub(super) const REGION: &str = "eu-west-1";
pub(super) const HOST: &str = "bucket.example.com";
/// 2026-01-02T03:04:05Z.
pub(super) const NOW: Timestamp = Timestamp::from_unix(1_767_323_045);
pub(super) const EXPIRES: Duration = Duration::from_secs(900);

/// 100,000 of them before the crate `aws-sigv4`.
pub fn aws_sigv4() -> Vec<Compared> {
    let requests: Vec<Generated> = generated::all().collect();
    let theirs = |request: &Generated| rust::signature(request);
    by_kind(&requests, &on_all_cores(&requests, ours), &on_all_cores(&requests, theirs))
}

/// 10,000 of them before botocore, in one process.
///
/// # Errors
///
/// If it is not installed.
pub fn botocore(settings: &Settings) -> Result<Vec<Compared>, Missing> {
    let python = settings.own_python("botocore").map_err(|_| Missing::Peer("boto3".into()))?;
    let requests: Vec<Generated> = generated::all().step_by(10).collect();
    let theirs = settings
        .folder("sigv4-botocore")
        .map_err(|error| error.to_string())
        .and_then(|folder| ask(&python, &folder.join("requests"), &requests));
    Ok(match theirs {
        Ok(theirs) => by_kind(&requests, &on_all_cores(&requests, ours), &theirs),
        Err(what) => vec![compare("signatures", "one of each request", what)],
    })
}

type Signature = Result<String, String>;

fn ours(request: &Generated) -> Signature {
    let key = match request.token {
        Some(token) => AccessKey::temporary(ID, SECRET, token, None),
        None => AccessKey::new(ID, SECRET),
    };
    let service = AwsService::named(request.family.service());
    let signer = key.and_then(|key| SigV4Signer::new(key, REGION, service));
    // Others sign what two readers could read differently.
    let signer = signer.map_err(|error| error.to_string())?.allowing_ambiguous_targets();
    let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let headers: Vec<_> = headers.chain([("host", HOST.as_bytes())]).collect();
    let payload = match (request.place, request.family) {
        (Place::Query, Family::S3) => Payload::Unsigned,
        _ => Payload::Bytes(&request.body),
    };
    let target = request.target.as_bytes();
    let raw = RawRequest { method: request.method, target, headers: &headers, payload };
    let signed = match request.place {
        Place::Field => signer
            .sign(&raw, NOW)
            .map(|signed| String::from_utf8_lossy(signed.authorization.as_bytes()).into_owned()),
        Place::Query => signer.presign(&raw, NOW, EXPIRES),
    };
    let signed = signed.map_err(|error| error.to_string())?;
    signed.rsplit_once("Signature=").map(|(_, hex)| hex.to_owned()).ok_or("no signature".into())
}

fn on_all_cores(
    requests: &[Generated],
    sign: impl Fn(&Generated) -> Signature + Sync,
) -> Vec<Signature> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let parts: Vec<_> = requests.chunks(requests.len().div_ceil(cores).max(1)).collect();
    std::thread::scope(|scope| {
        let working: Vec<_> = parts
            .into_iter()
            .map(|part| scope.spawn(|| part.iter().map(&sign).collect::<Vec<_>>()))
            .collect();
        working.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
    })
}

/// A case for each kind and family.
fn by_kind(requests: &[Generated], ours: &[Signature], theirs: &[Signature]) -> Vec<Compared> {
    let mut kinds: BTreeMap<String, (usize, usize, Option<String>)> = BTreeMap::new();
    for ((request, ours), theirs) in requests.iter().zip(ours).zip(theirs) {
        let id = format!("{}-{}", request.family.service(), request.kind);
        let (total, differ, first) = kinds.entry(id).or_default();
        *total += 1;
        if ours.is_err() || ours != theirs {
            *differ += 1;
            first.get_or_insert_with(|| shown(request, ours, theirs));
        }
    }
    let cases = kinds.into_iter().map(|(id, (total, differ, first))| {
        let actual = match first {
            None => format!("all {total} the same"),
            Some(first) => format!("{differ} of {total} differ, such as {first}"),
        };
        compare(id, format!("all {total} the same"), actual)
    });
    cases.collect()
}

fn shown(request: &Generated, ours: &Signature, theirs: &Signature) -> String {
    let mut shown = format!("{} {}", request.method, request.target);
    for (name, value) in &request.headers {
        let _ = write!(shown, " {name}: {value:?}");
    }
    for (who, signature) in [("ours", ours), ("theirs", theirs)] {
        if let Err(what) = signature {
            let _ = write!(shown, " ({who}: {what})");
        }
    }
    shown
}

fn ask(python: &Path, file: &Path, requests: &[Generated]) -> Result<Vec<Signature>, String> {
    let lines: String = requests
        .iter()
        .map(|request| {
            let line = json!({
                "method": request.method,
                "url": format!("https://{HOST}{}", request.target),
                "service": request.family.service(),
                "headers": request.headers,
                "body": request.body,
                "token": request.token,
                "expires": (request.place == Place::Query).then_some(EXPIRES.as_secs()),
            });
            format!("{line}\n")
        })
        .collect();
    std::fs::write(file, lines).map_err(|error| error.to_string())?;
    let mut command = Command::new(python);
    command.args([&*script("sigv4_signatures.py"), ID, SECRET, REGION]).arg(file);
    let output = output(&mut command, Duration::from_secs(110))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let signatures: Vec<Signature> = said
        .lines()
        .map(|line| match line.strip_prefix("failed: ") {
            Some(what) => Err(what.to_owned()),
            None => Ok(line.to_owned()),
        })
        .collect();
    if signatures.len() == requests.len() {
        return Ok(signatures);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let last = complaint.lines().last().unwrap_or_default();
    Err(format!("{} signatures: {last}", signatures.len()))
}
