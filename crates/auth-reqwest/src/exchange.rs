//! One request to one place, over as many attempts as it takes.

use crate::{
    Client,
    client::PlainHttp,
    failure::transport,
    read::{Read, read},
};
use auth_core::{
    Answer, Attempts, Authenticator, Body, Credentials, Error, Event, Need, Next, Origin,
    RequestView, Result,
};
use http::Uri;
use reqwest::{Request, Response, Url};

/// A request on its way to the origin that its credentials are for.
pub(crate) struct Sending<'a> {
    pub(crate) client: &'a Client,
    pub(crate) authenticator: &'a dyn Authenticator,
    pub(crate) request: Request,
}

impl Sending<'_> {
    pub(crate) async fn run(self) -> Result<Response> {
        let Self { client, authenticator, mut request } = self;
        let mut attempts = Attempts::default();
        loop {
            let again = request.try_clone();
            let credentials = authenticate(client, authenticator, &mut request).await?;
            let sent = Sent::of(&request)?;
            let answer = client.http.execute(request).await.map_err(transport)?;
            let need = authenticator.reads(answer.status(), answer.headers());
            let (answer, read) = read(answer, need).await?;
            let verdict = authenticator.assess(&credentials, sent.answered(&answer, &read));
            match (attempts.next(&credentials, verdict)?, again) {
                (Next::Again { after }, Some(again)) => {
                    client.observer.observe(Event::Retried);
                    if let Some(wait) = after {
                        tokio::time::sleep(wait).await;
                    }
                    request = again;
                }
                _ => return Ok(answer),
            }
        }
    }
}

/// Adds credentials to a request: all of them, or none and an error.
async fn authenticate(
    client: &Client,
    authenticator: &dyn Authenticator,
    request: &mut Request,
) -> Result<Credentials> {
    let mut uri = target(request)?;
    let bytes = match request.body() {
        None => Some(&[][..]),
        Some(body) => body.as_bytes(),
    };
    let view = RequestView::new(request.method(), &uri, request.headers());
    let hashes;
    let body = match (bytes, authenticator.needs(view)) {
        (None, _) | (_, Need::Nothing) => Body::Unread,
        (Some(bytes), Need::Bytes { .. }) => Body::Bytes(bytes),
        (Some(bytes), Need::Hash(wanted)) => {
            hashes = wanted.iter().map(|algorithm| algorithm.hash(bytes)).collect::<Vec<_>>();
            Body::Hashed(&hashes)
        }
    };
    let credentials = authenticator.credentials(view.with_body(body)).await?;
    let in_the_clear =
        client.plain_http == PlainHttp::Loopback && !Origin::of(&uri)?.is_confidential();
    if in_the_clear && !credentials.is_empty() {
        return Err(Error::config("client_plain_http", PLAIN_HTTP));
    }
    let before = uri.clone();
    credentials.commit(&mut uri, request.headers_mut())?;
    if uri != before {
        *request.url_mut() = url(&uri)?;
    }
    Ok(credentials)
}

/// What was sent, kept for the assessment of its answer.
struct Sent {
    method: http::Method,
    uri: Uri,
    headers: http::HeaderMap,
}

impl Sent {
    fn of(request: &Request) -> Result<Self> {
        Ok(Self {
            method: request.method().clone(),
            uri: target(request)?,
            headers: request.headers().clone(),
        })
    }

    fn answered<'a>(&'a self, answer: &'a Response, read: &'a Read) -> Answer<'a> {
        let view = RequestView::new(&self.method, &self.uri, &self.headers);
        let mut seen = Answer::new(view, answer.status(), answer.headers());
        if let Some(body) = &read.body {
            seen = seen.with_body(body);
        }
        if let Some(trailers) = &read.trailers {
            seen = seen.with_trailers(trailers);
        }
        seen
    }
}

/// The URL as `http` has it, without its fragment, which is not sent.
pub(crate) fn target(request: &Request) -> Result<Uri> {
    let url = request.url();
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::config(
            "client_url_user",
            "url names a user before its host, expected credentials to be given apart",
        ));
    }
    let text = url.as_str();
    text.split_once('#')
        .map_or(text, |(sent, _)| sent)
        .parse()
        .map_err(|error| Error::config("client_url", error))
}

/// A target as reqwest has it, if that takes it.
pub(crate) fn url(uri: &Uri) -> Result<Url> {
    uri.to_string().parse().map_err(|error| Error::config("client_url", error))
}

const PLAIN_HTTP: &str = "credentials would go over plain http beyond this machine, expected https";
