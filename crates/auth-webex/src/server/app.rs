//! The JWTs of apps, each for the paths of its own app.

use auth_core::{
    Caller, Challenge, Flow, Lookup, Need, Outcome, Presence, Reason, Rejection, RequestView,
    Result, Verifier,
};
use auth_jwt::{JwtKeys, JwtPrincipal, JwtVerifier, KeyId};
use auth_lifecycle::{JwtIssuers, Kind, Known, Proven, Registry};
use serde::Deserialize;
use std::fmt;

/// The verifier of Thread, Segment and Topic: the JWT of an app, for the paths of that app alone.
pub struct AppDoor {
    jwt: JwtVerifier<AppIssuers>,
}

/// An app that its JWT has proved, and the user on whose behalf it calls.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AppCaller {
    /// The app is the service of this caller.
    pub caller: Caller,
    /// `userId`: where a resource belongs to a user, this has to be that user. The door knows no users, so that the
    /// platform compares them.
    pub user_id: Option<Box<str>>,
}

impl AppDoor {
    pub(super) const fn new(jwt: JwtVerifier<AppIssuers>) -> Self {
        Self { jwt }
    }
}

impl Verifier for AppDoor {
    type Principal = ProvenApp;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        self.jwt.presence(head)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.jwt.needs(head)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<ProvenApp>> {
        self.jwt.verify(request).map(move |outcome| {
            outcome?.try_map(|proven| ProvenApp::of(proven, request.uri.path()))
        })
    }
}

/// What [`AppDoor`] proves; its registry's [`admit`](Registry::admit) makes an [`AppCaller`] of it.
pub struct ProvenApp {
    known: Known,
    user_id: Option<Box<str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserClaim {
    user_id: Option<Box<str>>,
}

impl ProvenApp {
    fn of(proven: JwtPrincipal<Known>, path: &str) -> Result<Self, Rejection> {
        let app = proven.caller.caller().service.as_deref();
        if app.is_none() || app != app_of(path) || has_two_readings(path) {
            return Err(Rejection::forbidden(OTHER_APP));
        }
        let UserClaim { user_id } = proven.claims.read().map_err(|_| {
            Rejection::unauthenticated(USER_TYPE, Challenge::without_parameters("Bearer"))
        })?;
        Ok(Self { known: proven.caller, user_id })
    }
}

/// The app that a path is of: what follows its first segment `apps`.
fn app_of(path: &str) -> Option<&str> {
    let mut segments = path.split('/').skip_while(|segment| *segment != "apps");
    segments.nth(1)
}

/// May a proxy or a router find another app in this path? It may with dot segments and separators, as they are or encoded
/// (RFC 3986 section 6.2.2), and where a segment before the app is `apps` in another way to write it.
fn has_two_readings(path: &str) -> bool {
    let is_odd = |segment: &str| {
        let segment = segment.to_ascii_lowercase();
        let separators = ["%2e", "%2f", "%5c", "\\"];
        segment.starts_with('.') || separators.iter().any(|it| segment.contains(it))
    };
    let may_be_apps =
        |segment: &str| segment.contains(['%', ';']) || segment.eq_ignore_ascii_case("apps");
    let mut before = path.split('/').take_while(|segment| *segment != "apps");
    before.any(may_be_apps) || path.split('/').any(is_odd)
}

const OTHER_APP: Reason = Reason::new(
    "webex_app_other",
    "JWT is of another app than the one that the path names, or the path can be read in two ways",
);
const USER_TYPE: Reason = Reason::new("webex_user_type", "userId is not a string");

impl Proven for ProvenApp {
    type Admitted = AppCaller;

    fn known(&self) -> &Known {
        &self.known
    }

    fn admitted(self, caller: Caller) -> AppCaller {
        AppCaller { caller, user_id: self.user_id }
    }
}

/// The look-up of app JWTs: the secrets of the app, and its public key of this `kid`. The algorithm of the token is that
/// of the key.
pub(super) struct AppIssuers {
    secrets: JwtIssuers,
    keys: JwtIssuers,
}

impl AppIssuers {
    pub(super) fn new(registry: &Registry) -> Self {
        let of = |kind| registry.jwt_issuers(kind);
        Self { secrets: of(Kind::AppJwtSecret), keys: of(Kind::AppJwtKey) }
    }

    async fn of_both(&self, id: KeyId) -> Result<Option<JwtKeys<Known>>> {
        let found = [self.secrets.lookup(&id).await?, self.keys.lookup(&id).await?];
        Ok(match found {
            [None, None] => None,
            [Some(one), None] | [None, Some(one)] => Some(one),
            [Some(one), Some(other)] => {
                let all = one.as_slice().iter().chain(other.as_slice());
                Some(all.map(|it| (it.secret.clone(), it.principal.clone())).collect())
            }
        })
    }
}

impl Lookup<KeyId> for AppIssuers {
    type Found = JwtKeys<Known>;

