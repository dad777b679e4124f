//! A platform that sends webhooks, and a receiver that verifies them, in one process: what goes over the wire is kept.

use auth_core::{
    Body, Candidates, Clock, ConnectionId, Flow, HandlerReply, KeyHasher, Lookup, RequestView,
    SystemClock, SystemRandom, TenantId, Transport, Verifier,
};
use auth_digest::{DigestQuery, DigestUserRecord, Ha1, HashFunction, UserSecret};
use auth_jwt::{ClaimsToSign, JwsAlgorithm, JwtKeys, KeyId, SigningKey};
use auth_sigv4::{AccessKey, AccessKeys};
use auth_static::{BasicAccounts, FixedKeys};
use auth_testing::ScriptedTransport;
use auth_webhook::{
    AuthorizationSet, Delivery, InboundAuthorization, InboundLookUps, Receipt, SecretSources,
    TenantAuthorizations, WebhookReceiver,
};
use http::{HeaderMap, Request, Response, StatusCode};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// What both ends are told of each of the six: what the sender fills in, and what the receiver is told. `SECRET` stands
/// for the secret.
pub const KINDS: [(&str, &str, &str); 6] = [
    ("none", r#"{"type":"none"}"#, r#"{"type":"none"}"#),
    (
        "basic",
        r#"{"type":"basic","username":"u","password":"SECRET"}"#,
        r#"{"type":"basic","realm":"hooks"}"#,
    ),
    (
        "digest",
        r#"{"type":"digest","username":"u","password":"SECRET"}"#,
        r#"{"type":"digest","realm":"hooks"}"#,
    ),
    (
        "aws_signature",
        r#"{"type":"aws_signature","access_key":"AKIDEXAMPLE","secret_key":"SECRET","region":"eu-west-1","service_name":"execute-api"}"#,
        r#"{"type":"aws_signature","region":"eu-west-1","service_name":"execute-api"}"#,
    ),
    (
        "api_key",
        r#"{"type":"api_key","key":"X-Key","key_value":"SECRET"}"#,
        r#"{"type":"api_key","key":"x-key"}"#,
    ),
    (
        "oauth2",
        r#"{"type":"oauth2","grant_type":"client_credentials","client_id":"id","client_secret":"SECRET","access_token_url":"https://login.example/token"}"#,
        r#"{"type":"oauth2","issuer":"https://login.example","audience":"hooks"}"#,
    ),
];

pub const SECRET: &str = "the-receivers-secret";

/// A request, and how it was answered.
pub type Seen = (Request<Vec<u8>>, StatusCode);

/// Both ends.
pub struct Stage {
    pub set: AuthorizationSet,
    pub acme: TenantAuthorizations,
    /// The requests that reached the receiver, with the status of each.
    pub seen: Arc<Mutex<Vec<Seen>>>,
    /// The receipts that the handler was given.
    pub receipts: Arc<Mutex<Vec<Receipt>>>,
}

impl Stage {
    pub fn new(sources: SecretSources) -> Self {
        let (seen, receipts): (Arc<Mutex<Vec<_>>>, Arc<Mutex<Vec<_>>>) = Default::default();
        let (telling, handing) = (Arc::clone(&seen), Arc::clone(&receipts));
        let issuer = || SigningKey::from_secret(JwsAlgorithm::HS256, &[7; 32]).unwrap();
        let doors: Vec<_> =
            KINDS.iter().map(|(kind, _, inbound)| (*kind, door(kind, inbound, issuer()))).collect();
        let transport = ScriptedTransport::new(move |request: &Request<Vec<u8>>| {
            if request.uri().path() == "/token" {
                return Ok(token(&issuer(), request));
            }
            let kind = request.uri().path().trim_start_matches("/hooks/");
            let (_, door) = doors.iter().find(|(known, _)| *known == kind).unwrap();
            let answer = serve(door, &handing, request);
            telling.lock().unwrap().push((request.clone(), answer.status()));
            Ok(answer)
        });
        let transport: Arc<dyn Transport> = Arc::new(transport);
        let set = AuthorizationSet::builder(move |_: &TenantId, _: Option<&str>| {
            Ok(Arc::clone(&transport))
        });
        let set = set.with_sources(sources).build().unwrap();
        let acme = set.of_tenant(&TenantId::new("acme"));
        Self { set, acme, seen, receipts }
    }

    pub fn statuses(&self) -> Vec<u16> {
        self.seen.lock().unwrap().iter().map(|(_, status)| status.as_u16()).collect()
    }
}

type Door = Box<dyn Verifier<Principal = Delivery<&'static str>>>;

fn door(kind: &str, inbound: &str, issuer: SigningKey) -> Door {
    let inbound: InboundAuthorization = serde_json::from_str(inbound).unwrap();
    let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
    let known = InboundLookUps::new()
        .with_everybody("webex")
        .with_passwords(BasicAccounts::new(&hasher, [("u", SECRET, "webex")]))
        .with_digest_users(DigestUser(Ha1::new(
            HashFunction::Sha256,
            "u",
            b"hooks",
            SECRET.as_bytes(),
        )))
        .with_access_keys(AccessKeys::new([(
            AccessKey::new("AKIDEXAMPLE", SECRET).unwrap(),
            "webex",
        )]))
        .with_api_keys(hasher.clone(), FixedKeys::new(&hasher, [(SECRET, "webex")]))
        .with_issuer_keys(Issuer(issuer));
    let connection = ConnectionId::new(TenantId::new("acme"), kind);
    Box::new(WebhookReceiver::authorized(connection, inbound.verifier(known).unwrap()))
}

struct DigestUser(Ha1);

impl Lookup<DigestQuery<'_>> for DigestUser {
    type Found = Candidates<DigestUserRecord, &'static str>;

    fn lookup(&self, _: &DigestQuery<'_>) -> Flow<'_, Option<Self::Found>> {
        let record = DigestUserRecord { user: "u".into(), secret: UserSecret::Ha1(self.0.clone()) };
        Flow::ready(Some(Candidates::one(record, "webex")))
    }
}

struct Issuer(SigningKey);

impl Lookup<KeyId> for Issuer {
    type Found = JwtKeys<&'static str>;

    fn lookup(&self, _: &KeyId) -> Flow<'_, Option<Self::Found>> {
        Flow::ready(Some(Candidates::one(self.0.verifying(), "webex")))
    }
}

