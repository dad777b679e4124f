//! The server: one path for each scheme, each behind its own verifier.

use super::{
    accounts::{
        ACCESS_KEY, BOT, BOT_KEY, KEY, KEY_HEADER, KEY_PARAMETER, KEY_SCHEME, PASSWORD, PATHS,
        REALM, REGION, SECRET_KEY, SERVICE, SERVICE_SECRET, TOKEN, USER,
    },
    authorization_server::{AuthorizationServer, Granted},
    issuer::{Issuer, Live},
};
use auth_core::{
    AnyOf, AttemptLimit, Candidates, Error, Event, MemoryAttemptLimits, MemoryReplayStore,
    Observer, Precedence, SystemClock, SystemRandom, Verifier,
};
use auth_digest::{DigestAlgorithm, OfferedQop};
use auth_jwt::{KeyId, SigningKey, VerifyingKey, profiles};
use auth_static::{
    ApiKeyVerifier, Argon2Concurrency, Argon2Cost, Argon2Passwords, BasicAccounts, BasicVerifier,
    BearerVerifier, FixedKeys, KeyHasher, NoAuth, PasswordHash, Passwords, Placement,
};
use auth_tower::{Authenticated, BlockingThreads, VerifyLayer};
use axum::{
    Json, Router,
    body::Bytes,
    extract::OriginalUri,
    routing::{any, post},
};
use conformance::{Log, Told};
use http::StatusCode;
use serde_json::{Value, json};
use std::{collections::HashMap, net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;

/// A server that runs until it is dropped.
pub struct Running {
    pub address: SocketAddr,
    /// Obtained tokens come from it.
    pub issuer: Arc<Issuer>,
    told: Log,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Starts the server; port 0 takes any that is free.
    pub async fn start(address: SocketAddr) -> Result<Self, String> {
        Self::begin(address, Refusals::Kept).await
    }

    /// As [`start`](Self::start), and tells on the standard error what it refuses, for a person who tries it.
    pub async fn start_telling(address: SocketAddr) -> Result<Self, String> {
        Self::begin(address, Refusals::Told).await
    }

    async fn begin(address: SocketAddr, refusals: Refusals) -> Result<Self, String> {
        let told = Log::default();
        let hasher = KeyHasher::random(&SystemRandom::new()).map_err(|error| error.to_string())?;
        let issuer = Issuer::new(&hasher);
        let app = router(&told, refusals, hasher, &issuer).map_err(|error| error.to_string())?;
        let listener =
            TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, service).await;
        });
        Ok(Self { address, issuer, told, task })
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the server decided since it was last asked.
    pub fn told(&self) -> Option<Told> {
        self.told.told()
    }

    /// How many requests it has judged.
    pub fn served(&self) -> usize {
        self.told.served()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Principal = &'static str;

/// What becomes of refusals.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refusals {
    /// The last one is kept for whoever asks.
    Kept,
    /// Each is told as well.
    Told,
}

/// What a path has decided, for the log and perhaps for a person.
struct Decided {
    path: &'static str,
    log: Log,
    refusals: Refusals,
}

impl Observer for Decided {
    fn observe(&self, event: Event<'_>) {
        if let (Refusals::Told, Event::Rejected(rejection)) = (self.refusals, &event) {
            let (status, reason) = (rejection.status().as_u16(), rejection.reason());
            eprintln!("{}: {status}: {} ({})", self.path, reason.text, reason.code);
        }
        self.log.observe(event);
    }
}

fn router(
    log: &Log,
    refusals: Refusals,
    hasher: KeyHasher,
    issuer: &Arc<Issuer>,
) -> Result<Router, Error> {
    let keys = || FixedKeys::new(&hasher, [(KEY, "acme")]);
    let key = |placement| ApiKeyVerifier::new(REALM, placement, hasher.clone(), keys());
    let header = || key(Placement::header(KEY_HEADER)?);
    let bearer =
        || BearerVerifier::new(REALM, hasher.clone(), FixedKeys::new(&hasher, [(TOKEN, "bob")]));
    let basic = || BasicVerifier::new(REALM, BasicAccounts::new(&hasher, [(USER, PASSWORD, USER)]));
    let mut app = Router::new();
    let mut at = |path, verifier: Arc<dyn Verifier<Principal = Principal>>| {
        let told = log.clone();
        // The body is read to its end: what it has to pass, it has passed then.
        let answer = move |caller: Authenticated<Principal>, uri: OriginalUri, _: Bytes| async move {
            told.note(Told::Accepted(caller.principal.to_owned()));
            who(&caller, uri.path())
        };
        let route = Router::new().route(path, any(answer)).layer(
            VerifyLayer::new(verifier).with_observer(Decided { path, log: log.clone(), refusals }),
        );
        app = std::mem::take(&mut app).merge(route);
    };
    at("/none", Arc::new(NoAuth.map(|_| "anonymous")));
    at("/basic", Arc::new(basic()?));
    at("/basic/argon2", Arc::new(argon2()?));
    at("/key/header", Arc::new(header()?));
    at("/key/scheme", Arc::new(key(Placement::scheme(KEY_SCHEME)?)?));
    at("/key/query", Arc::new(key(Placement::query(KEY_PARAMETER)?)?));
    at("/bearer", Arc::new(bearer()?));
    at("/any", Arc::new(AnyOf::new(basic()?).or(header()?)));
    at("/first", Arc::new(Precedence::new(bearer()?).then(header()?)));
    at("/jwt/service", Arc::new(service()?));
    at("/jwt/login", Arc::new(login()?));
    at("/jwt/first", Arc::new(Precedence::new(service()?).then(header()?)));
    at("/session", Arc::new(BearerVerifier::new(REALM, hasher.clone(), Live(issuer.clone()))?));
    let granting = AuthorizationServer::new(&hasher);
    let granted = Granted(Arc::clone(&granting));
    at("/oauth2", Arc::new(BearerVerifier::new(REALM, hasher.clone(), granted)?));
    at(
        "/digest",
        Arc::new(digest(&[DigestAlgorithm::Sha256, DigestAlgorithm::Md5], OfferedQop::Auth)?),
    );
    at("/digest/int", Arc::new(digest(&[DigestAlgorithm::Sha512_256Sess], OfferedQop::AuthInt)?));
    at("/digest/md5", Arc::new(digest(&[DigestAlgorithm::Md5], OfferedQop::Auth)?));
    at("/sigv4/api", Arc::new(sigv4(auth_sigv4::AwsService::ExecuteApi)?));
    at("/sigv4/s3", Arc::new(sigv4(auth_sigv4::AwsService::S3)?));
    let issuer = Arc::clone(issuer);
    let app = app.merge(granting.router());
    let app = app.route("/session/token", post(move || async move { issuer.answer() }));
    Ok(app.fallback(|| async { (StatusCode::NOT_FOUND, nowhere()) }))
}

