//! The programs that conformance and benchmarks run against: what they are, whether they are there, how to get them.

mod install;
mod oldest_rust;

use crate::arguments::{Arguments, Failure, Verb};
use crate::repository;
use std::path::PathBuf;
use std::process::Command;

pub use oldest_rust::{oldest_rust, promised as promised_rust};

pub const VERB: Verb = Verb {
    name: "peers",
    about: "install or list the programs that conformance and benchmarks run against",
    operands: Some("install|list"),
    flags: &[],
    run,
};

/// One program. A new one is a line in [`PEERS`].
pub struct Peer {
    pub name: &'static str,
    /// What it is here for.
    pub needed_for: &'static str,
    pub origin: Origin,
    /// Says its version when run, in its first line that holds a digit.
    version: &'static [&'static str],
}

pub enum Origin {
    /// A Debian package of this name.
    Debian(&'static str),
    /// A Python package in exactly this version, in an environment of our own.
    Python(&'static str),
    /// A package of npm in exactly this version, in a folder of our own.
    Npm(&'static str),
    /// The oldest Rust that we promise to compile with.
    OldestRust,
    /// A program that cargo builds, in exactly this version, in a folder of our own.
    Built(&'static str),
    /// Worth having, slow to build: not installed by us.
    Cargo(&'static str),
}

pub const PEERS: &[Peer] = &[
    debian("curl", CLIENTS, "curl", &["curl", "--version"]),
    debian("wget", CLIENTS, "wget", &["wget", "--version"]),
    debian("apache2", SERVERS, "apache2", &["apache2", "-v"]),
    debian("htpasswd", SERVERS, "apache2-utils", &["htpasswd"]),
    debian("nginx", SERVERS, "nginx-light", &["nginx", "-v"]),
    debian("lighttpd", SERVERS, "lighttpd", &["lighttpd", "-v"]),
    debian("squid", SERVERS, "squid", &["squid", "-v"]),
    debian("s3cmd", CLIENTS, "s3cmd", &["s3cmd", "--version"]),
    debian("chromium", CLIENTS, "chromium", &["chromium", "--version"]),
    debian("unshare", "address suites", "util-linux", &["unshare", "--version"]),
    debian("ip", "address suites", "iproute2", &["ip", "-V"]),
    debian("valgrind", "bench", "valgrind", &["valgrind", "--version"]),
    debian("strace", "loss of power", "strace", &["strace", "--version"]),
    debian("pkg-config", "bench", "pkg-config", &["pkg-config", "--version"]),
    debian("openssl", "key files", "openssl", &["openssl", "version"]),
    debian("OpenSSL headers", "bench", "libssl-dev", &["pkg-config", "--modversion", "openssl"]),
    debian("python3", "Python peers", "python3-venv", &["python3", "-c", HAS_VENV]),
    pinned("requests", CLIENTS, "requests==2.34.2", &["-c", VERSION_IS, "requests", "2.34.2"]),
    pinned("httpx", CLIENTS, "httpx==0.28.1", &["-c", VERSION_IS, "httpx", "0.28.1"]),
    pinned("boto3", CLIENTS, "boto3==1.44.5", &["-c", VERSION_IS, "boto3", "1.44.5"]),
    pinned("httpbin", SERVERS, "httpbin==0.10.4", &["-c", VERSION_IS, "httpbin", "0.10.4"]),
    pinned(
        "Flask-HTTPAuth",
        SERVERS,
        "Flask-HTTPAuth==4.8.1",
        &["-c", VERSION_IS, "Flask-HTTPAuth", "4.8.1"],
    ),
    pinned("moto", SERVERS, "moto[server,s3]==5.2.5", &["-c", VERSION_IS, "moto", "5.2.5"]),
    debian("node", "JavaScript peers", "nodejs", &["node", "--version"]),
    debian("npm", "JavaScript peers", "npm", &["npm", "--version"]),
    pinned("PyJWT", "JWT suites", "PyJWT[crypto]==2.15.1", &["-c", VERSION_IS, "PyJWT", "2.15.1"]),
    pinned("joserfc", "JWT suites", "joserfc==1.8.0", &["-c", VERSION_IS, "joserfc", "1.8.0"]),
    pinned("jwcrypto", "JWT suites", "jwcrypto==1.6.1", &["-c", VERSION_IS, "jwcrypto", "1.6.1"]),
    Peer {
        name: "jose",
        needed_for: "JWT suites",
        origin: Origin::Npm("jose@6.2.17"),
        version: &["-e", NPM_VERSION_IS, "jose", "6.2.17"],
    },
    pinned(
        "standardwebhooks",
        WEBHOOKS,
        "standardwebhooks==1.1.0",
        &["-c", VERSION_IS, "standardwebhooks", "1.1.0"],
    ),
    pinned("twilio", WEBHOOKS, "twilio==9.13.0", &["-c", VERSION_IS, "twilio", "9.13.0"]),
    Peer {
        name: "standardwebhooks for node",
        needed_for: WEBHOOKS,
        origin: Origin::Npm("standardwebhooks@1.1.1"),
        version: &["-e", NPM_VERSION_IS, "standardwebhooks", "1.1.1"],
    },
    pinned("Authlib", CLIENTS, "Authlib==1.9.10", &["-c", VERSION_IS, "Authlib", "1.9.10"]),
    pinned(
        "requests-oauthlib",
        CLIENTS,
        "requests-oauthlib==2.0.0",
        &["-c", VERSION_IS, "requests-oauthlib", "2.0.0"],
    ),
    pinned(
        "infobip-api-python-client",
        CLIENTS,
        "infobip-api-python-client==6.0.0",
        &["-c", VERSION_IS, "infobip-api-python-client", "6.0.0"],
    ),
    Peer {
        name: "oidc-provider",
        needed_for: SERVERS,
        origin: Origin::Npm("oidc-provider@9.13.3"),
        version: &["-e", NPM_VERSION_IS, "oidc-provider", "9.13.3"],
    },
    Peer {
        name: "oldest rust",
        needed_for: "test",
        origin: Origin::OldestRust,
        version: &["--version"],
    },
    Peer {
        name: "cargo-deny",
        needed_for: "test",
        origin: Origin::Built(CARGO_DENY),
        version: &["--version"],
    },
    cargo("cargo-hack", "features by hand", &["cargo-hack", "--version"]),
    cargo("cargo-fuzz", "fuzz", &["cargo-fuzz", "--version"]),
];

const CARGO_DENY: &str = "cargo-deny@0.20.2";
const CLIENTS: &str = "client suites";
const SERVERS: &str = "server suites";
const WEBHOOKS: &str = "webhook suites";

const HAS_VENV: &str = "import ensurepip, sys; print(sys.version)";

/// Another version than the one that was asked for is not there: what is compared case by case may not move by itself.
const VERSION_IS: &str = "import sys, importlib.metadata as metadata\n\
    version = metadata.version(sys.argv[1])\n\
    print(version)\n\
    sys.exit(version != sys.argv[2])";

/// The same for npm, from the folder that it installs into.
const NPM_VERSION_IS: &str = "const [, name, wanted] = process.argv;\
    const text = require('fs').readFileSync(`node_modules/${name}/package.json`, 'utf8');\
    const { version } = JSON.parse(text);\
    console.log(version);\
    process.exit(version === wanted ? 0 : 1)";

const fn debian(
    name: &'static str,
    needed_for: &'static str,
    package: &'static str,
    version: &'static [&'static str],
) -> Peer {
    Peer { name, needed_for, origin: Origin::Debian(package), version }
}

/// A library whose answers are compared one by one, in the version that they were reviewed in.
const fn pinned(
    name: &'static str,
    needed_for: &'static str,
    package: &'static str,
    version: &'static [&'static str],
) -> Peer {
    Peer { name, needed_for, origin: Origin::Python(package), version }
}

const fn cargo(
    name: &'static str,
    needed_for: &'static str,
    version: &'static [&'static str],
) -> Peer {
    Peer { name, needed_for, origin: Origin::Cargo(name), version }
}

/// cargo-deny, if it is installed.
pub fn cargo_deny() -> Option<PathBuf> {
    Some(install::built(CARGO_DENY)).filter(|program| program.is_file())
}

/// Where installed peers lie that are not the system's.
pub fn folder() -> PathBuf {
    repository::target().join("peers")
}

impl Peer {
    /// `None` if it is not installed.
    pub fn version(&self) -> Option<String> {
        let mut command = match self.origin {
            Origin::Python(_) => Command::new(install::python()),
            Origin::Npm(_) => {
                let mut node = Command::new("node");
                node.current_dir(install::npm());
                node
            }
            Origin::OldestRust => Command::new(oldest_rust()?),
            Origin::Built(package) => Command::new(install::built(package)),
            Origin::Debian(_) | Origin::Cargo(_) => Command::new(self.version.first()?),
        };
        let words = match self.origin {
            Origin::Debian(_) | Origin::Cargo(_) => self.version.get(1..)?,
            Origin::Python(_) | Origin::Npm(_) | Origin::OldestRust | Origin::Built(_) => {
                self.version
            }
        };
        let output = command.args(words).env("PATH", path()).output().ok()?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        match self.origin {
            // A program that only prints its usage is there nevertheless.
            Origin::Debian(_) if self.version.len() == 1 => Some("installed".into()),
            _ if !output.status.success() => None,
            _ => said
                .lines()
                .find(|line| line.contains(|c: char| c.is_ascii_digit()))
                .map(str::to_string),
        }
    }

    fn is_ours_to_install(&self) -> bool {
        !matches!(self.origin, Origin::Cargo(_))
    }
}

/// Servers lie in folders that only root has on its path.
fn path() -> std::ffi::OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/local/sbin:/usr/sbin:/sbin");
    path
}

fn run(arguments: &Arguments) -> Result<String, Failure> {
    match arguments.operands.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["list"] => Ok(list()),
        ["install"] => Ok(install::install()?),
        _ => Err(Failure::Usage("`peers` needs `install` or `list`".into())),
    }
}

