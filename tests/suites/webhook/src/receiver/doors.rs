//! Our receiver behind axum: a path for each kind of authorization, and a handler that is told whose delivery it has.

use crate::peer::{Peer, said};
use auth_core::{
    Candidates, ConnectionId, Flow, KeyHasher, Lookup, MemoryReplayStore, Secret, SystemClock,
    SystemRandom, TenantId, Verifier,
};
use auth_digest::{DigestAccounts, DigestQuery, DigestUserRecord, Ha1, HashFunction};
use auth_jwt::{JwsAlgorithm, JwtKeys, KeyId, VerifyingKey};
use auth_net::AddressList;
use auth_sigv4::{AccessKey, AccessKeys};
use auth_static::{BasicAccounts, FixedKeys};
use auth_tower::{Authenticated, VerifyLayer};
use auth_webhook::{
    BodySignatureVerifier, BodyVerifyingKey, Delivery, InboundAuthorization, InboundLookUps,
    InboundVerifier, Receipt, SignatureForm, WebhookReceiver,
};
use axum::{Router, body::Bytes, routing::post};
use conformance::{Log, Told};
use http::StatusCode;
use serde_json::{Value, json};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

pub const USER: &str = "hooks";
pub const PASSWORD: &str = "s3cret: of \u{e9}";
pub const REALM: &str = "receipts";
pub const FIELD: &str = "X-Api-Key";
pub const KEY: &str = "4f5c-service-key";
pub const ACCESS_KEY: &str = "AKIDEXAMPLE";
pub const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub const REGION: &str = "eu-west-1";
pub const SERVICE: &str = "execute-api";
pub const HUB_SECRET: &str = "hub secret";
pub const BODY: &str =
    r#"{"channel":"voice","transaction_id":"4711","status":"answered \u260e \u4f60"}"#;
/// The answer to it: the status, and what the handler says.
pub const HANDLED: &str = "200 acme answered \u{260e} \u{4f60}";
pub const SMALL: usize = 16;

const ISSUER: &str = "https://login.example";
const AUDIENCE: &str = "https://hooks.example";

/// PyJWT, as an issuer whose key the receiver knows.
pub struct Issuer {
    key: VerifyingKey,
    /// Each token, by what it is like.
    tokens: Vec<(&'static str, String)>,
}

impl Issuer {
    pub fn new(peer: &Peer) -> Result<Self, String> {
        let key = json!({ "do": "key", "alg": "ES256" });
        let keys = peer.answers(&[key.clone(), key])?;
        let [own, other] = &*keys else { return Err("no keys".into()) };
        let now = auth_core::Clock::now(&SystemClock).unix();
        let token = |key: &Value, alg: &str, audience: &str, ends: u64| {
            let claims = json!({ "iss": ISSUER, "aud": audience, "sub": "acme", "exp": ends });
            json!({ "do": "token", "alg": alg, "claims": claims, "key": key["private"] })
        };
        let kinds = [
            ("good", token(own, "ES256", AUDIENCE, now + 300)),
            ("of-another-key", token(other, "ES256", AUDIENCE, now + 300)),
            ("for-another-audience", token(own, "ES256", "https://else.example", now + 300)),
            ("expired", token(own, "ES256", AUDIENCE, now - 300)),
            ("of-no-algorithm", token(&json!({ "private": "" }), "none", AUDIENCE, now + 300)),
        ];
        let asked: Vec<Value> = kinds.iter().map(|(_, asked)| asked.clone()).collect();
        let made = peer.answers(&asked)?;
        let tokens = kinds.iter().zip(made).map(|((id, _), token)| (*id, said(&token))).collect();
        let key = VerifyingKey::from_pem(JwsAlgorithm::ES256, &said(&own["public"]));
        Ok(Self { key: key.map_err(text)?, tokens })
    }

    pub fn tokens(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tokens.iter().map(|(id, token)| (*id, token.as_str()))
    }
}

/// The key of one issuer.
struct IssuerKey(VerifyingKey);

impl Lookup<KeyId> for IssuerKey {
    type Found = JwtKeys<&'static str>;

    fn lookup(&self, _: &KeyId) -> Flow<'_, Option<Self::Found>> {
        Flow::ready(Some(Candidates::one(self.0.clone(), "acme")))
    }
}

/// Users of Digest, all of whom are one sender.
struct DigestUsers(DigestAccounts);

impl Lookup<DigestQuery<'_>> for DigestUsers {
    type Found = Candidates<DigestUserRecord, Sender>;

    fn lookup(&self, query: &DigestQuery<'_>) -> Flow<'_, Option<Self::Found>> {
        self.0.lookup(query).map(|found| {
            let of_acme = |users: Candidates<DigestUserRecord, ()>| {
                users.secrets().map(|user| (user.clone(), "acme")).collect()
            };
            found.map(of_acme)
        })
    }
}

/// A server that runs until it is dropped.
pub struct Doors {
    pub base: String,
    pub log: Log,
    /// The handler of `/slow` replies when it is told.
    pub go: Arc<Notify>,
    /// How many deliveries handlers have had. The first of `/failing` fails.
    handled: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Doors {
    pub async fn open(issuer: &Issuer) -> Result<Self, String> {
        let doors = Opening::default();
        let app = doors.routes(issuer).map_err(text)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(text)?;
        let address = listener.local_addr().map_err(text)?;
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, service).await;
        });
        let Opening { log, go, handled } = doors;
        Ok(Self { base: format!("http://{address}"), log, go, handled, task })
    }

    pub fn handled(&self) -> usize {
        self.handled.load(Ordering::SeqCst)
    }

    /// What a handler said, if one had a delivery since there were so many; else why the last request was refused.
    pub fn told(&self, before: usize, said: &str) -> String {
        match self.log.told() {
            Some(Told::Refused(code)) if self.handled() == before => code.into(),
            _ => said.into(),
        }
    }
}

