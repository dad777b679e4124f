//! Tenants, sources and peers that mean no good, and many callers at once.

use super::*;
use auth_session::MemoryTokenStore;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    time::Instant,
};

#[test]
fn a_typed_field_names_no_source_that_was_not_granted() {
    let sources = SecretSources::new()
        .with("of the operator", Secret::from("operator's"))
        .with("granted", Secret::from("tenant's"))
        .granting("granted", &TenantId::new("acme"));
    let stage = stage_of(Arc::new(|_| answer(200, "")), sources);
    let subscribe = |source: &str| {
        let to = Subscription::webhook(url("https://mallory.example/"));
        let typed = to.with_header("x-stolen", FieldValue::from_source(source));
        stage.acme.subscribe("hook", typed.unwrap())
    };
    for source in ["of the operator", "unknown"] {
        check(subscribe(source), "webhook_source_unknown", "x-stolen");
    }
    subscribe("granted").unwrap();
    assert_eq!(stage.acme.choose("hook", "1").wait().unwrap().fields()["x-stolen"], "tenant's");
}

/// Each edit leaves the secrets hidden.
#[test]
fn an_edit_sends_no_hidden_secret_to_another_url() {
    let stage = stage();
    let with = |more: &str| {
        OAUTH.replace("\"s3cret\"", r#"{"hidden":true}"#).replace("\"access_token_url\"", more)
    };
    let own = r#""refresh_token_url":"https://mallory.example/token","access_token_url""#;
    let revocation = r#""advanced_settings":{"enabled":true,"revocation_url":"https://mallory.example/"},"access_token_url""#;
    let headers = r#""advanced_settings":{"enabled":true,"access_token_url_headers":{"x-key":{"hidden":true}}},"access_token_url""#;
    let elsewhere =
        with("\"access_token_url\"").replace("https://login.example", "https://mallory.example");
    stage.save("crm", OAUTH).unwrap();
    let edit = |json: &str| stage.acme.edit("crm", read(json), ConfiguredBy::Tenant);
    for json in [&elsewhere, &with(own), &with(revocation), &elsewhere.replace("/token", "/")] {
        check(edit(json), "webhook_field_hidden", "client_secret is hidden");
        let rotated = stage.acme.begin_rotation(
            "crm",
            read(json),
            SlotTurn::Share(100),
            ConfiguredBy::Tenant,
        );
        check(rotated, "webhook_field_hidden", "client_secret is hidden");
    }
    check(edit(&with(headers)), "webhook_field_hidden", "x-key is hidden");
    // What goes where it went before is kept.
    edit(&with(
        r#""scope":"a","refresh_token_url":"https://login.example/token","access_token_url""#,
    ))
    .unwrap();
    edit(&OAUTH.replace("login", "mallory")).unwrap();
}

type Meanwhile = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

/// Does it once while an authorization is being made.
fn set_with(meanwhile: &Meanwhile) -> AuthorizationSet {
    let meanwhile = Arc::clone(meanwhile);
    let transport: Arc<dyn auth_core::Transport> =
        Arc::new(ScriptedTransport::new(|_: &Request<Vec<u8>>| Ok(answer(200, ""))));
    let transports = move |_: &TenantId, _: Option<&str>| {
        let act = meanwhile.lock().unwrap().take();
        if let Some(act) = act {
            act();
        }
        Ok(Arc::clone(&transport))
    };
    AuthorizationSet::builder(transports).build().unwrap()
}

/// The one keeps the secret hidden, the other replaces it because it has leaked.
#[test]
fn a_secret_that_was_replaced_does_not_come_back_with_an_edit_at_the_same_time() {
    let hidden = r#"{"type":"basic","username":"v","password":{"hidden":true}}"#;
    for is_rotated in [false, true] {
        let meanwhile = Arc::default();
        let acme = set_with(&meanwhile).of_tenant(&TenantId::new("acme"));
        acme.save("crm", read(BASIC), ConfiguredBy::Tenant).unwrap();
        acme.subscribe("hook", hook("crm")).unwrap();
        let of = acme.clone();
        *meanwhile.lock().unwrap() = Some(Box::new(move || {
            of.edit("crm", read(OTHER_BASIC), ConfiguredBy::Tenant).unwrap();
        }));
        let (by, turn) = (ConfiguredBy::Tenant, SlotTurn::Share(100));
        match is_rotated {
            false => acme.edit("crm", read(hidden), by),
            true => acme.begin_rotation("crm", read(hidden), turn, by),
        }
        .unwrap();
        assert!(meanwhile.lock().unwrap().is_none());
        assert_eq!(field_of(&acme.choose("hook", "1").wait().unwrap()), "Basic djpx");
    }
}

#[test]
fn a_panic_of_foreign_code_leaves_the_set_as_it_was() {
    let meanwhile = Arc::default();
    let acme = set_with(&meanwhile).of_tenant(&TenantId::new("acme"));
    acme.save("crm", read(BASIC), ConfiguredBy::Tenant).unwrap();
    acme.subscribe("hook", hook("crm")).unwrap();
    *meanwhile.lock().unwrap() = Some(Box::new(|| panic!("a bug of the program")));
    let edit = || acme.edit("crm", read(OTHER_BASIC), ConfiguredBy::Tenant);
    assert!(catch_unwind(AssertUnwindSafe(edit)).is_err());
    assert_eq!(field_of(&acme.choose("hook", "1").wait().unwrap()), "Basic dTpw");
    edit().unwrap();
    assert_eq!(field_of(&acme.choose("hook", "1").wait().unwrap()), "Basic dTpx");
}

/// A clock that asks the set for what it holds.
struct Curious(Arc<Mutex<Option<TenantAuthorizations>>>);

impl Clock for Curious {
    fn now(&self) -> Timestamp {
        let asked = self.0.lock().unwrap().clone();
        if let Some(of) = asked {
            assert_eq!(of.list().len(), 1);
        }
        Timestamp::from_unix(1000)
    }

    fn steady(&self) -> Instant {
        Instant::now()
    }
}

#[test]
fn no_lock_is_held_while_a_clock_is_asked() {
    let asked = Arc::default();
    let transport: Arc<dyn auth_core::Transport> =
        Arc::new(ScriptedTransport::new(|_: &Request<Vec<u8>>| Ok(answer(200, ""))));
    let set =
        AuthorizationSet::builder(move |_: &TenantId, _: Option<&str>| Ok(Arc::clone(&transport)))
            .with_clock(Curious(Arc::clone(&asked)));
    let acme = set.build().unwrap().of_tenant(&TenantId::new("acme"));
    acme.save("crm", read(BASIC), ConfiguredBy::Tenant).unwrap();
    acme.subscribe("hook", hook("crm")).unwrap();
    let turn = SlotTurn::At(Timestamp::from_unix(1000));
    acme.begin_rotation("crm", read(OTHER_BASIC), turn, ConfiguredBy::Tenant).unwrap();
    *asked.lock().unwrap() = Some(acme.clone());
    let (told, tells) = mpsc::channel();
    thread::spawn(move || told.send(acme.choose("hook", "1").wait().map(|chosen| chosen.slot())));
    let slot = tells.recv_timeout(Duration::from_secs(10)).expect("it hangs");
    assert_eq!(slot.unwrap(), SlotName::Next);
}

/// As many as a tenant may have. One comparison of each with each would be a hundred million.
#[test]
fn the_most_rules_and_subscriptions_are_set_listed_and_edited_in_no_time() {
    let stage = stage();
    for nth in 0..TenantAuthorizations::MOST_AUTHORIZATIONS {
        stage.save(&format!("crm {nth}"), BASIC).unwrap();
    }
    let most = TenantAuthorizations::MOST_SUBSCRIPTIONS;
    let rules = (0..most).map(|nth| UrlRule {
        urls: RuleUrls::Prefix(url(&format!("https://hooks.example/{nth}"))),
        authorization: "crm 0".to_owned(),
    });
    let begun = Instant::now();
    stage.acme.set_rules(rules.clone().collect()).unwrap();
    for nth in 0..most {
        let to = url(&format!("https://hooks.example/{nth}/in"));
        stage.acme.subscribe(&format!("hook {nth}"), Subscription::webhook(to)).unwrap();
    }
    stage.acme.set_rules(rules.collect()).unwrap();
    stage.acme.edit("crm 0", read(OTHER_BASIC), ConfiguredBy::Tenant).unwrap();
    assert_eq!(stage.acme.list()[0].dependants, most);
    assert_eq!(stage.field(&format!("hook {}", most - 1), "1"), "Basic dTpx");
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(10), "it took {took:?}");
    let one_more = Subscription::webhook(url("https://hooks.example/"));
    check(stage.acme.subscribe("one more", one_more), "webhook_too_many", "10000");
}

