//! What holds for everything that a peer may send: it is read or refused, and no error repeats it.
#![allow(clippy::unwrap_used, missing_docs)]

use auth_oauth2::{
    AuthorizationCallback, AuthorizationServerMetadata, OAuthToken, Result, StorableToken,
    Timestamp, TokenAnswerFormat,
};
use http::Response;
use proptest::prelude::*;

const CANARY: &str = "c4nary-of-the-peer";

/// Bytes that are often nearly right.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let member = "\"(access_token|expires_in|error|issuer|scope|x)\":(\"c4nary-of-the-peer\"|-?[0-9e.]{1,6}|null|\\[\\]|\\{\\}|true)";
    let object = proptest::collection::vec(member, 0..4)
        .prop_map(|members| format!("{{{}}}", members.join(",")).into_bytes());
    prop_oneof![object, "\\PC{0,40}".prop_map(String::into_bytes), any::<Vec<u8>>()]
}

fn shows_nothing<T: std::fmt::Debug>(read: Result<T>) {
    let shown = match &read {
        Ok(read) => format!("{read:?}"),
        // What RFC 6749 lets a server say of an error is told; only its own fields are.
        Err(error) if error.to_string().contains("refused with") => return,
        Err(error) => format!("{error} {error:?}"),
    };
    assert!(!shown.contains(CANARY), "{shown}");
}

proptest! {
    #[test]
    fn any_answer_is_read_or_refused(body in body(), status in 200..600_u16, form in any::<bool>()) {
        let kind = if form { "application/x-www-form-urlencoded" } else { "application/json" };
        let answer = Response::builder().status(status).header("content-type", kind).body(body).unwrap();
        let read = TokenAnswerFormat::new().read(&answer, Timestamp::from_unix(1_700_000_000));
        let read = read.map(|answer| (answer.token_type.is_some(), answer.expires_in));
        shows_nothing(read);
        let metadata = AuthorizationServerMetadata::read(&answer, "https://login.example");
        shows_nothing(metadata.map(|metadata| metadata.issuer));
    }

    #[test]
    fn any_query_and_any_stored_bytes_are_read_or_refused(query in "\\PC{0,60}|(code|state|error|iss|=|&|%[0-9a-f]{2}|x){0,12}", rest in any::<Vec<u8>>()) {
        shows_nothing(AuthorizationCallback::parse(&query));
        shows_nothing(OAuthToken::from_rest(&rest));
    }
}
