//! Token requests as they arrive at a server: every method, every place for the parameters, headers that were typed.

use crate::{
    ours::{case, context, registration, text},
    recording::{Arrived, Recording, locked},
};
use auth_core::{Context, Renewal, TokenSource};
use auth_oauth2::{
    ClientAuthentication, ClientCredentials, ClientRegistration, ParameterPlacement, Session,
    TokenEndpoint,
};
use auth_reqwest::AuthClient;
use auth_testing::ManualClock;
use conformance::{Compared, Outcome, broken, ran};
use http::Response;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::runtime::Runtime;

/// All of it, at a server that grants whatever arrives.
pub fn cases() -> Outcome {
    let run = || {
        let runtime = Runtime::new().map_err(text)?;
        runtime.block_on(async {
            let server = Recording::open(granting).await?;
            let context = context()?;
            let mut cases = placed(&server, &context).await;
            cases.extend(refused(&server, &context).await);
            cases.extend(lives(&server, &context).await);
            cases.push(
                case(
                    "life-until-refused",
                    "200 one, 200 one, 200 two, 2 asked",
                    until_refused(&context),
                )
                .await,
            );
            Ok::<_, String>(cases)
        })
    };
    run().map_or_else(broken, ran)
}

/// A first token can be refreshed; in which form its end is said, and whether, the path decides.
fn granting(request: &Arrived) -> Response<Vec<u8>> {
    let (kind, answer) = match request.uri.path() {
        "/silent" => ("application/json", r#"{"access_token":"t"}"#),
        "/form" => ("application/x-www-form-urlencoded", "access_token=t&expires_in=60"),
        _ => ("application/json", r#"{"access_token":"t","expires_in":60,"refresh_token":"r"}"#),
    };
    let answer = Response::builder().header("content-type", kind).body(answer.into());
    answer.unwrap_or_default()
}

type Case = (&'static str, &'static str);

/// Where the parameters stand, and what is then on the wire of a client that authenticates in this way.
fn placements(way: &str) -> [(&'static str, ParameterPlacement, Case); 3] {
    let form = match way {
        "post" => {
            "grant_type=client_credentials&scope=a+b&client_id=acme&client_secret=s%3A3%26cret"
        }
        "none" => "grant_type=client_credentials&scope=a+b&client_id=acme",
        _ => "grant_type=client_credentials&scope=a+b",
    };
    let json = match way {
        "post" => {
            r#"{"client_id":"acme","client_secret":"s:3&cret","grant_type":"client_credentials","scope":"a b"}"#
        }
        "none" => r#"{"client_id":"acme","grant_type":"client_credentials","scope":"a b"}"#,
        _ => r#"{"grant_type":"client_credentials","scope":"a b"}"#,
    };
    [
        ("form", ParameterPlacement::FormBody, ("application/x-www-form-urlencoded", form)),
        ("json", ParameterPlacement::JsonBody, ("application/json", json)),
        ("url", ParameterPlacement::Url, ("", form)),
    ]
}

fn client(way: &str) -> auth_core::Result<ClientAuthentication> {
    match way {
        "basic" => ClientAuthentication::client_secret_basic("acme", "s:3&cret"),
        "post" => ClientAuthentication::client_secret_post("acme", "s:3&cret"),
        _ => ClientAuthentication::none("acme"),
    }
}

async fn placed(server: &Recording, context: &Context) -> Vec<Compared> {
    let mut cases = Vec::new();
    for method in ["POST", "GET"] {
        for way in ["post", "basic", "none"] {
            for (name, placement, (kind, parameters)) in placements(way) {
                for headers in ["", "-headers"] {
                    let (query, body) = match placement {
                        ParameterPlacement::Url => (format!("&{parameters}"), ""),
                        _ => (String::new(), parameters),
                    };
                    // What form-encoding and Base64 make of the pair.
                    let basic = if way == "basic" { "Basic YWNtZTpzJTNBMyUyNmNyZXQ=" } else { "" };
                    let typed = if headers.is_empty() { "" } else { "one, two" };
                    let expected = format!(
                        "{method} /token?tenant=7{query} accept [application/json] type [{kind}] \
                         authorization [{basic}] x-typed [{typed}] body [{body}]"
                    );
                    let run = async {
                        let url = format!("{}/token?tenant=7", server.base);
                        let mut endpoint = TokenEndpoint::new(&url).map_err(text)?;
                        endpoint = endpoint.with_placement(placement).allowing_secrets_in_url();
                        if method == "GET" {
                            endpoint = endpoint.with_get();
                        }
                        if !headers.is_empty() {
                            endpoint = endpoint.with_header("x-typed", "one").map_err(text)?;
                            endpoint = endpoint.with_header("X-Typed", "two").map_err(text)?;
                        }
                        let client = client(way).map_err(text)?;
                        let grant =
                            ClientCredentials::new(ClientRegistration::new(endpoint, client));
                        let grant = grant.with_scope("a b").map_err(text)?;
                        grant.token(context, Renewal::First).await.map_err(text)?;
                        one(server.arrived())
                    };
                    let id = format!("{}-{name}-{way}{headers}", method.to_ascii_lowercase());
                    cases.push(case(&id, &expected, run).await);
                }
            }
        }
    }
    cases
}

/// The one request that arrived.
fn one(arrived: Vec<Arrived>) -> Result<String, String> {
    let [request] = arrived.as_slice() else {
        return Err(format!("{} requests arrived", arrived.len()));
    };
    let field = |name: &str| {
        let values = request.headers.get_all(name).iter();
        let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        values.collect::<Vec<_>>().join(", ")
    };
    Ok(format!(
        "{} {} accept [{}] type [{}] authorization [{}] x-typed [{}] body [{}]",
        request.method,
        request.uri,
        field("accept"),
        field("content-type"),
        field("authorization"),
        field("x-typed"),
        String::from_utf8_lossy(&request.body),
    ))
}

/// A secret stands in no URL unless that was allowed by name.
async fn refused(server: &Recording, context: &Context) -> Vec<Compared> {
    let mut cases = Vec::new();
    for (way, expected) in [
        ("post", "oauth2_secret_in_url, 0 arrived"),
        ("basic", "granted, 1 arrived"),
        ("none", "granted, 1 arrived"),
    ] {
        let run = async {
            let endpoint = TokenEndpoint::new(&format!("{}/token", server.base)).map_err(text)?;
            let endpoint = endpoint.with_placement(ParameterPlacement::Url);
            let client = client(way).map_err(text)?;
            let grant = ClientCredentials::new(ClientRegistration::new(endpoint, client));
            let outcome = grant.token(context, Renewal::First).await;
            let code = outcome.map_or_else(|error| error.code(), |_| "granted");
            Ok(format!("{code}, {} arrived", server.arrived().len()))
        };
        cases.push(case(&format!("url-not-allowed-{way}"), expected, run).await);
    }
    cases
}

/// How long tokens last, by the server's word and the operator's, and where they are refreshed.
async fn lives(server: &Recording, context: &Context) -> Vec<Compared> {
    let mut cases = Vec::new();
    let hour = Some(Duration::from_secs(3600));
    for (id, path, validity, expected) in [
        ("life-said", "/token", None, "1 min"),
        ("life-said-and-typed", "/token", hour, "1 min"),
        ("life-silent", "/silent", None, "no end"),
        ("life-silent-and-typed", "/silent", hour, "60 min"),
        ("life-in-a-form", "/form", None, "1 min"),
    ] {
        let run = async {
            let mut registration = registration(&format!("{}{path}", server.base), client("post"))?;
            if let Some(validity) = validity {
                registration = registration.with_validity(validity);
            }
            let grant = ClientCredentials::new(registration);
            let token = grant.token(context, Renewal::First).await.map_err(text)?;
            let minutes = |ends: auth_core::Timestamp| {
                format!("{} min", (ends.since(context.clock.now()).as_secs() + 5) / 60)
            };
            Ok(token.ends().map_or_else(|| "no end".into(), minutes))
        };
        cases.push(case(id, expected, run).await);
    }
    server.arrived();
    let run = async {
        let refresh = TokenEndpoint::new(&format!("{}/refresh", server.base)).map_err(text)?;
        let registration = registration(&format!("{}/token", server.base), client("post"))?;
        let grant = ClientCredentials::new(registration.with_refresh_endpoint(refresh));
        let first = grant.token(context, Renewal::First).await.map_err(text)?;
        let session = Session::new(grant, context.clone());
        let why = Renewal::Due(first);
        session.source().token(context, why).await.map_err(text)?;
        let arrived = server.arrived();
        let said: Vec<String> = arrived
            .iter()
            .map(|request| {
                let form = request.form();
                let names: Vec<&str> = form.iter().map(|(name, _)| name.as_str()).collect();
                format!("{} {}", request.uri.path(), names.join(" "))
            })
            .collect();
        Ok(said.join(", "))
    };
    let expected = "/token grant_type client_id client_secret, \
                    /refresh grant_type refresh_token client_id client_secret";
    cases.push(case("refresh-url", expected, run).await);
    cases
}

/// A token whose end nobody says is kept until an API refuses it, and then there is another.
async fn until_refused(context: &Context) -> Result<String, String> {
    let given = Arc::new(Mutex::new(Vec::new()));
    let tokens = Arc::clone(&given);
    let server = Recording::open(move |request| {
        let mut given = locked(&tokens);
        let token = request.header("authorization").unwrap_or_default();
        let answer = Response::builder();
        match request.uri.path() {
            "/token" => {
                let token = if given.is_empty() { "one" } else { "two" };
                given.push(token);
                let json = format!(r#"{{"access_token":"{token}"}}"#);
                answer.body(json.into_bytes())
            }
            "/ended" if token == "Bearer one" => answer
                .status(401)
                .header("www-authenticate", r#"Bearer error="invalid_token""#)
                .body(Vec::new()),
            _ => answer.body(token.trim_start_matches("Bearer ").into()),
        }
        .unwrap_or_default()
    });
    let server = server.await?;
    let clock = ManualClock::at(context.clock.now().unix());
    let grant = registration(&format!("{}/token", server.base), client("post"))?;
    let context = context.clone().with_clock(clock.clone());
    let session = Session::new(ClientCredentials::new(grant), context);
    let http = AuthClient::builder().build().map_err(text)?;
    let mut said = Vec::new();
    for path in ["/", "/", "/ended"] {
        let request = http.http().get(format!("{}{path}", server.base)).build().map_err(text)?;
        let answer = http.send(&session, request).await.map_err(text)?;
        let status = answer.status().as_u16();
        said.push(format!("{status} {}", answer.text().await.map_err(text)?));
        clock.advance(Duration::from_secs(10 * 365 * 24 * 3600));
    }
    let asked = locked(&given).len();
    Ok(format!("{}, {asked} asked", said.join(", ")))
}
