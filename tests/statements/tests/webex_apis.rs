//! Document 000: which credential each API of Webex Connect takes. The calling end is that of auth-webex, and so are the
//! doors, over the credentials that a registry has issued.

use auth_core::{
    Authenticator, Caller, Challenge, Clock, Context, Flow, Peer, Reason, Rejection, RequestView,
    Secret, Stack, SystemClock, TenantId, Timestamp, Verifier,
};
use auth_lifecycle::{
    Actor, Commands, Kind, MemoryLifecycleStore, NewSecret, NewService, Registry, RegistryKeys,
    Role, ServiceId, Wanted,
};
use auth_net::AddressList;
use auth_testing::ScriptedTransport;
use auth_webex::{
    AppApi, AppCaller, AppCredential, ServiceApi, ServiceCredential, ServiceDoor, TenantApi, Webex,
    WebexApi, WebexApp, WebexDoors, WebexFamily, WebexHosts, WebexOutcome, refusal_answer,
};
use http::{HeaderMap, Method, Uri};
use std::{collections::HashMap, sync::Arc, time::Duration};

const APP_KEY: &str = include_str!("../../../crates/auth-emulator/tests/keys/bot.pem");
const APP_PUBLIC: &str = include_str!("../../../crates/auth-emulator/tests/keys/bot.pub.pem");
const OTHER_KEY: &str = include_str!("../../../crates/auth-emulator/tests/keys/other.pem");
const OTHER_PUBLIC: &str = include_str!("../../../crates/auth-emulator/tests/keys/other.pub.pem");

struct Platform {
    owner: Commands,
    doors: WebexDoors,
    alerts: NewService,
    other: NewService,
    profile_key: String,
}

fn text(secret: Option<&Secret>) -> String {
    secret.unwrap().expose_text().unwrap().to_owned()
}

fn platform() -> Platform {
    let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
    let registry = Registry::build(MemoryLifecycleStore::new(), keys).finish().unwrap();
    let owner = registry.by(&Actor::new(TenantId::new("acme"), "alice", Role::Owner));
    let service = |label: &str| owner.create_service(label).wait().unwrap().unwrap();
    let profile = owner.create(None, Kind::ProfileKey, Wanted::default()).wait().unwrap().unwrap();
    Platform {
        alerts: service("alerts"),
        other: service("other"),
        profile_key: text(profile.secret.as_ref()),
        owner,
        doors: WebexDoors::new(registry),
    }
}

fn webex() -> Webex {
    Webex::at(WebexHosts::at("https://webex.example").unwrap())
}

impl Platform {
    fn key(&self) -> ServiceCredential {
        ServiceCredential::key(&text(self.alerts.key.secret.as_ref())).unwrap()
    }

    fn jwt(&self, secret: &str) -> ServiceCredential {
        ServiceCredential::jwt(self.alerts.service.id.as_str(), secret, context()).unwrap()
    }

    /// A JWT that was signed at this moment.
    fn jwt_at(&self, moment: Timestamp) -> ServiceCredential {
        let context = context().with_clock(moment);
        ServiceCredential::jwt(self.alerts.service.id.as_str(), &self.jwt_secret(), context)
            .unwrap()
    }

    fn jwt_secret(&self) -> String {
        text(self.alerts.jwt.secret.as_ref())
    }
}

/// The service of the caller; the platform's outcome of a refusal, as the client reads it.
fn judge(
    door: &dyn Verifier<Principal = Caller>,
    family: WebexFamily,
    api: &WebexApi,
    sent: &dyn Authenticator,
) -> Result<Option<String>, WebexOutcome> {
    judged(door, family, api, sent).map(|caller| caller.service.as_deref().map(str::to_owned))
}

/// The principal of a call; the platform's outcome of a refusal, as the client reads it. The call is made by what is
/// `sent`, which may be bound to another path of the host.
fn judged<P: Send + 'static>(
    door: &dyn Verifier<Principal = P>,
    family: WebexFamily,
    api: &WebexApi,
    sent: &dyn Authenticator,
) -> Result<P, WebexOutcome> {
    judged_from(Peer::UNKNOWN, door, family, api, sent)
}

