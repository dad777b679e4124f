//! What credentials that are refused cost a server: the same, whether it knows the user or not.

use super::{PASSWORD, REALM, USER, challenged, ha1, uri};
use crate::case::{Call, Group, call, floor, ours};
use auth_core::{MemoryReplayStore, RequestView, SystemClock, SystemRandom, Verifier as _};
use auth_digest::{Digest, DigestAccounts, DigestAlgorithm, DigestVerifier, Nonces};
use http::{HeaderMap, Method};
use std::hint::black_box;

pub fn group() -> Group {
    let cases = vec![
        floor("a user with another password", || refused(USER)),
        ours("a user that is not known", Some(1.02), 11, || refused("Nobody")),
    ];
    Group {
        name: "digest-refuse",
        input: "SHA-256, another password; through dyn Verifier, accounts and nonces",
        cases,
    }
}

fn refused(user: &str) -> Call {
    let mut accounts = DigestAccounts::new();
    accounts.add(USER, REALM, ha1(DigestAlgorithm::Sha256)).expect("an account");
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
