//! A port over https that asks its clients for certificates, and the authority that issues them.

use auth_core::{Clock, Error, Result, Secret};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use std::{fmt, sync::Arc, time::Duration};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject},
        server::WebPkiClientVerifier,
        time_provider::TimeProvider,
    },
};

/// A certificate that the emulator has issued, and its private key: for a client of tests.
///
/// # Security
///
/// `Debug` shows no key.
pub struct IssuedCertificate {
    certificate: String,
    key: Secret,
}

impl IssuedCertificate {
    /// The certificate, in PEM.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Its private key, in PEM (PKCS#8).
    #[must_use]
    pub const fn key(&self) -> &Secret {
        &self.key
    }
}

impl fmt::Debug for IssuedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuedCertificate(..)")
    }
}

/// An authority that lives as long as the emulator: its keys are in memory alone.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Result<Self> {
        let mut params = named("auth-emulator")?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        CertifiedIssuer::self_signed(params, key()?).map(Self).map_err(not_issued)
    }

    /// Its certificate, in PEM.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a client of this name.
    pub(crate) fn client(&self, name: &str) -> Result<IssuedCertificate> {
        let mut params = named(name)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = key()?;
        let issued = params.signed_by(&key, &self.0).map_err(not_issued)?;
        Ok(IssuedCertificate { certificate: issued.pem(), key: Secret::new(key.serialize_pem()) })
    }

    /// A server for this machine. It asks for a certificate of this authority, or of those that `more` has in PEM, and also
    /// serves clients that have none. What has expired is told by `clock`.
    pub(crate) fn server(&self, more: &[Box<str>], clock: Arc<dyn Clock>) -> Result<TlsAcceptor> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).map_err(not_served)?;
        for pem in more {
            let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
            let found = read.ok().filter(|found| !found.is_empty()).ok_or_else(no_authority)?;
            for one in found {
                roots.add(one).map_err(|_| no_authority())?;
            }
        }
        let provider = Arc::new(ring::default_provider());
        let clients =
            WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
                .allow_unauthenticated()
                .build()
                .map_err(not_served)?;
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).map_err(not_issued)?;
        params.distinguished_name = DistinguishedName::new();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = key()?;
        let issued = params.signed_by(&key, &self.0).map_err(not_issued)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(not_served)?;
        let config = ServerConfig::builder_with_details(provider, Arc::new(Time(clock)))
            .with_safe_default_protocol_versions()
            .map_err(not_served)?
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![issued.der().clone()], key)
            .map_err(not_served)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn named(name: &str) -> Result<CertificateParams> {
    let mut params = CertificateParams::new([]).map_err(not_issued)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

fn key() -> Result<KeyPair> {
    KeyPair::generate().map_err(not_issued)
}

fn not_issued(error: rcgen::Error) -> Error {
    Error::config("emulator_certificate", error)
}

fn not_served(error: impl fmt::Display) -> Error {
    Error::config("emulator_tls", format!("TLS of the emulator cannot be set up: {error}"))
}

fn no_authority() -> Error {
    let text = "authorities of clients cannot be read, expected one or more certificates in PEM";
    Error::config("emulator_authority", text)
}

/// The time by the clock of the emulator.
struct Time(Arc<dyn Clock>);

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0.now().unix())))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time(..)")
    }
}
