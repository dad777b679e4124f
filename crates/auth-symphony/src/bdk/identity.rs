//! By what a bot or an app logs in, as the file has it.

use super::document::{Section, Sections};
use crate::SymphonyLogIn;
use auth_core::{Error, Result, Secret};
use std::fmt;

/// A bot or an app: its name, and exactly one of a key and a certificate.
#[derive(Debug)]
#[non_exhaustive]
pub enum BdkIdentity {
    /// It signs its log-ins.
    Key {
        /// The user name of the bot, or the id of the app.
        name: String,
        /// The private key in PEM.
        key: BdkMaterial,
    },
    /// Its connections have a client certificate.
    Certificate {
        /// The user name of the bot, or the id of the app.
        name: String,
        /// Certificate and key: PKCS#12 where there is a password, else PEM.
        certificate: BdkMaterial,
        /// The password of the PKCS#12.
        password: Option<Secret>,
    },
}

/// A file that is named, or its content.
pub enum BdkMaterial {
    /// The path of a file.
    Path(String),
    /// The content itself.
    Content(Secret),
}

impl BdkIdentity {
    /// The log-in. `read` reads a key that is in a file; a certificate is not read here, since the transport presents it.
    ///
    /// # Errors
    ///
    /// Those of `read`, and of [`SymphonyLogIn::rsa`].
    pub fn log_in(&self, read: impl FnOnce(&str) -> Result<Secret>) -> Result<SymphonyLogIn> {
        let Self::Key { name, key } = self else { return Ok(SymphonyLogIn::certificate()) };
        let key = key.content(read)?;
        let pem = key.expose_text().ok_or_else(|| {
            Error::config("symphony_bdk_key", "private key is no text, expected PEM")
        })?;
        SymphonyLogIn::rsa(name, pem)
    }
}

/// `bot` or `app`; `None` where it is left out.
pub(super) fn read(
    section: Option<Section>,
    name_member: &str,
    warnings: &mut Vec<String>,
) -> Result<Option<BdkIdentity>> {
    let Some(mut section) = section else { return Ok(None) };
    let name = section.text(name_member)?;
    let key = nested(&mut section, "privateKey", "privateKeyPath", None, warnings)?;
    let certificate = nested(
        &mut section,
        "certificate",
        "certificatePath",
        Some("certificatePassword"),
        warnings,
    )?;
    let identity = match (key, certificate) {
        (None, None) => None,
        (Some(_), Some(_)) => {
            let what = "stands beside certificate, expected one of the two";
            return Err(section.wrong("privateKey", what));
        }
        (key, certificate) => {
            let name = name.ok_or_else(|| section.wrong(name_member, "is missing"))?.to_string();
            match (key, certificate) {
                (Some((key, _)), _) => Some(BdkIdentity::Key { name, key }),
                (None, Some((certificate, password))) => {
                    Some(BdkIdentity::Certificate { name, certificate, password })
                }
                (None, None) => None,
            }
        }
    };
    section.end(warnings);
    Ok(identity)
}

/// A member with a path or a content, or the member of older files with a path.
fn nested(
    section: &mut Section,
    name: &str,
    old_path: &str,
    old_password: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<Option<(BdkMaterial, Option<Secret>)>> {
    let old = path(section, old_path)?;
    let secret =
        |text: Option<zeroize::Zeroizing<String>>| text.map(|it| Secret::new(it.as_bytes()));
    let new = section.section(name)?;
    match (new, old) {
        (Some(_), Some(_)) => {
            let what = format!("stands beside {}, expected one of the two", section.path_of(name));
            Err(section.wrong(old_path, what))
        }
        (Some(mut nested), None) => {
            let found = material(&mut nested)?;
            let password = match old_password {
                Some(_) => nested.text("password")?,
                None => None,
            };
            nested.end(warnings);
            Ok(found.map(|found| (found, secret(password))))
        }
        (None, Some(path)) => {
            // Beside another form it is left where it is, and told.
            let password = match old_password {
                Some(member) => section.text(member)?,
                None => None,
            };
            Ok(Some((BdkMaterial::Path(path), secret(password))))
        }
        (None, None) => Ok(None),
    }
}

/// The path of a file.
pub(super) fn path(section: &mut Section, name: &str) -> Result<Option<String>> {
    let Some(path) = section.text(name)? else { return Ok(None) };
    if path.starts_with("classpath:") {
        let what = "names a file in an archive of Java, expected a file of its own: extract it, and name that";
        return Err(section.wrong(name, what));
    }
    Ok(Some(path.to_string()))
}

/// Exactly one of `path` and `content`; `None` where neither says anything.
pub(super) fn material(section: &mut Section) -> Result<Option<BdkMaterial>> {
    match (path(section, "path")?, section.text("content")?) {
        (Some(_), Some(_)) => {
            Err(section.wrong("path", "stands beside content, expected one of the two"))
        }
        (Some(path), None) => Ok(Some(BdkMaterial::Path(path))),
        (None, Some(content)) => Ok(Some(BdkMaterial::Content(Secret::new(content.as_bytes())))),
        (None, None) => Ok(None),
    }
}

impl BdkMaterial {
    pub(super) fn content(&self, read: impl FnOnce(&str) -> Result<Secret>) -> Result<Secret> {
        match self {
            Self::Path(path) => read(path),
            Self::Content(content) => Ok(Secret::new(content.expose())),
        }
    }
}

impl fmt::Debug for BdkMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Self::Content(_) => f.write_str("Content(..)"),
        }
    }
}
