//! A gateway in front of the installation wants a token of its own beside those of the bot: on every request, the log-ins
//! included.

use super::{KEY, MESSAGE, NOW, PUBLIC, SESSION_INFO, Who, message, transport};
use auth_core::{
    Answer, Authenticator, Challenges, Context, Credentials, Exchange, Flow, ParameterValue,
    RequestView, Secret, Stack, Transport, Verdict, send as send_under,
};
use auth_emulator::{Endpoint, Fault, Symphony};
use auth_oauth2::{
    ClientAuthentication, ClientCredentials, ClientRegistration, Session, TokenEndpoint,
};
use auth_reqwest::AuthClient;
use auth_symphony::{Bot, SymphonyEndpoints, SymphonyLogIn};
use auth_testing::ManualClock;
use axum::{Router, body::Body, extract::Request, response::IntoResponse, routing::post};
use http::{Response, StatusCode, header};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

/// A transport whose requests carry the token of the gateway: for the log-ins of the bot.
struct ThroughGateway<A> {
    transport: Arc<dyn Transport>,
    gateway: A,
}

impl<A: Authenticator> Transport for ThroughGateway<A> {
    fn fetch(&self, request: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        send_under(&*self.transport, &self.gateway, request)
    }

    fn pause(&self, duration: Duration) -> Flow<'_, ()> {
        self.transport.pause(duration)
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        self.transport.detach(work)
    }
}

/// An authenticator that is asked about the refusals of the gateway alone, or about all others alone.
struct Whose<A> {
    inner: A,
    is_of_gateway: bool,
}

impl<A: Authenticator> Authenticator for Whose<A> {
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        self.inner.credentials(request)
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        let challenges = Challenges::of(answer.headers, &header::WWW_AUTHENTICATE);
        let names_gateway = challenges.flatten().any(|challenge| {
            let realm = challenge.parameter("realm").and_then(ParameterValue::text);
            realm.as_deref() == Some("gateway")
        });
        match names_gateway == self.is_of_gateway {
            true => self.inner.assess(sent, answer),
            false => Verdict::Accept,
        }
    }
}

/// The tokens that the gateway takes: the last one that it gave.
#[derive(Default)]
struct Gateway {
    given: AtomicU32,
    /// How often it was asked for one.
    asked: AtomicU32,
    /// What arrived: the path, and the names of its credentials.
    seen: Mutex<Vec<String>>,
}

impl Gateway {
    /// The field with its token.
    fn field(&self) -> String {
        format!("Bearer gw-{}", self.given.load(Ordering::SeqCst))
    }

    fn end(&self) {
        self.given.fetch_add(1, Ordering::SeqCst);
    }
}

struct Stage {
    gateway: Arc<Gateway>,
    symphony: Symphony,
    clock: ManualClock,
    base: String,
    agent: Who,
    pod: Who,
    client: AuthClient,
}

/// Who is asked about a refusal: both, or the one whose it is.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Both,
    ByRealm,
}

async fn stage(asked: Asked) -> Stage {
    let clock = ManualClock::at(NOW);
    let symphony = Symphony::builder().with_bot("bot", PUBLIC).with_clock(clock.clone());
    let symphony = symphony.build().await.unwrap();
    let gateway = Arc::new(Gateway::default());
    let (gives, takes, behind) = (Arc::clone(&gateway), Arc::clone(&gateway), symphony.router());
    let token = move || async move {
        gives.asked.fetch_add(1, Ordering::SeqCst);
        gives.end();
        let token = gives.field().replace("Bearer ", "");
        format!(r#"{{"access_token":"{token}","token_type":"Bearer"}}"#)
    };
    let forward = move |request: Request| async move {
        let fields = request.headers();
        let named = [("A", "authorization"), ("S", "sessiontoken"), ("K", "keymanagertoken")];
        let named = named.iter().filter(|(_, name)| fields.contains_key(*name));
        let named: String = named.map(|(letter, _)| *letter).collect();
        takes.seen.lock().unwrap().push(format!("{} {named}", request.uri().path()));
        let is_good = fields.get("authorization").is_some_and(|field| *field == takes.field());
        if !is_good {
            let challenge = [(header::WWW_AUTHENTICATE, "Bearer realm=\"gateway\"")];
            return (StatusCode::UNAUTHORIZED, challenge).into_response();
        }
        // It keeps its own token to itself.
        let (mut head, body) = request.into_parts();
        head.headers.remove("authorization");
        behind.oneshot(Request::from_parts(head, body)).await.unwrap().map(Body::new)
    };
    let app = Router::new().route("/gateway/token", post(token)).fallback(forward);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });

    let client = ClientAuthentication::client_secret_post("acme", Secret::new("s3cret")).unwrap();
    let endpoint = TokenEndpoint::new(&format!("{base}/gateway/token")).unwrap();
    let grant = ClientCredentials::new(ClientRegistration::new(endpoint, client));
    let direct = Context::new(transport()).with_clock(clock.clone());
    let token = Session::new(grant, direct.clone());
    let of_gateway = || Whose { inner: token.clone(), is_of_gateway: true };
    let of_bot = |inner: Who| Whose { inner, is_of_gateway: false };
    let log_ins: Who = match asked {
        Asked::Both => Arc::new(token.clone()),
        Asked::ByRealm => Arc::new(of_gateway()),
    };
    let through = ThroughGateway { transport: direct.transport, gateway: log_ins };
    let endpoints = SymphonyEndpoints::new(&base).unwrap();
    let context = Context::new(through).with_clock(clock.clone());
    let bot = Bot::new(endpoints, SymphonyLogIn::rsa("bot", KEY).unwrap(), context);
    let both = |bot: Who| -> Who {
        match asked {
            Asked::Both => Arc::new(Stack(token.clone(), bot)),
            Asked::ByRealm => Arc::new(Stack(of_gateway(), of_bot(bot))),
        }
    };
    let (agent, pod) = (both(Arc::new(bot.agent())), both(Arc::new(bot.pod())));
    let client = AuthClient::builder().build().unwrap();
    Stage { gateway, symphony, clock, base, agent, pod, client }
}

