//! A tunnel through a proxy (RFC 9110 section 9.3.6).

use auth_outbound::Proxy;
use http::StatusCode;
use std::io::{Read, Write};
use ureq::{
    Error,
    unversioned::{
        resolver::DefaultResolver,
        transport::{ConnectionDetails, TransportAdapter},
    },
};

/// The most bytes that the head of the proxy's answer may have.
const MOST_BYTES: usize = 16 * 1024;

/// Asks the proxy at the other end of the stream for a tunnel to the target, within the time that the stream has.
pub(crate) fn ask(
    stream: &mut TransportAdapter,
    proxy: &Proxy,
    details: &ConnectionDetails<'_>,
) -> Result<(), Error> {
    let target = host_and_port(details).ok_or(Error::HostNotFound)?;
    let mut head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
    if let Some(basic) = proxy.authorization() {
        head.extend_from_slice(b"Proxy-Authorization: ");
        head.extend_from_slice(basic.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    stream.write_all(&head)?;
    stream.flush()?;
    match status(&read_head(stream)?) {
        Some(status) if status.is_success() => Ok(()),
        Some(status) => refused(format!("proxy answered {}", status.as_u16())),
        None => refused("proxy answered with something that is not http".into()),
    }
}

/// The status in a status line (RFC 9112 section 4).
fn status(head: &[u8]) -> Option<StatusCode> {
    let (version, rest) = head.split_at_checked(b"HTTP/1.1 ".len())?;
    let known = matches!(version, b"HTTP/1.1 " | b"HTTP/1.0 ");
    StatusCode::from_bytes(rest.get(..3).filter(|_| known)?).ok()
}

fn host_and_port(details: &ConnectionDetails<'_>) -> Option<String> {
    DefaultResolver::host_and_port(details.uri.scheme()?, details.uri.authority()?)
}

/// Up to the empty line and no further: what is behind it is the target's.
fn read_head(stream: &mut TransportAdapter) -> Result<Vec<u8>, Error> {
    let mut head = Vec::new();
    let mut next = [0];
    while head.len() < MOST_BYTES {
        // From ureq's buffer, so that this is no system call.
        stream.read_exact(&mut next)?;
        head.extend_from_slice(&next);
        if head.ends_with(b"\r\n\r\n") {
            return Ok(head);
        }
    }
    refused(format!("proxy's answer has more than {MOST_BYTES} bytes before its end"))
}

fn refused<T>(why: String) -> Result<T, Error> {
    Err(Error::ConnectProxyFailed(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &str, expected: Option<u16>) {
        assert_eq!(status(head.as_bytes()).map(|status| status.as_u16()), expected, "{head:?}");
    }

    #[test]
    fn reads_the_status_of_an_answer_and_of_nothing_else() {
        check("HTTP/1.1 200 Connection established\r\n\r\n", Some(200));
        check("HTTP/1.0 200\r\n\r\n", Some(200));
        check("HTTP/1.1 407 \r\n\r\n", Some(407));
        check("HTTP/2.0 200 \r\n\r\n", None);
        check("HTTP/1.1  200\r\n\r\n", None);
        check("HTTP/1.1 2\r\n\r\n", None);
        check("SSH-2.0-200 200\r\n\r\n", None);
        check("\r\n\r\n", None);
    }
}
