//! Our verifier before S3, API Gateway and STS of our own, over http and over TLS.

use auth_core::{Error, SystemClock};
use auth_sigv4::{AccessKey, AccessKeys, AwsService, SigV4Policy, SigV4Verifier};
use auth_tower::{Authenticated, VerifyLayer};
use axum::{Router, body::Bytes, http::Method, routing::any, serve::Listener};
use conformance::{Log, Told};
use rcgen::{CertificateParams, KeyPair};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
    server::TlsStream,
};

pub const ID: &str = "AKIDHOOKS";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// A temporary key, whose requests carry this token.
pub const TEMPORARY_ID: &str = "ASIDHOOKS";
pub const TOKEN: &str = "FQoGZXIvYXdzEBYaD//token+of/a+session==";
pub const REGION: &str = "eu-west-1";
/// Behind it uploads may be unsigned.
pub const LENIENT: &str = "uploads";

/// A server that runs until it is dropped.
pub struct Doors {
    pub plain: SocketAddr,
    pub tls: SocketAddr,
    pub log: Log,
    tasks: [JoinHandle<()>; 2],
}

impl Doors {
    /// Opens them; the certificate to be trusted goes into this file.
    pub async fn open(certificate: &Path) -> Result<Self, String> {
        let log = Log::default();
        let app = app(&log).map_err(text)?;
        let names = vec![String::from("localhost"), Ipv4Addr::LOCALHOST.to_string()];
        let key = KeyPair::generate().map_err(text)?;
        let issued = CertificateParams::new(names).and_then(|it| it.self_signed(&key));
        let issued = issued.map_err(text)?;
        std::fs::write(certificate, issued.pem()).map_err(text)?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(text)?
            .with_no_client_auth()
            .with_single_cert(
                vec![issued.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der())?,
            )
            .map_err(text)?;
        let any_port = (Ipv4Addr::LOCALHOST, 0);
        let plain = TcpListener::bind(any_port).await.map_err(text)?;
        let tls = Tls {
            inner: TcpListener::bind(any_port).await.map_err(text)?,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        };
        let addresses = (plain.local_addr().map_err(text)?, tls.local_addr().map_err(text)?);
        let service = app.into_make_service();
        let same = service.clone();
        let tasks = [
            tokio::spawn(async move {
                let _ = axum::serve(plain, service).await;
            }),
            tokio::spawn(async move {
                let _ = axum::serve(tls, same).await;
            }),
        ];
        Ok(Self { plain: addresses.0, tls: addresses.1, log, tasks })
    }
}

impl Drop for Doors {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Connections under TLS; one that fails is not one.
struct Tls {
    inner: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.inner.accept().await else { continue };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.inner.local_addr()
    }
}

/// S3 everywhere but below `/api` and at `/`, which are API Gateway and STS.
fn app(log: &Log) -> Result<Router, Error> {
    let strict = |service: &str| SigV4Policy::new(AwsService::named(service), REGION);
    let s3 = strict("s3")?.allowing_presigned();
    let lenient = route(log, s3.clone().allowing_unsigned_payload())?;
    Ok(Router::new()
        .route("/api/{*path}", route(log, strict("execute-api")?)?)
        .route("/", route(log, strict("sts")?)?)
        .route(&format!("/{LENIENT}/{{*path}}"), lenient)
        .fallback_service(route(log, s3)?))
}

/// Says who calls, and what is put.
pub(super) fn route(log: &Log, policy: SigV4Policy) -> Result<axum::routing::MethodRouter, Error> {
    let told = log.clone();
    let answer = move |caller: Authenticated<String>, method: Method, body: Bytes| {
        let who = caller.principal;
        told.note(Told::Accepted(match method {
            Method::PUT => format!("{who} put {}", String::from_utf8_lossy(&body)),
            _ => who,
        }));
        std::future::ready("an answer\n")
    };
    let keys = AccessKeys::new([
        (AccessKey::new(ID, SECRET)?, String::from("acme")),
        (AccessKey::temporary(TEMPORARY_ID, SECRET, TOKEN, None)?, String::from("a session")),
    ]);
    let verifier = SigV4Verifier::new(policy, keys, SystemClock);
    Ok(any(answer).layer(VerifyLayer::new(verifier).with_observer(log.clone())))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
