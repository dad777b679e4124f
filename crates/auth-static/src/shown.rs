//! For tests: what a verifier makes of a request, as one line.

use auth_core::{Peer, RequestView, Verifier};
use http::{HeaderMap, Method, Uri};
use std::net::IpAddr;

/// The principal; or the status, the reason's code and the challenges.
pub(crate) fn outcome<P: AsRef<str> + Send>(
    door: &dyn Verifier<Principal = P>,
    target: &str,
    headers: &HeaderMap,
) -> String {
    outcome_from(None, door, target, headers)
}

/// The same, of a request from an address.
pub(crate) fn outcome_from<P: AsRef<str> + Send>(
    address: Option<IpAddr>,
    door: &dyn Verifier<Principal = P>,
    target: &str,
    headers: &HeaderMap,
) -> String {
    let uri: Uri = target.parse().unwrap();
    let peer = Peer { address, ..Peer::UNKNOWN };
    let request = RequestView::new(&Method::GET, &uri, headers).with_peer(peer);
    match door.verify(request).wait() {
        Ok(Ok(accepted)) => accepted.principal.as_ref().to_owned(),
        Ok(Err(rejection)) => {
            let mut told = format!("{} {}", rejection.status().as_u16(), rejection.reason().code);
            for challenge in rejection.challenges() {
                told.push_str(&format!(" {challenge}"));
            }
            told
        }
        Err(error) => format!("error {}", error.code()),
    }
}
