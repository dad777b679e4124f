//! Four processes share the session of one user in a SQLite file, and one of them is killed between the creation of the
//! session and its saving.
//!
//! They share a clock as well, which the test moves.

#![cfg(target_os = "linux")]

use auth_core::{
    Clock, Context, Exchange, Flow, Lookup, Peer, RequestView, Secret, SystemClock, SystemRandom,
    TenantId, Timestamp, Transport,
};
use auth_ibsso::{
    CreateOutcome, IbssoSession, IbssoVerifier, LogIn, NewSession, SESSION_PATH, SessionAnswer,
    SessionEndpoint, SessionHeldElsewhere, Sessions, UserPassword,
};
use auth_session::Sealer;
use auth_tower::{Authenticated, VerifyLayer};
use auth_ureq::{AuthClient, UreqTransport};
use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, State},
    routing::{get, post},
};
use http::{HeaderMap, Method, Request, Response, Uri};
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fs::{self, File},
    io::Write,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

const PROCESSES: usize = 4;
const DIRECTORY: &str = "IBSSO_TEST_DIRECTORY";
const PLATFORM: &str = "IBSSO_TEST_PLATFORM";

/// The system's clock, and so many seconds more as a file says.
#[derive(Clone)]
struct SharedClock(PathBuf);

impl SharedClock {
    fn ahead(&self) -> Duration {
        let text = fs::read_to_string(&self.0).unwrap();
        Duration::from_secs(text.parse().unwrap())
    }

    /// In one step, since others read.
    fn set_ahead(&self, seconds: u64) {
        let next = self.0.with_extension("next");
        fs::write(&next, seconds.to_string()).unwrap();
        fs::rename(next, &self.0).unwrap();
    }
}

impl Clock for SharedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().after(self.ahead())
    }

    fn steady(&self) -> Instant {
        SystemClock.steady() + self.ahead()
    }
}

/// Says in a file that this process asks for a session, before it does.
struct Telling(UreqTransport, PathBuf);

impl Transport for Telling {
    fn fetch(&self, request: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        if *request.request().method() == Method::POST {
            fs::write(&self.1, "").unwrap();
        }
        self.0.fetch(request)
    }

    fn pause(&self, duration: Duration) -> Flow<'_, ()> {
        self.0.pause(duration)
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        self.0.detach(work)
    }
}

/// What each of the four does: sends a message again and again, and writes down what became of it.
fn send_all_the_time(directory: &Path) {
    let process = std::process::id();
    let clock = SharedClock(directory.join("clock"));
    let base = env::var(PLATFORM).unwrap();
    let database =
        auth_store_sqlite::SqliteDatabase::open(&directory.join("auth.db"), clock.clone());
    let sealer = Sealer::new(&Secret::new([1; 32]), SystemRandom::new()).unwrap();
    let store = database.unwrap().tokens(sealer, TenantId::new("acme"));
    let transport = UreqTransport::builder().allowing_loopback().build().unwrap();
    let transport = Telling(transport, directory.join(format!("asks-{process}")));
    let context = Context::new(transport).with_clock(clock);
    let log_in = LogIn::new(&base, "acme", "pa55word").unwrap();
    let session = IbssoSession::stored(log_in, store, "acme", context);
    let client = AuthClient::builder().build().unwrap();
    let mut told = File::create(directory.join(format!("told-{process}"))).unwrap();
    while !directory.join("over").exists() {
        let message = Request::get(format!("{base}/sms")).header("x-process", process);
        let line = match client.send(&session, message.body(()).unwrap()) {
            Ok(answer) => answer.status().as_u16().to_string(),
            Err(error) => {
                let held = error.cause().error().downcast_ref::<SessionHeldElsewhere>();
                let until = held.map_or(0, |held| held.retry_at.unix());
                format!("{} {until}", error.code())
            }
        };
        told.write_all(format!("{line}\n").as_bytes()).unwrap();
        thread::sleep(Duration::from_millis(5));
    }
}

/// Does nothing unless this process was started by the test below.
#[test]
fn one_of_the_processes() {
    if let Some(directory) = env::var_os(DIRECTORY) {
        send_all_the_time(Path::new(&directory));
    }
}

