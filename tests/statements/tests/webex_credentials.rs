//! Document 001: service keys and JWT credentials, from their creation to their regeneration. One test for each
//! statement; `docs/coverage.md` lists them all.

mod platform;

use auth_core::Clock;
use auth_lifecycle::{CommandRefusal, EventName, Kind, NewSecret, Role, State, Status, Wanted};
use auth_static::Bearer;
use auth_testing::CapturedOutput;
use base64::{Engine, engine::general_purpose::STANDARD};
use platform::{Held, KINDS, Platform, actor, recording::RecordingStore};
use std::{collections::HashSet, path::Path, process::Command, sync::Arc};

/// A new service has a key and a JWT secret, each active and each good at once; no two services share a value.
#[tokio::test]
async fn s001_01_a_new_service_has_a_key_and_a_jwt_credential() {
    let platform = Platform::start().await;
    let (mut secrets, by) = (HashSet::new(), platform.by());
    for number in 0..50 {
        let made = platform.service("alerts").await;
        let groups = by.list(Some(&made.service.id)).await.unwrap().unwrap();
        assert_eq!(groups.iter().map(|group| group.id.kind).collect::<Vec<_>>(), KINDS);
        assert!(groups.iter().all(|group| group.credentials.len() == 1));
        assert!(groups.iter().all(|group| group.credentials[0].status == Status::Usable));
        for issued in [&made.key, &made.jwt] {
            let held = Held::of(issued);
            assert!(secrets.insert(held.secret.clone()), "service {number}");
            assert_eq!(platform.says(&held, "messages").await, held.id.as_str());
        }
    }
    assert_eq!(secrets.len(), 100);
}

/// The list gives id, state, mask and moment of creation; the value is shown as it was issued; regenerating replaces it.
async fn can_be_listed_revealed_and_regenerated(kind: Kind) {
    let platform = Platform::start().await;
    let (held, by) = (platform.first(kind).await, platform.by());
    let groups = by.list(held.service.as_ref()).await.unwrap().unwrap();
    let group = groups.iter().find(|group| group.id.kind == kind).unwrap();
    let seen = &group.credentials[0];
    assert_eq!((&seen.id, seen.state), (&held.id, State::Active));
    assert_eq!((seen.created, &*seen.created_by), (platform.clock.now(), "owner"));
    assert!(seen.mask.contains("....") && !held.secret.contains(&*seen.mask));
    let revealed = by.reveal(&held.id).await.unwrap().unwrap();
    assert!(revealed.matches(held.secret.as_bytes()), "it is copied as it was issued");
    let renewed = by.regenerate(&held.id, NewSecret::Generated).await.unwrap().unwrap();
    let revealed = by.reveal(&held.id).await.unwrap().unwrap();
    assert!(revealed.matches(renewed.secret.as_ref().unwrap().expose()));
    assert!(!revealed.matches(held.secret.as_bytes()));
}

#[tokio::test]
async fn s001_03_credentials_are_listed_revealed_copied_and_regenerated() {
    can_be_listed_revealed_and_regenerated(Kind::ServiceKey).await;
}

/// Nothing of a secret is in a view, in an event or in the log of the server.
async fn is_masked_unless_revealed(kind: Kind) {
    let (shown, platform) = (CapturedOutput::default(), Platform::start().await);
    let logs = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    let writer = shown.clone();
    let logs = logs.with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(logs);
    let held = platform.first(kind).await;
    let by = platform.by().because("a look");
    assert_eq!(platform.says(&held, "messages").await, held.id.as_str());
    platform.node.registry.flush_uses().await.unwrap();
    shown.debug(&by.list(held.service.as_ref()).await.unwrap().unwrap());
    shown.debug(&by.credential(&held.id).await.unwrap().unwrap());
    shown.debug(&by.dry_run(&held.id).await.unwrap().unwrap());
    let second = by.create(held.service.as_ref(), kind, Wanted::default()).await.unwrap().unwrap();
    shown.debug(&second);
    let second = Held::of(&second);
    shown.debug(&by.reveal(&held.id).await.unwrap().unwrap());
    let taken = Wanted { secret: NewSecret::Given((&*held.secret).into()), ..Wanted::default() };
    shown.debug(&taken);
    platform.discard(&second).await;
    shown.debug(&by.import(held.service.as_ref(), kind, taken).await.unwrap().unwrap_err());
    assert_ne!(platform.says(&second, "messages").await, second.id.as_str());
    let (events, _) = by.events(0, 100).await.unwrap().unwrap();
    for event in &events {
        shown.debug(event).text(&event.what.to_text());
    }
    shown.debug(&platform.node.registry).debug(&by);
    drop(guard);
    assert!(events.len() > 5 && shown.all().contains("request rejected"));
    for held in [&held, &second] {
        let random = held.secret.trim_start_matches("sk_live_").as_bytes();
        for part in random.windows(8).map(|part| std::str::from_utf8(part).unwrap()) {
            assert!(!shown.all().contains(part), "{kind}: {part} of a secret was shown");
        }
    }
}

