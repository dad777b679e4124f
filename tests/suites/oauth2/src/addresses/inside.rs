//! The cases, in a network where a listener hears of every connection, whatever address it is made to.

use super::{
    asking::{KINDS, ask},
    hosts::{HOSTS, NAMES, REBINDING},
    names::NameServer,
};
use crate::{
    ours::{case, text},
    recording::{Recording, locked},
};
use auth_core::{Context, Transport};
use auth_outbound::TransportBuilder;
use auth_reqwest::ReqwestTransport;
use auth_ureq::UreqTransport;
use conformance::Compared;
use http::Response;
use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex},
};
use tokio::{
    net::TcpListener,
    runtime::{Handle, Runtime},
    task::JoinHandle,
};

type Done<T> = Result<T, String>;

const TRANSPORTS: [&str; 2] = ["reqwest", "ureq"];

pub fn cases() -> Done<Vec<Compared>> {
    Runtime::new().map_err(text)?.block_on(async {
        let (names, listener) = (NameServer::open().await?, Listener::open().await?);
        let stage = Stage { names, listener };
        let mut cases = Vec::new();
        for name in TRANSPORTS {
            cases.extend(stage.reachable(name).await);
            cases.extend(stage.denied(name).await);
            cases.extend(stage.named(name).await);
            cases.extend(stage.redirected(name).await);
        }
        Ok(cases)
    })
}

struct Stage {
    names: NameServer,
    listener: Listener,
}

#[derive(Clone, Copy)]
enum Loopback {
    Denied,
    Allowed,
}

fn context(transport: &str, loopback: Loopback) -> Done<Context> {
    fn set<T: Transport + 'static>(
        builder: TransportBuilder<T>,
        loopback: Loopback,
    ) -> Done<Context> {
        let builder = match loopback {
            Loopback::Denied => builder,
            Loopback::Allowed => builder.allowing_loopback(),
        };
        Ok(Context::new(builder.build().map_err(text)?))
    }
    match transport {
        "reqwest" => set(ReqwestTransport::builder(Handle::current()), loopback),
        _ => set(UreqTransport::builder(), loopback),
    }
}

impl Stage {
    /// The listener hears of every kind of connection that is made: what is denied below is not merely unreachable.
    async fn reachable(&self, transport: &str) -> Vec<Compared> {
        let mut cases = Vec::new();
        for (id, host, loopback, expected) in [
            ("outside", "93.184.216.34", Loopback::Denied, "93.184.216.34"),
            ("outside-name", "outside.example", Loopback::Denied, "93.184.216.34"),
            ("some-of-a-name", "both.example", Loopback::Denied, "93.184.216.34"),
            ("loopback-allowed", "127.0.0.1", Loopback::Allowed, "127.0.0.1"),
            ("loopback-allowed-decimal", "2130706433", Loopback::Allowed, "127.0.0.1"),
            ("loopback-allowed-six", "[::1]", Loopback::Allowed, "::1"),
            ("loopback-allowed-name", "localhost", Loopback::Allowed, "127.0.0.1"),
        ] {
            let run = async {
                self.names.forget();
                let context = context(transport, loopback)?;
                self.asked(host, &context).await?;
                Ok(self.listener.connected())
            };
            cases.push(case(&format!("{transport}-{id}"), expected, run).await);
        }
        cases
    }

    /// An address that is written in some way: nothing is even begun, also where loopback is allowed and it is another.
    async fn denied(&self, transport: &str) -> Vec<Compared> {
        let mut cases = Vec::new();
        for host in HOSTS {
            let local = is_of_this_machine(host);
            let run = async {
                let mut said = self.asked(host, &context(transport, Loopback::Denied)?).await?;
                if !local {
                    said.extend(self.asked(host, &context(transport, Loopback::Allowed)?).await?);
                }
                let said = said.into_iter().collect::<Vec<_>>().join(" ");
                Ok(format!("{said}: {}", self.listener.connected()))
            };
            // Metadata that names this machine is refused when it is read.
            let read = if local || is_any_of_this_machine(host) { "oauth2_metadata " } else { "" };
            let expected = format!("{read}transport_denied_address: nothing");
            let id = format!("{transport}-{host}");
            cases.push(case(&id, &expected, run).await);
        }
        cases
    }

