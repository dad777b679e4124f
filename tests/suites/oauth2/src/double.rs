//! A token endpoint of our own, with what authorization servers are told to check (RFC 6749, RFC 7636, RFC 9700). Foreign
//! clients are its first callers, so that it is known to be faithful before our client is judged by it.

mod issued;

use crate::recording::{Arrived, Recording, locked};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Response, header};
use issued::{Begun, Issued};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use url::{Url, form_urlencoded};

pub use issued::PreviousToken;

/// The clients that are known: each one's secret, if it has one.
pub const CONFIDENTIAL: &str = "confidential";
pub const PUBLIC: &str = "public";
/// Authenticates by assertions, which are not verified here: others judge what was recorded.
pub const ASSERTING: &str = "asserting";
pub const SECRET: &str = "a secret: +%/?&=";
pub const REDIRECT_URI: &str = "http://127.0.0.1:9/callback/crm";

/// The server. `/authorize` agrees at once for alice, `/token` grants, `/api` wants a token.
pub struct Double {
    pub server: Recording,
}

impl Double {
    pub async fn open(previous: PreviousToken) -> Result<Self, String> {
        let issued = Arc::new(Mutex::new(Issued::new(previous)));
        let server = Recording::open(move |request| {
            let mut issued = locked(&issued);
            match request.uri.path() {
                "/authorize" => authorize(&mut issued, request),
                "/token" => token(&mut issued, request),
                "/api" => api(&issued, request),
                _ => answer(404, &json!({})),
            }
        });
        Ok(Self { server: server.await? })
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.server.base)
    }
}

