//! Document 003: the sessions of Infobip. One test for each statement; `docs/coverage.md` lists them all.

mod infobip;

use auth_core::{RequestView, Verifier};
use auth_ibsso::{
    CreateOutcome, Flow, IbssoSession, IbssoVerifier, MemoryTokenStore, NewSession,
    SessionLifetime, SessionToken, Sessions,
};
use auth_static::{ApiKey, Placement};
use auth_testing::CapturedOutput;
use auth_tower::{TracingObserver, VerifyLayer};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, header::AUTHORIZATION};
use infobip::{Stage, stage, stage_of};
use std::{convert::Infallible, time::Duration};
use tower::{Layer, ServiceExt, service_fn};

const HOUR: Duration = Duration::from_secs(3600);

fn text(token: &SessionToken) -> &str {
    token.secret().expose_text().unwrap()
}

/// The token itself in `Authorization`, whatever its session has come to: a client that knows nothing of sessions.
fn raw(token: &SessionToken) -> ApiKey {
    ApiKey::new(Placement::scheme("IBSSO").unwrap(), text(token)).unwrap()
}

/// An IBSSO token belongs to a session and lives a short time; every request carries it, and the creation alone does not.
#[tokio::test]
async fn s003_18_s003_20_every_request_carries_the_token_of_the_session() {
    let stage = stage().await;
    let session = IbssoSession::new(stage.log_in(), stage.context.clone());
    for _ in 0..3 {
        assert_eq!(stage.message(&session).await, 200);
    }
    let token = session.token().await.unwrap();
    let message = format!("POST /sms/3/messages IBSSO {}", text(&token));
    let create = "POST /auth/1/session -".to_owned();
    assert_eq!(stage.wire(), [create, message.clone(), message.clone(), message]);
    // It ends with its session, and after its short time without that.
    stage.log_in().destroy(&stage.context, &token).await.unwrap();
    assert_eq!(stage.message(&raw(&token)).await, 401);
    let token = stage.log_in().create(&stage.context).await.unwrap();
    assert_eq!(stage.message(&raw(&token)).await, 200);
    stage.pass(HOUR.as_secs());
    assert_eq!(stage.message(&raw(&token)).await, 401);
}

/// Single sign-on: several systems share one session, and only the first of them creates it.
#[tokio::test]
async fn s003_19_several_systems_share_one_session() {
    let stage = stage().await;
    let store = MemoryTokenStore::new(stage.clock.clone());
    let systems: Vec<_> = ["crm", "shop", "alerts"]
        .map(|_| IbssoSession::stored(stage.log_in(), store.clone(), "acme", stage.context.clone()))
        .into();
    for system in systems.iter().chain(&systems) {
        assert_eq!(stage.message(system).await, 200);
    }
    let counts = stage.infobip.counts();
    assert_eq!((counts.sessions_created, counts.unauthorized), (1, 0));
    let fields: Vec<_> = stage.wire().into_iter().filter(|line| line.contains("/sms/")).collect();
    assert_eq!(fields.len(), 6);
    assert!(fields.iter().all(|field| *field == fields[0]), "{fields:?}");
}

/// A session that is made by a client with this idea of its lifetime, at a platform with this one.
async fn hourly(lifetime: SessionLifetime) -> (Stage, IbssoSession) {
    let stage = stage_of(|builder| builder.with_session_lifetime(lifetime)).await;
    let log_in = stage.log_in().with_lifetime(lifetime);
    let session = IbssoSession::new(log_in, stage.context.clone());
    (stage, session)
}

/// After 60 minutes a token is worth nothing, and a client has made another one by then: no request of its is refused.
/// Where a session slides, it lives for as long as it is used, by configuration.
#[tokio::test]
async fn s003_21_a_token_lives_for_sixty_minutes_and_is_followed_by_another() {
    let (stage, session) = hourly(SessionLifetime::Fixed(HOUR)).await;
    assert_eq!(stage.message(&session).await, 200);
    let first = session.token().await.unwrap();
    stage.pass(3599);
    assert_eq!(stage.message(&raw(&first)).await, 200, "59:59");
    stage.pass(1);
    assert_eq!(stage.message(&raw(&first)).await, 401, "60:00");
    let refused = stage.infobip.counts().unauthorized;
    assert_eq!(stage.message(&session).await, 200);
    assert_eq!(stage.infobip.counts().sessions_created, 2);
    // The destruction of what has ended is the only refusal, and three more hours bring no other one: a client that sends
    // all the time renews before the end.
    for _ in 0..3 * 180 {
        stage.pass(20);
        assert_eq!(stage.message(&session).await, 200);
    }
    let counts = stage.infobip.counts();
    assert_eq!((counts.unauthorized - refused, counts.sessions_created), (1, 5));

    let (stage, session) = hourly(SessionLifetime::Sliding(HOUR)).await;
    for _ in 0..4 {
        assert_eq!(stage.message(&session).await, 200);
        stage.pass(50 * 60);
    }
    assert_eq!(stage.infobip.counts().sessions_created, 1);
    stage.pass(12 * 60);
    assert_eq!(stage.message(&session).await, 200);
    assert_eq!(stage.infobip.counts().sessions_created, 2);
}

