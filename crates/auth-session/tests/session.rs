//! What a session promises, promise by promise; nothing sleeps and nothing is left to chance.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use auth_core::{Authenticator, Cause, Error, Flow, Lifespan, Need, Refusal, RequestView};
use common::{
    Background, Does, Stage, answered, answered_by, badge, down, made, number, seeded, stage,
};
use http::{HeaderMap, Method, StatusCode, Uri};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

/// Polls once, as a caller that then goes away.
fn poll<T>(flow: &mut Flow<'_, T>) -> Poll<Result<T, Error>> {
    Pin::new(flow).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_token_is_obtained_once_and_kept() {
    let stage = stage(Background::None);
    assert_eq!((stage.sends(), stage.sends(), stage.sends()), (Ok(1), Ok(1), Ok(1)));
    assert_eq!(stage.issuer.asked(), ["first"]);
}

/// Sixteen callers while the issuer is down: one request, sixteen errors.
#[test]
fn one_failure_is_for_all_who_waited() {
    let stage = stage(Background::None);
    stage.issuer.then(Does::Fails(down())).gate().close();
    thread::scope(|scope| {
        let callers: Vec<_> = (0..16).map(|_| scope.spawn(|| badge(&stage.session))).collect();
        while stage.issuer.times() == 0 {
            thread::yield_now();
        }
        stage.issuer.gate().open();
        for caller in callers {
            assert_eq!(caller.join().unwrap(), Err("down"));
        }
    });
    assert_eq!(stage.issuer.times(), 1);
}

/// Sixty-five callers, the first of whom gives up: one log-in, and sixty-four have its token.
#[test]
fn who_gives_up_takes_nothing_with_it() {
    for background in [Background::None, Background::Some] {
        let stage = stage(background);
        stage.issuer.gate().close();
        let (uri, headers) = (Uri::from_static("/"), HeaderMap::new());
        let view = RequestView::new(&Method::GET, &uri, &headers);
        let mut flows: Vec<_> = (0..65).map(|_| stage.session.credentials(view)).collect();
        assert!(flows.iter_mut().all(|flow| poll(flow).is_pending()));
        drop(flows.remove(0));
        stage.issuer.gate().open();
        let numbers: Vec<_> = flows.into_iter().map(|flow| number(&flow.wait().unwrap())).collect();
        assert_eq!(numbers, [1; 64]);
        assert_eq!(stage.issuer.asked(), ["first"]);
    }
}

/// Everybody gives up, and what was begun is still there for the next one.
#[test]
fn an_exchange_that_has_begun_is_seen_through() {
    for background in [Background::None, Background::Some] {
        let stage = stage(background);
        stage.issuer.gate().close();
        let mut flow = stage.session.token();
        assert!(poll(&mut flow).is_pending());
        drop(flow);
        stage.issuer.gate().open();
        stage.transport.run();
        assert_eq!(stage.sends(), Ok(1));
        assert_eq!(stage.issuer.asked(), ["first"]);
    }
}

#[test]
fn it_is_renewed_ahead_while_all_keep_using_it() {
    let stage = stage(Background::Some);
    assert_eq!(stage.sends(), Ok(1));
    stage.transport.run();
    stage.pass(2880);
    assert_eq!((stage.sends(), stage.sends()), (Ok(1), Ok(1)), "nobody waits");
    assert_eq!(stage.transport.run(), 1);
    assert_eq!(stage.sends(), Ok(2));
    assert_eq!(stage.issuer.asked(), ["first", "due 1"]);
}

/// Where there is no background, one caller carries it and has the new one; the others do not notice.
#[test]
fn without_a_background_one_caller_carries_the_renewal() {
    let stage = stage(Background::None);
    assert_eq!(stage.sends(), Ok(1));
    stage.pass(2880);
    stage.issuer.gate().close();
    let mut carrying = stage.session.token();
    assert!(poll(&mut carrying).is_pending());
    assert_eq!((stage.sends(), stage.sends()), (Ok(1), Ok(1)));
    stage.issuer.gate().open();
    assert_eq!(carrying.wait().unwrap().token.number, 2);
    assert_eq!(stage.sends(), Ok(2));
}

/// And when that caller gives up, the next one carries it on.
#[test]
fn a_renewal_that_was_given_up_is_carried_on_by_the_next_caller() {
    let stage = stage(Background::None);
    assert_eq!(stage.sends(), Ok(1));
    stage.pass(2880);
    stage.issuer.gate().close();
    assert!(poll(&mut stage.session.token()).is_pending());
    let mut carrying = stage.session.token();
    assert!(poll(&mut carrying).is_pending());
    assert_eq!(stage.sends(), Ok(1), "the others do not notice");
    stage.issuer.gate().open();
    assert_eq!(carrying.wait().unwrap().token.number, 2);
    assert_eq!(stage.issuer.asked(), ["first", "due 1"]);
}

/// Its observer is told of each renewal, each failure and each refusal, with the name that it has.
#[test]
fn the_observer_is_told_what_becomes_of_it() {
    let stage = stage(Background::None);
    let session = stage.session.clone().with_name("acme").with_name("another");
    assert_eq!(stage.sends(), Ok(1));
    session.condemn(1, Refusal::new(StatusCode::UNAUTHORIZED).with_code("invalid_token"));
    session.condemn(1, Refusal::new(StatusCode::UNAUTHORIZED));
    stage.issuer.then(Does::Fails(down()));
    assert_eq!((stage.sends(), stage.sends()), (Err("down"), Err("down")));
    stage.pass(1);
    assert_eq!((stage.sends(), stage.sends()), (Ok(2), Ok(2)));
    let told =
        ["acme: renewed", "acme: condemned 401 invalid_token", "acme: down", "acme: renewed"];
    assert_eq!(stage.told.lines(), told);
}

#[test]
fn at_the_end_of_its_life_all_wait_for_the_next() {
    let stage = stage(Background::Some);
    assert_eq!(stage.sends(), Ok(1));
    stage.pass(3570);
    assert_eq!(stage.sends(), Ok(2));
}

/// Also those who come when the renewal is on its way already.
#[test]
fn at_the_end_of_its_life_nobody_uses_what_is_about_to_die() {
    let stage = stage(Background::Some);
    assert_eq!(stage.sends(), Ok(1));
    stage.transport.run();
    stage.issuer.gate().close();
    stage.pass(2880);
    assert_eq!(stage.sends(), Ok(1));
    stage.pass(690);
    let mut waiting = stage.session.token();
    assert!(poll(&mut waiting).is_pending());
    stage.issuer.gate().open();
    assert_eq!(waiting.wait().unwrap().token.number, 2);
}

/// Those who wait fall back on the old token if it is still good when the renewal has failed, not when it began.
#[test]
fn who_waited_does_not_get_a_token_that_was_refused_meanwhile() {
    for (refused, expected) in [(false, Ok(1)), (true, Err("down"))] {
        let stage = stage(Background::Some);
        assert_eq!(stage.sends(), Ok(1));
        stage.transport.run();
        stage.issuer.then(Does::Fails(down())).gate().close();
        stage.pass(3570);
        let mut waiting = stage.session.token();
        assert!(poll(&mut waiting).is_pending());
        if refused {
            stage.session.condemn(1, Refusal::new(StatusCode::UNAUTHORIZED));
        }
        stage.issuer.gate().open();
        let had = waiting.wait().map(|held| held.token.number).map_err(|error| error.code());
        assert_eq!(had, expected, "refused: {refused}");
    }
}

#[test]
fn who_waited_does_not_get_a_token_that_died_meanwhile() {
    let stage = stage(Background::Some);
    assert_eq!(stage.sends(), Ok(1));
    stage.transport.run();
    stage.issuer.then(Does::Fails(down())).gate().close();
    stage.pass(3570);
    let mut waiting = stage.session.token();
    assert!(poll(&mut waiting).is_pending());
    stage.pass(30);
    stage.issuer.gate().open();
    assert_eq!(waiting.wait().unwrap_err().code(), "down");
}

#[test]
fn the_old_token_is_used_while_it_lives_if_renewal_fails() {
    for background in [Background::None, Background::Some] {
        let stage = stage(background);
        assert_eq!(stage.sends(), Ok(1));
        for _ in 0..20 {
            stage.issuer.then(Does::Fails(down()));
        }
        for seconds in [2880, 300, 300, 95, 10, 10] {
            stage.pass(seconds);
            assert_eq!(stage.sends(), Ok(1), "after {seconds} s more");
            stage.transport.run();
        }
        stage.pass(10);
        assert_eq!(stage.sends(), Err("down"), "it is dead now");
    }
}

#[test]
fn it_recovers_after_any_error_however_permanent_it_looked() {
    let errors = [
        Error::config("config", "wrong"),
        Error::refused("refused", "no"),
        Error::protocol("protocol", "nonsense"),
        down(),
    ];
    for error in errors {
        let stage = stage(Background::None);
        stage.issuer.then(Does::Fails(error.clone()));
        assert_eq!(stage.sends(), Err(error.code()));
        assert_eq!((stage.sends(), stage.issuer.times()), (Err(error.code()), 1), "too early");
        stage.pass(1);
        assert_eq!(stage.sends(), Ok(1));
    }
}

#[test]
fn it_waits_longer_after_each_failure_and_as_long_as_it_is_told() {
    let stage = stage(Background::None);
    for longest in [1_u64, 2, 4, 8, 16, 32, 60, 60] {
        stage.issuer.then(Does::Fails(down()));
        let before = stage.issuer.times();
        assert_eq!((stage.sends(), stage.issuer.times()), (Err("down"), before + 1));
        stage.clock.advance(Duration::from_millis(longest * 500 - 1));
        assert_eq!((stage.sends(), stage.issuer.times()), (Err("down"), before + 1), "{longest}");
        stage.clock.advance(Duration::from_millis(longest * 500 + 1));
    }
    let busy = |said| Error::Unavailable {
        retry_after: Some(Duration::from_secs(said)),
        cause: Cause::new("busy", "later"),
    };
    for (said, quiet, over) in [(90, 89, 10), (86_400, 3599, 400)] {
        stage.issuer.then(Does::Fails(busy(said)));
        let before = stage.issuer.times();
        assert_eq!(stage.sends(), Err("busy"));
        stage.pass(quiet);
        assert_eq!((stage.sends(), stage.issuer.times()), (Err("busy"), before + 1));
        stage.pass(over);
    }
    assert_eq!(stage.sends(), Ok(1));
}

/// Ten thousand requests that are refused together renew once; a refusal of an older generation renews nothing.
#[test]
fn a_storm_of_refusals_renews_once() {
    let stage = stage(Background::None);
    let sent: Vec<_> = (0..10_000).map(|_| made(&stage.session).unwrap()).collect();
    assert!(!answered(&stage.session, &sent[0], 200));
    assert!(sent.iter().all(|sent| answered(&stage.session, sent, 401)), "all may try again");
    assert_eq!(stage.sends(), Ok(2));
    assert!(
        answered(&stage.session, &sent[0], 401),
        "late, and worth another try with what is new"
    );
    assert_eq!(
        (stage.sends(), stage.issuer.asked()),
        (Ok(2), vec!["first".into(), "refused 1".into()])
    );
}

#[test]
fn ten_thousand_threads_of_one_storm_log_in_once() {
    let stage = stage(Background::None);
    let sent = made(&stage.session).unwrap();
    assert!(!answered(&stage.session, &sent, 200));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..1250 {
                    answered(&stage.session, &sent, 401);
                    assert_eq!(badge(&stage.session), Ok(2));
                }
            });
        }
    });
    assert_eq!(stage.issuer.times(), 2);
}

