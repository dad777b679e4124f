//! The calls: good, wrong, missing, doubled and malformed credentials of each scheme.

use super::{
    accounts::{KEY, KEY_HEADER, KEY_PARAMETER, KEY_SCHEME, PASSWORD, TOKEN, USER},
    server::{Running, Told},
};
use auth_core::{Authenticator, Error};
use auth_reqwest::Client;
use auth_static::{ApiKey, Basic, Bearer, NoAuth, Placement};
use auth_tower::{AuthenticateLayer, ClientBody};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use reqwest::header::{HeaderName, HeaderValue};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tower::{Layer, ServiceExt};

/// One call, and how it should end.
pub struct Call {
    pub path: &'static str,
    /// What is sent, without secrets.
    pub sent: &'static str,
    with: With,
    /// The status, and how the challenge begins.
    expected: (u16, &'static str),
    /// The server's own verdict: the principal, or the reason that only its log has.
    verdict: &'static str,
}

enum With {
    /// Our client, through every adapter.
    Ours(Arc<dyn Authenticator>),
    /// Fields as somebody else might write them.
    Fields(Vec<(&'static str, Vec<u8>)>),
    /// A query as somebody else might write it.
    Query(String),
}

/// How a call went.
pub struct Line {
    pub caller: &'static str,
    pub path: &'static str,
    pub sent: &'static str,
    pub verdict: String,
    pub status: u16,
    pub challenge: String,
    pub took: Duration,
    /// What should have been, when it was not.
    pub instead_of: Option<String>,
}

/// Every call of the demo.
pub fn all() -> Result<Vec<Call>, Error> {
    let basic = |user: &str, password: &str| Ok::<_, Error>(ours(Basic::new(user, password)?));
    let key = |placement: Placement, key: &str| Ok::<_, Error>(ours(ApiKey::new(placement, key)?));
    let bearer = |token: &str| Ok::<_, Error>(ours(Bearer::new(token)?));
    let (header, word, query) = (
        || Placement::header(KEY_HEADER),
        || Placement::scheme(KEY_SCHEME),
        || Placement::query(KEY_PARAMETER),
    );
    const BASIC: &str = "Basic realm=\"demo\"";
    const APP: &str = "App realm=\"demo\"";
    const API_KEY: &str = "ApiKey realm=\"demo\"";
    const BEARER: &str = "Bearer realm=\"demo\"";
    const INVALID: &str = "Bearer realm=\"demo\", error=\"invalid_token\"";
    Ok(vec![
        call("/none", "nothing", ours(NoAuth), 200, "", "anonymous"),
        call("/basic", "user and password", basic(USER, PASSWORD)?, 200, "", "alice"),
        call("/basic", "a wrong password", basic(USER, "guess")?, 401, BASIC, "basic_wrong"),
        call("/basic", "an unknown user", basic("mallory", PASSWORD)?, 401, BASIC, "basic_wrong"),
        call("/basic", "nothing", ours(NoAuth), 401, BASIC, "basic_missing"),
        call(
            "/basic",
            "two Authorization fields",
            doubled("Basic YTpi"),
            400,
            "",
            "authorization_several",
        ),
        call(
            "/basic",
            "two values with a comma",
            fields("Basic YTpi, Basic YTpi"),
            400,
            "",
            "authorization_joined",
        ),
        call(
            "/basic",
            "base64 that is none",
            fields("Basic =Y="),
            400,
            "",
            "authorization_credentials",
        ),
        call(
            "/basic",
            "base64 with stray bits",
            fields("Basic YTpjZB=="),
            401,
            BASIC,
            "basic_malformed",
        ),
        call("/basic", "no colon", fields("Basic YWxpY2U="), 401, BASIC, "basic_no_colon"),
        call("/basic/argon2", "user and password", basic(USER, PASSWORD)?, 200, "", "alice"),
        call("/basic/argon2", "a wrong password", basic(USER, "guess")?, 401, BASIC, "basic_wrong"),
        call("/key/header", "key: ..", key(header()?, KEY)?, 200, "", "acme"),
        call(
            "/key/header",
            "key: a wrong one",
            key(header()?, "guess")?,
            401,
            API_KEY,
            "api_key_unknown",
        ),
        call("/key/header", "nothing", ours(NoAuth), 401, API_KEY, "api_key_missing"),
        call("/key/header", "two key fields", both("key", "key", KEY), 400, "", "field_several"),
        call(
            "/key/header",
            "key: with bytes no key has",
            bytes("key", b"\xe9\xff"),
            401,
            API_KEY,
            "api_key_malformed",
        ),
        call("/key/scheme", "Authorization: App ..", key(word()?, KEY)?, 200, "", "acme"),
        call(
            "/key/scheme",
            "Authorization: aPP ..",
            fields("aPP key-of-acme-0b8f2a"),
            200,
            "",
            "acme",
        ),
        call(
            "/key/scheme",
            "App and a wrong key",
            key(word()?, "guess")?,
            401,
            APP,
            "api_key_unknown",
        ),
        call("/key/scheme", "nothing", ours(NoAuth), 401, APP, "api_key_missing"),
        call(
            "/key/scheme",
            "Authorization: undefined",
            fields("undefined"),
            401,
            APP,
            "api_key_missing",
        ),
        call(
            "/key/scheme",
            "App and two keys",
            fields("App a, App b"),
            400,
            "",
            "authorization_joined",
        ),
        call("/key/query", "?apikey=..", key(query()?, KEY)?, 200, "", "acme"),
        call(
            "/key/query",
            "?apikey= a wrong one",
            key(query()?, "guess")?,
            401,
            API_KEY,
            "api_key_unknown",
        ),
        call("/key/query", "nothing", ours(NoAuth), 401, API_KEY, "api_key_missing"),
        call(
            "/key/query",
            "?apikey=..&apikey=..",
            asked(&format!("apikey={KEY}&apikey={KEY}")),
            400,
            "",
            "api_key_several",
        ),
        call("/key/query", "?apikey=%zz", asked("apikey=%zz"), 401, API_KEY, "api_key_malformed"),
        call("/bearer", "Authorization: Bearer ..", bearer(TOKEN)?, 200, "", "bob"),
        call(
            "/bearer",
            "Bearer and a wrong token",
            bearer("guess")?,
            401,
            INVALID,
            "bearer_unknown",
        ),
        call("/bearer", "nothing", ours(NoAuth), 401, BEARER, "bearer_missing"),
        call("/bearer", "an empty Authorization", fields(""), 400, "", "authorization_no_scheme"),
        call(
            "/bearer",
            "two Authorization fields",
            doubled("Bearer a"),
            400,
            "",
            "authorization_several",
        ),
        call("/any", "user and password", basic(USER, PASSWORD)?, 200, "", "alice"),
        call("/any", "key: ..", key(header()?, KEY)?, 200, "", "acme"),
        call("/any", "nothing", ours(NoAuth), 401, BASIC, "basic_missing"),
        call(
            "/any",
            "both",
            both("Authorization", "key", "Basic YTpi"),
            400,
            "",
            "choice_several_schemes",
        ),
        call("/first", "key: ..", key(header()?, KEY)?, 200, "", "acme"),
        call(
            "/first",
            "Bearer and a wrong token",
            bearer("guess")?,
            401,
            INVALID,
            "bearer_unknown",
        ),
        call(
            "/first",
            "a good token and a bad key",
            both("Authorization", "key", &bearer_field()),
            200,
            "",
            "bob",
        ),
        call(
            "/first",
            "a bad token and a good key",
            with_key("Bearer guess"),
            401,
            INVALID,
            "bearer_unknown",
        ),
        call(
            "/first",
            "an empty Authorization and a good key",
            with_key(""),
            400,
            "",
            "authorization_no_scheme",
        ),
    ])
}

fn bearer_field() -> String {
    format!("Bearer {TOKEN}")
}

fn call(
    path: &'static str,
    sent: &'static str,
    with: With,
    status: u16,
    challenge: &'static str,
    verdict: &'static str,
) -> Call {
    Call { path, sent, with, expected: (status, challenge), verdict }
}

fn ours(authenticator: impl Authenticator + 'static) -> With {
    With::Ours(Arc::new(authenticator))
}

fn bytes(name: &'static str, value: &[u8]) -> With {
    With::Fields(vec![(name, value.to_vec())])
}

fn fields(authorization: &str) -> With {
    bytes("Authorization", authorization.as_bytes())
}

fn doubled(authorization: &str) -> With {
    both("Authorization", "Authorization", authorization)
}

fn both(first: &'static str, second: &'static str, value: &str) -> With {
    With::Fields([first, second].map(|name| (name, value.as_bytes().to_vec())).to_vec())
}

fn with_key(authorization: &str) -> With {
    With::Fields(vec![("Authorization", authorization.into()), ("key", KEY.into())])
}

fn asked(query: &str) -> With {
    With::Query(query.to_owned())
}

impl Call {
    /// Makes the call in every way there is, and says how each went.
    pub async fn run(&self, callers: &Callers, server: &Running) -> Result<Vec<Line>, String> {
        let client = &callers.reqwest;
        let url = format!("{}{}", server.base(), self.path);
        let mut lines = Vec::new();
        match &self.with {
            With::Ours(authenticator) => {
                let began = Instant::now();
                let request = client.http().get(&url).build().map_err(|error| error.to_string())?;
                let answer =
                    client.send(authenticator, request).await.map_err(|error| error.to_string())?;
                lines.push(self.line(
                    "auth-reqwest",
                    server,
                    answer.status().as_u16(),
                    answer.headers(),
                    began,
                ));
                let began = Instant::now();
                let answer = callers.through_tower(authenticator, &url).await?;
                lines.push(self.line(
                    "auth-tower",
                    server,
                    answer.status().as_u16(),
                    answer.headers(),
                    began,
                ));
            }
            With::Fields(fields) => {
                let mut request =
                    client.http().get(&url).build().map_err(|error| error.to_string())?;
                for (name, value) in fields {
                    let name: HeaderName = name.parse().map_err(|_| "a field's name")?;
                    request.headers_mut().append(
                        name,
                        HeaderValue::from_bytes(value).map_err(|_| "a field's value")?,
                    );
                }
                lines.push(self.plainly(client, request, server).await?);
            }
            With::Query(query) => {
                let request = client
                    .http()
                    .get(format!("{url}?{query}"))
                    .build()
                    .map_err(|error| error.to_string())?;
                lines.push(self.plainly(client, request, server).await?);
            }
        }
        Ok(lines)
    }

    async fn plainly(
        &self,
        client: &Client,
        request: reqwest::Request,
        server: &Running,
    ) -> Result<Line, String> {
        let began = Instant::now();
        let answer = client.http().execute(request).await.map_err(|error| error.to_string())?;
        Ok(self.line("by hand", server, answer.status().as_u16(), answer.headers(), began))
    }

    fn line(
        &self,
        caller: &'static str,
        server: &Running,
        status: u16,
        headers: &http::HeaderMap,
        began: Instant,
    ) -> Line {
        let took = began.elapsed();
        let verdict = match server.told() {
            Some(Told::Accepted(principal)) => principal,
            Some(Told::Refused(code)) => code.to_owned(),
            None => String::from("the server saw nothing"),
        };
        let challenge = headers
            .get("www-authenticate")
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let challenge = challenge.unwrap_or_default();
        let (wanted, begins) = self.expected;
        let challenged =
            if begins.is_empty() { status != 401 } else { challenge.starts_with(begins) };
        let good = status == wanted && verdict == self.verdict && challenged;
        let instead_of = (!good).then(|| format!("{} {wanted} {begins}", self.verdict));
        Line {
            caller,
            path: self.path,
            sent: self.sent,
            verdict,
            status,
            challenge,
            took,
            instead_of,
        }
    }
}

/// The clients that make the calls, kept from one to the next.
pub struct Callers {
    reqwest: Client,
    hyper: legacy::Client<HttpConnector, ClientBody>,
}

impl Callers {
    pub fn new() -> Result<Self, Error> {
        let hyper = legacy::Client::builder(TokioExecutor::new()).build_http();
        Ok(Self { reqwest: Client::builder().build()?, hyper })
    }

    async fn through_tower(
        &self,
        authenticator: &Arc<dyn Authenticator>,
        url: &str,
    ) -> Result<http::Response<()>, String> {
        let service = AuthenticateLayer::new(Arc::clone(authenticator)).layer(self.hyper.clone());
        let request =
            http::Request::get(url).body(ClientBody::empty()).map_err(|error| error.to_string())?;
        let answer = service.oneshot(request).await.map_err(|error| error.to_string())?;
        Ok(answer.map(|_| ()))
    }
}
