//! The calls under Digest, with the round trips that each of them takes.

use super::{
    accounts::{PASSWORD, USER},
    callers::{Adapter, Callers},
    calls::{Call, Line, With},
    server::Running,
};
use auth_core::{Authenticator, Error, RequestView, SystemRandom};
use auth_digest::Digest;
use auth_static::NoAuth;
use http::{HeaderMap, Method, Uri};
use std::{sync::Arc, time::Instant};

/// The paths, and what a challenge of each begins with.
pub const PATHS: [(&str, &str); 3] = [
    ("/digest", "Digest realm=\"demo\""),
    ("/digest/int", "Digest realm=\"demo\""),
    ("/digest/md5", "Digest realm=\"demo\""),
];

const ADAPTERS: [Adapter; 3] = [Adapter::Reqwest, Adapter::Tower, Adapter::Ureq];

/// One call, and how it should end: the status, the verdict, how often the server is asked.
struct Step<'a> {
    sent: &'static str,
    with: &'a Arc<dyn Authenticator>,
    expected: (u16, &'static str, usize),
}

/// The calls to one path, and how each went.
pub async fn run(
    path: &'static str,
    callers: &Callers,
    server: &Running,
) -> Result<Vec<Line>, String> {
    let text = |error: Error| error.to_string();
    let mut lines = Vec::new();
    for adapter in ADAPTERS {
        let digest = Digest::new(USER, PASSWORD, SystemRandom::new()).map_err(text)?;
        let kept: Arc<dyn Authenticator> = Arc::new(digest);
        let guess = Digest::new(USER, "guess", SystemRandom::new()).map_err(text)?;
        let guess: Arc<dyn Authenticator> = Arc::new(guess);
        let stranger = Digest::new("mallory", PASSWORD, SystemRandom::new()).map_err(text)?;
        let stranger: Arc<dyn Authenticator> = Arc::new(stranger);
        let nothing: Arc<dyn Authenticator> = Arc::new(NoAuth);
        for step in [
            Step { sent: "the first request", with: &kept, expected: (200, USER, 2) },
            Step { sent: "the second", with: &kept, expected: (200, USER, 1) },
            Step { sent: "the third", with: &kept, expected: (200, USER, 1) },
            Step {
                sent: "a wrong password",
                with: &guess,
                expected: (401, "digest_response_wrong", 2),
            },
            Step {
                sent: "an unknown user",
                with: &stranger,
                expected: (401, "digest_user_unknown", 2),
            },
            Step { sent: "nothing", with: &nothing, expected: (401, "digest_missing", 1) },
        ] {
            lines.push(step.run(path, adapter, callers, server).await?);
        }
    }
    if path == "/digest" {
        lines.extend(replayed(path, callers, server).await?);
    }
    Ok(lines)
}

impl Step<'_> {
    async fn run(
        &self,
        path: &'static str,
        adapter: Adapter,
        callers: &Callers,
        server: &Running,
    ) -> Result<Line, String> {
        let (status, verdict, round_trips) = self.expected;
        let challenge = PATHS.iter().find(|known| known.0 == path).map_or("", |known| known.1);
        let challenge = if status == 401 { challenge } else { "" };
        let with = With::Ours(Arc::clone(self.with));
        let call = Call { path, sent: self.sent, with, expected: (status, challenge), verdict };
        let (began, before) = (Instant::now(), server.served());
        let url = format!("{}{path}", server.base());
        let answer = callers.through(adapter, self.with, &url).await?;
        let mut line = call.line(adapter.name(), server, &answer, began);
        let took = server.served() - before;
        let plural = if took == 1 { "" } else { "s" };
        line.verdict = format!("{}, {took} trip{plural}", line.verdict);
        if took != round_trips && line.instead_of.is_none() {
            line.instead_of = Some(format!("{round_trips} round trips"));
        }
        Ok(line)
    }
}

/// An answer that was good, sent again by somebody who has heard it.
async fn replayed(
    path: &'static str,
    callers: &Callers,
    server: &Running,
) -> Result<Vec<Line>, String> {
    let text = |error: Error| error.to_string();
    let digest = Arc::new(Digest::new(USER, PASSWORD, SystemRandom::new()).map_err(text)?);
    let url = format!("{}{path}", server.base());
    let ours: Arc<dyn Authenticator> = Arc::clone(&digest) as _;
    callers.through(Adapter::Reqwest, &ours, &url).await?;
    // It was not for the log of this table.
    server.told();
    let mut uri: Uri = url.parse().map_err(|_| "a url")?;
    let mut headers = HeaderMap::new();
    let view = RequestView::new(&Method::GET, &uri, &headers);
    let made = digest.present(view).map_err(text)?.ok_or("no session")?;
    made.commit(&mut uri, &mut headers).map_err(text)?;
    let value = headers.get("authorization").ok_or("no field")?.as_bytes().to_vec();
    let mut lines = Vec::new();
    for (sent, expected, verdict) in [
        ("an answer, sent by hand", (200, ""), USER),
        ("the same answer again", (401, "Digest realm=\"demo\""), "digest_replayed"),
    ] {
        let with = With::Fields(vec![("Authorization", value.clone())]);
        let call = Call { path, sent, with, expected, verdict };
        lines.extend(call.run(callers, server).await?);
    }
    Ok(lines)
}
