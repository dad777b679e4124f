//! Every scheme's verifier over the registry: what was issued is accepted, and what is no longer good is refused.
#![allow(clippy::unwrap_used)]

mod common;

use auth_core::{
    Body, Clock, InlineWorkers, KeyHasher, MemoryReplayStore, RequestView, Secret, SystemRandom,
    TenantId, Timestamp, Verifier,
};
use auth_digest::{Digest, DigestVerifier, Ha1, HashFunction, Nonces};
use auth_jwt::{ClaimsToSign, JwsAlgorithm, JwtPolicy, JwtVerifier, RequiredClaim, SigningKey};
use auth_lifecycle::{GroupPolicy, Kind, NewSecret, Wanted};
use auth_net::AddressList;
use auth_sigv4::{AccessKey, AwsService, SigV4, SigV4Policy, SigV4Verifier};
use auth_static::{
    ApiKeyVerifier, Argon2Concurrency, Argon2Cost, Argon2Passwords, Basic, BasicVerifier,
    PasswordHash, Placement,
};
use common::{BEGIN, Platform, ask, id, key_door, text, told};
use http::{HeaderMap, Method, Uri, header::AUTHORIZATION};
use std::{collections::HashMap, sync::Arc, time::Duration};

const ANYWHERE: &str = "192.0.2.7";
const UNKNOWN: &str = "401 api_key_unknown";
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_key_opens_the_doors_of_its_kind_until_it_is_discarded() {
    let platform = Platform::new();
    let one = platform.make(Kind::ServiceKey, NewSecret::Generated);
    let door = key_door(&platform.registry, &[Kind::ServiceKey]);
    assert_eq!(ask(&door, "key", &text(&one), ANYWHERE), id(&one));
    let profile = platform.make(Kind::ProfileKey, NewSecret::Generated);
    assert_eq!(ask(&door, "key", &text(&profile), ANYWHERE), UNKNOWN);
    let profiles = key_door(&platform.registry, &[Kind::ProfileKey]);
    assert_eq!(ask(&profiles, "key", &text(&profile), ANYWHERE), id(&profile));
    assert_eq!(ask(&door, "key", "unknown", ANYWHERE), UNKNOWN);
    platform.discard(&one);
    assert_eq!(ask(&door, "key", &text(&one), ANYWHERE), UNKNOWN);
    platform.by().reactivate(&one.credential.id).wait().unwrap().unwrap();
    assert_eq!(ask(&door, "key", &text(&one), ANYWHERE), id(&one));
}

#[test]
fn a_key_that_was_asked_for_before_it_was_made_is_accepted_at_once() {
    let platform = Platform::new();
    let door = key_door(&platform.registry, &[Kind::ServiceKey]);
    let foreign = "0f8fad5b-d9cb-469f-a165-70867728950e";
    assert_eq!(ask(&door, "key", foreign, ANYWHERE), UNKNOWN);
    let made = platform.make(Kind::ServiceKey, NewSecret::Given(foreign.into()));
    assert_eq!(ask(&door, "key", foreign, ANYWHERE), id(&made));
}

#[test]
fn another_process_refuses_what_was_discarded_within_the_bound_or_says_that_it_does_not_know() {
    let platform = Platform::new();
    let one = platform.make(Kind::ServiceKey, NewSecret::Generated);
    let door = key_door(&platform.node(&[]), &[Kind::ServiceKey]);
    assert_eq!(ask(&door, "key", &text(&one), ANYWHERE), id(&one));
    platform.discard(&one);
    assert_eq!(ask(&door, "key", &text(&one), ANYWHERE), id(&one), "it has not polled yet");
    platform.clock.advance(Duration::from_secs(1));
    assert_eq!(ask(&door, "key", &text(&one), ANYWHERE), UNKNOWN);
}

#[test]
fn a_key_is_good_strictly_before_its_end_and_from_its_beginning_on() {
    let platform = Platform::new();
    let at = |seconds| Some(Timestamp::from_unix(BEGIN + seconds));
    let wanted = Wanted { not_before: at(10), expires: at(20), ..Wanted::default() };
    let one = platform.create(Kind::ApiKey, wanted);
    let door = key_door(&platform.registry, &[Kind::ApiKey]);
    for (seconds, expected) in [(9, UNKNOWN), (10, &id(&one)), (19, &id(&one)), (20, UNKNOWN)] {
        platform.clock.set(Timestamp::from_unix(BEGIN + seconds));
        assert_eq!(ask(&door, "key", &text(&one), ANYWHERE), expected, "{seconds}");
    }
    platform.clock.set(Timestamp::from_unix(BEGIN + 15));
    assert_eq!(ask(&door, "key", &text(&one), ANYWHERE), UNKNOWN, "a clock that was set back");
}

