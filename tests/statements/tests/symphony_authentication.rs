//! Document 004: Symphony's two tokens. One test for each statement that holds; `docs/coverage.md` lists them all.

use auth_core::{Authenticator, Stack, SystemRandom};
use auth_reqwest::AuthClient;
use auth_static::{ApiKey, ApiKeyVerifier, FixedKeys, KeyHasher, NoAuth, Placement};
use auth_tower::VerifyLayer;
use axum::{Router, routing::get};

const SESSION: &str = "session-token-7f3c";
const KEY_MANAGER: &str = "key-manager-token-91ab";

fn door(field: &str, token: &str) -> VerifyLayer<ApiKeyVerifier<FixedKeys<&'static str>>> {
    let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
    let tokens = FixedKeys::new(&hasher, [(token, "bot")]);
    let placement = Placement::header(field).unwrap();
    VerifyLayer::new(ApiKeyVerifier::new("symphony", placement, hasher, tokens).unwrap())
}

fn token(field: &str, token: &str) -> ApiKey {
    ApiKey::new(Placement::header(field).unwrap(), token).unwrap()
}

/// Pod calls take the session token, agent calls the session and the key manager token: with either missing or
/// swapped, 401.
#[tokio::test]
async fn s004_02_s004_03_pod_takes_one_token_and_agent_takes_both() {
    let session = || door("sessionToken", SESSION);
    let pod = Router::new().route("/pod/v2/sessioninfo", get(|| async { "pod" })).layer(session());
    let agent = Router::new()
        .route("/agent/v1/info", get(|| async { "agent" }))
        .layer(door("keyManagerToken", KEY_MANAGER))
        .layer(session());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, pod.merge(agent)).await.unwrap() });

    let client = AuthClient::builder().build().unwrap();
    let session = || token("sessionToken", SESSION);
    let key_manager = || token("keyManagerToken", KEY_MANAGER);
    let swapped = Stack(token("sessionToken", KEY_MANAGER), token("keyManagerToken", SESSION));
    let callers: [(&str, Box<dyn Authenticator>, u16, u16); 5] = [
        ("both", Box::new(Stack(session(), key_manager())), 200, 200),
        ("session alone", Box::new(session()), 200, 401),
        ("key manager alone", Box::new(key_manager()), 401, 401),
        ("swapped", Box::new(swapped), 401, 401),
        ("nothing", Box::new(NoAuth), 401, 401),
    ];
    for (who, authenticator, at_pod, at_agent) in callers {
        for (path, expected) in [("/pod/v2/sessioninfo", at_pod), ("/agent/v1/info", at_agent)] {
            let request = client.http().get(format!("{base}{path}")).build().unwrap();
            let answer = client.send(&*authenticator, request).await.unwrap();
            assert_eq!(answer.status().as_u16(), expected, "{who} at {path}");
        }
    }
}
