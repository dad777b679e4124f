//! Routes over both adapters, against a real TLS server that counts connections and sees client certificates.

use auth_core::Transport;
use auth_outbound::{ClientIdentity, Routes, TenantId, TlsSettings, TransportBuilder};
use http::Request;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Handle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        HandshakeKind, RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
        server::WebPkiClientVerifier,
    },
};

/// An authority, the clients that it knows, and a server of its own.
struct Server {
    authority: CertifiedIssuer<'static, KeyPair>,
    /// Whose certificate it is.
    clients: Mutex<HashMap<CertificateDer<'static>, String>>,
    connections: AtomicUsize,
}

impl Server {
    async fn start() -> (Arc<Self>, SocketAddr) {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let (clients, connections) = (Mutex::default(), AtomicUsize::new(0));
        let server = Arc::new(Self { authority, clients, connections });
        let (certificate, key) = server.issue(&["127.0.0.1", "localhost"]);
        let provider = Arc::new(ring::default_provider());
        let clients =
            WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
                .allow_unauthenticated()
                .build()
                .unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = Arc::clone(&server);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (serving, acceptor) = (Arc::clone(&serving), acceptor.clone());
                tokio::spawn(async move { serving.connection(acceptor, stream).await });
            }
        });
        (server, address)
    }

    fn issue(&self, names: &[&str]) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let params = CertificateParams::new(names).unwrap();
        (params.signed_by(&key, &self.authority).unwrap(), key)
    }

    fn client(&self, name: &str) -> ClientIdentity {
        let (certificate, key) = self.issue(&[name]);
        self.clients.lock().unwrap().insert(certificate.der().clone(), name.to_owned());
        let (certificate, key) = (certificate.pem(), key.serialize_pem());
        ClientIdentity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap()
    }

    fn trusted(&self) -> TlsSettings {
        TlsSettings::trusting_only(self.authority.pem().as_bytes()).unwrap()
    }

    /// Answers every request with the number of its connection, and whose it is.
    async fn connection(&self, acceptor: TlsAcceptor, stream: TcpStream) {
        let Ok(mut stream) = acceptor.accept(stream).await else { return };
        let number = self.connections.fetch_add(1, Ordering::SeqCst) + 1;
        let session = stream.get_ref().1;
        let client = session.peer_certificates().and_then(|chain| chain.first().cloned());
        let client = client.map_or(String::from("nobody"), |certificate| {
            self.clients.lock().unwrap()[&certificate].clone()
        });
        let resumed = session.handshake_kind() == Some(HandshakeKind::Resumed);
        let said = format!("{number} {client} {}", if resumed { "resumed" } else { "new" });
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{said}", said.len());
        let mut head = Vec::new();
        while stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {
            if head.ends_with(b"\r\n\r\n") {
                head.clear();
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// The routes of an adapter whose transports trust this server.
fn routes<T: Transport + 'static>(
    server: &Server,
    adapter: impl Fn() -> TransportBuilder<T> + Send + Sync + 'static,
) -> Routes {
    let tls = server.trusted();
    let builder = move || adapter().allowing_loopback().with_tls(tls.clone());
    let base = builder().build().unwrap();
    Routes::new(base, 100, move |_, _| builder())
}

async fn asked(transport: &Arc<dyn Transport>, url: &str) -> Said {
    let request = Request::get(url).body(Vec::new()).unwrap();
    let answer = transport.fetch(request.into()).await.unwrap();
    let said = String::from_utf8(answer.into_body()).unwrap();
    let [connection, client, kind] = said.split(' ').collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(kind, "new", "a TLS session of another route was resumed");
    Said { connection: connection.to_owned(), client: client.to_owned() }
}

#[derive(Debug, PartialEq, Eq)]
struct Said {
    connection: String,
    client: String,
}

async fn check_apart(routes: &Routes, server: &Server, address: SocketAddr) {
    let (x, y) = (server.client("x"), server.client("y"));
    let url = format!("https://{address}/");
    let other_origin = format!("https://localhost:{}/", address.port());
    let mut connections = HashSet::new();
    let routes_asked = [
        ("a", None, &url, "nobody"),
        ("b", None, &url, "nobody"),
        ("a", Some(&x), &url, "x"),
        ("b", Some(&x), &url, "x"),
        ("a", Some(&y), &url, "y"),
        ("a", Some(&y), &other_origin, "y"),
    ];
    for (tenant, identity, url, client) in routes_asked {
        let connection = routes.for_connection(TenantId::new(tenant), identity.cloned());
        let first = asked(&connection, url).await;
        assert_eq!(first.client, client);
        assert_eq!(asked(&connection, url).await, first, "its own connection is used again");
        let again = routes.for_connection(TenantId::new(tenant), identity.cloned());
        assert_eq!(asked(&again, url).await, first, "and by everybody on the same route");
        assert!(connections.insert(first.connection), "a connection was shared by two routes");
    }
}

/// Many at a time, each with an identity of its own: nobody is ever seen as somebody else.
async fn check_at_once(routes: &Routes, server: &Server, address: SocketAddr) {
    let url = format!("https://{address}/");
    let asking = (0..8).map(|number| {
        let (name, url) = (format!("client-{number}"), url.clone());
        let identity = server.client(&name);
        let connection = routes.for_connection(TenantId::new("a"), Some(identity));
        tokio::spawn(async move {
            for _ in 0..20 {
                assert_eq!(asked(&connection, &url).await.client, name);
            }
        })
    });
    for asked in asking.collect::<Vec<_>>() {
        asked.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_connection_of_reqwest_is_shared_between_tenants_origins_or_identities() {
    let (server, address) = Server::start().await;
    let runtime = Handle::current();
    let routes = routes(&server, move || auth_reqwest::ReqwestTransport::builder(runtime.clone()));
    check_apart(&routes, &server, address).await;
    check_at_once(&routes, &server, address).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_connection_of_ureq_is_shared_between_tenants_origins_or_identities() {
    let (server, address) = Server::start().await;
    let routes = routes(&server, auth_ureq::UreqTransport::builder);
    check_apart(&routes, &server, address).await;
    check_at_once(&routes, &server, address).await;
}
