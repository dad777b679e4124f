//! Random secrets through every path; then everything that was shown is searched for them, in every form.

mod blocking;
mod ibsso;
mod oauth2;
mod symphony;
mod webex;
mod webhook;

use auth_core::{
    Answer, Authenticator, Body, Candidates, Clock, Context, Flow, Lifespan, MemoryReplayStore,
    OriginBound, PresentableToken, Refusal, Renewal, RequestView, Secret, Stack, SystemClock,
    SystemRandom, Timestamp, Token, TokenSource, Verifier,
};
use auth_digest::{Digest, DigestAccounts};
use auth_jwt::{
    ClaimsToSign, Jwk, JwsAlgorithm, JwtAuthenticator, JwtPolicy, KeyId, SigningKey, UnverifiedJws,
    VerifyingKey, dangerous,
};
use auth_reqwest::{AuthClient, ReqwestTransport};
use auth_session::{
    MemoryTokenStore, Session, SessionPool, StorableToken, Stored, TenantId, TokenStore as _,
};
use auth_sigv4::{AccessKey, AccessKeys, AwsService, SigV4};
use auth_static::{
    ApiKey, ApiKeyVerifier, Basic, BasicAccounts, BasicVerifier, Bearer, BearerVerifier, FixedKeys,
    KeyHasher, Placement,
};
use auth_testing::{Canary, CapturedOutput, ScriptedTransport};
use auth_tower::{AuthenticateLayer, OutgoingBody, TracingObserver, VerifyLayer};
use axum::Router;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header::AUTHORIZATION};
use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tracing_subscriber::filter::LevelFilter;

fn plant(place: &str) -> Canary {
    Canary::plant(place, &SystemRandom::new()).unwrap()
}

/// The secrets of one run.
struct Planted {
    password: Canary,
    key: Canary,
    token: Canary,
    secret: Canary,
}

impl Planted {
    fn new() -> Self {
        Self {
            password: plant("password"),
            key: plant("key"),
            token: plant("token"),
            secret: plant("a-shared-secret"),
        }
    }

    fn all(&self) -> [&Canary; 4] {
        [&self.password, &self.key, &self.token, &self.secret]
    }

    /// A secret of 32 bytes or more, which signs.
    fn signing(&self) -> SigningKey {
        let secret = format!("{}-as-long-as-its-hash", self.secret.text());
        SigningKey::from_secret(JwsAlgorithm::HS256, secret.as_bytes()).unwrap()
    }

    fn clients(&self) -> Vec<Arc<dyn Authenticator>> {
        let key = |placement: auth_core::Result<Placement>| {
            ApiKey::new(placement.unwrap(), self.key.text()).unwrap()
        };
        vec![
            Arc::new(Basic::new("user", self.password.text()).unwrap()),
            Arc::new(key(Placement::header("key"))),
            Arc::new(key(Placement::scheme("App"))),
            Arc::new(key(Placement::query("apikey"))),
            Arc::new(Bearer::new(self.token.text()).unwrap()),
            Arc::new(self.sign()),
            Arc::new(self.sigv4()),
        ]
    }

    fn digest_door(&self) -> auth_digest::DigestVerifier<DigestAccounts> {
        let function = auth_digest::HashFunction::Sha256;
        let ha1 = auth_digest::Ha1::new(function, "user", b"r", self.password.text().as_bytes());
        let mut accounts = DigestAccounts::new();
        accounts.add("user", "r", ha1).unwrap();
        let nonces = auth_digest::Nonces::of_this_process(SystemRandom::new(), SystemClock);
        let replay = MemoryReplayStore::new(SystemClock);
        auth_digest::DigestVerifier::new("r", accounts, nonces.unwrap(), replay).unwrap()
    }

    /// A temporary key, whose token is as good as a secret until it ends.
    fn access_key(&self) -> AccessKey {
        let (secret, token) = (self.secret.text(), self.token.text());
        AccessKey::temporary("ASIACANARY", secret, token, None).unwrap()
    }

