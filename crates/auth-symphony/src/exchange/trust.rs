//! The exchanges of the circle of trust: the pod's half of a pair, and the pod's certificate.

use super::{JSON, MOST_ANSWER_BYTES, is_token, post, unreadable};
use crate::{endpoints::Component, json::read_object};
use auth_core::{Error, Exchange, Result, Secret, Timestamp};
use http::{Method, Response, header};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use zeroize::Zeroizing;

/// The request of an app for the token that answers its own; with the signed token of a log-in by a key.
pub(crate) fn circle_of_trust(
    at: &Component,
    app_token: &Secret,
    jwt: Option<&str>,
) -> Result<Exchange> {
    let app_token = std::str::from_utf8(app_token.expose())
        .map_err(|error| Error::config("symphony_app_token", error))?;
    let path = match jwt {
        Some(_) => "/login/v1/pubkey/app/authenticate/extensionApp",
        None => "/sessionauth/v1/authenticate/extensionApp",
    };
    let body = serde_json::to_vec(&AppTokenBody { app_token, auth_token: jwt })
        .map_err(|error| Error::config("symphony_app_token", error))?;
    let mut request = post(at, path, body)?;
    request.headers_mut().insert(header::CONTENT_TYPE, JSON);
    Ok(Exchange::new(request).with_answer_limit(MOST_ANSWER_BYTES))
}

/// The pod's half of a pair, and how long the pair lives from now on.
pub(crate) struct TokenPair {
    pub(crate) symphony_token: Secret,
    pub(crate) life: Duration,
}

/// A pair lives for five minutes at most, whatever a pod says.
const LONGEST_PAIR: Duration = Duration::from_secs(5 * 60);

/// The pair of an answer to this token of the app.
pub(crate) fn token_pair(
    answer: &Response<Vec<u8>>,
    app_token: &Secret,
    now: Timestamp,
) -> Result<TokenPair> {
    let read: TokenPairBody = read_object(answer.body()).map_err(|error| {
        let lacks =
            "\"appToken\" and \"symphonyToken\" that are text and \"expireAt\" that is a number";
        unreadable("symphony_pair_answer", lacks, &error)
    })?;
    if !app_token.matches(read.app_token.as_bytes()) {
        let text = "answer is to another token of the app than the one that was sent";
        return Err(Error::protocol("symphony_pair_answer", text));
    }
    is_token(&read.symphony_token)?;
    // Milliseconds as the pages say, or seconds as the specification does: no second of them is a millisecond of others.
    let said = match read.expire_at {
        seconds @ 0..100_000_000_000 => Timestamp::from_unix(seconds),
        milliseconds => Timestamp::default().after(Duration::from_millis(milliseconds)),
    };
    let symphony_token = Secret::new(read.symphony_token.as_bytes());
    Ok(TokenPair { symphony_token, life: said.since(now).min(LONGEST_PAIR) })
}

/// The request for the certificate by which the pod signs what clients say of their users. It needs no log-in.
pub(crate) fn pod_certificate(at: &Component) -> Result<Exchange> {
    let mut request = post(at, "/pod/v1/podcert", Vec::new())?;
    *request.method_mut() = Method::GET;
    Ok(Exchange::new(request).with_answer_limit(MOST_ANSWER_BYTES))
}

/// The certificate of an answer, in PEM.
pub(crate) fn certificate_of(answer: &Response<Vec<u8>>) -> Result<String> {
    #[derive(Deserialize)]
    struct Body {
        certificate: String,
    }

    let read: Body = read_object(answer.body()).map_err(|error| {
        unreadable("symphony_certificate_answer", "\"certificate\" that is text", &error)
    })?;
    Ok(read.certificate)
}

#[derive(Serialize)]
struct AppTokenBody<'a> {
    #[serde(rename = "appToken")]
    app_token: &'a str,
    #[serde(rename = "authToken", skip_serializing_if = "Option::is_none")]
    auth_token: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenPairBody {
    app_token: Zeroizing<String>,
    symphony_token: Zeroizing<String>,
    expire_at: u64,
}
