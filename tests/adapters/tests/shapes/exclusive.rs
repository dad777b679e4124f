//! An exclusive session, as Infobip's: the next one ends this one, and none is made while one is alive.

use super::{World, answer, give_up, request, status};
use auth_core::{
    Answer, Clock, Context, Credentials, Error, Flow, Lifespan, PresentableToken, Refusal, Renewal,
    Result, Secret, Succession, Token, TokenSource, send,
};
use auth_session::{MemoryTokenStore, Session, SessionHeldElsewhere, StorableToken, Stored};
use auth_testing::ManualClock;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

const LIFE: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug)]
struct Ticket(u32, Lifespan);

impl Token for Ticket {
    fn lifespan(&self) -> Lifespan {
        self.1
    }

    fn succession(&self) -> Succession {
        Succession::Exclusive { settle: Duration::from_secs(10) }
    }
}

impl PresentableToken for Ticket {
    fn credentials(&self) -> Result<Credentials> {
        Credentials::header(HeaderName::from_static("ibsso"), HeaderValue::from(self.0))
    }

    fn refusal(answer: Answer<'_>) -> Option<Refusal> {
        (answer.status == StatusCode::UNAUTHORIZED).then(|| Refusal::new(answer.status))
    }
}

impl StorableToken for Ticket {
    fn to_rest(&self) -> Secret {
        Secret::from(self.0.to_string())
    }

    fn from_rest(bytes: &[u8]) -> Result<Self> {
        let number = std::str::from_utf8(bytes).unwrap().parse().unwrap();
        Ok(Self(number, Lifespan::Unknown))
    }
}

/// Destroys what there is, ignoring the answer, then creates.
struct LogIn;

impl TokenSource for LogIn {
    type Token = Ticket;

    fn token<'a>(&'a self, context: &'a Context, why: Renewal<Ticket>) -> Flow<'a, Ticket> {
        let call = move |method: Method| {
            let request = Request::builder().method(method).uri("https://x.example/session");
            context.transport.fetch(request.body(Vec::new()).unwrap().into())
        };
        Flow::new(async move {
            if !matches!(why, Renewal::First) {
                let _ = call(Method::DELETE).await;
            }
            let made = call(Method::POST).await?;
            if made.status() != StatusCode::OK {
                return Err(Error::refused("exists", "a session is alive already"));
            }
            let number = String::from_utf8(made.into_body()).unwrap().parse().unwrap();
            Ok(Ticket(number, Lifespan::Until(context.clock.now().after(LIFE))))
        })
    }
}

/// The platform: at most one session, its number, and whether the next create answer gets lost.
#[derive(Default)]
struct Platform {
    alive: Mutex<Option<u32>>,
    made: AtomicU32,
    refused: AtomicU32,
    loses: AtomicBool,
}

fn world(platform: &Arc<Platform>) -> World {
    let platform = Arc::clone(platform);
    World::new(move |request| {
        let mut alive = platform.alive.lock().unwrap();
        match *request.method() {
            Method::DELETE => {
                *alive = None;
                status(200)
            }
            Method::POST if alive.is_some() => status(409),
            Method::POST => {
                let number = platform.made.fetch_add(1, Ordering::SeqCst) + 1;
                *alive = Some(number);
                if platform.loses.swap(false, Ordering::SeqCst) {
                    return Err(Error::transport("reset", "connection was reset"));
                }
                answer(200, &number.to_string())
            }
            _ => {
                let sent = request.headers()["ibsso"].to_str().unwrap().parse().ok();
                let taken = sent.is_some() && sent == *alive;
                platform.refused.fetch_add(u32::from(!taken), Ordering::SeqCst);
                status(if taken { 200 } else { 401 })
            }
        }
    })
}

#[test]
fn a_planned_renewal_under_load_refuses_no_request() {
    let (platform, clock) = (Arc::<Platform>::default(), ManualClock::at(1_000_000));
    let world = world(&platform);
    let session = Session::new(LogIn, world.context(&clock));
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for caller in 0..6 {
            let (world, session, over) = (&world, &session, &over);
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let call = || send(world, session, request("https://x.example/"));
                    give_up(call(), caller);
                    assert_eq!(call().wait().unwrap().status(), StatusCode::OK);
                }
            });
        }
        for _ in 0..5 {
            thread::sleep(Duration::from_millis(20));
            // The last half minute: all that need the session have it renewed.
            clock.advance(LIFE - Duration::from_secs(20));
        }
        thread::sleep(Duration::from_millis(20));
        over.store(true, Ordering::SeqCst);
    });
    assert_eq!(platform.refused.load(Ordering::SeqCst), 0);
    assert!(platform.made.load(Ordering::SeqCst) >= 3, "it was renewed");
}

#[test]
fn after_a_lost_create_answer_nobody_creates_before_its_time_and_then_one_does() {
    let (platform, clock) = (Arc::<Platform>::default(), ManualClock::at(1_000_000));
    let (world, store) = (world(&platform), Arc::new(MemoryTokenStore::new(clock.clone())));
    platform.loses.store(true, Ordering::SeqCst);
    let process = || {
        let stored = Stored::new(LogIn, Arc::clone(&store), "acme").with_intents(LIFE);
        Session::new(stored, world.context(&clock))
    };
    let processes = [process(), process(), process()];
    let retry_at = clock.now().after(LIFE);
    for session in &processes {
        let error = send(&world, session, request("https://x.example/")).wait().unwrap_err();
        let held = error.cause().error().downcast_ref::<SessionHeldElsewhere>();
        assert_eq!(held.map(|held| held.retry_at), Some(retry_at), "{error}");
    }
    clock.advance(LIFE - Duration::from_secs(1));
    assert!(processes[1].token().wait().is_err());
    assert_eq!(platform.made.load(Ordering::SeqCst), 1, "nobody asked for another one");
    // The session whose answer was lost has ended.
    *platform.alive.lock().unwrap() = None;
    clock.advance(Duration::from_secs(1));
    let ask_all = || {
        thread::scope(|scope| {
            let ask = |n: usize| processes[n % 3].token().wait().ok();
            let callers: Vec<_> = (0..6)
                .map(|n| scope.spawn(move || ask(n).map(|held| held.token.token().0)))
                .collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect::<Vec<_>>()
        })
    };
    // A process that has failed waits out its pause.
    let numbers = (0..50).find_map(|_| {
        clock.advance(Duration::from_secs(10));
        let numbers = ask_all();
        numbers.iter().all(Option::is_some).then_some(numbers)
    });
    assert_eq!(numbers, Some(vec![Some(2); 6]));
    assert_eq!(platform.made.load(Ordering::SeqCst), 2);
}
