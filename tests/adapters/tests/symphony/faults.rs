//! Every fault of the installation, at each of its endpoints: what callers get, how often it is asked, and that a bot
//! recovers by itself.

use super::{MESSAGE, Stage, Who, code, message, stage, transport};
use auth_emulator::{Endpoint, Fault};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

/// Longer than an exchange of a log-in may take, and shorter.
const TOO_SLOW: Fault = Fault::Slow(Duration::from_secs(300));
const SLOW: Fault = Fault::Slow(Duration::from_millis(100));
const BUSY: Fault = Fault::TooManyRequests(Duration::from_secs(30));

/// One request to an endpoint meets this fault.
struct Case {
    fault: Fault,
    /// What the callers get, each of these at least once.
    outcomes: &'static [&'static str],
    /// Sessions, key manager tokens and questions to the pod by then.
    log_ins: [u64; 3],
    /// What it takes to recover: seconds, and the same counts by then.
    recovers: (u64, [u64; 3]),
}

const fn case(
    fault: Fault,
    outcomes: &'static [&'static str],
    log_ins: [u64; 3],
    recovers: (u64, [u64; 3]),
) -> Case {
    Case { fault, outcomes, log_ins, recovers }
}

/// Do callers wait, or does every second one give up at once?
#[derive(Clone, Copy, Debug, PartialEq)]
enum Callers {
    Patient,
    HalfGiveUp,
}

/// What came of twenty callers at once.
async fn storm(stage: &Stage, agent: &Who, callers: Callers) -> BTreeSet<String> {
    let mut all = JoinSet::new();
    for caller in 0..20 {
        let (agent, client, url) = (Arc::clone(agent), stage.client.clone(), stage.url(MESSAGE));
        all.spawn(async move {
            let gives_up = callers == Callers::HalfGiveUp && caller % 2 == 0;
            let patience = Duration::from_millis(if gives_up { 3 } else { 60_000 });
            let sent = timeout(patience, message(&client, &agent, &url)).await.ok()?;
            Some(sent.map_or_else(code, |status| status.to_string()))
        });
    }
    all.join_all().await.into_iter().flatten().collect()
}

async fn sent(stage: &Stage, agent: &Who) -> String {
    let sent = message(&stage.client, agent, &stage.url(MESSAGE)).await;
    sent.map_or_else(code, |status| status.to_string())
}

/// Is the bot logged in before the fault, and what else goes wrong?
#[derive(Clone, Copy, Debug, PartialEq)]
enum Before {
    Nothing,
    LoggedIn,
    /// And its session has ended, so that the pod is asked.
    SessionEnds,
}

