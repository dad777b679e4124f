//! The rows of the design: which crate may depend on which.

use crate::metadata::{Kind, Metadata};

/// Lower rows know nothing of higher ones.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Row {
    Zero,
    One,
    Two,
    Three,
    Edge,
    Testing,
    Top,
}

/// What a crate may depend on among ours, beside what its dev-dependencies may.
enum May {
    Only(&'static [&'static str]),
    /// All of rows 0 to this one, and these.
    UpTo(Row, &'static [&'static str]),
    All,
}

struct Place {
    name: &'static str,
    row: Row,
    may: May,
}

const fn place(name: &'static str, row: Row, may: May) -> Place {
    Place { name, row, may }
}

const PLACES: &[Place] = &[
    place("auth-core", Row::Zero, May::Only(&[])),
    place("auth-net", Row::Zero, May::Only(&[])),
    place("auth-session", Row::One, May::Only(&["auth-core"])),
    place("auth-static", Row::One, May::Only(&["auth-core"])),
    place("auth-digest", Row::One, May::Only(&["auth-core"])),
    place("auth-jwt", Row::One, May::Only(&["auth-core", "auth-session"])),
    place("auth-sigv4", Row::One, May::Only(&["auth-core", "auth-session"])),
    place("auth-oauth2", Row::Two, May::Only(&["auth-core", "auth-session", "auth-jwt"])),
    place("auth-symphony", Row::Two, May::Only(&["auth-core", "auth-session", "auth-jwt"])),
    place("auth-ibsso", Row::Two, May::Only(&["auth-core", "auth-session"])),
    place("auth-lifecycle", Row::Two, May::Only(LIFECYCLE)),
    place("auth-webhook", Row::Three, May::UpTo(Row::Two, &[])),
    place("auth-webex", Row::Three, May::UpTo(Row::Two, &["auth-webhook"])),
    place("auth-infobip", Row::Three, May::UpTo(Row::Two, &["auth-webhook"])),
    place("auth-outbound", Row::Edge, May::Only(&["auth-core", "auth-net"])),
    place("auth-reqwest", Row::Edge, May::Only(CLIENT)),
    place("auth-ureq", Row::Edge, May::Only(CLIENT)),
    place("auth-tower", Row::Edge, May::Only(EDGE)),
    place("auth-local", Row::Edge, May::Only(EDGE)),
    place("auth-store-sqlite", Row::Edge, May::Only(STORES)),
    place("auth-store-postgres", Row::Edge, May::Only(STORES)),
    place("auth-store-redis", Row::Edge, May::Only(&["auth-core"])),
    place("auth-testing", Row::Testing, May::UpTo(Row::Three, &["auth-tower"])),
    place("auth-emulator", Row::Testing, May::UpTo(Row::Three, &["auth-tower"])),
    place("messaging-auth", Row::Top, May::All),
    place("authd", Row::Top, May::All),
    place("conformance", Row::Top, May::All),
    place("conformance-static", Row::Top, May::All),
    place("conformance-jwt", Row::Top, May::All),
    place("conformance-digest", Row::Top, May::All),
    place("conformance-sigv4", Row::Top, May::All),
    place("conformance-oauth2", Row::Top, May::All),
    place("conformance-infobip", Row::Top, May::All),
    place("conformance-symphony", Row::Top, May::All),
    place("conformance-webex", Row::Top, May::All),
    place("conformance-webhook", Row::Top, May::All),
    place("conformance-all", Row::Top, May::All),
    place("demo", Row::Top, May::All),
    place("statements", Row::Top, May::All),
    place("adapters", Row::Top, May::All),
    place("xtask", Row::Top, May::Only(&[])),
];

/// Row 1 behind features: the look-ups of each scheme.
const LIFECYCLE: &[&str] = &[
    "auth-core",
    "auth-net",
    "auth-session",
    "auth-static",
    "auth-jwt",
    "auth-digest",
    "auth-sigv4",
];
const STORES: &[&str] = &["auth-core", "auth-session", "auth-lifecycle"];
const EDGE: &[&str] = &["auth-core", "auth-net", "auth-session"];
const CLIENT: &[&str] = &["auth-core", "auth-net", "auth-outbound"];

