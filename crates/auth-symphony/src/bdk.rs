//! The configuration file of the vendor's kits (BDK), taken as it is.

mod component;
mod document;
mod fields;
mod identity;
mod proxy;
mod references;
mod start;
mod yaml;

pub use identity::{BdkIdentity, BdkMaterial};

use crate::{LogInRetry, SymphonyEndpoints, token};
use auth_core::{Error, Origin, Result, RouteSettings};
use component::{Components, LogIns, Reached};
use document::{Section, Sections};
use http::header::AUTHORIZATION;
use std::time::Duration;

/// What a `config.yaml` or `config.json` of a BDK says of log-ins: a bot is moved over by pointing at its file.
///
/// This reads text and no file: the program hands in what reads the files that are named (keys, certificates, trust stores)
/// and finds variables, as `auth_local` has them. [`Bot::configured`](crate::Bot::configured) and [`routes`](Self::routes)
/// make of it what the bot needs.
///
/// A component has what the file says at its root where it says nothing itself. `defaultHeaders` go with the log-ins at a
/// component and with the calls that this crate authenticates, unless a request has such a field already; those of a
/// component take the place of those of the root.
///
/// ```
/// use auth_symphony::BdkConfig;
/// let text = "
/// host: acme.symphony.com
/// agent:
///   host: agent.acme.com
///   port: 8443
/// bot:
///   username: my-bot
///   privateKey:
///     path: ${HOME}/my-bot.pem
/// ";
/// let config = BdkConfig::parse(text, |name| (name == "HOME").then(|| "/srv/me".to_owned()))?;
/// assert!(config.warnings.is_empty());
/// # Ok::<_, auth_symphony::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct BdkConfig {
    /// Where the components are.
    pub endpoints: SymphonyEndpoints,
    /// By what the bot logs in: `bot`.
    pub bot: Option<BdkIdentity>,
    /// By what the extension app logs in: `app`.
    pub app: Option<BdkIdentity>,
    /// How often log-ins are tried: `retry`.
    pub retry: LogInRetry,
    /// Is the common JWT sent: `commonJwt.enabled`?
    pub common_jwt: bool,
    /// What the file says and nothing here does: members that are unknown, misspelt or of no use to log-ins.
    pub warnings: Vec<String>,
    /// Authorities that are trusted beside the system's, in PEM: `ssl.trustStore`.
    trust_store: Option<BdkMaterial>,
    /// One for each origin: its proxy and its deadline.
    routes: Vec<RouteSettings>,
    /// Where log-ins by certificate go.
    of_certificates: Vec<Origin>,
}

impl BdkConfig {
    /// The most bytes of a file.
    pub const MOST_BYTES: usize = 256 * 1024;

    /// Reads YAML, or JSON. `variable` finds what a reference like `${HOME}` or `${PORT:-443}` names, in the environment
    /// for example.
    ///
    /// # Errors
    ///
    /// `Error::Config` that names the member and what is expected: text that is no YAML, members of the wrong kind,
    /// references that nothing is found for, both a key and a certificate, both a path and a content, no host.
    pub fn parse(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        if text.len() > Self::MOST_BYTES {
            return Err(Error::config("symphony_bdk_long", "configuration is longer than 256 KiB"));
        }
        let mut root = yaml::read(text)?;
        references::replace(&mut root, &variable)?;
        let mut warnings = Vec::new();
        let mut root = Section::root(root)?;
        let common_jwt = common_jwt(root.section("commonJwt")?, &mut warnings)?;
        let mut own = vec![token::SESSION_TOKEN, token::KEY_MANAGER_TOKEN];
        own.extend(common_jwt.then_some(AUTHORIZATION));
        let components = Components::read(&mut root, &own, &mut warnings)?;
        let bot = identity::read(root.section("bot")?, "username", &mut warnings)?;
        let app = identity::read(root.section("app")?, "appId", &mut warnings)?;
        let retry = retry(root.section("retry")?, &mut warnings)?;
        let trust_store = trust_store(root.section("ssl")?, &mut warnings)?;
        for unused in ["datafeed", "datahose", "userAgent"] {
            // Of messages, which nothing here reads.
            let _ = root.take(unused);
        }
        root.end(&mut warnings);
        let has_certificate =
            |identity: &Option<_>| matches!(identity, Some(BdkIdentity::Certificate { .. }));
        let log_ins = match has_certificate(&bot) || has_certificate(&app) {
            true => LogIns::ByCertificate,
            false => LogIns::ByKeyAlone,
        };
        let Reached { endpoints, routes, of_certificates } = components.reached(log_ins)?;
        Ok(Self {
            endpoints,
            bot,
            app,
            retry,
            common_jwt,
            warnings,
            trust_store,
            routes,
            of_certificates,
        })
    }
}

fn retry(section: Option<Section>, warnings: &mut Vec<String>) -> Result<LogInRetry> {
    let Some(mut section) = section else { return Ok(LogInRetry::default()) };
    let attempts = section.integer("maxAttempts")?;
    let first = section.milliseconds("initialIntervalMillis")?;
    let multiplier = section.number("multiplier")?;
    let cap = section.milliseconds("maxIntervalMillis")?;
    section.end(warnings);
    let attempts = match attempts {
        None => 10,
        // As the kits have it: without an end. A log-in that is tried for ever keeps its callers for ever.
        Some(i64::MIN..0) => u32::MAX,
        Some(attempts) => u32::try_from(attempts).unwrap_or(u32::MAX),
    };
    let first = first.unwrap_or(Duration::from_millis(500));
    let cap = cap.unwrap_or(Duration::from_secs(300));
    LogInRetry::new(attempts, first, multiplier.unwrap_or(2.0), cap)
}

fn common_jwt(section: Option<Section>, warnings: &mut Vec<String>) -> Result<bool> {
    let Some(mut section) = section else { return Ok(false) };
    let enabled = section.boolean("enabled")?.unwrap_or(false);
    section.end(warnings);
    Ok(enabled)
}

fn trust_store(
    section: Option<Section>,
    warnings: &mut Vec<String>,
) -> Result<Option<BdkMaterial>> {
    let Some(mut section) = section else { return Ok(None) };
    let old = identity::path(&mut section, "trustStorePath")?;
    let old_password = section.text("trustStorePassword")?;
    let (found, password) = match (section.section("trustStore")?, old) {
        (Some(_), Some(_)) => {
            let what = "stands beside ssl.trustStore, expected one of the two";
            return Err(section.wrong("trustStorePath", what));
        }
        (Some(mut store), None) => {
            let found = identity::material(&mut store)?;
            let password = store.text("password")?;
            store.end(warnings);
            (found, password)
        }
        (None, old) => (old.map(BdkMaterial::Path), old_password),
    };
    section.end(warnings);
    // Java's stores have a password, and PEM has none.
    const OF_JAVA: [&str; 6] = [".jks", ".jceks", ".p12", ".pfx", ".bks", ".keystore"];
    let is_of_java =
        |path: &str| OF_JAVA.iter().any(|end| path.to_ascii_lowercase().ends_with(end));
    match &found {
        Some(BdkMaterial::Path(path)) if password.is_some() || is_of_java(path) => {
            Err(start::java_store(path))
        }
        _ => Ok(found),
    }
}
