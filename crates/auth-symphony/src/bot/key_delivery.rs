//! May calls of an agent do without a key manager token?

use super::{Bot, Inner};
use crate::{claims::Hints, json::read_object};
use auth_core::{Exchange, Flow, Result};
use auth_session::Flight;
use http::{Response, StatusCode};
use serde::Deserialize;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Which tokens an agent gets.
#[derive(Clone)]
pub(super) enum KeyDelivery {
    /// Both.
    KeyManager,
    /// The key manager token only where it is needed.
    Simplified(Arc<Mutex<Option<Decision>>>),
}

/// What was found out, for one session token.
pub(super) struct Decision {
    generation: u64,
    begun: Instant,
    flight: Flight<Found>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Needed,
    NotNeeded,
    /// The agent did not tell its version, so its key manager token is sent.
    Unknown,
}

/// An agent is asked again after so long: it may have been replaced, or not have told its version.
const PAUSE: Duration = Duration::from_secs(600);

/// Agents know how to do without from the version after this one on.
const LAST_WITHOUT: (u32, u32) = (24, 12);

const AGENT_INFO: &str = "/agent/v1/info";

const MOST_ANSWER_BYTES: usize = 64 * 1024;

impl Bot {
    /// Does a request to the agent need the key manager token?
    #[inline]
    pub(super) fn needs_keys(&self) -> Flow<'_, bool> {
        match &self.0.delivery {
            KeyDelivery::KeyManager => Flow::ready(true),
            KeyDelivery::Simplified(decided) => self.decide(decided),
        }
    }

    fn decide<'a>(&'a self, decided: &'a Mutex<Option<Decision>>) -> Flow<'a, bool> {
        self.0.session.token().and_then(move |current| {
            let now = self.0.session.context().clock.steady();
            let mut last = decided.lock().unwrap_or_else(PoisonError::into_inner);
            let is_old = |it: &Decision| {
                let age = now.saturating_duration_since(it.begun);
                it.generation != current.generation || age >= PAUSE
            };
            if last.as_ref().is_none_or(is_old) {
                let flight = self.finding(Hints::of(current.token.secret().expose()));
                *last = Some(Decision { generation: current.generation, begun: now, flight });
            }
            let watch = last.as_ref().map(|it| it.flight.watch());
            drop(last);
            Flow::new(async move {
                match watch {
                    Some(watch) => Ok(watch.await != Found::NotNeeded),
                    None => Ok(true),
                }
            })
        })
    }

    fn finding(&self, hints: Hints) -> Flight<Found> {
        let inner = Arc::downgrade(&self.0);
        let work = async move {
            if !hints.simplified_key_delivery {
                return Found::Needed;
            }
            match inner.upgrade() {
                Some(inner) => inner.agent_found().await.unwrap_or(Found::Unknown),
                None => Found::Unknown,
            }
        };
        Flight::new(work, || Found::Unknown)
    }
}

impl Inner {
    /// Without an agent of its own the claim of the session token alone decides, and nobody is asked.
    async fn agent_found(&self) -> Result<Found> {
        let Some(agent) = self.endpoints.separate_agent() else { return Ok(Found::NotNeeded) };
        let exchange =
            Exchange::new(agent.request(AGENT_INFO)?).with_answer_limit(MOST_ANSWER_BYTES);
        let answer = self.session.context().transport.fetch(exchange).await?;
        Ok(match version(&answer) {
            None => Found::Unknown,
            Some(version) if version > LAST_WITHOUT => Found::NotNeeded,
            Some(_) => Found::Needed,
        })
    }
}

/// Major and minor of `{"version":"Agent-24.12.0-..."}`.
fn version(answer: &Response<Vec<u8>>) -> Option<(u32, u32)> {
    #[derive(Deserialize)]
    struct Info {
        version: Box<str>,
    }

    if answer.status() != StatusCode::OK {
        return None;
    }
    let info: Info = read_object(answer.body()).ok()?;
    let (major, rest) = info.version.strip_prefix("Agent-")?.split_once('.')?;
    let (minor, _) = rest.split_once('.')?;
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { text.parse().ok() } else { None }
    };
    Some((number(major)?, number(minor)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Option<(u32, u32)>) {
        assert_eq!(version(&Response::new(body.into())), expected, "{body}");
    }

    #[test]
    fn a_version_is_read_as_agents_write_it() {
        check(r#"{"version":"Agent-24.12.0-1234"}"#, Some((24, 12)));
        check(r#"{"version":"Agent-25.1.0","x":1}"#, Some((25, 1)));
        check(r#"{"version":"Agent-24.12"}"#, None);
        check(r#"{"version":"24.12.0"}"#, None);
        check(r#"{"version":"Agent-+24.12.0"}"#, None);
        check(r#"{"version":"Agent-.12.0"}"#, None);
        check(r#"{"version":"Agent-99999999999.12.0"}"#, None);
        check("{}", None);
        check("", None);
        let refused =
            Response::builder().status(401).body(br#"{"version":"Agent-25.1.0"}"#.to_vec());
        assert_eq!(version(&refused.unwrap()), None);
    }
}