/// A server that refuses what is new twice in a row lacks something that another token does not bring: its answers are
/// delivered, and it gets another token from time to time.
#[test]
fn tokens_that_nobody_takes_are_not_renewed_for_ever() {
    let stage = stage(Background::None);
    let refuse = || answered(&stage.session, &made(&stage.session).unwrap(), 401);
    assert!(refuse());
    assert_eq!(stage.sends(), Ok(2), "the first one may have been bad luck");
    assert!(!refuse());
    assert_eq!((stage.sends(), stage.issuer.times()), (Ok(2), 2));
    stage.pass(1);
    assert!(refuse());
    assert_eq!(stage.sends(), Ok(3));
    assert!(!refuse());
    stage.clock.advance(Duration::from_millis(999));
    assert!(!refuse(), "longer from time to time");
    assert_eq!(stage.issuer.times(), 3);
    stage.pass(1);
    let good = made(&stage.session).unwrap();
    assert!(!answered(&stage.session, &good, 200));
    assert!(answered(&stage.session, &good, 401));
    assert_eq!(stage.sends(), Ok(4), "it was taken, so it is renewed at once");
}

#[test]
fn other_answers_change_nothing() {
    let stage = stage(Background::None);
    let sent = made(&stage.session).unwrap();
    for status in [200, 204, 302, 400, 403, 404, 429, 500, 503] {
        assert!(!answered(&stage.session, &sent, status));
    }
    assert!(!answered(&stage.session, &auth_core::Credentials::none(), 401), "not ours");
    assert_eq!((stage.sends(), stage.issuer.times()), (Ok(1), 1));
}

