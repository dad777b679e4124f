//! Client assertions as they arrive at a server, judged by other libraries: header, claims, and that none comes twice.

use crate::{
    ours::{ClientKey, context, registration, text},
    recording::Recording,
};
use auth_oauth2::{AssertionAudience, ClientAuthentication, TokenRequest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use conformance::{Compared, Missing, Outcome, Settings, broken, compare, output, ran, script};
use serde_json::{Value, json};
use std::{collections::HashSet, path::Path, process::Command, time::Duration};
use tokio::runtime::Runtime;

const CLIENT: &str = "acme";
const ISSUER: &str = "https://login.example";
const SECRET: &str = "a secret that is long enough for HS256";

/// The kinds of assertions: name, and what header and claims are to be; `TOKEN` is the token endpoint.
const KINDS: &[(&str, &str)] = &[
    ("issuer", "client-authentication+jwt ES256 no kid, for \"ISSUER\", 60 s"),
    ("key-id", "client-authentication+jwt ES256 one, for \"ISSUER\", 60 s"),
    ("endpoint", "client-authentication+jwt ES256 no kid, for \"TOKEN\", 60 s"),
    ("without-token-type", "JWT ES256 no kid, for \"ISSUER\", 60 s"),
    ("secret", "client-authentication+jwt HS256 no kid, for \"ISSUER\", 60 s"),
];

/// How many of each kind are sent.
const OF_EACH: usize = 3;

/// Judged by this library of Python's.
pub fn judged(settings: &Settings, library: &str) -> Outcome {
    let Ok(python) = settings.own_python(library) else {
        return Outcome::Skipped(Missing::Peer(library.into()));
    };
    let file = settings.folder(&format!("oauth2-assertions-{library}"));
    let file = match file {
        Ok(folder) => folder.join("assertions"),
        Err(error) => return broken(error.to_string()),
    };
    let run = || {
        let runtime = Runtime::new().map_err(text)?;
        let sent = runtime.block_on(sent())?;
        let lines: String = sent.iter().map(|case| format!("{case}\n")).collect();
        std::fs::write(&file, lines).map_err(text)?;
        let said = said(&python, library, &file)?;
        Ok::<_, String>(compared(&sent, &said))
    };
    run().map_or_else(broken, ran)
}

fn client(kind: &str, key: &ClientKey) -> auth_core::Result<ClientAuthentication> {
    let issuer = AssertionAudience::issuer(ISSUER);
    let by_key =
        |audience| ClientAuthentication::private_key_jwt(CLIENT, key.signing.clone(), audience);
    match kind {
        "key-id" => by_key(issuer)?.with_key_id("one"),
        "endpoint" => by_key(AssertionAudience::Endpoint),
        "without-token-type" => by_key(issuer)?.without_token_type(),
        "secret" => ClientAuthentication::client_secret_jwt(CLIENT, SECRET, issuer),
        _ => by_key(issuer),
    }
}

/// Every assertion that arrived, with the key that it is to be verified by.
async fn sent() -> Result<Vec<Value>, String> {
    let (context, key) = (context()?, ClientKey::new("one")?);
    let server = Recording::open(|_| {
        http::Response::new(br#"{"access_token":"t","token_type":"Bearer"}"#.to_vec())
    });
    let server = server.await?;
    let url = format!("{}/token", server.base);
    let secret = json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(SECRET) });
    let mut cases = Vec::new();
    for (kind, _) in KINDS {
        let registration = registration(&url, client(kind, &key))?;
        for _ in 0..OF_EACH {
            let request = TokenRequest::new("client_credentials");
            registration.obtain(&request, &context).await.map_err(text)?;
        }
        let (key, algorithm) =
            if *kind == "secret" { (&secret, "HS256") } else { (&key.public, "ES256") };
        for (n, request) in server.arrived().into_iter().enumerate() {
            let form = request.form();
            let field = |name: &str| {
                form.iter().find(|pair| pair.0 == name).map_or("", |pair| pair.1.as_str())
            };
            cases.push(json!({
                "id": format!("{kind}-{}", n + 1),
                "token": field("client_assertion"),
                "type": field("client_assertion_type"),
                "key": key,
                "algorithm": algorithm,
                "client": CLIENT,
                "audience": if *kind == "endpoint" { &url } else { ISSUER },
            }));
        }
    }
    Ok(cases)
}

fn said(python: &Path, library: &str, file: &Path) -> Result<Vec<Value>, String> {
    let mut command = Command::new(python);
    command.arg(script("oauth2_assertions.py")).arg(library).arg(file);
    let output = output(&mut command, Duration::from_secs(60))?;
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    lines.lines().map(|line| serde_json::from_str(line).map_err(text)).collect()
}

fn compared(sent: &[Value], said: &[Value]) -> Vec<Compared> {
    let mut cases: Vec<Compared> = Vec::new();
    for (kind, expected) in KINDS {
        for n in 1..=OF_EACH {
            let id = format!("{kind}-{n}");
            let of =
                |list: &'_ [Value]| list.iter().find(|case| case["id"] == id.as_str()).cloned();
            let (case, said) = (of(sent).unwrap_or_default(), of(said).unwrap_or_default());
            let audience = case["audience"].as_str().unwrap_or_default();
            let expected = expected.replace("ISSUER", audience).replace("TOKEN", audience);
            cases.push(compare(id, expected, shown(&said)));
        }
    }
    let unique: HashSet<&str> =
        said.iter().filter_map(|case| case["claims"]["jti"].as_str()).collect();
    cases.push(compare("identifiers", KINDS.len() * OF_EACH, unique.len()));
    let types: HashSet<&str> = sent.iter().filter_map(|case| case["type"].as_str()).collect();
    let types: Vec<&str> = types.into_iter().collect();
    let registered = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    cases.push(compare("assertion-type", registered, types.join(", ")));
    cases
}

fn shown(said: &Value) -> String {
    let (header, claims) = (&said["header"], &said["claims"]);
    if let Some(why) = said["why"].as_str() {
        return why.to_owned();
    }
    let text = |name: &str, none: &str| header[name].as_str().unwrap_or(none).to_owned();
    let lasts = claims["exp"].as_u64().zip(claims["iat"].as_u64()).map(|(exp, iat)| exp - iat);
    let (typ, alg, kid) = (text("typ", "no typ"), text("alg", "no alg"), text("kid", "no kid"));
    format!("{typ} {alg} {kid}, for {}, {} s", claims["aud"], lasts.unwrap_or_default())
}