/// While a session is alive another one cannot be made; the call that destroys it makes it shorter and lets the next one
/// be made.
#[tokio::test]
async fn s003_22_s003_23_a_session_is_destroyed_before_the_next_one() {
    let stage = stage().await;
    let log_in = stage.log_in();
    let first = log_in.create(&stage.context).await.unwrap();
    let refused = log_in.create(&stage.context).await.unwrap_err();
    assert_eq!(refused.code(), "ibsso_session_not_created");
    assert!(refused.to_string().contains("another session of this user may be alive"), "{refused}");
    assert_eq!(stage.message(&raw(&first)).await, 200, "the first one lives on");
    log_in.destroy(&stage.context, &first).await.unwrap();
    assert_eq!(stage.message(&raw(&first)).await, 401, "long before its hour is over");
    let next = log_in.create(&stage.context).await.unwrap();
    assert_ne!(text(&next), text(&first));
    assert_eq!(stage.message(&raw(&next)).await, 200);

    // A client that shortens its session and one that comes after it.
    log_in.destroy(&stage.context, &next).await.unwrap();
    let client = || IbssoSession::new(stage.log_in(), stage.context.clone());
    let (one, other) = (client(), client());
    assert_eq!(stage.message(&one).await, 200);
    one.destroy().await.unwrap();
    assert_eq!(stage.message(&other).await, 200);
    let counts = stage.infobip.counts();
    assert_eq!((counts.sessions_created, counts.sessions_destroyed), (4, 3));
}

struct Nobody;

impl Sessions for Nobody {
    type User = ();
    type Principal = ();

    fn create(&self, (): (), _: NewSession) -> Flow<'_, CreateOutcome> {
        Flow::ready(CreateOutcome::AlreadyAlive)
    }

    fn find(&self, _: &[u8]) -> Flow<'_, Option<()>> {
        Flow::ready(None)
    }

    fn destroy(&self, _: &[u8]) -> Flow<'_, bool> {
        Flow::ready(false)
    }
}

/// The scheme is spelt IBSSO: nothing else is sent, and a server whose caller follows the document's other spelling says in
/// its log what was meant.
#[tokio::test]
async fn s003_24_the_scheme_is_spelt_ibsso() {
    let stage = stage().await;
    let session = IbssoSession::new(stage.log_in(), stage.context.clone());
    assert_eq!(stage.message(&session).await, 200);
    session.destroy().await.unwrap();
    for line in stage.wire() {
        assert!(!line.contains("IBBSO"), "{line}");
        assert_eq!(line.contains("IBSSO "), !line.starts_with("POST /auth"), "{line}");
    }
    let misspelt = ApiKey::new(Placement::scheme("IBBSO").unwrap(), "token").unwrap();
    assert_eq!(stage.message(&misspelt).await, 401);

    let shown = CapturedOutput::default();
    let writer = shown.clone();
    let logs = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _logged = tracing::subscriber::set_default(logs);
    let layer = VerifyLayer::new(IbssoVerifier::new(Nobody)).with_observer(TracingObserver);
    let inner =
        service_fn(|_: Request<_>| async { Ok::<_, Infallible>(Response::new(String::new())) });
    let request = Request::get("/sms").header(AUTHORIZATION, "IBBSO token");
    let answer = layer.layer(inner).oneshot(request.body(String::new()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.headers()["www-authenticate"], "IBSSO");
    assert!(shown.all().contains("expected IBSSO"), "{}", shown.all());
    // Any casing of the scheme is the scheme.
    let (uri, verifier) = (Uri::from_static("/sms"), IbssoVerifier::new(Nobody));
    for (field, code) in [("ibsso t", "ibsso_unknown"), ("iBbSo t", "ibsso_misspelt")] {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(field))]);
        let judged = verifier.verify(RequestView::new(&Method::GET, &uri, &headers)).await;
        assert_eq!(judged.unwrap().unwrap_err().reason().code, code, "{field}");
    }
}