/// What an answer means is for the token to say, and so is what has to be read of it.
#[test]
fn the_token_says_what_must_be_read_of_an_answer() {
    let stage = stage(Background::None);
    let reads = |status| stage.session.reads(status, &HeaderMap::new());
    assert_eq!(reads(StatusCode::FORBIDDEN), Need::Bytes { limit: 77 });
    assert_eq!(reads(StatusCode::OK), Need::Nothing);
}

#[test]
fn an_idle_token_slides_on_use() {
    let stage = stage(Background::None);
    stage.issuer.then(Does::Gives(Lifespan::Idle(Duration::from_secs(3600))));
    for _ in 0..10 {
        assert_eq!(stage.sends(), Ok(1));
        stage.pass(3239);
    }
    stage.pass(1);
    assert_eq!(stage.sends(), Ok(2));
}

#[test]
fn a_token_without_an_end_is_used_until_it_is_refused() {
    let stage = stage(Background::None);
    stage.issuer.then(Does::Gives(Lifespan::Unknown));
    let sent = made(&stage.session).unwrap();
    stage.pass(100 * 365 * 86_400);
    assert_eq!(stage.sends(), Ok(1));
    assert!(answered(&stage.session, &sent, 401));
    assert_eq!(stage.sends(), Ok(2));
}

