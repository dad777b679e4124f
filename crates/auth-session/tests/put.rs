//! Tokens that were obtained elsewhere and put into a session: a redeemed authorization code.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use auth_core::{Error, Flow, Lifespan, Refusal};
use auth_session::CurrentToken;
use common::{Background, Badge, Does, Stage, down, stage};
use http::StatusCode;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    thread,
};

type Taken<'a> = Flow<'a, CurrentToken<Badge>>;

fn poll(flow: &mut Taken<'_>) -> Poll<Result<CurrentToken<Badge>, Error>> {
    Pin::new(flow).poll(&mut Context::from_waker(Waker::noop()))
}

fn badge(number: u32) -> Badge {
    Badge { number, lifespan: Lifespan::Unknown }
}

fn put(stage: &Stage, number: u32) -> u64 {
    stage.session.put(badge(number)).unwrap()
}

fn number(taken: Taken<'_>) -> Result<(u32, u64), &'static str> {
    taken.wait().map(|held| (held.token.number, held.generation)).map_err(|error| error.code())
}

#[test]
fn what_is_put_is_handed_out_and_nothing_is_asked_for() {
    let stage = stage(Background::None);
    assert_eq!(put(&stage, 77), 1);
    assert_eq!((stage.sends(), stage.issuer.times()), (Ok(77), 0));
    assert_eq!(put(&stage, 78), 2);
    assert_eq!((number(stage.session.token()), stage.issuer.times()), (Ok((78, 2)), 0));
    stage.session.condemn(1, Refusal::new(StatusCode::UNAUTHORIZED));
    assert_eq!(stage.sends(), Ok(78), "it was the one before that was refused");
    stage.session.condemn(2, Refusal::new(StatusCode::UNAUTHORIZED));
    assert_eq!((stage.sends(), stage.issuer.asked()), (Ok(1), vec!["refused 78".into()]));
}

/// It ends the pause after a failure: another way in was found.
#[test]
fn what_is_put_ends_a_pause() {
    let stage = stage(Background::None);
    stage.issuer.then(Does::Fails(down()));
    assert_eq!(stage.sends(), Err("down"));
    put(&stage, 77);
    assert_eq!(stage.sends(), Ok(77));
    stage.session.condemn(1, Refusal::new(StatusCode::UNAUTHORIZED));
    assert_eq!(stage.sends(), Ok(1), "and no failure is remembered");
}

/// A renewal that began before, whatever comes of it, and whether somebody carries it or the background does.
#[test]
fn a_flight_that_began_before_is_seen_through_and_not_taken() {
    for background in [false, true] {
        for fails in [false, true] {
            let stage = stage(if background { Background::Some } else { Background::None });
            if fails {
                stage.issuer.then(Does::Fails(down()));
            }
            stage.issuer.gate().close();
            let mut waiting: Vec<_> = (0..8).map(|_| stage.session.token()).collect();
            assert!(waiting.iter_mut().all(|flow| poll(flow).is_pending()));
            assert_eq!(put(&stage, 77), 1);
            assert_eq!(number(stage.session.token()), Ok((77, 1)), "who comes now does not wait");
            stage.issuer.gate().open();
            stage.transport.run();
            for waiting in waiting {
                assert_eq!(number(waiting), Ok((77, 1)));
            }
            assert_eq!((stage.sends(), stage.issuer.asked()), (Ok(77), vec!["first".into()]));
            assert_eq!(stage.told.lines(), [""; 0], "what is not taken is not told");
        }
    }
}

/// Its last caller gives up: it stays under way, and is seen through by the next one that needs a token.
#[test]
fn a_flight_that_nobody_watches_any_more_is_still_seen_through() {
    let stage = stage(Background::None);
    stage.issuer.gate().close();
    assert!(poll(&mut stage.session.token()).is_pending());
    put(&stage, 77);
    stage.session.condemn(1, Refusal::new(StatusCode::UNAUTHORIZED));
    let mut waiting = stage.session.token();
    assert!(poll(&mut waiting).is_pending());
    assert_eq!(stage.issuer.asked(), ["first"], "one after the other");
    stage.issuer.gate().open();
    assert_eq!(number(waiting), Ok((2, 2)));
    assert_eq!(stage.issuer.asked(), ["first", "refused 77"]);
}

/// What was put is refused before the flight lands: those who watched it get the next one, not the one that is dead.
#[test]
fn who_watched_gets_no_token_that_was_refused_meanwhile() {
    let stage = stage(Background::None);
    stage.issuer.gate().close();
    let mut waiting = stage.session.token();
    assert!(poll(&mut waiting).is_pending());
    put(&stage, 77);
    stage.session.condemn(1, Refusal::new(StatusCode::UNAUTHORIZED));
    stage.issuer.gate().open();
    assert_eq!(number(waiting), Ok((2, 2)));
}

#[test]
fn nothing_is_put_into_a_session_that_was_ended() {
    let stage = stage(Background::None);
    stage.session.end().wait().unwrap();
    assert_eq!(stage.session.put(badge(77)).unwrap_err().code(), "session_ended");
    assert_eq!(stage.sends(), Err("session_ended"));
}

/// Ended while a flight is under way whose outcome is not taken: what was put is given back.
#[test]
fn a_session_that_is_ended_gives_back_what_was_put() {
    let stage = stage(Background::None);
    stage.issuer.gate().close();
    assert!(poll(&mut stage.session.token()).is_pending());
    put(&stage, 77);
    let ending = stage.session.end();
    stage.issuer.gate().open();
    assert_eq!(ending.wait().unwrap().unwrap().number, 77);
}

/// Sixteen threads put and take and condemn: generations only grow, and nobody is left waiting.
#[test]
fn many_that_put_and_take_at_once_agree() {
    let stage = stage(Background::None);
    thread::scope(|scope| {
        for n in 0..16_u32 {
            let stage = &stage;
            scope.spawn(move || {
                let mut last = 0;
                for round in 0..200 {
                    let generation = match (n + round) % 4 {
                        0 => put(stage, 1000 + n),
                        1 => {
                            drop(poll(&mut stage.session.token()));
                            last
                        }
                        _ => number(stage.session.token()).unwrap().1,
                    };
                    assert!(generation >= last, "{generation} after {last}");
                    last = generation;
                    if round % 5 == 0 {
                        stage.session.prove(last);
                        stage.session.condemn(last, Refusal::new(StatusCode::UNAUTHORIZED));
                    }
                }
            });
        }
    });
    put(&stage, 7);
    assert_eq!(stage.sends(), Ok(7));
}
