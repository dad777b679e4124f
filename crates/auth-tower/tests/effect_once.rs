//! A receiver of deliveries: an API key and a signature over the body must both hold, and each delivery takes effect
//! once, over a store that answers late.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use auth_core::*;
use auth_tower::{CheckedBody, VerifyLayer};
use bytes::Bytes;
use common::Codes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use std::{
    convert::Infallible,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Handle, time::timeout};
use tower::{Layer, ServiceExt, service_fn};

const LATE: Duration = Duration::from_millis(20);

const fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

/// Begins nothing before it is polled, and answers late.
#[derive(Clone)]
struct Late(Arc<MemoryReplayStore>);

impl Late {
    fn answer<T: Send + 'static>(
        &self,
        ask: impl Fn(&MemoryReplayStore) -> Flow<'_, T> + Send + 'static,
    ) -> Flow<'static, T> {
        let store = Arc::clone(&self.0);
        Flow::new(async move {
            tokio::time::sleep(LATE).await;
            ask(&store).await
        })
    }
}

/// Runs what is detached on a runtime.
struct Spawns(Handle);

impl Transport for Spawns {
    fn fetch(&self, _: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        panic!("fetched")
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        panic!("paused")
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        self.0.spawn(work);
        None
    }
}

const HOLD: Duration = Duration::from_secs(60);

fn unique(id: &[u8]) -> Unique {
    Unique::new("hooks", b"acme", id, at(9999))
}

/// What a delivery has reserved: it becomes final with a good reply, and free again without.
struct Delivery {
    store: Late,
    transport: Arc<dyn Transport>,
    reserved: Option<(Vec<u8>, ReservationTicket)>,
}

impl Delivery {
    fn settle(
        store: &Late,
        (id, ticket): (Vec<u8>, ReservationTicket),
        done: bool,
    ) -> Flow<'static, bool> {
        store.answer(move |store| {
            if id == b"the store panics" && done {
                panic!("bug in the store");
            }
            if done {
                store.confirm(&unique(&id), ticket)
            } else {
                store.release(&unique(&id), ticket)
            }
        })
    }
}

impl Completion for Delivery {
    fn complete<'r>(mut self: Box<Self>, reply: HandlerReply<'r>) -> Flow<'r, HeaderMap> {
        let Some(reserved) = self.reserved.take() else { return Flow::ready(HeaderMap::new()) };
        let settled = Self::settle(&self.store, reserved, reply.status.is_success());
        finish_even_if_dropped(&*self.transport, settled).map(|_| HeaderMap::new())
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(reserved) = self.reserved.take() {
            let released = Self::settle(&self.store, reserved, false).map(drop);
            let _ = self.transport.detach(released);
        }
    }
}

const WRONG: Reason = Reason::new("test_wrong", "credentials are wrong");
const SEEN: Reason = Reason::new("test_seen", "delivery was taken before");

/// Holds a field to the length of the body, which is what a signature is here.
#[derive(Clone)]
struct Signed {
    store: Late,
    transport: Arc<dyn Transport>,
}

impl Verifier for Signed {
    type Principal = ();

    fn presence(&self, head: RequestView<'_>) -> Presence {
        if head.headers.contains_key("signature") { Presence::Present } else { Presence::Absent }
    }

    fn needs(&self, _: RequestView<'_>) -> Need {
        Need::Bytes { limit: 1024 }
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<()>> {
        let expected = match request.body {
            Body::Bytes(body) => body.len().to_string(),
            _ => return Flow::ready(Err(Rejection::forbidden(WRONG))),
        };
        if request.headers.get("signature").is_none_or(|given| *given != *expected) {
            return Flow::ready(Err(Rejection::forbidden(WRONG)));
        }
        let Body::Bytes(body) = request.body else { panic!("unread") };
        let id = body.to_vec();
        let reserving = id.clone();
        let reserved = self.store.answer(move |store| store.reserve(&unique(&reserving), HOLD));
        reserved.map(move |reserved| match reserved {
            ReservationOutcome::Reserved(ticket) => {
                let (store, transport) = (self.store.clone(), Arc::clone(&self.transport));
                let reserved = Some((id, ticket));
                Ok(Accepted::new("Signature", ()).with_completion(Delivery {
                    store,
                    transport,
                    reserved,
                }))
            }
            _ => Err(Rejection::forbidden(SEEN)),
        })
    }
}

fn key() -> impl Verifier<Principal = &'static str> {
    verifier_fn(
        |head| match head.headers.contains_key("key") {
            true => Presence::Present,
            false => Presence::Absent,
        },
        |request| {
            let good = request.headers.get("key").is_some_and(|key| key == "k");
            let accepted = Ok(Accepted::new("ApiKey", "acme"));
            Flow::ready(if good { accepted } else { Err(Rejection::forbidden(WRONG)) })
        },
    )
}

