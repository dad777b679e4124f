//! Processes that share a store, while everything fails in every order: drawn, and the same again for each seed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use auth_core::{
    Answer, Authenticator, Clock, Context, Credentials, Error, Exchange, Flow, Random, RequestView,
    Result, Timestamp, Transport, Verdict,
};
use auth_ibsso::{IbssoSession, LogIn, MemoryTokenStore, Secret, TokenStore};
use auth_session::{Intent, Lease, SaveOutcome, StoredEntry};
use auth_testing::{ManualClock, ScriptedTransport, SeededRandom};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header::AUTHORIZATION};
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context as Task, Poll, Waker},
    time::{Duration, Instant},
};

const HOUR: Duration = Duration::from_secs(3600);

#[derive(Default)]
struct Server {
    /// The token that is alive, and until when by the steady clock.
    live: Option<(String, Instant)>,
    /// Nobody was given it.
    is_lost: bool,
    created: u32,
    fault: Option<u8>,
    /// Creations that were asked for while a lost session was alive.
    early: u32,
}

impl Server {
    fn answer(&mut self, request: &Request<Vec<u8>>, now: Instant) -> Result<Response<Vec<u8>>> {
        let told = |status: u16| Response::builder().status(status).body(Vec::new()).unwrap();
        let fault = self.fault.take();
        match fault {
            Some(0) => return Err(Error::not_sent("connect", "refused")),
            Some(1) => return Ok(told(429)),
            Some(2) => return Ok(told(503)),
            Some(3) => return Ok(told(500)),
            Some(4) => return Err(Error::transport("reset", "before it came")),
            _ => {}
        }
        let done = self.done(request, now);
        let is_read = fault == Some(7) && !done.status().is_success();
        if fault.is_none() || is_read {
            return Ok(done);
        }
        self.is_lost |= *request.method() == Method::POST && done.status().is_success();
        match fault {
            Some(5) => Err(Error::transport("reset", "after it came")),
            Some(6) => Ok(told(502)),
            _ => Ok(Response::new(b"{".to_vec())),
        }
    }

    fn done(&mut self, request: &Request<Vec<u8>>, now: Instant) -> Response<Vec<u8>> {
        let told = |status: u16| Response::builder().status(status).body(Vec::new()).unwrap();
        self.live.take_if(|(_, end)| *end <= now);
        self.is_lost &= self.live.is_some();
        if *request.method() == Method::DELETE {
            let field = request.headers()[AUTHORIZATION].to_str().unwrap();
            if !self.takes(field, now) {
                return told(401);
            }
            self.live = None;
            return told(200);
        }
        if self.live.is_some() {
            self.early += u32::from(self.is_lost);
            return told(400);
        }
        self.created += 1;
        let token = format!("token-{}", self.created);
        let body = format!(r#"{{"token":"{token}"}}"#);
        self.live = Some((token, now + HOUR));
        Response::new(body.into_bytes())
    }

    fn takes(&self, field: &str, now: Instant) -> bool {
        self.live.as_ref().is_some_and(|(live, end)| field == format!("IBSSO {live}") && now < *end)
    }
}

#[derive(Clone)]
struct Store(MemoryTokenStore, Arc<Mutex<(u8, u8)>>);

impl Store {
    /// Fails before it does anything, after it has done it, or not at all.
    fn over<'a, T: Send + 'a>(
        &'a self,
        what: u8,
        act: impl FnOnce() -> Flow<'a, T> + Send + 'a,
    ) -> Flow<'a, T> {
        yields(move || {
            let failing = *self.1.lock().unwrap();
            let error = || Error::transport("disk", "the disk failed");
            match failing {
                (failing, 1) if failing == what => Flow::failed(error()),
                (failing, 2) if failing == what => {
                    drop(act().wait());
                    Flow::failed(error())
                }
                _ => act(),
            }
        })
    }
}

impl TokenStore for Store {
    fn load(&self, name: &str) -> Flow<'_, Option<StoredEntry>> {
        self.over(1, {
            let name = name.to_owned();
            move || self.0.load(&name)
        })
    }

    fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
        self.over(2, {
            let name = name.to_owned();
            move || self.0.lease(&name, hold)
        })
    }

    fn save(&self, name: &str, lease: Lease, token: Option<&Secret>) -> Flow<'_, SaveOutcome> {
        self.over(3, {
            let (name, token) = (name.to_owned(), token.map(|token| Secret::new(token.expose())));
            move || self.0.save(&name, lease, token.as_ref())
        })
    }

    fn intend(&self, name: &str, lease: Lease, intent: Option<Intent>) -> Flow<'_, SaveOutcome> {
        self.over(4, {
            let name = name.to_owned();
            move || self.0.intend(&name, lease, intent)
        })
    }

    fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()> {
        self.over(5, {
            let name = name.to_owned();
            move || self.0.release(&name, lease)
        })
    }
}

