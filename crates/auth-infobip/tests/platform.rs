//! A platform as its server calls it: accounts, all four methods, tokens, and API keys.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use auth_core::{AttemptRate, Body, Flow, InlineWorkers, Lookup, MemoryAttemptLimits, Peer};
use auth_infobip::{
    ApiKeyEndpoint, AttemptLimit, Caller, EVERY_SCOPE, InfobipDoor, InfobipPlatform, InfobipUsers,
    Known, OAuthTokenEndpoint, OAuthTokens, Registry, RegistrySessions, RequestView, Secret,
    ServiceId, SessionEndpoint, SessionLifetime, TenantId, Verifier,
};
use auth_lifecycle::{
    Actor, CredentialId, Kind, MemoryLifecycleStore, NewSecret, RegistryKeys, Role, Wanted,
};
use auth_static::{Argon2Concurrency, Argon2Cost, PasswordHash};
use auth_testing::{ManualClock, SeededRandom};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header::AUTHORIZATION};
use serde_json::Value;
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

const NOW: u64 = 1_700_000_000;
const FORM: &str = "client_id=acme&client_secret=word&grant_type=client_credentials";
/// `acme:word`.
const BASIC: &str = "Basic YWNtZTp3b3Jk";

/// One account with one user, and all that its server has.
struct Stage {
    clock: ManualClock,
    store: Arc<MemoryLifecycleStore>,
    platform: InfobipPlatform,
    account: TenantId,
    user: ServiceId,
    key: Secret,
    tokens: OAuthTokens,
    door: InfobipDoor,
    sessions: SessionEndpoint<RegistrySessions, InfobipUsers, InfobipDoor>,
    oauth: OAuthTokenEndpoint,
    keys: ApiKeyEndpoint,
}

fn platform(store: &Arc<MemoryLifecycleStore>, clock: &ManualClock) -> InfobipPlatform {
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
    let registry = Registry::build(Arc::clone(store), keys).with_clock(clock.clone());
    let platform = InfobipPlatform::new(registry, SessionLifetime::default()).unwrap();
    platform.with_clock(clock.clone()).with_random(SeededRandom::new(1))
}

fn stage(scopes: &[&str]) -> Stage {
    limited(scopes, None)
}

fn limited(scopes: &[&str], limit: Option<AttemptLimit>) -> Stage {
    let (clock, store) = (ManualClock::at(NOW), Arc::new(MemoryLifecycleStore::new()));
    let platform = platform(&store, &clock);
    let platform = match limit {
        Some(limit) => platform.with_limit(limit),
        None => platform,
    };
    let account = TenantId::new("8F07");
    let key = platform.create_account(&account).wait().unwrap();
    let user = platform.create_user(&account, "acme", &Secret::new("word"), scopes);
    let user = user.wait().unwrap();
    let concurrency = Argon2Concurrency { running: 1, waiting: 8 };
    let cost = Argon2Cost::default();
    let passwords = platform.registry().basic_passwords(cost, concurrency, InlineWorkers).unwrap();
    let users = InfobipUsers::new(passwords);
    let tokens = platform.tokens("https://acme.example", &Secret::new([8; 32])).unwrap();
    let door = platform.door(&users, tokens.clone()).unwrap();
    let sessions = platform.session_endpoint(&users, &door);
    let oauth = platform.token_endpoint(&users, &tokens);
    let keys = platform.api_key_endpoint();
    Stage { clock, store, platform, account, user, key, tokens, door, sessions, oauth, keys }
}

/// A request, for as long as its view is needed.
struct Sent {
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

fn sent(field: &str, body: &str) -> Sent {
    let mut headers = HeaderMap::new();
    if !field.is_empty() {
        headers.insert(AUTHORIZATION, HeaderValue::from_str(field).unwrap());
    }
    Sent { uri: Uri::from_static("/"), headers, body: body.into() }
}

impl Sent {
    fn view(&self) -> RequestView<'_> {
        let view = RequestView::new(&Method::POST, &self.uri, &self.headers);
        let peer = Peer { address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), ..Peer::UNKNOWN };
        view.with_body(Body::Bytes(&self.body)).with_peer(peer)
    }
}

