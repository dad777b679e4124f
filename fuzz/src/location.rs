//! The input is a `Location`, behind a byte that chooses status and origin. Wherever it leads, it is no less private, it
//! has one spelling, and nothing that was given to another origin goes there.

use auth_core::{Answer, Origin, Redirect, Redirects, RequestView};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode, Uri,
    header::{AUTHORIZATION, LOCATION},
};

const STATUS: [u16; 4] = [301, 302, 303, 307];
const FROM: [&str; 4] = [
    "https://a.example/b/c;d?e",
    "http://a.example",
    "https://[2001:db8::1]:8443/?/..",
    "http://127.0.0.1/a/",
];

/// Holds for any bytes as a location.
pub fn location(data: &[u8]) {
    let Some((choice, location)) = data.split_first() else { return };
    let status = STATUS[usize::from(choice % 4)];
    let from = Uri::from_static(FROM[usize::from(choice / 4 % 4)]);
    let Some(redirect) = follow(&from, status, location) else { return };
    let (here, target) = (Origin::of(&from).unwrap(), redirect.target());
    let there = Origin::of(target).expect("an origin");
    assert!(there.is_encrypted() || !here.is_encrypted(), "less private");
    assert!(!target.authority().unwrap().as_str().contains('@'), "a user");

    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_static("the caller's own"));
    redirect.prune(&mut headers);
    assert_eq!(headers.is_empty(), here != there, "credentials stay where they belong");

    let text = target.to_string();
    assert!(!text.contains('#'), "a fragment");
    assert!(!target.path().split('/').any(|segment| matches!(segment, "." | "..")), "dots");
    let again = follow(target, 307, text.as_bytes()).expect("what was followed once");
    assert_eq!(again.target(), target, "one spelling");
}

fn follow(from: &Uri, status: u16, location: &[u8]) -> Option<Redirect> {
    let (mut moved, none) = (HeaderMap::new(), HeaderMap::new());
    moved.insert(LOCATION, HeaderValue::from_bytes(location).ok()?);
    let request = RequestView::new(&Method::GET, from, &none);
    let answer = Answer::new(request, StatusCode::from_u16(status).unwrap(), &moved);
    Redirects::default().next(answer).expect("the first one")
}
