//! The reference implementation of Standard Webhooks.

use super::signature::{ID, SECRET, body};
use auth_core::{Clock, SystemClock};
use harness::case::{Call, call};
use http::HeaderMap;
use standardwebhooks::Webhook;
use std::hint::black_box;

fn now() -> i64 {
    i64::try_from(SystemClock.now().unix()).expect("a moment")
}

pub(super) fn signed(size: usize) -> Call {
    let (webhook, body, now) = (Webhook::new(SECRET).expect("a key"), body(size), now());
    call(move || black_box(&webhook).sign(black_box(ID), now, black_box(&body)).expect("signed"))
}

pub(super) fn verified(size: usize) -> Call {
    let (webhook, body, now) = (Webhook::new(SECRET).expect("a key"), body(size), now());
    let signature = webhook.sign(ID, now, &body).expect("signed");
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", ID.parse().expect("a value"));
    headers.insert("webhook-timestamp", now.to_string().parse().expect("a value"));
    headers.insert("webhook-signature", signature.parse().expect("a value"));
    call(move || black_box(&webhook).verify(black_box(&body), black_box(&headers)).expect("taken"))
}
