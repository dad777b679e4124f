//! Rotations: a service key, and then a JWT credential, is replaced while clients call all the time.

use auth_core::{
    Authenticator, Caller, Clock, Error, Flow, Precedence, Result, Secret, TenantId, Timestamp,
    Verifier,
};
use auth_jwt::{JwsAlgorithm, JwtAuthenticator, JwtVerifier, SigningKey, profiles};
use auth_lifecycle::{
    Actor, CommandName, CommandRefusal, Commands, CredentialId, Issued, Kind, MemoryLifecycleStore,
    Registry, RegistryKeys, Role, StepUpCheck, Wanted,
};
use auth_reqwest::AuthClient;
use auth_static::{ApiKey, ApiKeyVerifier, Placement};
use auth_testing::ManualClock;
use auth_tower::VerifyLayer;
use axum::{Router, routing::get};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinSet};

/// One rotation, from its beginning to its end.
pub struct Rotation {
    /// What was replaced.
    pub of: &'static str,
    pub steps: Vec<Step>,
    /// How many calls were made, each with a credential that was good then.
    pub calls: usize,
    /// How many of them were refused.
    pub refused: usize,
}

/// A moment of a rotation.
pub struct Step {
    /// Minutes since it began, by the platform's clock.
    pub minute: u64,
    pub what: String,
    /// How many calls were made with the old and with the new credential until the next step.
    pub calls: [usize; 2],
    /// Was it as it should be?
    pub is_right: bool,
    at: Timestamp,
}

const CLIENTS: usize = 4;
/// How long the load goes on after each step.
const WATCHED: Duration = Duration::from_millis(300);
/// Each client calls at least so often after each step.
const CALLS: usize = 5;
const MINUTE: Duration = Duration::from_secs(60);
const PASSWORD: &str = "the password of the owner";

/// Both rotations.
pub async fn run() -> std::result::Result<Vec<Rotation>, String> {
    let mut rotations = Vec::new();
    for (kind, of) in
        [(Kind::ServiceKey, "a service key"), (Kind::ServiceJwtSecret, "a JWT credential")]
    {
        rotations.push(rotate(kind, of).await.map_err(|error| error.to_string())?);
    }
    Ok(rotations)
}

async fn rotate(kind: Kind, of: &'static str) -> Result<Rotation> {
    let clock = ManualClock::at(1_800_000_000);
    let keys = RegistryKeys::from_master(&Secret::new([7; 32]))?;
    let registry = Registry::build(MemoryLifecycleStore::new(), keys);
    let registry = registry.with_step_up(Password).with_clock(clock.clone()).finish()?;
    let url = serve(&registry, &clock).await?;
    let by = registry.by(&Actor::new(TenantId::new("acme"), "alice", Role::Owner));
    let made = done(by.create_service("alerts").await?)?;
    let service = made.service.id;
    let old = if kind == Kind::ServiceKey { made.key } else { made.jwt };
    let (old_id, old) = (old.credential.id.clone(), sent(&old, &clock)?);
    let load = Arc::new(Load::new(&old, url)?);
    let mut clients = load.begin();
    let mut line = TimeLine { load: Arc::clone(&load), clock: clock.clone(), steps: Vec::new() };
    line.step("four clients call with the old one", true).await;

    let new = done(by.create(Some(&service), kind, Wanted::default()).await?)?;
    let (new_id, new) = (new.credential.id.clone(), sent(&new, &clock)?);
    line.step("a second one is made, which nobody uses yet", true).await;
    for client in 0..CLIENTS {
        load.switch(client, &new);
        line.step(&format!("client {} switches to the new one", client + 1), true).await;
    }
    clock.advance(MINUTE * 3);
    load.go_on().await;
    registry.flush_uses().await?;
    let (rests, used) = (idle(&by, &old_id, &clock).await?, idle(&by, &new_id, &clock).await?);
    let what = format!("dry run: last used {rests} minutes ago, and the new one {used}");
    line.step(&what, (rests, used) == (3, 0)).await;

    let version = done(by.dry_run(&old_id).await?)?.version;
    done(by.discard(&old_id, version).await?)?;
    let status = load.call(&*old).await?;
    line.step(&format!("the old one is discarded, and refused with {status}"), status == 401).await;

    clock.advance(MINUTE);
    let version = done(by.dry_run(&old_id).await?)?.version;
    let unproved = by.delete(&old_id, version, None).await?;
    let proof = done(by.step_up(&old_id, CommandName::Delete, PASSWORD.into()).await?)?;
    done(by.delete(&old_id, version, Some(&proof)).await?)?;
    let asked = unproved == Err(CommandRefusal::StepUpRequired);
    line.step("the old one is deleted, with the password of the owner", asked).await;
    load.stop.store(true, Ordering::Relaxed);
    while clients.join_next().await.is_some() {}
    let [with_old, with_new] = load.made();
    let refused = load.refused.load(Ordering::Relaxed);
    Ok(Rotation { of, steps: line.steps, calls: with_old + with_new, refused })
}

impl Rotation {
    /// Is it as it should be?
    pub fn is_right(&self) -> bool {
        self.refused == 0 && self.calls > 0 && self.steps.iter().all(|step| step.is_right)
    }
}

struct Password;

impl StepUpCheck for Password {
    fn confirms(&self, _: &Actor, password: &Secret) -> Flow<'_, bool> {
        Flow::ready(password.matches(PASSWORD.as_bytes()))
    }
}

