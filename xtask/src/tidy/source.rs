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

/// The files of a package's source without the modules that their parents have for tests alone.
pub fn files(package: &Package) -> Result<Vec<PathBuf>, String> {
    let all = repository::files(&package.manifest.with_file_name("src"), ".rs")?;
    let mut for_tests = Vec::new();
    for parent in &all {
        let folder = folder_of_modules(parent);
        let names = modules_for_tests(&repository::read(parent)?);
        for_tests.extend(names.into_iter().map(|name| folder.join(name)));
    }
    let is_for_tests = |path: &PathBuf| {
        for_tests
            .iter()
            .any(|module| path.starts_with(module) || *path == module.with_extension("rs"))
    };
    let library: Vec<PathBuf> = all.into_iter().filter(|path| !is_for_tests(path)).collect();
    match library.iter().find(|path| path.ends_with("tests.rs")) {
        Some(path) => {
            Err(format!("{}: no `#[cfg(test)] mod tests;` is above it", repository::shown(path)))
        }
        None => Ok(library),
    }
}

/// Where the files of a file's modules are.
fn folder_of_modules(path: &Path) -> PathBuf {
    let is_root = ["mod.rs", "lib.rs", "main.rs"].iter().any(|name| path.ends_with(name));
    if is_root { path.with_file_name("") } else { path.with_extension("") }
}

/// The modules with files of their own that stand below `#[cfg(test)]`, and perhaps below another attribute.
fn modules_for_tests(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let module = |line: &&str| {
        let (_, name) = line.strip_suffix(';')?.split_once("mod ")?;
        Some(name.to_string())
    };
    let below = |at: usize| lines.iter().skip(at + 1).find(|line| !line.starts_with("#["));
    let attributes = lines.iter().enumerate().filter(|(_, line)| **line == "#[cfg(test)]");
    attributes.filter_map(|(at, _)| below(at).and_then(module)).collect()
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
    fn a_module_is_for_tests_below_the_attribute_and_perhaps_another() {
        let check = |text: &str, expected: &[&str]| assert_eq!(modules_for_tests(text), expected);
        check("#[cfg(test)]\nmod tests;\n", &["tests"]);
        check("#[cfg(test)]\n#[cfg(unix)]\npub(crate) mod crashes;\nmod a;\n", &["crashes"]);
        check("#[cfg(test)]\nmod tests {\n    mod inner;\n}\n", &[]);
        check("#[cfg(test)]\nuse a;\nmod b;\n", &[]);
        check("mod a;\n#[cfg(unix)]\nmod b;\n", &[]);
    }

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
    fn the_modules_of_a_file_are_beside_a_root_and_below_another() {
        let check = |path: &str, expected: &str| {
            assert_eq!(folder_of_modules(Path::new(path)), Path::new(expected));
        };
        check("src/lib.rs", "src");
        check("src/a/mod.rs", "src/a");
        check("src/a.rs", "src/a");
    }

    #[test]
    fn comments_are_blank_and_lines_keep_their_numbers() {
        assert_eq!(
            code("/// std::fs\nfn a() {}\n    // b\nlet url = \"x://y\";\n"),
            ["", "fn a() {}", "", "let url = \"x://y\";"]
        );
    }
}
