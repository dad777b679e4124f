//! The keys of a bot, replaced while it works: saved, extended and revoked by an administrator.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use auth_emulator::{Endpoint, Fault};
use auth_reqwest::AuthClient;
use auth_symphony::{Agent, Bot, BotKeyChange, BotKeys, OriginBound};
use common::{
    START,
    symphony::{
        KEY, MESSAGE, OTHER_KEY, OTHER_PUBLIC, PUBLIC, Stage, THIRD_KEY, THIRD_PUBLIC, send,
        stage_of,
    },
};
use http::Method;
use std::{
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;

const HOUR: Duration = Duration::from_secs(60 * 60);
const SECOND: Duration = Duration::from_secs(1);
/// 4096 bits.
const ADMIN_KEY: &str = include_str!("keys/admin.pem");
const ADMIN_PUBLIC: &str = include_str!("keys/admin.pub.pem");

struct Keys {
    stage: Stage,
    admin: Bot,
    bot_id: i64,
}

async fn keys() -> Keys {
    let stage = stage_of(|it| it.with_administrator("admin", ADMIN_PUBLIC)).await;
    let admin = stage.bot_with("admin", ADMIN_KEY);
    let bot_id = stage.session_info(&stage.bot().pod()).await.1["id"].as_i64().unwrap();
    Keys { stage, admin, bot_id }
}

const SAVE_OTHER: BotKeyChange<'_> = BotKeyChange::Save { public_key: OTHER_PUBLIC };
const SAVE_THIRD: BotKeyChange<'_> = BotKeyChange::Save { public_key: THIRD_PUBLIC };
use BotKeyChange::{ExtendPrevious, RevokeCurrent, RevokePrevious};

impl Keys {
    /// The current key and the previous one, and when that ends in seconds from the beginning on; or the code of the error.
    async fn change(
        &self,
        change: BotKeyChange<'_>,
    ) -> Result<(String, String, u64), &'static str> {
        self.change_as(&self.admin, self.bot_id, change).await
    }

    async fn change_as(
        &self,
        who: &Bot,
        id: i64,
        change: BotKeyChange<'_>,
    ) -> Result<(String, String, u64), &'static str> {
        let request = change.request(&self.stage.endpoints(), id).unwrap();
        let (head, body) = request.into_parts();
        let http = self.stage.client.http().request(head.method, head.uri.to_string());
        let http = http.headers(head.headers).body(body).build().unwrap();
        let answer = self.stage.client.send(&who.pod(), http).await.unwrap();
        let status = answer.status();
        let read = BotKeys::read(status, &answer.bytes().await.unwrap());
        read.map_err(|error| error.code()).map(|keys| {
            let previous =
                keys.previous.map(|it| (it.public_key, it.expires.unwrap().unix() - START));
            let (previous, end) = previous.unwrap_or_default();
            (keys.current.map(|it| it.public_key).unwrap_or_default(), previous, end)
        })
    }

    /// Two programs that log in with one key in the same second sign the same token, which is good once.
    fn next_second(&self) {
        self.stage.clock.advance(SECOND);
    }

    /// Which of the three keys log in, in three seconds.
    async fn log_in(&self) -> [bool; 3] {
        let mut good = [false; 3];
        for (good, key) in good.iter_mut().zip([KEY, OTHER_KEY, THIRD_KEY]) {
            self.next_second();
            *good = self.stage.bot_with("bot", key).session_token().await.is_ok();
        }
        good
    }
}

fn told(current: &str, previous: &str, end: u64) -> Result<(String, String, u64), &'static str> {
    Ok((current.to_owned(), previous.to_owned(), end))
}