/// A scheme that signs with a kept token holds it, and condemns it by its generation.
#[test]
fn a_signer_can_condemn_what_it_signed_with() {
    let stage = stage(Background::None);
    let held = stage.session.token().wait().unwrap();
    let signed = auth_core::Credentials::none().stamped(stage.session.stamp(held.generation));
    assert_eq!(stage.session.generation(&signed), Some(1));
    stage.session.condemn(7, Refusal::new(StatusCode::FORBIDDEN));
    assert_eq!(stage.sends(), Ok(1));
    stage.session.condemn(1, Refusal::new(StatusCode::FORBIDDEN));
    assert_eq!((stage.sends(), stage.issuer.asked().len()), (Ok(2), 2));
}

#[test]
fn an_ended_session_gives_its_last_token_back_and_no_other() {
    let ended = stage(Background::None);
    assert!(ended.session.end().wait().unwrap().is_none());
    assert_eq!(ended.sends(), Err("session_ended"));
    let ended = stage(Background::None);
    assert_eq!(ended.sends(), Ok(1));
    assert_eq!(ended.session.end().wait().unwrap().unwrap().number, 1);
    assert_eq!((ended.sends(), ended.issuer.times()), (Err("session_ended"), 1));
    // One that was on its way is waited for: it would be left behind otherwise.
    let ended = stage(Background::None);
    ended.issuer.gate().close();
    let mut waiting = ended.session.token();
    assert!(poll(&mut waiting).is_pending());
    let mut ending = ended.session.end();
    assert!(poll(&mut ending).is_pending());
    ended.issuer.gate().open();
    assert_eq!(ending.wait().unwrap().unwrap().number, 1);
    assert_eq!(ended.sends(), Err("session_ended"));
}

/// 200 clients whose tokens end together, over ten simulated minutes: no second holds more than 5 percent of the
/// renewals.
#[test]
fn a_fleet_does_not_renew_together() {
    let fleet: Vec<Stage> = (0..200).map(|seed| seeded(Background::None, seed)).collect();
    for client in &fleet {
        client.issuer.then(Does::GivesFor(600));
        assert_eq!(client.sends(), Ok(1));
    }
    let mut busiest = 0;
    for _ in 0..600 {
        let before: usize = fleet.iter().map(|client| client.issuer.times()).sum();
        for client in &fleet {
            client.pass(1);
            client.sends().unwrap();
        }
        let after: usize = fleet.iter().map(|client| client.issuer.times()).sum();
        busiest = busiest.max(after - before);
    }
    assert!(fleet.iter().all(|client| client.issuer.times() == 2), "each has renewed once");
    assert!((1..=10).contains(&busiest), "{busiest} in one second");
}

