//! One transport for each tenant, origin and client identity.

use crate::{ClientIdentity, TransportBuilder};
use auth_core::{Error, Exchange, Flow, Origin, Result, TenantId, Transport};
use http::Response;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

/// Keeps one [`Transport`] for each tenant, origin and client identity, so that no pooled connection and no resumed TLS
/// session is ever shared between two of them.
///
/// A scheme is handed the transport of [`for_connection`](Self::for_connection), and its exchanges name neither tenant nor
/// identity. The transports themselves are those of an adapter, made by a factory when an origin is first asked for. The
/// factory decides, for each tenant and origin, about proxy, trusted authorities and addresses.
///
/// # Limits
///
/// There are at most as many routes as [`new`](Self::new) was told, and each tenant has at most a quarter of them,
/// rounded up: a tenant whose origins are slow, or many, takes no more from the others. When one more is needed, a route
/// that no exchange is using makes room, the least recently used first, and its pooled connections end. It is a route of
/// the same tenant if that tenant has its quarter, else one of any tenant. If all of these are in use, the exchange fails
/// with `Error::Unavailable` (`outbound_routes_in_use`).
///
/// # Security
///
/// The program that calls [`for_connection`](Self::for_connection) decides for which tenant and under which identity a
/// request is sent; nothing in the request can change that. Each transport has the address filter that the factory gave
/// it.
///
/// ```
/// # use auth_core::Exchange;
/// # use auth_outbound::TransportBuilder;
/// # use auth_testing::ScriptedTransport;
/// # use http::{Request, Response};
/// # fn adapter() -> TransportBuilder<ScriptedTransport> {
/// #     TransportBuilder::new(|_| Ok(ScriptedTransport::new(|_| Ok(Response::new(b"token".to_vec())))))
/// # }
/// use auth_outbound::{Routes, TenantId};
/// // `adapter()` is `auth_reqwest::ReqwestTransport::builder(handle)` or `auth_ureq::UreqTransport::builder()`.
/// let routes = Routes::new(adapter().build()?, 1000, |_tenant, _origin| adapter());
/// let transport = routes.for_connection(TenantId::new("acme"), None);
/// # let request = Request::post("https://login.example/token").body(Vec::new()).unwrap();
/// # assert_eq!(transport.fetch(Exchange::new(request)).wait()?.body(), b"token");
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Routes(Arc<Inner>);

struct Inner {
    /// What passes time and runs work: it fetches nothing.
    base: Box<dyn Transport>,
    most: usize,
    make: Box<Make>,
    slots: Mutex<Slots>,
}

type Make = dyn Fn(&Route) -> Result<Box<dyn Transport>> + Send + Sync;

#[derive(Default)]
struct Slots {
    routes: HashMap<Route, Slot>,
    /// Counts uses, to tell which was the last of each.
    uses: u64,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Route {
    tenant: TenantId,
    origin: Origin,
    identity: Option<ClientIdentity>,
}

struct Slot {
    /// Held by each exchange for as long as it lasts. Empty while the first of them makes the transport.
    transport: SharedTransport,
    last_use: u64,
}

type SharedTransport = Arc<OnceLock<Box<dyn Transport>>>;

impl Routes {
    /// Keeps at most `most` routes, and for one tenant at most a quarter of them, rounded up. A tenant that is alone has a
    /// quarter too, since routes in use could not be taken from it when a second tenant comes: a program for one tenant
    /// gives four times what it needs.
    ///
    /// `base` passes time and runs detached work for all of them, and fetches nothing. `factory` begins the transport of a
    /// tenant to an origin, and `Routes` adds the client identity to it.
    pub fn new<T: Transport + 'static>(
        base: impl Transport + 'static,
        most: usize,
        factory: impl Fn(&TenantId, &Origin) -> TransportBuilder<T> + Send + Sync + 'static,
    ) -> Self {
        let make = move |route: &Route| {
            let mut builder = factory(&route.tenant, &route.origin);
            if let Some(identity) = &route.identity {
                builder = builder.with_identity(identity.clone());
            }
            let made: Box<dyn Transport> = Box::new(builder.build()?);
            Ok(made)
        };
        let (make, slots) = (Box::new(make), Mutex::default());
        Self(Arc::new(Inner { base: Box::new(base), most, make, slots }))
    }

    /// The transport for one tenant's requests, which show this certificate to servers that ask for one.
    #[must_use]
    pub fn for_connection(
        &self,
        tenant: TenantId,
        identity: Option<ClientIdentity>,
    ) -> Arc<dyn Transport> {
        Arc::new(Connection { routes: Arc::clone(&self.0), tenant, identity })
    }
}

