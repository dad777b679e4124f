//! Cases that are known to fail, each with what comes out and why that is right.

use serde_json::Value;
use std::path::Path;

/// An entry of `tests/conformance/exceptions/<suite>.json`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Exception {
    pub case: String,
    pub expected: String,
    pub actual: String,
    pub reason: String,
}

/// The exceptions of a suite; none if it has no file.
pub(super) fn load(folder: &Path, suite: &str) -> Result<Vec<Exception>, String> {
    let path = folder.join(format!("{suite}.json"));
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("exceptions/{suite}.json: {error}"))?;
    read(&text).map_err(|what| format!("exceptions/{suite}.json: {what}"))
}

/// The suites that files of exceptions are for.
pub(super) fn suites(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".json").map(str::to_string)).collect();
    names.sort();
    names
}

fn read(text: &str) -> Result<Vec<Exception>, String> {
    let json: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let entries = json.as_array().ok_or("expected a list")?;
    entries.iter().map(read_entry).collect()
}

fn read_entry(json: &Value) -> Result<Exception, String> {
    let object =
        json.as_object().ok_or("expected objects with case, expected, actual and reason")?;
    let field = |name: &str| {
        let text = object.get(name).and_then(Value::as_str);
        text.map(str::to_string).ok_or_else(|| format!("an entry has no text `{name}`"))
    };
    let exception = Exception {
        case: field("case")?,
        expected: field("expected")?,
        actual: field("actual")?,
        reason: field("reason")?,
    };
    if object.len() != 4 {
        return Err(format!(
            "the entry of case {} has more than case, expected, actual and reason",
            exception.case
        ));
    }
    Ok(exception)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(text: &str, expected: &str) {
        let what = read(text).unwrap_err();
        assert!(what.contains(expected), "{what}");
    }

    #[test]
    fn reads_a_list_of_exceptions() {
        let text =
            r#"[{"case": "a", "expected": "valid", "actual": "invalid", "reason": "because"}]"#;
        let expected = Exception {
            case: "a".into(),
            expected: "valid".into(),
            actual: "invalid".into(),
            reason: "because".into(),
        };
        assert_eq!(read(text), Ok(vec![expected]));
        assert_eq!(read("[]"), Ok(Vec::new()));
    }

    #[test]
    fn refuses_what_is_not_one() {
        check_refused("{}", "expected a list");
        check_refused("[1]", "expected objects");
        check_refused("[", "EOF");
        check_refused(r#"[{"case": "a", "expected": "b", "actual": "c"}]"#, "no text `reason`");
        check_refused(
            r#"[{"case": "a", "expected": "b", "actual": 1, "reason": "d"}]"#,
            "no text `actual`",
        );
        check_refused(
            r#"[{"case": "a", "expected": "b", "actual": "c", "reason": "d", "since": "e"}]"#,
            "the entry of case a has more",
        );
    }
}