const LIFETIME: u64 = 3600;

/// The platform: one session of the user is alive, for an hour, and only its own token ends it before.
#[derive(Clone)]
struct Platform {
    clock: SharedClock,
    state: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    live: Option<(String, Timestamp)>,
    created: u32,
    /// Creations that were asked for, granted or not.
    asked: u32,
    destroyed: u32,
    /// The processes that have sent with each token.
    senders: BTreeMap<String, BTreeSet<String>>,
}

impl Lookup<UserPassword> for Platform {
    type Found = ();

    fn lookup(&self, login: &UserPassword) -> Flow<'_, Option<()>> {
        Flow::ready(login.password.matches(b"pa55word").then_some(()))
    }
}

impl Sessions for Platform {
    type User = ();
    type Principal = String;

    fn create(&self, (): (), _: NewSession) -> Flow<'_, CreateOutcome> {
        let now = self.clock.now();
        let mut known = self.state.lock().unwrap();
        known.asked += 1;
        if known.live.as_ref().is_some_and(|(_, end)| now < *end) {
            return Flow::ready(CreateOutcome::AlreadyAlive);
        }
        known.created += 1;
        let token = format!("token-{}", known.created);
        known.live = Some((token.clone(), now.after(Duration::from_secs(LIFETIME))));
        Flow::ready(CreateOutcome::Created(Secret::new(token)))
    }

    fn find(&self, token: &[u8]) -> Flow<'_, Option<String>> {
        let (now, known) = (self.clock.now(), self.state.lock().unwrap());
        let live = known.live.as_ref().filter(|(live, end)| live.as_bytes() == token && now < *end);
        Flow::ready(live.map(|(live, _)| live.clone()))
    }

    fn destroy(&self, token: &[u8]) -> Flow<'_, bool> {
        let mut known = self.state.lock().unwrap();
        let is_live = known.live.take_if(|(live, _)| live.as_bytes() == token).is_some();
        known.destroyed += u32::from(is_live);
        Flow::ready(is_live)
    }
}

impl Platform {
    /// Creates or destroys a session; the answer to the first creation never comes.
    async fn session(
        State(platform): State<Self>,
        ConnectInfo(from): ConnectInfo<SocketAddr>,
        method: Method,
        headers: HeaderMap,
        body: Bytes,
    ) -> Response<axum::body::Body> {
        let uri = Uri::from_static(SESSION_PATH);
        let view = RequestView::new(&method, &uri, &headers)
            .with_body(auth_core::Body::Bytes(&body))
            .with_peer(Peer { address: Some(from.ip()), ..Peer::UNKNOWN });
        let door = IbssoVerifier::new(platform.clone());
        let endpoint = SessionEndpoint::new(platform.clone(), platform.clone(), door);
        let asked = match method == Method::POST {
            true => endpoint.create(view).await,
            false => endpoint.destroy(view).await,
        };
        let SessionAnswer { response, .. } = asked.unwrap();
        if platform.known(|known| known.asked) == 1 {
            std::future::pending::<()>().await;
        }
        response.map(axum::body::Body::from)
    }

    async fn message(
        State(platform): State<Self>,
        caller: Authenticated<String>,
        headers: HeaderMap,
    ) -> &'static str {
        let process = headers["x-process"].to_str().unwrap().to_owned();
        platform.known(|known| {
            known.senders.entry(caller.principal).or_default().insert(process);
        });
        "sent"
    }

    fn known<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }

    /// Serves on threads of its own.
    fn start(clock: SharedClock) -> (Self, String) {
        let platform = Self { clock, state: Arc::default() };
        let door = VerifyLayer::new(IbssoVerifier::new(platform.clone()));
        let app = Router::new()
            .route("/sms", get(Self::message).layer(door))
            .route(SESSION_PATH, post(Self::session).delete(Self::session))
            .with_state(platform.clone())
            .into_make_service_with_connect_info::<SocketAddr>();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            tokio::runtime::Runtime::new().unwrap().block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, app).await.unwrap();
            });
        });
        (platform, base)
    }
}

/// Four processes, and what they write down.
struct Stage {
    directory: PathBuf,
    base: String,
    processes: Vec<Child>,
}