impl Inner {
    /// The transport of a route, made if there is none.
    fn transport(&self, route: &Route) -> Result<SharedTransport> {
        let (held, ended) = self.slots().take_up(route, self.most)?;
        // Outside the lock: its connections are closed with it.
        drop(ended);
        if held.get().is_none() {
            // Outside the lock: it may take milliseconds, and others go on meanwhile. Of two that make the same one,
            // the second finds the first's or makes way for it.
            match (self.make)(route) {
                Ok(made) => drop(held.set(made)),
                Err(error) => {
                    self.slots().give_up(route, held);
                    return Err(error);
                }
            }
        }
        Ok(held)
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        // Every change is whole before anything can panic, so a poisoned lock still guards a sound state.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    /// The slot of a route, and the one that had to make room for it.
    fn take_up(&mut self, route: &Route, most: usize) -> Result<(SharedTransport, Option<Slot>)> {
        self.uses = self.uses.saturating_add(1);
        let last_use = self.uses;
        if let Some(slot) = self.routes.get_mut(route) {
            slot.last_use = last_use;
            return Ok((Arc::clone(&slot.transport), None));
        }
        let share = most.div_ceil(4).max(1);
        let has = self.routes.keys().filter(|other| other.tenant == route.tenant).count();
        let ended = if has >= share {
            Some(self.make_room(|other| other.tenant == route.tenant)?)
        } else if self.routes.len() >= most {
            Some(self.make_room(|_| true)?)
        } else {
            None
        };
        let transport = SharedTransport::default();
        self.routes.insert(route.clone(), Slot { transport: Arc::clone(&transport), last_use });
        Ok((transport, ended))
    }

    /// Ends the route that was used least recently of those among `these` that nobody is using.
    fn make_room(&mut self, these: impl Fn(&Route) -> bool) -> Result<Slot> {
        let these = self.routes.iter().filter(|(route, _)| these(route));
        let unused = these.clone().filter(|(_, slot)| Arc::strong_count(&slot.transport) == 1);
        let oldest = unused.min_by_key(|(_, slot)| slot.last_use).map(|(route, _)| route.clone());
        let in_use = these.count();
        oldest.and_then(|route| self.routes.remove(&route)).ok_or_else(|| {
            let text = format!(
                "all {in_use} routes that could make room are in use, expected fewer at a time"
            );
            Error::unavailable("outbound_routes_in_use", None, text)
        })
    }

    /// Forgets a route whose transport could not be made, unless somebody else has made it.
    fn give_up(&mut self, route: &Route, held: SharedTransport) {
        let same = |slot: &Slot| Arc::ptr_eq(&slot.transport, &held);
        if held.get().is_none() && self.routes.get(route).is_some_and(same) {
            self.routes.remove(route);
        }
    }
}

/// The transport of one tenant under one identity.
struct Connection {
    routes: Arc<Inner>,
    tenant: TenantId,
    identity: Option<ClientIdentity>,
}

impl Transport for Connection {
    fn fetch(&self, request: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        let held = Origin::of(request.request().uri()).and_then(|origin| {
            let (tenant, identity) = (self.tenant.clone(), self.identity.clone());
            self.routes.transport(&Route { tenant, origin, identity })
        });
        match held {
            Err(error) => Flow::failed(error),
            Ok(held) => Flow::new(async move {
                match held.get() {
                    Some(transport) => transport.fetch(request).await,
                    None => Err(Error::transport("outbound_route_gone", "the route was not made")),
                }
            }),
        }
    }

    fn pause(&self, duration: Duration) -> Flow<'_, ()> {
        self.routes.base.pause(duration)
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        self.routes.base.detach(work)
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Routes({} of at most {})", self.0.slots().routes.len(), self.0.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_testing::{Gate, ScriptedTransport};
    use http::Request;
    use rcgen::{CertificateParams, KeyPair};
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    /// Answers with the number of the transport that was asked, counting from 1 as they are made.
    fn numbered(most: usize, gate: &Gate) -> (Routes, Arc<AtomicUsize>) {
        let made = Arc::new(AtomicUsize::new(0));
        let (counted, gate) = (Arc::clone(&made), gate.clone());
        let factory = move |_: &TenantId, origin: &Origin| {
            let (made, gate) = (Arc::clone(&counted), gate.clone());
            let wrong = origin.host() == "wrong.example";
            TransportBuilder::new(move |_| {
                let number = made.fetch_add(1, Ordering::SeqCst) + 1;
                match wrong {
                    true => Err(Error::config("wrong", "cannot be made")),
                    false => Ok(scripted(number).with_gate(gate)),
                }
            })
        };
        (Routes::new(scripted(0), most, factory), made)
    }

