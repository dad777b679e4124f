//! Requests to the pod: the session token.

use crate::{SessionToken, log_in::LogIn};
use auth_core::{Answer, Authenticator, Credentials, Flow, Need, RequestView, Verdict};
use auth_session::Session;
use http::{HeaderMap, StatusCode};
use std::fmt;

/// Authenticates the requests of a bot to the pod: see [`Bot::pod`](super::Bot::pod).
#[derive(Clone)]
pub struct Pod(pub(super) Session<LogIn<SessionToken>>);

impl Authenticator for Pod {
    #[inline]
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        self.0.credentials(request)
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        self.0.assess(sent, answer)
    }

    fn reads(&self, status: StatusCode, headers: &HeaderMap) -> Need {
        self.0.reads(status, headers)
    }
}

impl fmt::Debug for Pod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pod(..)")
    }
}
