//! What tracked text must not hold, and how decisions are numbered.

use crate::metadata::Metadata;
use crate::repository;
use std::path::Path;

/// In two halves each, so that this file does not hold them.
const PLACES: &[(&str, &str)] = &[
    ("/work", "/"),
    ("/tmp", "/"),
    ("/root", "/"),
    ("/home", "/"),
    ("crates", ".io"),
    ("pypi", ".org"),
    ("npmjs", ".com"),
    ("npmjs", ".org"),
    ("debian", ".org"),
];

pub fn places(_: &Metadata) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for path in repository::tracked()? {
        if path.file_name().is_some_and(|name| name == "Cargo.lock") {
            continue;
        }
        // What is not text is none of this check's business.
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let places = places_in(&text);
        found.extend(
            places
                .into_iter()
                .map(|(n, what)| format!("{}:{n}: `{what}`", repository::shown(&path))),
        );
    }
    Ok(found)
}

fn places_in(text: &str) -> Vec<(usize, String)> {
    let places: Vec<String> = PLACES.iter().map(|(a, b)| format!("{a}{b}")).collect();
    let numbered = text.lines().enumerate();
    numbered
        .filter_map(|(n, line)| {
            Some((n + 1, places.iter().find(|place| line.contains(*place))?.clone()))
        })
        .collect()
}

pub fn decisions(_: &Metadata) -> Result<Vec<String>, String> {
    let files = repository::files(&repository::root().join("docs/decisions"), ".md")?;
    let names: Vec<&str> = files.iter().filter_map(|path| name(path)).collect();
    Ok(gaps(&names))
}

fn name(path: &Path) -> Option<&str> {
    path.file_name().and_then(|name| name.to_str())
}

fn gaps(names: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let expected = format!("{:04}-", n + 1);
        if !name.starts_with(&expected) {
            found.push(format!("docs/decisions/{name} should begin with {expected}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_places_with_their_line() {
        let text = format!(
            "fine\nsee {}x\nalso {}{}\n",
            PLACES[1].0.to_string() + PLACES[1].1,
            "crates",
            ".io"
        );
        assert_eq!(
            places_in(&text),
            [(2, "/tmp".to_string() + "/"), (3, "crates".to_string() + ".io")]
        );
        assert!(places_in("crates/auth-core, /usr/sbin, io\n").is_empty());
    }

    #[test]
    fn a_gap_and_a_double_number_are_findings() {
        assert!(gaps(&["0001-a.md", "0002-b.md"]).is_empty());
        assert_eq!(
            gaps(&["0001-a.md", "0003-b.md"]),
            ["docs/decisions/0003-b.md should begin with 0002-"]
        );
        assert_eq!(
            gaps(&["0001-a.md", "0001-b.md"]),
            ["docs/decisions/0001-b.md should begin with 0002-"]
        );
    }
}
