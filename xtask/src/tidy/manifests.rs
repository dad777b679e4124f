//! What manifests must say.

use crate::metadata::Metadata;
use crate::repository;

const INHERITED: &[&str] = &["version", "edition", "rust-version", "license", "repository"];

pub fn inherited(metadata: &Metadata) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for package in metadata.published() {
        let missing = missing(&repository::read(&package.manifest)?);
        found.extend(missing.into_iter().map(|line| format!("{}: no `{line}`", package.name)));
    }
    Ok(found)
}

fn missing(manifest: &str) -> Vec<String> {
    let lines: Vec<&str> = manifest.lines().map(str::trim).collect();
    let mut missing: Vec<String> = INHERITED
        .iter()
        .map(|key| format!("{key}.workspace = true"))
        .filter(|line| !lines.contains(&line.as_str()))
        .collect();
    if !lines.windows(2).any(|pair| pair == ["[lints]", "workspace = true"]) {
        missing.push("[lints] workspace = true".into());
    }
    missing
}

/// Features that need a newer Rust than we promise, because what they bring does: crate, feature, and what it brings.
pub const NEWER_RUST: &[(&str, &str, &str)] = &[("auth-jwt", "jsonwebtoken", "jsonwebtoken")];

/// Whatever a published crate brings declares no newer Rust than we promise.
pub fn rust_versions(metadata: &Metadata) -> Result<Vec<String>, String> {
    let promised = crate::peers::promised_rust()?;
    let newer = metadata.shipped().into_iter().filter_map(|(_, package)| {
        let needed = package.rust_version.as_deref()?;
        let excused = NEWER_RUST.iter().any(|(_, _, brought)| *brought == package.name);
        let newer = !excused && numbers(needed) > numbers(&promised);
        newer.then(|| {
            format!(
                "{} {} needs Rust {needed}, we promise {promised}",
                package.name, package.version
            )
        })
    });
    Ok(newer.collect())
}

/// `1.85` and `1.85.0` are the same.
fn numbers(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Package;
    use crate::metadata::tests::{package, workspace};

    #[test]
    fn each_line_that_is_not_inherited_is_named() {
        let good = "[package]\nversion.workspace = true\nedition.workspace = true\nrust-version.workspace = true\n\
                    license.workspace = true\nrepository.workspace = true\n\n[lints]\nworkspace = true\n";
        assert!(missing(good).is_empty());
        assert_eq!(
            missing(&good.replace("license.workspace = true", "license = \"MIT\"")),
            ["license.workspace = true"]
        );
        assert_eq!(
            missing(&good.replace("[lints]\nworkspace = true", "[lints.rust]")),
            ["[lints] workspace = true"]
        );
    }

    #[track_caller]
    fn check_rust(needed: Option<&str>, expected: usize) {
        let metadata =
            workspace(vec![Package { rust_version: needed.map(str::to_string), ..package("a") }]);
        assert_eq!(rust_versions(&metadata).unwrap().len(), expected, "{needed:?}");
    }

    #[test]
    fn a_newer_rust_than_promised_is_a_finding() {
        let promised = crate::peers::promised_rust().unwrap();
        check_rust(Some(&promised), 0);
        check_rust(Some(&format!("{promised}.0")), 0);
        check_rust(None, 0);
        check_rust(Some("1.31"), 0);
        check_rust(Some(&format!("{promised}.1")), 1);
        check_rust(Some("1.900"), 1);
    }
}