async fn check(at: Endpoint, before: Before, case: &Case) {
    for callers in [Callers::Patient, Callers::HalfGiveUp] {
        let what = format!("{:?} at {at:?}, {callers:?}", case.fault);
        let stage = stage().await;
        let agent: Who = Arc::new(stage.bot(stage.context(transport())).agent());
        if before != Before::Nothing {
            assert_eq!(sent(&stage, &agent).await, "200");
        }
        if before == Before::SessionEnds {
            stage.symphony.faults().arm(Fault::ExpireSessions, Endpoint::Agent, 1);
            let info = stage.client.http().get(stage.url("/agent/v1/info")).build().unwrap();
            stage.client.http().execute(info).await.unwrap();
        }
        stage.symphony.faults().arm(case.fault, at, 1);
        let outcomes = storm(&stage, &agent, callers).await;
        let expected: BTreeSet<_> = case.outcomes.iter().map(|code| (*code).to_owned()).collect();
        match callers {
            Callers::Patient => assert_eq!(outcomes, expected, "{what}"),
            Callers::HalfGiveUp => assert!(outcomes.is_subset(&expected), "{outcomes:?}: {what}"),
        }
        // What callers have given up on may still be under way.
        let began = Instant::now();
        while stage.log_ins() != case.log_ins && began.elapsed() < Duration::from_secs(2) {
            sleep(Duration::from_millis(5)).await;
        }
        if callers == Callers::HalfGiveUp && stage.log_ins() != case.log_ins {
            // A caller that gave up met the fault: nobody was told of it, or nobody has needed the next token by now.
            let counted = stage.log_ins();
            assert!([[1, 1, 0], [1, 1, 1]].contains(&counted), "{counted:?}: {what}");
            assert_eq!((at, sent(&stage, &agent).await), (Endpoint::Agent, "200".into()), "{what}");
            continue;
        }
        assert_eq!(stage.log_ins(), case.log_ins, "{what}");
        // No tight loop: whoever asks again gets the same, and nobody is asked.
        let again = storm(&stage, &agent, Callers::Patient).await;
        let settled = if case.outcomes.contains(&"200") { "200" } else { case.outcomes[0] };
        assert_eq!(again, BTreeSet::from([settled.to_owned()]), "{what}");
        assert_eq!(stage.log_ins(), case.log_ins, "asked in a loop: {what}");
        let (seconds, log_ins) = case.recovers;
        if seconds > 10 {
            stage.pass(seconds * 8 / 10);
            assert_eq!(sent(&stage, &agent).await, settled, "too early: {what}");
            assert_eq!(stage.log_ins(), case.log_ins, "too early: {what}");
            stage.pass(seconds * 2 / 10);
        } else {
            stage.pass(seconds);
        }
        assert_eq!(sent(&stage, &agent).await, "200", "{what}");
        assert_eq!(stage.log_ins(), log_ins, "{what}");
        assert!(stage.symphony.faults().armed().is_empty(), "nobody met it: {what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_at_the_log_in_of_the_pod_is_met_once_and_overcome() {
    for case in [
        case(Fault::ExpireNow, &["200"], [1, 1, 0], (0, [1, 1, 0])),
        case(Fault::ExpireSessions, &["200"], [1, 1, 0], (0, [1, 1, 0])),
        case(Fault::ExpireKeyManagerTokens, &["200"], [1, 1, 0], (0, [1, 1, 0])),
        case(Fault::Unauthorized, &["symphony_log_in"], [0, 0, 0], (1, [1, 1, 0])),
        case(Fault::Forbidden, &["symphony_log_in_forbidden"], [0, 0, 0], (1, [1, 1, 0])),
        case(SLOW, &["200"], [1, 1, 0], (0, [1, 1, 0])),
        case(TOO_SLOW, &["reqwest_timeout"], [0, 0, 0], (1, [1, 1, 0])),
        case(Fault::Reset, &["reqwest_request"], [0, 0, 0], (1, [1, 1, 0])),
        // The session that nobody was told of lives on: a pod has any number of them.
        case(Fault::LostAnswer, &["reqwest_request"], [1, 0, 0], (1, [2, 1, 0])),
        case(BUSY, &["symphony_busy"], [0, 0, 0], (35, [1, 1, 0])),
    ] {
        check(Endpoint::SessionLogIn, Before::Nothing, &case).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_at_the_log_in_of_the_key_manager_is_met_once_and_overcome() {
    for case in [
        case(Fault::ExpireNow, &["200"], [2, 1, 1], (0, [2, 1, 1])),
        case(Fault::ExpireSessions, &["200"], [2, 1, 1], (0, [2, 1, 1])),
        case(Fault::ExpireKeyManagerTokens, &["200"], [1, 1, 0], (0, [1, 1, 0])),
        case(Fault::Unauthorized, &["symphony_log_in"], [1, 0, 0], (1, [1, 1, 0])),
        case(Fault::Forbidden, &["symphony_log_in_forbidden"], [1, 0, 0], (1, [1, 1, 0])),
        case(SLOW, &["200"], [1, 1, 0], (0, [1, 1, 0])),
        case(TOO_SLOW, &["reqwest_timeout"], [1, 0, 0], (1, [1, 1, 0])),
        case(Fault::Reset, &["reqwest_request"], [1, 0, 0], (1, [1, 1, 0])),
        case(Fault::LostAnswer, &["reqwest_request"], [1, 1, 0], (1, [1, 2, 0])),
        case(BUSY, &["symphony_busy"], [1, 0, 0], (35, [1, 1, 0])),
    ] {
        check(Endpoint::KeyManagerLogIn, Before::Nothing, &case).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_at_the_agent_is_met_once_and_overcome() {
    for case in [
        case(Fault::ExpireNow, &["200"], [2, 2, 2], (0, [2, 2, 2])),
        case(Fault::ExpireSessions, &["200"], [2, 1, 1], (0, [2, 1, 1])),
        case(Fault::ExpireKeyManagerTokens, &["200"], [1, 2, 1], (0, [1, 2, 1])),
        // The session is alive, so it is the other token.
        case(Fault::Unauthorized, &["200"], [1, 2, 1], (0, [1, 2, 1])),
        case(Fault::Forbidden, &["200", "403"], [1, 1, 0], (0, [1, 1, 0])),
        case(SLOW, &["200"], [1, 1, 0], (0, [1, 1, 0])),
        // The caller's own request: whether it is sent again is for the caller to say.
        case(Fault::Reset, &["200", "reqwest_request"], [1, 1, 0], (0, [1, 1, 0])),
        case(Fault::LostAnswer, &["200", "reqwest_request"], [1, 1, 0], (0, [1, 1, 0])),
        case(BUSY, &["200", "429"], [1, 1, 0], (0, [1, 1, 0])),
    ] {
        check(Endpoint::Agent, Before::LoggedIn, &case).await;
    }
}

/// The session has ended, and the pod is asked which of the two tokens it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_at_the_question_to_the_pod_is_met_once_and_overcome() {
    for case in [
        case(Fault::ExpireNow, &["200"], [2, 2, 2], (0, [2, 2, 2])),
        case(Fault::ExpireSessions, &["200"], [2, 1, 1], (0, [2, 1, 1])),
        case(Fault::ExpireKeyManagerTokens, &["200"], [2, 2, 2], (0, [2, 2, 2])),
        case(Fault::Unauthorized, &["200"], [2, 1, 1], (0, [2, 1, 1])),
        case(SLOW, &["200"], [2, 1, 1], (0, [2, 1, 1])),
        // Nobody can tell: the answer of the agent is delivered, and the pod is not asked again for five seconds.
        case(Fault::Forbidden, &["401"], [1, 1, 1], (5, [2, 1, 2])),
        case(TOO_SLOW, &["401"], [1, 1, 0], (5, [2, 1, 1])),
        case(Fault::Reset, &["401"], [1, 1, 1], (5, [2, 1, 2])),
        case(Fault::LostAnswer, &["401"], [1, 1, 1], (5, [2, 1, 2])),
        // Nor before it said.
        case(BUSY, &["401"], [1, 1, 1], (30, [2, 1, 2])),
    ] {
        check(Endpoint::Pod, Before::SessionEnds, &case).await;
    }
}
