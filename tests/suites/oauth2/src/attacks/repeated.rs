//! A server that repeats in its answers what it was sent: nothing that is shown has a secret of it.

use super::{Done, Stage, servers::client};
use crate::{
    ours::{blocking_context, case, text},
    recording::{Arrived, Recording},
};
use auth_oauth2::{ClientRegistration, Context, ParameterPlacement, TokenEndpoint, TokenRequest};
use auth_testing::Canary;
use conformance::{Compared, compare};
use http::{Response, header};
use serde_json::json;
use std::net::Ipv4Addr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

/// Where the server repeats it.
const WAYS: [&str; 11] = [
    "description",
    "uri",
    "error",
    "other",
    "name",
    "form",
    "redirect",
    "body",
    "type",
    "expires",
    "scope",
];

/// What the server repeats: a text is cut, so that each part has to come first.
const PARTS: [&str; 4] = ["body", "fields", "decoded", "html"];

pub async fn cases(stage: &Stage) -> Vec<Compared> {
    let mut cases = Vec::new();
    let server = match Recording::open(repeating).await {
        Ok(server) => server,
        Err(why) => return vec![compare("start", "started", why)],
    };
    for way in WAYS {
        for part in PARTS {
            for method in METHODS {
                let run = async {
                    let mut shown = Vec::new();
                    for (grant, placement) in kinds() {
                        let url = format!("{}/{way}/{part}", server.base);
                        let sent = Sent::new(stage, &url, method, grant, placement)?;
                        let said = sent.said(&stage.context).await;
                        shown.extend(sent.shown(&said, &server.arrived())?);
                    }
                    Ok(if shown.is_empty() { "nothing".into() } else { shown.join(", ") })
                };
                let id = format!("repeated-{way}-{part}-{method}");
                cases.push(case(&id, "nothing", run).await);
            }
        }
    }
    cases.extend(broken(stage).await);
    cases
}

const METHODS: [&str; 3] = ["client_secret_post", "client_secret_basic", "private_key_jwt"];

/// Each grant, with its parameters in each place.
fn kinds() -> impl Iterator<Item = (&'static str, ParameterPlacement)> {
    use ParameterPlacement::{FormBody, JsonBody, Url};
    let grants = ["own", "code", "refresh"].into_iter();
    grants.flat_map(|grant| [FormBody, JsonBody, Url].map(|placement| (grant, placement)))
}

/// Exchanges that break off: a transport names what it was doing, and the URL may hold secrets.
async fn broken(stage: &Stage) -> Vec<Compared> {
    let mut cases = Vec::new();
    let contexts = [("reqwest", Ok(stage.context.clone())), ("ureq", blocking_context())];
    for (transport, context) in contexts {
        for how in ["refuses", "hangs-up", "talks-nonsense", "never-ends"] {
            for method in METHODS {
                let run = async {
                    let context = context.clone()?;
                    let (base, server) = breaking(how).await?;
                    let mut shown = Vec::new();
                    for (grant, placement) in kinds() {
                        let sent =
                            Sent::new(stage, &format!("{base}/token"), method, grant, placement)?;
                        let said = sent.said(&context).await;
                        shown.extend(sent.canaries(&said));
                        if !["transport", "protocol"].iter().any(|kind| said.starts_with(kind)) {
                            shown.push("no failure of a transport");
                        }
                    }
                    if let Some(server) = server {
                        server.abort();
                    }
                    Ok(if shown.is_empty() { "nothing".into() } else { shown.join(", ") })
                };
                let id = format!("broken-{how}-{transport}-{method}");
                cases.push(case(&id, "nothing", run).await);
            }
        }
    }
    cases
}

/// A server that is none: where it is, and what runs it.
async fn breaking(how: &'static str) -> Done<(String, Option<JoinHandle<()>>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(text)?;
    let base = format!("http://{}", listener.local_addr().map_err(text)?);
    if how == "refuses" {
        return Ok((base, None));
    }
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // What was sent is read first, so that the caller sees the answer and no reset.
            let mut request = vec![0; 65536];
            let _ = stream.read(&mut request).await;
            let said: &[u8] = match how {
                "talks-nonsense" => b"nonsense\r\n\r\n",
                "never-ends" => b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n{",
                _ => b"",
            };
            let _ = stream.write_all(said).await;
            let filler = [b' '; 1024];
            while how == "never-ends" && stream.write_all(&filler).await.is_ok() {}
        }
    });
    Ok((base, Some(task)))
}

/// A request whose every secret is known here.
struct Sent {
    registration: ClientRegistration,
    request: TokenRequest,
    secrets: Vec<Canary>,
}

