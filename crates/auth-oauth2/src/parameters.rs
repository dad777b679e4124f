//! The parameters of a request, in the order in which they were added.

use crate::{endpoint::config, token_name::NameParts};
use auth_core::Result;
use std::{borrow::Cow, fmt};
use url::form_urlencoded;
use zeroize::Zeroizing;

/// Names and values, which are wiped when dropped. Its `Debug` shows the names alone.
#[derive(Clone, Default)]
pub(crate) struct Parameters(Vec<(Cow<'static, str>, Zeroizing<String>)>);

impl Parameters {
    pub(crate) fn add(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        self.0.push((name.into(), Zeroizing::new(value.into())));
    }

    /// `scope`: scopes with one space between two (RFC 6749 section 3.3); none, and no parameter, of empty text.
    pub(crate) fn add_scope(&mut self, scope: &str) -> Result<()> {
        check_scope("scope", scope)?;
        if scope.is_empty() {
            return Ok(());
        }
        if self.has("scope") {
            return Err(config("oauth2_scope", "scope is set twice; put all scopes into one text"));
        }
        self.add("scope", scope);
        Ok(())
    }

    /// One more `resource` (RFC 8707 section 2).
    pub(crate) fn add_resource(&mut self, resource: &str) -> Result<()> {
        if !url::Url::parse(resource).is_ok_and(|url| url.fragment().is_none()) {
            let text = "resource is no absolute URI without a fragment (RFC 8707 section 2)";
            return Err(config("oauth2_resource", text));
        }
        self.add("resource", resource);
        Ok(())
    }

    pub(crate) fn add_to(&self, name: &mut NameParts) {
        name.add(self.0.len().to_string());
        self.iter().for_each(|(key, value)| {
            name.add(key);
            name.add(value);
        });
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.0.iter().map(|(name, value)| (&**name, value.as_str()))
    }

    /// The values that no answer repeats into an error: all but those that are none's secret. A vendor's own may be a key.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = &str> {
        self.iter().filter(|(name, _)| !PUBLIC.contains(name)).map(|(_, value)| value)
    }

    /// The values that stand in no URL unless that was allowed.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.iter().filter(|(name, _)| SECRETS.contains(name)).map(|(_, value)| value)
    }

    /// As `application/x-www-form-urlencoded`, behind what stands there already.
    pub(crate) fn write_form(&self, to: String) -> String {
        write_form(self.iter(), to)
    }
}

const SECRETS: &[&str] = &[
    "refresh_token",
    "token",
    "password",
    "subject_token",
    "actor_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
];

const PUBLIC: &[&str] = &[
    "grant_type",
    "scope",
    "resource",
    "audience",
    "redirect_uri",
    "subject_token_type",
    "actor_token_type",
    "requested_token_type",
];

/// As `application/x-www-form-urlencoded`, behind what stands there already.
pub(crate) fn write_form<'a>(
    parameters: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    mut to: String,
) -> String {
    // Enough for most: few characters are escaped.
    let length = |(name, value): (&str, &str)| name.len() + value.len() + value.len() / 4 + 2;
    to.reserve(parameters.clone().map(length).sum());
    let mut form = form_urlencoded::Serializer::new(to);
    form.extend_pairs(parameters);
    form.finish()
}

/// As the members of a JSON object; several of one name as an array.
pub(crate) fn write_json<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut json = serde_json::Map::new();
    for (name, value) in parameters {
        let value = serde_json::Value::from(value);
        match json.get_mut(name) {
            None => {
                json.insert(name.to_owned(), value);
            }
            Some(serde_json::Value::Array(values)) => values.push(value),
            Some(first) => *first = serde_json::Value::from(vec![first.take(), value]),
        }
    }
    serde_json::Value::from(json).to_string().into_bytes()
}

/// Refuses what is neither empty nor `scope-token *( SP scope-token )` (RFC 6749 section 3.3). `field` is what the person
/// who typed it calls it.
pub(crate) fn check_scope(field: &str, text: &str) -> Result<()> {
    let is_char = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    let mut scopes = text.split(' ');
    if text.is_empty() || scopes.all(|scope| !scope.is_empty() && scope.bytes().all(is_char)) {
        return Ok(());
    }
    let fault = "holds a character that no scope may have; put one space between two scopes, and none at the ends";
    Err(config("oauth2_scope", format!("{field} {fault}")))
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(pairs: &[(&'static str, &str)]) -> Parameters {
        let mut parameters = Parameters::default();
        pairs.iter().for_each(|(name, value)| parameters.add(*name, *value));
        parameters
    }

    #[track_caller]
    fn check(pairs: &[(&'static str, &str)], form: &str, json: &str) {
        let parameters = parameters(pairs);
        assert_eq!(parameters.write_form(String::new()), form);
        assert_eq!(String::from_utf8(write_json(parameters.iter())).unwrap(), json);
    }

    #[test]
    fn a_form_and_json_say_the_same() {
        check(
            &[("scope", "a b"), ("x", "\u{e9}&=+")],
            "scope=a+b&x=%C3%A9%26%3D%2B",
            "{\"scope\":\"a b\",\"x\":\"\u{e9}&=+\"}",
        );
        check(
            &[("resource", "https://a"), ("resource", "https://b"), ("resource", "c")],
            "resource=https%3A%2F%2Fa&resource=https%3A%2F%2Fb&resource=c",
            "{\"resource\":[\"https://a\",\"https://b\",\"c\"]}",
        );
    }

    #[test]
    fn debug_shows_names_alone() {
        assert_eq!(
            format!("{:?}", parameters(&[("client_secret", "canary")])),
            "{\"client_secret\"}"
        );
    }
}
