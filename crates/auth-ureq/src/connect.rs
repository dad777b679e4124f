//! How a connection is made: through the proxy if there is one, then TLS as it was configured.
//!
//! ureq would make a TLS configuration of its own, which cannot hold an authority beside the system's, and would wait for
//! a proxy beyond every deadline as long as it keeps sending.

use crate::{failure::connecting, names::Names, tunnel};
use auth_outbound::ConnectionPath;
use rustls::{ClientConfig, ClientConnection, StreamOwned, pki_types::ServerName};
use std::{
    fmt,
    io::{self, Read, Write},
    sync::Arc,
};
use ureq::{
    Error,
    unversioned::transport::{
        Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, TcpConnector, Transport,
        TransportAdapter,
        time::{Duration, Instant},
    },
};

/// Connects, and says of every failure that it was one of connecting.
pub(crate) struct Connect {
    tls: Arc<ClientConfig>,
    tcp: TcpConnector,
    names: Names,
}

impl Connect {
    pub(crate) fn new(tls: ClientConfig, names: Names) -> Self {
        Self { tls: Arc::new(tls), tcp: TcpConnector::default(), names }
    }

    fn open(&self, details: &ConnectionDetails<'_>) -> Result<Box<dyn Transport>, Error> {
        let Some(proxy) = self.names.proxy_for(details.uri) else { return self.dial(details) };
        let to_proxy = ConnectionDetails {
            uri: proxy.uri(),
            addrs: self.names.of_proxy(proxy, left(details))?,
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: (details.current_time)(),
            timeout: left(details),
            current_time: Arc::clone(&details.current_time),
            run_connector: Arc::clone(&details.run_connector),
            register_shutdown: Arc::clone(&details.register_shutdown),
        };
        let stream = self.dial(&to_proxy)?;
        let clock = Arc::clone(&details.current_time);
        let mut stream = TransportAdapter::new(stream, clock);
        stream.set_timeout(left(details));
        tunnel::ask(&mut stream, proxy, details)?;
        self.encrypted(stream.into_inner(), details)
    }

    fn dial(&self, details: &ConnectionDetails<'_>) -> Result<Box<dyn Transport>, Error> {
        let stream = self.tcp.connect(details, None::<()>)?.ok_or(Error::ConnectionFailed)?;
        self.encrypted(Box::new(stream), details)
    }

    /// Under TLS, if the URL asks for it.
    fn encrypted(
        &self,
        stream: Box<dyn Transport>,
        details: &ConnectionDetails<'_>,
    ) -> Result<Box<dyn Transport>, Error> {
        if !details.needs_tls() {
            return Ok(stream);
        }
        Ok(Box::new(Encrypted::over(stream, Arc::clone(&self.tls), details)?))
    }
}

impl Connector for Connect {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let proxy = self.names.proxy_for(details.uri);
        let path = proxy.map_or(ConnectionPath::Direct, |_| ConnectionPath::ThroughProxy);
        self.open(details).map(Some).map_err(|error| connecting(path, error))
    }
}

/// A connection under TLS.
struct Encrypted {
    stream: StreamOwned<ClientConnection, TransportAdapter>,
    buffers: LazyBuffers,
}

impl Encrypted {
    fn over(
        plain: Box<dyn Transport>,
        tls: Arc<ClientConfig>,
        details: &ConnectionDetails<'_>,
    ) -> Result<Self, Error> {
        let host = details.uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| Error::Tls("host is neither a name nor an address"))?;
        let mut conn = ClientConnection::new(tls, name).map_err(io::Error::other)?;
        let mut sock = TransportAdapter::new(plain, Arc::clone(&details.current_time));
        sock.set_timeout(left(details));
        conn.complete_io(&mut sock).map_err(|error| said(&mut conn, &mut sock, error))?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Self { stream: StreamOwned::new(conn, sock), buffers })
    }
}

/// What is left of the time to connect in.
fn left(details: &ConnectionDetails<'_>) -> NextTimeout {
    let after = match (details.timeout.after, details.now, (details.current_time)()) {
        (Duration::Exact(limit), Instant::Exact(began), Instant::Exact(now)) => {
            Duration::Exact(limit.saturating_sub(now.saturating_duration_since(began)))
        }
        (after, ..) => after,
    };
    NextTimeout { after, ..details.timeout }
}

impl Transport for Encrypted {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        let StreamOwned { conn, sock } = &mut self.stream;
        let written = rustls::Stream::new(conn, sock).write_all(output);
        Ok(written.map_err(|error| said(conn, sock, error))?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf()).map_err(cut_off)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// What a peer that has hung up while it was written to said before: why it did. That has arrived, or never will.
fn said(conn: &mut ClientConnection, sock: &mut impl Read, error: io::Error) -> io::Error {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    if !matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset) {
        return error;
    }
    while conn.read_tls(sock).is_ok_and(|read| read > 0) {
        if let Err(reason) = conn.process_new_packets() {
            return io::Error::other(reason);
        }
    }
    error
}

/// Under TLS a peer says when it has finished (RFC 8446 section 6.1). ureq would take a connection that somebody else
/// ended for the end of an answer without a length.
fn cut_off(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionReset => {
            io::Error::new(io::ErrorKind::InvalidData, "tls connection was cut off")
        }
        _ => error,
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connect(..)")
    }
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encrypted(..)")
    }
}
