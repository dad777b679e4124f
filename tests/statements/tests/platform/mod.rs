//! A platform as the documents of Webex Connect describe it: services with credentials, and families of APIs behind a
//! real server.
#![allow(dead_code, reason = "each file of tests uses a part of it")]

pub mod recording;

use auth_core::{
    Authenticator, Caller, Event, Flow, InlineWorkers, Lookup, Observer, Precedence, Secret,
    TenantId, Verifier,
};
use auth_jwt::{JwsAlgorithm, JwtAuthenticator, JwtVerifier, SigningKey, profiles};
use auth_lifecycle::{
    Actor, Commands, CredentialId, GroupPolicy, Issued, Kind, LifecycleStore, MemoryLifecycleStore,
    NewService, Registry, RegistryKeys, Role, ServiceId, StepUpCheck, Wanted,
};
use auth_net::{AddressList, ForwardingField, TrustedProxies};
use auth_reqwest::AuthClient;
use auth_static::{
    ApiKey, ApiKeyVerifier, Argon2Concurrency, Argon2Cost, BasicVerifier, Placement,
};
use auth_testing::ManualClock;
use auth_tower::{Authenticated, TracingObserver, VerifyLayer};
use axum::{Router, routing::get};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// When every test begins.
pub const BEGIN: u64 = 1_800_000_000;
/// The families of APIs that a service calls.
pub const FAMILIES: [&str; 3] = ["messages", "events", "inbound"];
/// Where callers are unless a test says otherwise.
pub const OFFICE: &str = "198.51.100.7";

/// The kinds that the documents speak of.
pub const KINDS: [Kind; 2] = [Kind::ServiceKey, Kind::ServiceJwtSecret];

/// A credential as the service that owns it holds it.
#[derive(Clone)]
pub struct Held {
    pub id: CredentialId,
    pub kind: Kind,
    pub service: Option<ServiceId>,
    pub secret: Arc<str>,
}

impl Held {
    pub fn of(issued: &Issued) -> Self {
        Self::with(issued, issued.secret.as_ref().unwrap())
    }

    pub fn with(issued: &Issued, secret: &Secret) -> Self {
        let secret = secret.expose_text().unwrap().into();
        let group = issued.credential.group.clone();
        Self { id: issued.credential.id.clone(), kind: group.kind, service: group.service, secret }
    }

    /// What the service sends: the key as it is, or a token that it has signed with its secret.
    pub fn authenticator(&self, clock: &ManualClock) -> Box<dyn Authenticator> {
        if self.kind != Kind::ServiceJwtSecret {
            return Box::new(ApiKey::new(Placement::header("key").unwrap(), &self.secret).unwrap());
        }
        let key = SigningKey::from_base64_secret(JwsAlgorithm::HS256, &self.secret).unwrap();
        let claims = profiles::webex_service_claims(self.service.as_ref().unwrap().as_str());
        Box::new(JwtAuthenticator::new(key, claims, clock.clone()))
    }
}

/// One process of the platform: a registry, and a server in front of it.
pub struct Node {
    pub registry: Registry,
    /// The address lists of each family, and of user log-ins.
    pub lists: HashMap<&'static str, Lists>,
    log: Log,
    url: String,
    client: AuthClient,
    clock: ManualClock,
}

pub struct Platform {
    pub clock: ManualClock,
    pub store: Arc<dyn LifecycleStore>,
    pub node: Node,
}

pub struct Password;

impl StepUpCheck for Password {
    fn confirms(&self, _: &Actor, password: &Secret) -> Flow<'_, bool> {
        Flow::ready(password.matches(b"right"))
    }
}

pub fn actor(role: Role) -> Actor {
    Actor::new(TenantId::new("acme"), role.name(), role)
}

