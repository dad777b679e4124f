//! Certificates: a private authority beside the system's, and a certificate of our own.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use auth_core::Transport as _;
use auth_ureq::{AuthClient, ClientIdentity, Proxy, TlsSettings, UreqTransport};
use common::{Session, answer, listen, seen, serve};
use http::Request;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use std::{
    io::{Read, Write},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

struct Authority(CertifiedIssuer<'static, KeyPair>);

/// How a server ends a connection: not by itself, with word of it, or without.
#[derive(Clone, Copy)]
enum End {
    Kept,
    Said,
    Unsaid,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    fn trusted(&self) -> TlsSettings {
        TlsSettings::system().with_authorities(self.pem().as_bytes()).unwrap()
    }

    /// A certificate for a name, and its key.
    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        (CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap(), key)
    }

    /// A TLS server under a name, that answers one who brings a certificate of this authority.
    fn serve(&self, name: &str, said: impl Into<String>, end: End) -> SocketAddr {
        let (said, (certificate, key)) = (said.into(), self.issue(name));
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let clients =
            WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
                .build()
                .unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let config = Arc::new(config);
        listen(move |caller| {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(session, caller);
            while stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
                assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
                stream.write_all(said.as_bytes()).unwrap();
                match end {
                    End::Kept => {}
                    End::Said => stream.conn.send_close_notify(),
                    End::Unsaid => return,
                }
                stream.flush().unwrap();
                if let End::Said = end {
                    return;
                }
            }
        })
    }

    /// Who the bearer of a certificate of this authority is.
    fn identity(&self) -> ClientIdentity {
        let (certificate, key) = self.issue("client");
        let (certificate, key) = (certificate.pem(), key.serialize_pem());
        ClientIdentity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap()
    }

    /// Trusts this authority, and is known to it.
    fn member(&self) -> TlsSettings {
        self.trusted().with_identity(self.identity())
    }
}

const HELLO: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
const UNTIL_THE_END: &str = "HTTP/1.1 200 OK\r\n\r\nhello";

fn ask(tls: TlsSettings, url: String) -> Result<String, &'static str> {
    let client = AuthClient::builder().with_tls(tls).build().unwrap();
    let request = Request::get(url).body(()).unwrap();
    let answer = client.send(&Session::default(), request).map_err(|error| error.code());
    answer.map(|mut answer| answer.body_mut().read_to_string().unwrap())
}

#[test]
fn a_private_authority_and_our_own_certificate_open_the_door() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let server = authority.serve("127.0.0.1", HELLO, End::Said);
    let url = || format!("https://{server}/");
    assert_eq!(ask(authority.member(), url()).as_deref(), Ok("hello"));
    assert_eq!(
        ask(TlsSettings::system(), url()),
        Err("ureq_connect"),
        "an authority nobody named was trusted"
    );
    assert!(ask(authority.trusted(), url()).is_err(), "no certificate was enough");
    let posing = authority.trusted().with_identity(stranger.identity());
    assert!(ask(posing, url()).is_err(), "a stranger's certificate was enough");
}

#[test]
fn a_certificate_is_held_to_the_name_in_the_url() {
    let authority = Authority::new();
    for (name, host, expected) in [
        ("localhost", "localhost", Ok("hello")),
        ("localhost", "127.0.0.1", Err("ureq_connect")),
        ("127.0.0.1", "localhost", Err("ureq_connect")),
        ("example.com", "localhost", Err("ureq_connect")),
    ] {
        let server = authority.serve(name, HELLO, End::Said);
        let got = ask(authority.member(), format!("https://{host}:{}/", server.port()));
        assert_eq!(got.as_deref().map_err(|code| *code), expected, "{name} as {host}");
    }
}

