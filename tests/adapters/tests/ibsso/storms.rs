//! Many requests at once: a session that ends behind their back, and one that is renewed in time.

use super::{send, stage};
use auth_emulator::{Endpoint, Fault};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

/// Ten thousand requests by 64 callers, and the session is destroyed in the middle: the client destroys and creates once,
/// and every request is answered as if nothing had been.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_destroyed_behind_ten_thousand_requests_is_made_anew_once() {
    const REQUESTS: u32 = 10_000;
    let stage = stage().await;
    let session = stage.session();
    let (begun, url) = (Arc::new(AtomicU32::new(0)), stage.messages());
    let mut callers = JoinSet::new();
    for _ in 0..64 {
        let (session, client) = (session.clone(), stage.client.clone());
        let (begun, url) = (Arc::clone(&begun), url.clone());
        callers.spawn(async move {
            let mut good = 0;
            while begun.fetch_add(1, Ordering::Relaxed) < REQUESTS {
                assert_eq!(send(&client, &session, &url).await.unwrap(), 200);
                good += 1;
            }
            good
        });
    }
    wait_until("half of them are under way", || begun.load(Ordering::Relaxed) > REQUESTS / 2).await;
    assert_eq!(stage.exchanges(), (1, 0));
    // Another program that has the token of the same user destroys the session.
    let token = session.token().await.unwrap();
    stage.log_in().destroy(&stage.context, &token).await.unwrap();
    let good: u32 = callers.join_all().await.into_iter().sum();
    assert_eq!(good, REQUESTS);
    let counts = stage.counts();
    assert_eq!(counts.messages_accepted, u64::from(REQUESTS));
    assert_eq!(counts.sessions_created, 2, "one at first, and one more");
    assert!(counts.unauthorized > 1, "nobody has noticed");
    // One is the test's own. What happened before may have left the record, what happened since has not.
    assert_eq!(stage.asked(Endpoint::DestroySession), 2);
    assert!(stage.asked(Endpoint::CreateSession) <= 2);
    let told = stage.told.take();
    assert_eq!(told, ["renewed", "condemned", "renewed"]);
    println!("{} requests in all, {} of them refused", counts.requests, counts.unauthorized);
}

/// A session is renewed three times while callers send all the time: requests wait, and none is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planned_renewal_under_load_has_no_request_refused() {
    let stage = stage().await;
    let session = stage.session();
    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for _ in 0..16 {
        let (session, client) = (session.clone(), stage.client.clone());
        let (stop, url) = (Arc::clone(&stop), stage.messages());
        callers.spawn(async move {
            let mut sent = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                assert_eq!(send(&client, &session, &url).await.unwrap(), 200);
                sent += 1;
            }
            sent
        });
    }
    for renewed in 1..=4 {
        wait_until("the session is renewed", || stage.counts().sessions_created == renewed).await;
        let accepted = stage.counts().messages_accepted;
        wait_until("all go on", || stage.counts().messages_accepted > accepted + 100).await;
        // Twenty seconds before its end, of the last created one as well.
        stage.pass(3580);
    }
    wait_until("the last is renewed", || stage.counts().sessions_created == 5).await;
    stop.store(true, Ordering::Relaxed);
    let sent: u64 = callers.join_all().await.into_iter().sum();
    let counts = stage.counts();
    assert_eq!((counts.unauthorized, counts.messages_accepted), (0, sent));
    assert_eq!((counts.sessions_created, counts.sessions_destroyed), (5, 4));
    println!("{sent} requests, none refused, 4 renewals");
}

async fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        sleep(Duration::from_millis(2)).await;
    }
}

/// A thousand callers of a session that nobody has yet, half of whom give up: one creation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_at_once_have_one_session_though_half_of_them_give_up() {
    let stage = stage().await;
    let session = stage.session();
    let slow = Fault::Slow(Duration::from_millis(100));
    stage.infobip.faults().arm(slow, Endpoint::CreateSession, 1);
    let mut callers = JoinSet::new();
    for caller in 0..1000 {
        let session = session.clone();
        callers.spawn(async move {
            let patience = Duration::from_millis(if caller % 2 == 0 { 20 } else { 60_000 });
            tokio::time::timeout(patience, session.token()).await.map(Result::unwrap).is_ok()
        });
    }
    let served = callers.join_all().await.into_iter().filter(|is_served| *is_served).count();
    assert!((500..1000).contains(&served), "{served}");
    assert_eq!(stage.exchanges(), (1, 0));
    assert_eq!(stage.counts().sessions_created, 1);
}
