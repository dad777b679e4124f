//! A library's source with its tests and comments cut away, so that text searches find code.

use crate::metadata::{Metadata, Package};
use crate::repository;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// The code of one file: what stands before its tests, with comment lines blanked so that line numbers stay.
pub struct Code {
    pub path: PathBuf,
    pub lines: Vec<String>,
}

/// What is found in the code of every library, each with its file and its line.
pub fn search<What: Display>(
    metadata: &Metadata,
    find: impl Fn(&Code) -> Result<Vec<(usize, What)>, String>,
) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for package in metadata.published() {
        for code in library(package)? {
            let place = repository::shown(&code.path);
            let here = find(&code).map_err(|error| format!("{place}: {error}"))?;
            found.extend(here.into_iter().map(|(line, what)| format!("{place}:{line}: {what}")));
        }
    }
    Ok(found)
}

fn library(package: &Package) -> Result<Vec<Code>, String> {
    let files = files(package)?.into_iter();
    files.map(|path| Ok(Code { lines: code(&repository::read(&path)?), path })).collect()
}

/// The files of a package's source without each `tests.rs`, which its parent may have for tests alone.
pub fn files(package: &Package) -> Result<Vec<PathBuf>, String> {
    let all = repository::files(&package.manifest.with_file_name("src"), ".rs")?;
    let (tests, library): (Vec<PathBuf>, _) =
        all.into_iter().partition(|path| path.ends_with("tests.rs"));
    match tests.iter().find(|path| !is_for_tests(path)) {
        Some(path) => {
            Err(format!("{}: no `#[cfg(test)] mod tests;` is above it", repository::shown(path)))
        }
        None => Ok(library),
    }
}

fn is_for_tests(path: &Path) -> bool {
    let folder = path.with_file_name("");
    let parents = ["mod.rs", "lib.rs", "main.rs"].map(|name| folder.join(name));
    let mut parents = parents.into_iter().chain([folder.with_extension("rs")]);
    parents.any(|parent| {
        repository::read(&parent).is_ok_and(|text| text.contains("#[cfg(test)]\nmod tests;"))
    })
}

pub fn code(text: &str) -> Vec<String> {
    let blanked = |line: &str| {
        if line.trim_start().starts_with("//") { String::new() } else { line.to_string() }
    };
    text.lines().take(lines_before_tests(text)).map(blanked).collect()
}

/// How many lines stand before the module of tests.
pub fn lines_before_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let module = |line: &str| {
        line.starts_with("mod ") || (line.starts_with("pub") && line.contains(" mod "))
    };
    let tests = |pair: &[&str]| matches!(pair, ["#[cfg(test)]", next] if module(next));
    lines.windows(2).position(tests).unwrap_or(lines.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_begin_at_their_module_and_not_at_a_lone_attribute() {
        assert_eq!(
            lines_before_tests(
                "use a;\n#[cfg(test)]\nuse b;\nfn c() {}\n#[cfg(test)]\nmod tests {\n"
            ),
            4
        );
        assert_eq!(lines_before_tests("a\n#[cfg(test)]\npub(super) mod tests {\n"), 1);
        assert_eq!(lines_before_tests("a\nb\n"), 2);
    }

    #[test]
    fn a_file_of_tests_stands_below_a_module_of_tests() {
        let crates = repository::root().join("crates");
        assert!(is_for_tests(&crates.join("auth-jwt/src/jwk/tests.rs")));
        assert!(!is_for_tests(&crates.join("auth-jwt/src/key/tests.rs")));
        assert!(!is_for_tests(&crates.join("auth-jwt/src/tests.rs")));
    }

    #[test]
    fn comments_are_blank_and_lines_keep_their_numbers() {
        assert_eq!(
            code("/// std::fs\nfn a() {}\n    // b\nlet url = \"x://y\";\n"),
            ["", "fn a() {}", "", "let url = \"x://y\";"]
        );
    }
}
