//! Which authorization is for which URLs.

use crate::{OutboundAuthorization, OutboundScheme, WebhookUrl};
use auth_core::{Error, Result};
use std::fmt;

/// Says which authorization is for the URLs that no subscription names one for.
///
/// An exact URL comes before a prefix, the longer prefix before the shorter one, and the default last. URLs are compared
/// as they will be sent: see [`WebhookUrl`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlRule {
    /// The URLs.
    pub urls: RuleUrls,
    /// The name of the authorization.
    pub authorization: String,
}

/// The URLs of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RuleUrls {
    /// This one, with its query.
    Exact(WebhookUrl),
    /// All whose path begins with the segments of this one, at the same origin. It has no query.
    Prefix(WebhookUrl),
    /// All others.
    Default,
}

impl UrlRule {
    /// Checks the rule by itself, and beside the authorization that it names.
    ///
    /// # Security
    ///
    /// A password or a key that is sent as it is belongs to one receiver: on the default, whoever can have a webhook
    /// sent to a URL of its own would be given it.
    pub(crate) fn check(&self, authorization: &OutboundAuthorization) -> Result<()> {
        let refused = |what: String| Err(Error::config("webhook_rule", what));
        match (&self.urls, &authorization.scheme) {
            (RuleUrls::Prefix(url), _) if url.has_query() => {
                refused("prefix of a rule has a query; remove it".to_owned())
            }
            (RuleUrls::Default, OutboundScheme::Basic(_) | OutboundScheme::ApiKey(_)) => {
                refused(format!(
                    "authorization {:?} is of type {}, which any receiver could keep; name the URLs that it is for",
                    self.authorization,
                    authorization.scheme_name()
                ))
            }
            _ => Ok(()),
        }
    }

    /// How closely the rule fits a URL; `None` where it does not.
    fn fits(&self, url: &WebhookUrl) -> Option<(u8, usize)> {
        match &self.urls {
            RuleUrls::Exact(exact) => (exact == url).then_some((2, 0)),
            RuleUrls::Prefix(prefix) => url.is_below(prefix).then(|| (1, prefix.path_length())),
            RuleUrls::Default => Some((0, 0)),
        }
    }
}

impl fmt::Display for RuleUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(url) => write!(f, "the URL {}", url.as_str()),
            Self::Prefix(url) => write!(f, "URLs below {}", url.as_str()),
            Self::Default => f.write_str("all other URLs"),
        }
    }
}

/// The rule for this URL.
pub(crate) fn choose<'a>(rules: &'a [UrlRule], url: &WebhookUrl) -> Option<&'a UrlRule> {
    let fitting = rules.iter().filter_map(|rule| rule.fits(url).map(|fit| (fit, rule)));
    fitting.max_by_key(|(fit, _)| *fit).map(|(_, rule)| rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> WebhookUrl {
        WebhookUrl::parse(text).unwrap()
    }

    fn rules() -> Vec<UrlRule> {
        let rule = |urls, name: &str| UrlRule { urls, authorization: name.to_owned() };
        vec![
            rule(RuleUrls::Default, "default"),
            rule(RuleUrls::Prefix(url("https://a.example/x")), "short"),
            rule(RuleUrls::Prefix(url("https://a.example/x/y")), "long"),
            rule(RuleUrls::Exact(url("https://a.example/x/y/z")), "exact"),
            rule(RuleUrls::Prefix(url("https://a.example")), "origin"),
        ]
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let rules = rules();
        assert_eq!(choose(&rules, &url(text)).unwrap().authorization, expected);
        let reversed: Vec<_> = rules.into_iter().rev().collect();
        assert_eq!(choose(&reversed, &url(text)).unwrap().authorization, expected);
    }

    #[test]
    fn the_closest_rule_decides_in_whatever_order_they_stand() {
        check("https://a.example/x/y/z", "exact");
        check("https://a.example/x/y/z?q=1", "long");
        check("https://a.example/x/y", "long");
        check("https://a.example/x/yy", "short");
        check("https://a.example/x", "short");
        check("https://a.example/xx", "origin");
        check("https://a.example/x/../z", "origin");
        check("https://a.example/x/%2e%2e/x/%79", "long");
        check("https://A.EXAMPLE.:443/x/y/z", "exact");
        check("https://b.example/x/y/z", "default");
        check("https://a.example:8443/x/y/z", "default");
    }

    #[test]
    fn without_a_rule_there_is_none() {
        assert_eq!(choose(&rules()[1..4], &url("https://b.example/")), None);
    }
}
