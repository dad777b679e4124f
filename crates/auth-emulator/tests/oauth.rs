//! OAuth tokens: issued for a user name and a password, verified, and ended.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use auth_emulator::{Endpoint, Fault};
use common::{Stage, stage};
use http::Method;
use std::time::Duration;

const PATH: &str = "/auth/1/oauth2/token";
const FORM: &str = "client_id=acme&client_secret=pa55%3Aword&grant_type=client_credentials";

impl Stage {
    async fn bearer(&self) -> String {
        let token = self.client.post(PATH, "undefined", FORM).await;
        format!("Bearer {}", token.text("/access_token"))
    }
}

#[tokio::test]
async fn a_token_is_issued_and_sends_for_an_hour() {
    let it = stage().await;
    let issued = it.client.post(PATH, "", FORM).await;
    assert_eq!((issued.status, issued.text("/token_type")), (200, "bearer"));
    assert_eq!(issued.body["expires_in"], 3600);
    assert_eq!(issued.headers["cache-control"], "no-store");
    let bearer = format!("Bearer {}", issued.text("/access_token"));
    assert_eq!(it.client.message(&bearer).await, 200);
    it.clock.advance(Duration::from_secs(3599));
    assert_eq!(it.client.message(&bearer).await, 200);
    it.clock.advance(Duration::from_secs(1));
    assert_eq!(it.client.message(&bearer).await, 401);
    assert_eq!(it.infobip.counts().tokens_issued, 1);
}

#[tokio::test]
async fn two_tokens_of_one_user_are_good_at_once() {
    let it = stage().await;
    let (one, other) = (it.bearer().await, it.bearer().await);
    assert_ne!(one, other);
    assert_eq!(it.client.message(&one).await, 200);
    assert_eq!(it.client.message(&other).await, 200);
}

#[tokio::test]
async fn the_fields_may_be_in_the_query_when_the_form_is_empty() {
    let it = stage().await;
    let issued = it.client.post(&format!("{PATH}?{FORM}"), "undefined", "").await;
    assert_eq!(issued.status, 200);
    let other = it.client.post(&format!("{PATH}?{FORM}"), "", "client_id=acme").await;
    assert_eq!(other.status, 400);
    let recorded = it.infobip.requests();
    assert!(recorded.iter().all(|one| &*one.path == PATH), "{recorded:?}");
}

#[tokio::test]
async fn what_is_wrong_is_named_in_both_members() {
    let it = stage().await;
    let check = async |form: &str, expected: &str, field: &str| {
        let refused = it.client.post(PATH, "", form).await;
        assert_eq!(refused.error(), expected, "{form}");
        let exception = &refused.body["requestError"]["serviceException"];
        assert_eq!(refused.body["error"], exception["text"], "{form}");
        if !field.is_empty() {
            assert!(exception["validationErrors"][field][0].is_string(), "{form} {refused:?}");
        }
    };
    let invalid = "400 BAD_REQUEST Bad Request";
    let (user, password) = ("client_id=acme", "client_secret=pa55:word");
    let both = format!("{user}&{password}");
    check("", invalid, "client_id").await;
    check(user, invalid, "client_secret").await;
    check(&both, invalid, "grant_type").await;
    check(&format!("{both}&grant_type="), invalid, "grant_type").await;
    check(&format!("{both}&grant_type=password"), invalid, "grant_type").await;
    check(&format!("{both}&grant_type=authorization_code&code=x"), invalid, "grant_type").await;
    check(&format!("{both}&grant_type=authorization_code%20&code=x"), invalid, "grant_type").await;
    check(&format!("{both}&{user}&grant_type=client_credentials"), invalid, "client_id").await;
    let wrong = "401 UNAUTHORIZED Invalid login details";
    check(&FORM.replace("acme", "nobody"), wrong, "").await;
    check(&FORM.replace("word", "w0rd"), wrong, "").await;
    check(&"x".repeat(60_000), invalid, "client_id").await;
    assert_eq!(it.client.post(PATH, "", &"x".repeat(70_000)).await.status, 413);
    assert_eq!(it.infobip.counts().tokens_issued, 0);
}

#[tokio::test]
async fn a_token_of_another_emulator_or_a_changed_one_is_refused() {
    let (it, other) = (stage().await, stage().await);
    let bearer = it.bearer().await;
    assert_eq!(other.client.message(&bearer).await, 401);
    let (head, signature) = bearer.rsplit_once('.').unwrap();
    let (_, payload) = head.rsplit_once('.').unwrap();
    let unsigned = format!("Bearer eyJhbGciOiJub25lIn0.{payload}.");
    for changed in [format!("{head}."), format!("{head}.{}", signature.to_uppercase()), unsigned] {
        assert_eq!(it.client.message(&changed).await, 401, "{changed}");
    }
}

#[tokio::test]
async fn tokens_that_are_ended_before_their_time_are_refused_and_new_ones_are_not() {
    let it = stage().await;
    let old = it.bearer().await;
    it.infobip.faults().arm(Fault::ExpireNow, Endpoint::Messages, 1);
    assert_eq!(it.client.message(&old).await, 401);
    assert_eq!(it.client.message(&old).await, 401);
    let new = it.bearer().await;
    assert_eq!(it.client.message(&new).await, 200);
    let seen = it.client.send(Method::GET, PATH, "", "").await;
    assert_eq!(seen.status, 405);
}
