//! Infobip: a call authenticated by each of the four methods, beside the scheme of its kind.

use super::webex::{bound, through};
use auth_core::{Context, Exchange, Flow, Transport};
use auth_ibsso::{IbssoSession, LogIn};
use auth_infobip::{Infobip, InfobipAuthorization};
use auth_oauth2::{
    ClientAuthentication, ClientCredentials, ClientRegistration, Session, TokenEndpoint,
};
use auth_static::{ApiKey, Basic, Placement};
use harness::case::{Group, floor, ours};
use http::Response;
use std::time::Duration;

/// At most a tenth more than the scheme that is bound to its origin.
const CALL: Option<f64> = Some(1.1);
const BASE: &str = "https://api.example.com";
const KEY: &str = "003026bbc133714df1834b8638bb496e-8f4b3d9a-e931-478d-a994-28a725159ab9";
const USER: &str = "acme";
const PASSWORD: &str = "pa55word";

macro_rules! method {
    ($name:literal, $scheme:literal, $floor:expr, $authorization:expr) => {
        Group {
            name: $name,
            input: "what is kept is kept; credentials through dyn Authenticator, one thread",
            cases: vec![
                floor(concat!($scheme, ", bound to its origin"), || through(bound($floor))),
                ours("auth-infobip", CALL, 0, || through(infobip($authorization))),
            ],
        }
    };
}

pub fn groups() -> Vec<Group> {
    vec![
        method!("infobip-api-key", "ApiKey", app_key(), {
            InfobipAuthorization::ApiKey { key: KEY.to_owned().into(), query_parameter: None }
        }),
        method!("infobip-basic", "Basic", Basic::new(USER, PASSWORD).expect("credentials"), {
            InfobipAuthorization::Basic {
                username: USER.into(),
                password: PASSWORD.to_owned().into(),
            }
        }),
        method!("infobip-ibsso", "IbssoSession", ibsso(), {
            InfobipAuthorization::Ibsso {
                username: USER.into(),
                password: PASSWORD.to_owned().into(),
            }
        }),
        method!("infobip-oauth2", "Session of ClientCredentials", oauth2(), {
            InfobipAuthorization::OAuth2 {
                client_id: USER.into(),
                client_secret: PASSWORD.to_owned().into(),
            }
        }),
    ]
}

fn infobip(authorization: InfobipAuthorization) -> Infobip {
    Infobip::new(BASE, authorization, Context::new(Platform)).expect("a configuration")
}

fn app_key() -> ApiKey {
    ApiKey::new(Placement::scheme("App").expect("a placement"), KEY).expect("a key")
}

fn ibsso() -> IbssoSession {
    let log_in = LogIn::new(BASE, USER, PASSWORD).expect("a log-in");
    IbssoSession::new(log_in, Context::new(Platform))
}

fn oauth2() -> Session<ClientCredentials> {
    let endpoint = TokenEndpoint::new(&format!("{BASE}/auth/1/oauth2/token")).expect("a URL");
    let client = ClientAuthentication::client_secret_post(USER, PASSWORD).expect("a client");
    let grant = ClientCredentials::new(ClientRegistration::new(endpoint, client));
    Session::new(grant, Context::new(Platform))
}

/// Gives everybody a session and a token.
struct Platform;

impl Transport for Platform {
    fn fetch(&self, exchange: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        let answer: &[u8] = match exchange.request().uri().path() {
            "/auth/1/session" => br#"{"token":"2f9b4d31-2d0d-49a8-85f0-9b862bdca394"}"#,
            _ => br#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","expires_in":3600}"#,
        };
        Flow::ready(Response::new(answer.to_vec()))
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::ready(())
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}
