//! What a password that is refused costs a server: the same, whether it knows the user or not.

use auth_core::{Authenticator, RequestView, Secret, Verifier as _};
use auth_static::{Basic, BasicAccounts, BasicVerifier, KeyHasher};
use harness::case::{Call, Group, as_first, call, floor};
use http::{HeaderMap, Method, Uri};
use std::hint::black_box;

const USER: &str = "Mufasa";

pub fn group() -> Group {
    let cases = vec![
        floor("a user with another password", || refused(USER)),
        as_first("a user that is not known", 1, || refused("Nobody")),
    ];
    Group { name: "strangers-basic", input: "GET; through dyn Verifier and map", cases }
}

fn refused(user: &str) -> Call {
    let hasher = KeyHasher::new(&Secret::new([7; 32])).expect("a hasher");
    let accounts = BasicAccounts::new(&hasher, [(USER, "Circle of Life", "acme")]);
    let door = BasicVerifier::new("api", accounts).expect("a verifier");
    let door: Box<dyn auth_core::Verifier<Principal = usize>> = Box::new(door.map(str::len));
    let (mut uri, mut headers) = (Uri::from_static("https://www.example.org/"), HeaderMap::new());
    let basic = Basic::new(user, "another password").expect("a client");
    let view = RequestView::new(&Method::GET, &uri, &headers);
    let credentials = basic.credentials(view).wait().expect("credentials");
    credentials.commit(&mut uri, &mut headers).expect("committed");
    call(move || {
        let view = RequestView::new(&Method::GET, black_box(&uri), black_box(&headers));
        door.verify(view).wait().expect("told").expect_err("refused")
    })
}
