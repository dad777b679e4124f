//! The log-ins of Symphony: PyJWT, with which the vendor's own kit for Python signs, and curl at the emulated pod.

mod curl;
mod log_ins;
mod python;
mod users;

use auth_core::Context;
use auth_emulator::{RunningSymphony, Symphony};
use auth_reqwest::ReqwestTransport;
use auth_symphony::SymphonyEndpoints;
use conformance::{Compared, Missing, Outcome, Settings, Suite, broken, ran, suite};
use http::{Method, Request};
use python::{Keys, PyJwt};
use serde_json::Value;
use tokio::runtime::Runtime;

/// Every suite of Symphony. A new one is an entry here.
pub const SUITES: &[Suite] = &[
    suite("symphony-pyjwt", "Symphony log-in", "PyJWT", |settings| with(settings, log_ins::cases)),
    suite("symphony-users-pyjwt", "Symphony user JWT", "PyJWT", |settings| {
        with(settings, users::cases)
    }),
    suite("symphony-curl", "Symphony log-in", "curl", |settings| match settings.peer("curl") {
        Ok(curl) => with(settings, |pod, python| curl::cases(&curl, pod, python)),
        Err(missing) => Outcome::Skipped(missing),
    }),
];

const BOT: &str = "bot";
const LONG_BOT: &str = "bot-4096";
const APP: &str = "app";

/// The installation, under the system's clock, since PyJWT has no other.
struct Pod {
    runtime: Runtime,
    symphony: RunningSymphony,
    keys: Keys,
}

impl Pod {
    fn start(keys: Keys) -> Result<Self, String> {
        let runtime = Runtime::new().map_err(|error| error.to_string())?;
        let symphony = Symphony::builder()
            .with_bot(BOT, &keys.short.public)
            .with_bot(LONG_BOT, &keys.long.public)
            .with_app(APP, &keys.other.public)
            .with_user(7, "jane@acme.com", [APP]);
        let symphony = runtime.block_on(symphony.start()).map_err(|error| error.to_string())?;
        Ok(Self { runtime, symphony, keys })
    }

    fn endpoints(&self) -> Result<SymphonyEndpoints, String> {
        SymphonyEndpoints::new(&self.symphony.base_url()).map_err(|error| error.to_string())
    }

    fn context(&self) -> Result<Context, String> {
        let transport = ReqwestTransport::builder(self.runtime.handle().clone());
        let transport = transport.allowing_loopback().build().map_err(|error| error.to_string())?;
        Ok(Context::new(transport))
    }

    /// The status, and the name of the token or the text of the error.
    fn log_in(&self, path: &str, token: &str) -> Result<String, String> {
        let body = serde_json::json!({ "token": token }).to_string().into_bytes();
        let url = format!("{}{path}", self.symphony.base_url());
        let request = Request::builder().method(Method::POST).uri(url).body(body);
        let request = request.map_err(|error| error.to_string())?;
        let context = self.context()?;
        let asked = self.runtime.block_on(async { context.transport.fetch(request.into()).await });
        let answer = asked.map_err(|error| error.to_string())?;
        let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let said = body["name"].as_str().or(body["message"].as_str()).unwrap_or_default();
        Ok(format!("{} {said}", answer.status().as_u16()))
    }
}

fn with(
    settings: &Settings,
    cases: impl FnOnce(&Pod, &PyJwt) -> Result<Vec<Compared>, String>,
) -> Outcome {
    let python = match settings.own_python("jwt") {
        Ok(python) => python,
        Err(_) => return Outcome::Skipped(Missing::Peer("PyJWT".into())),
    };
    let folder = settings.folder("symphony-pyjwt").map_err(|error| error.to_string());
    let run = folder.and_then(|folder| {
        let python = PyJwt::new(python, folder.join("asked.json"));
        let pod = Pod::start(Keys::made_by(&python)?)?;
        cases(&pod, &python)
    });
    run.map_or_else(broken, ran)
}
