//! Outages that others had, replayed: each test is named after the report in which its users told it.

#![allow(clippy::unwrap_used)]

mod common;

use auth_core::{Error, Lifespan, Token};
use common::{Background, Does, answered_by, badge, down, made, stage};
use std::{thread, time::Duration};

/// google-cloud-rust #4541: tokens are renewed, the metadata server drops connections for a quarter of a minute, and
/// when it is back the client never asks again.
#[test]
fn google_cloud_rust_4541_recovers_when_the_outage_is_over() {
    for background in [Background::None, Background::Some] {
        let stage = stage(background);
        stage.issuer.then(Does::GivesFor(4));
        assert_eq!(stage.sends(), Ok(1));
        (0..100).for_each(|_| {
            stage.issuer.then(Does::Fails(down()));
        });
        stage.pass(4);
        for _ in 5..20 {
            assert_eq!(stage.sends(), Err("down"));
            stage.transport.run();
            stage.pass(1);
        }
        assert!(stage.issuer.times() < 10, "{} requests in the outage", stage.issuer.times());
        stage.issuer.recovers();
        stage.pass(16);
        assert_eq!(stage.sends(), Ok(2));
    }
}

/// google-cloud-rust #5809: an early renewal fails, and its error takes the place of a token that lives four minutes
/// longer.
#[test]
fn google_cloud_rust_5809_a_failed_renewal_displaces_nothing() {
    let stage = stage(Background::Some);
    assert_eq!(stage.sends(), Ok(1));
    (0..99).for_each(|_| {
        stage.issuer.then(Does::Fails(down()));
    });
    stage.pass(3600 - 240);
    for _ in 0..23 {
        assert_eq!(stage.sends(), Ok(1));
        stage.transport.run();
        stage.pass(10);
    }
    assert!(stage.issuer.times() > 1, "it was tried all the same");
}

/// google-cloud-rust #5864: one read that is torn is taken for a permanent error, and the process is offline for good.
#[test]
fn google_cloud_rust_5864_one_torn_read_does_not_end_renewal() {
    let torn = Error::refused("torn", "taken for a refusal");
    let stage = stage(Background::Some);
    assert_eq!(stage.sends(), Ok(1));
    stage.issuer.then(Does::Fails(torn));
    stage.pass(2880);
    assert_eq!(stage.sends(), Ok(1));
    stage.transport.run();
    stage.pass(1);
    assert_eq!(stage.sends(), Ok(1));
    stage.transport.run();
    assert_eq!(stage.sends(), Ok(2));
}

/// opendal-reqsign #771: temporary keys end before the URL that they signed.
#[test]
fn reqsign_771_keys_that_end_too_early_are_renewed_first() {
    let stage = stage(Background::None);
    assert_eq!(stage.sends(), Ok(1));
    stage.pass(2000);
    let now = auth_core::Clock::now(&stage.clock);
    let lasting = |seconds| {
        let needed = now.after(Duration::from_secs(seconds));
        stage.session.token_until(needed).wait().unwrap().token
    };
    assert_eq!(lasting(1599).number, 1);
    assert_eq!(lasting(1600).number, 2, "the first one would end in that second");
    // More than there is to have: it is said, and not asked for again and again.
    let longest = lasting(7200);
    assert_eq!((longest.number, lasting(7200).number, stage.issuer.times()), (2, 2, 2));
    assert_eq!(longest.lifespan(), Lifespan::Until(now.after(Duration::from_secs(3600))));
    // When nobody answers, a shorter one is better than none.
    stage.pass(60);
    stage.issuer.then(Does::Fails(down()));
    assert_eq!(lasting(7200).number, 2);
}

/// opendal-reqsign #783: the issuer gives the same token again, which still lives, and it is rejected for being due.
#[test]
fn reqsign_783_a_token_that_is_due_is_still_good() {
    let stage = stage(Background::None);
    let end = auth_core::Clock::now(&stage.clock).after(Duration::from_secs(3600));
    (0..9).for_each(|_| {
        stage.issuer.then(Does::Gives(Lifespan::Until(end)));
    });
    assert!(stage.sends().is_ok());
    stage.pass(3500);
    for _ in 0..99 {
        assert!(stage.sends().is_ok());
        stage.pass(1);
    }
}

/// opendal-reqsign #837: many signers find no credentials at once, and each of them asks.
#[test]
fn reqsign_837_a_cold_start_asks_once() {
    let stage = stage(Background::None);
    stage.issuer.gate().close();
    thread::scope(|scope| {
        let callers: Vec<_> = (0..32).map(|_| scope.spawn(|| badge(&stage.session))).collect();
        while stage.issuer.times() == 0 {
            thread::yield_now();
        }
        stage.issuer.gate().open();
        assert!(callers.into_iter().all(|caller| caller.join().unwrap() == Ok(1)));
    });
    assert_eq!(stage.issuer.times(), 1);
}

/// Somebody has to do something about it, and one word is enough until something changes.
#[test]
fn what_is_refused_again_and_again_is_told_once() {
    let stage = stage(Background::None);
    let refused = || Does::Fails(Error::refused("consent", "the user has to consent"));
    for does in [refused(), refused(), Does::Fails(down()), Does::Fails(down()), refused()] {
        stage.issuer.then(does);
    }
    let codes = [(); 5].map(|()| {
        let code = stage.sends().unwrap_err();
        stage.pass(60);
        code
    });
    assert_eq!(codes, ["consent", "consent", "down", "down", "consent"]);
    let told = ["consent", "down", "down", "consent"].map(|code| format!("unnamed: {code}"));
    assert_eq!(stage.told.lines(), told);
}

/// One receiver refuses the token while its issuer is down: the others are served with it until it ends.
#[test]
fn a_token_that_one_receiver_refused_serves_the_others_while_there_is_no_other() {
    let stage = stage(Background::None);
    let (good, bad) = ("https://good.example/", "https://bad.example/");
    assert!(!answered_by(&stage.session, good, &made(&stage.session).unwrap(), 200));
    (0..100).for_each(|_| {
        stage.issuer.then(Does::Fails(down()));
    });
    assert!(answered_by(&stage.session, bad, &made(&stage.session).unwrap(), 401), "one more try");
    for _ in 0..60 {
        let sent = made(&stage.session).unwrap();
        assert!(!answered_by(&stage.session, good, &sent, 200));
        let sent = made(&stage.session).unwrap();
        assert!(!answered_by(&stage.session, bad, &sent, 401), "the same token again is no use");
        stage.pass(1);
    }
    let asked = stage.issuer.asked();
    assert!((3..=12).contains(&asked.len()), "{asked:?}");
    assert!(asked[1..].iter().all(|why| why == "refused 1"), "{asked:?}");
    let condemned = stage.told.lines().into_iter().filter(|line| line.contains("condemned"));
    assert_eq!(condemned.count(), 1, "told once");
    stage.issuer.recovers();
    stage.pass(60);
    assert_eq!(badge(&stage.session), Ok(2));
    // It ends when it ends.
    stage.issuer.then(Does::Fails(down()));
    assert!(answered_by(&stage.session, bad, &made(&stage.session).unwrap(), 401));
    stage.pass(3600);
    stage.issuer.then(Does::Fails(down()));
    assert_eq!(badge(&stage.session), Err("down"));
}
