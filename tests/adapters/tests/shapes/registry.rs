//! A registry's look-up: which credential it was, whose, from where and for what; and what an outage of it looks like.

use auth_core::{
    BearerRealm, Caller, Candidates, Error, Flow, KeyDigest, KeyHasher, Lookup, Outcome, Peer,
    Reason, Rejection, RequestView, Scopes, SystemRandom, TenantId, Verifier,
};
use auth_net::AddressList;
use auth_static::BearerVerifier;
use http::{HeaderMap, Method, Uri, header::AUTHORIZATION};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

const ADDRESS: Reason = Reason::new("test_address", "address is not on the list of the credential");

struct Registry {
    callers: HashMap<KeyDigest, Caller>,
    /// The addresses of each credential.
    allowed: HashMap<Arc<str>, AddressList>,
    stale: AtomicBool,
}

struct Keys(Arc<Registry>);

impl Lookup<KeyDigest> for Keys {
    type Found = Candidates<(), Caller>;

    fn lookup(&self, id: &KeyDigest) -> Flow<'_, Option<Self::Found>> {
        if self.0.stale.load(Ordering::SeqCst) {
            let retry_after = Some(Duration::from_secs(1));
            return Flow::failed(Error::unavailable(
                "registry_stale",
                retry_after,
                "what is known is older than 5 s",
            ));
        }
        let found = self.0.callers.get(id).cloned();
        // A store that answers at the second look.
        Flow::new(async move {
            let mut looked = false;
            std::future::poll_fn(|context| {
                if std::mem::replace(&mut looked, true) {
                    return std::task::Poll::Ready(());
                }
                context.waker().wake_by_ref();
                std::task::Poll::Pending
            })
            .await;
            Ok(found.map(|caller| Candidates::one((), caller)))
        })
    }
}

/// Per-credential allow list first, then the scope that the path wants.
fn door(registry: &Arc<Registry>, hasher: &KeyHasher) -> impl Verifier<Principal = Caller> + use<> {
    let keys = Keys(Arc::clone(registry));
    let (registry, realm) = (Arc::clone(registry), BearerRealm::new("api").unwrap());
    BearerVerifier::new("api", hasher.clone(), keys)
        .unwrap()
        .check(move |caller, request| {
            let listed = registry.allowed.get(&caller.credential);
            let allowed = listed.is_some_and(|list| {
                request.peer.address.is_some_and(|address| list.contains(address))
            });
            Flow::ready(if allowed { Ok(()) } else { Err(Rejection::forbidden(ADDRESS)) })
        })
        .check(move |caller, request| {
            let needed = match request.uri.path() {
                "/sms" => "sms:send",
                _ => "admin",
            };
            if caller.scopes.contains(needed) {
                return Flow::ready(Ok(()));
            }
            Flow::from(realm.insufficient_scope(needed).map(Err))
        })
}

fn judge(
    door: &dyn Verifier<Principal = Caller>,
    token: &str,
    path: &str,
    from: &str,
) -> Result<String, String> {
    let (uri, mut headers): (Uri, _) = (path.parse().unwrap(), HeaderMap::new());
    headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    let peer = Peer { address: from.parse::<IpAddr>().ok(), ..Peer::UNKNOWN };
    let request = RequestView::new(&Method::POST, &uri, &headers).with_peer(peer);
    let outcome: Outcome<Caller> =
        door.verify(request).wait().map_err(|error| error.code().to_owned())?;
    outcome
        .map(|accepted| {
            let Caller { tenant, service, credential, .. } = accepted.principal;
            let service = service.as_deref().unwrap_or_default();
            format!("{tenant} {service} {credential}")
        })
        .map_err(|rejection| format!("{} {}", rejection.status().as_u16(), rejection.reason().code))
}

#[test]
fn the_look_up_says_which_credential_it_was_and_conditions_say_what_it_may_do() {
    let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
    let caller = |credential: &str| {
        Caller::new(TenantId::new("acme"), credential, "service_key")
            .with_service("alerts")
            .with_scopes(Scopes::from_iter(["sms:send"]))
    };
    let list = |text: &str| text.parse::<AddressList>().unwrap();
    let registry = Arc::new(Registry {
        callers: HashMap::from([
            (hasher.hash(b"old-key"), caller("key-1")),
            (hasher.hash(b"new-key"), caller("key-2")),
        ]),
        allowed: HashMap::from([
            ("key-1".into(), list("192.0.2.0/24")),
            ("key-2".into(), list("198.51.100.0/24")),
        ]),
        stale: AtomicBool::new(false),
    });
    let door = door(&registry, &hasher);
    let check = |token: &str, path: &str, from: &str, expected: Result<&str, &str>| {
        let told = judge(&door, token, path, from);
        assert_eq!(told.as_deref().map_err(String::as_str), expected, "{token} {path} {from}");
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    check("old-key", "/sms", "192.0.2.7", Ok("acme alerts key-1"));
                    check("new-key", "/sms", "198.51.100.7", Ok("acme alerts key-2"));
                    check("new-key", "/sms", "192.0.2.7", Err("403 test_address"));
                    check("new-key", "/sms", "unknown", Err("403 test_address"));
                    check("old-key", "/admin", "192.0.2.7", Err("403 bearer_insufficient_scope"));
                    check("other", "/sms", "192.0.2.7", Err("401 bearer_unknown"));
                }
            });
        }
    });
    registry.stale.store(true, Ordering::SeqCst);
    check("old-key", "/sms", "192.0.2.7", Err("registry_stale"));
}
