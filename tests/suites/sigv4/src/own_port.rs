//! Every adapter of ours before our verifier on the port that http itself has: the host that is signed is the one that
//! is sent, whether the URL names the port or not; and the path for S3 is sent as it is signed.

use super::doors::{ID, REGION, SECRET};
use auth_core::{Authenticator, Error, SystemClock};
use auth_sigv4::{AccessKey, AccessKeys, AwsService, SigV4, SigV4Policy, SigV4Verifier};
use auth_tower::{Authenticated, VerifyLayer};
use axum::{
    Router,
    extract::OriginalUri,
    http::HeaderMap,
    routing::{MethodRouter, any},
};
use conformance::{Compared, Log, Missing, NotStarted, Told, compare};
use demo::callers::{Adapter, Callers};
use std::{
    io::ErrorKind,
    net::{Ipv4Addr, TcpListener},
    sync::Arc,
};

/// A loopback address of its own, so that a server of this machine on port 80 is in nobody's way.
const HOST: Ipv4Addr = Ipv4Addr::new(127, 80, 4, 1);
const PORT: u16 = 80;
/// The folder whose paths are those of S3.
const S3: &str = "/s3";

/// The socket on port 80.
pub struct OwnPort(TcpListener);

/// Takes the port, which only root may where the system was not told otherwise.
///
/// # Errors
///
/// If it is not to be had.
pub fn start() -> Result<OwnPort, NotStarted> {
    match TcpListener::bind((HOST, PORT)) {
        Ok(listener) => Ok(OwnPort(listener)),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Err(Missing::Peer(format!("permission to listen on port {PORT} (root has it)")).into())
        }
        Err(error) => Err(format!("{HOST}:{PORT}: {error}").into()),
    }
}

/// Each adapter, with and without the port in the URL, and with a path that S3 encodes.
pub async fn cases(port: &OwnPort) -> Vec<Compared> {
    let log = Log::default();
    let served = port.0.try_clone().map_err(|error| error.to_string()).and_then(|listener| {
        listener.set_nonblocking(true).map_err(|error| error.to_string())?;
        let listener = tokio::net::TcpListener::from_std(listener);
        let app = app(&log).map_err(|error| error.to_string())?;
        Ok((listener.map_err(|error| error.to_string())?, app))
    });
    let (listener, app) = match served {
        Ok(served) => served,
        Err(what) => return vec![compare("start", "started", what)],
    };
    let server = tokio::spawn(async move {
        let _ = axum::serve(listener, app).await;
    });
    let mut cases = Vec::new();
    for adapter in [Adapter::Reqwest, Adapter::Ureq, Adapter::Tower] {
        let bare = format!("http://{HOST}");
        for (id, url, path) in [
            ("without", format!("{bare}/a?b=1"), "/a"),
            ("named", format!("{bare}:{PORT}/a?b=1"), "/a"),
            (
                "s3-path",
                format!("{bare}{S3}/a(1)!*:@=+&~%7e%2f"),
                "/s3/a%281%29%21%2A%3A%40%3D%2B%26~~%2F",
            ),
        ] {
            let service = if path == "/a" { AwsService::ExecuteApi } else { AwsService::S3 };
            let said = asked(adapter, service, &url, &log).await;
            let id = format!("{}-{id}", adapter.name());
            cases.push(compare(id, format!("acme at {HOST}{path}"), said));
        }
    }
    server.abort();
    cases
}

async fn asked(adapter: Adapter, service: AwsService, url: &str, log: &Log) -> String {
    let answer = async {
        let key = AccessKey::new(ID, SECRET)?;
        let sigv4 = SigV4::new(key, REGION, service, SystemClock)?;
        let sigv4: Arc<dyn Authenticator> = Arc::new(sigv4);
        Ok::<_, Error>(Callers::new()?.through(adapter, &sigv4, url).await)
    };
    match answer.await {
        Ok(Ok(_)) => match log.told() {
            Some(Told::Accepted(who)) => who,
            Some(Told::Refused(code)) => code.to_owned(),
            None => String::from("nothing came"),
        },
        Ok(Err(failed)) => failed.into(),
        Err(error) => error.to_string(),
    }
}

/// API Gateway, and S3 below its folder.
fn app(log: &Log) -> Result<Router, Error> {
    Ok(Router::new()
        .route(&format!("{S3}/{{*path}}"), route(log, AwsService::S3)?)
        .fallback_service(route(log, AwsService::ExecuteApi)?))
}

/// Says who calls, and which host and path came.
fn route(log: &Log, service: AwsService) -> Result<MethodRouter, Error> {
    let told = log.clone();
    let answer =
        move |caller: Authenticated<&'static str>, uri: OriginalUri, headers: HeaderMap| {
            let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
            told.note(Told::Accepted(format!("{} at {host}{}", caller.principal, uri.path())));
            std::future::ready("an answer\n")
        };
    let policy = SigV4Policy::new(service, REGION)?;
    let keys = AccessKeys::new([(AccessKey::new(ID, SECRET)?, "acme")]);
    let verifier = SigV4Verifier::new(policy, keys, SystemClock);
    Ok(any(answer).layer(VerifyLayer::new(verifier).with_observer(log.clone())))
}
