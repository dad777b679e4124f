//! The input is the configuration of an authorization, of a signature, or of a receiver, as JSON or as TOML.

use auth_core::{Exchange, Flow};
use auth_webhook::{
    AuthorizationSet, BodySignatureVerifier, BodySigner, BodySigningKey, BodyVerifyingKey,
    ConfiguredBy, Error, FieldValue, InboundAuthorization, InboundLookUps, OAuth2Grant,
    OutboundAuthorization, OutboundScheme, Secret, SecretSources, SignatureForm, Subscription,
    TenantId, Transport, WebhookDelivery, WebhookUrl,
};
use http::Response;
use serde::{Serialize, de::DeserializeOwned};
use std::{sync::Arc, time::Duration};

pub(crate) const NAME: &str = "the-name-of-it";
const CANARY: &str = "c4n4ry9f31e5d0a7b2";

/// What is read is written and read again as the same; nobody is shown a secret; what is wrong with it is told with its
/// name.
pub fn webhook_authorization(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for read in both::<OutboundAuthorization>(text) {
        if written(&read.revealed()).concat().contains(CANARY) {
            return;
        }
        authorization(&read);
        // One that every field takes, and ones that few do.
        for planted in [CANARY.to_owned(), format!("{CANARY}\n"), format!("é{CANARY}:")] {
            authorization(&plant(read.clone(), &planted));
        }
    }
    both::<SignatureForm>(text).iter().for_each(signature);
    for read in both::<InboundAuthorization>(text) {
        assert_eq!(again(&read), [Some(read.clone()), Some(read.clone())]);
        let error = read.verifier(InboundLookUps::<()>::new()).expect_err("it knows nobody");
        assert_eq!(error.code(), "webhook_look_up");
    }
}

fn both<T: DeserializeOwned>(text: &str) -> Vec<T> {
    let (json, toml) = (serde_json::from_str(text), toml::from_str(text));
    json.into_iter().chain(toml).collect()
}

/// As it is written in JSON and in TOML, read again.
fn again<T: DeserializeOwned>(value: &impl Serialize) -> [Option<T>; 2] {
    let [json, toml] = written(value);
    [serde_json::from_str(&json).ok(), toml::from_str(&toml).ok()]
}

fn written(value: &impl Serialize) -> [String; 2] {
    [serde_json::to_string(value).expect("JSON"), toml::to_string(value).expect("TOML")]
}

/// Puts a secret in place of every literal that is one.
fn plant(mut authorization: OutboundAuthorization, secret: &str) -> OutboundAuthorization {
    let put = |value: &mut FieldValue| {
        if value.expose().is_some() {
            *value = secret.into();
        }
    };
    match &mut authorization.scheme {
        OutboundScheme::None => {}
        OutboundScheme::Basic(it) => put(&mut it.password),
        OutboundScheme::Digest(it) => put(&mut it.password),
        OutboundScheme::AwsSignature(it) => put(&mut it.secret_key),
        OutboundScheme::ApiKey(it) => put(&mut it.key_value),
        OutboundScheme::OAuth2(it) => {
            match &mut it.grant {
                OAuth2Grant::ClientCredentials { client_secret, .. } => put(client_secret),
                OAuth2Grant::AuthorizationCode { consumer_secret, .. } => put(consumer_secret),
            }
            it.advanced_settings.access_token_url_headers.values_mut().for_each(put);
        }
    }
    authorization
}

fn authorization(read: &OutboundAuthorization) {
    let before = format!("{read:?} {:?} {:?}", read.revealed(), written(read));
    assert!(!before.contains(CANARY), "{before}");
    assert_eq!(again(&read.revealed()), [Some(read.clone()), Some(read.clone())]);
    for hidden in again::<OutboundAuthorization>(read) {
        assert_eq!(&hidden.expect("it was written").keeping_hidden(read), read);
    }
    let set = set();
    let acme = set.of_tenant(&TenantId::new("acme"));
    match acme.save(NAME, read.clone(), ConfiguredBy::Tenant) {
        Err(error) => named(&error),
        Ok(()) => {
            assert_eq!(&acme.authorization(NAME).expect("it was saved"), read);
            let hidden = again(read)[0].take().expect("it was written");
            acme.edit(NAME, hidden, ConfiguredBy::Tenant).expect("nothing was changed");
            assert_eq!(&acme.authorization(NAME).expect("it was saved"), read);
            let url = WebhookUrl::parse("https://hooks.example/x").expect("a URL");
            acme.subscribe("hook", Subscription::webhook(url).under(NAME)).expect("a webhook");
            let shown = format!(
                "{:?} {:?} {:?}",
                acme.list(),
                acme.preview("hook", &WebhookDelivery::json("1", "{}")).wait(),
                acme.choose("hook", "1").wait(),
            );
            assert!(!shown.contains(CANARY), "{shown}");
        }
    }
}

fn named(error: &Error) {
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(NAME), "{shown}");
    assert!(!shown.contains(CANARY), "{shown}");
}

fn signature(form: &SignatureForm) {
    assert_eq!(again(form), [Some(form.clone()), Some(form.clone())]);
    for text in [CANARY, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
        if written(form).concat().contains(text) || written(form).concat().contains("MfKQ9r8G") {
            return;
        }
        let key = Secret::from(text);
        let signer =
            BodySigningKey::read(form, &key).and_then(|key| BodySigner::new(form.clone(), key));
        let verifier = BodyVerifyingKey::read(form, &key).and_then(|key| {
            BodySignatureVerifier::new(form.clone(), [(key, ())].into_iter().collect())
        });
        let shown = format!("{signer:?} {verifier:?}");
        assert!(!shown.contains(text) && !shown.contains("MfKQ9r8G"), "{shown}");
        // A form that is taken is taken on both ends, but for what is verified alone.
        if signer.is_ok() {
            assert!(verifier.is_ok(), "{verifier:?}");
        }
    }
}

/// A set whose transports reach nobody, with one source that was granted.
pub(crate) fn set() -> AuthorizationSet {
    let sources = SecretSources::new()
        .with("granted", Secret::from(CANARY))
        .granting("granted", &TenantId::new("acme"))
        .with("other", Secret::from(CANARY));
    let transport: Arc<dyn Transport> = Arc::new(Nowhere);
    AuthorizationSet::builder(move |_: &TenantId, _: Option<&str>| Ok(Arc::clone(&transport)))
        .with_sources(sources)
        .build()
        .expect("a set")
}

struct Nowhere;

impl Transport for Nowhere {
    fn fetch(&self, exchange: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        panic!("{exchange:?} was sent")
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::ready(())
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}
