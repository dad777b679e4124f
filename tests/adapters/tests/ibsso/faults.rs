//! Every fault of the platform, at each of its endpoints: what callers get, how often the platform is asked, and that the
//! session recovers by itself.

use super::{Stage, code, send, stage};
use auth_emulator::{Endpoint, Fault};
use auth_ibsso::IbssoSession;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

/// Longer than an exchange of the session may take, and shorter.
const TOO_SLOW: Fault = Fault::Slow(Duration::from_secs(300));
const SLOW: Fault = Fault::Slow(Duration::from_millis(100));
const BUSY: Fault = Fault::TooManyRequests(Duration::from_secs(30));

/// One request to an endpoint meets this fault.
struct Case {
    fault: Fault,
    /// What the callers get, each of these at least once.
    outcomes: &'static [&'static str],
    /// Creations and destructions until then. A request that nobody waits for any more is not one.
    exchanges: (usize, usize),
    /// What it takes to recover: seconds, and exchanges in all by then.
    recovers: (u64, (usize, usize)),
}

const fn case(
    fault: Fault,
    outcomes: &'static [&'static str],
    exchanges: (usize, usize),
    recovers: (u64, (usize, usize)),
) -> Case {
    Case { fault, outcomes, exchanges, recovers }
}

/// Do callers wait, or does every second one give up at once?
#[derive(Clone, Copy, Debug, PartialEq)]
enum Callers {
    Patient,
    HalfGiveUp,
}

/// What came of twenty callers at once.
async fn storm(stage: &Stage, session: &IbssoSession, callers: Callers) -> BTreeSet<String> {
    let mut all = JoinSet::new();
    for caller in 0..20 {
        let (session, client, url) = (session.clone(), stage.client.clone(), stage.messages());
        all.spawn(async move {
            let gives_up = callers == Callers::HalfGiveUp && caller % 2 == 0;
            let patience = Duration::from_millis(if gives_up { 3 } else { 60_000 });
            let sent = timeout(patience, send(&client, &session, &url)).await.ok()?;
            Some(sent.map_or_else(code, |status| status.to_string()))
        });
    }
    all.join_all().await.into_iter().flatten().collect()
}

/// A first request, if the session is to live before; then the fault.
async fn check(at: Endpoint, begin: impl AsyncFn(&Stage, &IbssoSession), case: &Case) {
    for callers in [Callers::Patient, Callers::HalfGiveUp] {
        let what = format!("{:?} at {at:?}, {callers:?}", case.fault);
        let stage = stage().await;
        let session = stage.session();
        begin(&stage, &session).await;
        stage.infobip.faults().arm(case.fault, at, 1);
        let outcomes = storm(&stage, &session, callers).await;
        let expected: BTreeSet<_> = case.outcomes.iter().map(|code| (*code).to_owned()).collect();
        match callers {
            Callers::Patient => assert_eq!(outcomes, expected, "{what}"),
            Callers::HalfGiveUp => assert!(outcomes.is_subset(&expected), "{outcomes:?}: {what}"),
        }
        // What callers have given up on may still be under way.
        let began = Instant::now();
        while stage.exchanges() != case.exchanges && began.elapsed() < Duration::from_secs(2) {
            sleep(Duration::from_millis(5)).await;
        }
        if callers == Callers::HalfGiveUp && at == Endpoint::Messages && stage.exchanges() == (1, 0)
        {
            // A caller that gave up met the fault, so that nobody was told of it: there is nothing to overcome.
            continue;
        }
        assert_eq!(stage.exchanges(), case.exchanges, "{what}");
        // No tight loop: whoever asks again gets the same, and the platform is not asked.
        let again = storm(&stage, &session, Callers::Patient).await;
        let settled = if case.outcomes.contains(&"200") { "200" } else { case.outcomes[0] };
        assert_eq!(again, BTreeSet::from([settled.to_owned()]), "{what}");
        assert_eq!(stage.exchanges(), case.exchanges, "asked in a loop: {what}");
        let (seconds, exchanges) = case.recovers;
        if seconds > 10 {
            stage.pass(seconds * 8 / 10);
            assert_eq!(stage.sent(&session).await, settled, "too early: {what}");
            assert_eq!(stage.exchanges(), case.exchanges, "too early: {what}");
            stage.pass(seconds * 2 / 10);
        } else {
            stage.pass(seconds);
        }
        assert_eq!(stage.sent(&session).await, "200", "{what}");
        assert_eq!(stage.exchanges(), exchanges, "{what}");
        assert!(stage.infobip.faults().armed().is_empty(), "nobody met it: {what}");
    }
}

