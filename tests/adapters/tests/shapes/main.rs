//! Stand-ins for what is next, written against the public shapes alone and driven by several threads and cancelled callers.
//!
//! They are no implementations. What they show is that the shapes carry the dialogues of the log-ins, of redeemed
//! authorizations, of webhooks under six kinds of authorization and of a registry of credentials. That a body signature
//! and an API key hold together, with an effect once, is shown by auth-tower's own `tests/effect_once.rs`.

mod exclusive;
mod kinds;
mod redeemed;
mod registry;
mod symphony;

use auth_core::{Context, Exchange, Flow, Result, Transport};
use auth_testing::{ManualClock, SeededRandom};
use http::{Request, Response, StatusCode};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Poll, Waker},
    thread,
    time::{Duration, Instant},
};

type Server = dyn Fn(&Request<Vec<u8>>) -> Result<Response<Vec<u8>>> + Send + Sync;

/// A server in this process that takes a moment for each answer, and a transport with a background of threads.
#[derive(Clone)]
struct World(Arc<(Box<Server>, AtomicU64)>);

impl World {
    fn new(
        server: impl Fn(&Request<Vec<u8>>) -> Result<Response<Vec<u8>>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new((Box::new(server), AtomicU64::new(0))))
    }

    fn context(&self, clock: &ManualClock) -> Context {
        Context::new(self.clone()).with_clock(clock.clone()).with_random(SeededRandom::new(1))
    }
}

impl Transport for World {
    fn fetch(&self, request: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        let mut yielded = 0;
        let turn = self.0.1.fetch_add(1, Ordering::Relaxed) % 3;
        Flow::new(std::future::poll_fn(move |context| {
            if yielded <= turn {
                yielded += 1;
                thread::yield_now();
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready((self.0.0)(request.request()))
        }))
    }

    /// Fifty times as fast as it was asked.
    fn pause(&self, duration: Duration) -> Flow<'_, ()> {
        let until = Instant::now() + duration / 50;
        Flow::new(std::future::poll_fn(move |context| {
            if Instant::now() >= until {
                return Poll::Ready(Ok(()));
            }
            thread::yield_now();
            context.waker().wake_by_ref();
            Poll::Pending
        }))
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        thread::spawn(move || work.wait());
        None
    }
}

fn status(code: u16) -> Result<Response<Vec<u8>>> {
    answer(code, "")
}

fn answer(code: u16, body: &str) -> Result<Response<Vec<u8>>> {
    let mut answer = Response::new(body.as_bytes().to_vec());
    *answer.status_mut() = StatusCode::from_u16(code).unwrap();
    Ok(answer)
}

fn request(url: &str) -> Exchange {
    Request::get(url).body(Vec::new()).unwrap().into()
}

/// Polls a caller so many times and drops it: it has given up.
fn give_up<T>(mut flow: Flow<'_, T>, polls: usize) {
    let mut task = std::task::Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if Future::poll(Pin::new(&mut flow), &mut task).is_ready() {
            return;
        }
    }
}