/// The row of a crate of ours.
pub fn row(name: &str) -> Option<Row> {
    PLACES.iter().find(|place| place.name == name).map(|place| place.row)
}

pub fn find(metadata: &Metadata) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for package in metadata.ours() {
        let Some(from) = PLACES.iter().find(|place| place.name == package.name) else {
            found.push(format!("{} has no row; add it to the table in arrows.rs", package.name));
            continue;
        };
        let ours = |name: &str| metadata.ours().any(|package| package.name == name);
        for dependency in package.dependencies.iter().filter(|dependency| ours(&dependency.name)) {
            let to = dependency.name.as_str();
            if !allowed(from, to, dependency.kind) {
                let how = if dependency.kind == Kind::Dev { "dev-depend" } else { "depend" };
                found.push(format!("{} may not {how} on {to}", package.name));
            }
        }
    }
    Ok(found)
}

fn allowed(from: &Place, to: &str, kind: Kind) -> bool {
    let to_row = row(to);
    let normal = match &from.may {
        May::Only(names) => names.contains(&to),
        May::UpTo(highest, names) => {
            to_row.is_some_and(|row| row <= *highest) || names.contains(&to)
        }
        May::All => true,
    };
    let in_tests = to_row.is_some_and(|row| row < from.row || row == Row::Testing);
    normal || (kind == Kind::Dev && in_tests)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Package;
    use crate::metadata::tests::{dependency, package, workspace};

    fn with(name: &str, to: &str, kind: Kind) -> Package {
        Package { dependencies: vec![dependency(to, kind)], ..package(name) }
    }

    #[track_caller]
    fn check(from: &str, to: &str, kind: Kind, expected: &[&str]) {
        let metadata = workspace(vec![with(from, to, kind), package(to)]);
        assert_eq!(find(&metadata).unwrap(), expected);
    }

    #[test]
    fn allows_what_the_rows_allow() {
        check("auth-static", "auth-core", Kind::Normal, &[]);
        check("auth-webhook", "auth-oauth2", Kind::Normal, &[]);
        check("auth-webex", "auth-webhook", Kind::Normal, &[]);
        check("messaging-auth", "auth-reqwest", Kind::Normal, &[]);
        check("auth-ureq", "auth-outbound", Kind::Normal, &[]);
    }

    #[test]
    fn refuses_any_other_arrow() {
        check("auth-core", "auth-net", Kind::Normal, &["auth-core may not depend on auth-net"]);
        check(
            "auth-tower",
            "auth-static",
            Kind::Normal,
            &["auth-tower may not depend on auth-static"],
        );
        check(
            "auth-tower",
            "auth-outbound",
            Kind::Normal,
            &["auth-tower may not depend on auth-outbound"],
        );
        check(
            "auth-webhook",
            "auth-webex",
            Kind::Normal,
            &["auth-webhook may not depend on auth-webex"],
        );
        check(
            "auth-oauth2",
            "auth-digest",
            Kind::Build,
            &["auth-oauth2 may not depend on auth-digest"],
        );
        check("xtask", "auth-core", Kind::Normal, &["xtask may not depend on auth-core"]);
    }

    #[test]
    fn tests_may_reach_lower_rows_and_testing_crates() {
        check("auth-tower", "auth-static", Kind::Dev, &[]);
        check("auth-core", "auth-testing", Kind::Dev, &[]);
        check(
            "auth-static",
            "auth-tower",
            Kind::Dev,
            &["auth-static may not dev-depend on auth-tower"],
        );
    }

    #[test]
    fn a_crate_without_a_row_is_a_finding() {
        let metadata = workspace(vec![package("auth-new")]);
        assert_eq!(
            find(&metadata).unwrap(),
            ["auth-new has no row; add it to the table in arrows.rs"]
        );
    }

    #[test]
    fn foreign_crates_are_no_arrows() {
        let core = with("auth-core", "serde", Kind::Normal);
        let mut metadata = workspace(vec![core, package("serde")]);
        metadata.members.retain(|id| id != "serde@1.0.0");
        assert!(find(&metadata).unwrap().is_empty());
    }
}
