//! HTTP Digest: answering a challenge that has just come, one that is kept, and verifying.

mod floors;
mod peers;
mod slopes;

use auth_core::{
    Answer, Authenticator, Authorization, Body, Credentials, HandlerReply, MemoryReplayStore,
    RequestView, SystemClock, SystemRandom, Verifier as _,
};
use auth_digest::{
    Digest, DigestAccounts, DigestAlgorithm, DigestChallenge, DigestMessage, DigestProtection,
    DigestResponse, DigestVerifier, Ha1, Md5Allowed, NonceCount, NonceUse, Nonces,
};
use harness::case::{Call, Group, call, floor, ours, peer};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use std::hint::black_box;

const USER: &str = "Mufasa";
const PASSWORD: &str = "Circle of Life";
const REALM: &str = "http-auth@example.org";
const NONCE: &str = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
const TARGET: &str = "/dir/index.html";

pub fn groups() -> Vec<Group> {
    let mut groups = vec![
        Group {
            name: "digest-md5",
            input: "the challenge of RFC 7616 section 3.9.1, read and answered; pure function",
            cases: vec![
                floor("md-5: its three hashes", || floors::three(floors::md5)),
                ours("auth-digest", Some(2.0), 1, || answered(DigestAlgorithm::Md5)),
                peer("http-auth", || peers::http_auth(DigestAlgorithm::Md5, false)),
                peer("digest_auth", || peers::digest_auth(DigestAlgorithm::Md5, false)),
            ],
        },
        Group {
            name: "digest-md5-kept",
            input: "the same, the challenge kept",
            cases: vec![
                floor("md-5: its two hashes", || floors::two(floors::md5)),
                ours("auth-digest", Some(1.5), 1, || kept(DigestAlgorithm::Md5)),
                peer("http-auth", || peers::http_auth(DigestAlgorithm::Md5, true)),
                peer("digest_auth", || peers::digest_auth(DigestAlgorithm::Md5, true)),
            ],
        },
        Group {
            name: "digest-sha256",
            input: "the challenge of RFC 7616 section 3.9.1, read and answered; pure function",
            cases: vec![
                floor("sha2: its three hashes", || floors::three(floors::sha256)),
                ours("auth-digest", Some(1.4), 1, || answered(DigestAlgorithm::Sha256)),
                peer("http-auth", || peers::http_auth(DigestAlgorithm::Sha256, false)),
                peer("digest_auth", || peers::digest_auth(DigestAlgorithm::Sha256, false)),
            ],
        },
        Group {
            name: "digest-sha256-kept",
            input: "the same, the challenge kept",
            cases: vec![
                floor("sha2: its two hashes", || floors::two(floors::sha256)),
                ours("auth-digest", Some(1.2), 1, || kept(DigestAlgorithm::Sha256)),
                peer("http-auth", || peers::http_auth(DigestAlgorithm::Sha256, true)),
                peer("digest_auth", || peers::digest_auth(DigestAlgorithm::Sha256, true)),
            ],
        },
        Group {
            name: "digest-verify-md5",
            input: "the answer of RFC 7616 section 3.9.1, HA1 in hand; pure function",
            cases: vec![
                floor("md-5: its two hashes", || floors::two(floors::md5)),
                ours("auth-digest", Some(1.3), 0, || verified(DigestAlgorithm::Md5)),
            ],
        },
        Group {
            name: "digest-verify-sha256",
            input: "the answer of RFC 7616 section 3.9.1, HA1 in hand; pure function",
            cases: vec![
                floor("sha2: its two hashes", || floors::two(floors::sha256)),
                ours("auth-digest", Some(1.3), 0, || verified(DigestAlgorithm::Sha256)),
            ],
        },
        Group {
            name: "digest-verifier",
            input: "SHA-256, a count each; through dyn Verifier, accounts, nonces and replay store",
            cases: vec![
                floor("sha2: its two hashes, and the nonce's MAC", floors::two_and_mac),
                ours("auth-digest", None, 4, || through_the_trait(DigestAlgorithm::Sha256)),
                ours("auth-digest, and its reply", None, 7, replied),
            ],
        },
    ];
    groups.extend(slopes::groups());
    groups
}

fn challenge(algorithm: DigestAlgorithm) -> String {
    format!(
        "Digest realm=\"{REALM}\", qop=\"auth\", algorithm={algorithm}, nonce=\"{NONCE}\", \
         opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
    )
}

fn message() -> DigestMessage<'static> {
    let count = NonceUse { nc: NonceCount::FIRST, cnonce: CNONCE.as_bytes() };
    let (uri, nonce) = (TARGET.as_bytes(), NONCE.as_bytes());
    DigestMessage { method: "GET", uri, nonce, protection: DigestProtection::Auth(count) }
}

