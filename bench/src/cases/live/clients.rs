//! Clients: a whole request over loopback to a server in a thread of its own, which is not counted.

use super::{
    requests::{ACCESS_KEY, KEY, PASSWORD, REGION, SECRET_KEY, USER, body},
    wire::runtime,
};
use auth_core::{Authenticator, SystemClock, SystemRandom};
use auth_digest::Digest;
use auth_sigv4::{AccessKey, AwsService, SigV4};
use auth_static::{ApiKey, Placement};
use diqwest::WithDigestAuth;
use harness::case::{Call, Case, Group, call, floor, most, ours, peer};
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

pub fn groups() -> Vec<Group> {
    let input = "a whole request over loopback, on a kept connection";
    let group = |name, cases: Vec<Case>| Group { name, input, cases };
    vec![
        group(
            "live-reqwest-api-key",
            vec![
                floor("reqwest, the field by hand", hand_api_key),
                most("auth-reqwest", (70_000, 56), || get(api_key())),
            ],
        ),
        group(
            "live-reqwest-digest",
            vec![
                floor("reqwest alone", || hand("/digest/not")),
                peer("diqwest", hand_digest),
                most("auth-reqwest", (86_000, 60), || get(digest())),
            ],
        ),
        group(
            "live-reqwest-sigv4",
            vec![
                peer("reqwest, aws-sigv4 by hand", hand_sigv4),
                most("auth-reqwest, 1 KiB", (137_000, 68), post),
            ],
        ),
        group(
            "live-ureq-api-key",
            vec![
                floor("ureq, the field by hand", ureq_by_hand),
                ours("auth-ureq", Some(1.10), 100, ureq_api_key),
            ],
        ),
    ]
}

/// For the processor's time.
pub fn over_loopback() -> Vec<(&'static str, fn() -> Call)> {
    vec![
        ("client: reqwest, API key by hand", hand_api_key),
        ("client: auth-reqwest, API key", || get(api_key())),
        ("client: diqwest", hand_digest),
        ("client: auth-reqwest, Digest", || get(digest())),
        ("client: reqwest, aws-sigv4 by hand", hand_sigv4),
        ("client: auth-reqwest, SigV4 1 KiB", post),
        ("client: ureq, API key by hand", ureq_by_hand),
        ("client: auth-ureq, API key", ureq_api_key),
    ]
}

const CHALLENGE: &str = "Digest realm=\"http-auth@example.org\", qop=\"auth\", algorithm=SHA-256, \
                         nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                         opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

/// Answers 200; on `/digest`, 401 to a request without Digest.
fn server() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.expect("a connection");
            thread::spawn(move || answer(stream));
        }
    });
    address
}

fn answer(mut stream: TcpStream) {
    stream.set_nodelay(true).expect("an option");
    let (mut read, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let end = loop {
            if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            match stream.read(&mut chunk) {
                Ok(0) | Err(_) => return,
                Ok(length) => read.extend_from_slice(&chunk[..length]),
            }
        };
        let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.trim().parse().expect("a number"));
        while read.len() < end + length {
            match stream.read(&mut chunk) {
                Ok(0) | Err(_) => return,
                Ok(length) => read.extend_from_slice(&chunk[..length]),
            }
        }
        read.drain(..end + length);
        let asks = head.starts_with("get /digest ") && !head.contains("\r\nauthorization: digest");
        let answer = if asks {
            format!(
                "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: {CHALLENGE}\r\ncontent-length: 0\r\n\r\n"
            )
        } else {
            String::from(
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 5\r\n\
                 date: Sat, 28 Nov 2026 13:31:09 GMT\r\n\r\nhello",
            )
        };
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Settings of ours, so that only the authentication differs.
fn bare() -> reqwest::Client {
    let client = auth_reqwest::AuthClient::builder().build().expect("a client");
    client.http().clone()
}

fn hand_api_key() -> Call {
    let (runtime, client, url) = (runtime(), bare(), format!("http://{}/hello", server()));
    call(move || {
        let answer =
            async { client.get(&url).header("x-api-key", KEY).send().await?.bytes().await };
        runtime.block_on(answer).expect("an answer")
    })
}

fn hand(path: &str) -> Call {
    let (runtime, client, url) = (runtime(), bare(), format!("http://{}{path}", server()));
    call(move || {
        let answer = async { client.get(&url).send().await?.bytes().await };
        runtime.block_on(answer).expect("an answer")
    })
}

fn hand_digest() -> Call {
    let (runtime, client, url) = (runtime(), bare(), format!("http://{}/digest", server()));
    let session = diqwest::DigestAuthSession::new(USER, PASSWORD);
    call(move || {
        let answer = async {
            let answer = client.get(&url).send_digest_auth(&session).await.expect("an answer");
            answer.bytes().await
        };
        runtime.block_on(answer).expect("an answer")
    })
}

fn hand_sigv4() -> Call {
    let (runtime, client, url) = (runtime(), bare(), format!("http://{}/bytes", server()));
    let (mut signer, body) = (crate::cases::sigv4::aws_sigv4_request(), body());
    call(move || {
        let signed = signer(&url, &body);
        let request = reqwest::Request::try_from(signed).expect("a request");
        let answer = async { client.execute(request).await?.bytes().await };
        runtime.block_on(answer).expect("an answer")
    })
}

fn api_key() -> (Arc<dyn Authenticator>, &'static str) {
    let placement = Placement::header("x-api-key").expect("a placement");
    (Arc::new(ApiKey::new(placement, KEY).expect("a key")), "/hello")
}

fn digest() -> (Arc<dyn Authenticator>, &'static str) {
    (Arc::new(Digest::new(USER, PASSWORD, SystemRandom::new()).expect("a client")), "/digest")
}

fn get((authenticator, path): (Arc<dyn Authenticator>, &'static str)) -> Call {
    let client = auth_reqwest::AuthClient::builder().build().expect("a client");
    let (runtime, url) = (runtime(), format!("http://{}{path}", server()));
    call(move || {
        let request = client.http().get(&url).build().expect("a request");
        let answer =
            async { client.send(&authenticator, request).await.expect("sent").bytes().await };
        runtime.block_on(answer).expect("an answer")
    })
}

fn post() -> Call {
    let key = AccessKey::new(ACCESS_KEY, SECRET_KEY).expect("a key");
    let service = AwsService::named("hooks");
    let signer = SigV4::new(key, REGION, service, SystemClock).expect("a signer");
    let client = auth_reqwest::AuthClient::builder().build().expect("a client");
    let (runtime, url, body) = (runtime(), format!("http://{}/bytes", server()), body());
    call(move || {
        let request = client.http().post(&url).header("content-type", "application/json");
        let request = request.body(body.clone()).build().expect("a request");
        let answer = async { client.send(&signer, request).await.expect("sent").bytes().await };
        runtime.block_on(answer).expect("an answer")
    })
}

fn ureq_by_hand() -> Call {
    let (agent, url) = (ureq::agent(), format!("http://{}/hello", server()));
    call(move || {
        let mut answer = agent.get(&url).header("x-api-key", KEY).call().expect("an answer");
        answer.body_mut().read_to_vec().expect("a body")
    })
}

fn ureq_api_key() -> Call {
    let ((key, path), client) = (api_key(), auth_ureq::AuthClient::builder().build());
    let (client, url) = (client.expect("a client"), format!("http://{}{path}", server()));
    call(move || {
        let request = http::Request::get(&url).body(()).expect("a request");
        let mut answer = client.send(&key, request).expect("an answer");
        answer.body_mut().read_to_vec().expect("a body")
    })
}
