//! A file become what logs in, and how it is reached.

use super::{BdkConfig, BdkIdentity, BdkMaterial};
use crate::{App, Bot};
use auth_core::{Context, Error, Result, RouteSettings, Secret};
use std::sync::Arc;

impl BdkConfig {
    /// How each component is reached, for `auth_outbound::configured_transport`: through the proxy that the file names for it,
    /// trusting the authorities of `ssl.trustStore` beside the system's, given up after `readTimeout`. Where log-ins by
    /// certificate go, the certificate of this bot or app is shown.
    ///
    /// `read` reads the files that are named: authorities in PEM, a certificate with its chain and its key. The bot and the
    /// app have connections of their own: call this for each of them, with its identity.
    ///
    /// # Errors
    ///
    /// Those of `read`; `Error::Config` (`symphony_bdk_trust_store`) for a store of Java, with the command that converts it.
    pub fn routes(
        &self,
        identity: Option<&BdkIdentity>,
        read: impl Fn(&str) -> Result<Secret>,
    ) -> Result<Vec<RouteSettings>> {
        let authorities = match &self.trust_store {
            Some(store) => Some(Arc::from(authorities(store, &read)?.expose())),
            None => None,
        };
        let (mut certificate, mut password) = (None, None);
        if let Some(BdkIdentity::Certificate { certificate: file, password: its, .. }) = identity {
            certificate = Some(Arc::new(file.content(&read)?));
            password = its.as_ref().map(|it| Arc::new(Secret::new(it.expose())));
        }
        let of = |route: &RouteSettings| {
            let mut route = route.clone();
            route.authorities.clone_from(&authorities);
            if self.of_certificates.contains(&route.origin) {
                route.certificate.clone_from(&certificate);
                route.certificate_password.clone_from(&password);
            }
            route
        };
        Ok(self.routes.iter().map(of).collect())
    }
}

impl Bot {
    /// The bot of a configuration of the vendor's kits, with its retries and its common JWT. `read` reads its key, if that is
    /// in a file; the transport of the context is made of [`BdkConfig::routes`]. Nothing is sent before the first request.
    ///
    /// # Errors
    ///
    /// Those of [`BdkIdentity::log_in`]; `Error::Config` (`symphony_bdk_identity`) when the file has no `bot`, or neither a key
    /// nor a certificate for it.
    pub fn configured(
        config: &BdkConfig,
        context: Context,
        read: impl FnOnce(&str) -> Result<Secret>,
    ) -> Result<Self> {
        let log_in = named(config.bot.as_ref(), "bot")?.log_in(read)?.with_retry(config.retry);
        let bot = Self::new(config.endpoints.clone(), log_in, context);
        Ok(if config.common_jwt { bot.with_common_jwt() } else { bot })
    }
}

impl App {
    /// The extension app of a configuration of the vendor's kits: as [`Bot::configured`].
    ///
    /// # Errors
    ///
    /// As [`Bot::configured`].
    pub fn configured(
        config: &BdkConfig,
        context: Context,
        read: impl FnOnce(&str) -> Result<Secret>,
    ) -> Result<Self> {
        let log_in = named(config.app.as_ref(), "app")?.log_in(read)?.with_retry(config.retry);
        Ok(Self::new(config.endpoints.clone(), log_in, context))
    }
}

fn named<'a>(identity: Option<&'a BdkIdentity>, member: &str) -> Result<&'a BdkIdentity> {
    identity.ok_or_else(|| {
        let text = format!(
            "{member} is missing, or has neither privateKey nor certificate, expected one of the two"
        );
        Error::config("symphony_bdk_identity", text)
    })
}

/// What is in the trust store.
fn authorities(store: &BdkMaterial, read: impl Fn(&str) -> Result<Secret>) -> Result<Secret> {
    let found = store.content(read)?;
    let begin = b"-----BEGIN CERTIFICATE-----";
    if found.expose().windows(begin.len()).any(|window| window == begin) {
        return Ok(found);
    }
    match store {
        BdkMaterial::Path(path) => Err(java_store(path)),
        BdkMaterial::Content(_) => {
            let text = "ssl.trustStore.content is no certificate in PEM, expected one or more";
            Err(Error::config("symphony_bdk_trust_store", text))
        }
    }
}

pub(super) fn java_store(path: &str) -> Error {
    let text = format!(
        "ssl.trustStore.path is a store of Java ({path}), expected authorities in PEM; convert it with `keytool -list -rfc \
         -keystore {path} > truststore.pem`, name that file, and leave the password out"
    );
    Error::config("symphony_bdk_trust_store", text)
}