    /// Names whose addresses are inside, at once or from the second look-up on.
    async fn named(&self, transport: &str) -> Vec<Compared> {
        let mut cases = Vec::new();
        let refused = format!("{transport}_connect: nothing");
        for name in NAMES {
            let run = async {
                self.names.forget();
                let said = self.asked(name, &context(transport, Loopback::Denied)?).await?;
                let said = said.into_iter().collect::<Vec<_>>().join(" ");
                Ok(format!("{said}: {}", self.listener.connected()))
            };
            cases.push(case(&format!("{transport}-{name}"), &refused, run).await);
        }
        for name in REBINDING {
            let run = async {
                self.names.forget();
                let kept = context(transport, Loopback::Denied)?;
                self.asked(name, &kept).await?;
                self.asked(name, &kept).await?;
                // One that has looked up nothing yet.
                self.asked(name, &context(transport, Loopback::Denied)?).await?;
                Ok(self.listener.connected())
            };
            cases.push(case(&format!("{transport}-{name}"), "93.184.216.34", run).await);
        }
        cases
    }

    /// A server that may be asked sends the client inside.
    async fn redirected(&self, transport: &str) -> Vec<Compared> {
        let mut cases = Vec::new();
        for status in [301, 302, 303, 307, 308] {
            let run = async {
                let port = self.listener.port;
                let server = Recording::open(move |request| {
                    let inside = request.uri.path().trim_start_matches('/').to_owned();
                    let inside = inside.split('/').next().unwrap_or_default().to_owned();
                    let answer = Response::builder().status(status);
                    let answer = answer.header("location", format!("http://{inside}:{port}/"));
                    answer.body(Vec::new()).unwrap_or_default()
                });
                let server = server.await?;
                let context = context(transport, Loopback::Allowed)?;
                for inside in ["127.0.0.1", "169.254.169.254", "2852039166", "loopback.example"] {
                    let url = format!("{}/{inside}", server.base);
                    for kind in KINDS {
                        let _ = ask(kind, &url, &context).await?;
                    }
                }
                let asked = server.arrived().len();
                Ok(format!("{asked} asked: {}", self.listener.connected()))
            };
            cases.push(case(&format!("{transport}-{status}"), "20 asked: nothing", run).await);
        }
        cases
    }

    /// Asks by every URL that can be typed; the codes of the errors.
    async fn asked(&self, host: &str, context: &Context) -> Done<BTreeSet<&'static str>> {
        let url = format!("https://{host}:{}", self.listener.port);
        let mut codes = BTreeSet::new();
        for kind in KINDS {
            codes.insert(ask(kind, &url, context).await?);
        }
        Ok(codes)
    }
}

/// Is it loopback, however it is written?
fn is_of_this_machine(host: &str) -> bool {
    is_written(host, |host| host == "localhost", |address| address.is_loopback())
}

/// Does it stand for this machine where it is connected to: every address of it, or a name under `localhost`?
fn is_any_of_this_machine(host: &str) -> bool {
    is_written(host, |host| host.ends_with(".localhost"), |address| address.is_unspecified())
}

fn is_written(host: &str, name: fn(&str) -> bool, address: fn(IpAddr) -> bool) -> bool {
    url::Url::parse(&format!("https://{host}")).is_ok_and(|url| {
        let host = url.host_str().unwrap_or_default().trim_end_matches('.');
        let literal = host.trim_matches(['[', ']']).parse::<IpAddr>();
        name(host) || literal.is_ok_and(|literal| address(literal.to_canonical()))
    })
}

/// Hears of connections to every address of the network, and answers none.
struct Listener {
    port: u16,
    connected: Arc<Mutex<BTreeSet<IpAddr>>>,
    task: JoinHandle<()>,
}

impl Listener {
    async fn open() -> Done<Self> {
        // Both families.
        let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).await.map_err(text)?;
        let port = listener.local_addr().map_err(text)?.port();
        let connected = Arc::<Mutex<BTreeSet<IpAddr>>>::default();
        let heard = Arc::clone(&connected);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(to) = stream.local_addr() {
                    locked(&heard).insert(to.ip().to_canonical());
                }
            }
        });
        Ok(Self { port, connected, task })
    }

    /// The addresses that were connected to since it was last asked.
    fn connected(&self) -> String {
        let connected = std::mem::take(&mut *locked(&self.connected));
        let shown: Vec<String> = connected.iter().map(ToString::to_string).collect();
        if shown.is_empty() { "nothing".into() } else { shown.join(" ") }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}
