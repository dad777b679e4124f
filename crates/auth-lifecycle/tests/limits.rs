//! Limits in front of a registry: an attack on one key id does not lock its owner out, and hashes are computed a few at a
//! time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use auth_core::{
    AttemptLimit, Authenticator, Body, Caller, Flow, InlineWorkers, MemoryAttemptLimits, Peer,
    RequestView, SystemRandom, Verifier, Workers,
};
use auth_lifecycle::{Kind, NewSecret};
use auth_sigv4::{AccessKey, AwsService, SigV4, SigV4Policy, SigV4Verifier};
use auth_static::{
    ApiKey, ApiKeyVerifier, Argon2Concurrency, Argon2Cost, Basic, BasicVerifier, PasswordHash,
    Placement,
};
use common::{Platform, text, told};
use http::{HeaderMap, Method, Uri};
use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    net::{IpAddr, Ipv4Addr},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

/// A request that these credentials made, ready to be sent from anywhere.
struct Sent {
    uri: Uri,
    headers: HeaderMap,
}

impl Sent {
    fn by(credentials: &dyn Authenticator) -> Self {
        let mut uri = Uri::from_static("https://a.example/v1");
        let mut headers =
            HeaderMap::from_iter([(http::header::HOST, "a.example".parse().unwrap())]);
        let request = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b""));
        let made = credentials.credentials(request).wait().unwrap();
        made.commit(&mut uri, &mut headers).unwrap();
        Self { uri, headers }
    }

    fn view(&self, from: IpAddr) -> RequestView<'_> {
        let peer = Peer { address: Some(from), ..Peer::UNKNOWN };
        let request = RequestView::new(&Method::GET, &self.uri, &self.headers);
        request.with_body(Body::Bytes(b"")).with_peer(peer)
    }

    fn told(&self, door: &dyn Verifier<Principal = Caller>, from: IpAddr) -> String {
        told(door.verify(self.view(from)).wait())
    }
}

/// One of many networks.
fn network(number: u32) -> IpAddr {
    let [_, _, high, low] = number.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(10, high, low, 1))
}

const OWNER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

/// For six seconds 10,000 wrong attempts come each second, from 1,000 networks, all under one name. The owner calls ten
/// times a second, from where it has called before.
#[track_caller]
fn owner_succeeds(
    platform: &Platform,
    door: &dyn Verifier<Principal = Caller>,
    right: &dyn Fn() -> Sent,
    wrong: &Sent,
    id: &str,
) {
    assert_eq!(right().told(door, OWNER), id, "before the attack");
    let (mut judged, mut throttled) = (0, 0);
    for attempt in 0..60_000_u32 {
        let answer = wrong.told(door, network(attempt % 1000));
        if answer == "429 limit_attempts" {
            throttled += 1;
        } else {
            assert!(answer.starts_with('4'), "{answer}");
            judged += 1;
        }
        if attempt % 1000 == 999 {
            platform.clock.advance(Duration::from_millis(100));
            assert_eq!(right().told(door, OWNER), id, "after {attempt} wrong attempts");
        }
    }
    assert!(throttled > 0 && judged + throttled == 60_000, "{judged} judged");
}

fn limit(platform: &Platform) -> AttemptLimit {
    AttemptLimit::new(MemoryAttemptLimits::new(platform.clock.clone()))
}

type Work = Box<dyn FnOnce() + Send>;

/// Workers that take work only when told to, and count it.
#[derive(Clone, Default)]
struct Desk {
    held: Arc<Mutex<VecDeque<Task>>>,
    taken: Arc<AtomicUsize>,
}

/// Work, and what says that it is done.
type Task = (Work, Arc<AtomicBool>);

impl Workers for Desk {
    fn run(&self, work: Work) -> Flow<'static, ()> {
        self.taken.fetch_add(1, Ordering::Relaxed);
        let done = Arc::new(AtomicBool::new(false));
        self.held.lock().unwrap().push_back((work, Arc::clone(&done)));
        Flow::new(poll_fn(move |_| match done.load(Ordering::Relaxed) {
            true => Poll::Ready(Ok(())),
            false => Poll::Pending,
        }))
    }
}

impl Desk {
    fn held(&self) -> usize {
        self.held.lock().unwrap().len()
    }

    /// Does the oldest.
    fn work(&self) {
        let (work, done) = self.held.lock().unwrap().pop_front().unwrap();
        work();
        done.store(true, Ordering::Relaxed);
    }
}

/// Workers that compute at once, and count.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl Workers for Counting {
    fn run(&self, work: Work) -> Flow<'static, ()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        InlineWorkers.run(work)
    }
}

fn basic_door(
    platform: &Platform,
    workers: impl Workers + 'static,
    concurrency: Argon2Concurrency,
) -> BasicVerifier<auth_lifecycle::BasicPasswords> {
    let cost = Argon2Cost::new(7168, 5, 1).unwrap();
    let passwords = platform.registry.basic_passwords(cost, concurrency, workers).unwrap();
    BasicVerifier::new("api", passwords).unwrap()
}

fn user(platform: &Platform, user: &str, password: &str) -> String {
    let cost = Argon2Cost::new(7168, 5, 1).unwrap();
    let hash = PasswordHash::of(password, cost, &SystemRandom::new()).unwrap().to_phc();
    let secret = NewSecret::Password { user: user.into(), hash: hash.into() };
    platform.make(Kind::BasicPassword, secret).credential.id.to_string()
}