#[tokio::test]
async fn s001_06_credentials_are_masked_unless_revealed() {
    is_masked_unless_revealed(Kind::ServiceKey).await;
}

/// Owners, full and limited access see the secret. Everybody else is refused; both are written down.
async fn is_revealed_to_three_roles(kind: Kind) {
    let platform = Platform::start().await;
    let held = platform.first(kind).await;
    let reveals = [Role::Owner, Role::FullAccess, Role::LimitedAccess];
    for role in Role::ALL {
        let seen = platform.node.registry.by(&actor(role)).reveal(&held.id).await.unwrap();
        match seen {
            Ok(secret) => assert!(secret.matches(held.secret.as_bytes())),
            Err(refusal) => assert_eq!(refusal, CommandRefusal::Forbidden, "{role}"),
        }
        let (events, _) = platform.by().events(0, 100).await.unwrap().unwrap();
        let last = &events.last().unwrap().what;
        let expected =
            if reveals.contains(&role) { EventName::Revealed } else { EventName::Refused };
        assert_eq!((last.name, &*last.actor, last.role), (expected, role.name(), role));
        assert_eq!(last.credential.as_ref(), Some(&held.id));
    }
}

#[tokio::test]
async fn s001_07_three_roles_reveal_and_nobody_else() {
    is_revealed_to_three_roles(Kind::ServiceKey).await;
}

/// A token that PyJWT made with the secret of a credential is taken by the registry's door.
#[tokio::test]
async fn s001_15_a_token_of_another_tool_is_accepted_by_the_registry() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/venv/bin/python");
    let platform = Platform::start().await;
    let held = platform.first(Kind::ServiceJwtSecret).await;
    let script = "import sys, base64, jwt\n\
                  print(jwt.encode({'iss': sys.argv[1], 'iat': int(sys.argv[2])}, base64.b64decode(sys.argv[3]), 'HS256'))";
    let issuer = held.service.as_ref().unwrap().as_str();
    let now = platform.clock.now().unix().to_string();
    let ran = Command::new(&python).args(["-c", script, issuer, &now, &held.secret]).output();
    let Some(ran) = ran.ok().filter(|ran| ran.status.success()) else {
        eprintln!("skipped: PyJWT not installed; `cargo xtask peers install`");
        return;
    };
    let token = String::from_utf8(ran.stdout).unwrap();
    let bearer = Bearer::new(token.trim()).unwrap();
    let answer = platform.node.says_to(&bearer, "events", platform::OFFICE).await;
    assert_eq!(answer, held.id.as_str());
    let wrong = platform.service("other").await.jwt;
    let wrong = Held { service: held.service.clone(), ..Held::of(&wrong) };
    assert_eq!(platform.says(&wrong, "events").await, "401 jwt_signature");
}

