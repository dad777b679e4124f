//! One request to one place, over as many attempts as it takes.

use crate::{AuthClient, RequestContent, read::read};
use auth_core::{
    Answer, Authenticator, Body, Event, NextStep, RequestMemory, RequestView, Result, RetryBudget,
    authenticate,
};
use http::{Response, request::Parts};
use std::thread;

impl AuthClient {
    /// Sends a copy of the head for each attempt. Every request goes to its origin, through a tunnel if there is a proxy.
    pub(crate) fn exchange(
        &self,
        authenticator: &dyn Authenticator,
        head: &Parts,
        content: &mut RequestContent,
    ) -> Result<Response<ureq::Body>> {
        let (mut attempts, memory) = (RetryBudget::default(), RequestMemory::new());
        let view = RequestView::new(&head.method, &head.uri, &head.headers).with_memory(&memory);
        loop {
            let mut copy = head.clone();
            let (uri, headers) = (&mut copy.uri, &mut copy.headers);
            let whole = view.with_body(content.bytes().map_or(Body::Unread, Body::Bytes));
            let plain_http = self.settings.plain_http_to(&head.uri);
            let sent = authenticate(authenticator, plain_http, whole, uri, headers).wait()?;
            let answer = content.send(&self.agent, copy)?;
            let need = authenticator.reads(answer.status(), answer.headers());
            let answer = read(&head.uri, answer, need)?;
            let mut seen = Answer::new(view, answer.head.status, &answer.head.headers);
            seen.body = answer.whole();
            let verdict = authenticator.assess(&sent, seen);
            match attempts.next(&sent, verdict)? {
                NextStep::Again { after } if content.bytes().is_some() => {
                    // Its connection serves others while this request waits.
                    drop(answer);
                    self.settings.observer.observe(Event::Retried);
                    if let Some(wait) = after {
                        thread::sleep(wait);
                    }
                }
                _ => return Ok(answer.into_response()),
            }
        }
    }
}