    fn scripted(number: usize) -> ScriptedTransport {
        ScriptedTransport::new(move |_| Ok(Response::new(number.to_string().into_bytes())))
    }

    fn asked(transport: &Arc<dyn Transport>, url: &str) -> Result<String, &'static str> {
        let request = Request::get(url).body(Vec::new()).unwrap();
        let answer = transport.fetch(request.into()).wait().map_err(|error| error.code())?;
        Ok(String::from_utf8(answer.into_body()).unwrap())
    }

    fn identity() -> ClientIdentity {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([]).unwrap().self_signed(&key).unwrap();
        let (certificate, key) = (certificate.pem(), key.serialize_pem());
        ClientIdentity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap()
    }

    #[test]
    fn each_tenant_origin_and_identity_has_a_transport_of_its_own() {
        let (routes, made) = numbered(100, &Gate::opened());
        let (one, other) = (identity(), identity());
        let connections = [("a", None), ("b", None), ("a", Some(&one)), ("a", Some(&other))].map(
            |(tenant, identity)| routes.for_connection(TenantId::new(tenant), identity.cloned()),
        );
        let origins = ["https://x.example/", "https://x.example:8443/", "https://y.example/"];
        for round in 0..2 {
            let mut number = 0;
            for connection in &connections {
                for origin in origins {
                    number += 1;
                    assert_eq!(asked(connection, origin), Ok(number.to_string()), "round {round}");
                }
            }
        }
        let again = routes.for_connection(TenantId::new("a"), Some(one.clone()));
        assert_eq!(asked(&again, "https://X.example:443/p?q").unwrap(), "7");
        assert_eq!(made.load(Ordering::SeqCst), 12);
    }

    #[test]
    fn the_route_used_least_recently_makes_room() {
        let (routes, _) = numbered(8, &Gate::opened());
        let tenant = routes.for_connection(TenantId::new("a"), None);
        let (x, y, z) = ("https://x.example/", "https://y.example/", "https://z.example/");
        let numbers: Vec<_> =
            [x, y, x, z, x, y].iter().map(|url| asked(&tenant, url).unwrap()).collect();
        assert_eq!(numbers, ["1", "2", "1", "3", "1", "4"]);
        assert_eq!(format!("{routes:?}"), "Routes(2 of at most 8)");
    }

    #[test]
    fn a_route_in_use_makes_no_room() {
        let gate = Gate::closed();
        let (routes, made) = numbered(1, &gate);
        let tenant = routes.for_connection(TenantId::new("a"), None);
        thread::scope(|scope| {
            let held = scope.spawn(|| asked(&tenant, "https://x.example/"));
            while made.load(Ordering::SeqCst) == 0 {
                thread::yield_now();
            }
            assert_eq!(asked(&tenant, "https://y.example/"), Err("outbound_routes_in_use"));
            gate.open();
            assert_eq!(held.join().unwrap().unwrap(), "1");
        });
        assert_eq!(asked(&tenant, "https://y.example/").unwrap(), "2", "its user is gone");
    }

    fn url(number: usize) -> String {
        format!("https://{number}.example/")
    }

    type Held<'a> = Flow<'a, Response<Vec<u8>>>;

    /// Begins exchanges with so many origins, and gives the codes of those that were refused; the others last for as long
    /// as they are held.
    fn begun(tenant: &Arc<dyn Transport>, origins: usize) -> (Vec<Held<'_>>, Vec<&'static str>) {
        let request = |number| Request::get(url(number)).body(Vec::new()).unwrap();
        let all = (0..origins).map(|number| tenant.fetch(request(number).into()));
        let (refused, held): (Vec<_>, Vec<_>) = all.partition(Flow::is_ready);
        (held, refused.into_iter().map(|flow| flow.wait().unwrap_err().code()).collect())
    }

    #[test]
    fn a_tenant_with_slow_origins_leaves_three_quarters_of_the_routes_to_others() {
        let (routes, _) = numbered(8, &Gate::closed());
        let tenants =
            ["slow", "b", "c", "d"].map(|name| routes.for_connection(TenantId::new(name), None));
        let held = tenants.each_ref().map(|tenant| begun(tenant, 3));
        for (held, refused) in &held {
            assert_eq!(
                (held.len(), refused.as_slice()),
                (2, ["outbound_routes_in_use"].as_slice())
            );
        }
        assert_eq!(format!("{routes:?}"), "Routes(8 of at most 8)");
    }

