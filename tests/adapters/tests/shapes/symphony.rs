//! Symphony's pair: an agent's 401 does not say which of two tokens died, so one probe asks, for all callers.

use super::{World, give_up, request, status};
use auth_core::{
    Answer, Authenticator, Context, Credentials, Flow, Lifespan, PresentableToken, Refusal,
    Renewal, RequestView, Result, Token, TokenSource, Verdict, send,
};
use auth_session::{Flight, Session};
use auth_testing::ManualClock;
use http::{HeaderName, HeaderValue, StatusCode};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

#[derive(Clone)]
struct Mark(&'static str, u32);

impl Token for Mark {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Unknown
    }
}

impl PresentableToken for Mark {
    fn credentials(&self) -> Result<Credentials> {
        Credentials::header(HeaderName::from_static(self.0), HeaderValue::from(self.1))
    }

    /// The token does not know which of the two died.
    fn refusal(_: Answer<'_>) -> Option<Refusal> {
        None
    }
}

/// A log-in that gives 1, 2, 3 and so on.
struct LogIn(&'static str, Arc<AtomicU32>);

impl TokenSource for LogIn {
    type Token = Mark;

    fn token<'a>(&'a self, _: &'a Context, _: Renewal<Mark>) -> Flow<'a, Mark> {
        Flow::ready(Mark(self.0, self.1.fetch_add(1, Ordering::SeqCst) + 1))
    }
}

/// The generations of both tokens, as one request had them.
type Pair = (u64, u64);

struct Bot {
    session: Session<LogIn>,
    keys: Session<LogIn>,
    probe: Mutex<Option<(Pair, Flight<()>)>>,
}

#[derive(Clone)]
struct Agent(Arc<Bot>, Context);

impl Agent {
    fn pair(&self, sent: &Credentials) -> Option<Pair> {
        Some((self.0.session.generation(sent)?, self.0.keys.generation(sent)?))
    }

    fn begin(&self, pair: Pair, refusal: Refusal) -> Flight<()> {
        let (bot, context) = (Arc::downgrade(&self.0), self.1.clone());
        let work = async move {
            let told = context.transport.fetch(request("https://pod.example/sessioninfo")).await;
            let Some(bot) = bot.upgrade() else { return };
            match told.map(|answer| answer.status()) {
                Ok(StatusCode::UNAUTHORIZED) => bot.session.condemn(pair.0, refusal),
                Ok(_) => bot.keys.condemn(pair.1, refusal),
                // Nobody knows: the next refusal of this pair asks again.
                Err(_) => drop(bot.probe.lock().unwrap().take()),
            }
        };
        Flight::new(work, || ())
    }
}

impl Authenticator for Agent {
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        let under_way = self.0.probe.lock().unwrap().as_ref().map(|(_, probe)| probe.watch());
        let probed = match under_way {
            None => Flow::ready(()),
            Some(probe) => Flow::new(async move {
                probe.await;
                Ok(())
            }),
        };
        probed.and_then(move |()| self.0.session.credentials(request)).and_then(move |one| {
            self.0.keys.credentials(request).and_then(move |other| one.and(other).into())
        })
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        let Some(pair) = self.pair(sent).filter(|_| answer.status == StatusCode::UNAUTHORIZED)
        else {
            return Verdict::Accept;
        };
        let mut probe = self.0.probe.lock().unwrap();
        // One probe for one pair: later refusals of the same pair find it under way, or over.
        if probe.as_ref().is_none_or(|(probed, _)| *probed != pair) {
            *probe = Some((pair, self.begin(pair, Refusal::new(answer.status))));
        }
        Verdict::Retry { after: None }
    }
}

struct Stage {
    agent: Agent,
    world: World,
    pods: Arc<AtomicU32>,
    agents: Arc<AtomicU32>,
    probes: Arc<AtomicU32>,
}

/// An agent that takes the second key manager token alone; its pod knows that the session is alive.
fn stage() -> Stage {
    let [pods, agents, probes] = [(); 3].map(|()| Arc::<AtomicU32>::default());
    let counted = Arc::clone(&probes);
    let world = World::new(move |request| match request.uri().host() {
        Some("pod.example") => {
            counted.fetch_add(1, Ordering::SeqCst);
            status(200)
        }
        _ => status(if request.headers()["keymanagertoken"] == "1" { 401 } else { 200 }),
    });
    let context = world.context(&ManualClock::at(1_000_000));
    let session =
        |name, count: &Arc<_>| Session::new(LogIn(name, Arc::clone(count)), context.clone());
    let bot = Bot {
        session: session("sessiontoken", &pods),
        keys: session("keymanagertoken", &agents),
        probe: Mutex::default(),
    };
    let agent = Agent(Arc::new(bot), context.clone());
    Stage { agent, world, pods, agents, probes }
}

#[test]
fn an_agents_401_makes_one_probe_for_eight_callers() {
    for round in 0..100 {
        let Stage { agent, world, pods, agents, probes } = stage();
        let barrier = std::sync::Barrier::new(12);
        let answered = thread::scope(|scope| {
            let callers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        send(&world, &agent, request("https://agent.example/")).wait()
                    })
                })
                .collect();
            for polls in [1, 2, 5, 9] {
                let (world, agent, barrier) = (&world, &agent, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    give_up(send(world, agent, request("https://agent.example/")), polls);
                });
            }
            callers
                .into_iter()
                .map(|caller| caller.join().unwrap().unwrap().status())
                .collect::<Vec<_>>()
        });
        assert_eq!(answered, [StatusCode::OK; 8], "round {round}");
        let counts = [&probes, &pods, &agents].map(|count| count.load(Ordering::SeqCst));
        assert_eq!(
            counts,
            [1, 1, 2],
            "probes, log-ins to the pod, log-ins to the agent; round {round}"
        );
    }
}
