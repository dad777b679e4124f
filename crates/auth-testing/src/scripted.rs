//! A transport that plays the server.

use auth_core::{Exchange, Flow, Result, Transport};
use http::{Request, Response};
use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Poll, Waker},
    time::Duration,
};

type Answer = dyn Fn(&Request<Vec<u8>>) -> Result<Response<Vec<u8>>> + Send + Sync;

/// A transport whose answers come from a closure, at once or when a [`Gate`] opens.
///
/// It has no background unless it is given one: work that is detached comes back, as it does where there is no runtime.
/// A clone is the same transport.
#[derive(Clone)]
pub struct ScriptedTransport(Arc<Inner>);

struct Inner {
    answer: Box<Answer>,
    gate: Gate,
    pausing: Gate,
    exchanges: AtomicU64,
    paused: Mutex<Vec<Duration>>,
    background: Option<Mutex<VecDeque<Flow<'static, ()>>>>,
}

impl ScriptedTransport {
    /// A transport that asks `answer`.
    pub fn new(
        answer: impl Fn(&Request<Vec<u8>>) -> Result<Response<Vec<u8>>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            answer: Box::new(answer),
            gate: Gate::opened(),
            pausing: Gate::opened(),
            exchanges: AtomicU64::new(0),
            paused: Mutex::default(),
            background: None,
        }))
    }

    /// With another gate for its answers, instead of one that is open. To be called before it is shared.
    #[must_use]
    pub fn with_gate(self, gate: Gate) -> Self {
        self.changed(|inner| inner.gate = gate)
    }

    /// With a gate for its pauses: they take no time unless it is closed, and then until it is opened. To be called before
    /// it is shared.
    #[must_use]
    pub fn with_pause_gate(self, gate: Gate) -> Self {
        self.changed(|inner| inner.pausing = gate)
    }

    /// With a background: detached work is kept until [`run`](Self::run) is called. To be called before it is shared.
    #[must_use]
    pub fn with_background(self) -> Self {
        self.changed(|inner| inner.background = Some(Mutex::default()))
    }

    /// Runs all detached work to its end, that which it detaches included. Returns how much there was.
    pub fn run(&self) -> usize {
        let mut ran = 0;
        while let Some(work) = self.detached() {
            // What the work came to is for those who watch it.
            let _ = work.wait();
            ran += 1;
        }
        ran
    }

    /// How many requests it was given.
    #[must_use]
    pub fn exchanges(&self) -> u64 {
        self.0.exchanges.load(Ordering::Relaxed)
    }

    /// How long it was asked to pause, each time. No pause takes any time, unless it is [behind a
    /// gate](Self::with_pause_gate).
    #[must_use]
    pub fn pauses(&self) -> Vec<Duration> {
        lock(&self.0.paused).clone()
    }

    fn detached(&self) -> Option<Flow<'static, ()>> {
        self.0.background.as_ref().and_then(|background| lock(background).pop_front())
    }

    fn changed(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            change(inner);
        }
        self
    }
}

impl Transport for ScriptedTransport {
    fn fetch(&self, request: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        self.0.exchanges.fetch_add(1, Ordering::Relaxed);
        let inner = Arc::clone(&self.0);
        self.0.gate.pass().and_then(move |()| Flow::from((inner.answer)(request.request())))
    }

    fn pause(&self, duration: Duration) -> Flow<'_, ()> {
        lock(&self.0.paused).push(duration);
        self.0.pausing.pass()
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        match &self.0.background {
            None => Some(work),
            Some(background) => {
                lock(background).push_back(work);
                None
            }
        }
    }
}

impl fmt::Debug for ScriptedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScriptedTransport({} exchanges)", self.exchanges())
    }
}

/// Holds answers back until it is opened: a server that takes its time. A clone is the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<GateState>);

#[derive(Debug)]
struct GateState {
    open: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

impl Gate {
    /// A gate that lets everything pass.
    #[must_use]
    pub fn opened() -> Self {
        Self(Arc::new(GateState { open: AtomicBool::new(true), waiting: Mutex::default() }))
    }

    /// A gate that lets nothing pass.
    #[must_use]
    pub fn closed() -> Self {
        let gate = Self::opened();
        gate.close();
        gate
    }

    /// Lets everything pass from now on.
    pub fn open(&self) {
        self.0.open.store(true, Ordering::SeqCst);
        // Outside the lock: whoever is woken may come here at once.
        let waiting = std::mem::take(&mut *lock(&self.0.waiting));
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Lets nothing pass from now on.
    pub fn close(&self) {
        self.0.open.store(false, Ordering::SeqCst);
    }

    /// Is done when the gate is open; at once if it is open now.
    pub fn pass(&self) -> Flow<'static, ()> {
        if self.0.open.load(Ordering::SeqCst) {
            return Flow::ready(());
        }
        let held = Arc::clone(&self.0);
        Flow::new(poll_fn(move |context| {
            // Registered before it looks, so that an opening in between is not missed.
            let waker = context.waker().clone();
            lock(&held.waiting).push(waker);
            if held.open.load(Ordering::SeqCst) { Poll::Ready(Ok(())) } else { Poll::Pending }
        }))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        future::Future,
        pin::Pin,
        sync::mpsc,
        task::{Context, Wake},
        thread,
    };

    /// A waker that polls what it wakes at once, as some executors do.
    struct Eager(Mutex<Flow<'static, ()>>, mpsc::Sender<bool>);

    impl Wake for Eager {
        fn wake(self: Arc<Self>) {
            let waker = Waker::from(Arc::clone(&self));
            let polled = Pin::new(&mut *lock(&self.0)).poll(&mut Context::from_waker(&waker));
            self.1.send(polled.is_ready()).unwrap();
        }
    }

    #[test]
    fn whoever_is_woken_by_a_gate_may_pass_at_once() {
        let (gate, (send, polled)) = (Gate::closed(), mpsc::channel());
        let eager = Arc::new(Eager(Mutex::new(gate.pass()), send));
        eager.wake();
        assert_eq!(polled.recv(), Ok(false));
        thread::spawn(move || gate.open());
        assert_eq!(polled.recv_timeout(Duration::from_secs(10)), Ok(true));
    }
}