fn judged_from<P: Send + 'static>(
    peer: Peer<'_>,
    door: &dyn Verifier<Principal = P>,
    family: WebexFamily,
    api: &WebexApi,
    sent: &dyn Authenticator,
) -> Result<P, WebexOutcome> {
    let (mut uri, mut headers): (Uri, _) = (api.url().parse().unwrap(), HeaderMap::new());
    let made = sent.credentials(RequestView::new(&Method::POST, &uri, &headers)).wait().unwrap();
    made.commit(&mut uri, &mut headers).unwrap();
    let request = RequestView::new(&Method::POST, &uri, &headers).with_peer(peer);
    match door.verify(request).wait().unwrap() {
        Ok(accepted) => Ok(accepted.principal),
        Err(refused) => {
            let answer = refusal_answer(family, &refused, "4711");
            Err(api.read_answer(answer.status(), answer.body()).outcome)
        }
    }
}

const REFUSED: Result<Option<String>, WebexOutcome> = Err(WebexOutcome::CredentialRefused);

/// Good and bad keys, good and bad JWTs, and the profile key, at one API of services.
#[track_caller]
fn check(family: WebexFamily, of: impl Fn(ServiceCredential) -> WebexApi) {
    let platform = platform();
    let door = platform.doors.service().unwrap();
    let service = Some(platform.alerts.service.id.as_str().to_owned());
    let (good_key, good_jwt) = (of(platform.key()), of(platform.jwt(&platform.jwt_secret())));
    let bad_key = of(ServiceCredential::key("sk_a-key-of-nobody").unwrap());
    let bad_jwt = of(platform.jwt("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="));
    let profile = of(ServiceCredential::key(&platform.profile_key).unwrap());
    for (api, expected) in [
        (&good_key, Ok(service.clone())),
        (&good_jwt, Ok(service)),
        (&bad_key, REFUSED),
        (&bad_jwt, REFUSED),
        (&profile, REFUSED),
    ] {
        assert_eq!(judge(&door, family, api, api), expected, "{family:?}");
    }
}

/// No credential: refused as 7002, by every API.
#[test]
fn s000_01_every_call_carries_a_key_or_a_jwt() {
    let platform = platform();
    let (service, tenant) =
        (webex().service(platform.key()), webex().tenant(&platform.profile_key).unwrap());
    let (none, missing) = (auth_static::NoAuth, Err(WebexOutcome::CredentialMissing));
    let doors = &platform.doors;
    let (services, sandbox) = (doors.service().unwrap(), doors.sandbox().unwrap());
    let (profile, policy) = (doors.profile().unwrap(), doors.contact_policy().unwrap());
    let app = App::of(&platform.owner, "shop", "k1", APP_PUBLIC).hs256(None).api(AppApi::Threads);
    for family in WebexFamily::ALL {
        let (door, api): (&dyn Verifier<Principal = Caller>, _) = match family {
            WebexFamily::MessagingV1 => (&services, service.api(ServiceApi::MessagingV1)),
            WebexFamily::MessagingV2 => (&services, service.api(ServiceApi::MessagingV2)),
            WebexFamily::CustomEvent => (&services, service.api(ServiceApi::CustomEvent)),
            WebexFamily::RcsCapability => (&services, service.api(ServiceApi::RcsCapability)),
            WebexFamily::InboundWebhook => (&services, service.inbound_webhook("A1").unwrap()),
            WebexFamily::Sandbox => (&sandbox, service.api(ServiceApi::Sandbox)),
            WebexFamily::Profile => (&profile, tenant.api(TenantApi::Profile)),
            WebexFamily::ContactPolicy => (&policy, tenant.api(TenantApi::ContactPolicy)),
            _ => {
                let told = judged(&doors.app().unwrap(), family, &app, &none);
                assert_eq!(told.map(drop), Err(WebexOutcome::CredentialMissing), "{family:?}");
                continue;
            }
        };
        assert_eq!(judge(door, family, &api, &none), missing, "{family:?}");
    }
}

