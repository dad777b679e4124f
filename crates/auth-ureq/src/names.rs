//! From names to addresses: literals at once, names kept for ten seconds, one look-up for all callers that wait.
//!
//! ureq would look a name up for every request, also for one that goes over a connection that is there already, and on a
//! thread of its own each time.

use crate::failure::connecting;
use auth_outbound::{AddressFilter, ConnectionPath, Proxy};
use http::{Uri, uri::Scheme};
use std::{
    collections::HashMap,
    fmt,
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};
use ureq::{
    Error,
    config::Config,
    unversioned::{
        resolver::{ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

/// How long what a name resolved to is used.
const KEPT: Duration = Duration::from_secs(10);

/// The most names that are kept.
const MOST: usize = 1024;

/// The most addresses of one host that ureq takes.
const MOST_ADDRESSES: usize = 16;

/// Resolves the hosts of requests, and that of their proxy.
#[derive(Clone)]
pub(crate) struct Names(Arc<Inner>);

struct Inner {
    /// Asked about every address that a request may be connected to, those of kept names included.
    filter: Option<AddressFilter>,
    proxy: Option<Proxy>,
    look_up: LookUp,
    known: Mutex<HashMap<Box<str>, KnownName>>,
}

type LookUp = Box<dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync>;

enum KnownName {
    UnderWay(Arc<Pending>),
    Resolved { addresses: Addresses, until: Instant },
}

type Addresses = Arc<[IpAddr]>;

/// A look-up that has not ended yet.
#[derive(Default)]
struct Pending {
    outcome: Mutex<Option<Outcome>>,
    ended: Condvar,
}

type Outcome = Result<Addresses, (ErrorKind, String)>;

impl Names {
    pub(crate) fn new(filter: Option<AddressFilter>, proxy: Option<Proxy>) -> Self {
        Self::looked_up_by(filter, proxy, |host| {
            Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
        })
    }

    fn looked_up_by(
        filter: Option<AddressFilter>,
        proxy: Option<Proxy>,
        look_up: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
    ) -> Self {
        let known = Mutex::default();
        Self(Arc::new(Inner { filter, proxy, look_up: Box::new(look_up), known }))
    }

    /// The proxy that a request goes through, if it does.
    pub(crate) fn proxy_for(&self, uri: &Uri) -> Option<&Proxy> {
        self.0.proxy.as_ref().filter(|proxy| proxy.carries(uri.host().unwrap_or_default()))
    }

    /// The addresses of the proxy, not filtered: the program that configured it decided where it is.
    pub(crate) fn of_proxy(
        &self,
        proxy: &Proxy,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let (port, addresses) = self.of(proxy.uri(), timeout)?;
        Ok(self.collected(addresses.iter().map(|ip| SocketAddr::new(*ip, port))))
    }

    fn of(&self, uri: &Uri, timeout: NextTimeout) -> Result<(u16, Addresses), Error> {
        let own = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
        let (port, host) = (uri.port_u16().unwrap_or(own), uri.host().unwrap_or_default());
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let addresses = match bare.unwrap_or(host).parse::<IpAddr>() {
            Ok(literal) => Arc::new([literal]),
            Err(_) => self
                .0
                .clone()
                .named(host, Instant::now(), timeout)
                .map_err(|error| connecting(ConnectionPath::Direct, error))?,
        };
        Ok((port, addresses))
    }

    fn collected(&self, found: impl Iterator<Item = SocketAddr>) -> ResolvedSocketAddrs {
        let mut kept = self.empty();
        found.take(MOST_ADDRESSES).for_each(|address| kept.push(address));
        kept
    }
}

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        if self.proxy_for(uri).is_some() {
            // The proxy resolves it.
            return Ok(self.empty());
        }
        let (port, addresses) = self.of(uri, timeout)?;
        let found = addresses.iter().map(|ip| SocketAddr::new(*ip, port));
        let Some(filter) = &self.0.filter else { return Ok(self.collected(found)) };
        match filter.keep(found) {
            Ok(kept) => Ok(self.collected(kept.into_iter())),
            Err(error) => Err(connecting(ConnectionPath::Direct, Error::Other(error.into()))),
        }
    }
}

impl Inner {
    /// The addresses of a name: those that are kept, or those that the look-up finds which this caller begins or joins.
    fn named(
        self: Arc<Self>,
        host: &str,
        now: Instant,
        timeout: NextTimeout,
    ) -> Result<Addresses, Error> {
        let mut known = self.known();
        let pending = match known.get(host) {
            Some(KnownName::Resolved { addresses, until }) if now < *until => {
                return Ok(Arc::clone(addresses));
            }
            Some(KnownName::UnderWay(pending)) => Arc::clone(pending),
            _ => {
                let pending = Arc::new(Pending::default());
                known.insert(host.into(), KnownName::UnderWay(Arc::clone(&pending)));
                drop(known);
                return begin(self, host, pending, timeout);
            }
        };
        drop(known);
        pending.wait(timeout)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Box<str>, KnownName>> {
        // Every change is whole before anything can panic, so a poisoned lock still guards a sound state.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, host: Box<str>, outcome: &Outcome, now: Instant) {
        let mut known = self.known();
        known.remove(&host);
        if known.len() >= MOST {
            known.retain(
                |_, known| !matches!(known, KnownName::Resolved { until, .. } if *until <= now),
            );
        }
        if let (Ok(addresses), true) = (outcome, known.len() < MOST) {
            let until = now + KEPT;
            known.insert(host, KnownName::Resolved { addresses: Arc::clone(addresses), until });
        }
    }
}

/// Looks a name up on a thread, which is seen through though those who wait give up before.
fn begin(
    names: Arc<Inner>,
    host: &str,
    pending: Arc<Pending>,
    timeout: NextTimeout,
) -> Result<Addresses, Error> {
    let ending = Ending { names, host: host.into(), pending: Arc::clone(&pending), outcome: None };
    let begun = thread::Builder::new().name("auth-ureq names".into()).spawn(move || {
        let mut ending = ending;
        let found = (ending.names.look_up)(&ending.host);
        ending.outcome = Some(match found {
            Ok(addresses) if addresses.is_empty() => {
                Err((ErrorKind::NotFound, String::from("the name has no address")))
            }
            Ok(addresses) => Ok(addresses.into()),
            Err(error) => Err((error.kind(), error.to_string())),
        });
    });
    // A thread that could not be begun has ended the look-up too.
    drop(begun);
    pending.wait(timeout)
}

/// Ends a look-up whatever becomes of its thread.
struct Ending {
    names: Arc<Inner>,
    host: Box<str>,
    pending: Arc<Pending>,
    outcome: Option<Outcome>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let broke_off =
            || Err((ErrorKind::Other, String::from("the look-up of the name broke off")));
        let outcome = self.outcome.take().unwrap_or_else(broke_off);
        self.names.keep(std::mem::take(&mut self.host), &outcome, Instant::now());
        *self.pending.outcome() = Some(outcome);
        self.pending.ended.notify_all();
    }
}

impl Pending {
    fn wait(&self, timeout: NextTimeout) -> Result<Addresses, Error> {
        let waited =
            self.ended.wait_timeout_while(self.outcome(), *timeout.after, |ended| ended.is_none());
        let (outcome, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match &*outcome {
            Some(Ok(addresses)) => Ok(Arc::clone(addresses)),
            Some(Err((kind, text))) => Err(Error::Io(io::Error::new(*kind, text.clone()))),
            None => Err(Error::Timeout(timeout.reason)),
        }
    }

    fn outcome(&self) -> MutexGuard<'_, Option<Outcome>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows no name: a tenant may have typed it.
impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    };
    use ureq::{Agent, Timeout, unversioned::transport::time};

    fn within(limit: Duration) -> NextTimeout {
        NextTimeout {
            after: time::Duration::Exact(limit),
            reason: Timeout::Resolve,
            ..NextTimeout::default()
        }
    }

    const LONG: Duration = Duration::from_secs(5);

    /// The addresses of the host of a URL.
    fn resolved(names: &Names, url: &str) -> Result<Vec<String>, String> {
        let config = Agent::config_builder().build();
        let found = names.resolve(&url.parse().unwrap(), &config, within(LONG));
        let found = found.map_err(|error| error.to_string())?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    /// Finds the addresses in turn, then nothing, and counts.
    fn finding(found: &'static [&'static [&'static str]]) -> (LookUp, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let look_up = move |_: &str| {
            let call = counted.fetch_add(1, Ordering::SeqCst);
            let none = || io::Error::new(ErrorKind::NotFound, "no such name");
            let found = found.get(call).ok_or_else(none)?;
            Ok(found.iter().map(|address| address.parse().unwrap()).collect())
        };
        (Box::new(look_up), count)
    }

    #[test]
    fn literals_are_not_looked_up() {
        let names = Names::looked_up_by(None, None, |name| panic!("{name} was looked up"));
        for (url, expected) in [
            ("https://127.0.0.1/", "127.0.0.1:443"),
            ("http://127.0.0.1/", "127.0.0.1:80"),
            ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
            ("https://[::1]/", "[::1]:443"),
            ("https://[::1]:8443/", "[::1]:8443"),
        ] {
            assert_eq!(resolved(&names, url).unwrap(), [expected]);
        }
    }

    #[test]
    fn a_name_is_looked_up_once_and_kept_for_ten_seconds() {
        let (look_up, count) = finding(&[&["192.0.2.1"], &["192.0.2.2"]]);
        let names = Names::looked_up_by(None, None, look_up);
        for _ in 0..3 {
            assert_eq!(resolved(&names, "https://a.example/").unwrap(), ["192.0.2.1:443"]);
        }
        assert_eq!(resolved(&names, "https://a.example:1/").unwrap(), ["192.0.2.1:1"]);
        assert_eq!(count.load(Ordering::SeqCst), 1);
        let at = |seconds| Instant::now() + Duration::from_secs(seconds);
        let named = |now| names.0.clone().named("a.example", now, within(LONG)).unwrap();
        assert_eq!(named(at(9))[0].to_string(), "192.0.2.1");
        assert_eq!(named(at(10))[0].to_string(), "192.0.2.2");
    }

    #[test]
    fn a_name_that_was_not_found_is_looked_up_again() {
        let (look_up, count) = finding(&[&[]]);
        let names = Names::looked_up_by(None, None, look_up);
        let none = resolved(&names, "https://a.example/").unwrap_err();
        assert!(none.contains("the name has no address"), "{none}");
        let none = resolved(&names, "https://a.example/").unwrap_err();
        assert!(none.contains("no such name"), "{none}");
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_look_up_that_panics_fails_those_who_wait_and_nobody_after_them() {
        let calls = AtomicUsize::new(0);
        let names = Names::looked_up_by(None, None, move |_| {
            assert!(calls.fetch_add(1, Ordering::SeqCst) > 0, "as it happens in a resolver");
            Ok(vec![IpAddr::from([192, 0, 2, 1])])
        });
        let broke = resolved(&names, "https://a.example/").unwrap_err();
        assert!(broke.contains("broke off"), "{broke}");
        assert_eq!(resolved(&names, "https://a.example/").unwrap(), ["192.0.2.1:443"]);
    }

    #[test]
    fn callers_at_the_same_time_share_one_look_up() {
        let (release, released) = mpsc::channel::<()>();
        let (released, count) = (Mutex::new(released), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&count);
        let names = Names::looked_up_by(None, None, move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = released.lock().unwrap().recv();
            Ok(vec![IpAddr::from([192, 0, 2, 1])])
        });
        let impatient = names.0.clone().named("a.example", Instant::now(), within(Duration::ZERO));
        assert!(matches!(impatient, Err(Error::Timeout(Timeout::Resolve))));
        thread::scope(|scope| {
            let waiting = [(); 8].map(|()| scope.spawn(|| resolved(&names, "https://a.example/")));
            thread::sleep(Duration::from_millis(20));
            release.send(()).unwrap();
            for caller in waiting {
                assert_eq!(caller.join().unwrap().unwrap(), ["192.0.2.1:443"]);
            }
        });
        assert_eq!(count.load(Ordering::SeqCst), 1, "one gave up, and the look-up went on");
    }

    #[test]
    fn the_addresses_of_a_kept_name_are_filtered_each_time() {
        let (look_up, count) = finding(&[&["10.0.0.1", "192.168.0.1"], &["10.0.0.1", "9.9.9.9"]]);
        let names = Names::looked_up_by(Some(AddressFilter::default()), None, look_up);
        for _ in 0..3 {
            let denied = resolved(&names, "https://a.example/").unwrap_err();
            assert!(denied.contains("no address that may be connected to"), "{denied}");
            assert_eq!(resolved(&names, "https://b.example/").unwrap(), ["9.9.9.9:443"]);
        }
        assert_eq!(count.load(Ordering::SeqCst), 2);
        assert!(resolved(&names, "https://10.0.0.1/").is_err(), "a literal was not filtered");
    }

    #[test]
    fn what_goes_through_the_proxy_is_resolved_by_it_and_the_proxy_may_be_anywhere() {
        let (look_up, count) = finding(&[&["10.0.0.1"], &["10.0.0.2"]]);
        let proxy = Proxy::new("http://proxy.example:3128").unwrap().with_exception(".in.example");
        let filter = Some(AddressFilter::default());
        let names = Names::looked_up_by(filter, Some(proxy.clone()), look_up);
        assert_eq!(resolved(&names, "https://a.example/").unwrap(), [""; 0]);
        let found = names.of_proxy(&proxy, within(LONG)).unwrap();
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.1:3128"]);
        assert!(resolved(&names, "https://a.in.example/").is_err(), "past the proxy is filtered");
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn no_more_names_are_kept_than_so_many() {
        let names = Names::looked_up_by(None, None, |_| Ok(vec![IpAddr::from([192, 0, 2, 1])]));
        let (now, found) = (Instant::now(), Ok(Arc::from([IpAddr::from([192, 0, 2, 1])])));
        for name in 0..MOST + 9 {
            names.0.keep(name.to_string().into(), &found, now);
        }
        assert_eq!(names.0.known().len(), MOST);
        names.0.keep("later".into(), &found, now + KEPT);
        assert_eq!(names.0.known().len(), 1, "what is no longer used makes room");
    }
}
