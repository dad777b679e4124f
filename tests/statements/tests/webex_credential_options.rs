//! Document 000: rotation of credentials, address lists and the profile key. One test for each statement;
//! `docs/coverage.md` lists them all.

mod platform;

use auth_core::{Clock, SystemRandom};
use auth_lifecycle::{Actor, CommandName, CommandRefusal, Kind, NewSecret, Registry, Role, Wanted};
use auth_static::{Basic, PasswordHash};
use platform::{FAMILIES, Held, KINDS, MINUTE, OFFICE, Platform, actor};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// The clients of a service: each calls again and again with the credential that it holds.
struct Clients {
    hold: Vec<Mutex<Held>>,
    calls: Vec<AtomicUsize>,
    wrong: Mutex<Vec<String>>,
    stop: AtomicBool,
}

impl Clients {
    async fn call(self: Arc<Self>, client: usize, platform: Arc<Platform>) {
        while !self.stop.load(Ordering::Relaxed) {
            let held = self.hold[client].lock().unwrap().clone();
            let answer = platform.says(&held, FAMILIES[client % FAMILIES.len()]).await;
            if answer != held.id.as_str() {
                self.wrong.lock().unwrap().push(answer);
            }
            self.calls[client].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until each client has called a few times more.
    async fn go_on(&self) {
        let before: Vec<_> = self.calls.iter().map(|calls| calls.load(Ordering::Relaxed)).collect();
        for (calls, before) in self.calls.iter().zip(before) {
            while calls.load(Ordering::Relaxed) < before + 5 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

/// When a credential was last used, as a dry run shows it.
async fn last_used(platform: &Platform, held: &Held) -> Option<auth_core::Timestamp> {
    platform.node.registry.flush_uses().await.unwrap();
    platform.by().dry_run(&held.id).await.unwrap().unwrap().credential.last_used
}

/// Create the new one, switch the clients one by one, see that the old one rests, discard it, delete it: under load no
/// good call is refused, for keys and for JWT credentials.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s000_12_a_rotation_refuses_no_good_call() {
    for kind in KINDS {
        let platform = Arc::new(Platform::start().await);
        let (by, old) = (platform.by(), platform.first(kind).await);
        let clients = Arc::new(Clients {
            hold: (0..6).map(|_| Mutex::new(old.clone())).collect(),
            calls: (0..6).map(|_| AtomicUsize::new(0)).collect(),
            wrong: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let call = |client| tokio::spawn(clients.clone().call(client, platform.clone()));
        let load: Vec<_> = (0..clients.hold.len()).map(call).collect();
        clients.go_on().await;
        let new = platform.second(&old).await;
        for hold in &clients.hold {
            *hold.lock().unwrap() = new.clone();
            clients.go_on().await;
        }
        let begun = platform.clock.now();
        assert_eq!(last_used(&platform, &old).await, Some(begun), "{kind}");
        platform.clock.advance(MINUTE * 2);
        clients.go_on().await;
        assert_eq!(last_used(&platform, &new).await, Some(platform.clock.now()), "{kind}");
        assert_eq!(last_used(&platform, &old).await, Some(begun), "{kind}: it is no longer used");
        platform.discard(&old).await;
        clients.go_on().await;
        let version = by.dry_run(&old.id).await.unwrap().unwrap().version;
        let proof = by.step_up(&old.id, CommandName::Delete, "right".into()).await;
        by.delete(&old.id, version, Some(&proof.unwrap().unwrap())).await.unwrap().unwrap();
        clients.go_on().await;
        clients.stop.store(true, Ordering::Relaxed);
        for client in load {
            client.await.unwrap();
        }
        assert_eq!(*clients.wrong.lock().unwrap(), [""; 0], "{kind}");
        assert_eq!(platform.node.refused(), 0, "{kind}");
        assert_ne!(platform.says(&old, "messages").await, old.id.as_str(), "{kind}");
    }
}

/// What proves a user, and what a family of calls is answered from an address.
async fn log_in_of(platform: &Platform) -> Basic {
    let hash = PasswordHash::of("open sesame", platform::cost(), &SystemRandom::new()).unwrap();
    let user = "alice".into();
    let secret = NewSecret::Password { user, hash: hash.to_phc().into() };
    let service = platform.service("people").await.service.id;
    let wanted = Wanted { secret, ..Wanted::default() };
    platform.by().create(Some(&service), Kind::BasicPassword, wanted).await.unwrap().unwrap();
    Basic::new("alice", "open sesame").unwrap()
}

const OUTSIDE: &str = "192.0.2.9";
const ON_NO_LIST: &str = "403 lifecycle_address";

/// Each of the four families has a list of its own: it refuses an address that is not on it, and no other family does.
#[tokio::test]
async fn s000_13_an_allow_list_guards_each_family_for_itself() {
    let platform = Platform::start().await;
    let held = [platform.first(KINDS[0]).await, platform.first(KINDS[1]).await];
    let user = log_in_of(&platform).await;
    let sent = |family: &str| match family {
        "login" => vec![Box::new(user.clone()) as Box<dyn auth_core::Authenticator>],
        _ => held.iter().map(|held| held.authenticator(&platform.clock)).collect(),
    };
    let listed = [&FAMILIES[..], &["login"]].concat();
    let all = [&listed[..], &["topics"]].concat();
    for on in &listed {
        platform.node.lists[on].set("acme", &["198.51.100.0/24", "2001:db8::/32"]);
        for family in &all {
            for sent in sent(family) {
                let answer = platform.node.says_to(&*sent, family, OUTSIDE).await;
                assert_eq!(answer == ON_NO_LIST, family == on, "{on} is on, {family}: {answer}");
                for inside in [OFFICE, "2001:db8::7"] {
                    let answer = platform.node.says_to(&*sent, family, inside).await;
                    assert!(answer.starts_with('c'), "{on} is on, {family}: {answer}");
                }
            }
        }
        platform.node.lists[on].set("acme", &[]);
    }
    // What a client writes into the field is not what the proxy found.
    platform.node.lists["messages"].set("acme", &["198.51.100.0/24"]);
    for from in ["unknown", "198.51.100.7, 192.0.2.9"] {
        let sent = held[0].authenticator(&platform.clock);
        assert_eq!(platform.node.says_to(&*sent, "messages", from).await, ON_NO_LIST, "{from}");
    }
}

/// Without a list every address is good; one tenant's list is none of another's.
#[tokio::test]
async fn s000_14_the_list_is_off_until_a_tenant_turns_it_on() {
    let platform = Platform::start().await;
    let ours = platform.first(KINDS[0]).await;
    let other = Actor::new(auth_core::TenantId::new("other"), "bob", Role::Owner);
    let theirs = platform.node.registry.by(&other).create_service("theirs").await;
    let theirs = Held::of(&theirs.unwrap().unwrap().key);
    let says = async |held: &Held| {
        let sent = held.authenticator(&platform.clock);
        platform.node.says_to(&*sent, "messages", OUTSIDE).await
    };
    let list = &platform.node.lists["messages"];
    for (entries, expected) in
        [(&[][..], ours.id.as_str()), (&[OFFICE], ON_NO_LIST), (&[], ours.id.as_str())]
    {
        list.set("acme", entries);
        assert_eq!(says(&ours).await, expected, "{entries:?}");
        assert_eq!(says(&theirs).await, theirs.id.as_str(), "{entries:?}");
    }
}

/// The profile key is the tenant's: in no service's group, good for no service's calls, shown to the same roles.
#[tokio::test]
async fn s000_15_the_profile_key_belongs_to_the_tenant() {
    let platform = Platform::start().await;
    let (service, by) = (platform.service("alerts").await.service.id, platform.by());
    let made = by.create(None, Kind::ProfileKey, Wanted::default()).await.unwrap().unwrap();
    let profile = Held::of(&made);
    assert_eq!(made.credential.group.service, None);
    let wrong = by.create(Some(&service), Kind::ProfileKey, Wanted::default()).await;
    let wrong = wrong.unwrap().unwrap_err();
    assert!(matches!(wrong, CommandRefusal::Invalid { field: "service", .. }), "{wrong:?}");
    let kinds = async |service| -> Vec<Kind> {
        let groups = by.list(service).await.unwrap().unwrap();
        groups.iter().map(|group| group.id.kind).collect()
    };
    assert_eq!(kinds(Some(&service)).await, KINDS);
    assert_eq!(kinds(None).await, [Kind::ProfileKey]);
    assert_eq!(platform.says(&profile, "profile").await, profile.id.as_str());
    assert_eq!(platform.everywhere(&profile).await, ["401 api_key_unknown"]);
    let key = platform.first(Kind::ServiceKey).await;
    assert_eq!(platform.says(&key, "profile").await, "401 api_key_unknown");
    for role in Role::ALL {
        let reveal = async |held: &Held| {
            let registry: &Registry = &platform.node.registry;
            registry.by(&actor(role)).reveal(&held.id).await.unwrap().is_ok()
        };
        assert_eq!(reveal(&profile).await, reveal(&key).await, "{role}");
    }
}