#[test]
fn both_keys_are_good_in_a_rotation_and_the_old_one_says_that_it_retires() {
    let policy = GroupPolicy { max_total: 3, ..GroupPolicy::two_in_rotation() };
    let platform = Platform::with(&[(Kind::ServiceKey, policy)]);
    let old = platform.make(Kind::ServiceKey, NewSecret::Generated);
    let door = key_door(&platform.registry, &[Kind::ServiceKey]);
    assert_eq!(ask(&door, "key", &text(&old), ANYWHERE), id(&old));
    let rotated = platform.by().rotate(&old.credential.id, HOUR, Wanted::default()).wait();
    let new = rotated.unwrap().unwrap();
    for one in [&old, &new] {
        assert_eq!(ask(&door, "key", &text(one), ANYWHERE), id(one));
    }
    platform.clock.advance(HOUR);
    assert_eq!(ask(&door, "key", &text(&old), ANYWHERE), UNKNOWN, "before anybody has retired it");
    assert_eq!(ask(&door, "key", &text(&new), ANYWHERE), id(&new));
    assert_eq!(platform.registry.retire_due().wait().unwrap().groups, 1);
    assert_eq!(platform.registry.retire_due().wait().unwrap().groups, 0);
}

#[test]
fn a_clock_that_leaps_ends_what_ends_and_retires_nothing() {
    let policy = GroupPolicy { max_total: 3, ..GroupPolicy::two_in_rotation() };
    let platform = Platform::with(&[(Kind::ServiceKey, policy)]);
    let old = platform.make(Kind::ServiceKey, NewSecret::Generated);
    let limited = platform.make(Kind::ApiKey, NewSecret::Generated);
    let kinds = [Kind::ServiceKey, Kind::ApiKey];
    let door = key_door(&platform.registry, &kinds);
    platform.by().rotate(&old.credential.id, HOUR, Wanted::default()).wait().unwrap().unwrap();
    let year = Duration::from_secs(366 * 24 * 3600);
    platform.clock.set(Timestamp::from_unix(BEGIN).after(year));
    assert_eq!(ask(&door, "key", &text(&limited), ANYWHERE), UNKNOWN);
    assert_eq!(ask(&door, "key", &text(&old), ANYWHERE), id(&old));
    let retired = platform.registry.retire_due().wait().unwrap();
    assert_eq!((retired.groups, retired.suspicion.is_some()), (0, true));
    platform.clock.set(Timestamp::from_unix(BEGIN));
    assert_eq!(ask(&door, "key", &text(&limited), ANYWHERE), UNKNOWN, "nothing revives");
    let told = platform.registry.clock_suspicion().map(|suspicion| suspicion.told);
    assert_eq!(told, Some(Timestamp::from_unix(BEGIN).after(year)), "what it told still counts");
    platform.clock.set(Timestamp::from_unix(BEGIN).after(year));
    platform.registry.trust_clock();
    assert_eq!(ask(&door, "key", &text(&old), ANYWHERE), UNKNOWN);
}

#[test]
fn an_idle_session_ends_unless_another_process_has_seen_it_used() {
    let policy = GroupPolicy {
        lifetime: None,
        longest_lifetime: None,
        idle_timeout: Some(HOUR),
        ..GroupPolicy::one_session()
    };
    let policies = [(Kind::IbssoSession, policy)];
    let platform = Platform::with(&policies);
    let session = platform.make(Kind::IbssoSession, NewSecret::Generated);
    let other = platform.node(&policies);
    let here = key_door(&platform.registry, &[Kind::IbssoSession]);
    let there = key_door(&other, &[Kind::IbssoSession]);
    for door in [&here, &there] {
        assert_eq!(ask(door, "key", &text(&session), ANYWHERE), id(&session));
    }
    platform.clock.advance(HOUR);
    assert_eq!(ask(&here, "key", &text(&session), ANYWHERE), id(&session));
    platform.registry.flush_uses().wait().unwrap();
    platform.clock.advance(HOUR);
    assert_eq!(ask(&there, "key", &text(&session), ANYWHERE), id(&session));
    platform.clock.advance(HOUR + GroupPolicy::USE_GRAIN);
    for door in [&here, &there] {
        assert_eq!(ask(door, "key", &text(&session), ANYWHERE), UNKNOWN);
    }
}

