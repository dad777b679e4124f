//! Webex Connect: a call authenticated beside the scheme that it is authenticated by, its answer judged, and its doors.

mod answer;
mod doors;

use super::with_request;
use auth_core::{
    Authenticator, Context, Exchange, Flow, Origin, OriginBound, SystemClock, Transport,
};
use auth_jwt::{JwsAlgorithm, JwtAuthenticator, SigningKey, profiles};
use auth_session::Session;
use auth_static::{ApiKey, Bearer, Placement};
use auth_webex::{ServiceApi, ServiceCredential, TenantApi, Webex, WebexApi, WebexHosts};
use harness::case::{Call, Group, floor, ours};
use http::Response;
use std::{hint::black_box, time::Duration};

/// At most a tenth more than the scheme that is bound to its origin.
const CALL: Option<f64> = Some(1.1);
const INPUT: &str = "what is kept is kept; credentials through dyn Authenticator, one thread";

const ORIGIN: &str = "https://api.example.com";
const KEY: &str = "4f5c3c1e-3c7b-11ee-be56-0242ac120002";
const SERVICE: &str = "SV26053106";
const SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

pub fn groups() -> Vec<Group> {
    let mut groups = calls();
    groups.extend(answer::groups());
    groups.extend(doors::groups());
    groups
}

macro_rules! kept {
    ($name:literal, $scheme:literal, $floor:expr, $api:literal, $ours:expr) => {
        Group {
            name: $name,
            input: INPUT,
            cases: vec![
                floor(concat!($scheme, ", bound to its origin"), || through(bound($floor))),
                ours(concat!("auth-webex, ", $api), CALL, 0, || through($ours)),
            ],
        }
    };
}

fn calls() -> Vec<Group> {
    vec![
        kept!("webex-service-key", "ApiKey", in_key(), "Messaging v1", {
            by_key(ServiceApi::MessagingV1)
        }),
        kept!("webex-service-jwt", "Session of JwtAuthenticator", jwt(), "Messaging v2", {
            by_jwt(ServiceApi::MessagingV2)
        }),
        kept!("webex-profile-key", "ApiKey", in_key(), "Profile", tenant(TenantApi::Profile)),
        kept!("webex-profile-bearer", "Bearer", bearer(), "Contact Policy", {
            tenant(TenantApi::ContactPolicy)
        }),
        kept!("webex-sandbox-key", "Bearer", bearer(), "the sandbox", {
            by_key(ServiceApi::Sandbox)
        }),
        kept!("webex-sandbox-jwt", "Session of JwtAuthenticator", jwt(), "the sandbox", {
            by_jwt(ServiceApi::Sandbox)
        }),
    ]
}

/// The credentials of one call.
pub fn through(scheme: impl Authenticator + 'static) -> Call {
    let scheme: Box<dyn Authenticator> = Box::new(scheme);
    with_request(move |request| {
        black_box(&scheme).credentials(request).wait().expect("credentials")
    })
}

/// A scheme that goes to the origin of the calls alone, as every program should have it.
pub fn bound<A: Authenticator>(scheme: A) -> OriginBound<A> {
    let origin: Origin = ORIGIN.parse().expect("an origin");
    OriginBound::new([origin], scheme)
}

fn in_key() -> ApiKey {
    ApiKey::new(Placement::header("key").expect("a placement"), KEY).expect("a key")
}

fn bearer() -> Bearer {
    Bearer::new(KEY).expect("a token")
}

fn jwt() -> Session<JwtAuthenticator> {
    let key = SigningKey::from_base64_secret(JwsAlgorithm::HS256, SECRET).expect("a key");
    let signer = JwtAuthenticator::new(key, profiles::webex_service_claims(SERVICE), SystemClock);
    Session::new(signer, Context::new(Nowhere))
}

fn webex() -> Webex {
    Webex::at(WebexHosts::at(ORIGIN).expect("a URL"))
}

fn by_key(api: ServiceApi) -> WebexApi {
    webex().service(ServiceCredential::key(KEY).expect("a key")).api(api)
}

fn by_jwt(api: ServiceApi) -> WebexApi {
    let credential = ServiceCredential::jwt(SERVICE, SECRET, Context::new(Nowhere));
    webex().service(credential.expect("a secret")).api(api)
}

fn tenant(api: TenantApi) -> WebexApi {
    webex().tenant(KEY).expect("a key").api(api)
}

/// Nothing of this platform is fetched.
struct Nowhere;

impl Transport for Nowhere {
    fn fetch(&self, _: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        Flow::ready(Response::default())
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::ready(())
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}