const REFUSED: Result<(String, String, u64), &str> = Err("symphony_key_change");
const DAYS_3: u64 = 72 * 3600;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_replaced_logs_in_for_72_hours_and_for_72_more_each_time_it_is_extended() {
    let it = keys().await;
    assert_eq!(it.change(SAVE_OTHER).await, told(OTHER_PUBLIC, PUBLIC, DAYS_3));
    it.stage.clock.advance(72 * HOUR - 4 * SECOND);
    assert_eq!(it.log_in().await, [true, true, false]);
    assert_eq!(it.change(ExtendPrevious).await, told(OTHER_PUBLIC, PUBLIC, 2 * DAYS_3));
    assert_eq!(it.change(ExtendPrevious).await, told(OTHER_PUBLIC, PUBLIC, 3 * DAYS_3));
    it.stage.clock.advance(144 * HOUR - SECOND);
    assert_eq!(it.log_in().await, [true, true, false], "a second before its end");
    assert_eq!(it.log_in().await, [false, true, false]);
    assert_eq!(it.change(ExtendPrevious).await, REFUSED, "it has ended");
    assert_eq!(it.change(RevokePrevious).await, REFUSED, "it has ended");
    assert_eq!(it.change(SAVE_THIRD).await, told(THIRD_PUBLIC, OTHER_PUBLIC, 4 * DAYS_3 + 4));
    assert_eq!(it.log_in().await, [false, true, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_ends_at_once_and_the_sessions_of_its_bot_with_it() {
    let it = keys().await;
    it.change(SAVE_OTHER).await.unwrap();
    it.next_second();
    let (old, new) = (it.stage.bot(), it.stage.bot_with("bot", OTHER_KEY));
    for bot in [&old, &new] {
        assert_eq!(it.stage.message(&bot.agent()).await, 200);
    }
    let before = it.stage.log_ins();
    assert_eq!(it.change(RevokePrevious).await, told(OTHER_PUBLIC, "", 0));
    assert_eq!(it.log_in().await, [false, true, false]);
    assert_eq!(it.stage.message(&old.agent()).await, 401);
    assert_eq!(it.stage.message(&new.agent()).await, 200);
    let after = it.stage.log_ins();
    // The administrator's session has no part in it; one log-in was that of the question which keys are good.
    assert_eq!([after[0] - before[0], after[1] - before[1]], [2, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_previous_key_takes_the_place_of_the_current_one_that_is_revoked() {
    let it = keys().await;
    it.change(SAVE_OTHER).await.unwrap();
    it.change(ExtendPrevious).await.unwrap();
    assert_eq!(it.change(RevokeCurrent).await, told(PUBLIC, "", 0));
    it.stage.clock.advance(1000 * HOUR);
    assert_eq!(it.log_in().await, [true, false, false]);
    assert_eq!(it.change(ExtendPrevious).await, REFUSED);
    assert_eq!(it.change(RevokeCurrent).await, told("", "", 0));
    assert_eq!(it.log_in().await, [false; 3]);
    assert_eq!(it.change(RevokeCurrent).await, REFUSED);
    assert_eq!(it.change(SAVE_THIRD).await, told(THIRD_PUBLIC, "", 0));
    assert_eq!(it.log_in().await, [false, false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_pod_refuses_changes_nothing() {
    let it = keys().await;
    let same = BotKeyChange::Save { public_key: PUBLIC };
    for change in [same, ExtendPrevious, RevokePrevious] {
        assert_eq!(it.change(change).await, REFUSED, "{change:?}");
    }
    assert_eq!(it.change(SAVE_OTHER).await, told(OTHER_PUBLIC, PUBLIC, DAYS_3));
    for change in [same, SAVE_OTHER, SAVE_THIRD] {
        assert_eq!(it.change(change).await, REFUSED, "{change:?}");
    }
    for id in [7, 0, -1] {
        assert_eq!(it.change_as(&it.admin, id, SAVE_THIRD).await, REFUSED, "no bot has it");
    }
    it.next_second();
    let (bot, forbidden) = (it.stage.bot(), Err("symphony_key_change_forbidden"));
    assert_eq!(it.change_as(&bot, it.bot_id, RevokePrevious).await, forbidden);
    assert_eq!(it.log_in().await, [true, true, false]);
    let session = it.admin.session_token().await.unwrap();
    let field = session.token.secret().expose_text().unwrap();
    let path = format!("/pod/v2/admin/user/{}/update", it.bot_id);
    for (body, status) in [
        ("", 400),
        ("[]", 400),
        (r#"{"currentKey":{"action":"EXTEND"}}"#, 400),
        (r#"{"currentKey":{"action":"SAVE"}}"#, 400),
        (r#"{"currentKey":{"action":"SAVE","key":"PEM"}}"#, 400),
        (r#"{"previousKey":{"action":"SAVE","key":"PEM"}}"#, 400),
        (r#"{"currentKey":{"action":"REVOKE"},"previousKey":{"action":"REVOKE"}}"#, 400),
        (r#"{"displayName":"Bot"}"#, 200),
    ] {
        let answered = it.stage.ask(Method::POST, &path, &[("sessionToken", field)], body).await;
        assert_eq!(answered.status, status, "{body}");
    }
    assert_eq!(it.stage.ask(Method::POST, &path, &[], "{}").await.status, 401);
    assert_eq!(it.log_in().await, [true, true, false]);
}

/// Twenty callers of a bot send all the time. Its key is replaced, the program is given the new one, and the old one is
/// revoked; before and after that every session and token ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_replaced_under_load_and_no_call_is_refused() {
    let it = keys().await;
    it.next_second();
    let agent: Arc<RwLock<Arc<OriginBound<Agent>>>> =
        Arc::new(RwLock::new(Arc::new(it.stage.bot().agent())));
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let base: Arc<str> = it.stage.symphony.base_url().into();
    let mut callers = JoinSet::new();
    for _ in 0..20 {
        let (agent, base) = (Arc::clone(&agent), Arc::clone(&base));
        let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
        let client = AuthClient::builder().build().unwrap();
        callers.spawn(async move {
            // Nobody waits for more of a caller that has failed.
            let _stops = Stops(Arc::clone(&stop));
            while !stop.load(Ordering::SeqCst) {
                let agent = Arc::clone(&agent.read().unwrap());
                let answered = send(&client, &base, &*agent, Method::POST, MESSAGE, "hello").await;
                assert_eq!(answered.unwrap().0, 200);
                sent.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    // Until so many more were sent.
    let more = async |calls: u64| {
        let until = sent.load(Ordering::SeqCst) + calls;
        while sent.load(Ordering::SeqCst) < until {
            assert!(!stop.load(Ordering::SeqCst), "a caller has failed");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    more(200).await;
    assert_eq!(it.change(SAVE_OTHER).await, told(OTHER_PUBLIC, PUBLIC, DAYS_3 + 1));
    more(200).await;
    // A program that has the old key still logs in with it.
    it.stage.symphony.faults().arm(Fault::ExpireNow, Endpoint::Agent, 1);
    more(200).await;
    *agent.write().unwrap() = Arc::new(it.stage.bot_with("bot", OTHER_KEY).agent());
    more(200).await;
    assert_eq!(it.change(RevokePrevious).await, told(OTHER_PUBLIC, "", 0));
    more(200).await;
    // A bot that is refused one token after the other at once takes that for a fault of its agent.
    it.stage.clock.advance(HOUR);
    it.stage.symphony.faults().arm(Fault::ExpireNow, Endpoint::Agent, 1);
    more(200).await;
    stop.store(true, Ordering::SeqCst);
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    assert_eq!(it.stage.symphony.counts().messages_accepted, sent.load(Ordering::SeqCst));
    assert_eq!(it.log_in().await, [false, true, false]);
}

struct Stops(Arc<AtomicBool>);

impl Drop for Stops {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
