//! The lists of `deny.toml`, held against all that the published crates bring. cargo-deny takes minutes to build and
//! this takes none, so it is what always runs.

use crate::metadata::{Metadata, Package};
use crate::repository;

pub fn find(metadata: &Metadata) -> Result<Vec<String>, String> {
    let deny = repository::read(&repository::root().join("deny.toml"))?;
    let shipped: Vec<&Package> =
        metadata.shipped().into_iter().map(|(_, package)| package).collect();
    Ok(find_in(&shipped, &deny))
}

fn find_in(shipped: &[&Package], deny: &str) -> Vec<String> {
    let allowed = list(deny, "licenses", "allow");
    let banned = list(deny, "bans", "deny");
    let twice = list(deny, "bans", "skip");
    let mut found = Vec::new();
    for package in shipped {
        let shown = format!("{} {}", package.name, package.version);
        let license = package.license.as_deref().unwrap_or("none");
        if !satisfied(license, &allowed) {
            found.push(format!("{shown}: licence {license}"));
        }
        if banned.contains(&package.name) {
            found.push(format!("{shown} is banned"));
        }
        if package.source.as_ref().is_some_and(|source| !source.starts_with("registry+")) {
            found.push(format!("{shown} comes from no registry"));
        }
        // Of two versions the lower is to go.
        let newer = |other: &&&Package| {
            other.name == package.name && precedes(&package.version, &other.version)
        };
        let named = |skip: &String| *skip == format!("{}@{}", package.name, package.version);
        if let Some(newer) = shipped.iter().find(newer).filter(|_| !twice.iter().any(named)) {
            found.push(format!("{shown} stands beside {}", newer.version));
        }
    }
    let there = |skip: &&String| {
        shipped.iter().any(|package| **skip == format!("{}@{}", package.name, package.version))
    };
    let gone = twice.iter().filter(|skip| !there(skip));
    found.extend(gone.map(|skip| format!("deny.toml skips {skip}, which is gone")));
    found
}

fn precedes(version: &str, other: &str) -> bool {
    let numbers = |version: &str| -> Vec<u64> {
        version.split(['.', '-', '+']).map(|part| part.parse().unwrap_or(0)).collect()
    };
    numbers(version) < numbers(other)
}

/// The strings of `key = [..]` in a section.
fn list(toml: &str, section: &str, key: &str) -> Vec<String> {
    let mut inside = false;
    let mut listing = false;
    let mut strings = Vec::new();
    for line in toml.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.starts_with('[') && !listing {
            inside = line == format!("[{section}]");
        }
        let starts =
            inside && line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
        listing |= starts;
        if listing {
            strings.extend(line.split('"').skip(1).step_by(2).map(str::to_string));
            listing = !line.ends_with(']');
        }
    }
    strings
}

/// Whether an SPDX expression can be met with the allowed licences: all of an `AND`, one of an `OR`.
fn satisfied(expression: &str, allowed: &[String]) -> bool {
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = expression.split_whitespace().collect();
    let mut words = words.as_slice();
    let met = any_of(&mut words, allowed);
    met && words.is_empty()
}

fn any_of(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = all_of(words, allowed);
    while let Some(("OR", rest)) = words.split_first().map(|(word, rest)| (*word, rest)) {
        *words = rest;
        met |= all_of(words, allowed);
    }
    met
}

fn all_of(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = one(words, allowed);
    while let Some(("AND", rest)) = words.split_first().map(|(word, rest)| (*word, rest)) {
        *words = rest;
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut &[&str], allowed: &[String]) -> bool {
    let Some((word, rest)) = words.split_first() else { return false };
    *words = rest;
    if *word == "(" {
        let met = any_of(words, allowed);
        let closed = words.first() == Some(&")");
        *words = words.get(1..).unwrap_or_default();
        return met && closed;
    }
    let mut name = (*word).to_string();
    if let ["WITH", exception, rest @ ..] = *words {
        name = format!("{name} WITH {exception}");
        *words = rest;
    }
    allowed.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::tests::package;

    const DENY: &str = "[licenses]\nallow = [\n  \"MIT\", # short\n  \"Apache-2.0 WITH LLVM-exception\",\n]\n\
                        [bans]\ndeny = [\"openssl\"]\nskip = [\"getrandom@0.2.17\"]\n";

    #[test]
    fn reads_lists_over_one_line_and_several() {
        assert_eq!(list(DENY, "licenses", "allow"), ["MIT", "Apache-2.0 WITH LLVM-exception"]);
        assert_eq!(list(DENY, "bans", "deny"), ["openssl"]);
        assert!(list(DENY, "licenses", "deny").is_empty());
    }

    #[track_caller]
    fn check_license(expression: &str, expected: bool) {
        assert_eq!(
            satisfied(expression, &list(DENY, "licenses", "allow")),
            expected,
            "{expression}"
        );
    }

    #[test]
    fn an_expression_is_met_by_all_of_and_and_one_of_or() {
        check_license("MIT", true);
        check_license("GPL-3.0", false);
        check_license("GPL-3.0 OR MIT", true);
        check_license("MIT/Apache-2.0", true);
        check_license("MIT AND Apache-2.0", false);
        check_license("MIT AND (GPL-3.0 OR Apache-2.0 WITH LLVM-exception)", true);
        check_license("Apache-2.0", false);
        check_license("(MIT", false);
        check_license("MIT MIT", false);
        check_license("", false);
    }

    fn foreign(name: &str, version: &str) -> Package {
        Package {
            version: version.into(),
            license: Some("MIT".into()),
            source: Some("registry+x".into()),
            ..package(name)
        }
    }

    #[track_caller]
    fn check(packages: &[Package], expected: &[&str]) {
        let kept = foreign("getrandom", "0.2.17");
        let packages: Vec<&Package> = packages.iter().chain([&kept]).collect();
        assert_eq!(find_in(&packages, DENY), expected);
    }

    #[test]
    fn names_each_package_that_the_lists_do_not_permit() {
        check(&[foreign("a", "1.0.0")], &[]);
        check(&[Package { license: None, ..foreign("a", "1.0.0") }], &["a 1.0.0: licence none"]);
        check(&[foreign("openssl", "1.0.0")], &["openssl 1.0.0 is banned"]);
        let elsewhere = Package { source: Some("git+x".into()), ..foreign("a", "1.0.0") };
        check(&[elsewhere], &["a 1.0.0 comes from no registry"]);
    }

    #[test]
    fn names_the_lower_of_two_versions_unless_skipped() {
        check(&[foreign("a", "1.9.0"), foreign("a", "1.10.0")], &["a 1.9.0 stands beside 1.10.0"]);
        check(&[foreign("getrandom", "0.3.4")], &[]);
    }

    #[test]
    fn a_skip_that_nothing_needs_is_named() {
        assert_eq!(find_in(&[], DENY), ["deny.toml skips getrandom@0.2.17, which is gone"]);
    }
}
