//! google-cloud-auth, which keeps tokens of its own making: what it hands out for every request.

use google_cloud_auth::credentials::{CacheableResource, service_account::Builder};
use harness::case::{Call, call};
use http::Extensions;
use std::hint::black_box;
use tokio::runtime::Runtime;

/// What its caller asks for.
pub enum Ask {
    Headers,
    /// Whether the headers that it keeps itself have changed: they have not.
    Changed,
}

pub fn kept(ask: Ask) -> Call {
    let runtime = Runtime::new().expect("a runtime");
    let key = serde_json::json!({
        "type": "service_account",
        "client_email": "bench@example.iam.gserviceaccount.com",
        "private_key_id": "1",
        "private_key": include_str!("../../../../tests/demo/src/bot.pem"),
        "project_id": "p",
        "universe_domain": "googleapis.com",
    });
    let entered = runtime.enter();
    let credentials = Builder::new(key).build().expect("credentials");
    drop(entered);
    let first = runtime.block_on(credentials.headers(Extensions::new())).expect("headers");
    let mut extensions = Extensions::new();
    if let (Ask::Changed, CacheableResource::New { entity_tag, .. }) = (ask, first) {
        extensions.insert(entity_tag);
    }
    // Its task renews on the runtime's threads; what is counted is this one.
    call(move || {
        let _ = &runtime;
        let asked = credentials.headers(black_box(&extensions).clone());
        auth_core::Flow::new(async move { Ok(asked.await) })
            .wait()
            .expect("no error")
            .expect("headers")
    })
}
