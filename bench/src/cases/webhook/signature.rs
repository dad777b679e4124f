//! Signatures over bodies, beside the HMAC of the same bytes.

use super::peer;
use auth_core::{Body, Candidates, Clock, RequestView, Secret, SystemClock, Timestamp, Verifier};
use auth_webhook::{
    BodySignatureVerifier, BodySigner, BodySigningKey, BodyVerifyingKey, SignableDelivery,
    SignatureForm,
};
use harness::case::{self, Call, Group, call, floor, ours};
use http::{HeaderMap, Method, Uri};
use ring::hmac;
use std::hint::black_box;

const KIB: usize = 1024;
const MIB: usize = 1024 * 1024;

pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(super) const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
/// What Standard Webhooks signs before the body.
const BEFORE: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.";

macro_rules! group {
    ($name:literal, $size:ident, $ratio:expr, $allocations:literal, $form:ident, $ours:ident) => {
        Group {
            name: $name,
            input: "hub_signature with SHA-256, key kept; pure function",
            cases: vec![
                floor("ring: its HMAC, the key kept", || hashed($size, "")),
                ours("auth-webhook", $ratio, $allocations, || $ours(&$form(), $size)),
            ],
        }
    };
}

macro_rules! standard {
    ($name:literal, $size:ident, $ratio:expr, $allocations:literal, $ours:ident, $peer:path) => {
        Group {
            name: $name,
            input: "standard_webhooks, key kept; pure function",
            cases: vec![
                floor("ring: its HMAC, the key kept", || hashed($size, BEFORE)),
                ours("auth-webhook", $ratio, $allocations, || $ours(&standard(), $size)),
                case::peer("standardwebhooks", || $peer($size)),
            ],
        }
    };
}

pub(super) fn groups() -> Vec<Group> {
    vec![
        group!("webhook-hub-sign-1KiB", KIB, Some(1.1), 6, hub, signed),
        group!("webhook-hub-sign-1MiB", MIB, Some(1.1), 6, hub, signed),
        group!("webhook-hub-verify-1KiB", KIB, Some(1.1), 0, hub, verified),
        group!("webhook-hub-verify-1MiB", MIB, Some(1.1), 0, hub, verified),
        standard!("webhook-standard-sign-1KiB", KIB, Some(1.1), 5, signed, peer::signed),
        standard!("webhook-standard-sign-1MiB", MIB, Some(1.1), 5, signed, peer::signed),
        standard!("webhook-standard-verify-1KiB", KIB, Some(1.1), 0, verified, peer::verified),
        standard!("webhook-standard-verify-1MiB", MIB, Some(1.1), 0, verified, peer::verified),
    ]
}

fn hub() -> SignatureForm {
    SignatureForm::HubSignature { algorithm: Default::default() }
}

fn standard() -> SignatureForm {
    SignatureForm::StandardWebhooks {}
}

pub(super) fn body(size: usize) -> Vec<u8> {
    vec![b'7'; size]
}

fn hashed(size: usize, before: &'static str) -> Call {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 24]);
    let body = body(size);
    call(move || {
        let mut context = hmac::Context::with_key(black_box(&key));
        context.update(black_box(before).as_bytes());
        context.update(black_box(&body));
        context.sign()
    })
}

fn signer(form: &SignatureForm) -> BodySigner {
    let key = BodySigningKey::read(form, &Secret::from(SECRET)).expect("a key");
    BodySigner::new(form.clone(), key).expect("a signer")
}

fn sign(signer: &BodySigner, now: Timestamp, uri: &Uri, body: &[u8]) -> HeaderMap {
    signer.sign(SignableDelivery::new(ID, now, uri, body)).expect("it is signed")
}

fn signed(form: &SignatureForm, size: usize) -> Call {
    let (signer, uri, body) = (signer(form), Uri::from_static(super::URL), body(size));
    let now = SystemClock.now();
    call(move || sign(black_box(&signer), now, black_box(&uri), black_box(&body)))
}

fn verified(form: &SignatureForm, size: usize) -> Call {
    let key = BodyVerifyingKey::read(form, &Secret::from(SECRET)).expect("a key");
    let verifier = BodySignatureVerifier::new(form.clone(), Candidates::one(key, ()));
    let verifier = verifier.expect("a verifier");
    let (uri, body) = (Uri::from_static(super::URL), body(size));
    // It is fresh for five minutes, which is longer than any measurement.
    let headers = sign(&signer(form), SystemClock.now(), &uri, &body);
    call(move || {
        let view = RequestView::new(&Method::POST, &uri, black_box(&headers));
        let view = view.with_body(Body::Bytes(black_box(&body)));
        black_box(&verifier).verify(view).wait().expect("no error").expect("it is accepted");
    })
}