impl Stage {
    async fn message(&self) -> u16 {
        message(&self.client, &self.agent, &format!("{}{MESSAGE}", self.base)).await.unwrap()
    }

    async fn info(&self) -> u16 {
        let request = self.client.http().get(format!("{}{SESSION_INFO}", self.base));
        let answer = self.client.send(&self.pod, request.build().unwrap()).await.unwrap();
        answer.status().as_u16()
    }

    /// Tokens of the gateway, sessions and key manager tokens.
    fn counts(&self) -> [u64; 3] {
        let counts = self.symphony.counts();
        let asked = self.gateway.asked.load(Ordering::SeqCst);
        [asked.into(), counts.sessions_created, counts.key_manager_tokens]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tokens_of_both_are_on_every_request_and_on_log_ins_that_of_the_gateway_alone() {
    let it = stage(Asked::Both).await;
    assert_eq!((it.message().await, it.info().await), (200, 200));
    assert_eq!(it.counts(), [1, 1, 1]);
    let seen = it.gateway.seen.lock().unwrap().clone();
    let expected = [
        "/login/pubkey/authenticate A",
        "/relay/pubkey/authenticate A",
        "/agent/v4/stream/s1/message/create ASK",
        "/pod/v2/sessioninfo AS",
    ];
    assert_eq!(seen, expected);
}

/// What becomes of a message and of a question to the pod after each token has ended, and what was obtained for it.
async fn check(asked: Asked, expected: [[u64; 3]; 5]) {
    let it = stage(asked).await;
    assert_eq!(it.message().await, 200);
    let mut before = it.counts();
    for (step, expected) in expected.into_iter().enumerate() {
        it.clock.advance(Duration::from_secs(60));
        let faults = it.symphony.faults();
        match step {
            0 => faults.arm(Fault::ExpireSessions, Endpoint::Agent, 1),
            1 => faults.arm(Fault::ExpireKeyManagerTokens, Endpoint::Agent, 1),
            2 => faults.arm(Fault::ExpireSessions, Endpoint::Pod, 1),
            _ => it.gateway.end(),
        }
        let is_at_pod = matches!(step, 2 | 4);
        let status = if is_at_pod { it.info().await } else { it.message().await };
        let after = it.counts();
        let made: Vec<u64> = after.iter().zip(before).map(|(after, was)| after - was).collect();
        assert_eq!((status, &*made), (200, &expected[..]), "{asked:?} {step}");
        before = after;
    }
}

/// A 401 does not say whose tokens it is about. Both are asked: whatever has ended is renewed, and something beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_refusal_that_both_are_asked_about_each_renews_what_may_have_ended() {
    check(Asked::Both, [[1, 1, 0], [1, 0, 1], [1, 1, 0], [1, 0, 1], [1, 1, 0]]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_that_names_the_realm_of_the_gateway_ends_the_token_of_the_gateway_alone() {
    check(Asked::ByRealm, [[0, 1, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 0, 0]]).await;
}
