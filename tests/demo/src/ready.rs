//! The calls that a person tries at the running server: each is made once with the curl that is installed, before it is shown.

use super::{
    accounts::{BOT, BOT_KEY, CLIENT, CLIENT_SECRET, PATHS, Path, SERVICE, SERVICE_SECRET},
    callers::Callers,
};
use auth_core::{Clock, Error, SystemClock};
use auth_jwt::{JwsAlgorithm, SigningKey, profiles};
use serde_json::Value;
use tokio::process::Command;

/// A path, and the call that opens it, or why there is none to show.
pub struct Ready {
    pub path: &'static Path,
    pub curl: Result<String, String>,
}

/// All paths, with tokens that are good now.
pub async fn calls(base: &str) -> Result<Vec<Ready>, String> {
    let callers = Callers::new().map_err(|error| error.to_string())?;
    let mut ready = Vec::new();
    for path in PATHS {
        let curl = match token(path.path, base, &callers).await? {
            Some(token) => path.curl.replace("TOKEN", &token),
            None => path.curl.to_owned(),
        };
        let url = format!("{base}{}", path.path);
        let words = ["curl", &curl, &url].into_iter().filter(|word| !word.is_empty());
        let call = words.collect::<Vec<_>>().join(" ");
        ready.push(Ready { path, curl: tried(&call).await.map(|()| call) });
    }
    Ok(ready)
}

/// What stands for `TOKEN` in the call of this path.
async fn token(path: &str, base: &str, callers: &Callers) -> Result<Option<String>, String> {
    let text = |error: Error| error.to_string();
    let now = SystemClock.now();
    Ok(Some(match path {
        "/jwt/service" => {
            let key = SigningKey::from_base64_secret(JwsAlgorithm::HS256, SERVICE_SECRET);
            let signed =
                profiles::webex_service_claims(SERVICE).sign(&key.map_err(text)?, now, None);
            signed.map_err(text)?.expose().to_owned()
        }
        "/jwt/login" => {
            let key = SigningKey::from_pem(JwsAlgorithm::RS512, BOT_KEY).map_err(text)?;
            let signed = profiles::symphony_login_claims(BOT).sign(&key, now, None);
            signed.map_err(text)?.expose().to_owned()
        }
        "/session" => obtained(callers, &format!("{base}/session/token"), "").await?,
        "/oauth2" => {
            let form = format!(
                "grant_type=client_credentials&client_id={CLIENT}&client_secret={CLIENT_SECRET}"
            );
            obtained(callers, &format!("{base}/oauth2/token"), &form).await?
        }
        _ => return Ok(None),
    }))
}

/// The access token of a token endpoint.
async fn obtained(callers: &Callers, url: &str, form: &str) -> Result<String, String> {
    let request = callers.reqwest.http().post(url).body(form.to_owned());
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let body = answer.bytes().await.map_err(|error| error.to_string())?;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let token = body["access_token"].as_str().map(str::to_owned);
    token.ok_or_else(|| format!("{url} gave no token: {body}"))
}

/// Does the server let this call in?
async fn tried(call: &str) -> Result<(), String> {
    let quiet = call.replacen(
        "curl",
        "curl --silent --output /dev/null --max-time 5 --noproxy '*' --write-out '%{http_code}'",
        1,
    );
    let ran = Command::new("sh").args(["-c", &quiet]).output().await;
    let ran = ran.map_err(|error| format!("there is no shell to try it with: {error}"))?;
    match (ran.status.code(), String::from_utf8_lossy(&ran.stdout).as_ref()) {
        (Some(0), "200") => Ok(()),
        (Some(127), _) => Err("curl is not installed".to_owned()),
        (Some(2), _) => Err("the curl that is installed does not know an option of it".to_owned()),
        (_, status) => Err(format!("the curl that is installed cannot do it: it got {status}")),
    }
}