/// The caller may give up before something is done, and after it has been done.
fn yields<'a, T: Send + 'a>(act: impl FnOnce() -> Flow<'a, T> + Send + 'a) -> Flow<'a, T> {
    async fn once() {
        let mut yielded = false;
        poll_fn(|task| {
            task.waker().wake_by_ref();
            if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
    Flow::new(async move {
        once().await;
        let done = act().await;
        once().await;
        done
    })
}

/// Its pauses take as long as they say.
struct Pausing(ScriptedTransport, ManualClock);

impl Transport for Pausing {
    fn fetch(&self, request: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        yields(move || self.0.fetch(request))
    }

    fn pause(&self, duration: Duration) -> Flow<'_, ()> {
        Flow::new(async move {
            self.1.advance(duration);
            Ok(())
        })
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        self.0.detach(work)
    }
}

struct World {
    server: Arc<Mutex<Server>>,
    store: Store,
    clock: ManualClock,
    context: Context,
    random: SeededRandom,
    processes: Vec<IbssoSession<Store>>,
    log: Vec<String>,
}

fn world(seed: u64) -> World {
    let (server, clock) = (Arc::new(Mutex::new(Server::default())), ManualClock::at(1_700_000_000));
    let (answering, at) = (Arc::clone(&server), clock.clone());
    let transport = ScriptedTransport::new(move |request| {
        answering.lock().unwrap().answer(request, at.steady())
    });
    let store = Store(MemoryTokenStore::new(clock.clone()), Arc::default());
    let context = Context::new(Pausing(transport, clock.clone()))
        .with_clock(clock.clone())
        .with_random(SeededRandom::new(seed));
    let mut world = World {
        server,
        store,
        clock,
        context,
        random: SeededRandom::new(seed ^ 77),
        processes: Vec::new(),
        log: Vec::new(),
    };
    for _ in 0..3 {
        let process = world.process();
        world.processes.push(process);
    }
    world
}

impl World {
    fn process(&self) -> IbssoSession<Store> {
        let log_in = LogIn::new("https://x.api.infobip.com", "acme", "pa55word").unwrap();
        IbssoSession::stored(log_in, self.store.clone(), "acme", self.context.clone())
    }

    fn drawn(&self, below: u8) -> u8 {
        let mut bytes = [0; 2];
        self.random.fill(&mut bytes).unwrap();
        u8::try_from(u16::from_le_bytes(bytes) % u16::from(below)).unwrap()
    }

    /// One request, which is sent again where that is worth it; true if it was taken.
    fn sends(&mut self, number: usize) -> bool {
        let process = self.processes[number].clone();
        for _ in 0..4 {
            let made = view(|view| process.credentials(view).wait());
            let made = match made {
                Ok(made) => made,
                Err(error) => {
                    self.log.push(format!("{number} {}", error.code()));
                    return false;
                }
            };
            let field = made.field(&AUTHORIZATION).unwrap().to_str().unwrap().to_owned();
            let is_taken = self.server.lock().unwrap().takes(&field, self.clock.steady());
            self.log.push(format!("{number} {field} {is_taken}"));
            if is_taken {
                answered(&process, &made, 200);
                return true;
            }
            if matches!(answered(&process, &made, 401), Verdict::Accept) {
                return false;
            }
        }
        false
    }

    /// A caller gives up at some point of what is done for it.
    fn gives_up(&mut self, number: usize) {
        let (process, polls) = (self.processes[number].clone(), self.drawn(60));
        view(|view| {
            let mut sending = process.credentials(view);
            for _ in 0..polls {
                if Pin::new(&mut sending).poll(&mut Task::from_waker(Waker::noop())).is_ready() {
                    break;
                }
            }
        });
    }

    /// A process dies at some point of an exchange.
    fn dies(&mut self, number: usize) {
        self.gives_up(number);
        self.processes[number] = self.process();
        let kept = self.store.0.load("acme").wait().unwrap();
        let kept = kept.and_then(|kept| kept.token);
        let rest = kept.map(|token| token.expose_text().unwrap_or_default().to_owned());
        let mut server = self.server.lock().unwrap();
        let is_kept = |live: &str| rest.is_some_and(|rest| rest.ends_with(live));
        let is_lost = server.live.as_ref().is_some_and(|(live, _)| !is_kept(live));
        server.is_lost |= is_lost;
        drop(server);
        self.clock.advance(Duration::from_secs(61));
    }

    fn step(&mut self, jumps: bool) {
        let number = usize::from(self.drawn(3));
        let op = self.drawn(if jumps { 22 } else { 20 });
        match op {
            0..=6 => drop(self.sends(number)),
            7..=9 => {
                let span = [1, 5, 61, 600, 3500, 3600, 4000][usize::from(self.drawn(7))];
                self.log.push(format!("pass {span}"));
                self.clock.advance(Duration::from_secs(span));
            }
            10..=13 => {
                let fault = self.drawn(8);
                self.log.push(format!("fault {fault}"));
                self.server.lock().unwrap().fault = Some(fault);
                self.sends(number);
            }
            14 => {
                self.log.push("killed".into());
                self.server.lock().unwrap().live = None;
                self.log.push(format!("{number} gives up"));
                self.gives_up(number);
                // The next caller carries on what is under way. After an hour it would be too late for that.
                self.sends(number);
            }
            15 => {
                self.log.push(format!("dies {number}"));
                self.dies(number);
            }
            16 => {
                let told = self.processes[number].destroy().wait();
                self.log.push(format!("destroys {number} {told:?}"));
                if told.is_ok() && self.store.1.lock().unwrap().1 == 0 {
                    let server = self.server.lock().unwrap();
                    // Another process may have one that is not saved yet, or is on its way to it.
                    let unsaved = |line: &String| line.ends_with("not_saved");
                    let unsaved = self.log.iter().any(unsaved);
                    assert!(
                        server.live.is_none() || server.is_lost || unsaved,
                        "destroyed, and lives: {:?}\n{:#?}",
                        server.live,
                        self.log
                    );
                }
                self.processes[number] = self.process();
            }
            17..=19 => {
                let failing = (1 + self.drawn(5), 1 + self.drawn(2));
                self.log.push(format!("store {failing:?}"));
                *self.store.1.lock().unwrap() = failing;
                self.sends(number);
                self.clock.advance(Duration::from_secs(1));
                *self.store.1.lock().unwrap() = (0, 0);
                // A lease that was not given back runs out.
                self.clock.advance(Duration::from_secs(61));
            }
            _ => {
                let now = self.clock.now();
                let to = match op {
                    20 => now.after(HOUR),
                    _ => Timestamp::from_unix(now.unix() - 3600),
                };
                self.log.push(format!("jumps to {}", to.unix()));
                self.clock.set(to);
            }
        }
    }

    fn recovers(&mut self) {
        self.server.lock().unwrap().fault = None;
        // A session lives for an hour, and a clock that was set back makes nobody wait for more than two.
        for _ in 0..120 {
            for number in 0..3 {
                self.sends(number);
            }
            self.clock.advance(Duration::from_secs(61));
        }
        self.clock.advance(Duration::from_secs(61));
        for number in 0..3 {
            assert!(self.sends(number), "{:#?}", self.log);
        }
    }
}

fn view<T>(with: impl FnOnce(RequestView<'_>) -> T) -> T {
    let (uri, headers) = (Uri::from_static("https://x.api.infobip.com/sms"), HeaderMap::new());
    with(RequestView::new(&Method::POST, &uri, &headers))
}

fn answered(process: &impl Authenticator, sent: &Credentials, status: u16) -> Verdict {
    let (status, headers) = (StatusCode::from_u16(status).unwrap(), HeaderMap::new());
    view(|view| process.assess(sent, Answer::new(view, status, &headers)))
}

#[track_caller]
fn check(seed: u64, jumps: bool) {
    let mut world = world(seed);
    for _ in 0..60 {
        world.step(jumps);
    }
    if !jumps {
        let early = world.server.lock().unwrap().early;
        assert_eq!(early, 0, "seed {seed} {:#?}", world.log);
    }
    world.recovers();
}

#[test]
fn whatever_fails_nobody_asks_early_and_all_recover() {
    for seed in 0..300 {
        check(seed, false);
        check(seed, true);
    }
}
