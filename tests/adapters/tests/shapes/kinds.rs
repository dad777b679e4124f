//! Six kinds of authorization, as a platform's customers configure them, each in a box and bound to its origin.

use super::{World, answer, request, status};
use auth_core::{
    Answer, Authenticator, Context, Credentials, Flow, Lifespan, OriginBound, PresentableToken,
    Refusal, Renewal, Result, SystemRandom, Token, TokenSource, bearer_token_refusal, send,
};
use auth_session::Session;
use auth_testing::ManualClock;
use http::{
    HeaderValue, StatusCode,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};
use std::thread;

#[derive(Clone)]
struct Access(u32);

impl Token for Access {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Unknown
    }
}

impl PresentableToken for Access {
    fn credentials(&self) -> Result<Credentials> {
        let value = HeaderValue::from_str(&format!("Bearer {}", self.0)).unwrap();
        Credentials::header(AUTHORIZATION, value)
    }

    fn refusal(answer: Answer<'_>) -> Option<Refusal> {
        bearer_token_refusal(answer)
    }
}

struct ClientCredentials;

impl TokenSource for ClientCredentials {
    type Token = Access;

    fn token<'a>(&'a self, context: &'a Context, _: Renewal<Access>) -> Flow<'a, Access> {
        let asked = context.transport.fetch(request("https://issuer.example/token"));
        asked.map(|made| Access(String::from_utf8(made.into_body()).unwrap().parse().unwrap()))
    }
}

/// A receiver that says how each request began its credentials, and challenges under Digest.
fn world() -> World {
    World::new(|request| {
        let field = request.headers().get(AUTHORIZATION).map(|field| field.to_str().unwrap());
        match (request.uri().host(), request.uri().path(), field) {
            (Some("issuer.example"), ..) => answer(200, "7"),
            (_, "/digest", None) => {
                let mut asked = status(401)?;
                let challenge = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
                asked.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
                Ok(asked)
            }
            (_, _, Some(field)) => answer(200, field.split(' ').next().unwrap()),
            (_, _, None) => {
                answer(200, if request.headers().contains_key("key") { "key" } else { "none" })
            }
        }
    })
}

fn kinds(world: &World, clock: &ManualClock) -> Vec<(&'static str, Box<dyn Authenticator>)> {
    let key = auth_sigv4::AccessKey::new("AKIDEXAMPLE", "secret").unwrap();
    let service = auth_sigv4::AwsService::ExecuteApi;
    let sigv4 = auth_sigv4::SigV4::new(key, "eu-west-1", service, clock.clone()).unwrap();
    let placement = auth_static::Placement::header("key").unwrap();
    vec![
        ("none", Box::new(auth_static::NoAuth)),
        ("Basic", Box::new(auth_static::Basic::new("alice", "s3cret").unwrap())),
        (
            "Digest",
            Box::new(auth_digest::Digest::new("alice", "s3cret", SystemRandom::new()).unwrap()),
        ),
        ("AWS4-HMAC-SHA256", Box::new(sigv4)),
        ("key", Box::new(auth_static::ApiKey::new(placement, "k").unwrap())),
        ("Bearer", Box::new(Session::new(ClientCredentials, world.context(clock)))),
    ]
}

#[test]
fn six_kinds_in_boxes_authenticate_at_their_origin_and_nowhere_else() {
    let (world, clock) = (world(), ManualClock::at(1_000_000));
    for (kind, authenticator) in kinds(&world, &clock) {
        let origin = "https://hooks.example".parse().unwrap();
        let bound: Box<dyn Authenticator> = Box::new(OriginBound::new([origin], authenticator));
        let url = format!("https://hooks.example/{}", kind.to_lowercase());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let answer = send(&world, &bound, request(&url)).wait().unwrap();
                        assert_eq!(answer.status(), StatusCode::OK, "{kind}");
                        assert_eq!(answer.body(), kind.as_bytes());
                    }
                });
            }
        });
        let elsewhere = send(&world, &bound, request("https://elsewhere.example/")).wait();
        assert_eq!(elsewhere.unwrap_err().code(), "only_other_origin", "{kind}");
    }
}
