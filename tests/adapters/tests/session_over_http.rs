//! Sessions over real connections: shared by threads and runtimes, and in front of an issuer that misbehaves.

use auth_core::{
    Cause, Context, Error, Exchange, Flow, Lifespan, Renewal, Result, Timestamp, Token,
    TokenSource, Transport,
};
use auth_session::{Session, retry_after};
use auth_testing::{ManualClock, SeededRandom};
use http::{Request, Response};
use std::{
    io::{BufRead, BufReader, ErrorKind, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// What the issuer does with the next connections, until it is told otherwise.
#[derive(Clone, Copy, Debug)]
enum Does {
    Answers,
    /// Answers after so long.
    Dawdles(Duration),
    /// Reads the request and says nothing.
    Hangs,
    /// Closes the connection with the request unread, so that the peer's system is told of a reset.
    Resets,
    /// Sends half a head, and closes.
    Breaks,
    /// Answers with this status, and asks for so many seconds of patience.
    Refuses(u16, Option<u64>),
}

/// A real server on loopback that gives numbers, one connection after the other.
struct Issuer {
    address: SocketAddr,
    does: Mutex<Does>,
    connections: AtomicU32,
    given: AtomicU32,
    /// Connections that hang are kept here.
    held: Mutex<Vec<TcpStream>>,
}

impl Issuer {
    fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = Arc::new(Self {
            address: listener.local_addr().unwrap(),
            does: Mutex::new(Does::Answers),
            connections: AtomicU32::new(0),
            given: AtomicU32::new(0),
            held: Mutex::default(),
        });
        let serving = Arc::clone(&issuer);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(std::result::Result::ok) {
                let issuer = Arc::clone(&serving);
                thread::spawn(move || issuer.serve(connection));
            }
        });
        issuer
    }

    fn now(&self, does: Does) {
        *self.does.lock().unwrap() = does;
    }

    fn connections(&self) -> u32 {
        self.connections.load(Ordering::SeqCst)
    }

    fn serve(&self, mut connection: TcpStream) {
        self.connections.fetch_add(1, Ordering::SeqCst);
        let does = *self.does.lock().unwrap();
        if matches!(does, Does::Resets) {
            // Something has to be there that nobody reads.
            connection.peek(&mut [0]).unwrap();
            return;
        }
        let mut line = String::new();
        let mut reader = BufReader::new(connection.try_clone().unwrap());
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).unwrap();
        }
        let answer = match does {
            Does::Answers => self.number(),
            Does::Dawdles(pause) => {
                thread::sleep(pause);
                self.number()
            }
            Does::Hangs => return self.held.lock().unwrap().push(connection),
            Does::Breaks => String::from("HTTP/1.1 200 OK\r\ncontent-le"),
            Does::Refuses(status, patience) => {
                let patience = patience.map(|seconds| format!("retry-after: {seconds}\r\n"));
                let patience = patience.unwrap_or_default();
                format!(
                    "HTTP/1.1 {status} No\r\nconnection: close\r\n{patience}content-length: 0\r\n\r\n"
                )
            }
            Does::Resets => unreachable!("said above"),
        };
        match connection.write_all(answer.as_bytes()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => panic!("{error}"),
            _ => {}
        }
    }

    fn number(&self) -> String {
        let number = (self.given.fetch_add(1, Ordering::SeqCst) + 1).to_string();
        let length = number.len();
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{number}")
    }
}

/// Asks the issuer for numbers that live for an hour.
struct LogIn {
    url: String,
}

#[derive(Clone)]
struct Number(u32, Timestamp);

impl Token for Number {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Until(self.1)
    }
}

impl TokenSource for LogIn {
    type Token = Number;

    fn token<'a>(&'a self, context: &'a Context, _: Renewal<Number>) -> Flow<'a, Number> {
        let request = Request::post(&self.url).body(Vec::new()).unwrap();
        let end = context.clock.now().after(Duration::from_secs(3600));
        let now = context.clock.now();
        context.transport.fetch(Exchange::new(request)).and_then(move |answer| {
            Flow::from(read(&answer, now).map(|number| Number(number, end)))
        })
    }
}

fn read(answer: &Response<Vec<u8>>, now: Timestamp) -> Result<u32> {
    let cause = |code| Cause::new(code, format!("issuer answered {}", answer.status()));
    match answer.status().as_u16() {
        200 => Ok(std::str::from_utf8(answer.body()).unwrap().parse().unwrap()),
        429 | 500..=599 => Err(Error::Unavailable {
            retry_after: retry_after(answer.headers(), now),
            cause: cause("busy"),
        }),
        _ => Err(Error::Refused(cause("refused"))),
    }
}

fn kind(error: &Error) -> &'static str {
    match error {
        Error::Transport(_) => "transport",
        Error::Unavailable { .. } => "unavailable",
        Error::Refused(_) => "refused",
        _ => "something else",
    }
}

const DEADLINE: Duration = Duration::from_millis(400);