#[test]
fn an_address_list_of_a_credential_and_of_a_tenant_hold() {
    let platform = Platform::new();
    let list = |text: &str| text.parse::<AddressList>().unwrap();
    let wanted = Wanted { allowed_addresses: Some(list("198.51.100.0/24")), ..Wanted::default() };
    let (bound, free) =
        (platform.create(Kind::ApiKey, wanted), platform.make(Kind::ApiKey, NewSecret::Generated));
    let door = key_door(&platform.registry, &[Kind::ApiKey]);
    let refused = "403 lifecycle_address";
    assert_eq!(ask(&door, "key", &text(&bound), "198.51.100.9"), id(&bound));
    assert_eq!(ask(&door, "key", &text(&bound), "::ffff:198.51.100.9"), id(&bound));
    assert_eq!(ask(&door, "key", &text(&bound), ANYWHERE), refused);
    assert_eq!(ask(&door, "key", &text(&bound), "not known"), refused);
    assert_eq!(ask(&door, "key", &text(&free), "not known"), id(&free));

    let lists = HashMap::from([(TenantId::new("acme"), Arc::new(list("203.0.113.0/24")))]);
    let family = key_door(&platform.registry, &[Kind::ApiKey]).with_addresses(lists);
    assert_eq!(ask(&family, "key", &text(&free), "203.0.113.1"), id(&free));
    assert_eq!(ask(&family, "key", &text(&free), ANYWHERE), refused);
    assert_eq!(ask(&family, "key", &text(&free), "not known"), refused);
    assert_eq!(ask(&family, "key", &text(&bound), "203.0.113.1"), refused, "both lists hold");
    let others = HashMap::from([(TenantId::new("other"), Arc::new(list("203.0.113.0/24")))]);
    let family = key_door(&platform.registry, &[Kind::ApiKey]).with_addresses(others);
    assert_eq!(ask(&family, "key", &text(&free), ANYWHERE), id(&free), "not turned on");
}

#[test]
fn uses_are_written_down_once_a_minute_and_shown_in_a_dry_run() {
    let platform = Platform::new();
    let one = platform.make(Kind::ServiceKey, NewSecret::Generated);
    let door = key_door(&platform.registry, &[Kind::ServiceKey]);
    for from in [ANYWHERE, ANYWHERE, "2001:db8::7"] {
        assert_eq!(ask(&door, "key", &text(&one), from), id(&one));
    }
    platform.registry.flush_uses().wait().unwrap();
    let seen = platform.by().dry_run(&one.credential.id).wait().unwrap().unwrap();
    let sources: Vec<_> = seen.uses.iter().map(|one| one.source.unwrap().to_string()).collect();
    assert_eq!(sources.len(), 2);
    assert!(sources.contains(&ANYWHERE.to_owned()) && sources.contains(&"2001:db8::7".to_owned()));
    assert_eq!(seen.credential.last_used, Some(Timestamp::from_unix(BEGIN)));
    assert_eq!(ask(&door, "key", "wrong", "203.0.113.7"), UNKNOWN);
    platform.registry.flush_uses().wait().unwrap();
    assert_eq!(platform.by().dry_run(&one.credential.id).wait().unwrap().unwrap().uses.len(), 2);
}

#[test]
fn a_jwt_is_proved_by_any_usable_secret_of_its_service() {
    let platform = Platform::new();
    let second = platform.make(Kind::ServiceJwtSecret, NewSecret::Generated);
    let policy =
        JwtPolicy::new().allowing_any_audience().with_required_claim(RequiredClaim::Issuer);
    let issuers = platform.registry.jwt_issuers(Kind::ServiceJwtSecret);
    let verifier = JwtVerifier::new("api", policy, issuers, platform.clock.clone()).unwrap();
    let door = platform.registry.admit(verifier.map(|proven| proven.caller));
    let sign = |issuer: &str, secret: &Secret| {
        let secret = secret.expose_text().unwrap();
        let key = SigningKey::from_base64_secret(JwsAlgorithm::HS256, secret).unwrap();
        let claims = ClaimsToSign::expiring_in(HOUR).unwrap().with_issuer(issuer);
        format!("Bearer {}", claims.sign(&key, platform.clock.now(), None).unwrap().expose())
    };
    let token = sign(platform.service.as_str(), second.secret.as_ref().unwrap());
    assert_eq!(ask(&door, "authorization", &token, ANYWHERE), id(&second));
    let other = sign("another service", second.secret.as_ref().unwrap());
    assert_eq!(ask(&door, "authorization", &other, ANYWHERE), "401 jwt_key_unknown");
    platform.discard(&second);
    assert_eq!(ask(&door, "authorization", &token, ANYWHERE), "401 jwt_signature");
}