    fn lookup(&self, id: &KeyId) -> Flow<'_, Option<Self::Found>> {
        Flow::new(self.of_both(id.clone()))
    }
}

impl fmt::Debug for AppDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppDoor(..)")
    }
}

impl fmt::Debug for ProvenApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProvenApp({:?})", self.known.caller())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WebexDoors;
    use auth_core::{Secret, TenantId, Timestamp};
    use auth_jwt::{ClaimsToSign, JwsAlgorithm, SigningKey};
    use auth_lifecycle::{Actor, MemoryLifecycleStore, RegistryKeys, Role};
    use http::{HeaderMap, HeaderValue, Method, Uri, header::AUTHORIZATION};
    use serde_json::{Value, json};
    use std::time::Duration;

    /// The user of a caller, or the reason of the refusal, for claims beside a good `exp`.
    fn told(claims: impl FnOnce(ClaimsToSign, &str) -> ClaimsToSign) -> String {
        let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
        let registry = Registry::build(MemoryLifecycleStore::new(), keys).finish().unwrap();
        let owner = registry.by(&Actor::new(TenantId::new("acme"), "alice", Role::Owner));
        let made = owner.create_service_with("app", &[Kind::AppJwtSecret]).wait().unwrap();
        let (service, first) = made.unwrap();
        let secret = first.first().and_then(|issued| issued.secret.as_ref()).unwrap();
        let secret = secret.expose_text().unwrap();
        let key = SigningKey::from_base64_secret(JwsAlgorithm::HS256, secret).unwrap();
        let now = std::time::SystemTime::now();
        let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let app = service.id.as_str();
        let claims = claims(ClaimsToSign::expiring_in(Duration::from_secs(60)).unwrap(), app);
        let token = claims.sign(&key, Timestamp::from_unix(now), None).unwrap();
        let bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose())).unwrap();
        let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
        let uri: Uri = format!("/rtmsAPI/api/v1/apps/{app}/topics").parse().unwrap();
        let door = WebexDoors::new(registry).app().unwrap();
        match door.verify(RequestView::new(&Method::GET, &uri, &headers)).wait().unwrap() {
            Ok(accepted) => accepted.principal.user_id.unwrap_or_default().into(),
            Err(rejection) => rejection.reason().code.to_owned(),
        }
    }

    #[test]
    fn the_app_is_named_in_its_claim_and_the_user_is_a_string() {
        let of = |member: &'static str, value: Value| {
            told(move |claims, app| {
                let claims = claims.with_claim("appId", &app).unwrap();
                claims.with_claim(member, &value).unwrap()
            })
        };
        assert_eq!(of("userId", json!("u1")), "u1");
        assert_eq!(of("userId", Value::Null), "");
        assert_eq!(of("customerId", json!(7)), "");
        assert_eq!(of("userId", json!(7)), "webex_user_type");
        assert_eq!(told(|claims, app| claims.with_issuer(app)), "jwt_signer_missing");
        assert_eq!(told(|it, _| it.with_claim("appId", &"other").unwrap()), "jwt_key_unknown");
    }

    /// Whom a path is for has to be the same to this door and to the router behind it.
    #[test]
    fn a_path_that_can_be_read_in_two_ways_is_refused() {
        for path in [
            "/apps/a/../b/threads",
            "/apps/a/threads/../../b/threads",
            "/apps/a/.",
            "/apps/a/..;/b",
            "/apps/a/%2e%2e/b/threads",
            "/apps/a/.%2E/b",
            "/apps/a/..%2fb",
            "/apps/a/x%2F..%2F..%2Fb",
            "/apps/a/x%5c..\\b",
            "/%61pps/b/apps/a/threads",
            "/apps%2fb/apps/a",
            "/apps;x/b/apps/a",
            "/Apps/b/apps/a",
        ] {
            assert!(has_two_readings(path), "{path}");
        }
        for path in ["/rtmsAPI/api/v1/apps/a/threads/t%20%3B1", "//apps/a/apps/b", "/apps/a;x", ""]
        {
            assert!(!has_two_readings(path), "{path}");
        }
    }

    #[test]
    fn the_app_of_a_path_follows_its_first_segment_apps() {
        for (path, expected) in [
            ("/rtmsAPI/api/v1/apps/TR21063826/threads", Some("TR21063826")),
            ("/apps/a/apps/b", Some("a")),
            ("/apps/apps/b", Some("apps")),
            ("/apps/a", Some("a")),
            ("/apps/", Some("")),
            ("/apps", None),
            ("/myapps/a", None),
            ("/Apps/a", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(app_of(path), expected, "{path}");
        }
    }
}