impl Stage {
    fn start_one(&mut self) {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "one_of_the_processes"]);
        command.env(DIRECTORY, &self.directory).env(PLATFORM, &self.base);
        self.processes.push(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap());
    }

    /// The lines of each living process.
    fn told(&self) -> Vec<Vec<String>> {
        let told = |child: &Child| {
            let text = fs::read_to_string(self.directory.join(format!("told-{}", child.id())));
            text.unwrap_or_default().lines().map(str::to_owned).collect()
        };
        self.processes.iter().map(told).collect()
    }

    /// Waits until each has written down three lines more, and gives these.
    fn next_three(&self) -> Vec<String> {
        let before: Vec<_> = self.told().iter().map(Vec::len).collect();
        // The first may have been asked for before.
        let has_more = |told: &[Vec<String>]| {
            told.iter().zip(&before).all(|(told, before)| told.len() >= before + 4)
        };
        wait_until("each has sent three times more", || has_more(&self.told()));
        let more = self.told().into_iter().zip(before);
        more.flat_map(|(told, before)| told[before + 1..].to_vec()).collect()
    }

    /// Waits until each of the living has sent with this token.
    fn all_send_with(&self, platform: &Platform, token: &str) {
        let living: BTreeSet<_> =
            self.processes.iter().map(|child| child.id().to_string()).collect();
        wait_until(&format!("all send with {token}"), || {
            platform.known(|known| known.senders.get(token).is_some_and(|sent| *sent == living))
        });
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_session_that_died_with_its_process_is_followed_by_one_and_only_one_when_it_has_ended() {
    let directory = env::temp_dir().join(format!("ibsso-processes-{}", std::process::id()));
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
    let clock = SharedClock(directory.join("clock"));
    clock.set_ahead(0);
    let (platform, base) = Platform::start(clock.clone());
    let mut stage = Stage { directory, base, processes: Vec::new() };
    let began = clock.now().unix();
    (0..PROCESSES).for_each(|_| stage.start_one());

    // The platform has created it, and the process has no answer yet.
    wait_until("a session is created", || platform.known(|known| known.created == 1));
    let asks = |child: &Child| stage.directory.join(format!("asks-{}", child.id())).exists();
    let asked: Vec<_> = (0..PROCESSES).filter(|at| asks(&stage.processes[*at])).collect();
    let [victim] = asked[..] else { panic!("{} processes have asked", asked.len()) };
    let mut victim = stage.processes.remove(victim);
    victim.kill().unwrap();
    victim.wait().unwrap();
    let died = clock.now().unix();
    stage.start_one();

    // As soon as its lease is over, all know how long that session lives, and nobody asks.
    let mut until = BTreeSet::new();
    for ahead in [61, 600, 1800, LIFETIME - (died - began) - 10] {
        clock.set_ahead(ahead);
        for line in stage.next_three() {
            let held = line.strip_prefix("session_held_elsewhere ");
            until.insert(held.unwrap_or_else(|| panic!("{line}")).parse::<u64>().unwrap());
        }
        assert_eq!(platform.known(|known| (known.asked, known.destroyed)), (1, 0));
    }
    let [until] = until.into_iter().collect::<Vec<_>>()[..] else { panic!("not of one mind") };
    assert!((began + LIFETIME..=died + LIFETIME).contains(&until), "{until}");

    // One creates, and all send with what it got: those who waited as well as the one that is new.
    clock.set_ahead(LIFETIME + 400);
    stage.all_send_with(&platform, "token-2");
    assert_eq!(platform.known(|known| (known.asked, known.created)), (2, 2));
    assert!(stage.next_three().iter().all(|line| line == "200"));

    // And so they go on: one renews for all.
    clock.set_ahead(2 * LIFETIME + 500);
    stage.all_send_with(&platform, "token-3");
    assert!(stage.next_three().iter().all(|line| line == "200"));
    assert_eq!(platform.known(|known| (known.asked, known.created)), (3, 3));
    fs::write(stage.directory.join("over"), "").unwrap();
    for process in &mut stage.processes {
        assert!(process.wait().unwrap().success());
    }
}
