//! What cannot be seen from outside: the registry beneath.

use super::*;
use auth_lifecycle::Kind;
use auth_testing::ManualClock;

const PUBLIC: &str = include_str!("../../tests/keys/bot.pub.pem");

async fn emulator() -> Symphony {
    let clock = ManualClock::at(1_700_000_000);
    Symphony::builder().with_bot("bot", PUBLIC).with_clock(clock).build().await.unwrap()
}

#[tokio::test]
async fn beyond_a_thousand_sessions_the_oldest_makes_room() {
    let symphony = emulator().await;
    let installation = &symphony.0.installation;
    let service = &installation.accounts.named(Role::Bot, "bot").unwrap().service;
    let issue = || installation.issue(Kind::SymphonySession, service, Role::Bot);
    let first = issue().await.unwrap();
    for _ in 1..1000 {
        issue().await.unwrap();
    }
    let alive = async |token: &Secret| {
        let request = http::Request::get("/pod/v2/sessioninfo");
        let field = token.expose_text().unwrap();
        let request = request.header("sessionToken", field).body(axum::body::Body::empty());
        let answered = tower::ServiceExt::oneshot(symphony.router(), request.unwrap()).await;
        answered.unwrap().status() == http::StatusCode::OK
    };
    assert!(alive(&first).await);
    let last = issue().await.unwrap();
    assert!(!alive(&first).await && alive(&last).await);
}
