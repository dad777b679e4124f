//! The invariants that a library's text can show.

use super::arrows::{Row, row};
use super::source::{Code, code, library};
use crate::metadata::Metadata;
use crate::repository;
use std::path::Path;

/// What no crate of rows 0 to 3 names, and the files that may. ring signs with no randomness but its own.
const DOORS: &[(&str, &[&str])] = &[
    ("TcpStream", &[]),
    ("TcpListener", &[]),
    ("UdpSocket", &[]),
    ("std::fs", &[]),
    ("std::process", &[]),
    ("thread::spawn", &[]),
    ("thread::sleep", &[]),
    ("tokio::", &[]),
    ("SystemTime::now", &["auth-core/src/clock.rs"]),
    ("Instant::now", &["auth-core/src/clock.rs"]),
    ("rand::SystemRandom", &["auth-core/src/random.rs", "auth-jwt/src/key/signing.rs"]),
];

pub fn doors(metadata: &Metadata) -> Result<Vec<String>, String> {
    search(metadata, |name| row(name).is_some_and(|row| row <= Row::Three), doors_in)
}

pub fn globals(metadata: &Metadata) -> Result<Vec<String>, String> {
    search(metadata, |_| true, globals_in)
}

pub fn silenced(metadata: &Metadata) -> Result<Vec<String>, String> {
    let lints = workspace_lints(&repository::read(&repository::root().join("Cargo.toml"))?);
    search(metadata, |_| true, |code| silenced_in(code, &lints))
}

fn search(
    metadata: &Metadata,
    wanted: impl Fn(&str) -> bool,
    find: impl Fn(&Code) -> Vec<(usize, String)>,
) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for package in metadata.published().filter(|package| wanted(&package.name)) {
        for code in library(package)? {
            let place = repository::shown(&code.path);
            found.extend(
                find(&code).into_iter().map(|(line, what)| format!("{place}:{line}: {what}")),
            );
        }
    }
    Ok(found)
}

fn doors_in(code: &Code) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (n, line) in code.lines.iter().enumerate() {
        for (door, places) in DOORS {
            let here =
                places.iter().any(|place| code.path.ends_with(Path::new("crates").join(place)));
            if line.contains(door) && !here {
                found.push((n + 1, format!("`{door}`")));
                break;
            }
        }
    }
    found
}

/// A `static` that can change, whatever lets it.
fn globals_in(code: &Code) -> Vec<(usize, String)> {
    const CHANGING: &[&str] =
        &["Atomic", "Mutex", "RwLock", "OnceLock", "LazyLock", "Cell", "Once"];
    let mut found = Vec::new();
    for (n, line) in code.lines.iter().enumerate() {
        if line.contains("thread_local!") {
            found.push((n + 1, "`thread_local!`".into()));
        }
        let words = line.trim_start();
        let item = ["static ", "pub static ", "pub(crate) static ", "pub(super) static "]
            .iter()
            .find_map(|start| words.strip_prefix(start));
        let Some(item) = item else { continue };
        if item.starts_with("mut ") {
            found.push((n + 1, "`static mut`".into()));
        }
        let rest = std::iter::once(item).chain(code.lines.iter().skip(n + 1).map(String::as_str));
        let declared: String = rest.collect::<Vec<_>>().join(" ");
        let declared = declared.split('=').next().unwrap_or_default();
        if let Some(what) = CHANGING.iter().find(|what| declared.contains(*what)) {
            found.push((n + 1, format!("`static` with {what}")));
        }
    }
    found
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

/// The names under `[workspace.lints.*]`.
fn workspace_lints(manifest: &str) -> Vec<String> {
    let mut lints = vec!["warnings".to_string()];
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

    fn file(path: &str, text: &str) -> Code {
        Code { path: path.into(), lines: code(text) }
    }

    #[track_caller]
    fn check_doors(path: &str, text: &str, expected: &[usize]) {
        let lines: Vec<usize> =
            doors_in(&file(path, text)).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, expected, "{text}");
    }

    #[test]
    fn finds_doors_in_code_and_not_in_comments_or_tests() {
        check_doors("a.rs", "use a;\nuse std::net::TcpStream;\n", &[2]);
        check_doors("a.rs", "let text = std::fs::read_to_string(path);\n", &[1]);
        check_doors("a.rs", "tokio::spawn(work);\nstd::thread::spawn(work);\n", &[1, 2]);
        check_doors("a.rs", "/// Never `std::fs`.\nuse std::net::IpAddr;\n", &[]);
        check_doors("a.rs", "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n", &[]);
    }

    #[test]
    fn only_the_clock_reads_the_clock() {
        let text = "let now = SystemTime::now();\n";
        check_doors("somewhere/crates/auth-core/src/clock.rs", text, &[]);
        check_doors("somewhere/crates/auth-core/src/token.rs", text, &[1]);
        check_doors("somewhere/crates/auth-static/src/clock.rs", text, &[1]);
        check_doors("somewhere/crates/auth-core/src/clock.rs", "use std::fs;\n", &[1]);
    }

    #[track_caller]
    fn check_globals(text: &str, expected: &[&str]) {
        let found: Vec<String> =
            globals_in(&file("a.rs", text)).into_iter().map(|(_, what)| what).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn finds_statics_that_can_change() {
        check_globals("static COUNT: AtomicU64 = AtomicU64::new(0);\n", &["`static` with Atomic"]);
        check_globals(
            "pub(crate) static KEYS:\n    OnceLock<Keys> = OnceLock::new();\n",
            &["`static` with OnceLock"],
        );
        check_globals("static mut N: u8 = 0;\n", &["`static mut`"]);
        check_globals("thread_local! {\n", &["`thread_local!`"]);
        check_globals("static NAMES: &[&str] = &[];\nstruct A { once: OnceLock<u8> }\n", &[]);
    }

    #[track_caller]
    fn check_silenced(text: &str, expected: &[(usize, &str)]) {
        let lints = workspace_lints(
            "[workspace.lints.clippy]\nunwrap_used = \"warn\"\n[profile.dev]\ndebug = 1\n",
        );
        let found = silenced_in(&file("a.rs", text), &lints);
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
        check_silenced("#[allow(clippy::large_enum_variant)]\n#[derive(Debug)]\n", &[]);
        check_silenced("#[must_use]\nlet debug = x.expect(unwrap_used);\n", &[]);
    }
}
