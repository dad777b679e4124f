//! Each fault at each component, as our own bot meets it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use auth_core::Authenticator;
use auth_emulator::{Endpoint, Fault};
use common::symphony::{MESSAGE, Stage, stage};
use http::Method;
use std::{
    future::poll_fn,
    task::Poll,
    time::{Duration, Instant},
};

const WAIT: Duration = Duration::from_millis(150);

/// What a message comes to: a status, or the code of an error.
async fn message(it: &Stage, who: &dyn Authenticator) -> String {
    match it.try_send(who, Method::POST, MESSAGE, "hello").await {
        Ok((status, _)) => status.to_string(),
        Err(error) => error.code().to_owned(),
    }
}

/// A message of a bot that has no tokens, and one more behind it.
async fn check_log_in(endpoint: Endpoint, fault: Fault, first: &str, log_ins: [u64; 3]) {
    let it = stage().await;
    let agent = it.bot().agent();
    it.symphony.faults().arm(fault, endpoint, 1);
    assert_eq!(message(&it, &agent).await, first, "{endpoint:?} {fault:?}");
    assert_eq!(it.log_ins(), log_ins, "{endpoint:?} {fault:?}");
    assert!(it.symphony.faults().armed().is_empty(), "{endpoint:?} {fault:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_is_tried_again_where_that_helps_and_refused_where_it_does_not() {
    use Endpoint::{KeyManagerLogIn, SessionLogIn};
    let second = Duration::from_secs(1);
    // The session is obtained first, and without it the key manager is not asked.
    for (endpoint, refused) in [(SessionLogIn, [0, 0, 0]), (KeyManagerLogIn, [1, 0, 0])] {
        let one = [1, 1, 0];
        check_log_in(endpoint, Fault::Unauthorized, "symphony_log_in", refused).await;
        let forbidden = "symphony_log_in_forbidden";
        check_log_in(endpoint, Fault::Forbidden, forbidden, refused).await;
        check_log_in(endpoint, Fault::Slow(WAIT), "200", one).await;
        check_log_in(endpoint, Fault::Reset, "200", one).await;
        check_log_in(endpoint, Fault::TooManyRequests(second), "200", one).await;
        check_log_in(endpoint, Fault::ExpireKeyManagerTokens, "200", one).await;
    }
    // The answer that was lost was that of a log-in.
    check_log_in(SessionLogIn, Fault::LostAnswer, "200", [2, 1, 0]).await;
    check_log_in(KeyManagerLogIn, Fault::LostAnswer, "200", [1, 2, 0]).await;
    // The session that was there before the log-in at the key manager is ended by it.
    check_log_in(KeyManagerLogIn, Fault::ExpireSessions, "200", [2, 1, 1]).await;
    check_log_in(KeyManagerLogIn, Fault::ExpireNow, "200", [2, 1, 1]).await;
    check_log_in(SessionLogIn, Fault::ExpireNow, "200", [1, 1, 0]).await;
}

/// A message of a bot that has both tokens, and a message after it.
async fn check_agent(fault: Fault, first: &str, log_ins: [u64; 3], accepted: u64) {
    let it = stage().await;
    let agent = it.bot().agent();
    assert_eq!(message(&it, &agent).await, "200");
    it.symphony.faults().arm(fault, Endpoint::Agent, 1);
    assert_eq!(message(&it, &agent).await, first, "{fault:?}");
    assert_eq!(message(&it, &agent).await, "200", "{fault:?}");
    assert_eq!(it.log_ins(), log_ins, "{fault:?}");
    assert_eq!(it.symphony.counts().messages_accepted, accepted, "{fault:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_does_wrong_is_delivered_unless_it_is_a_401() {
    // The pod says that the session is alive, so the other token is thought to be dead.
    check_agent(Fault::Unauthorized, "200", [1, 2, 1], 3).await;
    check_agent(Fault::Forbidden, "403", [1, 1, 0], 2).await;
    check_agent(Fault::Slow(WAIT), "200", [1, 1, 0], 3).await;
    check_agent(Fault::TooManyRequests(WAIT), "429", [1, 1, 0], 2).await;
    check_agent(Fault::ExpireNow, "200", [2, 2, 2], 3).await;
}

/// The connection is dropped: a message is not sent twice by a client that does not know whether it was sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_an_agent_drops_is_an_error_and_no_log_in() {
    for (fault, accepted) in [(Fault::Reset, 2), (Fault::LostAnswer, 3)] {
        let it = stage().await;
        let agent = it.bot().agent();
        assert_eq!(message(&it, &agent).await, "200");
        it.symphony.faults().arm(fault, Endpoint::Agent, 1);
        let lost = it.try_send(&agent, Method::POST, MESSAGE, "hello").await.unwrap_err();
        assert!(matches!(lost, auth_core::Error::Transport(_)), "{fault:?} {lost:?}");
        assert_eq!(message(&it, &agent).await, "200", "{fault:?}");
        assert_eq!(it.log_ins(), [1, 1, 0], "{fault:?}");
        assert_eq!(it.symphony.counts().messages_accepted, accepted, "{fault:?}");
    }
}

/// A message finds the session dead, and the pod does this when it is asked for it.
async fn check_probe(fault: Fault, first: &str, log_ins: [u64; 3]) {
    let it = stage().await;
    let agent = it.bot().agent();
    assert_eq!(message(&it, &agent).await, "200");
    it.symphony.faults().arm(Fault::ExpireSessions, Endpoint::Agent, 1);
    it.symphony.faults().arm(fault, Endpoint::Pod, 1);
    assert_eq!(message(&it, &agent).await, first, "{fault:?}");
    assert_eq!(it.log_ins(), log_ins, "{fault:?}");
    // Where it could not tell it is not asked again for five seconds, and then once.
    it.clock.advance(Duration::from_millis(4900));
    assert_eq!(message(&it, &agent).await, first, "{fault:?}");
    assert_eq!(it.log_ins(), log_ins, "{fault:?}");
    it.clock.advance(Duration::from_millis(100));
    assert_eq!(message(&it, &agent).await, "200", "{fault:?}");
    let [sessions, keys, _] = it.log_ins();
    assert_eq!((sessions, keys), (2, 1), "{fault:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_cannot_tell_leaves_the_401_and_is_asked_again_later() {
    check_probe(Fault::Unauthorized, "200", [2, 1, 1]).await;
    check_probe(Fault::Slow(WAIT), "200", [2, 1, 1]).await;
    check_probe(Fault::Forbidden, "401", [1, 1, 1]).await;
    check_probe(Fault::TooManyRequests(WAIT), "401", [1, 1, 1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_whose_connection_is_dropped_leaves_the_401() {
    for fault in [Fault::Reset, Fault::LostAnswer] {
        let it = stage().await;
        let agent = it.bot().agent();
        assert_eq!(message(&it, &agent).await, "200");
        it.symphony.faults().arm(Fault::ExpireSessions, Endpoint::Agent, 1);
        it.symphony.faults().arm(fault, Endpoint::Pod, 1);
        let said = message(&it, &agent).await;
        assert_eq!(said, "401", "{fault:?} {:?}", it.log_ins());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_meets_as_many_requests_to_its_component_as_it_was_armed_for() {
    for (endpoint, path) in [
        (Endpoint::SessionLogIn, "/login/idm/keys"),
        (Endpoint::KeyManagerLogIn, "/relay/pubkey/authenticate"),
        (Endpoint::Pod, "/pod/v1/podcert"),
        (Endpoint::Agent, "/agent/v1/info"),
    ] {
        let it = stage().await;
        let faults = it.symphony.faults();
        faults.arm(Fault::Unauthorized, endpoint, 2);
        faults.arm(Fault::Forbidden, endpoint, 1);
        faults.arm(Fault::TooManyRequests(Duration::from_millis(1500)), endpoint, 1);
        faults.arm(Fault::Slow(WAIT), endpoint, 1);
        faults.arm(Fault::Reset, endpoint, 1);
        let mut seen = Vec::new();
        let begun = Instant::now();
        for _ in 0..7 {
            let answered = it.caller.try_send(Method::GET, path, &[], "").await;
            seen.push(answered.as_ref().map_or(0, |it| it.status));
            if let Some(answered) = answered.filter(|it| it.status == 429) {
                assert_eq!(answered.headers["retry-after"], "2");
                assert_eq!(answered.body["code"], 429);
            }
        }
        let last = if endpoint == Endpoint::KeyManagerLogIn { 405 } else { 200 };
        assert_eq!(seen, [401, 401, 403, 429, last, 0, last], "{endpoint:?}");
        assert!(begun.elapsed() >= WAIT, "{endpoint:?}");
    }
}

/// However late a caller hangs up, the others are served, and nobody logs in who need not.
#[tokio::test(flavor = "multi_thread")]
async fn callers_that_hang_up_leave_the_log_ins_to_the_others() {
    for endpoint in [Endpoint::SessionLogIn, Endpoint::KeyManagerLogIn] {
        let it = stage().await;
        let agent = it.bot().agent();
        it.symphony.faults().arm(Fault::Slow(WAIT), endpoint, 1);
        for late in 0..4 {
            let hung_up = tokio::time::timeout(WAIT / 10 * late, it.message(&agent)).await;
            assert!(hung_up.is_err(), "{endpoint:?}");
        }
        assert_eq!(it.message(&agent).await, 200, "{endpoint:?}");
        assert_eq!(it.log_ins(), [1, 1, 0], "{endpoint:?}");
    }
}

/// The caller whose request found the token dead is gone while the pod is asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_hangs_up_during_the_probe_leaves_it_to_the_others() {
    let it = stage().await;
    let agent = it.bot().agent();
    assert_eq!(it.message(&agent).await, 200);
    for (fault, expected) in
        [(Fault::ExpireSessions, [2, 1, 1]), (Fault::ExpireKeyManagerTokens, [2, 2, 2])]
    {
        it.symphony.faults().arm(fault, Endpoint::Agent, 1);
        it.symphony.faults().arm(Fault::Slow(WAIT), Endpoint::Pod, 1);
        {
            let mut request = Box::pin(it.message(&agent));
            let probed = it.log_ins()[2];
            let armed = || !it.symphony.faults().armed().is_empty();
            // Until the pod has been asked.
            poll_fn(|cx| {
                if request.as_mut().poll(cx).is_ready() || !armed() {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
            assert_eq!(it.log_ins()[2], probed, "it was answered already");
        }
        assert_eq!(it.message(&agent).await, 200, "{fault:?}");
        assert_eq!(it.log_ins(), expected, "{fault:?}");
    }
}
