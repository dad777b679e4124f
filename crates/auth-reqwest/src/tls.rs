//! TLS as a value: rustls over ring, the system's authorities, and what the caller adds.

use auth_core::{Error, Result};
use rustls::{
    ClientConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;
use std::{fmt, sync::Arc};

/// Whom to trust, and who we are, when we connect: the system's certificate authorities, unless more is said.
///
/// ```
/// let tls = auth_reqwest::Tls::system();
/// # let _ = tls;
/// ```
#[derive(Default)]
pub struct Tls {
    also_trusted: Vec<CertificateDer<'static>>,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

impl Tls {
    /// The system's certificate authorities, and no certificate of our own.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// Trusts these authorities too: one or more certificates in PEM. The system's stay trusted.
    ///
    /// # Errors
    ///
    /// `Error::Config` when there is no certificate, or one cannot be read.
    pub fn trusting_also(mut self, pem: &[u8]) -> Result<Self> {
        self.also_trusted.extend(certificates("trusted authorities", pem)?);
        Ok(self)
    }

    /// Proves who we are with this certificate, its chain behind it, and its private key (PKCS#8, PKCS#1 or SEC1), all
    /// in PEM.
    ///
    /// # Errors
    ///
    /// `Error::Config` when one of them is missing or cannot be read.
    pub fn identified_by(mut self, chain_pem: &[u8], key_pem: &[u8]) -> Result<Self> {
        let key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|_| {
            Error::config("tls_client_key", "client key is not an unencrypted private key in PEM")
        })?;
        self.identity = Some((certificates("client certificate", chain_pem)?, key));
        Ok(self)
    }

    /// The configuration, over ring, for any rustls client.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the system's authorities cannot be loaded, or the key is not the certificate's.
    pub fn into_config(self) -> Result<ClientConfig> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new_with_extra_roots(self.also_trusted, Arc::clone(&provider))
            .map_err(|error| Error::config("tls_authorities", error))?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::config("tls_versions", error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut client = match self.identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| Error::config("tls_client_key", error))?,
        };
        client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(client)
    }
}

/// Shows no key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Tls({} more authorities, own certificate: {})",
            self.also_trusted.len(),
            self.identity.is_some()
        )
    }
}

fn certificates(what: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(Error::config(
            "tls_certificate",
            format!("{what}: expected one or more certificates in PEM"),
        )),
    }
}