async fn nothing_yet(_: &Stage, _: &IbssoSession) {}

async fn alive(stage: &Stage, session: &IbssoSession) {
    assert_eq!(stage.sent(session).await, "200");
}

/// So near to its end that it is renewed.
async fn due(stage: &Stage, session: &IbssoSession) {
    alive(stage, session).await;
    stage.pass(3580);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_at_the_creation_is_met_once_and_overcome() {
    const HELD: &[&str] = &["session_held_elsewhere"];
    for case in [
        case(Fault::ExpireNow, &["200"], (1, 0), (0, (1, 0))),
        case(Fault::Unauthorized, &["ibsso_log_in"], (1, 0), (2, (2, 0))),
        case(SLOW, &["200"], (1, 0), (0, (1, 0))),
        case(TOO_SLOW, HELD, (0, 0), (4000, (1, 0))),
        case(Fault::Reset, HELD, (1, 0), (4000, (2, 0))),
        case(Fault::LostAnswer, HELD, (1, 0), (4000, (2, 0))),
        case(BUSY, &["ibsso_busy"], (1, 0), (35, (2, 0))),
    ] {
        check(Endpoint::CreateSession, nothing_yet, &case).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_at_the_destruction_is_met_once_and_overcome() {
    const UNREACHABLE: &[&str] = &["ibsso_unreachable"];
    for case in [
        case(Fault::ExpireNow, &["200"], (2, 1), (0, (2, 1))),
        case(Fault::Unauthorized, &["ibsso_bound_to_other_address"], (2, 1), (2, (3, 2))),
        case(SLOW, &["200"], (2, 1), (0, (2, 1))),
        case(TOO_SLOW, UNREACHABLE, (1, 0), (2, (2, 1))),
        case(Fault::Reset, UNREACHABLE, (1, 1), (2, (2, 2))),
        case(Fault::LostAnswer, UNREACHABLE, (1, 1), (2, (2, 2))),
        case(BUSY, &["ibsso_busy"], (2, 1), (35, (3, 2))),
    ] {
        check(Endpoint::DestroySession, due, &case).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_at_the_messages_is_met_once_and_overcome() {
    for case in [
        case(Fault::ExpireNow, &["200"], (2, 1), (0, (2, 1))),
        case(Fault::Unauthorized, &["200"], (2, 1), (0, (2, 1))),
        case(SLOW, &["200"], (1, 0), (0, (1, 0))),
        // The caller's own request: whether it is sent again is for the caller to say.
        case(Fault::Reset, &["200", "reqwest_request"], (1, 0), (0, (1, 0))),
        case(Fault::LostAnswer, &["200", "reqwest_request"], (1, 0), (0, (1, 0))),
        case(BUSY, &["200", "429"], (1, 0), (0, (1, 0))),
    ] {
        check(Endpoint::Messages, alive, &case).await;
    }
}

/// A platform that takes no session at all, though it gives as many as it is asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_that_refuses_every_session_is_asked_in_ever_longer_pauses() {
    let stage = stage().await;
    let session = stage.session();
    stage.infobip.faults().arm(Fault::Unauthorized, Endpoint::Messages, 100_000);
    let mut exchanges = Vec::new();
    for _ in 0..4 {
        for _ in 0..3 {
            let outcomes = storm(&stage, &session, Callers::Patient).await;
            let expected = ["401", "session_refused"].map(str::to_owned).into();
            assert!(outcomes.is_subset(&expected), "{outcomes:?}");
        }
        exchanges.push(stage.exchanges().0);
        stage.pass(1);
    }
    // Two hundred and forty callers, each of whom may try twice.
    assert!(exchanges.last() < Some(&6), "{exchanges:?}");
    stage.infobip.faults().clear();
    stage.pass(60);
    assert_eq!(stage.sent(&session).await, "200");
}

/// The creation is seen through though nobody waits for it any more: its session is neither lost nor made twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_begun_is_seen_through_though_every_caller_gives_up() {
    for (at, exchanges) in [(Endpoint::CreateSession, (1, 0)), (Endpoint::DestroySession, (2, 1))] {
        let stage = stage().await;
        let session = stage.session();
        if at == Endpoint::DestroySession {
            due(&stage, &session).await;
        }
        stage.infobip.faults().arm(Fault::Slow(Duration::from_millis(300)), at, 1);
        for _ in 0..20 {
            let given_up = timeout(Duration::from_millis(5), stage.send(&session)).await;
            assert!(given_up.is_err(), "the platform was not slow");
        }
        assert_eq!(stage.sent(&session).await, "200");
        assert_eq!(stage.exchanges(), exchanges, "{at:?}");
    }
}