impl Drop for Doors {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Default)]
struct Opening {
    log: Log,
    go: Arc<Notify>,
    handled: Arc<AtomicUsize>,
}

/// Who sends to all of them.
type Sender = &'static str;

impl Opening {
    fn routes(&self, issuer: &Issuer) -> auth_core::Result<Router> {
        let receiver = |kind: &str| {
            let connection = ConnectionId::new(TenantId::new("acme"), kind);
            Ok::<_, auth_core::Error>(WebhookReceiver::authorized(
                connection,
                verifier(kind, issuer)?,
            ))
        };
        let mut app = Router::new();
        for kind in ["none", "basic", "digest", "aws_signature", "api_key", "oauth2"] {
            app = app.merge(self.door(kind, receiver(kind)?));
        }
        for (path, list) in [("here", "127.0.0.0/8"), ("elsewhere", "192.0.2.0/24")] {
            let listed =
                receiver("basic")?.with_addresses(AddressList::new([list]).map_err(wrong)?);
            app = app.merge(self.door(path, listed));
        }
        app = app.merge(self.door("small", receiver("basic")?.with_most_body_bytes(SMALL)));
        let form = SignatureForm::HubSignature { algorithm: Default::default() };
        let key = BodyVerifyingKey::read(&form, &Secret::from(HUB_SECRET))?;
        let signature = BodySignatureVerifier::new(form, Candidates::one(key, "acme"))?;
        let connection = ConnectionId::new(TenantId::new("acme"), "signed");
        let authorization = verifier("basic", issuer)?;
        let signed = WebhookReceiver::authorized_and_signed(connection, authorization, signature);
        app = app.merge(self.door("signed", signed));
        let store = Arc::new(MemoryReplayStore::new(SystemClock));
        for path in ["once", "slow", "failing"] {
            let connection = ConnectionId::new(TenantId::new("acme"), path);
            let door = WebhookReceiver::authorized(connection, verifier("basic", issuer)?);
            app = app.merge(self.door(path, door.once(Arc::clone(&store))));
        }
        Ok(app)
    }

    fn door<V>(&self, path: &'static str, verifier: V) -> Router
    where
        V: Verifier<Principal = Delivery<Sender>> + 'static,
    {
        let (handled, go) = (Arc::clone(&self.handled), Arc::clone(&self.go));
        let failed = Arc::new(AtomicBool::new(path != "failing"));
        let handler = move |caller: Authenticated<Delivery<Sender>>, body: Bytes| async move {
            handled.fetch_add(1, Ordering::SeqCst);
            if path == "slow" {
                go.notified().await;
            }
            let status = match failed.swap(true, Ordering::SeqCst) {
                true => StatusCode::OK,
                false => StatusCode::INTERNAL_SERVER_ERROR,
            };
            let receipt: Result<Receipt, _> = serde_json::from_slice(&body);
            let said = receipt.map_or_else(text, |receipt| receipt.status);
            (status, format!("{} {said}", caller.principal.sender))
        };
        let layer = VerifyLayer::new(verifier).with_observer(self.log.clone());
        Router::new().route(&format!("/{path}"), post(handler)).layer(layer)
    }
}

/// What verifies one of the six kinds.
fn verifier(kind: &str, issuer: &Issuer) -> auth_core::Result<InboundVerifier<Sender>> {
    let inbound = match kind {
        "basic" | "digest" => json!({ "type": kind, "realm": REALM }),
        "aws_signature" => json!({ "type": kind, "region": REGION, "service_name": SERVICE }),
        "api_key" => json!({ "type": kind, "key": FIELD }),
        "oauth2" => json!({ "type": kind, "issuer": ISSUER, "audience": AUDIENCE }),
        _ => json!({ "type": kind }),
    };
    let inbound: InboundAuthorization = serde_json::from_value(inbound).map_err(wrong)?;
    let hasher = KeyHasher::random(&SystemRandom::new())?;
    let mut users = DigestAccounts::new();
    let ha1 = |function| Ha1::new(function, USER, REALM.as_bytes(), PASSWORD.as_bytes());
    users.add(USER, REALM, ha1(HashFunction::Sha256))?;
    users.add(USER, REALM, ha1(HashFunction::Md5))?;
    let known = InboundLookUps::new()
        .with_everybody("acme")
        .with_passwords(BasicAccounts::new(&hasher, [(USER, PASSWORD, "acme")]))
        .with_digest_users(DigestUsers(users))
        .with_access_keys(AccessKeys::new([(AccessKey::new(ACCESS_KEY, SECRET_KEY)?, "acme")]))
        .with_api_keys(hasher.clone(), FixedKeys::new(&hasher, [(KEY, "acme")]))
        .with_issuer_keys(IssuerKey(issuer.key.clone()));
    inbound.verifier(known)
}

fn wrong(error: impl std::error::Error + Send + Sync + 'static) -> auth_core::Error {
    auth_core::Error::config("conformance_doors", error)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
