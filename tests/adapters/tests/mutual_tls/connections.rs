//! No connection and no TLS session is shared between two identities.

use super::{
    authority::{Authority, Good},
    server::{Server, Settings, TLS_1_2, TLS_1_3},
};
use auth_core::Transport;
use auth_outbound::{ClientIdentity, Routes, TenantId, TlsSettings, TransportBuilder};
use http::Request;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
};
use tokio::{runtime::Handle, task::JoinSet};

/// The routes of an adapter whose transports trust this authority beside the system's.
pub fn routes<T: Transport + 'static>(
    pem: &str,
    adapter: impl Fn() -> TransportBuilder<T> + Send + Sync + 'static,
) -> Routes {
    let tls = TlsSettings::system().with_authorities(pem.as_bytes()).unwrap();
    let builder = move || adapter().allowing_loopback().with_tls(tls.clone());
    let base = builder().build().unwrap();
    Routes::new(base, 100, move |_, _| builder())
}

pub fn reqwest(pem: &str) -> Routes {
    let runtime = Handle::current();
    routes(pem, move || auth_reqwest::ReqwestTransport::builder(runtime.clone()))
}

pub fn ureq(pem: &str) -> Routes {
    routes(pem, auth_ureq::UreqTransport::builder)
}

/// What the server says of a request: connection, client, kind of handshake, version of HTTP.
async fn asked(transport: &Arc<dyn Transport>, url: &str) -> [String; 4] {
    let request = Request::get(url).body(Vec::new()).unwrap();
    let answer = transport.fetch(request.into()).await.unwrap();
    let said = String::from_utf8(answer.into_body()).unwrap();
    said.split(' ').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap()
}

fn connection(routes: &Routes, identity: Option<&ClientIdentity>) -> Arc<dyn Transport> {
    routes.for_connection(TenantId::new("a"), identity.cloned())
}

/// Each identity resumes its own session and no other, by what the server knows of the session.
async fn check_resumed(routes: impl Fn(&str) -> Routes) {
    let authority = Authority::new("authority");
    let identities = ["x", "y"].map(|name| authority.client(name, Good::Now));
    let all = [(Some(&identities[0]), "x"), (Some(&identities[1]), "y"), (None, "nobody")];
    for versions in [TLS_1_2, TLS_1_3] {
        let server =
            Server::start(&authority, Settings { versions, ends: true, ..Settings::default() });
        let server = server.await;
        let routes = routes(&authority.pem());
        for expected in ["new", "resumed", "resumed"] {
            for (identity, name) in all {
                let [_, client, kind, _] =
                    asked(&connection(&routes, identity), &server.url()).await;
                assert_eq!((&*client, &*kind), (name, expected), "{versions:?}");
            }
        }
        assert_eq!(server.accepted.load(Ordering::SeqCst), 9);
    }
}

const IDENTITIES: usize = 8;
const CALLERS: usize = 5;
const REQUESTS: usize = 20;

/// Many requests at once under many identities: no connection has carried two of them.
async fn check_at_once(routes: impl Fn(&str) -> Routes, settings: Settings, http: &str) {
    let authority = Authority::new("authority");
    let server = Server::start(&authority, settings).await;
    let (routes, url) = (routes(&authority.pem()), server.url());
    let mut asking = JoinSet::new();
    for number in 0..IDENTITIES {
        let name = format!("client-{number}");
        let identity = authority.client(&name, Good::Now);
        for _ in 0..CALLERS {
            let (name, url) = (name.clone(), url.clone());
            let connection = connection(&routes, Some(&identity));
            asking.spawn(async move {
                let mut seen = Vec::new();
                for _ in 0..REQUESTS {
                    let [connection, client, _, version] = asked(&connection, &url).await;
                    assert_eq!(client, name, "somebody was taken for somebody else");
                    seen.push((connection, client, version));
                }
                seen
            });
        }
    }
    let seen: Vec<_> = asking.join_all().await.into_iter().flatten().collect();
    assert_eq!(seen.len(), IDENTITIES * CALLERS * REQUESTS);
    let mut clients = HashMap::<_, HashSet<_>>::new();
    for (connection, client, version) in seen {
        assert_eq!(version, http);
        clients.entry(connection).or_default().insert(client);
    }
    assert!(clients.values().all(|of_one| of_one.len() == 1), "{clients:?}");
    // They are used again, or there would be nothing to share. A caller that finds none idle opens another one.
    let most = IDENTITIES * CALLERS * REQUESTS / 2;
    assert!((IDENTITIES..=most).contains(&clients.len()), "{}", clients.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn reqwest_resumes_no_session_of_another_identity() {
    check_resumed(reqwest).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ureq_resumes_no_session_of_another_identity() {
    check_resumed(ureq).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reqwest_shares_no_connection_of_http_1_between_identities() {
    let settings = Settings { protocols: &["http/1.1"], ..Settings::default() };
    check_at_once(reqwest, settings, "HTTP/1.1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reqwest_shares_no_connection_of_http_2_between_identities() {
    let settings = Settings { protocols: &["h2", "http/1.1"], ..Settings::default() };
    check_at_once(reqwest, settings, "HTTP/2.0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ureq_shares_no_connection_between_identities() {
    let settings = Settings { protocols: &["h2", "http/1.1"], ..Settings::default() };
    check_at_once(ureq, settings, "HTTP/1.1").await;
}
