//! A reqwest client that does nothing by itself, and URLs as reqwest and `http` have them.

use crate::{Proxy, TlsSettings};
use auth_core::{Error, Result};
use http::Uri;
use reqwest::{Url, redirect::Policy};

/// No redirects, no retries, no proxy from the environment.
pub(crate) fn bare(tls: &TlsSettings, proxy: Option<&Proxy>) -> Result<reqwest::ClientBuilder> {
    let http = reqwest::Client::builder()
        .tls_backend_preconfigured(tls.config(&[b"h2", b"http/1.1"])?)
        .no_proxy()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false);
    Ok(match proxy {
        None => http,
        Some(proxy) => http.proxy(through(proxy)?),
    })
}

fn through(proxy: &Proxy) -> Result<reqwest::Proxy> {
    let (carried, at) = (proxy.clone(), url(proxy.uri())?);
    let made = reqwest::Proxy::custom(move |to| {
        carried.carries(to.host_str().unwrap_or_default()).then(|| at.clone())
    });
    Ok(match proxy.authorization() {
        None => made,
        Some(basic) => made.custom_http_auth(basic.clone()),
    })
}

/// The URL as `http` has it, without its fragment, which is not sent.
pub(crate) fn target(url: &Url) -> Result<Uri> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::config(
            "client_url_user",
            "url names a user before its host, expected credentials to be given apart",
        ));
    }
    let text = url.as_str();
    let sent = text.split_once('#').map_or(text, |(sent, _)| sent);
    sent.parse().map_err(|error| Error::config("client_url", error))
}

/// A target as reqwest has it, if that takes it.
pub(crate) fn url(uri: &Uri) -> Result<Url> {
    uri.to_string().parse().map_err(|error| Error::config("client_url", error))
}
