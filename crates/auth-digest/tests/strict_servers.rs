//! Hundreds of requests at once before servers that take a nonce once, or count in a window that is smaller than the
//! number of requests under way: a right password never ends in a 401, and a wrong one is tried once for each request.

#![allow(clippy::unwrap_used, clippy::panic)]

use auth_core::{
    Authorization, Exchange, Flow, HandlerReply, MemoryReplayStore, Peer, RequestView, SystemClock,
    SystemRandom, Transport, Verifier as _,
};
use auth_digest::{
    Digest, DigestAccounts, DigestAlgorithm, DigestResponse, DigestVerifier, Ha1, HashFunction,
    Nonces, OfferedQop,
};
use http::{HeaderMap, Request, Response, StatusCode, header::WWW_AUTHENTICATE};
use std::{
    collections::HashMap,
    sync::{
        Barrier, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// A server of other people, which never says `stale`.
struct Strict {
    /// What is left of each nonce: the counts that it takes.
    nonces: Mutex<HashMap<String, Taken>>,
    counting: Counting,
    password: &'static str,
    issued: AtomicUsize,
    refused_with_a_right_hash: AtomicUsize,
    tries: AtomicUsize,
}

#[derive(Clone, Copy, Debug)]
enum Counting {
    /// Each nonce serves once.
    Once,
    /// Each count is one more than the last.
    InOrder,
    /// A count may be so far behind the highest one, and none comes twice.
    Window(u32),
}

/// The counts that a nonce was used with, the highest last.
#[derive(Default)]
struct Taken(Vec<u32>);

impl Taken {
    fn take(&mut self, counting: Counting, count: u32) -> bool {
        let highest = self.0.iter().copied().max().unwrap_or(0);
        let fits = match counting {
            Counting::Once => self.0.is_empty() && count == 1,
            Counting::InOrder => count == highest + 1,
            Counting::Window(width) => count + width > highest && !self.0.contains(&count),
        };
        if fits {
            self.0.push(count);
        }
        fits
    }
}

impl Strict {
    fn new(counting: Counting, password: &'static str) -> Self {
        Self {
            nonces: Mutex::default(),
            counting,
            password,
            issued: AtomicUsize::new(0),
            refused_with_a_right_hash: AtomicUsize::new(0),
            tries: AtomicUsize::new(0),
        }
    }

    fn takes(&self, request: &Request<Vec<u8>>) -> bool {
        let Some(field) = request.headers().get("authorization") else { return false };
        let field = Authorization::parse(field.as_bytes()).unwrap();
        let sent = DigestResponse::parse(field.credentials()).unwrap();
        let counted = sent.counted.as_ref().unwrap();
        let ha1 = Ha1::new(HashFunction::Sha256, "alice", b"r", self.password.as_bytes());
        let session = ha1.session(DigestAlgorithm::Sha256, &sent.nonce, &counted.cnonce);
        let message = sent.message("GET", None).unwrap();
        if !session.response(&message).matches(sent.response) {
            self.tries.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        let nonce = std::str::from_utf8(&sent.nonce).unwrap();
        let mut nonces = self.nonces.lock().unwrap();
        let taken = nonces.get_mut(nonce).unwrap().take(self.counting, counted.nc.number());
        if !taken {
            self.refused_with_a_right_hash.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    fn answer(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        if self.takes(request) {
            return Response::new(Vec::new());
        }
        let nonce = format!("n{}", self.issued.fetch_add(1, Ordering::Relaxed));
        let field =
            format!("Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\", algorithm=SHA-256");
        self.nonces.lock().unwrap().insert(nonce, Taken::default());
        Response::builder().status(401).header(WWW_AUTHENTICATE, field).body(Vec::new()).unwrap()
    }
}

/// A connection of each request to the server. Before the first answer all of the requests have arrived.
struct Wire<'a> {
    server: &'a Server<'a>,
    arrived: &'a Barrier,
    sent: AtomicUsize,
}

impl Transport for Wire<'_> {
    fn fetch(&self, request: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        if self.sent.fetch_add(1, Ordering::Relaxed) == 0 {
            self.arrived.wait();
        } else {
            // Another one comes between.
            thread::yield_now();
        }
        Flow::ready((self.server)(request.request()))
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::ready(())
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}

type Server<'a> = dyn Fn(&Request<Vec<u8>>) -> Response<Vec<u8>> + Sync + 'a;

/// Sends requests at once, one thread and one loop of attempts for each; says how each of them ended, and after how many
/// attempts.
fn at_once(digest: &Digest, requests: usize, server: &Server<'_>) -> Vec<(StatusCode, usize)> {
    let arrived = Barrier::new(requests);
    thread::scope(|scope| {
        let one = || {
            let wire = Wire { server, arrived: &arrived, sent: AtomicUsize::new(0) };
            let request = Request::get("https://a.example/x").body(Vec::new()).unwrap();
            let answer = auth_core::send(&wire, digest, request.into()).wait().unwrap();
            (answer.status(), wire.sent.load(Ordering::Relaxed))
        };
        let started: Vec<_> = (0..requests)
            .map(|_| thread::Builder::new().stack_size(512 * 1024).spawn_scoped(scope, one))
            .collect();
        started.into_iter().map(|thread| thread.unwrap().join().unwrap()).collect()
    })
}

/// No request ends in a 401, none needs more than two attempts, and so it goes on.
#[track_caller]
fn check_right(server: &Server<'_>, what: &str) {
    for first in [0, 1] {
        let digest = Digest::new("alice", "s3cret", SystemRandom::new()).unwrap();
        // Either nothing is kept, or a nonce that has served.
        at_once(&digest, first, server);
        for requests in [48, 400, 400] {
            for (status, attempts) in at_once(&digest, requests, server) {
                assert_eq!(status, StatusCode::OK, "{what}, {requests} at once");
                assert!(attempts <= 2, "{what}: {attempts} attempts");
            }
        }
    }
}

#[test]
fn a_right_password_never_ends_in_a_401_however_strictly_nonces_are_counted() {
    for counting in [Counting::Once, Counting::InOrder, Counting::Window(1), Counting::Window(4)] {
        let server = Strict::new(counting, "s3cret");
        check_right(&|request| server.answer(request), &format!("{counting:?}"));
        assert_eq!(server.tries.load(Ordering::Relaxed), 0);
        let refused = server.refused_with_a_right_hash.load(Ordering::Relaxed);
        assert!(refused > 0, "{counting:?} refused nothing, so this shows nothing");
    }
}

/// RFC 2069: no counts, so that each nonce of our verifier serves once.
#[test]
fn our_own_verifier_in_its_legacy_form_takes_hundreds_at_once() {
    let mut accounts = DigestAccounts::new();
    let ha1 = Ha1::new(HashFunction::Sha256, "alice", b"r", b"s3cret");
    accounts.add("alice", "r", ha1).unwrap();
    let nonces = Nonces::of_this_process(SystemRandom::new(), SystemClock).unwrap();
    let door = DigestVerifier::new("r", accounts, nonces, MemoryReplayStore::new(SystemClock));
    let door = door.unwrap().with_qop(OfferedQop::Legacy).unwrap();
    check_right(&|request| ours(&door, request), "legacy");
}

/// What a server adapter does, over TLS.
fn ours(door: &DigestVerifier<DigestAccounts>, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
    let view = RequestView::new(request.method(), request.uri(), request.headers());
    let view = view.with_peer(Peer { encrypted: true, ..Peer::UNKNOWN });
    let mut answer = Response::new(Vec::new());
    match door.verify(view).wait().unwrap() {
        Ok(mut accepted) => {
            let (status, none) = (StatusCode::OK, HeaderMap::new());
            for completion in accepted.take_obligations().completions {
                let reply = HandlerReply::new(status, &none, auth_core::Body::Unread);
                answer.headers_mut().extend(completion.complete(reply).wait().unwrap());
            }
        }
        Err(rejection) => {
            *answer.status_mut() = rejection.status();
            for challenge in rejection.challenges() {
                answer.headers_mut().append(WWW_AUTHENTICATE, challenge.field().clone());
            }
        }
    }
    answer
}

#[test]
fn a_wrong_password_is_tried_once_for_each_of_many_requests() {
    for counting in [Counting::Once, Counting::Window(4)] {
        let server = Strict::new(counting, "another");
        let digest = Digest::new("alice", "s3cret", SystemRandom::new()).unwrap();
        for waves in 1..=3 {
            for (status, attempts) in at_once(&digest, 100, &|request| server.answer(request)) {
                assert_eq!((status, attempts), (StatusCode::UNAUTHORIZED, 2));
            }
            assert_eq!(server.tries.load(Ordering::Relaxed), waves * 100);
        }
    }
}