/// What a path is answered that the server has not.
fn nowhere() -> String {
    let paths: Vec<_> = PATHS.iter().map(|path| path.path).collect();
    format!("no such path; there are {}\n", paths.join(", "))
}

/// The tokens of a service, whose secret is known by its ID.
fn service() -> Result<impl Verifier<Principal = Principal>, Error> {
    let secret = VerifyingKey::from_base64_secret(auth_jwt::JwsAlgorithm::HS256, SERVICE_SECRET)?;
    let secrets = HashMap::from([(
        KeyId { issuer: Some(SERVICE.into()), kid: None },
        Candidates::one(secret, SERVICE),
    )]);
    let policy = profiles::webex_service_policy();
    let verifier = auth_jwt::JwtVerifier::new(REALM, policy, secrets, SystemClock)?;
    Ok(verifier.map(|principal| principal.caller))
}

/// The tokens that a bot logs in with, whose public key is known by its name.
fn login() -> Result<impl Verifier<Principal = Principal>, Error> {
    let key = SigningKey::from_pem(auth_jwt::JwsAlgorithm::RS512, BOT_KEY)?.verifying();
    let keys =
        HashMap::from([(KeyId { issuer: Some(BOT.into()), kid: None }, Candidates::one(key, BOT))]);
    let policy = profiles::symphony_login_policy();
    let verifier = auth_jwt::JwtVerifier::new(REALM, policy, keys, SystemClock)?;
    Ok(verifier.map(|principal| principal.caller))
}

/// The account of alice, kept as what stands for its password under each hash function.
fn digest(
    algorithms: &[DigestAlgorithm],
    qop: OfferedQop,
) -> Result<impl Verifier<Principal = Principal>, Error> {
    let mut accounts = auth_digest::DigestAccounts::new();
    for algorithm in algorithms {
        let function = algorithm.function();
        let ha1 = auth_digest::Ha1::new(function, USER, REALM.as_bytes(), PASSWORD.as_bytes());
        accounts.add(USER, REALM, ha1)?;
    }
    let nonces = auth_digest::Nonces::of_this_process(SystemRandom::new(), SystemClock)?;
    let replay = MemoryReplayStore::new(SystemClock);
    let verifier = auth_digest::DigestVerifier::new(REALM, accounts, nonces, replay)?;
    let verifier = verifier.with_algorithms(algorithms)?.with_qop(qop)?;
    Ok(verifier.map(|_: auth_digest::DigestPrincipal| USER))
}

/// Requests that are signed with the access key of acme.
fn sigv4(service: auth_sigv4::AwsService) -> Result<impl Verifier<Principal = Principal>, Error> {
    let key = auth_sigv4::AccessKey::new(ACCESS_KEY, SECRET_KEY)?;
    let policy = auth_sigv4::SigV4Policy::new(service, REGION)?.allowing_presigned();
    let keys = auth_sigv4::AccessKeys::new([(key, "acme")]);
    Ok(auth_sigv4::SigV4Verifier::new(policy, keys, SystemClock))
}

/// Each accepted request is answered with its principal.
fn who(caller: &Authenticated<Principal>, path: &str) -> Json<Value> {
    Json(json!({ "path": path, "scheme": caller.scheme, "principal": caller.principal }))
}

/// The account of a person: a slow hash, limited attempts, and hashing away from the threads that serve.
fn argon2() -> Result<BasicVerifier<impl Passwords<Principal = Principal>>, Error> {
    let (random, cost) = (SystemRandom::new(), Argon2Cost::default());
    let users = HashMap::from([(
        USER.to_owned(),
        Candidates::one(PasswordHash::of(PASSWORD, cost, &random)?, USER),
    )]);
    let concurrency = Argon2Concurrency { running: 2, waiting: 64 };
    let workers = BlockingThreads::new(tokio::runtime::Handle::current());
    let passwords = Argon2Passwords::new(users, cost, concurrency, workers, &random)?;
    Ok(BasicVerifier::new(REALM, passwords)?
        .with_limit(AttemptLimit::new(MemoryAttemptLimits::new(SystemClock))))
}
