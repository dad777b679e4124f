//! TLS as a value: rustls over ring, the authorities that are trusted, and the client's own certificate.

use crate::{ClientIdentity, identity::certificates};
use auth_core::{Error, Result};
use rustls::{
    ClientConfig, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::CertificateDer,
};
use rustls_platform_verifier::Verifier;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// Whose certificates are trusted, and the certificate that this side shows if it is asked for one.
///
/// Cheap to clone, and what is trusted is read once for all clones. Nothing is installed for the whole process.
///
/// ```
/// use auth_outbound::TlsSettings;
/// # fn example(private_ca: &[u8]) -> auth_core::Result<()> {
/// let public = TlsSettings::system();
/// let public_and_private = TlsSettings::system().with_authorities(private_ca)?;
/// let private_alone = TlsSettings::trusting_only(private_ca)?;
/// # let _ = (public, public_and_private, private_alone); Ok(()) }
/// ```
#[derive(Clone)]
pub struct TlsSettings {
    trust: Arc<Trust>,
    identity: Option<ClientIdentity>,
}

struct Trust {
    system: System,
    authorities: Vec<CertificateDer<'static>>,
    verifier: OnceLock<Arc<dyn ServerCertVerifier>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    Trusted,
    Distrusted,
}

impl TlsSettings {
    /// Trusts the system's certificate authorities, and shows no certificate.
    #[must_use]
    pub fn system() -> Self {
        Self::trusting(System::Trusted, Vec::new())
    }

    /// Trusts these authorities and no other, not even the system's: one or more certificates in PEM.
    ///
    /// # Errors
    ///
    /// `Error::Config` when there is no certificate, or one cannot be read.
    pub fn trusting_only(pem: &[u8]) -> Result<Self> {
        Ok(Self::trusting(System::Distrusted, certificates("trusted authorities", pem)?))
    }

    /// Trusts these authorities beside those that are trusted already: one or more certificates in PEM.
    ///
    /// # Errors
    ///
    /// `Error::Config` when there is no certificate, or one cannot be read.
    pub fn with_authorities(self, pem: &[u8]) -> Result<Self> {
        let mut authorities = self.trust.authorities.clone();
        authorities.append(&mut certificates("trusted authorities", pem)?);
        let made = Self::trusting(self.trust.system, authorities);
        Ok(Self { identity: self.identity, ..made })
    }

    /// Shows this certificate to a server that asks for one.
    #[must_use]
    pub fn with_identity(self, identity: ClientIdentity) -> Self {
        Self { identity: Some(identity), ..self }
    }

    fn trusting(system: System, authorities: Vec<CertificateDer<'static>>) -> Self {
        let trust = Trust { system, authorities, verifier: OnceLock::new() };
        Self { trust: Arc::new(trust), identity: None }
    }

    /// The configuration for a rustls client that speaks these protocols, by their ALPN names.
    ///
    /// Each one keeps TLS sessions of its own: sessions that are resumed are never shared between two of them, nor
    /// between the identities that they were begun under.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the system's authorities cannot be loaded, or the key is not that of the certificate.
    pub fn config(&self, protocols: &[&[u8]]) -> Result<ClientConfig> {
        let provider = Arc::new(ring::default_provider());
        let trusting = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::config("tls_versions", error))?
            .dangerous()
            .with_custom_certificate_verifier(self.trust.verifier(provider)?);
        let mut client = match self.identity.as_ref().map(ClientIdentity::parts) {
            None => trusting.with_no_client_auth(),
            Some((chain, key)) => trusting
                .with_client_auth_cert(chain, key)
                .map_err(|error| Error::config("tls_client_key", error))?,
        };
        client.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(client)
    }
}

impl Trust {
    /// Made once: the system's authorities are some hundred certificates.
    fn verifier(&self, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
        if let Some(made) = self.verifier.get() {
            return Ok(Arc::clone(made));
        }
        let made = self.make(provider)?;
        Ok(Arc::clone(self.verifier.get_or_init(|| made)))
    }

    fn make(&self, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>> {
        let authorities = self.authorities.iter().cloned();
        if self.system == System::Trusted {
            let verifier = Verifier::new_with_extra_roots(authorities, provider)
                .map_err(|error| Error::config("tls_authorities", error))?;
            return Ok(Arc::new(verifier));
        }
        let mut roots = RootCertStore::empty();
        for authority in authorities {
            roots.add(authority).map_err(|error| Error::config("tls_authorities", error))?;
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| Error::config("tls_authorities", error))?;
        Ok(verifier)
    }
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self::system()
    }
}

