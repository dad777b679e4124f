//! A browser that is given a presigned URL of ours: what its `fetch` sends, before our verifier.

use super::doors::{ID, REGION, SECRET, route};
use auth_core::{Body, Error, RequestView, SystemClock};
use auth_sigv4::{AccessKey, AwsService, SigV4, SigV4Policy};
use axum::{Router, response::Html, routing::get};
use conformance::{Compared, Log, Told, compare, output};
use http::{HeaderMap, HeaderValue, Method, Uri, header::CONTENT_TYPE};
use serde_json::json;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Command,
    time::Duration,
};
use tokio::net::TcpListener;

const CONTENT: &str = "an object: \u{e9}";
const OBJECT: &str = "/uploads/2026/a%20b(1)!.txt";

/// One fetch: what was presigned, and what the page does with it.
struct Fetch {
    id: &'static str,
    method: Method,
    /// The content type that is signed with the URL.
    signed_type: Option<&'static str>,
    /// The content type that the page sets.
    sent_type: Option<&'static str>,
    /// What the page changes in the URL.
    change: (&'static str, &'static str),
    expected: &'static str,
}

/// Every browser adds a content type to a text, which nobody has signed.
const FETCHES: [Fetch; 6] = [
    Fetch { id: "get", method: Method::GET, expected: "acme", ..PUT },
    PUT,
    Fetch { id: "put-typed", sent_type: Some("image/png"), ..PUT },
    Fetch {
        id: "put-signed-type",
        signed_type: Some("image/png"),
        sent_type: Some("image/png"),
        ..PUT
    },
    Fetch {
        id: "put-other-type",
        signed_type: Some("image/png"),
        expected: "sigv4_signature",
        ..PUT
    },
    Fetch { id: "put-elsewhere", change: ("2026", "2025"), expected: "sigv4_signature", ..PUT },
];

const PUT: Fetch = Fetch {
    id: "put",
    method: Method::PUT,
    signed_type: None,
    sent_type: None,
    change: ("", ""),
    expected: "acme put an object: \u{e9}",
};

/// Each of them in a page of its own.
pub async fn cases(chromium: &Path, folder: &Path) -> Vec<Compared> {
    let mut cases = Vec::new();
    for fetch in FETCHES {
        let said = said(chromium, folder, &fetch).await.unwrap_or_else(|what| what);
        cases.push(compare(fetch.id, fetch.expected, said));
    }
    cases
}

async fn said(chromium: &Path, folder: &Path, fetch: &Fetch) -> Result<String, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(text)?;
    let (address, log) = (listener.local_addr().map_err(text)?, Log::default());
    let app = app(&log, page(fetch, address).map_err(text)?).map_err(text)?;
    let server = tokio::spawn(async move {
        let _ = axum::serve(listener, app).await;
    });
    let mut browser = Command::new(chromium);
    browser.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-proxy-server",
        "--virtual-time-budget=10000",
        "--dump-dom",
    ]);
    browser.arg(format!("--user-data-dir={}", folder.join(fetch.id).display()));
    browser.arg(format!("http://{address}/page"));
    let ran = tokio::task::spawn_blocking(move || output(&mut browser, Duration::from_secs(60)));
    let shown = ran.await.map_err(text)??;
    server.abort();
    match log.told() {
        Some(Told::Accepted(who)) => Ok(who),
        Some(Told::Refused(code)) => Ok(code.to_owned()),
        None => Err(format!("nothing came; {}", String::from_utf8_lossy(&shown.stdout))),
    }
}

/// The page, with a URL that is good for it.
fn page(fetch: &Fetch, address: SocketAddr) -> Result<String, Error> {
    let sigv4 = SigV4::new(AccessKey::new(ID, SECRET)?, REGION, AwsService::S3, SystemClock)?;
    let uri: Uri = format!("http://{address}{OBJECT}").parse().unwrap_or_default();
    let typed = fetch.signed_type.map(|value| (CONTENT_TYPE, HeaderValue::from_static(value)));
    let headers = HeaderMap::from_iter(typed);
    let view = RequestView::new(&fetch.method, &uri, &headers).with_body(Body::Bytes(b""));
    let url = sigv4.presign(view, Duration::from_secs(60)).wait()?;
    let (from, to) = fetch.change;
    let typed = fetch.sent_type.map(|value| json!({ "content-type": value }));
    let options = json!({
        "method": fetch.method.as_str(),
        "body": (fetch.method == Method::PUT).then_some(CONTENT),
        "headers": typed.unwrap_or_else(|| json!({})),
    });
    let url = json!(url.replacen(from, to, 1));
    Ok(format!(
        "<!doctype html><meta charset=utf-8><script>const options = {options};\
         if (options.body === null) delete options.body;\
         fetch({url}, options).then(answer => document.title = answer.status)</script>"
    ))
}

/// The page for everybody, and S3 behind the verifier.
fn app(log: &Log, page: String) -> Result<Router, Error> {
    let s3 = SigV4Policy::new(AwsService::S3, REGION)?;
    let s3 = route(log, s3.allowing_presigned().allowing_unsigned_payload())?;
    let page = move || std::future::ready(Html(page.clone()));
    Ok(Router::new().route("/page", get(page)).route("/uploads/{*path}", s3))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
