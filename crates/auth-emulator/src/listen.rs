//! Listening on loopback, and dropping connections on purpose.

use crate::request::PeerCertificate;
use auth_core::{Error, Result};
use axum::{Router, body::Body, extract::ConnectInfo};
use http::{Request, Response, StatusCode};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    pin::pin,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;
use tower::{ServiceExt, service_fn};

/// Marks an answer in whose place the connection is dropped.
///
/// A router that is called without a connection has none to drop: its answer is then a 503 with this in its extensions.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ConnectionDropped;

impl ConnectionDropped {
    /// The answer that is never sent.
    pub(crate) fn response() -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.extensions_mut().insert(Self);
        response
    }

    pub(crate) fn is(response: &Response<Body>) -> bool {
        response.extensions().get::<Self>().is_some()
    }
}

/// A server that runs until it is stopped or dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// How what is sent over the connections of a port is protected.
#[derive(Clone)]
pub(crate) enum Protection {
    None,
    Tls(TlsAcceptor),
}

/// A client has this long for its part of a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Requests that are under way when the server is stopped have this long to end.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

impl Listening {
    /// Serves this router on a port of 127.0.0.1; port 0 takes any that is free.
    pub(crate) async fn begin(
        port: u16,
        what: &str,
        router: Router,
        protection: Protection,
    ) -> Result<Self> {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(wanted).await.map_err(|error| busy(port, what, &error))?;
        let address = listener.local_addr().map_err(|error| busy(port, what, &error))?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, router, protection, stopped));
        Ok(Self { address, stop, task })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more connections, and waits for the requests that are under way.
    pub(crate) async fn stop(mut self) {
        let _ = self.stop.send(true);
        let _ = (&mut self.task).await;
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn busy(port: u16, what: &str, error: &io::Error) -> Error {
    let text = match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "port {port} of 127.0.0.1 is in use by another program; end that program, take another port for {what}, or \
             port 0 for any that is free"
        ),
        _ => format!("port {port} of 127.0.0.1 cannot be listened on for {what}: {error}"),
    };
    Error::config("emulator_port", text)
}

async fn accept(
    listener: TcpListener,
    router: Router,
    protection: Protection,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let (router, stopped) = (router.clone(), stopped.clone());
                    connections.spawn(protected(stream, peer, router, protection.clone(), stopped));
                }
                // Too many open files, for example: others end meanwhile.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
            _ = stopped.changed() => break,
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(LAST_REQUESTS, ended).await;
}

async fn protected(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    protection: Protection,
    stopped: watch::Receiver<bool>,
) {
    let Protection::Tls(acceptor) = protection else {
        return serve(stream, peer, None, router, stopped).await;
    };
    let accepting = acceptor.accept(stream).into_fallible();
    let stream = match tokio::time::timeout(HANDSHAKE, accepting).await {
        Ok(Ok(stream)) => stream,
        Ok(Err((_, stream))) => return heard_out(stream).await,
        Err(_) => return,
    };
    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let certificate = shown.map(|der| PeerCertificate(der.as_ref().into()));
    serve(stream, peer, certificate, router, stopped).await;
}

/// The client was told why it is not let in. A connection that is ended before the client's request was read is reset, which
/// can overtake what was said.
async fn heard_out(mut stream: TcpStream) {
    let ended = async {
        let _ = stream.shutdown().await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    };
    let _ = tokio::time::timeout(LAST_REQUESTS, ended).await;
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    peer: SocketAddr,
    certificate: Option<PeerCertificate>,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: Request<_>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        if let Some(certificate) = &certificate {
            request.extensions_mut().insert(certificate.clone());
        }
        let router = router.clone();
        async move {
            let Ok(response) = router.oneshot(request).await;
            if ConnectionDropped::is(&response) { Err(Dropped) } else { Ok(response) }
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new());
    let connection =
        builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = pin!(connection);
    // What a client did to its connection is no fault of the emulator.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Makes the server drop a connection: an error of its service.
#[derive(Clone, Copy, Debug)]
struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection is dropped on purpose")
    }
}

impl std::error::Error for Dropped {}
