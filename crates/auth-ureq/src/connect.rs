//! How a connection is made: through the proxy if there is one, then TLS as it was configured.
//!
//! ureq would make a TLS configuration of its own, which cannot hold an authority beside the system's.

use crate::failure::connecting;
use rustls::{ClientConfig, ClientConnection, StreamOwned, pki_types::ServerName};
use std::{
    fmt,
    io::{self, Read, Write},
    sync::Arc,
};
use ureq::{
    Error,
    unversioned::transport::{
        Buffers, ConnectProxyConnector, ConnectionDetails, Connector, LazyBuffers, NextTimeout,
        TcpConnector, Transport, TransportAdapter,
        time::{Duration, Instant},
    },
};

/// Connects, and says of every failure that it was one of connecting.
pub(crate) struct Connect {
    tls: Arc<ClientConfig>,
    tunnel: ConnectProxyConnector,
    tcp: TcpConnector,
}

impl Connect {
    pub(crate) fn new(tls: ClientConfig) -> Self {
        Self { tls: Arc::new(tls), tunnel: Default::default(), tcp: Default::default() }
    }

    fn open(&self, details: &ConnectionDetails<'_>) -> Result<Box<dyn Transport>, Error> {
        let tunnel = self.tunnel.connect(details, None::<()>)?;
        let stream = self.tcp.connect(details, tunnel)?.ok_or(Error::ConnectionFailed)?;
        if details.needs_tls() {
            Ok(Box::new(Encrypted::over(stream, Arc::clone(&self.tls), details)?))
        } else {
            Ok(Box::new(stream))
        }
    }
}

impl Connector for Connect {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        self.open(details).map(Some).map_err(connecting)
    }
}

/// A connection under TLS.
struct Encrypted {
    stream: StreamOwned<ClientConnection, TransportAdapter>,
    buffers: LazyBuffers,
}

impl Encrypted {
    fn over(
        plain: impl Transport,
        tls: Arc<ClientConfig>,
        details: &ConnectionDetails<'_>,
    ) -> Result<Self, Error> {
        let host = details.uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| Error::Tls("host is neither a name nor an address"))?;
        let mut conn = ClientConnection::new(tls, name).map_err(io::Error::other)?;
        let plain: Box<dyn Transport> = Box::new(plain);
        let mut sock = TransportAdapter::new(plain, Arc::clone(&details.current_time));
        sock.set_timeout(NextTimeout { after: left(details), ..details.timeout });
        conn.complete_io(&mut sock)?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Self { stream: StreamOwned::new(conn, sock), buffers })
    }
}

/// What is left of the time to connect in.
fn left(details: &ConnectionDetails<'_>) -> Duration {
    match (details.timeout.after, details.now, (details.current_time)()) {
        (Duration::Exact(limit), Instant::Exact(began), Instant::Exact(now)) => {
            Duration::Exact(limit.saturating_sub(now.saturating_duration_since(began)))
        }
        (after, ..) => after,
    }
}

impl Transport for Encrypted {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        Ok(self.stream.write_all(output)?)
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
