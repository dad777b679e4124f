//! API keys that a user makes beforehand.

use super::{PASSWORD, Platform, USER};
use auth_reqwest::AuthClient;
use auth_static::Basic;
use serde_json::Value;

const PATH: &str = "/settings/2/api-keys";

impl Platform {
    /// A new key of these members.
    pub fn key(&self, members: &Value) -> Result<String, String> {
        let made = self.manage("POST", PATH, members)?;
        text(&made, "apiKeySecret")
    }

    /// One that its user has disabled.
    pub fn disabled_key(&self) -> Result<String, String> {
        let members = serde_json::json!({ "name": "disabled" });
        let made = self.manage("POST", PATH, &members)?;
        let path = format!("{PATH}/{}", text(&made, "id")?);
        let disabled = serde_json::json!({ "name": "disabled", "enabled": false });
        self.manage("PUT", &path, &disabled)?;
        text(&made, "apiKeySecret")
    }

    fn manage(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        self.runtime.block_on(async {
            let text = |error: auth_core::Error| error.to_string();
            let client = AuthClient::builder().build().map_err(text)?;
            let method = method.parse().map_err(|_| "no method")?;
            let url = format!("{}{path}", self.infobip.base_url());
            let request = client.http().request(method, url);
            let request = request.header("content-type", "application/json");
            let request = request.body(body.to_string()).build();
            let request = request.map_err(|error| error.to_string())?;
            let by = Basic::new(USER, PASSWORD).map_err(text)?;
            let answer = client.send(&by, request).await.map_err(text)?;
            let status = answer.status();
            let body = answer.bytes().await.map_err(|error| error.to_string())?;
            if !status.is_success() {
                return Err(format!("{status}: {}", String::from_utf8_lossy(&body)));
            }
            serde_json::from_slice(&body).map_err(|error| error.to_string())
        })
    }
}

fn text(value: &Value, member: &str) -> Result<String, String> {
    let text = value.get(member).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| format!("a key without {member}"))
}