/// The door that a platform has: with a JWT and a service key on one request, in either order of the fields, the JWT alone
/// decides. A good key saves no bad JWT, and a bad key spoils no good one.
#[test]
fn s000_11_the_door_of_services_never_falls_back_to_the_key() {
    let platform = platform();
    let door = platform.doors.service().unwrap();
    let of = |credential| webex().service(credential).api(ServiceApi::MessagingV2);
    let (good_key, bad_key) =
        (platform.key(), ServiceCredential::key("sk_a-key-of-nobody").unwrap());
    let of_other = ServiceCredential::key(&text(platform.other.key.secret.as_ref())).unwrap();
    let forged = platform.jwt("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    let expired = platform.jwt_at(SystemClock.now().before(Duration::from_secs(7200)));
    let good = platform.jwt(&platform.jwt_secret());
    let alerts = Ok(Some(platform.alerts.service.id.as_str().to_owned()));
    for (jwt, key, expected) in [
        (&good, &good_key, alerts.clone()),
        (&good, &bad_key, alerts.clone()),
        (&good, &of_other, alerts),
        (&forged, &good_key, REFUSED),
        (&forged, &of_other, REFUSED),
        (&expired, &good_key, REFUSED),
    ] {
        let (jwt, key) = (of(jwt.clone()), of(key.clone()));
        let told = judge(&door, WebexFamily::MessagingV2, &jwt, &Stack(jwt.clone(), key.clone()));
        assert_eq!(told, expected);
        let told = judge(&door, WebexFamily::MessagingV2, &jwt, &Stack(key, jwt.clone()));
        assert_eq!(told, expected);
    }
}

/// A door with a list refuses an address that is not on it, and one that is not known, with the code of each family; the
/// door of another family, and another tenant's list, do not matter.
#[test]
fn s000_13_a_door_with_a_list_refuses_other_addresses_as_its_family_does() {
    let platform = platform();
    let list = |tenant: &str| {
        let list = Arc::new("198.51.100.0/24".parse::<AddressList>().unwrap());
        HashMap::from([(TenantId::new(tenant), list)])
    };
    let open = platform.doors.service().unwrap();
    let of_other = platform.doors.service().unwrap().with_addresses(list("other"));
    let listed = platform.doors.service().unwrap().with_addresses(list("acme"));
    let [inside, outside] = ["198.51.100.7", "192.0.2.9"].map(|it| it.parse().ok());
    for credential in [platform.key(), platform.jwt(&platform.jwt_secret())] {
        let service = webex().service(credential);
        for (family, api) in [
            (WebexFamily::MessagingV1, service.api(ServiceApi::MessagingV1)),
            (WebexFamily::MessagingV2, service.api(ServiceApi::MessagingV2)),
            (WebexFamily::CustomEvent, service.api(ServiceApi::CustomEvent)),
            (WebexFamily::InboundWebhook, service.inbound_webhook("A1").unwrap()),
        ] {
            let told = |door: &ServiceDoor, address| {
                let peer = Peer { address, ..Peer::UNKNOWN };
                judged_from(peer, door, family, &api, &api).map(drop)
            };
            assert_eq!(told(&listed, inside), Ok(()), "{family:?}");
            for address in [outside, None] {
                let refused = Err(WebexOutcome::AddressNotListed);
                assert_eq!(told(&listed, address), refused, "{family:?}");
                assert_eq!(told(&of_other, address), Ok(()), "{family:?}");
                assert_eq!(told(&open, address), Ok(()), "{family:?}");
            }
        }
    }
}

/// The door that a platform has takes a JWT until an hour after its `iat`, and no second longer.
#[test]
fn s001_14_the_door_of_services_takes_a_jwt_for_sixty_minutes() {
    let platform = platform();
    let issued = Timestamp::from_unix(1_734_006_610);
    let api = webex().service(platform.jwt_at(issued)).api(ServiceApi::CustomEvent);
    let told = |now: Timestamp| {
        let doors = platform.doors.clone().with_clock(now);
        judge(&doors.service().unwrap(), WebexFamily::CustomEvent, &api, &api)
    };
    let alerts = Ok(Some(platform.alerts.service.id.as_str().to_owned()));
    assert_eq!(told(issued.after(Duration::from_secs(3599))), alerts);
    assert_eq!(told(issued.after(Duration::from_secs(3600))), REFUSED);
    // The clock of a caller may be a minute ahead.
    assert_eq!(told(issued.before(Duration::from_secs(60))), alerts);
    assert_eq!(told(issued.before(Duration::from_secs(61))), REFUSED);
}

/// The sandbox: both credentials as Bearer, told apart by their form, each judged once.
#[test]
fn s000_02_the_sandbox_takes_both_as_bearer() {
    let platform = platform();
    let door = platform.doors.sandbox().unwrap();
    let of = |credential| webex().service(credential).api(ServiceApi::Sandbox);
    let service = Some(platform.alerts.service.id.as_str().to_owned());
    let bad_jwt = platform.jwt("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    for (credential, expected) in [
        (platform.key(), Ok(service.clone())),
        (platform.jwt(&platform.jwt_secret()), Ok(service)),
        (ServiceCredential::key("sk_a-key-of-nobody").unwrap(), REFUSED),
        (bad_jwt, REFUSED),
        (ServiceCredential::key(&platform.profile_key).unwrap(), REFUSED),
    ] {
        let api = of(credential);
        assert_eq!(judge(&door, WebexFamily::Sandbox, &api, &api), expected);
    }
}

#[test]
fn s000_03_messaging_takes_a_service_key_or_a_service_jwt() {
    check(WebexFamily::MessagingV1, |it| webex().service(it).api(ServiceApi::MessagingV1));
    check(WebexFamily::MessagingV2, |it| webex().service(it).api(ServiceApi::MessagingV2));
}

#[test]
fn s000_04_custom_event_takes_a_service_key_or_a_service_jwt() {
    check(WebexFamily::CustomEvent, |it| webex().service(it).api(ServiceApi::CustomEvent));
}

#[test]
fn s000_05_inbound_webhooks_take_a_service_key_or_a_service_jwt() {
    check(WebexFamily::InboundWebhook, |it| {
        webex().service(it).inbound_webhook("AB12CD34EF").unwrap()
    });
}

#[test]
fn s000_06_rcs_look_up_takes_a_service_key_or_a_service_jwt() {
    check(WebexFamily::RcsCapability, |it| webex().service(it).api(ServiceApi::RcsCapability));
}

/// The profile key belongs to the tenant and to no service; a service's credentials open neither API.
#[test]
fn s000_07_s000_08_contact_policy_and_profile_take_the_profile_key() {
    let platform = platform();
    let tenant = webex().tenant(&platform.profile_key).unwrap();
    let stranger = webex().tenant("pk_a-key-of-nobody").unwrap();
    let (profile, policy) =
        (platform.doors.profile().unwrap(), platform.doors.contact_policy().unwrap());
    for (door, family, api) in [
        (&profile as &dyn Verifier<Principal = Caller>, WebexFamily::Profile, TenantApi::Profile),
        (&policy, WebexFamily::ContactPolicy, TenantApi::ContactPolicy),
    ] {
        let good = tenant.api(api);
        assert_eq!(judge(door, family, &good, &good), Ok(None), "{family:?}");
        let bad = stranger.api(api);
        assert_eq!(judge(door, family, &good, &bad), REFUSED, "{family:?}");
        for credential in [platform.key(), platform.jwt(&platform.jwt_secret())] {
            let service = webex().service(credential);
            for sent in [service.api(ServiceApi::MessagingV1), service.api(ServiceApi::Sandbox)] {
                assert!(judge(door, family, &good, &sent).is_err(), "{family:?}");
            }
        }
    }
}

/// An app of the platform: under HS256 with the secret that the registry made, and under RS256 with its own key.
struct App {
    id: ServiceId,
    secret: String,
}

impl App {
    fn of(owner: &Commands, label: &str, kid: &str, public: &str) -> Self {
        let made = owner.create_service_with(label, &[Kind::AppJwtSecret]).wait().unwrap();
        let (service, first) = made.unwrap();
        let secret = NewSecret::PublicKey { name: kid.into(), key: public.as_bytes().to_vec() };
        let wanted = Wanted { secret, ..Wanted::default() };
        owner.import(Some(&service.id), Kind::AppJwtKey, wanted).wait().unwrap().unwrap();
        Self { id: service.id, secret: text(first.first().unwrap().secret.as_ref()) }
    }

    fn hs256(&self, user: Option<&str>) -> WebexApp {
        let app = AppCredential::from_secret(self.id.as_str(), &self.secret, user, context());
        webex().app(app.unwrap())
    }

    fn rs256(&self, pem: &str, kid: &str) -> WebexApp {
        let id = self.id.as_str();
        webex().app(AppCredential::from_private_key(id, pem, kid, None, context()).unwrap())
    }
}

fn context() -> Context {
    Context::new(ScriptedTransport::new(|_| panic!("nothing is fetched")))
}

/// Both ways in which an app signs; the claims `appId` and `userId`; the path of the app. Nothing else opens the door.
#[test]
fn s000_09_thread_segment_and_topic_take_the_jwt_of_the_app() {
    let platform = platform();
    let app = App::of(&platform.owner, "shop", "k1", APP_PUBLIC);
    let other = App::of(&platform.owner, "other", "k1", OTHER_PUBLIC);
    let door = platform.doors.app().unwrap();
    let user = door.map(|app: AppCaller| (app.caller.service, app.user_id));
    let told = |api: &WebexApi, sent: &dyn Authenticator| {
        judged(&user, WebexFamily::Rtm, api, sent).map(|(service, user)| {
            assert_eq!(service.as_deref(), Some(app.id.as_str()));
            user
        })
    };
    const REFUSED: Result<Option<Box<str>>, WebexOutcome> = Err(WebexOutcome::CredentialRefused);
    for api in [AppApi::Threads, AppApi::Segments, AppApi::Topics] {
        let ours = app.hs256(None).api(api);
        for (sent, expected) in [
            (app.hs256(None).api(api), Ok(None)),
            (app.hs256(Some("u1")).api(api), Ok(Some("u1".into()))),
            (app.rs256(APP_KEY, "k1").api(api), Ok(None)),
            (app.rs256(OTHER_KEY, "k1").api(api), REFUSED),
            (app.rs256(APP_KEY, "k2").api(api), REFUSED),
            // The tokens of another app are good, and for the paths of that app.
            (other.hs256(None).api(api), REFUSED),
            (other.rs256(OTHER_KEY, "k1").api(api), REFUSED),
        ] {
            assert_eq!(told(&ours, &sent), expected, "{api:?}");
        }
        for credential in [platform.key(), platform.jwt(&platform.jwt_secret())] {
            let service = webex().service(credential);
            assert!(told(&ours, &service.api(ServiceApi::Sandbox)).is_err(), "{api:?}");
        }
        let key = webex().service(platform.key()).api(ServiceApi::MessagingV1);
        assert_eq!(told(&ours, &key), Err(WebexOutcome::CredentialMissing), "{api:?}");
    }
}

/// Each inbound webhook is of one service. The platform looks up whose it is, and compares that with whom the door names.
#[test]
fn s000_10_a_credential_belongs_to_one_service() {
    const OTHERS: Reason = Reason::new("webhook_of_other", "webhook is of another service");
    let platform = platform();
    let (alerts, other) = (&platform.alerts.service.id, &platform.other.service.id);
    let owners = HashMap::from([("/events/A1", alerts.clone()), ("/events/B2", other.clone())]);
    let door = platform.doors.service().unwrap().check(move |caller: &Caller, request| {
        let owner = owners.get(request.uri.path()).map(|owner| owner.as_str());
        let is_owner = owner.is_some() && owner == caller.service.as_deref();
        let refused =
            || Rejection::unauthenticated(OTHERS, Challenge::without_parameters("Bearer"));
        Flow::ready(if is_owner { Ok(()) } else { Err(refused()) })
    });
    let of_other = ServiceCredential::key(&text(platform.other.key.secret.as_ref())).unwrap();
    let named = |id: &ServiceId| Ok(Some(id.as_str().to_owned()));
    for (credential, of_alerts, of_others) in [
        (platform.key(), named(alerts), REFUSED),
        (platform.jwt(&platform.jwt_secret()), named(alerts), REFUSED),
        (of_other, REFUSED, named(other)),
    ] {
        let service = webex().service(credential);
        for (id, expected) in [("A1", of_alerts), ("B2", of_others)] {
            let api = service.inbound_webhook(id).unwrap();
            assert_eq!(judge(&door, WebexFamily::InboundWebhook, &api, &api), expected, "{id}");
        }
    }
}

/// A JWT is taken in the field `key` only where that is switched on; then it decides as it does as Bearer.
#[test]
fn s001_17_a_jwt_in_the_field_key_is_a_switch() {
    let platform = platform();
    let bearer = webex().service(platform.jwt(&platform.jwt_secret())).api(ServiceApi::CustomEvent);
    let (uri, headers): (Uri, _) = (bearer.url().parse().unwrap(), HeaderMap::new());
    let made = bearer.credentials(RequestView::new(&Method::POST, &uri, &headers)).wait().unwrap();
    let token = made.field(&http::header::AUTHORIZATION).unwrap().to_str().unwrap();
    let in_key = ServiceCredential::key(token.strip_prefix("Bearer ").unwrap()).unwrap();
    let in_key = webex().service(in_key).api(ServiceApi::CustomEvent);
    let told = |doors: &WebexDoors| {
        judge(&doors.service().unwrap(), WebexFamily::CustomEvent, &in_key, &in_key)
    };
    assert_eq!(told(&platform.doors), REFUSED);
    let open = platform.doors.clone().allowing_jwt_in_key_field();
    assert_eq!(told(&open), Ok(Some(platform.alerts.service.id.as_str().to_owned())));
    // A key in it is a key as before.
    let key = webex().service(platform.key()).api(ServiceApi::CustomEvent);
    assert!(judge(&open.service().unwrap(), WebexFamily::CustomEvent, &key, &key).is_ok());
}

/// `iss` may be the service key only where that is switched on.
#[test]
fn s001_09_a_service_key_as_issuer_is_a_switch() {
    let platform = platform();
    let key = text(platform.alerts.key.secret.as_ref());
    let context = || {
        Context::new(ScriptedTransport::new(|_| panic!("nothing is fetched")))
            .with_clock(SystemClock)
    };
    let alias = ServiceCredential::jwt(&key, &platform.jwt_secret(), context()).unwrap();
    let api = webex().service(alias).api(ServiceApi::MessagingV2);
    let told =
        |doors: &WebexDoors| judge(&doors.service().unwrap(), WebexFamily::MessagingV2, &api, &api);
    assert_eq!(told(&platform.doors), REFUSED);
    let open = platform.doors.clone().allowing_service_key_as_issuer();
    assert_eq!(told(&open), Ok(Some(platform.alerts.service.id.as_str().to_owned())));
    // The key of another service stands for that service, whose secret has not signed.
    let foreign = text(platform.other.key.secret.as_ref());
    let foreign = ServiceCredential::jwt(&foreign, &platform.jwt_secret(), context()).unwrap();
    let foreign = webex().service(foreign).api(ServiceApi::MessagingV2);
    assert_eq!(
        judge(&open.service().unwrap(), WebexFamily::MessagingV2, &foreign, &foreign),
        REFUSED
    );
}
