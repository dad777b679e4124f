//! A platform with one service, and the doors of its APIs.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

use auth_core::{Caller, Error, Flow, Outcome, Peer, RequestView, Secret, TenantId, Verifier};
use auth_lifecycle::{
    Actor, Admit, Commands, GroupPolicy, Issued, Kind, MemoryLifecycleStore, NewSecret, Registry,
    RegistryKeys, RevokeGuard, Role, ServiceId, StepUpCheck, Tokens, Wanted,
};
use auth_static::{ApiKeyVerifier, Placement};
use auth_testing::ManualClock;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use std::net::IpAddr;

/// When every test begins.
pub const BEGIN: u64 = 1_800_000_000;

pub struct Platform {
    pub clock: ManualClock,
    pub store: MemoryLifecycleStore,
    pub registry: Registry,
    pub service: ServiceId,
}

struct Password;

impl StepUpCheck for Password {
    fn confirms(&self, _: &Actor, password: &Secret) -> Flow<'_, bool> {
        Flow::ready(password.matches(b"right"))
    }
}

pub fn alice() -> Actor {
    Actor::new(TenantId::new("acme"), "alice", Role::Owner)
}

impl Platform {
    pub fn new() -> Self {
        Self::with(&[])
    }

    pub fn with(policies: &[(Kind, GroupPolicy)]) -> Self {
        let (clock, store) = (ManualClock::at(BEGIN), MemoryLifecycleStore::new());
        let registry = node(&store, &clock, policies);
        let made = registry.by(&alice()).create_service("alerts").wait().unwrap().unwrap();
        Self { clock, store, registry, service: made.service.id }
    }

    /// Another process on the same store.
    pub fn node(&self, policies: &[(Kind, GroupPolicy)]) -> Registry {
        node(&self.store, &self.clock, policies)
    }

    pub fn by(&self) -> Commands {
        self.registry.by(&alice())
    }

    pub fn make(&self, kind: Kind, secret: NewSecret) -> Issued {
        self.create(kind, Wanted { secret, ..Wanted::default() })
    }

    pub fn create(&self, kind: Kind, wanted: Wanted) -> Issued {
        let service = (kind != Kind::ProfileKey).then_some(&self.service);
        self.by().create(service, kind, wanted).wait().unwrap().unwrap()
    }

    pub fn discard(&self, issued: &Issued) {
        let id = &issued.credential.id;
        let version = self.by().dry_run(id).wait().unwrap().unwrap().version;
        self.by().discard(id, version).wait().unwrap().unwrap();
    }
}

impl Platform {
    /// Revokes the last credential of a group.
    pub fn lock_out(&self, issued: &Issued) {
        let by = self.registry.by(&alice().allowing_break_glass());
        by.revoke(&issued.credential.id, RevokeGuard::BreakGlass).wait().unwrap().unwrap();
    }
}

fn node(
    store: &MemoryLifecycleStore,
    clock: &ManualClock,
    policies: &[(Kind, GroupPolicy)],
) -> Registry {
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
    let builder = Registry::build(store.clone(), keys).with_step_up(Password);
    let builder = builder.with_clock(clock.clone());
    let with = |builder: auth_lifecycle::RegistryBuilder, (kind, policy): &(Kind, GroupPolicy)| {
        builder.with_policy(*kind, policy.clone())
    };
    policies.iter().fold(builder, with).finish().unwrap()
}

/// The secret of a new credential, as its owner sends it.
pub fn text(issued: &Issued) -> String {
    let secret = issued.secret.as_ref().unwrap();
    secret.expose_text().unwrap().to_owned()
}

/// A request with one header field, from an address.
pub fn ask<V: Verifier<Principal = Caller>>(
    door: &V,
    field: &str,
    value: &str,
    from: &str,
) -> String {
    let (uri, mut headers) = ("/v1/messages".parse::<Uri>().unwrap(), HeaderMap::new());
    let name: HeaderName = field.parse().unwrap();
    headers.insert(name, HeaderValue::from_str(value).unwrap());
    let peer = Peer { address: from.parse::<IpAddr>().ok(), ..Peer::UNKNOWN };
    let request = RequestView::new(&Method::POST, &uri, &headers).with_peer(peer);
    told(door.verify(request).wait())
}

/// What came of a request: the credential that was proved, or the code of what was wrong.
pub fn told(outcome: Result<Outcome<Caller>, Error>) -> String {
    match outcome {
        Ok(Ok(accepted)) => format!("{}", accepted.principal.credential),
        Ok(Err(rejection)) => {
            format!("{} {}", rejection.status().as_u16(), rejection.reason().code)
        }
        Err(error) => format!("503 {}", error.code()),
    }
}

/// The door of an API that takes the keys of these kinds in the field `key`.
pub fn key_door(registry: &Registry, kinds: &[Kind]) -> Admit<ApiKeyVerifier<Tokens>> {
    let placement = Placement::header("key").unwrap();
    let (hasher, keys) = (registry.token_hasher(), registry.tokens(kinds));
    registry.admit(ApiKeyVerifier::new("api", placement, hasher, keys).unwrap())
}

/// The name of a new credential, as a door tells it.
pub fn id(issued: &Issued) -> String {
    issued.credential.id.to_string()
}