/// A registry on a store, as every process of the platform makes it.
pub fn registry(
    store: &Arc<dyn LifecycleStore>,
    clock: &ManualClock,
    policies: &[(Kind, GroupPolicy)],
) -> Registry {
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
    let mut builder = Registry::build(Arc::clone(store), keys)
        .with_step_up(Password)
        .with_clock(clock.clone())
        .with_observer(TracingObserver);
    for (kind, policy) in policies {
        builder = builder.with_policy(*kind, policy.clone());
    }
    builder.finish().unwrap()
}

impl Platform {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(policies: &[(Kind, GroupPolicy)]) -> Self {
        Self::on(Arc::new(MemoryLifecycleStore::new()), policies).await
    }

    pub async fn on(store: Arc<dyn LifecycleStore>, policies: &[(Kind, GroupPolicy)]) -> Self {
        let clock = ManualClock::at(BEGIN);
        let node = Node::start(registry(&store, &clock, policies), &clock).await;
        Self { clock, store, node }
    }

    /// Another process on the same store.
    pub async fn another_node(&self) -> Node {
        Node::start(registry(&self.store, &self.clock, &[]), &self.clock).await
    }

    pub fn by(&self) -> Commands {
        self.node.registry.by(&actor(Role::Owner))
    }

    pub async fn service(&self, label: &str) -> NewService {
        self.by().create_service(label).await.unwrap().unwrap()
    }

    /// The first credential of a kind, of a new service.
    pub async fn first(&self, kind: Kind) -> Held {
        let made = self.service("alerts").await;
        Held::of(if kind == Kind::ServiceKey { &made.key } else { &made.jwt })
    }

    /// Another one beside it.
    pub async fn second(&self, first: &Held) -> Held {
        let made = self.by().create(first.service.as_ref(), first.kind, Wanted::default()).await;
        Held::of(&made.unwrap().unwrap())
    }

    /// What an actor does who has seen the dry run.
    pub async fn discard(&self, held: &Held) {
        let version = self.by().dry_run(&held.id).await.unwrap().unwrap().version;
        self.by().discard(&held.id, version).await.unwrap().unwrap();
    }

    pub async fn says(&self, held: &Held, family: &str) -> String {
        self.node.says(held, family).await
    }

    /// Is it refused by every family of APIs, or accepted by all?
    pub async fn everywhere(&self, held: &Held) -> Vec<String> {
        let mut answers = Vec::new();
        for family in FAMILIES {
            answers.push(self.says(held, family).await);
        }
        answers.dedup();
        answers
    }
}

