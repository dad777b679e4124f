//! Requests to the pod: one token.

use super::first::First;
use crate::component_fields::ComponentFields;
use auth_core::{Answer, Authenticator, Credentials, Flow, RequestView, Verdict};
use std::fmt;

/// Authenticates the requests of a bot to the pod: see [`Bot::pod`](super::Bot::pod).
#[derive(Clone)]
pub struct Pod {
    pub(super) first: First,
    pub(super) fields: ComponentFields,
}

impl Authenticator for Pod {
    #[inline]
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        let first = self.first.credentials(request);
        if self.fields.is_empty() {
            return first;
        }
        first.and_then(move |made| self.fields.beside(made, request).into())
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        self.first.assess(sent, answer)
    }
}

impl fmt::Debug for Pod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pod(..)")
    }
}
