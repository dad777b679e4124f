//! One request to one place, over as many attempts as it takes.

use crate::{
    Client, Content,
    client::PlainHttp,
    read::{Read, read},
};
use auth_core::{
    Answer, Attempts, Authenticator, Body, Credentials, Error, Event, Need, Next, Origin,
    RequestView, Result,
};
use http::{Response, request::Parts};
use std::thread;

/// A request on its way to the origin that its credentials are for.
pub(crate) struct Sending<'a> {
    pub(crate) client: &'a Client,
    pub(crate) authenticator: &'a dyn Authenticator,
    pub(crate) head: &'a Parts,
    pub(crate) content: &'a mut Content,
}

impl Sending<'_> {
    pub(crate) fn run(self) -> Result<Response<ureq::Body>> {
        let Self { client, authenticator, head, content } = self;
        let mut attempts = Attempts::default();
        loop {
            let mut sent = head.clone();
            let credentials = authenticate(client, authenticator, &mut sent, content)?;
            let answer = content.send(&client.agent, sent.clone())?;
            let need = authenticator.reads(answer.status(), answer.headers());
            let answer = read(answer, need)?;
            let verdict = authenticator.assess(&credentials, answered(&sent, &answer));
            match attempts.next(&credentials, verdict)? {
                Next::Again { after } if content.bytes().is_some() => {
                    client.observer.observe(Event::Retried);
                    if let Some(wait) = after {
                        thread::sleep(wait);
                    }
                }
                _ => return Ok(answer.into_response()),
            }
        }
    }
}

/// Adds credentials to a request: all of them, or none and an error.
fn authenticate(
    client: &Client,
    authenticator: &dyn Authenticator,
    head: &mut Parts,
    content: &Content,
) -> Result<Credentials> {
    let view = RequestView::new(&head.method, &head.uri, &head.headers);
    let hashes: Vec<_>;
    let body = match (content.bytes(), authenticator.needs(view)) {
        (None, _) | (_, Need::Nothing) => Body::Unread,
        (Some(bytes), Need::Bytes { .. }) => Body::Bytes(bytes),
        (Some(bytes), Need::Hash(wanted)) => {
            hashes = wanted.iter().map(|algorithm| algorithm.hash(bytes)).collect();
            Body::Hashed(&hashes)
        }
    };
    let credentials = authenticator.credentials(view.with_body(body)).wait()?;
    let in_the_clear =
        client.plain_http == PlainHttp::Loopback && !Origin::of(&head.uri)?.is_confidential();
    if in_the_clear && !credentials.is_empty() {
        return Err(Error::config("client_plain_http", PLAIN_HTTP));
    }
    credentials.commit(&mut head.uri, &mut head.headers)?;
    Ok(credentials)
}

fn answered<'a>(sent: &'a Parts, answer: &'a Read) -> Answer<'a> {
    let view = RequestView::new(&sent.method, &sent.uri, &sent.headers);
    let seen = Answer::new(view, answer.head.status, &answer.head.headers);
    match answer.whole() {
        Some(body) => seen.with_body(body),
        None => seen,
    }
}

const PLAIN_HTTP: &str = "credentials would go over plain http beyond this machine, expected https";
