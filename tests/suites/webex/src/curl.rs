//! curl, as somebody uses it who follows the vendor's pages line by line.

use super::{EVENT, EVENT_PATH, MESSAGE, Platform, text};
use conformance::{Compared, compare, output};
use serde_json::Value;
use std::{path::Path, process::Command, time::Duration};

pub fn cases(curl: &Path, at: &Platform) -> Result<Vec<Compared>, String> {
    let (key, other) = (text(&at.service("alerts")?.key), text(&at.service("other")?.key));
    let profile = text(at.webex.profile_key());
    let (lower, upper) = (format!("key: {key}"), format!("Key: {key}"));
    let bearer = |token: &str| format!("authorization: Bearer {token}");
    let wrong = "key: sk_nobody".to_owned();
    let none = "x-none: 1".to_owned();
    let messaging = "/resources/v1/messaging";
    let threads = format!("/rtmsAPI/api/v1/apps/{}/threads", at.app("shop")?.id);
    let calls: [(&str, &str, &String, &str, &str); 18] = [
        ("messaging-v1", messaging, &lower, MESSAGE, "200 1001"),
        ("messaging-v1-capital-key", messaging, &upper, MESSAGE, "200 1001"),
        ("messaging-v1-wrong", messaging, &wrong, MESSAGE, "400 7001"),
        ("messaging-v1-nothing", messaging, &none, MESSAGE, "400 7002"),
        ("messaging-v1-no-json", messaging, &lower, "to=1", "400 7000"),
        ("messaging-v2", "/v2/messages", &lower, MESSAGE, "201 queued"),
        ("messaging-v2-wrong", "/v2/messages", &wrong, MESSAGE, "401 7001"),
        ("custom-event", EVENT_PATH, &lower, EVENT, "200 1002"),
        (
            "custom-event-with-a-slash",
            "/resources/v1/events/externalevent/",
            &lower,
            EVENT,
            "200 1002",
        ),
        ("custom-event-wrong", EVENT_PATH, &wrong, EVENT, "200 7001"),
        ("custom-event-of-another", EVENT_PATH, &format!("key: {other}"), EVENT, "200 7001"),
        ("inbound-webhook", "/events/AB12", &lower, "{}", "200 1002"),
        ("inbound-webhook-wrong", "/events/AB12", &wrong, "{}", "401 7001"),
        ("sandbox", "/v1/sms/messages", &bearer(&key), MESSAGE, "202 "),
        ("sandbox-wrong", "/v1/sms/messages", &bearer("sk_nobody"), MESSAGE, "403 7001"),
        ("profile", "/resources/v2/customerprofile", &format!("key: {profile}"), "{}", "200 1001"),
        ("contact-policy", "/v1/groups", &bearer(&profile), "{}", "200 groups"),
        ("threads-under-a-key", &threads, &lower, "{}", "401 7002"),
    ];
    let told = calls.map(|(id, path, field, body, expected)| {
        compare(id, expected, asked(curl, &at.url(path), field, body))
    });
    Ok(told.into())
}

/// The status, and the code or what else is worth comparing.
fn asked(curl: &Path, url: &str, field: &str, body: &str) -> String {
    let mut curl = Command::new(curl);
    curl.args(["--silent", "--show-error", "--noproxy", "*", "--write-out", "\n%{http_code}"]);
    curl.args(["--header", field, "--header", "content-type: application/json", "--data", body]);
    let said = match output(curl.arg(url), Duration::from_secs(30)) {
        Ok(said) if said.status.success() => String::from_utf8_lossy(&said.stdout).into_owned(),
        Ok(said) => return String::from_utf8_lossy(&said.stderr).into_owned(),
        Err(error) => return error,
    };
    let (body, status) = said.rsplit_once('\n').unwrap_or_default();
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let response = &body["response"];
    let entry = if response.is_array() { &response[0] } else { response };
    let code = [&entry["code"], &body["code"], &body["status"]].into_iter().find_map(Value::as_str);
    let code = code.or_else(|| body["groups"].is_array().then_some("groups"));
    format!("{status} {}", code.unwrap_or_default())
}
