//! The parameters of a request, in the order in which they were added.

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

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, value.as_str()))
    }

    /// As `application/x-www-form-urlencoded`, behind what stands there already.
    pub(crate) fn write_form(&self, to: String) -> String {
        let mut form = form_urlencoded::Serializer::new(to);
        form.extend_pairs(self.iter());
        form.finish()
    }

    /// As the members of a JSON object; several of one name as an array.
    pub(crate) fn write_json(&self) -> Vec<u8> {
        let mut json = serde_json::Map::new();
        for (name, value) in self.iter() {
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
        assert_eq!(String::from_utf8(parameters.write_json()).unwrap(), json);
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
