//! `/settings/2/api-keys`, for any server framework.

use super::{
    ApiKeys,
    fields::{KeyFields, KeyFilter},
    refusal::KeyRefusal,
};
use crate::{
    object::read_object,
    server::{InfobipPlatform, PlatformAnswer, request::body_of, scopes::covers},
};
use auth_core::{Caller, Flow, Reason, Rejection, RequestView, Result};
use auth_ibsso::ErrorForm;
use http::StatusCode;
use serde::Serialize;
use serde_json::json;
use std::fmt;

/// Manages API keys, as requests ask for it: `/settings/2/api-keys`. To revoke a key is to disable it; nothing deletes one.
///
/// `platform.api_key_endpoint()` makes it. A server gives each method the caller that [`InfobipDoor`](crate::InfobipDoor) has
/// proved, and a [`RequestView`] with the body. Its answers are whole: statuses and bodies as the platform documents them.
///
/// | request | method |
/// |---|---|
/// | `GET /settings/2/api-keys` | [`list`](Self::list) |
/// | `POST /settings/2/api-keys` | [`create`](Self::create) |
/// | `GET /settings/2/api-keys/{id}` | [`see`](Self::see) |
/// | `PUT /settings/2/api-keys/{id}` | [`update`](Self::update) |
///
/// # Security
///
/// A caller without the scope `account-management:manage`, or that was proved by an API key, is a 403 whatever door let it
/// in. It sees the keys of its own account alone, and gives no key a scope that its own role has not.
pub struct ApiKeyEndpoint(ApiKeys);

impl ApiKeyEndpoint {
    pub(in crate::server) const fn new(platform: InfobipPlatform) -> Self {
        Self(ApiKeys { platform })
    }

    /// The keys of the caller's account, the oldest first, a page of at most a hundred (`name`, `enabled`, `page` and `size`
    /// of the query).
    ///
    /// # Errors
    ///
    /// Those of the registry.
    pub fn list<'a>(
        &'a self,
        by: &'a Caller,
        request: RequestView<'a>,
    ) -> Flow<'a, PlatformAnswer> {
        answered(by, async {
            let filter = KeyFilter::read(request.uri.query().unwrap_or_default())?;
            self.0.list(by, &filter).await
        })
    }

    /// Creates a key, which the answer shows this once. The 41st of an account in 24 hours is a 429 with `Retry-After`.
    ///
    /// # Errors
    ///
    /// Those of the registry and of the randomness; and `Error::Config` with the code `infobip_body_unread` when the adapter
    /// did not give the body.
    pub fn create<'a>(
        &'a self,
        by: &'a Caller,
        request: RequestView<'a>,
    ) -> Flow<'a, PlatformAnswer> {
        answered(by, async move { self.0.create(by, fields(request)?).await })
    }

    /// One key, without its secret.
    ///
    /// # Errors
    ///
    /// Those of the registry.
    pub fn see<'a>(&'a self, by: &'a Caller, id: &'a str) -> Flow<'a, PlatformAnswer> {
        answered(by, self.0.see(by, id))
    }

    /// Changes what the body names of a key; the rest stays as it is. `{"enabled":false}` revokes it.
    ///
    /// # Errors
    ///
    /// Those of [`create`](Self::create).
    pub fn update<'a>(
        &'a self,
        by: &'a Caller,
        id: &'a str,
        request: RequestView<'a>,
    ) -> Flow<'a, PlatformAnswer> {
        answered(by, async move { self.0.update(by, id, fields(request)?).await })
    }
}

/// What was done for a caller that may manage keys.
fn answered<'a, T: Serialize>(
    by: &'a Caller,
    work: impl Future<Output = Result<T, KeyRefusal>> + Send + 'a,
) -> Flow<'a, PlatformAnswer> {
    let reason = match by.kind {
        "api_key" => Some(KEY),
        _ if !covers(&by.scopes, &[MANAGE]) => Some(SCOPE),
        _ => None,
    };
    if let Some(reason) = reason {
        let rejection = Rejection::forbidden(reason);
        return Flow::ready(PlatformAnswer::rejected(FORM, &rejection));
    }
    Flow::new(async move {
        match work.await {
            Ok(done) => Ok(PlatformAnswer::told(&done)),
            Err(refusal) => refused(refusal),
        }
    })
}

fn fields(request: RequestView<'_>) -> Result<KeyFields, KeyRefusal> {
    let body = body_of(request)?.map_err(|reason| KeyRefusal::invalid("body", reason.text))?;
    read_object(body).map_err(|error| {
        let violation = format!("is not JSON with the members of an API key: {error}");
        KeyRefusal::invalid("body", violation)
    })
}

/// The answer to what was not done; an error when it is the platform that failed.
fn refused(refusal: KeyRefusal) -> Result<PlatformAnswer> {
    let error = |status, text, reason| PlatformAnswer::error(FORM, status, text, reason);
    Ok(match refusal {
        KeyRefusal::Invalid { property, violation } => {
            let body = json!({
                "errorCode": "E400",
                "description": "The request is not valid.",
                "action": "Correct the request.",
                "violations": [{ "property": property, "violation": violation }],
                "resources": [],
            });
            PlatformAnswer::error_of(StatusCode::BAD_REQUEST, &body, INVALID)
        }
        KeyRefusal::Unknown => error(StatusCode::NOT_FOUND, "There is no such API key.", UNKNOWN),
        KeyRefusal::Forbidden(text) => error(StatusCode::FORBIDDEN, text, BEYOND),
        KeyRefusal::TooMany { retry_after } => {
            let text = "40 API keys were created in 24 hours, which is the most of an account.";
            error(StatusCode::TOO_MANY_REQUESTS, text, LIMIT).asking_to_wait(retry_after)
        }
        KeyRefusal::Failed(error) => return Err(error),
    })
}

const FORM: ErrorForm = ErrorForm::ErrorCode;
const MANAGE: &str = "account-management:manage";

const KEY: Reason = Reason::new("infobip_key_manages_no_keys", "API keys cannot manage API keys");
const SCOPE: Reason =
    Reason::new("infobip_key_scope", "caller has not the scope account-management:manage");
const INVALID: Reason =
    Reason::new("infobip_key_invalid", "request about an API key has a member that is wrong");
const UNKNOWN: Reason = Reason::new("infobip_key_unknown", "account has no such API key");
const BEYOND: Reason =
    Reason::new("infobip_key_beyond", "request asks for more than the caller may give an API key");
const LIMIT: Reason =
    Reason::new("infobip_key_limit", "account has created 40 API keys in 24 hours");

impl fmt::Debug for ApiKeyEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeyEndpoint(..)")
    }
}
