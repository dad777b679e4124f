//! One of the processes: it refreshes until all is over.

use super::{
    ASKED, Shared,
    steps::{Death, Watched},
};
use crate::ours::text;
use auth_core::{Context, Transport};
use auth_ureq::UreqTransport;
use std::{process::ExitCode, sync::Arc, thread, time::Duration};

/// Refreshes, if this process was started for that.
#[must_use]
pub fn run_if_asked() -> Option<ExitCode> {
    let asked = std::env::var(ASKED).ok()?;
    let said = serde_json::from_str(&asked).map_err(text).and_then(|shared| refresh(&shared));
    println!("{}", said.unwrap_or_else(|why| why));
    Some(ExitCode::SUCCESS)
}

/// Until all is over, or consent is needed: the code of the last error then.
fn refresh(shared: &Shared) -> Result<String, String> {
    let death = Death::at(shared.kill_at);
    let inner = UreqTransport::builder().allowing_loopback().build().map_err(text)?;
    let transport: Arc<dyn Transport> = Arc::new(Watched { inner, death: death.clone() });
    let store = Watched { inner: shared.store()?, death };
    let connection = shared.connection(store, Context::new(transport))?;
    let mut refused = None;
    while !shared.is_over() {
        match connection.fetch_token().wait() {
            Ok(_) => refused = None,
            // It goes on: what is asked for after the first such error is what the suite looks at.
            Err(error) if error.code() == "oauth2_consent_needed" => {
                refused = Some(error.code().to_owned());
                thread::sleep(Duration::from_millis(50));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(refused.unwrap_or_else(|| "over".into()))
}
