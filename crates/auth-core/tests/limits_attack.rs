//! Limits under callers who use their own account to lock out others.

#![allow(clippy::unwrap_used)]

use auth_core::{
    Attempt, AttemptKey, AttemptLimit, AttemptOutcome, Limits, MemoryAttemptLimits, Peer,
    RequestView, TenantId,
};
use auth_testing::ManualClock;
use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

fn by(block: u32, user: &str) -> AttemptKey {
    let address = IpAddr::V4(Ipv4Addr::from_bits(block << 8));
    AttemptKey::new(None, "Basic", Some(address), Some(user.as_bytes()))
}

fn may_try(limits: &MemoryAttemptLimits, by: AttemptKey) -> bool {
    limits.may_try(by).wait().unwrap().is_ok()
}

/// Alice's own source stays known, however many sources mallory's own account is used from.
#[test]
fn one_account_that_is_used_from_many_sources_pushes_out_no_other() {
    let clock = ManualClock::at(1_000_000);
    let limits = MemoryAttemptLimits::new(clock.clone()).with_entries(100);
    // Each attempt is asked for, as verifiers do: that is when the time is looked at.
    let succeed = |by| {
        assert!(may_try(&limits, by));
        limits.note(by, AttemptOutcome::Right);
    };
    succeed(by(1, "alice"));
    for block in 1000..2000 {
        clock.advance(Duration::from_secs(1));
        succeed(by(block, "mallory"));
    }
    for block in 3000..3010 {
        limits.note(by(block, "alice"), AttemptOutcome::Wrong);
    }
    assert!(!may_try(&limits, by(3020, "alice")), "a source that is not known waits");
    assert!(may_try(&limits, by(1, "alice")));
    limits.note(by(4000, "bob"), AttemptOutcome::Right);
    for block in 3000..3010 {
        limits.note(by(block, "bob"), AttemptOutcome::Wrong);
    }
    assert!(may_try(&limits, by(4000, "bob")), "there is room for others");
}

/// Where neither an address nor a name is known, wrong attempts of anybody would be those of all.
#[test]
fn a_caller_with_neither_a_source_nor_an_identity_locks_out_nobody() {
    let limit = AttemptLimit::new(MemoryAttemptLimits::new(ManualClock::at(1_000_000)));
    let (uri, headers) = (http::Uri::from_static("/"), http::HeaderMap::new());
    let begin = |address: Option<IpAddr>, identity: Option<&[u8]>| {
        let peer = Peer { address, ..Peer::UNKNOWN };
        let request = RequestView::new(&http::Method::GET, &uri, &headers).with_peer(peer);
        Attempt::begin(Some(&limit), request, "ApiKey", identity).wait().unwrap()
    };
    for _ in 0..100 {
        begin(None, None).expect("nobody is locked out").settle(AttemptOutcome::Wrong);
    }
    let source = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    for (address, identity, most) in [(source, None, 30), (None, Some(&b"alice"[..]), 5)] {
        for _ in 0..most {
            begin(address, identity).unwrap().settle(AttemptOutcome::Wrong);
        }
        assert!(begin(address, identity).is_err(), "an attempt of somebody is not counted");
    }
}

/// One name may be that of two people, each at a tenant of a service: what one of them gets wrong the other does not pay.
#[test]
fn tenants_pay_for_no_attempt_of_one_another() {
    let limit = AttemptLimit::new(MemoryAttemptLimits::new(ManualClock::at(1_000_000)));
    let of = |tenant: &str| limit.clone().with_tenant(TenantId::new(tenant));
    let (uri, headers) = (http::Uri::from_static("/"), http::HeaderMap::new());
    let request = RequestView::new(&http::Method::GET, &uri, &headers);
    let begin = |limit: &AttemptLimit, address: u8| {
        let address = Some(IpAddr::V4(Ipv4Addr::new(192, 0, address, 1)));
        let request = request.with_peer(Peer { address, ..Peer::UNKNOWN });
        Attempt::begin(Some(limit), request, "Basic", Some(b"alice")).wait().unwrap()
    };
    for _ in 0..5 {
        begin(&of("acme"), 1).unwrap().settle(AttemptOutcome::Wrong);
    }
    for (limit, expected) in [(of("acme"), false), (of("globex"), true), (limit.clone(), true)] {
        let told = begin(&limit, 2);
        assert_eq!(told.is_ok(), expected, "{limit:?}");
        told.into_iter().for_each(|attempt| attempt.settle(AttemptOutcome::Unknown));
    }
}
