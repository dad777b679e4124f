//! What all endpoints read of a request, and what they say of a field that is wrong.

use auth_core::{Body, Error, Reason, RequestView, Result};
use serde_json::{Value, json};

/// No request has a longer body.
const MOST_BODY_BYTES: usize = 64 * 1024;

/// The body of a request; the inner error is the caller's.
pub(super) fn body_of(request: RequestView<'_>) -> Result<Result<&[u8], Reason>> {
    match request.body {
        Body::Bytes(body) if body.len() <= MOST_BODY_BYTES => Ok(Ok(body)),
        Body::Bytes(_) => Ok(Err(TOO_LONG)),
        Body::Unread => {
            let text =
                "body of the request was not given to the endpoint, expected at most 64 KiB of it";
            Err(Error::config("infobip_body_unread", text))
        }
    }
}

/// The body of a 400 that names the field, in the form of older APIs.
pub(super) fn invalid_body(field: &str, expected: &str) -> Value {
    let exception = json!({
        "messageId": "BAD_REQUEST",
        "text": "Bad Request",
        "validationErrors": { field: [expected] },
    });
    json!({ "requestError": { "serviceException": exception } })
}

const TOO_LONG: Reason = Reason::new("infobip_body_long", "body is longer than 64 KiB");
