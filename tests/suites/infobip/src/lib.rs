//! The methods of Infobip: the vendor's own client and curl at the emulated platform.

mod curl;
mod keys;
mod python;
mod requests;

use auth_core::Secret;
use auth_emulator::{Infobip, RunningInfobip};
use auth_testing::ManualClock;
use conformance::{Compared, Missing, Outcome, Settings, Suite, broken, ran, suite};
use curl::Method;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tokio::runtime::Runtime;

/// Every suite of Infobip. A new one is an entry here.
pub const SUITES: &[Suite] = &[
    suite("infobip-python", "Infobip API key", "Infobip's Python client", |settings| {
        let library = settings.own_python("infobip_api_client");
        let python = library.map_err(|_| Missing::Peer("infobip-api-python-client".into()));
        at_platform(python, python::cases)
    }),
    suite("infobip-requests", "Infobip, all four", "requests", |settings| {
        at_platform(settings.python("requests"), requests::cases)
    }),
    suite("infobip-oauth-pyjwt", "Infobip OAuth", "PyJWT", |settings| {
        let curl = match settings.peer("curl") {
            Ok(curl) => curl,
            Err(missing) => return Outcome::Skipped(missing),
        };
        let python = settings.own_python("jwt").map_err(|_| Missing::Peer("PyJWT".into()));
        at_platform(python, |python, platform| requests::forgeries(python, &curl, platform))
    }),
    suite("infobip-key-curl", "Infobip API key", "curl", |settings| curl(settings, Method::ApiKey)),
    suite("infobip-basic-curl", "Infobip Basic", "curl", |settings| curl(settings, Method::Basic)),
    suite("infobip-ibsso-curl", "Infobip IBSSO", "curl", |settings| curl(settings, Method::Ibsso)),
    suite("infobip-oauth-curl", "Infobip OAuth", "curl", |settings| curl(settings, Method::OAuth)),
];

const USER: &str = "acme";
/// With what has made clients fail before: a colon, a dollar, a percent sign, a plus, and a letter beyond ASCII.
const PASSWORD: &str = "pa55:w$rd%2B+\u{e9}";
const MESSAGE: &str =
    r#"{"messages":[{"destinations":[{"to":"41793026727"}],"content":{"text":"Hello"}}]}"#;

/// The platform, under a clock that stands until it is moved.
struct Platform {
    runtime: Runtime,
    infobip: RunningInfobip,
    clock: ManualClock,
}

impl Platform {
    fn start() -> Result<Self, String> {
        let runtime = Runtime::new().map_err(|error| error.to_string())?;
        let clock = ManualClock::at(1_800_000_000);
        let infobip = Infobip::builder()
            .with_user(USER, Secret::new(PASSWORD))
            .with_limited_user("reader", Secret::new("word"), ["sms:logs:read"])
            .with_clock(clock.clone());
        let infobip = runtime.block_on(infobip.start()).map_err(|error| error.to_string())?;
        Ok(Self { runtime, infobip, clock })
    }
}

fn curl(settings: &Settings, method: Method) -> Outcome {
    at_platform(settings.peer("curl"), |curl, platform| Ok(curl::cases(curl, platform, method)))
}

/// A real client at a platform of its own.
fn at_platform(
    peer: Result<PathBuf, Missing>,
    run: impl FnOnce(&Path, &Platform) -> Result<Vec<Compared>, String>,
) -> Outcome {
    let peer = match peer {
        Ok(peer) => peer,
        Err(missing) => return Outcome::Skipped(missing),
    };
    Platform::start().and_then(|platform| run(&peer, &platform)).map_or_else(broken, ran)
}

/// The status, and what of the body is worth comparing: the code of an error, the number of messages, the name of a token.
fn told((status, body): &(String, Value)) -> String {
    let older = body["requestError"]["serviceException"]["messageId"].as_str();
    let error = older.or(body["errorCode"].as_str());
    let messages = body["messages"].as_array().map(|messages| messages.len().to_string());
    let token = ["token", "access_token"].into_iter().find(|name| body[*name].is_string());
    match error.map(str::to_owned).or(messages).or(token.map(str::to_owned)) {
        Some(told) => format!("{status} {told}"),
        None => status.clone(),
    }
}