/// A second one stands beside the first, both are good, and a third is refused; the other kind is not counted.
#[tokio::test]
async fn s001_18_s001_21_s001_22_a_second_of_each_kind_and_no_third() {
    let platform = Platform::start().await;
    let made = platform.service("alerts").await;
    for first in [&made.key, &made.jwt] {
        let first = Held::of(first);
        let second = platform.second(&first).await;
        for held in [&first, &second] {
            assert_eq!(platform.everywhere(held).await, [held.id.as_str()]);
        }
        let third = platform.by().create(first.service.as_ref(), first.kind, Wanted::default());
        let refused = third.await.unwrap().unwrap_err();
        assert_eq!(refused, CommandRefusal::CapReached { most: 2 });
    }
    let groups = platform.by().list(Some(&made.service.id)).await.unwrap().unwrap();
    assert!(groups.iter().all(|group| group.credentials.len() == 2));
}

/// Nothing that a store is ever told to write holds a secret: not as it is, not its bytes, not the answer that repeats it.
async fn is_kept_where_it_cannot_be_read(kind: Kind) {
    let store = RecordingStore::default();
    let platform = Platform::on(Arc::new(store.clone()), &[]).await;
    let by = platform.by().once("the first request");
    let made = by.create_service("alerts").await.unwrap().unwrap();
    let first = Held::of(if kind == Kind::ServiceKey { &made.key } else { &made.jwt });
    let second = platform.second(&first).await;
    let renewed = platform.by().regenerate(&second.id, NewSecret::Generated).await;
    let renewed = Held::of(&renewed.unwrap().unwrap());
    platform.by().reveal(&first.id).await.unwrap().unwrap();
    assert_eq!(platform.says(&first, "messages").await, first.id.as_str());
    platform.node.registry.flush_uses().await.unwrap();
    platform.discard(&second).await;
    let written = store.written();
    let holds = |part: &[u8]| written.windows(part.len()).any(|bytes| bytes == part);
    assert!(holds(first.id.as_str().as_bytes()) && holds(b"revealed"), "the search finds names");
    for held in [&first, &second, &renewed] {
        let mut forms = vec![held.secret.trim_start_matches("sk_live_").as_bytes().to_vec()];
        forms.extend(STANDARD.decode(&*held.secret));
        for part in forms.iter().flat_map(|form| form.windows(8)) {
            assert!(!holds(part), "{kind}: {part:?} of a secret was written");
        }
    }
}

#[tokio::test]
async fn s001_19_stored_credentials_cannot_be_read() {
    is_kept_where_it_cannot_be_read(Kind::ServiceKey).await;
}

/// Compromised: the old value is refused everywhere within the bound, the new one works, and the id is the same.
async fn regenerating_ends_the_old_value_everywhere(kind: Kind) {
    let platform = Platform::start().await;
    let (held, other) = (platform.first(kind).await, platform.another_node().await);
    for node in [&platform.node, &other] {
        assert_eq!(node.says(&held, "messages").await, held.id.as_str());
    }
    let renewed =
        platform.by().because("found in a log").regenerate(&held.id, NewSecret::Generated);
    let new = Held::of(&renewed.await.unwrap().unwrap());
    assert_eq!(new.id, held.id);
    let refused =
        if kind == Kind::ServiceKey { "401 api_key_unknown" } else { "401 jwt_signature" };
    assert_eq!(platform.everywhere(&held).await, [refused], "here at once");
    platform.clock.advance(std::time::Duration::from_secs(5));
    assert_eq!(other.says(&held, "messages").await, refused, "there within five seconds");
    for node in [&platform.node, &other] {
        assert_eq!(node.says(&new, "messages").await, new.id.as_str());
    }
    let seen = platform.by().credential(&held.id).await.unwrap().unwrap();
    assert_eq!((seen.generation, seen.state), (2, State::Active));
}

#[tokio::test]
async fn s001_20_a_compromised_credential_is_regenerated() {
    regenerating_ends_the_old_value_everywhere(Kind::ServiceKey).await;
}

/// All that this file says of keys holds for JWT credentials.
#[tokio::test]
async fn s001_35_all_of_it_holds_for_jwt_credentials() {
    let kind = Kind::ServiceJwtSecret;
    can_be_listed_revealed_and_regenerated(kind).await;
    is_masked_unless_revealed(kind).await;
    is_revealed_to_three_roles(kind).await;
    is_kept_where_it_cannot_be_read(kind).await;
    regenerating_ends_the_old_value_everywhere(kind).await;
}
