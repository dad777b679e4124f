//! What credentials that are refused cost a server: the same, whether it knows the user or not.

use auth_core::{
    Answer, Authenticator as _, Credentials, MemoryReplayStore, RequestView, SystemClock,
    SystemRandom, Verifier as _,
};
use auth_digest::{Digest, DigestAccounts, DigestAlgorithm, DigestVerifier, Ha1, Nonces};
use harness::case::{Call, Group, as_first, call, floor};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use std::hint::black_box;

const USER: &str = "Mufasa";
const PASSWORD: &str = "Circle of Life";
const REALM: &str = "http-auth@example.org";

pub fn group() -> Group {
    let cases = vec![
        floor("a user with another password", || refused(USER)),
        as_first("a user that is not known", 11, || refused("Nobody")),
    ];
    Group {
        name: "strangers-digest",
        input: "SHA-256, another password; through dyn Verifier, accounts and nonces",
        cases,
    }
}

fn refused(user: &str) -> Call {
    let mut accounts = DigestAccounts::new();
    let function = DigestAlgorithm::Sha256.function();
    let ha1 = Ha1::new(function, USER, REALM.as_bytes(), PASSWORD.as_bytes());
    accounts.add(USER, REALM, ha1).expect("an account");
    let nonces = Nonces::of_this_process(SystemRandom::new(), SystemClock).expect("nonces");
    let replay = MemoryReplayStore::new(SystemClock);
    let door = DigestVerifier::new(REALM, accounts, nonces, replay).expect("a verifier");
    let guess = format!("not {PASSWORD}");
    let digest = Digest::new(user, guess.as_str(), SystemRandom::new()).expect("a client");
    challenged(&digest, &door);
    let (mut to, mut headers) = (uri(), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &to, &headers);
    let made = digest.present(view).expect("credentials").expect("a kept challenge");
    made.commit(&mut to, &mut headers).expect("committed");
    let door: Box<dyn auth_core::Verifier<Principal = usize>> =
        Box::new(door.map(|caller: auth_digest::DigestPrincipal| caller.user.len()));
    call(move || {
        let view = RequestView::new(&Method::GET, black_box(&to), black_box(&headers));
        door.verify(view).wait().expect("told").expect_err("refused")
    })
}

fn uri() -> Uri {
    Uri::from_static("https://www.example.org/dir/index.html")
}

/// Has a client hear the challenge of a verifier.
pub fn challenged(digest: &Digest, door: &DigestVerifier<DigestAccounts>) {
    let (uri, none) = (uri(), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &none);
    let refused = door.verify(view).wait().expect("told").expect_err("no credentials");
    let asked = refused.challenges().iter();
    let asked: HeaderMap =
        asked.map(|one| (header::WWW_AUTHENTICATE, one.field().clone())).collect();
    digest.assess(&Credentials::none(), Answer::new(view, StatusCode::UNAUTHORIZED, &asked));
}
