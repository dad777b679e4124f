//! A weaker method while no session can be had: only where one is named, and each use is told.

use super::{PASSWORD, USER, stage};
use auth_emulator::{Endpoint, Fault};
use auth_static::Basic;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn basic_is_sent_only_where_it_is_named_and_each_use_is_told() {
    let stage = stage().await;
    let plain = stage.session();
    let falling = stage.session().with_fallback(Basic::new(USER, PASSWORD).unwrap());
    // Neither a busy platform nor a refused password is a reason.
    for (fault, code) in [
        (Fault::TooManyRequests(std::time::Duration::from_secs(1)), "ibsso_busy"),
        (Fault::Unauthorized, "ibsso_log_in"),
    ] {
        stage.infobip.faults().arm(fault, Endpoint::CreateSession, 1);
        assert_eq!(stage.sent(&falling).await, code);
        stage.pass(10);
    }
    stage.infobip.faults().arm(Fault::LostAnswer, Endpoint::CreateSession, 2);
    assert_eq!(stage.sent(&plain).await, "session_held_elsewhere");
    stage.told.take();
    for _ in 0..3 {
        assert_eq!(stage.sent(&falling).await, "200");
    }
    assert_eq!(stage.sent(&plain).await, "session_held_elsewhere");
    let fell = "ibsso fell back: session_held_elsewhere";
    assert_eq!(stage.told.take(), ["failed: session_held_elsewhere", fell, fell, fell]);
    let requests = stage.infobip.requests();
    let schemes: Vec<_> =
        requests.iter().filter(|one| one.endpoint == Some(Endpoint::Messages)).collect();
    assert!(schemes.iter().all(|one| one.scheme == Some("Basic")), "{schemes:?}");
    assert_eq!(schemes.len(), 3, "without a name nothing is sent");
    // The session whose token was lost has ended: from here on there is a session, and nothing falls back.
    stage.pass(4000);
    assert_eq!(stage.sent(&falling).await, "200");
    assert_eq!(stage.told.take(), ["renewed"]);
    assert_eq!(stage.infobip.requests().last().unwrap().scheme, Some("IBSSO"));
}
