//! curl, as somebody uses it who follows the document line by line.

use super::{MESSAGE, PASSWORD, Platform, USER, told};
use conformance::{Compared, compare, output};
use serde_json::Value;
use std::{path::Path, process::Command, time::Duration};

/// A method of the document.
#[derive(Clone, Copy)]
pub enum Method {
    ApiKey,
    Basic,
    Ibsso,
    OAuth,
}

pub fn cases(program: &Path, platform: &Platform, method: Method) -> Vec<Compared> {
    let mut curl = Curl { program, platform, compared: Vec::new() };
    match method {
        Method::ApiKey => curl.api_key(),
        Method::Basic => curl.basic(),
        Method::Ibsso => curl.ibsso(),
        Method::OAuth => curl.oauth(),
    }
    curl.compared
}

const MESSAGES: &str = "/sms/3/messages";
const SESSION: &str = "/auth/1/session";
const KEYS: &str = "/settings/2/api-keys";
const TOKEN: &str = "/auth/1/oauth2/token";
const SENT: &str = "200 1";
const UNAUTHORIZED: &str = "401 UNAUTHORIZED";

struct Curl<'a> {
    program: &'a Path,
    platform: &'a Platform,
    compared: Vec<Compared>,
}

/// The status and the body, as JSON if it is.
pub type Answered = (String, Value);

/// An OAuth token.
pub fn token(program: &Path, platform: &Platform) -> String {
    let curl = Curl { program, platform, compared: Vec::new() };
    let form = [format!("client_id={USER}"), format!("client_secret={PASSWORD}")];
    let [user, secret] = &form;
    let grant = "grant_type=client_credentials";
    let form = ["--data-urlencode", user, "--data-urlencode", secret, "--data-urlencode", grant];
    text(&curl.ask(TOKEN, &form), "access_token")
}

/// What comes of a message under this OAuth token.
pub fn bearer(program: &Path, platform: &Platform, token: &str) -> String {
    let curl = Curl { program, platform, compared: Vec::new() };
    told(&curl.send(&["--header", &format!("Authorization: Bearer {token}")]))
}