#[test]
fn what_a_subscription_holds_is_bounded() {
    let to = || Subscription::webhook(url("https://hooks.example/"));
    let many = (0..32).try_fold(to(), |to, nth| to.with_header(&format!("x-{nth}"), "v")).unwrap();
    check(many.with_header("x-more", "v"), "webhook_header", "at most 32");
    check(to().with_header("x-long", &*"v".repeat(8193)), "webhook_header", "longer than 8 KiB");
    check(to().with_header("x-lines", "a\r\nb: c"), "webhook_header", "control character");
    let hidden: FieldValue = serde_json::from_str(r#"{"hidden":true}"#).unwrap();
    check(to().with_header("x-hidden", hidden), "webhook_header", "hidden");
    let stage = stage();
    for name in ["", &"x".repeat(129), "a\nb"] {
        check(stage.acme.subscribe(name, to()), "webhook_subscription_name", "subscription");
    }
    assert!(!stage.set.of_tenant(&TenantId::new("stranger")).unsubscribe("hook"));
    assert_eq!(format!("{:?}", stage.set), "AuthorizationSet(0 tenants)");
}

const OAUTH_OF_SOURCE: &str = r#"{"type":"oauth2","grant_type":"client_credentials","client_id":"id",
    "client_secret":{"source":"crm"},"access_token_url":"https://login.example/token"}"#;

