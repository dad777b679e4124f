//! Calls to real servers, each with what the server's own log says that it took.

use super::{PASSWORD, USER, servers::text, start::Logging};
use auth_digest::Digest;
use auth_reqwest::{AuthClient, Proxy};
use conformance::{Compared, compare};
use http::StatusCode;
use std::{fs, path::PathBuf, time::Duration};
use tokio::time::sleep;

/// What the server's log says of each call.
pub struct Wire {
    log: PathBuf,
    read: usize,
    /// Where requests are sent through.
    pub proxy: Option<String>,
}

impl Wire {
    pub fn of(server: &Logging) -> Self {
        Self { log: server.log.clone(), read: 0, proxy: None }
    }

    /// What every server does: a first request with its extra trip, two without, a wrong password and an unknown user,
    /// each refused once and not tried again.
    pub async fn door(
        &mut self,
        name: &str,
        page: &str,
        shown: &str,
        digest: impl Fn(&str, &str) -> auth_core::Result<Digest>,
    ) -> Vec<Compared> {
        let kept = digest(USER, PASSWORD);
        let (guess, stranger) = (digest(USER, "guess"), digest("mallory", PASSWORD));
        let refused = format!("401, 401 {shown} 1");
        let mut cases = Vec::new();
        for (id, digest, status, expected) in [
            ("first", &kept, 200, format!("401, 200 {shown} 1")),
            ("second", &kept, 200, format!("200 {shown} 2")),
            ("third", &kept, 200, format!("200 {shown} 3")),
            ("wrong-password", &guess, 401, refused.clone()),
            ("unknown-user", &stranger, 401, refused),
        ] {
            cases.push(self.get(&format!("{name}-{id}"), page, digest, status, &expected).await);
        }
        cases
    }

    pub async fn get(
        &mut self,
        id: &str,
        page: &str,
        digest: &auth_core::Result<Digest>,
        status: u16,
        expected: &str,
    ) -> Compared {
        let got = match digest {
            Ok(digest) => get(page, digest, self.proxy.as_deref()).await,
            Err(error) => Err(error.to_string()),
        };
        self.compare(id, got, status, expected).await
    }

    pub async fn compare(
        &mut self,
        id: &str,
        got: Result<StatusCode, String>,
        status: u16,
        expected: &str,
    ) -> Compared {
        let said = self.expect(expected.split(", ").count()).await;
        let got = got.map_or_else(|error| error, |got| got.as_u16().to_string());
        compare(id, format!("{status}: {expected}"), format!("{got}: {said}"))
    }

    /// The requests since the last time, at least so many if they come at all: a log is written behind its answer.
    pub async fn expect(&mut self, requests: usize) -> String {
        let mut lines = Vec::new();
        for _ in 0..200 {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            // Other lines than those of requests are the server's own.
            lines = log.lines().filter_map(shown).skip(self.read).collect();
            if lines.len() >= requests {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        self.read += lines.len();
        lines.join(", ")
    }
}

/// A line of a log: `200 SHA-256 auth userhash 2`, the number being the nonce count.
fn shown(line: &str) -> Option<String> {
    let (status, credentials) = line.split_once(' ')?;
    // A connection without a request has status 0.
    status.parse::<u16>().ok().filter(|status| *status > 0)?;
    // Logs escape quotation marks, or more: these are the parameters that need none.
    let value = |name: &str| {
        let behind = credentials.split(&format!(" {name}=")).nth(1)?;
        Some(behind.split([',', '"']).next()?.trim())
    };
    let count = value("nc").and_then(|nc| u32::from_str_radix(nc, 16).ok());
    let userhash = value("userhash").map(|_| "userhash");
    let words = [Some(status), value("algorithm"), value("qop"), userhash];
    let words = words.into_iter().flatten().map(str::to_owned);
    Some(words.chain(count.map(|count| count.to_string())).collect::<Vec<_>>().join(" "))
}

async fn get(page: &str, digest: &Digest, proxy: Option<&str>) -> Result<StatusCode, String> {
    let client = match proxy {
        None => AuthClient::builder(),
        Some(proxy) => AuthClient::builder().with_proxy(Proxy::new(proxy).map_err(text)?),
    };
    let client = client.build().map_err(text)?;
    let request = client.http().get(page).build().map_err(text)?;
    Ok(client.send(digest, request).await.map_err(text)?.status())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<&str>) {
        assert_eq!(shown(line).as_deref(), expected, "{line}");
    }

    #[test]
    fn a_line_of_a_log_shows_how_a_request_was_answered() {
        check("401 -", Some("401"));
        check(
            r#"200 Digest username=\"alice\", algorithm=SHA-256, qop=auth, cnonce=\"x\", nc=0000000a, response=\"x\""#,
            Some("200 SHA-256 auth 10"),
        );
        check(r#"401 Digest username="x", userhash=true, realm="r""#, Some("401 userhash"));
        check("Traceback (most recent call last):", None);
        check("0 -", None);
        check("", None);
    }
}