/// A server that takes service JWTs, or else service keys.
async fn serve(registry: &Registry, clock: &ManualClock) -> Result<String> {
    let (issuers, policy) =
        (registry.jwt_issuers(Kind::ServiceJwtSecret), profiles::webex_service_policy());
    let jwt = JwtVerifier::new("demo", policy, issuers, clock.clone())?;
    let (hasher, keys) = (registry.token_hasher(), registry.tokens(&[Kind::ServiceKey]));
    let key = ApiKeyVerifier::new("demo", Placement::header("key")?, hasher, keys)?;
    let either = Precedence::new(jwt.map(|proven| proven.caller)).then(key);
    let door: Arc<dyn Verifier<Principal = Caller>> = Arc::new(registry.admit(either));
    let app = Router::new().route("/events", get(|| async { "in" })).layer(VerifyLayer::new(door));
    let strange = |error: std::io::Error| Error::config("demo_rotation_server", error);
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(strange)?;
    let url = format!("http://{}/events", listener.local_addr().map_err(strange)?);
    tokio::spawn(async move {
        let _ = axum::serve(listener, app).await;
    });
    Ok(url)
}

/// What a client sends that holds this credential: the key as it is, or a token that it has signed with the secret.
fn sent(issued: &Issued, clock: &ManualClock) -> Result<Arc<dyn Authenticator>> {
    let none = || Error::config("demo_rotation_secret", "expected a secret that is text");
    let secret = issued.secret.as_ref().ok_or_else(none)?;
    let secret = secret.expose_text().ok_or_else(none)?;
    let group = &issued.credential.group;
    if group.kind == Kind::ServiceKey {
        return Ok(Arc::new(ApiKey::new(Placement::header("key")?, secret)?));
    }
    let key = SigningKey::from_base64_secret(JwsAlgorithm::HS256, secret)?;
    let claims = profiles::webex_service_claims(group.service_text());
    Ok(Arc::new(JwtAuthenticator::new(key, claims, clock.clone())))
}

fn done<T>(outcome: std::result::Result<T, CommandRefusal>) -> Result<T> {
    outcome.map_err(|refusal| Error::config("demo_rotation_refused", refusal))
}

/// For how many minutes a credential has not been used, as a dry run shows it.
async fn idle(by: &Commands, id: &CredentialId, clock: &ManualClock) -> Result<u64> {
    let last = done(by.dry_run(id).await?)?.credential.last_used;
    Ok(clock.now().since(last.unwrap_or_default()).as_secs() / 60)
}

/// Clients that call all the time.
struct Load {
    url: String,
    client: AuthClient,
    /// What each holds, and whether it is the new one.
    hold: [Mutex<(Arc<dyn Authenticator>, bool)>; CLIENTS],
    /// How often each has called with the old and with the new one.
    calls: [[AtomicUsize; 2]; CLIENTS],
    refused: AtomicUsize,
    stop: AtomicBool,
}

impl Load {
    fn new(held: &Arc<dyn Authenticator>, url: String) -> Result<Self> {
        Ok(Self {
            url,
            client: AuthClient::builder().build()?,
            hold: std::array::from_fn(|_| Mutex::new((Arc::clone(held), false))),
            calls: Default::default(),
            refused: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        })
    }

    fn begin(self: &Arc<Self>) -> JoinSet<()> {
        (0..CLIENTS).map(|number| Arc::clone(self).go(number)).collect()
    }

    async fn go(self: Arc<Self>, number: usize) {
        let (Some(hold), Some(calls)) = (self.hold.get(number), self.calls.get(number)) else {
            return;
        };
        while !self.stop.load(Ordering::Relaxed) {
            let (held, is_new) = hold.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if self.call(&*held).await.unwrap_or_default() != 200 {
                self.refused.fetch_add(1, Ordering::Relaxed);
            }
            let [old, new] = calls;
            (if is_new { new } else { old }).fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn call(&self, credentials: &dyn Authenticator) -> Result<u16> {
        let request = self.client.http().get(&self.url).build();
        let request = request.map_err(|error| Error::config("demo_rotation_request", error))?;
        Ok(self.client.send(credentials, request).await?.status().as_u16())
    }

    fn switch(&self, number: usize, held: &Arc<dyn Authenticator>) {
        if let Some(hold) = self.hold.get(number) {
            *hold.lock().unwrap_or_else(PoisonError::into_inner) = (Arc::clone(held), true);
        }
    }

    fn made(&self) -> [usize; 2] {
        self.calls.iter().fold([0, 0], |[with_old, with_new], [old, new]| {
            [with_old + old.load(Ordering::Relaxed), with_new + new.load(Ordering::Relaxed)]
        })
    }

    /// A while, in which every client calls a few times.
    async fn go_on(&self) {
        let made = |[old, new]: &[AtomicUsize; 2]| {
            old.load(Ordering::Relaxed) + new.load(Ordering::Relaxed)
        };
        let before: Vec<_> = self.calls.iter().map(made).collect();
        tokio::time::sleep(WATCHED).await;
        for (calls, before) in self.calls.iter().zip(before) {
            while made(calls) < before + CALLS {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

/// What happened, and how many calls were made meanwhile.
struct TimeLine {
    load: Arc<Load>,
    clock: ManualClock,
    steps: Vec<Step>,
}

impl TimeLine {
    async fn step(&mut self, what: &str, is_right: bool) {
        let (before, now) = (self.load.made(), self.clock.now());
        let begun = self.steps.first().map_or(now, |first| first.at);
        self.load.go_on().await;
        let [old, new] = self.load.made();
        self.steps.push(Step {
            at: now,
            minute: now.since(begun).as_secs() / 60,
            what: what.to_owned(),
            calls: [old - before[0], new - before[1]],
            is_right,
        });
    }
}
