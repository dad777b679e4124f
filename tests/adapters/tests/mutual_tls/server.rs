//! A TLS server that says of each request over which connection it came, and whose certificate that has shown.

use super::authority::Authority;
use auth_symphony::certificate_user;
use http::{Request, Response, header::CONNECTION};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        HandshakeKind, RootCertStore, ServerConfig, SupportedProtocolVersion,
        crypto::ring,
        pki_types::PrivateKeyDer,
        server::WebPkiClientVerifier,
        version::{TLS12, TLS13},
    },
};

#[derive(Clone, Copy)]
pub struct Settings {
    pub versions: &'static [&'static SupportedProtocolVersion],
    /// By their ALPN names.
    pub protocols: &'static [&'static str],
    /// Is a connection ended with its first answer?
    pub ends: bool,
    /// Are clients without a certificate refused?
    pub demands: bool,
    /// Are clients that are refused hung up on before they have said what they want?
    pub hangs_up: bool,
}

pub const TLS_1_2: &[&SupportedProtocolVersion] = &[&TLS12];
pub const TLS_1_3: &[&SupportedProtocolVersion] = &[&TLS13];

impl Default for Settings {
    fn default() -> Self {
        Self { versions: TLS_1_3, protocols: &[], ends: false, demands: false, hangs_up: false }
    }
}

pub struct Server {
    pub address: SocketAddr,
    /// Connections whose handshake was begun.
    pub accepted: Arc<AtomicUsize>,
}

impl Server {
    pub async fn start(authority: &Authority, settings: Settings) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().into()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let clients =
            WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
        let clients = if settings.demands { clients } else { clients.allow_unauthenticated() };
        let (certificate, key) = authority.server();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(settings.versions)
            .unwrap()
            .with_client_cert_verifier(clients.build().unwrap())
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols =
            settings.protocols.iter().map(|name| name.as_bytes().into()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&accepted);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::spawn(connection(acceptor.clone(), stream, number, settings));
            }
        });
        Self { address, accepted }
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

async fn connection(acceptor: TlsAcceptor, stream: TcpStream, number: usize, settings: Settings) {
    let stream = match acceptor.accept(stream).into_fallible().await {
        Ok(stream) => stream,
        Err(_) if settings.hangs_up => return,
        Err((_, mut stream)) => {
            let _ = stream.shutdown().await;
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
            return;
        }
    };
    let session = stream.get_ref().1;
    let client = session.peer_certificates().and_then(<[_]>::first);
    let client = client.map_or("nobody".into(), |der| certificate_user(der).unwrap());
    let resumed = session.handshake_kind() == Some(HandshakeKind::Resumed);
    let kind = if resumed { "resumed" } else { "new" };
    let service = tower::service_fn(move |request: Request<_>| {
        let request = request.map(axum::body::Body::new);
        let said = format!("{number} {client} {kind} {:?}", request.version());
        let mut answer = Response::new(axum::body::Body::from(said));
        if settings.ends {
            answer.headers_mut().insert(CONNECTION, "close".parse().unwrap());
        }
        async { Ok::<_, Infallible>(answer) }
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    let serving = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let _ = serving.await;
}