fn list() -> String {
    let mut there = 0;
    for peer in PEERS {
        let version = peer.version();
        there += usize::from(version.is_some());
        let version = version.unwrap_or_else(|| match peer.origin {
            Origin::Cargo(name) => format!("not installed (optional: cargo install {name})"),
            _ => "not installed".into(),
        });
        println!("{:15} {:16} {version:.60}", peer.name, peer.needed_for);
    }
    format!("{there} of {} installed", PEERS.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(version: &'static [&'static str]) -> Peer {
        debian("x", "nothing", "x", version)
    }

    #[test]
    fn a_program_that_does_not_exist_is_not_installed() {
        assert_eq!(peer(&["no-such-program-at-all", "--version"]).version(), None);
        assert_eq!(peer(&["no-such-program-at-all"]).version(), None);
    }

    #[test]
    fn the_version_is_the_first_line_with_a_digit() {
        assert_eq!(
            peer(&["sh", "-c", "echo x; echo x 1.2; echo 3"]).version().as_deref(),
            Some("x 1.2")
        );
    }

    #[test]
    fn a_program_that_fails_at_saying_its_version_is_not_installed() {
        assert_eq!(peer(&["sh", "-c", "echo 1.2; exit 1"]).version(), None);
    }

    #[test]
    fn what_is_installed_in_one_version_is_looked_for_in_that_version() {
        for peer in PEERS {
            let (Origin::Python(package) | Origin::Npm(package)) = peer.origin else { continue };
            let [.., name, version] = peer.version else { panic!("{}", peer.name) };
            let (package, wanted) = package.rsplit_once(['=', '@']).unwrap();
            let package = package.trim_end_matches('=').split('[').next().unwrap();
            assert_eq!((package, wanted), (*name, *version));
        }
    }

    #[test]
    fn names_are_given_once() {
        for peer in PEERS {
            assert_eq!(
                PEERS.iter().filter(|other| other.name == peer.name).count(),
                1,
                "{}",
                peer.name
            );
        }
    }
}
