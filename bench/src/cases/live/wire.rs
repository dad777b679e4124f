//! A connection to a server in the same thread, and one request after another on it.

use axum::Router;
use harness::case::{Call, call};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use std::{hint::black_box, net::Ipv4Addr};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
};

/// What lies between the client and the server.
#[derive(Clone, Copy)]
pub enum Wire {
    /// Bytes in memory.
    Pipe,
    Loopback,
}

/// Sends each request to the server and reads the answer, which has to be 200; from the first again after the last.
pub fn exchanges(wire: Wire, server: impl FnOnce() -> Router, requests: Vec<Vec<u8>>) -> Call {
    let runtime = runtime();
    let router = runtime.block_on(async { server() });
    match wire {
        Wire::Pipe => {
            let (client, served) = duplex(64 * 1024);
            serve(&runtime, router, served);
            asking(runtime, client, requests)
        }
        Wire::Loopback => {
            let (client, served) = runtime.block_on(async {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
                let address = listener.local_addr().expect("an address");
                let (client, served) = tokio::join!(TcpStream::connect(address), listener.accept());
                (client.expect("a connection"), served.expect("a connection").0)
            });
            for stream in [&client, &served] {
                stream.set_nodelay(true).expect("an option");
            }
            serve(&runtime, router, served);
            asking(runtime, client, requests)
        }
    }
}

pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn serve<S>(runtime: &Runtime, router: Router, stream: S)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = TowerToHyperService::new(router);
    runtime.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
}

fn asking<S>(runtime: Runtime, mut stream: S, requests: Vec<Vec<u8>>) -> Call
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (mut next, mut answer) = (0, vec![0; 16 * 1024]);
    call(move || {
        let request = &requests[next % requests.len()];
        next += 1;
        runtime.block_on(async {
            stream.write_all(black_box(request)).await.expect("sent");
            // The answers are short and come in one piece.
            let read = stream.read(&mut answer).await.expect("an answer");
            assert!(
                answer.starts_with(b"HTTP/1.1 200 "),
                "{}",
                String::from_utf8_lossy(&answer[..read])
            );
        });
    })
}
