//! References to variables: `${HOME}`, and `${PORT:-443}` with what is meant where there is none.

use super::yaml::Node;
use auth_core::{Error, Result};
use zeroize::Zeroizing;

/// The most bytes of a value with its references replaced.
const MOST_BYTES: usize = 64 * 1024;

/// The most bytes of all values with references in them: a short text can refer to a long variable very often.
const MOST_BYTES_OF_ALL: usize = 1024 * 1024;

/// Replaces the references in every value. What is put in place of one is not looked at again.
pub(super) fn replace(node: &mut Node, variable: &dyn Fn(&str) -> Option<String>) -> Result<()> {
    let mut left = MOST_BYTES_OF_ALL;
    replace_within(node, variable, &mut left)
}

fn replace_within(
    node: &mut Node,
    variable: &dyn Fn(&str) -> Option<String>,
    left: &mut usize,
) -> Result<()> {
    match node {
        Node::Text(text) if text.contains("${") => {
            *text = replaced(text, variable)?;
            *left = left.checked_sub(text.len()).ok_or_else(|| {
                let what = "values with references in them are longer than a megabyte together";
                Error::config("symphony_bdk_reference", what)
            })?;
            Ok(())
        }
        Node::Null | Node::Text(_) => Ok(()),
        Node::List(items) => {
            items.iter_mut().try_for_each(|item| replace_within(item, variable, left))
        }
        Node::Map(members) => {
            members.iter_mut().try_for_each(|(_, node)| replace_within(node, variable, left))
        }
    }
}

fn replaced(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Zeroizing<String>> {
    let (mut made, mut rest) = (Zeroizing::new(String::new()), text);
    while let Some((before, reference)) = rest.split_once("${") {
        let (reference, after) = reference.split_once('}').ok_or_else(|| {
            let what =
                "value has `${` without a `}` behind it, expected `${NAME}` or `${NAME:-default}`";
            Error::config("symphony_bdk_reference", what)
        })?;
        if reference.contains("${") {
            // Its default would end at the first `}`, and what is behind that would be part of the value.
            let what = "value has a reference within a reference, expected `${NAME}` or `${NAME:-default}`";
            return Err(Error::config("symphony_bdk_reference", what));
        }
        let (name, default) = match reference.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (reference, None),
        };
        let value = variable(name).map(Zeroizing::new);
        let value = match (&value, default) {
            (Some(value), _) => value.as_str(),
            (None, Some(default)) => default,
            (None, None) => {
                let shown: String = name.escape_debug().take(100).collect();
                let text = format!(
                    "variable {shown} is not set, expected a value for `${{{shown}}}`; `${{{shown}:-default}}` has one of its own"
                );
                return Err(Error::config("symphony_bdk_reference", text));
            }
        };
        made.push_str(before);
        made.push_str(value);
        rest = after;
        if made.len() > MOST_BYTES {
            return Err(Error::config("symphony_bdk_reference", "value is longer than 64 KiB"));
        }
    }
    made.push_str(rest);
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let variable = |name: &str| match name {
            "HOME" => Some("/srv/me".to_owned()),
            "ODD" => Some("${HOME}".to_owned()),
            _ => None,
        };
        let made = replaced(text, &variable).map_err(|error| error.to_string());
        match (&made, expected) {
            (Ok(made), Ok(expected)) => assert_eq!(made.as_str(), expected),
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            _ => panic!("{made:?}"),
        }
    }

    #[test]
    fn references_are_replaced_once() {
        check("${HOME}/a.pem", Ok("/srv/me/a.pem"));
        check("a${HOME}b${PORT:-443}c", Ok("a/srv/meb443c"));
        check("${HOME:-x}", Ok("/srv/me"));
        check("${PORT:-}", Ok(""));
        check("${ODD}", Ok("${HOME}"));
        check("$HOME {x}", Ok("$HOME {x}"));
        check("${PORT}", Err("PORT is not set"));
        check("${HOME", Err("without a `}`"));
        check("${}", Err("is not set"));
        check("${PORT:-${HOME}}", Err("within a reference"));
        check("${HOME:-${PORT}}", Err("within a reference"));
    }

    #[test]
    fn a_long_variable_that_is_referred_to_often_is_bounded() {
        let long = "x".repeat(60_000);
        let text = format!("[{}]", "'${LONG}',".repeat(9000));
        let counted = allocation_counter::measure(|| {
            let mut node = super::super::yaml::read(&text).unwrap();
            let error = replace(&mut node, &|_| Some(long.clone())).unwrap_err();
            assert!(error.to_string().contains("a megabyte together"), "{error}");
        });
        assert!(counted.bytes_max < 8_000_000, "{}", counted.bytes_max);
    }
}
