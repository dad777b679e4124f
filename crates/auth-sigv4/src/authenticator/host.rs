//! Which host is signed.

use auth_core::{Error, RequestView, Result};
use http::header::HOST;

/// The host as it is sent: the Host field that the caller set, or else what clients make of the URL, in a Host field or
/// in `:authority`, both without the scheme's own port.
pub(super) fn host(request: RequestView<'_>) -> Result<&str> {
    let text = || Error::config("sigv4_no_host", "request names no host, expected an absolute URL");
    if let Some(host) = request.headers.get(HOST) {
        return host.to_str().map_err(|_| text());
    }
    let authority = request.uri.authority().ok_or_else(text)?;
    let own = match request.uri.scheme_str() {
        Some("https") => Some(443),
        Some("http") => Some(80),
        _ => None,
    };
    if authority.as_str().contains('@') {
        let text = "url names a user before its host, expected credentials to be given apart";
        return Err(Error::config("sigv4_url_user", text));
    }
    let bare = authority.port_u16().is_none_or(|port| Some(port) == own);
    Ok(if bare { authority.host() } else { authority.as_str() })
}
