//! The APIs of Webex Connect: requests with PyJWT, and curl, at the emulated platform.

mod curl;
mod python;

use auth_core::Secret;
use auth_emulator::{IssuedApp, IssuedService, RunningWebex, Webex};
use conformance::{Compared, Missing, Outcome, Settings, Suite, broken, ran, suite};
use tokio::runtime::Runtime;

/// Every suite of Webex Connect. A new one is an entry here.
pub const SUITES: &[Suite] = &[
    suite("webex-curl", "Webex Connect", "curl", |settings| match settings.peer("curl") {
        Ok(curl) => at_platform(|platform| curl::cases(&curl, platform)),
        Err(missing) => Outcome::Skipped(missing),
    }),
    suite("webex-requests", "Webex Connect", "requests and PyJWT", python),
];

const KEY: &str = include_str!("../../../../crates/auth-emulator/tests/keys/bot.pem");
const PUBLIC: &str = include_str!("../../../../crates/auth-emulator/tests/keys/bot.pub.pem");
const OTHER_KEY: &str = include_str!("../../../../crates/auth-emulator/tests/keys/other.pem");

const MESSAGE: &str = r#"{"channel":"SMS","from":"a","to":[{"msisdn":["+447700900001"]}]}"#;
const EVENT: &str = r#"{"events":[{"evtid":"4451","correlationid":"c1"}]}"#;
const EVENT_PATH: &str = "/resources/v1/events/externalevent";

/// The platform under the system's clock, since PyJWT has no other.
struct Platform {
    _runtime: Runtime,
    webex: RunningWebex,
}

impl Platform {
    fn start() -> Result<Self, String> {
        let runtime = Runtime::new().map_err(|error| error.to_string())?;
        let webex = Webex::builder()
            .with_service("alerts")
            .with_service("other")
            .with_event("alerts", "4451")
            .with_inbound_webhook("alerts", "AB12")
            .with_app("shop")
            .with_app("game")
            .with_app_key("shop", "k1", PUBLIC);
        let webex = runtime.block_on(webex.start()).map_err(|error| error.to_string())?;
        Ok(Self { _runtime: runtime, webex })
    }

    fn service(&self, name: &str) -> Result<&IssuedService, String> {
        self.webex.service(name).ok_or_else(|| format!("service {name} is missing"))
    }

    fn app(&self, name: &str) -> Result<&IssuedApp, String> {
        self.webex.app(name).ok_or_else(|| format!("app {name} is missing"))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.webex.base_url())
    }
}

fn text(secret: &Secret) -> String {
    secret.expose_text().unwrap_or_default().to_owned()
}

fn python(settings: &Settings) -> Outcome {
    let found = ["requests", "jwt"].map(|library| settings.own_python(library));
    let [Ok(python), Ok(_)] = found else {
        return Outcome::Skipped(Missing::Peer("requests and PyJWT".into()));
    };
    match settings.folder("webex-requests") {
        Ok(folder) => {
            at_platform(|platform| python::cases(&python, &folder.join("calls.json"), platform))
        }
        Err(error) => broken(error.to_string()),
    }
}

/// A real client at a platform of its own.
fn at_platform(run: impl FnOnce(&Platform) -> Result<Vec<Compared>, String>) -> Outcome {
    Platform::start().and_then(|platform| run(&platform)).map_or_else(broken, ran)
}
