//! A server that is not tower: blocking, on `tiny_http`, using a `Verifier` through `RequestView`.
//!
//! ```text
//! cargo run --example plain_server &
//! curl -u 'alice:open: sésame' http://127.0.0.1:8081/
//! ```
//!
//! Every adapter of one's own is these five steps: view, authority, need, verify, answer.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use messaging_auth::{
    auth_core::{
        self, Body, Need, Outcome, Peer, Presence, Reason, Rejection, RequestView, SystemRandom,
        Verifier,
    },
    auth_static::{BasicAccounts, BasicVerifier, KeyHasher},
};
use std::io::Read;
use tiny_http::{Header, Request, Response, Server};

type Door = dyn Verifier<Principal = &'static str>;

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| String::from("127.0.0.1:8081"));
    let hasher = KeyHasher::random(&SystemRandom::new())?;
    let accounts = BasicAccounts::new(&hasher, [("alice", "open: sésame", "alice")]);
    let door = BasicVerifier::new("plain", accounts)?;
    let server = Server::http(&*address)?;
    println!("serving at http://{}", server.server_addr());
    for mut request in server.incoming_requests() {
        let response = match judge(&door, &mut request) {
            // Basic accepts without conditions. A verifier that has some, for the body or once the reply is known,
            // gives them in `accepted.take_obligations()`.
            Ok(Ok(accepted)) => Response::from_string(format!("hello, {}\n", accepted.principal)),
            Ok(Err(rejection)) => refuse(&rejection),
            Err(error) => {
                eprintln!("cannot tell: {error}");
                Response::from_string("Internal Server Error\n").with_status_code(500)
            }
        };
        request.respond(response)?;
    }
    Ok(())
}

fn judge(door: &Door, request: &mut Request) -> auth_core::Result<Outcome<&'static str>> {
    let Some((method, uri, headers)) = head(request) else {
        return Ok(Err(Rejection::malformed(UNREADABLE)));
    };
    let peer =
        Peer { address: request.remote_addr().map(std::net::SocketAddr::ip), ..Peer::UNKNOWN };
    let view = RequestView::new(&method, &uri, &headers).with_peer(peer);
    if let Err(rejection) = view.authority() {
        return Ok(Err(rejection));
    }
    // Only a caller who brings credentials can make us read a body, and only as much as its scheme needs.
    let mut body = Vec::new();
    let need = match door.presence(view) {
        Presence::Absent => Need::Nothing,
        Presence::Present => door.needs(view),
    };
    let view = match need {
        Need::Bytes { limit } => {
            let most = u64::try_from(limit).unwrap_or(u64::MAX);
            match request.as_reader().take(most.saturating_add(1)).read_to_end(&mut body) {
                Ok(read) if read <= limit => view.with_body(Body::Bytes(&body)),
                _ => return Ok(Err(Rejection::too_large(UNREADABLE))),
            }
        }
        Need::Nothing => view,
    };
    door.verify(view).wait()
}

fn head(request: &Request) -> Option<(http::Method, http::Uri, http::HeaderMap)> {
    let method = request.method().as_str().parse().ok()?;
    let uri = request.url().parse().ok()?;
    let mut headers = http::HeaderMap::new();
    for field in request.headers() {
        let name = http::HeaderName::from_bytes(field.field.as_str().as_str().as_bytes()).ok()?;
        headers.append(name, field.value.as_str().parse().ok()?);
    }
    Some((method, uri, headers))
}

fn refuse(rejection: &Rejection) -> Response<std::io::Cursor<Vec<u8>>> {
    eprintln!("rejected: {}", rejection.reason());
    let text = format!("{}\n", rejection.status().canonical_reason().unwrap_or("refused"));
    let mut response = Response::from_string(text).with_status_code(rejection.status().as_u16());
    for challenge in rejection.challenges() {
        if let Ok(field) = Header::from_bytes("WWW-Authenticate", challenge.field().as_bytes()) {
            response.add_header(field);
        }
    }
    response
}

const UNREADABLE: Reason = Reason::new("request_unreadable", "request cannot be read");
