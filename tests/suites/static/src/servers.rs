//! Our client against real servers with Basic.

use auth_core::{Authenticator, Challenges, Error};
use auth_reqwest::AuthClient;
use auth_static::{Basic, NoAuth};
use conformance::{Compared, compare};
use http::header::WWW_AUTHENTICATE;

pub const USER: &str = "alice";
pub const PASSWORD: &str = "s3cret: with a colon";
pub const REALM: &str = "realm1";

/// Good, wrong and no credentials at a server that wants Basic, and what we read from its challenge.
pub async fn basic(base: &str) -> Vec<Compared> {
    let good = Basic::new(USER, PASSWORD);
    let wrong = Basic::new(USER, "guess");
    let stranger = Basic::new("mallory", PASSWORD);
    let challenge = format!("401 Basic realm {REALM}");
    vec![
        compare("good", "200", ask(base, good).await),
        compare("wrong-password", &challenge, ask(base, wrong).await),
        compare("unknown-user", &challenge, ask(base, stranger).await),
        compare("nothing", &challenge, ask(base, Ok(NoAuth)).await),
    ]
}

async fn ask<A: Authenticator>(base: &str, authenticator: auth_core::Result<A>) -> String {
    said(base, authenticator).await.unwrap_or_else(|error| error.to_string())
}

async fn said<A: Authenticator>(
    base: &str,
    authenticator: auth_core::Result<A>,
) -> Result<String, Error> {
    let (authenticator, client) = (authenticator?, AuthClient::builder().build()?);
    let Ok(request) = client.http().get(base).build() else {
        return Ok(String::from("no request"));
    };
    let answer = client.send(&authenticator, request).await?;
    let read = Challenges::of(answer.headers(), &WWW_AUTHENTICATE).flatten().map(|challenge| {
        let realm = challenge.parameter("realm").and_then(|realm| Some(realm.text()?.into_owned()));
        format!(" {} realm {}", challenge.scheme(), realm.unwrap_or_default())
    });
    Ok(format!("{}{}", answer.status().as_u16(), read.collect::<String>()))
}