/// A transport, and what has to live as long.
type Means = (&'static str, Arc<dyn Transport>, Option<tokio::runtime::Runtime>);

fn transports() -> Vec<Means> {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    };
    let background = runtime();
    let reqwest = auth_reqwest::ReqwestTransport::builder(background.handle().clone())
        .allowing_loopback()
        .with_deadline(DEADLINE)
        .build()
        .unwrap();
    let ureq =
        auth_ureq::UreqTransport::builder().allowing_loopback().with_deadline(DEADLINE).build();
    vec![("reqwest", Arc::new(reqwest), Some(background)), ("ureq", Arc::new(ureq.unwrap()), None)]
}

fn session(issuer: &Issuer, means: &Means) -> (Session<LogIn>, ManualClock) {
    let clock = ManualClock::at(1_000_000);
    let context = Context::new(Arc::clone(&means.1))
        .with_clock(clock.clone())
        .with_random(SeededRandom::new(3));
    let url = format!("http://{}/token", issuer.address);
    (Session::new(LogIn { url }, context), clock)
}

fn held(session: &Session<LogIn>) -> Result<u32> {
    session.token().wait().map(|held| held.token.0)
}

/// All callers have the token of one log-in, whichever asks first and in whatever way it waits.
#[test]
fn one_session_serves_a_thread_and_two_kinds_of_runtime() {
    for means in transports() {
        let issuer = Issuer::start();
        issuer.now(Does::Dawdles(Duration::from_millis(100)));
        let (session, clock) = session(&issuer, &means);
        for round in 1..=20_u32 {
            let numbers = Mutex::new(Vec::new());
            let callers = |many: usize| {
                let session = session.clone();
                async move {
                    let mut callers = tokio::task::JoinSet::new();
                    for _ in 0..many {
                        let session = session.clone();
                        callers.spawn(async move { session.token().await.unwrap().token.0 });
                    }
                    callers.join_all().await
                }
            };
            thread::scope(|scope| {
                scope.spawn(|| numbers.lock().unwrap().push(held(&session).unwrap()));
                scope.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    let had = runtime.block_on(callers(8));
                    numbers.lock().unwrap().extend(had);
                });
                scope.spawn(|| {
                    let mut runtime = tokio::runtime::Builder::new_multi_thread();
                    let had = runtime.worker_threads(2).build().unwrap().block_on(callers(8));
                    numbers.lock().unwrap().extend(had);
                });
            });
            let numbers = numbers.into_inner().unwrap();
            assert_eq!(numbers, [round; 17], "{}", means.0);
            assert_eq!(issuer.connections(), round);
            clock.advance(Duration::from_secs(3600));
            issuer.now(Does::Answers);
        }
    }
}

/// Whatever the issuer does, nobody waits longer than the deadline, and while the last token is good it is served.
#[test]
fn an_issuer_that_misbehaves_costs_a_deadline_and_no_token_that_is_good() {
    let ways = [
        (Does::Dawdles(DEADLINE * 5), "transport"),
        (Does::Hangs, "transport"),
        (Does::Resets, "transport"),
        (Does::Breaks, "transport"),
        (Does::Refuses(500, None), "unavailable"),
        (Does::Refuses(429, Some(90)), "unavailable"),
        (Does::Refuses(403, None), "refused"),
    ];
    for means in transports() {
        for (does, expected) in ways {
            let issuer = Issuer::start();
            let (session, clock) = session(&issuer, &means);
            let timed = |what: &str| {
                let began = Instant::now();
                let had = held(&session);
                let took = began.elapsed();
                assert!(took < DEADLINE * 4, "{} {does:?} {what} took {took:?}", means.0);
                had
            };
            assert_eq!(timed("at first").unwrap(), 1);
            issuer.now(does);
            for seconds in [2900, 600, 95] {
                clock.advance(Duration::from_secs(seconds));
                assert_eq!(timed("while it is good").unwrap(), 1, "{} {does:?}", means.0);
            }
            clock.advance(Duration::from_secs(200));
            let error = timed("when it is dead").unwrap_err();
            assert_eq!(kind(&error), expected, "{} {does:?}: {error:?}", means.0);
            issuer.now(Does::Answers);
            clock.advance(Duration::from_secs(120));
            assert!(timed("afterwards").unwrap() > 1);
        }
    }
}

/// Ninety seconds were asked for: in ninety seconds nobody connects.
#[test]
fn an_issuer_that_asks_for_patience_is_left_alone() {
    for means in transports() {
        let issuer = Issuer::start();
        issuer.now(Does::Refuses(429, Some(90)));
        let (session, clock) = session(&issuer, &means);
        for _ in 0..90 {
            assert_eq!(kind(&held(&session).unwrap_err()), "unavailable");
            clock.advance(Duration::from_secs(1));
        }
        assert_eq!(issuer.connections(), 1, "{}", means.0);
        issuer.now(Does::Answers);
        clock.advance(Duration::from_secs(10));
        assert_eq!(held(&session).unwrap(), 1);
    }
}