    #[test]
    fn a_tenant_with_many_origins_ends_its_own_idle_routes_and_not_those_of_others() {
        let (routes, made) = numbered(8, &Gate::opened());
        let [busy, quiet] =
            ["busy", "quiet"].map(|name| routes.for_connection(TenantId::new(name), None));
        assert_eq!(asked(&quiet, &url(0)).unwrap(), "1");
        for number in 0..100 {
            assert_eq!(asked(&busy, &url(number)).unwrap(), (number + 2).to_string());
        }
        assert_eq!(asked(&quiet, &url(0)).unwrap(), "1", "its connections were ended");
        assert_eq!(
            (asked(&busy, &url(98)).unwrap(), made.load(Ordering::SeqCst)),
            ("100".into(), 101)
        );
    }

    #[test]
    fn a_tenant_that_has_less_than_its_share_makes_room_among_all() {
        let (routes, _) = numbered(4, &Gate::opened());
        let tenants =
            ["a", "b", "c", "d", "e"].map(|name| routes.for_connection(TenantId::new(name), None));
        let numbers = tenants.each_ref().map(|tenant| asked(tenant, &url(0)).unwrap());
        assert_eq!(numbers, ["1", "2", "3", "4", "5"]);
        assert_eq!(asked(&tenants[1], &url(0)).unwrap(), "2", "that of the first was the oldest");
        assert_eq!(asked(&tenants[0], &url(0)).unwrap(), "6");
    }

    #[test]
    fn an_exchange_that_was_given_up_uses_its_route_no_more() {
        let (routes, _) = numbered(1, &Gate::closed());
        let tenant = routes.for_connection(TenantId::new("a"), None);
        let request = |url| tenant.fetch(Request::get(url).body(Vec::new()).unwrap().into());
        let held = request("https://x.example/");
        let refused = request("https://y.example/").wait();
        assert_eq!(refused.unwrap_err().code(), "outbound_routes_in_use");
        drop(held);
        assert!(!request("https://y.example/").is_ready());
    }

    #[test]
    fn what_cannot_be_made_is_an_error_and_takes_no_place() {
        let (routes, made) = numbered(1, &Gate::opened());
        let tenant = routes.for_connection(TenantId::new("a"), None);
        for _ in 0..2 {
            assert_eq!(asked(&tenant, "https://wrong.example/"), Err("wrong"));
        }
        assert_eq!(format!("{routes:?}"), "Routes(0 of at most 1)");
        assert_eq!(made.load(Ordering::SeqCst), 2);
        assert_eq!(asked(&tenant, "/relative"), Err("origin_scheme"));
    }

    #[test]
    fn a_factory_that_panics_leaves_the_route_to_the_next_caller() {
        let calls = AtomicUsize::new(0);
        let routes = Routes::new(scripted(0), 1, move |_, _| {
            assert!(calls.fetch_add(1, Ordering::SeqCst) > 0, "as it happens in a factory");
            TransportBuilder::new(|_| Ok(scripted(7)))
        });
        let tenant = routes.for_connection(TenantId::new("a"), None);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            asked(&tenant, "https://x.example/")
        }));
        assert!(caught.is_err());
        assert_eq!(asked(&tenant, "https://x.example/").unwrap(), "7");
        assert_eq!(asked(&tenant, "https://y.example/").unwrap(), "7", "it makes room too");
    }

    #[test]
    fn many_callers_at_once_share_one_transport_for_each_route() {
        let (routes, _) = numbered(8, &Gate::opened());
        for round in 0..50 {
            let seen = Mutex::new(HashMap::<usize, Vec<String>>::new());
            thread::scope(|scope| {
                for caller in 0..16 {
                    let (routes, seen) = (&routes, &seen);
                    scope.spawn(move || {
                        let tenant = TenantId::new(format!("{round}-{}", caller % 4));
                        let connection = routes.for_connection(tenant, None);
                        let got = asked(&connection, "https://x.example/").unwrap();
                        seen.lock().unwrap().entry(caller % 4).or_default().push(got);
                    });
                }
            });
            let seen = seen.into_inner().unwrap();
            let mut all: Vec<_> = seen
                .values()
                .map(|numbers| {
                    assert!(numbers.iter().all(|number| number == &numbers[0]), "{numbers:?}");
                    numbers[0].clone()
                })
                .collect();
            all.sort();
            all.dedup();
            assert_eq!(all.len(), 4, "two tenants shared a transport");
        }
    }

    #[test]
    fn time_passes_and_work_runs_by_the_base() {
        let base = scripted(0).with_background();
        let routes =
            Routes::new(base.clone(), 1, |_, _| TransportBuilder::new(|_| Ok(scripted(1))));
        let tenant = routes.for_connection(TenantId::new("a"), None);
        tenant.pause(Duration::from_secs(5)).wait().unwrap();
        assert!(tenant.detach(Flow::ready(())).is_none());
        assert_eq!((base.pauses(), base.exchanges()), (vec![Duration::from_secs(5)], 0));
    }
}
