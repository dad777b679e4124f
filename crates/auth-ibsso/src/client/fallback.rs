//! A weaker method, for as long as no session can be had.

use crate::SessionHeldElsewhere;
use auth_core::{
    Answer, Authenticator, Context, Credentials, Error, Event, Flow, Need, RequestView, Verdict,
};
use http::{HeaderMap, StatusCode};
use std::sync::Arc;

/// Credentials of a session; those of the fallback while a session whose token was lost keeps another one from being
/// made.
pub(super) struct WithFallback<A> {
    pub(super) session: A,
    pub(super) name: Box<str>,
    pub(super) context: Context,
    pub(super) fallback: Option<Arc<dyn Authenticator>>,
}

impl<A: Authenticator> WithFallback<A> {
    #[cold]
    fn instead<'a>(
        &'a self,
        error: Error,
        fallback: &'a dyn Authenticator,
        request: RequestView<'a>,
    ) -> Flow<'a, Credentials> {
        if !is_held_elsewhere(&error) {
            return Flow::failed(error);
        }
        fallback.credentials(request).map(move |made| {
            let fell_back = Event::FellBack { session: &self.name, error: &error };
            self.context.observer.observe(fell_back);
            made
        })
    }
}

impl<A: Authenticator> Authenticator for WithFallback<A> {
    #[inline]
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        let made = self.session.credentials(request);
        match &self.fallback {
            None => made,
            Some(fallback) => made.then(move |made| match made {
                Ok(made) => Flow::ready(made),
                Err(error) => self.instead(error, &**fallback, request),
            }),
        }
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        // Each finds its own stamp, and accepts what it did not send.
        let verdict = self.session.assess(sent, answer);
        match &self.fallback {
            Some(fallback) => verdict.and(fallback.assess(sent, answer)),
            None => verdict,
        }
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        let needs = self.session.needs(head);
        self.fallback.as_ref().map_or(needs, |fallback| needs.and(fallback.needs(head)))
    }

    fn reads(&self, status: StatusCode, headers: &HeaderMap) -> Need {
        let reads = self.session.reads(status, headers);
        self.fallback.as_ref().map_or(reads, |fallback| reads.and(fallback.reads(status, headers)))
    }
}

fn is_held_elsewhere(error: &Error) -> bool {
    error.cause().error().is::<SessionHeldElsewhere>()
}
