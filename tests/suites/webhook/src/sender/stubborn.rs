//! Receivers that lead elsewhere, and receivers that do not answer.

use super::{Stage, case, receipt, recording::Recording, text};
use conformance::{Compared, free_port};
use http::Response;
use serde_json::json;
use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

pub async fn cases() -> Result<Vec<Compared>, String> {
    let mut cases = redirects().await?;
    cases.extend(silent().await?);
    Ok(cases)
}

/// Never followed, and never attempted again; nothing arrives where they lead to.
async fn redirects() -> Result<Vec<Compared>, String> {
    let elsewhere = Recording::open(|_| Response::new("taken".into())).await?;
    let to = format!("{}/taken", elsewhere.base);
    let server = Recording::open(move |request| {
        let status: u16 = request.uri.path().trim_start_matches('/').parse().unwrap_or(500);
        let made = Response::builder().status(status).header("location", &to);
        made.body(String::new()).unwrap_or_default()
    });
    let server = server.await?;
    let stage = Stage::on_this_machine()?;
    let basic = json!({ "type": "basic", "username": "acme", "password": "s3cret" });
    let mut cases = Vec::new();
    for status in [300, 301, 302, 303, 307, 308] {
        let run = async {
            let name = status.to_string();
            stage.subscribe(&name, &format!("{}/{status}", server.base), basic.clone())?;
            let end = stage.deliver(&name, receipt()).await?;
            let (here, there) = (server.arrived().len(), elsewhere.arrived().len());
            Ok(format!("{end}; {here} here, {there} there"))
        };
        let expected = format!("ended after 1: ended {status}; 1 here, 0 there");
        cases.push(case(&format!("redirect-{status}"), &expected, run).await);
    }
    Ok(cases)
}

/// An attempt ends when its time is over, whatever the receiver or the token endpoint do.
async fn silent() -> Result<Vec<Compared>, String> {
    let base = hanging().await?;
    let closed = free_port().map_err(text)?;
    let stage = Stage::on_this_machine()?;
    let none = json!({ "type": "none" });
    let tokens = json!({
        "type": "oauth2", "grant_type": "client_credentials", "client_id": "acme", "client_secret": "s3cret",
        "access_token_url": format!("{base}/nothing"),
    });
    let mut cases = Vec::new();
    for (id, url, authorization, expected) in [
        ("no-answer", format!("{base}/nothing"), &none, "not_reached in 2 s"),
        ("half-an-answer", format!("{base}/half"), &none, "not_reached in 2 s"),
        (
            "no-answer-to-the-token-request",
            format!("{base}/half"),
            &tokens,
            "no_token webhook_credentials_late in 2 s",
        ),
        ("nobody-there", format!("http://127.0.0.1:{closed}/"), &none, "not_reached in 0 s"),
    ] {
        let run = async {
            stage.subscribe(id, &url, authorization.clone())?;
            let begun = Instant::now();
            let said = stage.attempt(id, receipt()).await?;
            Ok(format!("{said} in {} s", begun.elapsed().as_secs()))
        };
        cases.push(case(id, expected, run).await);
    }
    Ok(cases)
}

/// A server that reads requests and never answers, or not to the end. It ends with the runtime of this suite.
async fn hanging() -> Result<String, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(text)?;
    let base = format!("http://{}", listener.local_addr().map_err(text)?);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 4096];
                let read = stream.read(&mut head).await.unwrap_or_default();
                if head[..read].starts_with(b"POST /half") {
                    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf";
                    let _ = stream.write_all(half).await;
                }
                tokio::time::sleep(Duration::from_secs(60)).await;
            });
        }
    });
    Ok(base)
}