/// Shows no key.
impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (system, more) = (self.trust.system, self.trust.authorities.len());
        write!(f, "TlsSettings(system {system:?}, {more} more authorities, {:?})", self.identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::pki_types::UnixTime;
    use std::process::Command;

    fn issue() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([]).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    #[track_caller]
    fn check<T>(result: Result<T>, expected: &str) {
        assert_eq!(result.map(drop).unwrap_err().to_string(), expected);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let (certificate, key) = issue();
        let (certificate, key) = (certificate.as_bytes(), key.as_bytes());
        let trusted =
            "configuration: trusted authorities: expected one or more certificates in PEM";
        check(TlsSettings::system().with_authorities(key), trusted);
        check(TlsSettings::trusting_only(key), trusted);
        check(TlsSettings::trusting_only(b""), trusted);
        check(
            ClientIdentity::from_pem(key, key),
            "configuration: client certificate: expected one or more certificates in PEM",
        );
        check(
            ClientIdentity::from_pem(certificate, certificate),
            "configuration: client key is not an unencrypted private key in PEM",
        );
    }

    #[test]
    fn a_key_of_another_certificate_is_found_out() {
        let (certificate, key) = issue();
        let config = |key: &str| {
            let identity = ClientIdentity::from_pem(certificate.as_bytes(), key.as_bytes());
            let tls = TlsSettings::trusting_only(certificate.as_bytes()).unwrap();
            tls.with_identity(identity.unwrap()).config(&[])
        };
        assert!(config(&key).is_ok());
        assert_eq!(config(&issue().1).unwrap_err().code(), "tls_client_key");
    }

    #[test]
    fn an_identity_is_its_certificate() {
        let ((one, key), (other, other_key)) = (issue(), issue());
        let read = |chain: &str, key: &str| {
            ClientIdentity::from_pem(chain.as_bytes(), key.as_bytes()).unwrap()
        };
        assert_eq!(read(&one, &key), read(&one, &key));
        assert_ne!(read(&one, &key), read(&other, &other_key));
        let set = std::collections::HashSet::from([read(&one, &key), read(&one, &key)]);
        assert_eq!(set.len(), 1);
    }

    #[test]
    fn clones_share_what_is_trusted_and_no_sessions() {
        let tls = TlsSettings::trusting_only(issue().0.as_bytes()).unwrap();
        let (one, other) = (tls.config(&[b"h2"]).unwrap(), tls.clone().config(&[]).unwrap());
        assert!(Arc::ptr_eq(&tls.trust, &tls.clone().trust));
        assert!(tls.trust.verifier.get().is_some());
        assert_eq!(one.alpn_protocols, [b"h2".to_vec()]);
        assert!(other.alpn_protocols.is_empty());
    }

    fn authority() -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    /// Is a server that this authority vouches for trusted?
    fn trusts(tls: &TlsSettings, authority: &CertifiedIssuer<'_, KeyPair>) -> bool {
        let (name, key) = ("a.example", KeyPair::generate().unwrap());
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, authority).unwrap();
        let verifier = tls.trust.verifier(Arc::new(ring::default_provider())).unwrap();
        let (name, now) = (name.try_into().unwrap(), UnixTime::now());
        verifier.verify_server_cert(certificate.der(), &[], &name, &[], now).is_ok()
    }

    /// The system's authorities are replaced by one, in a process of its own.
    #[test]
    #[cfg_attr(not(target_os = "linux"), ignore = "other systems take no authorities from a file")]
    fn authorities_are_trusted_as_they_were_named() {
        let system = authority();
        let file = std::env::temp_dir().join(format!("authority-{}.pem", std::process::id()));
        std::fs::write(&file, system.pem() + &system.key().serialize_pem()).unwrap();
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "tls::tests::with_one_authority_of_the_system", "--ignored"]);
        let ran = again.env("SSL_CERT_FILE", &file).env_remove("SSL_CERT_DIR").output().unwrap();
        std::fs::remove_file(file).unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(ran.status.success() && said.contains("1 passed"), "{said}");
    }

    #[test]
    #[ignore = "run by another test, with an authority in its environment"]
    fn with_one_authority_of_the_system() {
        let file = std::env::var_os("SSL_CERT_FILE").unwrap();
        let system = std::fs::read_to_string(file).unwrap();
        let (_, key) = system.split_at(system.find("-----BEGIN PRIVATE KEY").unwrap());
        let key = KeyPair::from_pem(key).unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let system = CertifiedIssuer::self_signed(params, key).unwrap();
        let (named, stranger) = (authority(), authority());
        let pem = named.pem();
        let of = |tls: &TlsSettings| {
            [&system, &named, &stranger].map(|authority| trusts(tls, authority))
        };
        assert_eq!(of(&TlsSettings::system()), [true, false, false]);
        let also = TlsSettings::system().with_authorities(pem.as_bytes()).unwrap();
        assert_eq!(of(&also), [true, true, false]);
        let only = TlsSettings::trusting_only(pem.as_bytes()).unwrap();
        assert_eq!(of(&only), [false, true, false]);
        let both = only.with_authorities(stranger.pem().as_bytes()).unwrap();
        assert_eq!(of(&both), [false, true, true]);
    }
}