    fn sigv4(&self) -> SigV4 {
        SigV4::new(self.access_key(), "eu-west-1", AwsService::ExecuteApi, SystemClock).unwrap()
    }

    /// Its tokens hold a secret claim, as a program may have one.
    fn sign(&self) -> JwtAuthenticator {
        let claims =
            ClaimsToSign::expiring_in(Duration::from_secs(300)).unwrap().with_issuer("service");
        let claims = claims.with_claim("secret", &self.token.text()).unwrap();
        JwtAuthenticator::new(self.signing(), claims, SystemClock)
    }

    fn sigv4_door(&self) -> auth_sigv4::SigV4Verifier<AccessKeys<&'static str>> {
        let keys = AccessKeys::new([(self.access_key(), "acme")]);
        let policy = auth_sigv4::SigV4Policy::new(AwsService::ExecuteApi, "eu-west-1").unwrap();
        auth_sigv4::SigV4Verifier::new(policy, keys, SystemClock)
    }

    fn doors(&self) -> Vec<Arc<dyn Verifier<Principal = &'static str>>> {
        let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
        let keys = || FixedKeys::new(&hasher, [(self.key.text(), "acme")]);
        let key = |placement: auth_core::Result<Placement>| {
            ApiKeyVerifier::new("r", placement.unwrap(), hasher.clone(), keys()).unwrap()
        };
        let accounts = BasicAccounts::new(&hasher, [("user", self.password.text(), "user")]);
        let tokens = FixedKeys::new(&hasher, [(self.token.text(), "bob")]);
        let id = KeyId { issuer: Some("service".into()), kid: None };
        let secrets = HashMap::from([(id, Candidates::one(self.signing().verifying(), "service"))]);
        let jwt = auth_jwt::JwtVerifier::new("r", JwtPolicy::new(), secrets, SystemClock).unwrap();
        vec![
            Arc::new(BasicVerifier::new("r", accounts).unwrap()),
            Arc::new(key(Placement::header("key"))),
            Arc::new(key(Placement::scheme("App"))),
            Arc::new(key(Placement::query("apikey"))),
            Arc::new(BearerVerifier::new("r", hasher.clone(), tokens).unwrap()),
            Arc::new(jwt.map(|principal| principal.caller)),
            Arc::new(self.sigv4_door()),
        ]
    }
}

/// What every value shows of itself: clients, credentials, requests, verifiers, outcomes.
#[test]
fn no_value_shows_a_secret() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    shown.debug(&Basic::new("user", planted.password.text()).unwrap());
    shown.debug(&ApiKey::new(Placement::header("key").unwrap(), planted.key.text()).unwrap());
    shown.debug(&Bearer::new(planted.token.text()).unwrap());
    shown.debug(&auth_core::Secret::from(planted.key.text()));
    for (client, door) in planted.clients().into_iter().zip(planted.doors()) {
        let (mut uri, mut headers) = (Uri::from_static("https://a.example/p"), HeaderMap::new());
        let body = planted.key.text().as_bytes();
        let view = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(body));
        let credentials = client.credentials(view).wait().unwrap();
        credentials.commit(&mut uri, &mut headers).unwrap();
        let view = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(body));
        shown.debug(&credentials).debug(&view).debug(&view.body).debug(&headers);
        let outcome = door.verify(view).wait().unwrap();
        assert!(outcome.is_ok(), "the secret was not even used: {outcome:?}");
        shown.debug(&outcome);
        let exchange = Request::builder().uri(uri).body(body.to_vec()).unwrap();
        shown.debug(&auth_core::Exchange::new(exchange));
    }
    assert_eq!(shown.leaks(&planted.all()), [""; 0], "in\n{}", shown.all());
}

