//! Installing what is missing, and nothing twice.

use super::{Origin, PEERS, Peer, folder, oldest_rust};
use crate::command::{self, Done, Steps, retrying};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The interpreter of our own Python environment.
pub fn python() -> PathBuf {
    folder().join("venv/bin/python")
}

/// The folder that has our own packages of npm.
pub fn npm() -> PathBuf {
    folder().join("npm")
}

/// Where a program lies that cargo builds in this version: `name@version`.
pub fn built(package: &str) -> PathBuf {
    let name = package.split('@').next().unwrap_or(package);
    folder().join(package).join("bin").join(name)
}

pub fn install() -> Result<String, String> {
    let missing: Vec<&Peer> =
        PEERS.iter().filter(|peer| peer.is_ours_to_install() && peer.version().is_none()).collect();
    if missing.is_empty() {
        return Ok("all is there".into());
    }
    eprintln!("missing: {}", missing.iter().map(|peer| peer.name).collect::<Vec<_>>().join(", "));
    let debian: Vec<&str> = names(&missing, |origin| match origin {
        Origin::Debian(package) => Some(package),
        _ => None,
    });
    let python: Vec<&str> = names(&missing, |origin| match origin {
        Origin::Python(package) => Some(package),
        _ => None,
    });
    let npm = names(&missing, |origin| match origin {
        Origin::Npm(package) => Some(package),
        _ => None,
    });
    let rust = missing.iter().any(|peer| matches!(peer.origin, Origin::OldestRust));
    let built: Vec<&str> = names(&missing, |origin| match origin {
        Origin::Built(package) => Some(package),
        _ => None,
    });
    let mut steps = Steps::new(6);
    steps.step("package lists", || refresh_lists(rust || !debian.is_empty()));
    steps.step("Debian packages", || when(!debian.is_empty(), || install_debian(&debian)));
    steps.step("Python packages", || when(!python.is_empty(), || install_python(&python)));
    steps.step("npm packages", || when(!npm.is_empty(), || install_npm(&npm)));
    steps.step("oldest Rust", || when(rust, oldest_rust::install));
    steps.step("cargo programs", || when(!built.is_empty(), || install_built(&built)));
    steps.finish()?;
    let still: Vec<&str> =
        missing.iter().filter(|peer| peer.version().is_none()).map(|peer| peer.name).collect();
    if still.is_empty() {
        Ok(format!("{} installed", missing.len()))
    } else {
        Err(format!("installed, and yet not there: {}", still.join(", ")))
    }
}

fn names(peers: &[&Peer], of: impl Fn(&Origin) -> Option<&'static str>) -> Vec<&'static str> {
    peers.iter().filter_map(|peer| of(&peer.origin)).collect()
}

fn when(needed: bool, work: impl FnOnce() -> Result<(), String>) -> Result<Done, String> {
    if !needed {
        return Ok(Done::Skipped("all is there".into()));
    }
    work().map(|()| Done::Ran)
}

fn refresh_lists(needed: bool) -> Result<Done, String> {
    if needed && !(has_apt() && is_root()?) {
        return Ok(Done::Skipped("only root may, and only with apt-get".into()));
    }
    when(needed, || retrying(|| command::run(Command::new("apt-get").args(["-q", "update"]))))
}

fn has_apt() -> bool {
    command::capture(Command::new("apt-get").arg("--version")).is_ok()
}

fn is_root() -> Result<bool, String> {
    Ok(command::capture(Command::new("id").arg("-u"))?.trim() == "0")
}

fn install_debian(packages: &[&str]) -> Result<(), String> {
    let by_hand = format!("install these by hand: {}", packages.join(" "));
    if !has_apt() {
        return Err(format!("there is no apt-get here; {by_hand} (Debian's names)"));
    }
    if !is_root()? {
        return Err(format!("only root may; {by_hand} (apt-get install --no-install-recommends)"));
    }
    let _policy = NoServices::declare()?;
    retrying(|| {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        apt.args(["-qq", "-o", "Dpkg::Use-Pty=0", "-y", "install", "--no-install-recommends"])
            .args(packages);
        command::run(&mut apt)
    })
}

fn install_python(packages: &[&str]) -> Result<(), String> {
    if !python().is_file() {
        command::run(Command::new("python3").args(["-m", "venv"]).arg(folder().join("venv")))?;
    }
    retrying(|| {
        let mut pip = Command::new(python());
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
        command::run(&mut pip)
    })
}

fn install_npm(packages: &[&str]) -> Result<(), String> {
    let folder = npm();
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    retrying(|| {
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"]);
        command::run(npm.arg("--prefix").arg(&folder).args(packages))
    })
}

/// Not optimized: it runs for two seconds, and optimizing it takes minutes.
fn install_built(packages: &[&str]) -> Result<(), String> {
    let each = |package: &&str| {
        let mut cargo = command::cargo();
        cargo.args(["install", "--quiet", "--locked", "--debug", "--root"]);
        cargo.arg(folder().join(package)).arg(package);
        // A folder of its own, which goes again: what it builds is of no use to us.
        let target = folder().join("building");
        retrying(|| command::run(cargo.env("CARGO_TARGET_DIR", &target)))?;
        std::fs::remove_dir_all(&target).map_err(|error| format!("{}: {error}", target.display()))
    };
    packages.iter().try_for_each(each)
}

/// While this lives, packages that are installed start no services. Removes only what it put there.
struct NoServices(Option<&'static Path>);

impl NoServices {
    fn declare() -> Result<Self, String> {
        let path = Path::new("/usr/sbin/policy-rc.d");
        if path.exists() {
            return Ok(Self(None));
        }
        // Written through the shell, which can make it executable in one go.
        let script = "printf '#!/bin/sh\\nexit 101\\n' >\"$0\" && chmod 755 \"$0\"";
        command::capture(Command::new("sh").arg("-c").arg(script).arg(path))?;
        Ok(Self(Some(path)))
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(path) = self.0 {
            if let Err(error) = std::fs::remove_file(path) {
                eprintln!("{} stays behind: {error}", path.display());
            }
        }
    }
}
