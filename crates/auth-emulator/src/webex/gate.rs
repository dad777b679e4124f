//! What Webex Connect brings to the gate of its requests.

use super::{answers, app::App};
use crate::{Endpoint, Fault, gate::Gated, record::scheme, shared::Shared};
use auth_core::{Challenge, Reason, Rejection, Result};
use auth_lifecycle::Registry;
use auth_webex::WebexFamily;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode};
use std::time::Duration;

impl Gated for App {
    const UNAUTHORIZED: &'static str = "Authentication failed";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn registry(&self) -> &Registry {
        &self.account.registry
    }

    fn endpoint(_: &Method, path: &str) -> Option<Endpoint> {
        family_of(path).map(Endpoint::Webex)
    }

    fn scheme(headers: &HeaderMap) -> Option<&'static str> {
        match (headers.contains_key("key"), scheme(headers)) {
            (true, Some(_)) => Some("Authorization, key"),
            (true, None) => Some("key"),
            (false, other) => other,
        }
    }

    /// There are neither sessions nor tokens that the platform keeps.
    async fn expire(&self, _: Fault) -> Result<()> {
        Ok(())
    }

    /// A fault is refused as the family does it; anything else is a wrong request or a failure.
    fn error(endpoint: Option<Endpoint>, status: StatusCode, text: &str) -> Response {
        let family = match endpoint {
            Some(Endpoint::Webex(family)) => family,
            _ => WebexFamily::MessagingV2,
        };
        let rejection = match status {
            StatusCode::UNAUTHORIZED => {
                Rejection::unauthenticated(FAULT, Challenge::without_parameters("Bearer"))
            }
            StatusCode::FORBIDDEN => Rejection::forbidden(ADDRESS),
            StatusCode::TOO_MANY_REQUESTS => Rejection::throttled(FAULT, Duration::ZERO),
            _ => {
                let code = if status.is_server_error() { answers::INTERNAL } else { "7004" };
                return answers::coded(family, status, code, text, EMULATED);
            }
        };
        answers::refused(family, &rejection, EMULATED)
    }
}

/// The transaction of what no handler has answered.
const EMULATED: &str = "emulated";

const FAULT: Reason = Reason::new("emulator_fault", "a fault was armed for this request");
/// Under the code that the door has for it, so that the answer is code 7010.
const ADDRESS: Reason = Reason::new("lifecycle_address", "a fault was armed for this request");

fn family_of(path: &str) -> Option<WebexFamily> {
    const PATHS: [(&str, WebexFamily); 9] = [
        ("/resources/v1/messaging", WebexFamily::MessagingV1),
        ("/resources/v1/events/externalevent", WebexFamily::CustomEvent),
        ("/resources/v2", WebexFamily::Profile),
        ("/v2/messages", WebexFamily::MessagingV2),
        ("/v1/sms/messages", WebexFamily::Sandbox),
        ("/v1/rcs", WebexFamily::RcsCapability),
        ("/v1/groups", WebexFamily::ContactPolicy),
        ("/events", WebexFamily::InboundWebhook),
        ("/rtmsAPI/api/v1/apps", WebexFamily::Rtm),
    ];
    let is_below = |root: &str| {
        path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    PATHS.into_iter().find(|(root, _)| is_below(root)).map(|(_, family)| family)
}

#[cfg(test)]
mod tests {
    use super::*;
    use WebexFamily as F;

    #[test]
    fn paths_are_those_of_their_families() {
        for (path, expected) in [
            ("/resources/v1/messaging", Some(F::MessagingV1)),
            ("/v2/messages", Some(F::MessagingV2)),
            ("/v2/messages/m1", Some(F::MessagingV2)),
            ("/resources/v1/events/externalevent/", Some(F::CustomEvent)),
            ("/events/AB12", Some(F::InboundWebhook)),
            ("/v1/rcs/capabilities", Some(F::RcsCapability)),
            ("/resources/v2/customerprofile/1", Some(F::Profile)),
            ("/v1/groups", Some(F::ContactPolicy)),
            ("/rtmsAPI/api/v1/apps/a/threads", Some(F::Rtm)),
            ("/v1/sms/messages", Some(F::Sandbox)),
            ("/v2/messagesx", None),
            ("/", None),
        ] {
            assert_eq!(family_of(path), expected, "{path}");
        }
    }
}