#[test]
fn an_owner_logs_in_while_a_thousand_sources_guess_its_password() {
    let platform = Platform::new();
    let id = user(&platform, "alice", "open sesame");
    let (workers, concurrency) =
        (Counting::default(), Argon2Concurrency { running: 2, waiting: 64 });
    let door = basic_door(&platform, workers.clone(), concurrency).with_limit(limit(&platform));
    let door = platform.registry.admit(door);
    let sent = |password| Sent::by(&Basic::new("alice", password).unwrap());
    owner_succeeds(&platform, &door, &|| sent("open sesame"), &sent("close sesame"), &id);
    // 61 right ones; of the wrong ones 5, and what six seconds give back.
    assert!(workers.0.load(Ordering::Relaxed) <= 61 + 5 + 1, "hashes were computed for guesses");
}

#[test]
fn an_owner_signs_while_a_thousand_sources_guess_its_secret() {
    let platform = Platform::new();
    let made = platform.make(Kind::SigV4Key, NewSecret::Generated);
    let policy = SigV4Policy::new(AwsService::ExecuteApi, "eu-west-1").unwrap();
    let keys = platform.registry.sigv4_keys();
    let verifier = SigV4Verifier::new(policy, keys, platform.clock.clone());
    let door = platform.registry.admit(verifier.with_limit(limit(&platform)));
    let sent = |secret: &str| {
        let key = AccessKey::new(&made.credential.mask, secret).unwrap();
        let clock = platform.clock.clone();
        Sent::by(&SigV4::new(key, "eu-west-1", AwsService::ExecuteApi, clock).unwrap())
    };
    let (secret, id) = (text(&made), made.credential.id.to_string());
    let wrong = sent("another secret of forty characters......");
    owner_succeeds(&platform, &door, &|| sent(&secret), &wrong, &id);
}

#[test]
fn an_owner_calls_while_a_thousand_sources_guess_keys() {
    let platform = Platform::new();
    let made = platform.make(Kind::ApiKey, NewSecret::Generated);
    let placement = || Placement::header("key").unwrap();
    let (hasher, keys) =
        (platform.registry.token_hasher(), platform.registry.tokens(&[Kind::ApiKey]));
    let verifier = ApiKeyVerifier::new("api", placement(), hasher, keys).unwrap();
    let door = platform.registry.admit(verifier.with_limit(limit(&platform)));
    let sent = |key: &str| Sent::by(&ApiKey::new(placement(), key).unwrap());
    let (secret, id) = (text(&made), made.credential.id.to_string());
    owner_succeeds(&platform, &door, &|| sent(&secret), &sent("a-guess-of-a-key"), &id);
}

/// Basic flood with random users: Argon2 concurrency at most that of the cores, and whoever has no place is told to come
/// again, never that the password is wrong. Calls with keys go on meanwhile.
#[test]
fn a_flood_of_random_users_computes_no_more_hashes_at_once_than_there_are_cores() {
    const CORES: usize = 2;
    let platform = Platform::new();
    let id = user(&platform, "alice", "open sesame");
    let key = platform.make(Kind::ApiKey, NewSecret::Generated);
    let placement = || Placement::header("key").unwrap();
    let (hasher, keys) =
        (platform.registry.token_hasher(), platform.registry.tokens(&[Kind::ApiKey]));
    let keys = ApiKeyVerifier::new("api", placement(), hasher, keys).unwrap();
    let (keys, desk) = (platform.registry.admit(keys), Desk::default());
    let key_sent = Sent::by(&ApiKey::new(placement(), &text(&key)).unwrap());
    let concurrency = Argon2Concurrency { running: CORES, waiting: 4 };
    let door = platform.registry.admit(basic_door(&platform, desk.clone(), concurrency));
    let mut sent: Vec<_> = (0..99)
        .map(|number| Sent::by(&Basic::new(&format!("user {number}"), "guess").unwrap()))
        .collect();
    sent.push(Sent::by(&Basic::new("alice", "open sesame").unwrap()));
    sent.rotate_right(1);
    let mut flows: Vec<_> = sent.iter().map(|sent| Some(door.verify(sent.view(OWNER)))).collect();
    let mut answers: Vec<String> = Vec::new();
    loop {
        for place in &mut flows {
            let polled = place
                .as_mut()
                .map(|flow| Pin::new(flow).poll(&mut Context::from_waker(Waker::noop())));
            if let Some(Poll::Ready(outcome)) = polled {
                answers.push(told(outcome));
                *place = None;
            }
        }
        assert!(desk.held() <= CORES, "{} hashes at once", desk.held());
        assert_eq!(key_sent.told(&keys, OWNER), key.credential.id.as_str());
        if desk.held() == 0 {
            break;
        }
        desk.work();
    }
    answers.sort_unstable();
    let count = |answer: &str| answers.iter().filter(|one| *one == answer).count();
    let counts = [count("503 basic_busy"), count("401 basic_wrong"), count(&id)];
    assert_eq!(counts, [94, 5, 1], "two ran and four waited");
    assert_eq!(desk.taken.load(Ordering::Relaxed), 6, "who has no place costs nothing");
}
