//! What a request costs in memory once the tokens are there.

#![allow(clippy::unwrap_used, clippy::panic)]

use auth_core::{Authenticator, RequestView};
use auth_symphony::{Bot, Context, SymphonyEndpoints, SymphonyLogIn};
use auth_testing::ScriptedTransport;
use http::{HeaderMap, Method, Response, Uri};

#[test]
fn tokens_that_are_kept_are_presented_without_an_allocation() {
    let transport = ScriptedTransport::new(|request| {
        let is_pod = request.uri().path().starts_with("/login/");
        let name = if is_pod { "sessionToken" } else { "keyManagerToken" };
        let body = serde_json::json!({ "name": name, "token": "a".repeat(500) });
        Ok(Response::new(body.to_string().into_bytes()))
    });
    let bot = Bot::new(
        SymphonyEndpoints::new("https://pod.example").unwrap(),
        SymphonyLogIn::rsa("bot", include_str!("keys/pkcs8.pem")).unwrap(),
        Context::new(transport),
    );
    let (uri, none) = (Uri::from_static("https://pod.example/agent/v4/x"), HeaderMap::new());
    let view = RequestView::new(&Method::POST, &uri, &none);
    let both: [(&str, Box<dyn Authenticator>); 2] =
        [("pod", Box::new(bot.pod())), ("agent", Box::new(bot.agent()))];
    for (name, authenticator) in both {
        drop(authenticator.credentials(view).wait().unwrap());
        let counted = allocation_counter::measure(|| {
            drop(authenticator.credentials(view).wait().unwrap());
        });
        assert_eq!(counted.count_total, 0, "{name}");
    }
}
