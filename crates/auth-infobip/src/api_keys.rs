//! The calls that manage API keys (`/settings/2/api-keys`), as requests to send and answers to read.

use crate::{
    InfobipAnswer,
    object::{Object, read_object},
};
use auth_core::{Clock, Error, Result, Secret, text_for_log};
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc, time::Duration};
use zeroize::Zeroizing;

/// Builds the requests that list, create, change and revoke API keys: [`Infobip::api_keys`](crate::Infobip::api_keys).
///
/// Send them under the same authorization, and read what comes with [`read_key`](Self::read_key) and
/// [`read_list`](Self::read_list). The scope is `account-management:manage`.
#[derive(Clone)]
pub struct ApiKeyCalls {
    url: String,
    clock: Arc<dyn Clock>,
}

/// A key that is to be made.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NewApiKey {
    /// Its name.
    pub name: String,
    /// The addresses and ranges that it may be used from; all where none is named.
    #[serde(rename = "allowedIPs", skip_serializing_if = "Vec::is_empty")]
    pub allowed_ips: Vec<String>,
    /// From when on it is good (`2026-01-31T10:00:00`, UTC); now unless named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    /// Until when it is good; a year from its creation unless named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<String>,
    /// The scopes that it has, such as `sms:message:send`; all of its creator's where none is named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scope_guids: Vec<String>,
}

/// What is changed of a key; what is `None` stays.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ApiKeyChanges {
    /// Another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Other addresses.
    #[serde(rename = "allowedIPs", skip_serializing_if = "Option::is_none")]
    pub allowed_ips: Option<Vec<String>>,
    /// Another end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<String>,
    /// Is it enabled? A key is revoked by `false`: the platform deletes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Other scopes. An empty list takes all access away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_guids: Option<Vec<String>>,
}

/// A key, as the platform shows it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InfobipApiKey {
    /// Its identifier.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Is it enabled?
    #[serde(default)]
    pub enabled: bool,
    /// From when on it is good, as the platform writes it.
    #[serde(default)]
    pub valid_from: Option<String>,
    /// Until when it is good, as the platform writes it.
    #[serde(default)]
    pub valid_to: Option<String>,
    /// Its scopes.
    #[serde(default)]
    pub scope_guids: Vec<String>,
    #[serde(rename = "apiKeySecret", default)]
    secret: Option<Zeroizing<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    api_keys: Vec<Object<InfobipApiKey>>,
}

/// As much of an answer is read: a page has at most a hundred keys.
const MOST_BYTES: usize = 1024 * 1024;

/// As much of a name is shown.
const MOST_SHOWN: usize = 256;

impl NewApiKey {
    /// A key of this name, with what the platform gives it.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            allowed_ips: Vec::new(),
            valid_from: None,
            valid_to: None,
            scope_guids: Vec::new(),
        }
    }
}

impl ApiKeyCalls {
    pub(crate) fn at(base: &str, clock: Arc<dyn Clock>) -> Self {
        Self { url: format!("{base}/settings/2/api-keys"), clock }
    }

    /// Lists a page of a hundred keys, counted from zero.
    ///
    /// # Errors
    ///
    /// None for a base URL that was read: the signature is that of the other calls.
    pub fn list(&self, page: u32) -> Result<Request<Vec<u8>>> {
        request(Method::GET, &format!("{}?page={page}&size=100", self.url), None::<&()>)
    }

    /// Creates a key. The platform makes 40 a day for an account, updates counted apart.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the name is empty.
    pub fn create(&self, key: &NewApiKey) -> Result<Request<Vec<u8>>> {
        if key.name.trim().is_empty() {
            let text = "name of an API key is empty; give it one that says what it is for";
            return Err(Error::config("infobip_api_key_name", text));
        }
        request(Method::POST, &self.url, Some(key))
    }