/// What every stage of a token, and every form of a key, shows of itself.
#[test]
fn no_token_or_key_shows_a_secret() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let (mint, key) = (planted.sign(), planted.signing());
    let token = mint.sign().unwrap();
    let unverified = UnverifiedJws::parse(token.expose()).unwrap();
    shown.debug(&mint).debug(&key).debug(&key.verifying()).debug(&token).debug(&unverified);
    shown.debug(&dangerous::decode_unverified(token.expose()).unwrap());
    let signed = unverified.verify(&key.verifying()).unwrap();
    shown.debug(&signed);
    let claims = signed.claims(&JwtPolicy::new(), SystemClock.now()).unwrap();
    assert_eq!(
        claims.read::<HashMap<String, serde_json::Value>>().unwrap()["secret"],
        planted.token.text()
    );
    shown.debug(&claims).error(&claims.read::<u8>().unwrap_err());
    let k = base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        planted.secret.text().repeat(2),
    );
    let jwk = Jwk::parse(format!(r#"{{"kty":"oct","alg":"HS256","k":"{k}"}}"#).as_bytes()).unwrap();
    shown.debug(&jwk).debug(&VerifyingKey::from_jwk(&jwk, None).unwrap());
    let secret = planted.secret.text();
    for error in [
        SigningKey::from_secret(JwsAlgorithm::HS512, secret.as_bytes()).err(),
        SigningKey::from_base64_secret(JwsAlgorithm::HS256, &format!("{secret}!")).err(),
        SigningKey::from_pem(JwsAlgorithm::RS256, secret).err(),
        SigningKey::from_pem(
            JwsAlgorithm::RS256,
            &format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----"),
        )
        .err(),
        SigningKey::from_der(JwsAlgorithm::ES256, secret.as_bytes()).err(),
        VerifyingKey::from_der(JwsAlgorithm::ES256, secret.as_bytes()).err(),
        Jwk::parse(secret.as_bytes()).err(),
        Jwk::parse(format!(r#"{{"kty":"{secret}","k":"{secret}."}}"#).as_bytes()).err(),
        VerifyingKey::from_jwk(&jwk, Some(JwsAlgorithm::HS512)).err(),
    ] {
        shown.error(&error.expect("an error"));
    }
    for token in [secret.to_owned(), format!("{secret}.{secret}.{secret}")] {
        shown.error(&UnverifiedJws::parse(&token).unwrap_err());
    }
    let dead = UnverifiedJws::parse(token.expose()).unwrap().verify(&key.verifying()).unwrap();
    shown.error(&dead.claims(&JwtPolicy::new(), Timestamp::default()).unwrap_err());
    assert_eq!(shown.leaks(&planted.all()), [""; 0], "in\n{}", shown.all());
}

/// A token that says nothing of itself, and a source whose peer is talkative.
#[derive(Clone, Debug)]
struct Kept(Arc<Secret>);

impl Token for Kept {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Unknown
    }
}

impl StorableToken for Kept {
    fn to_rest(&self) -> Secret {
        Secret::new(self.0.expose())
    }

    fn from_rest(bytes: &[u8]) -> auth_core::Result<Self> {
        Ok(Self(Secret::new(bytes).into()))
    }
}

impl PresentableToken for Kept {
    fn credentials(&self) -> auth_core::Result<auth_core::Credentials> {
        Ok(Bearer::new(self.0.expose_text().unwrap())?.present())
    }

    fn refusal(answer: Answer<'_>) -> Option<Refusal> {
        auth_core::bearer_token_refusal(answer)
    }
}

impl TokenSource for Kept {
    type Token = Self;

    fn token<'a>(&'a self, _: &'a Context, _: Renewal<Self>) -> Flow<'a, Self> {
        Flow::ready(self.clone())
    }
}

/// What everything that keeps a token shows of itself, before and after the token is refused.
#[test]
fn no_session_shows_a_secret() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let context = Context::new(ScriptedTransport::new(|_| unreachable!("nobody asks")));
    let source = || Kept(Arc::new(planted.token.text().into()));
    let store = MemoryTokenStore::new(SystemClock);
    let stored = Stored::new(source(), store.clone(), "acme");
    let key = Secret::new(planted.key.text().as_bytes().repeat(32)[..32].to_vec());
    let sealer = auth_session::Sealer::new(&key, SystemRandom::new()).unwrap();
    shown.debug(&store).debug(&stored).debug(&context).debug(&sealer);
    let session = Session::new(stored, context.clone());
    let (mut uri, mut headers) = (Uri::from_static("https://a.example/p"), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &headers);
    let sent = session.credentials(view).wait().unwrap();
    let held = session.token().wait().unwrap();
    shown.debug(&session).debug(&held).debug(&sent);
    let answer_headers = HeaderMap::new();
    let answer = Answer::new(view, http::StatusCode::UNAUTHORIZED, &answer_headers);
    shown.debug(&session.assess(&sent, answer)).debug(&session);
    shown.debug(&store.load("acme").wait().unwrap().unwrap());
    sent.commit(&mut uri, &mut headers).unwrap();
    assert!(format!("{:?}", headers[AUTHORIZATION].as_bytes()).len() > 40, "it was used");
    shown.debug(&headers);
    let token = source();
    let pool: SessionPool<TenantId, Kept> =
        SessionPool::new(4, move |_| Ok(Session::new(token.clone(), context.clone())));
    pool.get(&TenantId::new("acme")).wait().unwrap().token().wait().unwrap();
    shown.debug(&pool).debug(&session.end().wait().unwrap());
    assert_eq!(shown.leaks(&planted.all()), [""; 0], "in\n{}", shown.all());
}

/// What a session tells its observer, in the log of a program: names and codes.
#[test]
fn no_session_tells_a_secret() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let logs = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer({
        let shown = shown.clone();
        move || shown.clone()
    });
    let context = Context::new(ScriptedTransport::new(|_| unreachable!("nobody asks")));
    let source = Kept(Arc::new(planted.token.text().into()));
    let session = Session::new(source, context.with_observer(TracingObserver)).with_name("acme");
    tracing::subscriber::with_default(logs.finish(), || {
        let held = session.token().wait().unwrap();
        let refusal = Refusal::new(http::StatusCode::UNAUTHORIZED).with_code("invalid_token");
        session.condemn(held.generation, refusal);
    });
    for told in ["session obtained a token", "refused the token", "acme", "invalid_token"] {
        assert!(shown.all().contains(told), "{told:?} is not in\n{}", shown.all());
    }
    assert_eq!(shown.leaks(&planted.all()), [""; 0], "in\n{}", shown.all());
}

