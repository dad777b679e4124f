//! Digest for a proxy, through clients that hand it a request and clients that make a tunnel.

use auth_core::{Stack, SystemRandom};
use auth_digest::Digest;
use axum::{Router, extract::Request as Received, response::IntoResponse};
use http::{Request, StatusCode, header::PROXY_AUTHENTICATE};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What was asked of a server: the target, and which credentials came with it.
type Seen = Arc<Mutex<Vec<String>>>;

/// A proxy that is the server behind itself, or a server that poses as a proxy: it asks for Digest with a 407.
async fn asking() -> (SocketAddr, Seen) {
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    let app = Router::new().fallback(move |request: Received| {
        let log = Arc::clone(&log);
        async move {
            let field = request.headers().get("proxy-authorization");
            let field = field.map_or("none", |field| field.to_str().unwrap());
            let scheme = field.split(' ').next().unwrap();
            log.lock().unwrap().push(format!("{} {scheme}", request.uri()));
            let asked = "Digest realm=\"proxy\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
            match scheme {
                "Digest" => "through".into_response(),
                _ => (StatusCode::PROXY_AUTHENTICATION_REQUIRED, [(PROXY_AUTHENTICATE, asked)])
                    .into_response(),
            }
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, seen)
}

/// A proxy that makes tunnels to wherever it is told, and notes what it is told.
async fn tunnels() -> (SocketAddr, Seen) {
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut caller, _)) = listener.accept().await {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(caller.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
                let to = head.split(' ').nth(1).unwrap().to_owned();
                log.lock().unwrap().push(head);
                let mut behind = TcpStream::connect(to).await.unwrap();
                caller.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut caller, &mut behind).await;
            });
        }
    });
    (address, seen)
}

fn digest() -> Digest {
    Digest::new("alice", "s3cret", SystemRandom::new()).unwrap()
}

#[tokio::test]
async fn a_proxy_that_is_handed_requests_is_answered() {
    let (proxy, seen) = asking().await;
    let proxy = auth_reqwest::Proxy::new(&format!("http://{proxy}")).unwrap();
    let client = auth_reqwest::AuthClient::builder().with_proxy(proxy).allowing_plain_http();
    let (client, both) = (client.build().unwrap(), Stack(digest().for_proxy(), digest()));
    for _ in 0..2 {
        let request = client.http().get("http://a.example/x").build().unwrap();
        let answer = client.send(&both, request).await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "through");
    }
    let (first, then) = ("http://a.example/x none", "http://a.example/x Digest");
    assert_eq!(*seen.lock().unwrap(), [first, then, then]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_behind_a_tunnel_gets_nothing_that_is_for_the_proxy() {
    let ((server, at_server), (proxy, at_proxy)) = (asking().await, tunnels().await);
    let sent = tokio::task::spawn_blocking(move || {
        let proxy = auth_ureq::Proxy::new(&format!("http://{proxy}")).unwrap();
        let client = auth_ureq::AuthClient::builder().with_proxy(proxy).build().unwrap();
        let door = digest().for_proxy();
        for _ in 0..2 {
            let request = Request::get(format!("http://{server}/x")).body(()).unwrap();
            let status = client.send(&door, request).unwrap().status();
            assert_eq!(status, StatusCode::PROXY_AUTHENTICATION_REQUIRED, "it was answered");
        }
    });
    sent.await.unwrap();
    assert_eq!(*at_server.lock().unwrap(), ["/x none"; 2]);
    let told = at_proxy.lock().unwrap();
    assert!(told.iter().all(|head| !head.contains("authorization")), "{told:?}");
}