impl Sent {
    fn new(
        stage: &Stage,
        url: &str,
        method: &str,
        grant: &str,
        placement: ParameterPlacement,
    ) -> Done<Self> {
        // With what each way of writing it has to escape.
        let plant = |place: &str| {
            Canary::plant(&format!("{place} \"\\+%/&?="), &*stage.context.random).map_err(text)
        };
        let (secret, granted, field) = (plant("secret")?, plant("granted")?, plant("field")?);
        let client = client(method, secret.text(), "https://login.example")?;
        let endpoint = TokenEndpoint::new(url).map_err(text)?.with_placement(placement);
        let endpoint = endpoint.allowing_secrets_in_url().with_header("x-key", field.text());
        let registration = ClientRegistration::new(endpoint.map_err(text)?, client);
        let granted_text = granted.text();
        let request = match grant {
            "own" => Ok(TokenRequest::new("client_credentials")),
            "code" => TokenRequest::new("authorization_code").with_parameter("code", granted_text),
            _ => TokenRequest::new("refresh_token").with_parameter("refresh_token", granted_text),
        };
        let request = request.map_err(text)?;
        Ok(Self { registration, request, secrets: vec![secret, granted, field] })
    }

    /// What the outcome shows of itself: an error, or a token.
    async fn said(&self, context: &Context) -> String {
        match self.registration.obtain(&self.request, context).await {
            Ok(token) => format!("{token:?} {token:#?} {:?}", token.masked()),
            Err(error) => {
                // A program may look at what lies beneath as well.
                let precise = error.cause().error();
                format!("{error} {error:?} {precise:?} {precise:#?}")
            }
        }
    }

    /// What it shows of what was sent.
    fn shown(&self, whole: &str, arrived: &[Arrived]) -> Done<Vec<&'static str>> {
        let mut found = self.canaries(whole);
        let [request] = arrived else { return Err(format!("{} arrived", arrived.len())) };
        let said = request.whole();
        let assertion = said.split("eyJ").nth(1).and_then(|rest| rest.get(..40));
        if assertion.is_some_and(|assertion| whole.contains(assertion)) {
            found.push("assertion");
        }
        let basic = request.header("authorization").and_then(|field| field.get(10..40));
        if basic.is_some_and(|basic| whole.contains(basic)) {
            found.push("Basic credentials");
        }
        Ok(found)
    }

    /// Which of what was planted it shows.
    fn canaries(&self, whole: &str) -> Vec<&'static str> {
        let named = ["secret", "granted", "field"].into_iter().zip(&self.secrets);
        // The letters at its end are nothing else's, in any way of writing.
        let is_shown = |canary: &Canary| {
            let end = canary.text().len().saturating_sub(16);
            canary.text().get(end..).is_none_or(|letters| whole.contains(letters))
        };
        named.filter(|(_, canary)| is_shown(canary)).map(|(name, _)| name).collect()
    }
}

/// What is repeated, and where, the path says.
fn repeating(request: &Arrived) -> Response<Vec<u8>> {
    let mut path = request.uri.path().split('/').skip(1);
    let (way, part) = (path.next().unwrap_or_default(), path.next().unwrap_or_default());
    let url = request.uri.query().unwrap_or_default();
    let said = match part {
        "body" => format!("{}{url}", String::from_utf8_lossy(&request.body)),
        // The two that may hold a secret first.
        "fields" => {
            let field = |name: &str| request.header(name).unwrap_or_default().to_owned();
            format!("{}{}{}", field("authorization"), field("x-key"), request.fields())
        }
        // Values, without their names before them.
        _ => {
            let mut sent = [request.form(), request.query()].concat();
            sent.sort_by_key(|(name, _)| !name.contains("secret") && name != "code");
            let values = sent.into_iter().map(|(_, value)| value);
            format!("{}{}", values.collect::<String>(), request.decoded())
        }
    };
    // As a page of an error would have it.
    let said = match part {
        "html" => said.replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&#39;"),
        _ => said,
    };
    let answer = Response::builder().header("x-request", said.replace(['\n', '\r'], " "));
    let (mut kind, mut status) = ("application/json", 400);
    let mut answer = answer;
    let body = match way {
        "description" => json!({ "error": "e", "error_description": said }).to_string(),
        "uri" => json!({ "error": "invalid_grant", "error_uri": said }).to_string(),
        "error" => json!({ "error": said }).to_string(),
        "other" => json!({ "error": "e", "trace": said }).to_string(),
        "name" => json!({ "error": "e", said.as_str(): "trace" }).to_string(),
        "form" => {
            kind = "application/x-www-form-urlencoded";
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.append_pair("error", "e").append_pair("error_description", &said).finish()
        }
        "redirect" => {
            status = 307;
            let query: String = url::form_urlencoded::byte_serialize(said.as_bytes()).collect();
            answer = answer.header(header::LOCATION, format!("http://127.0.0.1:9/?{query}"));
            String::new()
        }
        // These grant, and yet cannot be read.
        "type" => {
            status = 200;
            json!({ "access_token": "t", "token_type": said }).to_string()
        }
        "scope" => {
            status = 200;
            json!({ "access_token": "t", "scope": said }).to_string()
        }
        "expires" => {
            status = 200;
            json!({ "access_token": "t", "expires_in": said }).to_string()
        }
        _ => {
            status = 200;
            said
        }
    };
    let answer = answer.status(status).header(header::CONTENT_TYPE, kind);
    answer.body(body.into_bytes()).unwrap_or_default()
}