fn authorize(issued: &mut Issued, request: &Arrived) -> Response<Vec<u8>> {
    let Ok(parameters) = Parameters::of(request.query()) else {
        return refused(400, "invalid_request", "a parameter comes twice");
    };
    let known = [CONFIDENTIAL, PUBLIC].contains(&parameters.get("client_id"));
    // Without these two nobody may be redirected.
    if !known || parameters.get("redirect_uri") != REDIRECT_URI {
        return refused(400, "invalid_request", "unknown client or redirect URI");
    }
    let host = request.header("host").unwrap_or_default();
    let mut back = vec![("state", parameters.get("state").to_owned())];
    back.push(("iss", format!("http://{host}")));
    let pkce = parameters.get("code_challenge_method") == "S256"
        && parameters.get("code_challenge").len() == 43;
    if parameters.get("response_type") == "code" && pkce {
        let begun = Begun {
            client: parameters.get("client_id").to_owned(),
            redirect_uri: parameters.get("redirect_uri").to_owned(),
            challenge: parameters.get("code_challenge").to_owned(),
            scope: parameters.get("scope").to_owned(),
        };
        back.push(("code", issued.code(begun)));
    } else {
        back.push(("error", "invalid_request".into()));
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(back).finish();
    let answer = Response::builder().status(302);
    let answer = answer.header(header::LOCATION, format!("{REDIRECT_URI}?{query}"));
    answer.body(Vec::new()).unwrap_or_default()
}

fn token(issued: &mut Issued, request: &Arrived) -> Response<Vec<u8>> {
    match granted(issued, request) {
        Ok(answer) => self::answer(200, &answer),
        Err((status, error, description)) => refused(status, error, description),
    }
}

/// Status, `error` and `error_description`.
type Refusal = (u16, &'static str, &'static str);

fn granted(issued: &mut Issued, request: &Arrived) -> Result<Value, Refusal> {
    let kind = request.header("content-type").unwrap_or_default();
    let mut sent = request.query();
    if kind.starts_with("application/json") {
        let json: Value = serde_json::from_slice(&request.body)
            .map_err(|_| (400, "invalid_request", "no JSON"))?;
        let members = json.as_object().into_iter().flatten();
        sent.extend(members.map(|(name, value)| {
            (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        }));
    } else {
        sent.extend(request.form());
    }
    let parameters = Parameters::of(sent)?;
    let client = client(request, &parameters)?;
    match parameters.get("grant_type") {
        "client_credentials" if client == PUBLIC => {
            Err((400, "unauthorized_client", "a public client has no token of its own"))
        }
        "client_credentials" => Ok(issued.own(parameters.get("scope"))),
        "authorization_code" => issued.redeem(
            &client,
            parameters.get("code"),
            parameters.get("redirect_uri"),
            parameters.get("code_verifier"),
        ),
        "refresh_token" => {
            issued.refresh(&client, parameters.get("refresh_token"), parameters.get("scope"))
        }
        "" => Err((400, "invalid_request", "no grant_type")),
        _ => Err((400, "unsupported_grant_type", "no such grant")),
    }
}

/// Who asks, if they authenticate in one way and that is theirs.
fn client(request: &Arrived, parameters: &Parameters) -> Result<String, Refusal> {
    let wrong = Err((401, "invalid_client", "unknown client or wrong authentication"));
    let (id, secret) = (parameters.get("client_id"), parameters.get("client_secret"));
    let assertion = parameters.get("client_assertion");
    let basic = request.header("authorization");
    if [basic.is_some(), !secret.is_empty(), !assertion.is_empty()]
        .iter()
        .filter(|way| **way)
        .count()
        > 1
    {
        return Err((400, "invalid_request", "two ways to authenticate"));
    }
    let is_confidential = |id: &str, secret: &str| id == CONFIDENTIAL && secret == SECRET;
    if let Some(field) = basic {
        let pair = field.strip_prefix("Basic ").and_then(|pair| STANDARD.decode(pair).ok());
        let pair = pair.and_then(|pair| String::from_utf8(pair).ok()).unwrap_or_default();
        let Some((basic_id, secret)) = pair.split_once(':') else { return wrong };
        let (basic_id, secret) = (decoded(basic_id), decoded(secret));
        let same = id.is_empty() || id == basic_id;
        return if same && is_confidential(&basic_id, &secret) { Ok(basic_id) } else { wrong };
    }
    let known = match (secret, assertion) {
        ("", "") => id == PUBLIC,
        ("", _) => {
            id == ASSERTING && parameters.get("client_assertion_type").ends_with(":jwt-bearer")
        }
        _ => is_confidential(id, secret),
    };
    if known { Ok(id.to_owned()) } else { wrong }
}

/// One part of Basic credentials, which is a form's value (RFC 6749 section 2.3.1).
fn decoded(part: &str) -> String {
    let pair = format!("x={part}");
    form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into())
        .unwrap_or_default()
}

fn api(issued: &Issued, request: &Arrived) -> Response<Vec<u8>> {
    let token = request.header("authorization").and_then(|field| field.strip_prefix("Bearer "));
    match token.and_then(|token| issued.owner(token)) {
        Some(owner) => answer(200, &json!({ "owner": owner })),
        None => {
            let challenge = r#"Bearer realm="api", error="invalid_token""#;
            let answer = Response::builder().status(401).header("www-authenticate", challenge);
            answer.body(Vec::new()).unwrap_or_default()
        }
    }
}

fn refused(status: u16, error: &str, description: &str) -> Response<Vec<u8>> {
    let mut answer = answer(status, &json!({ "error": error, "error_description": description }));
    if status == 401 {
        let challenge = header::HeaderValue::from_static(r#"Basic realm="token""#);
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    answer
}

fn answer(status: u16, json: &Value) -> Response<Vec<u8>> {
    let answer = Response::builder().status(status).header("cache-control", "no-store");
    let answer = answer.header("content-type", "application/json");
    answer.body(json.to_string().into_bytes()).unwrap_or_default()
}

/// Parameters, none of which comes twice (RFC 6749 section 3.2).
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn of(sent: Vec<(String, String)>) -> Result<Self, Refusal> {
        let mut names: Vec<&str> = sent.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        // A resource may (RFC 8707 section 2).
        let twice = names.windows(2).any(|pair| pair[0] == pair[1] && pair[0] != "resource");
        if twice {
            Err((400, "invalid_request", "a parameter comes twice"))
        } else {
            Ok(Self(sent))
        }
    }

    fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

/// The query that `/authorize` sends a browser back with.
pub fn query_of(answer: &Response<Vec<u8>>) -> Result<String, String> {
    let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let location = location.ok_or_else(|| format!("no redirect: {}", answer.status()))?;
    let url = Url::parse(location).map_err(|error| error.to_string())?;
    Ok(url.query().unwrap_or_default().to_owned())
}
