//! curl, as somebody uses it who follows the vendor's pages line by line, with a token that PyJWT has signed.

use super::{BOT, Pod, PyJwt};
use conformance::{Compared, compare, output};
use serde_json::{Value, json};
use std::{path::Path, process::Command, time::Duration};

const MESSAGE: &str = "/agent/v4/stream/s1/message/create";

pub fn cases(curl: &Path, pod: &Pod, python: &PyJwt) -> Result<Vec<Compared>, String> {
    let sign = PyJwt::sign(&pod.keys.short.pkcs1, "RS512", json!({ "sub": BOT, "exp": 290 }));
    let token = python.ask(&[sign])?.pop().unwrap_or_default();
    let mut it = Curl { curl, pod, compared: Vec::new() };
    let body = json!({ "token": token }).to_string();
    let json = ["--header", "content-type: application/json", "--data", &body];
    let session = it.token("session", "/login/pubkey/authenticate", "200 sessionToken", &json);
    let keys = it.token("keys", "/relay/pubkey/authenticate", "200 keyManagerToken", &json);
    let session = format!("sessionToken: {session}");
    let keys = format!("keyManagerToken: {keys}");
    let (first, both) = (["--header", &session], ["--header", &session, "--header", &keys]);
    let lower = session.replace("sessionToken", "sessiontoken");
    let info = "/pod/v2/sessioninfo";
    it.ask("pod", info, "200 bot", &first);
    it.ask("pod-in-lower-case", info, "200 bot", &["--header", &lower]);
    it.ask("pod-without-a-session", info, "401 Invalid session", &[]);
    it.ask("pod-with-the-other-token", info, "401 Invalid session", &["--header", &keys]);
    let data = ["--form-string", "message=<messageML>hello</messageML>"];
    it.ask("agent", MESSAGE, "200 messageId", &[&both[..], &data].concat());
    it.ask("agent-with-one-token", MESSAGE, "401 Invalid session", &[&first[..], &data].concat());
    let empty = ["--request", "POST"];
    let scope = "/login/idm/tokens?scope=";
    let jwt = it.token("common-jwt", scope, "200 access_token", &[&first[..], &empty].concat());
    let bearer = format!("Authorization: Bearer {jwt}");
    it.ask("pod-with-the-common-jwt", info, "200 bot", &["--header", &bearer]);
    let fields = ["--header", &bearer, "--header", &keys];
    it.ask("agent-with-the-common-jwt", MESSAGE, "200 messageId", &[&fields[..], &data].concat());
    it.ask("key-set", "/login/idm/keys", "200 keys", &[]);
    it.ask("certificate", "/pod/v1/podcert", "200 certificate", &[]);
    Ok(it.compared)
}

struct Curl<'a> {
    curl: &'a Path,
    pod: &'a Pod,
    compared: Vec<Compared>,
}

impl Curl<'_> {
    /// The token of an answer that should be this one.
    fn token(&mut self, id: &str, path: &str, expected: &str, arguments: &[&str]) -> String {
        let body = self.ask(id, path, expected, arguments);
        let token = body["token"].as_str().or(body["access_token"].as_str());
        token.unwrap_or_default().to_owned()
    }

    fn ask(&mut self, id: &str, path: &str, expected: &str, arguments: &[&str]) -> Value {
        let mut curl = Command::new(self.curl);
        curl.args(["--silent", "--show-error", "--noproxy", "*", "--write-out", "\n%{http_code}"]);
        curl.args(arguments).arg(format!("{}{path}", self.pod.symphony.base_url()));
        let (status, body) = match output(&mut curl, Duration::from_secs(30)) {
            Ok(said) if said.status.success() => {
                let said = String::from_utf8_lossy(&said.stdout).into_owned();
                let (body, status) = said.rsplit_once('\n').unwrap_or_default();
                (status.to_owned(), serde_json::from_str(body).unwrap_or_default())
            }
            Ok(said) => (String::from_utf8_lossy(&said.stderr).into_owned(), Value::Null),
            Err(error) => (error, Value::Null),
        };
        self.compared.push(compare(id, expected, told(&status, &body)));
        body
    }
}

/// The status, and what of the body is worth comparing.
fn told(status: &str, body: &Value) -> String {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let said = text("message").filter(|_| body["code"].is_number());
    let said = said.or_else(|| text("name")).or_else(|| text("username"));
    let member = ["messageId", "access_token", "keys", "certificate"];
    let said = said.or_else(|| member.into_iter().find(|it| !body[*it].is_null()).map(Into::into));
    format!("{status} {}", said.unwrap_or_default())
}