fn token(issuer: &SigningKey, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
    let form = String::from_utf8_lossy(request.body()).into_owned();
    if !form.contains(&format!("client_secret={SECRET}")) {
        return Response::builder()
            .status(401)
            .body(br#"{"error":"invalid_client"}"#.to_vec())
            .unwrap();
    }
    let claims = ClaimsToSign::expiring_in(Duration::from_secs(300)).unwrap();
    let claims = claims.with_issuer("https://login.example").with_audience("hooks");
    let token = claims.sign(issuer, SystemClock.now(), None).unwrap();
    Response::new(
        format!(r#"{{"access_token":"{}","token_type":"Bearer"}}"#, token.expose()).into_bytes(),
    )
}

fn serve(
    door: &Door,
    receipts: &Mutex<Vec<Receipt>>,
    request: &Request<Vec<u8>>,
) -> Response<Vec<u8>> {
    let view = RequestView::new(request.method(), request.uri(), request.headers());
    let (mut answer, headers) = (Response::builder(), HeaderMap::new());
    match door.verify(view.with_body(Body::Bytes(request.body()))).wait().unwrap() {
        Ok(mut accepted) => {
            assert_eq!(accepted.principal.sender, "webex");
            receipts.lock().unwrap().push(serde_json::from_slice(request.body()).unwrap());
            for completion in accepted.take_obligations().completions {
                let reply = HandlerReply::new(StatusCode::OK, &headers, Body::Bytes(b""));
                for (name, value) in &completion.complete(reply).wait().unwrap() {
                    answer = answer.header(name, value);
                }
            }
        }
        Err(refused) => {
            answer = answer.status(refused.status());
            for challenge in refused.challenges() {
                answer = answer.header("www-authenticate", challenge.field());
            }
        }
    }
    answer.body(Vec::new()).unwrap()
}
