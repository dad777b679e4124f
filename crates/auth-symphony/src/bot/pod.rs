//! Requests to the pod: one token.

use super::first::First;
use auth_core::{Answer, Authenticator, Credentials, Flow, RequestView, Verdict};
use std::fmt;

/// Authenticates the requests of a bot to the pod: see [`Bot::pod`](super::Bot::pod).
#[derive(Clone)]
pub struct Pod(pub(super) First);

impl Authenticator for Pod {
    #[inline]
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        self.0.credentials(request)
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        self.0.assess(sent, answer)
    }
}

impl fmt::Debug for Pod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pod(..)")
    }
}
