//! Webhooks: their bodies signed and verified, and each kind of authorization through what was chosen for a delivery.

mod peer;
mod signature;

use auth_core::{
    Authenticator, Body, ConnectionId, Context, Exchange, Flow, KeyHasher, RequestView, Secret,
    SystemClock, SystemRandom, TenantId, Transport,
};
use auth_digest::{Digest, DigestPreset};
use auth_oauth2::{ClientCredentialsForm, OAuthConnection};
use auth_session::MemoryTokenStore;
use auth_sigv4::{AccessKey, AwsService, SigV4};
use auth_static::{ApiKey, Basic, NoAuth, Placement};
use auth_webhook::{
    AuthorizationSet, Chosen, ConfiguredBy, Subscription, TenantAuthorizations, WebhookUrl,
};
use harness::case::{Call, Group, call, floor, ours_beyond};
use http::{HeaderMap, Method, Response, Uri};
use std::{hint::black_box, sync::Arc, time::Duration};

pub fn groups() -> Vec<Group> {
    let mut groups = signature::groups();
    groups.extend(kinds());
    groups
}

/// What choosing costs beside a scheme: the slot, the rule, and what is remembered of the delivery.
const CHOOSING: (u64, u64) = (4_000, 11);

/// What a kept choice costs beside a scheme: the URL is compared with the origin that the credentials are for.
const KEPT: (u64, u64) = (500, 0);

macro_rules! kind {
    ($name:literal, $scheme:literal, $floor:expr, $json:expr) => {
        Group {
            name: $name,
            input: "POST of 1 KiB, in memory, what is kept is kept; through dyn Authenticator",
            cases: vec![
                floor(concat!($scheme, ", the scheme alone"), || through($floor)),
                ours_beyond("auth-webhook, what was chosen", KEPT, || kept($json)),
                ours_beyond("auth-webhook, chosen each time", CHOOSING, || chosen($json)),
            ],
        }
    };
}

fn kinds() -> [Group; 6] {
    [
        kind!("webhook-none", "NoAuth", NoAuth, r#"{"type":"none"}"#),
        kind!(
            "webhook-basic",
            "Basic",
            Basic::new("acme", "s3cret").expect("credentials"),
            r#"{"type":"basic","username":"acme","password":"s3cret"}"#
        ),
        kind!(
            "webhook-api-key",
            "ApiKey",
            ApiKey::new(Placement::header("x-key").expect("a header"), "s3cret").expect("a key"),
            r#"{"type":"api_key","key":"x-key","key_value":"s3cret"}"#
        ),
        kind!("webhook-digest", "Digest, a challenge that is known", digest(), DIGEST),
        kind!("webhook-aws-signature", "SigV4", sigv4(), AWS),
        kind!("webhook-oauth2", "OAuthConnection, a token that is kept", oauth2(), OAUTH2),
    ]
}

const DIGEST: &str = r#"{"type":"digest","username":"acme","password":"s3cret","realm":"hooks","algorithm":"SHA-256",
    "nonce":"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v","qop":"auth"}"#;
const AWS: &str = r#"{"type":"aws_signature","access_key":"AKIDEXAMPLE","secret_key":"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "region":"eu-west-1","service_name":"execute-api"}"#;
const OAUTH2: &str = r#"{"type":"oauth2","grant_type":"client_credentials","client_id":"acme","client_secret":"s3cret",
    "access_token_url":"https://login.example.com/token"}"#;
const URL: &str = "https://hooks.example.com/receipts";

fn digest() -> Digest {
    let mut preset = DigestPreset::new("hooks", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v");
    preset.algorithm = auth_digest::DigestAlgorithm::named(b"SHA-256");
    preset.qop = auth_digest::Qop::named(b"auth");
    let digest = Digest::new("acme", "s3cret", SystemRandom::new()).expect("credentials");
    digest.with_form(&preset).expect("a form")
}

fn sigv4() -> SigV4 {
    let key = AccessKey::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    SigV4::new(key.expect("a key"), "eu-west-1", AwsService::ExecuteApi, SystemClock)
        .expect("a signer")
}

fn oauth2() -> impl Authenticator {
    let form = ClientCredentialsForm::new()
        .with_client_id("acme")
        .with_client_secret("s3cret")
        .with_access_token_url("https://login.example.com/token");
    let hasher = KeyHasher::new(&Secret::new([7; 32])).expect("a hasher");
    let id = ConnectionId::new(TenantId::new("acme"), "crm");
    let store = MemoryTokenStore::new(SystemClock);
    OAuthConnection::new(form.build().expect("a form"), store, &hasher, &id, Context::new(Server))
}

/// The credentials of one webhook.
fn with_webhook<R>(mut work: impl FnMut(RequestView<'_>) -> R + 'static) -> Call {
    let (uri, headers, body) = (Uri::from_static(URL), HeaderMap::new(), vec![7; 1024]);
    call(move || {
        let view = RequestView::new(&Method::POST, black_box(&uri), black_box(&headers));
        work(view.with_body(Body::Bytes(black_box(&body))))
    })
}

fn through(scheme: impl Authenticator + 'static) -> Call {
    let scheme: Box<dyn Authenticator> = Box::new(scheme);
    with_webhook(move |view| black_box(&scheme).credentials(view).wait().expect("credentials"))
}

fn acme(json: &str) -> TenantAuthorizations {
    let transport: Arc<dyn Transport> = Arc::new(Server);
    let set =
        AuthorizationSet::builder(move |_: &TenantId, _: Option<&str>| Ok(Arc::clone(&transport)));
    let acme = set.build().expect("a set").of_tenant(&TenantId::new("acme"));
    let authorization = serde_json::from_str(json).expect("an authorization");
    acme.save("crm", authorization, ConfiguredBy::Tenant).expect("it is saved");
    let url = WebhookUrl::parse(URL).expect("a URL");
    acme.subscribe("receipts", Subscription::webhook(url).under("crm")).expect("a subscription");
    acme
}

fn choose(acme: &TenantAuthorizations) -> Chosen {
    acme.choose(black_box("receipts"), black_box("delivery-4711")).wait().expect("a choice")
}

fn kept(json: &str) -> Call {
    through(choose(&acme(json)))
}

fn chosen(json: &str) -> Call {
    let acme = acme(json);
    with_webhook(move |view| {
        let chosen = choose(&acme);
        chosen.credentials(view).wait().expect("credentials")
    })
}

/// Gives everybody a token.
struct Server;

impl Transport for Server {
    fn fetch(&self, _: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        let token =
            br#"{"access_token":"2YotnFZFEjr1zCsicMWpAAnd3fGHvKlM9xq4tRsUcWe","expires_in":86400}"#;
        Flow::ready(Response::new(token.to_vec()))
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::ready(())
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}
