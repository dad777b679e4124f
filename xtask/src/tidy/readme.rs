//! The README's tables, generated from the manifests.

use crate::metadata::{Kind, Metadata, Package};
use crate::repository;
use std::path::PathBuf;

/// Dependencies that a reader asks about.
const ASKED: &[&str] = &[
    "jsonwebtoken",
    "ring",
    "base64",
    "md-5",
    "sha2",
    "url",
    "serde",
    "reqwest",
    "rsa",
    "proptest",
];

pub fn find(metadata: &Metadata) -> Result<Vec<String>, String> {
    if !path().is_file() {
        return Ok(vec!["there is no README.md".into()]);
    }
    let readme = repository::read(&path())?;
    let mut findings: Vec<String> = metadata
        .published()
        .filter(|package| package.reason.is_none())
        .map(|package| format!("{} has no package.metadata.messaging-auth.reason", package.name))
        .collect();
    match updated(&readme, metadata) {
        Err(what) => findings.push(what),
        Ok(updated) if updated != readme => {
            findings.push("a table is out of step; `cargo xtask tidy --fix`".into());
        }
        Ok(_) => {}
    }
    Ok(findings)
}

pub fn fix(metadata: &Metadata) -> Result<(), String> {
    let readme = repository::read(&path())?;
    repository::write(&path(), &updated(&readme, metadata)?)
}

fn path() -> PathBuf {
    repository::root().join("README.md")
}

fn updated(readme: &str, metadata: &Metadata) -> Result<String, String> {
    let readme = between(readme, "crates", &crates(metadata))?;
    between(&readme, "dependencies", &dependencies(metadata))
}

/// The text with what stands between the markers of this name replaced.
fn between(text: &str, name: &str, table: &str) -> Result<String, String> {
    let (open, close) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let missing = || format!("README.md has no {open} .. {close}");
    let (before, rest) = text.split_once(&open).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&close).ok_or_else(missing)?;
    Ok(format!("{before}{open}\n{table}{close}{after}"))
}

fn crates(metadata: &Metadata) -> String {
    let rows = metadata.published().map(|package| {
        let reason = package.reason.as_deref().unwrap_or_default();
        format!("| `{}` | {} | {reason} |\n", package.name, package.description)
    });
    "| crate | what it is | why it is one |\n|---|---|---|\n".to_string()
        + &rows.collect::<String>()
}

fn dependencies(metadata: &Metadata) -> String {
    let mut table = "| dependency | normal | optional | dev |\n|---|---|---|---|\n".to_string();
    for asked in ASKED {
        let cell = |used: Use| {
            let ours: Vec<String> = metadata
                .ours()
                .filter(|package| uses(package, asked).contains(&used))
                .map(|package| format!("`{}`", package.name))
                .collect();
            ours.join(", ")
        };
        let cells = [cell(Use::Normal), cell(Use::Optional), cell(Use::Dev)];
        table.push_str(&format!("| {asked} |"));
        if cells.iter().all(String::is_empty) {
            table.push_str(" not yet | | |\n");
            continue;
        }
        for cell in cells {
            table.push_str(&if cell.is_empty() { " |".into() } else { format!(" {cell} |") });
        }
        table.push('\n');
    }
    table
}

#[derive(Clone, Copy, PartialEq)]
enum Use {
    Normal,
    Optional,
    Dev,
}

/// How a crate uses a dependency; whatever crates use that are not published serves development.
fn uses(package: &Package, name: &str) -> Vec<Use> {
    let declared = package.dependencies.iter().filter(|dependency| dependency.name == name);
    declared
        .map(|dependency| match dependency.kind {
            _ if !package.published => Use::Dev,
            Kind::Dev => Use::Dev,
            _ if dependency.optional => Use::Optional,
            _ => Use::Normal,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::tests::{dependency, package, workspace};

    const README: &str = "# X\n<!-- crates -->\nold\n<!-- /crates -->\ntext\n\
                          <!-- dependencies -->\n<!-- /dependencies -->\nend\n";

    fn metadata() -> Metadata {
        let mut ring = dependency("ring", Kind::Normal);
        ring.optional = true;
        let dependencies =
            vec![ring, dependency("ring", Kind::Dev), dependency("base64", Kind::Normal)];
        let a = Package {
            description: "Says A".into(),
            reason: Some("alone".into()),
            dependencies,
            ..package("a")
        };
        let tests = Package {
            published: false,
            dependencies: vec![dependency("serde", Kind::Normal)],
            ..package("tests")
        };
        workspace(vec![a, tests])
    }

    #[test]
    fn writes_published_crates_with_their_description() {
        assert_eq!(
            crates(&metadata()),
            "| crate | what it is | why it is one |\n|---|---|---|\n| `a` | Says A | alone |\n"
        );
    }

    #[track_caller]
    fn check_row(row: &str) {
        let table = dependencies(&metadata());
        assert!(table.lines().any(|line| line == row), "{row} is not in\n{table}");
    }

    #[test]
    fn says_where_each_dependency_is_used_and_how() {
        check_row("| base64 | `a` | | |");
        check_row("| ring | | `a` | `a` |");
        check_row("| serde | | | `tests` |");
        check_row("| rsa | not yet | | |");
    }

    #[test]
    fn replaces_only_what_stands_between_markers_and_is_stable() {
        let once = updated(README, &metadata()).unwrap();
        assert!(
            once.starts_with("# X\n<!-- crates -->\n| crate |")
                && once.ends_with("<!-- /dependencies -->\nend\n")
        );
        assert!(!once.contains("old"));
        assert_eq!(updated(&once, &metadata()).unwrap(), once);
    }

    #[test]
    fn missing_markers_are_named() {
        let without = README.replace("<!-- /crates -->", "");
        assert_eq!(
            updated(&without, &metadata()).unwrap_err(),
            "README.md has no <!-- crates --> .. <!-- /crates -->"
        );
    }
}
