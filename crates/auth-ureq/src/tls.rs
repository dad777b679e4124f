//! TLS as a value: rustls over ring, the system's authorities, and what the caller adds.

use auth_core::{Error, Result};
use rustls::{
    ClientConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;
use std::{fmt, sync::Arc};

/// Whom to trust, and who we are, when we connect. Unless more is said: the system's certificate authorities, and no
/// certificate of our own.
///
/// ```
/// let tls = auth_ureq::Tls::system();
/// # let _ = tls;
/// ```
#[derive(Default)]
pub struct Tls {
    authorities: Vec<CertificateDer<'static>>,
    own: Option<Own>,
}

/// What we prove who we are with.
struct Own {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Tls {
    /// The system's certificate authorities, and no certificate of our own.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// Trusts these authorities beside the system's: one or more certificates in PEM.
    ///
    /// # Errors
    ///
    /// `Error::Config` when there is no certificate, or one cannot be read.
    pub fn trusting_also(mut self, pem: &[u8]) -> Result<Self> {
        self.authorities.append(&mut certificates("trusted authorities", pem)?);
        Ok(self)
    }

    /// Proves who we are, in PEM: our certificate with its chain behind it, and its private key (PKCS#8, PKCS#1 or
    /// SEC1).
    ///
    /// # Errors
    ///
    /// `Error::Config` when one of them is missing or cannot be read.
    pub fn identified_by(mut self, chain_pem: &[u8], key_pem: &[u8]) -> Result<Self> {
        // The reader's own error is left behind: it may quote what it read.
        let key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|_| {
            Error::config("tls_client_key", "client key is not an unencrypted private key in PEM")
        })?;
        self.own = Some(Own { chain: certificates("client certificate", chain_pem)?, key });
        Ok(self)
    }

    /// The configuration, over ring, for HTTP/1.1.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the system's authorities cannot be loaded, or the key is not the certificate's.
    pub fn into_config(self) -> Result<ClientConfig> {
        let ring = Arc::new(ring::default_provider());
        let verifier = Verifier::new_with_extra_roots(self.authorities, Arc::clone(&ring))
            .map_err(|error| Error::config("tls_authorities", error))?;
        let trusting = ClientConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::config("tls_versions", error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut client = match self.own {
            None => trusting.with_no_client_auth(),
            Some(Own { chain, key }) => trusting
                .with_client_auth_cert(chain, key)
                .map_err(|error| Error::config("tls_client_key", error))?,
        };
        client.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(client)
    }
}

/// Shows no key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (more, own) = (self.authorities.len(), self.own.is_some());
        write!(f, "Tls({more} more authorities, own certificate: {own})")
    }
}

fn certificates(what: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let unreadable = || {
        Error::config(
            "tls_certificate",
            format!("{what}: expected one or more certificates in PEM"),
        )
    };
    let read: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| unreadable())?;
    if read.is_empty() { Err(unreadable()) } else { Ok(read) }
}
