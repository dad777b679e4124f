//! The input is what a pod answers to a log-in, behind a byte that chooses the status.

use crate::ibsso_answer::answering;
use auth_symphony::{Bot, LogInRetry, SymphonyEndpoints, SymphonyLogIn};
use serde_json::Value;

const STATUS: [u16; 8] = [200, 201, 204, 302, 400, 401, 429, 500];

/// A token stands in the answer under its name, a field can hold it, and nothing shows it.
pub fn symphony_answer(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else { return };
    let status = STATUS[usize::from(choice % 8)];
    let endpoints = SymphonyEndpoints::new("https://pod.example").expect("endpoints");
    let log_in = SymphonyLogIn::certificate().with_retry(LogInRetry::once());
    let bot = Bot::new(endpoints, log_in, answering(status, body.to_vec()));
    match bot.session_token().wait() {
        Ok(current) => {
            assert!(status < 300, "a refusal brings no token");
            let secret = current.token.secret().expose();
            let read: Value = serde_json::from_slice(body).expect("a second reader reads it");
            let text = |name| read.get(name).and_then(Value::as_str).map(str::as_bytes);
            assert!([text("token"), text("sessionToken")].contains(&Some(secret)));
            let is_visible = secret.iter().all(|byte| matches!(byte, b'!'..=b'~'));
            assert!((1..=8192).contains(&secret.len()) && is_visible, "no field can hold it");
            assert_eq!(format!("{:?}", current.token), "SessionToken(..)");
        }
        Err(error) => {
            let shown = format!("{error} {error:?}");
            assert!(shown.len() < 4096, "more than a message");
        }
    }
}
