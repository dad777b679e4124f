//! Every group that is measured.

mod api_key;
mod basic;
mod challenges;
mod digest;
mod ibsso;
mod infobip;
mod jwt;
mod lifecycle;
mod live;
mod oauth2;
mod replay;
mod session;
mod sigv4;
mod symphony;
mod webex;
mod webhook;

use auth_core::RequestView;
use harness::{
    case::{Call, Group, call},
    processor::Processor,
    threads::Pair,
};
use http::{HeaderMap, Method, Uri};
use std::hint::black_box;

pub fn all() -> Vec<Group> {
    let mut all = vec![
        basic::kept(),
        basic::parse(),
        basic::limited(),
        api_key::kept(),
        api_key::verify(),
        api_key::bearer(),
        lifecycle::verify(),
        session::kept(),
        session::pool_miss(),
        ibsso::kept(),
        symphony::kept(),
        symphony::log_in(),
        symphony::judged(),
        challenges::read(),
    ];
    all.extend(challenges::slopes());
    all.extend(jwt::groups());
    all.extend(digest::groups());
    all.extend(sigv4::groups());
    all.extend(live::groups());
    all.extend(oauth2::groups());
    all.extend(webex::groups());
    all.extend(infobip::groups());
    all.extend(webhook::groups());
    all.extend(strangers::groups());
    all
}

/// Every group that is timed with two threads.
pub fn pairs() -> Vec<Pair> {
    vec![session::two_threads(), replay::two_threads()]
}

/// What is timed by the processor's clock.
pub fn processors() -> Vec<Processor> {
    vec![live::processor()]
}

/// A call with a request that has nothing to do with it.
fn with_request<R>(mut work: impl FnMut(RequestView<'_>) -> R + 'static) -> Call {
    let (uri, headers) =
        (Uri::from_static("https://api.example.com/v1/messages"), HeaderMap::new());
    call(move || work(RequestView::new(&Method::GET, black_box(&uri), black_box(&headers))))
}
