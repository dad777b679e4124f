//! What may be used once, at a door of several schemes, over a store that answers late or not at all.

#![allow(clippy::unwrap_used)]

use auth_core::{
    Accepted, AnyOf, Challenge, Error, Flow, MemoryReplayStore, Need, Outcome, Presence, Reason,
    Rejection, ReplayOutcome, ReplayRejections, ReplayStore, RequestView, ReservationOutcome,
    ReservationTicket, Result, SystemClock, TenantId, Timestamp, Unique, Verifier,
};
use http::{HeaderMap, Method, Uri};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

/// Accepts a request with this field, whose value is what may be used once.
struct Signed(&'static str, Arc<ReplayRejections>);

fn signed(field: &'static str) -> Signed {
    let refused = |code| {
        let challenge = Challenge::build(field).finish().unwrap();
        Rejection::unauthenticated(Reason::new(code, "refused"), challenge)
    };
    let (missing, seen, too_old) = (refused("missing"), refused("seen"), refused("too_old"));
    Signed(field, Arc::new(ReplayRejections { missing, seen, too_old }))
}

impl Verifier for Signed {
    type Principal = &'static str;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        if head.headers.contains_key(self.0) { Presence::Present } else { Presence::Absent }
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<&'static str>> {
        let accepted = Accepted::new("Signed", self.0);
        Flow::ready(match request.headers.get(self.0).map(|id| id.as_bytes()) {
            None | Some(b"wrong") => Err(self.1.missing.clone()),
            Some(b"") => Ok(accepted.with_unique(None, &self.1)),
            Some(id) => {
                let last = NOW.after(Duration::from_secs(60));
                let unique = Unique::new("signed", self.0.as_bytes(), id, last).issued_at(NOW);
                Ok(accepted.with_unique(Some(unique), &self.1))
            }
        })
    }
}

/// Signs nothing that could be used once, and has to see a body.
struct Open;

impl Verifier for Open {
    type Principal = &'static str;

    fn presence(&self, _: RequestView<'_>) -> Presence {
        Presence::Present
    }

    fn needs(&self, _: RequestView<'_>) -> Need {
        Need::Bytes { limit: 7 }
    }

    fn verify<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Outcome<&'static str>> {
        Flow::ready(Ok(Accepted::new("Open", "open")))
    }
}

fn told(door: &dyn Verifier<Principal = &'static str>, fields: &[(&'static str, &str)]) -> String {
    let (uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
    for (name, value) in fields {
        headers.insert(*name, value.parse().unwrap());
    }
    match door.verify(RequestView::new(&Method::GET, &uri, &headers)).wait() {
        Ok(Ok(accepted)) => accepted.principal.to_owned(),
        Ok(Err(rejection)) => rejection.reason().code.to_owned(),
        Err(error) => error.code().to_owned(),
    }
}

fn store() -> Arc<MemoryReplayStore> {
    Arc::new(MemoryReplayStore::new(NOW))
}

#[test]
fn each_scheme_of_a_door_says_what_is_used_once_and_refuses_in_its_own_words() {
    let door = AnyOf::new(signed("a")).or(signed("b")).map(|field| field).once(store());
    assert_eq!(told(&door, &[("a", "1")]), "a");
    assert_eq!(told(&door, &[("b", "1")]), "b");
    assert_eq!(told(&door, &[("a", "1")]), "seen");
    assert_eq!(told(&door, &[("a", "")]), "missing");
    assert_eq!(told(&door, &[("a", "wrong")]), "missing");
}

#[test]
fn what_is_refused_uses_nothing_up() {
    let kept = store();
    let door = signed("a").once(Arc::clone(&kept));
    told(&door, &[("a", "wrong")]);
    told(&door, &[]);
    assert!(kept.is_empty());
}

#[test]
fn tenants_use_up_nothing_of_one_another() {
    let kept = store();
    let of = |tenant: &str| signed("a").once(Arc::clone(&kept)).with_tenant(TenantId::new(tenant));
    let (acme, globex) = (of("acme"), of("globex"));
    for expected in ["a", "seen"] {
        assert_eq!(told(&acme, &[("a", "1")]), expected);
        assert_eq!(told(&globex, &[("a", "1")]), expected);
    }
}

#[test]
fn it_needs_what_its_scheme_needs_and_is_there_when_that_is() {
    let (uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
    let open = Open.once(store());
    let needs = open.needs(RequestView::new(&Method::GET, &uri, &headers));
    assert_eq!(needs, Need::Bytes { limit: 7 });
    let door = signed("a").once(store());
    for expected in [Presence::Absent, Presence::Present] {
        let head = RequestView::new(&Method::GET, &uri, &headers);
        assert_eq!((door.presence(head), door.needs(head)), (expected, Need::Nothing));
        headers.insert("a", "1".parse().unwrap());
    }
}

#[test]
fn a_scheme_without_anything_single_is_a_fault_of_the_configuration() {
    assert_eq!(told(&Open.once(MemoryReplayStore::new(SystemClock)), &[]), "once_nothing_single");
}

/// Answers at the second look.
struct Late(Result<ReplayOutcome>);

impl ReplayStore for Late {
    fn check_and_set(&self, _: &Unique) -> Flow<'_, ReplayOutcome> {
        struct Second(bool);
        impl Future for Second {
            type Output = ();
            fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
                if std::mem::replace(&mut self.0, true) {
                    return Poll::Ready(());
                }
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
        Flow::new(async {
            Second(false).await;
            self.0.clone()
        })
    }
    fn window(&self, _: &Unique, _: u64, _: u32) -> Flow<'_, ReplayOutcome> {
        self.0.clone().into()
    }
    fn reserve(&self, _: &Unique, _: Duration) -> Flow<'_, ReservationOutcome> {
        Flow::ready(ReservationOutcome::Full)
    }
    fn confirm(&self, _: &Unique, _: ReservationTicket) -> Flow<'_, bool> {
        Flow::ready(false)
    }
    fn release(&self, _: &Unique, _: ReservationTicket) -> Flow<'_, bool> {
        Flow::ready(false)
    }
}

#[test]
fn only_a_store_that_says_fresh_lets_a_request_pass() {
    for (says, expected) in [
        (Ok(ReplayOutcome::Fresh), "a"),
        (Ok(ReplayOutcome::Seen), "seen"),
        (Ok(ReplayOutcome::TooOld), "too_old"),
        (Ok(ReplayOutcome::Full), "replay_store_full"),
        (Err(Error::transport("down", "nobody answers")), "down"),
    ] {
        assert_eq!(told(&signed("a").once(Late(says)), &[("a", "1")]), expected);
    }
}

#[test]
fn of_many_requests_at_once_one_passes() {
    let door = signed("a").once(store());
    let passed = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| u32::from(told(&door, &[("a", "1")]) == "a"))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u32>()
    });
    assert_eq!(passed, 1);
}
