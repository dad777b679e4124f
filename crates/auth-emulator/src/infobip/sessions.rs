//! `POST` and `DELETE /auth/1/session`.

use super::{answers, app::App};
use crate::{record::Record, request::Whole};
use auth_core::{Caller, Flow, KeyHasher};
use auth_ibsso::{CreateOutcome, ErrorForm, NewSession, SessionAnswer, Sessions};
use auth_infobip::RegistrySessions;
use auth_lifecycle::Known;
use axum::{body::Body, extract::State, http::StatusCode, response::Response};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

pub(super) async fn create(State(app): State<Arc<App>>, request: Whole) -> Response {
    answer(app.endpoint.create(request.view()).await)
}

pub(super) async fn destroy(State(app): State<Arc<App>>, request: Whole) -> Response {
    answer(app.endpoint.destroy(request.view()).await)
}

fn answer(answered: auth_core::Result<SessionAnswer>) -> Response {
    match answered {
        Ok(answer) => answer.response.map(Body::from),
        Err(error) => {
            let mut failed = answers::failed(ErrorForm::ServiceException, &error);
            // A 503 says that nothing was done.
            if !matches!(error, auth_core::Error::Unavailable { .. }) {
                *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            }
            failed
        }
    }
}

/// Sessions that are counted as they are created and destroyed.
pub(super) struct CountedSessions {
    sessions: RegistrySessions,
    hasher: KeyHasher,
    record: Record,
    /// The digests of all tokens: a repetition with an idempotency key gets one again.
    created: Mutex<HashSet<[u8; 32]>>,
}

impl CountedSessions {
    pub(super) fn new(sessions: RegistrySessions, hasher: KeyHasher, record: Record) -> Self {
        Self { sessions, hasher, record, created: Mutex::default() }
    }

    fn note(&self, outcome: &CreateOutcome) {
        let CreateOutcome::Created(token) = outcome else { return };
        let digest = *self.hasher.hash(token.expose()).as_bytes();
        if self.created.lock().unwrap_or_else(PoisonError::into_inner).insert(digest) {
            self.record.count(|counts| counts.sessions_created += 1);
        }
    }
}

impl Sessions for CountedSessions {
    type User = Caller;
    type Principal = Known;

    fn create(&self, user: Caller, new: NewSession) -> Flow<'_, CreateOutcome> {
        self.sessions.create(user, new).map(|outcome| {
            self.note(&outcome);
            outcome
        })
    }

    fn find(&self, token: &[u8]) -> Flow<'_, Option<Known>> {
        self.sessions.find(token)
    }

    fn destroy(&self, token: &[u8]) -> Flow<'_, bool> {
        self.sessions.destroy(token).map(|destroyed| {
            if destroyed {
                self.record.count(|counts| counts.sessions_destroyed += 1);
            }
            destroyed
        })
    }
}
