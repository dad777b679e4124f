//! The input is what the platform answers to the creation of a session, behind a byte that chooses the status.

use auth_core::{Exchange, Transport};
use auth_ibsso::{Context, Flow, LogIn, Result, SessionToken, Timestamp};
use http::Response;
use serde_json::Value;
use std::time::Duration;

const STATUS: [u16; 8] = [200, 201, 204, 302, 400, 401, 429, 500];

/// A token stands in the answer as its one member of that name, a field can hold it, and nothing shows it.
pub fn ibsso_answer(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else { return };
    let status = STATUS[usize::from(choice % 8)];
    let made = created(status, body);
    let read = serde_json::from_slice::<Value>(body);
    if read.as_ref().is_err_and(|error| error.to_string().contains("out of range")) {
        // In what is passed over: the second reader wants every number to be one of its own.
        return;
    }
    let read = read.ok();
    let text = read.as_ref().and_then(|read| read.as_object()?.get("token")?.as_str());
    match made {
        Ok(token) => {
            let text = text.expect("a second reader finds no token");
            assert!(status < 300, "a refusal brings no token");
            assert_eq!(token.secret().expose(), text.as_bytes());
            assert!(is_token(text), "no field can hold it");
            let shown = format!("{token:?} {token:#?}");
            let told =
                "SessionToken { created: Timestamp(1700000000), lifetime: Fixed(3600s), .. }";
            let is_told = text.len() < 4
                || told.contains(text)
                || shown.replace('\n', " ").len() < text.len();
            assert!(is_told || !shown.contains(text), "the token is shown");
        }
        Err(error) => {
            let shown = format!("{error} {error:?} {error:#?}");
            assert!(shown.len() < 4096, "more than a message");
            let Some(read) = read.as_ref().filter(|_| status < 300) else { return };
            // Written again each member stands once: what is in it is the whole reason.
            let again = created(status, read.to_string().as_bytes());
            assert_eq!(again.is_ok(), text.is_some_and(is_token), "{error}");
        }
    }
}

fn is_token(text: &str) -> bool {
    let is_visible = text.bytes().all(|byte| matches!(byte, b'!'..=b'~'));
    (1..=SessionToken::MOST_BYTES).contains(&text.len()) && is_visible
}

fn created(status: u16, body: &[u8]) -> Result<SessionToken> {
    let log_in =
        LogIn::new("https://xyz123.api.infobip.com", "acme", "pa55word").expect("a log-in");
    log_in.create(&answering(status, body.to_vec())).wait()
}

/// A platform that answers this and nothing else.
pub(crate) fn answering(status: u16, body: Vec<u8>) -> Context {
    Context::new(Canned { status, body }).with_clock(Timestamp::from_unix(1_700_000_000))
}

struct Canned {
    status: u16,
    body: Vec<u8>,
}

impl Transport for Canned {
    fn fetch(&self, _: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        let answer = Response::builder().status(self.status).body(self.body.clone());
        Flow::ready(answer.expect("an answer"))
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::ready(())
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}
