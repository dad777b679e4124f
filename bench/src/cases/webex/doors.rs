//! The doors of the platform's end, each beside the verifier that it is made of, over the same registry.

use crate::cases::api_key::verifying;
use auth_core::{Caller, Clock, Secret, SystemClock, TenantId, Verifier};
use auth_jwt::{JwsAlgorithm, JwtVerifier, SigningKey, profiles};
use auth_lifecycle::{
    Actor, CacheSettings, Kind, MemoryLifecycleStore, Registry, RegistryKeys, Role, Wanted,
};
use auth_static::{ApiKeyVerifier, BearerVerifier, Placement};
use auth_webex::WebexDoors;
use harness::case::{Call, Group, floor, ours};
use std::time::Duration;

/// At most a tenth more than the verifier alone.
const DOOR: Option<f64> = Some(1.1);
const INPUT: &str = "a registry of one service; through dyn Verifier and map";

/// What the verifier of JWTs takes by itself, to the claims and the look-up of its issuer: a door takes no more.
const OF_JWT: u64 = 14;

macro_rules! door {
    ($name:literal, $scheme:literal, $alone:ident, $door:ident, $credential:ident, $most:expr) => {
        Group {
            name: $name,
            input: INPUT,
            cases: vec![
                floor(concat!($scheme, ", admitted"), || {
                    let platform = Platform::new();
                    asked(platform.$alone(), platform.$credential())
                }),
                ours(concat!("auth-webex, the door ", stringify!($door)), DOOR, $most, || {
                    let platform = Platform::new();
                    let door = platform.doors().$door().expect("a door");
                    asked(door, platform.$credential())
                }),
            ],
        }
    };
}

pub fn groups() -> Vec<Group> {
    vec![
        door!("webex-door-service-jwt", "JwtVerifier", jwt, service, bearer_jwt, OF_JWT),
        door!("webex-door-service-key", "ApiKeyVerifier", service_key, service, in_key, 0),
        door!("webex-door-sandbox-jwt", "JwtVerifier", jwt, sandbox, bearer_jwt, OF_JWT),
        door!("webex-door-sandbox-key", "BearerVerifier", bearer_key, sandbox, as_bearer, 0),
        door!("webex-door-profile", "ApiKeyVerifier", profile_key, profile, in_profile, 0),
    ]
}

type Field = (&'static str, String);

/// A platform with one service.
struct Platform {
    registry: Registry,
    service: String,
    key: String,
    secret: String,
    profile: String,
}

impl Platform {
    fn new() -> Self {
        let keys = RegistryKeys::from_master(&Secret::new([7; 32])).expect("keys");
        // No poll is due while instructions are counted.
        let hour = Duration::from_secs(3600);
        let cache =
            CacheSettings::default().with_poll_interval(hour).with_staleness_bound(hour * 2);
        let registry = Registry::build(MemoryLifecycleStore::new(), keys).with_cache(cache);
        let registry = registry.finish().expect("a registry");
        let by = registry.by(&Actor::new(TenantId::new("acme"), "alice", Role::Owner));
        let made = by.create_service("alerts").wait().expect("done").expect("allowed");
        let profile = by.create(None, Kind::ProfileKey, Wanted::default());
        let profile = profile.wait().expect("done").expect("allowed");
        Self {
            service: made.service.id.as_str().to_owned(),
            key: text(made.key.secret.as_ref()),
            secret: text(made.jwt.secret.as_ref()),
            profile: text(profile.secret.as_ref()),
            registry,
        }
    }

    fn doors(&self) -> WebexDoors {
        WebexDoors::new(self.registry.clone())
    }

    fn jwt(&self) -> impl Verifier<Principal = Caller> + 'static {
        let issuers = self.registry.jwt_issuers(Kind::ServiceJwtSecret);
        let policy = profiles::webex_service_policy();
        let jwt = JwtVerifier::new("webex", policy, issuers, SystemClock).expect("a verifier");
        self.registry.admit(jwt.map(|proven| proven.caller))
    }

    fn service_key(&self) -> impl Verifier<Principal = Caller> + 'static {
        self.in_field(Kind::ServiceKey)
    }

    fn profile_key(&self) -> impl Verifier<Principal = Caller> + 'static {
        self.in_field(Kind::ProfileKey)
    }

    fn in_field(&self, kind: Kind) -> impl Verifier<Principal = Caller> + 'static {
        let (hasher, tokens) = (self.registry.token_hasher(), self.registry.tokens(&[kind]));
        let placement = Placement::header("key").expect("a placement");
        let key = ApiKeyVerifier::new("webex", placement, hasher, tokens).expect("a verifier");
        self.registry.admit(key)
    }

    fn bearer_key(&self) -> impl Verifier<Principal = Caller> + 'static {
        let (hasher, tokens) =
            (self.registry.token_hasher(), self.registry.tokens(&[Kind::ServiceKey]));
        self.registry.admit(BearerVerifier::new("webex", hasher, tokens).expect("a verifier"))
    }

    fn bearer_jwt(&self) -> Field {
        let key = SigningKey::from_base64_secret(JwsAlgorithm::HS256, &self.secret);
        let claims = profiles::webex_service_claims(&self.service);
        let jwt = claims.sign(&key.expect("a key"), SystemClock.now(), None).expect("a token");
        ("authorization", format!("Bearer {}", jwt.expose()))
    }

    fn in_key(&self) -> Field {
        ("key", self.key.clone())
    }

    fn as_bearer(&self) -> Field {
        ("authorization", format!("Bearer {}", self.key))
    }

    fn in_profile(&self) -> Field {
        ("key", self.profile.clone())
    }
}

fn asked(door: impl Verifier<Principal = Caller> + 'static, field: Field) -> Call {
    let door = door.map(|caller| u64::from(caller.retiring.is_none()));
    verifying(Box::new(door), field, "/")
}

fn text(secret: Option<&Secret>) -> String {
    secret.expect("it is shown once").expose_text().expect("text").to_owned()
}
