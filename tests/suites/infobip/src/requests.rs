//! requests, as a program has it that follows the document, and PyJWT at the OAuth token.

use super::{PASSWORD, Platform, USER, told};
use conformance::{Compared, compare, output, script};
use serde_json::{Value, json};
use std::{path::Path, process::Command, time::Duration};

const SENT: &str = "200 1";
const UNAUTHORIZED: &str = "401 UNAUTHORIZED";
const MINUTE: Duration = Duration::from_secs(60);

struct Requests<'a> {
    python: &'a Path,
    platform: &'a Platform,
    compared: Vec<Compared>,
}

/// Every way of the document, from its beginning to its end.
pub fn cases(python: &Path, platform: &Platform) -> Result<Vec<Compared>, String> {
    let mut requests = Requests { python, platform, compared: Vec::new() };
    requests.keys()?;
    requests.basic()?;
    requests.ibsso()?;
    requests.oauth()?;
    Ok(requests.compared)
}

impl Requests<'_> {
    /// What came back: the status, and the body.
    fn ask(&self, call: &[&str]) -> Result<(String, Value), String> {
        let mut python = Command::new(self.python);
        python.args([script("infobip_requests.py"), self.platform.infobip.base_url()]);
        // What other processes see of a program has no keys in it.
        python.env("INFOBIP_CALL", json!(call).to_string());
        let mut said = said(&mut python)?;
        Ok((said["status"].to_string(), said["body"].take()))
    }

    /// The body of what came back, which is compared.
    fn check(&mut self, id: &str, expected: &str, call: &[&str]) -> Result<Value, String> {
        let answered = self.ask(call)?;
        self.compared.push(compare(id, expected, told(&answered)));
        Ok(answered.1)
    }

    fn keys(&mut self) -> Result<(), String> {
        let own = self.platform.infobip.api_key().expose_text().unwrap_or_default().to_owned();
        self.check("app-own-key", SENT, &["app", &own])?;
        self.check("app-own-key-again", SENT, &["app", &own])?;
        self.check("app-wrong-key", UNAUTHORIZED, &["app", &format!("{own}x")])?;
        self.check("nothing", UNAUTHORIZED, &["none"])?;
        let made = self.check("app-key-made", "200", &["make-key", USER, PASSWORD])?;
        let (id, key) = (text(&made, "id"), text(&made, "apiKeySecret"));
        self.check("app-made-key", SENT, &["app", &key])?;
        self.check("app-key-disabled", "200", &["disable", USER, PASSWORD, &id])?;
        self.check("app-disabled-key", UNAUTHORIZED, &["app", &key])?;
        self.check("app-own-key-goes-on", SENT, &["app", &own])?;
        Ok(())
    }

    fn basic(&mut self) -> Result<(), String> {
        self.check("basic", SENT, &["basic", USER, PASSWORD])?;
        self.check("basic-wrong-password", UNAUTHORIZED, &["basic", USER, "pa55"])?;
        self.check("basic-missing-scope", "403 FORBIDDEN", &["basic", "reader", "word"])?;
        Ok(())
    }

    fn ibsso(&mut self) -> Result<(), String> {
        self.check("ibsso-wrong-password", UNAUTHORIZED, &["create", USER, "pa55"])?;
        let made = self.check("ibsso-created", "200 token", &["create", USER, PASSWORD])?;
        let token = text(&made, "token");
        self.check("ibsso", SENT, &["ibsso", &token])?;
        self.check("ibsso-again", SENT, &["ibsso", &token])?;
        let second = "400 BAD_REQUEST";
        self.check("ibsso-second-while-one-lives", second, &["create", USER, PASSWORD])?;
        self.check("ibsso-destroyed", "200", &["destroy", &token])?;
        self.check("ibsso-after-its-end", UNAUTHORIZED, &["ibsso", &token])?;
        let made = self.check("ibsso-created-anew", "200 token", &["create", USER, PASSWORD])?;
        let token = text(&made, "token");
        self.platform.clock.advance(MINUTE * 60);
        self.check("ibsso-after-sixty-minutes", UNAUTHORIZED, &["ibsso", &token])?;
        Ok(())
    }

    fn oauth(&mut self) -> Result<(), String> {
        let wrong = UNAUTHORIZED;
        self.check("oauth-wrong-secret", wrong, &["token", USER, "pa55"])?;
        let made = self.check("oauth-token", "200 access_token", &["token", USER, PASSWORD])?;
        let token = text(&made, "access_token");
        self.compared.push(compare("oauth-lives-for-an-hour", "3600", &made["expires_in"]));
        self.check("oauth", SENT, &["bearer", &token])?;
        self.check("oauth-wrong-token", UNAUTHORIZED, &["bearer", &format!("{token}x")])?;
        self.platform.clock.advance(MINUTE * 60);
        self.check("oauth-after-its-time", UNAUTHORIZED, &["bearer", &token])?;
        Ok(())
    }
}

/// PyJWT reads the token as it is documented, and nothing that it forges of it is taken. curl sends them.
pub fn forgeries(python: &Path, curl: &Path, platform: &Platform) -> Result<Vec<Compared>, String> {
    let token = super::curl::token(curl, platform);
    let mut reads = Command::new(python);
    reads.arg(script("infobip_jwt.py")).env("INFOBIP_TOKEN", &token);
    let said = said(&mut reads)?;
    let expected = format!("HS256 infobip.com {USER} 3600 all claims of the sample");
    let mut compared = vec![compare("claims", expected, text(&said, "said"))];
    let sent = |token: &str| super::curl::bearer(curl, platform, token);
    compared.push(compare("token", SENT, sent(&token)));
    let forgeries = said["forgeries"].as_object().ok_or("PyJWT told no forgeries")?;
    for (name, forged) in forgeries {
        let forged = forged.as_str().unwrap_or_default();
        compared.push(compare(name, UNAUTHORIZED, sent(forged)));
    }
    Ok(compared)
}

/// The line of JSON that a script prints.
fn said(python: &mut Command) -> Result<Value, String> {
    let ran = output(python, Duration::from_secs(60))?;
    let failed = |error: serde_json::Error| {
        format!("{error}: {}", String::from_utf8_lossy(&ran.stderr).trim_end())
    };
    serde_json::from_slice(&ran.stdout).map_err(failed)
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}
