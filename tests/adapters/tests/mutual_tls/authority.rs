//! An authority of tests, and what it issues.

use auth_outbound::ClientIdentity;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    IsCa, KeyPair, date_time_ymd,
};

pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// When a certificate is good.
#[derive(Clone, Copy, Debug)]
pub enum Good {
    Now,
    /// In the last century.
    Before,
    /// In centuries.
    Later,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    pub fn der(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }

    /// A client of this name.
    pub fn client(&self, name: &str, good: Good) -> ClientIdentity {
        let mut params = named(name);
        (params.not_before, params.not_after) = match good {
            Good::Now => (params.not_before, params.not_after),
            Good::Before => (date_time_ymd(1990, 1, 1), date_time_ymd(1999, 1, 1)),
            Good::Later => (date_time_ymd(2900, 1, 1), date_time_ymd(3000, 1, 1)),
        };
        let (certificate, key) = self.signed(params);
        let (certificate, key) = (certificate.pem(), key.serialize_pem());
        ClientIdentity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap()
    }

    /// A server on this machine.
    pub fn server(&self) -> (Certificate, KeyPair) {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        self.signed(CertificateParams::new(names).unwrap())
    }

    fn signed(&self, params: CertificateParams) -> (Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.0).unwrap(), key)
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
