//! What arrived, without secrets, and how often.

use crate::{Endpoint, Fault};
use auth_core::Timestamp;
use http::{HeaderMap, Method, StatusCode, header::AUTHORIZATION};
use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A request that arrived, and what it was answered.
///
/// # Security
///
/// It holds no query, no body and no credentials: of `Authorization` it has the word before the first space, if that is the
/// name of a scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// When it was answered, by the clock of the emulator.
    pub at: Timestamp,
    /// The endpoint; `None` of a path that the platform does not have.
    pub endpoint: Option<Endpoint>,
    /// The method.
    pub method: Method,
    /// The path, without the query.
    pub path: Box<str>,
    /// The address that it came from, if it is known.
    pub source: Option<IpAddr>,
    /// The scheme of its credentials: `IBSSO`, `App`, `Basic`, `Bearer`, and of Symphony and Webex Connect the names of their header fields;
    /// `other` for anything else, and `None` without.
    pub scheme: Option<&'static str>,
    /// What it was answered; `None` where the connection was dropped in place of the answer.
    pub status: Option<StatusCode>,
    /// The fault that it met.
    pub fault: Option<Fault>,
}

/// How often what happened since the emulator began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Requests of every kind.
    pub requests: u64,
    /// Sessions that were created. A repetition that got the same token again is not one more.
    pub sessions_created: u64,
    /// Sessions that were destroyed by their tokens.
    pub sessions_destroyed: u64,
    /// OAuth tokens that were issued; of Symphony the common JWTs.
    pub tokens_issued: u64,
    /// API keys that were created.
    pub keys_created: u64,
    /// Symphony: key manager tokens that were issued.
    pub key_manager_tokens: u64,
    /// Symphony: requests that asked whether a session is alive (`/pod/v2/sessioninfo`), whatever they were answered.
    pub session_infos: u64,
    /// Messages that were accepted, as requests.
    pub messages_accepted: u64,
    /// Webex Connect: events and calls of inbound webhooks that have triggered a flow of their service.
    pub flows_triggered: u64,
    /// Webex Connect: requests whose credentials, address or number was refused, whatever the status of the answer;
    /// those that met a fault are not among them.
    pub refused: u64,
    /// Answers with status 401. A client that creates another session first destroys the old one, and gets a 401 for that
    /// if it had ended already: that is one here too.
    pub unauthorized: u64,
    /// Answers with status 403.
    pub forbidden: u64,
    /// Answers with status 429.
    pub throttled: u64,
    /// Connections that were dropped in place of an answer.
    pub dropped: u64,
}

/// Where Symphony is asked for a session.
pub(crate) const SESSION_INFO: &str = "/pod/v2/sessioninfo";

/// Keeps the last requests and the counts. A clone is the same record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    counts: Counts,
    requests: VecDeque<Recorded>,
}

impl Record {
    /// So many of the last requests are kept.
    pub(crate) const MOST_REQUESTS: usize = 10_000;

    /// Counts something.
    pub(crate) fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.lock().counts);
    }

    /// Notes a request that was answered.
    pub(crate) fn note(&self, one: Recorded) {
        let mut kept = self.lock();
        let counts = &mut kept.counts;
        counts.requests += 1;
        if &*one.path == SESSION_INFO {
            counts.session_infos += 1;
        }
        match one.status {
            None => counts.dropped += 1,
            Some(StatusCode::UNAUTHORIZED) => counts.unauthorized += 1,
            Some(StatusCode::FORBIDDEN) => counts.forbidden += 1,
            Some(StatusCode::TOO_MANY_REQUESTS) => counts.throttled += 1,
            Some(_) => {}
        }
        if kept.requests.len() >= Self::MOST_REQUESTS {
            kept.requests.pop_front();
        }
        kept.requests.push_back(one);
    }

    pub(crate) fn counts(&self) -> Counts {
        self.lock().counts
    }

    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.lock().requests.iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The scheme of a request's credentials, among those that are known: what a client sends in place of one may be a secret.
pub(crate) fn scheme(headers: &HeaderMap) -> Option<&'static str> {
    const KNOWN: [&str; 4] = ["IBSSO", "App", "Basic", "Bearer"];
    let field = headers.get(AUTHORIZATION)?.as_bytes();
    let word = field.split(|byte| *byte == b' ').next().unwrap_or_default();
    let known = KNOWN.into_iter().find(|known| known.as_bytes().eq_ignore_ascii_case(word));
    Some(known.unwrap_or("other"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[track_caller]
    fn check_scheme(field: &'static str, expected: &str) {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(field))]);
        assert_eq!(scheme(&headers), Some(expected), "{field}");
    }

    #[test]
    fn of_credentials_the_name_of_a_known_scheme_is_kept_and_nothing_else() {
        check_scheme("IBSSO token", "IBSSO");
        check_scheme("app key", "App");
        check_scheme("003026bbc133714df1834b8638bb496e", "other");
        check_scheme("undefined", "other");
        check_scheme("", "other");
        assert_eq!(scheme(&HeaderMap::new()), None);
    }

    #[test]
    fn the_last_requests_are_kept_and_all_are_counted() {
        let record = Record::default();
        let one = |path: usize| Recorded {
            at: Timestamp::from_unix(1),
            endpoint: None,
            method: Method::GET,
            path: path.to_string().into(),
            source: None,
            scheme: None,
            status: Some(StatusCode::UNAUTHORIZED),
            fault: None,
        };
        (0..=Record::MOST_REQUESTS).for_each(|path| record.note(one(path)));
        let kept = record.requests();
        assert_eq!((kept.len(), &*kept[0].path), (Record::MOST_REQUESTS, "1"));
        assert_eq!(record.counts().requests, 10_001);
        assert_eq!(record.counts().unauthorized, 10_001);
    }
}
