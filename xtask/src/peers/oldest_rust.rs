//! The oldest Rust that we promise to compile with, kept beside the machine's own.
//!
//! Where rustup has it, that is it. Where Debian has it, its packages are unpacked into our own folder and not
//! installed: they would hide the machine's Rust.

use super::folder;
use crate::command::{self, retrying};
use crate::repository;
use std::path::PathBuf;
use std::process::Command;

/// What Debian's compiler needs to run, beside the compiler and its standard library in the same version.
const BESIDE: &[&str] = &["libllvm19"];

/// The compiler, if it is there.
pub fn oldest_rust() -> Option<PathBuf> {
    let version = promised().ok()?;
    let ours = folder().join("oldest-rust/rustc");
    if command::capture(Command::new(&ours).arg("--version")).is_ok_and(|said| is(&said, &version))
    {
        return Some(ours);
    }
    let mut rustup = Command::new("rustup");
    rustup.env("RUSTUP_AUTO_INSTALL", "0").args(["which", "rustc", "--toolchain", &version]);
    let rustups = PathBuf::from(command::capture(&mut rustup).ok()?.trim());
    rustups.is_file().then_some(rustups)
}

pub fn install() -> Result<(), String> {
    let version = promised()?;
    let by_hand = format!("`rustup toolchain install {version} --profile minimal` gives it");
    let madison = command::capture(Command::new("apt-cache").args(["madison", "rustc-web"]))
        .map_err(|_| format!("there is no apt-cache here; {by_hand}"))?;
    let full = find(&madison, &version)
        .ok_or_else(|| format!("Debian has no Rust {version} here; {by_hand}"))?;
    let into = folder().join("oldest-rust");
    let downloads = into.join("downloads");
    std::fs::create_dir_all(&downloads)
        .map_err(|error| format!("{}: {error}", downloads.display()))?;
    let mut packages: Vec<String> =
        ["rustc-web", "libstd-rust-web-dev", &format!("libstd-rust-web-{version}")]
            .iter()
            .map(|name| format!("{name}={full}"))
            .collect();
    packages.extend(BESIDE.iter().map(|name| name.to_string()));
    retrying(|| {
        command::run(
            Command::new("apt-get")
                .current_dir(&downloads)
                .args(["-q", "download"])
                .args(&packages),
        )
    })?;
    for package in repository::files(&downloads, ".deb")? {
        command::run(Command::new("dpkg-deb").arg("-x").arg(package).arg(&into))?;
    }
    // It is found by Cargo under one name, and finds its own libraries.
    let script = "#!/bin/sh\nhere=$(dirname \"$(readlink -f \"$0\")\")\n\
        for libraries in \"$here\"/usr/lib/*-linux-gnu; do :; done\n\
        LD_LIBRARY_PATH=\"$libraries\" exec \"$here/usr/bin/rustc\" \"$@\"\n";
    let wrapper = into.join("rustc");
    repository::write(&wrapper, script)?;
    command::run(Command::new("chmod").arg("755").arg(&wrapper))?;
    std::fs::remove_dir_all(&downloads).map_err(|error| format!("{}: {error}", downloads.display()))
}

/// `rust-version` of the workspace, such as `1.85`.
pub fn promised() -> Result<String, String> {
    let manifest = repository::read(&repository::root().join("Cargo.toml"))?;
    let line = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \""));
    let version = line.and_then(|rest| rest.split('"').next());
    version.map(str::to_string).ok_or_else(|| "the root Cargo.toml has no rust-version".into())
}

fn is(said: &str, version: &str) -> bool {
    said.strip_prefix("rustc ").is_some_and(|rest| rest.starts_with(&format!("{version}.")))
}

/// The package version in a listing of `apt-cache madison` that is of this Rust version.
fn find<'a>(madison: &'a str, version: &str) -> Option<&'a str> {
    let versions = madison.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim);
    versions.into_iter().find(|full| full.starts_with(&format!("{version}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_the_promised_version_among_newer_ones() {
        let madison =
            " rustc-web | 1.96.0+dfsg1-1 | security\n rustc-web | 1.85.0+dfsg3-1 | main\n";
        assert_eq!(find(madison, "1.85"), Some("1.85.0+dfsg3-1"));
        assert_eq!(find(madison, "1.8"), None);
    }

    #[test]
    fn another_version_is_not_taken_for_it() {
        assert!(is("rustc 1.85.0 (4d91de4e4 2025-02-17)", "1.85"));
        assert!(!is("rustc 1.95.0 (f2d3ce0bd)", "1.85"));
        assert!(!is("rustc 1.850.0", "1.85"));
    }

    #[test]
    fn the_workspace_promises_a_version() {
        assert!(promised().unwrap().starts_with("1."));
    }
}
