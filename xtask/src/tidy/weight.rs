//! What a user of one crate alone gets with it, as `cargo tree` resolves it.

use super::arrows::{Row, row};
use crate::metadata::Metadata;
use crate::{command, repository};
use std::collections::BTreeSet;

/// HTTP clients, servers and runtimes.
const FORBIDDEN: &[&str] = &[
    "actix-web",
    "async-std",
    "axum",
    "hyper",
    "hyper-util",
    "reqwest",
    "smol",
    "tokio",
    "tower",
    "ureq",
];

pub fn forbidden(metadata: &Metadata) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for package in metadata.published() {
        if row(&package.name).is_some_and(|row| row <= Row::Three) {
            let brought = tree(&package.name, &["--all-features"])?;
            let wrong = named(&brought, FORBIDDEN);
            found.extend(wrong.into_iter().map(|name| format!("{} brings {name}", package.name)));
        }
    }
    for (name, with, not) in ENDS {
        let brought = tree(name, with)?;
        let wrong = named(&brought, &[not]);
        found.extend(
            wrong.into_iter().map(|wrong| format!("{name} {} brings {wrong}", with.join(" "))),
        );
    }
    Ok(found)
}

/// What a program at one end of a platform does not get of the other end: a crate, its features, and what they never bring.
const ENDS: &[(&str, &[&str], &str)] = &[
    ("auth-webex", CLIENT, "auth-lifecycle"),
    ("auth-infobip", CLIENT, "auth-lifecycle"),
    ("auth-infobip", SERVER, "auth-oauth2"),
];

const CLIENT: &[&str] = &["--no-default-features", "--features", "client"];
const SERVER: &[&str] = &["--no-default-features", "--features", "server"];

pub fn counted(metadata: &Metadata) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for package in metadata.published() {
        let Some(most) = most(&package.name) else { continue };
        let count = tree(&package.name, &[])?.len();
        if count > most {
            found.push(format!("{} is {count} crates in all, at most {most}", package.name));
        }
    }
    Ok(found)
}

/// How many crates a crate of ours may be, itself included, with its default features.
fn most(name: &str) -> Option<usize> {
    match row(name)? {
        _ if name == "auth-core" => Some(12),
        // `url` reads what tenants type as their browsers do, and brings the tables of IDNA for it.
        _ if name == "auth-oauth2" => Some(60),
        row if row <= Row::Two => Some(30),
        _ => None,
    }
}

fn tree(name: &str, with: &[&str]) -> Result<BTreeSet<String>, String> {
    let mut cargo = command::cargo();
    cargo.current_dir(repository::root());
    cargo.args([
        "tree",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
        "--package",
        name,
    ]);
    Ok(read(&command::capture(cargo.args(with))?))
}

/// Name and version of each line, once.
fn read(tree: &str) -> BTreeSet<String> {
    let lines = tree.lines().filter(|line| !line.is_empty());
    lines.map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect()
}

fn named<'a>(brought: &'a BTreeSet<String>, names: &[&str]) -> Vec<&'a str> {
    let brought = brought.iter().filter_map(|line| line.split(' ').next());
    brought.filter(|name| names.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "auth-x v0.1.0 (somewhere/auth-x)\nhttp v1.5.0\nbytes v1.12.2\nbytes v1.12.2 (*)\n\
                        tokio v1.0.0\nserde_derive v1.0.0 (proc-macro)\n";

    #[test]
    fn counts_each_crate_once() {
        assert_eq!(read(TREE).len(), 5);
    }

    #[test]
    fn names_what_is_forbidden() {
        assert_eq!(named(&read(TREE), FORBIDDEN), ["tokio"]);
        assert!(named(&read("tokio-util v0.7.0\n"), FORBIDDEN).is_empty());
    }

    #[test]
    fn only_rows_0_to_2_are_counted() {
        assert_eq!(
            [most("auth-core"), most("auth-net"), most("auth-ibsso"), most("auth-oauth2")],
            [Some(12), Some(30), Some(30), Some(60)]
        );
        assert_eq!([most("auth-webhook"), most("auth-tower")], [None, None]);
    }
}