    /// Changes a key.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the identifier has other characters than letters, digits and `-`.
    pub fn update(&self, id: &str, changes: &ApiKeyChanges) -> Result<Request<Vec<u8>>> {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            let text = "identifier of an API key has other characters than letters, digits and '-'; take it from the list";
            return Err(Error::config("infobip_api_key_id", text));
        }
        request(Method::PUT, &format!("{}/{id}", self.url), Some(changes))
    }

    /// Revokes a key: it is disabled, for good unless somebody enables it.
    ///
    /// # Errors
    ///
    /// Those of [`update`](Self::update).
    pub fn revoke(&self, id: &str) -> Result<Request<Vec<u8>>> {
        self.update(id, &ApiKeyChanges { enabled: Some(false), ..ApiKeyChanges::default() })
    }

    /// Reads the key that was created, changed or asked for.
    ///
    /// # Errors
    ///
    /// `Error::Unavailable` with `infobip_api_key_limit` for a 429, which is most often the limit of 40 a day, with the pause
    /// that the platform names; `Error::Protocol` when it is no key; every other refusal is that of [`InfobipAnswer::error`].
    pub fn read_key(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<InfobipApiKey> {
        self.read(status, headers, body)
    }

    /// Reads a page of keys.
    ///
    /// # Errors
    ///
    /// Those of [`read_key`](Self::read_key).
    pub fn read_list(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Vec<InfobipApiKey>> {
        let list: List = self.read(status, headers, body)?;
        Ok(list.api_keys.into_iter().map(|Object(key)| key).collect())
    }

    fn read<T: for<'a> Deserialize<'a>>(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<T> {
        let answer = InfobipAnswer::read(status, headers, body, self.clock.now());
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(limit(answer.retry_after));
        }
        if let Some(refused) = answer.error() {
            return Err(refused);
        }
        let read = if body.len() > MOST_BYTES { None } else { read_object(body).ok() };
        read.ok_or_else(|| {
            let text = format!(
                "answer {} of Infobip has no API key, expected an object with `id`",
                status.as_u16()
            );
            Error::protocol("infobip_api_key_answer", text)
        })
    }
}

/// A 429 to a call that manages keys.
fn limit(pause: Option<Duration>) -> Error {
    let when = match pause {
        Some(pause) => format!("in {} s", pause.as_secs()),
        None => "tomorrow".to_owned(),
    };
    let text = format!(
        "Infobip makes and changes 40 API keys a day for an account, or is asked too often; try again {when}, or share a key"
    );
    Error::unavailable("infobip_api_key_limit", pause, text)
}

impl InfobipApiKey {
    /// The key itself, for `Authorization: App`: shown when it was created.
    #[must_use]
    pub fn secret(&self) -> Option<Secret> {
        self.secret.as_ref().map(|secret| Secret::new(secret.as_bytes()))
    }
}

fn request<T: Serialize>(method: Method, url: &str, body: Option<&T>) -> Result<Request<Vec<u8>>> {
    let written = body.map(serde_json::to_vec).transpose();
    let body = written.map_err(|error| Error::config("infobip_api_key_body", error))?;
    let mut request =
        Request::builder().method(method).uri(url).header(header::ACCEPT, "application/json");
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    request.body(body.unwrap_or_default()).map_err(|error| Error::config("infobip_base_url", error))
}

/// Shows the name, cut to 256 bytes that a log can show, and nothing of the key.
impl fmt::Debug for InfobipApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = text_for_log(&self.name, MOST_SHOWN);
        write!(f, "InfobipApiKey({name:?}, enabled: {})", self.enabled)
    }
}

