//! The vendor's client from Python, whose one method is the API key.

use super::Platform;
use auth_emulator::{Endpoint, Fault};
use conformance::{Compared, compare, output, script};
use serde_json::json;
use std::{path::Path, process::Command, time::Duration};

const SENT: &str = "1 message";
const UNAUTHORIZED: &str = "UnauthorizedException 401 UNAUTHORIZED";

/// What the key is like, how the client is told of it, what it calls, and what comes out.
pub fn cases(python: &Path, platform: &Platform) -> Result<Vec<Compared>, String> {
    let good = platform.key(&json!({ "name": "good" }))?;
    let own = platform.infobip.api_key().expose_text().unwrap_or_default().to_owned();
    let reads = platform.key(&json!({ "name": "reads", "scopeGuids": ["sms:logs:read"] }))?;
    let sends = platform.key(&json!({ "name": "sends", "scopeGuids": ["sms:message:send"] }))?;
    let elsewhere = platform.key(&json!({ "name": "far", "allowedIPs": ["192.0.2.7"] }))?;
    let here = platform.key(&json!({ "name": "near", "allowedIPs": ["127.0.0.0/8"] }))?;
    let later = platform.key(&json!({ "name": "later", "validFrom": "2027-02-01T00:00:00" }))?;
    let ended = platform.key(&json!({ "name": "ended", "validTo": "2027-01-15T09:00:00" }))?;
    let disabled = platform.disabled_key()?;
    // Of the keys, one has ended by now, and one has not begun.
    platform.clock.advance(Duration::from_secs(2 * 3600));
    let forbidden = "ForbiddenException 403 FORBIDDEN";
    let calls = [
        ("send", "key", &good, "send", SENT),
        ("send-with-the-accounts-own-key", "key", &own, "send", SENT),
        ("send-again", "key", &good, "send", SENT),
        ("send-as-upper-case-app", "APP", &good, "send", SENT),
        ("send-as-lower-case-app", "app", &good, "send", SENT),
        ("send-without-the-word-app", "bare", &good, "send", UNAUTHORIZED),
        ("send-nothing-to-nobody", "key", &good, "empty", "BadRequestException 400 BAD_REQUEST"),
        ("receive", "key", &good, "inbound", "0 messages"),
        ("wrong", "key", &format!("{good}x"), "send", UNAUTHORIZED),
        ("no-key", "none", &good, "send", UNAUTHORIZED),
        ("disabled", "key", &disabled, "send", UNAUTHORIZED),
        ("ended", "key", &ended, "send", UNAUTHORIZED),
        ("not-begun", "key", &later, "send", UNAUTHORIZED),
        ("of-another-address", "key", &elsewhere, "send", UNAUTHORIZED),
        ("of-this-address", "key", &here, "send", SENT),
        ("scope-that-is-missing", "key", &reads, "send", forbidden),
        ("scope-that-is-there", "key", &sends, "send", SENT),
        ("throttled", "key", &good, "send", "ApiException 429 TOO_MANY_REQUESTS"),
        ("after-it-was-throttled", "key", &good, "send", SENT),
    ];
    let (before, throttled) = calls.split_at(calls.len() - 2);
    let mut compared = made(python, platform, before)?;
    let fault = Fault::TooManyRequests(Duration::from_secs(3));
    platform.infobip.faults().arm(fault, Endpoint::Messages, 1);
    compared.extend(made(python, platform, throttled)?);
    Ok(compared)
}

/// Its name, how the client is told of the key, the key, what it calls, and what should come out.
type Call<'a> = (&'static str, &'static str, &'a String, &'static str, &'static str);

/// All calls, one after the other, in one process: it takes seconds to begin.
fn made(python: &Path, platform: &Platform, calls: &[Call<'_>]) -> Result<Vec<Compared>, String> {
    let asked: Vec<_> = calls.iter().map(|(_, how, key, what, _)| [*how, key, *what]).collect();
    let mut client = Command::new(python);
    client.args([script("infobip_client.py"), platform.infobip.base_url()]);
    // What other processes see of a program has no keys in it.
    client.env("INFOBIP_CALLS", json!(asked).to_string());
    let ran = output(&mut client, Duration::from_secs(120))?;
    let said = String::from_utf8_lossy(&ran.stdout);
    let mut said = said.lines();
    let ended = || String::from_utf8_lossy(&ran.stderr).into_owned();
    let judged =
        |call: &Call<'_>| compare(call.0, call.4, said.next().map_or_else(ended, str::to_owned));
    Ok(calls.iter().map(judged).collect())
}
