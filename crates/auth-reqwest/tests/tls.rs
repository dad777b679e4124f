//! Certificates: a private authority beside the system's, and a certificate of our own.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use auth_reqwest::{AuthClient, ClientIdentity, TlsSettings};
use common::Session;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a name, and its key.
    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        (CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap(), key)
    }

    /// A TLS server that says hello to one who brings a certificate of this authority.
    async fn serve(&self) -> SocketAddr {
        let (certificate, key) = self.issue("127.0.0.1");
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let clients =
            WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
                .build()
                .unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let (acceptor, listener) =
            (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream
                    .write_all(
                        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
                    )
                    .await;
                let _ = stream.shutdown().await;
            }
        });
        address
    }
}

async fn ask(tls: TlsSettings, server: SocketAddr) -> Result<String, &'static str> {
    let client = AuthClient::builder().with_tls(tls).build().unwrap();
    let request = client.http().get(format!("https://{server}/")).build().unwrap();
    match client.send(&Session::default(), request).await {
        Ok(answer) => Ok(answer.text().await.unwrap()),
        Err(error) => Err(error.code()),
    }
}

#[tokio::test]
async fn a_private_authority_and_our_own_certificate_open_the_door() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let server = authority.serve().await;
    let trusting = || TlsSettings::system().with_authorities(authority.pem().as_bytes()).unwrap();
    let identified = |issuer: &Authority| {
        let (certificate, key) = issuer.issue("client");
        let (certificate, key) = (certificate.pem(), key.serialize_pem());
        trusting().with_identity(
            ClientIdentity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap(),
        )
    };
    assert_eq!(ask(identified(&authority), server).await.as_deref(), Ok("hello"));
    assert_eq!(
        ask(TlsSettings::system(), server).await,
        Err("reqwest_connect"),
        "an authority nobody named was trusted"
    );
    assert!(ask(trusting(), server).await.is_err(), "no certificate was enough");
    assert!(
        ask(identified(&stranger), server).await.is_err(),
        "a stranger's certificate was enough"
    );
}
