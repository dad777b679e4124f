//! The fields of an error that stand inside of others, as vendors put them into envelopes of their own.

use crate::{
    foreign_text::Secrets,
    members::{Member, Members},
};
use serde_json::Value;

/// Their names and values: each name has those of the objects around it before it, with dots between them, and the number
/// of its place where it stands in an array: `requestError.serviceException.messageId`.
pub(crate) fn nested_fields(
    body: &[u8],
    members: &Members<'_>,
    secrets: &Secrets<'_>,
) -> Vec<(Box<str>, Box<str>)> {
    let mut fields = Fields { found: Vec::new(), secrets };
    if members.iter().any(|(_, value)| matches!(value, Member::Other)) {
        if let Ok(Value::Object(object)) = serde_json::from_slice(body) {
            let nested = object.iter().filter(|(_, value)| value.is_object() || value.is_array());
            nested.for_each(|(name, value)| fields.add(name, value, 1));
        }
    }
    fields.found
}

struct Fields<'a> {
    found: Vec<(Box<str>, Box<str>)>,
    secrets: &'a Secrets<'a>,
}

impl Fields<'_> {
    /// More than these are no error that somebody reads.
    const MOST: usize = 32;
    const DEEPEST: usize = 4;

    fn add(&mut self, name: &str, value: &Value, depth: usize) {
        if self.found.len() >= Self::MOST || depth > Self::DEEPEST {
            return;
        }
        let text = match value {
            Value::Object(object) => {
                object.iter().for_each(|(inner, value)| self.inside(name, inner, value, depth));
                return;
            }
            Value::Array(values) => {
                let numbered = values.iter().enumerate();
                numbered.for_each(|(at, value)| self.inside(name, &at.to_string(), value, depth));
                return;
            }
            Value::Null => return,
            Value::String(text) => self.secrets.cut(text),
            Value::Number(number) => self.secrets.cut(&number.to_string()),
            Value::Bool(truth) => truth.to_string(),
        };
        self.found.push((self.secrets.cut(name).into(), text.into()));
    }

    fn inside(&mut self, name: &str, inner: &str, value: &Value, depth: usize) {
        self.add(&format!("{name}.{inner}"), value, depth.saturating_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &[(&str, &str)]) {
        let mut secrets = Secrets::default();
        secrets.add("s3cret");
        let members = Members::read_json(body.as_bytes(), 64).unwrap();
        let found = nested_fields(body.as_bytes(), &members, &secrets);
        let found: Vec<_> = found.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(found, expected, "{body}");
    }

    /// Both envelopes of Infobip's errors, and what is no envelope.
    #[test]
    fn each_field_is_named_by_the_way_to_it() {
        check(
            r#"{"requestError":{"serviceException":{"messageId":"UNAUTHORIZED","text":"Invalid login details"}}}"#,
            &[
                ("requestError.serviceException.messageId", "UNAUTHORIZED"),
                ("requestError.serviceException.text", "Invalid login details"),
            ],
        );
        check(
            r#"{"errorCode":"E400","violations":[{"property":"p","violation":"v"}],"n":[1,true,null]}"#,
            &[
                ("n.0", "1"),
                ("n.1", "true"),
                ("violations.0.property", "p"),
                ("violations.0.violation", "v"),
            ],
        );
        check(r#"{"error":"x"}"#, &[]);
    }

    #[test]
    fn secrets_are_cut_and_depth_and_number_are_bounded() {
        check(r#"{"a":{"s3cret":"got s3cret"}}"#, &[("a.[secret]", "got [secret]")]);
        check(r#"{"a":{"b":{"c":{"d":1,"e":{"f":2}}}}}"#, &[("a.b.c.d", "1")]);
        let many = serde_json::json!({ "a": vec![1; 1000] }).to_string();
        let members = Members::read_json(many.as_bytes(), 64).unwrap();
        assert_eq!(nested_fields(many.as_bytes(), &members, &Secrets::default()).len(), 32);
    }
}
