//! The input is the URL of a webhook; a line below it, the prefix of a rule.

use crate::webhook_authorization::{NAME, set};
use auth_webhook::{
    ConfiguredBy, MatchedBy, OutboundAuthorization, OutboundScheme, RuleUrls, Subscription,
    TenantId, UrlRule, WebhookUrl,
};
use http::Uri;
use url::Url;

/// A URL that is taken reads the same again, and to a second reader; a rule fits it exactly when whole segments do.
pub fn webhook_url(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (url, prefix) = text.split_once('\n').unwrap_or((text, text));
    let (url, prefix) = (read(url), read(prefix));
    let (Some(url), Some(prefix)) = (url, prefix) else { return };
    let set = set();
    let acme = set.of_tenant(&TenantId::new("acme"));
    acme.save(NAME, OutboundAuthorization::new(OutboundScheme::None), ConfiguredBy::Tenant)
        .expect("an authorization");
    let rule = UrlRule { urls: RuleUrls::Prefix(prefix.clone()), authorization: NAME.to_owned() };
    if let Err(error) = acme.set_rules(vec![rule.clone()]) {
        assert!(prefix.as_str().contains('?'), "{error}");
        return;
    }
    acme.subscribe("hook", Subscription::webhook(url.clone())).expect("a subscription");
    let chosen = acme.choose("hook", "1").wait().expect("an authorization, or none");
    let fits = is_below(&url, &prefix);
    let expected = if fits { MatchedBy::Rule(rule.urls) } else { MatchedBy::Nothing };
    assert_eq!(chosen.matched_by(), &expected, "{} below {}", url.as_str(), prefix.as_str());
}

fn read(text: &str) -> Option<WebhookUrl> {
    let url = match WebhookUrl::parse(text) {
        Ok(url) => url,
        Err(error) => {
            // A URL can hold a secret.
            assert!(text.len() < 24 || !error.to_string().contains(text), "{error}");
            return None;
        }
    };
    let written = url.as_str();
    assert_eq!(WebhookUrl::parse(written).expect("it was read"), url);
    assert_eq!(WebhookUrl::parse(written).expect("it was read").as_str(), written);
    let (uri, second): (Uri, Url) =
        (written.parse().expect("it is sent"), written.parse().expect("it is a URL"));
    assert_eq!(uri.host(), second.host_str());
    assert_eq!(uri.port_u16(), second.port());
    assert_eq!(uri.path(), second.path());
    assert_eq!(uri.query(), second.query());
    assert!(
        !written.contains(['@', '#'])
            || second.username().is_empty() && second.fragment().is_none()
    );
    assert!(matches!(second.scheme(), "https") || is_loopback(&second), "{written}");
    assert!(format!("{url:?}").len() < 300 + second.host_str().map_or(0, str::len));
    // What was typed is the same place to a program that takes it as it is.
    if let Ok(typed) = text.parse::<Uri>() {
        let host = typed.host().unwrap_or_default().trim_end_matches('.');
        let is_plain = |byte: u8| byte.is_ascii_alphabetic() || b".-".contains(&byte);
        if host.bytes().all(is_plain) {
            assert!(uri.host().is_some_and(|ours| ours.eq_ignore_ascii_case(host)), "{written}");
        }
        let default = if second.scheme() == "https" { 443 } else { 80 };
        assert_eq!(typed.port_u16().unwrap_or(default), uri.port_u16().unwrap_or(default));
    }
    Some(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The same origin, and the segments of the prefix at the beginning. Empty ones at its end do not count.
fn is_below(url: &WebhookUrl, prefix: &WebhookUrl) -> bool {
    let [url, prefix] = [url, prefix].map(|url| Url::parse(url.as_str()).expect("a URL"));
    let segments = |url: &Url| url.path().split('/').skip(1).map(str::to_owned).collect::<Vec<_>>();
    let (url_segments, mut prefix_segments) = (segments(&url), segments(&prefix));
    while prefix_segments.last().is_some_and(String::is_empty) {
        prefix_segments.pop();
    }
    url.origin() == prefix.origin() && url_segments.starts_with(&prefix_segments)
}