/// What both ends of Digest show of themselves: before a challenge, with one, when it was answered and when it was
/// answered wrong. Neither the password nor what stands for it.
#[test]
fn no_digest_shows_a_password() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let door = planted.digest_door();
    let function = auth_digest::HashFunction::Sha256;
    let password = planted.password.text();
    let ha1 = auth_digest::Ha1::new(function, "user", b"r", password.as_bytes());
    let digest = Digest::new("user", password, SystemRandom::new()).unwrap();
    let guess = Digest::new("user", planted.key.text(), SystemRandom::new()).unwrap();
    shown.debug(&door).debug(&ha1).debug(&digest);
    for (client, accepted) in [(&digest, true), (&guess, false)] {
        let (mut uri, mut headers) = (Uri::from_static("https://a.example/p"), HeaderMap::new());
        let view = RequestView::new(&Method::GET, &uri, &headers);
        let asked = door.verify(view).wait().unwrap().unwrap_err();
        shown.debug(&asked);
        let challenge = HeaderValue::from_str(&asked.challenges()[0].to_string()).unwrap();
        let answer = HeaderMap::from_iter([(http::header::WWW_AUTHENTICATE, challenge)]);
        let answer = Answer::new(view, http::StatusCode::UNAUTHORIZED, &answer);
        let verdict = client.assess(&auth_core::Credentials::none(), answer);
        assert!(matches!(verdict, auth_core::Verdict::Retry { .. }), "{verdict:?}");
        let credentials = client.credentials(view).wait().unwrap();
        credentials.commit(&mut uri, &mut headers).unwrap();
        let view = RequestView::new(&Method::GET, &uri, &headers);
        let outcome = door.verify(view).wait().unwrap();
        assert_eq!(outcome.is_ok(), accepted);
        shown.debug(client).debug(&credentials).debug(&headers).debug(&outcome).debug(&door);
    }
    for name in ["a:b", "a\nb"] {
        shown.error(&Digest::new(name, password, SystemRandom::new()).unwrap_err());
    }
    shown.error(&DigestAccounts::from_htdigest(function, &format!("user:{password}")).unwrap_err());
    assert_eq!(shown.leaks(&planted.all()), [""; 0], "in\n{}", shown.all());
}