impl Stage {
    /// Whom the door lets in with this field, or the status of its refusal.
    fn judged(&self, door: &impl Verifier<Principal = Caller>, field: &str) -> Result<Caller, u16> {
        let judged = door.verify(sent(field, "").view()).wait().unwrap();
        judged.map(|it| it.principal).map_err(|rejection| rejection.status().as_u16())
    }

    fn caller(&self, field: &str) -> Caller {
        self.judged(&self.door, field).unwrap()
    }

    fn session(&self) -> String {
        let body = r#"{"username":"acme","password":"word"}"#;
        let made = self.sessions.create(sent("", body).view()).wait().unwrap();
        format!("IBSSO {}", member(made.response.body(), "token"))
    }

    fn bearer(&self) -> String {
        let issued = self.oauth.issue(sent("", FORM).view()).wait().unwrap();
        format!("Bearer {}", member(issued.response.body(), "access_token"))
    }

    fn app(&self) -> String {
        format!("App {}", self.key.expose_text().unwrap())
    }

    /// Status and body of a creation by this caller.
    fn created(&self, by: &Caller, body: &str) -> (u16, Value) {
        let made = self.keys.create(by, sent("", body).view()).wait().unwrap();
        let status = made.response.status().as_u16();
        (status, serde_json::from_slice(made.response.body()).unwrap())
    }
}

fn member(body: &[u8], name: &str) -> String {
    let body: Value = serde_json::from_slice(body).unwrap();
    body[name].as_str().unwrap().to_owned()
}

#[test]
fn one_door_takes_all_four_methods_and_says_which_it_was() {
    let it = stage(&[EVERY_SCOPE]);
    for (field, kind) in [
        (it.app(), "api_key"),
        (BASIC.to_owned(), "basic_password"),
        (it.session(), "ibsso_session"),
        (it.bearer(), "oauth_token"),
    ] {
        let caller = it.caller(&field);
        assert_eq!((caller.kind, &caller.tenant), (kind, &it.account), "{field}");
    }
    for field in ["", "App nothing", "Bearer a.b.c", "IBSSO nothing", "Basic YWNtZTp3MHJk"] {
        assert_eq!(it.judged(&it.door, field).unwrap_err(), 401, "{field}");
    }
}

#[test]
fn a_scope_that_is_missing_is_a_403_under_every_method() {
    let it = stage(&["sms:logs:read"]);
    let (send, logs) =
        (it.door.needing(&["sms:message:send"]), it.door.needing(&["sms:logs:read"]));
    for field in [BASIC.to_owned(), it.session(), it.bearer()] {
        assert_eq!(it.judged(&send, &field).unwrap_err(), 403, "{field}");
        assert!(it.judged(&logs, &field).is_ok(), "{field}");
    }
    // The account's own key has all scopes.
    assert!(it.judged(&send, &it.app()).is_ok());
}

/// A password that is regenerated keeps its credential, and is another password all the same.
#[test]
fn a_token_ends_with_the_generation_of_its_password() {
    let it = stage(&[EVERY_SCOPE]);
    let bearer = it.bearer();
    let by = it.platform.registry().by(&Actor::new(it.account.clone(), "test", Role::Owner));
    let credential = CredentialId::new(Arc::clone(&it.caller(BASIC).credential));
    let hash = PasswordHash::of("next", Argon2Cost::default(), &SeededRandom::new(2)).unwrap();
    let secret = NewSecret::Password { user: "acme".into(), hash: Secret::new(hash.to_phc()) };
    by.regenerate(&credential, secret).wait().unwrap().unwrap();
    assert_eq!([BASIC, &bearer].map(|old| it.judged(&it.door, old).unwrap_err()), [401; 2]);
    let next = it.oauth.issue(sent("", &FORM.replace("word", "next")).view()).wait().unwrap();
    let next = format!("Bearer {}", member(next.response.body(), "access_token"));
    assert_eq!(&*it.caller(&next).credential, credential.as_str());
}