impl Node {
    async fn start(registry: Registry, clock: &ManualClock) -> Self {
        let (log, mut lists) = (Log::default(), HashMap::new());
        let mut app = Router::new();
        for family in [&FAMILIES[..], &["topics", "profile", "login"]].concat() {
            let list = Lists::default();
            let door = match family {
                "login" => login(&registry, &list),
                "profile" => key_door(&registry, Kind::ProfileKey),
                // A family that no list guards.
                "topics" => Box::new(registry.admit(service_door(&registry, clock))),
                _ => {
                    let door = service_door(&registry, clock);
                    Box::new(registry.admit(door).with_addresses(list.clone()))
                }
            };
            let proxies = AddressList::new(["127.0.0.1"]).unwrap();
            let proxies = TrustedProxies::new(proxies, ForwardingField::XForwardedFor);
            let layer =
                VerifyLayer::new(door).with_observer(log.clone()).with_trusted_proxies(proxies);
            let answer = |caller: Authenticated<Caller>| async move {
                let Caller { credential, service, .. } = caller.principal;
                format!("{credential} {}", service.as_deref().unwrap_or("no service"))
            };
            app = app.merge(Router::new().route(&format!("/{family}"), get(answer)).layer(layer));
            lists.insert(family, list);
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        let client = AuthClient::builder().build().unwrap();
        Self { registry, lists, log, url, client, clock: clock.clone() }
    }

    /// What a real call with this credential is answered: the credential that was proved, or status and reason.
    pub async fn says(&self, held: &Held, family: &str) -> String {
        self.says_to(&*held.authenticator(&self.clock), family, OFFICE).await
    }

    pub async fn says_to(&self, sent: &dyn Authenticator, family: &str, from: &str) -> String {
        let request = self.client.http().get(format!("{}/{family}", self.url));
        let request = request.header("x-forwarded-for", from).build().unwrap();
        let answer = self.client.send(sent, request).await.unwrap();
        let status = answer.status().as_u16();
        if status == 200 {
            let proved = answer.text().await.unwrap();
            return proved.split_once(' ').unwrap().0.to_owned();
        }
        format!("{status} {}", self.log.last.lock().unwrap())
    }

    /// How many calls were refused so far.
    pub fn refused(&self) -> usize {
        self.log.refused.load(Ordering::Relaxed)
    }
}

/// A service JWT, or else a service key.
fn service_door(registry: &Registry, clock: &ManualClock) -> Precedence<auth_lifecycle::Known> {
    let issuers = registry.jwt_issuers(Kind::ServiceJwtSecret);
    let policy = profiles::webex_service_policy();
    let jwt = JwtVerifier::new("webex", policy, issuers, clock.clone()).unwrap();
    Precedence::new(jwt.map(|proven| proven.caller)).then(keys(registry, Kind::ServiceKey))
}

fn keys(registry: &Registry, kind: Kind) -> ApiKeyVerifier<auth_lifecycle::Tokens> {
    let (placement, hasher) = (Placement::header("key").unwrap(), registry.token_hasher());
    ApiKeyVerifier::new("webex", placement, hasher, registry.tokens(&[kind])).unwrap()
}

fn key_door(registry: &Registry, kind: Kind) -> Box<dyn Verifier<Principal = Caller>> {
    Box::new(registry.admit(keys(registry, kind)))
}

/// Users log in with a password.
fn login(registry: &Registry, list: &Lists) -> Box<dyn Verifier<Principal = Caller>> {
    let concurrency = Argon2Concurrency { running: 2, waiting: 64 };
    let users = registry.basic_passwords(cost(), concurrency, InlineWorkers).unwrap();
    let verifier = BasicVerifier::new("webex", users).unwrap();
    Box::new(registry.admit(verifier).with_addresses(list.clone()))
}

/// The cheapest hash that there is.
pub fn cost() -> Argon2Cost {
    Argon2Cost::new(7168, 5, 1).unwrap()
}

/// The address list of each tenant that has turned its own on.
#[derive(Clone, Default)]
pub struct Lists(Arc<Mutex<HashMap<TenantId, Arc<AddressList>>>>);

impl Lists {
    /// What a tenant types into its settings: a list without entries is one that is off.
    pub fn set(&self, tenant: &str, entries: &[&str]) {
        let (tenant, list) = (TenantId::new(tenant), AddressList::new(entries).unwrap());
        let mut lists = self.0.lock().unwrap();
        if entries.is_empty() {
            lists.remove(&tenant);
        } else {
            lists.insert(tenant, Arc::new(list));
        }
    }
}

impl Lookup<TenantId> for Lists {
    type Found = Arc<AddressList>;

    fn lookup(&self, tenant: &TenantId) -> Flow<'_, Option<Self::Found>> {
        Flow::ready(self.0.lock().unwrap().get(tenant).cloned())
    }
}

/// Remembers why the last call was refused, and tells the log of the program.
#[derive(Clone, Default)]
struct Log {
    last: Arc<Mutex<String>>,
    refused: Arc<AtomicUsize>,
}

impl Observer for Log {
    fn observe(&self, event: Event<'_>) {
        TracingObserver.observe(event);
        if let Event::Rejected(rejection) = event {
            rejection.reason().code.clone_into(&mut self.last.lock().unwrap());
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }
}

pub const MINUTE: Duration = Duration::from_secs(60);
