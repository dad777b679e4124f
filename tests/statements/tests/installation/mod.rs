//! An emulated installation of Symphony with TLS: each component with a certificate of the installation's own authority, two
//! of them behind a proxy each.

use auth_emulator::Symphony;
use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
};
use http::Uri;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::{
    collections::HashMap,
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
        server::WebPkiClientVerifier,
    },
};

type Seen = Arc<Mutex<Vec<String>>>;
type Clients = Arc<Mutex<HashMap<CertificateDer<'static>, String>>>;

/// The ports of what is on this machine, and what was seen there.
pub struct Installation {
    authority: CertifiedIssuer<'static, KeyPair>,
    clients: Clients,
    seen: Seen,
    folder: PathBuf,
    pub proxy_of_pod: u16,
    pub proxy_of_keys: u16,
    pub agent: u16,
    /// Where log-ins by certificate go.
    pub certificates: u16,
}

impl Installation {
    pub async fn start() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("messaging-auth-installation-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut it = Self {
            authority,
            clients: Clients::default(),
            seen: Seen::default(),
            folder,
            proxy_of_pod: 0,
            proxy_of_keys: 0,
            agent: 0,
            certificates: 0,
        };
        let symphony = Symphony::builder().with_bot("bot", include_str!("../symphony/bot.pub.pem"));
        let symphony = symphony.build().await.unwrap();
        let pod = it.component("pod", symphony.router()).await;
        let keys = it.component("keys", symphony.router()).await;
        it.agent = it.component("agent", symphony.router()).await.port();
        it.proxy_of_pod = it.proxy("proxy of pod", pod).await;
        it.proxy_of_keys = it.proxy("proxy of keys", keys).await;
        // The emulator knows no certificates.
        let logged_in = Router::new().fallback(|target: Uri| async move {
            let is_keys = target.path().starts_with("/keyauth/");
            let name = if is_keys { "keyManagerToken" } else { "sessionToken" };
            format!(r#"{{"name":"{name}","token":"t"}}"#)
        });
        it.certificates = it.component("certificates", logged_in).await.port();
        it
    }

    /// What was seen since the last time.
    pub fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    /// The path of a file with this content.
    pub fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The file of the installation's authority.
    pub fn authorities(&self) -> String {
        self.file("authorities.pem", &self.authority.pem())
    }

    /// The file of a certificate of this client, with its key.
    pub fn client(&self, name: &str) -> String {
        let (certificate, key) = self.issue(&[name]);
        self.clients.lock().unwrap().insert(certificate.der().clone(), name.to_owned());
        self.file(&format!("{name}.pem"), &(certificate.pem() + &key.serialize_pem()))
    }

    fn issue(&self, names: &[&str]) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let params = CertificateParams::new(names).unwrap();
        (params.signed_by(&key, &self.authority).unwrap(), key)
    }

    /// A component over TLS, which asks for certificates and goes on without.
    async fn component(&self, name: &'static str, router: Router) -> SocketAddr {
        let names = ["localhost", "pod.acme.example", "keys.acme.example"];
        let (certificate, key) = self.issue(&names);
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.allow_unauthenticated().build().unwrap())
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (listener, address) = listen().await;
        let (clients, seen) = (Arc::clone(&self.clients), Arc::clone(&self.seen));
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                let (acceptor, clients) = (acceptor.clone(), Arc::clone(&clients));
                let (router, seen) = (router.clone(), Arc::clone(&seen));
                tokio::spawn(async move {
                    let Ok(mut caller) = acceptor.accept(caller).await else { return };
                    let shown = caller.get_ref().1.peer_certificates().and_then(|it| it.first());
                    let client = shown.map_or("nobody".to_owned(), |certificate| {
                        clients.lock().unwrap()[certificate].clone()
                    });
                    let mut behind = behind(name, client, router, seen).await;
                    let _ = tokio::io::copy_bidirectional(&mut caller, &mut behind).await;
                });
            }
        });
        address
    }

    /// A proxy that takes every tunnel to this component.
    async fn proxy(&self, name: &'static str, to: SocketAddr) -> u16 {
        let (listener, address) = listen().await;
        let seen = Arc::clone(&self.seen);
        tokio::spawn(async move {
            while let Ok((mut caller, _)) = listener.accept().await {
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(caller.read_u8().await.unwrap());
                    }
                    let head = String::from_utf8(head).unwrap();
                    let target = head.split(' ').nth(1).unwrap();
                    let fields = head.lines().filter_map(|line| line.split_once(": "));
                    let mut fields =
                        fields.filter(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"));
                    let user = fields.next().map_or("-", |(_, user)| user);
                    seen.lock().unwrap().push(format!("{name} to {target} for {user}"));
                    let mut behind = TcpStream::connect(to).await.unwrap();
                    caller.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut caller, &mut behind).await;
                });
            }
        });
        address.port()
    }
}

/// A connection to what is behind TLS: each has a server of its own, which knows whose connection it is.
async fn behind(name: &'static str, client: String, router: Router, seen: Seen) -> TcpStream {
    let router = router.layer(from_fn(move |request: Request, next: Next| {
        let key = request.headers().get("x-gateway-key");
        let key = key.map_or("-", |key| key.to_str().unwrap());
        let path = request.uri().path();
        seen.lock().unwrap().push(format!("{name} {path} with {key} by {client}"));
        next.run(request)
    }));
    let (listener, address) = listen().await;
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    TcpStream::connect(address).await.unwrap()
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

impl Drop for Installation {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
