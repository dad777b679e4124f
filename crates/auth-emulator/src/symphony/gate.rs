//! What Symphony brings to the gate of its requests.

use super::{answers, app::App};
use crate::{Endpoint, Fault, gate::Gated, record::scheme, shared::Shared};
use auth_core::Result;
use auth_lifecycle::{Kind, Registry};
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode};

impl Gated for App {
    const UNAUTHORIZED: &'static str = "Invalid session";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn registry(&self) -> &Registry {
        &self.installation.registry
    }

    fn endpoint(_: &Method, path: &str) -> Option<Endpoint> {
        let (component, rest) = path.strip_prefix('/')?.split_once('/')?;
        match component {
            "partner" if rest == "oauth/token" => Some(Endpoint::Token),
            "partner" => Some(Endpoint::Partner),
            "login" | "sessionauth" => Some(Endpoint::SessionLogIn),
            "relay" | "keyauth" => Some(Endpoint::KeyManagerLogIn),
            "pod" => Some(Endpoint::Pod),
            "agent" => Some(Endpoint::Agent),
            _ => None,
        }
    }

    fn scheme(headers: &HeaderMap) -> Option<&'static str> {
        match (headers.contains_key("sessiontoken"), headers.contains_key("keymanagertoken")) {
            (true, true) => Some("sessionToken, keyManagerToken"),
            (true, false) => Some("sessionToken"),
            (false, true) if scheme(headers).is_some() => Some("Bearer, keyManagerToken"),
            (false, true) => Some("keyManagerToken"),
            (false, false) => scheme(headers),
        }
    }

    async fn expire(&self, fault: Fault) -> Result<()> {
        let kinds: &[_] = match fault {
            Fault::ExpireNow => &[Kind::SymphonySession, Kind::KeyManagerToken],
            Fault::ExpireSessions => &[Kind::SymphonySession],
            Fault::ExpireKeyManagerTokens => &[Kind::KeyManagerToken],
            _ => &[],
        };
        if kinds.contains(&Kind::SymphonySession) {
            self.common.end_all();
        }
        if fault == Fault::ExpireNow {
            self.partners.end_all();
        }
        self.installation.end_all(kinds).await
    }

    fn error(_: Option<Endpoint>, status: StatusCode, text: &str) -> Response {
        answers::error(status, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_their_components() {
        let check = |path: &str, expected: Option<Endpoint>| {
            assert_eq!(App::endpoint(&Method::GET, path), expected, "{path}");
        };
        check("/login/pubkey/authenticate", Some(Endpoint::SessionLogIn));
        check("/login/idm/keys", Some(Endpoint::SessionLogIn));
        check("/relay/pubkey/authenticate", Some(Endpoint::KeyManagerLogIn));
        check("/sessionauth/v1/authenticate", Some(Endpoint::SessionLogIn));
        check("/keyauth/v1/authenticate", Some(Endpoint::KeyManagerLogIn));
        check("/pod/v2/sessioninfo", Some(Endpoint::Pod));
        check("/agent/v1/info", Some(Endpoint::Agent));
        check("/partner/oauth/token", Some(Endpoint::Token));
        check("/partner/v1/status", Some(Endpoint::Partner));
        check("/agents/v1/info", None);
        check("/pod", None);
        check("/", None);
    }
}