impl Curl<'_> {
    fn ask(&self, path: &str, arguments: &[&str]) -> Answered {
        let mut curl = Command::new(self.program);
        curl.args(["--silent", "--show-error", "--noproxy", "*", "--write-out", "\n%{http_code}"]);
        curl.args(arguments).arg(format!("{}{path}", self.platform.infobip.base_url()));
        let said = match output(&mut curl, Duration::from_secs(30)) {
            Ok(said) if said.status.success() => said.stdout,
            Ok(said) => return (String::from_utf8_lossy(&said.stderr).into_owned(), Value::Null),
            Err(error) => return (error, Value::Null),
        };
        let said = String::from_utf8_lossy(&said);
        let (body, status) = said.rsplit_once('\n').unwrap_or_default();
        (status.to_owned(), serde_json::from_str(body).unwrap_or_default())
    }

    fn check(&mut self, id: &str, expected: &str, answered: &Answered) {
        self.compared.push(compare(id, expected, told(answered)));
    }

    fn send(&self, arguments: &[&str]) -> Answered {
        let json = ["--header", "content-type: application/json", "--data", MESSAGE];
        self.ask(MESSAGES, &[arguments, &json].concat())
    }

    fn message(&mut self, id: &str, expected: &str, arguments: &[&str]) {
        let answered = self.send(arguments);
        self.check(id, expected, &answered);
    }

    /// A message with this in `Authorization`.
    fn with(&mut self, id: &str, expected: &str, field: &str) {
        self.message(id, expected, &["--header", &format!("Authorization: {field}")]);
    }

    /// A call that manages keys under Basic, with this body.
    fn manage(&self, method: &str, id: &str, body: &str) -> Answered {
        let user = format!("{USER}:{PASSWORD}");
        let json = "content-type: application/json";
        let call = ["--request", method, "--user", &user, "--header", json, "--data", body];
        self.ask(&format!("{KEYS}{id}"), &call)
    }

    fn api_key(&mut self) {
        let own = self.platform.infobip.api_key().expose_text().unwrap_or_default().to_owned();
        self.with("own-key", SENT, &format!("App {own}"));
        self.with("own-key-again", SENT, &format!("App {own}"));
        self.with("upper-case-scheme", SENT, &format!("APP {own}"));
        self.with("lower-case-scheme", SENT, &format!("app {own}"));
        self.with("without-the-word-app", UNAUTHORIZED, &own);
        self.with("wrong", UNAUTHORIZED, &format!("App {own}x"));
        self.with("as-bearer", UNAUTHORIZED, &format!("Bearer {own}"));
        self.with("as-ibsso", UNAUTHORIZED, &format!("IBSSO {own}"));
        self.message("nothing", UNAUTHORIZED, &[]);
        // The document has keys in the query too, and names no parameter.
        let path = format!("{MESSAGES}?apiKey={own}");
        let json = ["--header", "content-type: application/json", "--data", MESSAGE];
        let in_query = self.ask(&path, &json);
        self.check("in-the-query", UNAUTHORIZED, &in_query);
        let members = r#"{"name":"reader","scopeGuids":["sms:logs:read"]}"#;
        let made = self.manage("POST", "", members);
        self.check("made", "200", &made);
        let (id, key) = (format!("/{}", text(&made, "id")), text(&made, "apiKeySecret"));
        self.with("scope-that-is-missing", "403 FORBIDDEN", &format!("App {key}"));
        let more = self.manage("PUT", &id, r#"{"scopeGuids":["sms:message:send"]}"#);
        self.check("updated", "200", &more);
        self.with("scope-that-was-added", SENT, &format!("App {key}"));
        let by_key = ["--header", &format!("Authorization: App {own}")];
        let listed = self.ask(KEYS, &by_key);
        self.check("no-key-manages-keys", "403 E403", &listed);
        let revoked = self.manage("PUT", &id, r#"{"enabled":false}"#);
        self.check("revoked", "200", &revoked);
        self.with("after-it-was-revoked", UNAUTHORIZED, &format!("App {key}"));
        self.with("own-key-goes-on", SENT, &format!("App {own}"));
        // One was made; the fortieth is the last of the day.
        let more = |curl: &Self| curl.manage("POST", "", r#"{"name":"more"}"#);
        for _ in 2..40 {
            more(self);
        }
        let last = more(self);
        self.check("the-fortieth-of-a-day", "200", &last);
        let one_more = more(self);
        self.check("the-next-one", "429 E429", &one_more);
        self.platform.clock.advance(Duration::from_secs(24 * 3600));
        let one_more = more(self);
        self.check("a-day-later", "200", &one_more);
        self.platform.clock.advance(Duration::from_secs(364 * 24 * 3600));
        self.with("own-key-after-a-year", UNAUTHORIZED, &format!("App {own}"));
    }

    fn basic(&mut self) {
        let user = format!("{USER}:{PASSWORD}");
        self.message("good", SENT, &["--user", &user]);
        self.message("good-again", SENT, &["--user", &user]);
        self.message("password-without-its-colon", UNAUTHORIZED, &["--user", "acme:pa55"]);
        self.message("password-without-its-end", UNAUTHORIZED, &["--user", "acme:pa55:w$rd"]);
        self.message("unknown-user", UNAUTHORIZED, &["--user", &format!("nobody:{PASSWORD}")]);
        self.message("nothing", UNAUTHORIZED, &[]);
        self.message("missing-scope", "403 FORBIDDEN", &["--user", "reader:word"]);
        let encoded = "YWNtZTpwYTU1OnckcmQlMkIrw6k=";
        self.with("by-hand", SENT, &format!("Basic {encoded}"));
        self.with("upper-case-scheme", SENT, &format!("BASIC {encoded}"));
        self.with("lower-case-scheme", SENT, &format!("basic {encoded}"));
        self.with("no-base64", "400 BAD_REQUEST", &format!("Basic {user}"));
        self.with("another-scheme", UNAUTHORIZED, &format!("App {encoded}"));
        let answered = self.ask(
            KEYS,
            &[
                "--user",
                &user,
                "--header",
                "content-type: application/json",
                "--data",
                r#"{"name":"made with curl"}"#,
            ],
        );
        let key = answered.1["apiKeySecret"].as_str().unwrap_or_default().to_owned();
        self.check("makes-a-key", "200", &answered);
        self.with("the-key-sends", SENT, &format!("App {key}"));
    }

    /// What is answered to a creation with these arguments beside the body.
    fn create(&self, password: &str, more: &str, arguments: &[&str]) -> Answered {
        let mut body = serde_json::json!({ "username": USER, "password": password });
        body[if more.is_empty() { "unknown" } else { more }] = Value::Bool(true);
        let body = body.to_string();
        let json = ["--header", "content-type: application/json", "--data", &body];
        self.ask(SESSION, &[arguments, &json].concat())
    }

    fn destroy(&mut self, id: &str, expected: &str, token: &str, arguments: &[&str]) {
        let field = format!("Authorization: IBSSO {token}");
        let delete = ["--request", "DELETE", "--header", &field];
        let answered = self.ask(SESSION, &[arguments, &delete].concat());
        self.check(id, expected, &answered);
    }

    fn ibsso(&mut self) {
        let elsewhere = ["--interface", "127.0.0.2"];
        let wrong = self.create("pa55", "", &[]);
        self.check("wrong-password", UNAUTHORIZED, &wrong);
        // A client of the vendor's sends this word where it has nothing to send.
        let made = self.create(PASSWORD, "", &["--header", "Authorization: undefined"]);
        self.check("created-though-authorization-is-undefined", "200 token", &made);
        let token = text(&made, "token");
        self.with("good", SENT, &format!("IBSSO {token}"));
        self.with("good-again", SENT, &format!("IBSSO {token}"));
        self.with("lower-case-scheme", SENT, &format!("ibsso {token}"));
        self.with("misspelt-as-the-document-does", UNAUTHORIZED, &format!("IBBSO {token}"));
        self.with("wrong", UNAUTHORIZED, "IBSSO 2f9b4d31-2d0d-49a8-85f0-9b862bdca394");
        self.with("as-bearer", UNAUTHORIZED, &format!("Bearer {token}"));
        self.with("two-tokens", "400 BAD_REQUEST", &format!("IBSSO {token}, IBSSO {token}"));
        let second = self.create(PASSWORD, "", &[]);
        self.check("a-second-one-is-refused", "400 BAD_REQUEST", &second);
        let field = format!("Authorization: IBSSO {token}");
        let from_there = ["--interface", "127.0.0.2", "--header", &field];
        self.message("from-another-address", UNAUTHORIZED, &from_there);
        self.destroy("destroyed-from-another-address", UNAUTHORIZED, &token, &elsewhere);
        self.destroy("destroyed", "200", &token, &[]);
        self.destroy("destroyed-twice", UNAUTHORIZED, &token, &[]);
        self.with("after-its-end", UNAUTHORIZED, &format!("IBSSO {token}"));
        let made = self.create(PASSWORD, "unsafe", &[]);
        self.check("created-anew-and-unsafe", "200 token", &made);
        let field = format!("Authorization: IBSSO {}", text(&made, "token"));
        let from_there = ["--interface", "127.0.0.2", "--header", &field];
        self.message("unsafe-from-another-address", SENT, &from_there);
        self.platform.clock.advance(Duration::from_secs(3599));
        self.message("at-59-59", SENT, &["--header", &field]);
        self.platform.clock.advance(Duration::from_secs(1));
        self.message("at-60-00", UNAUTHORIZED, &["--header", &field]);
        let made = self.create(PASSWORD, "", &[]);
        self.check("created-after-the-hour", "200 token", &made);
    }

    fn oauth(&mut self) {
        let (user, secret) = (format!("client_id={USER}"), format!("client_secret={PASSWORD}"));
        let grant = "grant_type=client_credentials";
        let form = |secret: &str| {
            let parts = [&user, secret, grant];
            parts.iter().flat_map(|part| ["--data-urlencode".into(), (*part).into()]).collect()
        };
        let ask = |curl: &Self, form: Vec<String>, more: &[&str]| {
            let form: Vec<&str> = form.iter().map(String::as_str).collect();
            curl.ask(TOKEN, &[more, &form].concat())
        };
        let made = ask(self, form(&secret), &[]);
        self.check("token", "200 access_token", &made);
        let token = text(&made, "access_token");
        self.compared.push(compare("lives-for-an-hour", "3600", &made.1["expires_in"]));
        self.with("good", SENT, &format!("Bearer {token}"));
        self.with("lower-case-scheme", SENT, &format!("bearer {token}"));
        self.with("wrong", UNAUTHORIZED, &format!("Bearer {token}x"));
        self.with("as-ibsso", UNAUTHORIZED, &format!("IBSSO {token}"));
        let wrong = ask(self, form("client_secret=pa55"), &[]);
        self.check("wrong-secret", UNAUTHORIZED, &wrong);
        let undefined = ask(self, form(&secret), &["--header", "Authorization: undefined"]);
        self.check("token-though-authorization-is-undefined", "200 access_token", &undefined);
        // Some clients send the fields in the query of a POST, and a form that is empty.
        let in_query = ["--get", "--request", "POST"];
        let in_query = ask(self, form(&secret), &in_query);
        self.check("fields-in-the-query", "200 access_token", &in_query);
        let code = form(&secret).into_iter().map(|part: String| {
            if part == grant { "grant_type=authorization_code ".into() } else { part }
        });
        let code = ask(self, code.collect(), &[]);
        self.check("grant-that-the-emulator-has-not", "400 BAD_REQUEST", &code);
        self.platform.clock.advance(Duration::from_secs(3600));
        self.with("after-an-hour", UNAUTHORIZED, &format!("Bearer {token}"));
    }
}

fn text(answered: &Answered, member: &str) -> String {
    answered.1[member].as_str().unwrap_or_default().to_owned()
}