impl fmt::Debug for ApiKeyCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeyCalls({:?})", self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls() -> ApiKeyCalls {
        let clock = auth_testing::ManualClock::at(1_700_000_000);
        ApiKeyCalls::at("https://xyz12.api.infobip.com", Arc::new(clock))
    }

    #[track_caller]
    fn check(request: Result<Request<Vec<u8>>>, line: &str, body: &str) {
        let request = request.unwrap();
        assert_eq!(format!("{} {}", request.method(), request.uri()), line);
        assert_eq!(String::from_utf8_lossy(request.body()), body);
    }

    #[test]
    fn each_call_is_written_as_the_platform_has_it() {
        let url = "https://xyz12.api.infobip.com/settings/2/api-keys";
        check(calls().list(2), &format!("GET {url}?page=2&size=100"), "");
        check(calls().create(&NewApiKey::named("n")), &format!("POST {url}"), r#"{"name":"n"}"#);
        let whole = NewApiKey {
            allowed_ips: vec!["127.0.0.1".into()],
            valid_to: Some("2027-01-01T00:00:00".into()),
            scope_guids: vec!["2fa:manage".into()],
            ..NewApiKey::named("n")
        };
        let body = r#"{"name":"n","allowedIPs":["127.0.0.1"],"validTo":"2027-01-01T00:00:00","scopeGuids":["2fa:manage"]}"#;
        check(calls().create(&whole), &format!("POST {url}"), body);
        check(calls().revoke("57AB"), &format!("PUT {url}/57AB"), r#"{"enabled":false}"#);
        assert_eq!(calls().revoke("../x").unwrap_err().code(), "infobip_api_key_id");
        assert_eq!(
            calls().create(&NewApiKey::named(" ")).unwrap_err().code(),
            "infobip_api_key_name"
        );
    }

    /// The vendor's example.
    #[test]
    fn a_key_is_read_and_its_secret_is_not_shown() {
        let body = br#"{"id":"573711510E1C002E29679B12C7CB48AE","apiKeySecret":"k3y-s3cret","accountId":"8F07","name":"n",
            "allowedIPs":["127.0.0.1"],"validFrom":"2023-09-01T10:00:00","validTo":"2024-09-01T10:00:00","enabled":true,
            "permissions":["PUBLIC_API"],"scopeGuids":["2fa:manage"]}"#;
        let key = calls().read_key(StatusCode::OK, &HeaderMap::new(), body).unwrap();
        assert!(key.secret().unwrap().matches(b"k3y-s3cret") && key.enabled);
        assert!(!format!("{key:?}").contains("s3cret"));
        let list = [br#"{"apiKeys":["#.as_slice(), body, br#"],"paging":{"page":0}}"#].concat();
        assert_eq!(calls().read_list(StatusCode::OK, &HeaderMap::new(), &list).unwrap().len(), 1);
    }

    #[track_caller]
    fn refused(status: u16, retry_after: &str, body: &str, expected: (&str, Option<u64>)) {
        let (status, mut headers) = (StatusCode::from_u16(status).unwrap(), HeaderMap::new());
        if !retry_after.is_empty() {
            headers.insert(header::RETRY_AFTER, retry_after.parse().unwrap());
        }
        let error = calls().read_key(status, &headers, body.as_bytes()).unwrap_err();
        let pause = match &error {
            Error::Unavailable { retry_after, .. } => retry_after.map(|pause| pause.as_secs()),
            _ => None,
        };
        assert_eq!((error.code(), pause), expected, "{status} {retry_after:?} {body}: {error}");
        let listed = calls().read_list(status, &headers, body.as_bytes()).unwrap_err();
        assert_eq!(listed.code(), error.code());
    }

    #[test]
    fn a_log_is_not_filled_by_a_name() {
        let body = format!(r#"{{"id":"57AB","name":"a\n{}"}}"#, "x".repeat(10_000));
        let key = calls().read_key(StatusCode::OK, &HeaderMap::new(), body.as_bytes()).unwrap();
        let shown = format!("{key:?}");
        assert!(shown.starts_with(r#"InfobipApiKey("axx"#) && shown.len() < 300, "{shown}");
        assert_eq!(key.name.len(), 10_002);
    }

    #[test]
    fn a_key_is_an_object_and_no_array_of_what_it_has() {
        let (code, none) = (|error: Error| error.code(), HeaderMap::new());
        let key = |body: &str| calls().read_key(StatusCode::OK, &none, body.as_bytes()).map(drop);
        assert_eq!(key(r#"["57AB","n",true]"#).map_err(code), Err("infobip_api_key_answer"));
        let list = |body: &str| calls().read_list(StatusCode::OK, &none, body.as_bytes()).map(drop);
        for body in [r#"[[{"id":"57AB"}]]"#, r#"{"apiKeys":[["57AB"]]}"#] {
            assert_eq!(list(body).map_err(code), Err("infobip_api_key_answer"), "{body}");
        }
        assert_eq!(list(r#"{"apiKeys":[{"id":"57AB"}]}"#).map_err(code), Ok(()));
    }

    #[test]
    fn a_refusal_says_when_to_try_again() {
        let limit = "infobip_api_key_limit";
        refused(429, "", "{}", (limit, None));
        refused(429, "3600", r#"{"errorCode":"E429"}"#, (limit, Some(3600)));
        // The clock of the calls stands at 22:13:20.
        refused(429, "Tue, 14 Nov 2023 22:14:20 GMT", "", (limit, Some(60)));
        refused(503, "7", "", ("infobip_platform", Some(7)));
        refused(403, "7", r#"{"errorCode":"E403"}"#, ("infobip_scope", None));
        refused(200, "", "{}", ("infobip_api_key_answer", None));
        refused(200, "", "[]", ("infobip_api_key_answer", None));
        let told = calls().read_key(
            StatusCode::TOO_MANY_REQUESTS,
            &HeaderMap::from_iter([(header::RETRY_AFTER, http::HeaderValue::from_static("60"))]),
            b"",
        );
        let told = told.unwrap_err().to_string();
        assert!(told.contains("40 API keys a day") && told.contains("try again in 60 s"), "{told}");
    }
}
