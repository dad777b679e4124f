//! Whatever a browser, or a page in it, sends to the receiver of a redirect.

use auth_core::Secret;
use auth_local::CallbackReceiver;
use std::sync::OnceLock;

const STATE: &str = "s t";

/// Anything is answered; and only a GET of the right place with the right state, once, ends the wait.
pub fn redirect(data: &[u8]) {
    static RECEIVER: OnceLock<(CallbackReceiver, String)> = OnceLock::new();
    let (receiver, host) = RECEIVER.get_or_init(|| {
        let receiver = CallbackReceiver::bind().expect("a port");
        let uri = receiver.redirect_uri();
        let host = uri.trim_start_matches("http://").trim_end_matches(CallbackReceiver::PATH);
        (receiver, host.to_owned())
    });
    // The port is another one in each run.
    let head = String::from_utf8_lossy(data).replace("HERE", host);
    let reply = receiver.reply(head.as_bytes(), &Secret::from(STATE));
    assert!(reply.response.starts_with(b"HTTP/1.1 "), "no response");
    assert!(!reply.response.windows(7).any(|part| part == b"<script"), "not escaped");
    let Some(outcome) = reply.outcome else { return };
    let query = head.strip_prefix("GET /callback?").expect("a GET of the place");
    let query = query.split_once(' ').expect("a version").0;
    let decoded = |part: &str| part.replace("%20", "+").contains("s+t");
    assert!(query.contains('%') || query.split('&').any(decoded), "without the state");
    if let Ok(authorized) = outcome {
        assert!(!authorized.code.expose().is_empty(), "no code");
    }
}
