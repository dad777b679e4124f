//! The configuration file of the vendor's kits (BDK), taken as it is.

mod component;
mod document;
mod identity;
mod references;
mod yaml;

pub use component::BdkProxy;
pub use identity::{BdkIdentity, BdkMaterial};

use crate::{LogInRetry, SymphonyEndpoints};
use auth_core::{Error, Result};
use component::Components;
use document::{Section, Sections};
use std::time::Duration;

/// What a `config.yaml` or `config.json` of a BDK says of log-ins: a bot is moved over by pointing at its file.
///
/// This reads text and no file: what the file names (keys, certificates, trust stores) is for the program to read.
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
    /// Authorities that are trusted beside the system's, in PEM: `ssl.trustStore`.
    pub trust_store: Option<BdkMaterial>,
    /// The proxies of the components that have one, by the origin that is reached through it.
    pub proxies: Vec<BdkProxy>,
    /// What the file says and nothing here does: members that are unknown, misspelt or of no use to log-ins.
    pub warnings: Vec<String>,
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
        let components = Components::read(&mut root, &mut warnings)?;
        let bot = identity::read(root.section("bot")?, "username", &mut warnings)?;
        let app = identity::read(root.section("app")?, "appId", &mut warnings)?;
        let retry = retry(root.section("retry")?, &mut warnings)?;
        let common_jwt = common_jwt(root.section("commonJwt")?, &mut warnings)?;
        let trust_store = trust_store(root.section("ssl")?, &mut warnings)?;
        for unused in ["datafeed", "datahose", "userAgent"] {
            // Of messages, which nothing here reads.
            let _ = root.take(unused);
        }
        root.end(&mut warnings);
        let (endpoints, proxies) = components.into_endpoints()?;
        Ok(Self { endpoints, bot, app, retry, common_jwt, trust_store, proxies, warnings })
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
    let store = section.section("trustStore")?;
    section.end(warnings);
    let Some(mut store) = store else { return Ok(None) };
    let material = identity::material(&mut store)?;
    let has_password = store.text("password")?.is_some();
    store.end(warnings);
    match &material {
        Some(BdkMaterial::Path(path)) if has_password || !path.ends_with(".pem") => {
            let text = format!(
                "ssl.trustStore.path is a store of Java ({path}), expected authorities in PEM; convert it with `keytool \
                 -list -rfc -keystore {path} > truststore.pem`, name that file, and leave the password out"
            );
            Err(Error::config("symphony_bdk_trust_store", text))
        }
        _ => Ok(material),
    }
}
