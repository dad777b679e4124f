//! A request that says nothing, sent to be challenged before one that does.

use super::{Digest, channel};
use auth_core::{Credentials, Error, RequestView, Result, Transport};

impl Digest {
    /// Sends a request that says nothing, to be challenged, and answers for the one that does.
    pub(super) async fn prove(
        &self,
        transport: &dyn Transport,
        request: RequestView<'_>,
    ) -> Result<Credentials> {
        let mut probe = http::Request::new(Vec::new());
        *probe.method_mut() = request.method.clone();
        *probe.uri_mut() = request.uri.clone();
        let answer = transport.fetch(probe.into()).await?;
        let status = answer.status();
        if status.is_server_error() || status == http::StatusCode::TOO_MANY_REQUESTS {
            let text = format!("server answered {status} where it was to ask who we are");
            return Err(Error::unavailable("digest_probe_unavailable", None, text));
        }
        let fields = self.challenges(answer.headers())?;
        if status != self.side.status() || fields.is_empty() {
            let text = format!("server answered {status}, expected a Digest challenge");
            return Err(Error::protocol("digest_probe_unchallenged", text));
        }
        let (challenge, choice) = self.policy.choose(&fields, channel(request.uri))?;
        let known = self.spaces.find(request.uri);
        let kept = self.learn(challenge, choice, known.as_deref(), request)?;
        let made = self.present_under(&kept, request)?;
        self.give(kept, None, request);
        if let Some(given) = self.given(request) {
            given.set_used();
        }
        made.ok_or_else(|| {
            let text = "nonce of the challenge cannot be counted; the request is not sent without credentials";
            Error::protocol("digest_probe_nonce", text)
        })
    }
}

#[cfg(test)]
mod tests;
