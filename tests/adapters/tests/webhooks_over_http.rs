//! Webhooks by the thousand over real connections, through both transports: what is shared is obtained once, nobody who
//! hangs or gives up delays another, and an outage costs no attempt.

use auth_core::{
    MemoryReplayStore, SystemClock, SystemRandom, Timestamp, Transport, Verifier as _,
};
use auth_digest::{DigestAccounts, DigestPrincipal, DigestVerifier, Ha1, HashFunction, Nonces};
use auth_testing::ManualClock;
use auth_tower::VerifyLayer;
use auth_webhook::{
    AuthorizationSet, ConfiguredBy, DeliveryEnd, DeliveryPlan, DeliveryReport, SlotName, SlotTurn,
    Subscription, TenantId, WebhookDelivery, WebhookSender, WebhookUrl,
};
use axum::{
    Router,
    body::to_bytes,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};

/// A token endpoint and a receiver on loopback.
struct Server {
    url: String,
    /// What the token endpoint answers.
    status: AtomicU16,
    tokens: AtomicUsize,
    /// The token endpoint passes one request for each permit.
    gate: Semaphore,
    /// The credentials and the body of each webhook.
    received: Mutex<Vec<(String, String)>>,
}

const OPEN: usize = 1 << 20;

impl Server {
    async fn start(permits: usize) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Arc::new(Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            status: AtomicU16::new(200),
            tokens: AtomicUsize::new(0),
            gate: Semaphore::new(permits),
            received: Mutex::default(),
        });
        let serving = Arc::clone(&server);
        let app = Router::new().fallback(move |request: Request| {
            let server = Arc::clone(&serving);
            async move { server.answer(request).await }
        });
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        server
    }

    async fn answer(&self, request: Request) -> Response {
        if request.uri().path() != "/token" {
            let headers = request.headers();
            let field = headers.get("authorization").or_else(|| headers.get("x-key"));
            let credentials = field.map(|it| it.to_str().unwrap().to_owned()).unwrap_or_default();
            let body = to_bytes(request.into_body(), 1024).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            self.received.lock().unwrap().push((credentials, body));
            return StatusCode::OK.into_response();
        }
        let number = self.tokens.fetch_add(1, Ordering::SeqCst) + 1;
        self.gate.acquire().await.unwrap().forget();
        let status = StatusCode::from_u16(self.status.load(Ordering::SeqCst)).unwrap();
        let token = json!({ "access_token": format!("token-{number}"), "expires_in": 3600 });
        (status, token.to_string()).into_response()
    }

    fn tokens(&self) -> usize {
        self.tokens.load(Ordering::SeqCst)
    }

    fn received(&self) -> Vec<(String, String)> {
        self.received.lock().unwrap().clone()
    }

    fn oauth2(&self) -> Value {
        json!({
            "type": "oauth2", "grant_type": "client_credentials", "client_id": "acme", "client_secret": "s3cret",
            "access_token_url": format!("{}/token", self.url),
        })
    }
}

