//! What cannot be seen from outside: the registry beneath.

use super::{passwords::RememberedPasswords, *};
use crate::gate::settle;
use crate::{Random, SessionLifetime};
use auth_core::{Attempt, Body, Caller, Flow, InlineWorkers, Peer, RequestView, Verifier, Workers};
use auth_ibsso::{CreateOutcome, NewSession, Sessions};
use auth_lifecycle::{Actor, CredentialView, Kind, Role, State};
use auth_static::{Argon2Concurrency, Argon2Cost, Passwords, UserPass};
use auth_testing::{ManualClock, SeededRandom};
use http::{HeaderMap, HeaderValue, Method, Uri, header::AUTHORIZATION};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

const MINUTE: Duration = Duration::from_secs(60);

async fn emulator(clock: &ManualClock, session: SessionLifetime) -> Infobip {
    let random: Arc<dyn Random> = Arc::new(SeededRandom::new(1));
    let builder = Infobip::builder().with_clock(clock.clone()).with_random(random);
    let builder = builder.with_user("acme", Secret::new("word")).with_session_lifetime(session);
    builder.build().await.unwrap()
}

/// All credentials of the account.
async fn all(infobip: &Infobip) -> Vec<CredentialView> {
    let account = infobip.app.account.clone();
    let by = infobip.app.platform.registry().by(&Actor::new(account, "test", Role::Owner));
    let mut all = Vec::new();
    for service in by.services(None, 100).await.unwrap().unwrap() {
        let groups = by.list(Some(&service.id)).await.unwrap().unwrap();
        all.extend(groups.into_iter().flat_map(|group| group.credentials));
    }
    all
}

/// The user, as its password proves it.
async fn user(infobip: &Infobip) -> Caller {
    let password = all(infobip).await.into_iter().find(|it| it.group.kind == Kind::BasicPassword);
    let password = password.unwrap();
    Caller::new(password.group.tenant, password.id.as_str(), "basic_password")
        .with_service(password.group.service.unwrap().as_str())
        .with_scopes(password.scopes)
}

async fn present(infobip: &Infobip, token: &Secret) -> bool {
    let (uri, mut headers) = (Uri::from_static("/sms/1/logs"), HeaderMap::new());
    let field = [b"IBSSO ", token.expose()].concat();
    headers.insert(AUTHORIZATION, HeaderValue::from_bytes(&field).unwrap());
    let peer = Peer { address: "127.0.0.1".parse().ok(), ..Peer::UNKNOWN };
    let view = RequestView::new(&Method::GET, &uri, &headers).with_peer(peer);
    infobip.app.door.verify(view).await.unwrap().is_ok()
}

/// The sessions themselves know it, whatever the server around them does.
#[tokio::test]
async fn a_session_that_slides_is_alive_for_a_creation_as_long_as_it_is_used() {
    let clock = ManualClock::at(1_700_000_000);
    let infobip = emulator(&clock, SessionLifetime::Sliding(MINUTE * 60)).await;
    let user = user(&infobip).await;
    let sessions = infobip.app.platform.sessions();
    let new = NewSession::default();
    let created = sessions.create(user.clone(), new.clone()).await.unwrap();
    let CreateOutcome::Created(token) = created else { panic!("{created:?}") };
    for _ in 0..2 {
        clock.advance(MINUTE * 59);
        assert!(present(&infobip, &token).await);
    }
    let second = sessions.create(user.clone(), new.clone()).await.unwrap();
    assert!(matches!(second, CreateOutcome::AlreadyAlive), "{second:?}");
    clock.advance(MINUTE * 61);
    assert!(!present(&infobip, &token).await);
    let third = sessions.create(user, new).await.unwrap();
    assert!(matches!(third, CreateOutcome::Created(_)), "{third:?}");
}

#[tokio::test]
async fn uses_are_written_down_with_the_next_request() {
    let clock = ManualClock::at(1_700_000_000);
    let infobip = emulator(&clock, SessionLifetime::default()).await;
    let sessions = infobip.app.platform.sessions();
    let login = sessions.create(user(&infobip).await, NewSession::default());
    let CreateOutcome::Created(token) = login.await.unwrap() else { panic!("no session") };
    assert!(present(&infobip, &token).await);
    let used = async || {
        let all = all(&infobip).await;
        all.iter().find(|it| it.group.kind == Kind::IbssoSession).unwrap().last_used
    };
    assert_eq!(used().await, None);
    settle(infobip.app.platform.registry()).await.unwrap();
    assert_eq!(used().await.map(|at| at.unix()), Some(1_700_000_000));
}