/// What everything that signs shows of itself, and what an owner is told of a signature that does not match.
#[test]
fn no_access_key_shows_a_secret() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let (key, sigv4, door) = (planted.access_key(), planted.sigv4(), planted.sigv4_door());
    let scope = auth_sigv4::CredentialScope::new("20150830", "eu-west-1", "execute-api");
    shown.debug(&key).debug(&key.derive(scope)).debug(&sigv4).debug(&door).debug(&scope);
    let signer = auth_sigv4::SigV4Signer::new(key, "eu-west-1", AwsService::ExecuteApi).unwrap();
    shown.debug(&signer);
    let (mut uri, mut headers) = (Uri::from_static("https://a.example/p"), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b""));
    let credentials = sigv4.credentials(view).wait().unwrap();
    credentials.commit(&mut uri, &mut headers).unwrap();
    let view = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b""));
    let explained = door.explain(view, "PUT").unwrap();
    assert!(
        explained.to_string().contains("x-amz-security-token"),
        "the token was not even signed"
    );
    shown.debug(&explained).text(&explained.to_string()).debug(&headers);
    let secret = planted.secret.text();
    for error in [
        AccessKey::new(&format!("{secret} "), secret).err(),
        AccessKey::temporary("a", secret, format!("{secret} "), None).err(),
        auth_sigv4::SigV4Signer::new(planted.access_key(), &format!("{secret} "), AwsService::Sns)
            .err(),
    ] {
        shown.error(&error.expect("an error"));
    }
    assert_eq!(shown.leaks(&planted.all()), [""; 0], "in\n{}", shown.all());
}

/// Every way in which the clients can fail with a secret in hand.
#[tokio::test]
async fn no_error_of_a_client_shows_a_secret() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let secrets = planted.all().map(Canary::text);
    for broken in secrets.iter().flat_map(|secret| {
        [format!("{secret}\r\n"), format!("{secret}\u{0}"), format!("é {secret}")]
    }) {
        let user = format!("{broken}:x");
        shown.error(&Basic::new(&user, "p").unwrap_err());
        shown.error(&Placement::header(&broken).unwrap_err());
        shown.error(&Placement::scheme(&broken).unwrap_err());
        for error in [
            Basic::new("u", &broken).err(),
            ApiKey::new(Placement::header("key").unwrap(), &broken).err(),
            ApiKey::new(Placement::scheme("App").unwrap(), &broken).err(),
            Bearer::new(&broken).err(),
        ]
        .into_iter()
        .flatten()
        {
            shown.error(&error).text(&panic_message(Err(error)));
        }
    }
    let client = AuthClient::builder().build().unwrap();
    shown.debug(&client);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for authenticator in planted.clients() {
        for (url, taken) in [
            (format!("http://{free}/"), false),
            (String::from("http://192.0.2.1/"), false),
            (format!("http://{free}/"), true),
        ] {
            let mut request = client.http().get(&url).build().unwrap();
            if taken {
                for name in [AUTHORIZATION, HeaderName::from_static("key")] {
                    request
                        .headers_mut()
                        .insert(name, HeaderValue::from_str(planted.key.text()).unwrap());
                }
            }
            shown.error(&client.send(&*authenticator, request).await.unwrap_err());
        }
        let bound =
            OriginBound::new(["https://a.example".parse().unwrap()], Arc::clone(&authenticator));
        let request = client
            .http()
            .get(format!("https://b.example/?{}", planted.key.text()))
            .build()
            .unwrap();
        shown.error(&client.send(&bound, request).await.unwrap_err());
        let twice = Stack(Arc::clone(&authenticator), Bearer::new(planted.token.text()).unwrap());
        let request = client.http().get(format!("http://{free}/")).build().unwrap();
        shown.error(&client.send(&twice, request).await.unwrap_err());
    }
    let transport = ReqwestTransport::builder(tokio::runtime::Handle::current())
        .allowing_loopback()
        .build()
        .unwrap();
    for url in [
        format!("http://{free}"),
        String::from("https://10.0.0.1"),
        String::from("http://a.example"),
    ] {
        let request = Request::post(format!("{url}/?{}", planted.key.text()))
            .body(planted.token.text().into())
            .unwrap();
        shown.error(&auth_core::Transport::fetch(&transport, request.into()).await.unwrap_err());
    }
    assert_eq!(shown.leaks(&planted.all()), [""; 0], "in\n{}", shown.all());
}