fn transports() -> [(&'static str, Arc<dyn Transport>); 2] {
    let deadline = Duration::from_secs(60);
    let reqwest = auth_reqwest::ReqwestTransport::builder(tokio::runtime::Handle::current());
    let reqwest = reqwest.allowing_loopback().with_deadline(deadline).build().unwrap();
    let ureq = auth_ureq::UreqTransport::builder().allowing_loopback().with_deadline(deadline);
    [("reqwest", Arc::new(reqwest)), ("ureq", Arc::new(ureq.build().unwrap()))]
}

/// A set over one transport, whose tenants have one webhook each.
struct Stage {
    set: AuthorizationSet,
    sender: WebhookSender,
    clock: ManualClock,
}

impl Stage {
    fn new(transport: &Arc<dyn Transport>, deadline: Duration) -> Self {
        let (transport, clock) = (Arc::clone(transport), ManualClock::at(1_000_000));
        let set = AuthorizationSet::builder(move |_: &TenantId, _: Option<&str>| {
            Ok(Arc::clone(&transport))
        });
        let set = set.with_clock(clock.clone()).build().unwrap();
        let plan = DeliveryPlan::default().with_deadline(deadline).unwrap();
        Self { sender: WebhookSender::new(&set, plan), set, clock }
    }

    fn tenant(&self, name: &str, authorization: Value, url: &str) {
        let of = self.set.of_tenant(&TenantId::new(name));
        let authorization = serde_json::from_value(authorization).unwrap();
        of.save("crm", authorization, ConfiguredBy::Tenant).unwrap();
        let url = WebhookUrl::parse(url).unwrap();
        of.subscribe("receipts", Subscription::webhook(url).under("crm")).unwrap();
    }

    async fn deliver(&self, tenant: &str, subscription: &str, id: usize) -> DeliveryReport {
        let delivery = WebhookDelivery::json(&format!("d{id}"), id.to_string());
        self.sender.deliver(&TenantId::new(tenant), subscription, delivery).await.unwrap()
    }

    fn spawn(&self, tenant: &str, deliveries: std::ops::Range<usize>) -> JoinSet<DeliveryReport> {
        let mut sent = JoinSet::new();
        for id in deliveries {
            let delivery = WebhookDelivery::json(&format!("d{id}"), id.to_string());
            let flow = self.sender.deliver(&TenantId::new(tenant), "receipts", delivery);
            sent.spawn(async move { flow.await.unwrap() });
        }
        sent
    }
}

/// All of them were. A system that is busy can break a connection of a thousand at once, so attempts are not counted.
async fn delivered(sent: JoinSet<DeliveryReport>) {
    for report in sent.join_all().await {
        assert_eq!(report.end, DeliveryEnd::Delivered, "{report:?}");
    }
}

const PATIENT: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_webhooks_at_once_under_oauth2_cause_one_token_request() {
    for (name, transport) in transports() {
        let server = Server::start(OPEN).await;
        let stage = Stage::new(&transport, PATIENT);
        stage.tenant("acme", server.oauth2(), &format!("{}/hook", server.url));
        delivered(stage.spawn("acme", 0..1000)).await;
        let received = server.received();
        assert_eq!((server.tokens(), received.len()), (1, 1000), "{name}");
        assert!(received.iter().all(|(credentials, _)| credentials == "Bearer token-1"), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_give_up_take_nobody_along() {
    for (name, transport) in transports() {
        let server = Server::start(0).await;
        let stage = Stage::new(&transport, PATIENT);
        stage.tenant("acme", server.oauth2(), &format!("{}/hook", server.url));
        // The first is the one that asks for the token.
        let mut gives_up = stage.spawn("acme", 0..1);
        while server.tokens() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let mut others = stage.spawn("acme", 1..100);
        let stays = stage.spawn("acme", 100..200);
        tokio::time::sleep(Duration::from_millis(50)).await;
        gives_up.shutdown().await;
        others.shutdown().await;
        server.gate.add_permits(OPEN);
        delivered(stays).await;
        assert_eq!((server.tokens(), server.received().len()), (1, 100), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_endpoint_that_hangs_for_one_tenant_delays_no_other() {
    for (name, transport) in transports() {
        let (hangs, answers) = (Server::start(0).await, Server::start(OPEN).await);
        let stage = Stage::new(&transport, Duration::from_secs(2));
        stage.tenant("hangs", hangs.oauth2(), &format!("{}/hook", hangs.url));
        stage.tenant("acme", answers.oauth2(), &format!("{}/hook", answers.url));
        let waiting = stage.spawn("hangs", 0..100);
        while hangs.tokens() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let mut took = Vec::new();
        for id in 0..21 {
            let begun = Instant::now();
            assert_eq!(
                stage.deliver("acme", "receipts", id).await.end,
                DeliveryEnd::Delivered,
                "{name}"
            );
            took.push(begun.elapsed());
        }
        took.sort();
        assert!(
            took[10] < Duration::from_millis(100),
            "{name}: the middle one took {:?}",
            took[10]
        );
        // They wait no longer than they may, and nothing was sent: they are held, and spend no attempt.
        for report in waiting.join_all().await {
            assert!(matches!(report.end, DeliveryEnd::Held(_)), "{name}: {report:?}");
            assert_eq!((report.spent, report.attempts.len()), (0, 1), "{name}");
        }
        assert_eq!((hangs.tokens(), hangs.received().len()), (1, 0), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_token_endpoint_holds_deliveries_and_spends_no_attempt() {
    for (name, transport) in transports() {
        for outage in [500, 503, 429] {
            let server = Server::start(OPEN).await;
            server.status.store(outage, Ordering::SeqCst);
            let stage = Stage::new(&transport, PATIENT);
            stage.tenant("acme", server.oauth2(), &format!("{}/hook", server.url));
            for report in stage.spawn("acme", 0..50).join_all().await {
                assert!(matches!(report.end, DeliveryEnd::Held(_)), "{name} {outage}: {report:?}");
                assert_eq!(report.spent, 0, "{name}");
            }
            assert_eq!(server.received().len(), 0, "{name}");
            // One asks for all, and after a failure nobody asks at once again.
            let asked = server.tokens();
            assert!(asked < 10, "{name} {outage}: {asked} token requests");
            server.status.store(200, Ordering::SeqCst);
            stage.clock.advance(Duration::from_secs(600));
            for report in stage.spawn("acme", 0..50).join_all().await {
                assert_eq!(report.end, DeliveryEnd::Delivered, "{name} {outage}: {report:?}");
                assert_eq!((report.spent, report.attempts[0].number), (0, 1), "{name}");
            }
            assert_eq!((server.tokens(), server.received().len()), (asked + 1, 50), "{name}");
        }
    }
}

/// A receiver under Digest of ours, and how many challenges it gave.
async fn digest_receiver() -> (String, Arc<AtomicUsize>) {
    let mut accounts = DigestAccounts::new();
    accounts
        .add("acme", "hooks", Ha1::new(HashFunction::Sha256, "acme", b"hooks", b"s3cret"))
        .unwrap();
    let nonces = Nonces::of_this_process(SystemRandom::new(), SystemClock).unwrap();
    let door = DigestVerifier::new("hooks", accounts, nonces, MemoryReplayStore::new(SystemClock));
    let door = door.unwrap().map(|caller: DigestPrincipal| caller.user.to_string());
    let challenges = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&challenges);
    let app = Router::new()
        .fallback(|| async { StatusCode::OK })
        .layer(VerifyLayer::new(door))
        .layer(axum::middleware::map_response(move |answer: Response| {
            let is_challenge = answer.status() == StatusCode::UNAUTHORIZED;
            counted.fetch_add(usize::from(is_challenge), Ordering::SeqCst);
            async { answer }
        }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, challenges)
}

/// What is promised: once a delivery was answered, its challenge serves all that follow, as many at once as the receiver has
/// room for: ours takes counts that are up to 128 out of order. Those that set out before the first answer may be challenged
/// each, once.
#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_of_digest_serves_every_webhook_to_its_origin() {
    let digest = json!({ "type": "digest", "username": "acme", "password": "s3cret" });
    let mut proving = digest.clone();
    proving["proving_first"] = true.into();
    for (name, transport) in transports() {
        let [one, other] = [digest_receiver().await, digest_receiver().await];
        let stage = Stage::new(&transport, PATIENT);
        stage.tenant("acme", digest.clone(), &one.0);
        let acme = stage.set.of_tenant(&TenantId::new("acme"));
        let elsewhere = Subscription::webhook(WebhookUrl::parse(&other.0).unwrap()).under("crm");
        acme.subscribe("elsewhere", elsewhere).unwrap();
        let count = |of: &Arc<AtomicUsize>| of.load(Ordering::SeqCst);
        for subscription in ["receipts", "elsewhere"] {
            for id in 0..20 {
                let report = stage.deliver("acme", subscription, id).await;
                assert_eq!(report.end, DeliveryEnd::Delivered, "{name}: {report:?}");
            }
        }
        assert_eq!((count(&one.1), count(&other.1)), (1, 1), "{name}");
        for round in 0..10 {
            delivered(stage.spawn("acme", round * 100..(round + 1) * 100)).await;
        }
        assert_eq!(count(&one.1), 1, "{name}: at once, a challenge being known");

        let (url, challenges) = digest_receiver().await;
        stage.tenant("new", digest.clone(), &url);
        delivered(stage.spawn("new", 0..100)).await;
        let (url, proving_challenges) = digest_receiver().await;
        stage.tenant("proving", proving.clone(), &url);
        delivered(stage.spawn("proving", 0..100)).await;
        for challenges in [count(&challenges), count(&proving_challenges)] {
            assert!((1..=100).contains(&challenges), "{name}: {challenges} challenges");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_during_a_rotation_sends_each_webhook_under_one_slot() {
    let key = |value: &str| json!({ "type": "api_key", "key": "x-key", "key_value": value });
    for (name, transport) in transports() {
        let server = Server::start(OPEN).await;
        let stage = Stage::new(&transport, PATIENT);
        stage.tenant("acme", key("old"), &format!("{}/hook", server.url));
        let acme = stage.set.of_tenant(&TenantId::new("acme"));
        let next = || serde_json::from_value(key("new")).unwrap();
        let moment = Timestamp::from_unix(1_000_100);
        acme.begin_rotation("crm", next(), SlotTurn::At(moment), ConfiguredBy::Tenant).unwrap();
        let (clock, done) = (stage.clock.clone(), Arc::new(AtomicUsize::new(0)));
        let jumping = Arc::clone(&done);
        let jumps = std::thread::spawn(move || {
            let mut jumped = 0_u64;
            while jumping.load(Ordering::SeqCst) == 0 {
                clock.set(Timestamp::from_unix(
                    [1_000_000, 1_000_100][usize::try_from(jumped % 2).unwrap()],
                ));
                jumped += 1;
                std::thread::sleep(Duration::from_micros(200));
            }
        });
        let mut slots = Vec::new();
        for first in (0..400).step_by(100) {
            let mut sent = JoinSet::new();
            for id in first..first + 100 {
                let delivery = WebhookDelivery::json(&format!("d{id}"), id.to_string());
                let flow = stage.sender.deliver(acme.tenant(), "receipts", delivery);
                sent.spawn(async move { (id, flow.await.unwrap()) });
            }
            slots.extend(sent.join_all().await);
        }
        done.store(1, Ordering::SeqCst);
        jumps.join().unwrap();
        let received = server.received();
        assert_eq!(received.len(), 400, "{name}: each came once");
        for (id, report) in &slots {
            assert_eq!(report.end, DeliveryEnd::Delivered, "{name}: {report:?}");
            let expected = match report.attempts[0].slot {
                SlotName::Current => "old",
                SlotName::Next => "new",
            };
            let came = received.iter().find(|(_, body)| *body == id.to_string()).unwrap();
            assert_eq!(came.0, expected, "{name}: what the report says was sent");
        }
        // What is finished stays so, whatever the clock says.
        acme.finish_rotation("crm").unwrap();
        stage.clock.set(Timestamp::from_unix(1));
        let report = stage.deliver("acme", "receipts", 1000).await;
        assert_eq!(report.attempts[0].slot, SlotName::Current, "{name}");
        assert_eq!(server.received().last().unwrap().0, "new", "{name}");
    }
}