/// A webhook that refuses every token must not cost the others theirs, nor its issuer an exchange for each request.
#[test]
fn one_receiver_that_refuses_everything_costs_one_exchange_in_each_step() {
    let stage = stage(Background::None);
    let (good, bad) = ("https://good.example/", "https://bad.example/");
    let mut delivered = 0;
    for _ in 0..1000 {
        // Each is sent once more when the session says so.
        for _ in 0..2 {
            let sent = made(&stage.session).unwrap();
            if !answered_by(&stage.session, bad, &sent, 401) {
                delivered += 1;
                break;
            }
        }
        let sent = made(&stage.session).unwrap();
        assert!(!answered_by(&stage.session, good, &sent, 200));
        stage.clock.advance(Duration::from_millis(10));
    }
    // The first one, one for the first refusal, and one at the end of each step: about 1, 3 and 7 s, or at half of that.
    assert!((5..=7).contains(&stage.issuer.times()), "{}", stage.issuer.times());
    assert!(delivered >= 990, "{delivered}");
}

/// An issuer revokes a token that two hundred receivers are sent at once: every request is made again, with the one token
/// that comes in its place.
#[test]
fn one_token_that_many_receivers_refuse_together_costs_one_exchange_and_no_request() {
    let stage = stage(Background::None);
    let sent = made(&stage.session).unwrap();
    let receivers = (0..200).map(|number| format!("https://{number}.example/").leak());
    for receiver in receivers {
        assert!(answered_by(&stage.session, receiver, &sent, 401), "{receiver}");
        assert_eq!(stage.sends(), Ok(2));
    }
    assert_eq!(stage.issuer.times(), 2);
}

/// A request is under way for longer than its token is current; the receiver has refused the next token meanwhile.
#[test]
fn a_late_refusal_of_an_older_token_is_no_refusal_of_the_one_in_its_place() {
    let stage = stage(Background::None);
    let first = made(&stage.session).unwrap();
    stage.pass(3000);
    let second = made(&stage.session).unwrap();
    assert_eq!(number(&second), 2);
    assert!(answered(&stage.session, &second, 401));
    let third = made(&stage.session).unwrap();
    assert!(answered(&stage.session, &first, 401), "it is sent again with the third");
    assert!(!answered(&stage.session, &third, 401), "this one is the first of its back-off");
    assert_eq!(stage.issuer.times(), 3);
}

/// A webhook that answers 200 and 401 in turn is no better than one that answers 401 to everything.
#[test]
fn one_receiver_that_refuses_every_other_request_costs_one_exchange_in_each_step() {
    let stage = stage(Background::None);
    for _ in 0..1000 {
        let sent = made(&stage.session).unwrap();
        assert!(!answered(&stage.session, &sent, 200));
        if answered(&stage.session, &sent, 401) {
            assert!(!answered(&stage.session, &made(&stage.session).unwrap(), 401));
        }
        stage.clock.advance(Duration::from_millis(10));
    }
    assert!((5..=7).contains(&stage.issuer.times()), "{}", stage.issuer.times());
}

#[test]
fn a_refusal_that_was_found_out_is_held_against_its_receiver_alone() {
    let stage = stage(Background::None);
    let (one, other) =
        (Uri::from_static("https://a.example/"), Uri::from_static("https://b.example/"));
    let refused = |at, generation| {
        stage.session.refused_at(at, generation, Refusal::new(StatusCode::UNAUTHORIZED))
    };
    assert_eq!(stage.sends(), Ok(1));
    assert!(refused(&one, 1) && refused(&one, 1));
    stage.issuer.then(Does::Fails(down()));
    assert_eq!(stage.sends(), Ok(1), "there is no other");
    assert!(!refused(&one, 1), "the renewal has been tried");
    stage.pass(1);
    assert_eq!(stage.sends(), Ok(2));
    assert!(!refused(&one, 2), "it backs off");
    assert_eq!(stage.sends(), Ok(2));
    assert!(refused(&other, 2));
    assert_eq!((stage.sends(), stage.issuer.times()), (Ok(3), 4));
}