fn answered(algorithm: DigestAlgorithm) -> Call {
    let (field, message) = (challenge(algorithm), message());
    call(move || {
        let challenge = DigestChallenge::parse(black_box(field.as_bytes())).expect("a challenge");
        challenge.respond(USER, PASSWORD.as_bytes(), black_box(&message)).expect("a field")
    })
}

/// A client that has been challenged.
fn client(algorithm: DigestAlgorithm) -> Digest {
    let digest = Digest::new(USER, PASSWORD, SystemRandom::new()).expect("a client");
    let (uri, none, mut asked) = (uri(), HeaderMap::new(), HeaderMap::new());
    let field = HeaderValue::try_from(challenge(algorithm)).expect("a field");
    asked.insert(header::WWW_AUTHENTICATE, field);
    let view = RequestView::new(&Method::GET, &uri, &none);
    let answer = Answer::new(view, StatusCode::UNAUTHORIZED, &asked);
    digest.assess(&Credentials::none(), answer);
    digest
}

fn uri() -> Uri {
    Uri::from_static("https://www.example.org/dir/index.html")
}

fn kept(algorithm: DigestAlgorithm) -> Call {
    let (digest, uri, headers) = (client(algorithm), uri(), HeaderMap::new());
    call(move || {
        let view = RequestView::new(&Method::GET, black_box(&uri), black_box(&headers));
        digest.present(view).expect("credentials").expect("a kept challenge")
    })
}

fn ha1(algorithm: DigestAlgorithm) -> Ha1 {
    Ha1::new(algorithm.function(), USER, REALM.as_bytes(), PASSWORD.as_bytes())
}

fn verified(algorithm: DigestAlgorithm) -> Call {
    let ha1 = ha1(algorithm);
    let challenge = challenge(algorithm);
    let challenge = DigestChallenge::parse(challenge.as_bytes()).expect("a challenge");
    let field = challenge.respond(USER, PASSWORD.as_bytes(), &message()).expect("a field");
    call(move || {
        let field = Authorization::parse(black_box(field.as_bytes())).expect("a scheme");
        let read = DigestResponse::parse(field.credentials()).expect("credentials");
        let session = ha1.session(read.algorithm(), &read.nonce, CNONCE.as_bytes());
        let message = read.message("GET", None).expect("a message");
        assert!(session.response(&message).matches(read.response));
    })
}

/// A caller that counts, since each count passes once.
fn through_the_trait(algorithm: DigestAlgorithm) -> Call {
    let (door, requests) = door_and_requests(algorithm);
    let (uri, mut next) = (uri(), 0);
    call(move || {
        let headers = &requests[next % requests.len()];
        next += 1;
        let view = RequestView::new(&Method::GET, black_box(&uri), black_box(headers));
        door.verify(view).wait().expect("told").expect("accepted").principal
    })
}

/// A verifier, and requests that it takes.
fn door_and_requests(
    algorithm: DigestAlgorithm,
) -> (Box<dyn auth_core::Verifier<Principal = usize>>, Vec<HeaderMap>) {
    let mut accounts = DigestAccounts::new();
    accounts.add(USER, REALM, ha1(algorithm)).expect("an account");
    let nonces = Nonces::of_this_process(SystemRandom::new(), SystemClock).expect("nonces");
    let replay = MemoryReplayStore::new(SystemClock);
    let door = DigestVerifier::new(REALM, accounts, nonces, replay).expect("a verifier");
    let door = door.with_md5(Md5Allowed::Anywhere).with_algorithms(&[algorithm]).expect("an offer");
    let none = HeaderMap::new();
    let digest = Digest::new(USER, PASSWORD, SystemRandom::new()).expect("a client");
    strangers::digest::challenged(&digest, &door);
    let requests = (0..10_000).map(move |_| {
        let (mut uri, mut headers) = (self::uri(), HeaderMap::new());
        let view = RequestView::new(&Method::GET, &uri, &none);
        let made = digest.present(view).expect("credentials").expect("a kept challenge");
        made.commit(&mut uri, &mut headers).expect("committed");
        headers
    });
    let requests = requests.collect();
    (Box::new(door.map(|caller: auth_digest::DigestPrincipal| caller.user.len())), requests)
}

/// The same, and what the reply carries: the proof that the server knows the password too.
fn replied() -> Call {
    let (door, requests) = door_and_requests(DigestAlgorithm::Sha256);
    let (uri, none, mut next) = (uri(), HeaderMap::new(), 0);
    call(move || {
        let headers = &requests[next % requests.len()];
        next += 1;
        let view = RequestView::new(&Method::GET, black_box(&uri), black_box(headers));
        let mut accepted = door.verify(view).wait().expect("told").expect("accepted");
        let completion = accepted.take_obligations().completions.pop().expect("a proof");
        let reply = HandlerReply::new(StatusCode::OK, &none, Body::Unread);
        completion.complete(reply).wait().expect("a proof")
    })
}
