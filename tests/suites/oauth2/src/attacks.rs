//! A server that plays the attacker (draft-ietf-oauth-security-topics-update): what our client refuses, and what arrives at
//! the attacker's. That is to be no secret, no code, no verifier, no assertion and no refresh token of another.

mod callbacks;
mod repeated;
mod servers;

use crate::{
    double::{CONFIDENTIAL, Double, PreviousToken, REDIRECT_URI, SECRET, query_of},
    ours::{connection, context, fetched, registration, text},
    recording::{Arrived, Recording},
};
use auth_core::Context;
use auth_oauth2::{AuthorizationCode, ClientAuthentication, IssuerParameter, PendingAuthorization};
use conformance::{Compared, Outcome, broken, ran};
use http::{Method, Response, header};
use serde_json::json;
use tokio::runtime::Runtime;

type Done<T> = Result<T, String>;

pub fn cases() -> Outcome {
    let run = || {
        let runtime = Runtime::new().map_err(text)?;
        runtime.block_on(async {
            let stage = Stage::set().await?;
            let mut cases = callbacks::cases(&stage).await;
            cases.extend(servers::cases(&stage).await);
            cases.extend(repeated::cases(&stage).await);
            Ok::<_, String>(cases)
        })
    };
    run().map_or_else(broken, |cases: Vec<Compared>| ran(cases))
}

/// The victim's authorization server, the attacker's, and a server that sends everything on to the attacker's.
struct Stage {
    honest: Double,
    attacker: Recording,
    moved: Recording,
    context: Context,
}

impl Stage {
    async fn set() -> Done<Self> {
        let honest = Double::open(PreviousToken::EndsTheFamily).await?;
        let attacker = Recording::open(attacking).await?;
        let to = attacker.base.clone();
        let moved = Recording::open(move |request| moving(request, &to)).await?;
        Ok(Self { honest, attacker, moved, context: context()? })
    }

    /// The connection that the victim's tenant made, to its own server.
    fn good(&self) -> Done<AuthorizationCode> {
        self.grant(&self.honest.server.base, &self.honest.at("/authorize"), REDIRECT_URI)
    }

    fn grant(&self, server: &str, authorize: &str, redirect_uri: &str) -> Done<AuthorizationCode> {
        let client = ClientAuthentication::client_secret_post(CONFIDENTIAL, SECRET);
        let registration = registration(&format!("{server}/token"), client)?;
        let grant = AuthorizationCode::new(registration, authorize, redirect_uri).map_err(text)?;
        Ok(grant.with_issuer(server, IssuerParameter::Promised))
    }

    /// Somebody begins an authorization and agrees to it: what is kept, and what their browser comes back with.
    async fn begun(
        &self,
        grant: &AuthorizationCode,
        authorization: &str,
        user: &str,
    ) -> Done<(PendingAuthorization, String)> {
        let here = connection(authorization, user);
        let (url, pending) = grant.begin(&here, &self.context).map_err(text)?;
        Ok((pending, self.opened(&url).await?))
    }

    /// The query that the browser is sent back with from this URL.
    async fn opened(&self, url: &str) -> Done<String> {
        let request = http::Request::get(url).body(Vec::new()).map_err(text)?;
        query_of(&fetched(&self.context, request).await?)
    }

    /// What has arrived since it was last asked: at the attacker's, with how many secrets, and redeemed at the victim's.
    fn arrived(&self) -> String {
        let attacker = self.attacker.arrived();
        let redeemed = self.honest.server.arrived();
        let redeemed = redeemed.iter().filter(|request| request.uri.path() == "/token").count();
        self.moved.arrived();
        format!("{redeemed} redeemed, {} secrets", secrets(&attacker))
    }
}

/// How many requests hold what is the victim's alone.
fn secrets(arrived: &[Arrived]) -> usize {
    const OF_THE_VICTIM: &[&str] = &[
        SECRET,
        "code-",
        "refresh-",
        "access-",
        "own-",
        "code_verifier",
        "client_assertion=",
        "client_secret",
    ];
    let holds = |request: &&Arrived| {
        let whole = request.whole();
        OF_THE_VICTIM.iter().any(|secret| whole.contains(secret))
    };
    arrived.iter().filter(holds).count()
}

/// The attacker's server: grants whatever it is asked for, and names itself wherever it can.
fn attacking(request: &Arrived) -> Response<Vec<u8>> {
    let base = format!("http://{}", request.header("host").unwrap_or_default());
    let metadata = |issuer: &str| {
        json!({
            "issuer": issuer,
            "token_endpoint": format!("{base}/token"),
            "authorization_endpoint": format!("{base}/authorize"),
            "authorization_response_iss_parameter_supported": true,
        })
    };
    let answer = Response::builder().header(header::CONTENT_TYPE, "application/json");
    match (&request.method, request.uri.path()) {
        (&Method::POST, "/token") => {
            let token = json!({ "access_token": "of-the-attacker", "refresh_token": "his" });
            answer.body(token.to_string().into_bytes())
        }
        (_, "/api") => {
            let challenge = format!(
                "Bearer realm=\"api\", error=\"invalid_token\", scope=\"all\", \
                 authorization_uri=\"{base}/authorize\", token_uri=\"{base}/token\", \
                 resource_metadata=\"{base}/.well-known/oauth-protected-resource\""
            );
            let answer = answer.status(401).header(header::WWW_AUTHENTICATE, challenge);
            answer.header("link", format!("<{base}/token>; rel=token")).body(Vec::new())
        }
        (_, path) if path.starts_with("/.well-known/") => {
            // It claims to be whoever is asked for in the query.
            let issuer = request.query().first().map_or(base.clone(), |pair| pair.1.clone());
            answer.body(metadata(&issuer).to_string().into_bytes())
        }
        _ => answer.status(404).body(Vec::new()),
    }
    .unwrap_or_default()
}

/// Sends everything on to the attacker's: `/307/token` by a 307 to `/token` there.
fn moving(request: &Arrived, to: &str) -> Response<Vec<u8>> {
    let path = request.uri.path().trim_start_matches('/');
    let (status, path) = path.split_once('/').unwrap_or(("302", path));
    let answer = Response::builder().status(status.parse::<u16>().unwrap_or(302));
    let answer = answer.header(header::LOCATION, format!("{to}/{path}"));
    // What a careless client would rather read.
    let answer = answer.header("refresh", format!("0; url={to}/{path}"));
    answer.body(Vec::new()).unwrap_or_default()
}