#[test]
fn a_password_is_checked_against_the_hash_of_its_user() {
    let platform = Platform::new();
    let cost = Argon2Cost::default();
    let random = SystemRandom::new();
    let hash = PasswordHash::of("open sesame", cost, &random).unwrap().to_phc();
    let secret = NewSecret::Password { user: "alice".into(), hash: hash.into() };
    let made = platform.make(Kind::BasicPassword, secret);
    let concurrency = Argon2Concurrency { running: 1, waiting: 1 };
    let users = platform.registry.basic_users();
    let passwords = Argon2Passwords::new(users, cost, concurrency, InlineWorkers, &random).unwrap();
    let door = platform.registry.admit(BasicVerifier::new("api", passwords).unwrap());
    let basic = |user: &str, password: &str| {
        let (mut uri, mut headers) = (Uri::from_static("https://a.example/"), HeaderMap::new());
        let basic = Basic::new(user, password).unwrap();
        basic.present().commit(&mut uri, &mut headers).unwrap();
        headers[AUTHORIZATION].to_str().unwrap().to_owned()
    };
    let answer = |user, password| ask(&door, "authorization", &basic(user, password), ANYWHERE);
    assert_eq!(answer("alice", "open sesame"), id(&made));
    assert_eq!(answer("alice", "close sesame"), "401 basic_wrong");
    assert_eq!(answer("bob", "open sesame"), "401 basic_wrong");
    platform.lock_out(&made);
    assert_eq!(answer("alice", "open sesame"), "401 basic_wrong");
}

#[test]
fn a_digest_is_proved_by_the_ha1_of_its_user_and_realm() {
    let platform = Platform::new();
    let ha1 = Ha1::new(HashFunction::Sha256, "alice", b"api", b"open sesame");
    let hex: String = ha1.expose().iter().map(|byte| char::from(*byte)).collect();
    let secret = NewSecret::Ha1 {
        user: "alice".into(),
        realm: "api".into(),
        ha1: format!("SHA-256:{hex}").into(),
    };
    let made = platform.make(Kind::DigestHa1, secret);
    let random = SystemRandom::new();
    let nonces = Nonces::new(&[9; 32], random.clone(), platform.clock.clone()).unwrap();
    let replay = MemoryReplayStore::new(platform.clock.clone());
    let users = platform.registry.digest_users();
    let verifier = DigestVerifier::new("api", users, nonces, replay).unwrap();
    let door = platform.registry.admit(verifier.map(|proven| proven.caller));
    let answer = |password: &str| {
        let client = Digest::new("alice", password, random.clone()).unwrap();
        let uri = Uri::from_static("https://a.example/v1");
        let headers = HeaderMap::new();
        let request = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b""));
        let rejected = door.verify(request).wait().unwrap().unwrap_err();
        let mut answered = HeaderMap::new();
        for challenge in rejected.challenges() {
            answered.append("www-authenticate", challenge.to_string().parse().unwrap());
        }
        let sent = auth_core::Authenticator::credentials(&client, request).wait().unwrap();
        let status = http::StatusCode::UNAUTHORIZED;
        let answer = auth_core::Answer::new(request, status, &answered);
        auth_core::Authenticator::assess(&client, &sent, answer);
        let (mut signed_uri, mut signed) = (uri.clone(), HeaderMap::new());
        let sent = auth_core::Authenticator::credentials(&client, request).wait().unwrap();
        sent.commit(&mut signed_uri, &mut signed).unwrap();
        let request = RequestView::new(&Method::GET, &uri, &signed).with_body(Body::Bytes(b""));
        told(door.verify(request).wait())
    };
    assert_eq!(answer("open sesame"), id(&made));
    assert_eq!(answer("close sesame"), "401 digest_response_wrong");
    platform.lock_out(&made);
    assert_eq!(answer("open sesame"), "401 digest_user_unknown");
}

