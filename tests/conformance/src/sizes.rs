//! How many cases each suite has had: `tests/conformance/sizes.json`.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

pub(super) type Sizes = BTreeMap<String, usize>;

pub(super) fn load(path: &Path) -> Result<Sizes, String> {
    if !path.is_file() {
        return Ok(Sizes::new());
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("sizes.json: {error}"))?;
    read(&text).map_err(|what| format!("sizes.json: {what}"))
}

/// Raises what has grown. What has shrunk stays: lowering a number is for a person to do and to explain.
pub(super) fn raise(sizes: &mut Sizes, suite: &str, count: usize) {
    let size = sizes.entry(suite.to_string()).or_default();
    *size = (*size).max(count);
}

pub(super) fn save(path: &Path, sizes: &Sizes) -> Result<(), String> {
    let object: Map<String, Value> =
        sizes.iter().map(|(suite, size)| (suite.clone(), (*size).into())).collect();
    std::fs::write(path, format!("{:#}\n", Value::Object(object)))
        .map_err(|error| format!("sizes.json: {error}"))
}

fn read(text: &str) -> Result<Sizes, String> {
    let json: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let object = json.as_object().ok_or("expected an object of suites and numbers")?;
    let size = |(suite, size): (&String, &Value)| {
        let size = size.as_u64().and_then(|size| usize::try_from(size).ok());
        Ok((suite.clone(), size.ok_or_else(|| format!("{suite} has no whole number"))?))
    };
    object.iter().map(size).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_raised_and_never_lowered() {
        let mut sizes = Sizes::new();
        raise(&mut sizes, "a", 5);
        raise(&mut sizes, "a", 3);
        assert_eq!(sizes["a"], 5);
        raise(&mut sizes, "a", 6);
        assert_eq!(sizes["a"], 6);
    }

    #[test]
    fn refuses_what_is_no_size() {
        assert_eq!(read(r#"{"a": 3}"#), Ok(Sizes::from([("a".into(), 3)])));
        assert!(read(r#"{"a": -3}"#).is_err());
        assert!(read("[]").is_err());
    }
}
