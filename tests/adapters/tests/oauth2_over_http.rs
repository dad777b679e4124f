//! The OAuth 2.0 client over real connections, before token endpoints that misbehave.

use auth_core::{Context, Error, Transport};
use auth_oauth2::{
    ClientAuthentication, ClientCredentials, ClientRegistration, Session, TokenEndpoint,
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const DEADLINE: Duration = Duration::from_secs(5);

/// What a path of the server does.
const TOKEN: &str = "/token";
const HANGS: &str = "/hangs";
const ENDLESS: &str = "/endless";
const CUT: &str = "/cut";

/// A real server on loopback: one thread for each connection.
struct Server {
    address: SocketAddr,
    /// How many bytes of the endless answer were taken from it.
    sent: AtomicU64,
    hanging: AtomicU64,
    held: Mutex<Vec<TcpStream>>,
}

impl Server {
    fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sent, hanging, held) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::default());
        let server = Arc::new(Self { address, sent, hanging, held });
        let serving = Arc::clone(&server);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(std::result::Result::ok) {
                let server = Arc::clone(&serving);
                thread::spawn(move || server.serve(connection));
            }
        });
        server
    }

    fn serve(&self, mut connection: TcpStream) {
        let mut reader = BufReader::new(connection.try_clone().unwrap());
        let mut first = String::new();
        reader.read_line(&mut first).unwrap();
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).unwrap();
            let lower = line.to_ascii_lowercase();
            if let Some(text) = lower.strip_prefix("content-length:") {
                length = text.trim().parse().unwrap();
            }
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        let token = r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","expires_in":3600}"#;
        let whole = token.len();
        match first.split(' ').nth(1).unwrap() {
            HANGS => {
                self.held.lock().unwrap().push(connection);
                self.hanging.fetch_add(1, Ordering::SeqCst);
            }
            ENDLESS => self.pour(&mut connection),
            CUT => {
                let (half, _) = token.split_at(20);
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {whole}\r\n\r\n{half}");
                let _ = connection.write_all(head.as_bytes());
            }
            _ => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {whole}\r\n\r\n{token}"
                );
                let _ = connection.write_all(head.as_bytes());
            }
        }
    }

    /// A gibibyte of JSON, for as long as somebody takes it.
    fn pour(&self, connection: &mut TcpStream) {
        const GIBIBYTE: u64 = 1 << 30;
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-length: {GIBIBYTE}\r\n\r\n{{\"access_token\":\"");
        let _ = connection.write_all(head.as_bytes());
        let part = [b'a'; 64 * 1024];
        while self.sent.load(Ordering::SeqCst) < GIBIBYTE && connection.write_all(&part).is_ok() {
            self.sent.fetch_add(part.len() as u64, Ordering::SeqCst);
        }
    }

    fn session(&self, transport: &Arc<dyn Transport>, path: &str) -> Session<ClientCredentials> {
        let endpoint = TokenEndpoint::new(&format!("http://{}{path}", self.address)).unwrap();
        let client = ClientAuthentication::client_secret_post("me", "s3cret").unwrap();
        let grant = ClientCredentials::new(ClientRegistration::new(endpoint, client));
        Session::new(grant, Context::new(Arc::clone(transport)))
    }
}

/// A transport, and what has to live as long.
type Means = (&'static str, Arc<dyn Transport>, Option<tokio::runtime::Runtime>);

fn transports() -> Vec<Means> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
    let reqwest = auth_reqwest::ReqwestTransport::builder(runtime.handle().clone());
    let reqwest = reqwest.allowing_loopback().with_deadline(DEADLINE).build().unwrap();
    let ureq = auth_ureq::UreqTransport::builder().allowing_loopback().with_deadline(DEADLINE);
    let ureq: Arc<dyn Transport> = Arc::new(ureq.build().unwrap());
    vec![("reqwest", Arc::new(reqwest), Some(runtime)), ("ureq", ureq, None)]
}

/// Tenants type these URLs. A hundred that hang cost the next one nothing.
#[test]
fn a_hundred_tenants_whose_endpoints_hang_do_not_hold_up_the_next() {
    for (name, transport, _alive) in transports() {
        let server = Server::start();
        let hanging: Vec<_> = (0..100).map(|_| server.session(&transport, HANGS)).collect();
        thread::scope(|scope| {
            let waiting: Vec<_> = hanging
                .iter()
                .map(|session| {
                    scope.spawn(|| session.token().wait().map(drop).map_err(|error| error.code()))
                })
                .collect();
            let begun = Instant::now();
            while server.hanging.load(Ordering::SeqCst) < 100 {
                assert!(begun.elapsed() < DEADLINE, "{name}: not all hundred are asked at once");
                thread::sleep(Duration::from_millis(1));
            }
            let mut took: Vec<_> = (0..21)
                .map(|_| {
                    let begun = Instant::now();
                    server.session(&transport, TOKEN).token().wait().unwrap();
                    begun.elapsed()
                })
                .collect();
            took.sort();
            assert!(
                took[10] < Duration::from_millis(50),
                "{name}: the middle one took {:?}",
                took[10]
            );
            assert!(
                waiting.iter().all(|waiting| !waiting.is_finished()),
                "{name}: they hang still"
            );
            server.held.lock().unwrap().clear();
            for waiting in waiting {
                assert!(waiting.join().unwrap().is_err(), "{name}");
            }
        });
    }
}

#[track_caller]
fn check(path: &str, expected: fn(&Error) -> bool) {
    for (name, transport, _alive) in transports() {
        let server = Server::start();
        let begun = Instant::now();
        let error = server.session(&transport, path).token().wait().unwrap_err();
        assert!(expected(&error), "{name}: {error:?}");
        assert!(begun.elapsed() < DEADLINE + Duration::from_secs(1), "{name}");
        // What the systems on both sides hold for a connection is all that is beyond the bound.
        let sent = server.sent.load(Ordering::SeqCst);
        assert!(sent < 32 * 1024 * 1024, "{name}: took {sent} bytes");
    }
}

#[test]
fn an_answer_of_a_gibibyte_is_given_up_at_its_bound() {
    check(ENDLESS, |error| !error.to_string().contains("aaaa"));
}

#[test]
fn an_answer_that_is_cut_off_is_an_error() {
    check(CUT, |error| matches!(error, Error::Transport(_)));
}

#[test]
fn an_endpoint_that_hangs_costs_a_deadline() {
    check(HANGS, |error| matches!(error, Error::Transport(_)));
}