/// A source that two machines write to in turn.
#[test]
fn a_source_that_flaps_between_two_secrets_makes_two_sessions() {
    let vault = Arc::new(Vault(Mutex::new(Some("p"))));
    let sources = SecretSources::new()
        .with("crm", Arc::clone(&vault))
        .granting("crm", &TenantId::new("acme"));
    let play = |request: &Request<Vec<u8>>| match request.uri().path() {
        "/token" => {
            let is_first = String::from_utf8_lossy(request.body()).contains("client_secret=p");
            let token = if is_first { "of-p" } else { "of-q" };
            answer(200, &format!(r#"{{"access_token":"{token}","expires_in":3600}}"#))
        }
        _ => answer(200, ""),
    };
    let stage = stage_of(Arc::new(play), sources);
    stage.save("crm", OAUTH_OF_SOURCE).unwrap();
    stage.acme.subscribe("hook", hook("crm")).unwrap();
    for secret in ["p", "q"].into_iter().cycle().take(40) {
        *vault.0.lock().unwrap() = Some(secret);
        assert_eq!(stage.field("hook", "1"), format!("Bearer of-{secret}"));
    }
    assert_eq!(stage.counts(), [2, 0]);
}

/// Another process of the platform has fetched the token; this one has sent nothing.
#[test]
fn a_deletion_ends_a_token_that_another_process_has_fetched() {
    let play = |request: &Request<Vec<u8>>| match request.uri().path() {
        "/token" => answer(200, r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","expires_in":3600}"#),
        _ => answer(200, ""),
    };
    let store = MemoryTokenStore::new(ManualClock::at(1_000_000));
    let process = || {
        let sources = SecretSources::new()
            .with("crm", Secret::from("p"))
            .granting("crm", &TenantId::new("acme"));
        let transport: Arc<dyn auth_core::Transport> =
            Arc::new(ScriptedTransport::new(move |request: &Request<Vec<u8>>| Ok(play(request))));
        let set = AuthorizationSet::builder(move |_: &TenantId, _: Option<&str>| {
            Ok(Arc::clone(&transport))
        })
        .with_clock(ManualClock::at(1_000_000))
        .with_sources(sources)
        .with_token_store(
            store.clone(),
            KeyHasher::new(&Secret::from("k".repeat(32).as_str())).unwrap(),
        );
        let acme = set.build().unwrap().of_tenant(&TenantId::new("acme"));
        acme.save("crm", read(OAUTH_OF_SOURCE), ConfiguredBy::Tenant).unwrap();
        acme
    };
    process().fetch_token("crm", SlotName::Current).wait().unwrap();
    let (other, third) = (process(), process());
    assert!(third.masked_token("crm", SlotName::Current).wait().unwrap().is_some());
    other.delete("crm").wait().unwrap();
    assert!(third.masked_token("crm", SlotName::Current).wait().unwrap().is_none());
}

#[test]
fn a_delivery_under_way_gets_no_token_of_an_authorization_that_was_deleted() {
    let stage = stage();
    stage.save("crm", OAUTH).unwrap();
    stage.acme.subscribe("hook", hook("crm")).unwrap();
    let chosen = stage.acme.choose("hook", "1").wait().unwrap();
    assert_eq!(field_of(&chosen), "Bearer 2YotnFZFEjr1zCsicMWpAA");
    stage.acme.unsubscribe("hook");
    stage.acme.delete("crm").wait().unwrap();
    let (uri, headers) = (chosen.subscription().url.uri().unwrap(), http::HeaderMap::new());
    let view = RequestView::new(&Method::POST, &uri, &headers);
    assert!(chosen.credentials(view).wait().is_err());
    assert_eq!(stage.counts(), [1, 0]);
}

#[test]
fn many_that_change_and_send_at_once_see_whole_configurations() {
    let stage = stage();
    stage.save("crm", BASIC).unwrap();
    stage.acme.subscribe("hook", hook("crm")).unwrap();
    let (acme, set) = (&stage.acme, &stage.set);
    thread::scope(|scope| {
        for nth in 0..4 {
            scope.spawn(move || {
                let by = ConfiguredBy::Tenant;
                for round in 0..100 {
                    let own = format!("{nth} {round}");
                    acme.edit("crm", read([BASIC, OTHER_BASIC][round % 2]), by).unwrap();
                    let _ = acme.begin_rotation("crm", read(BASIC), SlotTurn::Share(50), by);
                    let _ = acme.finish_rotation("crm");
                    acme.save(&own, read(BASIC), by).unwrap();
                    acme.subscribe(&own, hook(&own)).unwrap();
                    assert!(acme.delete("crm").wait().is_err());
                    assert!(acme.delete(&own).wait().is_err());
                    assert!(acme.unsubscribe(&own));
                    acme.delete(&own).wait().unwrap();
                    let sent = field_of(&acme.choose("hook", &own).wait().unwrap());
                    assert!(["Basic dTpw", "Basic dTpx"].contains(&&*sent), "{sent}");
                    drop(acme.choose("hook", &own));
                    let new = set.of_tenant(&TenantId::new(own.as_str()));
                    new.save("crm", read(BASIC), by).unwrap();
                }
            });
        }
    });
    assert_eq!(stage.acme.list().len(), 1);
}

/// However the token was being obtained when the authorization was deleted.
#[test]
fn a_token_that_was_on_its_way_when_its_authorization_was_deleted_is_revoked() {
    for is_asked_for in [true, false] {
        let (gate, counts) = (auth_testing::Gate::closed(), Arc::<[AtomicUsize; 2]>::default());
        let (store, counted) =
            (MemoryTokenStore::new(ManualClock::at(1_000_000)), Arc::clone(&counts));
        let play = move |request: &Request<Vec<u8>>| match request.uri().path() {
            "/token" => {
                counted[0].fetch_add(1, Ordering::Relaxed);
                Ok(answer(200, r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","expires_in":3600}"#))
            }
            _ => {
                counted[1].fetch_add(1, Ordering::Relaxed);
                Ok(answer(200, ""))
            }
        };
        let transport = ScriptedTransport::new(play).with_gate(gate.clone());
        let transport: Arc<dyn auth_core::Transport> = Arc::new(transport);
        let process = || {
            let transport = Arc::clone(&transport);
            let hasher = KeyHasher::new(&Secret::from("k".repeat(32).as_str())).unwrap();
            let set = AuthorizationSet::builder(move |_: &TenantId, _: Option<&str>| {
                Ok(Arc::clone(&transport))
            })
            .with_clock(ManualClock::at(1_000_000))
            .with_token_store(store.clone(), hasher);
            let acme = set.build().unwrap().of_tenant(&TenantId::new("acme"));
            let settings = r#","advanced_settings":{"enabled":true,"revocation_url":"https://login.example/revoke"}}"#;
            acme.save("crm", read(&OAUTH.replace('}', settings)), ConfiguredBy::Tenant).unwrap();
            acme.subscribe("hook", hook("crm")).unwrap();
            acme
        };
        let (acme, other) = (process(), process());
        let chosen = acme.choose("hook", "1").wait().unwrap();
        acme.unsubscribe("hook");
        thread::scope(|scope| {
            let fetch = scope.spawn(|| match is_asked_for {
                true => acme.fetch_token("crm", SlotName::Current).wait().map(drop),
                false => {
                    let uri = chosen.subscription().url.uri().unwrap();
                    let headers = http::HeaderMap::new();
                    let view = RequestView::new(&Method::POST, &uri, &headers);
                    chosen.credentials(view).wait().map(drop)
                }
            });
            thread::sleep(Duration::from_millis(100));
            let delete = scope.spawn(|| acme.delete("crm").wait());
            thread::sleep(Duration::from_millis(100));
            gate.open();
            delete.join().unwrap().unwrap();
            let _ = fetch.join().unwrap();
        });
        let kept = other.masked_token("crm", SlotName::Current).wait().unwrap();
        let counts = [0, 1].map(|which: usize| counts[which].load(Ordering::Relaxed));
        assert_eq!((kept.is_some(), counts), (false, [1, 1]), "asked for: {is_asked_for}");
    }
}

/// Two writers of one field would have the receiver read either.
#[test]
fn a_key_and_a_signature_stand_in_no_field_that_the_sender_writes() {
    let stage = stage();
    for name in ["Content-Type", "webhook-id", "X-Wx-Gtrid", "date", "content-digest"] {
        let json = format!(r#"{{"type":"api_key","key":"{name}","key_value":"v"}}"#);
        check(stage.save("crm", &json), "webhook_header", "sender of the webhook writes");
    }
    let json = r#"{"form":"body_hmac","header":"Content-Type"}"#;
    let form: SignatureForm = serde_json::from_str(json).unwrap();
    let key = BodySigningKey::read(&form, &Secret::from("k")).unwrap();
    check(BodySigner::new(form, key), "webhook_signature_header", "what the body is");
}

/// Asking for leave and taking it are two steps, and so a few may come through between them; not any number.
#[test]
fn many_probes_at_once_are_limited_too() {
    let stage = stage();
    stage.save("crm", BASIC).unwrap();
    stage.acme.subscribe("hook", hook("crm")).unwrap();
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let _ = stage.acme.probe("hook").wait();
                }
            });
        }
    });
    let probed = stage.counts()[1];
    assert!((10..=10 + 16).contains(&probed), "{probed}");
}

/// Each field is looked for among all of them.
#[test]
fn a_token_request_has_few_fields() {
    let with = |count: usize| {
        let fields: Vec<_> = (0..count).map(|nth| format!(r#""x-{nth}":"v""#)).collect();
        let fields = fields.join(",");
        let settings = format!(
            r#","advanced_settings":{{"enabled":true,"access_token_url_headers":{{{fields}}}}}}}"#
        );
        OAUTH.replace('}', &settings)
    };
    let stage = stage();
    stage.save("crm", &with(32)).unwrap();
    let refused = serde_json::from_str::<OutboundAuthorization>(&with(33)).unwrap_err();
    assert!(refused.to_string().contains("33 fields, expected at most 32"), "{refused}");
    // One that a program has made.
    let mut made = read(&with(32));
    if let crate::OutboundScheme::OAuth2(fields) = &mut made.scheme {
        let headers = &mut fields.advanced_settings.access_token_url_headers;
        headers.insert("x-more".to_owned(), FieldValue::from("v"));
    }
    check(stage.acme.save("made", made, ConfiguredBy::Tenant), "webhook_token_headers", "33");
}