/// What a program says that unwraps an error with a secret in hand.
fn panic_message(failed: auth_core::Result<()>) -> String {
    let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| failed.unwrap())).unwrap_err();
    *panicked.downcast::<String>().unwrap()
}

/// Good, nearly good and misplaced secrets over a real connection, with every log line of every library at its most
/// talkative, and all that the caller gets back.
#[test]
fn no_log_or_answer_shows_a_secret() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let logs = tracing_subscriber::fmt()
        .with_writer({
            let shown = shown.clone();
            move || shown.clone()
        })
        .with_max_level(LevelFilter::TRACE)
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tracing::subscriber::with_default(logs, || runtime.block_on(converse(&planted, &shown)));
    assert!(shown.all().contains("request accepted"), "nothing was logged");
    assert!(shown.all().contains("request rejected"), "nothing was rejected");
    assert_eq!(shown.leaks(&planted.all()), [""; 0]);
}

async fn converse(planted: &Planted, shown: &CapturedOutput) {
    let client = AuthClient::builder().with_observer(TracingObserver).build().unwrap();
    for (authenticator, door) in planted.clients().into_iter().zip(planted.doors()) {
        let app = Router::new()
            .fallback(|| async { "in" })
            .layer(VerifyLayer::new(door).with_observer(TracingObserver));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let request = client.http().get(&url).build().unwrap();
        assert_eq!(client.send(&*authenticator, request).await.unwrap().status(), 200);
        let layered =
            AuthenticateLayer::new(Arc::clone(&authenticator)).with_observer(TracingObserver);
        let executor = hyper_util::rt::TokioExecutor::new();
        let http =
            hyper_util::client::legacy::Client::builder(executor).build_http::<OutgoingBody>();
        let request = Request::get(&url).body(OutgoingBody::empty()).unwrap();
        let answer =
            tower::ServiceExt::oneshot(tower::Layer::layer(&layered, http), request).await.unwrap();
        assert_eq!(answer.status(), 200);
        for secret in planted.all() {
            let nearly = format!("{}x", secret.text());
            for value in [
                format!("Basic {nearly}"),
                format!("App {nearly}"),
                format!("Bearer {nearly}"),
                nearly.clone(),
            ] {
                let request =
                    client.http().get(&url).header(AUTHORIZATION, &value).header("key", &nearly);
                let answer = request.header(AUTHORIZATION, &value).send().await.unwrap();
                shown.text(&format!("{} {:?}", answer.status(), answer.headers()));
                shown.text(&answer.text().await.unwrap());
            }
        }
        server.abort();
    }
}