#[tokio::test]
async fn what_is_no_key_is_no_key_of_the_api() {
    let clock = ManualClock::at(1_700_000_000);
    let infobip = emulator(&clock, SessionLifetime::default()).await;
    let user = user(&infobip).await;
    infobip.app.platform.sessions().create(user.clone(), NewSession::default()).await.unwrap();
    let all = all(&infobip).await;
    assert_eq!(all.len(), 3);
    let update = br#"{"enabled":false}"#;
    let (method, uri, headers) = (Method::PUT, Uri::from_static("/"), HeaderMap::new());
    let update = RequestView::new(&method, &uri, &headers).with_body(Body::Bytes(update));
    for it in all {
        let expected = if it.group.kind == Kind::ApiKey { 200 } else { 404 };
        let seen = infobip.app.keys.see(&user, it.id.as_str()).await.unwrap();
        assert_eq!(seen.response.status(), expected, "{seen:?}");
        let updated = infobip.app.keys.update(&user, it.id.as_str(), update).await.unwrap();
        assert_eq!(updated.response.status(), expected, "{updated:?}");
    }
}

/// Counts the hashes.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl Workers for Counting {
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> Flow<'static, ()> {
        self.0.fetch_add(1, Ordering::SeqCst);
        InlineWorkers.run(work)
    }
}

#[tokio::test]
async fn a_right_password_is_hashed_slowly_once_and_a_wrong_one_each_time() {
    let clock = ManualClock::at(1_700_000_000);
    let infobip = emulator(&clock, SessionLifetime::default()).await;
    let (registry, hashes) = (infobip.app.platform.registry(), Counting::default());
    let concurrency = Argon2Concurrency { running: 1, waiting: 1 };
    let slow = registry.basic_passwords(Argon2Cost::default(), concurrency, hashes.clone());
    let random = SeededRandom::new(2);
    let passwords = RememberedPasswords::new(registry, slow.unwrap(), &random).unwrap();
    let check = async |user: &str, password: &str| {
        let presented = UserPass::new(user, password);
        let found = passwords.check(presented, Attempt::UNLIMITED).await.unwrap();
        (found.is_some(), hashes.0.load(Ordering::SeqCst))
    };
    assert_eq!(check("acme", "word").await, (true, 1));
    assert_eq!(check("acme", "word").await, (true, 1));
    assert_eq!(check("acme", "w0rd").await, (false, 2));
    assert_eq!(check("acme", "w0rd").await, (false, 3));
    assert_eq!(check("nobody", "word").await, (false, 4));
    // A password that the registry has no more is wrong, though it was right.
    let by = registry.by(&Actor::new(infobip.app.account.clone(), "test", Role::Owner));
    let all = all(&infobip).await;
    let it = all.iter().find(|it| it.group.kind == Kind::BasicPassword).unwrap();
    let service = it.group.service.clone().unwrap();
    let hash = auth_static::PasswordHash::of("next", Argon2Cost::default(), &random).unwrap();
    let secret = auth_lifecycle::NewSecret::Password {
        user: "acme".into(),
        hash: Secret::new(hash.to_phc()),
    };
    let wanted = auth_lifecycle::Wanted { secret, ..Default::default() };
    by.create(Some(&service), Kind::BasicPassword, wanted).await.unwrap().unwrap();
    let version = by.credential(&it.id).await.unwrap().unwrap().group_version;
    by.discard(&it.id, version).await.unwrap().unwrap();
    assert_eq!(check("acme", "word").await, (false, 5));
    assert_eq!(check("acme", "next").await, (true, 6));
    assert_eq!(check("acme", "next").await, (true, 6));
    // A password that is regenerated keeps its credential.
    let all = self::all(&infobip).await;
    let is_active =
        |it: &&CredentialView| it.group.kind == Kind::BasicPassword && it.state == State::Active;
    let now = all.iter().find(is_active).unwrap().id.clone();
    let hash = auth_static::PasswordHash::of("last", Argon2Cost::default(), &random).unwrap();
    let secret = auth_lifecycle::NewSecret::Password {
        user: "acme".into(),
        hash: Secret::new(hash.to_phc()),
    };
    by.regenerate(&now, secret).await.unwrap().unwrap();
    assert_eq!(check("acme", "next").await, (false, 7));
    assert_eq!(check("acme", "last").await, (true, 8));
}