/// An answer without a length ends when its sender says so. Were the end of the connection enough, anybody on the way
/// could shorten it.
#[test]
fn an_answer_that_was_cut_off_is_none() {
    let authority = Authority::new();
    for (said, end, expected) in [
        (UNTIL_THE_END, End::Said, Ok(b"hello".to_vec())),
        (UNTIL_THE_END, End::Unsaid, Err("ureq_body")),
        (HELLO, End::Unsaid, Ok(b"hello".to_vec())),
    ] {
        let server = authority.serve("127.0.0.1", said, end);
        let transport = UreqTransport::builder()
            .allowing_loopback()
            .with_tls(authority.member())
            .build()
            .unwrap();
        let request = Request::get(format!("https://{server}/")).body(Vec::new()).unwrap();
        let got = transport.fetch(request.into()).wait();
        let got = got.map(http::Response::into_body).map_err(|error| error.code());
        assert_eq!(got, expected, "{said:?}");
    }
}

/// The limit is that of an attempt, not of the connection it goes over; a connection that has ended is not taken again.
#[test]
fn a_client_sends_again_on_what_is_left_of_its_connections() {
    let authority = Authority::new();
    for end in [End::Kept, End::Said, End::Unsaid] {
        let server = authority.serve("127.0.0.1", HELLO, end);
        let limit = Duration::from_millis(300);
        let client =
            AuthClient::builder().with_tls(authority.member()).with_timeout(limit).build().unwrap();
        for _ in 0..2 {
            let request = Request::get(format!("https://{server}/")).body(()).unwrap();
            let mut answer = client.send(&Session::default(), request).unwrap();
            assert_eq!(answer.body_mut().read_to_string().unwrap(), "hello");
            std::thread::sleep(limit * 3 / 2);
        }
    }
}

#[test]
fn a_redirect_from_https_to_http_is_not_followed() {
    let (plain, seen_there) = serve(|_| answer(200, &[], "in the clear"));
    let authority = Authority::new();
    let moved = format!(
        "HTTP/1.1 302 Found\r\nlocation: http://{plain}/\r\ncontent-length: 5\r\n\r\nmoved"
    );
    let server = authority.serve("127.0.0.1", moved, End::Said);
    let got = ask(authority.member(), format!("https://{server}/"));
    assert_eq!(got.as_deref(), Ok("moved"));
    assert!(seen(&seen_there).is_empty());
}

/// The proxy sees a name and bytes: the handshake is with the server behind it.
#[test]
fn tls_goes_through_a_proxy_to_the_server() {
    let authority = Authority::new();
    let server = authority.serve("api.example.com", HELLO, End::Said);
    let proxy = listen(move |mut caller| {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut next = [0];
            caller.read_exact(&mut next).unwrap();
            head.extend_from_slice(&next);
        }
        assert!(head.starts_with(b"CONNECT api.example.com:443 "));
        caller.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let upstream = std::net::TcpStream::connect(server).unwrap();
        let (mut to, mut from) = (upstream.try_clone().unwrap(), upstream);
        let (mut down, mut up) = (caller.try_clone().unwrap(), caller);
        std::thread::spawn(move || std::io::copy(&mut up, &mut to));
        let _ = std::io::copy(&mut from, &mut down);
    });
    let client = AuthClient::builder()
        .with_tls(authority.member())
        .with_proxy(Proxy::new(&format!("http://{proxy}")).unwrap())
        .with_timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    let request = Request::get("https://api.example.com/").body(()).unwrap();
    let mut answer = client.send(&Session::default(), request).unwrap();
    assert_eq!(answer.body_mut().read_to_string().unwrap(), "hello");
}

/// The handshake is with the proxy, under its own name.
#[test]
fn a_proxy_may_be_spoken_to_under_tls() {
    let authority = Authority::new();
    for (name, expected) in [("127.0.0.1", Ok(204)), ("example.com", Err("ureq_connect"))] {
        let proxy = authority.serve(name, "HTTP/1.1 204 No Content\r\n\r\n", End::Kept);
        let client = AuthClient::builder()
            .with_tls(authority.member())
            .with_proxy(Proxy::new(&format!("https://{proxy}")).unwrap())
            .build()
            .unwrap();
        let request = Request::get("http://127.0.0.1:9/").body(()).unwrap();
        let got = client.send(&Session::default(), request);
        let got = got.map(|answer| answer.status().as_u16()).map_err(|error| error.code());
        assert_eq!(got, expected, "{name}");
    }
}
