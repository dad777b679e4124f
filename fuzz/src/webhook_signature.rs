//! The input is a webhook whose body is signed: a byte that says which form, a byte that says what is changed in it after
//! it was signed, and lines for the field of the signature, the id, the time and the target; behind them the body.

use auth_core::{Body, Candidates, RequestView, Timestamp, Verifier};
use auth_webhook::{
    BodySignatureVerifier, BodySigner, BodySigningKey, BodyVerifyingKey, DeliveryId, Secret,
    SignableDelivery, SignatureForm, symphony_signed_text,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use ring::{
    digest,
    signature::{Ed25519KeyPair, KeyPair},
};
use std::{collections::BTreeSet, sync::LazyLock};

const NOW: u64 = 1_614_265_330;
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const TYPE: HeaderName = http::header::CONTENT_TYPE;

/// Nothing is taken that nobody signed; what was signed is taken, and with a change to anything that is signed it is not.
pub fn webhook_signature(data: &[u8]) {
    let [form, change, rest @ ..] = data else { return };
    let mut parts = rest.splitn(5, |byte| *byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let [presented, id, time, target] = [part(), part(), part(), part()];
    let body = part();
    let both = &KNOWN[usize::from(*form) % KNOWN.len()];
    let is_form = change & 1 == 1;
    let mut target = if target.is_empty() { "/".into() } else { target.to_vec() };
    let fields = [presented, id, time].map(HeaderValue::from_bytes);
    let [Ok(presented), Ok(id), Ok(time)] = fields else { return };
    if both.is(SignatureForm::is_url) && !is_form {
        target.extend_from_slice(if target.contains(&b'?') { b"&" } else { b"?" });
        target.extend_from_slice(format!("bodySHA256={}", hash(body)).as_bytes());
    }
    let Ok(uri) = Uri::try_from(&*target) else { return };
    if uri.path_and_query().is_none() {
        return;
    }
    let mut forged = HeaderMap::from_iter([
        (both.header.clone(), presented.clone()),
        (HeaderName::from_static("webhook-id"), id.clone()),
        (HeaderName::from_static("webhook-timestamp"), time),
    ]);
    if is_form {
        forged.insert(TYPE, FORM);
    }
    assert!(!both.takes(&uri, &forged, body), "a request that nobody signed");
    forged.append(both.header.clone(), presented.clone());
    assert!(!both.takes(&uri, &forged, body), "two fields that nobody signed");
    let id = id.to_str().ok().filter(|id| DeliveryId::parse(id.as_bytes()).is_some());
    signed(both, id.unwrap_or("msg_1"), is_form, &uri, body, Change::of(*change, presented));
}

/// What is changed after it was signed.
struct Change {
    what: u8,
    with: HeaderValue,
}

impl Change {
    fn of(byte: u8, with: HeaderValue) -> Self {
        Self { what: byte >> 1, with }
    }
}

fn signed(both: &Both, id: &str, is_form: bool, uri: &Uri, body: &[u8], change: Change) {
    let Some(signer) = &both.signer else { return };
    let now = Timestamp::from_unix(NOW);
    let delivery = SignableDelivery::new(id, now, uri, body);
    let delivery = if is_form { delivery.of_form() } else { delivery };
    let mut headers = match signer.sign(delivery) {
        Ok(headers) => headers,
        Err(error) => {
            let is_unsignable =
                both.is(SignatureForm::is_text) && std::str::from_utf8(body).is_err();
            return assert!(is_unsignable || both.is(SignatureForm::is_url), "{error}");
        }
    };
    if is_form {
        headers.insert(TYPE, FORM);
    }
    assert!(both.takes(uri, &headers, body), "{headers:?} was signed a moment ago");
    let (mut changed, mut bytes, mut target) = (headers.clone(), body.to_vec(), uri.clone());
    let with = change.with.as_bytes();
    match change.what % 6 {
        // The signature, a byte of it.
        0 => {
            let mut value = headers[&both.header].as_bytes().to_vec();
            let at = usize::from(with.first().copied().unwrap_or_default()) % value.len();
            value[at] = with.get(1).copied().unwrap_or(b'0');
            let Ok(value) = HeaderValue::from_bytes(&value) else { return };
            changed.insert(both.header.clone(), value);
        }
        // The body, replaced or lengthened.
        1 => bytes = with.to_vec(),
        2 => bytes.extend_from_slice(with),
        3 => {
            let Ok(other) = Uri::try_from(with) else { return };
            if other.path_and_query().is_none() {
                return;
            }
            target = other;
        }
        4 => drop(changed.insert("webhook-id", change.with.clone())),
        _ => drop(changed.insert("webhook-timestamp", change.with.clone())),
    }
    let is_same = both.signed(uri, &headers, body) == both.signed(&target, &changed, &bytes);
    let takes = both.takes(&target, &changed, &bytes);
    assert!(is_same || !takes, "{changed:?} {target:?} was not signed");
}

/// Both ends of one form.
struct Both {
    form: SignatureForm,
    header: HeaderName,
    signer: Option<BodySigner>,
    verifier: BodySignatureVerifier<()>,
}

impl Both {
    fn is(&self, of: fn(&SignatureForm) -> bool) -> bool {
        of(&self.form)
    }

    fn takes(&self, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> bool {
        let view = RequestView::new(&Method::POST, uri, headers).with_body(Body::Bytes(body));
        let outcome = self.verifier.verify(view).wait().expect("no error of ours");
        let shown = format!("{outcome:?}");
        assert!(shown.len() < 2048, "{} bytes are shown", shown.len());
        outcome.is_ok()
    }

    /// By a second reading: what this form signs, and its signature. Fields of other forms are no part of it.
    fn signed(&self, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let field = |name: &str| headers.get(name).map(|value| value.as_bytes().to_vec());
        let signature = headers[&self.header].as_bytes();
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let whole = match &self.form {
            SignatureForm::StandardWebhooks {} => {
                let (id, time) = (field("webhook-id"), field("webhook-timestamp"));
                [&*id.expect("an id"), &time.expect("a time"), body].join(&b'.')
            }
            SignatureForm::UrlAndParameters { .. } if is_form(headers) => {
                let pairs: BTreeSet<_> = url::form_urlencoded::parse(body).collect();
                let pairs = pairs.iter().map(|(name, value)| format!("{name}{value}"));
                (target.to_owned() + &pairs.collect::<String>()).into_bytes()
            }
            SignatureForm::UrlAndParameters { .. } => {
                let is_named = target.to_ascii_lowercase().contains(&hash(body));
                format!("{target} {is_named}").into_bytes()
            }
            SignatureForm::SymphonyUniversalWebhook { .. } => match std::str::from_utf8(body) {
                Ok(text) => symphony_signed_text(text).into_bytes(),
                Err(_) => Vec::new(),
            },
            _ => body.to_vec(),
        };
        // Digits of hexadecimal have two cases.
        let is_hex = !matches!(
            self.form,
            SignatureForm::StandardWebhooks {}
                | SignatureForm::UrlAndParameters { .. }
                | SignatureForm::DetachedJws { .. }
        );
        let signature = if is_hex { signature.to_ascii_lowercase() } else { signature.to_vec() };
        (whole, signature)
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    headers.get(TYPE) == Some(&FORM)
}

fn hash(body: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, body);
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

trait Of {
    fn is_url(&self) -> bool;
    fn is_text(&self) -> bool;
}

impl Of for SignatureForm {
    fn is_url(&self) -> bool {
        matches!(self, Self::UrlAndParameters { .. })
    }

    fn is_text(&self) -> bool {
        matches!(self, Self::SymphonyUniversalWebhook { .. })
    }
}

static KNOWN: LazyLock<Vec<Both>> = LazyLock::new(|| {
    let secret = "a secret that no input has".to_owned();
    let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).expect("a key");
    let public = pair.public_key().as_ref();
    let pem = |label, head: &[u8], key: &[u8]| {
        let der = STANDARD.encode([head, key].concat());
        format!("-----BEGIN {label}-----\n{der}\n-----END {label}-----\n")
    };
    let private = pem(
        "PRIVATE KEY",
        b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20",
        &[9; 32],
    );
    let spki = pem("PUBLIC KEY", b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", public);
    let shared = format!("whsec_{}", STANDARD.encode([7; 32]));
    let [whsk, whpk] = [("whsk_", &[9; 32][..]), ("whpk_", public)]
        .map(|(prefix, key)| format!("{prefix}{}", STANDARD.encode(key)));
    let same = |secret: &str| [secret.to_owned(), secret.to_owned()];
    [
        (r#"{"form":"hub_signature"}"#, "x-hub-signature", same(&secret)),
        (r#"{"form":"standard_webhooks"}"#, "webhook-signature", same(&shared)),
        (r#"{"form":"standard_webhooks"}"#, "webhook-signature", [whsk, whpk]),
        (r#"{"form":"time_and_body","header":"x-signature"}"#, "x-signature", same(&secret)),
        (
            r#"{"form":"url_and_parameters","public_url":"https://hooks.example/"}"#,
            "x-twilio-signature",
            same(&secret),
        ),
        (
            r#"{"form":"detached_jws","header":"x-jws-signature","algorithm":"EdDSA"}"#,
            "x-jws-signature",
            [private, spki],
        ),
        (
            r#"{"form":"symphony_universal_webhook","header":"x-symphony"}"#,
            "x-symphony",
            same(&secret),
        ),
        (
            r#"{"form":"body_hmac","header":"x-sig","algorithm":"sha512","prefix":"v=1:"}"#,
            "x-sig",
            same(&secret),
        ),
        (r#"{"form":"hub_signature","algorithm":"legacy_sha1"}"#, "x-hub-signature", same(&secret)),
    ]
    .map(|(json, header, [signing, verifying])| {
        let form: SignatureForm = serde_json::from_str(json).expect("a form");
        let key = BodySigningKey::read(&form, &Secret::from(signing));
        let signer = key.and_then(|key| BodySigner::new(form.clone(), key)).ok();
        assert_eq!(signer.is_some(), !json.contains("sha1"), "{json}");
        let key = BodyVerifyingKey::read(&form, &Secret::from(verifying)).expect("a key");
        let verifier = BodySignatureVerifier::new(form.clone(), Candidates::one(key, ()));
        let verifier = verifier.expect("a verifier").with_clock(Timestamp::from_unix(NOW));
        Both { form, header: HeaderName::from_static(header), signer, verifier }
    })
    .into()
});
