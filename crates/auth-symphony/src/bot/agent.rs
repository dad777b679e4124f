//! Requests to an agent: both tokens, and which of them died.

use super::Bot;
use auth_core::{Answer, Authenticator, Credentials, Flow, Need, RequestView, Result, Verdict};
use http::{HeaderMap, StatusCode};
use std::{fmt, sync::PoisonError};

/// Authenticates the requests of a bot to an agent: see [`Bot::agent`].
#[derive(Clone)]
pub struct Agent(pub(super) Bot);

impl Authenticator for Agent {
    #[inline]
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        let inner = &*self.0.0;
        let tokens = match inner.probes.under_way() {
            None => self.tokens(request),
            // What it finds decides which of the tokens is still to be presented.
            Some(probe) => Flow::new(async move {
                probe.await;
                self.tokens(request).await
            }),
        };
        let fields = &inner.endpoints.agent().fields;
        if fields.is_empty() {
            return tokens;
        }
        tokens.and_then(move |made| fields.beside(made, request).into())
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        let inner = &*self.0.0;
        if answer.status != StatusCode::UNAUTHORIZED {
            return inner.first.assess(sent, answer).and(inner.keys.assess(sent, answer));
        }
        match (inner.first.generation(sent), inner.keys.generation(sent)) {
            (Some(first), Some(keys)) => self.0.suspect((first, keys)),
            // It can be the first alone.
            _ => inner.first.assess(sent, answer),
        }
    }

    fn reads(&self, _: StatusCode, _: &HeaderMap) -> Need {
        Need::Nothing
    }
}

impl Agent {
    #[inline]
    fn tokens<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        let inner = &*self.0.0;
        self.0.needs_keys().and_then(move |needs_keys| {
            let first = inner.first.credentials(request);
            if !needs_keys {
                return first;
            }
            first.and_then(move |one| {
                let other = inner.keys.credentials(request);
                other.and_then(move |other| self.both(one, other).into())
            })
        })
    }

    /// Both in one. They are put together once for each pair of tokens: a copy of what is kept costs no allocation.
    fn both(&self, one: Credentials, other: Credentials) -> Result<Credentials> {
        let inner = &*self.0.0;
        let generations = (inner.first.generation(&one), inner.keys.generation(&other));
        let (Some(first), Some(keys)) = generations else { return one.and(other) };
        let mut kept = inner.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((pair, both)) if *pair == (first, keys) => Ok(both.clone()),
            _ => {
                let both = one.and(other)?;
                *kept = Some(((first, keys), both.kept()));
                Ok(both)
            }
        }
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Agent").field(&self.0).finish()
    }
}
