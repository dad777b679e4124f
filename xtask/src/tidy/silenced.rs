//! The lints of the workspace hold in every library: nothing silences them there.

use super::doors;
use super::source::{Code, code, search};
use crate::metadata::Metadata;
use crate::repository;

pub fn find(metadata: &Metadata) -> Result<Vec<String>, String> {
    let lints = workspace_lints(&repository::read(&repository::root().join("Cargo.toml"))?);
    search(metadata, |code| Ok(silenced_in(code, &lints)))
}

/// An `allow` or `expect` attribute that names one of these lints.
fn silenced_in(code: &Code, lints: &[String]) -> Vec<(usize, String)> {
    let text = code.lines.join("\n");
    let mut found = Vec::new();
    for (start, _) in text.match_indices("#[").chain(text.match_indices("#![")) {
        let Some((before, attribute)) = text.split_at_checked(start) else { continue };
        let attribute = attribute.split(']').next().unwrap_or_default();
        let Some((_, named)) =
            attribute.split_once("allow(").or_else(|| attribute.split_once("expect("))
        else {
            continue;
        };
        let mut words = named.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        if let Some(lint) = words.find(|word| lints.iter().any(|lint| lint == word)) {
            found.push((before.matches('\n').count() + 1, format!("silences `{lint}`")));
        }
    }
    found
}

/// The groups that hold lints of ours: their names silence them as well.
const GROUPS: [&str; 7] =
    ["warnings", "complexity", "correctness", "perf", "restriction", "style", "suspicious"];

/// The names under `[workspace.lints.*]`, those that `doors` asks for, and those of their groups.
fn workspace_lints(manifest: &str) -> Vec<String> {
    let others = GROUPS.iter().chain(doors::LINTS);
    let mut lints: Vec<String> = others.map(|lint| (*lint).to_string()).collect();
    let mut inside = false;
    for line in code(manifest) {
        if line.starts_with('[') {
            inside = line.starts_with("[workspace.lints.");
        } else if let Some((name, _)) = line.split_once('=').filter(|_| inside) {
            lints.push(name.trim().to_string());
        }
    }
    lints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_silenced(text: &str, expected: &[(usize, &str)]) {
        let lints = workspace_lints(
            "[workspace.lints.clippy]\nunwrap_used = \"warn\"\n[profile.dev]\ndebug = 1\n",
        );
        let found = silenced_in(&Code { path: "a.rs".into(), lines: code(text) }, &lints);
        let found: Vec<(usize, &str)> =
            found.iter().map(|(line, what)| (*line, what.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn finds_attributes_that_silence_a_lint_of_ours() {
        check_silenced(
            "fn a() {}\n#[allow(clippy::unwrap_used)]\n",
            &[(2, "silences `unwrap_used`")],
        );
        check_silenced(
            "#![expect(\n    clippy::unwrap_used\n)]\n",
            &[(1, "silences `unwrap_used`")],
        );
        check_silenced(
            "#[cfg_attr(x, allow(clippy::unwrap_used))]\n",
            &[(1, "silences `unwrap_used`")],
        );
        check_silenced("#[allow(warnings)]\n", &[(1, "silences `warnings`")]);
        check_silenced(
            "#[allow(clippy::disallowed_methods)]\n",
            &[(1, "silences `disallowed_methods`")],
        );
        check_silenced("#[allow(clippy::restriction)]\n", &[(1, "silences `restriction`")]);
        check_silenced("#[allow(clippy::perf)]\n", &[(1, "silences `perf`")]);
        check_silenced("#[allow(clippy::large_enum_variant)]\n#[derive(Debug)]\n", &[]);
        check_silenced("#[must_use]\nlet debug = x.expect(unwrap_used);\n", &[]);
    }
}