#[test]
fn a_signature_is_proved_by_the_secret_of_its_access_key() {
    let platform = Platform::new();
    let made = platform.make(Kind::SigV4Key, NewSecret::Generated);
    let policy = SigV4Policy::new(AwsService::ExecuteApi, "eu-west-1").unwrap();
    let keys = platform.registry.sigv4_keys();
    let door = platform.registry.admit(SigV4Verifier::new(policy, keys, platform.clock.clone()));
    let answer = |key_id: &str, secret: &str| {
        let key = AccessKey::new(key_id, secret).unwrap();
        let clock = platform.clock.clone();
        let client = SigV4::new(key, "eu-west-1", AwsService::ExecuteApi, clock).unwrap();
        let (mut uri, mut headers) = (Uri::from_static("https://a.example/v1"), HeaderMap::new());
        headers.insert("host", "a.example".parse().unwrap());
        let request = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b""));
        let sent = auth_core::Authenticator::credentials(&client, request).wait().unwrap();
        sent.commit(&mut uri, &mut headers).unwrap();
        let request = RequestView::new(&Method::GET, &uri, &headers).with_body(Body::Bytes(b""));
        told(door.verify(request).wait())
    };
    let key_id = &*made.credential.mask;
    assert_eq!(answer(key_id, &text(&made)), id(&made));
    assert_eq!(answer(key_id, "another secret of forty characters......"), "403 sigv4_signature");
    assert_eq!(answer("AKUNKNOWN", &text(&made)), "403 sigv4_key");
    platform.lock_out(&made);
    assert_eq!(answer(key_id, &text(&made)), "403 sigv4_key");
}

#[test]
fn a_report_of_leaked_secrets_revokes_and_never_empties_a_group() {
    let platform = Platform::new();
    let first = platform.by().list(Some(&platform.service)).wait().unwrap().unwrap();
    let first = first[0].credentials[0].id.clone();
    let secret = platform.by().reveal(&first).wait().unwrap().unwrap();
    let second = platform.make(Kind::ServiceKey, NewSecret::Generated);
    let door = key_door(&platform.registry, &[Kind::ServiceKey]);
    let leaked = [Secret::from("unknown"), Secret::from(text(&second)), secret];
    platform.registry.report_leaked(&leaked, "scanner").wait().unwrap();
    assert_eq!(ask(&door, "key", &text(&second), ANYWHERE), UNKNOWN);
    let key = leaked[2].expose_text().unwrap().to_owned();
    assert_eq!(ask(&door, "key", &key, ANYWHERE), first.to_string());
}

#[test]
fn a_key_is_found_by_the_sha256_that_a_former_registry_kept() {
    let platform = Platform::new();
    let key = "old-key-of-a-former-registry";
    let sha256 = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
    let secret = NewSecret::Sha256(sha256.as_ref().try_into().unwrap());
    let wanted = Wanted { secret, ..Wanted::default() };
    let by = platform.by();
    let made =
        by.import(Some(&platform.service), Kind::ServiceKey, wanted).wait().unwrap().unwrap();
    let door = |older: bool| {
        let placement = Placement::header("key").unwrap();
        let keys = platform.registry.tokens(&[Kind::ServiceKey]);
        let hasher = platform.registry.token_hasher();
        let verifier = ApiKeyVerifier::new("api", placement, hasher, keys).unwrap();
        let sha256 = platform.registry.sha256_token_hasher();
        platform.registry.admit(if older { verifier.with_older_hasher(sha256) } else { verifier })
    };
    assert_eq!(ask(&door(true), "key", key, ANYWHERE), id(&made));
    assert_eq!(ask(&door(false), "key", key, ANYWHERE), UNKNOWN);
    assert_eq!(ask(&door(true), "key", "another-key-that-nobody-has", ANYWHERE), UNKNOWN);
    platform.discard(&made);
    assert_eq!(ask(&door(true), "key", key, ANYWHERE), UNKNOWN);
}

#[test]
fn a_hasher_of_another_key_finds_nothing() {
    let platform = Platform::new();
    let one = platform.make(Kind::ServiceKey, NewSecret::Generated);
    let placement = Placement::header("key").unwrap();
    let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
    let keys = platform.registry.tokens(&[Kind::ServiceKey]);
    let door =
        platform.registry.admit(ApiKeyVerifier::new("api", placement, hasher, keys).unwrap());
    assert_eq!(ask(&door, "key", &text(&one), ANYWHERE), UNKNOWN);
}
