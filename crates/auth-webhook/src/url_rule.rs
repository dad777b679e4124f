//! Which authorization is for which URLs.

use crate::{OutboundAuthorization, OutboundScheme, WebhookUrl};
use auth_core::{Error, Result};
use std::{collections::HashMap, fmt};

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

/// The rules of a tenant, found by URL however many there are.
#[derive(Default)]
pub(crate) struct Rules {
    all: Vec<UrlRule>,
    exact: HashMap<String, usize>,
    prefixes: HashMap<String, usize>,
    default: Option<usize>,
}

impl Rules {
    /// # Errors
    ///
    /// When two rules are for the same URLs.
    pub(crate) fn new(all: Vec<UrlRule>) -> Result<Self> {
        let mut rules = Self::default();
        for (nth, rule) in all.iter().enumerate() {
            let before = match &rule.urls {
                RuleUrls::Exact(url) => rules.exact.insert(url.as_str().to_owned(), nth),
                RuleUrls::Prefix(url) => rules.prefixes.insert(url.as_prefix().to_owned(), nth),
                RuleUrls::Default => rules.default.replace(nth),
            };
            if before.is_some() {
                let text = format!("two rules are for {}; remove one of them", rule.urls);
                return Err(Error::config("webhook_rule", text));
            }
        }
        Ok(Self { all, ..rules })
    }

    /// The rule for this URL.
    pub(crate) fn choose(&self, url: &WebhookUrl) -> Option<&UrlRule> {
        let nth = self.exact.get(url.as_str()).copied().or_else(|| {
            let below = std::iter::successors(Some(url.without_query()), |path| {
                path.rfind('/').and_then(|end| path.get(..end))
            });
            let mut fitting = below.filter_map(|path| self.prefixes.get(path).copied());
            fitting.next().or(self.default)
        });
        self.all.get(nth?)
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, UrlRule> {
        self.all.iter()
    }
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
        let reversed: Vec<_> = rules().into_iter().rev().collect();
        for rules in [rules(), reversed] {
            let rules = Rules::new(rules).unwrap();
            assert_eq!(rules.choose(&url(text)).unwrap().authorization, expected);
        }
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
        let rules = Rules::new(rules()[1..4].to_vec()).unwrap();
        assert_eq!(rules.choose(&url("https://b.example/")), None);
    }

    /// Which of the two decided was a matter of their order.
    #[test]
    fn prefixes_that_differ_in_a_slash_are_for_the_same_urls() {
        let rule = |text: &str| UrlRule {
            urls: RuleUrls::Prefix(url(text)),
            authorization: text.to_owned(),
        };
        let twice = [rule("https://a.example/x"), rule("https://a.example/x/")];
        let refused = Rules::new(twice.to_vec()).map(drop).unwrap_err();
        assert!(refused.to_string().contains("two rules are for URLs below"), "{refused}");
    }

    #[test]
    fn a_prefix_is_of_whole_segments() {
        for (text, prefix, expected) in [
            ("https://a.example/x/y", "https://a.example/x", true),
            ("https://a.example/x", "https://a.example/x/", true),
            ("https://a.example/x//", "https://a.example/x/", true),
            ("https://a.example//x", "https://a.example/x", false),
            ("https://a.example/xy", "https://a.example/x", false),
            ("https://a.example/x%2Fy", "https://a.example/x", false),
            ("https://a.example/x/../z", "https://a.example/x", false),
            ("https://a.example/%78/y", "https://a.example/x", true),
            ("https://A.example./x/y?q", "https://a.example:443/x", true),
            ("https://a.example/?/x", "https://a.example/x", false),
            ("https://a.example:8443/x", "https://a.example/x", false),
            ("https://b.example/x", "https://a.example/", false),
            ("https://a.example.evil.example/x", "https://a.example", false),
            ("https://a.example/anything", "https://a.example", true),
            ("https://a.example/X/y", "https://a.example/x", false),
        ] {
            let rule =
                UrlRule { urls: RuleUrls::Prefix(url(prefix)), authorization: String::new() };
            let rules = Rules::new(vec![rule]).unwrap();
            assert_eq!(rules.choose(&url(text)).is_some(), expected, "{text} below {prefix}");
        }
    }
}
