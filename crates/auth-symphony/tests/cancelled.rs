//! Callers that give up: whatever they began is seen through by the next, and done once.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use auth_core::{Authenticator, Exchange, Flow, Result, Transport, send};
use auth_symphony::{Bot, Context, SymphonyEndpoints, SymphonyLogIn};
use auth_testing::{ScriptedTransport, SeededRandom};
use http::{Request, Response};
use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context as Task, Poll, Waker},
    time::Duration,
};

/// An installation that counts its log-ins: the newest token of each kind is alive until it is killed.
#[derive(Default)]
struct Installation {
    sessions: u32,
    keys: u32,
    /// Tokens up to this number are dead.
    dead: (u32, u32),
    probes: u32,
    panics: Option<&'static str>,
}

impl Installation {
    fn answer(&mut self, request: &Request<Vec<u8>>) -> Result<Response<Vec<u8>>> {
        let path = request.uri().path();
        if self.panics.take_if(|part| path.contains(*part)).is_some() {
            panic!("asked for");
        }
        let (name, number) = match path {
            _ if path.starts_with("/login/") => {
                self.sessions += 1;
                ("sessionToken", self.sessions)
            }
            _ if path.starts_with("/relay/") => {
                self.keys += 1;
                ("keyManagerToken", self.keys)
            }
            _ => {
                self.probes += u32::from(path.ends_with("/sessioninfo"));
                let number = |name: &str| -> u32 {
                    request
                        .headers()
                        .get(name)
                        .map_or(0, |it| it.to_str().unwrap().parse().unwrap())
                };
                let is_good = number("sessiontoken") > self.dead.0
                    && (path.starts_with("/pod/") || number("keymanagertoken") > self.dead.1);
                let code = if is_good { 200 } else { 401 };
                return Ok(Response::builder().status(code).body(Vec::new()).unwrap());
            }
        };
        let body = serde_json::json!({ "name": name, "token": number.to_string() });
        Ok(Response::new(body.to_string().into_bytes()))
    }
}

/// Each answer takes one poll, so that a caller can give up before it.
#[derive(Clone)]
struct Slow(ScriptedTransport);

impl Transport for Slow {
    fn fetch(&self, exchange: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        Flow::new(async move {
            let mut is_first = true;
            std::future::poll_fn(|task| {
                if std::mem::take(&mut is_first) {
                    task.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(())
            })
            .await;
            self.0.fetch(exchange).await
        })
    }

    fn pause(&self, duration: Duration) -> Flow<'_, ()> {
        self.0.pause(duration)
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        self.0.detach(work)
    }
}

struct Stage {
    transport: Slow,
    world: Arc<Mutex<Installation>>,
    bot: Bot,
}

fn stage(has_background: bool) -> Stage {
    let world = Arc::new(Mutex::new(Installation::default()));
    let answering = Arc::clone(&world);
    let transport = ScriptedTransport::new(move |request| {
        answering.lock().unwrap_or_else(|broken| broken.into_inner()).answer(request)
    });
    let transport = if has_background { transport.with_background() } else { transport };
    let transport = Slow(transport);
    let endpoints = SymphonyEndpoints::new("https://pod.example")
        .and_then(|it| it.with_key_manager("https://km.example"))
        .and_then(|it| it.with_agent("https://agent.example"));
    let log_in = SymphonyLogIn::rsa("my-bot", include_str!("keys/pkcs8.pem")).unwrap();
    let context = Context::new(transport.clone()).with_random(SeededRandom::new(1));
    Stage { transport, world, bot: Bot::new(endpoints.unwrap(), log_in, context) }
}

impl Stage {
    fn call<'a>(&'a self, agent: &'a dyn Authenticator) -> Flow<'a, Response<Vec<u8>>> {
        let request = Request::get("https://agent.example/agent/v4/x").body(Vec::new()).unwrap();
        send(&self.transport, agent, request.into())
    }

    fn status(&self, agent: &dyn Authenticator) -> u16 {
        self.call(agent).wait().unwrap().status().as_u16()
    }
}

#[test]
fn a_caller_that_gives_up_at_any_await_takes_nothing_with_it_and_nothing_is_done_twice() {
    let mut dropped = BTreeMap::<bool, u32>::new();
    for (has_background, (session, keys), steps) in
        (0..2 * 4 * 14).map(|n| (n % 2 == 1, [(0, 0), (1, 0), (0, 1), (1, 1)][n / 2 % 4], n / 8))
    {
        let stage = stage(has_background);
        let agent = stage.bot.agent();
        assert_eq!(stage.status(&agent), 200);
        stage.world.lock().unwrap().dead = (session, keys);
        let mut flow = stage.call(&agent);
        let mut is_done = false;
        for _ in 0..steps {
            is_done = Pin::new(&mut flow).poll(&mut Task::from_waker(Waker::noop())).is_ready();
            if is_done {
                break;
            }
        }
        drop(flow);
        *dropped.entry(!is_done).or_default() += 1;
        let shown = format!("{has_background} {session} {keys} {steps}");
        assert_eq!(stage.status(&agent), 200, "{shown}");
        let world = stage.world.lock().unwrap();
        assert_eq!((world.sessions, world.keys), (1 + session, 1 + keys), "{shown}");
        // One that nobody waited for is repeated; both were dead, and each is found out.
        assert!(world.probes <= session + keys + 1, "{shown}: {}", world.probes);
    }
    assert!(dropped[&true] >= 40 && dropped[&false] > 20, "{dropped:?}");
}

#[test]
fn a_transport_that_panics_under_one_caller_leaves_none_of_the_others_without_an_answer() {
    for (part, has_background) in
        [("/login/", false), ("/relay/", true), ("/sessioninfo", false), ("/sessioninfo", true)]
    {
        let stage = stage(has_background);
        let agent = stage.bot.agent();
        if part == "/sessioninfo" {
            assert_eq!(stage.status(&agent), 200);
            stage.world.lock().unwrap().dead = (0, 1);
        }
        stage.world.lock().unwrap().panics = Some(part);
        let call = || stage.call(&agent).wait().map(|it| it.status().as_u16());
        let call = || std::panic::catch_unwind(std::panic::AssertUnwindSafe(call));
        assert!(call().is_err(), "the panic reaches the one that drove it");
        match (part, call().unwrap()) {
            ("/sessioninfo", told) => assert_eq!(told.unwrap(), 401, "the pod could not tell"),
            (_, told) => assert_eq!(told.unwrap_err().code(), "session_source_panicked"),
        }
    }
}
