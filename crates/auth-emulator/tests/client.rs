//! The clients of this project against the emulator: both ends of each log-in agree.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use auth_core::{Authenticator, Context};
use auth_emulator::{Endpoint, Fault};
use auth_ibsso::{IbssoSession, LogIn};
use auth_reqwest::{AuthClient, ReqwestTransport};
use auth_static::{ApiKey, Basic, Placement};
use common::{MESSAGE, PASSWORD, Stage, USER, stage};
use std::time::Duration;
use tokio::runtime::Handle;

fn session(it: &Stage) -> IbssoSession {
    let transport = ReqwestTransport::builder(Handle::current()).allowing_loopback();
    let transport = transport.build().unwrap();
    let log_in = LogIn::new(&it.infobip.base_url(), USER, PASSWORD).unwrap();
    IbssoSession::new(log_in, Context::new(transport).with_clock(it.clock.clone()))
}

async fn message(it: &Stage, authenticator: &dyn Authenticator) -> u16 {
    let client = AuthClient::builder().build().unwrap();
    let url = format!("{}/sms/3/messages", it.infobip.base_url());
    let request = client.http().post(url).body(MESSAGE).build().unwrap();
    client.send(authenticator, request).await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_created_once_for_all_and_renewed_when_it_ends_behind_its_back() {
    let it = stage().await;
    let session = session(&it);
    for _ in 0..3 {
        assert_eq!(message(&it, &session).await, 200);
    }
    assert_eq!(it.infobip.counts().sessions_created, 1);
    it.infobip.faults().arm(Fault::ExpireNow, Endpoint::Messages, 1);
    assert_eq!(message(&it, &session).await, 200);
    assert_eq!(it.infobip.counts().sessions_created, 2);
    it.clock.advance(Duration::from_secs(3600));
    assert_eq!(message(&it, &session).await, 200);
    assert_eq!(it.infobip.counts().sessions_created, 3);
    session.destroy().await.unwrap();
    assert_eq!(it.infobip.counts().sessions_destroyed, 1);
}

#[tokio::test]
async fn basic_and_the_key_of_the_account_send() {
    let it = stage().await;
    assert_eq!(message(&it, &Basic::new(USER, PASSWORD).unwrap()).await, 200);
    let key = it.infobip.api_key().expose_text().unwrap();
    let key = ApiKey::new(Placement::scheme("App").unwrap(), key).unwrap();
    assert_eq!(message(&it, &key).await, 200);
}