/// A token stands for the password that it was obtained with, and for no other one of its user.
#[test]
fn a_token_ends_with_its_password() {
    let it = stage(&[EVERY_SCOPE]);
    let bearer = it.bearer();
    assert!(it.judged(&it.door, &bearer).is_ok());
    let by = it.platform.registry().by(&Actor::new(it.account.clone(), "test", Role::Owner));
    let groups = by.list(Some(&it.user)).wait().unwrap().unwrap();
    let of_passwords = groups.iter().find(|group| group.id.kind == Kind::BasicPassword).unwrap();
    let first = of_passwords.credentials[0].id.clone();
    let hash = PasswordHash::of("next", Argon2Cost::default(), &SeededRandom::new(2)).unwrap();
    let hash = Secret::new(hash.to_phc());
    let secret = NewSecret::Password { user: "acme".into(), hash };
    let wanted = Wanted { secret, ..Wanted::default() };
    by.create(Some(&it.user), Kind::BasicPassword, wanted).wait().unwrap().unwrap();
    assert!(it.judged(&it.door, &bearer).is_ok(), "its password is still there");
    let version = by.credential(&first).wait().unwrap().unwrap().group_version;
    by.discard(&first, version).wait().unwrap().unwrap();
    assert_eq!(it.judged(&it.door, &bearer).unwrap_err(), 401);
}

#[test]
fn a_token_that_was_not_issued_here_or_has_ended_is_refused() {
    let it = stage(&[EVERY_SCOPE]);
    let registry = it.platform.registry();
    let digest = registry.token_hasher().hash(it.key.expose());
    let key = registry.tokens(&[Kind::ApiKey]).lookup(&digest).wait().unwrap().unwrap();
    let user = registry.basic_users().lookup("acme").wait().unwrap().unwrap();
    let (user, key) = (user.principal(0).unwrap(), key.principal(0).unwrap());
    let check = |tokens: &OAuthTokens, name: &str, password: &Known, accepted: bool| {
        let token = tokens.issue(name, password).unwrap();
        let field = format!("Bearer {}", token.expose_text().unwrap());
        assert_eq!(it.judged(&it.door, &field).is_ok(), accepted, "{tokens:?} {name} {password:?}");
        field
    };
    let ours = check(&it.tokens, "acme", &user, true);
    for (issuer, secret) in [("https://acme.example", [9; 32]), ("https://other.example", [8; 32])]
    {
        let other = it.platform.tokens(issuer, &Secret::new(secret)).unwrap();
        check(&other, "acme", &user, false);
    }
    check(&it.tokens, "nobody", &user, false);
    // A credential that is not the user's password.
    check(&it.tokens, "acme", &key, false);
    it.clock.advance(Duration::from_secs(3599));
    assert!(it.judged(&it.door, &ours).is_ok());
    it.clock.advance(Duration::from_secs(1));
    assert_eq!(it.judged(&it.door, &ours).unwrap_err(), 401);
}

