//! The two URLs of the grant that people type.

use crate::endpoint::{config, read_url_like};
use auth_core::Result;
use url::Url;

/// Refuses what is no redirect URI: it is sent as it is written, and compared so (RFC 6749 section 3.1.2). `field` is what
/// the person who typed it calls it.
pub(crate) fn check_redirect_uri(field: &str, text: &str) -> Result<()> {
    let is_written_so = !text.chars().any(|char| char.is_whitespace() || char.is_control());
    if is_written_so && Url::parse(text).is_ok_and(|url| url.fragment().is_none()) {
        return Ok(());
    }
    let fault = "is no absolute URL without a fragment and without spaces (RFC 6749 section 3.1.2)";
    Err(config("oauth2_redirect_uri", format!("{field} {fault}")))
}

/// The URL that users are sent to; `field` is what the person who typed it calls it.
pub(crate) fn read_authorization_url(field: &str, text: &str) -> Result<Url> {
    let url = read_url_like("https://login.example/authorize", field, text)?;
    let mut typed = url.query_pairs();
    if let Some((name, _)) = typed.find(|(name, _)| OF_THE_GRANT.contains(&&**name)) {
        let text = format!("{field} has {name}, which the grant sets; leave it out");
        return Err(config("oauth2_parameter", text));
    }
    Ok(url)
}

/// Parameters of the authorization URL that nobody else sets.
pub(super) const OF_THE_GRANT: &[&str] = &[
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "client_secret",
    "resource",
];
