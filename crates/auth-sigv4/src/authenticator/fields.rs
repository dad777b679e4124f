//! Which fields are signed.

use auth_core::{Error, RequestView, Result};

/// The fields that a request is signed with: neither those that proxies and clients add or change on the way, nor the
/// host, which is signed apart, nor the one that holds the signature.
pub(super) fn signed<'a>(request: RequestView<'a>) -> impl Iterator<Item = (&'a str, &'a [u8])> {
    let fields = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    fields.filter(|(name, _)| {
        !is_of_the_hop(name) && !["host", "user-agent", "x-amzn-trace-id"].contains(name)
    })
}

/// The fields that a presigned URL is signed with: all that the request has.
///
/// # Errors
///
/// `Error::Config` for a field that does not arrive as it was sent, so that nobody could use the URL.
pub(super) fn presigned<'a>(
    request: RequestView<'a>,
) -> Result<impl Iterator<Item = (&'a str, &'a [u8])>> {
    let mut names = request.headers.keys().map(http::HeaderName::as_str);
    if let Some(name) = names.find(|name| is_of_the_hop(name)) {
        let text =
            format!("field {name} does not arrive as it is sent, expected none to be signed");
        return Err(Error::config("sigv4_field_of_the_hop", text));
    }
    let fields = request.headers.iter().filter(|(name, _)| *name != "host");
    Ok(fields.map(|(name, value)| (name.as_str(), value.as_bytes())))
}

/// What the next hop acts on or replaces (RFC 9110 section 7.6.1), and credentials.
fn is_of_the_hop(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "authorization",
        "connection",
        "expect",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    NAMES.binary_search(&name).is_ok()
}