fn sender((sender, ()): (&'static str, ())) -> &'static str {
    sender
}

struct Stage {
    store: Late,
    signed: Signed,
    codes: Codes,
    handled: Arc<AtomicUsize>,
}

type Delivered = Request<CheckedBody<Full<Bytes>>>;

impl Stage {
    fn new() -> Self {
        let store = Late(Arc::new(MemoryReplayStore::new(at(1000))));
        let transport = Arc::new(Spawns(Handle::current()));
        let signed = Signed { store: store.clone(), transport };
        Self { store, signed, codes: Codes::default(), handled: Arc::default() }
    }

    /// Delivers `body` to a handler, under this key and with a signature of its own length or another.
    async fn deliver<F>(
        &self,
        body: &'static str,
        (key_, signature): (&str, usize),
        handler: impl Fn(Delivered) -> F + Clone + Send + 'static,
    ) -> StatusCode
    where
        F: Future<Output = StatusCode> + Send + 'static,
    {
        let handled = Arc::clone(&self.handled);
        let door = AllOf(key(), self.signed.clone()).map(sender);
        let layer = VerifyLayer::new(door).with_observer(self.codes.clone());
        let service = layer.layer(service_fn(move |request: Delivered| {
            handled.fetch_add(1, Ordering::SeqCst);
            let replied = handler(request);
            async move {
                let mut response = Response::new(Full::new(Bytes::new()));
                *response.status_mut() = replied.await;
                Ok::<_, Infallible>(response)
            }
        }));
        let request = Request::post("/")
            .header("key", key_)
            .header("signature", signature)
            .body(Full::new(Bytes::from_static(body.as_bytes())));
        service.oneshot(request.unwrap()).await.unwrap().status()
    }

    /// How the store knows a delivery, once all that was begun has ended.
    async fn known(&self, body: &str) -> &'static str {
        tokio::time::sleep(LATE * 4).await;
        let told = self.store.0.reserve(&unique(body.as_bytes()), HOLD).await.unwrap();
        match told {
            ReservationOutcome::Reserved(_) => "free",
            ReservationOutcome::Held => "held",
            ReservationOutcome::Done => "done",
            _ => "unknown",
        }
    }

    fn handled(&self) -> usize {
        self.handled.load(Ordering::SeqCst)
    }
}

async fn good(_: Delivered) -> StatusCode {
    StatusCode::OK
}

#[tokio::test(start_paused = true)]
async fn a_delivery_takes_effect_once_and_both_must_hold() {
    let stage = Stage::new();
    assert_eq!(stage.deliver("body", ("wrong", 4), good).await, 403);
    assert_eq!(stage.deliver("body", ("k", 5), good).await, 403);
    assert_eq!((stage.handled(), stage.known("body").await), (0, "free"));
    let stage = Stage::new();
    assert_eq!(stage.deliver("body", ("k", 4), good).await, 200);
    assert_eq!(stage.deliver("body", ("k", 4), good).await, 403);
    assert_eq!((stage.handled(), stage.known("body").await), (1, "done"));
    assert_eq!(stage.codes.take(), ["ApiKey", "test_seen"]);
}

#[tokio::test(start_paused = true)]
async fn of_many_at_once_one_takes_effect() {
    let stage = Stage::new();
    let all = std::iter::repeat_with(|| stage.deliver("body", ("k", 4), good)).take(8);
    let mut served = 0;
    for status in futures_util::future::join_all(all).await {
        served += usize::from(status == 200);
    }
    assert_eq!((served, stage.handled(), stage.known("body").await), (1, 1, "done"));
}

#[tokio::test(start_paused = true)]
async fn a_delivery_without_a_good_reply_is_free_again() {
    let failed = Stage::new();
    let fails = |_| async { StatusCode::INTERNAL_SERVER_ERROR };
    assert_eq!(failed.deliver("body", ("k", 4), fails).await, 500);
    assert_eq!((failed.handled(), failed.known("body").await), (1, "free"));

    let dropped = Stage::new();
    let hangs = |_| std::future::pending();
    assert!(timeout(LATE * 3, dropped.deliver("body", ("k", 4), hangs)).await.is_err());
    assert_eq!((dropped.handled(), dropped.known("body").await), (1, "free"));

    let panicked = Arc::new(Stage::new());
    let panics = |_| async { panic!("bug in the handler") };
    let staged = Arc::clone(&panicked);
    let delivery = tokio::spawn(async move { staged.deliver("body", ("k", 4), panics).await });
    assert!(delivery.await.is_err());
    assert_eq!((panicked.handled(), panicked.known("body").await), (1, "free"));
}

/// The caller hangs up 10 ms after the handler replied, while the store is still confirming.
#[tokio::test(start_paused = true)]
async fn a_confirmation_that_has_begun_is_seen_through() {
    let stage = Stage::new();
    let delivery = stage.deliver("body", ("k", 4), good);
    assert!(timeout(LATE + LATE / 2, delivery).await.is_err());
    assert_eq!((stage.handled(), stage.known("body").await), (1, "done"));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_to_confirm_does_not_undo_the_reply() {
    let stage = Stage::new();
    let body = "the store panics";
    assert_eq!(stage.deliver(body, ("k", body.len()), good).await, 200);
    assert_eq!((stage.handled(), stage.known(body).await), (1, "held"));
    assert_eq!(stage.codes.take(), ["ApiKey", "detached_work_gone"]);
}
