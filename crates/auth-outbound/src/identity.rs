//! The certificate that a client shows.

use auth_core::{Error, Result};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};
use zeroize::Zeroize;

/// A client's certificate with its chain, and its private key: what a program proves with, during the TLS handshake, who
/// it is.
///
/// Cheap to clone. Two are equal when their certificates are.
///
/// # Security
///
/// `Debug` shows no key, and no error quotes what was read. The key is wiped when the last clone is dropped; the TLS
/// configurations that were made with it have copies of their own.
#[derive(Clone)]
pub struct ClientIdentity(Arc<Inner>);

struct Inner {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl ClientIdentity {
    /// Reads PEM: the certificate with its chain behind it, and its unencrypted private key (PKCS#8, PKCS#1 or SEC1).
    ///
    /// # Errors
    ///
    /// `Error::Config` when one of them is missing or cannot be read. Whether the key is that of the certificate is
    /// found out when a client is built.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self> {
        // The reader's own error is left out: it may quote what it read.
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
            Error::config("tls_client_key", "client key is not an unencrypted private key in PEM")
        })?;
        Ok(Self::new(certificates("client certificate", chain)?, key))
    }

    pub(crate) fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Self {
        Self(Arc::new(Inner { chain, key }))
    }

    pub(crate) fn parts(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (self.0.chain.clone(), self.0.key.clone_key())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl PartialEq for ClientIdentity {
    fn eq(&self, other: &Self) -> bool {
        self.0.chain == other.0.chain
    }
}

impl Eq for ClientIdentity {}

impl Hash for ClientIdentity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The client's own certificate tells it from others; hashing the whole chain would add nothing.
        self.0.chain.first().map(AsRef::<[u8]>::as_ref).hash(state);
    }
}

/// Shows how long the chain is, and no key.
impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientIdentity({} certificates)", self.0.chain.len())
    }
}

/// One or more certificates in PEM; `what` they are is named in the error.
pub(crate) fn certificates(what: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => {
            let text = format!("{what}: expected one or more certificates in PEM");
            Err(Error::config("tls_certificate", text))
        }
    }
}