/// Whatever door let them in.
#[test]
fn the_endpoint_of_keys_itself_refuses_callers_who_may_not_manage_them() {
    let it = stage(&["sms:manage"]);
    let scopes = ["account-management:manage", "sms:message:send"];
    let made = it.platform.create_user(&it.account, "manager", &Secret::new("word"), &scopes);
    made.wait().unwrap();
    for by in [it.caller(&it.app()), it.caller(BASIC)] {
        let (status, body) = it.created(&by, r#"{"name":"n"}"#);
        assert_eq!((status, body["errorCode"].as_str()), (403, Some("E403")), "{by:?}");
        let listed = it.keys.list(&by, sent("", "").view()).wait().unwrap();
        assert_eq!(listed.response.status(), 403, "{by:?}");
        assert!(listed.refused.is_some());
    }
    // `manager:word`.
    let manager = it.caller("Basic bWFuYWdlcjp3b3Jk");
    assert_eq!(it.created(&manager, r#"{"name":"n"}"#).0, 200);
    let more = it.created(&manager, r#"{"name":"n","scopeGuids":["sms:manage"]}"#);
    assert_eq!(more.0, 403, "no key has more than its creator");
}

/// Whoever has a client can read the key in it, so the door gives such a key none of its scopes until a user opens it to the
/// public API.
#[test]
fn a_key_for_clients_gets_the_public_api_from_a_caller_with_its_scopes_alone() {
    let it = stage(&[EVERY_SCOPE]);
    let scopes = ["account-management:manage", "sms:message:send"];
    let made = it.platform.create_user(&it.account, "manager", &Secret::new("word"), &scopes);
    made.wait().unwrap();
    // `manager:word`.
    let manager = it.caller("Basic bWFuYWdlcjp3b3Jk");
    let (_, key) = it.created(&it.caller(BASIC), r#"{"name":"n","permissions":["2FA_CLIENT"]}"#);
    let field = format!("App {}", key["apiKeySecret"].as_str().unwrap());
    let send = it.door.needing(&["sms:message:send"]);
    for (by, body, status, opens) in [
        (&manager, r#"{"permissions":["PUBLIC_API"]}"#, 403, false),
        (&manager, r#"{"permissions":[]}"#, 403, false),
        (&manager, r#"{"permissions":["2FA_CLIENT","PUBLIC_API"]}"#, 403, false),
        (&manager, r#"{"permissions":["WEB_SDK"]}"#, 200, false),
        (&it.caller(BASIC), r#"{"permissions":[]}"#, 200, true),
        (&manager, r#"{"permissions":["2FA_CLIENT"]}"#, 200, false),
        (&manager, r#"{"permissions":[],"scopeGuids":["sms:message:send"]}"#, 200, true),
    ] {
        let id = key["id"].as_str().unwrap();
        let updated = it.keys.update(by, id, sent("", body).view()).wait().unwrap();
        assert_eq!(updated.response.status(), status, "{body}");
        assert_eq!(it.judged(&send, &field).is_ok(), opens, "{body}");
    }
}

#[test]
fn forty_keys_are_created_in_a_day_and_the_next_one_says_when() {
    let it = stage(&[EVERY_SCOPE]);
    let by = it.caller(BASIC);
    for n in 0..40 {
        assert_eq!(it.created(&by, r#"{"name":"n"}"#).0, 200, "{n}");
    }
    let refused = it.keys.create(&by, sent("", r#"{"name":"n"}"#).view()).wait().unwrap();
    assert_eq!(refused.response.status(), 429);
    let pause: u64 = refused.response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert_eq!(pause, 24 * 3600);
    it.clock.advance(Duration::from_secs(pause));
    assert_eq!(it.created(&by, r#"{"name":"n"}"#).0, 200);
}

/// Another process finds the account, and its keys, in the store.
#[test]
fn a_platform_that_is_started_anew_knows_its_accounts_and_users() {
    let it = stage(&[EVERY_SCOPE]);
    let by = it.caller(BASIC);
    let anew = platform(&it.store, &it.clock).with_random(SeededRandom::new(2));
    let listed = anew.api_key_endpoint().list(&by, sent("", "").view()).wait().unwrap();
    let body: Value = serde_json::from_slice(listed.response.body()).unwrap();
    assert_eq!(body["apiKeys"][0]["name"], "Default API key");
    assert_eq!(body["paging"]["totalCount"], 1);
    let code = |flow: Flow<'_, ()>| flow.wait().unwrap_err().code();
    let lost = anew.create_user(&TenantId::new("lost"), "lost", &Secret::new("word"), &[]);
    assert_eq!(code(lost.map(drop)), "infobip_account_unknown");
    assert_eq!(code(anew.create_account(&it.account).map(drop)), "infobip_account_exists");
    let other = TenantId::new("other");
    anew.create_account(&other).wait().unwrap();
    let user = |name: &str, password: &[u8]| {
        anew.create_user(&other, name, &Secret::new(password), &[]).map(drop)
    };
    assert_eq!(code(user("acme", b"x")), "infobip_user_name", "of another account's user");
    let long = "x".repeat(201);
    for name in ["account: API keys", "", "a\0b", "a\nb", &long] {
        assert_eq!(code(user(name, b"x")), "infobip_user_name", "{name:?}");
    }
    assert_eq!(code(user("new", &[0xff])), "infobip_password");
    let by = anew.registry().by(&Actor::new(other.clone(), "test", Role::Owner));
    let services = by.services(None, 100).wait().unwrap().unwrap();
    assert_eq!(services.len(), 1, "none is left of a user who was not made: {services:?}");
}

#[test]
fn the_name_of_a_user_is_taken_by_one_of_many_who_ask_at_once() {
    let it = stage(&[]);
    let made = || {
        let made = it.platform.create_user(&it.account, "twin", &Secret::new("word"), &[]);
        made.wait().map_err(|error| error.code())
    };
    let made: Vec<_> = std::thread::scope(|scope| {
        let begun: Vec<_> = (0..4).map(|_| scope.spawn(made)).collect();
        begun.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let refused: Vec<_> = made.iter().filter_map(|made| made.as_ref().err()).collect();
    assert_eq!(refused, [&"infobip_user_name"; 3]);
}

/// An array of the values of its members is none.
#[test]
fn the_body_of_a_key_is_an_object() {
    let it = stage(&[EVERY_SCOPE]);
    let by = it.caller(BASIC);
    for body in [r#"["n",true]"#, "null", "7", r#""n""#, ""] {
        assert_eq!(it.created(&by, body).0, 400, "{body}");
    }
    assert_eq!(it.created(&by, r#" {"name":"n"}"#).0, 200);
}

#[test]
fn the_keys_of_another_account_are_unknown() {
    let it = stage(&[EVERY_SCOPE]);
    let by = it.caller(BASIC);
    let (_, made) = it.created(&by, r#"{"name":"n"}"#);
    let id = made["id"].as_str().unwrap();
    assert_eq!(it.keys.see(&by, id).wait().unwrap().response.status(), StatusCode::OK);
    let other = TenantId::new("other");
    it.platform.create_account(&other).wait().unwrap();
    let stranger = Caller::new(other, "x", "basic_password").with_scopes(by.scopes.clone());
    let disable = sent("", r#"{"enabled":false}"#);
    let seen = it.keys.see(&stranger, id).wait().unwrap();
    let updated = it.keys.update(&stranger, id, disable.view()).wait().unwrap();
    for answer in [seen, updated] {
        assert_eq!(answer.response.status(), StatusCode::NOT_FOUND, "{answer:?}");
    }
    let listed = it.keys.list(&stranger, sent("", "").view()).wait().unwrap();
    assert!(!String::from_utf8_lossy(listed.response.body()).contains(id));
}

#[test]
fn wrong_passwords_are_limited_at_the_token_endpoint_and_at_the_door() {
    let rate = AttemptRate::new(2, Duration::from_secs(60)).unwrap();
    let limits = MemoryAttemptLimits::new(ManualClock::at(NOW)).with_identity_rate(rate);
    let it = limited(&[EVERY_SCOPE], Some(AttemptLimit::new(limits)));
    let asked = |form: &str| {
        let issued = it.oauth.issue(sent("", form).view()).wait().unwrap();
        let has_pause = issued.response.headers().contains_key("retry-after");
        (issued.response.status().as_u16(), has_pause)
    };
    let wrong = FORM.replace("word", "w0rd");
    assert_eq!([asked(&wrong), asked(&wrong)], [(401, false); 2]);
    assert_eq!([asked(&wrong), asked(FORM)], [(429, true); 2]);
    // `acme:w0rd`.
    let judged = [(); 3].map(|()| it.judged(&it.door, "Basic YWNtZTp3MHJk").unwrap_err());
    assert_eq!(judged, [401, 401, 429]);
}

#[test]
fn a_body_that_the_server_did_not_give_is_an_error_and_one_that_is_too_long_is_refused() {
    let it = stage(&[EVERY_SCOPE]);
    let by = it.caller(BASIC);
    let request = sent("", "");
    let unread = RequestView::new(&Method::POST, &request.uri, &request.headers);
    assert_eq!(it.oauth.issue(unread).wait().unwrap_err().code(), "infobip_body_unread");
    assert_eq!(it.keys.create(&by, unread).wait().unwrap_err().code(), "infobip_body_unread");
    let long = sent("", &" ".repeat(64 * 1024 + 1));
    let issued = it.oauth.issue(long.view()).wait().unwrap();
    assert_eq!(issued.response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let made = it.keys.create(&by, long.view()).wait().unwrap();
    assert_eq!(made.response.status(), StatusCode::BAD_REQUEST);
}

#[test]
fn debug_shows_no_secret() {
    let it = stage(&[EVERY_SCOPE]);
    let issued = it.oauth.issue(sent("", FORM).view()).wait().unwrap();
    let parts = format!("{:?} {:?} {:?} {:?}", it.platform, it.tokens, it.door, it.keys);
    let shown = format!("{parts} {:?} {issued:?}", it.oauth);
    assert!(!shown.contains(&member(issued.response.body(), "access_token")), "{shown}");
    assert!(!shown.contains("word"), "{shown}");
}
